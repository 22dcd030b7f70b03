//! The ledger as the API shows it. Amounts are minor units and never negative: which side they are
//! on is said.

use super::keys;
use domain::ledger::{Account, Sides, Totals, TrialBalance, TrialLine};
use domain::lifecycle::Language;
use domain::{Currency, OrderId};
use engine::{Against, ClosingPreview};
use serde_json::{Value, json};
use store::{AccountBalance, AccountEntry, Closing, DayMovements, EntryRow, UnsettledMoney};

/// An account's line of the chart.
pub fn account(account: Account, language: Language) -> Value {
    let heading = account.heading();
    let kind = heading.account_type();
    let side = kind.normal_side();
    json!({
        "code": heading.code(), "name": account.to_string(), "label": account.label(language),
        "type": kind.name(), "typeLabel": kind.label(language),
        "normalSide": side.name(), "normalSideLabel": side.label(language),
        "gateway": account.gateway(),
    })
}

/// An account where its line would be too much.
fn named(account: Account, language: Language) -> Value {
    json!({
        "code": account.heading().code(), "name": account.to_string(),
        "label": account.label(language),
    })
}

/// What an account has, on the side where it stands.
pub fn balance(account: Account, currency: Currency, balance: i64) -> Value {
    let (amount, side) = account.standing(balance);
    json!({ "amount": amount, "currency": currency, "side": side.name() })
}

/// Every account's days: what was posted, and what it had at their ends.
pub fn by_day(
    openings: &[AccountBalance],
    days: &[DayMovements],
    language: Language,
) -> Vec<Value> {
    let of = |(account, currency): (Account, Currency)| {
        let is_this = |one: &&AccountBalance| (one.account, one.currency) == (account, currency);
        let opening = openings.iter().find(is_this).map_or(0, |one| one.balance);
        let mut running = opening;
        let rows: Vec<Value> = days
            .iter()
            .map(|day| {
                let mut moved = day.movements.iter();
                let moved = moved.find(|one| (one.account, one.currency) == (account, currency));
                let (debits, credits) = moved.map_or((0, 0), |one| (one.debits, one.credits));
                running = running.saturating_add(moved.map_or(0, store::Movement::net));
                json!({
                    "day": day.day, "debits": debits, "credits": credits,
                    "balance": balance(account, currency, running),
                })
            })
            .collect();
        json!({
            "account": named(account, language), "currency": currency,
            "opening": balance(account, currency, opening),
            "closing": balance(account, currency, running), "days": rows,
        })
    };
    keys(openings, days).into_iter().map(of).collect()
}

fn sides(sides: Sides) -> Value {
    json!({ "debit": sides.debit, "credit": sides.credit })
}

fn columns(columns: Totals) -> Value {
    json!({
        "opening": sides(columns.opening), "movement": sides(columns.movement),
        "closing": sides(columns.closing),
    })
}

/// The lines and sums of a trial balance.
pub fn trial_balance(balance: &TrialBalance, language: Language) -> Value {
    let line = |line: &TrialLine| {
        let mut row = columns(line.columns());
        row["account"] = named(line.account, language);
        row["currency"] = json!(line.currency);
        row
    };
    let total = |(currency, totals): (Currency, Totals)| {
        let mut row = columns(totals);
        row["currency"] = json!(currency);
        row
    };
    let lines: Vec<Value> = balance.lines.iter().map(line).collect();
    let totals: Vec<Value> = balance.totals().into_iter().map(total).collect();
    json!({ "lines": lines, "totals": totals, "balanced": balance.is_balanced() })
}

/// A posting in its account's list.
pub fn entry(account: Account, entry: &AccountEntry, language: Language) -> Value {
    let (amount, side) = account.standing(entry.amount);
    let of_order = Some(entry.order).filter(|order| *order != EntryRow::NO_ORDER);
    json!({
        "entryId": entry.place.entry, "orderId": of_order, "kind": entry.kind.name(),
        "kindLabel": entry.kind.label(language), "at": entry.at,
        "side": side.name(), "amount": amount, "currency": entry.currency,
    })
}

/// A month that was closed.
pub fn closing(closing: &Closing) -> Value {
    json!({
        "month": closing.month, "beginsAt": closing.begins_at, "until": closing.until,
        "entries": closing.entries, "closedAt": closing.closed_at, "closedBy": closing.closed_by,
    })
}

/// What a month would be closed with, and what stands against it.
pub fn preview(preview: &ClosingPreview, language: Language) -> Value {
    let against: Vec<Value> = preview
        .against
        .iter()
        .map(|one| reason(one, language))
        .collect();
    let mut balance = trial_balance(&preview.balance, language);
    balance["month"] = json!(preview.month);
    balance["closedAt"] = Value::Null;
    json!({
        "month": preview.month, "beginsAt": preview.begins_at, "until": preview.until,
        "entries": preview.entries, "mayBeClosed": preview.may_be_closed(),
        "against": against, "trialBalance": balance,
    })
}

/// One thing that stands against a closing, or should be known before it.
pub fn reason(against: &Against, language: Language) -> Value {
    let one = |money: &UnsettledMoney| {
        let order: OrderId = money.order;
        json!({
            "orderId": order, "gateway": money.gateway, "amount": money.amount,
            "since": money.since,
        })
    };
    let unsettled = against.unsettled();
    json!({
        "reason": against.name(), "blocks": against.blocks(), "words": against.words(language),
        "oldest": unsettled.map(|of| of.oldest.iter().map(one).collect::<Vec<_>>()),
    })
}
