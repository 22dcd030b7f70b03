//! What can go wrong between the program and its database.

use domain::order::Guard;
use std::sync::Arc;
use thiserror::Error;

/// The database could not do what it was asked.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// The database refused a statement, or could not be reached.
    #[error("the database failed: {0}")]
    Database(Arc<sqlx::Error>),
    /// A stored row can't be read.
    #[error("stored data can't be read: {0}")]
    Corrupt(String),
    /// The database belongs to a newer version of the program.
    #[error(
        "the database is newer than this program: it has migration {found}, this program knows up to {known}; start the newer program"
    )]
    Newer {
        /// The newest migration applied.
        found: i64,
        /// The newest migration known.
        known: i64,
    },
    /// The connection was lost while the database was writing: perhaps it did.
    #[error("the connection was lost while a change was being written: whether it was, is unknown")]
    Unknown,
    /// An entry is dated in a month that the ledger has closed. Months are closed a day after their
    /// end at the earliest, so it is this process's clock that is wrong.
    #[error(
        "nothing was written: it would have been posted into a month that the ledger has closed; this server's clock is behind, set it right"
    )]
    MonthClosed,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The committer's queue is full.
    #[error("too many changes wait to be written: try again in a second")]
    Busy,
    /// No database answers there.
    #[error("the database at {server} can't be opened: {why}")]
    Unreachable {
        /// Host and port, or the file.
        server: String,
        /// What stood against it.
        why: Arc<sqlx::Error>,
    },
    /// The URL names no database.
    #[error("`{0}` is not a database: write sqlite:PATH or postgres://USER@HOST/NAME")]
    Url(String),
}

/// What the triggers on `ledger_entries` say, on both engines.
const MONTH_CLOSED: &str = "the month is closed in the ledger";

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(said) if said.message() == MONTH_CLOSED => Self::MonthClosed,
            _ => Self::Database(Arc::new(error)),
        }
    }
}

/// Why a command's changes were not written.
#[derive(Debug, Clone, Error)]
pub enum CommitError {
    /// The order's version moved on, or the order exists already: decide anew.
    #[error("somebody else was faster: decide anew")]
    Moved,
    /// A guard could not be met; nothing was written.
    #[error("{0:?} is not possible now")]
    GuardRefused(Guard),
    /// The idempotency key was taken by another request meanwhile.
    #[error("the idempotency key was taken by another request")]
    KeyTaken,
    /// The session moved on meanwhile.
    #[error("the session moved on meanwhile")]
    SessionMoved,
    /// The committer's queue is full: nothing was accepted.
    #[error("too many changes wait to be written: try again in a second")]
    Busy,
    /// The store failed; nothing was written, or ([`StoreError::Unknown`]) perhaps it was.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a person was not written down.
#[derive(Debug, Clone, Error)]
pub enum PeopleError {
    /// Somebody signs in with this name already.
    #[error("`{0}` is taken: choose another sign-in name")]
    LoginTaken(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
