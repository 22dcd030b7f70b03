//! What is kept of reconciliations, and what they are asked for by.

use domain::order::Role;
use domain::payment::GatewayName;
use domain::reconciliation::{
    BillLine, Difference, DifferenceKind, DifferenceStatus, ReconciliationState, Repair, Run, Sums,
};
use domain::{DifferenceId, ReconciliationId, Ts, UserId};
use jiff::civil::Date;
use uuid::Uuid;

/// A gateway's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// Its id.
    pub id: ReconciliationId,
    /// At which gateway.
    pub gateway: GatewayName,
    /// Which day, by the gateway's calendar.
    pub day: Date,
    /// What came of the last run.
    pub run: Run,
    /// How often it was run.
    pub runs: u32,
    /// When the last run began.
    pub started_at: Ts,
    /// When the last run ended.
    pub finished_at: Option<Ts>,
    /// When the bill is asked for again, while it is waited for.
    pub retry_at: Option<Ts>,
    /// What stood against the last run.
    pub error: Option<String>,
    /// The SHA-256 of the newest bill.
    pub bill_sha256: Option<[u8; 32]>,
    /// How many lines the newest bill has.
    pub bill_lines: u64,
    /// How many payments are the same on both sides.
    pub matched_payments: u64,
    /// How many refunds are the same on both sides.
    pub matched_refunds: u64,
    /// How many differences need or needed somebody: neither explained nor gone.
    pub differences: u64,
    /// How many of those are not settled.
    pub unsettled: u64,
    /// When it was first run.
    pub created_at: Ts,
    /// The day's money, by currency.
    pub sums: Vec<DaySums>,
}

impl Reconciliation {
    /// How far it has come.
    pub const fn state(&self) -> ReconciliationState {
        self.run.state(self.differences, self.unsettled)
    }
}

/// A day's money in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaySums {
    /// The bill's and ours.
    pub sums: Sums,
    /// What the gateway's clearing account moved on the day, by the time of posting: minor units.
    /// What was put on suspense is not in it.
    pub ledger_moved: i64,
}

/// Which reconciliations to list; `None` is any.
#[derive(Debug, Clone, Default)]
pub struct ReconciliationFilter {
    /// At this gateway.
    pub gateway: Option<GatewayName>,
    /// Of this day or later.
    pub from: Option<Date>,
    /// Of this day or earlier.
    pub to: Option<Date>,
    /// So far.
    pub state: Option<ReconciliationState>,
}

/// A bill as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    /// When it was fetched.
    pub fetched_at: Ts,
}

/// A difference, and what was decided about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DifferenceRow {
    /// Its id.
    pub id: DifferenceId,
    /// 1 when it was found, one more after each change.
    pub version: i64,
    /// Of which day at which gateway.
    pub reconciliation: ReconciliationId,
    /// At which gateway.
    pub gateway: GatewayName,
    /// Of which day.
    pub day: Date,
    /// What differs.
    pub difference: Difference,
    /// Where it stands.
    pub status: DifferenceStatus,
    /// What was proposed last.
    pub repair: Option<Repair>,
    /// By whom.
    pub proposed_by: Option<UserId>,
    /// Who approved it; the proposer, where one person was enough.
    pub approved_by: Option<UserId>,
    /// Why, in their words.
    pub reason: Option<String>,
    /// What came of the last try to repair it.
    pub result: Option<String>,
    /// When it was found.
    pub found_at: Ts,
    /// When it last changed.
    pub updated_at: Ts,
}

/// Which differences to list; `None` is any.
#[derive(Debug, Clone, Default)]
pub struct DifferenceFilter {
    /// Of this day at this gateway.
    pub reconciliation: Option<ReconciliationId>,
    /// Of this kind.
    pub kind: Option<DifferenceKind>,
    /// That stand there.
    pub status: Option<DifferenceStatus>,
}

/// Who decided what and when. It is never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconciliationStep {
    /// Its id.
    pub id: Uuid,
    /// Of which day at which gateway.
    pub reconciliation: ReconciliationId,
    /// Of which difference; `None` of the day as a whole.
    pub difference: Option<DifferenceId>,
    /// When.
    pub at: Ts,
    /// What, as a name: `run`, `found`, `propose`, `approve`, `applied`, ...
    pub step: String,
    /// Where the difference stood before.
    pub from: Option<DifferenceStatus>,
    /// Where it stood then.
    pub to: Option<DifferenceStatus>,
    /// About which repair.
    pub repair: Option<Repair>,
    /// Their words, or what came of it.
    pub note: Option<String>,
    /// As what they acted.
    pub actor_role: Role,
    /// Who, if a person.
    pub actor: Option<UserId>,
    /// The request that brought it.
    pub request_id: Option<String>,
}

/// A difference's change by a decision, written with whatever the decision does.
#[derive(Debug, Clone)]
pub struct DifferenceChange {
    /// The version that it was decided on.
    pub decided_on: i64,
    /// The difference after it.
    pub after: DifferenceRow,
    /// What is written down about it.
    pub step: ReconciliationStep,
}

/// What a run found: written at once or not at all.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Of which day at which gateway.
    pub reconciliation: ReconciliationId,
    /// By which process: it must still have the lease.
    pub owner: Uuid,
    /// When.
    pub at: Ts,
    /// The bill as it was received, and an id for it.
    pub bill: BillFile,
    /// The id under which the bill is kept, if it is not there yet.
    pub bill_id: Uuid,
    /// Its lines.
    pub lines: Vec<BillLine>,
    /// How many payments are the same on both sides.
    pub matched_payments: u64,
    /// How many refunds are the same on both sides.
    pub matched_refunds: u64,
    /// The day's money.
    pub sums: Vec<DaySums>,
    /// Differences that no earlier run found.
    pub new: Vec<(DifferenceId, Difference)>,
    /// Differences that an earlier run found and nobody decided about, as they are now.
    pub again: Vec<(DifferenceId, Difference)>,
    /// Differences that are no longer found.
    pub gone: Vec<DifferenceId>,
    /// What is written down about it.
    pub steps: Vec<ReconciliationStep>,
}
