//! 300 to 305: numbers, sessions, late patients, late doctors, calls.

use crate::support::*;
use domain::consultation::{Command, ConsultationStatus as S, TimerName as T};
use domain::lifecycle::Status;
use domain::order::{Actor, Effect, Guard, Refusal};
use domain::{Money, Share, Span, consultation::queue};

#[test]
fn a_number_before_the_session_opens_300_to_301() {
    let mut case = Case::clinic(S::QueuingNumber);
    let taken = Command::NumberTaken { number: 7 };
    assert_eq!(case.happens(&taken), ["300→301 number_taken"]);
    let clocks = [("patient_late", 75 * 60), ("doctor_no_show", 120 * 60)];
    assert_eq!(case.timers(), clocks, "10:15 and 11:00");
    assert_eq!(case.guards.last(), Some(&Guard::TakeNumber(SESSION, 7)));
    assert!(case.has_effect(&Effect::CheckActivation));
    assert_eq!(case.order.detail.queue_rank, Some(queue::rank(1, 7)));
    case.already(Actor::SYSTEM, &taken);
}

#[test]
fn a_number_in_an_open_session_is_an_immediate_visit_300_to_302() {
    let mut case = Case::clinic(S::QueuingNumber);
    case.open_session();
    case.number(7);
    assert_eq!(journal(&case.last), ["300→302 number_taken"]);
    assert!(case.order.detail.checked_in);
    assert!(case.order.timers.is_empty(), "the doctor has the word");
}

#[test]
fn no_number_or_a_minute_without_one_gives_everything_back() {
    let mut none = Case::clinic(S::QueuingNumber);
    let reason = "full".to_owned();
    assert_eq!(
        none.happens(&Command::NoNumber { reason }),
        ["300 no_number", "300→502 no_number"]
    );
    let mut slow = Case::clinic(S::QueuingNumber);
    assert_eq!(slow.fires(T::TakeNumber), ["300→502 timer_take_number"]);
    for case in [none, slow] {
        assert_eq!(case.refund().amount, PRICE);
        assert_eq!(case.refund().rule, "any both system fault");
        assert_eq!(case.refund().due_on.unwrap().to_string(), "2026-09-22");
        assert_eq!(case.guards.last(), Some(&Guard::ReleasePlace(SLOT)));
    }
}

#[test]
fn a_session_that_opens_while_the_number_is_taken_is_not_missed() {
    let mut case = Case::clinic(S::QueuingNumber);
    case.already(Actor::SYSTEM, &Command::SessionOpened);
    case.number(7);
    assert!(case.has_effect(&Effect::CheckActivation));
    case.open_session();
    case.facts.patient_present = true;
    assert_eq!(
        case.happens(&Command::SessionOpened),
        ["301→302 session_opened"]
    );
}

#[test]
fn whoever_is_here_when_the_session_opens_is_in_the_queue_301_to_302() {
    let mut tapped = Case::clinic(S::PendingActivation);
    assert_eq!(tapped.does(patient(), &Command::CheckIn), ["301 check_in"]);
    assert_eq!(tapped.timers(), [("doctor_no_show", 120 * 60)]);
    tapped.already(patient(), &Command::CheckIn);
    tapped.open_session();
    assert_eq!(
        tapped.happens(&Command::SessionOpened),
        ["301→302 session_opened"]
    );

    let mut on_the_page = Case::clinic(S::PendingActivation);
    on_the_page.already(Actor::SYSTEM, &Command::PatientSeen);
    on_the_page.open_session();
    on_the_page.facts.patient_present = true;
    on_the_page.happens(&Command::SessionOpened);
    assert_eq!(on_the_page.order.status, S::InQueue);

    let mut afterwards = Case::clinic(S::PendingActivation);
    afterwards.open_session();
    assert_eq!(
        afterwards.happens(&Command::SessionOpened),
        ["301 session_opened"]
    );
    assert_eq!(afterwards.timers(), [("patient_late", 75 * 60)]);
    afterwards.already(Actor::SYSTEM, &Command::SessionOpened);
    let seen = afterwards.happens(&Command::PatientSeen);
    assert_eq!(seen, ["301→302 patient_seen"]);

    let mut later = Case::clinic(S::PendingActivation);
    later.open_session();
    assert_eq!(
        later.does(patient(), &Command::CheckIn),
        ["301→302 check_in"]
    );
    later.already(patient(), &Command::CheckIn);
}

#[test]
fn a_late_patient_gets_nothing_back_301_to_902() {
    let mut case = Case::clinic(S::PendingActivation);
    case.now = monday("10:00:00");
    case.open_session();
    case.happens(&Command::SessionOpened);
    assert_eq!(case.timers(), [("patient_late", 15 * 60)]);
    assert_eq!(case.fires(T::PatientLate), ["301→902 timer_patient_late"]);
    assert_eq!(case.now, monday("10:15:00"));
    assert!(case.order.refunds.is_empty());
    assert_eq!(case.order.earned, PRICE);
    assert_eq!(case.guards.last(), Some(&Guard::ReleasePlace(SLOT)));
}

#[test]
fn a_late_doctor_shifts_the_patients_clock() {
    let mut case = Case::clinic(S::PendingActivation);
    // 10:15 passes without a doctor: nobody is late but the doctor.
    assert!(case.fires(T::PatientLate).is_empty());
    assert_eq!(case.timers(), [("doctor_no_show", 45 * 60)]);
    case.now = monday("10:40:00");
    case.open_session();
    case.session().slot_begins = monday("10:40:00");
    case.happens(&Command::SessionOpened);
    assert_eq!(case.timers(), [("patient_late", 15 * 60)], "10:55");
    case.now = monday("10:54:59");
    case.already(Actor::SYSTEM, &timer(T::PatientLate));
    assert_eq!(case.fires(T::PatientLate), ["301→902 timer_patient_late"]);
}

#[test]
fn an_opening_that_is_not_told_yet_shifts_the_patients_clock_too() {
    let mut case = Case::clinic(S::PendingActivation);
    case.open_session();
    case.session().slot_begins = monday("10:10:00");
    assert!(case.fires(T::PatientLate).is_empty(), "10:15");
    assert_eq!(case.order.due(T::PatientLate), Some(monday("10:25:00")));
    assert_eq!(case.fires(T::PatientLate), ["301→902 timer_patient_late"]);
}

#[test]
fn a_late_patient_clock_never_hits_one_who_checked_in() {
    let mut case = Case::clinic(S::PendingActivation);
    case.does(patient(), &Command::CheckIn);
    case.now = monday("10:15:00");
    case.already(Actor::SYSTEM, &timer(T::PatientLate));
    case.now = monday("10:59:00");
    case.open_session();
    case.happens(&Command::SessionOpened);
    assert_eq!(case.order.status, S::InQueue);
}

#[test]
fn whoever_books_after_the_slot_began_has_fifteen_minutes_too() {
    let mut case = Case::clinic(S::PendingActivation);
    case.now = monday("10:20:00");
    case = {
        let mut late = Case::clinic(S::QueuingNumber);
        late.now = case.now;
        late.number(8);
        late
    };
    let clocks = [("patient_late", 15 * 60), ("doctor_no_show", 40 * 60)];
    assert_eq!(case.timers(), clocks);
}

#[test]
fn a_doctor_who_never_opens_is_at_fault_at_the_end_of_the_slot() {
    for checked_in in [false, true] {
        let mut case = Case::clinic(S::PendingActivation);
        if checked_in {
            case.does(patient(), &Command::CheckIn);
        }
        assert_eq!(
            case.fires(T::DoctorNoShow),
            ["301→502 timer_doctor_no_show"]
        );
        assert_eq!(case.now, monday("11:00:00"));
        assert_eq!(case.refund().amount, PRICE);
        assert_eq!(case.refund().rule, "any both doctor fault");
    }
}

#[test]
fn a_cancelled_session_gives_everything_back() {
    for status in [S::QueuingNumber, S::PendingActivation, S::InQueue] {
        let mut case = Case::clinic(status);
        let code = status.code();
        assert_eq!(
            case.happens(&session_cancelled()),
            [
                format!("{code} session_cancelled"),
                format!("{code}→502 session_cancelled")
            ]
        );
        assert_eq!(case.refund().amount, PRICE);
        assert_eq!(case.refund().due_on.unwrap().to_string(), "2026-09-22");
        assert_eq!(case.guards.last(), Some(&Guard::ReleasePlace(SLOT)));
        case.already(Actor::SYSTEM, &session_cancelled());
    }
}

#[test]
fn a_session_cancelled_while_the_patient_is_called_goes_by_way_of_500() {
    let mut case = Case::clinic(S::Calling);
    case.happens(&session_cancelled());
    let steps = journal(&case.last);
    assert_eq!(
        steps[steps.len() - 2..],
        ["303→500 session_cancelled", "500→501 session_cancelled"]
    );
    assert_eq!(case.timers(), [("review", 5 * 60)]);
    case.review();
    assert_eq!(case.order.status, S::Refunding);
    assert_eq!(
        (case.refund().amount, case.refund().share),
        (PRICE, Share::FULL)
    );
}

#[test]
fn the_doctor_calls_and_the_patient_answers_302_303_400() {
    let mut case = Case::clinic(S::InQueue);
    let call = Command::Call { reason: None };
    assert!(matches!(
        case.refused(doctor(1), &call),
        Refusal::NotYours { .. }
    ));
    assert_eq!(case.does(doctor(0), &call), ["302→303 call"]);
    assert_eq!(case.timers(), [("call", 2 * 60)]);
    case.already(doctor(0), &call);
    assert_eq!(case.does(patient(), &Command::Answer), ["303→400 answer"]);
    assert!(case.order.detail.patient_seen, "who answers is here");
    case.already(patient(), &Command::Answer);
}

#[test]
fn a_missed_call_moves_three_places_back_and_the_third_ends_it_with_80_percent() {
    let mut case = Case::clinic(S::Calling);
    let behind: Vec<i64> = (8..13).map(|number| queue::rank(1, number)).collect();
    case.facts.queue_behind.clone_from(&behind);
    assert_eq!(
        case.fires(T::Call),
        ["303→305 timer_call", "305→302 re_queued"]
    );
    let rank = case.order.detail.queue_rank.unwrap();
    assert!(behind[2] < rank && rank < behind[3]);
    assert!(case.order.timers.is_empty());

    case.call();
    case.facts.queue_behind = behind[3..].to_vec();
    case.fires(T::Call);
    let rank = case.order.detail.queue_rank.unwrap();
    assert!(behind[4] < rank, "the end, if fewer wait");

    case.call();
    assert_eq!(
        case.fires(T::Call),
        ["303→304 timer_call", "304→502 timer_call"]
    );
    let refund = case.refund();
    assert_eq!(refund.amount, Money::fen(2400));
    assert_eq!(refund.rule, "304 clinic patient");
    assert_eq!(refund.due_on.unwrap().to_string(), "2026-09-24");
}

#[test]
fn what_a_cancel_gives_back_depends_on_the_stage() {
    for (status, fen, due) in [
        (S::QueuingNumber, 3000, "2026-09-24"),
        (S::PendingActivation, 3000, "2026-09-24"),
        (S::InQueue, 2700, "2026-09-28"),
        (S::Calling, 2550, "2026-09-28"),
        (S::PendingConsultation, 2400, "2026-09-28"),
    ] {
        let mut case = Case::clinic(status);
        case.cancel();
        assert_eq!(case.refund().amount, Money::fen(fen), "{status:?}");
        assert_eq!(case.refund().due_on.unwrap().to_string(), due, "{status:?}");
        assert_eq!(
            case.refund().rule,
            format!("{} clinic patient", status.code())
        );
        case.review();
        assert_eq!(case.order.status, S::Refunding);
        assert_eq!(case.guards.last(), Some(&Guard::ReleasePlace(SLOT)));
        case.refund_goes();
        assert_eq!(case.order.earned, Money::fen(3000 - fen));
        assert_eq!(case.balance(domain::ledger::Account::Patient), 0);
    }
}

#[test]
fn a_pause_keeps_the_session_open_and_every_clock_as_it_is() {
    // A paused session is open to a decision: SessionStatus::is_open says so.
    assert!(domain::session::SessionStatus::Paused.is_open());
    let mut case = Case::clinic(S::PendingActivation);
    case.open_session();
    case.happens(&Command::SessionOpened);
    let clocks = case.timers();
    case.already(Actor::SYSTEM, &Command::SessionOpened);
    assert_eq!(case.timers(), clocks);
    case.later(Span::minutes(1));
    assert!(case.order.due(T::PatientLate).is_some());
}
