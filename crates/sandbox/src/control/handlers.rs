//! One function a path of the control API.

use super::views::{
    AdvanceRequest, Autopay, BillOf, BillView, ClockView, ControlErrorBody, Faults, FaultsOf,
    OutcomeRequest, PayRequest, PaymentFilter, PaymentList, PaymentView, PlantRequest,
    RedeliverRequest, Redelivered, RefundFilter, RefundList, RefundView, Totals, Webhook,
};
use super::{ControlError, JsonBody, QueryFields};
use crate::Sandbox;
use axum::Json;
use axum::extract::{Path, State};

type Answer<T> = Result<Json<T>, ControlError>;

/// All payments, the newest first.
#[utoipa::path(get, path = "/control/payments", params(PaymentFilter), responses(
    (status = 200, body = PaymentList),
    (status = 400, body = ControlErrorBody),
))]
pub(super) async fn payments(
    State(sandbox): State<Sandbox>,
    QueryFields(filter): QueryFields<PaymentFilter>,
) -> Answer<PaymentList> {
    check_limit(filter.limit)?;
    Ok(Json(sandbox.payments(&filter)))
}

/// One payment.
#[utoipa::path(get, path = "/control/payments/{outTradeNo}",
    params(("outTradeNo" = String, Path, description = "The merchant's number.")),
    responses((status = 200, body = PaymentView), (status = 404, body = ControlErrorBody)))]
pub(super) async fn payment(
    State(sandbox): State<Sandbox>,
    Path(out_trade_no): Path<String>,
) -> Answer<PaymentView> {
    sandbox.payment(&out_trade_no).map(Json)
}

/// The payer pays. The same once more changes nothing.
#[utoipa::path(post, path = "/control/payments/{outTradeNo}/pay", request_body = PayRequest,
    params(("outTradeNo" = String, Path, description = "The merchant's number.")),
    responses(
        (status = 200, body = PaymentView),
        (status = 400, body = ControlErrorBody),
        (status = 404, body = ControlErrorBody),
        (status = 409, body = ControlErrorBody, description = "It can't be paid (any more)."),
    ))]
pub(super) async fn pay(
    State(sandbox): State<Sandbox>,
    Path(out_trade_no): Path<String>,
    JsonBody(request): JsonBody<PayRequest>,
) -> Answer<PaymentView> {
    sandbox.pay(&out_trade_no, request).map(Json)
}

/// The payer fails: `PAYERROR`, told by a query only.
#[utoipa::path(post, path = "/control/payments/{outTradeNo}/fail",
    params(("outTradeNo" = String, Path, description = "The merchant's number.")),
    responses(
        (status = 200, body = PaymentView),
        (status = 404, body = ControlErrorBody),
        (status = 409, body = ControlErrorBody, description = "It is paid or closed."),
    ))]
pub(super) async fn fail(
    State(sandbox): State<Sandbox>,
    Path(out_trade_no): Path<String>,
) -> Answer<PaymentView> {
    sandbox.fail(&out_trade_no).map(Json)
}

/// The notice of a paid payment is sent again, now.
#[utoipa::path(post, path = "/control/payments/{outTradeNo}/callback",
    request_body = RedeliverRequest,
    params(("outTradeNo" = String, Path, description = "The merchant's number.")),
    responses(
        (status = 200, body = Redelivered),
        (status = 400, body = ControlErrorBody),
        (status = 404, body = ControlErrorBody),
        (status = 409, body = ControlErrorBody, description = "It is not paid."),
    ))]
pub(super) async fn callback(
    State(sandbox): State<Sandbox>,
    Path(out_trade_no): Path<String>,
    JsonBody(request): JsonBody<RedeliverRequest>,
) -> Answer<Redelivered> {
    sandbox.redeliver(&out_trade_no, &request).await.map(Json)
}

/// All refunds, the newest first.
#[utoipa::path(get, path = "/control/refunds", params(RefundFilter), responses(
    (status = 200, body = RefundList),
    (status = 400, body = ControlErrorBody),
))]
pub(super) async fn refunds(
    State(sandbox): State<Sandbox>,
    QueryFields(filter): QueryFields<RefundFilter>,
) -> Answer<RefundList> {
    check_limit(filter.limit)?;
    Ok(Json(sandbox.refunds(&filter)))
}

/// One refund.
#[utoipa::path(get, path = "/control/refunds/{outRefundNo}",
    params(("outRefundNo" = String, Path, description = "The merchant's number.")),
    responses((status = 200, body = RefundView), (status = 404, body = ControlErrorBody)))]
pub(super) async fn refund(
    State(sandbox): State<Sandbox>,
    Path(out_refund_no): Path<String>,
) -> Answer<RefundView> {
    sandbox.refund(&out_refund_no).map(Json)
}

/// Decides how a refund ends. The same once more changes nothing.
#[utoipa::path(post, path = "/control/refunds/{outRefundNo}/outcome",
    request_body = OutcomeRequest,
    params(("outRefundNo" = String, Path, description = "The merchant's number.")),
    responses(
        (status = 200, body = RefundView),
        (status = 400, body = ControlErrorBody),
        (status = 404, body = ControlErrorBody),
        (status = 409, body = ControlErrorBody, description = "It has ended already."),
    ))]
pub(super) async fn outcome(
    State(sandbox): State<Sandbox>,
    Path(out_refund_no): Path<String>,
    JsonBody(request): JsonBody<OutcomeRequest>,
) -> Answer<RefundView> {
    sandbox
        .set_refund_outcome(&out_refund_no, &request)
        .map(Json)
}

/// Where the money is.
#[utoipa::path(get, path = "/control/book", responses((status = 200, body = Totals)))]
pub(super) async fn book(State(sandbox): State<Sandbox>) -> Json<Totals> {
    Json(sandbox.totals())
}

/// What goes wrong now: everybody's faults, or one gateway's own.
#[utoipa::path(get, path = "/control/faults", params(FaultsOf), responses(
    (status = 200, body = Faults),
    (status = 400, body = ControlErrorBody),
))]
pub(super) async fn faults(
    State(sandbox): State<Sandbox>,
    QueryFields(of): QueryFields<FaultsOf>,
) -> Answer<Faults> {
    match of.gateway {
        Some(gateway) => sandbox.faults_of(gateway).map(Json),
        None => Ok(Json(sandbox.faults())),
    }
}

/// Sets all faults of everybody, or all of one gateway's own; what is left out is off. A gateway
/// has everybody's faults and its own.
#[utoipa::path(put, path = "/control/faults", params(FaultsOf), request_body = Faults, responses(
    (status = 200, body = Faults),
    (status = 400, body = ControlErrorBody),
))]
pub(super) async fn set_faults(
    State(sandbox): State<Sandbox>,
    QueryFields(of): QueryFields<FaultsOf>,
    JsonBody(faults): JsonBody<Faults>,
) -> Answer<Faults> {
    match of.gateway {
        Some(gateway) => sandbox.set_faults_of(gateway, faults.clone())?,
        None => sandbox.set_faults(faults.clone())?,
    }
    Ok(Json(faults))
}

/// Sets where a gateway sends its notices whose requests don't say it (PayPal, Stripe).
#[utoipa::path(put, path = "/control/webhook", request_body = Webhook, responses(
    (status = 200, body = Webhook),
    (status = 400, body = ControlErrorBody),
))]
pub(super) async fn set_webhook(
    State(sandbox): State<Sandbox>,
    JsonBody(webhook): JsonBody<Webhook>,
) -> Answer<Webhook> {
    sandbox.set_webhook(webhook.clone())?;
    Ok(Json(webhook))
}

/// A gateway's bill of a day, whether it is ready there or not.
#[utoipa::path(get, path = "/control/bills", params(BillOf), responses(
    (status = 200, body = BillView),
    (status = 400, body = ControlErrorBody),
))]
pub(super) async fn bill(
    State(sandbox): State<Sandbox>,
    QueryFields(of): QueryFields<BillOf>,
) -> Answer<BillView> {
    sandbox.bill(of.gateway, of.day).map(Json)
}

/// Plants a difference into the bill of a day. The book itself stays true.
#[utoipa::path(post, path = "/control/bills/plant", request_body = PlantRequest, responses(
    (status = 200, body = BillView),
    (status = 400, body = ControlErrorBody),
    (status = 404, body = ControlErrorBody, description = "The bill has no such line."),
))]
pub(super) async fn plant(
    State(sandbox): State<Sandbox>,
    JsonBody(request): JsonBody<PlantRequest>,
) -> Answer<BillView> {
    sandbox.plant(request).map(Json)
}

/// Whether payments pay themselves.
#[utoipa::path(get, path = "/control/autopay", responses((status = 200, body = Autopay)))]
pub(super) async fn autopay(State(sandbox): State<Sandbox>) -> Json<Autopay> {
    Json(sandbox.settings().autopay)
}

/// Sets whether payments, from now on, pay themselves.
#[utoipa::path(put, path = "/control/autopay", request_body = Autopay, responses(
    (status = 200, body = Autopay),
    (status = 400, body = ControlErrorBody),
))]
pub(super) async fn set_autopay(
    State(sandbox): State<Sandbox>,
    JsonBody(autopay): JsonBody<Autopay>,
) -> Answer<Autopay> {
    sandbox.set_autopay(autopay)?;
    Ok(Json(sandbox.settings().autopay))
}

/// The sandbox's time.
#[utoipa::path(get, path = "/control/clock", responses((status = 200, body = ClockView)))]
pub(super) async fn clock(State(sandbox): State<Sandbox>) -> Json<ClockView> {
    Json(ClockView { now: sandbox.now() })
}

/// Moves the clock forward, where it can be moved.
#[utoipa::path(post, path = "/control/clock/advance", request_body = AdvanceRequest, responses(
    (status = 200, body = ClockView),
    (status = 400, body = ControlErrorBody),
    (status = 409, body = ControlErrorBody, description = "It is a real clock."),
))]
pub(super) async fn advance(
    State(sandbox): State<Sandbox>,
    JsonBody(request): JsonBody<AdvanceRequest>,
) -> Answer<ClockView> {
    Ok(Json(ClockView {
        now: sandbox.advance(request.seconds)?,
    }))
}

fn check_limit(limit: Option<usize>) -> Result<(), ControlError> {
    match limit {
        Some(limit) if !(1..=1000).contains(&limit) => Err(ControlError::BadRequest(format!(
            "limit is {limit}: it must be 1 to 1000"
        ))),
        _ => Ok(()),
    }
}
