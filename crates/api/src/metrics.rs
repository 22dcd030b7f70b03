//! `/metrics`, as Prometheus reads it (spec 70). It tells how much business there is, so it is shown
//! to whoever has the token, or, without one, to this machine alone.

use crate::AppState;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::BreakerState;
use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::net::SocketAddr;
use std::sync::OnceLock;

/// What gateways' calls take, in seconds: from a local answer to a time-out.
const SECONDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0];

/// Starts counting, once in a process; the handle shows what was counted.
pub fn recorder() -> Result<PrometheusHandle, BuildError> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let built = PrometheusBuilder::new().set_buckets_for_metric(seconds, &SECONDS)?;
    match built.install_recorder() {
        Ok(handle) => {
            describe();
            Ok(RECORDER.get_or_init(|| handle).clone())
        }
        // Two starts at the same moment: the other one's recorder counts for both.
        Err(error) => RECORDER.get().cloned().ok_or(error),
    }
}

fn describe() {
    describe_counter!(
        "xinglin_gateway_calls_total",
        "Calls of payment gateways, by how they ended"
    );
    describe_histogram!(
        "xinglin_gateway_call_seconds",
        "How long calls of payment gateways took"
    );
    describe_gauge!(
        "xinglin_gateway_breaker",
        "Whether a gateway is called: 0 it is, 1 it is being tried again, 2 it is left alone"
    );
    describe_counter!(
        "xinglin_callbacks_total",
        "Notices of payment gateways, by what they were or why they were turned away"
    );
    describe_counter!("xinglin_payments_total", "Payments, by how far they came");
    describe_counter!("xinglin_refunds_total", "Refunds, by how far they came");
    describe_counter!(
        "xinglin_late_money_total",
        "Payments that came late or twice and are refunded by themselves"
    );
    describe_counter!(
        "xinglin_differences_total",
        "Differences between gateways' bills and our books, by kind"
    );
    describe_counter!(
        "xinglin_ledger_closed_month_total",
        "Commits turned away because their time is in a closed month: a clock is behind"
    );
    describe_counter!(
        "xinglin_transitions_total",
        "Steps of orders, by where to and why"
    );
    describe_gauge!("xinglin_outbox", "Effects that wait to be done");
    describe_gauge!("xinglin_outbox_dead", "Effects that were given up");
    describe_gauge!("xinglin_timers", "Deadlines that run");
}

/// `/metrics`.
pub async fn show(State(state): State<AppState>, request: Request) -> Response {
    if !may_read(&state, &request) {
        return (StatusCode::NOT_FOUND, "there is no such address\n").into_response();
    }
    let Some(handle) = &state.metrics else {
        return (StatusCode::NOT_FOUND, "nothing is counted here\n").into_response();
    };
    for (name, breaker) in state.engine.gateways().health(state.engine.now()) {
        let value = match breaker {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 1.0,
            BreakerState::Open { .. } => 2.0,
        };
        gauge!("xinglin_gateway_breaker", "gateway" => name.to_string()).set(value);
    }
    match state.engine.store().backlog().await {
        Ok(backlog) => {
            gauge!("xinglin_outbox").set(as_f64(backlog.outbox));
            gauge!("xinglin_outbox_dead").set(as_f64(backlog.dead));
            gauge!("xinglin_timers").set(as_f64(backlog.timers));
        }
        Err(error) => tracing::warn!(%error, "the backlog could not be counted"),
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, handle.render()).into_response()
}

fn may_read(state: &AppState, request: &Request) -> bool {
    let headers = request.headers();
    if let Some(token) = &state.metrics_token {
        let given = headers.get(header::AUTHORIZATION);
        let given = given.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        return given.is_some_and(|given| {
            aws_lc_rs::constant_time::verify_slices_are_equal(given, token.as_bytes()).is_ok()
        });
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_here = peer.is_none_or(|ConnectInfo(peer)| peer.ip().is_loopback());
    // A proxy on this machine speaks for somebody else.
    is_here && !headers.contains_key("x-forwarded-for") && !headers.contains_key("forwarded")
}

/// Counts of rows are far below where this loses anything.
#[allow(clippy::cast_precision_loss, reason = "counts of rows")]
const fn as_f64(count: i64) -> f64 {
    count as f64
}
