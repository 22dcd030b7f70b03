//! What a merchant must configure, checked before the first request.

use super::signature::WebhookSecret;
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// A merchant's access to Stripe.
#[derive(Clone)]
pub struct StripeConfig {
    /// `https://api.stripe.com`, or a sandbox; without `/v1`.
    pub base_url: String,
    /// `sk_...`, or a restricted `rk_...` that may write PaymentIntents and refunds and read
    /// balance transactions. Secret.
    pub secret_key: String,
    /// `pk_...`: shown to every payer.
    pub publishable_key: String,
    /// `whsec_...` of the webhook endpoint. Secret.
    pub webhook_secret: String,
    /// For a whole request; connecting gets half of it.
    pub timeout: Duration,
}

impl fmt::Debug for StripeConfig {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripeConfig")
            .field("base_url", &self.base_url)
            .field("publishable_key", &self.publishable_key)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Why Stripe can't be used with this configuration. No variant holds a secret.
#[derive(Debug, Error)]
pub enum StripeConfigError {
    /// A URL that is none.
    #[error(
        "Stripe's address `{0}` is wrong: give an http(s) URL without path, query and fragment, \
         such as https://api.stripe.com"
    )]
    Url(String),
    /// A key of another kind, or none at all. A secret key in the publishable one's place would
    /// be shown to everybody.
    #[error("Stripe's {name} is wrong: it starts with {expected} and has no spaces")]
    Key {
        /// Which one.
        name: &'static str,
        /// How it starts.
        expected: &'static str,
    },
    /// The HTTP client could not be made.
    #[error("no HTTP client for Stripe: {0}")]
    HttpClient(#[from] reqwest::Error),
}

/// What the texts of the configuration become.
pub(super) struct Parts {
    pub(super) base: Url,
    pub(super) authorization: HeaderValue,
    pub(super) webhook_secret: WebhookSecret,
    pub(super) http: reqwest::Client,
}

impl StripeConfig {
    pub(super) fn parts(&self) -> Result<Parts, StripeConfigError> {
        let base = self.checked_url()?;
        check_key("publishable key", &self.publishable_key, &["pk_"], "pk_")?;
        check_key(
            "secret key",
            &self.secret_key,
            &["sk_", "rk_"],
            "sk_ or rk_",
        )?;
        check_key(
            "webhook secret",
            &self.webhook_secret,
            &["whsec_"],
            "whsec_",
        )?;
        let bearer = format!("Bearer {}", self.secret_key);
        let mut authorization =
            HeaderValue::from_str(&bearer).map_err(|_| StripeConfigError::Key {
                name: "secret key",
                expected: "sk_ or rk_",
            })?;
        authorization.set_sensitive(true);
        Ok(Parts {
            authorization,
            webhook_secret: WebhookSecret::new(&self.webhook_secret),
            http: crate::http::client(&base, self.timeout)?,
            base,
        })
    }

    fn checked_url(&self) -> Result<Url, StripeConfigError> {
        let wrong = || StripeConfigError::Url(self.base_url.clone());
        let url = Url::parse(&self.base_url).map_err(|_| wrong())?;
        let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if matches!(url.scheme(), "http" | "https") && url.has_host() && plain {
            Ok(url)
        } else {
            Err(wrong())
        }
    }
}

fn check_key(
    name: &'static str,
    key: &str,
    prefixes: &[&str],
    expected: &'static str,
) -> Result<(), StripeConfigError> {
    let starts_well = prefixes
        .iter()
        .any(|prefix| key.len() > prefix.len() && key.starts_with(prefix));
    if starts_well && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(StripeConfigError::Key { name, expected })
    }
}
