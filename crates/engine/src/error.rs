//! Why the engine did not do what it was asked.

use crate::files::FileRefusal;
use crate::ledger::Against;
use connectors::gateway::GatewayError;
use domain::ledger::Month;
use domain::lifecycle::Language;
use domain::order::{Guard, Refusal};
use domain::payment::GatewayName;
use domain::reconciliation::SettleRefusal;
use store::{CommitError, StoreError};
use thiserror::Error;

/// Why the engine did not do what it was asked. Nothing was changed.
#[derive(Debug, Error)]
pub enum EngineError {
    /// No such order.
    #[error("there is no such order")]
    NotFound,
    /// No such thing beside orders.
    #[error("there is no such {thing}")]
    NoSuch {
        /// What was looked for.
        thing: &'static str,
    },
    /// The order's rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A file is not taken or not shown.
    #[error(transparent)]
    File(#[from] FileRefusal),
    /// Files can't be written or read now.
    #[error("files can't be kept or read now: {0}")]
    Storage(String),
    /// A field's value doesn't fit.
    #[error("{field}: {why}")]
    Invalid {
        /// Which, in the API's spelling.
        field: &'static str,
        /// What would fit.
        why: String,
    },
    /// The slot has no place left.
    #[error("the slot is full: choose another one")]
    SlotFull,
    /// Something beside the order stood against it.
    #[error("it can't be done now: {0:?} is not possible")]
    GuardRefused(Guard),
    /// The session's status doesn't take it.
    #[error("a session that is {status} can't be changed that way")]
    SessionStatus {
        /// What is, as its constant.
        status: &'static str,
    },
    /// Nobody is called while the session isn't open.
    #[error("nobody can be called while the session is {status}: open or resume it first")]
    NobodyIsCalled {
        /// What is, as its constant.
        status: &'static str,
    },
    /// People wait, and nobody confirmed that they are to be sent away.
    #[error("{waiting} people wait: confirm that they are refunded in full")]
    PeopleWait {
        /// How many.
        waiting: usize,
    },
    /// A month of the ledger can't be closed.
    #[error("{month} can't be closed: {}", words(.against))]
    NotClosed {
        /// Which month.
        month: Month,
        /// Everything that stands against it.
        against: Vec<Against>,
    },
    /// The idempotency key was taken by another request meanwhile.
    #[error("another request with this idempotency key was faster")]
    KeyTaken,
    /// Others changed the same thing again and again.
    #[error("others are changing the same thing: try again")]
    Contended,
    /// Too much to do: nothing was accepted.
    #[error("too much to do at the moment: try again in a second")]
    Busy,
    /// The gateway isn't configured.
    #[error("the payment gateway `{0}` is switched off")]
    GatewayOff(GatewayName),
    /// The gateway did not do it.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// It is being done this moment.
    #[error("this {thing} is under way: wait until it has ended")]
    UnderWay {
        /// What.
        thing: &'static str,
    },
    /// A difference is not settled that way.
    #[error(transparent)]
    Settle(#[from] SettleRefusal),
    /// Stored data could not be read.
    #[error("stored data can't be read: {0}")]
    Corrupt(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn words(against: &[Against]) -> String {
    let words: Vec<String> = against.iter().map(|one| one.words(Language::En)).collect();
    words.join("; ")
}

impl From<CommitError> for EngineError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Moved | CommitError::SessionMoved => Self::Contended,
            CommitError::GuardRefused(Guard::TakePlace(_)) => Self::SlotFull,
            CommitError::GuardRefused(guard) => Self::GuardRefused(guard),
            CommitError::KeyTaken => Self::KeyTaken,
            CommitError::Busy => Self::Busy,
            CommitError::Store(error) => Self::Store(error),
        }
    }
}
