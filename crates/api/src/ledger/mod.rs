//! The ledger, for operations: the chart with its balances, days, trial balances, an account's
//! entries, and the closing of months (spec 20, ledger).

mod closings;
pub mod view;

use crate::AppState;
use crate::envelope::Context;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Data, Query};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::ledger::{Account, Heading, Month, TrialBalance};
use domain::lifecycle::Language;
use domain::order::Role;
use domain::payment::GatewayName;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use store::{AccountBalance, EntryFilter, EntryPlace};
use uuid::Uuid;

/// How many days are shown at a time: a quarter.
const MOST_DAYS: i32 = 92;

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/admin/ledger/accounts", get(accounts))
        .route("/admin/ledger/accounts/{name}/entries", get(entries))
        .route("/admin/ledger/balances", get(balances))
        .route("/admin/ledger/trial-balance", get(trial_balance))
        .merge(closings::routes())
}

/// Those who may look.
fn may_read(caller: Caller) -> Result<(), ApiError> {
    caller.must_be(&[Role::Operator, Role::Admin])
}

/// The chart: every account, those of the gateways that are on or have ever had money, and what they
/// have now.
async fn accounts(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
) -> Result<Data, ApiError> {
    may_read(caller)?;
    let mut found: BTreeMap<Account, Vec<AccountBalance>> = BTreeMap::new();
    for heading in Heading::ALL {
        found.extend(heading.account().map(|account| (account, Vec::new())));
    }
    let on = state.engine.gateways().names();
    let clearing = on.into_iter().filter(|name| *name != GatewayName::OFFLINE);
    found.extend(clearing.map(|name| (Account::holding(name), Vec::new())));
    for balance in state.engine.store().balances().await? {
        found.entry(balance.account).or_default().push(balance);
    }
    let rows = found.iter().map(|(account, balances)| {
        let mut row = view::account(*account, context.language);
        let of = |one: &AccountBalance| view::balance(*account, one.currency, one.balance);
        row["balances"] = balances.iter().map(of).collect();
        row
    });
    Ok(Value::Array(rows.collect()).into())
}

/// What every account had when each day ended, and what was posted on it.
async fn balances(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    uri: Uri,
) -> Result<Data, ApiError> {
    may_read(caller)?;
    let query = Query::of(&uri, &["from", "to"])?;
    let calendar = state.engine.calendar();
    let today = calendar.day(state.engine.now());
    let to = day(&query, "to")?.unwrap_or(today);
    let from = day(&query, "from")?.unwrap_or(Month::of(to).first_day());
    if from > to {
        return Err(ApiError::field("from", format!("is after {to}")));
    }
    if (to - from).get_days() >= MOST_DAYS {
        let words = format!("is more than {MOST_DAYS} days before {to}: ask for less at a time");
        return Err(ApiError::field("from", words));
    }
    let store = state.engine.store();
    let openings = store.balances_at(calendar.begins(from)).await?;
    let days = store.movements_by_day(from, to, calendar).await?;
    let accounts = view::by_day(&openings, &days, context.language);
    Ok(json!({
        "from": from, "to": to, "zone": calendar.zone.iana_name(), "accounts": accounts,
    })
    .into())
}

/// A month's trial balance, as JSON or for a spreadsheet.
async fn trial_balance(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    may_read(caller)?;
    let query = Query::of(&uri, &["month"])?;
    let month = query.get("month", "a month such as 2026-03", |text| text.parse().ok())?;
    let month: Month = month.ok_or_else(|| ApiError::field("month", "is needed"))?;
    let store = state.engine.store();
    let closing = store.closing(month).await?;
    let balance = store.trial_balance(month, state.engine.calendar()).await?;
    if wants_csv(&headers) {
        return Ok(csv(&balance, context.language));
    }
    let mut value = view::trial_balance(&balance, context.language);
    value["month"] = json!(month);
    value["closedAt"] = json!(closing.map(|closing| closing.closed_at));
    Ok(Data::from(value).into_response())
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    accepted.is_some_and(|value| value.to_ascii_lowercase().contains("text/csv"))
}

fn csv(balance: &TrialBalance, language: Language) -> Response {
    let name = format!(
        "attachment; filename=\"trial-balance-{}.csv\"",
        balance.month
    );
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::VARY, "accept, accept-language".to_owned()),
    ];
    // The mark tells spreadsheets that what follows is UTF-8.
    let text = format!("\u{feff}{}", balance.csv(language));
    (headers, text).into_response()
}

/// An account's postings, newest first, by cursor.
async fn entries(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Data, ApiError> {
    may_read(caller)?;
    let missing = || {
        ApiError::from(Code::NotFound)
            .saying("there is no such account in the chart")
            .in_chinese(Some("会计科目表中没有这个账户"))
    };
    let account = Account::from_name(&name).ok_or_else(missing)?;
    let query = Query::of(&uri, &["cursor", "limit", "from", "to"])?;
    let limit = query.page()?.limit;
    let calendar = state.engine.calendar();
    let after_day = |day: Date| calendar.begins(day.tomorrow().unwrap_or(day));
    let filter = EntryFilter {
        after: query.get("cursor", "a cursor of this list", place)?,
        from: day(&query, "from")?.map(|day| calendar.begins(day)),
        until: day(&query, "to")?.map(after_day),
    };
    let found = state
        .engine
        .store()
        .account_entries(account, &filter, limit);
    let found = found.await?;
    let is_full = u32::try_from(found.len()).is_ok_and(|count| count == limit);
    let next = found
        .last()
        .filter(|_| is_full)
        .map(|last| cursor(last.place));
    let rows: Vec<Value> = found
        .iter()
        .map(|one| view::entry(account, one, context.language))
        .collect();
    Ok(json!({
        "account": view::account(account, context.language), "entries": rows, "nextCursor": next,
    })
    .into())
}

/// A day in a query, written out in full.
fn day(query: &Query, name: &str) -> Result<Option<Date>, ApiError> {
    query.get(name, "a day such as 2026-03-31", |text| {
        let day: Date = text.parse().ok()?;
        // Other forms of a date, with a time or without hyphens, are read too and not meant.
        let is_ours = day.to_string() == text && (2000..3000).contains(&day.year());
        is_ours.then_some(day)
    })
}

fn cursor(place: EntryPlace) -> String {
    format!("{}.{}", place.entry.hyphenated(), place.line)
}

fn place(cursor: &str) -> Option<EntryPlace> {
    let (entry, line) = cursor.split_once('.')?;
    Some(EntryPlace {
        entry: Uuid::parse_str(entry).ok()?,
        line: line.parse().ok().filter(|line| *line >= 0)?,
    })
}

/// The accounts of some balances and days, each with its currency, in the order of the chart.
fn keys(
    openings: &[AccountBalance],
    days: &[store::DayMovements],
) -> BTreeSet<(Account, domain::Currency)> {
    let moved = days.iter().flat_map(|day| &day.movements);
    let moved = moved.map(|movement| (movement.account, movement.currency));
    let opened = openings.iter().map(|one| (one.account, one.currency));
    opened.chain(moved).collect()
}
