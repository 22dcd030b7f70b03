//! The book's file: one JSON line a change, written before the change is answered.
//!
//! A line is a list of changes that belong together, so that a kill leaves all of them or none. A
//! last line that a kill tore is cut off; what it said had not been answered. A kill of the
//! process loses nothing; a power failure may lose the last lines, which a sandbox can bear.

use super::Change;
use crate::SandboxError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

const FILE: &str = "book.jsonl";
const LOCK: &str = "lock";

/// An open book file, held by this process alone.
pub(crate) struct BookFile {
    out: File,
    length: u64,
    /// Freed with the struct.
    _lock: File,
}

impl BookFile {
    /// Takes the directory for this process and reads its changes, oldest first.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Vec<Change>), SandboxError> {
        let lock = take(dir)?;
        let path = dir.join(FILE);
        let changes = match fs::read(&path) {
            Ok(bytes) => read(&path, &bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(SandboxError::file(&path, source)),
        };
        let out = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(|source| SandboxError::file(&path, source))?;
        Ok((
            Self {
                out,
                length: 0,
                _lock: lock,
            },
            changes,
        ))
    }

    /// Replaces everything that was written by what is still true.
    pub(crate) fn compact(
        &mut self,
        dir: &Path,
        lines: impl Iterator<Item = Vec<Change>>,
    ) -> Result<(), SandboxError> {
        let path = dir.join(FILE);
        let unfinished = dir.join(format!("{FILE}.new"));
        let replace = || -> io::Result<(File, u64)> {
            let mut out = io::BufWriter::new(File::create(&unfinished)?);
            for line in lines {
                out.write_all(&encode(&line)?)?;
            }
            let mut out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            out.sync_all()?;
            let length = out.stream_position()?;
            fs::rename(&unfinished, &path)?;
            Ok((out, length))
        };
        (self.out, self.length) = replace().map_err(|source| SandboxError::file(&path, source))?;
        Ok(())
    }

    /// Writes one line, or nothing.
    pub(crate) fn append(&mut self, changes: &[Change]) -> io::Result<()> {
        let line = encode(changes)?;
        if let Err(error) = self.out.write_all(&line) {
            // The half that was written must not become the beginning of the next line.
            self.out.set_len(self.length)?;
            self.out.seek(SeekFrom::Start(self.length))?;
            return Err(error);
        }
        self.length += u64::try_from(line.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}

fn encode(changes: &[Change]) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(changes)?;
    line.push(b'\n');
    Ok(line)
}

/// Two processes on one book would each overwrite what the other knows.
fn take(dir: &Path) -> Result<File, SandboxError> {
    let path: PathBuf = dir.join(LOCK);
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|source| SandboxError::file(&path, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(SandboxError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(SandboxError::file(&path, source)),
    }
}

fn read(path: &Path, bytes: &[u8]) -> Result<Vec<Change>, SandboxError> {
    let mut changes = Vec::new();
    for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        if !line.ends_with(b"\n") {
            tracing::warn!(
                bytes = line.len(),
                "the sandbox's book ended in a torn line; it is cut"
            );
            break;
        }
        let line: Vec<Change> =
            serde_json::from_slice(line).map_err(|reason| SandboxError::Book {
                path: path.to_owned(),
                line: index + 1,
                reason: reason.to_string(),
            })?;
        changes.extend(line);
    }
    Ok(changes)
}
