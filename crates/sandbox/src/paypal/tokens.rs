//! Access tokens: given for the merchant's secret, good for nine hours. They say themselves until
//! when, and are sealed with the secret, so that there is nothing to remember.

use super::Api;
use super::refusal::oauth_error;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use connectors::paypal::wire::TokenAnswer;
use domain::Ts;

/// How PayPal's tokens begin.
const PREFIX: &str = "A21AA";
const GOOD_SECONDS: i64 = 32_400;

/// `POST /v1/oauth2/token`.
pub(super) async fn token(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    if !api.is_merchant(&headers) {
        let words = "Client Authentication failed";
        return oauth_error(StatusCode::UNAUTHORIZED, "invalid_client", words);
    }
    let form = String::from_utf8_lossy(&body);
    if !form
        .split('&')
        .any(|pair| pair == "grant_type=client_credentials")
    {
        let words = "unsupported grant_type";
        return oauth_error(StatusCode::BAD_REQUEST, "unsupported_grant_type", words);
    }
    let ends_at = api.sandbox.now().unix_seconds() + GOOD_SECONDS;
    let answer = TokenAnswer {
        access_token: api.seal(ends_at),
        token_type: "Bearer".to_owned(),
        expires_in: GOOD_SECONDS,
    };
    axum::Json(answer).into_response()
}

impl Api {
    fn is_merchant(&self, headers: &HeaderMap) -> bool {
        let keys = &self.keys.file;
        let expected = format!("{}:{}", keys.client_id, keys.client_secret);
        let given = bearer(headers, "Basic ").and_then(|text| STANDARD.decode(text).ok());
        given.is_some_and(|given| verify_slices_are_equal(&given, expected.as_bytes()).is_ok())
    }

    /// Whether the request has a token that is good now.
    pub(super) fn is_let_in(&self, headers: &HeaderMap, now: Ts) -> bool {
        let token = bearer(headers, "Bearer ").and_then(|token| token.strip_prefix(PREFIX));
        let parts = token.and_then(|token| token.split_once('.'));
        let Some((ends_at, seal)) = parts else {
            return false;
        };
        let sealed = URL_SAFE_NO_PAD
            .decode(seal)
            .is_ok_and(|seal| verify(&self.key(), ends_at.as_bytes(), &seal).is_ok());
        let is_later = |ends_at: i64| now.unix_seconds() < ends_at;
        sealed && ends_at.parse().is_ok_and(is_later)
    }

    fn seal(&self, ends_at: i64) -> String {
        let ends_at = ends_at.to_string();
        let seal = sign(&self.key(), ends_at.as_bytes());
        format!("{PREFIX}{ends_at}.{}", URL_SAFE_NO_PAD.encode(seal))
    }

    fn key(&self) -> Key {
        Key::new(HMAC_SHA256, self.keys.file.client_secret.as_bytes())
    }
}

fn bearer<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix(scheme)
}
