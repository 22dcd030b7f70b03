//! Departments, doctors, presence, sessions and their queues.

use crate::AppState;
use crate::envelope::Context;
use crate::error::{ApiError, Code};
use crate::extract::{Asked, Caller, Data, NotNow, Paged, Query, id};
use crate::orders::{Nothing, kept_answer, viewed};
use crate::view::{self, Looking};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post, put};
use domain::consultation::{ConsultationStatus as S, ConsultationType};
use domain::lifecycle::Status;
use domain::order::Role;
use domain::session::SessionStatus;
use domain::{DepartmentId, Money, SessionId, Ts, UserId};
use engine::{NewSession, SessionAction};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use store::{Doctor, Session, SessionFilter, Slot};

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/departments", get(departments))
        .route("/doctors", get(doctors))
        .route("/doctors/me/presence", put(presence))
        .route("/doctors/{id}", get(doctor))
        .route("/sessions", get(list).post(publish))
        .route("/sessions/{id}/open", post(open))
        .route("/sessions/{id}/pause", post(pause))
        .route("/sessions/{id}/resume", post(resume))
        .route("/sessions/{id}/close", post(close))
        .route("/sessions/{id}/cancel", post(cancel))
        .route("/sessions/{id}/queue", get(queue))
        .route("/sessions/{id}/call-next", post(call_next))
}

async fn departments(State(state): State<AppState>) -> Result<Data, ApiError> {
    let all = state.engine.store().departments().await?;
    let one = |d: &store::Department| json!({ "id": d.id, "code": d.code, "nameZh": d.name_zh, "nameEn": d.name_en });
    Ok(Value::Array(all.iter().map(one).collect()).into())
}

fn doctor_view(doctor: &Doctor, departments: &[store::Department]) -> Value {
    let department = departments.iter().find(|d| d.id == doctor.department);
    let stars = (doctor.ratings > 0).then(|| doctor.stars * 10 / doctor.ratings);
    let types: Vec<&str> = doctor.types.iter().map(|kind| kind.name()).collect();
    json!({
        "id": doctor.user, "name": doctor.name, "title": doctor.title,
        "department": department.map(|d| json!({ "id": d.id, "nameZh": d.name_zh, "nameEn": d.name_en })),
        "specialities": doctor.specialities, "types": types, "online": doctor.online,
        "parallelLimit": doctor.parallel_limit, "active": doctor.active,
        "rating": { "stars": stars, "count": doctor.ratings },
        "price": { "amount": doctor.price.amount, "currency": doctor.price.currency },
    })
}

async fn doctors(State(state): State<AppState>, _: Caller, uri: Uri) -> Result<Data, ApiError> {
    let query = Query::of(&uri, &["department", "online", "page", "limit"])?;
    let department: Option<DepartmentId> = query.id("department")?;
    let online = query.get("online", "true or false", |text| text.parse().ok())?;
    let page = query.page()?;
    let (doctors, total) = state
        .engine
        .store()
        .list_doctors(department, online, page)
        .await?;
    let departments = state.engine.store().departments().await?;
    let value = doctors
        .iter()
        .map(|doctor| doctor_view(doctor, &departments))
        .collect();
    Ok(Data {
        status: StatusCode::OK,
        value,
        page: Some(Paged::new(page, total)),
    })
}

async fn doctor(
    State(state): State<AppState>,
    _: Caller,
    Path(doctor): Path<String>,
) -> Result<Data, ApiError> {
    let found = state.engine.store().doctor(id(&doctor)?).await?;
    let departments = state.engine.store().departments().await?;
    let found = found.ok_or_else(|| {
        ApiError::from(Code::NotFound)
            .saying("there is no such doctor")
            .in_chinese(Some("没有这位医生"))
    })?;
    Ok(doctor_view(&found, &departments).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Presence {
    online: bool,
    lease_seconds: Option<i64>,
}

async fn presence(State(state): State<AppState>, asked: Asked<Presence>) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Doctor])?;
    let row = state
        .engine
        .set_presence(
            asked.caller.user,
            Role::Doctor,
            asked.body.online,
            asked.body.lease_seconds,
        )
        .await;
    let row = row.map_err(ApiError::from)?;
    Ok(json!({ "online": row.online, "since": row.since, "until": row.until }).into())
}

async fn list(
    State(state): State<AppState>,
    _: Caller,
    context: Context,
    uri: Uri,
) -> Result<Data, ApiError> {
    let query = Query::of(
        &uri,
        &[
            "doctor",
            "department",
            "from",
            "to",
            "status",
            "page",
            "limit",
        ],
    )?;
    let filter = SessionFilter {
        doctor: query.id("doctor")?,
        department: query.id("department")?,
        from: query.time("from")?,
        to: query.time("to")?,
        status: query.get(
            "status",
            "a status such as OPEN",
            SessionStatus::from_constant,
        )?,
    };
    let page = query.page()?;
    let (sessions, total) = state.engine.store().list_sessions(&filter, page).await?;
    let mut views = Vec::with_capacity(sessions.len());
    for (session, slots) in &sessions {
        views.push(session_view(&state, session, slots, &context).await?);
    }
    Ok(Data {
        status: StatusCode::OK,
        value: Value::Array(views),
        page: Some(Paged::new(page, total)),
    })
}

async fn session_view(
    state: &AppState,
    session: &Session,
    slots: &[Slot],
    context: &Context,
) -> Result<Value, ApiError> {
    let doctor = state.engine.store().doctor(session.doctor).await?;
    let name = doctor.as_ref().map(|doctor| doctor.name.as_str());
    Ok(view::session(session, slots, name, context.language))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Published {
    begins_at: Ts,
    ends_at: Ts,
    slot_minutes: u32,
    capacity: u32,
    consultation_type: ConsultationType,
    price: Money,
    note: Option<String>,
}

fn looking<T>(asked: &Asked<T>) -> Looking {
    Looking {
        caller: asked.caller,
        language: asked.context.language,
        now: asked.context.now,
        names: HashMap::new(),
    }
}

async fn publish(State(state): State<AppState>, asked: Asked<Value>) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Doctor])?;
    let body: Published = crate::extract::read(asked.body.to_string().as_bytes())?;
    let new = NewSession {
        begins_at: body.begins_at,
        ends_at: body.ends_at,
        slot_minutes: body.slot_minutes,
        capacity: body.capacity,
        consultation_type: body.consultation_type,
        price: body.price,
        note: body.note,
    };
    let origin = asked.origin(kept_answer(looking(&asked), 201));
    match state
        .engine
        .publish_session(asked.caller.user, new, origin)
        .await
    {
        Ok((session, slots)) => {
            let value = session_view(&state, &session, &slots, &asked.context).await?;
            Ok(Data {
                status: StatusCode::CREATED,
                value,
                page: None,
            })
        }
        Err(error) => Err(error.into()),
    }
}

async fn moved<T>(
    state: &AppState,
    asked: &Asked<T>,
    session: &str,
    action: SessionAction,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Doctor])?;
    let session: SessionId = id(session)?;
    let origin = asked.origin(kept_answer(looking(asked), 200));
    match state
        .engine
        .move_session(session, asked.caller.user, action, origin)
        .await
    {
        Ok((session, slots)) => Ok(session_view(state, &session, &slots, &asked.context)
            .await?
            .into()),
        Err(error) => Err(error.into()),
    }
}

async fn open(
    State(state): State<AppState>,
    Path(session): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    moved(&state, &asked, &session, SessionAction::Open).await
}

async fn pause(
    State(state): State<AppState>,
    Path(session): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    moved(&state, &asked, &session, SessionAction::Pause).await
}

async fn resume(
    State(state): State<AppState>,
    Path(session): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    moved(&state, &asked, &session, SessionAction::Resume).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirm {
    #[serde(default)]
    confirm: bool,
}

async fn close(
    State(state): State<AppState>,
    Path(session): Path<String>,
    asked: Asked<Confirm>,
) -> Result<Data, NotNow> {
    let confirmed = asked.body.confirm;
    moved(&state, &asked, &session, SessionAction::Close { confirmed }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: Option<String>,
}

async fn cancel(
    State(state): State<AppState>,
    Path(session): Path<String>,
    asked: Asked<Reason>,
) -> Result<Data, NotNow> {
    let reason = asked.body.reason.clone();
    moved(&state, &asked, &session, SessionAction::Cancel { reason }).await
}

async fn queue(
    State(state): State<AppState>,
    caller: Caller,
    Path(session): Path<String>,
) -> Result<Data, ApiError> {
    let session: SessionId = id(&session)?;
    let missing = || {
        ApiError::from(Code::NotFound)
            .saying("there is no such session")
            .in_chinese(Some("没有这个门诊场次"))
    };
    let (row, _) = state
        .engine
        .store()
        .session(session)
        .await?
        .ok_or_else(missing)?;
    if row.doctor != caller.user && !caller.is_operations() {
        return Err(missing());
    }
    let mut waiting = Vec::new();
    for place in state.engine.queue_view(session).await? {
        let mut one = view::queue_place(&place);
        one["orderId"] = json!(place.order);
        one["number"] = json!(place.number);
        one["patientName"] = json!(name(&state, place.patient).await?);
        waiting.push(one);
    }
    let store = state.engine.store();
    Ok(json!({
        "sessionId": session, "waiting": waiting,
        "calling": store.orders_of_session(session, &[S::Calling]).await?,
        "serving": store.orders_of_session(session, &[S::PendingConsultation, S::InProgress]).await?,
    })
    .into())
}

async fn name(state: &AppState, user: UserId) -> Result<Option<String>, ApiError> {
    Ok(state.engine.store().user(user).await?.map(|user| user.name))
}

async fn call_next(
    State(state): State<AppState>,
    Path(session): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Doctor])?;
    let origin = asked.origin(kept_answer(looking(&asked), 200));
    match state
        .engine
        .call_next(id(&session)?, asked.caller.actor(), origin)
        .await
    {
        Ok(Some(executed)) => viewed(&state, &asked, &executed.order).await,
        Ok(None) => Err(ApiError::from(Code::NotFound)
            .saying("nobody waits")
            .in_chinese(Some("没有候诊的患者"))
            .into()),
        Err(error) => Err(error.into()),
    }
}
