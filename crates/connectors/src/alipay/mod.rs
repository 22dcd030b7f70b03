//! Alipay's OpenAPI, version 1: page, wap, in-app and QR payments, refunds, notices, bills.
//!
//! Every request is a form to one address, signed over its sorted parameters. Every answer is
//! verified over the bytes of its inner object, and every notice over its decoded values, before a
//! field of it is read. What a counterparty needs to play the other end ([`signature`], [`form`],
//! [`answer`], [`wire`]) is public, and so is whatever reads bytes from outside ([`bill`]).

pub mod answer;
pub mod bill;
mod client;
mod config;
mod errors;
pub mod form;
mod notify;
mod payment;
mod refund;
mod registration;
pub mod signature;
#[cfg(test)]
mod tests;
pub mod wire;

pub use config::{AlipayConfig, AlipayConfigError};
pub use registration::REGISTRATION;

use crate::gateway::{
    Answer, Bill, Callback, GatewayError, Heard, Operation, PaymentGateway, PaymentRef,
    PaymentStarted, PaymentState, RefundRef, RefundState, Reply, StartPayment, StartRefund, Terms,
};
use crate::rsa::{SigningKey, VerifyingKey};
use domain::payment::GatewayName;
use domain::{Currency, Money, Ts};
use errors::GATEWAY;
use jiff::civil::Date;
use reqwest::Url;
use std::fmt;

/// The largest amount that Alipay takes, in fen. From memory: check before going live.
const MAX_AMOUNT: i64 = 10_000_000_000;

/// One app of one merchant at Alipay.
pub struct Alipay {
    config: AlipayConfig,
    gateway_url: Url,
    http: reqwest::Client,
    app_key: SigningKey,
    alipay_key: VerifyingKey,
    terms: Terms,
}

impl fmt::Debug for Alipay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alipay").field(&self.config).finish()
    }
}

impl Alipay {
    /// Checks the configuration; nothing is sent.
    pub fn new(config: AlipayConfig) -> Result<Self, AlipayConfigError> {
        let config::Parts {
            gateway_url,
            app_key,
            alipay_key,
            http,
        } = config.parts()?;
        Ok(Self {
            config,
            gateway_url,
            http,
            app_key,
            alipay_key,
            terms: registration::terms(),
        })
    }
}

impl PaymentGateway for Alipay {
    fn name(&self) -> GatewayName {
        GATEWAY
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn start<'a>(&'a self, payment: &'a StartPayment, now: Ts) -> Answer<'a, PaymentStarted> {
        Box::pin(self.start_payment(payment, now))
    }

    fn query<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, PaymentState> {
        Box::pin(self.payment_state(&payment.out_trade_no, now))
    }

    fn close<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, ()> {
        Box::pin(self.close_payment(&payment.out_trade_no, now))
    }

    fn refund<'a>(&'a self, refund: &'a StartRefund, now: Ts) -> Answer<'a, RefundState> {
        Box::pin(self.send_refund(refund, now))
    }

    fn query_refund<'a>(&'a self, refund: &'a RefundRef, now: Ts) -> Answer<'a, RefundState> {
        Box::pin(self.refund_state(refund, now))
    }

    fn bill<'a>(&'a self, day: Date, now: Ts) -> Answer<'a, Bill> {
        Box::pin(self.fetch_bill(day, now))
    }

    fn callback<'a>(&'a self, callback: &'a Callback<'a>, _now: Ts) -> Heard<'a> {
        Box::pin(async move { self.read_notice(callback.body) })
    }

    /// Exactly these seven letters; anything else is "no" to Alipay.
    fn received(&self) -> Reply {
        Reply::text(200, "success")
    }

    fn not_received(&self, status: u16, _why: &str) -> Reply {
        Reply::text(status, "fail")
    }
}

/// Refuses here what Alipay would refuse.
fn check_number(operation: Operation, name: &str, number: &str) -> Result<(), GatewayError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (1..=64).contains(&number.len()) && number.bytes().all(allowed) {
        return Ok(());
    }
    let message = format!("{name} `{number}` must be 1 to 64 letters, digits or `_`");
    Err(operation.refused(GATEWAY, "INVALID_PARAMETER", &message))
}

fn check_amount(operation: Operation, amount: Money) -> Result<(), GatewayError> {
    if amount.currency == Currency::CNY && (1..=MAX_AMOUNT).contains(&amount.amount) {
        return Ok(());
    }
    let message = format!("Alipay takes CNY of 0.01 to 100,000,000.00, not {amount}");
    Err(operation.refused(GATEWAY, "INVALID_PARAMETER", &message))
}

/// The text's first characters, whole ones.
fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// A time that Alipay may leave out although it says that the thing was done. That it was done is
/// what counts, so that our own time stands in; a time that can't be read is no time at all.
fn time_or(now: Ts, name: &str, text: Option<&str>) -> Result<Ts, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(now);
    };
    wire::read_time(text).ok_or_else(|| format!("{name} `{text}` is no time"))
}
