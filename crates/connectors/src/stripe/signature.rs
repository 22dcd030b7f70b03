//! Who said it: the `Stripe-Signature` header of a notice.
//!
//! The header is `t=<Unix seconds>,v1=<hex>[,v1=<hex>...][,v0=<hex>]`. Each `v1` is HMAC-SHA256 of
//! `<t>.<raw body>`, keyed with the whole `whsec_...` text. While a secret is being rolled, Stripe
//! signs with the old and the new one, so one right `v1` is enough; other schemes say nothing
//! (Stripe, webhooks, verify manually).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use domain::Ts;
use thiserror::Error;

/// A notice further than this from our time, in either direction, is refused (the default of
/// Stripe's own libraries, which look only at the past).
pub const TOLERANCE_SECONDS: u64 = 300;
/// A header is about 100 bytes a signature; more than this is not Stripe's.
const MAX_HEADER_BYTES: usize = 4096;
/// A notice is signed once for each secret that is not expired yet, which are two at most.
const MAX_SIGNATURES: usize = 16;
/// SHA-256.
const TAG_BYTES: usize = 32;

/// Why a notice was not believed.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum SignatureError {
    /// The header is not there.
    #[error("header Stripe-Signature is missing")]
    Missing,
    /// The header is not of the form `t=...,v1=...`.
    #[error("header Stripe-Signature can't be read: {0}")]
    Unreadable(&'static str),
    /// No signature of the one scheme that counts.
    #[error("header Stripe-Signature has no v1")]
    NoSignature,
    /// By another secret, or of another message.
    #[error("no v1 of Stripe-Signature is of this message")]
    Mismatch,
    /// Rightly signed, but too old, or from the future.
    #[error("time {timestamp} is more than {TOLERANCE_SECONDS} seconds from ours, {now}")]
    Stale {
        /// The header's Unix seconds.
        timestamp: i64,
        /// Our Unix seconds.
        now: i64,
    },
}

/// The secret of one webhook endpoint.
pub struct WebhookSecret(hmac::Key);

impl WebhookSecret {
    /// The whole text, `whsec_` too.
    pub fn new(secret: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// The header that Stripe sends with this body at this time.
    pub fn header(&self, timestamp: i64, body: &[u8]) -> String {
        let tag = self.tag(&timestamp.to_string(), body);
        format!("t={timestamp},v1={}", hex(tag.as_ref()))
    }

    /// Checks a notice: its header, and its body as received. The signature is checked before the
    /// time, so that [`SignatureError::Stale`] is only said of what Stripe really sent.
    pub fn verify(&self, header: Option<&str>, body: &[u8], now: Ts) -> Result<(), SignatureError> {
        let header = SignatureHeader::read(header.ok_or(SignatureError::Missing)?)?;
        if header.signatures.is_empty() {
            return Err(SignatureError::NoSignature);
        }
        let tag = self.tag(header.timestamp_text, body);
        // Each is compared in constant time; which of them is right is no secret.
        let is_right = |given: &[u8; TAG_BYTES]| verify_slices_are_equal(tag.as_ref(), given);
        if !header.signatures.iter().any(|tag| is_right(tag).is_ok()) {
            return Err(SignatureError::Mismatch);
        }
        let (timestamp, now) = (header.timestamp, now.unix_seconds());
        if timestamp.abs_diff(now) > TOLERANCE_SECONDS {
            return Err(SignatureError::Stale { timestamp, now });
        }
        Ok(())
    }

    fn tag(&self, timestamp: &str, body: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(timestamp.as_bytes());
        context.update(b".");
        context.update(body);
        context.sign()
    }
}

/// What a header says, before any of it is believed.
#[derive(Debug, PartialEq, Eq)]
pub struct SignatureHeader<'h> {
    /// The Unix seconds exactly as sent, over which the signature goes.
    timestamp_text: &'h str,
    timestamp: i64,
    /// Every well-formed `v1`.
    signatures: Vec<[u8; TAG_BYTES]>,
}

impl<'h> SignatureHeader<'h> {
    /// Reads the header. A `v1` that is no SHA-256 in lower-case hex can't be right and is left
    /// out, as is every other scheme.
    pub fn read(header: &'h str) -> Result<Self, SignatureError> {
        let unreadable = SignatureError::Unreadable;
        if header.len() > MAX_HEADER_BYTES {
            return Err(unreadable("it is too long"));
        }
        let mut timestamp_text = None;
        let mut signatures = Vec::new();
        for item in header.split(',') {
            let (scheme, value) = item
                .trim()
                .split_once('=')
                .ok_or(unreadable("an item is not `scheme=value`"))?;
            match scheme {
                "t" if timestamp_text.is_some() => return Err(unreadable("it has two times")),
                "t" => timestamp_text = Some(value),
                "v1" if signatures.len() == MAX_SIGNATURES => {
                    return Err(unreadable("it has too many signatures"));
                }
                "v1" => signatures.extend(read_tag(value)),
                _ => {}
            }
        }
        let timestamp_text = timestamp_text.ok_or(unreadable("it has no time"))?;
        let timestamp = read_seconds(timestamp_text).ok_or(unreadable("its time is no number"))?;
        Ok(Self {
            timestamp_text,
            timestamp,
            signatures,
        })
    }
}

/// Digits only: no sign, no space.
fn read_seconds(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn read_tag(text: &str) -> Option<[u8; TAG_BYTES]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != TAG_BYTES || !rest.is_empty() {
        return None;
    }
    let mut tag = [0; TAG_BYTES];
    for (byte, [high, low]) in tag.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(tag)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}
