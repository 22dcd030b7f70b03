//! SQLite's checkpoints, beside the writer: a commit never pays for one.

use crate::StoreError;
use crate::db::{Db, Read};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often the log is looked at. Many small copies disturb commits less than few large ones: at
/// half load the slowest commit of a hundred took 9 ms, and 24 ms with half a second in between.
const EVERY: Duration = Duration::from_millis(100);

/// From this many pages on (256 MiB), the log is begun anew.
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
            if let Err(error) = copy(&db).await {
                tracing::warn!(%error, "the log could not be copied into the database; trying again");
            }
        }
    }))
}

/// Copies what there is while the writer goes on. Once the log is long, all of it must be copied for
/// the writer to begin it anew: what came meanwhile is copied too, and only for the last few pages
/// does the writer wait. `RESTART` would make it wait for much longer, asleep.
async fn copy(db: &Db) -> Result<(), StoreError> {
    const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
    if checkpoint(db, PASSIVE).await? > BEGIN_ANEW {
        checkpoint(db, PASSIVE).await?;
        let _no_batch = db.between_batches().await;
        checkpoint(db, PASSIVE).await?;
    }
    Ok(())
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
