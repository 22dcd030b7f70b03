//! Months that are closed for good.

use crate::*;

on_both!(
    months_are_closed_in_their_order,
    a_closed_month_takes_no_entry_and_its_neighbours_lose_nothing,
    a_closed_month_stays_as_it_was_closed,
    a_month_that_changed_since_it_was_summed_is_not_closed,
    a_key_closes_a_month_once,
);

async fn months_are_closed_in_their_order(fresh: &Fresh) {
    receive(fresh, 5, at("2026-02-10T12:00:00Z")).await.unwrap();
    let refused = |outcome: Result<Closing, CommitError>| {
        assert!(matches!(outcome, Err(CommitError::Moved)), "{outcome:?}");
    };
    refused(close(fresh, "2026-03").await);
    let february = close(fresh, "2026-02").await.unwrap();
    assert_eq!(february.entries, 1);
    refused(close(fresh, "2026-02").await);
    refused(close(fresh, "2026-01").await);
    refused(close(fresh, "2026-04").await);
    // A month without entries is closed like any other.
    let march = close(fresh, "2026-03").await.unwrap();
    assert_eq!(march.entries, 0);
    assert_eq!(fresh.store.closings().await.unwrap(), [march, february]);
    let found = fresh.store.closing(month("2026-03")).await.unwrap();
    assert_eq!(found, Some(march));
    assert_eq!(fresh.store.closing(month("2026-04")).await.unwrap(), None);
    assert_eq!(fresh.store.check(common::now()).await.unwrap(), []);
    let first = fresh.store.first_entry_at().await.unwrap();
    assert_eq!(first, Some(at("2026-02-10T12:00:00Z")));
}

async fn a_closed_month_takes_no_entry_and_its_neighbours_lose_nothing(fresh: &Fresh) {
    receive(fresh, 5, at("2026-03-10T12:00:00Z")).await.unwrap();
    close(fresh, "2026-03").await.unwrap();
    // Many at the same time, so that they share batches; every eighth has a clock that is behind.
    let mut waiting = Vec::new();
    for n in 0..64_i64 {
        let late = n % 8 == 0;
        let when = at(if late { LAST_OF_MARCH } else { FIRST_OF_APRIL });
        let (store, changes) = (fresh.store.clone(), paid(1, when));
        let order = changes.order.as_ref().unwrap().after.id;
        let written = tokio::spawn(async move { store.commit(changes).await });
        waiting.push((late, order, written));
    }
    for (late, order, written) in waiting {
        let outcome = written.await.unwrap();
        let kept = fresh.store.load(order).await.unwrap();
        if late {
            let closed = matches!(outcome, Err(CommitError::Store(StoreError::MonthClosed)));
            assert!(closed, "{outcome:?}");
            assert_eq!(kept, None, "all of it or nothing");
        } else {
            outcome.unwrap();
            assert!(kept.is_some());
        }
    }
    assert_eq!(on(fresh, WECHAT, date(2026, 4, 1)).await, (56, 0));
    assert_eq!(on(fresh, WECHAT, date(2026, 3, 31)).await, (0, 0));
    assert_eq!(fresh.store.check(common::now()).await.unwrap(), []);
}

async fn a_closed_month_stays_as_it_was_closed(fresh: &Fresh) {
    receive(fresh, 5, at("2026-03-10T12:00:00Z")).await.unwrap();
    let calendar = Calendar::default();
    let open = fresh
        .store
        .trial_balance(month("2026-03"), &calendar)
        .await
        .unwrap();
    close(fresh, "2026-03").await.unwrap();
    let closed = fresh
        .store
        .trial_balance(month("2026-03"), &calendar)
        .await
        .unwrap();
    assert_eq!(open, closed);
    let mut forbidden = vec![
        "UPDATE ledger_closings SET entries = 0",
        "DELETE FROM ledger_closings",
        "UPDATE ledger_closing_balances SET balance = 0",
        "DELETE FROM ledger_closing_balances",
    ];
    if fresh.store.engine_name() == "postgresql" {
        forbidden.push("TRUNCATE ledger_closings, ledger_closing_balances");
    }
    for sql in forbidden {
        let error = fresh.execute(sql).await.expect_err(sql);
        assert!(
            error.to_string().contains("is only ever added to"),
            "{sql}: {error}"
        );
    }
}

async fn a_month_that_changed_since_it_was_summed_is_not_closed(fresh: &Fresh) {
    receive(fresh, 5, at("2026-03-10T12:00:00Z")).await.unwrap();
    let (summed, balance) = closing(fresh, "2026-03").await;
    receive(fresh, 5, at("2026-03-11T12:00:00Z")).await.unwrap();
    let refused = fresh.store.close_month(&summed, &balance, None).await;
    assert!(matches!(refused, Err(CommitError::Moved)), "{refused:?}");
    assert_eq!(fresh.store.closings().await.unwrap(), []);
    close(fresh, "2026-03").await.unwrap();
    assert_eq!(fresh.store.check(common::now()).await.unwrap(), []);
}

async fn a_key_closes_a_month_once(fresh: &Fresh) {
    receive(fresh, 5, at("2026-03-10T12:00:00Z")).await.unwrap();
    let key = IdempotencyRow {
        user: UserId(id()),
        key: "close-1".to_owned(),
        request_hash: [1; 32],
        status: 201,
        answer: serde_json::json!({"month": "2026-03"}),
        at: common::now(),
    };
    let (march, balance) = closing(fresh, "2026-03").await;
    fresh
        .store
        .close_month(&march, &balance, Some(&key))
        .await
        .unwrap();
    let kept = fresh
        .store
        .idempotent_answer(key.user, &key.key)
        .await
        .unwrap();
    assert_eq!(kept, Some(key.clone()));
    let (april, balance) = closing(fresh, "2026-04").await;
    let refused = fresh.store.close_month(&april, &balance, Some(&key)).await;
    assert!(matches!(refused, Err(CommitError::KeyTaken)), "{refused:?}");
    assert_eq!(fresh.store.closings().await.unwrap(), [march]);
}
