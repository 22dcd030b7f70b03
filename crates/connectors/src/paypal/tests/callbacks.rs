//! Webhooks: the published sample, and what proves a message or does not.

use super::stub::Stub;
use super::{CAPTURE, NUMBER, REFUND, REFUND_NUMBER, capture, now, nzd, order, paypal};
use crate::gateway::{
    Callback, CallbackError, Notice, PaidNotice, PaymentGateway as _, RefundState,
};
use crate::paypal::webhook::signature::message;
use crate::paypal::{PayPal, wire::utc_time};
use crate::rsa::{Issue, SigningKey, Validity, VerifyingKey, pem_block};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Span, Ts};
use serde_json::{Value, json};
use std::sync::LazyLock;

const CERTIFICATE: &str = "/v1/notifications/certs/CERT-360caa42-fca2a594";
const TRANSMISSION: &str = "b2384410-f8d2-11e4-8bf3-77339302725b";
const WEBHOOK: &str = "4JH86294D6297924G";

/// PayPal's key, made once for all tests.
static KEY: LazyLock<SigningKey> = LazyLock::new(key);

fn key() -> SigningKey {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    SigningKey::from_pkcs8_pem(&pem).unwrap()
}

fn good_now() -> Validity {
    Validity {
        not_before: now() - Span::hours(24),
        not_after: now() + Span::hours(24 * 30),
    }
}

fn certificate(public_key: &[u8], validity: Validity) -> String {
    let issue = Issue {
        serial: 7,
        subject: "messageverificationcerts.paypal.com",
        issuer: "a certificate authority",
        validity,
        public_key,
    };
    issue.signed_by(&KEY).unwrap()
}

/// The other end, which serves the certificate of [`KEY`] a few times.
async fn serving() -> Stub {
    let stub = Stub::start().await;
    let pem = certificate(&KEY.public_spki_der().unwrap(), good_now());
    stub.answers_text(&format!("GET {CERTIFICATE}"), 200, &pem);
    stub
}

/// The headers of a message signed by this key at this time.
fn signed(stub: &Stub, key: &SigningKey, body: &str, at: Ts) -> Vec<(String, String)> {
    let time = utc_time(at);
    let message = message(TRANSMISSION, &time, WEBHOOK, body.as_bytes());
    let headers = [
        ("paypal-transmission-id", TRANSMISSION.to_owned()),
        ("paypal-transmission-time", time),
        (
            "paypal-transmission-sig",
            key.sign(message.as_bytes()).unwrap(),
        ),
        ("paypal-cert-url", format!("{}{CERTIFICATE}", stub.base)),
        ("paypal-auth-algo", "SHA256withRSA".to_owned()),
    ];
    headers.map(|(name, value)| (name.to_owned(), value)).into()
}

async fn hear(
    paypal: &PayPal,
    headers: &[(String, String)],
    body: &str,
    now: Ts,
) -> Result<Notice, CallbackError> {
    let body = body.as_bytes();
    paypal.callback(&Callback { headers, body }, now).await
}

fn event(event_type: &str, resource: &Value) -> String {
    json!({ "id": NOTICE, "event_type": event_type, "resource": resource }).to_string()
}

fn paid_event() -> String {
    event("PAYMENT.CAPTURE.COMPLETED", &capture("COMPLETED"))
}

fn is_bad<T: std::fmt::Debug>(outcome: Result<T, CallbackError>, why: &str) {
    let refused = outcome.unwrap_err();
    assert!(
        matches!(&refused, CallbackError::BadSignature(told) if told.contains(why)),
        "{refused} does not say {why}"
    );
}

#[tokio::test]
async fn the_published_sample_verifies() {
    let all: Value = serde_json::from_str(include_str!("../../../tests/vectors.json")).unwrap();
    let vectors = all["vectors"].as_array().unwrap().iter();
    let mut vectors = vectors.filter(|vector| vector["id"] == "paypal-webhook-selfverify");
    let sample = vectors.next().unwrap();
    let text = |name: &str| sample[name].as_str().unwrap();
    let body = text("raw_body");
    assert_eq!(
        u64::from(crc32fast::hash(body.as_bytes())),
        sample["crc32_decimal"]
    );
    assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
    let parts: Vec<&str> = text("signed_message").split('|').collect();
    let [id, time, webhook, _] = parts[..] else {
        panic!("a message of four parts");
    };
    assert_eq!(webhook, text("webhook_id"));
    assert_eq!(
        message(id, time, webhook, body.as_bytes()),
        text("signed_message")
    );
    let public = all["own_test_rsa_public_key_spki_pem"].as_str().unwrap();
    let key = VerifyingKey::from_spki_pem(public).unwrap();
    assert!(key.verifies(text("signed_message").as_bytes(), text("transmission_sig")));

    // The whole way, with a certificate around the sample's key.
    let stub = Stub::start().await;
    let public = pem_block(public, "PUBLIC KEY").unwrap();
    let pem = certificate(&public, good_now());
    stub.answers_text(&format!("GET {CERTIFICATE}"), 200, &pem);
    let headers = [
        ("PayPal-Transmission-Id", id),
        ("PayPal-Transmission-Time", time),
        ("PayPal-Transmission-Sig", text("transmission_sig")),
        ("PayPal-Cert-Url", &format!("{}{CERTIFICATE}", stub.base)),
        ("PayPal-Auth-Algo", text("auth_algo")),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let notice = hear(&paypal(&stub), &headers, body, now()).await.unwrap();
    // The sample does not say when it was paid, so that is asked.
    let expected = Notice::AskPayment {
        notice_id: "WH-58D329510W468432D-8HN650336L201105X".to_owned(),
        out_trade_no: "NZ202511200001".to_owned(),
    };
    assert_eq!(notice, expected);
}

const NOTICE: &str = "WH-58D329510W468432D-8HN650336L201105X";

fn other(event_type: &str) -> Notice {
    Notice::Other {
        notice_id: NOTICE.to_owned(),
        event_type: event_type.to_owned(),
    }
}

/// Each of these events, genuine, is read as this notice.
async fn become_notices(cases: Vec<(&str, Value, Notice)>) {
    let stub = serving().await;
    let paypal = paypal(&stub);
    for (event_type, resource, expected) in cases {
        let body = event(event_type, &resource);
        let headers = signed(&stub, &KEY, &body, now());
        let notice = hear(&paypal, &headers, &body, now()).await.unwrap();
        assert_eq!(notice, expected, "{body}");
    }
    // The certificate was fetched once.
    assert_eq!(stub.lines(), [format!("GET {CERTIFICATE}")]);
}

#[tokio::test]
async fn only_a_completed_capture_is_money() {
    let ask = Notice::AskPayment {
        notice_id: NOTICE.to_owned(),
        out_trade_no: NUMBER.to_owned(),
    };
    let paid = Notice::Paid {
        notice_id: NOTICE.to_owned(),
        paid: PaidNotice {
            out_trade_no: NUMBER.to_owned(),
            transaction_id: CAPTURE.to_owned(),
            amount: nzd(11_500),
            paid_at: Ts::parse("2025-11-20T02:01:00Z").unwrap(),
        },
    };
    let approved = order("APPROVED", &[]);
    let (pending, declined) = (capture("PENDING"), capture("DECLINED"));
    become_notices(vec![
        ("PAYMENT.CAPTURE.COMPLETED", capture("COMPLETED"), paid),
        // Approved is not paid.
        ("CHECKOUT.ORDER.APPROVED", approved.clone(), ask.clone()),
        ("CHECKOUT.ORDER.COMPLETED", approved, ask.clone()),
        ("PAYMENT.CAPTURE.PENDING", pending.clone(), ask.clone()),
        ("PAYMENT.CAPTURE.DENIED", declined.clone(), ask.clone()),
        ("PAYMENT.CAPTURE.DECLINED", declined, ask.clone()),
        // An event whose resource says otherwise is no proof.
        ("PAYMENT.CAPTURE.COMPLETED", pending, ask),
    ])
    .await;
}

#[tokio::test]
async fn only_a_completed_refund_is_money_back() {
    let refund = |status: &str| {
        json!({ "id": REFUND, "status": status, "invoice_id": REFUND_NUMBER,
                "amount": { "currency_code": "NZD", "value": "15.00" },
                "update_time": "2025-11-20T02:06:00Z" })
    };
    let back = Notice::Refund {
        notice_id: NOTICE.to_owned(),
        out_refund_no: REFUND_NUMBER.to_owned(),
        state: RefundState::Succeeded {
            refund_id: REFUND.to_owned(),
            at: Ts::parse("2025-11-20T02:06:00Z").unwrap(),
        },
    };
    let ask = Notice::AskRefund {
        notice_id: NOTICE.to_owned(),
        out_refund_no: REFUND_NUMBER.to_owned(),
    };
    become_notices(vec![
        ("PAYMENT.CAPTURE.REFUNDED", refund("COMPLETED"), back),
        ("PAYMENT.CAPTURE.REFUNDED", refund("PENDING"), ask.clone()),
        ("PAYMENT.REFUND.FAILED", refund("FAILED"), ask),
    ])
    .await;
}

#[tokio::test]
async fn what_is_not_of_our_making_is_acknowledged_and_not_used() {
    let mut foreign = capture("COMPLETED");
    foreign["custom_id"] = json!("shop order #5");
    // Made by hand at PayPal: it carries the payment's number.
    let by_hand = json!({ "id": REFUND, "status": "COMPLETED", "invoice_id": NUMBER });
    let (paid, back) = ("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REFUNDED");
    let (reversed, dispute) = ("PAYMENT.CAPTURE.REVERSED", "CUSTOMER.DISPUTE.CREATED");
    become_notices(vec![
        (paid, foreign, other(paid)),
        (back, by_hand, other(back)),
        (reversed, json!({}), other(reversed)),
        (dispute, json!([1]), other(dispute)),
    ])
    .await;
}

#[tokio::test]
async fn only_the_exact_bytes_are_believed() {
    let stub = serving().await;
    let paypal = paypal(&stub);
    let body = paid_event();
    let headers = signed(&stub, &KEY, &body, now());
    let pretty = serde_json::from_str::<Value>(&body).unwrap();
    let pretty = serde_json::to_string_pretty(&pretty).unwrap();
    for tampered in [
        body.replace("115.00", "815.00"),
        format!("{body}\n"),
        pretty,
        String::new(),
    ] {
        let outcome = hear(&paypal, &headers, &tampered, now()).await;
        is_bad(outcome, "not of this message");
    }
    assert!(hear(&paypal, &headers, &body, now()).await.is_ok());
}

#[tokio::test]
async fn every_header_counts() {
    let stub = serving().await;
    let paypal = paypal(&stub);
    let body = paid_event();
    for (name, value, why) in [
        ("paypal-transmission-id", "another", "not of this message"),
        (
            "paypal-transmission-time",
            "2025-11-20T02:00:01Z",
            "not of this message",
        ),
        ("paypal-transmission-time", "yesterday", "RFC 3339"),
        (
            "paypal-transmission-sig",
            "not base64",
            "not of this message",
        ),
        ("paypal-transmission-sig", "", "not of this message"),
        ("paypal-auth-algo", "SHA1withRSA", "SHA1withRSA"),
        (
            "paypal-cert-url",
            "https://evil.example/v1/notifications/certs/C",
            "is not PayPal's",
        ),
        (
            "paypal-cert-url",
            "https://api.paypal.com/v1/notifications/certs/C",
            "is not PayPal's",
        ),
    ] {
        let mut headers = signed(&stub, &KEY, &body, now());
        for header in headers.iter_mut().filter(|(header, _)| header == name) {
            value.clone_into(&mut header.1);
        }
        is_bad(hear(&paypal, &headers, &body, now()).await, why);
    }
    for missing in ["id", "time", "sig"].map(|part| format!("paypal-transmission-{part}")) {
        let mut headers = signed(&stub, &KEY, &body, now());
        headers.retain(|(name, _)| *name != missing);
        is_bad(hear(&paypal, &headers, &body, now()).await, &missing);
    }
    // For another webhook, and by another key.
    let elsewhere = message(
        TRANSMISSION,
        &utc_time(now()),
        "8PT597110X687430L",
        body.as_bytes(),
    );
    let mut headers = signed(&stub, &KEY, &body, now());
    headers[2].1 = KEY.sign(elsewhere.as_bytes()).unwrap();
    is_bad(
        hear(&paypal, &headers, &body, now()).await,
        "not of this message",
    );
    let forged = signed(&stub, &key(), &body, now());
    is_bad(
        hear(&paypal, &forged, &body, now()).await,
        "not of this message",
    );
}

#[tokio::test]
async fn an_old_message_only_makes_us_ask_and_a_very_old_one_nothing() {
    let stub = serving().await;
    let paypal = paypal(&stub);
    let body = paid_event();
    let refunded = event(
        "PAYMENT.CAPTURE.REFUNDED",
        &json!({ "id": REFUND, "status": "COMPLETED", "invoice_id": REFUND_NUMBER,
                 "update_time": "2025-11-20T02:06:00Z" }),
    );
    let hear_after = |body: String, after: Span| {
        let headers = signed(&stub, &KEY, &body, now());
        let paypal = &paypal;
        async move { hear(paypal, &headers, &body, now() + after).await }
    };
    let second = Span::seconds(1);
    for after in [Span::ZERO, Span::seconds(299)] {
        let notice = hear_after(body.clone(), after).await.unwrap();
        assert!(
            matches!(notice, Notice::Paid { .. }),
            "{after:?}: {notice:?}"
        );
    }
    for after in [Span::minutes(5), Span::hours(1), Span::hours(72)] {
        let notice = hear_after(body.clone(), after).await.unwrap();
        assert!(
            matches!(&notice, Notice::AskPayment { out_trade_no, .. } if out_trade_no == NUMBER),
            "{after:?}: {notice:?}"
        );
        let notice = hear_after(refunded.clone(), after).await.unwrap();
        assert!(
            matches!(notice, Notice::AskRefund { .. }),
            "{after:?}: {notice:?}"
        );
    }
    let too_old = Span::hours(72).as_micros() + Span::minutes(5).as_micros();
    let stale = hear_after(body.clone(), Span::micros(too_old))
        .await
        .unwrap_err();
    assert!(matches!(stale, CallbackError::Stale { .. }), "{stale}");
    for ahead in [Span::minutes(5), Span::hours(1)] {
        let headers = signed(&stub, &KEY, &body, now() + ahead);
        let stale = hear(&paypal, &headers, &body, now()).await.unwrap_err();
        assert!(matches!(stale, CallbackError::Stale { .. }), "{stale}");
    }
    let headers = signed(&stub, &KEY, &body, now() + Span::minutes(5) - second);
    assert!(hear(&paypal, &headers, &body, now()).await.is_ok());
}

#[tokio::test]
async fn a_certificate_counts_only_while_it_is_good() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    let public = KEY.public_spki_der().unwrap();
    let line = format!("GET {CERTIFICATE}");
    let body = paid_event();
    let ended = Validity {
        not_after: now() - Span::seconds(1),
        ..good_now()
    };
    let not_yet = Validity {
        not_before: now() + Span::seconds(1),
        ..good_now()
    };
    for validity in [ended, not_yet] {
        stub.answers_text(&line, 200, &certificate(&public, validity));
        let headers = signed(&stub, &KEY, &body, now());
        is_bad(
            hear(&paypal, &headers, &body, now()).await,
            "is not good now",
        );
    }
    // It was replaced, under the same address; and it ends while it is kept.
    stub.answers_text(&line, 200, &certificate(&public, good_now()));
    let headers = signed(&stub, &KEY, &body, now());
    assert!(hear(&paypal, &headers, &body, now()).await.is_ok());
    let later = good_now().not_after + Span::seconds(1);
    let headers = signed(&stub, &KEY, &body, later);
    stub.answers_text(&line, 200, &certificate(&public, good_now()));
    is_bad(
        hear(&paypal, &headers, &body, later).await,
        "is not good now",
    );
}

#[tokio::test]
async fn without_its_certificate_a_message_is_put_off_and_not_judged() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    let line = format!("GET {CERTIFICATE}");
    let body = paid_event();
    let headers = signed(&stub, &KEY, &body, now());
    let too_long = "x".repeat((64 << 10) + 1);
    for (status, answer) in [
        (500, "down"),
        (302, ""),
        (200, "no certificate"),
        (
            200,
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----",
        ),
        (200, &too_long),
    ] {
        stub.answers_text(&line, status, answer);
        let put_off = hear(&paypal, &headers, &body, now()).await.unwrap_err();
        assert!(
            matches!(put_off, CallbackError::NotNow(_)),
            "{status}: {put_off}"
        );
    }
    stub.answers_text(&line, 404, "");
    is_bad(
        hear(&paypal, &headers, &body, now()).await,
        "there is no certificate",
    );
}

#[tokio::test]
async fn forgers_can_make_us_fetch_a_few_certificates_and_no_more() {
    let stub = serving().await;
    let paypal = paypal(&stub);
    let body = paid_event();
    let genuine = signed(&stub, &KEY, &body, now());
    assert!(hear(&paypal, &genuine, &body, now()).await.is_ok());
    let mut put_off = 0;
    for number in 0..30 {
        let mut headers = signed(&stub, &KEY, &body, now());
        let path = format!("/v1/notifications/certs/FORGED-{number}");
        stub.answers_text(&format!("GET {path}"), 404, "");
        headers[3].1 = format!("{}{path}", stub.base);
        match hear(&paypal, &headers, &body, now()).await.unwrap_err() {
            CallbackError::NotNow(_) => put_off += 1,
            other => assert!(matches!(other, CallbackError::BadSignature(_)), "{other}"),
        }
    }
    assert_eq!((put_off, stub.lines().len()), (21, 10));
    // The genuine one is known, and a new one can be had in a minute.
    assert!(hear(&paypal, &genuine, &body, now()).await.is_ok());
    let mut headers = signed(&stub, &KEY, &body, now());
    headers[3].1 = format!("{}/v1/notifications/certs/FORGED-29", stub.base);
    is_bad(
        hear(&paypal, &headers, &body, now() + Span::minutes(1)).await,
        "no certificate",
    );
}

#[tokio::test]
async fn a_genuine_message_that_cant_be_read_is_said_to_be_malformed() {
    let stub = serving().await;
    let paypal = paypal(&stub);
    for body in [
        "",
        "{}",
        "[]",
        r#"{"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{}}"#,
        r#"{"id":"WH-1","event_type":"CHECKOUT.ORDER.APPROVED","resource":5}"#,
    ] {
        let headers = signed(&stub, &KEY, body, now());
        let malformed = hear(&paypal, &headers, body, now()).await.unwrap_err();
        assert!(
            matches!(malformed, CallbackError::Malformed(_)),
            "{body}: {malformed}"
        );
    }
}
