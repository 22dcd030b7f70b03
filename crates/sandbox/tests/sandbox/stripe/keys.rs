//! Who may ask, and what a key brings back.

use super::{Shop, number};
use crate::harness::{StandingClock, TempDir};
use serde_json::Value;

const FORM: &str = "amount=3000&currency=nzd&automatic_payment_methods[enabled]=true\
                    &metadata[out_trade_no]=00000000000000000000000000000001";

#[tokio::test]
async fn the_same_key_brings_the_same_answer_and_says_so() {
    let shop = Shop::open().await;
    let intents = "/v1/payment_intents";
    let first = shop.raw("POST", intents, "key-1", FORM).await;
    assert_eq!((first.status, first.replayed), (200, false));
    shop.pay(1, r#"{"callback":"never"}"#).await;
    let again = shop.raw("POST", intents, "key-1", FORM).await;
    assert_eq!((again.status, again.replayed), (200, true));
    assert_eq!(again.body, first.body, "as it was, not as it is");

    let other = FORM.replace("3000", "3001");
    let mixed = shop.raw("POST", intents, "key-1", &other).await;
    assert_eq!((mixed.status, mixed.replayed), (400, false));
    assert_eq!(mixed.body["error"]["type"], "idempotency_error");
    let elsewhere = shop.raw("POST", "/v1/refunds", "key-1", "amount=1&payment_intent=x");
    assert_eq!(elsewhere.await.body["error"]["type"], "idempotency_error");
}

#[tokio::test]
async fn a_refusal_is_stored_as_well_but_not_one_of_the_limiter() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let form = format!("amount=1000&payment_intent={}", payment.handle.unwrap());
    let faults = r#"{"refuseRefunds":"REQUEST_BLOCKED"}"#;
    shop.world.faults(faults).await;
    let refused = shop.raw("POST", "/v1/refunds", "r", &form).await;
    assert_eq!((refused.status, refused.replayed), (400, false));
    shop.world.faults("{}").await;
    let again = shop.raw("POST", "/v1/refunds", "r", &form).await;
    assert_eq!((again.status, again.replayed), (400, true));
    assert_eq!(again.body, refused.body);

    let faults = r#"{"refuseRefunds":"FREQUENCY_LIMITED"}"#;
    shop.world.faults(faults).await;
    let limited = shop.raw("POST", "/v1/refunds", "r2", &form).await;
    assert_eq!(limited.status, 429);
    shop.world.faults("{}").await;
    let done = shop.raw("POST", "/v1/refunds", "r2", &form).await;
    assert_eq!((done.status, done.replayed), (200, false));
}

#[tokio::test]
async fn after_a_day_a_key_is_forgotten() {
    let shop = Shop::open().await;
    let intents = "/v1/payment_intents";
    let first = shop.raw("POST", intents, "key-1", FORM).await;
    shop.world.later(24 * 3600 - 1);
    let again = shop.raw("POST", intents, "key-1", FORM).await;
    assert!(again.replayed);
    shop.world.later(1);
    let anew = shop.raw("POST", intents, "key-1", FORM).await;
    assert!(!anew.replayed);
    assert_ne!(anew.body["id"], first.body["id"]);
}

#[tokio::test]
async fn a_kill_forgets_no_key() {
    let (dir, clock) = (TempDir::new(), StandingClock::new(true));
    let before = Shop::opened(dir.config(), clock.clone()).await;
    let first = before
        .raw("POST", "/v1/payment_intents", "key-1", FORM)
        .await;
    let after = Shop::opened(dir.snapshot().config(), clock).await;
    let again = after
        .raw("POST", "/v1/payment_intents", "key-1", FORM)
        .await;
    assert!(again.replayed);
    assert_eq!(again.body, first.body);
}

#[tokio::test]
async fn strangers_and_mistakes_are_named() {
    let shop = Shop::open().await;
    let intents = "/v1/payment_intents";
    for secret in ["sk_test_51Nobody", "pk_test_51Nobody"] {
        let seen = shop.raw_as(secret, "POST", intents, "k", FORM).await;
        assert_eq!(seen.status, 401);
        assert_eq!(seen.body["error"]["type"], "invalid_request_error");
    }
    for (path, form, param, code) in [
        (intents, "currency=nzd", "amount", "parameter_missing"),
        (intents, "amount=3000", "currency", "parameter_missing"),
        (
            intents,
            "amount=30.00&currency=nzd",
            "amount",
            "parameter_invalid_integer",
        ),
        (
            intents,
            "amount=3000&currency=NZD",
            "currency",
            "parameter_invalid",
        ),
        (
            intents,
            "amount=3000&currency=nzd&ammount=1",
            "ammount",
            "parameter_unknown",
        ),
        (
            "/v1/refunds",
            "payment_intent=pi_0",
            "payment_intent",
            "resource_missing",
        ),
        (
            "/v1/refunds",
            "amount=1",
            "payment_intent",
            "parameter_missing",
        ),
    ] {
        let seen = shop.raw("POST", path, "k", form).await;
        let error = &seen.body["error"];
        assert_eq!(
            (&error["param"], &error["code"]),
            (&param.into(), &code.into())
        );
    }
    assert_eq!(shop.world.sandbox.payments(&Default::default()).count, 0);
}

#[tokio::test]
async fn what_is_written_on_an_intent_is_read_again() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let path = format!(
        "/v1/payment_intents/{}?expand[]=latest_charge",
        payment.handle.unwrap()
    );
    let intent = shop.raw("GET", &path, "", "").await.body;
    for of in [&intent, &intent["latest_charge"]] {
        let metadata: &Value = &of["metadata"];
        assert_eq!(*metadata, serde_json::json!({ "out_trade_no": number(1) }));
    }
    assert_eq!(intent["description"], "Consultation");
    assert_eq!(intent["currency"], "nzd");
    let seen = shop
        .raw("GET", &path.replace("latest", "other"), "", "")
        .await;
    assert_eq!(seen.status, 400);
}
