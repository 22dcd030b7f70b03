//! Gateways' bills made up for tests, and days that were held against them.

use super::{id, now};
use domain::ledger::EntryKind;
use domain::order::Role;
use domain::payment::GatewayName;
use domain::reconciliation::{
    BillLine, BillingDay, ContractFee, Difference, DifferenceStatus, LineKind, LineStatus,
    Question, Repair, Sums, reconcile, suspense,
};
use domain::{Currency, DifferenceId, Money, ReconciliationId, Span, Ts, UserId};
use jiff::civil::{Date, date};
use store::testing::Fresh;
use store::{
    BillFile, Changes, CommitError, DaySums, DifferenceChange, DifferenceRow, EntryRow, Lease,
    Page, ReconciliationStep, RunRecord,
};
use uuid::Uuid;

pub const WECHAT: GatewayName = GatewayName::WECHAT;
pub const DAY: Date = date(2026, 3, 1);
pub const FIRST_PAGE: Page = Page { page: 1, limit: 20 };

pub fn lease(owner: Uuid, at: Ts) -> Lease {
    let until = at + Span::minutes(5);
    Lease { owner, until }
}

pub async fn claim(fresh: &Fresh, day: Date, lease: &Lease, at: Ts) -> Option<ReconciliationId> {
    let new = ReconciliationId(id());
    let claimed = fresh
        .store
        .claim_reconciliation(WECHAT, day, new, lease, at);
    claimed.await.unwrap()
}

pub fn line(number: u32) -> BillLine {
    BillLine {
        line: number,
        kind: LineKind::Payment,
        out_trade_no: Some(format!("nobodys-{number}")),
        transaction_id: Some(format!("42{number}")),
        out_refund_no: None,
        refund_id: None,
        amount: Money::fen(100),
        fee: Some(600),
        status: LineStatus::Succeeded,
        at: now(),
    }
}

pub fn day() -> BillingDay {
    BillingDay {
        date: DAY,
        begins: now() - Span::hours(12),
        ends: now() + Span::hours(12),
        is_previous_known: true,
        is_next_known: false,
    }
}

/// What differs where nothing of the bill is ours.
pub fn found(lines: &[BillLine]) -> Vec<Difference> {
    let question = Question {
        day: day(),
        lines,
        totals: None,
        payments: &[],
        refunds: &[],
        fee: Some(ContractFee::basis_points(60)),
    };
    reconcile(&question).differences
}

pub fn step(
    of: ReconciliationId,
    difference: Option<DifferenceId>,
    name: &str,
) -> ReconciliationStep {
    ReconciliationStep {
        id: id(),
        reconciliation: of,
        difference,
        at: now(),
        step: name.to_owned(),
        from: None,
        to: difference.map(|_| DifferenceStatus::Open),
        repair: None,
        note: None,
        actor_role: Role::System,
        actor: None,
        request_id: None,
    }
}

pub fn record(of: ReconciliationId, owner: Uuid, lines: Vec<BillLine>) -> RunRecord {
    let new: Vec<(DifferenceId, Difference)> = found(&lines)
        .into_iter()
        .map(|one| (DifferenceId(id()), one))
        .collect();
    let mut steps = vec![step(of, None, "run")];
    steps.extend(new.iter().map(|(id, _)| step(of, Some(*id), "found")));
    RunRecord {
        reconciliation: of,
        owner,
        at: now(),
        bill: BillFile {
            bytes: "交易时间,`2026".as_bytes().to_vec(),
            sha256: [7; 32],
            fetched_at: now(),
        },
        bill_id: id(),
        lines,
        matched_payments: 3,
        matched_refunds: 1,
        sums: vec![DaySums {
            sums: Sums {
                bill_paid: 300,
                bill_refunded: 20,
                bill_fee: -5,
                our_paid: 200,
                our_refunded: 10,
                ..Sums::zero(Currency::CNY)
            },
            ledger_moved: 190,
        }],
        new,
        again: Vec::new(),
        gone: Vec::new(),
        steps,
    }
}

/// A day whose bill has so many payments that are nobody's.
pub async fn recorded(fresh: &Fresh, lines: u32) -> (ReconciliationId, Vec<DifferenceId>) {
    let owner = id();
    let of = claim(fresh, DAY, &lease(owner, now()), now())
        .await
        .unwrap();
    let run = record(of, owner, (1..=lines).map(line).collect());
    fresh.store.record_run(&run).await.unwrap();
    (of, run.new.iter().map(|(id, _)| *id).collect())
}

/// What a person decides about a difference.
pub async fn decide(
    fresh: &Fresh,
    difference: DifferenceId,
    to: DifferenceStatus,
    entry: Option<EntryRow>,
) -> Result<(), CommitError> {
    let row = fresh.store.difference(difference).await.unwrap().unwrap();
    fresh.store.commit(decision(row, to, entry)).await
}

pub fn decision(row: DifferenceRow, to: DifferenceStatus, entry: Option<EntryRow>) -> Changes {
    let (from, decided_on) = (row.status, row.version);
    let by = UserId(id());
    let after = DifferenceRow {
        version: row.version + 1,
        status: to,
        repair: Some(Repair::RecordSuspense),
        proposed_by: Some(by),
        approved_by: Some(by),
        reason: Some("seen with the bank".to_owned()),
        result: None,
        updated_at: now() + Span::minutes(1),
        ..row
    };
    let step = ReconciliationStep {
        from: Some(from),
        to: Some(to),
        repair: after.repair,
        note: after.reason.clone(),
        actor_role: Role::Operator,
        actor: Some(by),
        request_id: Some("request-1".to_owned()),
        ..step(after.reconciliation, Some(after.id), "propose")
    };
    Changes {
        difference: Some(DifferenceChange {
            decided_on,
            after,
            step,
        }),
        entries: entry.into_iter().collect(),
        ..Changes::default()
    }
}

pub fn entry(difference: DifferenceId, gap: Money) -> EntryRow {
    EntryRow {
        id: difference.uuid(),
        order: EntryRow::NO_ORDER,
        kind: EntryKind::SuspenseIn,
        postings: suspense(WECHAT, &[gap]).unwrap()[0].postings().to_vec(),
        at: now(),
    }
}
