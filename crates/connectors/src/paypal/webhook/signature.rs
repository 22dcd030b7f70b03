//! What a message's headers say, and what its signature goes over.

use crate::gateway::CallbackError;
use domain::{Span, Ts};

/// The one algorithm that is spoken here: RSA PKCS#1 v1.5 with SHA-256.
pub const ALGORITHM: &str = "SHA256withRSA";
/// A message whose time is nearer to ours than this is taken at its word (spec 20).
pub const FRESH: Span = Span::minutes(5);
/// PayPal repeats a message for three days; an older one is no repetition.
pub const REPEATED: Span = Span::hours(3 * 24);

/// What PayPal's SDK and ours agree to sign: the body is in it by its CRC-32, unsigned and in
/// decimal.
pub fn message(transmission_id: &str, time: &str, webhook_id: &str, body: &[u8]) -> String {
    let crc = crc32fast::hash(body);
    format!("{transmission_id}|{time}|{webhook_id}|{crc}")
}

/// The headers that prove a message.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'h> {
    transmission_id: &'h str,
    time: &'h str,
    sent: Ts,
    /// Base64.
    pub signature: &'h str,
    /// Where the certificate is.
    pub certificate_url: &'h str,
}

/// How old a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Of this moment: taken at its word.
    Fresh,
    /// Perhaps a late repetition: a reason to ask, and no more.
    Late,
}

impl<'h> Headers<'h> {
    /// Reads them, found by their lower-case names.
    pub fn read(header: impl Fn(&'static str) -> Option<&'h str>) -> Result<Self, CallbackError> {
        let required = |name: &'static str| {
            header(name)
                .ok_or_else(|| CallbackError::BadSignature(format!("header {name} is missing")))
        };
        let algorithm = required("paypal-auth-algo")?;
        if !algorithm.eq_ignore_ascii_case(ALGORITHM) {
            let why = format!("algorithm `{algorithm}` is not known: {ALGORITHM} is");
            return Err(CallbackError::BadSignature(why));
        }
        let time = required("paypal-transmission-time")?;
        let sent = Ts::parse(time).map_err(|_| {
            let why = format!("paypal-transmission-time `{time}` is not RFC 3339");
            CallbackError::BadSignature(why)
        })?;
        Ok(Self {
            transmission_id: required("paypal-transmission-id")?,
            time,
            sent,
            signature: required("paypal-transmission-sig")?,
            certificate_url: required("paypal-cert-url")?,
        })
    }

    /// What the signature goes over.
    pub fn message(&self, webhook_id: &str, body: &[u8]) -> String {
        message(self.transmission_id, self.time, webhook_id, body)
    }

    /// How old the message is; one from the future, or older than any repetition, is refused.
    pub fn age(&self, now: Ts) -> Result<Age, CallbackError> {
        let (late, early) = (now.since(self.sent), self.sent.since(now));
        if early >= FRESH || late >= Span::micros(REPEATED.as_micros() + FRESH.as_micros()) {
            return Err(CallbackError::Stale {
                timestamp: self.sent.unix_seconds(),
                now: now.unix_seconds(),
            });
        }
        Ok(if late < FRESH { Age::Fresh } else { Age::Late })
    }
}
