//! The server's own keys, made once and kept.

use anyhow::{Context, Result};
use std::fs;
use std::io::Write;
use std::path::Path;

/// The server's own keys.
pub struct Keys {
    /// Signs access tokens (Ed25519, PKCS#8).
    pub token: Vec<u8>,
    /// Signs quotes.
    pub quote: [u8; 32],
    /// Signs links to files.
    pub file: [u8; 32],
}

impl Keys {
    /// Reads the keys of this folder; makes them the first time.
    pub fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} can't be made", folder.display()))?;
        let token = kept(&folder.join("token.key"), || Ok(api::token::new_key()?))?;
        let quote = secret(&folder.join("quote.key"))?;
        let file = secret(&folder.join("file.key"))?;
        Ok(Self { token, quote, file })
    }
}

/// 32 bytes that nobody can guess.
fn secret(path: &Path) -> Result<[u8; 32]> {
    let bytes = kept(path, || Ok(rand::random::<[u8; 32]>().to_vec()))?;
    <[u8; 32]>::try_from(bytes.as_slice())
        .with_context(|| format!("{} must hold 32 bytes", path.display()))
}

fn kept(path: &Path, make: impl FnOnce() -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let bytes = make()?;
            write_secret(path, &bytes)
                .with_context(|| format!("the key {} can't be written", path.display()))?;
            Ok(bytes)
        }
        Err(error) => {
            Err(error).with_context(|| format!("the key {} can't be read", path.display()))
        }
    }
}

/// Writes a whole file or none, for the owner's eyes only.
fn write_secret(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let beside = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
