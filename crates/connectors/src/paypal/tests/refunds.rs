//! Refunds: sent, repeated, asked about.

use super::stub::Stub;
use super::{CAPTURE, REFUND, REFUND_NUMBER, issue, now, nzd, paypal, refund, start_refund};
use crate::gateway::{GatewayError, PaymentGateway as _, RefundRef, RefundState, StartRefund};
use domain::{Money, Ts};
use serde_json::{Value, json};

const SEND: &str = "POST /v2/payments/captures/27M47624FP291604U/refund";
const GET: &str = "GET /v2/payments/refunds/1JU08902781691411";

fn answer(status: &str) -> Value {
    json!({
        "id": REFUND,
        "status": status,
        "amount": { "currency_code": "NZD", "value": "15.00" },
        "invoice_id": REFUND_NUMBER,
        "create_time": "2025-11-20T02:05:00Z",
        "update_time": "2025-11-20T02:06:00Z",
        "links": [{
            "href": format!("https://api-m.paypal.com/v2/payments/captures/{CAPTURE}"),
            "rel": "up",
            "method": "GET",
        }],
    })
}

fn states() -> [(&'static str, RefundState); 4] {
    let succeeded = RefundState::Succeeded {
        refund_id: REFUND.to_owned(),
        at: Ts::parse("2025-11-20T02:06:00Z").unwrap(),
    };
    let processing = RefundState::Processing {
        refund_id: Some(REFUND.to_owned()),
    };
    [
        ("COMPLETED", succeeded),
        ("PENDING", processing),
        // The request id has answered with this refund for good: another try needs a new number.
        ("FAILED", RefundState::Closed),
        ("CANCELLED", RefundState::Closed),
    ]
}

#[tokio::test]
async fn a_refund_goes_to_the_capture_under_our_number() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    for (status, expected) in states() {
        stub.answers(SEND, 201, &answer(status));
        let state = paypal.refund(&start_refund(), now()).await;
        assert_eq!(state, Ok(expected), "{status}");
    }
    let asked = stub.asked().remove(0);
    assert_eq!(asked.header("paypal-request-id"), REFUND_NUMBER);
    let expected = json!({
        "amount": { "currency_code": "NZD", "value": "15.00" },
        "invoice_id": REFUND_NUMBER,
        "note_to_payer": "the doctor was late",
    });
    assert_eq!(asked.body, expected);
}

#[tokio::test]
async fn a_refund_is_asked_about_by_paypals_number_and_found_only_by_it() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    assert_eq!(
        paypal.query_refund(&refund(), now()).await,
        Ok(RefundState::NotFound)
    );
    assert!(stub.lines().is_empty());
    let known = RefundRef {
        refund_id: Some(REFUND.to_owned()),
        ..refund()
    };
    for (status, expected) in states() {
        stub.answers(GET, 200, &answer(status));
        let state = paypal.query_refund(&known, now()).await;
        assert_eq!(state, Ok(expected), "{status}");
    }
    stub.answers(GET, 404, &json!({ "name": "RESOURCE_NOT_FOUND" }));
    assert_eq!(
        paypal.query_refund(&known, now()).await,
        Ok(RefundState::NotFound)
    );
}

#[tokio::test]
async fn no_and_not_now_and_unknown_are_three_answers() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    for code in [
        "CAPTURE_FULLY_REFUNDED",
        "REFUND_AMOUNT_EXCEEDED",
        "REFUND_FAILED_INSUFFICIENT_FUNDS",
        "REFUND_TIME_LIMIT_EXCEEDED",
    ] {
        stub.answers(SEND, 422, &issue(code));
        let error = paypal.refund(&start_refund(), now()).await.unwrap_err();
        assert!(
            matches!(&error, GatewayError::Refused { code: told, .. } if told == code),
            "{error}"
        );
    }
    stub.answers(SEND, 429, &issue("RATE_LIMIT_REACHED"));
    let error = paypal.refund(&start_refund(), now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unavailable { .. }), "{error}");
    stub.answers_text(SEND, 503, "");
    let error = paypal.refund(&start_refund(), now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn an_answer_about_another_refund_is_not_believed() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    for (pointer, value) in [
        ("/invoice_id", json!("RF0000")),
        ("/amount/value", json!("150.00")),
        ("/amount/currency_code", json!("USD")),
        ("/status", json!("UNHEARD_OF")),
        ("/update_time", json!("soon")),
        ("/id", json!("../../x")),
    ] {
        let mut answer = answer("COMPLETED");
        *answer.pointer_mut(pointer).unwrap() = value;
        stub.answers(SEND, 201, &answer);
        let error = paypal.refund(&start_refund(), now()).await.unwrap_err();
        assert!(
            matches!(error, GatewayError::Unknown { .. }),
            "{pointer}: {error}"
        );
    }
}

#[tokio::test]
async fn what_paypal_would_not_take_is_not_sent() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    for change in [
        (|refund| refund.payment.transaction_id = None) as fn(&mut RefundRef),
        |refund| refund.payment.transaction_id = Some("a/b".to_owned()),
        |refund| refund.out_refund_no = "RF 1".to_owned(),
        |refund| refund.amount = nzd(0),
        |refund| refund.amount = Money::fen(1_500),
        |refund| refund.total = Money::fen(11_500),
    ] {
        let mut refund = refund();
        change(&mut refund);
        let start = StartRefund {
            refund,
            reason: String::new(),
        };
        let error = paypal.refund(&start, now()).await.unwrap_err();
        assert!(matches!(error, GatewayError::Refused { .. }), "{error}");
    }
    assert!(stub.lines().is_empty());
}
