//! Closing months: what was closed, what would be, and doing it.

use super::{may_read, view};
use crate::AppState;
use crate::envelope::success;
use crate::error::ApiError;
use crate::extract::{Asked, Caller, Data, NotNow};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::ledger::Month;
use domain::order::Role;
use engine::{Answer, Answered};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/admin/ledger/closings", get(closings).post(close))
        .route("/admin/ledger/closings/preview", post(preview))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhichMonth {
    month: Month,
}

async fn closings(State(state): State<AppState>, caller: Caller) -> Result<Data, ApiError> {
    may_read(caller)?;
    let closings = state.engine.store().closings().await?;
    Ok(Value::Array(closings.iter().map(view::closing).collect()).into())
}

/// What a month would be closed with, without closing it.
async fn preview(State(state): State<AppState>, asked: Asked<WhichMonth>) -> Result<Data, NotNow> {
    may_read(asked.caller)?;
    let preview = state.engine.closing_preview(asked.body.month).await?;
    Ok(view::preview(&preview, asked.context.language).into())
}

async fn close(State(state): State<AppState>, asked: Asked<WhichMonth>) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Admin])?;
    let now = asked.context.now;
    let kept: Answer = Arc::new(move |answered| {
        let value = match answered {
            Answered::Closing(closing) => view::closing(closing),
            Answered::Order(_) | Answered::Session(..) | Answered::Difference(_) => Value::Null,
        };
        (StatusCode::CREATED.as_u16(), success(&value, now))
    });
    let (month, by) = (asked.body.month, asked.caller.user);
    let closing = state
        .engine
        .close_month(month, by, &asked.origin(kept))
        .await?;
    Ok(Data {
        status: StatusCode::CREATED,
        value: view::closing(&closing),
        page: None,
    })
}
