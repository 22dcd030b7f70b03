//! 500 to 503 and 901: quotes, reviews, refunds sent, failed, tried again, recorded.

use crate::support::*;
use domain::consultation::{Command, ConsultationStatus as S, Fault, TimerName as T, Verdict};
use domain::ledger::Account;
use domain::lifecycle::Status;
use domain::order::{Actor, Effect, Refusal};
use domain::payment::{PaymentStatus, RefundStatus};
use domain::{Money, Share, Span};

#[test]
fn a_quote_tells_share_amount_rule_due_date_and_fault_and_is_honoured_for_a_minute() {
    let mut case = Case::dispatch(S::InProgress);
    case.later(Span::seconds(4 * 60 + 30));
    let quote = case.quote();
    assert_eq!(
        (quote.share, quote.amount),
        (Share::percent(80), Money::fen(2400))
    );
    assert_eq!(quote.rule, "401 both minutes<=5");
    assert_eq!(quote.fault, Fault::Patient);
    assert_eq!(quote.due_on.unwrap().to_string(), "2026-09-30");
    case.later(Span::seconds(60));
    case.does(patient(), &cancel_as(Some(quote)));
    assert_eq!(case.refund().share, Share::percent(80), "as shown, at 5:30");
    assert_eq!(case.refund().rule, "401 both minutes<=5");
}

#[test]
fn an_old_quote_or_one_of_another_stage_is_refused() {
    let mut case = Case::clinic(S::InQueue);
    let quote = case.quote();
    case.later(Span::seconds(61));
    let old = case.refused(patient(), &cancel_as(Some(quote)));
    assert!(matches!(old, Refusal::QuoteMovedOn { .. }));

    let quote = case.quote();
    case.call();
    let moved = case.refused(patient(), &cancel_as(Some(quote)));
    assert!(matches!(moved, Refusal::QuoteMovedOn { .. }));
    assert_eq!(case.order.status, S::Calling, "nothing changed");
}

#[test]
fn there_is_a_quote_wherever_there_is_a_cancel() {
    for status in [S::PendingPayment, S::Paying, S::PaymentFailed] {
        let case = Case::dispatch(status);
        let amount = if status == S::Paying { 3000 } else { 0 };
        assert_eq!(case.quote().amount, Money::fen(amount));
    }
    for status in [S::RefundReviewing, S::Completed, S::Cancelled] {
        let case = Case::dispatch(status);
        let none = domain::consultation::refund::quote(&case.order, &case.facts, case.now);
        assert!(matches!(none, Err(Refusal::Status { .. })));
    }
}

#[test]
fn the_review_passes_by_the_table_at_once_or_after_five_minutes() {
    let mut at_once = Case::clinic(S::RefundReviewing);
    assert_eq!(
        at_once.happens(&Command::AutomaticReview),
        ["501→502 automatic_review"]
    );
    at_once.already(Actor::SYSTEM, &Command::AutomaticReview);
    let mut in_time = Case::clinic(S::RefundReviewing);
    assert_eq!(in_time.fires(T::Review), ["501→502 timer_review"]);
    for case in [at_once, in_time] {
        assert_eq!(case.refund().status, RefundStatus::Processing);
        assert_eq!(case.refund().amount, Money::fen(2700));
        let refund = case.refund_id();
        assert!(case.has_effect(&Effect::SendRefund { refund }));
        assert_eq!(case.balance(Account::RefundReserve), -2700);
    }
}

#[test]
fn a_refund_out_of_the_running_service_waits_for_an_operator_a_day_long() {
    let waiting = || {
        let mut case = Case::dispatch(S::InProgress);
        case.later(Span::minutes(8));
        case.cancel();
        assert_eq!(case.timers(), [("manual_review", 24 * 3600)]);
        assert!(!case.has_effect(&Effect::Review));
        case
    };
    let mut case = waiting();
    assert_eq!(case.fires(T::ManualReview), ["501→502 timer_manual_review"]);
    assert_eq!(case.refund().amount, Money::fen(1800));

    let mut case = waiting();
    let refund = case.refund_id();
    let share = Verdict::Share(Share::percent(100), "the doctor was rude".to_owned());
    let patients = verdict(refund, share.clone());
    assert!(matches!(
        case.refused(patient(), &patients),
        Refusal::NotYours { .. }
    ));
    assert_eq!(
        case.does(operator(), &verdict(refund, share.clone())),
        ["501→502 review_passed"]
    );
    assert_eq!(case.refund().amount, PRICE);
    assert_eq!(case.refund().reason.as_deref(), Some("the doctor was rude"));
    assert!(matches!(
        case.refused(operator(), &verdict(refund, share)),
        Refusal::Status { .. }
    ));

    let mut case = waiting();
    let by_table = verdict(case.refund_id(), Verdict::ByTable);
    assert_eq!(
        case.does(operator(), &by_table),
        ["501→502 review_by_table"]
    );
}

#[test]
fn a_share_of_nothing_is_refused_and_the_service_goes_on() {
    let mut case = Case::dispatch(S::InProgress);
    case.later(Span::minutes(25));
    case.cancel();
    assert_eq!(case.fires(T::ManualReview), ["501→401 timer_manual_review"]);
    assert_eq!(case.refund().status, RefundStatus::Refused);
    assert_eq!(case.timers(), [("idle", 5 * 60), ("max_duration", 35 * 60)]);
}

#[test]
fn a_refused_review_gives_back_the_status_its_clocks_and_the_place_in_the_queue() {
    for status in [
        S::Dispatching,
        S::PendingAccept,
        S::QueuingNumber,
        S::PendingActivation,
        S::InQueue,
        S::Calling,
        S::PendingConsultation,
        S::InProgress,
    ] {
        let clinic = status.row().modes == domain::lifecycle::Modes::Clinic;
        let mut case = if clinic {
            Case::clinic(status)
        } else {
            Case::dispatch(status)
        };
        case.later(Span::seconds(30));
        let before = (
            case.timers(),
            case.order.detail.queue_rank,
            case.order.detail.doctor,
            case.order.detail.calls,
        );
        let guards = case.guards.len();
        case.cancel();
        case.later(Span::minutes(3));
        case.refuse();
        let after = (
            case.timers(),
            case.order.detail.queue_rank,
            case.order.detail.doctor,
            case.order.detail.calls,
        );
        assert_eq!(case.order.status, status);
        assert_eq!(before, after, "{status:?}");
        assert_eq!(case.guards.len(), guards, "nothing was let go");
        assert!(case.order.suspended.is_none());
        // And the patient may ask again.
        case.cancel();
        assert_eq!(case.order.status, S::RefundReviewing);
    }
}

#[test]
fn what_stood_still_meanwhile_is_asked_for_again() {
    for (status, effect) in [
        (
            S::Dispatching,
            Effect::Dispatch {
                department: DEPARTMENT,
            },
        ),
        (
            S::PendingAccept,
            Effect::PresenceMoved { doctor: DOCTORS[0] },
        ),
        (S::InProgress, Effect::PresenceMoved { doctor: DOCTORS[0] }),
        (S::QueuingNumber, Effect::TakeNumber),
        (S::PendingActivation, Effect::CheckActivation),
        (S::InQueue, Effect::CheckActivation),
        (S::Calling, Effect::CheckActivation),
    ] {
        let clinic = status.row().modes == domain::lifecycle::Modes::Clinic;
        let mut case = if clinic {
            Case::clinic(status)
        } else {
            Case::dispatch(status)
        };
        case.cancel();
        case.refuse();
        assert!(case.has_effect(&effect), "{status:?}");
    }
}

#[test]
fn the_money_goes_back_502_to_901() {
    let mut case = Case::clinic(S::Refunding);
    let refund = case.refund_id();
    let gone = refund_gone(refund);
    assert_eq!(
        case.does(Actor::GATEWAY, &gone),
        ["502→901 refund_succeeded"]
    );
    case.already(Actor::GATEWAY, &gone);
    assert_eq!(case.payment().status, PaymentStatus::PartiallyRefunded);
    assert_eq!(case.order.refunded(), Money::fen(2700));
    assert_eq!(case.order.earned, Money::fen(300));
    let all = [CLEARING, Account::PlatformRevenue, Account::Patient];
    assert_eq!(all.map(|account| case.balance(account)), [300, -300, 0]);
    assert_eq!(case.balance(Account::RefundReserve), 0);

    assert_eq!(
        Case::dispatch(S::Refunded).payment().status,
        PaymentStatus::Refunded
    );
}

#[test]
fn a_failed_refund_is_tried_three_times_and_then_by_hand() {
    let mut case = Case::dispatch(S::Refunding);
    let refund = case.refund_id();
    let number = case.refund().out_refund_no.clone();
    for minutes in [1, 5, 30] {
        case.refund_fails();
        assert_eq!(journal(&case.last), ["502→503 refund_failed"]);
        assert_eq!(case.timers(), [("refund_retry", minutes * 60)]);
        case.already(Actor::GATEWAY, &refund_failed(refund));
        assert_eq!(case.fires(T::RefundRetry), ["503→502 timer_refund_retry"]);
        assert!(case.has_effect(&Effect::SendRefund { refund }));
    }
    case.refund_fails();
    assert!(case.order.timers.is_empty(), "operations have it now");
    assert_eq!(case.refund().out_refund_no, number, "one number all along");
    let again = Command::RetryRefund { refund };
    assert!(matches!(
        case.refused(patient(), &again),
        Refusal::NotYours { .. }
    ));
    assert_eq!(case.does(operator(), &again), ["503→502 retry_refund"]);
    case.already(operator(), &again);
    case.refund_fails();
    assert!(case.order.timers.is_empty());
}

#[test]
fn only_a_dead_number_is_replaced_and_a_dead_card_goes_to_operations() {
    let mut case = Case::dispatch(S::Refunding);
    let (refund, number) = (case.refund_id(), case.refund().out_refund_no.clone());
    let dead = Command::RefundFailed {
        refund,
        reason: "CLOSED".to_owned(),
        dead_number: true,
        needs_operations: false,
    };
    case.does(Actor::GATEWAY, &dead);
    assert_ne!(case.refund().out_refund_no, number);
    assert_eq!(case.timers(), [("refund_retry", 60)]);

    let mut case = Case::dispatch(S::Refunding);
    let abnormal = Command::RefundFailed {
        refund: case.refund_id(),
        reason: "ABNORMAL".to_owned(),
        dead_number: false,
        needs_operations: true,
    };
    case.does(Actor::GATEWAY, &abnormal);
    assert_eq!(case.order.status, S::RefundFailed);
    assert!(case.order.timers.is_empty());
}

#[test]
fn an_operator_records_a_refund_made_elsewhere_with_its_proof() {
    let mut case = Case::dispatch(S::RefundFailed);
    let record = |refund, proof: &str| Command::RecordRefund {
        refund,
        proof: proof.to_owned(),
    };
    let refund = case.refund_id();
    assert!(matches!(
        case.refused(operator(), &record(refund, " ")),
        Refusal::Invalid { field: "proof", .. }
    ));
    assert_eq!(
        case.does(operator(), &record(refund, "bank slip 7")),
        ["503→502 refund_found", "502→901 refund_succeeded"]
    );
    assert_eq!(case.refund().proof.as_deref(), Some("bank slip 7"));
    assert_eq!(
        (case.balance(Account::Offline), case.balance(CLEARING)),
        (-3000, 3000)
    );
    case.already(operator(), &record(refund, "bank slip 7"));
    let mut running = Case::dispatch(S::Refunding);
    let early = record(running.refund_id(), "slip");
    assert!(matches!(
        running.refused(operator(), &early),
        Refusal::Status { .. }
    ));
}

#[test]
fn a_refund_that_went_through_after_all_is_found_in_503() {
    let mut case = Case::dispatch(S::RefundFailed);
    case.refund_goes();
    assert_eq!(
        journal(&case.last),
        ["503→502 refund_found", "502→901 refund_succeeded"]
    );
    assert!(case.order.timers.is_empty());
}

#[test]
fn a_refund_beside_the_order_has_its_own_tries() {
    let mut case = Case::dispatch(S::PaymentFailed);
    let late = case.payment_id();
    case.cancel();
    case.does(Actor::GATEWAY, &found_paid(late, PRICE));
    let id = case.refund_id();
    for wait in [1, 5, 30] {
        case.refund_fails();
        assert_eq!(journal(&case.last), ["902 refund_failed"]);
        case.later(Span::minutes(wait));
        let fires = Command::Timer {
            name: T::RefundRetry,
            refund: Some(id),
        };
        assert_eq!(case.happens(&fires), ["902 timer_refund_retry"]);
        case.already(Actor::SYSTEM, &fires);
    }
    case.refund_goes();
    assert_eq!(case.order.status, S::Cancelled);
    assert!(case.order.timers.is_empty());
}

#[test]
fn a_try_by_hand_beside_the_order_stops_the_automatic_one() {
    let mut case = Case::dispatch(S::PaymentFailed);
    let late = case.payment_id();
    case.cancel();
    case.does(Actor::GATEWAY, &found_paid(late, PRICE));
    case.refund_fails();
    let refund = case.refund_id();
    let again = Command::RetryRefund { refund };
    assert_eq!(case.does(operator(), &again), ["902 retry_refund"]);
    assert!(case.order.timers.is_empty());
}

#[test]
fn a_refund_that_nobody_knows_is_refused() {
    let mut case = Case::dispatch(S::Refunding);
    let refund = domain::RefundId(uuid::Uuid::from_u128(404));
    let gone = refund_gone(refund);
    for (actor, command) in [
        (Actor::GATEWAY, gone),
        (Actor::GATEWAY, refund_failed(refund)),
        (operator(), Command::RetryRefund { refund }),
        (operator(), verdict(refund, Verdict::ByTable)),
    ] {
        assert!(matches!(
            case.refused(actor, &command),
            Refusal::NoSuch {
                thing: "refund",
                ..
            }
        ));
    }
}

#[test]
fn money_that_the_payers_bank_sends_back_is_written_down_once_for_operations() {
    let mut case = Case::dispatch(S::Refunding);
    let refund = case.refund_id();
    let back = Command::RefundCameBack {
        refund,
        reason: "lost_or_stolen_card".to_owned(),
    };
    case.already(Actor::GATEWAY, &back);
    case.refund_goes();
    let before = case.order.clone();
    case.does(Actor::GATEWAY, &back);
    let after = case.order.refund(refund).unwrap();
    assert_eq!(after.last_error.as_deref(), Some("lost_or_stolen_card"));
    assert_eq!(after.status, RefundStatus::Succeeded, "over is over");
    assert_eq!(case.order.status, before.status);
    assert_eq!(case.order.refunded(), before.refunded());
    case.already(Actor::GATEWAY, &back);
}

#[test]
fn an_amount_set_by_an_operator_is_at_most_what_was_paid_and_its_share_is_the_percent_below() {
    let mut case = Case::dispatch(S::RefundReviewing);
    let refund = case.refund_id();
    let amount = |fen| verdict(refund, Verdict::Amount(Money::fen(fen), "so".to_owned()));
    for wrong in [-1, PRICE.amount + 1] {
        let refused = case.refused(operator(), &amount(wrong));
        assert!(
            matches!(
                refused,
                Refusal::Invalid {
                    field: "amount",
                    ..
                }
            ),
            "{refused:?}"
        );
    }
    case.does(operator(), &amount(1_234));
    let granted = case.order.refund(refund).unwrap();
    assert_eq!(
        (granted.amount, granted.share),
        (Money::fen(1_234), Share::percent(41))
    );
    assert_eq!(granted.rule, "operator");
}
