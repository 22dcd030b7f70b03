//! Closing a month while something is posted into it.

use crate::*;

on_both!(entries_that_race_a_closing_are_in_it_or_refused);

async fn entries_that_race_a_closing_are_in_it_or_refused(fresh: &Fresh) {
    receive(fresh, 1, at("2026-03-10T12:00:00Z")).await.unwrap();
    let store = fresh.store.clone();
    let writing = tokio::spawn(async move {
        let mut written = 1;
        for _ in 0..200 {
            match store.commit(paid(1, at(LAST_OF_MARCH))).await {
                Ok(()) => written += 1,
                Err(CommitError::Store(StoreError::MonthClosed)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        written
    });
    let closed = loop {
        match close(fresh, "2026-03").await {
            Ok(closing) => break closing,
            Err(CommitError::Moved) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(writing.await.unwrap(), closed.entries);
    assert_eq!(fresh.store.check(common::now()).await.unwrap(), []);
}

/// PostgreSQL alone writes two things at a time.
mod beside {
    use super::*;

    async fn execute(on: &mut PgConnection, sql: &'static str) -> u64 {
        let done = sqlx::query(sql).execute(on).await.unwrap();
        done.rows_affected()
    }

    /// Waits until somebody else waits for the table of entries.
    async fn until_somebody_waits<T>(on: &mut PgConnection, task: &JoinHandle<T>) {
        let waits =
            "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'ledger_entries'::regclass";
        while execute(on, waits).await == 0 {
            assert!(!task.is_finished(), "it did not wait");
            tokio::task::yield_now().await;
        }
    }

    /// An entry that nobody sees yet keeps the closing waiting, and is seen by it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_closing_waits_for_an_entry_that_is_being_written() {
        let fresh = store::testing::fresh_postgres().await.unwrap();
        receive(&fresh, 1, at("2026-03-10T12:00:00Z"))
            .await
            .unwrap();
        let mut beside = PgConnection::connect(&fresh.url).await.unwrap();
        let entry = "INSERT INTO ledger_entries (id, order_id, kind, at) \
             VALUES (gen_random_uuid(), gen_random_uuid(), 'fee_earned', '2026-03-10T12:00:00Z')";
        execute(&mut beside, "BEGIN").await;
        execute(&mut beside, entry).await;
        let (march, balance) = closing(&fresh, "2026-03").await;
        let store = fresh.store.clone();
        let closing = tokio::spawn(async move { store.close_month(&march, &balance, None).await });
        until_somebody_waits(&mut beside, &closing).await;
        execute(&mut beside, "COMMIT").await;
        let refused = closing.await.unwrap();
        assert!(matches!(refused, Err(CommitError::Moved)), "{refused:?}");
        let march = close(&fresh, "2026-03").await.unwrap();
        assert_eq!(march.entries, 2);
        beside.close().await.unwrap();
        fresh.close().await.unwrap();
    }

    /// An entry that comes while a month is being closed waits for that, and sees it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_entry_waits_for_a_closing_that_is_being_written() {
        let fresh = store::testing::fresh_postgres().await.unwrap();
        let mut beside = PgConnection::connect(&fresh.url).await.unwrap();
        let closing = "INSERT INTO ledger_closings (month, begins_at, until, entries, closed_at, closed_by) \
             VALUES ('2026-03', '2026-03-01T00:00:00+08:00', '2026-04-01T00:00:00+08:00', 0, \
             '2026-04-03T00:00:00+08:00', gen_random_uuid())";
        execute(&mut beside, "BEGIN").await;
        execute(
            &mut beside,
            "LOCK TABLE ledger_entries IN SHARE ROW EXCLUSIVE MODE",
        )
        .await;
        execute(&mut beside, closing).await;
        let (store, late) = (fresh.store.clone(), paid(1, at(LAST_OF_MARCH)));
        let writing = tokio::spawn(async move { store.commit(late).await });
        until_somebody_waits(&mut beside, &writing).await;
        execute(&mut beside, "COMMIT").await;
        let refused = writing.await.unwrap();
        let closed = matches!(refused, Err(CommitError::Store(StoreError::MonthClosed)));
        assert!(closed, "{refused:?}");
        beside.close().await.unwrap();
        fresh.close().await.unwrap();
    }
}
