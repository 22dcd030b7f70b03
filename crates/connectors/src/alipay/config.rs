//! What a merchant must configure, checked before the first request.

use crate::rsa::{KeyError, SigningKey, VerifyingKey};
use reqwest::Url;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// A merchant's access to Alipay, in public-key mode. Certificate mode (`app_cert_sn`,
/// `alipay_root_cert_sn`) is left out: it is needed for paying out, which is not done here, and
/// each app may choose public-key mode for what is done here.
#[derive(Clone)]
pub struct AlipayConfig {
    /// The gateway's whole address: `https://openapi.alipay.com/gateway.do`, Alipay's own
    /// sandbox, `https://openapi-sandbox.dl.alipaydev.com/gateway.do`, or ours.
    pub gateway_url: String,
    /// The app's number.
    pub app_id: String,
    /// The user number of the account that gets the money, `2088...`.
    pub seller_id: String,
    /// The app's private key: PKCS#8, with or without its BEGIN and END lines (Alipay's key tool
    /// writes it without). Secret.
    pub app_private_key: String,
    /// Alipay's public key, as the console shows it: not the one that was uploaded there.
    pub alipay_public_key: String,
    /// Where Alipay sends its notices: at most 256 characters, no query (HTTPS, outside a
    /// sandbox).
    pub notify_url: String,
    /// For a whole request; connecting gets half of it.
    pub timeout: Duration,
}

impl fmt::Debug for AlipayConfig {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlipayConfig")
            .field("gateway_url", &self.gateway_url)
            .field("app_id", &self.app_id)
            .field("seller_id", &self.seller_id)
            .field("alipay_public_key", &self.alipay_public_key)
            .field("notify_url", &self.notify_url)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Why Alipay can't be used with this configuration.
#[derive(Debug, Error)]
pub enum AlipayConfigError {
    /// A URL that is none, or of a form that Alipay doesn't take.
    #[error(
        "Alipay's {name} `{url}` is wrong: give an http(s) URL of at most 256 characters without \
         query and fragment"
    )]
    Url {
        /// Which one.
        name: &'static str,
        /// What was given.
        url: String,
    },
    /// Nothing given, or with blanks around it.
    #[error("Alipay's {name} `{value}` is wrong: give the number as the console shows it")]
    Number {
        /// Which one.
        name: &'static str,
        /// What was given.
        value: String,
    },
    /// The app's private key.
    #[error("the app's private key for Alipay can't be used: {0}")]
    AppKey(#[source] KeyError),
    /// Alipay's public key.
    #[error("Alipay's public key can't be used: {0}")]
    AlipayKey(#[source] KeyError),
    /// The HTTP client could not be made.
    #[error("no HTTP client for Alipay: {0}")]
    HttpClient(#[from] reqwest::Error),
}

/// What the texts of the configuration become.
pub(super) struct Parts {
    pub(super) gateway_url: Url,
    pub(super) app_key: SigningKey,
    pub(super) alipay_key: VerifyingKey,
    pub(super) http: reqwest::Client,
}

impl AlipayConfig {
    pub(super) fn parts(&self) -> Result<Parts, AlipayConfigError> {
        let gateway_url = checked_url("gateway_url", &self.gateway_url)?;
        checked_url("notify_url", &self.notify_url)?;
        for (name, value) in [("app_id", &self.app_id), ("seller_id", &self.seller_id)] {
            let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
            if value.is_empty() || !is_number {
                let value = value.clone();
                return Err(AlipayConfigError::Number { name, value });
            }
        }
        let app_key = SigningKey::from_pkcs8_pem(&armoured(&self.app_private_key, "PRIVATE KEY"))
            .map_err(AlipayConfigError::AppKey)?;
        let alipay_key =
            VerifyingKey::from_spki_pem(&armoured(&self.alipay_public_key, "PUBLIC KEY"))
                .map_err(AlipayConfigError::AlipayKey)?;
        let http = crate::http::client(&gateway_url, self.timeout)?;
        Ok(Parts {
            gateway_url,
            app_key,
            alipay_key,
            http,
        })
    }
}

/// The key with its BEGIN and END lines.
fn armoured(key: &str, label: &str) -> String {
    if key.contains("-----BEGIN") {
        key.to_owned()
    } else {
        format!("-----BEGIN {label}-----\n{key}\n-----END {label}-----\n")
    }
}

fn checked_url(name: &'static str, text: &str) -> Result<Url, AlipayConfigError> {
    let wrong = || AlipayConfigError::Url {
        name,
        url: text.to_owned(),
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && plain && text.len() <= 256 {
        Ok(url)
    } else {
        Err(wrong())
    }
}
