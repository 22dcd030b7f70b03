//! PayPal, Orders v2: the payer agrees on PayPal's page, and then we capture.
//!
//! That second step is what sets PayPal apart: consent moves no money. An order that we don't
//! capture takes none, which is why giving one up needs no call ([`PayPal::close_order`]), and why
//! a payment is only [`PaymentState::Approved`] until [`PaymentGateway::collect`] was answered.
//!
//! What a counterparty needs to play the other end ([`wire`], [`report`], [`webhook`]) is public, and
//! so is everything that reads bytes from outside: [`wire`] by `serde`, [`standing`],
//! [`report::Info::line`], [`webhook::events::notice`], [`webhook::address::AllowedHosts::check`],
//! [`crate::rsa::CertifiedKey::from_pem`].

mod bill;
mod capturing;
mod client;
mod config;
mod errors;
mod orders;
mod refunds;
mod registration;
pub mod report;
pub mod standing;
#[cfg(test)]
mod tests;
mod token;
pub mod webhook;
pub mod wire;

pub use config::{PayPalConfig, PayPalConfigError};
pub use registration::REGISTRATION;

use crate::gateway::{
    Answer, Bill, Callback, Heard, Operation, PaymentGateway, PaymentRef, PaymentStarted,
    PaymentState, RefundRef, RefundState, Reply, StartPayment, StartRefund, Terms,
};
use capturing::Capturing;
use domain::Ts;
use domain::payment::GatewayName;
use errors::GATEWAY;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use std::fmt;
use token::Tokens;
use webhook::address::AllowedHosts;
use webhook::certificates::Certificates;

/// One merchant at PayPal.
pub struct PayPal {
    config: PayPalConfig,
    http: reqwest::Client,
    tokens: Tokens,
    certificates: Certificates,
    capturing: Capturing,
    /// The other end is a sandbox on this machine.
    on_this_machine: bool,
    terms: Terms,
}

impl fmt::Debug for PayPal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PayPal").field(&self.config).finish()
    }
}

impl PayPal {
    /// Checks the configuration; nothing is sent.
    pub fn new(config: PayPalConfig) -> Result<Self, PayPalConfigError> {
        let base = config.checked()?;
        let http = crate::http::client(&base, config.timeout)?;
        Ok(Self {
            config,
            certificates: Certificates::new(http.clone(), AllowedHosts::of(&base)),
            http,
            tokens: Tokens::default(),
            capturing: Capturing::default(),
            on_this_machine: config::is_on_this_machine(&base),
            terms: registration::terms(),
        })
    }
}

impl PaymentGateway for PayPal {
    fn name(&self) -> GatewayName {
        GATEWAY
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn start<'a>(&'a self, payment: &'a StartPayment, now: Ts) -> Answer<'a, PaymentStarted> {
        Box::pin(self.create_order(payment, now))
    }

    fn query<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, PaymentState> {
        Box::pin(self.order_state(Operation::Query, payment, now))
    }

    fn collect<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, PaymentState> {
        Box::pin(self.capture_order(payment, now))
    }

    fn collects(&self) -> bool {
        true
    }

    fn close<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, ()> {
        Box::pin(self.close_order(payment, now))
    }

    fn refund<'a>(&'a self, refund: &'a StartRefund, now: Ts) -> Answer<'a, RefundState> {
        Box::pin(self.send_refund(refund, now))
    }

    fn query_refund<'a>(&'a self, refund: &'a RefundRef, now: Ts) -> Answer<'a, RefundState> {
        Box::pin(self.ask_refund(refund, now))
    }

    fn bill<'a>(&'a self, day: Date, now: Ts) -> Answer<'a, Bill> {
        Box::pin(self.day_bill(day, now))
    }

    /// Its bills' days are in UTC.
    fn bill_zone(&self) -> TimeZone {
        TimeZone::UTC
    }

    fn callback<'a>(&'a self, callback: &'a Callback<'a>, now: Ts) -> Heard<'a> {
        Box::pin(self.read_callback(callback, now))
    }

    fn received(&self) -> Reply {
        Reply::json(200, &json!({ "received": true }))
    }

    fn not_received(&self, status: u16, why: &str) -> Reply {
        Reply::json(status, &json!({ "received": false, "why": why }))
    }
}
