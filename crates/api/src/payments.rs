//! Paying, refunds, and notices of gateways.

use crate::AppState;
use crate::envelope::{Context, success};
use crate::error::{ApiError, Code};
use crate::extract::{Asked, Caller, Data, NotNow, Paged, Query, bytes, id};
use crate::orders::{Nothing, command, command_kept, viewed};
use crate::preview;
use crate::view::{self, Looking};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use domain::consultation::{Command, Facts, Verdict};
use domain::lifecycle::Status;
use domain::order::Role;
use domain::payment::{GatewayName, Method};
use domain::{OrderId, RefundId, Share};
use engine::{Answer, Answered, Callback, CallbackError, EngineError, NoticeError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer waits for the gateway's code; it can be asked for afterwards.
const GATEWAY_WAIT: Duration = Duration::from_secs(8);

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/orders/{id}/pay", post(pay))
        .route("/payments/intent", post(intent))
        .route("/payments/create-intent", post(intent))
        .route("/payments/status/{id}", get(status))
        .route("/payments/gateways", get(gateways))
        .route("/payments/refunds", get(waiting))
        .route("/payments/refunds/{id}/preview", post(preview_review))
        .route("/payments/refunds/{id}/review", post(review))
        .route("/payments/refunds/{id}/retry", post(retry))
        .route("/payments/refunds/{id}/record", post(record))
        .route("/payments/webhook/{gateway}", post(webhook))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pay {
    gateway: GatewayName,
    method: Method,
    openid: Option<String>,
}

async fn pay(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Pay>,
) -> Result<Data, NotNow> {
    let Pay {
        gateway,
        method,
        openid,
    } = &asked.body;
    submit(
        &state,
        &asked,
        id(&order)?,
        *gateway,
        *method,
        openid.clone(),
    )
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Intent {
    order_id: OrderId,
    gateway: GatewayName,
    method: Method,
    openid: Option<String>,
}

async fn intent(State(state): State<AppState>, asked: Asked<Intent>) -> Result<Data, NotNow> {
    let Intent {
        order_id,
        gateway,
        method,
        openid,
    } = &asked.body;
    submit(&state, &asked, *order_id, *gateway, *method, openid.clone()).await
}

async fn submit<T>(
    state: &AppState,
    asked: &Asked<T>,
    order: OrderId,
    gateway: GatewayName,
    method: Method,
    openid: Option<String>,
) -> Result<Data, NotNow> {
    if !state.engine.gateways().is_on(gateway) {
        let words = format!(
            "{} is switched off here: see GET /payments/gateways",
            gateway.name()
        );
        return Err(ApiError::from(Code::ExternalServiceError)
            .saying(words)
            .into());
    }
    let payer = match openid {
        Some(openid) => Some(openid),
        None => state
            .engine
            .store()
            .user(asked.caller.user)
            .await?
            .and_then(|user| user.openid),
    };
    let what = Command::SubmitPayment {
        gateway,
        method,
        payer,
    };
    let executed = command_kept(state, asked, order, what, kept_payment).await?;
    let Some(payment) = executed.order.payments.last().map(|payment| payment.id) else {
        return Err(ApiError::from(Code::Internal).into());
    };
    let started = state
        .engine
        .await_payment_started(order, payment, GATEWAY_WAIT)
        .await;
    let order = started.map_err(ApiError::from)?;
    let view = state
        .order_view(&order, asked.caller, asked.context.language)
        .await?;
    let payment = order
        .payment(payment)
        .map(|payment| view::payment(payment, asked.context.language));
    Ok(json!({ "order": view, "payment": payment }).into())
}

/// The answer that is kept for a payment: the gateway's code is not there yet.
fn kept_payment(looking: Looking) -> Answer {
    Arc::new(move |answered| {
        let value = match answered {
            Answered::Order(order) => {
                let payment = order.payments.last();
                json!({
                    "order": view::order(order, &looking, &Facts::default(), None),
                    "payment": payment.map(|payment| view::payment(payment, looking.language)),
                })
            }
            Answered::Session(..) => Value::Null,
        };
        (200, success(&value, looking.now))
    })
}

async fn status(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(order): Path<String>,
) -> Result<Data, ApiError> {
    let order = state.visible(id(&order)?, caller).await?;
    let payments: Vec<Value> = order
        .payments
        .iter()
        .map(|payment| view::payment(payment, context.language))
        .collect();
    Ok(
        json!({ "orderId": order.id, "status": order.status.constant(), "payments": payments })
            .into(),
    )
}

async fn gateways(State(state): State<AppState>, _: Caller) -> Data {
    let on = state.engine.gateways().is_on(GatewayName::Wechat);
    let reason = (!on).then_some("no credentials are configured");
    json!([{ "name": GatewayName::Wechat.name(), "on": on, "reason": reason }]).into()
}

async fn waiting(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    uri: Uri,
) -> Result<Data, ApiError> {
    caller.must_be(&[Role::Operator, Role::Admin])?;
    let page = Query::of(&uri, &["page", "limit"])?.page()?;
    let (refunds, total) = state.engine.store().refunds_waiting(page).await?;
    let value = refunds
        .iter()
        .map(|(order, refund)| {
            json!({ "orderId": order, "refund": view::refund(refund, context.language, true) })
        })
        .collect();
    Ok(Data {
        status: StatusCode::OK,
        value,
        page: Some(Paged::new(page, total)),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Review {
    decision: Decision,
    share: Option<Share>,
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Decision {
    ByTable,
    Share,
    Refuse,
}

async fn review(
    State(state): State<AppState>,
    Path(refund): Path<String>,
    asked: Asked<Review>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let (refund, verdict) = (id(&refund)?, verdict(&asked.body)?);
    of_refund(
        &state,
        &asked,
        refund,
        Command::ReviewRefund { refund, verdict },
    )
    .await
}

/// What a review would do, without doing it.
async fn preview_review(
    State(state): State<AppState>,
    Path(refund): Path<String>,
    asked: Asked<Review>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let (refund, verdict) = (id(&refund)?, verdict(&asked.body)?);
    let command = Command::ReviewRefund { refund, verdict };
    let order = order_of(&state, refund).await?;
    let actor = asked.caller.actor();
    let preview = state.engine.preview(order, &command, actor).await?;
    Ok(preview::view(&preview, asked.context.language).into())
}

fn verdict(body: &Review) -> Result<Verdict, ApiError> {
    let reason = body
        .reason
        .clone()
        .filter(|reason| !reason.trim().is_empty());
    let because = || {
        reason
            .clone()
            .ok_or_else(|| ApiError::field("reason", "is needed, for the patient to read"))
    };
    match (body.decision, body.share) {
        (Decision::ByTable, None) => Ok(Verdict::ByTable),
        (Decision::Refuse, None) => Ok(Verdict::Refuse(because()?)),
        (Decision::Share, Some(share)) => Ok(Verdict::Share(share, because()?)),
        (Decision::Share, None) => Err(ApiError::field("share", "is needed: 0 to 100 percent")),
        (_, Some(_)) => Err(ApiError::field("share", "goes with decision `share` only")),
    }
}

async fn retry(
    State(state): State<AppState>,
    Path(refund): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let refund: RefundId = id(&refund)?;
    of_refund(&state, &asked, refund, Command::RetryRefund { refund }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    proof: String,
}

async fn record(
    State(state): State<AppState>,
    Path(refund): Path<String>,
    asked: Asked<Proof>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let proof = asked.body.proof.trim().to_owned();
    if proof.is_empty() || proof.chars().count() > 1_000 {
        return Err(ApiError::field("proof", "must have 1 to 1000 characters").into());
    }
    let refund: RefundId = id(&refund)?;
    of_refund(
        &state,
        &asked,
        refund,
        Command::RecordRefund { refund, proof },
    )
    .await
}

async fn of_refund<T>(
    state: &AppState,
    asked: &Asked<T>,
    refund: RefundId,
    what: Command,
) -> Result<Data, NotNow> {
    let order = order_of(state, refund).await?;
    let executed = command(state, asked, order, what).await?;
    viewed(state, asked, &executed.order).await
}

async fn order_of(state: &AppState, refund: RefundId) -> Result<OrderId, ApiError> {
    let order = state.engine.store().refund_order(refund).await?;
    order.ok_or_else(|| {
        ApiError::from(Code::NotFound)
            .saying("there is no such refund")
            .in_chinese(Some("没有这笔退款"))
    })
}

/// A gateway's notice. Its words are the gateway's, not the envelope's.
async fn webhook(
    State(state): State<AppState>,
    Path(gateway): Path<String>,
    context: Context,
    request: Request,
) -> Response {
    let Some(gateway) = GatewayName::from_name(&gateway) else {
        return no(StatusCode::NOT_FOUND, "there is no such gateway");
    };
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let Ok(body) = bytes(request).await else {
        return no(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the notice is larger than 1 MiB",
        );
    };
    let callback = Callback {
        headers: &headers,
        body: &body,
    };
    match state
        .engine
        .gateway_notice(gateway, callback, Some(context.request_id))
        .await
    {
        Ok(_) => axum::Json(json!({ "code": "SUCCESS", "message": "成功" })).into_response(),
        Err(error) => refused(&error),
    }
}

fn refused(error: &NoticeError) -> Response {
    let words = error.to_string();
    match error {
        NoticeError::Unverified(CallbackError::Malformed(_)) => no(StatusCode::BAD_REQUEST, &words),
        NoticeError::Unverified(CallbackError::SignatureProbe) => {
            no(StatusCode::UNAUTHORIZED, &words)
        }
        NoticeError::Unverified(_) => {
            tracing::warn!(words, "a notice was turned away");
            no(StatusCode::UNAUTHORIZED, &words)
        }
        NoticeError::UnknownPayment(_) => {
            tracing::warn!(words, "a notice names nothing of ours");
            no(StatusCode::NOT_FOUND, &words)
        }
        NoticeError::Engine(EngineError::Refused(_)) => no(StatusCode::CONFLICT, &words),
        NoticeError::Engine(_) => {
            tracing::error!(
                words,
                "a notice could not be taken; the gateway will send it again"
            );
            no(StatusCode::SERVICE_UNAVAILABLE, "try again later")
        }
    }
}

fn no(status: StatusCode, message: &str) -> Response {
    (
        status,
        axum::Json(json!({ "code": "FAIL", "message": message })),
    )
        .into_response()
}
