//! Each method: paid, failed, left, closed; and who may ask.

use super::{METHODS, RETURN_URL, code, location, opened, path, payment, query, world};
use crate::harness::{StandingClock, TempDir, World, opened as opened_gateway};
use connectors::alipay::form::decode;
use connectors::alipay::signature::notice_message;
use connectors::gateway::{GatewayError, Notice, PaymentGateway, PaymentState, Values};
use connectors::rsa::VerifyingKey;
use domain::Money;
use domain::payment::{GatewayName, Method, PayWith};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn each_method_is_paid_and_told() {
    for method in METHODS {
        let world = world().await;
        assert_eq!(query(&world).await, PaymentState::NotFound, "{method}");
        opened(&world, &payment(&world, method)).await;
        assert_eq!(query(&world).await, PaymentState::Open, "{method}");
        world.later(60);
        world.browse("POST", "/cashier/ORDER0001/pay", "zh").await;
        assert_eq!(world.sandbox.run_due().await, 1);
        let got = world.got();
        let [Ok(Notice::Paid { paid, .. })] = got.as_slice() else {
            panic!("{method}: {got:?}")
        };
        assert_eq!(paid.amount, Money::fen(3000));
        assert_eq!(paid.paid_at.unix_seconds(), world.now().unix_seconds());
        assert_eq!(query(&world).await, PaymentState::Paid(paid.clone()));
        assert_eq!(world.sandbox.totals().net_fen, 3000);
        assert_eq!(
            world.sandbox.run_due().await,
            0,
            "an accepted notice is not repeated"
        );
        let closed = world.close("ORDER0001").await.unwrap_err();
        assert_eq!(code(&closed), "ACQ.TRADE_STATUS_ERROR");
    }
}

#[tokio::test]
async fn whoever_paid_on_a_page_comes_back_with_signed_parameters() {
    for (method, name) in [(Method::PAGE, "page"), (Method::WAP, "wap")] {
        let world = world().await;
        opened(&world, &payment(&world, method)).await;
        let back = location(&world, "POST", "/cashier/ORDER0001/pay").await;
        let query = back.strip_prefix(RETURN_URL).unwrap();
        let mut told = decode(query.strip_prefix('&').unwrap().as_bytes()).unwrap();
        let message = notice_message(&told);
        let sign = told.remove("sign").unwrap();
        let key = VerifyingKey::from_spki_pem(&values(&world)["ALIPAY_PUBLIC_KEY_FILE"]).unwrap();
        assert!(key.verifies(message.as_bytes(), &sign));
        assert_eq!(told["method"], format!("alipay.trade.{name}.pay.return"));
        assert_eq!(
            (&*told["out_trade_no"], &*told["total_amount"]),
            ("ORDER0001", "30.00")
        );
    }
}

#[tokio::test]
async fn whoever_fails_may_try_again_until_the_time_is_over() {
    for method in METHODS {
        let world = world().await;
        let start = payment(&world, method);
        opened(&world, &start).await;
        let failed = world.browse("POST", "/cashier/ORDER0001/fail", "en").await;
        assert_eq!(failed.status(), 200, "{method}");
        // The trade waits on: Alipay has no word for a payer who failed.
        assert_eq!(query(&world).await, PaymentState::Open, "{method}");
        opened(&world, &start).await;
        world
            .control("POST", "payments/ORDER0001/pay", "{}")
            .await
            .unwrap();
        assert!(
            matches!(query(&world).await, PaymentState::Paid(_)),
            "{method}"
        );
    }
}

#[tokio::test]
async fn whoever_leaves_leaves_it_open_and_in_time_it_closes_by_itself() {
    for method in METHODS {
        let world = world().await;
        let start = payment(&world, method);
        opened(&world, &start).await;
        if method == Method::WAP {
            let back = location(&world, "POST", "/cashier/ORDER0001/leave").await;
            assert_eq!(back, RETURN_URL, "without parameters: nothing was paid");
        } else {
            let left = world.browse("POST", "/cashier/ORDER0001/leave", "zh").await;
            assert_eq!(left.status(), 200, "{method}");
        }
        assert_eq!(query(&world).await, PaymentState::Open, "{method}");
        world.later(24 * 3600);
        assert_eq!(query(&world).await, PaymentState::Closed, "{method}");
        assert_eq!(world.close("ORDER0001").await, Ok(()), "closed is closed");
        let late = world.gateway.start(&start, world.now()).await.unwrap_err();
        assert_eq!(code(&late), "INVALID_PARAMETER");
        assert_eq!(world.sandbox.run_due().await, 0);
    }
}

#[tokio::test]
async fn each_method_is_closed() {
    for method in METHODS {
        let world = world().await;
        opened(&world, &payment(&world, method)).await;
        for _ in 0..2 {
            assert_eq!(world.close("ORDER0001").await, Ok(()), "{method}");
        }
        assert_eq!(query(&world).await, PaymentState::Closed, "{method}");
        let pay = world.control("POST", "payments/ORDER0001/pay", "{}").await;
        assert_eq!(pay.unwrap_err().0, 409, "{method}");
    }
}

#[tokio::test]
async fn what_no_browser_brought_and_nobody_scanned_does_not_exist() {
    for method in [Method::PAGE, Method::WAP, Method::PRECREATE] {
        let world = world().await;
        let start = payment(&world, method);
        let first = world.gateway.start(&start, world.now()).await.unwrap();
        assert_eq!(query(&world).await, PaymentState::NotFound, "{method}");
        // There is nothing to close, and its page can still be opened: that is late money.
        assert_eq!(world.close("ORDER0001").await, Ok(()), "{method}");
        let again = world.gateway.start(&start, world.now()).await.unwrap();
        assert_eq!(again, first, "{method}");
        opened(&world, &start).await;
        assert_eq!(query(&world).await, PaymentState::Open, "{method}");
    }
}

#[tokio::test]
async fn a_page_with_a_long_subject_is_a_form() {
    let world = world().await;
    let mut start = payment(&world, Method::PAGE);
    start.description = "诊".repeat(200);
    let started = world.gateway.start(&start, world.now()).await.unwrap();
    let PayWith::Form { action, fields } = started.pay_with else {
        panic!("no form")
    };
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let form = connectors::alipay::form::encode(&fields);
    let answer = client
        .post(action)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["location"], "/cashier/ORDER0001");
    assert_eq!(query(&world).await, PaymentState::Open);
}

#[tokio::test]
async fn a_number_has_one_trade_and_its_terms_stay() {
    let world = world().await;
    let start = payment(&world, Method::CREATE);
    let first = world.gateway.start(&start, world.now()).await.unwrap();
    world.later(5);
    let again = world.gateway.start(&start, world.now()).await.unwrap();
    assert_eq!(first, again);
    let mut dearer = start.clone();
    dearer.payment.amount = Money::fen(3001);
    let error = world.gateway.start(&dearer, world.now()).await.unwrap_err();
    assert_eq!(code(&error), "ACQ.CONTEXT_INCONSISTENT");
    world
        .control("POST", "payments/ORDER0001/pay", "{}")
        .await
        .unwrap();
    // Paid: the query tells, and nobody takes it for a refusal.
    let error = world.gateway.start(&start, world.now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unknown { .. }), "{error}");
    assert!(matches!(query(&world).await, PaymentState::Paid(_)));
}

#[tokio::test]
async fn an_unknown_start_or_close_is_resolved_by_the_query() {
    for method in [Method::PRECREATE, Method::CREATE] {
        let world = world().await;
        let start = payment(&world, method);
        world.faults(r#"{"unknownOutcome":"prepay"}"#).await;
        let lost = world.gateway.start(&start, world.now()).await.unwrap_err();
        assert!(matches!(lost, GatewayError::Unknown { .. }), "{lost}");
        world.faults("{}").await;
        opened(&world, &start).await;
        assert_eq!(world.sandbox.payments(&Default::default()).count, 1);
        world.faults(r#"{"unknownOutcome":"close"}"#).await;
        let lost = world.close("ORDER0001").await.unwrap_err();
        assert!(matches!(lost, GatewayError::Unknown { .. }), "{lost}");
        assert_eq!(query(&world).await, PaymentState::Closed);
    }
    // A page's answer goes to the browser; the trade is there all the same.
    let world = world().await;
    let start = payment(&world, Method::PAGE);
    let started = world.gateway.start(&start, world.now()).await.unwrap();
    let PayWith::Redirect { url } = started.pay_with else {
        panic!("no address")
    };
    world.faults(r#"{"unknownOutcome":"prepay"}"#).await;
    let answer = world.browse("GET", path(&world, &url), "zh").await;
    assert_eq!(answer.status(), 400);
    assert_eq!(query(&world).await, PaymentState::Open);
}

#[tokio::test]
async fn down_and_slow_are_told_apart() {
    let world = world().await;
    let start = payment(&world, Method::PRECREATE);
    world.faults(r#"{"down":true}"#).await;
    let error = world.gateway.start(&start, world.now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unknown { .. }), "{error}");
    let error = world.query("ORDER0001").await.unwrap_err();
    assert!(matches!(error, GatewayError::Unavailable { .. }), "{error}");
    world.faults(r#"{"slowMillis":2000}"#).await;
    let hasty = reopened(&world, &[], Duration::from_millis(300));
    let error = hasty.start(&start, world.now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unknown { .. }), "{error}");
    assert_eq!(
        world.sandbox.payments(&Default::default()).count,
        1,
        "it was done"
    );
}

#[tokio::test]
async fn only_the_merchants_signature_opens_the_door_and_only_alipays_is_believed() {
    let world = world().await;
    let other = {
        let dir = TempDir::new();
        let clock = StandingClock::new(true);
        World::with(GatewayName::ALIPAY, dir.config(), clock).await
    };
    let theirs = values(&other);
    let start = payment(&world, Method::PRECREATE);
    let with = |name: &'static str| {
        let changed = [(name, theirs[name].as_str())];
        reopened(&world, &changed, Duration::from_secs(5))
    };
    let forger = with("ALIPAY_APP_KEY_FILE");
    let error = forger.start(&start, world.now()).await.unwrap_err();
    assert_eq!(code(&error), "isv.invalid-signature");
    // A browser with the forger's address sees an error, and no cashier.
    let page = forger
        .start(&payment(&world, Method::PAGE), world.now())
        .await;
    let PayWith::Redirect { url } = page.unwrap().pay_with else {
        panic!("no address")
    };
    let answer = world.browse("GET", path(&world, &url), "zh").await;
    assert_eq!(answer.status(), 400);
    let error = with("ALIPAY_APP_ID")
        .start(&start, world.now())
        .await
        .unwrap_err();
    assert_eq!(code(&error), "isv.invalid-app-id");
    assert_eq!(world.sandbox.payments(&Default::default()).count, 0);

    // Signed by somebody who is not Alipay: neither a yes nor a "not found" is believed.
    let mistaken = with("ALIPAY_PUBLIC_KEY_FILE");
    let error = mistaken.start(&start, world.now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unknown { .. }), "{error}");
    let error = mistaken
        .query(&start.payment, world.now())
        .await
        .unwrap_err();
    assert!(matches!(error, GatewayError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn strange_requests_are_answered() {
    let world = world().await;
    for (path, status) in [
        ("/gateway.do", 200),
        ("/gateway.do?method=%zz", 400),
        ("/gateway.do?method=alipay.trade.page.pay", 400),
        ("/alipay/qr/bax1", 404),
        ("/alipay/qr/1", 404),
        (
            "/downloadBillFile.resource?bizDates=2026-03-01&timestamp=9&token=0",
            403,
        ),
    ] {
        assert_eq!(
            world.browse("GET", path, "zh").await.status(),
            status,
            "{path}"
        );
    }
}

fn values(world: &World) -> BTreeMap<String, String> {
    let values = world
        .sandbox
        .values(GatewayName::ALIPAY, &world.url)
        .unwrap();
    let values = values.into_iter();
    values
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The connector with some settings changed.
fn reopened(world: &World, changed: &[(&str, &str)], timeout: Duration) -> Arc<dyn PaymentGateway> {
    let mut values = values(world);
    for (name, value) in changed {
        values.insert((*name).to_owned(), (*value).to_owned());
    }
    let values = Values {
        values,
        public_url: "http://127.0.0.1:9".to_owned(),
        timeout,
    };
    opened_gateway(GatewayName::ALIPAY, &values)
}
