//! Refund quotes: what a patient is shown is what happens, for 60 seconds (spec 10, refund shares).
//! A quote travels with its caller, signed, so that looking at one writes nothing.

use crate::engine::Engine;
use crate::error::EngineError;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::OrderId;
use domain::consultation::{Consultation, Quote, refund};

impl Engine {
    /// What cancelling now would give back, and the id with which a cancel can hold us to it.
    pub async fn quote(&self, order: &Consultation) -> Result<(Quote, String), EngineError> {
        let facts = self.facts(order).await?;
        let quote = refund::quote(order, &facts, self.now())?;
        let body = serde_json::to_vec(&(order.id, &quote));
        let body = body.map_err(|error| EngineError::Corrupt(error.to_string()))?;
        let tag = hmac::sign(&self.quote_key(), &body);
        let id = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(&body),
            URL_SAFE_NO_PAD.encode(tag)
        );
        Ok((quote, id))
    }

    /// The quote of this id, if we gave it for this order.
    pub fn open_quote(&self, order: OrderId, id: &str) -> Option<Quote> {
        let (body, tag) = id.split_once('.')?;
        let body = URL_SAFE_NO_PAD.decode(body).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.quote_key(), &body, &tag).ok()?;
        let (of, quote): (OrderId, Quote) = serde_json::from_slice(&body).ok()?;
        (of == order).then_some(quote)
    }

    fn quote_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.inner.config.quote_key)
    }
}
