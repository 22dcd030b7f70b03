//! Orders: created, looked at, and everything that people do with them.

use crate::AppState;
use crate::envelope::{Context, success};
use crate::error::{ApiError, Code};
use crate::extract::{Asked, Caller, Data, NotNow, Paged, Query, id};
use crate::view::{self, Looking};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, patch, post, put};
use domain::consultation::{
    Command, Consultation, ConsultationStatus, ConsultationType, Facts, Mode, Outcome, Quote,
    Rating, RatingTag, Summary, actions, decide,
};
use domain::lifecycle::{Language, Status};
use domain::order::Role;
use domain::{DepartmentId, Money, OrderId, SlotId};
use engine::{Answer, Answered, Booking, Executed};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use store::OrderFilter;

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/orders", post(create).get(list))
        .route("/orders/{id}", get(show))
        .route("/orders/{id}/cancel", put(cancel))
        .route("/orders/{id}/payment-method", put(change_method))
        .route("/orders/{id}/refund-quote", get(quote))
        .route("/orders/{id}/refund", post(complain))
        .route("/orders/{id}/accept", post(accept))
        .route("/orders/{id}/decline", post(decline))
        .route("/orders/{id}/check-in", post(check_in))
        .route("/orders/{id}/call", post(call))
        .route("/orders/{id}/answer", post(answer))
        .route("/orders/{id}/start", post(start))
        .route("/orders/{id}/finish", post(finish))
        .route("/orders/{id}/connection-failed", post(connection_failed))
        .route("/orders/{id}/rate", post(rate))
        .route("/orders/{id}/system-fault", post(system_fault))
        .route("/orders/{id}/status", patch(to_status))
        .route("/orders/{id}/journal", get(journal))
        .route("/orders/{id}/snapshots/{version}", get(snapshot))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewOrder {
    kind: String,
    mode: Mode,
    consultation_type: ConsultationType,
    department_id: Option<DepartmentId>,
    slot_id: Option<SlotId>,
    complaint: String,
    price: Option<Money>,
}

async fn create(State(state): State<AppState>, asked: Asked<NewOrder>) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Patient])?;
    let body = &asked.body;
    if body.kind != "consultation" {
        return Err(ApiError::field("kind", "must be consultation").into());
    }
    if body.price.is_some_and(|price| price.amount < 0) {
        return Err(ApiError::field("price.amount", "must not be negative").into());
    }
    let booking = Booking {
        patient: asked.caller.user,
        mode: body.mode,
        consultation_type: body.consultation_type,
        department: body.department_id,
        complaint: body.complaint.clone(),
        slot: body.slot_id,
        price: body.price,
    };
    let looking = Looking {
        caller: asked.caller,
        language: asked.context.language,
        now: asked.context.now,
        names: std::collections::HashMap::new(),
    };
    let origin = asked.origin(kept_answer(looking, 201));
    match state
        .engine
        .book(booking, asked.caller.actor(), origin)
        .await
    {
        Ok(executed) => {
            let mut data = viewed(&state, &asked, &executed.order).await?;
            data.status = StatusCode::CREATED;
            Ok(data)
        }
        Err(error) => Err(error.into()),
    }
}

/// The answer that is kept for the caller's key, made from the order after the command.
pub(crate) fn kept_answer(looking: Looking, status: u16) -> Answer {
    Arc::new(move |answered| {
        let value = match answered {
            Answered::Order(order) => view::order(order, &looking, &Facts::default(), None),
            Answered::Session(session, slots) => {
                view::session(session, slots, None, looking.language)
            }
            Answered::Closing(_) | Answered::Difference(_) => Value::Null,
        };
        (status, success(&value, looking.now))
    })
}

/// Gives an order a command of the caller, if they may know of it.
pub(crate) async fn command<T>(
    state: &AppState,
    asked: &Asked<T>,
    order: OrderId,
    command: Command,
) -> Result<Executed, NotNow> {
    command_kept(state, asked, order, command, |looking| {
        kept_answer(looking, 200)
    })
    .await
}

/// The same, where the answer to keep is more than the order.
pub(crate) async fn command_kept<T>(
    state: &AppState,
    asked: &Asked<T>,
    order: OrderId,
    command: Command,
    keeps: impl FnOnce(Looking) -> Answer,
) -> Result<Executed, NotNow> {
    let current = state.visible_to_act(order, asked.caller).await?;
    let looking = state
        .looking(&current, asked.caller, asked.context.language)
        .await?;
    let origin = asked.origin(keeps(looking));
    match state
        .engine
        .execute(order, command, asked.caller.actor(), origin)
        .await
    {
        Ok(executed) if executed.applied => Ok(executed),
        Ok(executed) => asked.kept(state).await.map(|()| executed),
        Err(error) => Err(explained(state, asked, order, error).await),
    }
}

/// A refusal says what would be allowed.
async fn explained<T>(
    state: &AppState,
    asked: &Asked<T>,
    order: OrderId,
    error: engine::EngineError,
) -> NotNow {
    let mut refused = ApiError::from(error);
    if matches!(refused.code, Code::InvalidOrderStatus)
        && let Ok(current) = state.visible(order, asked.caller).await
        && let Ok(facts) = state.engine.facts(&current).await
    {
        let allowed = actions(&current, asked.caller.actor(), &facts, state.engine.now());
        let status = current.status.constant();
        refused = refused.with(json!({ "status": status, "allowed": allowed }));
    }
    NotNow::Error(refused)
}

/// The order as the caller sees it now.
pub(crate) async fn viewed<T>(
    state: &AppState,
    asked: &Asked<T>,
    order: &Consultation,
) -> Result<Data, NotNow> {
    Ok(state
        .order_view(order, asked.caller, asked.context.language)
        .await?
        .into())
}

async fn act<T>(
    state: &AppState,
    asked: &Asked<T>,
    order: &str,
    what: Command,
) -> Result<Data, NotNow> {
    let executed = command(state, asked, id(order)?, what).await?;
    viewed(state, asked, &executed.order).await
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    uri: Uri,
) -> Result<Data, ApiError> {
    let known = [
        "kind", "status", "patient", "doctor", "from", "to", "mode", "q", "page", "limit",
        "cursor", "sort",
    ];
    let query = Query::of(&uri, &known)?;
    query.get("kind", "`consultation`", |kind| {
        (kind == "consultation").then_some(())
    })?;
    let status = |text: &str| {
        let by_code = text.parse().ok().and_then(ConsultationStatus::from_code);
        by_code.or_else(|| ConsultationStatus::from_constant(text))
    };
    let sort = query.get(
        "sort",
        "created_at:desc or created_at:asc",
        |text| match text {
            "created_at:asc" => Some(true),
            "created_at:desc" => Some(false),
            _ => None,
        },
    )?;
    let mut filter = OrderFilter {
        status: query.get("status", "a status such as IN_QUEUE or 302", status)?,
        patient: query.id("patient")?,
        doctor: query.id("doctor")?,
        from: query.time("from")?,
        to: query.time("to")?,
        mode: query.get("mode", "dispatch or clinic", Mode::from_name)?,
        words: query.get("q", "1 to 100 characters", |text| {
            (1..=100)
                .contains(&text.chars().count())
                .then(|| text.to_owned())
        })?,
        after: query.id("cursor")?,
        ascending: sort.unwrap_or(false),
    };
    match caller.role {
        Role::Patient => filter.patient = Some(caller.user),
        Role::Doctor => filter.doctor = Some(caller.user),
        _ => {}
    }
    let page = query.page()?;
    if filter.after.is_some() && page.page > 1 {
        return Err(ApiError::field(
            "page",
            "can't go with cursor: leave it out",
        ));
    }
    let (orders, total) = state.engine.store().list_orders(&filter, page).await?;
    let more = i64::from(page.page) * i64::from(page.limit) < total;
    let last = orders.last().filter(|_| more);
    let mut views = Vec::with_capacity(orders.len());
    for order in &orders {
        views.push(state.order_view(order, caller, context.language).await?);
    }
    Ok(Data {
        status: StatusCode::OK,
        value: Value::Array(views),
        page: Some(Paged {
            next: last.map(|order| order.id.to_string()),
            ..Paged::new(page, total)
        }),
    })
}

async fn show(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(order): Path<String>,
) -> Result<Data, ApiError> {
    let order = state.visible(id(&order)?, caller).await?;
    Ok(state
        .order_view(&order, caller, context.language)
        .await?
        .into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CancelOrder {
    quote_id: Option<String>,
    reason: Option<String>,
}

async fn cancel(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<CancelOrder>,
) -> Result<Data, NotNow> {
    let of: OrderId = id(&order)?;
    let quote: Option<Quote> = match &asked.body.quote_id {
        None => None,
        Some(given) => {
            state.visible(of, asked.caller).await?;
            let wrong =
                || ApiError::field("quoteId", "is no quote of this order: ask for a new one");
            Some(state.engine.open_quote(of, given).ok_or_else(wrong)?)
        }
    };
    let reason = asked.body.reason.clone();
    act(&state, &asked, &order, Command::Cancel { quote, reason }).await
}

async fn change_method(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    act(&state, &asked, &order, Command::ChangeMethod).await
}

async fn quote(
    State(state): State<AppState>,
    caller: Caller,
    Path(order): Path<String>,
) -> Result<Data, ApiError> {
    let order = state.visible(id(&order)?, caller).await?;
    let (quote, quote_id) = state.engine.quote(&order).await?;
    Ok(json!({
        "quoteId": quote_id, "status": quote.status.constant(), "share": quote.share,
        "amount": { "amount": quote.amount.amount, "currency": quote.amount.currency },
        "rule": quote.rule, "dueOn": quote.due_on, "fault": quote.fault.name(),
        "validUntil": quote.valid_until,
    })
    .into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Complaint {
    reason: String,
}

async fn complain(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Complaint>,
) -> Result<Data, NotNow> {
    let reason = asked.body.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > 1_000 {
        return Err(ApiError::field("reason", "must have 1 to 1000 characters").into());
    }
    act(&state, &asked, &order, Command::Complain { reason }).await
}

async fn accept(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    act(&state, &asked, &order, Command::Accept).await
}

async fn decline(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Reason>,
) -> Result<Data, NotNow> {
    let reason = asked.body.reason.clone();
    act(&state, &asked, &order, Command::Decline { reason }).await
}

async fn check_in(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    act(&state, &asked, &order, Command::CheckIn).await
}

async fn call(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Reason>,
) -> Result<Data, NotNow> {
    let reason = asked.body.reason.clone();
    act(&state, &asked, &order, Command::Call { reason }).await
}

async fn answer(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    act(&state, &asked, &order, Command::Answer).await
}

async fn start(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    act(&state, &asked, &order, Command::Start).await
}

async fn finish(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Summary>,
) -> Result<Data, NotNow> {
    let summary = asked.body.clone();
    let parts = [
        ("complaint", &summary.complaint),
        ("findings", &summary.findings),
        ("advice", &summary.advice),
    ];
    for (field, text) in parts {
        if text.trim().is_empty() || text.chars().count() > 4_000 {
            return Err(ApiError::field(field, "must have 1 to 4000 characters").into());
        }
    }
    act(&state, &asked, &order, Command::Finish(summary)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attempt {
    attempt: Option<u8>,
}

async fn connection_failed(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Attempt>,
) -> Result<Data, NotNow> {
    let attempt = asked.body.attempt;
    act(
        &state,
        &asked,
        &order,
        Command::ConnectionFailed { attempt },
    )
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stars {
    stars: u8,
    #[serde(default)]
    tags: Vec<RatingTag>,
    words: Option<String>,
}

/// The longest words of a rating, in characters.
const RATING_LIMIT: usize = 1_000;

async fn rate(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Stars>,
) -> Result<Data, NotNow> {
    let Stars { stars, tags, words } = &asked.body;
    if words
        .as_ref()
        .is_some_and(|words| words.chars().count() > RATING_LIMIT)
    {
        let why = format!("must have at most {RATING_LIMIT} characters");
        return Err(ApiError::field("words", why).into());
    }
    let rating = Rating {
        stars: *stars,
        tags: tags.clone(),
        words: words.clone(),
        at: state.engine.now(),
    };
    act(&state, &asked, &order, Command::Rate(rating)).await
}

async fn system_fault(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Complaint>,
) -> Result<Data, NotNow> {
    let reason = asked.body.reason.clone();
    act(&state, &asked, &order, Command::SystemFault { reason }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    status: String,
}

/// The general form: allowed when exactly one command of the caller leads there.
async fn to_status(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Target>,
) -> Result<Data, NotNow> {
    let wanted = &asked.body.status;
    let by_code = wanted.parse().ok().and_then(ConsultationStatus::from_code);
    let target = by_code
        .or_else(|| ConsultationStatus::from_constant(wanted))
        .ok_or_else(|| {
            ApiError::field(
                "status",
                format!("`{wanted}` is no status: use one such as CANCELLED or 902"),
            )
        })?;
    let current = state.visible(id(&order)?, asked.caller).await?;
    let facts = state.engine.facts(&current).await?;
    let now = state.engine.now();
    let leads_there = |command: &Command| {
        let mut ids = engine::ids::IdsAt(now);
        let decided = decide(
            &current,
            command,
            asked.caller.actor(),
            &facts,
            now,
            &mut ids,
        );
        matches!(decided, Ok(Outcome::Decided(d)) if d.steps.iter().any(|step| step.to == target))
    };
    let plain = [
        Command::ChangeMethod,
        Command::Cancel {
            quote: None,
            reason: None,
        },
        Command::CheckIn,
        Command::Accept,
        Command::Decline { reason: None },
        Command::Call { reason: None },
        Command::Answer,
        Command::Start,
    ];
    let mut leading: Vec<Command> = plain.into_iter().filter(leads_there).collect();
    match (leading.pop(), leading.is_empty()) {
        (Some(only), true) => act(&state, &asked, &order, only).await,
        (Some(_), false) => {
            let words = "more than one action leads there: use the action itself";
            Err(ApiError::from(Code::Conflict)
                .saying(words)
                .in_chinese(Some("有不止一种操作可以到达该状态：请直接调用那个操作"))
                .into())
        }
        (None, _) => {
            let allowed = actions(&current, asked.caller.actor(), &facts, now);
            let words = format!(
                "no action of yours leads from {} to {}",
                current.status.constant(),
                target.constant()
            );
            let details = json!({ "status": current.status.constant(), "allowed": allowed });
            let zh = Language::Zh;
            let chinese = format!(
                "您没有可以把订单从{}变为{}的操作",
                current.status.label(zh),
                target.label(zh)
            );
            Err(ApiError::from(Code::InvalidOrderStatus)
                .saying(words)
                .in_chinese(Some(chinese))
                .with(details)
                .into())
        }
    }
}

async fn journal(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(order): Path<String>,
) -> Result<Data, ApiError> {
    let order = state.visible(id(&order)?, caller).await?;
    let lines = state.engine.store().journal(order.id).await?;
    let named = |code: u16| {
        ConsultationStatus::from_code(code).map(|status| view::status(status, context.language))
    };
    let line = |line: &store::JournalRow| {
        json!({
            "version": line.version, "seq": line.seq, "from": line.from.and_then(named),
            "to": named(line.to), "at": line.at, "reason": line.reason, "note": line.note,
            "actor": { "role": line.actor_role.name(), "id": line.actor }, "requestId": line.request_id,
        })
    };
    Ok(Value::Array(lines.iter().map(line).collect()).into())
}

async fn snapshot(
    State(state): State<AppState>,
    caller: Caller,
    Path((order, version)): Path<(String, String)>,
) -> Result<Data, ApiError> {
    let order = state.visible(id(&order)?, caller).await?;
    let wrong = || {
        ApiError::field(
            "version",
            format!("`{version}` is no version: use a number from 1"),
        )
    };
    let number: i64 = version.parse().map_err(|_| wrong())?;
    if !caller.is_operations() {
        return Err(Code::InsufficientPermissions.into());
    }
    let snapshot = state.engine.store().snapshot(order.id, number).await?;
    Ok(snapshot
        .ok_or_else(|| ApiError::from(Code::NotFound))?
        .into())
}
