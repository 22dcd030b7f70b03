//! The code's tables against the specification's (`spec/*.csv`), cell by cell and both ways.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a table that can't be read fails its test"
)]

use domain::consultation::{ConsultationStatus as S, Mode, Rules, ShareRule, TimerName};
use domain::lifecycle::Status;
use std::collections::{BTreeMap, BTreeSet};

/// Deadlines of other kinds of order, which share the table.
const OF_OTHER_KINDS: [&str; 6] = [
    "stock_hold",
    "stock_hold_valuable",
    "auto_receive",
    "voucher",
    "prescription",
    "proof_review",
];

/// The rows of a table, cells by column; no cell holds a comma.
fn table(name: &str) -> Vec<BTreeMap<String, String>> {
    let path = format!("{}/../../spec/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"));
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let cells = |line: &str| {
        let row: Vec<&str> = line.split(',').collect();
        assert_eq!(
            row.len(),
            header.len(),
            "{name}.csv: `{line}` has its columns"
        );
        let pairs = header.iter().zip(row);
        pairs
            .map(|(column, cell)| ((*column).to_owned(), cell.to_owned()))
            .collect()
    };
    lines.map(cells).collect()
}

/// Both ways: nothing missing, nothing more. Names the rows that differ.
fn same(table: &str, specified: &BTreeSet<String>, written: &BTreeSet<String>) {
    let missing: Vec<_> = specified.difference(written).collect();
    let more: Vec<_> = written.difference(specified).collect();
    assert!(
        missing.is_empty() && more.is_empty(),
        "{table}.csv and the code differ:\n only in the table: {missing:#?}\n only in the code: {more:#?}"
    );
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

#[test]
fn statuses_are_the_specifications() {
    let rows = table("consultation-states");
    let specified = rows.iter().map(|row| {
        let cells = ["code", "constant", "zh", "modes", "terminal"];
        cells.map(|cell| row[cell].as_str()).join(",")
    });
    let written = S::ALL.iter().map(|status| {
        let row = status.row();
        let terminal = yes_or_no(status.is_terminal());
        let modes = row.modes.name();
        format!(
            "{},{},{},{modes},{terminal}",
            row.code, row.constant, row.zh
        )
    });
    same(
        "consultation-states",
        &specified.collect(),
        &written.collect(),
    );
    assert_eq!(rows.len(), S::ALL.len(), "every status stands once");
    for status in S::ALL {
        assert_eq!(S::from_code(status.code()), Some(*status));
        assert_eq!(S::from_constant(status.constant()), Some(*status));
        assert_eq!(S::try_from(i32::from(status.code())), Ok(*status));
        assert!(!status.row().en.is_empty());
    }
}

#[test]
fn transitions_are_the_specifications() {
    let rows = table("consultation-transitions");
    let specified: BTreeSet<String> = rows
        .iter()
        .map(|row| format!("{},{}", row["from"], row["to"]))
        .collect();
    let mut written = BTreeSet::new();
    for status in S::ALL {
        for next in status.row().next {
            written.insert(format!("{},{}", status.code(), next.code()));
        }
        if status.row().returns {
            written.insert(format!("{},original", status.code()));
        }
    }
    assert_eq!(rows.len(), specified.len(), "every transition stands once");
    same("consultation-transitions", &specified, &written);
}

#[test]
fn a_step_is_possible_exactly_where_the_table_has_it() {
    let specified: BTreeSet<(u16, u16)> = table("consultation-transitions")
        .iter()
        .filter(|row| row["to"] != "original")
        .map(|row| (row["from"].parse().unwrap(), row["to"].parse().unwrap()))
        .collect();
    for from in S::ALL {
        for to in S::ALL {
            let in_table = specified.contains(&(from.code(), to.code()));
            let pair = format!("{},{}", from.code(), to.code());
            assert_eq!(from.may_become(*to, None), in_table, "{pair}");
            let gives_back = *from == S::RefundReviewing;
            let back = from.may_become(*to, Some(*to));
            assert_eq!(back, in_table || gives_back, "{pair} as original");
        }
    }
}

fn share_row(rule: &ShareRule) -> String {
    let status = rule
        .status
        .map_or_else(|| "any".to_owned(), |status| status.code().to_string());
    let mode = rule.mode.map_or("both", Mode::name);
    let percent = rule
        .share
        .map_or_else(String::new, |share| share.as_percent().to_string());
    let days = match rule.working_days {
        None => String::new(),
        Some((first, last)) if first == last => last.to_string(),
        Some((first, last)) => format!("{first}-{last}"),
    };
    format!("{status},{mode},{},{percent},{days}", rule.when)
}

#[test]
fn refund_shares_are_the_specifications() {
    let rows = table("refund-shares");
    let specified: BTreeSet<String> = rows
        .iter()
        .map(|row| {
            let cells = ["status", "mode", "cause", "percent", "working_days"];
            cells.map(|cell| row[cell].as_str()).join(",")
        })
        .collect();
    let rules = Rules::default().shares;
    assert_eq!(rows.len(), rules.len(), "every share stands once");
    let written = rules.iter().map(share_row).collect();
    same("refund-shares", &specified, &written);
}

/// The seconds of a length as the table writes it: `30 min`, `24 h`.
fn seconds(length: &str) -> i64 {
    let (number, unit) = length.split_once(' ').expect("a number and a unit");
    let number: i64 = number.parse().expect("a number");
    match unit.split(' ').next() {
        Some("min") => number * 60,
        Some("h") => number * 3600,
        other => panic!("`{length}`: {other:?} is no unit"),
    }
}

#[test]
fn deadlines_are_the_specifications() {
    let rules = Rules::default();
    let mut named = BTreeSet::new();
    for row in table("timeouts") {
        let name = row["name"].as_str();
        if OF_OTHER_KINDS.contains(&name) {
            continue;
        }
        let timer = TimerName::from_name(name)
            .unwrap_or_else(|| panic!("timeouts.csv: the code has no `{name}`"));
        named.insert(timer);
        let statuses = if timer == TimerName::ManualReview {
            let from = S::InProgress.code();
            format!("{} from {from}", timer.status().code())
        } else {
            timer.status().code().to_string()
        };
        assert_eq!(
            row["statuses"], statuses,
            "timeouts.csv: `{name}`, statuses"
        );
        let length = row["default"].as_str();
        let specified: Vec<i64> = match length {
            "slot end" => vec![0],
            _ => length
                .trim_start_matches("slot start + ")
                .split(" then ")
                .map(seconds)
                .collect(),
        };
        let written: Vec<i64> = if timer == TimerName::RefundRetry {
            rules.timeouts.refund_retry.to_vec()
        } else {
            vec![rules.timeout(timer).as_seconds()]
        };
        assert_eq!(specified, written, "timeouts.csv: `{name}`, default");
    }
    for timer in TimerName::ALL {
        let name = timer.name();
        assert!(named.contains(&timer), "timeouts.csv has no `{name}`");
    }
}

#[test]
fn refund_retries_are_three_and_then_nothing() {
    let rules = Rules::default();
    let waits: Vec<_> = (0..4)
        .map(|made| rules.refund_retry(made).map(|wait| wait.as_seconds()))
        .collect();
    assert_eq!(waits, [Some(60), Some(300), Some(1800), None]);
}

#[test]
fn the_diagram_in_text_has_every_status_and_every_step() {
    use domain::lifecycle::{Language, mermaid};
    for language in [Language::Zh, Language::En] {
        let drawn = mermaid::<S>(language);
        let lines: BTreeSet<&str> = drawn.lines().map(str::trim).collect();
        for row in table("consultation-transitions") {
            let line = match row["to"].as_str() {
                "original" => format!("s{} --> original", row["from"]),
                to => format!("s{} --> s{to}", row["from"]),
            };
            assert!(lines.contains(line.as_str()), "{line}");
        }
        for status in S::ALL {
            let code = status.code();
            let line = format!("s{code}: {code} {}", status.label(language));
            assert!(lines.contains(line.as_str()), "{line}");
        }
    }
}
