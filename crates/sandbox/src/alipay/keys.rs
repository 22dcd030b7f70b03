//! The keys of Alipay and of its one merchant.

use crate::SandboxError;
use crate::ids;
use crate::keys::{KeyRing, Shared, key_pair, unusable};
use aws_lc_rs::hmac;
use connectors::rsa::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// The file's content.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyFile {
    pub(super) app_id: String,
    pub(super) seller_id: String,
    pub(super) app_private_key_pem: String,
    app_public_key_pem: String,
    alipay_private_key_pem: String,
    pub(super) alipay_public_key_pem: String,
}

/// The keys, ready for use.
pub(super) struct Keys {
    pub(super) file: KeyFile,
    /// Verifies the merchant's requests.
    pub(super) app_public: VerifyingKey,
    /// Signs answers and notices.
    pub(super) alipay: SigningKey,
    /// The key that a badly signed notice is signed with: the merchant's, so a valid signature by
    /// somebody who is not Alipay.
    pub(super) wrong: SigningKey,
    /// Seals the addresses of bills.
    pub(super) addresses: hmac::Key,
}

impl KeyRing for Keys {
    type File = KeyFile;
    const FILE: &'static str = "keys-alipay.json";

    fn make() -> Result<KeyFile, SandboxError> {
        let (app_private_key_pem, app_public_key_pem) = key_pair()?;
        let (alipay_private_key_pem, alipay_public_key_pem) = key_pair()?;
        Ok(KeyFile {
            app_id: format!("2021{}", ids::digits(12)),
            seller_id: format!("2088{}", ids::digits(12)),
            app_private_key_pem,
            app_public_key_pem,
            alipay_private_key_pem,
            alipay_public_key_pem,
        })
    }

    fn read(file: KeyFile) -> Result<Self, SandboxError> {
        let verifying = |pem: &str| VerifyingKey::from_spki_pem(pem).map_err(unusable);
        let signing = |pem: &str| SigningKey::from_pkcs8_pem(pem).map_err(unusable);
        Ok(Self {
            app_public: verifying(&file.app_public_key_pem)?,
            alipay: signing(&file.alipay_private_key_pem)?,
            wrong: signing(&file.app_private_key_pem)?,
            addresses: hmac::Key::new(hmac::HMAC_SHA256, file.alipay_private_key_pem.as_bytes()),
            file,
        })
    }

    fn shared() -> &'static Shared<Self> {
        static SHARED: Shared<Keys> = Mutex::new(None);
        &SHARED
    }
}
