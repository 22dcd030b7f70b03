//! The access token: fetched once, kept until shortly before its end, fetched by one caller at a
//! time however many wait for it (OAuth 2.0 client credentials, RFC 6749, 4.4).

use super::config::PayPalConfig;
use super::errors::GATEWAY;
use super::wire::TokenAnswer;
use crate::gateway::{GatewayError, Operation};
use crate::http::{MAX_ANSWER_BYTES, not_sent, read_body};
use domain::{Span, Ts};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;

/// A token is replaced so long before its end, so that it does not end on its way.
const MARGIN: Span = Span::minutes(5);
/// If replacing fails while the old one is still good, it is tried again after this.
const TRY_AGAIN: Span = Span::seconds(30);
/// No token is believed to be good for longer; PayPal's are for about nine hours.
const MAX_GOOD_SECONDS: i64 = 24 * 60 * 60;

/// A token as the `Authorization` header has it. Secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token(HeaderValue);

impl Token {
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// The token in use.
#[derive(Default)]
pub(super) struct Tokens {
    state: Mutex<State>,
    /// How many fetches have failed. Whoever waited while one failed gets its failure instead of
    /// trying in turn, so that a dead token service costs everybody one time-out and not many.
    failed: AtomicU64,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    failure: Option<String>,
}

#[derive(Clone)]
struct Kept {
    token: Token,
    replace_at: Ts,
    ends_at: Ts,
}

impl Tokens {
    /// A token that is good at `now`. `refused` is one that PayPal would not take although it
    /// should be good: it is replaced, once for all who were refused with it.
    pub(super) async fn get(
        &self,
        http: &reqwest::Client,
        config: &PayPalConfig,
        operation: Operation,
        refused: Option<&Token>,
        now: Ts,
    ) -> Result<Token, GatewayError> {
        let failed = self.failed.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(kept) = &state.kept
            && Some(&kept.token) != refused
            && now < kept.replace_at
        {
            return Ok(kept.token.clone());
        }
        if self.failed.load(Ordering::Acquire) != failed
            && let Some(reason) = &state.failure
        {
            return Err(operation.unavailable(GATEWAY, reason.clone()));
        }
        let reason = match fetch(http, config, now).await {
            Ok(kept) => {
                let token = kept.token.clone();
                state.kept = Some(kept);
                return Ok(token);
            }
            Err(reason) => reason,
        };
        tracing::warn!(reason, "PayPal gave no access token");
        if let Some(kept) = &mut state.kept
            && Some(&kept.token) != refused
            && now < kept.ends_at
        {
            kept.replace_at = now + TRY_AGAIN;
            return Ok(kept.token.clone());
        }
        state.kept = None;
        state.failure = Some(reason.clone());
        self.failed.fetch_add(1, Ordering::AcqRel);
        // Whatever went wrong, the operation itself was not sent: surely nothing was done.
        Err(operation.unavailable(GATEWAY, reason))
    }
}

/// Asks for a new token.
async fn fetch(http: &reqwest::Client, config: &PayPalConfig, now: Ts) -> Result<Kept, String> {
    // Asking for a token changes nothing, so the kind of its failure does not matter here.
    let operation = Operation::Query;
    let no_token = |reason: &dyn std::fmt::Display| format!("no access token: {reason}");
    let response = http
        .post(config.url("/v1/oauth2/token"))
        .basic_auth(&config.client_id, Some(&config.client_secret))
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials")
        .send()
        .await
        .map_err(|error| no_token(&not_sent(GATEWAY, operation, &error)))?;
    let status = response.status().as_u16();
    let body = read_body(GATEWAY, operation, response, MAX_ANSWER_BYTES)
        .await
        .map_err(|error| no_token(&error))?;
    if status != 200 {
        // `invalid_client`: the id or secret is wrong.
        let why: String = String::from_utf8_lossy(&body).chars().take(200).collect();
        return Err(no_token(&format_args!("answer {status}: {why}")));
    }
    read(&body, now).map_err(|reason| no_token(&reason))
}

fn read(body: &[u8], now: Ts) -> Result<Kept, String> {
    let answer: TokenAnswer =
        serde_json::from_slice(body).map_err(|reason| format!("can't be read: {reason}"))?;
    let mut header = HeaderValue::try_from(format!("Bearer {}", answer.access_token))
        .map_err(|_| "it has characters that no header can have".to_owned())?;
    header.set_sensitive(true);
    let good = Span::seconds(answer.expires_in.clamp(0, MAX_GOOD_SECONDS));
    // A token for less than twice the margin is used for half its time.
    let margin = MARGIN.min(Span::micros(good.as_micros() / 2));
    Ok(Kept {
        token: Token(header),
        replace_at: now + good - margin,
        ends_at: now + good,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_before_its_end() {
        let now = Ts::parse("2025-11-20T02:00:00Z").unwrap();
        let replace = |seconds: &str| {
            let body = format!(r#"{{"access_token":"A21","expires_in":{seconds}}}"#);
            read(body.as_bytes(), now).map(|kept| kept.replace_at)
        };
        assert_eq!(replace("32400"), Ok(now + Span::seconds(32_400 - 300)));
        assert_eq!(replace("60"), Ok(now + Span::seconds(30)));
        assert_eq!(replace("-5"), Ok(now));
        let day = Span::seconds(MAX_GOOD_SECONDS);
        assert_eq!(replace(&i64::MAX.to_string()), Ok(now + day - MARGIN));
    }

    #[test]
    fn what_is_no_token_is_not_used_and_not_shown() {
        let now = Ts::from_micros(0);
        for body in [
            "",
            "{}",
            r#"{"access_token":"secret\nX-Evil: 1","expires_in":60}"#,
            r#"{"access_token":"secret"}"#,
        ] {
            let Err(reason) = read(body.as_bytes(), now) else {
                panic!("{body} was taken");
            };
            assert!(!reason.contains("secret"), "{reason}");
        }
        let kept = read(br#"{"access_token":"secret","expires_in":60}"#, now).unwrap();
        assert!(!format!("{:?}", kept.token.header()).contains("secret"));
    }
}
