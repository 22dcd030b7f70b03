//! 100 to 102: paying, not paying, and money that comes late, twice or wrong.

use crate::support::*;
use domain::consultation::{
    Command, ConsultationStatus as S, Mode, ProvenOutcome, TimerName as T, create,
};
use domain::order::{Actor, Effect, Guard, Outcome, Refusal};
use domain::payment::{GatewayName, Method, PayWith, PaymentStatus, Purpose};
use domain::{Currency, Money, NewIds, Share, Span};
use uuid::Uuid;

#[test]
fn a_new_order_waits_thirty_minutes_for_its_payment_and_holds_its_place() {
    let case = Case::clinic(S::PendingPayment);
    assert_eq!(journal(&case.last), ["→100 created"]);
    assert_eq!(case.timers(), [("pay_window", 30 * 60)]);
    assert_eq!(case.guards, [Guard::TakePlace(SLOT)]);
    assert_eq!(case.order.version, 1);
    assert!(Case::dispatch(S::PendingPayment).guards.is_empty());
}

#[test]
fn an_order_that_costs_nothing_is_not_created() {
    struct None;
    impl NewIds for None {
        fn next_id(&mut self) -> Uuid {
            Uuid::nil()
        }
    }
    let free = new_order(Mode::Dispatch, Money::fen(0));
    let facts = Case::dispatch(S::PendingPayment).facts;
    let refused = create(&free, &facts, monday("09:00:00"), &mut None);
    assert!(matches!(
        refused,
        Err(Refusal::Invalid { field: "price", .. })
    ));
}

#[test]
fn the_patient_submits_a_payment_100_to_101() {
    let mut case = Case::clinic(S::PendingPayment);
    assert_eq!(case.does(patient(), &pay()), ["100→101 pay"]);
    assert_eq!(case.timers(), [("gateway_result", 5 * 60)]);
    let payment = case.payment_id();
    assert!(case.has_effect(&Effect::StartPayment { payment }));
    assert!(case.has_effect(&Effect::QueryPayment { payment }));
    assert_eq!(case.payment().expires_at, case.now + Span::minutes(5));

    assert_eq!(
        case.does(Actor::GATEWAY, &started(payment)),
        ["101 payment_started"]
    );
    case.already(Actor::GATEWAY, &started(payment));
}

#[test]
fn the_gateways_own_number_and_the_payers_address_are_kept() {
    let mut case = Case::dispatch(S::PendingPayment);
    let pay = Command::SubmitPayment {
        gateway: GatewayName::PAYPAL,
        method: Method::CHECKOUT,
        payer: Some("somebody".to_owned()),
        client_ip: Some("203.0.113.9".to_owned()),
    };
    case.does(patient(), &pay);
    let payment = case.order.payments[0].id;
    let started = Command::PaymentStarted {
        payment,
        handle: Some("5O190127TN364715T".to_owned()),
        pay_with: PayWith::Redirect {
            url: "https://paypal.example/approve".to_owned(),
        },
    };
    case.does(Actor::GATEWAY, &started);
    let kept = &case.order.payments[0];
    assert_eq!(kept.client_ip.as_deref(), Some("203.0.113.9"));
    assert_eq!(kept.handle.as_deref(), Some("5O190127TN364715T"));
}

#[test]
fn money_at_the_counter_needs_the_price_and_evidence_and_then_counts_as_paid() {
    let mut case = Case::dispatch(S::PendingPayment);
    let record = |amount, proof: &str| Command::RecordPayment {
        method: Method::CASH,
        amount,
        proof: proof.to_owned(),
    };
    for (wrong, field) in [
        (record(Money::fen(PRICE.amount - 1), "receipt 7"), "amount"),
        (
            record(Money::new(PRICE.amount, Currency::NZD), "receipt 7"),
            "amount",
        ),
        (record(PRICE, " "), "proof"),
    ] {
        let refused = case.refused(operator(), &wrong);
        assert!(
            matches!(refused, Refusal::Invalid { field: named, .. } if named == field),
            "{refused:?}"
        );
    }
    case.does(operator(), &record(PRICE, "receipt 7"));
    let payment = &case.order.payments[0];
    assert_eq!(case.order.status, S::Dispatching);
    assert_eq!(
        (payment.gateway, payment.paid),
        (GatewayName::OFFLINE, Some(PRICE))
    );
    assert_eq!(payment.proof.as_deref(), Some("receipt 7"));
    assert_eq!(
        case.refused(operator(), &record(PRICE, "receipt 8")),
        Refusal::PaymentAlreadyProcessed {
            status: "DISPATCHING"
        }
    );
}

#[test]
fn nobody_pays_for_a_session_that_has_ended() {
    let mut case = Case::clinic(S::PendingPayment);
    case.end_session();
    let refused = case.refused(patient(), &pay());
    assert!(matches!(
        refused,
        Refusal::Invalid {
            field: "sessionId",
            ..
        }
    ));
}

#[test]
fn cancel_and_thirty_minutes_without_payment_end_100_and_102() {
    let mut case = Case::clinic(S::PendingPayment);
    assert_eq!(case.does(patient(), &cancel()), ["100→902 cancel"]);
    assert_eq!(
        case.guards,
        [Guard::TakePlace(SLOT), Guard::ReleasePlace(SLOT)]
    );
    assert!(case.entries.is_empty() && case.order.timers.is_empty());
    case.already(patient(), &cancel());

    let mut case = Case::dispatch(S::PendingPayment);
    assert_eq!(case.fires(T::PayWindow), ["100→902 timer_pay_window"]);

    let mut case = Case::dispatch(S::PaymentFailed);
    assert_eq!(case.timers(), [("pay_retry_window", 30 * 60)]);
    assert_eq!(
        case.fires(T::PayRetryWindow),
        ["102→902 timer_pay_retry_window"]
    );
    let mut case = Case::dispatch(S::PaymentFailed);
    assert_eq!(case.does(patient(), &cancel()), ["102→902 cancel"]);
}

#[test]
fn a_deadline_that_is_not_due_or_does_not_run_changes_nothing() {
    let mut case = Case::dispatch(S::PendingPayment);
    case.later(Span::minutes(30));
    case.now = case.now - Span::micros(1);
    case.already(Actor::SYSTEM, &timer(T::PayWindow));
    case.already(Actor::SYSTEM, &timer(T::Call));
}

#[test]
fn the_money_comes_101_to_200_or_300() {
    let mut case = Case::dispatch(S::Paying);
    let succeeded = succeeded(case.payment_id(), PRICE);
    assert_eq!(
        case.does(Actor::GATEWAY, &succeeded),
        ["101→200 payment_succeeded"]
    );
    assert_eq!(case.timers(), [("dispatch", 3 * 60)]);
    let department = DEPARTMENT;
    assert!(case.has_effect(&Effect::Dispatch { department }));
    assert_eq!(case.balance(CLEARING), 3000);
    case.already(Actor::GATEWAY, &succeeded);

    let mut case = Case::clinic(S::Paying);
    case.money_comes(PRICE);
    assert_eq!(journal(&case.last), ["101→300 payment_succeeded"]);
    assert_eq!(case.timers(), [("take_number", 60)]);
    assert!(case.has_effect(&Effect::TakeNumber));
}

#[test]
fn a_failed_payment_may_be_tried_again_or_paid_another_way() {
    let mut case = Case::dispatch(S::Paying);
    let failed = failed(case.payment_id());
    assert_eq!(
        case.does(Actor::GATEWAY, &failed),
        ["101→102 payment_failed"]
    );
    case.already(Actor::GATEWAY, &failed);
    assert_eq!(case.does(patient(), &pay()), ["102→101 pay"]);
    assert_ne!(
        case.order.payments[0].out_trade_no,
        case.order.payments[1].out_trade_no
    );

    let mut case = Case::dispatch(S::PaymentFailed);
    assert_eq!(
        case.does(patient(), &Command::ChangeMethod),
        ["102→100 change_method"]
    );
    assert_eq!(case.timers(), [("pay_window", 30 * 60)]);
    case.already(patient(), &Command::ChangeMethod);
}

#[test]
fn without_a_result_the_gateway_is_asked_each_minute_and_unknown_is_never_failed() {
    let mut case = Case::dispatch(S::Paying);
    let payment = case.payment_id();
    assert_eq!(case.fires(T::GatewayResult), ["101 being_checked"]);
    assert!(case.has_effect(&Effect::SettlePayment { payment }));
    assert!(case.order.detail.being_checked);
    for _ in 0..3 {
        assert_eq!(case.timers(), [("gateway_result", 60)]);
        let version = case.order.version;
        assert!(case.fires(T::GatewayResult).is_empty());
        assert!(case.has_effect(&Effect::SettlePayment { payment }));
        assert_eq!(case.order.version, version, "nothing of the order changed");
    }
    assert_eq!(case.order.status, S::Paying);
    let closed = Command::PaymentClosed { payment };
    assert_eq!(
        case.does(Actor::GATEWAY, &closed),
        ["101→102 payment_closed"]
    );
    assert!(!case.order.detail.being_checked);
    case.already(Actor::GATEWAY, &closed);
}

#[test]
fn paying_twice_is_refused_by_name() {
    for status in [
        S::Paying,
        S::Dispatching,
        S::RefundReviewing,
        S::Completed,
        S::Refunded,
    ] {
        let mut case = Case::dispatch(status);
        assert!(matches!(
            case.refused(patient(), &pay()),
            Refusal::PaymentAlreadyProcessed { .. }
        ));
    }
    assert!(matches!(
        Case::dispatch(S::Cancelled).refused(patient(), &pay()),
        Refusal::Status { .. }
    ));
}

#[test]
fn another_amount_or_currency_goes_back_in_full_101_to_502() {
    let dollars = Money::new(3000, Currency::NZD);
    for paid in [Money::fen(2999), Money::fen(3001), dollars] {
        let mut case = Case::clinic(S::Paying);
        case.money_comes(paid);
        assert_eq!(
            journal(&case.last),
            ["101 amount_differs", "101→502 amount_differs"]
        );
        let refund = case.refund().clone();
        assert_eq!((refund.amount, refund.share), (paid, Share::FULL));
        let id = refund.id;
        assert!(case.has_effect(&Effect::SendRefund { refund: id }));
        assert_eq!(
            case.guards,
            [Guard::TakePlace(SLOT), Guard::ReleasePlace(SLOT)]
        );
        case.refund_goes();
        assert_eq!(case.order.status, S::Refunded);
        for account in [CLEARING, domain::ledger::Account::Patient] {
            assert_eq!(case.balance(account), 0, "{account}");
        }
        assert!(case.order.earned.is_zero());
    }
}

#[test]
fn no_money_is_not_a_payment() {
    for amount in [0, -1] {
        let mut case = Case::dispatch(S::Paying);
        let nothing = succeeded(case.payment_id(), Money::fen(amount));
        assert!(matches!(
            case.refused(Actor::GATEWAY, &nothing),
            Refusal::Invalid {
                field: "amount",
                ..
            }
        ));
    }
}

#[test]
fn a_cancel_in_101_is_remembered_and_the_gateway_has_the_word() {
    let mut closed = Case::clinic(S::Paying);
    let payment = closed.payment_id();
    assert_eq!(closed.does(patient(), &cancel()), ["101 cancel_asked"]);
    assert!(closed.has_effect(&Effect::SettlePayment { payment }));
    closed.already(patient(), &cancel());
    let word = Command::PaymentClosed { payment };
    assert_eq!(
        closed.does(Actor::GATEWAY, &word),
        ["101→102 payment_closed", "102→902 cancel"]
    );
    assert_eq!(closed.guards.last(), Some(&Guard::ReleasePlace(SLOT)));

    for (mut paid, stage) in [
        (Case::clinic(S::Paying), "300"),
        (Case::dispatch(S::Paying), "200"),
    ] {
        paid.cancel();
        paid.money_comes(PRICE);
        assert_eq!(
            journal(&paid.last),
            [
                format!("101→{stage} payment_succeeded"),
                format!("{stage}→500 cancel"),
                "500→501 cancel".to_owned()
            ]
        );
        assert_eq!(paid.refund().amount, PRICE);
        assert!(!paid.has_effect(&Effect::TakeNumber));
        assert!(!paid.has_effect(&Effect::Dispatch {
            department: DEPARTMENT
        }));
    }
}

#[test]
fn a_success_after_a_failure_is_settled_by_a_query_and_taken_on_in_102_and_100() {
    let mut case = Case::dispatch(S::PaymentFailed);
    let payment = case.payment_id();
    assert_eq!(
        case.does(Actor::GATEWAY, &succeeded(payment, PRICE)),
        ["102 payment_disagrees"]
    );
    assert!(case.has_effect(&Effect::SettlePayment { payment }));
    assert_eq!(
        case.does(Actor::GATEWAY, &found_paid(payment, PRICE)),
        [
            "102→101 payment_succeeded_late",
            "101→200 payment_succeeded"
        ]
    );

    let mut case = Case::clinic(S::PaymentFailed);
    case.does(patient(), &Command::ChangeMethod);
    let found = found_paid(case.payment_id(), PRICE);
    assert_eq!(
        case.does(Actor::GATEWAY, &found),
        [
            "100→101 payment_succeeded_late",
            "101→300 payment_succeeded"
        ]
    );
}

#[test]
fn money_for_an_order_that_cannot_take_it_goes_back_in_full_beside_it() {
    for status in [S::Cancelled, S::Refunded, S::Completed, S::InProgress] {
        let mut case = Case::dispatch(S::PaymentFailed);
        let late = case.payment_id();
        match status {
            S::Cancelled => case.cancel(),
            S::Refunded | S::Completed | S::InProgress => {
                case.pay();
                case.money_comes(PRICE);
                if status == S::Refunded {
                    case.cancel();
                    case.review();
                    case.refund_goes();
                } else {
                    case.found(0);
                    case.accept();
                    case.start();
                    if status == S::Completed {
                        case.finish();
                    }
                }
            }
            _ => unreachable!(),
        }
        case.does(Actor::GATEWAY, &found_paid(late, PRICE));
        assert_eq!(case.order.status, status);
        assert!(journal(&case.last)[0].ends_with("late_money"));
        let refund = case.refund().clone();
        assert_eq!(
            (refund.payment, refund.purpose, refund.amount),
            (late, Purpose::LateMoney, PRICE)
        );
        case.refund_goes();
        assert_eq!(case.order.status, status, "the refund does not move it");
        let payment = case.order.payment(late).unwrap();
        assert_eq!(payment.status, PaymentStatus::Refunded);
    }
}

#[test]
fn late_money_while_another_payment_is_open_goes_back() {
    let mut case = Case::dispatch(S::PaymentFailed);
    let late = case.payment_id();
    case.pay();
    case.does(Actor::GATEWAY, &found_paid(late, PRICE));
    assert_eq!(journal(&case.last), ["101 late_money"]);
    case.money_comes(PRICE);
    assert_eq!(case.order.status, S::Dispatching);
    case.found(0);
    case.accept();
    assert_eq!(
        case.quote().amount,
        Money::fen(2700),
        "of one price, not two"
    );
}

#[test]
fn a_payment_that_nobody_knows_is_refused() {
    let mut case = Case::dispatch(S::Paying);
    let unknown = domain::PaymentId(Uuid::from_u128(404));
    for command in [
        started(unknown),
        succeeded(unknown, PRICE),
        failed(unknown),
        Command::PaymentClosed { payment: unknown },
    ] {
        assert!(matches!(
            case.refused(Actor::GATEWAY, &command),
            Refusal::NoSuch {
                thing: "payment",
                ..
            }
        ));
    }
}

#[test]
fn only_the_patient_pays_and_only_the_gateway_says_so() {
    let mut case = Case::dispatch(S::Paying);
    let word = succeeded(case.payment_id(), PRICE);
    for actor in [patient(), doctor(0), operator()] {
        assert!(matches!(
            case.refused(actor, &word),
            Refusal::NotYours { .. }
        ));
    }
    let mut case = Case::dispatch(S::PendingPayment);
    for actor in [doctor(0), operator(), Actor::GATEWAY, Actor::SYSTEM] {
        assert!(matches!(
            case.refused(actor, &pay()),
            Refusal::NotYours { .. }
        ));
    }
    assert!(matches!(
        case.ask(patient(), &pay()),
        Ok(Outcome::Decided(_))
    ));
}

#[test]
fn an_operator_with_evidence_ends_a_payment_of_unknown_outcome() {
    let settle = |case: &Case, outcome, proof: &str| Command::SettlePayment {
        payment: case.order.payments[0].id,
        outcome,
        proof: proof.to_owned(),
    };
    let paid = |amount| ProvenOutcome::Paid {
        amount,
        transaction_id: "4200002".to_owned(),
    };
    let mut case = Case::dispatch(S::Paying);
    let silent = settle(&case, paid(PRICE), " ");
    let refused = case.refused(operator(), &silent);
    assert!(
        matches!(refused, Refusal::Invalid { field: "proof", .. }),
        "{refused:?}"
    );
    let dollars = settle(
        &case,
        paid(Money::new(PRICE.amount, Currency::NZD)),
        "statement 3",
    );
    let refused = case.refused(operator(), &dollars);
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
    let there = settle(&case, paid(PRICE), "statement 3");
    assert_eq!(case.does(operator(), &there), ["101→200 payment_succeeded"]);
    assert_eq!(case.payment().proof.as_deref(), Some("statement 3"));
    case.already(operator(), &there);
    let not_there = settle(&case, ProvenOutcome::Unpaid, "statement 3");
    let refused = case.refused(operator(), &not_there);
    assert!(matches!(refused, Refusal::Status { .. }), "{refused:?}");

    let mut case = Case::dispatch(S::Paying);
    let payment = case.order.payments[0].id;
    let not_there = settle(&case, ProvenOutcome::Unpaid, "statement 4");
    assert_eq!(
        case.does(operator(), &not_there),
        ["101→102 payment_closed_by_evidence"]
    );
    // What the gateway proves after all still counts.
    case.does(Actor::GATEWAY, &found_paid(payment, PRICE));
    assert_eq!(case.order.paid(), PRICE);
}
