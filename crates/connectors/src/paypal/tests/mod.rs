//! PayPal against a scripted other end over real HTTP, the published sample, and what must be
//! refused.

mod bills;
mod callbacks;
mod hostile;
mod payments;
mod refunds;
mod stub;
mod tokens;

use super::{PayPal, PayPalConfig, PayPalConfigError};
use crate::gateway::{PaymentRef, RefundRef, StartPayment, StartRefund};
use domain::payment::Method;
use domain::{Currency, Money, Span, Ts};
use serde_json::{Value, json};
use std::time::Duration;
use stub::Stub;

const NUMBER: &str = "0193a5b2c3d4e5f60718293a4b5c6d7e";
const REFUND_NUMBER: &str = "RF0193a5b2c3d4e5f60718293a4b5c6d7e";
const ORDER: &str = "5O190127TN364715T";
const CAPTURE: &str = "27M47624FP291604U";
const REFUND: &str = "1JU08902781691411";

fn now() -> Ts {
    Ts::parse("2025-11-20T02:00:00Z").unwrap()
}

fn config(base_url: &str) -> PayPalConfig {
    PayPalConfig {
        base_url: base_url.to_owned(),
        client_id: "client".to_owned(),
        client_secret: "EHLTrYKQ-secret".to_owned(),
        webhook_id: "4JH86294D6297924G".to_owned(),
        return_url: "https://hospital.example".to_owned(),
        timeout: Duration::from_secs(5),
    }
}

fn paypal(stub: &Stub) -> PayPal {
    PayPal::new(config(&stub.base)).unwrap()
}

fn nzd(cents: i64) -> Money {
    Money::new(cents, Currency::NZD)
}

/// Started and not paid.
fn payment() -> PaymentRef {
    PaymentRef {
        out_trade_no: NUMBER.to_owned(),
        method: Method::CHECKOUT,
        amount: nzd(11_500),
        created_at: now(),
        expires_at: now() + Span::minutes(5),
        handle: Some(ORDER.to_owned()),
        transaction_id: None,
    }
}

fn start() -> StartPayment {
    StartPayment {
        payment: PaymentRef {
            handle: None,
            ..payment()
        },
        description: "视频问诊 VC202511200001".to_owned(),
        payer: None,
        client_ip: None,
        return_url: Some("https://hospital.example/pay/back".to_owned()),
    }
}

fn refund() -> RefundRef {
    RefundRef {
        payment: PaymentRef {
            transaction_id: Some(CAPTURE.to_owned()),
            ..payment()
        },
        total: nzd(11_500),
        out_refund_no: REFUND_NUMBER.to_owned(),
        amount: nzd(1_500),
        sent_at: now(),
        refund_id: None,
    }
}

fn start_refund() -> StartRefund {
    StartRefund {
        refund: refund(),
        reason: "the doctor was late".to_owned(),
    }
}

/// An order as `GET` and capture answer it, with its captures.
fn order(status: &str, captures: &[Value]) -> Value {
    json!({
        "id": ORDER,
        "intent": "CAPTURE",
        "status": status,
        "purchase_units": [{
            "reference_id": "default",
            "custom_id": NUMBER,
            "invoice_id": NUMBER,
            "amount": { "currency_code": "NZD", "value": "115.00" },
            "payments": { "captures": captures },
        }],
        "links": [{ "href": "https://www.paypal.com/checkoutnow?token=1", "rel": "payer-action" }],
    })
}

fn capture(status: &str) -> Value {
    json!({
        "id": CAPTURE,
        "status": status,
        "amount": { "currency_code": "NZD", "value": "115.00" },
        "custom_id": NUMBER,
        "invoice_id": NUMBER,
        "final_capture": true,
        "create_time": "2025-11-20T02:01:00Z",
        "update_time": "2025-11-20T02:02:00Z",
    })
}

/// An answer that says no, in PayPal's form.
fn issue(code: &str) -> Value {
    json!({
        "name": "UNPROCESSABLE_ENTITY",
        "message": "The requested action could not be performed.",
        "debug_id": "90957fca61718",
        "details": [{ "issue": code, "description": "words" }],
    })
}

#[test]
fn a_wrong_configuration_is_named() {
    let error = |change: fn(&mut PayPalConfig)| {
        let mut config = config("https://api-m.paypal.com");
        change(&mut config);
        PayPal::new(config).unwrap_err()
    };
    for url in [
        "api-m.paypal.com",
        "ftp://api-m.paypal.com",
        // The secret goes there.
        "http://api-m.paypal.com",
        "http://10.0.0.1:8102",
        "https://api-m.paypal.com?x=1",
        "https://user@api-m.paypal.com",
    ] {
        let wrong = PayPal::new(config(url)).unwrap_err();
        assert!(matches!(wrong, PayPalConfigError::Url { .. }), "{url}");
    }
    for url in [
        "http://127.0.0.1:1",
        "http://[::1]:1",
        "http://localhost:1/paypal/",
    ] {
        assert!(PayPal::new(config(url)).is_ok(), "{url}");
    }
    let empty = error(|config| config.client_secret.clear());
    assert!(matches!(empty, PayPalConfigError::Empty("client_secret")));
    let empty = error(|config| config.webhook_id.clear());
    assert!(empty.to_string().contains("webhook_id"), "{empty}");
}

#[test]
fn nothing_printed_holds_the_secret() {
    let config = config("https://api-m.paypal.com");
    let printed = format!("{config:?} {:?}", PayPal::new(config.clone()).unwrap());
    assert!(!printed.contains(&config.client_secret), "{printed}");
}
