//! Stripe's connector against Stripe's sandbox.

mod bills;
mod keys;
mod notices;
mod payments;
mod refunds;

use crate::harness::{StandingClock, World};
use connectors::gateway::{
    GatewayError, PaymentRef, PaymentStarted, PaymentState, RefundRef, RefundState, StartPayment,
    StartRefund,
};
use domain::payment::{GatewayName, Method};
use domain::{Currency, Money, Span};
use sandbox::SandboxConfig;
use serde_json::Value;

/// A shop with an account at Stripe.
struct Shop {
    world: World,
    client: reqwest::Client,
}

/// What Stripe answers, seen without the connector.
struct Seen {
    status: u16,
    replayed: bool,
    body: Value,
}

impl Shop {
    async fn open() -> Self {
        Self::opened(SandboxConfig::default(), StandingClock::new(true)).await
    }

    async fn opened(config: SandboxConfig, clock: std::sync::Arc<StandingClock>) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            world: World::with(GatewayName::STRIPE, config, clock).await,
            client,
        }
    }

    fn start_of(&self, payment: u32, cents: i64) -> StartPayment {
        StartPayment {
            payment: PaymentRef {
                out_trade_no: number(payment),
                method: Method::CARD,
                amount: dollars(cents),
                created_at: self.world.now(),
                expires_at: self.world.now() + Span::minutes(30),
                handle: None,
                transaction_id: None,
            },
            description: "Consultation".to_owned(),
            payer: None,
            client_ip: None,
            return_url: None,
        }
    }

    async fn try_start(&self, payment: u32, cents: i64) -> Result<PaymentStarted, GatewayError> {
        let start = self.start_of(payment, cents);
        self.world.gateway.start(&start, self.world.now()).await
    }

    /// A payment that waits for its payer.
    async fn started(&self, payment: u32, cents: i64) -> PaymentRef {
        let handle = self.try_start(payment, cents).await.unwrap().handle;
        PaymentRef {
            handle,
            ..self.start_of(payment, cents).payment
        }
    }

    /// A payment that was paid, told and taken.
    async fn paid(&self, payment: u32, cents: i64) -> PaymentRef {
        let started = self.started(payment, cents).await;
        self.pay(payment, "{}").await;
        self.world.sandbox.run_due().await;
        self.world.got();
        PaymentRef {
            transaction_id: started.handle.clone(),
            ..started
        }
    }

    async fn pay(&self, payment: u32, how: &str) {
        let path = format!("payments/{}/pay", number(payment));
        self.world.control("POST", &path, how).await.unwrap();
    }

    async fn query(&self, payment: &PaymentRef) -> PaymentState {
        let told = self.world.gateway.query(payment, self.world.now()).await;
        told.unwrap()
    }

    async fn close(&self, payment: &PaymentRef) -> Result<(), GatewayError> {
        self.world.gateway.close(payment, self.world.now()).await
    }

    async fn refund(&self, refund: &RefundRef) -> Result<RefundState, GatewayError> {
        let start = StartRefund {
            refund: refund.clone(),
            reason: "医生未接诊".to_owned(),
        };
        self.world.gateway.refund(&start, self.world.now()).await
    }

    async fn query_refund(&self, refund: &RefundRef) -> Result<RefundState, GatewayError> {
        let now = self.world.now();
        self.world.gateway.query_refund(refund, now).await
    }

    async fn outcome(&self, number: &str, outcome: &str) {
        let path = format!("refunds/{number}/outcome");
        self.world.control("POST", &path, outcome).await.unwrap();
    }

    /// Cents that Stripe holds for the shop.
    fn net(&self) -> i64 {
        let totals = self.world.sandbox.totals();
        let ours = totals.gateways.iter().find(|totals| {
            totals.gateway == GatewayName::STRIPE && totals.currency == Currency::NZD
        });
        ours.map_or(0, |totals| totals.net)
    }

    /// Asks Stripe without the connector, with the shop's key.
    async fn raw(&self, method: &str, path: &str, key: &str, form: &str) -> Seen {
        let values = self.world.sandbox.values(GatewayName::STRIPE, "").unwrap();
        self.raw_as(&values["STRIPE_SECRET_KEY"], method, path, key, form)
            .await
    }

    async fn raw_as(&self, secret: &str, method: &str, path: &str, key: &str, form: &str) -> Seen {
        let answer = self
            .client
            .request(method.parse().unwrap(), format!("{}{path}", self.world.url))
            .bearer_auth(secret)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("idempotency-key", key)
            .body(form.to_owned())
            .send()
            .await
            .unwrap();
        assert!(answer.headers().contains_key("request-id"));
        let replayed = answer.headers().get("idempotent-replayed");
        Seen {
            status: answer.status().as_u16(),
            replayed: replayed.is_some_and(|value| value == "true"),
            body: answer.json().await.unwrap(),
        }
    }
}

fn number(payment: u32) -> String {
    format!("{payment:032x}")
}

fn refund_number(refund: u32) -> String {
    format!("RF{refund:032x}")
}

fn dollars(cents: i64) -> Money {
    Money::new(cents, Currency::NZD)
}

fn refund_of(payment: &PaymentRef, refund: u32, cents: i64) -> RefundRef {
    RefundRef {
        payment: payment.clone(),
        total: payment.amount,
        out_refund_no: refund_number(refund),
        amount: dollars(cents),
        sent_at: payment.created_at,
        refund_id: None,
    }
}

fn code<T: std::fmt::Debug>(told: Result<T, GatewayError>) -> String {
    match told.unwrap_err() {
        GatewayError::Refused { code, .. } => code,
        other => panic!("not refused: {other}"),
    }
}

fn is_unknown<T>(told: &Result<T, GatewayError>) -> bool {
    matches!(told, Err(GatewayError::Unknown { .. }))
}

fn is_unavailable<T>(told: &Result<T, GatewayError>) -> bool {
    matches!(told, Err(GatewayError::Unavailable { .. }))
}

fn has_succeeded(told: &Result<RefundState, GatewayError>) -> bool {
    matches!(told, Ok(RefundState::Succeeded { .. }))
}

fn is_processing(told: &Result<RefundState, GatewayError>) -> bool {
    matches!(told, Ok(RefundState::Processing { refund_id: Some(id) }) if id.starts_with("re_"))
}
