//! Whatever comes in, nothing panics, and nothing that Stripe did not sign is believed.

use super::{OUT_REFUND_NO, OUT_TRADE_NO, SECRET, intent, now, seconds};
use crate::gateway::Notice;
use crate::stripe::bill::BillReader;
use crate::stripe::event::read_event;
use crate::stripe::read_error;
use crate::stripe::signature::{SignatureHeader, WebhookSecret};
use crate::stripe::wire::{BalanceTransaction, List, PaymentIntent, Refund};
use proptest::prelude::*;
use serde_json::{Value, json};

/// JSON of any shape, with the names that we read.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~\\PC]{0,12}".prop_map(Value::from),
        prop_oneof![
            Just("succeeded"),
            Just("failed"),
            Just("nzd"),
            Just("refund"),
            Just("charge"),
            Just("payment_intent.succeeded"),
            Just("refund.updated"),
            Just(OUT_TRADE_NO),
            Just(OUT_REFUND_NO),
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "id",
        "type",
        "created",
        "data",
        "object",
        "metadata",
        "status",
        "amount",
        "currency",
        "amount_received",
        "latest_charge",
        "has_more",
        "source",
        "fee",
        "error",
        "code",
        "payment_intent",
        "out_trade_no",
        "out_refund_no",
        "x",
    ])
    .prop_map(str::to_owned)
}

/// A whole notice in which one thing is something else.
fn bent() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec![
        "payment_intent.succeeded",
        "payment_intent.canceled",
        "refund.updated",
        "charge.refunded",
    ]);
    let field = prop::sample::select(vec![
        "id",
        "amount",
        "amount_received",
        "currency",
        "status",
        "latest_charge",
        "metadata",
    ]);
    (kind, field, anything()).prop_map(|(kind, field, value)| {
        let object = intent(&json!({ "status": "succeeded", field: value }));
        json!({ "id": "evt_1", "type": kind, "created": 1, "data": { "object": object } })
    })
}

proptest! {
    #[test]
    fn no_header_makes_it_panic_or_is_believed(
        header in "(t|v1|v0|,|=| |[0-9a-f]{0,70}|[0-9]{1,22}|\\PC){0,24}",
        body: Vec<u8>,
    ) {
        prop_assert!(WebhookSecret::new(SECRET).verify(Some(&header), &body, now()).is_err());
    }

    #[test]
    fn what_is_signed_is_believed_in_its_time_only(
        body: Vec<u8>,
        time in 0_i64..4_000_000_000,
        apart in -10_000_i64..10_000,
    ) {
        let secret = WebhookSecret::new(SECRET);
        let header = secret.header(time, &body);
        let believed = secret.verify(Some(&header), &body, seconds(time + apart)).is_ok();
        prop_assert_eq!(believed, apart.abs() <= 300);
        let other = WebhookSecret::new("whsec_other").verify(Some(&header), &body, seconds(time));
        prop_assert!(other.is_err());
    }

    #[test]
    fn one_bit_of_the_body_or_the_header_is_enough(
        mut body in prop::collection::vec(any::<u8>(), 1..200),
        at: prop::sample::Index,
        bit in 0..8,
    ) {
        let secret = WebhookSecret::new(SECRET);
        let header = secret.header(now().unix_seconds(), &body);
        let place = at.index(body.len());
        body[place] ^= 1_u8 << bit;
        prop_assert!(secret.verify(Some(&header), &body, now()).is_err());
        body[place] ^= 1_u8 << bit;
        let mut bent = header.into_bytes();
        let place = at.index(bent.len());
        bent[place] ^= 1_u8 << bit;
        if let Ok(bent) = String::from_utf8(bent) {
            // A bent name of a scheme leaves no signature, a bent time or tag the wrong one.
            prop_assert!(secret.verify(Some(&bent), &body, now()).is_err(), "{}", bent);
        }
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes: Vec<u8>, text in "[\\[\\]{}\":,a-z0-9]{0,200}") {
        for body in [bytes.as_slice(), text.as_bytes()] {
            prop_assert!(read_event(body).is_err());
            drop(read_error(body));
            drop(serde_json::from_slice::<List<Refund>>(body));
        }
    }

    #[test]
    fn no_json_makes_a_parser_panic(value in anything()) {
        let body = value.to_string();
        drop(read_event(body.as_bytes()));
        drop(read_error(body.as_bytes()));
        drop(serde_json::from_str::<PaymentIntent>(&body));
        if let Ok(movement) = serde_json::from_str::<BalanceTransaction>(&body) {
            drop(BillReader::default().add(&[movement]));
        }
    }

    #[test]
    fn a_notice_with_something_else_in_it_never_pays_another_payment(event in bent()) {
        match read_event(event.to_string().as_bytes()) {
            Ok(Notice::Paid { paid, .. }) => {
                prop_assert_eq!(paid.out_trade_no, OUT_TRADE_NO);
                prop_assert!(paid.amount.amount >= 0);
            }
            Ok(Notice::AskPayment { out_trade_no, .. }) => {
                prop_assert_eq!(out_trade_no.len(), 32);
            }
            Ok(Notice::AskRefund { out_refund_no, .. }) => {
                prop_assert_eq!(out_refund_no.len(), 34);
            }
            Ok(Notice::Refund { .. }) => prop_assert!(false, "refunds are asked"),
            Ok(Notice::Other { .. }) | Err(_) => {}
        }
    }

    #[test]
    fn a_line_of_a_bill_is_never_negative(
        kind in prop::sample::select(vec!["charge", "refund", "refund_failure", "payout"]),
        fee: i64,
        amount: i64,
        created: i64,
        source in anything(),
        is_whole: bool,
    ) {
        let whole = json!({
            "id": "ch_1", "amount": amount, "currency": "nzd", "status": "succeeded",
        });
        let movement = json!({
            "id": "txn_1", "type": kind, "created": created, "fee": fee, "currency": "nzd",
            "source": if is_whole { whole } else { source },
        });
        let movement: BalanceTransaction = serde_json::from_value(movement).unwrap();
        let mut reader = BillReader::default();
        if reader.add(&[movement.clone(), movement]).is_ok() {
            prop_assert!(reader.lines.iter().all(|line| line.amount.amount >= 0));
        }
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = "[".repeat(200_000);
    let event = format!(r#"{{"id":"evt_1","type":"x","created":1,"data":{{"object":{deep}"#);
    assert!(read_event(event.as_bytes()).is_err());
    let page = format!(r#"{{"has_more":false,"data":[{{"id":"t","source":{deep}"#);
    assert!(serde_json::from_str::<List<BalanceTransaction>>(&page).is_err());
    assert!(read_error(deep.as_bytes()).is_none());
}

#[test]
fn a_header_of_any_length_is_read_in_one_pass() {
    let long = format!("t=1{}", ",v1=00".repeat(1_000_000));
    assert!(SignatureHeader::read(&long).is_err());
}
