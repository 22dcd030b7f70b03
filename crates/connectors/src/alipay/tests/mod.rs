//! The published samples and our own (`tests/vectors.json`), what is sent, what is believed, and
//! what must be refused.

mod answers;
mod calls;
mod notices;
mod requests;
mod settings;

use super::signature::Parameters;
use super::{Alipay, AlipayConfig};
use crate::gateway::{PaymentRef, RefundRef, StartPayment};
use crate::rsa::{SigningKey, VerifyingKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::payment::Method;
use domain::{Money, Ts};
use serde_json::Value;
use std::sync::LazyLock;
use std::time::Duration;

/// A private key and its public half, as Alipay's key tool writes them: Base64 without lines
/// around it. Making one takes long, so that all tests share two.
struct Keys {
    private: String,
    public: String,
}

impl Keys {
    fn make() -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let private: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        Self {
            private: STANDARD.encode(private.as_ref()),
            public: STANDARD.encode(public.as_ref()),
        }
    }

    fn signing(&self) -> SigningKey {
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
            self.private
        );
        SigningKey::from_pkcs8_pem(&pem).unwrap()
    }

    fn verifying(&self) -> VerifyingKey {
        VerifyingKey::from_spki_der(&STANDARD.decode(&self.public).unwrap()).unwrap()
    }
}

static APP: LazyLock<Keys> = LazyLock::new(Keys::make);
static ALIPAY: LazyLock<Keys> = LazyLock::new(Keys::make);

pub(super) fn at(text: &str) -> Ts {
    Ts::parse(text).unwrap()
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors.json")).unwrap()
}

fn vector(id: &str) -> Value {
    let all = vectors();
    let entries = all["vectors"].as_array().unwrap();
    let found = entries.iter().find(|entry| entry["id"] == id);
    found.unwrap_or_else(|| panic!("no vector {id}")).clone()
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    let text = vector[name].as_str();
    text.unwrap_or_else(|| panic!("no text {name}"))
}

fn parameters(vector: &Value) -> Parameters {
    serde_json::from_value(vector["params"].clone()).unwrap()
}

fn own_key() -> String {
    text(&vectors(), "own_test_rsa_public_key_spki_pem").to_owned()
}

fn config() -> AlipayConfig {
    AlipayConfig {
        gateway_url: "http://127.0.0.1:9/gateway.do".to_owned(),
        app_id: "2014072300007148".to_owned(),
        seller_id: "2088101106499364".to_owned(),
        app_private_key: APP.private.clone(),
        alipay_public_key: ALIPAY.public.clone(),
        notify_url: "https://example.com/api/v1/payments/webhook/alipay".to_owned(),
        timeout: Duration::from_secs(5),
    }
}

fn gateway() -> Alipay {
    Alipay::new(config()).unwrap()
}

fn payment(method: Method) -> StartPayment {
    StartPayment {
        payment: PaymentRef {
            out_trade_no: "0198b1c2d3e4f5a6978812345678abcd".to_owned(),
            method,
            amount: Money::fen(3000),
            created_at: at("2025-11-20T02:00:00Z"),
            expires_at: at("2025-11-20T02:30:00.5Z"),
            handle: None,
            transaction_id: None,
        },
        description: "复诊问诊费".to_owned(),
        payer: None,
        client_ip: None,
        return_url: Some("https://example.com/pay/done?order=1".to_owned()),
    }
}

pub(super) fn refund_ref() -> RefundRef {
    let mut payment = payment(Method::PAGE).payment;
    payment.out_trade_no = "CN202511200001".to_owned();
    RefundRef {
        payment,
        total: Money::fen(3000),
        out_refund_no: "RF202511200001".to_owned(),
        amount: Money::fen(1000),
        sent_at: at("2025-11-20T04:00:00Z"),
        refund_id: None,
    }
}
