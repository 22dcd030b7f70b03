//! Orders and money at a glance.

use crate::db::Read;
use crate::row::Row;
use crate::{MoneyTotals, Store, StoreError, Totals};
use domain::Currency;
use domain::payment::GatewayName;

const BY_STATUS: &str = "SELECT status, COUNT(*) FROM orders GROUP BY status ORDER BY status";
const MONEY: &str = "SELECT currency, CAST(COALESCE(SUM(paid_amount), 0) AS BIGINT), \
     CAST(COALESCE(SUM(refunded_amount), 0) AS BIGINT), CAST(COALESCE(SUM(earned_amount), 0) AS BIGINT) \
     FROM orders GROUP BY currency ORDER BY currency";
const CLEARING: &str = "SELECT SUBSTR(account, 18), currency, CAST(SUM(balance) AS BIGINT) \
     FROM ledger_balances WHERE account LIKE 'gateway_clearing:%' GROUP BY account, currency \
     ORDER BY account, currency";

impl Store {
    /// What each gateway holds for us by our ledger, in minor units of each currency.
    pub async fn clearing_balances(&self) -> Result<Vec<(GatewayName, Currency, i64)>, StoreError> {
        let rows = self.db().all(Read::List, CLEARING, Vec::new()).await?;
        let read = |row: &Row| {
            let mut cells = row.cells();
            let gateway = cells.named(GatewayName::from_name)?;
            Ok((gateway, cells.currency()?, cells.int()?))
        };
        rows.iter().map(read).collect()
    }

    /// How many orders stand where, and where the money is.
    pub async fn totals(&self) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        for row in self.db().all(Read::List, BY_STATUS, Vec::new()).await? {
            let mut cells = row.cells();
            totals.by_status.push((cells.status()?, cells.int()?));
        }
        for row in self.db().all(Read::List, MONEY, Vec::new()).await? {
            let mut cells = row.cells();
            let currency = cells.currency()?;
            let (paid, refunded): (i64, i64) = (cells.int()?, cells.int()?);
            let earned: i64 = cells.int()?;
            totals.money.push(MoneyTotals {
                currency,
                paid,
                refunded,
                held: paid - refunded - earned,
            });
        }
        Ok(totals)
    }
}
