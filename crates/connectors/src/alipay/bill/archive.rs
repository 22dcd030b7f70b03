//! The zip archive around a bill's tables, unpacked within limits.

use encoding_rs::GBK;
use std::io::{Cursor, Read as _};
use thiserror::Error;
use zip::ZipArchive;

/// A bill has two tables; a large one comes in a few parts.
pub const MAX_ENTRIES: usize = 32;

/// Why an archive can't be unpacked.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ArchiveError {
    /// Not a zip archive, or a broken one.
    #[error("the archive is broken: {0}")]
    Broken(String),
    /// More files than a bill has.
    #[error("the archive has {0} files, more than {MAX_ENTRIES}")]
    TooManyFiles(usize),
    /// What small archives of a hostile kind become.
    #[error("the archive becomes more than {0} bytes")]
    TooLarge(usize),
}

/// The texts of all files in an archive, of `limit` bytes at most, before they are read as GBK.
///
/// Sizes that the archive states are not believed: what comes out is counted. Characters that are
/// no GBK become replacement characters; numbers and amounts have none.
pub fn unpack(archive: &[u8], limit: usize) -> Result<Vec<String>, ArchiveError> {
    let broken = |error: &dyn std::fmt::Display| ArchiveError::Broken(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(|error| broken(&error))?;
    if archive.len() > MAX_ENTRIES {
        return Err(ArchiveError::TooManyFiles(archive.len()));
    }
    let mut left = limit;
    let mut texts = Vec::new();
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|error| broken(&error))?;
        if file.is_dir() {
            continue;
        }
        let mut bytes = Vec::new();
        let one_too_many = u64::try_from(left).unwrap_or(u64::MAX).saturating_add(1);
        file.take(one_too_many)
            .read_to_end(&mut bytes)
            .map_err(|error| broken(&error))?;
        left = left
            .checked_sub(bytes.len())
            .ok_or(ArchiveError::TooLarge(limit))?;
        texts.push(GBK.decode_without_bom_handling(&bytes).0.into_owned());
    }
    Ok(texts)
}
