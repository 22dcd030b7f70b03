//! What every request and every answer carries (spec 80).

use crate::AppState;
use crate::error::ApiError;
use crate::extract::{Data, KeySlot};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Ts;
use domain::lifecycle::Language;
use serde_json::{Value, json};
use std::time::Instant;

/// The header that names a request.
pub const REQUEST_ID: &str = "x-request-id";

/// What is known of a request before anything else.
#[derive(Debug, Clone)]
pub struct Context {
    /// Its id: the caller's, or a new one.
    pub request_id: String,
    /// The language to answer in.
    pub language: Language,
    /// When it came.
    pub now: Ts,
}

/// A success.
pub fn success(data: &Value, now: Ts) -> Value {
    json!({ "success": true, "data": data, "meta": { "timestamp": now } })
}

fn enveloped(data: &Data, context: &Context) -> Response {
    let mut body = success(&data.value, context.now);
    if let Some(paged) = &data.page {
        let (page, total) = (paged.page, paged.total);
        let limit = i64::from(page.limit.max(1));
        let pages = (total + limit - 1) / limit;
        body["meta"]["pagination"] = json!({
            "page": page.page, "limit": page.limit, "total": total, "totalPages": pages,
            "hasNext": i64::from(page.page) < pages, "hasPrev": page.page > 1,
        });
        if let Some(next) = &paged.next {
            body["meta"]["pagination"]["nextCursor"] = json!(next);
        }
    }
    (data.status, axum::Json(body)).into_response()
}

/// Names the request, and writes one line about it.
pub async fn with_context(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let now = state.engine.now();
    let context = Context {
        request_id: request_id(request.headers(), &state),
        language: language(request.headers()),
        now,
    };
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(context.clone());
    let slot = KeySlot::default();
    request.extensions_mut().insert(slot.clone());
    let mut response = next.run(request).await;
    if response.extensions().get::<ApiError>().is_some()
        && let Some(answered) = slot.answered(&state).await
    {
        response = answered.into_response();
    }
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        response = error.answer(&context);
    } else if let Some(data) = response.extensions_mut().remove::<Data>() {
        response = enveloped(&data, &context);
    } else if is_unreadable_path(&response) {
        response = ApiError::field("path", "must be valid UTF-8").answer(&context);
    }
    if let Ok(value) = HeaderValue::from_str(&context.request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    tracing::info!(%method, path, status, ms, request_id = context.request_id, "request");
    response
}

/// Only the router itself answers in plain text: it could not read what stands in the path.
fn is_unreadable_path(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    response.status() == StatusCode::BAD_REQUEST
        && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

fn request_id(headers: &HeaderMap, state: &AppState) -> String {
    let fits = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(fits);
    given.map_or_else(
        || engine::ids::new_id(state.engine.now()).to_string(),
        str::to_owned,
    )
}

fn language(headers: &HeaderMap) -> Language {
    let wanted = headers
        .get("accept-language")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let first = wanted
        .split([',', ';'])
        .next()
        .unwrap_or("")
        .trim()
        .to_lowercase();
    if first.starts_with("en") {
        Language::En
    } else {
        Language::Zh
    }
}
