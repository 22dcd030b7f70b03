//! Running deadlines: claimed when they are due, by lease.

use crate::committer::sql;
use crate::db::Read;
use crate::orders::refund_of_timer;
use crate::row::Row;
use crate::{Lease, Store, StoreError, TimerRow};
use domain::consultation::TimerName;
use domain::{RefundId, Ts};
use uuid::Uuid;

const ANY_DUE: &str = "SELECT 1 FROM timers WHERE wake_at <= $1 LIMIT 1";
const RELEASE: &str = "UPDATE timers SET wake_at = $4, lease_until = $4 \
     WHERE order_id = $1 AND name = $2 AND refund_id = $3 AND due_at = $5";

impl Store {
    /// Claims deadlines that have passed and that nobody works on, oldest first. Where the lease
    /// runs out, somebody else may claim them.
    pub async fn claim_timers(
        &self,
        now: Ts,
        lease: Lease,
        limit: u32,
    ) -> Result<Vec<TimerRow>, StoreError> {
        // Most often nothing is due, and looking costs no write.
        if self
            .db()
            .one(Read::Keyed, ANY_DUE, vec![now.into()])
            .await?
            .is_none()
        {
            return Ok(Vec::new());
        }
        let text = format!(
            "WITH due AS MATERIALIZED (SELECT order_id, name, refund_id FROM timers \
             WHERE wake_at <= $1 ORDER BY wake_at LIMIT {limit} {}) \
             UPDATE timers SET lease_owner = $2, lease_until = $3, wake_at = $3 \
             WHERE (order_id, name, refund_id) IN (SELECT order_id, name, refund_id FROM due) \
             RETURNING order_id, name, refund_id, due_at",
            self.db().skip_locked()
        );
        let values = vec![now.into(), lease.owner.into(), lease.until.into()];
        let rows = self.write(sql(text), values).await?;
        let mut claimed = rows.iter().map(timer).collect::<Result<Vec<_>, _>>()?;
        claimed.sort_by_key(|row| (row.due, row.order, row.name));
        Ok(claimed)
    }

    /// Puts a claimed deadline off, unless it was moved meanwhile.
    pub async fn release_timer(&self, timer: &TimerRow, retry_at: Ts) -> Result<(), StoreError> {
        let refund = timer.refund.unwrap_or(RefundId(Uuid::nil()));
        let values = vec![
            timer.order.into(),
            timer.name.name().into(),
            refund.into(),
            retry_at.into(),
            timer.due.into(),
        ];
        self.write(RELEASE, values).await.map(drop)
    }
}

fn timer(row: &Row) -> Result<TimerRow, StoreError> {
    let mut cells = row.cells();
    Ok(TimerRow {
        order: cells.id()?,
        name: cells.named(TimerName::from_name)?,
        refund: refund_of_timer(cells.id()?),
        due: cells.at()?,
    })
}
