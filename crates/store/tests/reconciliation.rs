//! Reconciliations, on both engines: claimed by one, recorded at once, decided once, never rewritten.

// These are tests throughout, also where a helper is not marked as one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod common;

use common::bills::{
    DAY, FIRST_PAGE, WECHAT, claim, decide, decision, entry, found, lease, line, record, recorded,
    step,
};
use common::{effect, id, now};
use domain::order::Effect;
use domain::payment::GatewayName;
use domain::reconciliation::{
    BillLine, DifferenceKind, DifferenceStatus, ReconciliationState, Run, rerun,
};
use domain::{DifferenceId, Money, ReconciliationId, Span};
use store::testing::Fresh;
use store::{CommitError, DifferenceFilter, ReconciliationFilter, ReconciliationStep, RunRecord};

on_both!(
    a_day_is_claimed_by_one,
    a_run_is_recorded_whole,
    the_same_bill_is_kept_once,
    a_run_that_lost_its_lease_records_nothing,
    a_second_run_brings_what_nobody_decided_up_to_date,
    a_difference_is_decided_once_with_all_that_the_decision_does,
    bills_and_steps_are_only_ever_added_to,
);

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
