//! The committer: takes everything that waits at this moment, up to a limit, writes it in one
//! transaction, and answers each. It waits for nobody: a batch is what queued up while the one
//! before was written, so that a lone caller pays nothing and many share one `fsync`.

mod batch;
mod prepare;
mod table;
#[cfg(test)]
mod tests;
mod work;

pub(crate) use batch::sql;
pub(crate) use prepare::{idempotency_row, prepare};
pub(crate) use table::{Table, TableRow, Texts};
pub(crate) use work::{Answer, Asked, Demand, Key, Work};

use crate::db::{Conn, Db, is_lost};
use crate::{CommitError, StoreError};
use batch::{Failure, Tried, is_written, try_batch};
use std::collections::{HashSet, VecDeque};
use std::time::Duration;
use tokio::sync::mpsc;

/// How often a batch is written again because the database asked for it, or was gone for a moment.
const TRIES: u32 = 5;

/// How long the first pause before another try is; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(20);

/// One writer of batches.
pub(crate) struct Committer {
    db: Db,
    shard: u8,
    at_most: usize,
    texts: Texts,
    on: Option<Conn>,
}

impl Committer {
    pub(crate) fn new(db: Db, shard: u8, at_most: usize) -> Self {
        Self {
            texts: Texts::new(db.is_postgres()),
            db,
            shard,
            at_most: at_most.max(1),
            on: None,
        }
    }

    /// Works until the queue is closed and empty.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Asked>) {
        let mut waiting: VecDeque<Asked> = VecDeque::new();
        loop {
            if waiting.is_empty() {
                match queue.recv().await {
                    Some(asked) => waiting.push_back(asked),
                    None => return,
                }
            }
            while waiting.len() < 2 * self.at_most {
                match queue.try_recv() {
                    Ok(asked) => waiting.push_back(asked),
                    Err(_) => break,
                }
            }
            let batch = self.take(&mut waiting);
            self.write(batch).await;
        }
    }

    /// The next batch: whoever waited longest first, but never two of the same order or key.
    fn take(&self, waiting: &mut VecDeque<Asked>) -> Vec<Asked> {
        let mut taken = HashSet::new();
        let mut batch = Vec::new();
        let mut left = VecDeque::new();
        while let Some(asked) = waiting.pop_front() {
            let is_free = asked.work.keys.iter().all(|key| !taken.contains(key));
            taken.extend(asked.work.keys.iter().cloned());
            if is_free && batch.len() < self.at_most {
                batch.push(asked);
            } else {
                left.push_back(asked);
            }
        }
        *waiting = left;
        batch
    }

    /// Writes a batch and answers everybody in it.
    async fn write(&mut self, mut batch: Vec<Asked>) {
        let mut tries = 0;
        // A commit was sent and its answer lost: perhaps everything was written already.
        let mut perhaps_written = false;
        while !batch.is_empty() {
            match self.attempt(&batch).await {
                Ok(Tried::Written {
                    mut refused,
                    mut returned,
                }) => {
                    for (place, asked) in batch.into_iter().enumerate() {
                        match refused.remove(&place) {
                            Some(why) => self.refuse(asked, why, perhaps_written).await,
                            None => asked.answer(Ok(returned.remove(&place).unwrap_or_default())),
                        }
                    }
                    return;
                }
                Ok(Tried::Refused(mut refused)) => {
                    let mut others = Vec::new();
                    for (place, asked) in batch.into_iter().enumerate() {
                        match refused.remove(&place) {
                            Some(why) => self.refuse(asked, why, perhaps_written).await,
                            None => others.push(asked),
                        }
                    }
                    batch = others;
                }
                Err(failure) => {
                    tries += 1;
                    perhaps_written |= failure.committing && is_lost(&failure.error);
                    if is_lost(&failure.error) {
                        self.discard().await;
                    }
                    if tries < TRIES && is_worth_another_try(&failure.error) {
                        tokio::time::sleep(PAUSE * 2_u32.pow(tries - 1)).await;
                        continue;
                    }
                    return self.give_up(batch, failure, perhaps_written).await;
                }
            }
        }
    }

    async fn attempt(&mut self, batch: &[Asked]) -> Result<Tried, Failure> {
        let mut on = match self.on.take() {
            Some(on) => on,
            None => self.db.committing().await?,
        };
        let _batch = self.db.between_batches().await;
        let tried = try_batch(&mut on, &mut self.texts, batch, self.shard).await;
        self.on = Some(on);
        tried
    }

    async fn discard(&mut self) {
        if let Some(on) = self.on.take() {
            on.discard().await;
        }
    }

    /// The batch can't be written. Where one work may be to blame, each is tried alone once, so that
    /// it costs only its own caller.
    async fn give_up(&mut self, batch: Vec<Asked>, failure: Failure, perhaps_written: bool) {
        let is_statement = matches!(
            &failure.error,
            sqlx::Error::Database(_) | sqlx::Error::Encode(_)
        );
        if !is_statement || batch.len() == 1 {
            if perhaps_written && self.on.is_none() {
                // Only to look what was written; where that fails, it stays unknown.
                self.on = self.db.committing().await.ok();
            }
            let error = StoreError::from(failure.error);
            for asked in batch {
                let why = if perhaps_written {
                    StoreError::Unknown
                } else {
                    error.clone()
                };
                self.refuse(asked, CommitError::Store(why), perhaps_written)
                    .await;
            }
            return;
        }
        tracing::debug!(error = %failure.error, works = batch.len(), "each work of a batch is tried alone");
        for asked in batch {
            let alone = [asked];
            let tried = self.attempt(&alone).await;
            let [asked] = alone;
            match tried {
                Ok(Tried::Written {
                    mut refused,
                    mut returned,
                }) => match refused.remove(&0) {
                    Some(why) => self.refuse(asked, why, perhaps_written).await,
                    None => asked.answer(Ok(returned.remove(&0).unwrap_or_default())),
                },
                Ok(Tried::Refused(mut refused)) => {
                    let why = refused.remove(&0).unwrap_or(CommitError::Moved);
                    self.refuse(asked, why, perhaps_written).await;
                }
                Err(failure) => {
                    let unknown =
                        perhaps_written || (failure.committing && is_lost(&failure.error));
                    if is_lost(&failure.error) {
                        self.discard().await;
                    }
                    let why = if unknown {
                        StoreError::Unknown
                    } else {
                        failure.error.into()
                    };
                    self.refuse(asked, CommitError::Store(why), unknown).await;
                }
            }
        }
    }

    /// Says no, unless an earlier commit of unknown outcome wrote it after all.
    async fn refuse(&mut self, asked: Asked, why: CommitError, perhaps_written: bool) {
        if !perhaps_written {
            return asked.answer(Err(why));
        }
        let Some(evidence) = asked.work.evidence.clone() else {
            return asked.failed(StoreError::Unknown);
        };
        let Some(mut on) = self.on.take() else {
            return asked.failed(StoreError::Unknown);
        };
        match is_written(&mut on, &evidence).await {
            Ok(true) => asked.answer(Ok(Vec::new())),
            // The database answered: a refusal then stands, a failure stays unknown.
            Ok(false) => asked.answer(Err(why)),
            Err(_) => asked.failed(StoreError::Unknown),
        }
        self.on = Some(on);
    }
}

/// Whether the same batch may well be written next time: a deadlock, a serialisation failure, a
/// busy file, a lost connection.
fn is_worth_another_try(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| {
                code == "40001"
                    || code == "40P01"
                    || code.starts_with("57P")
                    || code == "5"
                    || code == "517"
            }) || is_taken_place(error.as_ref())
        }
        sqlx::Error::PoolClosed
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::Encode(_)
        | sqlx::Error::Decode(_) => false,
        _ => true,
    }
}

/// Whether another process wrote a line into the same room in between (PostgreSQL): the next try sees
/// it, and takes the place behind it.
fn is_taken_place(error: &dyn sqlx::error::DatabaseError) -> bool {
    error.is_unique_violation() && error.constraint() == Some("messages_pkey")
}
