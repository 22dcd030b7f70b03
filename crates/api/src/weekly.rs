//! A doctor's weekly hours: sessions that publish themselves.

use crate::AppState;
use crate::envelope::Context;
use crate::error::ApiError;
use crate::extract::{Asked, Caller, Data, NotNow, id};
use crate::view;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get};
use domain::Money;
use domain::consultation::ConsultationType;
use domain::lifecycle::{Language, Status};
use domain::order::Role;
use engine::{Coming, NewWeekly};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Session;

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/doctors/me/weekly", get(list).post(begin))
        .route("/doctors/me/weekly/{id}", delete(end))
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
) -> Result<Data, ApiError> {
    caller.must_be(&[Role::Doctor])?;
    let all = state.engine.weekly(caller.user).await?;
    let shown = all.iter().map(|one| view(one, context.language));
    Ok(Value::Array(shown.collect()).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Hours {
    weekday: u8,
    from: String,
    to: String,
    slot_minutes: u32,
    capacity: u32,
    consultation_type: ConsultationType,
    price: Money,
    note: Option<String>,
}

async fn begin(State(state): State<AppState>, asked: Asked<Hours>) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Doctor])?;
    let body = asked.body;
    let new = NewWeekly {
        weekday: body.weekday,
        from: minutes("from", &body.from)?,
        to: minutes("to", &body.to)?,
        slot_minutes: body.slot_minutes,
        capacity: body.capacity,
        consultation_type: body.consultation_type,
        price: body.price,
        note: body.note,
    };
    let begun = state.engine.begin_weekly(asked.caller.user, new).await;
    let begun = begun.map_err(ApiError::from)?;
    Ok(Data {
        status: StatusCode::CREATED,
        value: view(&begun, asked.context.language),
        page: None,
    })
}

/// No further day; what somebody has booked stays, and is the answer.
async fn end(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(weekly): Path<String>,
) -> Result<Data, ApiError> {
    caller.must_be(&[Role::Doctor])?;
    let left = state.engine.end_weekly(caller.user, id(&weekly)?).await?;
    let left: Vec<Value> = left
        .iter()
        .map(|one| brief(one, context.language))
        .collect();
    Ok(json!({ "booked": left }).into())
}

/// `HH:MM` as minutes after midnight; 24:00 is the day's end.
fn minutes(field: &'static str, text: &str) -> Result<u16, ApiError> {
    let parsed = text.split_once(':').and_then(|(hours, minutes)| {
        let is_plain = text.len() == 5 && hours.len() == 2;
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        let all = hours * 60 + minutes;
        (is_plain && hours <= 24 && minutes < 60 && all <= 24 * 60).then_some(all)
    });
    parsed.ok_or_else(|| ApiError::field(field, "must be a time of day such as 09:00"))
}

fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn brief(session: &Session, language: Language) -> Value {
    json!({
        "id": session.id, "beginsAt": session.begins_at, "endsAt": session.ends_at,
        "status": session.status.constant(), "statusCode": session.status.code(),
        "statusLabel": session.status.label(language),
    })
}

/// Weekly hours as a doctor sees them.
pub(crate) fn view(coming: &Coming, language: Language) -> Value {
    let weekly = &coming.weekly;
    let sessions: Vec<Value> = coming
        .sessions
        .iter()
        .map(|one| brief(one, language))
        .collect();
    let blocked: Vec<String> = coming.blocked.iter().map(ToString::to_string).collect();
    json!({
        "id": weekly.id, "weekday": weekly.weekday, "from": clock(weekly.from), "to": clock(weekly.to),
        "slotMinutes": weekly.slot_minutes, "capacity": weekly.capacity,
        "consultationType": weekly.consultation_type.name(), "price": view::money(weekly.price),
        "note": weekly.note, "createdAt": weekly.created_at, "sessions": sessions, "blocked": blocked,
    })
}
