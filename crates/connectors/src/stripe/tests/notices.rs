//! The header, and what the events mean.

use super::{INTENT, OUT_REFUND_NO, OUT_TRADE_NO, SECRET, dollars, intent, nowhere, refund_object};
use super::{now, seconds};
use crate::gateway::{Callback, CallbackError, Notice, PaidNotice};
use crate::stripe::event::read_event;
use crate::stripe::signature::{SignatureError, WebhookSecret};
use domain::{Span, Ts};
use serde_json::{Value, json};

/// When the sample was signed.
const SIGNED: i64 = 1_700_000_000;

struct Sample {
    secret: WebhookSecret,
    header: String,
    body: String,
}

fn sample() -> Sample {
    let all: Value = serde_json::from_str(include_str!("../../../tests/vectors.json")).unwrap();
    let vectors = all["vectors"].as_array().unwrap().iter();
    let mut ours = vectors.filter(|vector| vector["id"] == "stripe-webhook");
    let vector = ours.next().unwrap();
    assert_eq!(vector["timestamp"], SIGNED);
    let text = |name: &str| vector[name].as_str().unwrap().to_owned();
    assert_eq!(text("secret"), SECRET);
    Sample {
        secret: WebhookSecret::new(&text("secret")),
        header: text("header"),
        body: text("payload"),
    }
}

fn verify(header: &str, now: Ts) -> Result<(), SignatureError> {
    let sample = sample();
    sample
        .secret
        .verify(Some(header), sample.body.as_bytes(), now)
}

fn signed() -> Ts {
    seconds(SIGNED)
}

#[test]
fn the_published_signature_is_made_and_believed() {
    let sample = sample();
    let made = sample.secret.header(SIGNED, sample.body.as_bytes());
    assert_eq!(made, sample.header);
    assert_eq!(verify(&sample.header, signed()), Ok(()));
}

#[test]
fn one_right_signature_among_several_is_enough() {
    let header = sample().header;
    let wrong = "0".repeat(64);
    let right = header.split_once("v1=").unwrap().1;
    for header in [
        format!("{header},v1={wrong}"),
        format!("t={SIGNED},v1={wrong},v1={right}"),
        format!("t={SIGNED},v0={wrong},v1={right}"),
        format!("v1={right},t={SIGNED}"),
        format!("t={SIGNED}, v1={right}"),
        format!("t={SIGNED},v1=short,v1={right}"),
    ] {
        assert_eq!(verify(&header, signed()), Ok(()), "{header}");
    }
}

#[test]
fn each_reason_against_a_header_has_its_own_name() {
    let right = sample().header.split_once("v1=").unwrap().1.to_owned();
    let wrong = "0".repeat(64);
    let unreadable = |header: &str| {
        let error = verify(header, signed()).unwrap_err();
        assert!(matches!(error, SignatureError::Unreadable(_)), "{header}");
    };
    unreadable("bad_header");
    unreadable("");
    unreadable(&format!("v1={right}"));
    unreadable(&format!("t=,v1={right},t=1"));
    unreadable(&format!("t=-1,v1={right}"));
    unreadable(&format!("t=99999999999999999999,v1={right}"));
    unreadable(&format!("t={SIGNED},t={SIGNED},v1={right}"));
    unreadable(&format!("t={SIGNED}{}", format!(",v1={right}").repeat(17)));
    unreadable(&format!("t={SIGNED},v1={right},{}=", "x".repeat(5000)));

    let no_signature = Err(SignatureError::NoSignature);
    assert_eq!(
        verify(&format!("t={SIGNED},v0={right}"), signed()),
        no_signature
    );
    assert_eq!(verify(&format!("t={SIGNED}"), signed()), no_signature);

    let mismatch = Err(SignatureError::Mismatch);
    assert_eq!(
        verify(&format!("t={SIGNED},v1={wrong}"), signed()),
        mismatch
    );
    // The time is signed, too, exactly as it is written.
    let later = format!("t={},v1={right}", SIGNED + 1);
    assert_eq!(verify(&later, signed()), mismatch);
    let padded = format!("t=0{SIGNED},v1={right}");
    assert_eq!(verify(&padded, signed()), mismatch);

    let sample = sample();
    let body = sample.body.as_bytes();
    let missing = sample.secret.verify(None, body, signed());
    assert_eq!(missing, Err(SignatureError::Missing));
    let other = WebhookSecret::new("whsec_test_secret_2");
    let forged = other.verify(Some(&sample.header), body, signed());
    assert_eq!(forged, mismatch);
}

#[test]
fn upper_case_hex_is_not_stripes() {
    let upper = sample()
        .header
        .replace(|c: char| c.is_ascii_lowercase(), "F");
    assert!(verify(&upper, signed()).is_err());
    let (time, tag) = sample()
        .header
        .split_once(",v1=")
        .map(|(t, v)| (t.to_owned(), v.to_uppercase()))
        .unwrap();
    let error = verify(&format!("{time},v1={tag}"), signed());
    assert_eq!(error, Err(SignatureError::NoSignature));
}

#[test]
fn only_the_exact_bytes_are_believed() {
    let sample = sample();
    let rewritten = serde_json::from_str::<Value>(&sample.body)
        .unwrap()
        .to_string();
    for tampered in [
        sample.body.replace("rdr_123", "rdr_124"),
        format!("{}\n", sample.body),
        rewritten,
        String::new(),
    ] {
        let refused = sample
            .secret
            .verify(Some(&sample.header), tampered.as_bytes(), signed());
        assert_eq!(refused, Err(SignatureError::Mismatch), "{tampered}");
    }
}

#[test]
fn more_than_five_minutes_are_too_long_in_both_directions() {
    let header = sample().header;
    let limit = Span::seconds(300);
    assert_eq!(verify(&header, signed() + limit), Ok(()));
    assert_eq!(verify(&header, signed() - limit), Ok(()));
    let beyond = Span::seconds(301);
    for now in [signed() + beyond, signed() - beyond] {
        let stale = SignatureError::Stale {
            timestamp: SIGNED,
            now: now.unix_seconds(),
        };
        assert_eq!(verify(&header, now), Err(stale));
    }
    // What is forged is forged, however old it is.
    let forged = format!("t={SIGNED},v1={}", "0".repeat(64));
    let error = verify(&forged, signed() + beyond);
    assert_eq!(error, Err(SignatureError::Mismatch));
}

fn call(header: Option<&str>, body: &str, now: Ts) -> Result<Notice, CallbackError> {
    let headers: Vec<(String, String)> = header
        .map(|value| ("Stripe-Signature".to_owned(), value.to_owned()))
        .into_iter()
        .collect();
    let callback = Callback {
        headers: &headers,
        body: body.as_bytes(),
    };
    nowhere().read_callback(&callback, now)
}

#[test]
fn a_callback_is_turned_away_by_the_name_of_its_fault() {
    let sample = sample();
    let (header, body) = (Some(sample.header.as_str()), sample.body.as_str());
    for (header, body) in [
        (None, body),
        (Some("bad_header"), body),
        (Some("t=1700000000,v0=00"), body),
        (header, "{}"),
    ] {
        let error = call(header, body, signed()).unwrap_err();
        assert!(matches!(error, CallbackError::BadSignature(_)), "{error}");
    }
    let stale = call(header, body, signed() + Span::seconds(301)).unwrap_err();
    assert!(matches!(
        stale,
        CallbackError::Stale {
            timestamp: SIGNED,
            ..
        }
    ));
    // The sample is rightly signed, but has no type: no notice of a payment.
    let unreadable = call(header, body, signed()).unwrap_err();
    assert!(
        matches!(unreadable, CallbackError::Malformed(_)),
        "{unreadable}"
    );
}

#[test]
fn a_signed_notice_is_read() {
    let body = event("payment_intent.succeeded", &paid());
    let header = WebhookSecret::new(SECRET).header(now().unix_seconds(), body.as_bytes());
    assert!(matches!(
        call(Some(&header), &body, now()),
        Ok(Notice::Paid { .. })
    ));
}

fn event(kind: &str, object: &Value) -> String {
    json!({
        "id": "evt_3MtwBwLkdIwHu7ix2nEJ", "object": "event", "api_version": "2024-06-20",
        "created": 1_772_413_260, "type": kind, "livemode": false, "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null }, "data": { "object": object },
    })
    .to_string()
}

fn paid() -> Value {
    intent(&json!({
        "status": "succeeded", "amount_received": 3000,
        "latest_charge": "ch_3MtwBwLkdIwHu7ix28a3tqPa", "client_secret": null,
    }))
}

fn notice(kind: &str, object: &Value) -> Notice {
    read_event(event(kind, object).as_bytes()).unwrap()
}

fn notice_id() -> String {
    "evt_3MtwBwLkdIwHu7ix2nEJ".to_owned()
}

fn other(event_type: &str) -> Notice {
    Notice::Other {
        notice_id: notice_id(),
        event_type: event_type.to_owned(),
    }
}

fn ask_payment() -> Notice {
    Notice::AskPayment {
        notice_id: notice_id(),
        out_trade_no: OUT_TRADE_NO.to_owned(),
    }
}

#[test]
fn a_paid_intent_is_taken_at_its_word() {
    let expected = PaidNotice {
        out_trade_no: OUT_TRADE_NO.to_owned(),
        transaction_id: INTENT.to_owned(),
        amount: dollars(3000),
        paid_at: seconds(1_772_413_260),
    };
    assert_eq!(
        notice("payment_intent.succeeded", &paid()),
        Notice::Paid {
            notice_id: notice_id(),
            paid: expected
        }
    );
}

#[test]
fn what_a_payment_notice_leaves_open_is_asked() {
    for kind in [
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "payment_intent.processing",
    ] {
        assert_eq!(notice(kind, &intent(&json!({}))), ask_payment(), "{kind}");
    }
    for (name, value) in [
        ("status", json!("processing")),
        ("amount_received", json!(null)),
        ("amount_received", json!(-3000)),
        ("currency", json!("usd")),
    ] {
        let mut strange = paid();
        strange[name] = value;
        let read = notice("payment_intent.succeeded", &strange);
        assert_eq!(read, ask_payment(), "{name}");
    }
}

#[test]
fn refunds_are_always_asked() {
    for kind in [
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.refund.updated",
    ] {
        for status in ["pending", "succeeded", "failed", "canceled"] {
            let object = refund_object(&json!({ "status": status }));
            let expected = Notice::AskRefund {
                notice_id: notice_id(),
                out_refund_no: OUT_REFUND_NO.to_owned(),
            };
            assert_eq!(notice(kind, &object), expected, "{kind} {status}");
        }
    }
}

#[test]
fn what_is_not_ours_is_acknowledged_and_left_alone() {
    for metadata in [
        json!({}),
        json!(null),
        json!({ "order_id": "6735" }),
        json!({ "out_trade_no": "6735" }),
        json!({ "out_trade_no": OUT_TRADE_NO.to_uppercase() }),
        json!({ "out_trade_no": format!("{}\n", &OUT_TRADE_NO[..31]) }),
        json!({ "out_refund_no": OUT_TRADE_NO }),
    ] {
        for kind in ["payment_intent.succeeded", "payment_intent.canceled"] {
            let mut object = paid();
            object["metadata"] = metadata.clone();
            assert_eq!(notice(kind, &object), other(kind), "{metadata}");
        }
        let object = refund_object(&json!({ "metadata": metadata }));
        assert_eq!(notice("refund.failed", &object), other("refund.failed"));
    }
    let charge = json!({ "id": "ch_1", "metadata": { "out_trade_no": OUT_TRADE_NO } });
    assert_eq!(notice("charge.refunded", &charge), other("charge.refunded"));
    let dispute = json!({ "id": "dp_1", "payment_intent": INTENT, "metadata": {} });
    let kind = "charge.dispute.created";
    assert_eq!(notice(kind, &dispute), other(kind));
    let reader = json!({ "id": "rdr_123", "object": "terminal.reader" });
    assert_eq!(notice("reader.updated", &reader), other("reader.updated"));
}

#[test]
fn what_is_no_notice_is_malformed() {
    let long = "x".repeat(256);
    for body in [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        json!({ "id": "evt_1" }).to_string(),
        event("", &paid()),
        event(&long, &paid()),
        event("payment_intent.succeeded", &json!([])),
        event("payment_intent.succeeded", &json!({ "id": INTENT })),
        event(
            "refund.updated",
            &json!({ "metadata": { "out_refund_no": 7 } }),
        ),
    ] {
        let error = read_event(body.as_bytes()).unwrap_err();
        assert!(matches!(error, CallbackError::Malformed(_)), "{body}");
    }
}
