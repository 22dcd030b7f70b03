//! What the database itself refuses, and what the check finds.

// These are tests throughout, also where a helper is not marked as one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod common;

use common::{booked, change, entry, new_order, now, payment, refund, session};
use domain::Money;
use domain::Span;
use domain::consultation::{ConsultationStatus as S, TimerName};
use domain::order::Guard;
use domain::payment::{PaymentStatus, RefundStatus};
use store::testing::Fresh;
use store::{Changes, Store, StoreError, StoreOptions};

on_both!(
    what_was_written_stays,
    one_payment_is_open_at_a_time,
    newer_database_is_refused,
    opens_again,
    closed_store_refuses,
    check_finds_what_is_wrong_with_money,
    check_finds_what_is_wrong_with_journals,
    check_finds_orders_without_deadline,
    check_finds_places_counted_wrong,
);

async fn what_was_written_stays(fresh: &Fresh) {
    let order = new_order();
    let entries = vec![entry(order.id, 1)];
    fresh
        .store
        .commit(Changes {
            entries,
            ..change(&order)
        })
        .await
        .unwrap();
    let forbidden = [
        "UPDATE journal SET reason = 'x'",
        "DELETE FROM journal",
        "UPDATE ledger_entries SET kind = 'x'",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_postings SET amount = 0",
        "DELETE FROM ledger_postings",
    ];
    for sql in forbidden {
        let error = fresh.execute(sql).await.expect_err(sql);
        assert!(
            error.to_string().contains("is only ever added to"),
            "{sql}: {error}"
        );
    }
    if fresh.store.engine_name() == "postgresql" {
        let error = fresh
            .execute("TRUNCATE journal")
            .await
            .expect_err("TRUNCATE");
        assert!(
            error.to_string().contains("is only ever added to"),
            "{error}"
        );
    }
    assert_eq!(fresh.store.journal(order.id).await.unwrap().len(), 1);
}

async fn one_payment_is_open_at_a_time(fresh: &Fresh) {
    let mut order = new_order();
    order.payments = vec![
        payment(PaymentStatus::Processing, None),
        payment(PaymentStatus::Pending, None),
    ];
    assert!(fresh.store.commit(change(&order)).await.is_err());
    order.payments[0].status = PaymentStatus::Failed;
    fresh.store.commit(change(&order)).await.unwrap();
}

async fn newer_database_is_refused(fresh: &Fresh) {
    let checksum = if fresh.store.engine_name() == "sqlite" {
        "x'00'"
    } else {
        "'\\x00'"
    };
    let sql = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9001, 'later', TRUE, {checksum}, 0)"
    );
    fresh.execute(&sql).await.unwrap();
    let error = Store::open(&fresh.url, StoreOptions::default())
        .await
        .expect_err("newer");
    assert!(
        matches!(error, StoreError::Newer { found: 9001, .. }),
        "{error:?}"
    );
    assert!(!error.to_string().contains('\n'));
}

async fn opens_again(fresh: &Fresh) {
    let order = new_order();
    fresh.store.commit(change(&order)).await.unwrap();
    fresh.store.close().await;
    let store = Store::open(&fresh.url, StoreOptions::default())
        .await
        .unwrap();
    assert_eq!(store.load(order.id).await.unwrap(), Some(order));
    store.ping().await.unwrap();
    store.close().await;
}

async fn closed_store_refuses(fresh: &Fresh) {
    let store = fresh.store.clone();
    let order = new_order();
    let pending = tokio::spawn({
        let (store, order) = (store.clone(), order.clone());
        async move { store.commit(change(&order)).await }
    });
    pending.await.unwrap().unwrap();
    store.close().await;
    let refused = store.commit(change(&common::next(&order))).await;
    assert!(
        matches!(refused, Err(store::CommitError::Store(StoreError::Closed))),
        "{refused:?}"
    );
}

/// The rules that a change of rows behind the program's back breaks.
async fn found(fresh: &Fresh, sql: &str) -> Vec<&'static str> {
    fresh.execute(sql).await.unwrap();
    let findings = fresh.store.check(now()).await.unwrap();
    for finding in &findings {
        assert!(
            !finding.subject.is_empty() && !finding.words.is_empty(),
            "{finding:?}"
        );
    }
    findings.iter().map(|finding| finding.rule).collect()
}

async fn check_finds_what_is_wrong_with_money(fresh: &Fresh) {
    let mut order = new_order();
    let paid = payment(PaymentStatus::Completed, Some(Money::fen(3050)));
    order.refunds = vec![refund(paid.id, RefundStatus::Reviewing, 3000)];
    order.payments = vec![paid];
    let entries = vec![entry(order.id, 3050)];
    fresh
        .store
        .commit(Changes {
            entries,
            ..change(&order)
        })
        .await
        .unwrap();
    assert_eq!(fresh.store.check(now()).await.unwrap(), []);
    assert_eq!(
        found(fresh, "UPDATE orders SET paid_amount = 1").await,
        ["paid amount"]
    );
    fresh
        .execute("UPDATE orders SET paid_amount = 3050")
        .await
        .unwrap();
    assert_eq!(
        found(
            fresh,
            "UPDATE ledger_balances SET balance = 1 WHERE account = 'patient'"
        )
        .await,
        ["account balance"]
    );
    fresh
        .execute("UPDATE ledger_balances SET balance = -3050 WHERE account = 'patient'")
        .await
        .unwrap();
    assert_eq!(
        found(fresh, "UPDATE refunds SET status = 40, amount = 4000").await,
        [
            "gateway clearing",
            "refunded amount",
            "refunds within payment"
        ]
    );
    fresh
        .execute("UPDATE refunds SET status = 20, amount = 3000")
        .await
        .unwrap();
    let unbalanced = "INSERT INTO ledger_postings (entry_id, line, account, amount, currency) \
         SELECT id, 9, 'offline', 5, 'CNY' FROM ledger_entries";
    assert_eq!(
        found(fresh, unbalanced).await,
        [
            "ledger entry",
            "account balance",
            "trial balance",
            "offline money"
        ]
    );
}

async fn check_finds_what_is_wrong_with_journals(fresh: &Fresh) {
    let order = new_order();
    fresh.store.commit(change(&order)).await.unwrap();
    let gap = "INSERT INTO journal (order_id, version, seq, id, from_status, to_status, at, reason, actor_role) \
         SELECT order_id, 3, 0, id, 200, 101, at, reason, actor_role FROM journal";
    assert_eq!(found(fresh, gap).await, ["journal", "journal", "journal"]);
    assert_eq!(
        found(fresh, "DELETE FROM snapshots").await,
        ["journal", "journal", "snapshot", "journal"]
    );
}

async fn check_finds_orders_without_deadline(fresh: &Fresh) {
    let order = new_order();
    fresh.store.commit(change(&order)).await.unwrap();
    let later = fresh.store.check(now() + Span::hours(30)).await.unwrap();
    assert_eq!(
        later.iter().map(|finding| finding.rule).collect::<Vec<_>>(),
        ["deadline"]
    );
    assert_eq!(found(fresh, "DELETE FROM timers").await, ["deadline"]);

    let mut order = new_order();
    order.status = S::Refunding;
    order.timers.clear();
    let paid = payment(PaymentStatus::Completed, Some(Money::fen(3050)));
    order.refunds = vec![refund(paid.id, RefundStatus::Processing, 3000)];
    order.payments = vec![paid];
    let entries = vec![entry(order.id, 3050)];
    fresh
        .store
        .commit(Changes {
            entries,
            ..change(&order)
        })
        .await
        .unwrap();
    let findings = fresh.store.check(now()).await.unwrap();
    assert_eq!(
        findings
            .iter()
            .map(|finding| finding.rule)
            .collect::<Vec<_>>(),
        ["deadline", "refund under way"]
    );
    let failed = "UPDATE refunds SET status = 50, retries = 1";
    fresh.execute(failed).await.unwrap();
    fresh
        .execute("UPDATE orders SET status = 503 WHERE status = 502")
        .await
        .unwrap();
    let rules = found(fresh, "UPDATE consultations SET calls = 0").await;
    assert_eq!(rules, ["journal", "deadline", "failed refund"]);

    let mut order = new_order();
    order.status = S::Cancelled;
    order.timers = vec![common::timer(TimerName::PayWindow, Span::minutes(1))];
    fresh.store.commit(change(&order)).await.unwrap();
    let findings = fresh.store.check(now()).await.unwrap();
    assert!(
        findings
            .iter()
            .any(|finding| finding.words.contains("has ended in 902 CANCELLED"))
    );
}

async fn check_finds_places_counted_wrong(fresh: &Fresh) {
    let (session, slot) = session(fresh, 4).await;
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
    assert_eq!(fresh.store.check(now()).await.unwrap(), []);
    assert_eq!(
        found(fresh, "UPDATE slots SET taken = 2").await,
        ["places in a slot"]
    );
    fresh.execute("UPDATE slots SET taken = 1").await.unwrap();
    assert_eq!(
        found(fresh, "UPDATE doctors SET active = 1").await,
        ["consultations in hand"]
    );
    fresh
        .execute("UPDATE doctors SET active = 0")
        .await
        .unwrap();
    assert_eq!(
        found(fresh, "UPDATE sessions SET last_number = 2").await,
        ["queue numbers"]
    );
}
