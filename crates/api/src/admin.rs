//! Operations and administration: settings, what was given up, checks, totals.

use crate::AppState;
use crate::error::{ApiError, Code};
use crate::extract::{Asked, Caller, Data, NotNow, Paged, Query, id};
use crate::orders::Nothing;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post};
use domain::lifecycle::Status;
use domain::order::Role;
use engine::settings::{ALL, validate};
use serde::Deserialize;
use serde_json::{Value, json};
use store::ConfigRow;
use uuid::Uuid;

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/admin/configs", get(configs))
        .route("/admin/configs/{name}", get(config).put(set_config))
        .route("/admin/outbox", get(outbox))
        .route("/admin/outbox/{id}/retry", post(retry))
        .route("/admin/check", get(check))
        .route("/admin/totals", get(totals))
}

fn config_view(row: &ConfigRow) -> Value {
    json!({ "name": row.name, "version": row.version, "value": row.value, "changedBy": row.by, "at": row.at })
}

async fn configs(State(state): State<AppState>, caller: Caller) -> Result<Data, ApiError> {
    caller.must_be(&[Role::Operator, Role::Admin])?;
    let mut rows = Vec::new();
    for name in ALL {
        rows.extend(
            state
                .engine
                .store()
                .config(name)
                .await?
                .as_ref()
                .map(config_view),
        );
    }
    Ok(Value::Array(rows).into())
}

async fn config(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Data, ApiError> {
    caller.must_be(&[Role::Operator, Role::Admin])?;
    let row = state.engine.store().config(&name).await?;
    let missing = || {
        ApiError::from(Code::NotFound)
            .saying("there is no such setting")
            .in_chinese(Some("没有这项配置"))
    };
    Ok(config_view(&row.ok_or_else(missing)?).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewConfig {
    value: Value,
    version: i64,
}

/// Writes the next version of a setting; `version` is the one that it was read at.
async fn set_config(
    State(state): State<AppState>,
    Path(name): Path<String>,
    asked: Asked<NewConfig>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Admin])?;
    validate(&name, &asked.body.value).map_err(|words| ApiError::field("value", words))?;
    let value = asked.body.value.clone();
    let by = asked.caller.user;
    match state.engine.set(&name, value, by, asked.body.version).await {
        Ok(version) => Ok(json!({ "name": name, "version": version }).into()),
        Err(engine::EngineError::Contended) => {
            let words = "the setting was changed meanwhile: read it again";
            let chinese = Some("配置已被他人修改，请重新读取");
            Err(ApiError::from(Code::Conflict)
                .saying(words)
                .in_chinese(chinese)
                .into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn outbox(State(state): State<AppState>, caller: Caller, uri: Uri) -> Result<Data, ApiError> {
    caller.must_be(&[Role::Operator, Role::Admin])?;
    let page = Query::of(&uri, &["page", "limit"])?.page()?;
    let (rows, total) = state.engine.store().dead_outbox(page).await?;
    let value = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id, "orderId": row.order, "effect": row.effect, "attempts": row.attempts,
                "lastError": row.last_error, "createdAt": row.created_at,
            })
        })
        .collect();
    Ok(Data {
        status: StatusCode::OK,
        value,
        page: Some(Paged::new(page, total)),
    })
}

async fn retry(
    State(state): State<AppState>,
    Path(row): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let row: Uuid = id(&row)?;
    if !state.engine.store().revive(row, state.engine.now()).await? {
        let words = "there is no such effect that was given up";
        return Err(ApiError::from(Code::NotFound)
            .saying(words)
            .in_chinese(Some("没有这条已放弃的任务"))
            .into());
    }
    state.engine.wake();
    Ok(json!({ "id": row, "retried": true }).into())
}

async fn check(State(state): State<AppState>, caller: Caller) -> Result<Data, ApiError> {
    caller.must_be(&[Role::Operator, Role::Admin])?;
    let findings = state.engine.store().check(state.engine.now()).await?;
    let one =
        |f: &store::Finding| json!({ "rule": f.rule, "subject": f.subject, "words": f.words });
    Ok(Value::Array(findings.iter().map(one).collect()).into())
}

async fn totals(State(state): State<AppState>, caller: Caller) -> Result<Data, ApiError> {
    caller.must_be(&[Role::Operator, Role::Admin])?;
    let totals = state.engine.store().totals().await?;
    let by_status: Vec<Value> = totals
        .by_status
        .iter()
        .map(|(status, count)| {
            json!({ "status": status.constant(), "statusCode": status.code(), "count": count })
        })
        .collect();
    let money: Vec<Value> = totals
        .money
        .iter()
        .map(|of| {
            json!({
                "currency": of.currency, "moneyIn": of.paid, "moneyBack": of.refunded, "held": of.held,
            })
        })
        .collect();
    Ok(json!({ "byStatus": by_status, "money": money }).into())
}
