//! Where the bytes of files are kept: a folder of this machine, or a bucket.

mod local;
mod s3;
#[cfg(test)]
mod tests;

pub use local::LocalStorage;
pub use s3::{S3Config, S3ConfigError, S3Storage, S3UrlStyle};

use bytes::Bytes;
use domain::{FileId, Span, Ts};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use thiserror::Error;

/// What a storage answers later.
pub type Waiting<'a, T> = Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'a>>;

/// Bytes on their way, never all of them at once.
pub type ByteStream = BoxStream<'static, io::Result<Bytes>>;

/// One object's place. What was uploaded is kept apart from what was looked at: a link for uploading
/// must never reach what people are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// As somebody sent it.
    Upload(FileId),
    /// As it was found good, and is shown.
    Kept(FileId),
}

impl Place {
    /// The folder, or the beginning of the object's name.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Upload(_) => "uploads",
            Self::Kept(_) => "kept",
        }
    }

    /// Whose place it is.
    pub const fn id(self) -> FileId {
        match self {
            Self::Upload(id) | Self::Kept(id) => id,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.folder(), self.id())
    }
}

/// Why a storage did not do what it was asked.
#[derive(Debug, Error)]
pub enum StorageError {
    /// Nothing is there.
    #[error("there is nothing at {0}")]
    Missing(Place),
    /// More came than was announced; nothing was kept.
    #[error("more than the announced {announced} bytes came")]
    TooMuch {
        /// How many were announced.
        announced: u64,
    },
    /// Less came than was announced, or it broke off; nothing was kept.
    #[error("{received} of the announced {announced} bytes came")]
    TooLittle {
        /// How many were announced.
        announced: u64,
        /// How many came.
        received: u64,
    },
    /// It does not work now.
    #[error("the storage of files failed at {operation}: {reason}")]
    Failed {
        /// What was asked.
        operation: &'static str,
        /// What stood against it.
        reason: String,
    },
}

impl StorageError {
    fn failed(operation: &'static str, reason: impl fmt::Display) -> Self {
        Self::Failed {
            operation,
            reason: reason.to_string(),
        }
    }
}

/// Something to be put away.
pub struct Content {
    /// How many bytes it must be.
    pub size: u64,
    /// The bytes.
    pub bytes: ByteStream,
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self {
            size: bytes.len() as u64,
            bytes: stream::iter([Ok(bytes)]).boxed(),
        }
    }
}

/// Something that was put away.
pub struct Found {
    /// How many bytes it has in all.
    pub size: u64,
    /// The bytes that were asked for.
    pub bytes: ByteStream,
}

/// Some of an object's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The first one, from 0.
    pub from: u64,
    /// How many, at least one.
    pub length: u64,
}

/// How an object is to be shown to whoever follows a link.
#[derive(Debug, Clone)]
pub struct ShownAs {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Content-Disposition`.
    pub disposition: String,
}

/// Where the bytes of files are kept.
pub trait Storage: Send + Sync {
    /// What it is, in a word, for logs.
    fn name(&self) -> &'static str;

    /// Puts all of it away, durably, or nothing. What was there before is replaced.
    fn put(&self, place: Place, content: Content, now: Ts) -> Waiting<'_, ()>;

    /// Gets an object, or some of it.
    fn get(&self, place: Place, part: Option<Part>, now: Ts) -> Waiting<'_, Found>;

    /// Takes it away; that nothing is there is no error.
    fn delete(&self, place: Place, now: Ts) -> Waiting<'_, ()>;

    /// An address to which exactly so many bytes may be put with `PUT`, past this program; `None`
    /// where they have to come through it.
    fn upload_url(&self, place: Place, size: u64, good_for: Span, now: Ts) -> Option<String>;

    /// An address from which an object can be read, past this program; `None` where it has to come
    /// through it.
    fn download_url(
        &self,
        place: Place,
        shown_as: &ShownAs,
        good_for: Span,
        now: Ts,
    ) -> Option<String>;
}

/// Lets through as many bytes as were announced, and ends with an error where more or fewer come.
struct Measured {
    announced: u64,
    received: u64,
}

impl Measured {
    const fn new(announced: u64) -> Self {
        Self {
            announced,
            received: 0,
        }
    }

    fn take(&mut self, bytes: &Bytes) -> Result<(), StorageError> {
        self.received = self.received.saturating_add(bytes.len() as u64);
        if self.received > self.announced {
            return Err(StorageError::TooMuch {
                announced: self.announced,
            });
        }
        Ok(())
    }

    const fn end(&self) -> Result<(), StorageError> {
        if self.received < self.announced {
            return Err(StorageError::TooLittle {
                announced: self.announced,
                received: self.received,
            });
        }
        Ok(())
    }
}
