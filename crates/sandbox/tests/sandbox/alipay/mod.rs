//! Alipay's connector against Alipay's sandbox.

mod bills;
mod notices;
mod payments;
mod refunds;

use crate::harness::{self, StandingClock, World};
use connectors::gateway::{GatewayError, Notice, PaymentState, RefundState, StartPayment};
use domain::payment::{GatewayName, Method, PayWith};
use sandbox::SandboxConfig;

const METHODS: [Method; 4] = [Method::PAGE, Method::WAP, Method::PRECREATE, Method::CREATE];
const RETURN_URL: &str = "https://hospital.example/pay/done?order=1";

async fn world() -> World {
    let clock = StandingClock::new(true);
    World::with(GatewayName::ALIPAY, SandboxConfig::default(), clock).await
}

/// `ORDER0001` and 30 yuan, by this method.
fn payment(world: &World, method: Method) -> StartPayment {
    let mut start = harness::payment("ORDER0001", 3000, world.now());
    start.payment.method = method;
    start.payer = (method == Method::CREATE).then(|| "2088102122524333".to_owned());
    start.return_url = Some(RETURN_URL.to_owned());
    start
}

/// Starts a payment and brings the payer there: to the page, or to what the code leads to.
async fn opened(world: &World, start: &StartPayment) {
    let started = world.gateway.start(start, world.now()).await.unwrap();
    match started.pay_with {
        PayWith::Redirect { url } | PayWith::Qr { code_url: url } => {
            let cashier = format!("/cashier/{}", start.payment.out_trade_no);
            assert_eq!(location(world, "GET", path(world, &url)).await, cashier);
            assert_eq!(world.browse("GET", &cashier, "zh").await.status(), 200);
        }
        PayWith::InApp { fields } => {
            assert_eq!(fields["tradeNO"].as_str(), started.handle.as_deref());
        }
        other => panic!("{other:?}"),
    }
}

/// A payment that is paid and told of.
async fn paid(world: &World, out_trade_no: &str, fen: i64) {
    let mut start = payment(world, Method::PRECREATE);
    out_trade_no.clone_into(&mut start.payment.out_trade_no);
    start.payment.amount = domain::Money::fen(fen);
    opened(world, &start).await;
    let pay = format!("payments/{out_trade_no}/pay");
    world.control("POST", &pay, "{}").await.unwrap();
    world.sandbox.run_due().await;
    let got = world.got();
    assert!(
        matches!(got.as_slice(), [Ok(Notice::Paid { .. })]),
        "{got:?}"
    );
}

fn path<'u>(world: &World, url: &'u str) -> &'u str {
    url.strip_prefix(&world.url).unwrap()
}

/// Where a browser is sent.
async fn location(world: &World, method: &str, path: &str) -> String {
    let answer = world.browse(method, path, "zh").await;
    assert_eq!(answer.status(), 303, "{method} {path}");
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn query(world: &World) -> PaymentState {
    world.query("ORDER0001").await.unwrap()
}

async fn query_refund(world: &World, number: &str, fen: i64) -> Result<RefundState, GatewayError> {
    let refund = harness::refund("ORDER0001", number, fen, 3000).refund;
    world.gateway.query_refund(&refund, world.now()).await
}

fn code(error: &GatewayError) -> &str {
    match error {
        GatewayError::Refused { code, .. } => code,
        other => panic!("not refused: {other}"),
    }
}
