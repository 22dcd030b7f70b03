//! What a merchant must configure, checked before the first request.

use super::Encrypting;
use super::resource::{ResourceError, ResourceKey};
use super::signature::{PUBLIC_KEY_PREFIX, PlatformKeys};
use crate::rsa::{EncryptingKey, KeyError, SigningKey, VerifyingKey};
use reqwest::Url;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// A merchant's access to WeChat Pay.
#[derive(Clone)]
pub struct WechatPayConfig {
    /// `https://api.mch.weixin.qq.com`, its second host, or a sandbox.
    pub base_url: String,
    /// The app that patients pay in.
    pub appid: String,
    /// The merchant's number.
    pub mchid: String,
    /// Serial of the merchant API certificate, upper-case hex.
    pub merchant_serial: String,
    /// The certificate's private key, PKCS#8 (`BEGIN PRIVATE KEY`). Secret.
    pub merchant_private_key_pem: String,
    /// The APIv3 key: 32 ASCII bytes. Secret.
    pub api_v3_key: String,
    /// WeChat's keys; both kinds may stand side by side.
    pub platform_keys: Vec<PlatformKey>,
    /// Where WeChat sends its callbacks: at most 255 characters, no query (HTTPS, outside a
    /// sandbox).
    pub notify_url: String,
    /// For a whole request; connecting gets half of it.
    pub timeout: Duration,
}

/// A key that WeChat signs with.
#[derive(Debug, Clone)]
pub struct PlatformKey {
    /// As `Wechatpay-Serial` names it.
    pub serial: String,
    /// A public key (`BEGIN PUBLIC KEY`) where the serial starts with `PUB_KEY_ID_`, otherwise an
    /// X.509 certificate.
    pub pem: String,
}

impl fmt::Debug for WechatPayConfig {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WechatPayConfig")
            .field("base_url", &self.base_url)
            .field("appid", &self.appid)
            .field("mchid", &self.mchid)
            .field("merchant_serial", &self.merchant_serial)
            .field("platform_keys", &self.platform_keys)
            .field("notify_url", &self.notify_url)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Why WeChat Pay can't be used with this configuration.
#[derive(Debug, Error)]
pub enum WechatPayConfigError {
    /// A URL that is none, or of a form that WeChat doesn't take.
    #[error(
        "WeChat Pay's {name} `{url}` is wrong: give an http(s) URL of at most 255 characters \
         without query and fragment"
    )]
    Url {
        /// Which one.
        name: &'static str,
        /// What was given.
        url: String,
    },
    /// Nothing given.
    #[error("WeChat Pay's {0} is empty")]
    Empty(&'static str),
    /// The merchant's private key.
    #[error("WeChat Pay's merchant private key can't be used: {0}")]
    MerchantKey(#[source] KeyError),
    /// The APIv3 key.
    #[error("WeChat Pay's APIv3 key can't be used: {0}")]
    ApiV3Key(#[source] ResourceError),
    /// A platform key.
    #[error("WeChat Pay's platform key `{serial}` can't be used: {source}")]
    PlatformKey {
        /// Its serial.
        serial: String,
        /// What is wrong.
        source: KeyError,
    },
    /// None at all: nothing could be verified.
    #[error("WeChat Pay has no platform key: give the public key with its PUB_KEY_ID_ serial")]
    NoPlatformKey,
    /// The HTTP client could not be made.
    #[error("no HTTP client for WeChat Pay: {0}")]
    HttpClient(#[from] reqwest::Error),
}

/// What the texts of the configuration become.
pub(super) struct Parts {
    pub(super) signing_key: SigningKey,
    pub(super) resource_key: ResourceKey,
    pub(super) platform_keys: PlatformKeys,
    /// The serial that answers shall be signed with; in public-key mode it must be asked for.
    pub(super) wanted_serial: Option<String>,
    pub(super) encrypting: Encrypting,
    pub(super) http: reqwest::Client,
}

impl WechatPayConfig {
    pub(super) fn parts(&self) -> Result<Parts, WechatPayConfigError> {
        let base = checked_url("base_url", &self.base_url)?;
        checked_url("notify_url", &self.notify_url)?;
        for (name, value) in [
            ("appid", &self.appid),
            ("mchid", &self.mchid),
            ("merchant_serial", &self.merchant_serial),
        ] {
            if value.is_empty() {
                return Err(WechatPayConfigError::Empty(name));
            }
        }
        let signing_key = SigningKey::from_pkcs8_pem(&self.merchant_private_key_pem)
            .map_err(WechatPayConfigError::MerchantKey)?;
        let resource_key =
            ResourceKey::new(self.api_v3_key.as_bytes()).map_err(WechatPayConfigError::ApiV3Key)?;
        let wanted_serial = self
            .platform_keys
            .iter()
            .find(|key| key.serial.starts_with(PUBLIC_KEY_PREFIX))
            .map(|key| key.serial.clone());
        Ok(Parts {
            signing_key,
            resource_key,
            platform_keys: self.read_platform_keys()?,
            wanted_serial,
            encrypting: self.encrypting()?,
            http: crate::http::client(&base, self.timeout)?,
        })
    }

    fn encrypting(&self) -> Result<Encrypting, WechatPayConfigError> {
        let PlatformKey { serial, pem } =
            preferred(&self.platform_keys).ok_or(WechatPayConfigError::NoPlatformKey)?;
        let key = if serial.starts_with(PUBLIC_KEY_PREFIX) {
            EncryptingKey::from_spki_pem(pem)
        } else {
            EncryptingKey::from_certificate_pem(pem)
        };
        let serial = serial.clone();
        match key {
            Ok(key) => Ok(Encrypting { serial, key }),
            Err(source) => Err(WechatPayConfigError::PlatformKey { serial, source }),
        }
    }

    fn read_platform_keys(&self) -> Result<PlatformKeys, WechatPayConfigError> {
        if self.platform_keys.is_empty() {
            return Err(WechatPayConfigError::NoPlatformKey);
        }
        let mut keys = PlatformKeys::default();
        for PlatformKey { serial, pem } in &self.platform_keys {
            let key = if serial.starts_with(PUBLIC_KEY_PREFIX) {
                VerifyingKey::from_spki_pem(pem)
            } else {
                VerifyingKey::from_certificate_pem(pem, serial)
            };
            let key = key.map_err(|source| WechatPayConfigError::PlatformKey {
                serial: serial.clone(),
                source,
            })?;
            keys.insert(serial, key);
        }
        Ok(keys)
    }
}

/// The public key, if there is one: WeChat recommends it over the certificate.
fn preferred(keys: &[PlatformKey]) -> Option<&PlatformKey> {
    keys.iter()
        .find(|key| key.serial.starts_with(PUBLIC_KEY_PREFIX))
        .or(keys.first())
}

fn checked_url(name: &'static str, text: &str) -> Result<Url, WechatPayConfigError> {
    let wrong = || WechatPayConfigError::Url {
        name,
        url: text.to_owned(),
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && plain && text.len() <= 255 {
        Ok(url)
    } else {
        Err(wrong())
    }
}
