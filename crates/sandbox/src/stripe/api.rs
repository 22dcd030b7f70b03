//! Stripe's API as the merchant sees it: its paths, each behind the same check of the key.

use super::form::Form;
use super::refusal::Refusal;
use super::{Api, guard};
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the merchant is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Told {
    status: u16,
    body: Value,
}

impl Told {
    pub(super) const fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// Whether it is stored for its key: not if the limiter said it, which stands before all else.
    pub(super) const fn is_stored(&self) -> bool {
        self.status != 429
    }
}

impl From<Refusal> for Told {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: refusal.status,
            body: refusal.body(),
        }
    }
}

/// An answer to a request that may have a key.
#[derive(Debug)]
pub(super) enum Answer {
    /// It arrives.
    Told {
        told: Told,
        /// It is the stored answer to an earlier request.
        replayed: bool,
    },
    /// It gets lost: the merchant hears of a front that has lost sight of Stripe.
    Lost,
}

impl Answer {
    pub(super) const fn first(told: Told) -> Self {
        let replayed = false;
        Self::Told { told, replayed }
    }

    pub(super) const fn again(told: Told) -> Self {
        let replayed = true;
        Self::Told { told, replayed }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Lost => {
                let page = Html("<html><h1>502 Bad Gateway</h1></html>\n");
                (StatusCode::BAD_GATEWAY, page).into_response()
            }
            Self::Told { told, replayed } => {
                let mut headers = HeaderMap::new();
                if replayed {
                    let yes = HeaderValue::from_static("true");
                    headers.insert("idempotent-replayed", yes);
                }
                let status = StatusCode::from_u16(told.status).unwrap_or_default();
                (status, headers, Json(told.body)).into_response()
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Answer::first(self.into()).into_response()
    }
}

/// `/v1/...`
pub(super) fn router(api: Api) -> Router {
    Router::new()
        .route("/v1/payment_intents", post(create_intent))
        .route("/v1/payment_intents/{id}", get(retrieve_intent))
        .route("/v1/payment_intents/{id}/cancel", post(cancel_intent))
        .route("/v1/refunds", post(create_refund).get(list_refunds))
        .route("/v1/refunds/{id}", get(retrieve_refund))
        .route("/v1/balance_transactions", get(list_movements))
        .route_layer(from_fn_with_state(api.clone(), guard::guard))
        .with_state(api)
}

async fn create_intent(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Refusal> {
    let known = [
        "amount",
        "currency",
        "automatic_payment_methods[enabled]",
        "capture_method",
        "description",
        "receipt_email",
        "metadata[",
    ];
    let form = Form::read(&body, &known)?;
    api.once(key(&headers), "/v1/payment_intents", &form, || {
        api.create_intent(&form)
    })
}

async fn retrieve_intent(
    State(api): State<Api>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let query = read_query(query.as_deref(), &["expand[]", "client_secret"])?;
    api.retrieve_intent(&id, query.expands("latest_charge")?)
        .map(Json)
}

async fn cancel_intent(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Refusal> {
    let form = Form::read(&body, &["cancellation_reason"])?;
    let path = format!("/v1/payment_intents/{id}/cancel");
    api.once(key(&headers), &path, &form, || {
        api.cancel_intent(&id, &form)
    })
}

async fn create_refund(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Refusal> {
    let form = Form::read(&body, &["payment_intent", "amount", "reason", "metadata["])?;
    api.once(key(&headers), "/v1/refunds", &form, || {
        api.create_refund(&form)
    })
}

async fn retrieve_refund(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    api.retrieve_refund(&id).map(Json)
}

async fn list_refunds(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let query = read_query(
        query.as_deref(),
        &["payment_intent", "limit", "starting_after"],
    )?;
    api.list_refunds(&query).map(Json)
}

async fn list_movements(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let known = [
        "created[gte]",
        "created[lt]",
        "limit",
        "starting_after",
        "expand[]",
    ];
    let query = read_query(query.as_deref(), &known)?;
    api.list_movements(&query).map(Json)
}

fn read_query(query: Option<&str>, known: &[&str]) -> Result<Form, Refusal> {
    Form::read(query.unwrap_or_default().as_bytes(), known)
}

fn key(headers: &HeaderMap) -> Option<&str> {
    let key = headers.get("idempotency-key")?.to_str().ok()?;
    Some(key).filter(|key| !key.is_empty())
}

/// A page of a list, the latest first, after the object with this id.
pub(super) fn page<T>(
    all: &[T],
    query: &Form,
    url: &str,
    id: impl Fn(&T) -> String,
    show: impl Fn(&T) -> Value,
) -> Result<Value, Refusal> {
    let from = match query.optional("starting_after") {
        None => 0,
        Some(after) => {
            let found = all.iter().position(|object| id(object) == after);
            found.ok_or_else(|| Refusal::missing("starting_after", after))? + 1
        }
    };
    let rest = all.get(from..).unwrap_or_default();
    let limit = query.limit()?;
    let data: Vec<Value> = rest.iter().take(limit).map(show).collect();
    Ok(serde_json::json!({
        "object": "list",
        "url": url,
        "has_more": rest.len() > limit,
        "data": data,
    }))
}
