//! The two engines behind one face: pools, statements, transactions.

use crate::StoreError;
use crate::readers::Readers;
use crate::row::Row;
use crate::value::Value;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPool, Postgres};
use sqlx::sqlite::{
    Sqlite, SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqliteSynchronous,
};
use sqlx::{Connection, SqlSafeStr, SqlStr, Transaction};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// How many statements a connection keeps prepared: each table's, in each size.
const STATEMENTS: usize = 400;

/// How long somebody waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(10);

/// How many lists, counts and checks PostgreSQL is asked for at a time.
const LISTS: u32 = 4;

/// A database of either engine.
#[derive(Debug, Clone)]
pub(crate) enum Db {
    /// One file: a single writer, several readers.
    Sqlite {
        writer: SqlitePool,
        readers: Readers<SqliteConnection>,
        /// Held while a batch is written, so that a checkpoint can keep the writer waiting.
        batch: Arc<Mutex<()>>,
    },
    Postgres {
        /// Of the committers alone, so that readers never make them wait.
        committers: PgPool,
        /// Statements that know their rows' keys. Always by index, whatever the planner thinks of
        /// tables that were empty when it looked.
        keyed: Readers<PgConnection>,
        /// Lists, counts and checks.
        lists: Readers<PgConnection>,
    },
}

/// Whether a statement knows the keys of its rows, or looks through a table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Read {
    Keyed,
    List,
}

impl Db {
    pub(crate) async fn connect(
        url: &str,
        committers: u32,
        readers: u32,
    ) -> Result<Self, StoreError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::connect_postgres(url, committers, readers).await;
        }
        let path = url
            .strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"))
            .unwrap_or(url);
        if path.is_empty() || path.contains("://") || path == ":memory:" {
            return Err(StoreError::Url(url.to_owned()));
        }
        Self::connect_sqlite(Path::new(path), readers).await
    }

    async fn connect_sqlite(path: &Path, readers: u32) -> Result<Self, StoreError> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder)
                .map_err(|why| unreachable(path.display().to_string(), why.into()))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(ACQUIRE)
            .statement_cache_capacity(STATEMENTS)
            .pragma("temp_store", "memory")
            .pragma("cache_size", "-65536")
            .pragma("mmap_size", "268435456")
            // Checkpoints run beside the writer: see `checkpoint`.
            .pragma("wal_autocheckpoint", "0");
        let opened = SqliteConnection::connect_with(&options).await;
        let opened = opened.map_err(|why| unreachable(path.display().to_string(), why))?;
        opened.close().await?;
        let writer = pool()
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        let reading = options.pragma("query_only", "on");
        let readers = Readers::new(reading, readers, ACQUIRE);
        let batch = Arc::default();
        Ok(Self::Sqlite {
            writer,
            readers,
            batch,
        })
    }

    async fn connect_postgres(
        url: &str,
        committers: u32,
        readers: u32,
    ) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| StoreError::Url(url.to_owned()))?
            .application_name("xinglin")
            .statement_cache_capacity(STATEMENTS)
            .options([("timezone", "UTC"), ("jit", "off")]);
        // A pool would go on trying, and then tell only that it took too long.
        let server = format!("{}:{}", options.get_host(), options.get_port());
        let opened = PgConnection::connect_with(&options).await;
        let opened = opened.map_err(|why| unreachable(server, why))?;
        opened.close().await?;
        let by_key = options.clone().options([
            ("enable_seqscan", "off"),
            ("plan_cache_mode", "force_generic_plan"),
        ]);
        let committing = by_key.clone().options([("synchronous_commit", "on")]);
        Ok(Self::Postgres {
            committers: pool()
                .max_connections(committers.max(1))
                .connect_with(committing)
                .await?,
            keyed: Readers::new(by_key, readers, ACQUIRE),
            lists: Readers::new(options, LISTS, ACQUIRE),
        })
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }

    /// Ends a sub-select whose rows are claimed: others pass over them at once. SQLite has one
    /// writer, and needs nothing.
    pub(crate) fn skip_locked(&self) -> &'static str {
        if self.is_postgres() {
            "FOR UPDATE SKIP LOCKED"
        } else {
            ""
        }
    }

    /// All rows of a reading statement.
    pub(crate) async fn all(
        &self,
        read: Read,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into_sql_str();
        let postgres = match (self, read) {
            (Self::Sqlite { readers, .. }, _) => {
                let mut taken = readers.take().await?;
                let rows = sqlite_rows(&mut taken.on, sql, &values).await;
                taken.give_back();
                return Ok(rows?);
            }
            (Self::Postgres { keyed, .. }, Read::Keyed) => keyed,
            (Self::Postgres { lists, .. }, Read::List) => lists,
        };
        loop {
            let mut taken = postgres.take().await?;
            match postgres_rows(&mut taken.on, sql.clone(), &values).await {
                Err(error) if is_lost(&error) => {
                    if !taken.was_idle {
                        return Err(error.into());
                    }
                }
                outcome => {
                    taken.give_back();
                    return Ok(outcome?);
                }
            }
        }
    }

    /// The first row of a reading statement, if there is one.
    pub(crate) async fn one(
        &self,
        read: Read,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.all(read, sql, values).await?.into_iter().next())
    }

    /// Waits until no batch is being written on SQLite, and lets none begin before it is dropped.
    /// PostgreSQL needs nothing of the kind.
    pub(crate) async fn between_batches(&self) -> Option<MutexGuard<'_, ()>> {
        match self {
            Self::Sqlite { batch, .. } => Some(batch.lock().await),
            Self::Postgres { .. } => None,
        }
    }

    /// A committer's connection.
    pub(crate) async fn committing(&self) -> Result<Conn, sqlx::Error> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Conn::Sqlite(writer.acquire().await?),
            Self::Postgres { committers, .. } => Conn::Postgres(committers.acquire().await?),
        })
    }

    /// A writing connection beside the committers'.
    pub(crate) async fn beside(&self) -> Result<Conn, sqlx::Error> {
        Ok(match self {
            Self::Sqlite { writer, .. } => {
                let options = writer.connect_options().as_ref().clone();
                let own = pool().max_connections(1).connect_with(options).await?;
                Conn::Sqlite(own.acquire().await?)
            }
            Self::Postgres { committers, .. } => {
                let options = committers.connect_options().as_ref().clone();
                let own = pool().max_connections(1).connect_with(options).await?;
                Conn::Postgres(own.acquire().await?)
            }
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite {
                writer, readers, ..
            } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres {
                committers,
                keyed,
                lists,
            } => {
                lists.close().await;
                keyed.close().await;
                committers.close().await;
            }
        }
    }
}

fn unreachable(server: String, why: sqlx::Error) -> StoreError {
    StoreError::Unreachable {
        server,
        why: Arc::new(why),
    }
}

fn pool<DB: sqlx::Database>() -> PoolOptions<DB> {
    PoolOptions::new()
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// A committer's connection.
pub(crate) enum Conn {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Conn {
    /// A writing transaction. Dropped, it leaves nothing behind.
    pub(crate) async fn begin(&mut self) -> Result<Tx<'_>, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(on) => Tx::Sqlite(on.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(on) => Tx::Postgres(on.begin().await?),
        })
    }

    /// Gives up a connection that may be broken.
    pub(crate) async fn discard(self) {
        let closed = match self {
            Self::Sqlite(on) => on.detach().close_hard().await,
            Self::Postgres(on) => on.detach().close_hard().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "closing a broken connection");
        }
    }
}

/// A transaction of either engine.
pub(crate) enum Tx<'c> {
    Sqlite(Transaction<'c, Sqlite>),
    Postgres(Transaction<'c, Postgres>),
}

impl Tx<'_> {
    /// The rows that a statement returns.
    pub(crate) async fn rows(
        &mut self,
        sql: SqlStr,
        values: &[Value],
    ) -> Result<Vec<Row>, sqlx::Error> {
        match self {
            Self::Sqlite(tx) => sqlite_rows(tx, sql, values).await,
            Self::Postgres(tx) => postgres_rows(tx, sql, values).await,
        }
    }

    /// How many rows a statement changed.
    pub(crate) async fn execute(
        &mut self,
        sql: SqlStr,
        values: &[Value],
    ) -> Result<u64, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(tx) => sqlx::query_with(sql, sqlite_arguments(values)?)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
            Self::Postgres(tx) => sqlx::query_with(sql, postgres_arguments(values)?)
                .execute(&mut **tx)
                .await?
                .rows_affected(),
        })
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }

    pub(crate) async fn rollback(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(tx) => tx.rollback().await,
            Self::Postgres(tx) => tx.rollback().await,
        }
    }
}

async fn sqlite_rows(
    on: &mut SqliteConnection,
    sql: SqlStr,
    values: &[Value],
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query_with(sql, sqlite_arguments(values)?)
        .fetch_all(on)
        .await?;
    Ok(rows.into_iter().map(Row::Sqlite).collect())
}

async fn postgres_rows(
    on: &mut PgConnection,
    sql: SqlStr,
    values: &[Value],
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query_with(sql, postgres_arguments(values)?)
        .fetch_all(on)
        .await?;
    Ok(rows.into_iter().map(Row::Postgres).collect())
}

fn sqlite_arguments(values: &[Value]) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        value
            .bind_sqlite(&mut arguments)
            .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn postgres_arguments(values: &[Value]) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for value in values {
        value
            .bind_postgres(&mut arguments)
            .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Whether the connection is of no use any more.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            // The server is shutting down, or ended this connection.
            error.code().is_some_and(|code| code.starts_with("57P"))
        }
        sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::PoolTimedOut => false,
        _ => true,
    }
}
