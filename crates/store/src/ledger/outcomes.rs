//! What stands against the closing of a month beside the ledger itself.

use super::{Unsettled, UnsettledMoney};
use crate::db::Read;
use crate::page::count;
use crate::row::Row;
use crate::value::Value;
use crate::{Store, StoreError};
use domain::Ts;
use domain::payment::GatewayName;
use jiff::civil::Date;

/// Asked for before the month ended, and still neither paid nor over: the gateway may have the
/// money, and no account knows of it.
const PAYMENTS: &str = "SELECT order_id, gateway, amount, currency, created_at FROM payments \
     WHERE status IN (10, 20) AND created_at < $1 ORDER BY created_at, order_id LIMIT 20";
const PAYMENTS_COUNT: &str =
    "SELECT COUNT(*) FROM payments WHERE status IN (10, 20) AND created_at < $1";
/// Granted before the month ended, and not gone: with the gateway, or failed there.
const REFUNDS: &str = "SELECT r.order_id, p.gateway, r.amount, r.currency, r.requested_at \
     FROM refunds r JOIN payments p ON p.order_id = r.order_id AND p.id = r.payment_id \
     WHERE r.status IN (30, 50) AND r.requested_at < $1 ORDER BY r.requested_at, r.id LIMIT 20";
const REFUNDS_COUNT: &str =
    "SELECT COUNT(*) FROM refunds WHERE status IN (30, 50) AND requested_at < $1";

const DIFFERENCES: &str = "SELECT CAST(COALESCE(SUM(unsettled), 0) AS BIGINT) FROM reconciliations \
     WHERE day >= $1 AND day <= $2";
const BILLS: &str = "SELECT gateway, day, run FROM reconciliations WHERE day >= $1 AND day <= $2";

impl Store {
    /// Payments asked for before an instant of which it is still unknown whether money came.
    pub async fn payments_unsettled(&self, before: Ts) -> Result<Unsettled, StoreError> {
        self.unsettled(PAYMENTS_COUNT, PAYMENTS, before).await
    }

    /// Refunds granted before an instant whose money has not gone yet, as far as is known.
    pub async fn refunds_unsettled(&self, before: Ts) -> Result<Unsettled, StoreError> {
        self.unsettled(REFUNDS_COUNT, REFUNDS, before).await
    }

    /// How many differences between the gateways' bills of these days, both included, and our books
    /// nobody has settled yet.
    pub async fn open_differences(&self, from: Date, to: Date) -> Result<i64, StoreError> {
        let values = vec![from.to_string().into(), to.to_string().into()];
        let row = self.db().one(Read::List, DIFFERENCES, values).await?;
        count(row.as_ref())
    }

    /// The bills of these days, both included, that were ever asked for, and whether each was read.
    pub async fn bills_asked_for(
        &self,
        from: Date,
        to: Date,
    ) -> Result<Vec<(GatewayName, Date, bool)>, StoreError> {
        let values = vec![from.to_string().into(), to.to_string().into()];
        let rows = self.db().all(Read::List, BILLS, values).await?;
        let read = |row: &Row| {
            let mut cells = row.cells();
            let gateway = cells.named(GatewayName::from_name)?;
            let day = cells.named(|text| text.parse().ok())?;
            Ok((gateway, day, cells.text()? == "done"))
        };
        rows.iter().map(read).collect()
    }

    async fn unsettled(
        &self,
        counted: &'static str,
        oldest: &'static str,
        before: Ts,
    ) -> Result<Unsettled, StoreError> {
        let before: Vec<Value> = vec![before.into()];
        let row = self.db().one(Read::List, counted, before.clone()).await?;
        let rows = self.db().all(Read::List, oldest, before).await?;
        Ok(Unsettled {
            count: count(row.as_ref())?,
            oldest: rows.iter().map(read).collect::<Result<_, StoreError>>()?,
        })
    }
}

fn read(row: &Row) -> Result<UnsettledMoney, StoreError> {
    let mut cells = row.cells();
    Ok(UnsettledMoney {
        order: cells.id()?,
        gateway: cells.named(GatewayName::from_name)?,
        amount: cells.money()?,
        since: cells.at()?,
    })
}
