//! One difference of each kind, planted in a day on which both sides agree.

use crate::day::{Day, at, scenes};
use domain::payment::{PaymentStatus, RefundStatus};
use domain::reconciliation::{
    BillLine, Billed, DifferenceKind as K, LineKind, LineStatus, Severity,
};
use domain::{Currency, Money};
use jiff::civil::date;
use proptest::prelude::*;

fn line(kind: LineKind, amount: Money) -> BillLine {
    BillLine {
        line: 0,
        kind,
        out_trade_no: None,
        transaction_id: None,
        out_refund_no: None,
        refund_id: None,
        amount,
        fee: None,
        status: LineStatus::Succeeded,
        at: at(700),
    }
}

/// Plants a difference about a payment.
fn plant_payment(day: &mut Day, kind: K, amount: Money) {
    match kind {
        K::PaymentMissingHere => day.lines.push(BillLine {
            out_trade_no: Some("somebody-elses".to_owned()),
            transaction_id: Some("4200".to_owned()),
            ..line(LineKind::Payment, amount)
        }),
        K::PaymentForeign => day.lines.push(BillLine {
            transaction_id: Some("4200".to_owned()),
            ..line(LineKind::Payment, amount)
        }),
        K::PaymentOpenHere | K::PaymentClosedHere | K::PaymentFailedHere => {
            let place = day.asked(amount, at(700));
            day.payments[place].status = match kind {
                K::PaymentClosedHere => PaymentStatus::Closed,
                K::PaymentFailedHere => PaymentStatus::Failed,
                _ => PaymentStatus::Processing,
            };
            day.bill(place, at(700), LineStatus::Succeeded);
        }
        K::PaymentMissingThere => {
            let place = day.asked(amount, at(700));
            day.book(place, at(700));
        }
        K::PaymentStatusDiffers => {
            let place = day.asked(amount, at(700));
            day.book(place, at(700));
            day.bill(place, at(700), LineStatus::Processing);
        }
        K::PaymentNeighbouringDay => {
            let place = day.asked(amount, at(1_435));
            day.book(place, at(1_435));
        }
        K::PaymentTimeDiffers => {
            // Booked days before the gateway says that it was paid.
            let place = day.asked(amount, at(-5_000));
            day.book(place, at(-5_000));
            day.bill(place, at(700), LineStatus::Succeeded);
        }
        _ => plant_in_paid(day, kind, amount),
    }
}

/// Plants a difference in a payment that both sides have.
fn plant_in_paid(day: &mut Day, kind: K, amount: Money) {
    day.paid(amount, at(700));
    let mut line = day.lines.pop().unwrap();
    match kind {
        K::PaymentAmountDiffers => line.amount.amount += 1,
        K::PaymentCurrencyDiffers => line.amount.currency = Currency::NZD,
        K::PaymentLineTwice => day.lines.push(line.clone()),
        K::PaymentPaidTwice => day.lines.push(BillLine {
            transaction_id: Some("4200".to_owned()),
            ..line.clone()
        }),
        K::PaymentNumbersDiffer => line.transaction_id = Some("4200".to_owned()),
        K::FeeDiffers => line.fee = line.fee.map(|fee| fee + 2_000),
        other => panic!("{other:?} is not planted"),
    }
    day.lines.push(line);
}

/// Plants a difference about a refund.
fn plant_refund(day: &mut Day, kind: K, amount: Money) {
    let now = at(700);
    let of = day.paid(amount, at(600));
    let gone = |day: &mut Day| day.refund(of, amount, RefundStatus::Succeeded, now);
    match kind {
        K::RefundMissingHere => day.lines.push(BillLine {
            out_refund_no: Some("somebody-elses".to_owned()),
            refund_id: Some("5000".to_owned()),
            ..line(LineKind::Refund, amount)
        }),
        K::RefundForeign => day.lines.push(BillLine {
            out_trade_no: Some(day.payments[of].out_trade_no.clone()),
            refund_id: Some("5000".to_owned()),
            ..line(LineKind::Refund, amount)
        }),
        K::RefundProcessingHere | K::RefundFailedHere | K::RefundNotGrantedHere => {
            let status = match kind {
                K::RefundProcessingHere => RefundStatus::Processing,
                K::RefundFailedHere => RefundStatus::Failed,
                _ => RefundStatus::Reviewing,
            };
            let refund = day.refund(of, amount, status, now);
            day.bill_refund(refund, now, LineStatus::Succeeded);
        }
        K::RefundMissingThere => {
            gone(day);
        }
        K::RefundStatusDiffers => {
            let refund = gone(day);
            day.bill_refund(refund, now, LineStatus::Failed);
        }
        K::RefundPaidByHandToo => {
            let refund = gone(day);
            day.refunds[refund].is_by_hand = true;
            day.bill_refund(refund, now, LineStatus::Succeeded);
        }
        K::RefundNeighbouringDay => {
            // Asked for yesterday, and billed then; the money was back today.
            let refund = gone(day);
            let then = at(-100);
            day.refunds[refund].requested_at = then;
            day.refunds[refund].billed = Some(Billed {
                day: date(2026, 3, 1),
                at: then,
                status: LineStatus::Processing,
            });
        }
        K::RefundTimeDiffers => {
            let refund = gone(day);
            day.refunds[refund].requested_at = at(2_000);
            day.refunds[refund].booked_at = Some(at(2_001));
            day.bill_refund(refund, now, LineStatus::Succeeded);
        }
        _ => plant_in_refunded(day, kind, amount, of),
    }
}

/// Plants a difference in a refund that both sides have.
fn plant_in_refunded(day: &mut Day, kind: K, amount: Money, of: usize) {
    let refund = day.refund(of, amount, RefundStatus::Succeeded, at(700));
    day.bill_refund(refund, at(700), LineStatus::Succeeded);
    let mut line = day.lines.pop().unwrap();
    match kind {
        K::RefundAmountDiffers => line.amount.amount += 1,
        K::RefundCurrencyDiffers => line.amount.currency = Currency::NZD,
        K::RefundOfAnotherPayment => {
            let other = day.paid(amount, at(650));
            line.out_trade_no = Some(day.payments[other].out_trade_no.clone());
        }
        K::RefundLineTwice => day.lines.push(line.clone()),
        K::RefundSentTwice => day.lines.push(BillLine {
            refund_id: Some("5000".to_owned()),
            ..line.clone()
        }),
        K::RefundNumbersDiffer => line.refund_id = Some("5000".to_owned()),
        other => panic!("{other:?} is not planted"),
    }
    day.lines.push(line);
}

/// Plants a difference of this kind.
pub fn plant(day: &mut Day, kind: K, amount: Money) {
    match kind {
        K::PaymentMissingHere
        | K::PaymentForeign
        | K::PaymentOpenHere
        | K::PaymentClosedHere
        | K::PaymentFailedHere
        | K::PaymentMissingThere
        | K::PaymentAmountDiffers
        | K::PaymentCurrencyDiffers
        | K::PaymentStatusDiffers
        | K::PaymentLineTwice
        | K::PaymentPaidTwice
        | K::PaymentNeighbouringDay
        | K::PaymentTimeDiffers
        | K::PaymentNumbersDiffer
        | K::FeeDiffers => plant_payment(day, kind, amount),
        K::RefundMissingHere
        | K::RefundForeign
        | K::RefundProcessingHere
        | K::RefundFailedHere
        | K::RefundNotGrantedHere
        | K::RefundMissingThere
        | K::RefundAmountDiffers
        | K::RefundCurrencyDiffers
        | K::RefundStatusDiffers
        | K::RefundOfAnotherPayment
        | K::RefundLineTwice
        | K::RefundSentTwice
        | K::RefundPaidByHandToo
        | K::RefundNeighbouringDay
        | K::RefundTimeDiffers
        | K::RefundNumbersDiffer => plant_refund(day, kind, amount),
        K::TotalsDiffer => {
            let mut stated = day.sealed();
            stated.paid.amount += 1;
            day.stated = Some(stated);
        }
        K::UnknownLine => day.lines.push(line(LineKind::Payment, amount)),
    }
}

proptest! {
    #[test]
    fn a_day_on_which_both_sides_agree_has_no_difference(scenes in scenes()) {
        let day = Day::of(&scenes);
        let found = day.reconciled();
        prop_assert_eq!(&found.differences, &Vec::new());
        let moved = |kind| {
            let of_kind = day.lines.iter().filter(|line| line.kind == kind);
            of_kind.filter(|line| line.status == LineStatus::Succeeded).count() as u64
        };
        prop_assert_eq!(found.payments, moved(LineKind::Payment));
        prop_assert_eq!(found.refunds, moved(LineKind::Refund));
    }

    #[test]
    fn what_is_planted_is_found_and_nothing_else(
        scenes in scenes(),
        kind in proptest::sample::select(K::ALL.to_vec()),
        fen in 100_i64..1_000_000,
    ) {
        let mut day = Day::of(&scenes);
        let before = day.reconciled();
        plant(&mut day, kind, Money::fen(fen));
        let found = day.reconciled();
        prop_assert_eq!(day.kinds(), vec![kind]);
        prop_assert!(found.payments >= before.payments && found.refunds >= before.refunds);
    }
}

#[test]
fn every_kind_is_planted_and_found_in_an_empty_day() {
    for kind in K::ALL {
        let mut day = Day::empty();
        plant(&mut day, *kind, Money::fen(3_000));
        assert_eq!(day.kinds(), [*kind]);
    }
}

#[test]
fn all_kinds_at_once_are_found_once_each() {
    let mut day = Day::empty();
    for kind in K::ALL.iter().filter(|kind| **kind != K::TotalsDiffer) {
        plant(&mut day, *kind, Money::fen(3_000));
    }
    plant(&mut day, K::TotalsDiffer, Money::fen(0));
    let mut found = day.kinds();
    found.sort_unstable();
    assert_eq!(found, K::ALL);
}

#[test]
fn a_difference_says_what_it_is_about() {
    let mut day = Day::empty();
    plant(&mut day, K::PaymentAmountDiffers, Money::fen(3_000));
    let ours = day.payments[0].clone();
    let [one] = &day.differences()[..] else {
        panic!("{:?}", day.differences())
    };
    assert_eq!(
        (one.here, one.there),
        (Some(Money::fen(3_000)), Some(Money::fen(3_001)))
    );
    assert_eq!((one.order, one.payment), (Some(ours.order), Some(ours.id)));
    assert_eq!(
        (&one.out_trade_no, &one.transaction_id),
        (&Some(ours.out_trade_no), &ours.transaction_id)
    );
    assert_eq!((one.gap(), one.line), (vec![Money::fen(1)], Some(1)));
    assert_eq!(one.at_stake(), [Money::fen(1)]);
}

#[test]
fn a_refund_by_hand_names_the_order_that_it_is_of() {
    let mut day = Day::empty();
    plant(&mut day, K::RefundForeign, Money::fen(3_000));
    let [one] = &day.differences()[..] else {
        panic!("{:?}", day.differences())
    };
    assert_eq!(
        (one.order, one.payment),
        (Some(day.payments[0].order), Some(day.payments[0].id))
    );
    assert_eq!(
        (one.gap(), one.at_stake()),
        (vec![Money::fen(-3_000)], vec![Money::fen(3_000)])
    );
}

#[test]
fn two_payers_under_one_number_who_nobody_knows_are_two_differences() {
    let mut day = Day::empty();
    for _ in 0..2 {
        plant(&mut day, K::PaymentMissingHere, Money::fen(3_000));
    }
    let found = day.differences();
    assert_eq!(day.kinds(), [K::PaymentMissingHere; 2]);
    assert_ne!(found[0].identity(), found[1].identity());
}

#[test]
fn a_failed_line_that_is_nobodys_is_nobodys_business() {
    let mut day = Day::empty();
    for kind in [LineKind::Payment, LineKind::Refund] {
        day.lines.push(BillLine {
            status: LineStatus::Failed,
            out_trade_no: Some("dead".to_owned()),
            out_refund_no: Some("dead".to_owned()),
            ..line(kind, Money::fen(1))
        });
    }
    assert_eq!(day.kinds(), []);
}

#[test]
fn a_line_that_no_number_can_place_is_told() {
    let longest = "9".repeat(128);
    for (number, amount, kinds) in [
        (longest.clone() + "9", 1, vec![K::UnknownLine]),
        (longest, 1, vec![K::PaymentMissingHere]),
        (String::new(), 1, vec![K::UnknownLine]),
        ("1".to_owned(), -1, vec![K::UnknownLine]),
    ] {
        let mut day = Day::empty();
        day.lines.push(BillLine {
            out_trade_no: Some(number),
            ..line(LineKind::Payment, Money::fen(amount))
        });
        assert_eq!(day.kinds(), kinds);
        assert!(day.differences()[0].identity().chars().count() < 600);
    }
}

#[test]
fn money_that_nobody_granted_and_that_is_about_to_go_is_told() {
    for (status, kinds) in [
        (RefundStatus::Refused, vec![K::RefundNotGrantedHere]),
        (RefundStatus::Processing, vec![]),
        (RefundStatus::Failed, vec![]),
    ] {
        let mut day = Day::empty();
        let of = day.paid(Money::fen(500), at(600));
        let refund = day.refund(of, Money::fen(500), status, at(700));
        day.bill_refund(refund, at(700), LineStatus::Processing);
        assert_eq!(day.kinds(), kinds, "{status:?}");
        assert_eq!(
            day.differences()
                .iter()
                .flat_map(domain::reconciliation::Difference::gap)
                .count(),
            0
        );
    }
}

#[test]
fn a_fee_is_the_contracts_to_within_a_fen() {
    for (off, kinds) in [(999, vec![]), (-999, vec![]), (1_000, vec![K::FeeDiffers])] {
        let mut day = Day::empty();
        day.paid(Money::fen(100_000), at(700));
        day.lines[0].fee = Some(600_000 + off);
        assert_eq!(day.kinds(), kinds, "{off}");
    }
    let mut day = Day::empty();
    day.paid(Money::fen(100_000), at(700));
    day.lines[0].fee = Some(1_000_000);
    let [one] = &day.differences()[..] else {
        panic!("{:?}", day.differences())
    };
    assert_eq!(
        (one.here, one.there),
        (Some(Money::fen(600)), Some(Money::fen(1_000)))
    );
    assert_eq!(one.gap(), []);
}

#[test]
fn critical_is_what_costs_somebody_money() {
    use domain::reconciliation::AtLoss;
    for kind in K::ALL {
        if kind.severity() == Severity::Critical {
            assert_ne!(kind.at_loss(), AtLoss::Nobody, "{kind:?}");
        }
        assert!(!kind.repairs().is_empty() && kind.may_be(domain::reconciliation::Repair::Accept));
    }
    assert!(K::ALL.len() >= 20);
}
