//! `check` and `migrate`.

use crate::config::DatabaseArgs;
use anyhow::Result;
use engine::clock::{Clock, SystemClock};
use std::process::ExitCode;

/// `check`: ends with 1 and a list where something is wrong.
pub async fn run(args: &DatabaseArgs) -> Result<ExitCode> {
    let store = args.open().await?;
    let findings = store.check(SystemClock.now()).await?;
    let totals = store.totals().await?;
    store.close().await;
    for finding in &findings {
        println!("{}: {}: {}", finding.rule, finding.subject, finding.words);
    }
    let orders: i64 = totals.by_status.iter().map(|(_, count)| count).sum();
    if findings.is_empty() {
        println!("{orders} orders checked: ledger, journals, deadlines and places agree.");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{orders} orders checked: {} findings.", findings.len());
    Ok(ExitCode::FAILURE)
}

/// `migrate`: opening a database brings it up to date.
pub async fn migrate(args: &DatabaseArgs) -> Result<()> {
    let store = args.open().await?;
    println!("The database ({}) is up to date.", store.engine_name());
    store.close().await;
    Ok(())
}
