//! Orders and money at a glance.

use crate::db::Read;
use crate::{Store, StoreError, Totals};

const BY_STATUS: &str = "SELECT status, COUNT(*) FROM orders GROUP BY status ORDER BY status";
const MONEY: &str = "SELECT CAST(COALESCE(SUM(paid_amount), 0) AS BIGINT), \
     CAST(COALESCE(SUM(refunded_amount), 0) AS BIGINT), CAST(COALESCE(SUM(earned_amount), 0) AS BIGINT) \
     FROM orders";

impl Store {
    /// How many orders stand where, and where the money is.
    pub async fn totals(&self) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        for row in self.db().all(Read::List, BY_STATUS, Vec::new()).await? {
            let mut cells = row.cells();
            totals.by_status.push((cells.status()?, cells.int()?));
        }
        if let Some(row) = self.db().one(Read::List, MONEY, Vec::new()).await? {
            let mut cells = row.cells();
            totals.paid = cells.int()?;
            totals.refunded = cells.int()?;
            let earned: i64 = cells.int()?;
            totals.held = totals.paid - totals.refunded - earned;
        }
        Ok(totals)
    }
}
