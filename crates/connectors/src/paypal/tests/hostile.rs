//! Bytes from outside can be anything: nothing here may panic, and nothing that is not ours may
//! pass for ours.

use super::{NUMBER, ORDER, capture, order, payment};
use crate::gateway::{Notice, PaymentState};
use crate::paypal::report::Page;
use crate::paypal::standing::{payment_state, refund_state};
use crate::paypal::webhook::events::notice;
use crate::paypal::webhook::signature::Headers;
use crate::paypal::wire::{Amount, ErrorAnswer, Order, Refund};
use crate::rsa::CertifiedKey;
use domain::Ts;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "-?[0-9]{1,20}(\\.[0-9]{1,4})?".prop_map(Value::from),
        words().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(names(), inner, 0..6)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// The words that mean something on this wire.
fn words() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        ORDER,
        NUMBER,
        "APPROVED",
        "COMPLETED",
        "PENDING",
        "DECLINED",
        "VOIDED",
        "CREATED",
        "REFUNDED",
        "CANCELLED",
        "FAILED",
        "NZD",
        "CNY",
        "115.00",
        "-115.00",
        "S",
        "P",
        "T0006",
        "T1107",
        "TXN",
        "2025-11-20T02:00:00Z",
        "PAYMENT.CAPTURE.COMPLETED",
        "PAYMENT.CAPTURE.REFUNDED",
        "CHECKOUT.ORDER.APPROVED",
        "RF01",
    ])
}

fn names() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "id",
        "status",
        "purchase_units",
        "payments",
        "captures",
        "amount",
        "currency_code",
        "value",
        "custom_id",
        "invoice_id",
        "create_time",
        "update_time",
        "event_type",
        "resource",
        "links",
        "href",
        "rel",
        "transaction_details",
        "transaction_info",
        "transaction_id",
        "transaction_event_code",
        "transaction_initiation_date",
        "transaction_amount",
        "fee_amount",
        "transaction_status",
        "custom_field",
        "total_pages",
        "details",
        "issue",
    ]);
    known.prop_map(str::to_owned)
}

/// An order or event with one place in it replaced by anything.
fn spoiled(mut whole: Value, place: usize, by: Value) -> Value {
    let pointers = pointers(&whole, "");
    let pointer = &pointers[place % pointers.len()];
    if let Some(target) = whole.pointer_mut(pointer) {
        *target = by;
    }
    whole
}

fn pointers(value: &Value, at: &str) -> Vec<String> {
    let mut found = vec![at.to_owned()];
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                found.extend(pointers(item, &format!("{at}/{number}")));
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                found.extend(pointers(item, &format!("{at}/{name}")));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}

fn at(micros: i64) -> Ts {
    Ts::from_micros(micros)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn an_order_with_anything_in_it_is_read_or_refused(
        place: usize,
        by in any_json(),
        status in words(),
        now: i64,
    ) {
        let whole = order("COMPLETED", &[capture(status)]);
        if let Ok(order) = serde_json::from_value::<Order>(spoiled(whole, place, by))
            && let Ok(PaymentState::Paid(paid)) = payment_state(&order, &payment(), at(now))
        {
            // Whatever was put in, it is this payment's, and it is money.
            prop_assert_eq!(paid.out_trade_no, NUMBER);
            prop_assert!(paid.amount.amount >= 1);
        }
    }

    #[test]
    fn an_event_with_anything_in_it_is_read_or_refused(
        place: usize,
        by in any_json(),
        event_type in words(),
        resource in any_json(),
    ) {
        let event = json!({ "id": "WH-1", "event_type": event_type, "resource": resource });
        drop(notice(event.to_string().as_bytes()));
        let event = json!({
            "id": "WH-1",
            "event_type": "PAYMENT.CAPTURE.COMPLETED",
            "resource": capture("COMPLETED"),
        });
        if let Ok(Notice::Paid { paid, .. }) = notice(spoiled(event, place, by).to_string().as_bytes()) {
            prop_assert!(paid.amount.amount >= 1);
            prop_assert!(paid.out_trade_no.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        drop(notice(&bytes));
        drop(serde_json::from_slice::<ErrorAnswer>(&bytes));
        drop(serde_json::from_slice::<Page>(&bytes));
    }

    #[test]
    fn a_line_with_anything_in_it_is_read_or_refused(details in any_json(), line: u32) {
        let page = json!({ "transaction_details": [{ "transaction_info": details }] });
        if let Ok(page) = serde_json::from_value::<Page>(page) {
            for detail in page.transaction_details {
                if let Ok(Some(line)) = detail.transaction_info.line(line) {
                    prop_assert!(line.amount.amount >= 0);
                }
            }
        }
    }

    #[test]
    fn a_lines_amounts_can_be_anything(
        amount in "-?[0-9]{0,20}(\\.[0-9]{0,3})?",
        fee in "-?[0-9]{1,20}\\.[0-9]{2}",
        code in "T(00|11|12)[0-9]{2}",
    ) {
        let page = json!({ "transaction_info": {
            "transaction_id": "1", "transaction_event_code": code, "transaction_status": "S",
            "transaction_initiation_date": "2025-11-20T02:00:00+0000",
            "transaction_amount": { "currency_code": "NZD", "value": amount },
            "fee_amount": { "currency_code": "NZD", "value": fee },
        } });
        let detail: crate::paypal::report::Detail = serde_json::from_value(page).unwrap();
        if let Ok(Some(line)) = detail.transaction_info.line(1) {
            prop_assert!(line.amount.amount >= 0);
        }
    }

    #[test]
    fn a_refund_with_anything_in_it_is_read_or_refused(value in any_json(), number in words()) {
        if let Ok(refund) = serde_json::from_value::<Refund>(value) {
            drop(refund_state(&refund, number));
        }
    }

    #[test]
    fn amounts_and_headers_can_be_anything(
        code in ".{0,5}",
        value in ".{0,40}",
        time in "[0-9TZ:+.-]{0,40}",
        now: i64,
    ) {
        drop(Amount { currency_code: code, value: value.clone() }.read());
        let header = |name: &'static str| Some(match name {
            "paypal-auth-algo" => "SHA256withRSA",
            "paypal-transmission-time" => time.as_str(),
            _ => value.as_str(),
        });
        if let Ok(headers) = Headers::read(header) {
            drop(headers.age(at(now)));
        }
    }

    #[test]
    fn a_certificate_of_any_bytes_is_read_or_refused(bytes: Vec<u8>, prefix in 0_usize..40) {
        use base64::Engine as _;
        // The beginning of a real one leads further in.
        let real = [
            0x30, 0x82, 0x03, 0x57, 0x30, 0x82, 0x02, 0x3f, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02,
            0x01, 0x07, 0x30, 0x00, 0x30, 0x00, 0x30, 0x1e, 0x17, 0x0d, 0x32, 0x31, 0x30, 0x34,
            0x32, 0x37, 0x30, 0x38, 0x35, 0x35, 0x32, 0x33, 0x5a, 0x17, 0x0d, 0x33,
        ];
        let der = [&real[..prefix], &bytes].concat();
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----");
        prop_assert!(CertifiedKey::from_pem(&pem).is_err());
    }
}
