//! Deadlines and effects are claimed by lease; sessions move, and give numbers without gaps.

// These are tests throughout, also where a helper is not marked as one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod common;

use common::{booked, change, effect, id, new_order, next, now, session};
use domain::Span;
use domain::consultation::{ConsultationStatus as S, TimerName};
use domain::lifecycle::Status;
use domain::order::{Effect, Guard};
use domain::session::SessionStatus;
use std::collections::HashSet;
use store::testing::Fresh;
use store::{Changes, CommitError, Lease, Page, SessionChange, SessionFilter, TimerChange};

on_both!(
    claims_are_disjoint_and_taken_over,
    deadlines_are_claimed_by_lease,
    effects_are_put_off_finished_and_given_up,
    timers_move,
    numbers_have_no_gaps,
    sessions_move_once,
);

fn lease(seconds: i64) -> Lease {
    Lease {
        owner: id(),
        until: now() + Span::seconds(seconds),
    }
}

async fn claims_are_disjoint_and_taken_over(fresh: &Fresh) {
    let order = new_order();
    let outbox = (0..40)
        .map(|n| effect(Effect::TakeNumber, Some(order.id), now() - Span::seconds(n)))
        .collect();
    fresh
        .store
        .commit(Changes {
            outbox,
            ..change(&order)
        })
        .await
        .unwrap();
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let store = fresh.store.clone();
        tasks.push(tokio::spawn(async move {
            store.claim_outbox(now(), lease(20), 10).await.unwrap()
        }));
    }
    let mut seen = HashSet::new();
    for task in tasks {
        let claimed = task.await.unwrap();
        assert!(claimed.is_sorted_by_key(|row| row.due));
        for row in claimed {
            assert!(row.lease.is_some());
            assert!(seen.insert(row.id), "claimed twice");
        }
    }
    // Whoever found others' rows locked may have come away with fewer.
    seen.extend(
        fresh
            .store
            .claim_outbox(now(), lease(20), 100)
            .await
            .unwrap()
            .iter()
            .map(|row| row.id),
    );
    assert_eq!(seen.len(), 40);
    assert!(
        fresh
            .store
            .claim_outbox(now() + Span::seconds(19), lease(60), 100)
            .await
            .unwrap()
            .is_empty()
    );
    let taken_over = fresh
        .store
        .claim_outbox(now() + Span::seconds(20), lease(60), 100)
        .await
        .unwrap();
    assert_eq!(taken_over.len(), 40);
}

async fn deadlines_are_claimed_by_lease(fresh: &Fresh) {
    fresh.store.commit(change(&new_order())).await.unwrap();
    let due = now() + Span::minutes(30);
    assert!(
        fresh
            .store
            .claim_timers(now(), lease(20), 10)
            .await
            .unwrap()
            .is_empty()
    );
    let long = Lease {
        owner: id(),
        until: due + Span::seconds(20),
    };
    let claimed = fresh
        .store
        .claim_timers(due, long.clone(), 10)
        .await
        .unwrap();
    assert_eq!(
        (claimed.len(), claimed[0].name, claimed[0].due),
        (1, TimerName::PayWindow, due)
    );
    assert!(
        fresh
            .store
            .claim_timers(due, long.clone(), 10)
            .await
            .unwrap()
            .is_empty()
    );
    fresh
        .store
        .release_timer(&claimed[0], due + Span::seconds(5))
        .await
        .unwrap();
    assert!(
        fresh
            .store
            .claim_timers(due + Span::seconds(4), long.clone(), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        fresh
            .store
            .claim_timers(due + Span::seconds(5), long, 10)
            .await
            .unwrap(),
        claimed
    );
}

async fn effects_are_put_off_finished_and_given_up(fresh: &Fresh) {
    let row = effect(
        Effect::SendRefund {
            refund: domain::RefundId(id()),
        },
        None,
        now(),
    );
    let leased = store::OutboxRow {
        lease: Some(lease(20)),
        ..effect(Effect::TakeNumber, None, now())
    };
    fresh
        .store
        .commit(Changes {
            outbox: vec![row.clone(), leased.clone()],
            ..Changes::default()
        })
        .await
        .unwrap();
    assert_eq!(
        fresh.store.outbox_row(row.id).await.unwrap(),
        Some(row.clone())
    );
    assert_eq!(fresh.store.next_due().await.unwrap(), Some(now()));
    assert_eq!(
        fresh
            .store
            .claim_outbox(now(), lease(20), 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        fresh.store.next_due().await.unwrap(),
        Some(now() + Span::seconds(20))
    );
    fresh
        .store
        .reschedule(row.id, now() + Span::seconds(1), 3, Some("down"))
        .await
        .unwrap();
    let kept = fresh.store.outbox_row(row.id).await.unwrap().unwrap();
    assert_eq!(
        (kept.attempts, kept.lease, kept.last_error.as_deref()),
        (3, None, Some("down"))
    );
    fresh
        .store
        .give_up(row.id, 60, "never", now())
        .await
        .unwrap();
    let (dead, total) = fresh
        .store
        .dead_outbox(Page { page: 1, limit: 10 })
        .await
        .unwrap();
    assert_eq!((dead.len(), total, dead[0].attempts), (1, 1, 60));
    assert!(
        fresh
            .store
            .claim_outbox(now() + Span::seconds(5), lease(9), 10)
            .await
            .unwrap()
            .is_empty()
    );
    let backlog = fresh.store.backlog().await.unwrap();
    assert_eq!((backlog.outbox, backlog.timers, backlog.dead), (1, 0, 1));
    assert!(fresh.store.revive(row.id, now()).await.unwrap());
    assert!(!fresh.store.revive(row.id, now()).await.unwrap());
    fresh.store.finish(&[row.id, leased.id]).await.unwrap();
    assert_eq!(fresh.store.next_due().await.unwrap(), None);
}

async fn timers_move(fresh: &Fresh) {
    let order = new_order();
    fresh.store.commit(change(&order)).await.unwrap();
    let mut moved = order.clone();
    moved.timers[0].due = now() + Span::hours(5);
    let on = |version: i64| {
        let timers = change(&moved).timers.map(|timers| TimerChange {
            decided_on: version,
            ..timers
        });
        fresh.store.commit(Changes {
            timers,
            ..Changes::default()
        })
    };
    assert!(matches!(on(0).await, Err(CommitError::Moved)));
    assert_eq!(fresh.store.load(order.id).await.unwrap(), Some(order));
    on(1).await.unwrap();
    assert_eq!(fresh.store.load(moved.id).await.unwrap(), Some(moved));
}

async fn numbers_have_no_gaps(fresh: &Fresh) {
    let (session, slot) = session(fresh, 100).await;
    let mut orders = Vec::new();
    for _ in 0..12 {
        let order = booked(&session, &slot);
        let guards = vec![Guard::TakePlace(slot.id)];
        fresh
            .store
            .commit(Changes {
                guards,
                ..change(&order)
            })
            .await
            .unwrap();
        orders.push(order);
    }
    let mut tasks = Vec::new();
    for order in orders {
        let (store, session) = (fresh.store.clone(), session.id);
        tasks.push(tokio::spawn(async move {
            loop {
                let (row, _) = store.session(session).await.unwrap().unwrap();
                let mut after = next(&order);
                let number = row.last_number + 1;
                after.detail.number = Some(number);
                after.detail.queue_rank = Some(-i64::from(number));
                after.status = S::InQueue;
                let guards = vec![Guard::TakeNumber(session, number)];
                match store
                    .commit(Changes {
                        guards,
                        ..change(&after)
                    })
                    .await
                {
                    Ok(()) => return number,
                    Err(CommitError::GuardRefused(Guard::TakeNumber(..))) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }));
    }
    let mut numbers = Vec::new();
    for task in tasks {
        numbers.push(task.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    let queue = fresh.store.queue(session.id).await.unwrap();
    assert_eq!(
        queue.iter().map(|entry| entry.number).collect::<Vec<_>>(),
        (1..=12).rev().collect::<Vec<_>>()
    );
    assert_eq!(
        fresh
            .store
            .orders_of_session(session.id, &[S::InQueue])
            .await
            .unwrap()
            .len(),
        12
    );
    assert_eq!(
        fresh
            .store
            .orders_of_doctor(session.doctor, S::ALL)
            .await
            .unwrap()
            .len(),
        12
    );
    let findings = fresh.store.check(now()).await.unwrap();
    assert!(
        findings
            .iter()
            .all(|finding| finding.rule != "queue numbers"),
        "{findings:?}"
    );
}

async fn sessions_move_once(fresh: &Fresh) {
    let (session, slot) = session(fresh, 3).await;
    let open = store::Session {
        version: 2,
        status: SessionStatus::Open,
        opened_at: Some(now()),
        ..session.clone()
    };
    let moved = || Changes {
        session: Some(SessionChange {
            decided_on: 1,
            after: open.clone(),
        }),
        ..Changes::default()
    };
    fresh.store.commit(moved()).await.unwrap();
    assert!(matches!(
        fresh.store.commit(moved()).await,
        Err(CommitError::SessionMoved)
    ));
    assert_eq!(
        fresh.store.session(session.id).await.unwrap(),
        Some((open.clone(), vec![slot.clone()]))
    );
    assert_eq!(
        fresh.store.session_of_slot(slot.id).await.unwrap(),
        Some((open.clone(), vec![slot.clone()]))
    );
    let filter = SessionFilter {
        doctor: Some(session.doctor),
        status: Some(SessionStatus::Open),
        ..SessionFilter::default()
    };
    let listed = fresh
        .store
        .list_sessions(&filter, Page { page: 1, limit: 5 })
        .await
        .unwrap();
    assert_eq!(listed, (vec![(open, vec![slot])], 1));
    assert_eq!(
        fresh
            .store
            .sessions_to_end(session.ends_at, 9)
            .await
            .unwrap(),
        [session.id]
    );
    assert!(
        fresh
            .store
            .sessions_to_end(now(), 9)
            .await
            .unwrap()
            .is_empty()
    );
}
