//! Connections that are lost while commits are under way: what was answered is true.

// These are tests throughout, also where a helper is not marked as one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{change, new_order, next, now};
use domain::Span;
use store::testing::fresh_postgres;
use store::{CommitError, StoreError};

const END_ALL_OTHERS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_connections_lose_no_answer() {
    let fresh = fresh_postgres().await.unwrap();
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let store = fresh.store.clone();
        tasks.push(tokio::spawn(async move {
            let mut outcomes = Vec::new();
            for _ in 0..40 {
                let order = new_order();
                let first = store.commit(change(&order)).await;
                let second = store.commit(change(&next(&order))).await;
                outcomes.push((order.id, first, second));
            }
            outcomes
        }));
    }
    let mut ended = 0;
    while !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        // It goes through one of the committers, and ends the others' connections.
        if fresh.execute(END_ALL_OTHERS).await.is_ok() {
            ended += 1;
        }
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
    }
    assert!(ended > 0, "no connection was ended");
    for task in tasks {
        for (id, first, second) in task.await.unwrap() {
            let version = fresh
                .store
                .load(id)
                .await
                .unwrap()
                .map_or(0, |order| order.version);
            let expected = i64::from(first.is_ok()) + i64::from(second.is_ok());
            let is_unknown = [&first, &second]
                .iter()
                .any(|outcome| matches!(outcome, Err(CommitError::Store(StoreError::Unknown))));
            assert!(
                version == expected || is_unknown,
                "{id}: {version}, {first:?}, {second:?}"
            );
        }
    }
    let findings = fresh.store.check(now() + Span::seconds(1)).await.unwrap();
    assert_eq!(findings, []);
    fresh.close().await.unwrap();
}
