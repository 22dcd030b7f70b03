//! Payments: started, asked about, captured, given up.

use super::stub::Stub;
use super::{CAPTURE, NUMBER, ORDER, capture, issue, now, nzd, order, payment, paypal, start};
use crate::gateway::{
    GatewayError, PaidNotice, PaymentGateway as _, PaymentRef, PaymentState, StartPayment,
};
use domain::payment::{Method, PayWith};
use domain::{Money, Span, Ts};
use serde_json::{Value, json};

const CREATE: &str = "POST /v2/checkout/orders";
const GET: &str = "GET /v2/checkout/orders/5O190127TN364715T";
const COLLECT: &str = "POST /v2/checkout/orders/5O190127TN364715T/capture";

fn paid() -> PaymentState {
    PaymentState::Paid(PaidNotice {
        out_trade_no: NUMBER.to_owned(),
        transaction_id: CAPTURE.to_owned(),
        amount: nzd(11_500),
        paid_at: Ts::parse("2025-11-20T02:01:00Z").unwrap(),
    })
}

fn kind<T: std::fmt::Debug>(outcome: Result<T, GatewayError>) -> &'static str {
    match outcome.unwrap_err() {
        GatewayError::Refused { .. } => "refused",
        GatewayError::Unavailable { .. } => "unavailable",
        GatewayError::Unknown { .. } => "unknown",
    }
}

#[tokio::test]
async fn a_start_makes_an_order_and_sends_the_payer_to_paypals_page() {
    let stub = Stub::start().await;
    stub.answers(CREATE, 201, &order("PAYER_ACTION_REQUIRED", &[]));
    let started = paypal(&stub).start(&start(), now()).await.unwrap();
    assert_eq!(started.handle.as_deref(), Some(ORDER));
    let url = "https://www.paypal.com/checkoutnow?token=1".to_owned();
    assert_eq!(started.pay_with, PayWith::Redirect { url });

    let asked = stub.asked().remove(0);
    assert_eq!(asked.header("paypal-request-id"), NUMBER);
    assert_eq!(asked.header("prefer"), "return=representation");
    assert_eq!(asked.header("content-type"), "application/json");
    let expected = json!({
        "intent": "CAPTURE",
        "purchase_units": [{
            "custom_id": NUMBER,
            "invoice_id": NUMBER,
            "description": "视频问诊 VC202511200001",
            "amount": { "currency_code": "NZD", "value": "115.00" },
        }],
        "payment_source": { "paypal": { "experience_context": {
            "return_url": "https://hospital.example/pay/back",
            "cancel_url": "https://hospital.example/pay/back",
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
            "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
        } } },
    });
    assert_eq!(asked.body, expected);
}

#[tokio::test]
async fn a_start_without_a_page_of_ours_leads_back_to_the_front_door() {
    let stub = Stub::start().await;
    // An older answer, and one to a repetition (200).
    let mut old = order("CREATED", &[]);
    old["links"][0]["rel"] = json!("approve");
    stub.answers(CREATE, 200, &old);
    let start = StartPayment {
        return_url: None,
        description: "长".repeat(200),
        ..start()
    };
    paypal(&stub).start(&start, now()).await.unwrap();
    let body = stub.asked().remove(0).body;
    let context = &body["payment_source"]["paypal"]["experience_context"];
    assert_eq!(context["return_url"], "https://hospital.example");
    let description = body["purchase_units"][0]["description"].as_str().unwrap();
    assert_eq!(description.chars().count(), 127);
}

#[tokio::test]
async fn what_paypal_would_not_take_is_not_sent() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    for change in [
        (|payment| payment.amount = Money::fen(11_500)) as fn(&mut PaymentRef),
        |payment| payment.amount = nzd(0),
        |payment| payment.method = Method::NATIVE,
        |payment| payment.out_trade_no = "a/../b".to_owned(),
        |payment| payment.out_trade_no = "a\r\nX: 1".to_owned(),
    ] {
        let mut start = start();
        change(&mut start.payment);
        assert_eq!(kind(paypal.start(&start, now()).await), "refused");
    }
    let strange = PaymentRef {
        handle: Some("5O1/../../payments".to_owned()),
        ..payment()
    };
    assert_eq!(kind(paypal.query(&strange, now()).await), "refused");
    assert_eq!(kind(paypal.collect(&strange, now()).await), "refused");
    assert!(stub.lines().is_empty());
}

#[tokio::test]
async fn a_start_whose_answer_is_not_understood_may_have_been_done() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    let change = |pointer: &str, value: Value| {
        let mut order = order("CREATED", &[]);
        *order.pointer_mut(pointer).unwrap() = value;
        order
    };
    for answer in [
        change("/links", json!([])),
        change("/links/0/href", json!("javascript:alert(1)")),
        change("/id", json!("../captures")),
        change("/purchase_units/0/custom_id", json!("another")),
        json!([]),
    ] {
        stub.answers(CREATE, 201, &answer);
        assert_eq!(
            kind(paypal.start(&start(), now()).await),
            "unknown",
            "{answer}"
        );
    }
    stub.answers_text(CREATE, 502, "<html>");
    assert_eq!(kind(paypal.start(&start(), now()).await), "unknown");
    stub.answers(CREATE, 400, &issue("INVALID_STRING_LENGTH"));
    assert_eq!(kind(paypal.start(&start(), now()).await), "refused");
}

#[tokio::test]
async fn nothing_is_done_where_nobody_listens() {
    let stub = Stub::start().await;
    let mut config = super::config(&stub.base);
    config.base_url = "http://127.0.0.1:1".to_owned();
    let paypal = super::PayPal::new(config).unwrap();
    assert_eq!(kind(paypal.start(&start(), now()).await), "unavailable");
    assert_eq!(kind(paypal.collect(&payment(), now()).await), "unavailable");
}

#[tokio::test]
async fn a_query_says_how_the_order_and_its_money_stand() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    let failed = |reason: &str| PaymentState::Failed {
        reason: reason.to_owned(),
    };
    let mut declined = capture("DECLINED");
    declined["status_details"] = json!({ "reason": "DECLINED_BY_RISK_FRAUD_FILTERS" });
    let (open, closed) = (PaymentState::Open, PaymentState::Closed);
    let (within, past) = (now(), payment().expires_at);
    for (status, captures, at, expected) in [
        ("CREATED", vec![], within, open.clone()),
        ("SAVED", vec![], within, open.clone()),
        ("PAYER_ACTION_REQUIRED", vec![], within, open.clone()),
        (
            "PAYER_ACTION_REQUIRED",
            vec![],
            past - Span::micros(1),
            open.clone(),
        ),
        // Only we capture, so what we will not capture is closed.
        ("CREATED", vec![], past, closed.clone()),
        ("PAYER_ACTION_REQUIRED", vec![], past, closed.clone()),
        ("VOIDED", vec![], within, closed.clone()),
        // A capture of ours may be on its way.
        ("APPROVED", vec![], within, PaymentState::Approved),
        ("APPROVED", vec![], past, PaymentState::Approved),
        ("COMPLETED", vec![capture("COMPLETED")], within, paid()),
        ("COMPLETED", vec![capture("COMPLETED")], past, paid()),
        (
            "COMPLETED",
            vec![capture("PARTIALLY_REFUNDED")],
            past,
            paid(),
        ),
        ("COMPLETED", vec![capture("REFUNDED")], past, paid()),
        ("COMPLETED", vec![capture("PENDING")], within, open.clone()),
        // Its money may still come, however late.
        ("COMPLETED", vec![capture("PENDING")], past, open),
        (
            "COMPLETED",
            vec![declined],
            within,
            failed("DECLINED: DECLINED_BY_RISK_FRAUD_FILTERS"),
        ),
        (
            "COMPLETED",
            vec![capture("FAILED")],
            within,
            failed("FAILED"),
        ),
        // What was captured counts before what the order says of itself.
        (
            "APPROVED",
            vec![capture("DECLINED"), capture("COMPLETED")],
            past,
            paid(),
        ),
    ] {
        stub.answers(GET, 200, &order(status, &captures));
        let state = paypal.query(&payment(), at).await;
        assert_eq!(state, Ok(expected), "{status} {captures:?} {at}");
    }
}

#[tokio::test]
async fn an_order_that_says_nonsense_says_nothing() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    let with = |pointer: &str, value: Value| {
        let mut order = order("COMPLETED", &[capture("COMPLETED")]);
        *order.pointer_mut(pointer).unwrap() = value;
        order
    };
    let money = "/purchase_units/0/payments/captures/0";
    for answer in [
        with("/id", json!("ANOTHER")),
        with("/purchase_units/0/custom_id", json!("another")),
        with(&format!("{money}/custom_id"), json!("another")),
        with(&format!("{money}/status"), json!("UNHEARD_OF")),
        with(&format!("{money}/amount/currency_code"), json!("USD")),
        with(&format!("{money}/amount/value"), json!("-115.00")),
        with(&format!("{money}/amount/value"), json!("0.00")),
        with(&format!("{money}/amount/value"), json!(115)),
        with(&format!("{money}/amount/value"), json!("115.001")),
        with(&format!("{money}/create_time"), json!("yesterday")),
        order("UNHEARD_OF", &[]),
        order("COMPLETED", &[]),
    ] {
        stub.answers(GET, 200, &answer);
        let outcome = paypal.query(&payment(), now()).await;
        assert_eq!(kind(outcome), "unavailable", "{answer}");
    }
}

#[tokio::test]
async fn what_paypal_does_not_know_is_not_found() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    let unstarted = start().payment;
    for outcome in [
        paypal.query(&unstarted, now()).await,
        paypal.collect(&unstarted, now()).await,
    ] {
        assert_eq!(outcome, Ok(PaymentState::NotFound));
    }
    paypal.close(&unstarted, now()).await.unwrap();
    assert!(stub.lines().is_empty());

    let gone =
        json!({ "name": "RESOURCE_NOT_FOUND", "details": [{ "issue": "INVALID_RESOURCE_ID" }] });
    stub.answers(GET, 404, &gone).answers(COLLECT, 404, &gone);
    assert_eq!(
        paypal.query(&payment(), now()).await,
        Ok(PaymentState::NotFound)
    );
    assert_eq!(
        paypal.collect(&payment(), now()).await,
        Ok(PaymentState::NotFound)
    );

    // PayPal forgets orders, but not the money.
    let known = super::refund().payment;
    let by_money = format!("GET /v2/payments/captures/{CAPTURE}");
    stub.answers(GET, 404, &gone)
        .answers(&by_money, 200, &capture("REFUNDED"));
    assert_eq!(paypal.query(&known, now()).await, Ok(paid()));
    let mut foreign = capture("COMPLETED");
    foreign["custom_id"] = json!("another");
    stub.answers(GET, 404, &gone)
        .answers(&by_money, 200, &foreign);
    assert_eq!(kind(paypal.query(&known, now()).await), "unavailable");
}

#[tokio::test]
async fn collecting_captures_once_under_a_number_of_its_own() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    stub.answers(COLLECT, 201, &order("COMPLETED", &[capture("COMPLETED")]));
    assert_eq!(paypal.collect(&payment(), now()).await, Ok(paid()));
    let asked = stub.asked().remove(0);
    assert_eq!(
        asked.header("paypal-request-id"),
        format!("{NUMBER}-capture")
    );
    assert_eq!(asked.body, json!({}));

    stub.answers(COLLECT, 201, &order("COMPLETED", &[capture("PENDING")]));
    assert_eq!(
        paypal.collect(&payment(), now()).await,
        Ok(PaymentState::Open)
    );
    // What was really paid is told, for the engine to compare.
    let mut less = capture("COMPLETED");
    less["amount"]["value"] = json!("1.15");
    stub.answers(COLLECT, 201, &order("COMPLETED", &[less]));
    let Ok(PaymentState::Paid(notice)) = paypal.collect(&payment(), now()).await else {
        panic!("not paid");
    };
    assert_eq!(notice.amount, nzd(115));
}

#[tokio::test]
async fn a_capture_done_before_or_too_early_is_asked_about() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    stub.answers(COLLECT, 422, &issue("ORDER_ALREADY_CAPTURED"))
        .answers(GET, 200, &order("COMPLETED", &[capture("COMPLETED")]));
    assert_eq!(paypal.collect(&payment(), now()).await, Ok(paid()));
    stub.answers(COLLECT, 422, &issue("ORDER_NOT_APPROVED"))
        .answers(GET, 200, &order("PAYER_ACTION_REQUIRED", &[]));
    assert_eq!(
        paypal.collect(&payment(), now()).await,
        Ok(PaymentState::Open)
    );
    // It was captured, and how is not known: that is no "nothing was done".
    stub.answers(COLLECT, 422, &issue("ORDER_ALREADY_CAPTURED"))
        .answers_text(GET, 500, "");
    assert_eq!(kind(paypal.collect(&payment(), now()).await), "unknown");
}

#[tokio::test]
async fn a_payer_whose_means_fail_has_failed_and_other_refusals_are_ours() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    for code in [
        "INSTRUMENT_DECLINED",
        "PAYER_CANNOT_PAY",
        "TRANSACTION_REFUSED",
    ] {
        stub.answers(COLLECT, 422, &issue(code));
        let reason = code.to_owned();
        let state = paypal.collect(&payment(), now()).await;
        assert_eq!(state, Ok(PaymentState::Failed { reason }));
    }
    for code in ["DUPLICATE_INVOICE_ID", "PAYEE_ACCOUNT_RESTRICTED"] {
        stub.answers(COLLECT, 422, &issue(code));
        assert_eq!(
            kind(paypal.collect(&payment(), now()).await),
            "refused",
            "{code}"
        );
    }
    stub.answers(COLLECT, 409, &issue("PREVIOUS_REQUEST_IN_PROGRESS"));
    assert_eq!(kind(paypal.collect(&payment(), now()).await), "unknown");
    stub.answers(COLLECT, 429, &issue("RATE_LIMIT_REACHED"));
    assert_eq!(kind(paypal.collect(&payment(), now()).await), "unavailable");
}

#[tokio::test]
async fn an_order_is_not_given_up_while_its_capture_may_be_on_its_way() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    assert!(paypal.collects());
    stub.answers_text(COLLECT, 502, "<html>");
    assert_eq!(kind(paypal.collect(&payment(), now()).await), "unknown");
    let close_after = async |after: Span| {
        stub.answers(GET, 200, &order("APPROVED", &[]));
        paypal.close(&payment(), now() + after).await
    };
    assert_eq!(kind(close_after(Span::ZERO).await), "unavailable");
    assert_eq!(kind(close_after(Span::seconds(119)).await), "unavailable");
    assert_eq!(close_after(Span::minutes(2)).await, Ok(()));
    // One whose answer came is over, be it yes or no.
    stub.answers_text(COLLECT, 502, "<html>")
        .answers(COLLECT, 422, &issue("INSTRUMENT_DECLINED"));
    assert_eq!(kind(paypal.collect(&payment(), now()).await), "unknown");
    paypal.collect(&payment(), now()).await.unwrap();
    assert_eq!(close_after(Span::ZERO).await, Ok(()));
}

#[tokio::test]
async fn closing_sends_nothing_but_is_refused_once_money_is_taken_or_coming() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    for (status, captures) in [
        ("PAYER_ACTION_REQUIRED", vec![]),
        ("APPROVED", vec![]),
        ("COMPLETED", vec![capture("DECLINED")]),
    ] {
        stub.answers(GET, 200, &order(status, &captures));
        assert_eq!(paypal.close(&payment(), now()).await, Ok(()), "{status}");
    }
    for status in ["COMPLETED", "REFUNDED", "PENDING"] {
        stub.answers(GET, 200, &order("COMPLETED", &[capture(status)]));
        assert_eq!(
            kind(paypal.close(&payment(), now()).await),
            "refused",
            "{status}"
        );
    }
    // Nothing was changed there, so this is not unknown.
    stub.answers_text(GET, 500, "");
    assert_eq!(kind(paypal.close(&payment(), now()).await), "unavailable");
    assert!(stub.lines().iter().all(|line| line == GET));
}
