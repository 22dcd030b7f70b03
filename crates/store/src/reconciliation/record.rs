//! What a run found, written in one transaction.

use super::decisions::{count_demand, demand, step_demand};
use super::differences::{about, values_of};
use super::{DaySums, RunRecord};
use crate::committer::{Demand, Work, sql};
use crate::value::Value;
use crate::{CommitError, Store, StoreError};
use domain::reconciliation::{BillLine, Difference, DifferenceStatus, LineStatus};
use domain::{DifferenceId, ReconciliationId, Ts};
use sqlx::SqlStr;
use std::fmt::Write;

const DONE: &str = "UPDATE reconciliations SET run = 'done', finished_at = $3, retry_at = NULL, error = NULL, \
     bill_sha256 = $4, bill_lines = $5, matched_payments = $6, matched_refunds = $7, \
     lease_owner = NULL, lease_until = NULL WHERE id = $1 AND lease_owner = $2";
const KEEP_BILL: &str = "INSERT INTO reconciliation_bills (id, reconciliation_id, sha256, bytes, fetched_at) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (reconciliation_id, sha256) DO NOTHING";
const FORGET_SUMS: &str = "DELETE FROM reconciliation_sums WHERE reconciliation_id = $1";
const KEEP_SUMS: &str = "INSERT INTO reconciliation_sums (reconciliation_id, currency, bill_paid, bill_refunded, \
     bill_fee, our_paid, our_refunded, ledger_moved) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const FORGET_LINES: &str = "DELETE FROM reconciliation_lines WHERE reconciliation_id = $1";
const KEEP_LINES: &str = "INSERT INTO reconciliation_lines (reconciliation_id, position, line, kind, status, \
     out_trade_no, transaction_id, out_refund_no, refund_id, amount, currency, fee, at) VALUES ";
const FIND: &str = "INSERT INTO reconciliation_differences (id, version, reconciliation_id, identity, kind, about, \
     line, out_trade_no, transaction_id, out_refund_no, refund_no, order_id, payment_id, refund_id, here_amount, \
     here_currency, there_amount, there_currency, moved_here, moved_there, at, explained, note, occurrence, \
     status, found_at, updated_at) VALUES ($1, 1, $2, $3, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
     $17, $18, $19, $20, $21, $22, $23, $24, $25, $4, $5, $5)";
/// Only where nobody decided about it meanwhile.
const FIND_AGAIN: &str = "UPDATE reconciliation_differences SET version = version + 1, status = $4, updated_at = $5, \
     kind = $6, about = $7, line = $8, out_trade_no = $9, transaction_id = $10, out_refund_no = $11, \
     refund_no = $12, order_id = $13, payment_id = $14, refund_id = $15, here_amount = $16, here_currency = $17, \
     there_amount = $18, there_currency = $19, moved_here = $20, moved_there = $21, at = $22, explained = $23, \
     note = $24, occurrence = $25 \
     WHERE id = $1 AND reconciliation_id = $2 AND identity = $3 AND status IN (10, 70)";
const GONE: &str = "UPDATE reconciliation_differences SET version = version + 1, status = 70, updated_at = $2 \
     WHERE id = $1 AND status IN (10, 20)";

/// How many lines one statement writes.
const LINES: usize = 200;
/// How many columns a line has.
const LINE_COLUMNS: usize = 13;

impl Store {
    /// Writes what a run found: the bill, its lines, sums, differences and steps.
    /// [`CommitError::Moved`] where the run is no longer the caller's, or a difference was decided
    /// about meanwhile: then nothing is written, and the day is to be looked at again.
    pub async fn record_run(&self, run: &RunRecord) -> Result<(), CommitError> {
        let of = run.reconciliation;
        let work = Work {
            demands: demands(run)?
                .into_iter()
                .chain(run.steps.iter().map(step_demand))
                .chain([count_demand(of)])
                .collect(),
            ..Work::default()
        };
        self.ask(work).await.map(drop)
    }
}

fn demands(run: &RunRecord) -> Result<Vec<Demand>, StoreError> {
    let of = run.reconciliation;
    let must = |text, values| {
        demand(
            of,
            SqlStr::from_static(text),
            values,
            Some(CommitError::Moved),
        )
    };
    let may = |text, values| demand(of, SqlStr::from_static(text), values, None);
    let done = vec![
        of.into(),
        run.owner.into(),
        run.at.into(),
        run.bill.sha256.into(),
        number(run.lines.len())?,
        number(run.matched_payments)?,
        number(run.matched_refunds)?,
    ];
    let bill = vec![
        run.bill_id.into(),
        of.into(),
        run.bill.sha256.into(),
        run.bill.bytes.clone().into(),
        run.bill.fetched_at.into(),
    ];
    let mut all = vec![
        must(DONE, done),
        may(KEEP_BILL, bill),
        may(FORGET_SUMS, vec![of.into()]),
        may(FORGET_LINES, vec![of.into()]),
    ];
    all.extend(
        run.sums
            .iter()
            .map(|sums| may(KEEP_SUMS, sum_values(of, sums))),
    );
    for (group, lines) in run.lines.chunks(LINES).enumerate() {
        all.push(lines_demand(of, group * LINES, lines)?);
    }
    for (id, difference) in &run.new {
        all.push(may(FIND, found(of, *id, difference, run.at)));
    }
    for (id, difference) in &run.again {
        all.push(must(FIND_AGAIN, found(of, *id, difference, run.at)));
    }
    for id in &run.gone {
        all.push(must(GONE, vec![(*id).into(), run.at.into()]));
    }
    Ok(all)
}

fn number(count: impl TryInto<i64>) -> Result<Value, StoreError> {
    let count = count.try_into();
    count
        .map(Value::from)
        .map_err(|_| StoreError::Corrupt("a count is out of range".to_owned()))
}

fn sum_values(of: ReconciliationId, day: &DaySums) -> Vec<Value> {
    let sums = &day.sums;
    vec![
        of.into(),
        sums.currency.code().into(),
        sums.bill_paid.into(),
        sums.bill_refunded.into(),
        sums.bill_fee.into(),
        sums.our_paid.into(),
        sums.our_refunded.into(),
        day.ledger_moved.into(),
    ]
}

fn found(of: ReconciliationId, id: DifferenceId, difference: &Difference, at: Ts) -> Vec<Value> {
    let status = DifferenceStatus::of_new(difference);
    let mut values = vec![
        id.into(),
        of.into(),
        difference.identity().into(),
        i32::from(status).into(),
        at.into(),
    ];
    values.extend(values_of(difference));
    values
}

/// One statement for many lines.
fn lines_demand(
    of: ReconciliationId,
    first: usize,
    lines: &[BillLine],
) -> Result<Demand, StoreError> {
    let mut text = KEEP_LINES.to_owned();
    let mut values = Vec::with_capacity(lines.len() * LINE_COLUMNS);
    for (row, line) in lines.iter().enumerate() {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=LINE_COLUMNS {
            let comma = if column == 1 { "" } else { ", " };
            // Writing to a String can't fail.
            write!(text, "{comma}${}", row * LINE_COLUMNS + column).ok();
        }
        text.push(')');
        values.extend([
            of.into(),
            number(first + row)?,
            line.line.into(),
            about(line.kind).into(),
            status_name(line.status).into(),
            line.out_trade_no.clone().into(),
            line.transaction_id.clone().into(),
            line.out_refund_no.clone().into(),
            line.refund_id.clone().into(),
            line.amount.amount.into(),
            line.amount.currency.code().into(),
            line.fee.into(),
            line.at.into(),
        ]);
    }
    Ok(demand(of, sql(text), values, None))
}

/// As in the database.
pub(super) const fn status_name(status: LineStatus) -> &'static str {
    match status {
        LineStatus::Succeeded => "succeeded",
        LineStatus::Processing => "processing",
        LineStatus::Failed => "failed",
    }
}
