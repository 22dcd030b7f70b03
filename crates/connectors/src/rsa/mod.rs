//! RSA signatures as the gateways use them: PKCS#1 v1.5 with SHA-256, Base64 around it. Verifying
//! compares inside the library, in constant time.

pub(crate) mod certificate;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use certificate::Certificate;
use thiserror::Error;

/// What can be wrong with a key.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum KeyError {
    /// No block of this kind in the text.
    #[error("no PEM block `{0}` found: give the whole text with its BEGIN and END lines")]
    NoPem(&'static str),
    /// The text between the lines is not Base64.
    #[error("the PEM block `{0}` holds characters that are not Base64")]
    NotBase64(&'static str),
    /// The bytes are not such a key.
    #[error("this is not {expected}: {reason}")]
    NotAKey {
        /// What it should have been.
        expected: &'static str,
        /// What the library said.
        reason: String,
    },
    /// A certificate under another certificate's serial.
    #[error("the certificate's serial is {found}, but it was given as {given}")]
    WrongSerial {
        /// In the certificate.
        found: String,
        /// In the configuration.
        given: String,
    },
    /// The system gave no randomness, or the key is unusable.
    #[error("the message could not be signed")]
    NotSigned,
}

/// A private key that signs, by RSA PKCS#1 v1.5 with SHA-256.
pub struct SigningKey(KeyPair);

impl SigningKey {
    /// Reads a PKCS#8 private key, `BEGIN PRIVATE KEY`.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let der = pem_block(pem, "PRIVATE KEY")?;
        KeyPair::from_pkcs8(&der)
            .map(Self)
            .map_err(|reason| KeyError::NotAKey {
                expected: "an RSA private key in PKCS#8",
                reason: reason.to_string(),
            })
    }

    /// The Base64 text of the signature.
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| KeyError::NotSigned)?;
        Ok(STANDARD.encode(signature))
    }
}

/// A public key that verifies, by RSA PKCS#1 v1.5 with SHA-256.
pub struct VerifyingKey(ParsedPublicKey);

impl VerifyingKey {
    /// Reads a public key (SubjectPublicKeyInfo, `BEGIN PUBLIC KEY`).
    pub fn from_spki_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_spki_der(&pem_block(pem, "PUBLIC KEY")?)
    }

    /// Takes the public key out of an X.509 certificate, and checks that it carries this serial.
    /// Who issued it is not looked at: it is trusted because it was configured.
    pub fn from_certificate_pem(pem: &str, serial: &str) -> Result<Self, KeyError> {
        let der = pem_block(pem, "CERTIFICATE")?;
        let certificate = Certificate::read(&der).ok_or(KeyError::NotAKey {
            expected: "an X.509 certificate",
            reason: "its outer structure can't be read".to_owned(),
        })?;
        let digits = |text: &str| text.trim_start_matches('0').to_ascii_uppercase();
        if digits(&certificate.serial) != digits(serial) {
            return Err(KeyError::WrongSerial {
                found: certificate.serial,
                given: serial.to_owned(),
            });
        }
        Self::from_spki_der(certificate.public_key)
    }

    /// Reads a public key's SubjectPublicKeyInfo.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der)
            .map(Self)
            .map_err(|reason| KeyError::NotAKey {
                expected: "an RSA public key of 2048 bits or more",
                reason: reason.to_string(),
            })
    }

    /// Whether the Base64 text is this key's signature of the message.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        STANDARD
            .decode(signature)
            .is_ok_and(|bytes| self.0.verify_sig(message, &bytes).is_ok())
    }
}

/// The bytes of the first PEM block with this label.
pub fn pem_block(pem: &str, label: &'static str) -> Result<Vec<u8>, KeyError> {
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let (_, rest) = pem.split_once(&begin).ok_or(KeyError::NoPem(label))?;
    let (text, _) = rest.split_once(&end).ok_or(KeyError::NoPem(label))?;
    let text: String = text.split_whitespace().collect();
    STANDARD
        .decode(text)
        .map_err(|_| KeyError::NotBase64(label))
}
