//! `ledger trial-balance`, on both databases.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says why and fails"
)]

use domain::ledger::{Account, Entry, EntryKind};
use domain::payment::GatewayName;
use domain::{Money, OrderId, Ts};
use std::process::{Command, Output};
use store::testing::{Fresh, fresh_postgres, fresh_sqlite};
use store::{Changes, EntryRow};
use uuid::Uuid;

fn run(url: &str, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_xinglin"));
    program.args(["ledger", "trial-balance", "--database-url", url]);
    program.args(arguments).output().expect("it runs")
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

async fn paid(fresh: &Fresh, number: u128, amount: i64, at: &str) {
    let wechat = Account::GatewayClearing(GatewayName::WECHAT);
    let kind = EntryKind::PaymentReceived;
    let entry = Entry::transfer(kind, wechat, Account::Patient, Money::fen(amount)).unwrap();
    let row = EntryRow {
        id: Uuid::from_u128(number),
        order: OrderId(Uuid::from_u128(1)),
        kind,
        postings: entry.postings().to_vec(),
        at: Ts::parse(at).unwrap(),
    };
    let changes = Changes {
        entries: vec![row],
        ..Changes::default()
    };
    fresh.store.commit(changes).await.unwrap();
}

async fn a_month_is_printed(fresh: &Fresh) {
    paid(fresh, 1, 3_000, "2026-03-31T23:59:59+08:00").await;
    paid(fresh, 2, 50, "2026-04-01T00:00:00+08:00").await;
    let table = said(&run(&fresh.url, &["--month", "2026-03"]));
    assert!(
        table.starts_with("Trial balance of 2026-03, not closed\n"),
        "{table}"
    );
    let line = table
        .lines()
        .find(|line| line.contains("gateway_clearing:wechat"));
    let cells: Vec<&str> = line.expect("a line").split_whitespace().collect();
    assert_eq!(cells[cells.len() - 2..], ["30.00", "0.00"], "{table}");
    let csv = said(&run(
        &fresh.url,
        &["--month", "2026-04", "--csv", "--language", "zh"],
    ));
    let wechat = "2026-04,1010,gateway_clearing:wechat,支付渠道清算（wechat）,CNY,30.00,0.00,0.50,0.00,30.50,0.00";
    assert!(csv.lines().any(|line| line == wechat), "{csv}");
    let odd = run(&fresh.url, &["--month", "2026-4"]);
    let words = String::from_utf8(odd.stderr).expect("UTF-8");
    assert_eq!(
        (odd.status.code(), words.lines().count()),
        (Some(1), 1),
        "{words}"
    );
    assert!(
        words.contains("--month") && words.contains("2026-03"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_is_printed_on_sqlite() {
    let fresh = fresh_sqlite().await.unwrap();
    a_month_is_printed(&fresh).await;
    fresh.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_is_printed_on_postgres() {
    let fresh = fresh_postgres().await.unwrap();
    a_month_is_printed(&fresh).await;
    fresh.close().await.unwrap();
}
