//! Around midnight, and money that is booked on another day than the gateway's.

use crate::day::{Day, Scene, at};
use domain::payment::PaymentStatus;
use domain::reconciliation::{Billed, DifferenceKind as K, LineStatus};
use domain::{Money, Ts};
use jiff::civil::date;

fn paid() -> Money {
    Money::fen(3_000)
}

/// A payment that our books have at this minute of the day, and this bill has not.
fn only_ours(minute: i64) -> Day {
    let mut day = Day::empty();
    let place = day.asked(paid(), at(minute));
    day.book(place, at(minute));
    day
}

#[test]
fn ten_minutes_around_midnight_are_waited_for() {
    for (minute, kind) in [
        (1_429, K::PaymentMissingThere),
        (1_430, K::PaymentNeighbouringDay),
        (1_439, K::PaymentNeighbouringDay),
        // The bill of the day before was read, and had it not.
        (5, K::PaymentMissingThere),
    ] {
        let day = only_ours(minute);
        assert_eq!(day.kinds(), [kind], "{minute}");
        assert!(!day.differences()[0].is_explained, "{minute}");
        assert_eq!(day.differences()[0].gap(), [Money::fen(-3_000)]);
    }
}

#[test]
fn they_are_waited_for_as_long_as_the_neighbours_bill_is_unknown() {
    let mut late = only_ours(1_435);
    late.is_next_known = true;
    assert_eq!(late.kinds(), [K::PaymentMissingThere]);
    let mut early = only_ours(5);
    early.is_previous_known = false;
    assert_eq!(early.kinds(), [K::PaymentNeighbouringDay]);
}

#[test]
fn what_the_neighbours_bill_has_is_explained_on_both_days() {
    // Paid at 00:01 of the 3rd by the gateway's clock, at 23:59 of the 2nd by ours.
    let mut second = only_ours(1_438);
    second.payments[0].billed = Some(Billed {
        day: date(2026, 3, 3),
        at: at(1_441),
        status: LineStatus::Succeeded,
    });
    let [ours] = &second.differences()[..] else {
        panic!("{:?}", second.differences())
    };
    assert_eq!(
        (ours.kind, ours.is_explained),
        (K::PaymentNeighbouringDay, true)
    );
    assert_eq!(ours.gap(), [Money::fen(-3_000)]);
    assert_eq!(ours.note.as_deref(), Some("in the bill of 2026-03-03"));

    let mut first = Day::empty();
    let place = first.asked(paid(), at(-2));
    first.book(place, at(-2));
    first.bill(place, at(1), LineStatus::Succeeded);
    let [theirs] = &first.differences()[..] else {
        panic!("{:?}", first.differences())
    };
    assert_eq!(
        (theirs.kind, theirs.is_explained),
        (K::PaymentNeighbouringDay, true)
    );
    assert_eq!(theirs.gap(), [Money::fen(3_000)]);
    assert_eq!(first.reconciled().payments, 1, "the money is right");
}

#[test]
fn a_lost_callback_that_the_bill_brought_to_light_is_booked_a_day_later() {
    // The 2nd, looked at again after the payment was queried on the 3rd.
    let mut second = Day::empty();
    let place = second.asked(paid(), at(700));
    second.bill(place, at(700), LineStatus::Succeeded);
    assert_eq!(second.kinds(), [K::PaymentOpenHere]);
    second.book(place, at(1_440 + 630));
    assert_eq!(second.kinds(), [K::PaymentNeighbouringDay]);
    assert!(second.differences()[0].is_explained);

    // The 3rd has the money in its books, and the bill of the 2nd has the line.
    let mut third = only_ours(630);
    third.payments[0].created_at = at(-800);
    third.payments[0].billed = Some(Billed {
        day: date(2026, 3, 1),
        at: at(-700),
        status: LineStatus::Succeeded,
    });
    assert_eq!(third.kinds(), [K::PaymentNeighbouringDay]);
    assert!(third.differences()[0].is_explained);
}

#[test]
fn a_time_before_the_payment_was_asked_for_is_not_explained() {
    let mut day = only_ours(630);
    let billed = |at: Ts| {
        Some(Billed {
            day: date(2026, 3, 1),
            at,
            status: LineStatus::Succeeded,
        })
    };
    day.payments[0].billed = billed(at(-700));
    assert_eq!(day.kinds(), [K::PaymentTimeDiffers]);
    assert!(!day.differences()[0].is_explained);
}

#[test]
fn a_payment_that_an_earlier_bill_had_is_there_twice() {
    let mut day = Day::empty();
    day.play(Scene::PaidYesterday, paid(), at(700));
    day.bill(0, at(5), LineStatus::Succeeded);
    assert_eq!(day.kinds(), [K::PaymentLineTwice]);
    assert_eq!(
        day.differences()[0].note.as_deref(),
        Some("in the bill of 2026-03-01 already")
    );
    day.lines[0].transaction_id = Some("4200".to_owned());
    assert_eq!(day.kinds(), [K::PaymentPaidTwice]);
    // A later bill tells it on its own day.
    day.payments[0].billed = Some(Billed {
        day: date(2026, 3, 3),
        at: at(-600),
        status: LineStatus::Succeeded,
    });
    assert_eq!(
        day.kinds(),
        [K::PaymentTimeDiffers, K::PaymentNumbersDiffer]
    );
}

#[test]
fn a_refund_that_was_billed_when_it_was_asked_for_is_explained_when_it_is_back() {
    let mut day = Day::empty();
    day.play(Scene::RefundedLater, paid(), at(700));
    day.lines.clear();
    assert_eq!(day.kinds(), [K::RefundMissingThere]);
    let (asked, status) = (at(-500), LineStatus::Processing);
    day.refunds[0].requested_at = asked;
    day.refunds[0].billed = Some(Billed {
        day: date(2026, 3, 1),
        at: asked,
        status,
    });
    assert_eq!(day.kinds(), [K::RefundNeighbouringDay]);
    // A try that failed is no money.
    day.refunds[0].billed = Some(Billed {
        day: date(2026, 3, 1),
        at: asked,
        status: LineStatus::Failed,
    });
    assert_eq!(day.kinds(), [K::RefundMissingThere]);
}

#[test]
fn a_closed_payment_that_was_paid_after_all_is_named_so() {
    let mut day = Day::empty();
    day.play(Scene::Closed, paid(), at(700));
    day.bill(0, at(710), LineStatus::Succeeded);
    assert_eq!(day.kinds(), [K::PaymentClosedHere]);
    day.payments[0].status = PaymentStatus::Failed;
    assert_eq!(day.kinds(), [K::PaymentFailedHere]);
}
