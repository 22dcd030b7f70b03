//! UnionPay's online gateway, messages of version 5.1.0, for a merchant that is connected directly:
//! purchases on UnionPay's page, refunds, notices, settlement files.
//!
//! A purchase begins with a form that the payer's browser posts, so starting one sends nothing from
//! here, and until that form is posted UnionPay knows nothing of the order. Every answer and notice
//! brings its certificate along and is verified before a field of it is read. What a counterparty
//! needs to play the other end ([`certificate`], [`fields`], [`signature`], [`settlement_file`],
//! [`time`], [`wire`]) is public.
//!
//! Facts are from UnionPay's published interface pages (open.unionpay.com) and from the samples
//! that it gives to merchants. What those leave open is marked where it matters with "check before
//! going live".

mod bill;
mod callback;
pub mod certificate;
mod client;
mod codes;
mod config;
pub mod fields;
mod payment;
mod refund;
mod registration;
pub mod settlement_file;
pub mod signature;
#[cfg(test)]
mod tests;
pub mod time;
pub mod wire;

pub use config::{UnionPayConfig, UnionPayConfigError};
pub use registration::REGISTRATION;

use crate::gateway::{
    Answer, Bill, Callback, Heard, Operation, PaymentGateway, PaymentRef, PaymentStarted,
    PaymentState, RefundRef, RefundState, Reply, StartPayment, StartRefund, Terms,
};
use crate::rsa::SigningKey;
use certificate::Trust;
use codes::GATEWAY;
use config::Urls;
use domain::Ts;
use domain::payment::GatewayName;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fmt;
use time::SETTLEMENT_DAYS;

/// One merchant at UnionPay.
pub struct UnionPay {
    config: UnionPayConfig,
    urls: Urls,
    cert_id: String,
    signing_key: SigningKey,
    trust: Trust,
    http: reqwest::Client,
    file_http: reqwest::Client,
    terms: Terms,
}

impl fmt::Debug for UnionPay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnionPay").field(&self.config).finish()
    }
}

impl UnionPay {
    /// Checks the configuration; nothing is sent.
    pub fn new(config: UnionPayConfig) -> Result<Self, UnionPayConfigError> {
        let config::Parts {
            urls,
            cert_id,
            signing_key,
            trust,
            http,
            file_http,
        } = config.parts()?;
        Ok(Self {
            config,
            urls,
            cert_id,
            signing_key,
            trust,
            http,
            file_http,
            terms: registration::terms(),
        })
    }
}

impl PaymentGateway for UnionPay {
    fn name(&self) -> GatewayName {
        GATEWAY
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn start<'a>(&'a self, payment: &'a StartPayment, _now: Ts) -> Answer<'a, PaymentStarted> {
        Box::pin(async move { self.purchase_form(payment) })
    }

    fn query<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, PaymentState> {
        Box::pin(self.payment_state(Operation::Query, payment, now))
    }

    fn close<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, ()> {
        Box::pin(self.close_payment(payment, now))
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

    /// Its settlement days begin at 23:00 in Beijing.
    fn bill_zone(&self) -> TimeZone {
        TimeZone::fixed(SETTLEMENT_DAYS)
    }

    fn callback<'a>(&'a self, callback: &'a Callback<'a>, now: Ts) -> Heard<'a> {
        Box::pin(async move { self.read_callback(callback, now) })
    }

    fn received(&self) -> Reply {
        Reply::text(200, "ok")
    }

    fn not_received(&self, status: u16, why: &str) -> Reply {
        Reply::text(status, why)
    }
}
