//! The tables that a day of payments prints.

use super::books::Line;
use super::course::{CALLBACKS, Weather};
use super::end::Row;
use super::finding::Compared;
use super::order::Order;
use super::repairing::Repaired;
use anyhow::{Result, bail};
use domain::lifecycle::Language;
use domain::payment::GatewayName;
use domain::reconciliation::DifferenceKind as K;
use domain::{Currency, Money};
use std::collections::{BTreeMap, BTreeSet};

/// Payments by gateway.
pub fn payments(rows: &BTreeMap<(GatewayName, Currency), Row>) {
    println!(
        "\n{:<10} {:<4} {:>8} {:>14} {:>14} {:>7} {:>7} {:>9} {:>12}",
        "gateway", "", "payments", "paid", "back", "failed", "closed", "returned", "late/double"
    );
    for ((gateway, currency), row) in rows {
        let money = |amount| decimal(amount, *currency);
        println!(
            "{:<10} {:<4} {:>8} {:>14} {:>14} {:>7} {:>7} {:>9} {:>12}",
            gateway.to_string(),
            currency.code(),
            row.payments,
            money(row.paid),
            money(row.back),
            row.failed,
            row.closed,
            row.returned_count,
            money(row.returned)
        );
    }
    let all: usize = rows.values().map(|row| row.payments).sum();
    println!("{:<15} {all:>8}", "all");
}

/// What went wrong on purpose.
pub fn faults(orders: &[Order], weather: &[Weather]) {
    println!("\n{:<28} {:>6}", "orders by course", "");
    let mut courses: BTreeMap<String, usize> = BTreeMap::new();
    for order in orders {
        *courses
            .entry(format!("{:?}", order.draft.course))
            .or_default() += 1;
    }
    for (course, count) in courses {
        println!("{course:<28} {count:>6}");
    }
    println!("\n{:<28} {:>6}", "callbacks drawn", "");
    for callback in CALLBACKS {
        let drawn = orders.iter().filter(|o| o.draft.callback == callback);
        println!("{callback:<28} {:>6}", drawn.count());
    }
    println!("\n{:<28} {:>6}", "gateways' weather, in waves", "");
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for one in weather {
        *kinds.entry(format!("{one:?}")).or_default() += 1;
    }
    for (kind, count) in kinds {
        println!("{kind:<36} {count:>4}");
    }
}

/// Differences by kind: planted, found, named, and how they were settled.
pub fn differences(compared: &Compared<'_>, repaired: &Repaired) {
    println!(
        "\n{:<28} {:>7} {:>5}  {:<16} {:<50}",
        "difference", "planted", "found", "settled by", "named"
    );
    let (mut kinds, mut planted, mut found) = (0, 0, 0);
    for kind in K::ALL {
        let of_kind: Vec<_> = compared
            .planted
            .iter()
            .filter(|(one, _)| one.kind == *kind)
            .collect();
        if of_kind.is_empty() {
            continue;
        }
        let rows: Vec<_> = of_kind.iter().flat_map(|(_, rows)| rows).collect();
        let by: BTreeSet<&str> = rows
            .iter()
            .filter_map(|row| row["id"].as_str())
            .map(|id| {
                let settled = repaired.settled.get(id);
                settled.map_or("EXPLAINED", |settled| settled.repair.as_str())
            })
            .collect();
        let by: Vec<&str> = by.into_iter().collect();
        println!(
            "{:<28} {:>7} {:>5}  {:<16} {}",
            kind.constant(),
            of_kind.len(),
            rows.len(),
            by.join(", "),
            kind.label(Language::En)
        );
        kinds += 1;
        planted += of_kind.len();
        found += rows.len();
    }
    println!("{:<28} {planted:>7} {found:>5}", format!("{kinds} kinds"));
    let mut repairs: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for settled in repaired.settled.values() {
        let of = repairs.entry(settled.repair.as_str()).or_default();
        of.0 += 1;
        of.1 += usize::from(settled.by_two);
    }
    println!("\n{:<28} {:>7} {:>14}", "repairs", "", "by two people");
    for (repair, (count, by_two)) in repairs {
        println!("{repair:<28} {count:>7} {by_two:>14}");
    }
    println!("\naccepted because the gateway's word settled nothing:");
    let mut words: Vec<&str> = repaired
        .settled
        .values()
        .filter_map(|settled| settled.unproven.as_deref())
        .collect();
    words.sort_unstable();
    for words in words {
        println!("{words}");
    }
}

/// Our ledger beside the gateways' own book.
pub fn books(lines: &[Line]) {
    println!(
        "\n{:<15} {:>16} {:>16} {:>18}",
        "the day's change", "our ledger", "their book", "planted, suspense"
    );
    for line in lines {
        let (gateway, code) = &line.place;
        let currency = [Currency::CNY, Currency::NZD]
            .into_iter()
            .find(|one| one.code() == code);
        let money = |amount| currency.map_or(format!("{amount}"), |one| decimal(amount, one));
        println!(
            "{:<10} {:<4} {:>16} {:>16} {:>18}",
            gateway,
            code,
            money(line.ledger),
            money(line.theirs),
            money(line.planted)
        );
    }
}

/// Says that all is well, or what is not.
pub fn judge(compared: &Compared<'_>, wrong: &[String]) -> Result<()> {
    println!("by chance: {}", compared.by_chance());
    println!("\nunexplained: {}", compared.unexplained());
    for wrong in wrong {
        println!("\n{wrong}");
    }
    if !wrong.is_empty() {
        bail!("{} things are otherwise than promised", wrong.len());
    }
    println!(
        "Every payment ended as promised, every planted difference was found and named, and the \
         books agree."
    );
    Ok(())
}

fn decimal(amount: i64, currency: Currency) -> String {
    Money::new(amount, currency).to_decimal()
}
