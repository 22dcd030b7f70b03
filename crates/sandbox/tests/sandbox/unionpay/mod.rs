//! UnionPay: the connector against its counterparty, with a payer's browser between them.

mod bills;
mod notices;
mod payments;
mod refunds;

use crate::harness::{StandingClock, World};
use connectors::gateway::{
    GatewayError, PaymentRef, PaymentState, RefundRef, RefundState, StartPayment, StartRefund,
};
use domain::payment::{GatewayName, Method, PayWith};
use domain::{Money, Span, Ts};
use sandbox::SandboxConfig;
use std::collections::BTreeMap;

/// The merchant's number of the payment `n`.
pub fn order(n: u32) -> String {
    format!("{n:032x}")
}

/// The merchant's number of the refund `n`.
pub fn refund_no(n: u32) -> String {
    format!("RF{n:032x}")
}

/// A world in which UnionPay is played, and a browser.
pub struct UnionPay {
    pub world: World,
    /// When all payments were asked for; each can be paid for a quarter of an hour.
    pub begun: Ts,
    browser: reqwest::Client,
}

impl UnionPay {
    pub async fn new() -> Self {
        Self::open(SandboxConfig::default()).await
    }

    pub async fn open(config: SandboxConfig) -> Self {
        let clock = StandingClock::new(true);
        let world = World::with(GatewayName::UNIONPAY, config, clock).await;
        let browser = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            begun: world.now(),
            world,
            browser,
        }
    }

    pub fn payment(&self, n: u32, fen: i64) -> PaymentRef {
        PaymentRef {
            out_trade_no: order(n),
            method: Method::FRONT,
            amount: Money::fen(fen),
            created_at: self.begun,
            expires_at: self.begun + Span::minutes(15),
            handle: None,
            transaction_id: None,
        }
    }

    /// The signed form of a payment.
    pub async fn form(&self, n: u32, fen: i64) -> (String, BTreeMap<String, String>) {
        let start = StartPayment {
            payment: self.payment(n, fen),
            description: "复诊问诊费".to_owned(),
            payer: None,
            client_ip: None,
            return_url: Some("http://127.0.0.1:9/orders/1?tab=pay&x=1".to_owned()),
        };
        let started = self.world.gateway.start(&start, self.world.now()).await;
        match started.unwrap().pay_with {
            PayWith::Form { action, fields } => (action, fields),
            other => panic!("{other:?}"),
        }
    }

    /// The browser posts a form.
    pub async fn post(&self, url: &str, fields: &BTreeMap<String, String>) -> reqwest::Response {
        let mut form = connectors::unionpay::fields::Fields::default();
        fields
            .iter()
            .for_each(|(name, value)| form.set(name, value));
        self.browser
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_form())
            .send()
            .await
            .unwrap()
    }

    /// The payer comes to UnionPay's page.
    pub async fn arrive(&self, n: u32, fen: i64) {
        let (action, fields) = self.form(n, fen).await;
        let answer = self.post(&action, &fields).await;
        assert_eq!(answer.status(), 303);
        assert_eq!(
            answer.headers()["location"],
            *format!("/cashier/{}", order(n))
        );
    }

    /// The payer pays, and the merchant hears of it or not.
    pub async fn pay(&self, n: u32, request: &str) {
        let path = format!("payments/{}/pay", order(n));
        self.world.control("POST", &path, request).await.unwrap();
        self.world.sandbox.run_due().await;
    }

    /// A payment that is paid and told of; gives UnionPay's number of it.
    pub async fn paid(&self, n: u32, fen: i64) -> String {
        self.arrive(n, fen).await;
        self.pay(n, "{}").await;
        assert_eq!(self.world.got().len(), 1);
        let payment = self.world.sandbox.payment(&order(n)).unwrap();
        payment.transaction_id.unwrap()
    }

    pub async fn query(&self, n: u32, fen: i64) -> Result<PaymentState, GatewayError> {
        let payment = self.payment(n, fen);
        self.world.gateway.query(&payment, self.world.now()).await
    }

    pub async fn close(&self, n: u32, fen: i64) -> Result<(), GatewayError> {
        let payment = self.payment(n, fen);
        self.world.gateway.close(&payment, self.world.now()).await
    }

    /// A refund of the payment `of`, which was paid with 3000 fen.
    pub fn refund(&self, of: u32, n: u32, fen: i64) -> StartRefund {
        let paid = self.world.sandbox.payment(&order(of)).unwrap();
        StartRefund {
            refund: RefundRef {
                payment: PaymentRef {
                    transaction_id: paid.transaction_id,
                    ..self.payment(of, 3000)
                },
                total: Money::fen(3000),
                out_refund_no: refund_no(n),
                amount: Money::fen(fen),
                sent_at: self.begun + Span::minutes(5),
                refund_id: None,
            },
            reason: "医生未接诊".to_owned(),
        }
    }

    pub async fn send(&self, refund: &StartRefund) -> Result<RefundState, GatewayError> {
        let state = self.world.gateway.refund(refund, self.world.now()).await;
        self.world.sandbox.run_due().await;
        state
    }

    pub async fn query_refund(&self, refund: &StartRefund) -> Result<RefundState, GatewayError> {
        let now = self.world.now();
        self.world.gateway.query_refund(&refund.refund, now).await
    }
}
