//! Single notices: each gateway's connector takes them for what they are.

use crate::harness::{StandingClock, World};
use connectors::gateway::{Callback, CallbackError, Notice};
use domain::payment::{GatewayName, Method};
use domain::{Currency, Money, Ts};
use sandbox::{PaidPayment, PostedNotice, SandboxConfig};

const NUMBER: &str = "0193a5b2c3d4e5f60718293a4b5c6d7e";
const GATEWAYS: [(GatewayName, Method, Currency); 5] = [
    (GatewayName::WECHAT, Method::NATIVE, Currency::CNY),
    (GatewayName::ALIPAY, Method::PRECREATE, Currency::CNY),
    (GatewayName::UNIONPAY, Method::FRONT, Currency::CNY),
    (GatewayName::PAYPAL, Method::CHECKOUT, Currency::NZD),
    (GatewayName::STRIPE, Method::CARD, Currency::NZD),
];

async fn world(gateway: GatewayName) -> World {
    World::with(gateway, SandboxConfig::default(), StandingClock::new(true)).await
}

fn paid(
    world: &World,
    (gateway, method, currency): (GatewayName, Method, Currency),
) -> PaidPayment {
    PaidPayment {
        gateway,
        out_trade_no: NUMBER.to_owned(),
        method,
        amount: Money::new(3_000, currency),
        handle: "2026030222001400000000000001".to_owned(),
        asked_at: world.now(),
        base_url: world.url.clone(),
    }
}

async fn heard(world: &World, posted: &PostedNotice, now: Ts) -> Result<Notice, CallbackError> {
    let callback = Callback {
        headers: &posted.headers,
        body: &posted.body,
    };
    world.gateway.callback(&callback, now).await
}

#[tokio::test]
async fn a_single_notice_proves_the_payment_and_leaves_the_book_empty() {
    for each in GATEWAYS {
        let world = world(each.0).await;
        let posted = world.sandbox.notice_of(&paid(&world, each)).unwrap();
        let notice = heard(&world, &posted, world.now()).await;
        let Ok(Notice::Paid { paid, .. }) = notice else {
            panic!("{}: {notice:?}", each.0)
        };
        assert_eq!(paid.out_trade_no, NUMBER, "{}", each.0);
        assert_eq!(paid.amount, Money::new(3_000, each.2), "{}", each.0);
        assert!(world.sandbox.payment(NUMBER).is_err(), "{}", each.0);
    }
}

#[tokio::test]
async fn a_single_notice_that_was_changed_is_not_believed() {
    for each in GATEWAYS {
        let world = world(each.0).await;
        let mut posted = world.sandbox.notice_of(&paid(&world, each)).unwrap();
        // A digit of the payment's number, or of what it is sealed in.
        let at = posted.body.len() / 2;
        posted.body[at] ^= 1;
        let notice = heard(&world, &posted, world.now()).await;
        assert!(
            matches!(notice, Err(CallbackError::BadSignature(_))),
            "{}: {notice:?}",
            each.0
        );
    }
}

#[tokio::test]
async fn without_an_address_there_is_no_notice() {
    let world = world(GatewayName::STRIPE).await;
    let webhook = sandbox::views::Webhook {
        gateway: GatewayName::STRIPE,
        url: None,
    };
    world.sandbox.set_webhook(webhook).unwrap();
    let refused = world.sandbox.notice_of(&paid(&world, GATEWAYS[4]));
    let why = refused.unwrap_err().to_string();
    assert!(why.contains("nowhere to send it"), "{why}");
}
