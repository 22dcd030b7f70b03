//! Who said it: signatures on our requests, on WeChat's answers and on its callbacks.
//!
//! Everything is RSA PKCS#1 v1.5 with SHA-256 over a few lines that each end in `\n`, the last
//! one too (WeChat Pay API v3, signature and verification).

use crate::rsa::VerifyingKey;
use domain::Ts;
use rand::Rng as _;
use rand::distr::Alphanumeric;
use std::collections::HashMap;
use thiserror::Error;

/// The name of the one signature scheme that is spoken here.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// How a serial starts that names a WeChat Pay public key and not a platform certificate.
pub const PUBLIC_KEY_PREFIX: &str = "PUB_KEY_ID_";

/// How WeChat's deliberately wrong signatures start; they must be refused, and are no attack.
pub const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";

/// A signed message this many seconds from our time, or more, is refused (constant `FiveMinute`
/// of WeChat's own SDK).
pub const MAX_AGE_SECONDS: u64 = 300;

/// What the merchant signs for a request. `canonical_url` is path and query exactly as sent.
pub fn request_message(
    method: &str,
    canonical_url: &str,
    timestamp: i64,
    nonce: &str,
    body: &[u8],
) -> Vec<u8> {
    let mut message = format!("{method}\n{canonical_url}\n{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    message
}

/// What WeChat signs for an answer or a callback.
pub fn answer_message(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    message
}

/// What the merchant signs for the payer's device (JSAPI and mini-program).
pub fn payer_message(appid: &str, timestamp: i64, nonce: &str, package: &str) -> Vec<u8> {
    format!("{appid}\n{timestamp}\n{nonce}\n{package}\n").into_bytes()
}

/// The value of the `Authorization` header.
pub fn authorization(
    mchid: &str,
    serial: &str,
    nonce: &str,
    timestamp: i64,
    signature: &str,
) -> String {
    format!(
        "{SCHEME} mchid=\"{mchid}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",\
         serial_no=\"{serial}\",signature=\"{signature}\""
    )
}

/// A fresh nonce: 32 letters and digits.
pub fn nonce() -> String {
    rand::rng()
        .sample_iter(Alphanumeric)
        .take(32)
        .map(char::from)
        .collect()
}

/// Why a signed message was not believed.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum VerificationError {
    /// A header is not there.
    #[error("header {0} is missing")]
    MissingHeader(&'static str),
    /// WeChat tests whether we verify at all.
    #[error("the signature is a probe ({PROBE_PREFIX})")]
    Probe,
    /// A scheme that we don't speak.
    #[error("signature type `{0}` is not known: {SCHEME} is")]
    UnknownScheme(String),
    /// A key that we don't have.
    #[error("no platform key has the serial `{0}`: add it to the configuration")]
    UnknownSerial(String),
    /// Not Unix seconds.
    #[error("Wechatpay-Timestamp `{0}` is not a number of seconds")]
    BadTimestamp(String),
    /// Too old, or from the future.
    #[error("time {timestamp} is {MAX_AGE_SECONDS} seconds or more from ours, {now}")]
    Stale {
        /// The header's Unix seconds.
        timestamp: i64,
        /// Our Unix seconds.
        now: i64,
    },
    /// The signature is of another message or by another key.
    #[error("the signature by `{0}` is not of this message")]
    Mismatch(String),
}

/// WeChat's public keys, by serial. Certificates and public keys live side by side: during a
/// merchant's move from one to the other both sign (WeChat Pay API v3, switching to the public
/// key), so the header alone says which key counts.
#[derive(Default)]
pub struct PlatformKeys(HashMap<String, VerifyingKey>);

impl PlatformKeys {
    /// Adds a key; a serial already there is replaced.
    pub fn insert(&mut self, serial: &str, key: VerifyingKey) {
        self.0.insert(serial.to_owned(), key);
    }

    /// The serials, sorted.
    pub fn serials(&self) -> Vec<&str> {
        let mut serials: Vec<_> = self.0.keys().map(String::as_str).collect();
        serials.sort_unstable();
        serials
    }

    /// Checks an answer or a callback: its headers, found by their lower-case names, and its
    /// body as received.
    pub fn verify<'h>(
        &self,
        header: impl Fn(&'static str) -> Option<&'h str>,
        body: &[u8],
        now: Ts,
    ) -> Result<(), VerificationError> {
        let required =
            |name: &'static str| header(name).ok_or(VerificationError::MissingHeader(name));
        let signature = required("wechatpay-signature")?;
        if signature.starts_with(PROBE_PREFIX) {
            return Err(VerificationError::Probe);
        }
        let serial = required("wechatpay-serial")?;
        let timestamp = required("wechatpay-timestamp")?;
        let nonce = required("wechatpay-nonce")?;
        if let Some(scheme) = header("wechatpay-signature-type")
            && scheme != SCHEME
        {
            return Err(VerificationError::UnknownScheme(scheme.to_owned()));
        }
        let sent: i64 = timestamp
            .parse()
            .map_err(|_| VerificationError::BadTimestamp(timestamp.to_owned()))?;
        let now = now.unix_seconds();
        if sent.abs_diff(now) >= MAX_AGE_SECONDS {
            return Err(VerificationError::Stale {
                timestamp: sent,
                now,
            });
        }
        let key = self
            .0
            .get(serial)
            .ok_or_else(|| VerificationError::UnknownSerial(serial.to_owned()))?;
        if key.verifies(&answer_message(timestamp, nonce, body), signature) {
            Ok(())
        } else {
            Err(VerificationError::Mismatch(serial.to_owned()))
        }
    }
}
