//! 400, 401, 402 and 900: the consultation itself.

use crate::support::*;
use domain::consultation::{Command, ConsultationStatus as S, Rating, Summary, TimerName as T};
use domain::ledger::Account;
use domain::order::{Actor, Effect, Guard, Refusal};
use domain::payment::{Purpose, RefundStatus};
use domain::{Money, Span};

fn attempt(number: u8) -> Command {
    Command::ConnectionFailed {
        attempt: Some(number),
    }
}

#[test]
fn the_doctor_starts_and_ends_400_401_900() {
    let mut case = Case::dispatch(S::PendingConsultation);
    assert_eq!(case.does(doctor(0), &Command::Start), ["400→401 start"]);
    assert_eq!(
        case.timers(),
        [("idle", 30 * 60), ("max_duration", 60 * 60)]
    );
    case.already(doctor(0), &Command::Start);
    let finish = Command::Finish(Summary::default());
    assert_eq!(case.does(doctor(0), &finish), ["401→900 finish"]);
    case.already(doctor(0), &finish);
    assert_eq!(case.order.earned, PRICE);
    assert_eq!(case.balance(Account::PlatformRevenue), -3000);
    assert_eq!(case.balance(Account::Patient), 0);
    assert_eq!(case.guards.last(), Some(&Guard::ReleaseDoctor(DOCTORS[0])));
    assert!(case.order.timers.is_empty());
}

#[test]
fn a_doctor_who_does_not_start_is_at_fault_when_the_patient_was_there() {
    let seen: fn(&mut Case) = |case| {
        case.happens(&Command::PatientSeen);
        case.already(Actor::SYSTEM, &Command::PatientSeen);
    };
    let tapped: fn(&mut Case) = |case| {
        case.does(patient(), &Command::CheckIn);
    };
    let tried: fn(&mut Case) = |case| {
        case.does(patient(), &attempt(1));
    };
    let there_now: fn(&mut Case) = |case| case.facts.patient_present = true;
    for comes in [seen, tapped, tried, there_now] {
        let mut case = Case::dispatch(S::PendingConsultation);
        comes(&mut case);
        assert_eq!(case.fires(T::Ready), ["400→502 timer_ready"]);
        assert_eq!(case.refund().amount, PRICE);
        assert_eq!(case.refund().rule, "any both doctor fault");
    }
    let mut answered = Case::clinic(S::PendingConsultation);
    answered.fires(T::Ready);
    assert_eq!(answered.refund().amount, PRICE);
}

#[test]
fn a_patient_who_was_never_there_gets_the_stages_share() {
    let mut case = Case::dispatch(S::PendingConsultation);
    // The doctor's own tries say nothing of the patient.
    case.does(doctor(0), &attempt(1));
    assert_eq!(
        case.fires(T::Ready),
        ["400→500 timer_ready", "500→501 timer_ready"]
    );
    assert_eq!(case.timers(), [("review", 5 * 60)]);
    case.review();
    assert_eq!(case.refund().amount, Money::fen(2700));
    assert_eq!(case.refund().rule, "400 dispatch patient");
}

#[test]
fn three_failed_connections_give_everything_back_and_both_sides_may_report_the_same() {
    let mut case = Case::dispatch(S::PendingConsultation);
    let seen = case.does(patient(), &attempt(1));
    assert_eq!(seen, ["400 patient_seen", "400 connection_failed"]);
    case.already(doctor(0), &attempt(1));
    assert_eq!(case.does(doctor(0), &attempt(2)), ["400 connection_failed"]);
    case.already(patient(), &attempt(2));
    assert_eq!(
        case.does(doctor(0), &attempt(3)),
        ["400 connection_failed", "400→502 connection_failed"]
    );
    assert_eq!(case.refund().amount, PRICE);
    assert_eq!(case.refund().rule, "any both system fault");
}

#[test]
fn service_time_decides_the_share_upper_bounds_inclusive_to_the_second() {
    for (seconds, fen) in [
        (0, 2400),
        (5 * 60, 2400),
        (5 * 60 + 1, 1800),
        (10 * 60, 1800),
        (10 * 60 + 1, 1200),
        (15 * 60, 1200),
        (15 * 60 + 1, 600),
        (20 * 60, 600),
        (20 * 60 + 1, 0),
    ] {
        let mut case = Case::dispatch(S::InProgress);
        case.later(Span::seconds(seconds));
        case.later(Span::micros(999_999));
        assert_eq!(case.quote().amount, Money::fen(fen), "{seconds} s");
        assert_eq!(
            case.does(patient(), &cancel()),
            ["401→500 cancel", "500→501 cancel"]
        );
        assert_eq!(case.refund().amount, Money::fen(fen), "{seconds} s");
        let due = case.refund().due_on.map(|day| day.to_string());
        let seven = (fen > 0).then(|| "2026-09-30".to_owned());
        assert_eq!(due, seven, "seven working days");
    }
}

#[test]
fn half_an_hour_of_silence_or_an_hour_ends_it_401_402_900() {
    let mut case = Case::dispatch(S::InProgress);
    assert_eq!(
        case.fires(T::Idle),
        ["401→402 timer_idle", "402→900 timer_idle"]
    );
    assert!(case.order.refunds.is_empty(), "more than 20 min of service");
    assert_eq!(case.order.earned, PRICE);

    let mut case = Case::dispatch(S::InProgress);
    let begun = case.now;
    case.facts.last_interaction = Some(begun + Span::minutes(29));
    assert!(case.fires(T::Idle).is_empty());
    assert_eq!(case.order.due(T::Idle), Some(begun + Span::minutes(59)));
    let mut to_the_second = Case::dispatch(S::InProgress);
    to_the_second.facts.last_interaction = Some(to_the_second.now);
    to_the_second.fires(T::Idle);
    assert_eq!(to_the_second.order.status, S::Completed, "30 min is enough");
    case.facts.last_interaction = Some(begun + Span::minutes(58));
    case.fires(T::Idle);
    assert_eq!(
        case.fires(T::MaxDuration),
        ["401→402 timer_max_duration", "402→900 timer_max_duration"]
    );
}

#[test]
fn time_unused_when_the_service_times_out_goes_back_beside_the_order() {
    let mut case = Case::dispatch(S::PendingConsultation);
    case.facts.rules.timeouts.idle = 8 * 60;
    case.start();
    case.fires(T::Idle);
    assert_eq!(case.order.status, S::Completed);
    let refund = case.refund().clone();
    assert_eq!(
        (refund.purpose, refund.amount),
        (Purpose::UnusedShare, Money::fen(1800))
    );
    assert_eq!(case.order.earned, Money::fen(1200));
    case.refund_goes();
    assert_eq!(case.order.status, S::Completed);
    assert_eq!(
        (case.balance(CLEARING), case.balance(Account::Patient)),
        (1200, 0)
    );
}

#[test]
fn a_doctor_lost_for_two_minutes_401_to_500() {
    let mut case = Case::dispatch(S::InProgress);
    assert_eq!(case.happens(&Command::DoctorAway), ["401 doctor_away"]);
    assert_eq!(
        case.order.due(T::DoctorLost),
        Some(case.now + Span::minutes(2))
    );
    case.already(Actor::SYSTEM, &Command::DoctorAway);
    assert_eq!(case.happens(&Command::DoctorBack), ["401 doctor_back"]);
    case.already(Actor::SYSTEM, &Command::DoctorBack);
    assert!(case.order.due(T::DoctorLost).is_none());

    case.later(Span::minutes(4));
    case.happens(&Command::DoctorAway);
    assert_eq!(
        case.fires(T::DoctorLost),
        ["401→500 timer_doctor_lost", "500→501 timer_doctor_lost"]
    );
    assert_eq!(case.timers(), [("review", 5 * 60)], "no operator is needed");
    case.review();
    assert_eq!(case.refund().amount, Money::fen(1800), "six minutes");
}

#[test]
fn a_doctor_lost_when_the_share_is_nothing_ends_a_service_that_was_given() {
    let mut case = Case::dispatch(S::InProgress);
    case.later(Span::minutes(19));
    case.happens(&Command::DoctorAway);
    assert_eq!(
        case.fires(T::DoctorLost),
        ["401→402 timer_doctor_lost", "402→900 timer_doctor_lost"]
    );
    assert!(case.order.refunds.is_empty());
}

#[test]
fn a_fault_of_the_system_gives_everything_back_whatever_the_time() {
    let mut case = Case::dispatch(S::InProgress);
    case.later(Span::minutes(50));
    let fault = Command::SystemFault {
        reason: "media server down".to_owned(),
    };
    assert!(matches!(
        case.refused(doctor(0), &fault),
        Refusal::NotYours { .. }
    ));
    case.does(operator(), &fault);
    assert!(
        case.last
            .steps
            .iter()
            .any(|step| step.note.as_deref() == Some("media server down")),
        "the operator's words are kept"
    );
    assert_eq!(case.timers(), [("review", 5 * 60)]);
    case.review();
    assert_eq!(case.refund().amount, PRICE);
}

#[test]
fn a_lost_patient_is_waited_for() {
    let mut case = Case::dispatch(S::InProgress);
    case.facts.patient_present = false;
    case.already(Actor::SYSTEM, &Command::PatientSeen);
    assert_eq!(case.order.status, S::InProgress);
}

#[test]
fn a_rating_is_given_once_from_one_to_five_stars() {
    let mut case = Case::dispatch(S::Completed);
    let stars = |stars, case: &Case| {
        Command::Rate(Rating {
            stars,
            tags: Vec::new(),
            words: None,
            at: case.now,
        })
    };
    for wrong in [0, 6] {
        let rating = stars(wrong, &case);
        assert!(matches!(
            case.refused(patient(), &rating),
            Refusal::Invalid { field: "stars", .. }
        ));
    }
    let five = stars(5, &case);
    assert_eq!(case.does(patient(), &five), ["900 rate"]);
    case.later(Span::seconds(1));
    let again = stars(5, &case);
    case.already(patient(), &again);
    let four = stars(4, &case);
    case.refused(patient(), &four);
    let mut running = Case::dispatch(S::InProgress);
    running.refused(patient(), &five);
}

#[test]
fn a_complaint_after_the_end_is_an_operators_decision_and_the_order_stays_900() {
    use domain::Share;
    use domain::consultation::Verdict;
    let complain = Command::Complain {
        reason: "rude".to_owned(),
    };
    let mut case = Case::dispatch(S::Completed);
    assert_eq!(case.does(patient(), &complain), ["900 complain"]);
    case.already(patient(), &complain);
    let refund = case.refund_id();
    let by_table = verdict(refund, Verdict::ByTable);
    case.refused(operator(), &by_table);
    case.already(Actor::SYSTEM, &Command::AutomaticReview);
    let share = verdict(
        refund,
        Verdict::Share(Share::percent(50), "true".to_owned()),
    );
    case.does(operator(), &share);
    assert!(case.has_effect(&Effect::SendRefund { refund }));
    assert_eq!(
        (case.order.status, case.order.earned),
        (S::Completed, Money::fen(1500))
    );
    case.refund_goes();
    assert_eq!(case.balance(Account::PlatformRevenue), -1500);

    // No second complaint takes more than is left of the payment.
    case.does(patient(), &complain);
    let refund = case.refund_id();
    let too_much = verdict(
        refund,
        Verdict::Share(Share::percent(51), "true".to_owned()),
    );
    assert!(matches!(
        case.refused(operator(), &too_much),
        Refusal::Invalid { field: "share", .. }
    ));
    let rest = verdict(
        refund,
        Verdict::Share(Share::percent(50), "true".to_owned()),
    );
    case.does(operator(), &rest);
    assert!(case.order.earned.is_zero());

    let mut refused = Case::dispatch(S::Completed);
    refused.does(patient(), &complain);
    refused.refuse();
    assert_eq!(refused.refund().status, RefundStatus::Refused);
    assert_eq!(refused.order.status, S::Completed);
}
