//! The store: opened once, cheap to clone, closed at the end.

use crate::checkpoint;
use crate::committer::{Answer, Asked, Committer, Work, prepare};
use crate::db::{Db, Read};
use crate::migrate::migrate;
use crate::row::Row;
use crate::value::Value;
use crate::{Changes, CommitError, StoreError};
use sqlx::SqlSafeStr;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

/// What can be set when a store is opened.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// How many write at a time; 0 is one on SQLite, which has one writer in any case, and two on
    /// PostgreSQL.
    pub committers: usize,
    /// How many commands are written in one transaction at most.
    pub batch: usize,
    /// How many commands may wait for each committer before new ones are refused.
    pub queue: usize,
    /// How many read at a time; 0 is four on SQLite and sixteen on PostgreSQL.
    pub readers: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            committers: 0,
            batch: 64,
            queue: 4096,
            readers: 0,
        }
    }
}

/// A database that is up to date, and the committers that write to it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    /// One queue a committer; `None` once the store is closed.
    queues: RwLock<Option<Vec<mpsc::Sender<Asked>>>>,
    /// Statements without an order go to the committers by turns.
    turn: AtomicU8,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    checkpoints: Option<JoinHandle<()>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("engine", &self.engine_name())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens `sqlite:PATH`, a bare path, or `postgres://...`, and brings it up to date. A database
    /// of a newer program is refused.
    pub async fn open(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let is_postgres = url.starts_with("postgres");
        let committers = match options.committers {
            _ if !is_postgres => 1,
            0 => 2,
            given => u8::try_from(given.min(16)).unwrap_or(16),
        };
        let readers = match options.readers {
            0 if is_postgres => 16,
            0 => 4,
            given => given,
        };
        let db = Db::connect(url, u32::from(committers), readers).await?;
        migrate(&db).await?;
        let mut queues = Vec::new();
        let mut tasks = Vec::new();
        for shard in 0..committers {
            let (sender, receiver) = mpsc::channel(options.queue.max(1));
            let committer = Committer::new(db.clone(), shard, options.batch);
            tasks.push(tokio::spawn(committer.run(receiver)));
            queues.push(sender);
        }
        let checkpoints = checkpoint::start(&db);
        Ok(Self {
            inner: Arc::new(Inner {
                db,
                queues: RwLock::new(Some(queues)),
                turn: AtomicU8::new(0),
                tasks: Mutex::new(tasks),
                checkpoints,
            }),
        })
    }

    /// Writes what was accepted, then closes. What is asked for afterwards is refused.
    pub async fn close(&self) {
        let queues = self
            .inner
            .queues
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(queues);
        for task in self.inner.tasks.lock().await.drain(..) {
            if let Err(error) = task.await {
                tracing::error!(%error, "a committer ended badly");
            }
        }
        if let Some(checkpoints) = &self.inner.checkpoints {
            checkpoints.abort();
        }
        checkpoint::last(&self.inner.db).await;
        self.inner.db.close().await;
    }

    /// `sqlite` or `postgresql`.
    pub fn engine_name(&self) -> &'static str {
        if self.inner.db.is_postgres() {
            "postgresql"
        } else {
            "sqlite"
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.inner
            .db
            .one(Read::List, "SELECT 1", Vec::new())
            .await
            .map(drop)
    }

    /// Writes a command's changes, all or nothing; they are durable when this returns.
    pub async fn commit(&self, changes: Changes) -> Result<(), CommitError> {
        let work = prepare(&changes)?;
        drop(changes);
        let (answer, answered) = oneshot::channel();
        let queue = self.inner.queue(work.shard)?;
        queue
            .try_send(Asked { work, answer })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => CommitError::Busy,
                mpsc::error::TrySendError::Closed(_) => StoreError::Closed.into(),
            })?;
        drop(queue);
        match answered.await {
            Ok(answer) => answer.map(drop),
            Err(_) => Err(StoreError::Closed.into()),
        }
    }

    /// Gives a committer a work of the store's own.
    pub(crate) async fn ask(&self, mut work: Work) -> Answer {
        work.shard = self.inner.turn.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let queue = self.inner.queue(work.shard)?;
        if queue.send(Asked { work, answer }).await.is_err() {
            return Err(StoreError::Closed.into());
        }
        drop(queue);
        answered.await.unwrap_or(Err(StoreError::Closed.into()))
    }

    /// One writing statement by itself, and the rows that it returns. It shares a transaction with
    /// whatever else waits to be written.
    pub(crate) async fn write(
        &self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let work = Work {
            statement: Some((sql.into_sql_str(), values)),
            ..Work::default()
        };
        self.ask(work).await.map_err(of_store)
    }

    pub(crate) fn db(&self) -> &Db {
        &self.inner.db
    }
}

impl Inner {
    /// The queue of the committer that writes this shard.
    fn queue(&self, shard: u8) -> Result<mpsc::Sender<Asked>, StoreError> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        let queues = queues.as_ref().ok_or(StoreError::Closed)?;
        let place = usize::from(shard) % queues.len().max(1);
        queues.get(place).cloned().ok_or(StoreError::Closed)
    }
}

/// The store's own error of a work that nothing else can refuse.
pub(crate) fn of_store(error: CommitError) -> StoreError {
    match error {
        CommitError::Store(error) => error,
        CommitError::Busy => StoreError::Busy,
        other => StoreError::Corrupt(other.to_string()),
    }
}
