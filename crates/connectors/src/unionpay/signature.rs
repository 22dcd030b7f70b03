//! What is signed, and how (UnionPay 5.1.0, signMethod 01).
//!
//! All fields but `signature`, without empty ones, are sorted by the bytes of their names and
//! joined as `name=value&name=value`. The SHA-256 of that, as lower-case hexadecimal text, is what
//! RSA (PKCS#1 v1.5 with SHA-256 once more) signs; Base64 around it.

use super::fields::Fields;
use crate::rsa::{KeyError, SigningKey, VerifyingKey};
use aws_lc_rs::digest::{SHA256, digest};
use thiserror::Error;

/// The version of the messages that this signature belongs to; 5.0.0 signs with SHA-1.
pub const VERSION: &str = "5.1.0";

/// `signMethod` of RSA with certificates. 11 and 12 are keyed digests, and not spoken here.
pub const SIGN_METHOD: &str = "01";

/// Why a message was not believed.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum SignatureError {
    /// No signature at all.
    #[error("field signature is missing")]
    Missing,
    /// A version with another rule.
    #[error("version `{0}` is not {VERSION}")]
    Version(String),
    /// A rule that we don't speak.
    #[error("signMethod `{0}` is not {SIGN_METHOD} (RSA)")]
    Method(String),
    /// The signed text can be cut into fields in another way than it was.
    #[error("the signed text can be read in two ways")]
    Ambiguous,
    /// The signature is of another message or by another key.
    #[error("the signature is not of this message")]
    Mismatch,
}

/// The text that is signed.
pub fn message(fields: &Fields) -> String {
    let pieces: Vec<String> = fields
        .iter()
        .filter(|(name, _)| *name != "signature")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pieces.join("&")
}

/// What goes into RSA: the SHA-256 of the text as lower-case hexadecimal digits.
pub fn digest_text(message: &str) -> String {
    let digest = digest(&SHA256, message.as_bytes());
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The fields with version, method and signature.
pub fn sign(fields: Fields, key: &SigningKey) -> Result<Fields, KeyError> {
    let fields = fields
        .with("version", VERSION)
        .with("signMethod", SIGN_METHOD);
    let signature = key.sign(digest_text(&message(&fields)).as_bytes())?;
    Ok(fields.with("signature", signature))
}

/// Whether the fields are those that this key signed. Of a message from outside, whose fields may
/// have been cut anew, [`verify_cut`] must be asked as well.
pub fn verify(fields: &Fields, key: &VerifyingKey) -> Result<(), SignatureError> {
    let signature = fields.get("signature").ok_or(SignatureError::Missing)?;
    let version = fields.get("version").unwrap_or_default();
    if version != VERSION {
        return Err(SignatureError::Version(version.to_owned()));
    }
    let method = fields.get("signMethod").unwrap_or_default();
    if method != SIGN_METHOD {
        return Err(SignatureError::Method(method.to_owned()));
    }
    if key.verifies(digest_text(&message(fields)).as_bytes(), signature) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// Whether the signed text gives these fields, and no others. It does not tell names and values
/// apart: `a=1&b=2` may be two fields, or one whose value is `1&b=2`. Somebody who saw a genuine
/// message could cut it anew, so only the one cut counts that UnionPay's own way of reading gives.
pub fn verify_cut(fields: &Fields) -> Result<(), SignatureError> {
    let signed: Vec<_> = fields
        .iter()
        .filter(|(name, _)| *name != "signature")
        .collect();
    match Fields::from_answer(message(fields).as_bytes()) {
        Ok(again) if again.iter().collect::<Vec<_>>() == signed => Ok(()),
        Ok(_) | Err(_) => Err(SignatureError::Ambiguous),
    }
}
