//! 200 to 202: finding a doctor.

use crate::support::*;
use domain::consultation::{AssignmentEnd, Command, ConsultationStatus as S, TimerName as T};
use domain::lifecycle::Status;
use domain::order::{Actor, Effect, Guard, Refusal};
use domain::{Money, Share};

#[test]
fn a_doctor_is_found_200_to_201() {
    let mut case = Case::dispatch(S::Dispatching);
    assert_eq!(case.happens(&found(0)), ["200→201 doctor_found"]);
    assert_eq!(case.timers(), [("accept", 5 * 60)]);
    assert_eq!(case.guards, [Guard::TakeDoctor(DOCTORS[0])]);
    assert_eq!(case.order.detail.doctor, Some(DOCTORS[0]));
    case.already(Actor::SYSTEM, &found(1));
}

#[test]
fn without_a_doctor_everything_goes_back_within_a_working_day() {
    let mut waited = Case::dispatch(S::Dispatching);
    let journal = waited.fires(T::Dispatch);
    assert_eq!(
        journal,
        ["200→202 timer_dispatch", "202→502 timer_dispatch"]
    );
    let mut nobody = Case::dispatch(S::Dispatching);
    let journal = nobody.happens(&Command::NoDoctor);
    assert_eq!(journal, ["200→202 no_doctor", "202→502 no_doctor"]);
    for case in [waited, nobody] {
        let refund = case.refund();
        assert_eq!((refund.amount, refund.share), (PRICE, Share::FULL));
        assert_eq!(refund.rule, "202 dispatch system");
        assert_eq!(refund.due_on.unwrap().to_string(), "2026-09-22");
    }
}

#[test]
fn the_assigned_doctor_accepts_201_to_400() {
    let mut case = Case::dispatch(S::PendingAccept);
    assert!(matches!(
        case.refused(doctor(1), &Command::Accept),
        Refusal::NotYours { .. }
    ));
    assert!(matches!(
        case.refused(patient(), &Command::Accept),
        Refusal::NotYours { .. }
    ));
    assert_eq!(case.does(doctor(0), &Command::Accept), ["201→400 accept"]);
    assert_eq!(case.timers(), [("ready", 2 * 60)]);
    let end = case.order.detail.assignments[0].end;
    assert_eq!(end, Some(AssignmentEnd::Accepted));
    case.already(doctor(0), &Command::Accept);
}

/// The three ways in which an offer ends without being accepted.
fn let_go(case: &mut Case, way: AssignmentEnd, which: usize) -> Vec<String> {
    match way {
        AssignmentEnd::Declined => case.does(doctor(which), &decline()),
        AssignmentEnd::TimedOut => case.fires(T::Accept),
        AssignmentEnd::WentOffline => case.happens(&Command::OfferLost {
            doctor: DOCTORS[which],
        }),
        AssignmentEnd::Accepted | AssignmentEnd::Withdrawn => unreachable!(),
    }
}

#[test]
fn an_offer_that_is_let_go_goes_to_another_and_the_third_gives_everything_back() {
    let (declined, timed_out, offline) = (
        AssignmentEnd::Declined,
        AssignmentEnd::TimedOut,
        AssignmentEnd::WentOffline,
    );
    for ways in [
        [declined, declined, declined],
        [timed_out, timed_out, timed_out],
        [offline, offline, offline],
        [declined, offline, timed_out],
    ] {
        let mut case = Case::dispatch(S::Dispatching);
        for which in 0..2 {
            case.found(which);
            let journal = let_go(&mut case, ways[which], which);
            assert!(journal[0].starts_with("201→200 "), "{journal:?}");
            assert_eq!(case.order.detail.doctor, None);
            assert_eq!(
                case.guards.last(),
                Some(&Guard::ReleaseDoctor(DOCTORS[which]))
            );
            assert!(case.has_effect(&Effect::Dispatch {
                department: DEPARTMENT
            }));
            let again = case.refused(Actor::SYSTEM, &found(which));
            assert!(matches!(again, Refusal::Invalid { .. }), "not asked again");
        }
        case.found(2);
        let journal = let_go(&mut case, ways[2], 2);
        assert!(journal[0].starts_with("201→502 "), "{journal:?}");
        assert_eq!(case.refund().amount, PRICE);
        assert_eq!(case.refund().due_on.unwrap().to_string(), "2026-09-22");
        let ends: Vec<_> = case
            .order
            .detail
            .assignments
            .iter()
            .map(|a| a.end)
            .collect();
        assert_eq!(ends, ways.map(Some));
        assert_eq!(
            case.guards,
            [0, 1, 2]
                .map(|n| [
                    Guard::TakeDoctor(DOCTORS[n]),
                    Guard::ReleaseDoctor(DOCTORS[n])
                ])
                .concat()
        );
    }
}

#[test]
fn an_offer_lost_by_another_doctor_is_nothing_to_this_one() {
    let mut case = Case::dispatch(S::PendingAccept);
    let doctor = DOCTORS[1];
    case.already(Actor::SYSTEM, &Command::OfferLost { doctor });
    case.accept();
    let doctor = DOCTORS[0];
    case.already(Actor::SYSTEM, &Command::OfferLost { doctor });
}

#[test]
fn a_cancel_before_anybody_accepted_gives_everything_back_in_three_working_days() {
    for status in [S::Dispatching, S::PendingAccept] {
        let mut case = Case::dispatch(status);
        let code = status.code();
        assert_eq!(
            case.does(patient(), &cancel()),
            [format!("{code}→500 cancel"), "500→501 cancel".to_owned()]
        );
        assert_eq!(case.timers(), [("review", 5 * 60)]);
        assert!(case.has_effect(&Effect::Review));
        case.already(patient(), &cancel());
        assert_eq!(
            case.happens(&Command::AutomaticReview),
            ["501→502 automatic_review"]
        );
        let refund = case.refund();
        assert_eq!((refund.amount, refund.share), (PRICE, Share::FULL));
        assert_eq!(refund.rule, format!("{code} dispatch patient"));
        assert_eq!(refund.due_on.unwrap().to_string(), "2026-09-24");
        if status == S::PendingAccept {
            assert_eq!(
                case.guards,
                [
                    Guard::TakeDoctor(DOCTORS[0]),
                    Guard::ReleaseDoctor(DOCTORS[0])
                ]
            );
            let end = case.order.detail.assignments[0].end;
            assert_eq!(end, Some(AssignmentEnd::Withdrawn));
        }
    }
}

#[test]
fn the_oldest_wait_is_kept_when_an_offer_comes_back() {
    let mut case = Case::dispatch(S::PendingAccept);
    let since = case.order.detail.waiting_since;
    case.fires(T::Accept);
    assert_eq!(case.order.detail.waiting_since, since);
    assert_eq!(case.timers(), [("dispatch", 3 * 60)]);
}

#[test]
fn cancelling_with_a_doctor_ready_costs_a_tenth() {
    let mut case = Case::dispatch(S::PendingConsultation);
    case.cancel();
    let refund = case.refund();
    assert_eq!(refund.rule, "400 dispatch patient");
    assert_eq!(refund.amount, Money::fen(2700));
    assert_eq!(
        refund.due_on.unwrap().to_string(),
        "2026-09-28",
        "five working days"
    );
}
