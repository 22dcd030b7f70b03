//! Starting, asking and closing, answer by answer.

use super::server::{Server, again, answer, ok, text};
use super::{INTENT, OUT_TRADE_NO, config, dollars, error, intent, now, nowhere, payment};
use super::{seconds, start};
use crate::gateway::{GatewayError, PaidNotice, PaymentGateway, PaymentRef, PaymentState};
use crate::stripe::API_VERSION;
use domain::Money;
use domain::payment::{Method, PayWith};
use serde_json::{Value, json};

fn paid(changes: &Value) -> Value {
    super::over(
        intent(&json!({
            "status": "succeeded", "amount_received": 3000,
            "latest_charge": {
                "id": "ch_3MtwBwLkdIwHu7ix28a3tqPa", "object": "charge",
                "created": 1_772_413_250, "payment_intent": INTENT,
            },
        })),
        changes,
    )
}

async fn asked_how_it_stands(body: &Value) -> Result<PaymentState, GatewayError> {
    let (_server, gateway) = Server::playing([ok(body)]).await;
    gateway.query(&payment(), now()).await
}

#[tokio::test]
async fn a_start_is_a_form_with_our_number_as_its_key() {
    let (server, gateway) = Server::playing([ok(&intent(&json!({})))]).await;
    let started = gateway.start(&start(), now()).await.unwrap();
    assert_eq!(started.handle.as_deref(), Some(INTENT));
    let secret = format!("{INTENT}_secret_YrKJUKribcBjcG8HVhfZluoGH");
    assert_eq!(
        started.pay_with,
        PayWith::Card {
            client_secret: secret,
            publishable_key: config("").publishable_key,
        }
    );

    let asked = server.asked().remove(0);
    assert_eq!(asked.line, "POST /v1/payment_intents");
    let bearer = format!("Bearer {}", config("").secret_key);
    for (name, expected) in [
        ("authorization", bearer.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
        ("idempotency-key", OUT_TRADE_NO),
        ("stripe-version", API_VERSION),
    ] {
        assert_eq!(asked.header(name), Some(expected), "{name}");
    }
    let expected = [
        ("amount", "3000"),
        ("currency", "nzd"),
        ("automatic_payment_methods[enabled]", "true"),
        ("description", "Consultation 复诊 & more"),
        ("metadata[out_trade_no]", OUT_TRADE_NO),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(asked.fields, expected);
}

#[tokio::test]
async fn a_repeated_start_asks_for_exactly_the_same() {
    let body = intent(&json!({}));
    let (server, gateway) = Server::playing([ok(&body), again(ok(&body))]).await;
    let first = gateway.start(&start(), now()).await.unwrap();
    let later = now() + domain::Span::minutes(1);
    let second = gateway.start(&start(), later).await.unwrap();
    assert_eq!(first, second);
    let asked = server.asked();
    assert_eq!(asked[0].fields, asked[1].fields);
    let key = "idempotency-key";
    assert_eq!(asked[0].header(key), asked[1].header(key));
}

#[tokio::test]
async fn a_start_that_stripe_answers_otherwise_is_refused_put_off_or_unknown() {
    for (scripted, expected) in [
        (
            answer(402, &error("card_error", "card_declined")),
            "refused",
        ),
        (
            answer(400, &error("idempotency_error", "idempotency_error")),
            "refused",
        ),
        (
            answer(429, &error("rate_limit_error", "rate_limit")),
            "unavailable",
        ),
        (
            answer(409, &error("idempotency_error", "idempotency_key_in_use")),
            "unknown",
        ),
        (again(answer(500, &error("api_error", ""))), "unknown"),
        (text(502, "<html>Bad gateway"), "unknown"),
        (text(200, "{"), "unknown"),
        (text(200, &"x".repeat((1 << 20) + 1)), "unknown"),
        // Not what was asked for: nobody knows what the payer would be shown.
        (ok(&intent(&json!({ "amount": 300 }))), "unknown"),
        (ok(&intent(&json!({ "currency": "cny" }))), "unknown"),
        (ok(&intent(&json!({ "metadata": {} }))), "unknown"),
        (ok(&intent(&json!({ "client_secret": null }))), "unknown"),
    ] {
        let (_server, gateway) = Server::playing([scripted]).await;
        let error = gateway.start(&start(), now()).await.unwrap_err();
        assert_eq!(kind(&error), expected, "{error}");
    }
    let error = nowhere().start(&start(), now()).await.unwrap_err();
    assert_eq!(
        kind(&error),
        "unavailable",
        "no connection, nothing done: {error}"
    );
}

fn kind(error: &GatewayError) -> &'static str {
    match error {
        GatewayError::Refused { .. } => "refused",
        GatewayError::Unavailable { .. } => "unavailable",
        GatewayError::Unknown { .. } => "unknown",
    }
}

#[tokio::test]
async fn what_stripe_would_misread_is_not_even_sent() {
    let change = |change: fn(&mut PaymentRef)| {
        let mut start = start();
        change(&mut start.payment);
        start
    };
    for wrong in [
        change(|payment| payment.amount = Money::fen(3000)),
        change(|payment| payment.amount = dollars(0)),
        change(|payment| payment.amount = dollars(-1)),
        change(|payment| payment.method = Method::NATIVE),
        change(|payment| payment.out_trade_no = "CN202511200001".to_owned()),
    ] {
        let error = nowhere().start(&wrong, now()).await.unwrap_err();
        assert_eq!(kind(&error), "refused", "{error}");
    }
    let elsewhere = PaymentRef {
        handle: Some("pi_1/../../balance".to_owned()),
        ..payment()
    };
    let error = nowhere().query(&elsewhere, now()).await.unwrap_err();
    assert_eq!(kind(&error), "refused", "{error}");
    let error = nowhere().close(&elsewhere, now()).await.unwrap_err();
    assert_eq!(kind(&error), "refused", "{error}");
}

#[tokio::test]
async fn a_paid_intent_tells_what_came_and_when() {
    let (server, gateway) = Server::playing([ok(&paid(&json!({})))]).await;
    let state = gateway.query(&payment(), now()).await.unwrap();
    let expected = PaidNotice {
        out_trade_no: OUT_TRADE_NO.to_owned(),
        transaction_id: INTENT.to_owned(),
        amount: dollars(3000),
        paid_at: seconds(1_772_413_250),
    };
    assert_eq!(state, PaymentState::Paid(expected));
    let asked = server.asked().remove(0);
    assert_eq!(asked.line, format!("GET /v1/payment_intents/{INTENT}"));
    assert_eq!(asked.field("expand[]"), Some("latest_charge"));
    assert_eq!(asked.header("idempotency-key"), None);
}

#[tokio::test]
async fn another_amount_is_told_and_left_to_whoever_asked() {
    let less = paid(&json!({ "amount_received": 2999 }));
    match asked_how_it_stands(&less).await.unwrap() {
        PaymentState::Paid(paid) => assert_eq!(paid.amount, dollars(2999)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn until_it_is_paid_or_cancelled_it_is_open() {
    for (status, expected) in [
        // Also after a declined card: another may be tried.
        ("requires_payment_method", PaymentState::Open),
        ("requires_confirmation", PaymentState::Open),
        ("requires_action", PaymentState::Open),
        ("processing", PaymentState::Open),
        ("canceled", PaymentState::Closed),
    ] {
        let told = asked_how_it_stands(&intent(&json!({ "status": status }))).await;
        assert_eq!(told, Ok(expected), "{status}");
    }
    let (_server, gateway) = Server::playing([answer(
        404,
        &error("invalid_request_error", "resource_missing"),
    )])
    .await;
    let told = gateway.query(&payment(), now()).await;
    assert_eq!(told, Ok(PaymentState::NotFound));
}

#[tokio::test]
async fn what_can_not_be_believed_leaves_the_payment_as_it_was() {
    for strange in [
        intent(&json!({ "status": "requires_capture" })),
        intent(&json!({ "status": "sublimated" })),
        paid(&json!({ "latest_charge": null })),
        paid(&json!({ "latest_charge": "ch_3MtwBwLkdIwHu7ix28a3tqPa" })),
        paid(&json!({ "latest_charge": { "id": "ch_1", "created": i64::MAX } })),
        paid(&json!({ "amount_received": null })),
        paid(&json!({ "currency": "xxx" })),
        paid(&json!({ "metadata": { "out_trade_no": "0".repeat(32) } })),
    ] {
        let error = asked_how_it_stands(&strange).await.unwrap_err();
        assert_eq!(kind(&error), "unavailable", "{error}");
    }
}

#[tokio::test]
async fn a_payment_without_an_answered_start_was_never_payable() {
    let unanswered = PaymentRef {
        handle: None,
        ..payment()
    };
    let gateway = nowhere();
    let told = gateway.query(&unanswered, now()).await;
    assert_eq!(told, Ok(PaymentState::NotFound));
    assert_eq!(gateway.close(&unanswered, now()).await, Ok(()));
}

fn not_cancelled(status: &str) -> Value {
    let mut answer = error("invalid_request_error", "payment_intent_unexpected_state");
    answer["error"]["payment_intent"] = intent(&json!({ "status": status }));
    answer
}

#[tokio::test]
async fn closing_cancels_and_twice_is_as_good_as_once() {
    let canceled = intent(&json!({ "status": "canceled" }));
    let script = [ok(&canceled), answer(400, &not_cancelled("canceled"))];
    let (server, gateway) = Server::playing(script).await;
    assert_eq!(gateway.close(&payment(), now()).await, Ok(()));
    assert_eq!(gateway.close(&payment(), now()).await, Ok(()));
    for asked in server.asked() {
        assert_eq!(
            asked.line,
            format!("POST /v1/payment_intents/{INTENT}/cancel")
        );
        assert_eq!(asked.field("cancellation_reason"), Some("abandoned"));
        assert_eq!(
            asked.header("idempotency-key"),
            None,
            "a refusal must not stick"
        );
    }
}

#[tokio::test]
async fn a_payment_that_was_quicker_can_not_be_closed() {
    for status in ["succeeded", "processing"] {
        let (_server, gateway) = Server::playing([answer(400, &not_cancelled(status))]).await;
        let error = gateway.close(&payment(), now()).await.unwrap_err();
        assert_eq!(kind(&error), "refused", "{error}");
    }
    let open = intent(&json!({}));
    for scripted in [ok(&open), answer(500, &error("api_error", ""))] {
        let (_server, gateway) = Server::playing([scripted]).await;
        let error = gateway.close(&payment(), now()).await.unwrap_err();
        assert_eq!(kind(&error), "unknown", "{error}");
    }
}
