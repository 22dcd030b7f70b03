//! Around every call: the merchant's key, the version, and what every answer carries.

use super::refusal::Refusal;
use super::{Api, ids};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use connectors::stripe::API_VERSION;

/// Lets only the merchant's requests through.
pub(super) async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let key = request.headers().get("idempotency-key").cloned();
    let mut answer = match api.check_request(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let headers = answer.headers_mut();
    headers.insert("stripe-version", HeaderValue::from_static(API_VERSION));
    if let Ok(id) = HeaderValue::from_str(&ids::request_id()) {
        headers.insert("request-id", id);
    }
    if let Some(key) = key {
        headers.insert("idempotency-key", key);
    }
    answer
}

impl Api {
    fn check_request(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(given) = text("authorization") else {
            return Err(Refusal::unauthorized(
                "You did not provide an API key: use Authorization: Bearer YOUR_SECRET_KEY.",
            ));
        };
        // This is not the real one: nobody can make anything of how long this takes.
        if given.strip_prefix("Bearer ") != Some(self.keys.file.secret_key.as_str()) {
            return Err(Refusal::unauthorized("Invalid API Key provided"));
        }
        if text("stripe-version").is_some_and(|version| version != API_VERSION) {
            let message = format!("Invalid Stripe API version: only {API_VERSION} is played here");
            return Err(Refusal::invalid(None, &message));
        }
        let form = "application/x-www-form-urlencoded";
        let content = text(header::CONTENT_TYPE.as_str());
        if *method == Method::POST && !content.is_some_and(|content| content.starts_with(form)) {
            return Err(Refusal::invalid(None, "The body must be a form"));
        }
        Ok(())
    }
}
