//! The keys of WeChat and of its one merchant.

use crate::SandboxError;
use crate::ids;
use crate::keys::{KeyRing, Shared, key_pair, unusable};
use connectors::rsa::{DecryptingKey, SigningKey, VerifyingKey};
use connectors::wechat_pay::resource::ResourceKey;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// The file's content.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyFile {
    pub(super) appid: String,
    pub(super) mchid: String,
    pub(super) merchant_serial: String,
    pub(super) merchant_private_key_pem: String,
    merchant_public_key_pem: String,
    pub(super) api_v3_key: String,
    pub(super) platform_serial: String,
    platform_private_key_pem: String,
    pub(super) platform_public_key_pem: String,
}

/// The keys, ready for use.
pub(super) struct Keys {
    pub(super) file: KeyFile,
    /// Verifies the merchant's requests.
    pub(super) merchant_public: VerifyingKey,
    /// Signs answers and callbacks.
    pub(super) platform: SigningKey,
    /// Opens what only the platform may read.
    pub(super) decrypting: DecryptingKey,
    /// The key that a badly signed callback is signed with: the merchant's, so a valid signature
    /// by somebody who is not the platform.
    pub(super) wrong: SigningKey,
    /// Seals callbacks.
    pub(super) resource: ResourceKey,
}

impl KeyRing for Keys {
    type File = KeyFile;
    const FILE: &'static str = "keys.json";

    fn make() -> Result<KeyFile, SandboxError> {
        let (merchant_private_key_pem, merchant_public_key_pem) = key_pair()?;
        let (platform_private_key_pem, platform_public_key_pem) = key_pair()?;
        let mchid = format!("19{}", ids::digits(8));
        Ok(KeyFile {
            appid: format!("wx{}", ids::hexadecimal(16).to_ascii_lowercase()),
            merchant_serial: ids::hexadecimal(40),
            merchant_private_key_pem,
            merchant_public_key_pem,
            api_v3_key: ids::letters(32),
            platform_serial: format!("PUB_KEY_ID_01{mchid}{}", ids::digits(22)),
            platform_private_key_pem,
            platform_public_key_pem,
            mchid,
        })
    }

    fn read(file: KeyFile) -> Result<Self, SandboxError> {
        Ok(Self {
            merchant_public: VerifyingKey::from_spki_pem(&file.merchant_public_key_pem)
                .map_err(unusable)?,
            platform: SigningKey::from_pkcs8_pem(&file.platform_private_key_pem)
                .map_err(unusable)?,
            decrypting: DecryptingKey::from_pkcs8_pem(&file.platform_private_key_pem)
                .map_err(unusable)?,
            wrong: SigningKey::from_pkcs8_pem(&file.merchant_private_key_pem).map_err(unusable)?,
            resource: ResourceKey::new(file.api_v3_key.as_bytes()).map_err(unusable)?,
            file,
        })
    }

    fn shared() -> &'static Shared<Self> {
        static SHARED: Shared<Keys> = Mutex::new(None);
        &SHARED
    }
}
