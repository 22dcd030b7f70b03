//! SQLite's checkpoints, beside the writer: a commit never pays for one.

use crate::StoreError;
use crate::db::{Db, Read};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often the log is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// From this many pages on (256 MiB), the log is begun anew, which makes the writer wait a moment.
const BEGIN_ANEW: i64 = 65_536;

/// Copies the log into the database from time to time, until aborted.
pub(crate) fn start(db: &Db) -> Option<JoinHandle<()>> {
    if db.is_postgres() {
        return None;
    }
    let db = db.clone();
    Some(tokio::spawn(async move {
        loop {
            tokio::time::sleep(EVERY).await;
            let copied = match checkpoint(&db, "PRAGMA wal_checkpoint(PASSIVE)").await {
                Ok(pages) if pages > BEGIN_ANEW => {
                    checkpoint(&db, "PRAGMA wal_checkpoint(RESTART)").await
                }
                outcome => outcome,
            };
            if let Err(error) = copied {
                tracing::warn!(%error, "the log could not be copied into the database; trying again");
            }
        }
    }))
}

/// The last one, which leaves an empty log behind.
pub(crate) async fn last(db: &Db) {
    if !db.is_postgres()
        && let Err(error) = checkpoint(db, "PRAGMA wal_checkpoint(TRUNCATE)").await
    {
        tracing::warn!(%error, "the log could not be copied into the database; the next start does it");
    }
}

/// How many pages the log had.
async fn checkpoint(db: &Db, how: &'static str) -> Result<i64, StoreError> {
    let Some(row) = db.one(Read::List, how, Vec::new()).await? else {
        return Ok(0);
    };
    let mut cells = row.cells();
    let _busy: i64 = cells.int()?;
    cells.int()
}
