//! What the check finds.

use crate::*;

on_both!(
    check_finds_what_is_wrong_with_the_ledger,
    check_finds_what_is_wrong_with_closings,
);

async fn rules(fresh: &Fresh) -> BTreeSet<&'static str> {
    let findings = fresh.store.check(common::now()).await.unwrap();
    findings.iter().map(|finding| finding.rule).collect()
}

async fn check_finds_what_is_wrong_with_the_ledger(fresh: &Fresh) {
    receive(fresh, 5, at("2026-03-10T12:00:00Z")).await.unwrap();
    close(fresh, "2026-03").await.unwrap();
    close(fresh, "2026-04").await.unwrap();
    assert_eq!(rules(fresh).await, BTreeSet::new());

    // A fen more on both sides of a closed entry: nothing but the closing tells.
    let posting = |line: i64, account: &str, amount: i64| {
        format!(
            "INSERT INTO ledger_postings (entry_id, line, account, amount, currency) \
             SELECT id, {line}, '{account}', {amount}, 'CNY' FROM ledger_entries"
        )
    };
    let execute = async |sql: String| fresh.execute(&sql).await.unwrap();
    execute(posting(7, "patient", -1)).await;
    execute(posting(8, "offline", 1)).await;
    let found = rules(fresh).await;
    assert!(found.contains("closed balance"), "{found:?}");
    assert!(
        found.contains("offline money") && found.contains("account balance"),
        "{found:?}"
    );
    assert!(
        !found.contains("trial balance") && !found.contains("chart of accounts"),
        "{found:?}"
    );

    // An account that nobody knows, and one that payments do not credit.
    execute(posting(9, "petty_cash", 1)).await;
    execute(posting(10, "platform_revenue", -1)).await;
    let findings = fresh.store.check(common::now()).await.unwrap();
    let chart = findings
        .iter()
        .filter(|finding| finding.rule == "chart of accounts");
    let subjects: Vec<&str> = chart.map(|finding| finding.subject.as_str()).collect();
    assert_eq!(subjects, ["account petty_cash", "account platform_revenue"]);
    execute(posting(11, "patient", 1)).await;
    assert!(rules(fresh).await.contains("trial balance"));
}

/// Closings that never were: a gap, entries that are not there, balances that don't follow.
async fn check_finds_what_is_wrong_with_closings(fresh: &Fresh) {
    receive(fresh, 5, at("2026-03-10T12:00:00Z")).await.unwrap();
    close(fresh, "2026-03").await.unwrap();
    close(fresh, "2026-04").await.unwrap();
    let execute = async |sql: String| fresh.execute(&sql).await.unwrap();
    let later = |month: &str, begins: &str, until: &str, entries: i64| {
        let by = if fresh.store.engine_name() == "sqlite" {
            "x'00'"
        } else {
            "'00000000-0000-0000-0000-000000000007'"
        };
        format!(
            "INSERT INTO ledger_closings (month, begins_at, until, entries, closed_at, closed_by) VALUES \
             ('{month}', '{begins}', '{until}', {entries}, '2027-01-01T00:00:00.000000Z', {by})"
        )
    };
    let (june, july) = ("2026-06-30T16:00:00.000000Z", "2026-07-31T16:00:00.000000Z");
    execute(later("2026-07", june, july, 3)).await;
    execute(
        "INSERT INTO ledger_closing_balances (month, account, currency, debits, credits, balance) \
         VALUES ('2026-07', 'patient', 'CNY', 0, 0, 44)"
            .to_owned(),
    )
    .await;
    let findings = fresh.store.check(common::now()).await.unwrap();
    let words: Vec<String> = findings
        .iter()
        .filter(|finding| finding.words.contains("2026-07") || finding.subject.contains("2026-07"))
        .map(|finding| format!("{}: {}", finding.subject, finding.words))
        .collect();
    let expected = [
        "month 2026-07: was closed with 3 entries and has 0",
        "month 2026-07: begins at 2026-06-30T16:00:00.000000Z, and 2026-04 before it ended at 2026-04-30T16:00:00.000000Z",
        "account patient: 2026-07 was closed with a balance of 44 CNY, all months until then make -5",
        "month 2026-07: was closed with 0 debited, 0 credited and balances of 44 CNY in all",
    ];
    assert_eq!(words, expected);
}
