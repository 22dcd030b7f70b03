//! PayPal as the merchant and the payer see it: its paths, most behind the merchant's token.

use super::refusal::{Refusal, oauth_error};
use super::{Api, GATEWAY, tokens};
use crate::cashier;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use connectors::paypal::wire::{CreateOrder, Order, RefundRequest};
use serde::Deserialize;
use serde::de::DeserializeOwned;

type Answer = Result<Response, Refusal>;

pub(super) fn router(api: Api) -> Router {
    let merchants = Router::new()
        .route("/v2/checkout/orders", post(create))
        .route("/v2/checkout/orders/{id}", get(order))
        .route("/v2/checkout/orders/{id}/capture", post(capture))
        .route("/v2/payments/captures/{id}", get(captured))
        .route("/v2/payments/captures/{id}/refund", post(refund))
        .route("/v2/payments/refunds/{id}", get(refunded))
        .route("/v1/reporting/transactions", get(transactions))
        .route_layer(from_fn_with_state(api.clone(), let_in));
    Router::new()
        .route("/v1/oauth2/token", post(tokens::token))
        .route("/v1/notifications/certs/{name}", get(certificate))
        .route("/checkoutnow", get(page))
        .merge(merchants)
        .with_state(api)
}

/// Lets only requests with a good token through.
async fn let_in(State(api): State<Api>, request: Request, next: Next) -> Response {
    if api.is_let_in(request.headers(), api.sandbox.now()) {
        return next.run(request).await;
    }
    let words = "Token signature verification failed";
    oauth_error(StatusCode::UNAUTHORIZED, "invalid_token", words)
}

async fn create(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Answer {
    let request: CreateOrder = parse(&body)?;
    let request_id = text(&headers, "paypal-request-id").ok_or_else(|| {
        let words = "A PayPal-Request-Id is required to process payment for an Order.";
        Refusal::invalid("PAYPAL_REQUEST_ID_REQUIRED", words)
    })?;
    let (order, is_new) = api.create_order(request, request_id, &address(&headers))?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(told(status, order, &headers))
}

async fn order(State(api): State<Api>, Path(id): Path<String>) -> Answer {
    Ok(axum::Json(api.told_order(&id)?).into_response())
}

async fn capture(State(api): State<Api>, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    let request_id = text(&headers, "paypal-request-id");
    let order = api.capture_order(&id, request_id)?;
    Ok(told(StatusCode::CREATED, order, &headers))
}

async fn captured(State(api): State<Api>, Path(id): Path<String>) -> Answer {
    Ok(axum::Json(api.told_capture(&id)?).into_response())
}

async fn refund(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let request: RefundRequest = parse(&body)?;
    let mut refund = api.send_refund(&id, request)?;
    if !wants_all(&headers) {
        refund.amount = None;
        refund.invoice_id = None;
    }
    Ok((StatusCode::CREATED, axum::Json(refund)).into_response())
}

async fn refunded(State(api): State<Api>, Path(id): Path<String>) -> Answer {
    Ok(axum::Json(api.told_refund(&id)?).into_response())
}

async fn transactions(
    State(api): State<Api>,
    Query(asked): Query<super::reports::Asked>,
) -> Answer {
    Ok(axum::Json(api.report(&asked)?).into_response())
}

async fn certificate(State(api): State<Api>, Path(name): Path<String>) -> Response {
    if name != api.keys.file.certificate_name {
        return (StatusCode::NOT_FOUND, "no such certificate\n").into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/x-pem-file")];
    (kind, api.keys.certificate_pem.clone()).into_response()
}

/// `?token=` and an order's number.
#[derive(Deserialize)]
struct OfOrder {
    token: String,
}

/// Where the payer agrees.
async fn page(State(api): State<Api>, Query(of): Query<OfOrder>) -> Response {
    let number = {
        let book = api.sandbox.book();
        let payment = book.payment_of_handle(GATEWAY, &of.token);
        payment.map(|payment| payment.out_trade_no.clone())
    };
    match number {
        Some(number) => cashier::redirect(&number),
        None => (StatusCode::NOT_FOUND, "no such order\n").into_response(),
    }
}

/// An order as the merchant wants it told: only its head unless all was asked for.
fn told(status: StatusCode, mut order: Order, headers: &HeaderMap) -> Response {
    if !wants_all(headers) {
        order.purchase_units = Vec::new();
    }
    (status, axum::Json(order)).into_response()
}

fn wants_all(headers: &HeaderMap) -> bool {
    text(headers, "prefer") == Some("return=representation")
}

/// This server's address as the merchant reached it.
fn address(headers: &HeaderMap) -> String {
    format!("http://{}", text(headers, "host").unwrap_or("127.0.0.1"))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|reason| Refusal::invalid("MALFORMED_REQUEST_JSON", &reason.to_string()))
}
