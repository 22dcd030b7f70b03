//! RSA signatures as the gateways use them: PKCS#1 v1.5 with SHA-256, Base64 around it. Verifying
//! compares inside the library, in constant time.

pub(crate) mod certificate;
mod issue;
mod oaep;
mod validity;

pub use issue::Issue;
pub use oaep::{DecryptingKey, EncryptingKey};
pub use validity::Validity;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::KeyPair as _;
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
    /// Longer than the key can take, or no randomness.
    #[error("the text could not be encrypted")]
    NotEncrypted,
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
        self.sign_bytes(message)
            .map(|signature| STANDARD.encode(signature))
    }

    /// The SubjectPublicKeyInfo of its public half.
    pub fn public_spki_der(&self) -> Result<Vec<u8>, KeyError> {
        let public: PublicKeyX509Der<'_> =
            self.0
                .public_key()
                .as_der()
                .map_err(|reason| KeyError::NotAKey {
                    expected: "an RSA key with a public half",
                    reason: reason.to_string(),
                })?;
        Ok(public.as_ref().to_vec())
    }

    fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| KeyError::NotSigned)?;
        Ok(signature)
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
        let certificate = read_certificate(&der)?;
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

/// A key out of a certificate, and when the certificate is good.
pub struct CertifiedKey {
    /// Verifies what the certificate's owner signed.
    pub key: VerifyingKey,
    /// From when until when.
    pub validity: Validity,
}

impl CertifiedKey {
    /// Takes key and validity out of the first certificate of a PEM text. Who issued it is not
    /// looked at: the caller knows from where the text came.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let der = pem_block(pem, "CERTIFICATE")?;
        let certificate = read_certificate(&der)?;
        let validity = certificate.validity.ok_or(KeyError::NotAKey {
            expected: "an X.509 certificate",
            reason: "its validity can't be read".to_owned(),
        })?;
        let key = VerifyingKey::from_spki_der(certificate.public_key)?;
        Ok(Self { key, validity })
    }
}

fn read_certificate(der: &[u8]) -> Result<Certificate<'_>, KeyError> {
    Certificate::read(der).ok_or(KeyError::NotAKey {
        expected: "an X.509 certificate",
        reason: "its outer structure can't be read".to_owned(),
    })
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
