//! Access tokens: JWT signed with Ed25519, good for 15 minutes of the engine's clock (spec 60).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use domain::order::Role;
use domain::{Ts, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use lru::LruCache;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use thiserror::Error;
use uuid::Uuid;

/// How long an access token is good, in seconds.
pub const ACCESS_SECONDS: i64 = 15 * 60;

/// Why there are no tokens.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The key is no Ed25519 key.
    #[error("the token key is no Ed25519 key in PKCS#8: remove its file to have a new one made")]
    Key,
    /// A token could not be signed.
    #[error("a token can't be signed: {0}")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// It is not one of ours.
    Forged,
    /// Its time is over.
    Expired,
}

/// How many tokens are remembered, so that each is verified once and not at every request, which
/// would cost more than most requests.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// What a genuine token says.
#[derive(Clone, Copy)]
struct Genuine {
    user: UserId,
    role: Role,
    expires: i64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    role: String,
    iat: i64,
    exp: i64,
}

/// Signs and verifies access tokens.
pub struct Tokens {
    signs: EncodingKey,
    verifies: DecodingKey,
    genuine: Mutex<LruCache<String, Genuine>>,
}

/// A new Ed25519 key in PKCS#8.
pub fn new_key() -> Result<Vec<u8>, TokenError> {
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| TokenError::Key)?;
    Ok(key.as_ref().to_vec())
}

impl Tokens {
    /// With this key.
    pub fn new(pkcs8: &[u8]) -> Result<Self, TokenError> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| TokenError::Key)?;
        let verifies = DecodingKey::from_ed_der(pair.public_key().as_ref());
        Ok(Self {
            signs: EncodingKey::from_ed_der(pkcs8),
            verifies,
            genuine: Mutex::new(LruCache::new(REMEMBERED)),
        })
    }

    /// A token for somebody.
    pub fn issue(&self, user: UserId, role: Role, now: Ts) -> Result<String, TokenError> {
        let iat = now.unix_seconds();
        let claims = Claims {
            sub: user.uuid(),
            role: role.name().to_owned(),
            iat,
            exp: iat + ACCESS_SECONDS,
        };
        Ok(jsonwebtoken::encode(
            &Header::new(Algorithm::EdDSA),
            &claims,
            &self.signs,
        )?)
    }

    /// Whose token it is.
    pub fn verify(&self, token: &str, now: Ts) -> Result<(UserId, Role), Rejected> {
        let known = self.genuine().get(token).copied();
        let genuine = match known {
            Some(genuine) => genuine,
            None => self.read(token)?,
        };
        if genuine.expires <= now.unix_seconds() {
            return Err(Rejected::Expired);
        }
        if known.is_none() {
            self.genuine().put(token.to_owned(), genuine);
        }
        Ok((genuine.user, genuine.role))
    }

    fn read(&self, token: &str) -> Result<Genuine, Rejected> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        // Time is the engine's, not the library's.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verifies, &validation)
            .map_err(|_| Rejected::Forged)?
            .claims;
        Ok(Genuine {
            user: UserId(claims.sub),
            role: Role::from_name(&claims.role).ok_or(Rejected::Forged)?,
            expires: claims.exp,
        })
    }

    fn genuine(&self) -> MutexGuard<'_, LruCache<String, Genuine>> {
        self.genuine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Span;

    #[test]
    fn a_token_is_good_for_fifteen_minutes_and_for_one_key() {
        let ours = Tokens::new(&new_key().unwrap()).unwrap();
        let theirs = Tokens::new(&new_key().unwrap()).unwrap();
        let (user, now) = (
            UserId(Uuid::from_u128(7)),
            Ts::from_micros(1_800_000_000_000_000),
        );
        let token = ours.issue(user, Role::Doctor, now).unwrap();
        assert_eq!(ours.verify(&token, now), Ok((user, Role::Doctor)));
        assert_eq!(ours.verify(&token, now), Ok((user, Role::Doctor)), "again");
        assert_eq!(
            ours.verify(&token, now + Span::minutes(15)),
            Err(Rejected::Expired)
        );
        assert_eq!(theirs.verify(&token, now), Err(Rejected::Forged));
        assert_eq!(ours.verify("nonsense", now), Err(Rejected::Forged));
    }
}
