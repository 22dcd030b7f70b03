//! Differences and steps: written, listed, read.

use super::{DifferenceFilter, DifferenceRow, ReconciliationStep};
use crate::committer::sql;
use crate::db::Read;
use crate::page::{Conditions, count};
use crate::row::{Cells, Row};
use crate::value::Value;
use crate::{Page, Store, StoreError};
use domain::order::Role;
use domain::payment::GatewayName;
use domain::reconciliation::{
    Difference, DifferenceKind, DifferenceStatus, Found, LineKind, Repair,
};
use domain::{DifferenceId, Money, OrderId, ReconciliationId};

pub(super) const COLUMNS: &str = "d.id, d.version, d.reconciliation_id, r.gateway, r.day, d.kind, d.about, d.line, \
     d.out_trade_no, d.transaction_id, d.out_refund_no, d.refund_no, d.order_id, d.payment_id, d.refund_id, \
     d.here_amount, d.here_currency, d.there_amount, d.there_currency, d.moved_here, d.moved_there, d.at, \
     d.explained, d.note, d.occurrence, d.status, d.repair, d.proposed_by, d.approved_by, d.reason, d.result, \
     d.found_at, d.updated_at";
const FROM: &str =
    "FROM reconciliation_differences d JOIN reconciliations r ON r.id = d.reconciliation_id";
const FOUND: &str = "SELECT id, identity, status FROM reconciliation_differences \
     WHERE reconciliation_id = $1 ORDER BY identity";
const STEP_COLUMNS: &str = "id, reconciliation_id, difference_id, at, step, from_status, to_status, repair, note, \
     actor_role, actor_id, request_id";
/// The most steps that are read of one difference or day.
const STEPS: u32 = 1_000;

impl Store {
    /// One.
    pub async fn difference(&self, id: DifferenceId) -> Result<Option<DifferenceRow>, StoreError> {
        let text = sql(format!("SELECT {COLUMNS} {FROM} WHERE d.id = $1"));
        let row = self.db().one(Read::Keyed, text, vec![id.into()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Those of a filter, in the order of the bill's lines, then those that the bill has not; and
    /// how many there are in all. Without a day, the newest first.
    pub async fn differences(
        &self,
        filter: &DifferenceFilter,
        page: Page,
    ) -> Result<(Vec<DifferenceRow>, i64), StoreError> {
        let conditions = Conditions::default()
            .with("d.reconciliation_id = {}", filter.reconciliation)
            .with("d.kind = {}", filter.kind.map(DifferenceKind::constant))
            .with("d.status = {}", filter.status.map(i32::from));
        let wanted = conditions.text();
        let order = match filter.reconciliation {
            Some(_) => "CASE WHEN d.line IS NULL THEN 1 ELSE 0 END, d.line, d.identity",
            None => "d.found_at DESC, d.id",
        };
        let counting = format!("SELECT COUNT(*) FROM reconciliation_differences d {wanted}");
        let listing = format!(
            "SELECT {COLUMNS} {FROM} {wanted} ORDER BY {order} {}",
            page.limits()
        );
        let (db, values) = (self.db(), || conditions.values.clone());
        let total = count(db.one(Read::List, sql(counting), values()).await?.as_ref())?;
        let rows = db.all(Read::List, sql(listing), values()).await?;
        Ok((rows.iter().map(read).collect::<Result<_, _>>()?, total))
    }

    /// The differences that earlier runs of a day found.
    pub async fn found_differences(&self, of: ReconciliationId) -> Result<Vec<Found>, StoreError> {
        let rows = self.db().all(Read::Keyed, FOUND, vec![of.into()]).await?;
        let found = |row: &Row| {
            let mut cells = row.cells();
            Ok(Found {
                id: cells.id()?,
                identity: cells.text()?,
                status: cells.status()?,
            })
        };
        rows.iter().map(found).collect()
    }

    /// What was done about an order by reconciliation: its differences, the newest first.
    pub async fn differences_of_order(
        &self,
        order: OrderId,
    ) -> Result<Vec<DifferenceRow>, StoreError> {
        let text = sql(format!(
            "SELECT {COLUMNS} {FROM} WHERE d.order_id = $1 ORDER BY d.found_at DESC, d.id LIMIT 100"
        ));
        let rows = self.db().all(Read::Keyed, text, vec![order.into()]).await?;
        rows.iter().map(read).collect()
    }

    /// The steps of a difference, oldest first.
    pub async fn difference_steps(
        &self,
        id: DifferenceId,
    ) -> Result<Vec<ReconciliationStep>, StoreError> {
        self.steps("difference_id = $1", id.into()).await
    }

    /// The steps of a day as a whole, oldest first.
    pub async fn reconciliation_steps(
        &self,
        id: ReconciliationId,
    ) -> Result<Vec<ReconciliationStep>, StoreError> {
        let of = "reconciliation_id = $1 AND difference_id IS NULL";
        self.steps(of, id.into()).await
    }

    async fn steps(&self, of: &str, id: Value) -> Result<Vec<ReconciliationStep>, StoreError> {
        let text = format!(
            "SELECT {STEP_COLUMNS} FROM reconciliation_steps WHERE {of} ORDER BY seq, at LIMIT {STEPS}"
        );
        let rows = self.db().all(Read::Keyed, sql(text), vec![id]).await?;
        rows.iter().map(step).collect()
    }
}

/// The columns of what differs, from `kind` to `occurrence`, as values.
pub(super) fn values_of(difference: &Difference) -> Vec<Value> {
    let amount = |money: Option<Money>| Value::from(money.map(|money| money.amount));
    let currency = |money: Option<Money>| Value::from(money.map(|money| money.currency.code()));
    vec![
        difference.kind.constant().into(),
        about(difference.about).into(),
        difference.line.into(),
        difference.out_trade_no.clone().into(),
        difference.transaction_id.clone().into(),
        difference.out_refund_no.clone().into(),
        difference.refund_id.clone().into(),
        difference.order.into(),
        difference.payment.into(),
        difference.refund.into(),
        amount(difference.here),
        currency(difference.here),
        amount(difference.there),
        currency(difference.there),
        difference.moved_here.into(),
        difference.moved_there.into(),
        difference.at.into(),
        difference.is_explained.into(),
        difference.note.clone().into(),
        difference.occurrence.into(),
    ]
}

/// As in the database.
pub(super) const fn about(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Payment => "payment",
        LineKind::Refund => "refund",
    }
}

fn kind(name: &str) -> Option<LineKind> {
    [LineKind::Payment, LineKind::Refund]
        .into_iter()
        .find(|kind| about(*kind) == name)
}

fn read(row: &Row) -> Result<DifferenceRow, StoreError> {
    let mut cells = row.cells();
    Ok(DifferenceRow {
        id: cells.id()?,
        version: cells.int()?,
        reconciliation: cells.id()?,
        gateway: cells.named(GatewayName::from_name)?,
        day: cells.day()?,
        difference: difference(&mut cells)?,
        status: cells.status::<DifferenceStatus>()?,
        repair: cells.named_or_none(Repair::from_constant)?,
        proposed_by: cells.id_or_none()?,
        approved_by: cells.id_or_none()?,
        reason: cells.text_or_none()?,
        result: cells.text_or_none()?,
        found_at: cells.at()?,
        updated_at: cells.at()?,
    })
}

fn difference(cells: &mut Cells<'_>) -> Result<Difference, StoreError> {
    Ok(Difference {
        kind: cells.named(DifferenceKind::from_constant)?,
        about: cells.named(kind)?,
        line: cells.int_or_none()?,
        out_trade_no: cells.text_or_none()?,
        transaction_id: cells.text_or_none()?,
        out_refund_no: cells.text_or_none()?,
        refund_id: cells.text_or_none()?,
        order: cells.id_or_none()?,
        payment: cells.id_or_none()?,
        refund: cells.id_or_none()?,
        here: cells.money_or_none()?,
        there: cells.money_or_none()?,
        moved_here: cells.int()?,
        moved_there: cells.int()?,
        at: cells.at_or_none()?,
        is_explained: cells.bool()?,
        note: cells.text_or_none()?,
        occurrence: cells.int()?,
    })
}

fn step(row: &Row) -> Result<ReconciliationStep, StoreError> {
    let mut cells = row.cells();
    let status = |code: Option<i32>| -> Result<Option<DifferenceStatus>, StoreError> {
        let known = code.map(DifferenceStatus::try_from).transpose();
        known.map_err(|unknown| StoreError::Corrupt(unknown.to_string()))
    };
    Ok(ReconciliationStep {
        id: cells.id()?,
        reconciliation: cells.id()?,
        difference: cells.id_or_none()?,
        at: cells.at()?,
        step: cells.text()?,
        from: status(cells.int_or_none()?)?,
        to: status(cells.int_or_none()?)?,
        repair: cells.named_or_none(Repair::from_constant)?,
        note: cells.text_or_none()?,
        actor_role: cells.named(Role::from_name)?,
        actor: cells.id_or_none()?,
        request_id: cells.text_or_none()?,
    })
}
