//! The control API's own manners.

use crate::harness::{StandingClock, World};
use sandbox::SandboxConfig;
use serde_json::json;

#[tokio::test]
async fn mistakes_are_named() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    let pay = "payments/ORDER-0001/pay";
    for (method, path, body, status, words) in [
        ("POST", "payments/ORDER-0009/pay", "{}", 404, "ORDER-0009"),
        ("GET", "payments/ORDER-0009", "", 404, "ORDER-0009"),
        ("GET", "refunds/R9", "", 404, "R9"),
        ("POST", pay, r#"{"calback":"once"}"#, 400, "calback"),
        ("POST", pay, r#"{"callback":"thrice"}"#, 400, "thrice"),
        ("POST", pay, r#"{"amount":0}"#, 400, "amount"),
        ("POST", pay, r#"{"lateSeconds":5}"#, 400, "lateSeconds"),
        (
            "POST",
            pay,
            r#"{"callback":"wrong_amount","amount":3000}"#,
            400,
            "differ",
        ),
        ("POST", pay, "{", 400, "body"),
        ("PUT", "faults", r#"{"up":true}"#, 400, "up"),
        ("PUT", "faults", r#"{"refuseRefunds":"WHY"}"#, 400, "WHY"),
        (
            "PUT",
            "autopay",
            r#"{"enabled":true,"delaySeconds":99999999}"#,
            400,
            "delaySeconds",
        ),
        ("PUT", "autopay", "", 400, "enabled"),
        ("POST", "clock/advance", r#"{"seconds":0}"#, 400, "seconds"),
        ("GET", "payments?state=PAID", "", 400, "PAID"),
        ("GET", "payments?limit=0", "", 400, "limit"),
        ("GET", "refunds?order=1", "", 400, "order"),
        ("DELETE", "payments", "", 405, "openapi.json"),
        ("GET", "nowhere", "", 404, "openapi.json"),
    ] {
        let (got, message) = world.control(method, path, body).await.unwrap_err();
        assert_eq!(got, status, "{method} {path} {body}: {message}");
        assert!(message.contains(words), "{method} {path} {body}: {message}");
    }
    assert_eq!(world.sandbox.totals().paid.count, 0);
}

#[tokio::test]
async fn paying_twice_is_paying_once() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    let path = "payments/ORDER-0001/pay";
    let first = world
        .control("POST", path, r#"{"callback":"never"}"#)
        .await
        .unwrap();
    let second = world
        .control("POST", path, r#"{"callback":"never"}"#)
        .await
        .unwrap();
    assert_eq!(first, second);
    assert_eq!(world.control("POST", path, "{}").await.unwrap_err().0, 409);
    let book = world.control("GET", "book", "").await.unwrap();
    assert_eq!(
        book,
        json!({
            "paid": { "count": 1, "fen": 3000 },
            "refunded": { "count": 0, "fen": 0 },
            "netFen": 3000,
            "gateways": [{
                "gateway": "wechat",
                "currency": "CNY",
                "paid": { "count": 1, "amount": 3000 },
                "refunded": { "count": 0, "amount": 0 },
                "net": 3000,
            }],
        })
    );
}

#[tokio::test]
async fn payments_are_listed_newest_first() {
    let world = World::new().await;
    for number in 1..=3 {
        world.start(&format!("ORDER-000{number}"), 3000).await;
    }
    world
        .control("POST", "payments/ORDER-0002/pay", r#"{"callback":"never"}"#)
        .await
        .unwrap();
    let list = world
        .control("GET", "payments?state=NOTPAY&limit=1", "")
        .await
        .unwrap();
    assert_eq!(list["count"], 2);
    assert_eq!(list["payments"].as_array().unwrap().len(), 1);
    assert_eq!(list["payments"][0]["outTradeNo"], "ORDER-0003");
    let paid = world
        .control("GET", "payments/ORDER-0002", "")
        .await
        .unwrap();
    assert_eq!(
        (&paid["state"], &paid["paidTotal"]),
        (&json!("SUCCESS"), &json!(3000))
    );
    assert_eq!(
        world.control("GET", "refunds", "").await.unwrap()["count"],
        0
    );
}

#[tokio::test]
async fn a_real_clock_is_not_moved() {
    let world = World::open(SandboxConfig::default(), StandingClock::new(false)).await;
    let (status, words) = world
        .control("POST", "clock/advance", r#"{"seconds":60}"#)
        .await
        .unwrap_err();
    assert_eq!(
        (status, words.as_str()),
        (409, "this clock is the real one")
    );
    let clock = world.control("GET", "clock", "").await.unwrap();
    assert_eq!(clock["now"], "2026-03-02T01:00:00.500000Z");
}

#[tokio::test]
async fn everything_is_described() {
    let world = World::new().await;
    let description = world.control("GET", "openapi.json", "").await.unwrap();
    let paths = description["paths"].as_object().unwrap();
    for path in [
        "/control/payments",
        "/control/payments/{outTradeNo}",
        "/control/payments/{outTradeNo}/pay",
        "/control/payments/{outTradeNo}/fail",
        "/control/payments/{outTradeNo}/callback",
        "/control/refunds",
        "/control/refunds/{outRefundNo}",
        "/control/refunds/{outRefundNo}/outcome",
        "/control/book",
        "/control/faults",
        "/control/webhook",
        "/control/bills",
        "/control/bills/plant",
        "/control/autopay",
        "/control/clock",
        "/control/clock/advance",
    ] {
        assert!(paths.contains_key(path), "{path}");
    }
    assert!(description["paths"]["/control/faults"]["put"].is_object());
    assert!(description["paths"]["/control/faults"]["get"].is_object());
    let states = &description["components"]["schemas"]["PaymentState"]["enum"];
    assert_eq!(
        *states,
        json!([
            "NOTPAY", "APPROVED", "SUCCESS", "REFUND", "CLOSED", "PAYERROR"
        ])
    );
}
