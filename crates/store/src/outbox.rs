//! The outbox: effects to be done after a commit, claimed by lease, kept until they are done or
//! given up (spec 00, rule 6).

use crate::committer::{Table, TableRow, Work, sql};
use crate::db::Read;
use crate::page::count;
use crate::row::Row;
use crate::store::of_store;
use crate::{Backlog, Lease, OutboxRow, Page, Store, StoreError};
use domain::Ts;
use uuid::Uuid;

const COLUMNS: &str = "id, order_id, effect, due_at, attempts, lease_owner, lease_until, last_error, \
     request_id, created_at";
const ANY_DUE: &str = "SELECT 1 FROM outbox WHERE wake_at <= $1 AND dead_at IS NULL LIMIT 1";
const RESCHEDULE: &str = "UPDATE outbox SET due_at = $2, wake_at = $2, attempts = $3, last_error = $4, \
     lease_owner = NULL, lease_until = NULL WHERE id = $1";
const GIVE_UP: &str = "UPDATE outbox SET dead_at = $2, attempts = $3, last_error = $4, \
     lease_owner = NULL, lease_until = NULL WHERE id = $1";
const REVIVE: &str = "UPDATE outbox SET dead_at = NULL, due_at = $2, wake_at = $2, attempts = 0 \
     WHERE id = $1 AND dead_at IS NOT NULL RETURNING id";
const NEXT_DUE: &str = "SELECT MIN(wake_at) FROM (SELECT MIN(wake_at) AS wake_at FROM timers \
     UNION ALL SELECT MIN(wake_at) FROM outbox WHERE dead_at IS NULL) AS due";
const BACKLOG: &str = "SELECT (SELECT COUNT(*) FROM outbox WHERE dead_at IS NULL), \
     (SELECT COUNT(*) FROM timers), (SELECT COUNT(*) FROM outbox WHERE dead_at IS NOT NULL)";

impl Store {
    /// Claims effects that are due and that nobody works on, oldest first. Where the lease runs
    /// out, somebody else may claim them.
    pub async fn claim_outbox(
        &self,
        now: Ts,
        lease: Lease,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        if self
            .db()
            .one(Read::Keyed, ANY_DUE, vec![now.into()])
            .await?
            .is_none()
        {
            return Ok(Vec::new());
        }
        let text = format!(
            "WITH due AS MATERIALIZED (SELECT id FROM outbox \
             WHERE wake_at <= $1 AND dead_at IS NULL ORDER BY wake_at LIMIT {limit} {}) \
             UPDATE outbox SET lease_owner = $2, lease_until = $3, wake_at = $3 \
             WHERE id IN (SELECT id FROM due) RETURNING {COLUMNS}",
            self.db().skip_locked()
        );
        let values = vec![now.into(), lease.owner.into(), lease.until.into()];
        let rows = self.write(sql(text), values).await?;
        let mut claimed = rows.iter().map(outbox_row).collect::<Result<Vec<_>, _>>()?;
        claimed.sort_by_key(|row| (row.due, row.id));
        Ok(claimed)
    }

    /// An effect was not done yet: it is due again later, and its lease ends.
    pub async fn reschedule(
        &self,
        id: Uuid,
        due: Ts,
        attempts: i32,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let values = vec![id.into(), due.into(), attempts.into(), error.into()];
        self.write(RESCHEDULE, values).await.map(drop)
    }

    /// Effects that are done: their rows go.
    pub async fn finish(&self, ids: &[Uuid]) -> Result<(), StoreError> {
        let row = |id: &Uuid| TableRow {
            table: Table::OutboxDone,
            sort: (*id, 0),
            values: vec![(*id).into()],
        };
        let work = Work {
            rows: ids.iter().map(row).collect(),
            ..Work::default()
        };
        self.ask(work).await.map(drop).map_err(of_store)
    }

    /// An effect that can't be done: kept for operations, never claimed.
    pub async fn give_up(
        &self,
        id: Uuid,
        attempts: i32,
        error: &str,
        at: Ts,
    ) -> Result<(), StoreError> {
        let values = vec![id.into(), at.into(), attempts.into(), error.into()];
        self.write(GIVE_UP, values).await.map(drop)
    }

    /// Effects that were given up, newest first, and how many there are in all.
    pub async fn dead_outbox(&self, page: Page) -> Result<(Vec<OutboxRow>, i64), StoreError> {
        let counting = "SELECT COUNT(*) FROM outbox WHERE dead_at IS NOT NULL";
        let total = count(
            self.db()
                .one(Read::List, counting, Vec::new())
                .await?
                .as_ref(),
        )?;
        let text = format!(
            "SELECT {COLUMNS} FROM outbox WHERE dead_at IS NOT NULL ORDER BY dead_at DESC, id {}",
            page.limits()
        );
        let rows = self.db().all(Read::List, sql(text), Vec::new()).await?;
        Ok((
            rows.iter().map(outbox_row).collect::<Result<_, _>>()?,
            total,
        ))
    }

    /// An effect that was given up is due again; `false` if it was not given up.
    pub async fn revive(&self, id: Uuid, due: Ts) -> Result<bool, StoreError> {
        Ok(!self
            .write(REVIVE, vec![id.into(), due.into()])
            .await?
            .is_empty())
    }

    /// One effect.
    pub async fn outbox_row(&self, id: Uuid) -> Result<Option<OutboxRow>, StoreError> {
        let text = sql(format!("SELECT {COLUMNS} FROM outbox WHERE id = $1"));
        let row = self.db().one(Read::Keyed, text, vec![id.into()]).await?;
        row.as_ref().map(outbox_row).transpose()
    }

    /// When the next deadline or effect may be claimed.
    pub async fn next_due(&self) -> Result<Option<Ts>, StoreError> {
        let row = self.db().one(Read::Keyed, NEXT_DUE, Vec::new()).await?;
        row.map_or(Ok(None), |row| row.cells().at_or_none())
    }

    /// How much waits.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        let Some(row) = self.db().one(Read::List, BACKLOG, Vec::new()).await? else {
            return Ok(Backlog::default());
        };
        let mut cells = row.cells();
        Ok(Backlog {
            outbox: cells.int()?,
            timers: cells.int()?,
            dead: cells.int()?,
        })
    }
}

fn outbox_row(row: &Row) -> Result<OutboxRow, StoreError> {
    let mut cells = row.cells();
    let id = cells.id()?;
    let order = cells.id_or_none()?;
    let effect = cells.json()?;
    let due = cells.at()?;
    let attempts = cells.int()?;
    let owner: Option<Uuid> = cells.id_or_none()?;
    let until = cells.at_or_none()?;
    Ok(OutboxRow {
        id,
        order,
        effect,
        due,
        attempts,
        lease: owner
            .zip(until)
            .map(|(owner, until)| Lease { owner, until }),
        last_error: cells.text_or_none()?,
        request_id: cells.text_or_none()?,
        created_at: cells.at()?,
    })
}
