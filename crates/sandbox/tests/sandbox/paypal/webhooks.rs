//! Webhooks: genuine, forged, doubled, lost, late, by another host's certificate.

use super::{NUMBER, agree, is_paid, new_refund, paid, refund_number, send, started, told, world};
use crate::harness::World;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use connectors::gateway::{Callback, CallbackError, Notice};
use domain::Span;
use domain::payment::GatewayName;
use sandbox::views::Webhook;
use std::sync::{Arc, Mutex};

/// A message as it came over the wire.
#[derive(Debug, Clone)]
struct Raw {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Raw {
    fn with(&self, header: &str, value: &str) -> Self {
        let mut changed = self.clone();
        let headers = changed.headers.iter_mut();
        for (_, old) in headers.filter(|(name, _)| name == header) {
            value.clone_into(old);
        }
        changed
    }

    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        &found.unwrap().1
    }
}

type Caught = Arc<Mutex<Vec<Raw>>>;

/// From now on PayPal's messages are caught as they come, and accepted.
async fn catch(world: &World) -> Caught {
    let caught = Caught::default();
    let router = Router::new()
        .route("/caught", post(take))
        .with_state(caught.clone());
    let address = crate::harness::serve(router).await;
    let webhook = Webhook {
        gateway: GatewayName::PAYPAL,
        url: Some(format!("http://{address}/caught")),
    };
    world.sandbox.set_webhook(webhook).unwrap();
    caught
}

async fn take(State(caught): State<Caught>, headers: HeaderMap, body: Bytes) {
    let headers = headers.iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    caught.lock().unwrap().push(Raw {
        headers: headers.collect(),
        body: body.to_vec(),
    });
}

async fn hear(world: &World, raw: &Raw) -> Result<Notice, CallbackError> {
    let callback = Callback {
        headers: &raw.headers,
        body: &raw.body,
    };
    world.gateway.callback(&callback, world.now()).await
}

/// The message that a payment was captured.
async fn captured(world: &World) -> Raw {
    let caught = catch(world).await;
    let (payment, _) = started(world, NUMBER).await;
    agree(world, NUMBER, "{}").await;
    is_paid(world.gateway.collect(&payment, world.now()).await);
    world.sandbox.run_due().await;
    let messages = caught.lock().unwrap().clone();
    let about_the_money =
        |raw: &&Raw| String::from_utf8_lossy(&raw.body).contains("PAYMENT.CAPTURE.COMPLETED");
    messages.iter().find(about_the_money).unwrap().clone()
}

fn is_bad(heard: &Result<Notice, CallbackError>) -> bool {
    matches!(heard, Err(CallbackError::BadSignature(_)))
}

#[tokio::test]
async fn a_genuine_message_is_believed_and_a_changed_one_is_not() {
    let world = world().await;
    let raw = captured(&world).await;
    assert!(raw.header("paypal-cert-url").starts_with(&world.url));
    let heard = hear(&world, &raw).await;
    assert!(matches!(heard, Ok(Notice::Paid { .. })), "{heard:?}");

    let text = String::from_utf8(raw.body.clone()).unwrap();
    let dearer = Raw {
        body: text.replace("115.00", "915.00").into_bytes(),
        ..raw.clone()
    };
    for forged in [
        dearer,
        raw.with("paypal-transmission-id", "another"),
        raw.with("paypal-transmission-time", "2026-03-02T01:00:01Z"),
        raw.with("paypal-auth-algo", "SHA1withRSA"),
    ] {
        let heard = hear(&world, &forged).await;
        assert!(is_bad(&heard), "{heard:?}");
    }
}

#[tokio::test]
async fn another_hosts_certificate_proves_nothing() {
    let world = world().await;
    let raw = captured(&world).await;
    // A sandbox of its own with a key of its own would sign anything; here even PayPal's own path
    // on another port, and PayPal itself, are not where this merchant's PayPal is.
    let other = super::world().await;
    for address in [
        format!("{}/v1/notifications/certs/CERT-1", other.url),
        "https://api.paypal.com/v1/notifications/certs/CERT-1".to_owned(),
        "https://evil.example/v1/notifications/certs/CERT-1".to_owned(),
        format!("{}/control/payments", world.url),
    ] {
        let heard = hear(&world, &raw.with("paypal-cert-url", &address)).await;
        assert!(is_bad(&heard), "{address}: {heard:?}");
    }
    let missing = format!("{}/v1/notifications/certs/CERT-1", world.url);
    let heard = hear(&world, &raw.with("paypal-cert-url", &missing)).await;
    assert!(is_bad(&heard), "{heard:?}");
}

#[tokio::test]
async fn a_late_message_only_makes_us_ask_and_an_old_one_nothing() {
    let world = world().await;
    let raw = captured(&world).await;
    world.later(299);
    let heard = hear(&world, &raw).await;
    assert!(matches!(heard, Ok(Notice::Paid { .. })), "{heard:?}");
    world.later(60);
    let heard = hear(&world, &raw).await;
    assert!(
        matches!(&heard, Ok(Notice::AskPayment { out_trade_no, .. }) if out_trade_no == NUMBER),
        "{heard:?}"
    );
    world.later(Span::hours(72).as_seconds());
    let heard = hear(&world, &raw).await;
    assert!(
        matches!(heard, Err(CallbackError::Stale { .. })),
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_badly_signed_message_is_refused_and_repeated_in_vain() {
    let world = world().await;
    let (payment, _) = started(&world, NUMBER).await;
    agree(&world, NUMBER, r#"{"callback":"bad_signature"}"#).await;
    is_paid(world.gateway.collect(&payment, world.now()).await);
    world.sandbox.run_due().await;
    let got = world.got();
    // Of the consent and of the money.
    assert_eq!(got.len(), 2, "{got:?}");
    assert!(got.iter().all(is_bad), "{got:?}");
    world.later(60);
    world.sandbox.run_due().await;
    assert!(world.got().iter().all(is_bad));
}

#[tokio::test]
async fn a_doubled_message_is_the_same_twice() {
    let world = world().await;
    let (payment, _) = started(&world, NUMBER).await;
    agree(&world, NUMBER, r#"{"callback":"twice"}"#).await;
    is_paid(world.gateway.collect(&payment, world.now()).await);
    world.sandbox.run_due().await;
    let notices = told(&world);
    let paid: Vec<_> = notices
        .iter()
        .filter(|notice| matches!(notice, Notice::Paid { .. }))
        .collect();
    assert_eq!(paid.len(), 2, "{notices:?}");
    assert_eq!(paid[0], paid[1]);
}

#[tokio::test]
async fn a_message_that_is_not_taken_comes_again_for_three_days() {
    let world = world().await;
    world.merchant_answers(500);
    let (payment, _) = started(&world, NUMBER).await;
    agree(&world, NUMBER, "{}").await;
    world.sandbox.run_due().await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        for notice in told(&world) {
            let Notice::AskPayment { notice_id, .. } = notice else {
                panic!("{notice:?}")
            };
            ids.push(notice_id);
        }
        world.later(14_400);
        world.sandbox.run_due().await;
    }
    // The first and 25 repetitions, all by one name.
    assert_eq!(ids.len(), 26);
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert!(payment.handle.is_some());
}

#[tokio::test]
async fn a_refunds_message_names_the_refund() {
    let world = world().await;
    let payment = paid(&world, NUMBER).await;
    send(&world, &new_refund(&payment, &refund_number(1), 1_500))
        .await
        .unwrap();
    world.sandbox.run_due().await;
    let notices = told(&world);
    assert!(
        matches!(notices.as_slice(), [Notice::Refund { out_refund_no, .. }]
            if *out_refund_no == refund_number(1)),
        "{notices:?}"
    );
}
