//! A gateway's days: claimed for a run, put off, listed.

use super::{BillFile, DaySums, Reconciliation, ReconciliationFilter, day_value};
use crate::committer::sql;
use crate::db::Read;
use crate::page::{Conditions, count};
use crate::row::Row;
use crate::{Lease, Page, Store, StoreError};
use domain::payment::GatewayName;
use domain::reconciliation::{ReconciliationState, Run, Sums};
use domain::{Money, ReconciliationId, Ts};
use jiff::civil::Date;
use std::collections::HashMap;

const COLUMNS: &str = "id, gateway, day, run, runs, started_at, finished_at, retry_at, error, bill_sha256, \
     bill_lines, matched_payments, matched_refunds, differences, unsettled, created_at";
const CLAIM: &str = "INSERT INTO reconciliations (id, gateway, day, run, runs, lease_owner, lease_until, started_at, \
     bill_lines, matched_payments, matched_refunds, differences, unsettled, created_at) \
     VALUES ($1, $2, $3, 'running', 1, $4, $5, $6, 0, 0, 0, 0, 0, $6) \
     ON CONFLICT (gateway, day) DO UPDATE SET run = 'running', runs = reconciliations.runs + 1, \
     lease_owner = excluded.lease_owner, lease_until = excluded.lease_until, \
     started_at = excluded.started_at, finished_at = NULL, retry_at = NULL, error = NULL \
     WHERE reconciliations.lease_until IS NULL OR reconciliations.lease_until <= excluded.started_at \
     RETURNING id";
const PUT_OFF: &str = "UPDATE reconciliations SET run = $3, finished_at = $4, retry_at = $5, error = $6, \
     lease_owner = NULL, lease_until = NULL WHERE id = $1 AND lease_owner = $2 RETURNING id";
const DAYS: &str = "SELECT day, run, retry_at, lease_until FROM reconciliations \
     WHERE gateway = $1 AND day >= $2 ORDER BY day";
const FIRST: &str = "SELECT MIN(day) FROM reconciliations WHERE gateway = $1";
const SUMS: &str = "SELECT s.reconciliation_id, s.currency, s.bill_paid, s.bill_refunded, s.bill_fee, s.our_paid, \
     s.our_refunded, s.ledger_moved FROM reconciliation_sums s \
     WHERE s.reconciliation_id = $1 ORDER BY s.currency";
const BILL: &str = "SELECT b.bytes, b.sha256, b.fetched_at FROM reconciliation_bills b \
     JOIN reconciliations r ON r.id = b.reconciliation_id AND r.bill_sha256 = b.sha256 WHERE r.id = $1";
const AWAITS: &str = "SELECT 1 FROM reconciliation_differences d JOIN reconciliations r ON r.id = d.reconciliation_id \
     WHERE r.gateway = $1 AND r.day = $2 AND d.status = 10 \
     AND d.kind IN ('PAYMENT_NEIGHBOURING_DAY', 'REFUND_NEIGHBOURING_DAY', 'PAYMENT_MISSING_THERE', \
     'REFUND_MISSING_THERE') LIMIT 1";
const BILLS: &str = "SELECT sha256, fetched_at FROM reconciliation_bills WHERE reconciliation_id = $1 \
     ORDER BY fetched_at, sha256 LIMIT 1000";
const MOVED: &str = "SELECT p.currency, CAST(SUM(p.amount) AS BIGINT) FROM ledger_entries e \
     JOIN ledger_postings p ON p.entry_id = e.id \
     WHERE e.at >= $2 AND e.at < $3 AND p.account = $1 AND e.kind <> 'suspense_recorded' \
     GROUP BY p.currency ORDER BY p.currency";

/// A day of a gateway that has been looked at, as far as whoever looks for due ones must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownDay {
    /// Which.
    pub day: Date,
    /// What came of the last run.
    pub run: Run,
    /// When the bill is asked for again, while it is waited for.
    pub retry_at: Option<Ts>,
    /// Until when somebody works on it.
    pub lease_until: Option<Ts>,
}

impl Store {
    /// Takes a gateway's day for a run, and writes that it is under way; `None` where somebody else
    /// is at it.
    pub async fn claim_reconciliation(
        &self,
        gateway: GatewayName,
        day: Date,
        new: ReconciliationId,
        lease: &Lease,
        now: Ts,
    ) -> Result<Option<ReconciliationId>, StoreError> {
        let values = vec![
            new.into(),
            gateway.name().into(),
            day_value(day),
            lease.owner.into(),
            lease.until.into(),
            now.into(),
        ];
        let rows = self.write(CLAIM, values).await?;
        rows.first().map(|row| row.cells().id()).transpose()
    }

    /// Ends a run without a bill: `retry_at` says when the next one is due, where one is. Tells
    /// whether the run was still the caller's.
    pub async fn put_off_reconciliation(
        &self,
        id: ReconciliationId,
        lease: &Lease,
        error: &str,
        retry_at: Option<Ts>,
        now: Ts,
    ) -> Result<bool, StoreError> {
        let run = retry_at.map_or(Run::Failed, |_| Run::Waiting);
        let values = vec![
            id.into(),
            lease.owner.into(),
            run.name().into(),
            now.into(),
            retry_at.into(),
            error.into(),
        ];
        Ok(!self.write(PUT_OFF, values).await?.is_empty())
    }

    /// The days of a gateway that have been looked at, from a day on.
    pub async fn known_days(
        &self,
        gateway: GatewayName,
        from: Date,
    ) -> Result<Vec<KnownDay>, StoreError> {
        let values = vec![gateway.name().into(), day_value(from)];
        let rows = self.db().all(Read::Keyed, DAYS, values).await?;
        let known = |row: &Row| {
            let mut cells = row.cells();
            Ok(KnownDay {
                day: cells.day()?,
                run: cells.named(Run::from_name)?,
                retry_at: cells.at_or_none()?,
                lease_until: cells.at_or_none()?,
            })
        };
        rows.iter().map(known).collect()
    }

    /// The first day of a gateway that was ever looked at.
    pub async fn first_known_day(&self, gateway: GatewayName) -> Result<Option<Date>, StoreError> {
        let values = vec![gateway.name().into()];
        let row = self.db().one(Read::Keyed, FIRST, values).await?;
        row.map_or(Ok(None), |row| {
            row.cells().named_or_none(|day| day.parse().ok())
        })
    }

    /// Whether something of a day may be in a neighbouring day's bill.
    pub async fn awaits_bill(&self, gateway: GatewayName, day: Date) -> Result<bool, StoreError> {
        let values = vec![gateway.name().into(), day_value(day)];
        let row = self.db().one(Read::Keyed, AWAITS, values).await?;
        Ok(row.is_some())
    }

    /// One.
    pub async fn reconciliation(
        &self,
        id: ReconciliationId,
    ) -> Result<Option<Reconciliation>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM reconciliations WHERE id = $1");
        let row = self
            .db()
            .one(Read::Keyed, sql(text), vec![id.into()])
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut found = read(&row)?;
        let rows = self.db().all(Read::Keyed, SUMS, vec![id.into()]).await?;
        for row in &rows {
            found.sums.push(sums(row)?.1);
        }
        Ok(Some(found))
    }

    /// Those of a filter, the newest day first, and how many there are in all.
    pub async fn reconciliations(
        &self,
        filter: &ReconciliationFilter,
        page: Page,
    ) -> Result<(Vec<Reconciliation>, i64), StoreError> {
        let conditions = Conditions::default()
            .with("gateway = {}", filter.gateway.map(|name| name.to_string()))
            .with("day >= {}", filter.from.map(|day| day.to_string()))
            .with("day <= {}", filter.to.map(|day| day.to_string()))
            .with_text(filter.state.map(|state| condition(state).to_owned()));
        let wanted = conditions.text();
        let counting = format!("SELECT COUNT(*) FROM reconciliations {wanted}");
        let listing = format!(
            "SELECT {COLUMNS} FROM reconciliations {wanted} ORDER BY day DESC, gateway {}",
            page.limits()
        );
        let summing = format!(
            "SELECT s.reconciliation_id, s.currency, s.bill_paid, s.bill_refunded, s.bill_fee, s.our_paid, \
             s.our_refunded, s.ledger_moved FROM reconciliation_sums s WHERE s.reconciliation_id IN \
             (SELECT id FROM reconciliations {wanted} ORDER BY day DESC, gateway {}) ORDER BY s.currency",
            page.limits()
        );
        let db = self.db();
        let values = || conditions.values.clone();
        let total = count(db.one(Read::List, sql(counting), values()).await?.as_ref())?;
        let rows = db.all(Read::List, sql(listing), values()).await?;
        let mut found = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let mut all: HashMap<ReconciliationId, Vec<DaySums>> = HashMap::new();
        for row in db.all(Read::List, sql(summing), values()).await? {
            let (id, sums) = sums(&row)?;
            all.entry(id).or_default().push(sums);
        }
        for one in &mut found {
            one.sums = all.remove(&one.id).unwrap_or_default();
        }
        Ok((found, total))
    }

    /// The newest bill of a day, as it was received.
    pub async fn reconciliation_bill(
        &self,
        id: ReconciliationId,
    ) -> Result<Option<BillFile>, StoreError> {
        let row = self.db().one(Read::Keyed, BILL, vec![id.into()]).await?;
        let bill = |row: Row| {
            let mut cells = row.cells();
            Ok(BillFile {
                bytes: cells.bytes()?,
                sha256: cells.hash()?,
                fetched_at: cells.at()?,
            })
        };
        row.map(bill).transpose()
    }

    /// Every bill of a day that was received, by hash, with the time of its first receipt.
    pub async fn kept_bills(
        &self,
        id: ReconciliationId,
    ) -> Result<Vec<([u8; 32], Ts)>, StoreError> {
        let rows = self.db().all(Read::Keyed, BILLS, vec![id.into()]).await?;
        let bill = |row: &Row| {
            let mut cells = row.cells();
            Ok((cells.hash()?, cells.at()?))
        };
        rows.iter().map(bill).collect()
    }

    /// What a gateway's clearing account moved between two times, by currency, without what was put
    /// on suspense.
    pub async fn clearing_moved(
        &self,
        gateway: GatewayName,
        from: Ts,
        until: Ts,
    ) -> Result<Vec<Money>, StoreError> {
        let account = domain::ledger::Account::GatewayClearing(gateway).to_string();
        let values = vec![account.into(), from.into(), until.into()];
        let rows = self.db().all(Read::Keyed, MOVED, values).await?;
        let moved = |row: &Row| {
            let mut cells = row.cells();
            let currency = cells.currency()?;
            Ok(Money::new(cells.int()?, currency))
        };
        rows.iter().map(moved).collect()
    }
}

/// Which rows are so far ([`Run::state`]).
fn condition(state: ReconciliationState) -> &'static str {
    match state {
        ReconciliationState::Running => "run = 'running'",
        ReconciliationState::Waiting => "run = 'waiting'",
        ReconciliationState::Failed => "run = 'failed'",
        ReconciliationState::Matched => "run = 'done' AND differences = 0",
        ReconciliationState::Differing => "run = 'done' AND unsettled > 0",
        ReconciliationState::Settled => "run = 'done' AND differences > 0 AND unsettled = 0",
    }
}

fn read(row: &Row) -> Result<Reconciliation, StoreError> {
    let mut cells = row.cells();
    Ok(Reconciliation {
        id: cells.id()?,
        gateway: cells.named(GatewayName::from_name)?,
        day: cells.day()?,
        run: cells.named(Run::from_name)?,
        runs: cells.int()?,
        started_at: cells.at()?,
        finished_at: cells.at_or_none()?,
        retry_at: cells.at_or_none()?,
        error: cells.text_or_none()?,
        bill_sha256: cells.hash_or_none()?,
        bill_lines: cells.int()?,
        matched_payments: cells.int()?,
        matched_refunds: cells.int()?,
        differences: cells.int()?,
        unsettled: cells.int()?,
        created_at: cells.at()?,
        sums: Vec::new(),
    })
}

fn sums(row: &Row) -> Result<(ReconciliationId, DaySums), StoreError> {
    let mut cells = row.cells();
    let id = cells.id()?;
    let currency = cells.currency()?;
    let sums = Sums {
        bill_paid: cells.int()?,
        bill_refunded: cells.int()?,
        bill_fee: cells.int()?,
        our_paid: cells.int()?,
        our_refunded: cells.int()?,
        ..Sums::zero(currency)
    };
    let ledger_moved = cells.int()?;
    Ok((id, DaySums { sums, ledger_moved }))
}
