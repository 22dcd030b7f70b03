//! Links to the page on which a payment is paid: good for whoever has them, signed, so that a
//! patient can pay on another device, and gateways can send the browser back without a sign-in.

use crate::engine::Engine;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{OrderId, PaymentId, Span, Ts};
use thiserror::Error;

/// How long after the payment's own end its page can still be looked at, for what came of it.
const AFTERWARDS: Span = Span::hours(24);

/// What leads to a payment's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayLink {
    /// Of which order.
    pub order: OrderId,
    /// Which payment.
    pub payment: PaymentId,
    /// Until when the page can be looked at, in whole seconds since 1970.
    pub until: i64,
    /// Our signature.
    pub signature: String,
}

/// Why a link leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PayLinkError {
    /// Not signed by us.
    #[error("this link was not made here, or was changed")]
    Forged,
    /// It was good once.
    #[error("this link is no longer good")]
    Expired,
}

impl PayLink {
    /// The path and query of the page.
    pub fn path(&self) -> String {
        let Self {
            order,
            payment,
            until,
            signature,
        } = self;
        format!("/pay/{order}/{payment}?until={until}&signature={signature}")
    }
}

impl Engine {
    /// The link to a payment's page; it can be looked at for a day after the payment's end.
    pub fn pay_link(&self, order: OrderId, payment: PaymentId, expires_at: Ts) -> PayLink {
        let until = (expires_at + AFTERWARDS).unix_seconds();
        let tag = hmac::sign(&self.link_key(), &message(order, payment, until));
        PayLink {
            order,
            payment,
            until,
            signature: URL_SAFE_NO_PAD.encode(tag),
        }
    }

    /// Refuses what we did not sign, and what was good once.
    pub fn check_pay_link(&self, link: &PayLink) -> Result<(), PayLinkError> {
        let tag = URL_SAFE_NO_PAD
            .decode(&link.signature)
            .map_err(|_| PayLinkError::Forged)?;
        let message = message(link.order, link.payment, link.until);
        hmac::verify(&self.link_key(), &message, &tag).map_err(|_| PayLinkError::Forged)?;
        if link.until <= self.now().unix_seconds() {
            return Err(PayLinkError::Expired);
        }
        Ok(())
    }

    /// The whole address of a payment's page, where this server knows its own.
    pub fn pay_page(&self, order: OrderId, payment: PaymentId, expires_at: Ts) -> Option<String> {
        let base = self.inner.config.public_url.as_deref()?;
        let path = self.pay_link(order, payment, expires_at).path();
        Some(format!("{}{path}", base.trim_end_matches('/')))
    }

    /// Quotes and links say different things under one key: each message begins with its own word.
    fn link_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.inner.config.quote_key)
    }
}

fn message(order: OrderId, payment: PaymentId, until: i64) -> Vec<u8> {
    format!("pay\n{order}\n{payment}\n{until}").into_bytes()
}
