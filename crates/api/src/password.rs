//! Passwords: Argon2id, a few at a time, off the threads that answer requests.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use std::sync::OnceLock;
use thiserror::Error;
use tokio::sync::Semaphore;

/// Why a password could not be hashed.
#[derive(Debug, Error)]
#[error("a password can't be hashed: {0}")]
pub struct PasswordError(String);

/// How many are hashed at a time: each takes a core and 19 MiB for a while.
static PLACES: Semaphore = Semaphore::const_new(2);

/// The hash to keep of a password.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| PasswordError(error.to_string()))
}

/// The hash to keep of a password, made aside.
pub async fn hash_aside(password: String) -> Result<String, PasswordError> {
    let _place = PLACES.acquire().await;
    let hashed = tokio::task::spawn_blocking(move || hash(&password)).await;
    hashed.map_err(|error| PasswordError(error.to_string()))?
}

/// Whether a password is the one of this hash. Without a hash it takes as long and says no, so that
/// nobody learns who is known here.
pub async fn verify(password: String, kept: Option<String>) -> Result<bool, PasswordError> {
    static NOBODY: OnceLock<String> = OnceLock::new();
    let _place = PLACES.acquire().await;
    let known = kept.is_some();
    let verified = tokio::task::spawn_blocking(move || {
        let nobody = || {
            NOBODY
                .get_or_init(|| hash("nobody's password").unwrap_or_default())
                .clone()
        };
        let kept = kept.unwrap_or_else(nobody);
        let parsed = PasswordHash::new(&kept).map_err(|error| PasswordError(error.to_string()))?;
        Ok(Argon2::default()
            .verify_password(password.as_bytes(), &parsed)
            .is_ok())
    });
    let verified: Result<bool, PasswordError> = verified
        .await
        .map_err(|error| PasswordError(error.to_string()))?;
    verified.map(|good| good && known)
}
