//! An order comes back as it was written, and is changed by one at a time.

// These are tests throughout, also where a helper is not marked as one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod common;

use common::{booked, change, effect, entry, id, new_order, next, now, rich_order, session};
use domain::consultation::{ConsultationStatus, TimerName};
use domain::order::{Effect, Guard};
use domain::payment::PaymentStatus;
use domain::{Money, Span, UserId};
use store::testing::Fresh;
use store::{Changes, CommitError, IdempotencyRow, OrderFilter, Page, StoreError};

on_both!(
    comes_back_as_it_was,
    is_changed_by_one_of_many,
    last_place_goes_to_one,
    bad_row_costs_only_its_own_command,
    idempotency_key_is_taken_once,
    refused_guard_writes_nothing,
    lists_are_filtered_and_paged,
    ledger_balances_follow,
    history_is_kept,
);

async fn comes_back_as_it_was(fresh: &Fresh) {
    for order in [new_order(), rich_order()] {
        fresh.store.commit(change(&order)).await.unwrap();
        assert_eq!(
            fresh.store.load(order.id).await.unwrap(),
            Some(order.clone())
        );
        let mut after = next(&order);
        after.timers.remove(0);
        after
            .timers
            .push(common::timer(TimerName::Idle, Span::minutes(9)));
        after.detail.complaint = "更好".to_owned();
        let mut changes = change(&after);
        changes.timers.as_mut().unwrap().clear =
            vec![(order.timers[0].name, order.timers[0].refund)];
        fresh.store.commit(changes).await.unwrap();
        assert_eq!(fresh.store.load(order.id).await.unwrap(), Some(after));
    }
    assert_eq!(fresh.store.load(domain::OrderId(id())).await.unwrap(), None);
}

async fn is_changed_by_one_of_many(fresh: &Fresh) {
    let order = new_order();
    fresh.store.commit(change(&order)).await.unwrap();
    let mut tasks = Vec::new();
    for n in 0..20 {
        let mut after = next(&order);
        after.detail.complaint = format!("attempt {n}");
        let store = fresh.store.clone();
        tasks.push(tokio::spawn(async move {
            (n, store.commit(change(&after)).await)
        }));
    }
    let mut winners = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (n, Ok(())) => winners.push(n),
            (_, Err(error)) => assert!(matches!(error, CommitError::Moved), "{error:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    let kept = fresh.store.load(order.id).await.unwrap().unwrap();
    assert_eq!(
        (kept.version, kept.detail.complaint),
        (2, format!("attempt {}", winners[0]))
    );
    assert!(
        matches!(
            fresh.store.commit(change(&order)).await,
            Err(CommitError::Moved)
        ),
        "created twice"
    );
}

async fn last_place_goes_to_one(fresh: &Fresh) {
    let (session, slot) = session(fresh, 3).await;
    let mut tasks = Vec::new();
    for _ in 0..50 {
        let order = booked(&session, &slot);
        let guards = vec![Guard::TakePlace(slot.id)];
        let store = fresh.store.clone();
        tasks.push(tokio::spawn(async move {
            store
                .commit(Changes {
                    guards,
                    ..change(&order)
                })
                .await
        }));
    }
    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => won += 1,
            Err(CommitError::GuardRefused(Guard::TakePlace(refused))) => {
                assert_eq!(refused, slot.id);
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(won, 3);
    let (_, slots) = fresh.store.session(session.id).await.unwrap().unwrap();
    assert_eq!(slots[0].taken, 3);
    assert_eq!(fresh.store.check(now()).await.unwrap(), []);
}

async fn bad_row_costs_only_its_own_command(fresh: &Fresh) {
    let mut tasks = Vec::new();
    for n in 0..40 {
        let mut order = new_order();
        if n % 10 == 3 {
            // The database refuses it.
            order.price = Money::fen(-1);
        }
        let store = fresh.store.clone();
        tasks.push(tokio::spawn(async move {
            (n, order.id, store.commit(change(&order)).await)
        }));
    }
    for task in tasks {
        let (n, order, outcome) = task.await.unwrap();
        let is_kept = fresh.store.load(order).await.unwrap().is_some();
        match outcome {
            Ok(()) => assert!(n % 10 != 3 && is_kept),
            Err(CommitError::Store(StoreError::Database(_))) => assert!(n % 10 == 3 && !is_kept),
            Err(error) => panic!("{error:?}"),
        }
    }
}

async fn idempotency_key_is_taken_once(fresh: &Fresh) {
    let user = UserId(id());
    let mut tasks = Vec::new();
    for n in 0..20_u16 {
        let order = new_order();
        let row = IdempotencyRow {
            user,
            key: "key".to_owned(),
            request_hash: [7; 32],
            status: 201,
            answer: serde_json::json!({ "n": n }),
            at: now(),
        };
        let store = fresh.store.clone();
        tasks.push(tokio::spawn(async move {
            let changes = Changes {
                idempotency: Some(row),
                ..change(&order)
            };
            (n, order.id, store.commit(changes).await)
        }));
    }
    let mut winner = None;
    for task in tasks {
        let (n, order, outcome) = task.await.unwrap();
        assert_eq!(
            fresh.store.load(order).await.unwrap().is_some(),
            outcome.is_ok()
        );
        match outcome {
            Ok(()) => assert_eq!(winner.replace(n), None),
            Err(error) => assert!(matches!(error, CommitError::KeyTaken), "{error:?}"),
        }
    }
    let kept = fresh
        .store
        .idempotent_answer(user, "key")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((kept.status, kept.request_hash), (201, [7; 32]));
    assert_eq!(kept.answer, serde_json::json!({ "n": winner.unwrap() }));
}

async fn refused_guard_writes_nothing(fresh: &Fresh) {
    let (session, slot) = session(fresh, 1).await;
    let doctor = common::doctor(fresh, 0).await;
    let mut order = booked(&session, &slot);
    order.payments = vec![common::payment(PaymentStatus::Pending, None)];
    let due = effect(Effect::TakeNumber, Some(order.id), now());
    // The first guard could be met, and is taken back.
    let changes = Changes {
        guards: vec![Guard::TakePlace(slot.id), Guard::TakeDoctor(doctor.user)],
        outbox: vec![due.clone()],
        entries: vec![entry(order.id, 3050)],
        ..change(&order)
    };
    let refused = fresh.store.commit(changes).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::GuardRefused(Guard::TakeDoctor(_)))
        ),
        "{refused:?}"
    );
    assert_eq!(fresh.store.load(order.id).await.unwrap(), None);
    assert_eq!(fresh.store.outbox_row(due.id).await.unwrap(), None);
    assert!(fresh.store.journal(order.id).await.unwrap().is_empty());
    let (_, slots) = fresh.store.session(session.id).await.unwrap().unwrap();
    assert_eq!(slots[0].taken, 0);
    assert_eq!(fresh.store.check(now()).await.unwrap(), []);
}

async fn lists_are_filtered_and_paged(fresh: &Fresh) {
    let patient = UserId(id());
    let mut orders = Vec::new();
    for n in 0..7 {
        let mut order = new_order();
        order.patient = patient;
        order.created_at = now() + Span::seconds(n);
        if n == 3 {
            order.status = ConsultationStatus::Dispatching;
            order.detail.waiting_since = Some(now());
        }
        fresh.store.commit(change(&order)).await.unwrap();
        orders.push(order);
    }
    fresh.store.commit(change(&new_order())).await.unwrap();
    let filter = OrderFilter {
        patient: Some(patient),
        ..OrderFilter::default()
    };
    let (page, total) = fresh
        .store
        .list_orders(&filter, Page { page: 2, limit: 3 })
        .await
        .unwrap();
    assert_eq!(total, 7);
    assert_eq!(
        page,
        [orders[3].clone(), orders[2].clone(), orders[1].clone()]
    );
    let waiting = OrderFilter {
        status: Some(ConsultationStatus::Dispatching),
        ascending: true,
        ..filter
    };
    let (page, total) = fresh
        .store
        .list_orders(
            &waiting,
            Page {
                page: 1,
                limit: 100,
            },
        )
        .await
        .unwrap();
    assert_eq!((page.len(), total), (1, 1));
    let department = orders[3].detail.department;
    assert_eq!(
        fresh.store.departments_waiting().await.unwrap(),
        [department]
    );
    let waiting = fresh.store.waiting_for_doctor(department, 10).await;
    assert_eq!(waiting.unwrap(), [], "there is no doctor");
    let open = [ConsultationStatus::PendingPayment];
    assert_eq!(
        fresh
            .store
            .orders_of_patient(patient, &open)
            .await
            .unwrap()
            .len(),
        6
    );
    let totals = fresh.store.totals().await.unwrap();
    assert_eq!(
        totals.by_status,
        [
            (ConsultationStatus::PendingPayment, 7),
            (ConsultationStatus::Dispatching, 1)
        ]
    );
}

async fn ledger_balances_follow(fresh: &Fresh) {
    for n in 1..=10 {
        let mut order = new_order();
        order.payments = vec![common::payment(
            PaymentStatus::Completed,
            Some(Money::fen(n)),
        )];
        let entries = vec![entry(order.id, n)];
        fresh
            .store
            .commit(Changes {
                entries,
                ..change(&order)
            })
            .await
            .unwrap();
    }
    assert_eq!(fresh.store.check(now()).await.unwrap(), []);
    let totals = fresh.store.totals().await.unwrap();
    let fen = store::MoneyTotals {
        currency: domain::Currency::CNY,
        paid: 55,
        refunded: 0,
        held: 55,
    };
    assert_eq!(totals.money, [fen]);
}

async fn history_is_kept(fresh: &Fresh) {
    let order = rich_order();
    let changes = change(&order);
    let lines = changes.order.as_ref().unwrap().journal.clone();
    fresh.store.commit(changes).await.unwrap();
    assert_eq!(fresh.store.journal(order.id).await.unwrap(), lines);
    let snapshot = fresh.store.snapshot(order.id, 1).await.unwrap().unwrap();
    assert_eq!(snapshot, serde_json::to_value(&order).unwrap());
    let paid = &order.payments[1];
    let refund = &order.refunds[1];
    let store = &fresh.store;
    let of_payment = store.load_of_payment(&paid.out_trade_no).await;
    assert_eq!(of_payment.unwrap().as_ref(), Some(&order));
    let of_refund = store.load_of_refund(&refund.out_refund_no).await;
    assert_eq!(of_refund.unwrap().as_ref(), Some(&order));
    // A number of the one kind is none of the other.
    let of_neither = store.load_of_refund(&paid.out_trade_no).await;
    assert_eq!(of_neither.unwrap(), None);
    let of_neither = store.load_of_payment(&refund.out_refund_no).await;
    assert_eq!(of_neither.unwrap(), None);
    assert_eq!(store.refund_order(refund.id).await.unwrap(), Some(order.id));
    let waiting = store
        .refunds_waiting(Page { page: 1, limit: 20 })
        .await
        .unwrap();
    assert_eq!(waiting, (vec![(order.id, refund.clone())], 1));
}
