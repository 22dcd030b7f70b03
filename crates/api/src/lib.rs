//! JSON over HTTP (spec 80): who asks is found out, what they ask becomes a command, and the answer
//! is put into the envelope.

mod admin;
mod assignments;
mod auth;
mod chinese;
mod docs;
mod envelope;
mod error;
mod events;
mod extract;
mod files;
mod ledger;
pub mod metrics;
mod openapi;
mod orders;
pub mod password;
mod payments;
mod preview;
mod ranges;
mod reconciliation;
mod report;
mod room;
mod sessions;
pub mod token;
mod view;
mod weekly;

pub use error::{ApiError, Code};

use axum::Router;
use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use engine::Engine;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use std::sync::Arc;
use token::{TokenError, Tokens};
use tokio_util::sync::CancellationToken;

/// What the API is told at the start.
#[derive(Clone)]
pub struct ApiConfig {
    /// Signs access tokens: Ed25519, PKCS#8.
    pub token_key_pkcs8: Vec<u8>,
    /// Ends live streams when the server stops.
    pub stop: CancellationToken,
    /// The STUN and TURN servers that browsers are given, as WebRTC's `iceServers`.
    pub ice_servers: serde_json::Value,
    /// What was counted, where it is ([`metrics::recorder`]).
    pub metrics: Option<PrometheusHandle>,
    /// Whoever has it reads `/metrics`; without one, only this machine does.
    pub metrics_token: Option<String>,
}

/// What every handler shares.
#[derive(Clone)]
pub struct AppState {
    /// The engine.
    pub engine: Engine,
    /// Access tokens.
    pub tokens: Arc<Tokens>,
    /// Ends live streams.
    pub stop: CancellationToken,
    /// The STUN and TURN servers that browsers are given.
    pub ice_servers: Arc<serde_json::Value>,
    /// What was counted.
    pub metrics: Option<PrometheusHandle>,
    /// Who may read it.
    pub metrics_token: Option<Arc<str>>,
}

/// The whole API.
pub fn router(engine: Engine, config: ApiConfig) -> Result<Router, TokenError> {
    let tokens = Arc::new(Tokens::new(&config.token_key_pkcs8)?);
    let state = AppState {
        engine,
        tokens,
        stop: config.stop,
        ice_servers: Arc::new(config.ice_servers),
        metrics: config.metrics,
        metrics_token: config.metrics_token.map(Arc::from),
    };
    let api = Router::new()
        .merge(auth::routes())
        .merge(sessions::routes())
        .merge(weekly::routes())
        .merge(orders::routes())
        .merge(assignments::routes())
        .merge(report::routes())
        .merge(payments::routes())
        .merge(events::routes())
        .merge(room::routes())
        .merge(files::routes())
        .merge(ledger::routes())
        .merge(reconciliation::routes())
        .merge(admin::routes());
    let router = Router::new()
        .nest("/api/v1", api)
        .merge(docs::routes())
        .route(
            "/health/live",
            get(async || axum::Json(json!({ "alive": true }))),
        )
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics::show))
        .fallback(async || {
            ApiError::from(Code::NotFound)
                .saying("there is no such address")
                .in_chinese(Some("没有这个地址"))
        })
        .method_not_allowed_fallback(async || ApiError {
            status: Some(405),
            ..ApiError::from(Code::MalformedRequest)
                .saying("this address does not take that method")
                .in_chinese(Some("该地址不支持这种请求方法"))
        })
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(
            |_panic: Box<dyn std::any::Any + Send>| {
                axum::response::IntoResponse::into_response(ApiError::from(Code::Internal))
            },
        ))
        .layer(from_fn_with_state(state.clone(), envelope::with_context))
        .with_state(state);
    Ok(router)
}

async fn ready(State(state): State<AppState>) -> Result<extract::Data, ApiError> {
    state.engine.store().ping().await?;
    let now = state.engine.now();
    let health = state.engine.gateways().health(now).into_iter();
    let gateways: Vec<serde_json::Value> = health
        .map(|(name, breaker)| {
            let until = match breaker {
                engine::BreakerState::Open { until } => Some(until),
                engine::BreakerState::Closed | engine::BreakerState::HalfOpen => None,
            };
            json!({ "name": name, "breaker": breaker.name(), "until": until })
        })
        .collect();
    let backlog = state.engine.store().backlog().await?;
    Ok(json!({
        "ready": true, "database": state.engine.store().engine_name(),
        "gateways": gateways,
        "outbox": backlog.outbox, "timers": backlog.timers, "dead": backlog.dead,
    })
    .into())
}
