//! Reconciliations, on both engines: claimed by one, recorded at once, decided once, never rewritten.

// These are tests throughout, also where a helper is not marked as one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod common;

use common::{change, effect, id, new_order, now, payment, refund};
use domain::consultation::Consultation;
use domain::ledger::EntryKind;
use domain::order::{Effect, Role};
use domain::payment::{GatewayName, PaymentStatus, RefundStatus};
use domain::reconciliation::{
    BillLine, Billed, BillingDay, ContractFee, Difference, DifferenceKind, DifferenceStatus,
    LineKind, LineStatus, Question, ReconciliationState, Repair, Run, Sums, reconcile, rerun,
    suspense,
};
use domain::{Currency, DifferenceId, Money, PaymentId, ReconciliationId, Span, Ts, UserId};
use jiff::civil::{Date, date};
use store::testing::Fresh;
use store::{
    BillFile, Changes, CommitError, DaySums, DifferenceChange, DifferenceFilter, DifferenceRow,
    EntryRow, Lease, Page, ReconciliationFilter, ReconciliationStep, RunRecord,
};
use uuid::Uuid;

on_both!(
    a_day_is_claimed_by_one,
    a_run_is_recorded_whole,
    the_same_bill_is_kept_once,
    a_run_that_lost_its_lease_records_nothing,
    a_second_run_brings_what_nobody_decided_up_to_date,
    a_difference_is_decided_once_with_all_that_the_decision_does,
    bills_and_steps_are_only_ever_added_to,
    our_records_are_found_by_day_and_by_every_number,
    other_days_bills_are_known,
    the_clearing_account_is_summed_without_what_was_put_on_suspense,
    the_check_tells_suspense_that_nobody_decided,
);

const WECHAT: GatewayName = GatewayName::WECHAT;
const DAY: Date = date(2026, 3, 1);
const FIRST_PAGE: Page = Page { page: 1, limit: 20 };

fn lease(owner: Uuid, at: Ts) -> Lease {
    let until = at + Span::minutes(5);
    Lease { owner, until }
}

async fn claim(fresh: &Fresh, day: Date, lease: &Lease, at: Ts) -> Option<ReconciliationId> {
    let new = ReconciliationId(id());
    let claimed = fresh
        .store
        .claim_reconciliation(WECHAT, day, new, lease, at);
    claimed.await.unwrap()
}

fn line(number: u32) -> BillLine {
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

fn day() -> BillingDay {
    BillingDay {
        date: DAY,
        begins: now() - Span::hours(12),
        ends: now() + Span::hours(12),
        is_previous_known: true,
        is_next_known: false,
    }
}

/// What differs where nothing of the bill is ours.
fn found(lines: &[BillLine]) -> Vec<Difference> {
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

fn step(of: ReconciliationId, difference: Option<DifferenceId>, name: &str) -> ReconciliationStep {
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

fn record(of: ReconciliationId, owner: Uuid, lines: Vec<BillLine>) -> RunRecord {
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
async fn recorded(fresh: &Fresh, lines: u32) -> (ReconciliationId, Vec<DifferenceId>) {
    let owner = id();
    let of = claim(fresh, DAY, &lease(owner, now()), now())
        .await
        .unwrap();
    let run = record(of, owner, (1..=lines).map(line).collect());
    fresh.store.record_run(&run).await.unwrap();
    (of, run.new.iter().map(|(id, _)| *id).collect())
}

async fn a_day_is_claimed_by_one(fresh: &Fresh) {
    let (one, other) = (lease(id(), now()), lease(id(), now()));
    let of = claim(fresh, DAY, &one, now()).await.unwrap();
    assert_eq!(claim(fresh, DAY, &other, now()).await, None);
    let later = now() + Span::minutes(5);
    let taken = claim(fresh, DAY, &lease(other.owner, later), later).await;
    assert_eq!(taken, Some(of), "the lease ran out");
    let store = &fresh.store;
    let retry = Some(later + Span::minutes(30));
    let mine = store.put_off_reconciliation(of, &one, "not there", retry, later);
    assert!(!mine.await.unwrap(), "it is somebody else's by now");
    let theirs = store.put_off_reconciliation(of, &other, "not there yet", retry, later);
    assert!(theirs.await.unwrap());
    let kept = store.reconciliation(of).await.unwrap().unwrap();
    assert_eq!(
        (kept.run, kept.runs, kept.retry_at),
        (Run::Waiting, 2, retry)
    );
    assert_eq!(kept.state(), ReconciliationState::Waiting);
    assert_eq!(kept.error.as_deref(), Some("not there yet"));
    let known = store.known_days(WECHAT, DAY).await.unwrap();
    assert_eq!(
        (known.len(), known[0].day, known[0].retry_at),
        (1, DAY, retry)
    );
    assert_eq!(
        store.known_days(GatewayName::ALIPAY, DAY).await.unwrap(),
        []
    );

    // The day before, refused for good.
    let before = DAY.yesterday().unwrap();
    let of = claim(fresh, before, &other, later).await.unwrap();
    let failed = store.put_off_reconciliation(of, &other, "NO_AUTH", None, later);
    assert!(failed.await.unwrap());
    let kept = store.reconciliation(of).await.unwrap().unwrap();
    assert_eq!(kept.state(), ReconciliationState::Failed);
    assert_eq!(store.first_known_day(WECHAT).await.unwrap(), Some(before));
    assert_eq!(
        store.first_known_day(GatewayName::ALIPAY).await.unwrap(),
        None
    );
}

async fn a_run_is_recorded_whole(fresh: &Fresh) {
    let (of, differences) = recorded(fresh, 450).await;
    let store = &fresh.store;
    let kept = store.reconciliation(of).await.unwrap().unwrap();
    assert_eq!(
        (kept.gateway, kept.day, kept.run, kept.runs),
        (WECHAT, DAY, Run::Done, 1)
    );
    assert_eq!(
        (kept.matched_payments, kept.matched_refunds, kept.bill_lines),
        (3, 1, 450)
    );
    assert_eq!((kept.differences, kept.unsettled), (450, 450));
    assert_eq!(kept.state(), ReconciliationState::Differing);
    assert_eq!((kept.sums.len(), kept.sums[0].ledger_moved), (1, 190));
    assert_eq!(
        (kept.sums[0].sums.bill_net(), kept.sums[0].sums.our_net()),
        (280, 190)
    );
    let bill = store.reconciliation_bill(of).await.unwrap().unwrap();
    assert_eq!(
        (bill.bytes, bill.sha256),
        ("交易时间,`2026".as_bytes().to_vec(), [7; 32])
    );
    assert!(store.is_bill_known(WECHAT, DAY).await.unwrap());
    assert!(
        !store
            .is_bill_known(WECHAT, DAY.tomorrow().unwrap())
            .await
            .unwrap()
    );

    let filter = DifferenceFilter {
        reconciliation: Some(of),
        ..DifferenceFilter::default()
    };
    let (page, total) = store.differences(&filter, FIRST_PAGE).await.unwrap();
    assert_eq!((page.len(), total), (20, 450));
    let lines: Vec<Option<u32>> = page.iter().map(|row| row.difference.line).collect();
    assert_eq!(
        lines,
        (1..=20).map(Some).collect::<Vec<_>>(),
        "in the order of the bill"
    );
    let first = store.difference(differences[0]).await.unwrap().unwrap();
    assert_eq!(first.difference, found(&[line(1)])[0]);
    assert_eq!((first.status, first.version), (DifferenceStatus::Open, 1));
    let none = DifferenceFilter {
        kind: Some(DifferenceKind::RefundMissingHere),
        ..filter.clone()
    };
    assert_eq!(store.differences(&none, FIRST_PAGE).await.unwrap().1, 0);
    let steps = store.difference_steps(differences[0]).await.unwrap();
    assert_eq!((steps.len(), steps[0].step.as_str()), (1, "found"));
    assert_eq!(store.reconciliation_steps(of).await.unwrap().len(), 1);
    listed(fresh, of).await;
}

async fn listed(fresh: &Fresh, of: ReconciliationId) {
    let list = |filter: ReconciliationFilter| async move {
        let found = fresh
            .store
            .reconciliations(&filter, FIRST_PAGE)
            .await
            .unwrap();
        (
            found.0.iter().map(|one| one.id).collect::<Vec<_>>(),
            found.1,
        )
    };
    let all = ReconciliationFilter::default;
    for (filter, hit) in [
        (all(), true),
        (
            ReconciliationFilter {
                gateway: Some(WECHAT),
                ..all()
            },
            true,
        ),
        (
            ReconciliationFilter {
                gateway: Some(GatewayName::STRIPE),
                ..all()
            },
            false,
        ),
        (
            ReconciliationFilter {
                from: Some(DAY),
                to: Some(DAY),
                ..all()
            },
            true,
        ),
        (
            ReconciliationFilter {
                from: Some(DAY.tomorrow().unwrap()),
                ..all()
            },
            false,
        ),
        (
            ReconciliationFilter {
                to: Some(DAY.yesterday().unwrap()),
                ..all()
            },
            false,
        ),
    ] {
        let expected = if hit { (vec![of], 1) } else { (vec![], 0) };
        assert_eq!(list(filter.clone()).await, expected, "{filter:?}");
    }
    for state in ReconciliationState::ALL {
        let hit = *state == ReconciliationState::Differing;
        let filter = ReconciliationFilter {
            state: Some(*state),
            ..all()
        };
        assert_eq!(list(filter).await.1 == 1, hit, "{state:?}");
    }
    let (page, _) = fresh
        .store
        .reconciliations(&all(), FIRST_PAGE)
        .await
        .unwrap();
    assert_eq!(page[0].sums.len(), 1);
}

async fn the_same_bill_is_kept_once(fresh: &Fresh) {
    let (of, _) = recorded(fresh, 1).await;
    let store = &fresh.store;
    for (hash, kept) in [([7; 32], vec![[7; 32]]), ([8; 32], vec![[7; 32], [8; 32]])] {
        let owner = id();
        claim(fresh, DAY, &lease(owner, now()), now())
            .await
            .unwrap();
        let mut run = record(of, owner, vec![]);
        run.bill.sha256 = hash;
        run.bill.fetched_at = now() + Span::seconds(i64::from(hash[0]));
        store.record_run(&run).await.unwrap();
        let bills = store.kept_bills(of).await.unwrap();
        let hashes: Vec<[u8; 32]> = bills.iter().map(|(hash, _)| *hash).collect();
        assert_eq!(hashes, kept);
        let newest = store.reconciliation_bill(of).await.unwrap().unwrap();
        assert_eq!(newest.sha256, hash);
    }
}

async fn a_run_that_lost_its_lease_records_nothing(fresh: &Fresh) {
    let owner = id();
    let of = claim(fresh, DAY, &lease(owner, now()), now())
        .await
        .unwrap();
    let late = now() + Span::hours(1);
    claim(fresh, DAY, &lease(id(), late), late).await.unwrap();
    let run = record(of, owner, vec![line(1)]);
    let refused = fresh.store.record_run(&run).await;
    assert!(matches!(refused, Err(CommitError::Moved)), "{refused:?}");
    assert_eq!(fresh.store.reconciliation_bill(of).await.unwrap(), None);
    assert_eq!(fresh.store.found_differences(of).await.unwrap(), []);
    assert_eq!(fresh.store.reconciliation_steps(of).await.unwrap(), []);
}

async fn a_second_run_brings_what_nobody_decided_up_to_date(fresh: &Fresh) {
    let (of, ids) = recorded(fresh, 3).await;
    let store = &fresh.store;
    decide(fresh, ids[1], DifferenceStatus::Accepted, None)
        .await
        .unwrap();
    // The first and the second line are there again, at other places; the third is not.
    let lines = vec![
        line(9),
        BillLine {
            line: 10,
            ..line(1)
        },
        BillLine {
            line: 11,
            ..line(2)
        },
    ];
    let (now_found, before) = (found(&lines), store.found_differences(of).await.unwrap());
    let change = rerun(&before, &now_found);
    let owner = id();
    claim(fresh, DAY, &lease(owner, now()), now())
        .await
        .unwrap();
    let fresh_id = DifferenceId(id());
    let run = RunRecord {
        new: vec![(fresh_id, now_found[change.new[0]].clone())],
        again: change
            .again
            .iter()
            .map(|(id, at)| (*id, now_found[*at].clone()))
            .collect(),
        gone: change.gone.clone(),
        steps: vec![
            step(of, Some(fresh_id), "found"),
            ReconciliationStep {
                to: Some(DifferenceStatus::Gone),
                ..step(of, Some(ids[2]), "gone")
            },
        ],
        ..record(of, owner, lines)
    };
    assert_eq!(
        (run.new.len(), run.again.len(), &run.gone),
        (1, 1, &vec![ids[2]])
    );
    store.record_run(&run).await.unwrap();
    let mut stand = Vec::new();
    for id in ids {
        let row = store.difference(id).await.unwrap().unwrap();
        stand.push((row.status, row.difference.line));
    }
    use DifferenceStatus as S;
    assert_eq!(
        stand,
        [
            (S::Open, Some(10)),
            (S::Accepted, Some(2)),
            (S::Gone, Some(3))
        ]
    );
    let kept = store.reconciliation(of).await.unwrap().unwrap();
    assert_eq!((kept.differences, kept.unsettled, kept.runs), (3, 2, 2));
    assert_eq!(store.check(now()).await.unwrap(), []);
}

/// What a person decides about a difference.
async fn decide(
    fresh: &Fresh,
    difference: DifferenceId,
    to: DifferenceStatus,
    entry: Option<EntryRow>,
) -> Result<(), CommitError> {
    let row = fresh.store.difference(difference).await.unwrap().unwrap();
    fresh.store.commit(decision(row, to, entry)).await
}

fn decision(row: DifferenceRow, to: DifferenceStatus, entry: Option<EntryRow>) -> Changes {
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

async fn a_difference_is_decided_once_with_all_that_the_decision_does(fresh: &Fresh) {
    let (of, ids) = recorded(fresh, 2).await;
    let store = &fresh.store;
    let row = store.difference(ids[0]).await.unwrap().unwrap();
    let mut first = decision(row.clone(), DifferenceStatus::Approved, None);
    let repair = effect(Effect::Repair { difference: ids[0] }, None, now());
    first.outbox = vec![repair.clone()];
    store.commit(first.clone()).await.unwrap();
    let again = decision(row, DifferenceStatus::Accepted, None);
    let refused = store.commit(again).await;
    assert!(matches!(refused, Err(CommitError::Moved)), "{refused:?}");
    assert_eq!(store.outbox_row(repair.id).await.unwrap(), Some(repair));
    let kept = store.difference(ids[0]).await.unwrap().unwrap();
    assert_eq!(kept, first.difference.unwrap().after);
    let steps = store.difference_steps(ids[0]).await.unwrap();
    let names: Vec<&str> = steps.iter().map(|step| step.step.as_str()).collect();
    assert_eq!(names, ["found", "propose"]);
    assert_eq!(
        (steps[1].to, steps[1].actor),
        (Some(DifferenceStatus::Approved), kept.proposed_by)
    );

    decide(fresh, ids[1], DifferenceStatus::Accepted, None)
        .await
        .unwrap();
    let day = store.reconciliation(of).await.unwrap().unwrap();
    assert_eq!((day.differences, day.unsettled), (2, 1));
    let settled = decision(
        kept,
        DifferenceStatus::Applied,
        Some(entry(ids[0], Money::fen(100))),
    );
    store.commit(settled).await.unwrap();
    let day = store.reconciliation(of).await.unwrap().unwrap();
    assert_eq!(day.state(), ReconciliationState::Settled);
    assert_eq!(store.check(now()).await.unwrap(), []);
}

fn entry(difference: DifferenceId, gap: Money) -> EntryRow {
    EntryRow {
        id: difference.uuid(),
        order: EntryRow::NO_ORDER,
        kind: EntryKind::SuspenseRecorded,
        postings: suspense(WECHAT, &[gap]).unwrap().postings().to_vec(),
        at: now(),
    }
}

async fn bills_and_steps_are_only_ever_added_to(fresh: &Fresh) {
    recorded(fresh, 1).await;
    for table in ["reconciliation_bills", "reconciliation_steps"] {
        for statement in ["UPDATE {} SET id = id", "DELETE FROM {}"] {
            let refused = fresh
                .execute(&statement.replace("{}", table))
                .await
                .unwrap_err();
            let words = format!("{table} is only ever added to");
            assert!(refused.to_string().contains(&words), "{refused}");
        }
    }
}

/// An order that was paid so long after the beginning of the day, and perhaps refunded.
fn paid(after: Span, refunded: bool) -> Consultation {
    let mut order = new_order();
    let mut payment = payment(PaymentStatus::Completed, Some(Money::fen(3050)));
    payment.paid_at = Some(day().begins + after);
    payment.transaction_id = Some(format!("42{}", payment.out_trade_no));
    if refunded {
        let mut refund = refund(payment.id, RefundStatus::Succeeded, 3050);
        refund.refund_id = Some(format!("50{}", refund.out_refund_no));
        refund.gone_at = payment.paid_at;
        order.refunds = vec![refund];
    }
    order.payments = vec![payment];
    order
}

async fn our_records_are_found_by_day_and_by_every_number(fresh: &Fresh) {
    let store = &fresh.store;
    let before = paid(Span::hours(-1), true);
    let first = paid(Span::ZERO, true);
    let last = paid(Span::seconds(24 * 3_600 - 1), false);
    let after = paid(Span::hours(24), true);
    let mut open = new_order();
    open.payments = vec![payment(PaymentStatus::Processing, None)];
    let mut elsewhere = paid(Span::hours(1), true);
    elsewhere.payments[0].gateway = GatewayName::STRIPE;
    for order in [&before, &first, &last, &after, &open, &elsewhere] {
        store.commit(change(order)).await.unwrap();
    }
    let ids = |orders: &[&Consultation]| {
        let mut ids: Vec<PaymentId> = orders.iter().map(|order| order.payments[0].id).collect();
        ids.sort_unstable();
        ids
    };
    let (payments, refunds) = store.ours(WECHAT, &day(), &[]).await.unwrap();
    let found: Vec<PaymentId> = payments.iter().map(|payment| payment.id).collect();
    assert_eq!(found, ids(&[&first, &last]), "of the day");
    assert_eq!(refunds.len(), 1);
    let (ours, kept) = (&payments[0], &first.payments[0]);
    assert_eq!(
        (ours.order, &ours.out_trade_no),
        (first.id, &kept.out_trade_no)
    );
    assert_eq!((ours.asked, ours.paid), (kept.amount, kept.paid));
    assert_eq!(
        (ours.booked_at, ours.created_at),
        (kept.paid_at, kept.created_at)
    );
    assert_eq!(
        (ours.status, &ours.transaction_id),
        (kept.status, &kept.transaction_id)
    );
    let (ours, kept) = (&refunds[0], &first.refunds[0]);
    assert_eq!(
        (ours.id, ours.payment, ours.amount),
        (kept.id, kept.payment, kept.amount)
    );
    assert_eq!((ours.is_by_hand, ours.booked_at), (false, kept.gone_at));
    assert_eq!(ours.out_trade_no, first.payments[0].out_trade_no);

    // By every number that a line may have, among many that are nobody's.
    let bare = BillLine {
        out_trade_no: None,
        transaction_id: None,
        ..line(0)
    };
    let mut lines: Vec<BillLine> = (1..=450).map(line).collect();
    lines.push(BillLine {
        out_trade_no: Some(before.payments[0].out_trade_no.clone()),
        ..bare.clone()
    });
    lines.push(BillLine {
        transaction_id: after.payments[0].transaction_id.clone(),
        ..bare.clone()
    });
    lines.push(BillLine {
        out_trade_no: Some(open.payments[0].out_trade_no.clone()),
        ..bare.clone()
    });
    let refund_no = Some(before.refunds[0].out_refund_no.clone());
    lines.push(BillLine {
        kind: LineKind::Refund,
        out_refund_no: refund_no,
        ..bare.clone()
    });
    let refund_id = after.refunds[0].refund_id.clone();
    lines.push(BillLine {
        kind: LineKind::Refund,
        refund_id,
        ..bare.clone()
    });
    lines.push(BillLine {
        out_trade_no: Some(String::new()),
        ..bare
    });
    let (payments, refunds) = store.ours(WECHAT, &day(), &lines).await.unwrap();
    let found: Vec<PaymentId> = payments.iter().map(|payment| payment.id).collect();
    assert_eq!(found, ids(&[&before, &first, &last, &after, &open]));
    assert_eq!(refunds.len(), 3);
}

async fn other_days_bills_are_known(fresh: &Fresh) {
    let order = paid(Span::hours(1), true);
    fresh.store.commit(change(&order)).await.unwrap();
    let number = Some(order.payments[0].out_trade_no.clone());
    let refund = Some(order.refunds[0].out_refund_no.clone());
    let bills = [
        (
            date(2026, 2, 26),
            LineStatus::Failed,
            LineStatus::Processing,
        ),
        (date(2026, 2, 28), LineStatus::Succeeded, LineStatus::Failed),
        (date(2026, 3, 2), LineStatus::Succeeded, LineStatus::Failed),
        (DAY, LineStatus::Succeeded, LineStatus::Succeeded),
    ];
    for (day, of_payment, of_refund) in bills {
        let owner = id();
        let of = claim(fresh, day, &lease(owner, now()), now())
            .await
            .unwrap();
        let lines = vec![
            BillLine {
                out_trade_no: number.clone(),
                status: of_payment,
                ..line(1)
            },
            BillLine {
                kind: LineKind::Refund,
                out_refund_no: refund.clone(),
                status: of_refund,
                ..line(2)
            },
        ];
        let run = RunRecord {
            new: vec![],
            steps: vec![],
            ..record(of, owner, lines)
        };
        fresh.store.record_run(&run).await.unwrap();
    }
    let (payments, refunds) = fresh.store.ours(WECHAT, &day(), &[]).await.unwrap();
    let billed = |day, status| {
        Some(Billed {
            day,
            at: now(),
            status,
        })
    };
    // Where the money moved before where it did not, then the earliest; never this day's own.
    assert_eq!(
        payments[0].billed,
        billed(date(2026, 2, 28), LineStatus::Succeeded)
    );
    assert_eq!(
        refunds[0].billed,
        billed(date(2026, 2, 26), LineStatus::Processing)
    );
}

async fn the_clearing_account_is_summed_without_what_was_put_on_suspense(fresh: &Fresh) {
    let order = new_order();
    let mut paying = change(&order);
    paying.entries = vec![common::entry(order.id, 3050)];
    fresh.store.commit(paying).await.unwrap();
    let (_, ids) = recorded(fresh, 1).await;
    let suspended = Some(entry(ids[0], Money::fen(100)));
    decide(fresh, ids[0], DifferenceStatus::Applied, suspended)
        .await
        .unwrap();
    let moved = |from, until| fresh.store.clearing_moved(WECHAT, from, until);
    let whole = moved(day().begins, day().ends).await.unwrap();
    assert_eq!(whole, [Money::fen(3050)]);
    assert_eq!(moved(now(), now()).await.unwrap(), []);
    assert_eq!(moved(day().begins, now()).await.unwrap(), []);
}

async fn the_check_tells_suspense_that_nobody_decided(fresh: &Fresh) {
    let (_, ids) = recorded(fresh, 2).await;
    let wrong = Some(entry(ids[0], Money::fen(99)));
    decide(fresh, ids[0], DifferenceStatus::Applied, wrong)
        .await
        .unwrap();
    let findings = fresh.store.check(now()).await.unwrap();
    let words: Vec<&str> = findings
        .iter()
        .map(|finding| finding.words.as_str())
        .collect();
    assert_eq!(
        words,
        ["differences of 100 CNY were put on suspense, the ledger has 99"]
    );
    fresh
        .execute("UPDATE reconciliation_differences SET status = 60 WHERE status = 10")
        .await
        .unwrap();
    let findings = fresh.store.check(now()).await.unwrap();
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["suspense", "reconciliation", "reconciliation"]);
}
