//! What the deployment must know of PayPal.

use reqwest::Url;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// A merchant's access to PayPal.
#[derive(Clone)]
pub struct PayPalConfig {
    /// `https://api-m.paypal.com`, `https://api-m.sandbox.paypal.com`, or a sandbox on this machine.
    pub base_url: String,
    /// The REST app's client id.
    pub client_id: String,
    /// The REST app's secret. Secret.
    pub client_secret: String,
    /// The id that PayPal gave to our webhook: part of what its messages' signatures go over.
    pub webhook_id: String,
    /// Where a payer comes back to who came from no page of ours.
    pub return_url: String,
    /// For a whole request; connecting gets half of it.
    pub timeout: Duration,
}

impl fmt::Debug for PayPalConfig {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayPalConfig")
            .field("base_url", &self.base_url)
            .field("client_id", &self.client_id)
            .field("webhook_id", &self.webhook_id)
            .field("return_url", &self.return_url)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Why PayPal can't be used with this configuration.
#[derive(Debug, Error)]
pub enum PayPalConfigError {
    /// A URL that is none, or one that the secret must not be sent to.
    #[error(
        "PayPal's {name} `{url}` is wrong: give an https URL without query and fragment (http only \
         for a sandbox on this machine)"
    )]
    Url {
        /// Which one.
        name: &'static str,
        /// What was given.
        url: String,
    },
    /// Nothing given.
    #[error("PayPal's {0} is empty")]
    Empty(&'static str),
    /// The HTTP client could not be made.
    #[error("no HTTP client for PayPal: {0}")]
    HttpClient(#[from] reqwest::Error),
}

impl PayPalConfig {
    /// Checks everything, and gives the base URL as it was read.
    pub(super) fn checked(&self) -> Result<Url, PayPalConfigError> {
        let base = checked_url("base_url", &self.base_url)?;
        for (name, value) in [
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
            ("webhook_id", &self.webhook_id),
            ("return_url", &self.return_url),
        ] {
            if value.is_empty() {
                return Err(PayPalConfigError::Empty(name));
            }
        }
        Ok(base)
    }

    /// The address of an operation. `path` begins with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url.trim_end_matches('/'))
    }
}

/// The client secret goes to this address with each new token, so it goes encrypted, or not off
/// this machine.
fn checked_url(name: &'static str, text: &str) -> Result<Url, PayPalConfigError> {
    let wrong = || PayPalConfigError::Url {
        name,
        url: text.to_owned(),
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if plain && url.has_host() && (url.scheme() == "https" || is_on_this_machine(&url)) {
        Ok(url)
    } else {
        Err(wrong())
    }
}

/// Whether this is plain HTTP on a loopback address.
pub(super) fn is_on_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let address = address.parse::<std::net::IpAddr>();
    url.scheme() == "http" && (host == "localhost" || address.is_ok_and(|ip| ip.is_loopback()))
}
