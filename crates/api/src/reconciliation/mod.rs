//! Reconciliation for operations: days, bills, differences, and what is decided about them (spec 20).

mod csv;
pub(crate) mod view;

use crate::AppState;
use crate::envelope::{Context, success};
use crate::error::{ApiError, Code};
use crate::extract::{Asked, Caller, Data, NotNow, Paged, Query, id};
use crate::orders::Nothing;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::lifecycle::Status;
use domain::order::Role;
use domain::payment::GatewayName;
use domain::reconciliation::{Ask, DifferenceKind, DifferenceStatus, ReconciliationState, Repair};
use domain::{DifferenceId, Money, ReconciliationId};
use engine::{Answer, Answered};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{DifferenceFilter, DifferenceRow, Page, Reconciliation, ReconciliationFilter};

/// The most differences in one file.
const FILE_ROWS: u32 = 100_000;

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/admin/reconciliation", get(list).post(run))
        .route("/admin/reconciliation/differences", get(differences))
        .route("/admin/reconciliation/differences/{id}", get(difference))
        .route(
            "/admin/reconciliation/differences/{id}/preview",
            post(preview),
        )
        .route(
            "/admin/reconciliation/differences/{id}/propose",
            post(propose),
        )
        .route(
            "/admin/reconciliation/differences/{id}/approve",
            post(approve),
        )
        .route(
            "/admin/reconciliation/differences/{id}/accept",
            post(accept),
        )
        .route("/admin/reconciliation/{id}", get(detail))
        .route("/admin/reconciliation/{id}/bill", get(bill))
        .route("/admin/reconciliation/{id}/differences.csv", get(file))
}

fn may(caller: Caller) -> Result<(), ApiError> {
    caller.must_be(&[Role::Operator, Role::Admin])
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    uri: Uri,
) -> Result<Data, ApiError> {
    may(caller)?;
    let query = Query::of(&uri, &["gateway", "from", "to", "state", "page", "limit"])?;
    let day = |name| query.get(name, "a day such as 2026-03-01", |text| text.parse().ok());
    let states: Vec<&str> = ReconciliationState::ALL
        .iter()
        .map(|one| one.name())
        .collect();
    let filter = ReconciliationFilter {
        gateway: query.get(
            "gateway",
            "a gateway such as wechat",
            GatewayName::from_name,
        )?,
        from: day("from")?,
        to: day("to")?,
        state: query.get("state", &states.join(", "), ReconciliationState::from_name)?,
    };
    let page = query.page()?;
    let (found, total) = state.engine.store().reconciliations(&filter, page).await?;
    let rows = found
        .iter()
        .map(|one| view::reconciliation(one, context.language));
    Ok(paged(Value::Array(rows.collect()), page, total))
}

fn paged(value: Value, page: Page, total: i64) -> Data {
    Data {
        status: StatusCode::OK,
        value,
        page: Some(Paged::new(page, total)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Day {
    gateway: GatewayName,
    day: Date,
}

/// Looks at a day now. What was decided about it before stays.
async fn run(State(state): State<AppState>, asked: Asked<Day>) -> Result<Data, NotNow> {
    may(asked.caller)?;
    let Day { gateway, day } = asked.body;
    let (actor, request) = (asked.caller.actor(), asked.context.request_id.clone());
    let done = state.engine.reconcile(gateway, day, actor, Some(request));
    let found = done.await?;
    Ok(view::reconciliation(&found, asked.context.language).into())
}

async fn found(state: &AppState, id: ReconciliationId) -> Result<Reconciliation, ApiError> {
    let found = state.engine.store().reconciliation(id).await?;
    found.ok_or_else(|| {
        ApiError::from(Code::NotFound)
            .saying("there is no such reconciliation")
            .in_chinese(Some("没有这次对账"))
    })
}

async fn limits(state: &AppState) -> Result<Vec<Money>, ApiError> {
    Ok(state
        .engine
        .reconciliation_settings()
        .await?
        .approval_limits)
}

/// The filter and page that a list of differences is asked for by.
fn asked_for(uri: &Uri) -> Result<(DifferenceFilter, Page), ApiError> {
    let query = Query::of(uri, &["kind", "status", "page", "limit"])?;
    let statuses: Vec<&str> = DifferenceStatus::ALL
        .iter()
        .map(|one| one.constant())
        .collect();
    let filter = DifferenceFilter {
        reconciliation: None,
        kind: query.get(
            "kind",
            "a kind of difference",
            DifferenceKind::from_constant,
        )?,
        status: query.get(
            "status",
            &statuses.join(", "),
            DifferenceStatus::from_constant,
        )?,
    };
    Ok((filter, query.page()?))
}

async fn detail(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(day): Path<String>,
    uri: Uri,
) -> Result<Data, ApiError> {
    may(caller)?;
    let (mut filter, page) = asked_for(&uri)?;
    let one = found(&state, id(&day)?).await?;
    filter.reconciliation = Some(one.id);
    let (store, language) = (state.engine.store(), context.language);
    let (rows, total) = store.differences(&filter, page).await?;
    let limits = limits(&state).await?;
    let mut value = view::reconciliation(&one, language);
    let views = rows
        .iter()
        .map(|row| view::difference(row, &limits, language));
    value["items"] = views.collect();
    let bills = store.kept_bills(one.id).await?;
    let bills = bills
        .iter()
        .map(|(hash, at)| json!({ "sha256": view::hex(hash), "fetchedAt": at }));
    value["bills"] = bills.collect();
    let steps = store.reconciliation_steps(one.id).await?;
    value["steps"] = steps
        .iter()
        .map(|step| view::step(step, language))
        .collect();
    Ok(paged(value, page, total))
}

/// The newest bill, as it was received.
async fn bill(
    State(state): State<AppState>,
    caller: Caller,
    Path(day): Path<String>,
) -> Result<Response, ApiError> {
    may(caller)?;
    let one = found(&state, id(&day)?).await?;
    let kept = state.engine.store().reconciliation_bill(one.id).await?;
    let kept = kept.ok_or_else(|| {
        ApiError::from(Code::NotFound)
            .saying("no bill of this day was received yet")
            .in_chinese(Some("尚未取得该日账单"))
    })?;
    let name = format!("{}-{}.bill", one.gateway, one.day);
    Ok(download(kept.bytes, "application/octet-stream", &name))
}

/// Everything that differs on a day, for a spreadsheet.
async fn file(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(day): Path<String>,
) -> Result<Response, ApiError> {
    may(caller)?;
    let one = found(&state, id(&day)?).await?;
    let filter = DifferenceFilter {
        reconciliation: Some(one.id),
        ..DifferenceFilter::default()
    };
    let mut all: Vec<DifferenceRow> = Vec::new();
    for page in 1..=FILE_ROWS.div_ceil(100) {
        let page = Page { page, limit: 100 };
        let (rows, _) = state.engine.store().differences(&filter, page).await?;
        let is_last = rows.len() < 100;
        all.extend(rows);
        if is_last {
            break;
        }
    }
    let table = csv::table(&all, context.language);
    let name = format!("{}-{}-differences.csv", one.gateway, one.day);
    Ok(download(
        table.into_bytes(),
        "text/csv; charset=utf-8",
        &name,
    ))
}

/// Bytes to be kept as a file: a browser runs nothing of them.
fn download(bytes: Vec<u8>, kind: &'static str, name: &str) -> Response {
    let mut answer = bytes.into_response();
    let to = answer.headers_mut();
    to.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        to.insert(header::CONTENT_DISPOSITION, value);
    }
    to.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    to.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Differences of all days and gateways, the newest first: what waits for operations.
async fn differences(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    uri: Uri,
) -> Result<Data, ApiError> {
    may(caller)?;
    let (filter, page) = asked_for(&uri)?;
    let (rows, total) = state.engine.store().differences(&filter, page).await?;
    let limits = limits(&state).await?;
    let views = rows
        .iter()
        .map(|row| view::difference(row, &limits, context.language));
    Ok(paged(views.collect(), page, total))
}

async fn difference(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(one): Path<String>,
) -> Result<Data, ApiError> {
    may(caller)?;
    let store = state.engine.store();
    let row = store.difference(id(&one)?).await?;
    let row = row.ok_or(engine::EngineError::NoSuch {
        thing: "difference",
    })?;
    let steps = store.difference_steps(row.id).await?;
    let mut value = view::difference(&row, &limits(&state).await?, context.language);
    value["steps"] = steps
        .iter()
        .map(|step| view::step(step, context.language))
        .collect();
    Ok(value.into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Previewed {
    repair: Repair,
}

/// What a repair would do in money and status. The gateway is asked, and nothing is changed.
async fn preview(
    State(state): State<AppState>,
    Path(one): Path<String>,
    asked: Asked<Previewed>,
) -> Result<Data, NotNow> {
    may(asked.caller)?;
    let found = state.engine.preview_repair(id(&one)?, asked.body.repair);
    let found = found.await?;
    let limits = limits(&state).await?;
    Ok(view::preview(&found, &limits, asked.context.language).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proposed {
    repair: Repair,
    reason: Option<String>,
}

async fn propose(
    State(state): State<AppState>,
    Path(one): Path<String>,
    asked: Asked<Proposed>,
) -> Result<Data, NotNow> {
    let ask = Ask::Propose {
        repair: asked.body.repair,
        reason: reason(asked.body.reason.as_deref())?,
    };
    decide(&state, &asked, id(&one)?, &ask).await
}

async fn approve(
    State(state): State<AppState>,
    Path(one): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    decide(&state, &asked, id(&one)?, &Ask::Approve).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    reason: String,
}

async fn accept(
    State(state): State<AppState>,
    Path(one): Path<String>,
    asked: Asked<Accepted>,
) -> Result<Data, NotNow> {
    let ask = Ask::Propose {
        repair: Repair::Accept,
        reason: reason(Some(&asked.body.reason))?,
    };
    decide(&state, &asked, id(&one)?, &ask).await
}

/// Their words: at most 500 characters, nothing but spaces is no reason.
fn reason(given: Option<&str>) -> Result<Option<String>, ApiError> {
    let given = given.map(str::trim).filter(|given| !given.is_empty());
    match given {
        Some(words) if words.chars().count() > 500 => Err(ApiError::field(
            "reason",
            "must have at most 500 characters",
        )),
        words => Ok(words.map(str::to_owned)),
    }
}

async fn decide<T>(
    state: &AppState,
    asked: &Asked<T>,
    one: DifferenceId,
    ask: &Ask,
) -> Result<Data, NotNow> {
    may(asked.caller)?;
    let (language, now) = (asked.context.language, asked.context.now);
    let limits = limits(state).await?;
    let seen = limits.clone();
    let answer: Answer = Arc::new(move |answered| {
        let value = match answered {
            Answered::Difference(row) => view::difference(row, &seen, language),
            Answered::Order(_) | Answered::Session(..) | Answered::Closing(_) => Value::Null,
        };
        (200, success(&value, now))
    });
    let origin = asked.origin(answer);
    let (by, actor) = (asked.caller.user, asked.caller.actor());
    let decided = state.engine.decide_difference(one, ask, by, actor, &origin);
    let decided = decided.await?;
    if !decided.applied {
        asked.kept(state).await?;
    }
    Ok(view::difference(&decided.row, &limits, language).into())
}
