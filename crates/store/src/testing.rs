//! Fresh databases for tests, on both engines.

use crate::{Store, StoreError, StoreOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// The environment variable that names a PostgreSQL server for tests, as its administrator.
pub const POSTGRES: &str = "XINGLIN_TEST_POSTGRES";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Why there is no database for a test. Shown in one line, by `unwrap` too.
#[derive(thiserror::Error)]
pub enum NoDatabase {
    /// No PostgreSQL server was named.
    #[error("set {POSTGRES} or run `cargo xtask test`")]
    NoServer,
    /// It could not be made or opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server did not do what it was told.
    #[error("{POSTGRES}: {0}")]
    Server(#[from] sqlx::Error),
}

impl fmt::Debug for NoDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A database of its own for one test. What it leaves behind goes with it.
#[derive(Debug)]
pub struct Fresh {
    /// The store on it.
    pub store: Store,
    /// Where it is, so that it can be opened once more.
    pub url: String,
    folder: Option<PathBuf>,
    postgres: Option<(String, String)>,
}

/// A database file in a temporary folder.
pub async fn fresh_sqlite() -> Result<Fresh, NoDatabase> {
    let folder = std::env::temp_dir().join(name());
    std::fs::remove_dir_all(&folder).ok();
    let url = format!("sqlite:{}", folder.join("test.db").display());
    let store = Store::open(&url, StoreOptions::default()).await?;
    Ok(Fresh {
        store,
        url,
        folder: Some(folder),
        postgres: None,
    })
}

/// A database on the server that [`POSTGRES`] names.
pub async fn fresh_postgres() -> Result<Fresh, NoDatabase> {
    let admin = std::env::var(POSTGRES).map_err(|_| NoDatabase::NoServer)?;
    let name = name();
    administer(
        &admin,
        &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    )
    .await?;
    administer(&admin, &format!("CREATE DATABASE {name}")).await?;
    let server = admin
        .rsplit_once('/')
        .map_or(admin.as_str(), |(server, _)| server);
    let url = format!("{server}/{name}");
    let options = StoreOptions {
        readers: 4,
        ..StoreOptions::default()
    };
    let store = Store::open(&url, options).await?;
    Ok(Fresh {
        store,
        url,
        folder: None,
        postgres: Some((admin, name)),
    })
}

impl Fresh {
    /// Closes the store and takes the database away.
    pub async fn close(mut self) -> Result<(), NoDatabase> {
        self.store.close().await;
        if let Some((admin, name)) = self.postgres.take() {
            administer(
                &admin,
                &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            )
            .await?;
        }
        Ok(())
    }

    /// Changes rows behind the program's back.
    pub async fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.store
            .write(AssertSqlSafe(sql), Vec::new())
            .await
            .map(drop)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            std::fs::remove_dir_all(folder).ok();
        }
    }
}

fn name() -> String {
    format!(
        "xinglin_test_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

async fn administer(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}
