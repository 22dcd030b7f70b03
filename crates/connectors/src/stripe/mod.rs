//! Stripe for a direct merchant: cards over PaymentIntents, refunds, notices, the balance as bill.
//!
//! A thin client of our own: five calls and one HMAC. What comes from outside is read in
//! [`event`], [`signature`], [`bill`] and [`wire`], each without a request, so that anything can be
//! thrown at it.
//!
//! Check against Stripe's test mode before going live, since it was written down from memory: that
//! a charge carries the metadata of its intent; that a stored refusal comes with
//! `Idempotent-Replayed: true`, too; that cancelling a cancelled intent answers
//! `payment_intent_unexpected_state` with the intent in it; and the names of a refund's failures.

pub mod bill;
mod client;
mod config;
mod errors;
pub mod event;
mod payments;
mod refunds;
mod registration;
pub mod signature;
#[cfg(test)]
mod tests;
pub mod wire;

pub use client::API_VERSION;
pub use config::{StripeConfig, StripeConfigError};
pub use errors::read_error;
pub use registration::REGISTRATION;

use crate::gateway::{
    Answer, Bill, Callback, CallbackError, GatewayError, Heard, Notice, Operation, PaymentGateway,
    PaymentRef, PaymentStarted, PaymentState, RefundRef, RefundState, Reply, StartPayment,
    StartRefund, Terms,
};
use domain::payment::GatewayName;
use domain::{Currency, Money, Ts};
use errors::{BAD_PARAMETER, GATEWAY};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::json;
use signature::{SignatureError, WebhookSecret};
use std::fmt;

/// Stripe's ids are some thirty characters; they document 255.
const MAX_ID: usize = 255;

/// One merchant at Stripe.
pub struct Stripe {
    config: StripeConfig,
    base: Url,
    http: reqwest::Client,
    authorization: HeaderValue,
    webhook_secret: WebhookSecret,
    terms: Terms,
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stripe").field(&self.config).finish()
    }
}

impl Stripe {
    /// Checks the configuration; nothing is sent.
    pub fn new(config: StripeConfig) -> Result<Self, StripeConfigError> {
        let config::Parts {
            base,
            authorization,
            webhook_secret,
            http,
        } = config.parts()?;
        Ok(Self {
            config,
            base,
            http,
            authorization,
            webhook_secret,
            terms: registration::terms(),
        })
    }

    /// Verifies before it reads.
    fn read_callback(&self, callback: &Callback<'_>, now: Ts) -> Result<Notice, CallbackError> {
        let header = callback.header("stripe-signature");
        self.webhook_secret
            .verify(header, callback.body, now)
            .map_err(|error| match error {
                SignatureError::Stale { timestamp, now } => CallbackError::Stale { timestamp, now },
                SignatureError::Missing
                | SignatureError::Unreadable(_)
                | SignatureError::NoSignature
                | SignatureError::Mismatch => CallbackError::BadSignature(error.to_string()),
            })?;
        event::read_event(callback.body)
    }
}

impl PaymentGateway for Stripe {
    fn name(&self) -> GatewayName {
        GATEWAY
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn start<'a>(&'a self, payment: &'a StartPayment, _now: Ts) -> Answer<'a, PaymentStarted> {
        Box::pin(self.make_intent(payment))
    }

    fn query<'a>(&'a self, payment: &'a PaymentRef, _now: Ts) -> Answer<'a, PaymentState> {
        Box::pin(self.payment_state(payment))
    }

    fn close<'a>(&'a self, payment: &'a PaymentRef, _now: Ts) -> Answer<'a, ()> {
        Box::pin(self.cancel_intent(payment))
    }

    fn refund<'a>(&'a self, refund: &'a StartRefund, _now: Ts) -> Answer<'a, RefundState> {
        Box::pin(self.send_refund(&refund.refund))
    }

    fn query_refund<'a>(&'a self, refund: &'a RefundRef, _now: Ts) -> Answer<'a, RefundState> {
        Box::pin(self.refund_state(refund))
    }

    fn bill<'a>(&'a self, day: Date, now: Ts) -> Answer<'a, Bill> {
        Box::pin(self.fetch_bill(day, now))
    }

    /// Stripe counts days in UTC.
    fn bill_zone(&self) -> TimeZone {
        TimeZone::UTC
    }

    fn callback<'a>(&'a self, callback: &'a Callback<'a>, now: Ts) -> Heard<'a> {
        Box::pin(async move { self.read_callback(callback, now) })
    }

    fn received(&self) -> Reply {
        Reply::json(200, &json!({ "received": true }))
    }

    fn not_received(&self, status: u16, why: &str) -> Reply {
        Reply::json(status, &json!({ "received": false, "reason": why }))
    }
}

/// Refuses here what would change the URL's path.
fn check_id(operation: Operation, name: &str, prefix: &str, id: &str) -> Result<(), GatewayError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if id.starts_with(prefix) && id.len() <= MAX_ID && id.chars().all(allowed) {
        return Ok(());
    }
    let message = format!("{name} `{id}` is not {prefix} and letters and digits");
    Err(operation.refused(GATEWAY, BAD_PARAMETER, &message))
}

fn check_amount(operation: Operation, amount: Money) -> Result<(), GatewayError> {
    if amount.currency == Currency::NZD && amount.amount >= 1 {
        return Ok(());
    }
    let message = format!("Stripe takes NZD of at least 1 cent, not {amount}");
    Err(operation.refused(GATEWAY, BAD_PARAMETER, &message))
}
