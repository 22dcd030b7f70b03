//! Settings that are data, by version, and answers kept for idempotency keys.

use crate::committer::{Demand, Work};
use crate::db::Read;
use crate::orders::encode::json;
use crate::row::Row;
use crate::{CommitError, ConfigRow, IdempotencyRow, Store, StoreError};
use domain::{Ts, UserId};
use serde_json::Value;
use sqlx::SqlStr;
use uuid::Uuid;

const NEWEST: &str = "SELECT name, version, value, set_by, at FROM system_configs WHERE name = $1 \
     ORDER BY version DESC LIMIT 1";
const VERSION: &str = "SELECT name, version, value, set_by, at FROM system_configs \
     WHERE name = $1 AND version = $2";
const PUT: &str = "INSERT INTO system_configs (name, version, value, set_by, at) \
     SELECT $1, $2 + 1, $3, $4, $5 \
     WHERE COALESCE((SELECT MAX(version) FROM system_configs WHERE name = $1), 0) = $2 \
     ON CONFLICT DO NOTHING";
const KEPT: &str = "SELECT user_id, key, request_hash, status, answer, at FROM idempotency_keys \
     WHERE user_id = $1 AND key = $2";

/// After all demands on orders, sessions and doctors.
const CONFIGS: u8 = 11;

impl Store {
    /// A setting as it is now.
    pub async fn config(&self, name: &str) -> Result<Option<ConfigRow>, StoreError> {
        let row = self
            .db()
            .one(Read::Keyed, NEWEST, vec![name.into()])
            .await?;
        row.as_ref().map(config).transpose()
    }

    /// A setting as it was in a version.
    pub async fn config_version(
        &self,
        name: &str,
        version: i64,
    ) -> Result<Option<ConfigRow>, StoreError> {
        let row = self
            .db()
            .one(Read::Keyed, VERSION, vec![name.into(), version.into()])
            .await?;
        row.as_ref().map(config).transpose()
    }

    /// Writes the next version of a setting, and says which that is; [`CommitError::Moved`] if the
    /// expected version (0: none) is not the newest any more.
    pub async fn put_config(
        &self,
        name: &str,
        value: Value,
        by: Option<UserId>,
        at: Ts,
        expected_version: i64,
    ) -> Result<i64, CommitError> {
        let demand = Demand {
            sort: (CONFIGS, Uuid::nil(), true),
            sql: SqlStr::from_static(PUT),
            values: vec![
                name.into(),
                expected_version.into(),
                json(&value)?,
                by.into(),
                at.into(),
            ],
            refusal: Some(CommitError::Moved),
        };
        self.ask(Work {
            demands: vec![demand],
            ..Work::default()
        })
        .await?;
        Ok(expected_version + 1)
    }

    /// The answer kept for a caller's idempotency key.
    pub async fn idempotent_answer(
        &self,
        user: UserId,
        key: &str,
    ) -> Result<Option<IdempotencyRow>, StoreError> {
        let row = self
            .db()
            .one(Read::Keyed, KEPT, vec![user.into(), key.into()])
            .await?;
        let read = |row: Row| {
            let mut cells = row.cells();
            Ok(IdempotencyRow {
                user: cells.id()?,
                key: cells.text()?,
                request_hash: cells.hash()?,
                status: cells.int()?,
                answer: cells.json()?,
                at: cells.at()?,
            })
        };
        row.map(read).transpose()
    }
}

fn config(row: &Row) -> Result<ConfigRow, StoreError> {
    let mut cells = row.cells();
    Ok(ConfigRow {
        name: cells.text()?,
        version: cells.int()?,
        value: cells.json()?,
        by: cells.id_or_none()?,
        at: cells.at()?,
    })
}
