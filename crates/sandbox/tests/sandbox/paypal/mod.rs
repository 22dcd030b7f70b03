//! PayPal's connector against PayPal, played, over real HTTP on loopback.

mod bills;
mod payments;
mod refunds;
mod webhooks;

use crate::harness::{StandingClock, World};
use connectors::gateway::{
    GatewayError, Notice, PaidNotice, PaymentRef, PaymentState, RefundRef, RefundState,
    StartPayment, StartRefund,
};
use domain::payment::{GatewayName, Method, PayWith};
use domain::{Currency, Money, Span};
use sandbox::SandboxConfig;
use sandbox::views::GatewayTotals;

const NUMBER: &str = "0193a5b2c3d4e5f60718293a4b5c6d7e";

async fn world() -> World {
    let clock = StandingClock::new(true);
    World::with(GatewayName::PAYPAL, SandboxConfig::default(), clock).await
}

fn nzd(cents: i64) -> Money {
    Money::new(cents, Currency::NZD)
}

/// To be paid within five minutes.
fn new_payment(world: &World, number: &str) -> StartPayment {
    StartPayment {
        payment: PaymentRef {
            out_trade_no: number.to_owned(),
            method: Method::CHECKOUT,
            amount: nzd(11_500),
            created_at: world.now(),
            expires_at: world.now() + Span::minutes(5),
            handle: None,
            transaction_id: None,
        },
        description: "视频问诊 VC202603020001".to_owned(),
        payer: None,
        client_ip: None,
        return_url: Some("https://hospital.example/pay/back".to_owned()),
    }
}

/// Started: the payment as the engine then knows it, and PayPal's page.
async fn started(world: &World, number: &str) -> (PaymentRef, String) {
    let start = new_payment(world, number);
    let started = world.gateway.start(&start, world.now()).await.unwrap();
    let PayWith::Redirect { url } = started.pay_with else {
        panic!("no page to go to")
    };
    let payment = PaymentRef {
        handle: started.handle,
        ..start.payment
    };
    (payment, url)
}

/// The payer agrees, with these words to the control API.
async fn agree(world: &World, number: &str, how: &str) {
    let path = format!("payments/{number}/pay");
    world.control("POST", &path, how).await.unwrap();
}

/// Agreed to and captured: the payment as the engine then knows it.
async fn paid(world: &World, number: &str) -> PaymentRef {
    let (payment, _) = started(world, number).await;
    agree(world, number, "{}").await;
    let notice = is_paid(world.gateway.collect(&payment, world.now()).await);
    world.sandbox.run_due().await;
    let told = world.got();
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    PaymentRef {
        transaction_id: Some(notice.transaction_id),
        ..payment
    }
}

fn is_paid(state: Result<PaymentState, GatewayError>) -> PaidNotice {
    match state {
        Ok(PaymentState::Paid(paid)) => paid,
        other => panic!("not paid: {other:?}"),
    }
}

fn refund_number(digit: u32) -> String {
    format!("RF{digit:032}")
}

fn new_refund(payment: &PaymentRef, number: &str, cents: i64) -> StartRefund {
    StartRefund {
        refund: RefundRef {
            payment: payment.clone(),
            total: payment.amount,
            out_refund_no: number.to_owned(),
            amount: nzd(cents),
            sent_at: payment.created_at,
            refund_id: None,
        },
        reason: "医生未接诊".to_owned(),
    }
}

async fn send(world: &World, refund: &StartRefund) -> Result<RefundState, GatewayError> {
    world.gateway.refund(refund, world.now()).await
}

fn code<T: std::fmt::Debug>(outcome: Result<T, GatewayError>) -> String {
    match outcome.unwrap_err() {
        GatewayError::Refused { code, .. } => code,
        other => panic!("not refused: {other}"),
    }
}

fn is_unknown<T: std::fmt::Debug>(outcome: &Result<T, GatewayError>) -> bool {
    matches!(outcome, Err(GatewayError::Unknown { .. }))
}

/// The valid notices since it was last asked.
fn told(world: &World) -> Vec<Notice> {
    let got = world.got().into_iter();
    got.map(|notice| notice.unwrap()).collect()
}

/// What the book says of PayPal: cents paid, given back, and left.
fn book(world: &World) -> (i64, i64, i64) {
    let GatewayTotals {
        paid,
        refunded,
        net,
        ..
    } = world
        .sandbox
        .gateway_totals(GatewayName::PAYPAL, Currency::NZD);
    (paid.amount, refunded.amount, net)
}
