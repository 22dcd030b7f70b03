//! Notices of gateways. What they are answered is in each gateway's own words, not in the envelope.

use crate::AppState;
use crate::envelope::Context;
use crate::extract::bytes;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::payment::GatewayName;
use engine::{Callback, CallbackError, EngineError, NoticeError};
use serde_json::json;

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new().route("/payments/webhook/{gateway}", post(webhook))
}

async fn webhook(
    State(state): State<AppState>,
    Path(gateway): Path<String>,
    context: Context,
    request: Request,
) -> Response {
    let gateway = GatewayName::from_name(&gateway);
    let Some(gateway) = gateway.filter(|name| state.engine.gateways().is_on(*name)) else {
        let body = json!({ "code": "FAIL", "message": "there is no such gateway here" });
        return (StatusCode::NOT_FOUND, axum::Json(body)).into_response();
    };
    let answer = |taken: Result<(), (u16, &str)>| answer(&state, gateway, taken);
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let Ok(body) = bytes(request).await else {
        return answer(Err((413, "the notice is larger than 1 MiB")));
    };
    let callback = Callback {
        headers: &headers,
        body: &body,
    };
    let heard = state
        .engine
        .gateway_notice(gateway, callback, Some(context.request_id))
        .await;
    match heard {
        Ok(_) => answer(Ok(())),
        Err(error) => {
            let (status, words) = refused(gateway, &error);
            answer(Err((status, &words)))
        }
    }
}

fn answer(state: &AppState, gateway: GatewayName, taken: Result<(), (u16, &str)>) -> Response {
    let Some(reply) = state.engine.gateways().reply(gateway, taken) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [(header::CONTENT_TYPE, reply.content_type)];
    (status, headers, reply.body).into_response()
}

fn refused(gateway: GatewayName, error: &NoticeError) -> (u16, String) {
    let words = error.to_string();
    match error {
        NoticeError::Unverified(CallbackError::Malformed(_)) => (400, words),
        NoticeError::Unverified(CallbackError::SignatureProbe) => (401, words),
        NoticeError::Unverified(CallbackError::NotNow(_)) => {
            tracing::warn!(%gateway, words, "a notice waits until it can be verified");
            (503, words)
        }
        NoticeError::Unverified(CallbackError::BadSignature(_) | CallbackError::Stale { .. }) => {
            tracing::warn!(%gateway, words, "a notice was turned away");
            (401, words)
        }
        NoticeError::UnknownPayment(_) => {
            tracing::warn!(%gateway, words, "a notice names nothing of ours");
            (404, words)
        }
        NoticeError::Engine(EngineError::Refused(_)) => (409, words),
        NoticeError::Engine(_) => {
            tracing::error!(%gateway, words, "a notice could not be taken; the gateway will send it again");
            (503, "try again later".to_owned())
        }
    }
}
