//! What a merchant must configure, checked before the first request.

use super::certificate::{CertificateError, MerchantCertificate, Trust};
use super::signature::digest_text;
use crate::rsa::{KeyError, SigningKey};
use reqwest::Url;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// A merchant's access to UnionPay's online gateway.
#[derive(Clone)]
pub struct UnionPayConfig {
    /// `https://gateway.95516.com`, its test environment, or a sandbox; without the path.
    pub base_url: String,
    /// Where settlement files are, such as `https://filedownload.95516.com/`; with the path.
    pub file_url: String,
    /// The merchant's number: 15 letters and digits.
    pub mer_id: String,
    /// The merchant's certificate (PEM), from which `certId` is taken.
    pub merchant_certificate_pem: String,
    /// The private key of this certificate, PKCS#8 (`BEGIN PRIVATE KEY`). Secret.
    pub merchant_private_key_pem: String,
    /// UnionPay's root certificate (PEM; several may stand one after another).
    pub root_certificates_pem: String,
    /// UnionPay's middle certificate (PEM; several may stand one after another).
    pub middle_certificates_pem: String,
    /// The name that must stand in the certificate that UnionPay signs with.
    pub signer: String,
    /// The page that payers are shown: `07` for a desk, `08` for a phone.
    pub channel_type: String,
    /// Where UnionPay sends its notices. Without a query: what stood in it would come back among
    /// the signed fields.
    pub notify_url: String,
    /// Where payers come back to when the start of a payment names no page.
    pub front_url: String,
    /// For a whole request; connecting gets half of it.
    pub timeout: Duration,
}

impl fmt::Debug for UnionPayConfig {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnionPayConfig")
            .field("base_url", &self.base_url)
            .field("file_url", &self.file_url)
            .field("mer_id", &self.mer_id)
            .field("signer", &self.signer)
            .field("channel_type", &self.channel_type)
            .field("notify_url", &self.notify_url)
            .field("front_url", &self.front_url)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Why UnionPay can't be used with this configuration.
#[derive(Debug, Error)]
pub enum UnionPayConfigError {
    /// A URL that is none, or of a form that UnionPay doesn't take.
    #[error(
        "UnionPay's {name} `{url}` is wrong: give an http(s) URL of at most 256 characters without \
         query and fragment"
    )]
    Url {
        /// Which one.
        name: &'static str,
        /// What was given.
        url: String,
    },
    /// The merchant's number.
    #[error("UnionPay's merchant number `{0}` is wrong: it has 15 letters and digits")]
    MerId(String),
    /// The kind of page.
    #[error("UnionPay's channel `{0}` is wrong: give 07 (desk) or 08 (phone)")]
    Channel(String),
    /// Nothing given.
    #[error("UnionPay's {0} is empty")]
    Empty(&'static str),
    /// The merchant's private key.
    #[error("UnionPay's merchant private key can't be used: {0}")]
    MerchantKey(#[source] KeyError),
    /// The merchant's certificate.
    #[error("UnionPay's merchant certificate can't be used: {0}")]
    MerchantCertificate(#[source] CertificateError),
    /// Two that don't belong together: UnionPay would refuse every request.
    #[error("UnionPay's merchant private key is not that of the merchant certificate")]
    OtherKey,
    /// UnionPay's own certificates.
    #[error("UnionPay's root and middle certificates can't be used: {0}")]
    Trust(#[source] CertificateError),
    /// The HTTP client could not be made.
    #[error("no HTTP client for UnionPay: {0}")]
    HttpClient(#[from] reqwest::Error),
}

/// What the texts of the configuration become.
pub(super) struct Parts {
    pub(super) urls: Urls,
    pub(super) cert_id: String,
    pub(super) signing_key: SigningKey,
    pub(super) trust: Trust,
    pub(super) http: reqwest::Client,
    pub(super) file_http: reqwest::Client,
}

/// Where requests go.
pub(super) struct Urls {
    pub(super) front: Url,
    pub(super) back: Url,
    pub(super) query: Url,
    pub(super) file: Url,
}

impl UnionPayConfig {
    pub(super) fn parts(&self) -> Result<Parts, UnionPayConfigError> {
        let base = checked_url("base_url", &self.base_url)?;
        let file = checked_url("file_url", &self.file_url)?;
        checked_url("notify_url", &self.notify_url)?;
        let is_mer_id =
            |text: &str| text.len() == 15 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_mer_id(&self.mer_id) {
            return Err(UnionPayConfigError::MerId(self.mer_id.clone()));
        }
        if !matches!(self.channel_type.as_str(), "07" | "08") {
            return Err(UnionPayConfigError::Channel(self.channel_type.clone()));
        }
        if self.signer.is_empty() {
            return Err(UnionPayConfigError::Empty("signer"));
        }
        let signing_key = SigningKey::from_pkcs8_pem(&self.merchant_private_key_pem)
            .map_err(UnionPayConfigError::MerchantKey)?;
        let certificate = MerchantCertificate::read(&self.merchant_certificate_pem)
            .map_err(UnionPayConfigError::MerchantCertificate)?;
        let probe = digest_text("");
        let signature = signing_key
            .sign(probe.as_bytes())
            .map_err(UnionPayConfigError::MerchantKey)?;
        if !certificate.key.verifies(probe.as_bytes(), &signature) {
            return Err(UnionPayConfigError::OtherKey);
        }
        let trust = Trust::new(
            &self.root_certificates_pem,
            &self.middle_certificates_pem,
            &self.signer,
        )
        .map_err(UnionPayConfigError::Trust)?;
        Ok(Parts {
            http: crate::http::client(&base, self.timeout)?,
            file_http: crate::http::client(&file, self.timeout)?,
            urls: Urls {
                front: self.endpoint("frontTransReq.do")?,
                back: self.endpoint("backTransReq.do")?,
                query: self.endpoint("queryTrans.do")?,
                file,
            },
            cert_id: certificate.cert_id,
            signing_key,
            trust,
        })
    }

    fn endpoint(&self, name: &str) -> Result<Url, UnionPayConfigError> {
        let base = self.base_url.trim_end_matches('/');
        checked_url("base_url", &format!("{base}/gateway/api/{name}"))
    }
}

fn checked_url(name: &'static str, text: &str) -> Result<Url, UnionPayConfigError> {
    let wrong = || UnionPayConfigError::Url {
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
