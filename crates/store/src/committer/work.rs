//! What a committer writes for one caller: rows, conditions, an answer.

use super::table::TableRow;
use crate::row::Row;
use crate::value::Value;
use crate::{CommitError, StoreError};
use sqlx::SqlStr;
use tokio::sync::oneshot;
use uuid::Uuid;

/// What two works of one batch must not both have, because the second would not see the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Order(Uuid),
    Idempotency(Uuid, String),
}

/// A statement that must change a row, or nothing of its work is written.
#[derive(Debug, Clone)]
pub(crate) struct Demand {
    /// Demands are made in this order, in every process: what is given back comes before what is
    /// taken.
    pub sort: (u8, Uuid, bool),
    pub sql: SqlStr,
    pub values: Vec<Value>,
    /// The answer where no row is changed; `None` where that is all right.
    pub refusal: Option<CommitError>,
}

/// The first line of the journal that a work writes: where it is, the work was written.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub order: Uuid,
    pub version: i64,
    pub seq: i16,
    pub id: Uuid,
}

/// Everything of one caller.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Which committer writes it.
    pub shard: u8,
    pub keys: Vec<Key>,
    /// The order whose row it writes.
    pub order: Option<Uuid>,
    /// The idempotency key that it takes.
    pub idempotency: Option<(Uuid, String)>,
    pub demands: Vec<Demand>,
    pub rows: Vec<TableRow>,
    /// What accounts gain: account, currency, minor units.
    pub sums: Vec<(String, &'static str, i64)>,
    /// A statement whose rows the caller wants.
    pub statement: Option<(SqlStr, Vec<Value>)>,
    pub evidence: Option<Evidence>,
}

/// The rows of [`Work::statement`], or why nothing was written.
pub(crate) type Answer = Result<Vec<Row>, CommitError>;

/// A work and its caller.
pub(crate) struct Asked {
    pub work: Work,
    pub answer: oneshot::Sender<Answer>,
}

impl Asked {
    pub(crate) fn answer(self, with: Answer) {
        // A caller who is gone doesn't want to know.
        self.answer.send(with).ok();
    }

    pub(crate) fn failed(self, error: StoreError) {
        self.answer(Err(CommitError::Store(error)));
    }
}
