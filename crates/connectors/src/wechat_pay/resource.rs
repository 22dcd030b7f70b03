//! The sealed part of a callback: AES-256-GCM with the merchant's APIv3 key.

use super::wire::EncryptedResource;
use aws_lc_rs::aead::{AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng as _;
use rand::distr::Alphanumeric;
use thiserror::Error;

/// The one algorithm that is spoken here.
pub const ALGORITHM: &str = "AEAD_AES_256_GCM";

/// What can be wrong with a resource or its key.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ResourceError {
    /// The APIv3 key is not 32 bytes.
    #[error("the APIv3 key has {0} bytes: it must have exactly 32")]
    KeyLength(usize),
    /// Another algorithm.
    #[error("the resource's algorithm `{0}` is not known: {ALGORITHM} is")]
    UnknownAlgorithm(String),
    /// Another length of nonce.
    #[error("the resource's nonce has {0} bytes: it must have 12")]
    NonceLength(usize),
    /// Not Base64.
    #[error("the resource's ciphertext is not Base64")]
    NotBase64,
    /// Tampered with, or sealed with another key.
    #[error("the resource does not open with our APIv3 key")]
    NotOurs,
    /// It can't be sealed (far too long).
    #[error("the resource could not be sealed")]
    NotSealed,
}

/// The APIv3 key.
pub struct ResourceKey(LessSafeKey);

impl ResourceKey {
    /// The key as the merchant portal keeps it: 32 ASCII bytes.
    pub fn new(key: &[u8]) -> Result<Self, ResourceError> {
        Self::with_algorithm(&AES_256_GCM, key)
    }

    /// For WeChat's published samples, whose keys have 16 bytes; real keys always have 32.
    pub(super) fn with_algorithm(
        algorithm: &'static Algorithm,
        key: &[u8],
    ) -> Result<Self, ResourceError> {
        let unbound =
            UnboundKey::new(algorithm, key).map_err(|_| ResourceError::KeyLength(key.len()))?;
        Ok(Self(LessSafeKey::new(unbound)))
    }

    /// Opens a resource.
    pub fn open(&self, resource: &EncryptedResource) -> Result<Vec<u8>, ResourceError> {
        if resource.algorithm != ALGORITHM {
            return Err(ResourceError::UnknownAlgorithm(resource.algorithm.clone()));
        }
        let associated = resource.associated_data.as_deref().unwrap_or_default();
        self.open_parts(&resource.nonce, associated, &resource.ciphertext)
    }

    /// Opens `ciphertext`, the Base64 of cipher text and tag. Nonce and associated data are the
    /// bytes of their texts as they stand.
    pub(super) fn open_parts(
        &self,
        nonce: &str,
        associated_data: &str,
        ciphertext: &str,
    ) -> Result<Vec<u8>, ResourceError> {
        let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes())
            .map_err(|_| ResourceError::NonceLength(nonce.len()))?;
        let mut bytes = STANDARD
            .decode(ciphertext)
            .map_err(|_| ResourceError::NotBase64)?;
        let length = self
            .0
            .open_in_place(nonce, Aad::from(associated_data.as_bytes()), &mut bytes)
            .map_err(|_| ResourceError::NotOurs)?
            .len();
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Seals a resource under a fresh nonce, as WeChat does. The kind is both the
    /// `original_type` and the associated data, such as `transaction`.
    pub fn seal(&self, kind: &str, plaintext: &[u8]) -> Result<EncryptedResource, ResourceError> {
        let text: String = rand::rng()
            .sample_iter(Alphanumeric)
            .take(12)
            .map(char::from)
            .collect();
        let nonce = Nonce::try_assume_unique_for_key(text.as_bytes())
            .map_err(|_| ResourceError::NonceLength(text.len()))?;
        let mut bytes = plaintext.to_vec();
        self.0
            .seal_in_place_append_tag(nonce, Aad::from(kind.as_bytes()), &mut bytes)
            .map_err(|_| ResourceError::NotSealed)?;
        Ok(EncryptedResource {
            original_type: Some(kind.to_owned()),
            algorithm: ALGORITHM.to_owned(),
            ciphertext: STANDARD.encode(bytes),
            associated_data: Some(kind.to_owned()),
            nonce: text,
        })
    }
}
