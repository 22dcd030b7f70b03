//! `/control/...`: plays the payer, the bank and bad luck.

mod handlers;
pub mod views;

use crate::{Sandbox, SandboxError};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, body};
use serde::de::DeserializeOwned;
use thiserror::Error;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use views::ControlErrorBody;

/// Requests here are a few fields.
const MAX_BODY_BYTES: usize = 64 << 10;

/// Why something can't be played.
#[derive(Debug, Error)]
pub enum ControlError {
    /// The request itself is wrong.
    #[error("{0}")]
    BadRequest(String),
    /// No such payment or refund.
    #[error("{0}")]
    NotFound(String),
    /// Not in this state.
    #[error("{0}")]
    Conflict(String),
    /// The sandbox itself failed.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "BAD_REQUEST"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "CONFLICT"),
            Self::Sandbox(_) => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
        };
        refusal(status, code, self.to_string())
    }
}

fn refusal(status: StatusCode, code: &'static str, message: String) -> Response {
    (status, Json(ControlErrorBody { code, message })).into_response()
}

/// A JSON body; no body at all counts as `{}`.
struct JsonBody<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ControlError> {
        let bytes = body::to_bytes(request.into_body(), MAX_BODY_BYTES)
            .await
            .map_err(|_| {
                let message = format!("the body must have at most {MAX_BODY_BYTES} bytes");
                ControlError::BadRequest(message)
            })?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text)
            .map(Self)
            .map_err(|reason| ControlError::BadRequest(format!("the body: {reason}")))
    }
}

/// The query's fields.
struct QueryFields<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryFields<T> {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ControlError> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(fields)| Self(fields))
            .map_err(|reason| ControlError::BadRequest(format!("the query: {reason}")))
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Sandbox control",
    description = "Plays the payer, the bank and bad luck for the payment sandbox."
))]
struct Description;

/// The control API with its own description.
pub(crate) fn router(sandbox: Sandbox) -> Router {
    let (router, description) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(handlers::payments))
        .routes(routes!(handlers::payment))
        .routes(routes!(handlers::pay))
        .routes(routes!(handlers::fail))
        .routes(routes!(handlers::callback))
        .routes(routes!(handlers::refunds))
        .routes(routes!(handlers::refund))
        .routes(routes!(handlers::outcome))
        .routes(routes!(handlers::book))
        .routes(routes!(handlers::faults, handlers::set_faults))
        .routes(routes!(handlers::set_webhook))
        .routes(routes!(handlers::bill))
        .routes(routes!(handlers::plant))
        .routes(routes!(handlers::autopay, handlers::set_autopay))
        .routes(routes!(handlers::clock))
        .routes(routes!(handlers::advance))
        .split_for_parts();
    router
        .route(
            "/control/openapi.json",
            get(async move || Json(description)),
        )
        .method_not_allowed_fallback(async || {
            let message = "this path has other methods: see /control/openapi.json";
            refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                message.to_owned(),
            )
        })
        .with_state(sandbox)
}

/// Everything that is nowhere.
pub(crate) async fn not_found() -> Response {
    let message = "no such path: the sandbox serves its gateways' paths, /cashier/... and \
                   /control/openapi.json";
    refusal(StatusCode::NOT_FOUND, "NOT_FOUND", message.to_owned())
}
