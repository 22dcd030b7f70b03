//! What only the inside shows: a transaction that ends half-way, and the choice of a batch.

use super::Committer;
use super::table::{Table, TableRow, Texts};
use super::work::{Asked, Key, Work};
use crate::db::{Conn, Db, Read};
use crate::testing::{Fresh, fresh_postgres, fresh_sqlite};
use crate::value::Value;
use domain::Ts;
use std::collections::VecDeque;
use tokio::sync::oneshot;
use uuid::Uuid;

fn rows(key: u128) -> Vec<TableRow> {
    let id = Uuid::from_u128(key);
    let at = Ts::from_micros(0);
    let outbox = vec![
        id.into(),
        Value::Id(None),
        "take_number".into(),
        Value::Json(Some(r#"{"effect":"take_number"}"#.to_owned())),
        at.into(),
        at.into(),
        0_i32.into(),
        Value::Id(None),
        Value::At(None),
        Value::Text(None),
        Value::Text(None),
        at.into(),
    ];
    let snapshot = vec![
        id.into(),
        1_i64.into(),
        at.into(),
        Value::Json(Some("{}".to_owned())),
    ];
    vec![
        TableRow {
            table: Table::Snapshots,
            sort: (id, 0),
            values: snapshot,
        },
        TableRow {
            table: Table::Outbox,
            sort: (id, 0),
            values: outbox,
        },
    ]
}

async fn count(fresh: &Fresh) -> i64 {
    let sql = "SELECT (SELECT COUNT(*) FROM snapshots) + (SELECT COUNT(*) FROM outbox)";
    let row = fresh
        .store
        .db()
        .one(Read::List, sql, Vec::new())
        .await
        .unwrap()
        .unwrap();
    row.cells().int().unwrap()
}

/// A connection like a committer's, beside the store's own.
async fn connection(fresh: &Fresh) -> Conn {
    Db::connect(&fresh.url, 1, 1)
        .await
        .unwrap()
        .committing()
        .await
        .unwrap()
}

/// Ends a transaction after each of its statements in turn, by dropping it.
async fn a_crash_between_statements_leaves_nothing(fresh: &Fresh) {
    let rows = rows(7);
    let mut texts = Texts::new(fresh.store.db().is_postgres());
    let mut on: Conn = connection(fresh).await;
    for written in 0..=rows.len() {
        let mut tx = on.begin().await.unwrap();
        for row in rows.iter().take(written) {
            for (sql, values) in texts.statements(row.table, &[row]) {
                tx.execute(sql, &values).await.unwrap();
            }
        }
        drop(tx);
        assert_eq!(count(fresh).await, 0, "after {written} statements");
    }
    let mut tx = on.begin().await.unwrap();
    for row in &rows {
        for (sql, values) in texts.statements(row.table, &[row]) {
            tx.execute(sql, &values).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    drop(on);
    assert_eq!(count(fresh).await, 2);
}

#[tokio::test]
async fn a_crash_between_statements_leaves_nothing_on_sqlite() {
    let fresh = fresh_sqlite().await.unwrap();
    a_crash_between_statements_leaves_nothing(&fresh).await;
    fresh.close().await.unwrap();
}

#[tokio::test]
async fn a_crash_between_statements_leaves_nothing_on_postgres() {
    let fresh = fresh_postgres().await.unwrap();
    a_crash_between_statements_leaves_nothing(&fresh).await;
    fresh.close().await.unwrap();
}

#[test]
fn every_size_of_batch_is_written_out_in_full() {
    let many: Vec<TableRow> = (0..130)
        .flat_map(|key| rows(key).into_iter().skip(1))
        .collect();
    let rows: Vec<&TableRow> = many.iter().collect();
    for size in 1..=rows.len() {
        let statements = Texts::new(true).statements(Table::Outbox, &rows[..size]);
        let mut ids = 0;
        for (sql, values) in statements {
            assert_eq!(sql.as_str().matches('$').count(), values.len());
            ids += values
                .iter()
                .step_by(12)
                .filter(|id| matches!(id, Value::Id(Some(_))))
                .count();
        }
        assert_eq!(ids, size);
    }
}

#[tokio::test]
async fn no_batch_has_two_changes_of_one_order() {
    let fresh = fresh_sqlite().await.unwrap();
    let committer = Committer::new(fresh.store.db().clone(), 0, 3);
    let asked = |order: u128| Asked {
        work: Work {
            keys: vec![Key::Order(Uuid::from_u128(order))],
            ..Work::default()
        },
        answer: oneshot::channel().0,
    };
    let mut waiting: VecDeque<Asked> = [1, 2, 1, 1, 3, 4].map(asked).into();
    let mut batches = Vec::new();
    while !waiting.is_empty() {
        let orders =
            committer
                .take(&mut waiting)
                .into_iter()
                .map(|asked| match asked.work.keys[..] {
                    [Key::Order(id)] => id.as_u128(),
                    _ => 0,
                });
        batches.push(orders.collect::<Vec<_>>());
    }
    assert_eq!(batches, [vec![1, 2, 3], vec![1, 4], vec![1]]);
    fresh.close().await.unwrap();
}
