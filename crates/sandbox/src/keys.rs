//! The keys of both ends, made once and kept: merchants would not survive new ones either.

use crate::{SandboxError, ids};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connectors::rsa::{SigningKey, VerifyingKey};
use connectors::wechat_pay::resource::ResourceKey;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

const FILE: &str = "keys.json";

/// What a merchant needs to use the sandbox.
#[derive(Clone)]
pub struct MerchantCredentials {
    /// The app.
    pub appid: String,
    /// The merchant.
    pub mchid: String,
    /// Serial of the merchant's certificate.
    pub merchant_serial: String,
    /// The merchant's private key, PKCS#8. Secret.
    pub merchant_private_key_pem: String,
    /// The APIv3 key, 32 ASCII bytes. Secret.
    pub api_v3_key: String,
    /// Serial of the sandbox's public key, `PUB_KEY_ID_...`.
    pub platform_serial: String,
    /// The sandbox's public key.
    pub platform_public_key_pem: String,
}

impl fmt::Debug for MerchantCredentials {
    /// Without the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MerchantCredentials")
            .field("appid", &self.appid)
            .field("mchid", &self.mchid)
            .field("merchant_serial", &self.merchant_serial)
            .field("platform_serial", &self.platform_serial)
            .finish_non_exhaustive()
    }
}

/// The file's content.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KeyFile {
    appid: String,
    mchid: String,
    merchant_serial: String,
    merchant_private_key_pem: String,
    merchant_public_key_pem: String,
    api_v3_key: String,
    platform_serial: String,
    platform_private_key_pem: String,
    platform_public_key_pem: String,
}

/// The keys, ready for use.
pub(crate) struct Keys {
    pub(crate) merchant: MerchantCredentials,
    /// Verifies the merchant's requests.
    pub(crate) merchant_public: VerifyingKey,
    /// Signs answers and callbacks.
    pub(crate) platform: SigningKey,
    /// The key that a badly signed callback is signed with: the merchant's, so a valid signature
    /// by somebody who is not the platform.
    pub(crate) wrong: SigningKey,
    /// Seals callbacks.
    pub(crate) resource: ResourceKey,
}

impl Keys {
    /// Reads the directory's keys, or makes them there; without a directory they live as long as
    /// the process.
    pub(crate) fn open(data_dir: Option<&Path>) -> Result<Self, SandboxError> {
        let Some(dir) = data_dir else {
            return Self::read(generate()?);
        };
        let path = dir.join(FILE);
        let file = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|reason| {
                SandboxError::Keys(format!("{} can't be read: {reason}", path.display()))
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let file = generate()?;
                write(&path, &file).map_err(|source| SandboxError::file(&path, source))?;
                file
            }
            Err(source) => return Err(SandboxError::file(&path, source)),
        };
        Self::read(file)
    }

    fn read(file: KeyFile) -> Result<Self, SandboxError> {
        let wrong = |reason: &dyn fmt::Display| SandboxError::Keys(reason.to_string());
        Ok(Self {
            merchant_public: VerifyingKey::from_spki_pem(&file.merchant_public_key_pem)
                .map_err(|reason| wrong(&reason))?,
            platform: SigningKey::from_pkcs8_pem(&file.platform_private_key_pem)
                .map_err(|reason| wrong(&reason))?,
            wrong: SigningKey::from_pkcs8_pem(&file.merchant_private_key_pem)
                .map_err(|reason| wrong(&reason))?,
            resource: ResourceKey::new(file.api_v3_key.as_bytes())
                .map_err(|reason| wrong(&reason))?,
            merchant: MerchantCredentials {
                appid: file.appid,
                mchid: file.mchid,
                merchant_serial: file.merchant_serial,
                merchant_private_key_pem: file.merchant_private_key_pem,
                api_v3_key: file.api_v3_key,
                platform_serial: file.platform_serial,
                platform_public_key_pem: file.platform_public_key_pem,
            },
        })
    }
}

fn generate() -> Result<KeyFile, SandboxError> {
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

/// A fresh RSA key: private and public PEM.
fn key_pair() -> Result<(String, String), SandboxError> {
    let failed = |_| SandboxError::Keys("an RSA key could not be generated".to_owned());
    let key = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let private: Pkcs8V1Der<'_> = key.as_der().map_err(failed)?;
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(failed)?;
    Ok((
        pem("PRIVATE KEY", private.as_ref()),
        pem("PUBLIC KEY", public.as_ref()),
    ))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// Whole or not at all, and for the owner's eyes only.
fn write(path: &Path, file: &KeyFile) -> std::io::Result<()> {
    let unfinished = path.with_extension("json.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&unfinished)?;
    out.write_all(&serde_json::to_vec_pretty(file)?)?;
    out.sync_all()?;
    fs::rename(&unfinished, path)
}
