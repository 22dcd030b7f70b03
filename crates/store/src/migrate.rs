//! Brings a database up to date, and refuses one that is ahead of the program.

use crate::StoreError;
use crate::db::{Db, Read};
use sqlx::migrate::{MigrateError, Migrator};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Whether the table of applied migrations is there yet, by engine.
const HAS_TABLE_SQLITE: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
const HAS_TABLE_POSTGRES: &str = "SELECT COUNT(*) FROM pg_tables WHERE tablename = '_sqlx_migrations' AND schemaname = current_schema()";

/// Applies what is missing.
pub(crate) async fn migrate(db: &Db) -> Result<(), StoreError> {
    let migrator = if db.is_postgres() { &POSTGRES } else { &SQLITE };
    let known = migrator
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    if let Some(found) = newest_applied(db).await?.filter(|found| *found > known) {
        return Err(StoreError::Newer { found, known });
    }
    let outcome = match db {
        Db::Sqlite { writer, .. } => migrator.run(writer).await,
        Db::Postgres { committers, .. } => migrator.run(committers).await,
    };
    outcome.map_err(|error| match error {
        MigrateError::VersionMissing(found) => StoreError::Newer { found, known },
        other => StoreError::from(sqlx::Error::Migrate(Box::new(other))),
    })
}

async fn newest_applied(db: &Db) -> Result<Option<i64>, StoreError> {
    let has_table = if db.is_postgres() {
        HAS_TABLE_POSTGRES
    } else {
        HAS_TABLE_SQLITE
    };
    let row = db.one(Read::List, has_table, Vec::new()).await?;
    let tables: i64 = row.map_or(Ok(0), |row| row.cells().int())?;
    if tables == 0 {
        return Ok(None);
    }
    let row = db
        .one(
            Read::List,
            "SELECT MAX(version) FROM _sqlx_migrations",
            Vec::new(),
        )
        .await?;
    row.map_or(Ok(None), |row| row.cells().int_or_none())
}
