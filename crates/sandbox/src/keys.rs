//! Keys, made once and kept: merchants would not survive new ones either.

use crate::SandboxError;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Where the sandboxes without a directory keep their keys: one set a process, since making them
/// takes long and every test opens a sandbox.
pub(crate) type Shared<K> = Mutex<Option<Arc<K>>>;

/// The keys of one counterparty, of both ends.
pub(crate) trait KeyRing: Sized + Send + Sync + 'static {
    /// As they stand in the file.
    type File: Serialize + DeserializeOwned;
    /// The file's name in the sandbox's directory, such as `keys-alipay.json`.
    const FILE: &'static str;
    /// Makes new ones.
    fn make() -> Result<Self::File, SandboxError>;
    /// Makes them ready for use.
    fn read(file: Self::File) -> Result<Self, SandboxError>;
    /// The set of the sandboxes without a directory.
    fn shared() -> &'static Shared<Self>;
}

/// Reads the directory's keys, or makes them there. Without a directory they live as long as the
/// process, and all its sandboxes share them.
pub(crate) fn open<K: KeyRing>(data_dir: Option<&Path>) -> Result<Arc<K>, SandboxError> {
    let Some(dir) = data_dir else {
        // Locked while they are made, so that two beginners don't both make some.
        let mut shared = K::shared().lock().unwrap_or_else(PoisonError::into_inner);
        return match &*shared {
            Some(keys) => Ok(keys.clone()),
            None => {
                let keys = Arc::new(K::read(K::make()?)?);
                *shared = Some(keys.clone());
                Ok(keys)
            }
        };
    };
    let path = dir.join(K::FILE);
    let file = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|reason| {
            SandboxError::Keys(format!("{} can't be read: {reason}", path.display()))
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let file = K::make()?;
            write(&path, &file).map_err(|source| SandboxError::file(&path, source))?;
            file
        }
        Err(source) => return Err(SandboxError::file(&path, source)),
    };
    K::read(file).map(Arc::new)
}

/// A key that can't be used, as the sandbox's error.
pub(crate) fn unusable(reason: impl fmt::Display) -> SandboxError {
    SandboxError::Keys(reason.to_string())
}

/// A fresh RSA key of 2048 bits: private (PKCS#8) and public (SubjectPublicKeyInfo) PEM.
pub(crate) fn key_pair() -> Result<(String, String), SandboxError> {
    let failed = |_| unusable("an RSA key could not be generated");
    let key = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let private: Pkcs8V1Der<'_> = key.as_der().map_err(failed)?;
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(failed)?;
    Ok((
        pem("PRIVATE KEY", private.as_ref()),
        pem("PUBLIC KEY", public.as_ref()),
    ))
}

/// A PEM block with lines of 64 characters.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
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
fn write(path: &Path, file: &impl Serialize) -> std::io::Result<()> {
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
