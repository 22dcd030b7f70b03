//! A decision about a difference, as what must be true for it and what is written.

use super::{DifferenceChange, ReconciliationStep};
use crate::CommitError;
use crate::committer::Demand;
use crate::value::Value;
use domain::ReconciliationId;
use domain::reconciliation::{DifferenceStatus, Repair};
use sqlx::SqlStr;

const DECIDE: &str = "UPDATE reconciliation_differences SET version = $3, status = $4, repair = $5, proposed_by = $6, \
     approved_by = $7, reason = $8, result = $9, updated_at = $10 WHERE id = $1 AND version = $2";
/// Its place is the version that the difference has by now, or the number of the day's run.
const STEP: &str = "INSERT INTO reconciliation_steps (id, reconciliation_id, difference_id, seq, at, step, \
     from_status, to_status, repair, note, actor_role, actor_id, request_id) VALUES ($1, $2, $3, \
     COALESCE((SELECT version FROM reconciliation_differences WHERE id = $3), \
     (SELECT runs FROM reconciliations WHERE id = $2)), $4, $5, $6, $7, $8, $9, $10, $11, $12)";
/// Neither explained nor gone; and of those, not settled.
const COUNT: &str = "UPDATE reconciliations SET \
     differences = (SELECT COUNT(*) FROM reconciliation_differences d \
     WHERE d.reconciliation_id = $1 AND d.status NOT IN (60, 70)), \
     unsettled = (SELECT COUNT(*) FROM reconciliation_differences d \
     WHERE d.reconciliation_id = $1 AND d.status IN (10, 20, 30)) WHERE id = $1";

/// After all demands on orders, sessions, doctors and settings.
const RECONCILIATIONS: u8 = 12;

/// Demands of one day are made in the order in which they were put together.
pub(super) fn demand(
    of: ReconciliationId,
    sql: SqlStr,
    values: Vec<Value>,
    refusal: Option<CommitError>,
) -> Demand {
    Demand {
        sort: (RECONCILIATIONS, of.uuid(), true),
        sql,
        values,
        refusal,
    }
}

/// Writes down a step.
pub(super) fn step_demand(step: &ReconciliationStep) -> Demand {
    let values = vec![
        step.id.into(),
        step.reconciliation.into(),
        step.difference.into(),
        step.at.into(),
        (&step.step).into(),
        step.from.map(i32::from).into(),
        step.to.map(i32::from).into(),
        step.repair.map(Repair::constant).into(),
        step.note.clone().into(),
        step.actor_role.name().into(),
        step.actor.into(),
        step.request_id.clone().into(),
    ];
    demand(step.reconciliation, SqlStr::from_static(STEP), values, None)
}

/// Counts a day's differences anew.
pub(super) fn count_demand(of: ReconciliationId) -> Demand {
    demand(of, SqlStr::from_static(COUNT), vec![of.into()], None)
}

/// What a decision about a difference demands: that nobody else was faster.
pub(crate) fn demands_of(change: &DifferenceChange) -> Vec<Demand> {
    let after = &change.after;
    let status: DifferenceStatus = after.status;
    let values = vec![
        after.id.into(),
        change.decided_on.into(),
        after.version.into(),
        i32::from(status).into(),
        after.repair.map(Repair::constant).into(),
        after.proposed_by.into(),
        after.approved_by.into(),
        after.reason.clone().into(),
        after.result.clone().into(),
        after.updated_at.into(),
    ];
    let decide = demand(
        after.reconciliation,
        SqlStr::from_static(DECIDE),
        values,
        Some(CommitError::Moved),
    );
    vec![
        decide,
        step_demand(&change.step),
        count_demand(after.reconciliation),
    ]
}
