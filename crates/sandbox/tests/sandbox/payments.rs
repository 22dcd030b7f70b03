//! Prepay, query, close, and who may ask.

use crate::harness::{StandingClock, TempDir, World, payment};
use connectors::gateway::{GatewayError, Notice, PaymentGateway, PaymentState, StartPayment};
use connectors::rsa::VerifyingKey;
use connectors::wechat_pay::signature::payer_message;
use connectors::wechat_pay::{PlatformKey, WechatPay, WechatPayConfig};
use domain::payment::{Method, PayWith};
use domain::{Money, Span};
use std::time::Duration;

fn code<T: std::fmt::Debug>(result: Result<T, GatewayError>) -> String {
    match result.unwrap_err() {
        GatewayError::Refused { code, .. } => code,
        other => panic!("not refused: {other}"),
    }
}

#[tokio::test]
async fn a_payment_is_started_paid_and_told() {
    let world = World::new().await;
    assert_eq!(world.query("ORDER-0001").await, Ok(PaymentState::NotFound));
    let PayWith::InApp { fields } = world.start("ORDER-0001", 3000).await.pay_with else {
        panic!("not JSAPI");
    };
    assert_eq!(fields["appId"], world.values()["WECHAT_APPID"]);
    assert_eq!(fields["signType"], "RSA");
    assert!(
        fields["package"]
            .as_str()
            .unwrap()
            .starts_with("prepay_id=wx")
    );
    assert_eq!(world.query("ORDER-0001").await, Ok(PaymentState::Open));

    world.later(60);
    world
        .control("POST", "payments/ORDER-0001/pay", "")
        .await
        .unwrap();
    assert_eq!(world.sandbox.run_due().await, 1);
    let got = world.got();
    let [Ok(Notice::Paid { paid, .. })] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(paid.amount, Money::fen(3000));
    assert_eq!(paid.paid_at.unix_seconds(), world.now().unix_seconds());
    assert_eq!(
        world.query("ORDER-0001").await,
        Ok(PaymentState::Paid(paid.clone()))
    );
    assert_eq!(world.sandbox.totals().net_fen, 3000);
    assert_eq!(
        world.sandbox.run_due().await,
        0,
        "an accepted notice is not repeated"
    );
}

#[tokio::test]
async fn the_payers_fields_verify_with_the_merchants_key() {
    let world = World::new().await;
    let PayWith::InApp { fields } = world.start("ORDER-0001", 1).await.pay_with else {
        panic!("not JSAPI");
    };
    let text = |name: &str| fields[name].as_str().unwrap();
    let timestamp: i64 = text("timeStamp").parse().unwrap();
    assert_eq!(timestamp, world.now().unix_seconds());
    let message = payer_message(text("appId"), timestamp, text("nonceStr"), text("package"));
    // The public half, out of the private key that the merchant holds.
    let pem = public_pem(&world.values()["WECHAT_MERCHANT_KEY_FILE"]);
    assert!(
        VerifyingKey::from_spki_pem(&pem)
            .unwrap()
            .verifies(&message, text("paySign"))
    );
}

#[tokio::test]
async fn a_repeated_start_is_the_same_payment_and_another_is_refused() {
    let world = World::new().await;
    let first = payment("ORDER-0001", 3000, world.now());
    let package = async |payment: &StartPayment| {
        let started = world.gateway.start(payment, world.now()).await.unwrap();
        match started.pay_with {
            PayWith::InApp { fields } => fields["package"].clone(),
            other => panic!("not JSAPI: {other:?}"),
        }
    };
    assert_eq!(package(&first).await, package(&first).await);
    let mut dearer = first.clone();
    dearer.payment.amount = Money::fen(3001);
    assert_eq!(
        code(world.gateway.start(&dearer, world.now()).await),
        "INVALID_REQUEST"
    );
    let mut longer = first.clone();
    longer.payment.expires_at = first.payment.expires_at + Span::minutes(1);
    assert_eq!(
        code(world.gateway.start(&longer, world.now()).await),
        "INVALID_REQUEST"
    );

    world
        .control("POST", "payments/ORDER-0001/pay", "{}")
        .await
        .unwrap();
    assert_eq!(
        code(world.gateway.start(&first, world.now()).await),
        "OUT_TRADE_NO_USED"
    );
}

#[tokio::test]
async fn a_native_payment_has_a_code() {
    let world = World::new().await;
    // A pipe and a star are allowed in numbers, and must survive the URL.
    let mut native = payment("QR|2026*03-02_1", 50, world.now());
    native.payment.method = Method::NATIVE;
    native.payer = None;
    let started = world.gateway.start(&native, world.now()).await.unwrap();
    let PayWith::Qr { code_url } = started.pay_with else {
        panic!("not native")
    };
    assert!(code_url.starts_with("weixin://wxpay/bizpayurl?pr="));
    assert_eq!(world.query("QR|2026*03-02_1").await, Ok(PaymentState::Open));
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_before_it_is_sent() {
    let world = World::new().await;
    let good = payment("ORDER-0001", 1, world.now());
    let changes: [fn(&mut StartPayment); 5] = [
        |start| start.payment.out_trade_no = "short".to_owned(),
        |start| start.payment.out_trade_no = "../../../x".to_owned(),
        |start| start.payment.amount = Money::fen(0),
        |start| start.payment.amount = Money::new(1, domain::Currency::NZD),
        |start| start.payer = None,
    ];
    for change in changes {
        let mut wrong = good.clone();
        change(&mut wrong);
        assert_eq!(
            code(world.gateway.start(&wrong, world.now()).await),
            "PARAM_ERROR"
        );
    }
    let long = StartPayment {
        description: "费".repeat(500),
        ..good
    };
    world.gateway.start(&long, world.now()).await.unwrap();
    let kept = world.sandbox.payment("ORDER-0001").unwrap().description;
    assert_eq!(kept, "费".repeat(127));
}

#[tokio::test]
async fn a_closed_payment_stays_closed_and_a_paid_one_is_not_closed() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    world.close("ORDER-0001").await.unwrap();
    world.close("ORDER-0001").await.unwrap();
    assert_eq!(world.query("ORDER-0001").await, Ok(PaymentState::Closed));
    let again = payment("ORDER-0001", 3000, world.now());
    assert_eq!(
        code(world.gateway.start(&again, world.now()).await),
        "ORDER_CLOSED"
    );
    let (status, words) = world
        .control("POST", "payments/ORDER-0001/pay", "{}")
        .await
        .unwrap_err();
    assert_eq!(status, 409, "{words}");

    world.paid("ORDER-0002", 3000).await;
    assert_eq!(code(world.close("ORDER-0002").await), "ORDERPAID");
    assert_eq!(code(world.close("ORDER-0003").await), "ORDER_NOT_EXIST");
}

#[tokio::test]
async fn after_its_time_a_payment_cannot_be_paid_but_is_still_open() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    world.later(24 * 3600);
    let (status, words) = world
        .control("POST", "payments/ORDER-0001/pay", "{}")
        .await
        .unwrap_err();
    assert_eq!(status, 409);
    assert!(words.contains("could be paid until"), "{words}");
    assert_eq!(world.query("ORDER-0001").await, Ok(PaymentState::Open));
}

#[tokio::test]
async fn a_payer_who_fails_is_told_by_query_only() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    for _ in 0..2 {
        world
            .control("POST", "payments/ORDER-0001/fail", "")
            .await
            .unwrap();
    }
    assert_eq!(world.sandbox.run_due().await, 0);
    let state = world.query("ORDER-0001").await;
    assert_eq!(
        state,
        Ok(PaymentState::Failed {
            reason: "支付失败".to_owned()
        })
    );
}

#[tokio::test]
async fn a_payer_who_failed_may_pay_after_all() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    for action in ["fail", "pay"] {
        world
            .control("POST", &format!("payments/ORDER-0001/{action}"), "")
            .await
            .unwrap();
    }
    let state = world.query("ORDER-0001").await;
    assert!(matches!(state, Ok(PaymentState::Paid(_))), "{state:?}");
}

#[tokio::test]
async fn an_unknown_start_is_found_by_the_same_number() {
    let world = World::new().await;
    let first = payment("ORDER-0001", 3000, world.now());
    world.faults(r#"{"unknownOutcome":"prepay"}"#).await;
    let lost = world.gateway.start(&first, world.now()).await.unwrap_err();
    assert!(matches!(lost, GatewayError::Unknown { .. }), "{lost}");
    assert_eq!(world.query("ORDER-0001").await, Ok(PaymentState::Open));
    world.faults("{}").await;
    world.gateway.start(&first, world.now()).await.unwrap();
    assert_eq!(world.sandbox.payments(&Default::default()).count, 1);

    world.faults(r#"{"unknownOutcome":"close"}"#).await;
    let lost = world.close("ORDER-0001").await.unwrap_err();
    assert!(matches!(lost, GatewayError::Unknown { .. }), "{lost}");
    assert_eq!(world.query("ORDER-0001").await, Ok(PaymentState::Closed));
}

#[tokio::test]
async fn down_slow_and_gone_are_told_apart() {
    let world = World::new().await;
    let first = payment("ORDER-0001", 3000, world.now());
    world.faults(r#"{"down":true}"#).await;
    let start = world.gateway.start(&first, world.now()).await.unwrap_err();
    assert!(matches!(start, GatewayError::Unknown { .. }), "{start}");
    let query = world.query("ORDER-0001").await.unwrap_err();
    assert!(matches!(query, GatewayError::Unavailable { .. }), "{query}");

    world.faults(r#"{"slowMillis":2000}"#).await;
    let hasty = WechatPayConfig {
        timeout: Duration::from_millis(300),
        ..world.config()
    };
    let hasty = WechatPay::new(hasty).unwrap();
    let start = hasty.start(&first, world.now()).await.unwrap_err();
    assert!(matches!(start, GatewayError::Unknown { .. }), "{start}");
    assert_eq!(
        world.sandbox.payments(&Default::default()).count,
        1,
        "it was done"
    );
    let query = hasty.query(&first.payment, world.now()).await.unwrap_err();
    assert!(matches!(query, GatewayError::Unavailable { .. }), "{query}");

    // Bound and let go again: nobody listens there.
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let gone = WechatPay::new(WechatPayConfig {
        base_url,
        ..world.config()
    })
    .unwrap();
    let start = gone.start(&first, world.now()).await.unwrap_err();
    assert!(matches!(start, GatewayError::Unavailable { .. }), "{start}");
}

#[tokio::test]
async fn forged_and_stale_requests_are_refused() {
    let world = World::new().await;
    let first = payment("ORDER-0001", 3000, world.now());
    let other = strangers().await;
    let forger = WechatPayConfig {
        merchant_private_key_pem: other.config().merchant_private_key_pem,
        ..world.config()
    };
    let forger = WechatPay::new(forger).unwrap();
    assert_eq!(code(forger.start(&first, world.now()).await), "SIGN_ERROR");
    let stranger = WechatPayConfig {
        merchant_serial: "00".to_owned(),
        ..world.config()
    };
    let stranger = WechatPay::new(stranger).unwrap();
    assert_eq!(
        code(stranger.start(&first, world.now()).await),
        "SIGN_ERROR"
    );
    assert_eq!(world.sandbox.payments(&Default::default()).count, 0);

    let unsigned = reqwest::Client::builder()
        .no_proxy()
        .user_agent("x")
        .build()
        .unwrap();
    let url = format!(
        "{}/v3/pay/transactions/out-trade-no/ORDER-0001?mchid=1",
        world.url
    );
    let answer = unsigned.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(answer.headers().contains_key("wechatpay-signature"));
}

#[tokio::test]
async fn an_answer_by_another_key_is_no_answer() {
    let world = World::new().await;
    let other = strangers().await;
    let mistaken = WechatPayConfig {
        platform_keys: vec![PlatformKey {
            serial: world.values()["WECHAT_PLATFORM_SERIAL"].clone(),
            pem: other.values()["WECHAT_PLATFORM_KEY_FILE"].clone(),
        }],
        ..world.config()
    };
    let mistaken = WechatPay::new(mistaken).unwrap();
    let first = payment("ORDER-0001", 3000, world.now());
    let start = mistaken.start(&first, world.now()).await.unwrap_err();
    assert!(matches!(start, GatewayError::Unknown { .. }), "{start}");
    // A "not found" that isn't proven isn't believed either.
    let unheard_of = payment("ORDER-0002", 3000, world.now()).payment;
    let query = mistaken.query(&unheard_of, world.now()).await.unwrap_err();
    assert!(matches!(query, GatewayError::Unavailable { .. }), "{query}");
}

/// A sandbox with keys of its own: those in memory share one set.
async fn strangers() -> World {
    let dir = TempDir::new();
    World::open(dir.config(), StandingClock::new(true)).await
}

pub fn public_pem(private_pem: &str) -> String {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::signature::KeyPair as _;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let text: String = private_pem
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let key = aws_lc_rs::rsa::KeyPair::from_pkcs8(&STANDARD.decode(text).unwrap()).unwrap();
    let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----")
}
