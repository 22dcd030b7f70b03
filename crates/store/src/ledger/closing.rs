//! Closed months: nothing is posted before their end any more.

use super::Closing;
use crate::committer::sql;
use crate::db::{Conn, Read, Tx, is_lost};
use crate::page::count;
use crate::row::Row;
use crate::{CommitError, IdempotencyRow, Store, StoreError};
use domain::Ts;
use domain::ledger::{Month, TrialBalance};
use sqlx::SqlStr;

const CLOSING: &str =
    "SELECT month, begins_at, until, entries, closed_at, closed_by FROM ledger_closings";
const FIRST: &str = "SELECT MIN(at) FROM ledger_entries";
const ENTRIES: &str = "SELECT COUNT(*) FROM ledger_entries WHERE at >= $1 AND at < $2";

/// PostgreSQL: waits for entries that are being written, and lets none in before the end, so that
/// the trigger that guards closed months sees this one.
const LOCK: &str = "LOCK TABLE ledger_entries IN SHARE ROW EXCLUSIVE MODE";

/// Written only where the month follows the one that was closed last, or is the first that has
/// entries, and no entry came to it since it was summed.
const CLOSE: &str = "INSERT INTO ledger_closings (month, begins_at, until, entries, closed_at, closed_by) \
     SELECT $1, $2, $3, $4, $5, $6 \
     WHERE (SELECT COUNT(*) FROM ledger_entries WHERE at >= $2 AND at < $3) = $4 \
     AND CASE WHEN EXISTS (SELECT 1 FROM ledger_closings) \
     THEN (SELECT MAX(until) FROM ledger_closings) = $2 \
     ELSE NOT EXISTS (SELECT 1 FROM ledger_entries WHERE at < $2) END";
const BALANCE: &str = "INSERT INTO ledger_closing_balances (month, account, currency, debits, credits, balance) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const KEY: &str = "INSERT INTO idempotency_keys (user_id, key, request_hash, status, answer, at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, key) DO NOTHING";

impl Store {
    /// The closed months, newest first.
    pub async fn closings(&self) -> Result<Vec<Closing>, StoreError> {
        let text = sql(format!("{CLOSING} ORDER BY until DESC"));
        let rows = self.db().all(Read::List, text, Vec::new()).await?;
        rows.iter().map(read).collect()
    }

    /// A month's closing, if it was closed.
    pub async fn closing(&self, month: Month) -> Result<Option<Closing>, StoreError> {
        let text = sql(format!("{CLOSING} WHERE month = $1"));
        let values = vec![month.to_string().into()];
        let row = self.db().one(Read::Keyed, text, values).await?;
        row.as_ref().map(read).transpose()
    }

    /// When the first entry was made, if there is one.
    pub async fn first_entry_at(&self) -> Result<Option<Ts>, StoreError> {
        let row = self.db().one(Read::List, FIRST, Vec::new()).await?;
        row.map_or(Ok(None), |row| row.cells().at_or_none())
    }

    /// How many entries were made from one instant on and before another.
    pub async fn entries_between(&self, from: Ts, until: Ts) -> Result<i64, StoreError> {
        let values = vec![from.into(), until.into()];
        let row = self.db().one(Read::List, ENTRIES, values).await?;
        count(row.as_ref())
    }

    /// Closes a month with these balances. From then on the database takes no entry before its end.
    ///
    /// # Errors
    ///
    /// [`CommitError::Moved`] where the month is not the next one, or no longer has as many entries
    /// as it is closed with: look again. [`CommitError::KeyTaken`] where the idempotency key was used
    /// before. Nothing was written then.
    pub async fn close_month(
        &self,
        closing: &Closing,
        balance: &TrialBalance,
        idempotency: Option<&IdempotencyRow>,
    ) -> Result<(), CommitError> {
        // Beside the committers: what they write has nothing to do with it, and must not fail with it.
        let mut on = self.db().beside().await.map_err(StoreError::from)?;
        let outcome = {
            let _no_batch = self.db().between_batches().await;
            self.write_closing(&mut on, closing, balance, idempotency)
                .await
        };
        on.discard().await;
        outcome
    }

    async fn write_closing(
        &self,
        on: &mut Conn,
        closing: &Closing,
        balance: &TrialBalance,
        idempotency: Option<&IdempotencyRow>,
    ) -> Result<(), CommitError> {
        let mut tx = on.begin().await.map_err(StoreError::from)?;
        if self.db().is_postgres() {
            execute(&mut tx, LOCK, Vec::new()).await?;
        }
        let month = closing.month.to_string();
        let values = vec![
            (&month).into(),
            closing.begins_at.into(),
            closing.until.into(),
            closing.entries.into(),
            closing.closed_at.into(),
            closing.closed_by.into(),
        ];
        if execute(&mut tx, CLOSE, values).await? == 0 {
            return Err(CommitError::Moved);
        }
        for line in &balance.lines {
            let values = vec![
                (&month).into(),
                line.account.to_string().into(),
                line.currency.code().into(),
                line.debits.into(),
                line.credits.into(),
                line.closing().into(),
            ];
            execute(&mut tx, BALANCE, values).await?;
        }
        if let Some(row) = idempotency {
            let values = crate::committer::idempotency_row(row)?.values;
            if execute(&mut tx, KEY, values).await? == 0 {
                return Err(CommitError::KeyTaken);
            }
        }
        let committed = tx.commit().await;
        committed.map_err(|error| {
            let why = if is_lost(&error) {
                StoreError::Unknown
            } else {
                error.into()
            };
            CommitError::Store(why)
        })
    }
}

async fn execute(
    tx: &mut Tx<'_>,
    text: &'static str,
    values: Vec<crate::value::Value>,
) -> Result<u64, StoreError> {
    Ok(tx.execute(SqlStr::from_static(text), &values).await?)
}

fn read(row: &Row) -> Result<Closing, StoreError> {
    let mut cells = row.cells();
    Ok(Closing {
        month: cells.named(|text| text.parse().ok())?,
        begins_at: cells.at()?,
        until: cells.at()?,
        entries: cells.int()?,
        closed_at: cells.at()?,
        closed_by: cells.id()?,
    })
}
