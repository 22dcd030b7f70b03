//! The reading page of the API. It is this program's own: nothing is fetched from elsewhere, and no
//! script stands in the page.

use crate::{AppState, openapi};
use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

/// Only what this server sends may run or be shown, and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The addresses.
pub fn routes() -> Router<AppState> {
    let page = || async { sent("text/html; charset=utf-8", include_str!("index.html")) };
    let app = || async { sent("text/javascript; charset=utf-8", include_str!("app.js")) };
    let style = || async { sent("text/css; charset=utf-8", include_str!("style.css")) };
    let document = || async { sent("application/json", openapi::json()) };
    Router::new()
        // Whoever opens the server's address finds something to read.
        .route("/", get(async || Redirect::temporary("/docs")))
        .route("/docs", get(page))
        .route("/docs/app.js", get(app))
        .route("/docs/style.css", get(style))
        .route("/api/v1/openapi.json", get(document))
}

fn sent(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, text).into_response()
}
