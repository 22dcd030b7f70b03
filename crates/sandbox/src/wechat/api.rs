//! WeChat Pay API v3 as the merchant sees it: its paths, each behind the same signature check.

use super::refusal::Refusal;
use super::{Api, guard};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use connectors::wechat_pay::wire::{
    CloseRequest, JsapiPrepayAnswer, NativePrepayAnswer, PrepayRequest, RefundRequest,
};
use domain::payment::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

type Answer = Result<Response, Refusal>;

/// `/v3/...`: every request's signature is checked, every answer signed.
pub(super) fn router(api: Api) -> Router {
    Router::new()
        .route("/v3/pay/transactions/jsapi", post(jsapi))
        .route("/v3/pay/transactions/native", post(native))
        .route(
            "/v3/pay/transactions/out-trade-no/{out_trade_no}",
            get(query),
        )
        .route(
            "/v3/pay/transactions/out-trade-no/{out_trade_no}/close",
            post(close),
        )
        .route("/v3/pay/transactions/id/{transaction_id}", get(query_by_id))
        .route("/v3/refund/domestic/refunds", post(refund))
        .route(
            "/v3/refund/domestic/refunds/{out_refund_no}",
            get(query_refund),
        )
        .route_layer(from_fn_with_state(api.clone(), guard::guard))
        .with_state(api)
}

async fn jsapi(State(api): State<Api>, body: Bytes) -> Answer {
    let request: PrepayRequest = parse(&body)?;
    let prepay_id = api.prepay(Method::JSAPI, request)?;
    Ok(json_answer(
        StatusCode::OK,
        &JsapiPrepayAnswer { prepay_id },
    ))
}

async fn native(State(api): State<Api>, body: Bytes) -> Answer {
    let request: PrepayRequest = parse(&body)?;
    let code_url = api.prepay(Method::NATIVE, request)?;
    Ok(json_answer(
        StatusCode::OK,
        &NativePrepayAnswer { code_url },
    ))
}

async fn query(
    State(api): State<Api>,
    Path(out_trade_no): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    api.check_merchant(None, merchant_in(query.as_deref())?)?;
    Ok(json_answer(
        StatusCode::OK,
        &api.transaction(&out_trade_no)?,
    ))
}

async fn query_by_id(
    State(api): State<Api>,
    Path(transaction_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    api.check_merchant(None, merchant_in(query.as_deref())?)?;
    Ok(json_answer(
        StatusCode::OK,
        &api.transaction_by_id(&transaction_id)?,
    ))
}

async fn close(State(api): State<Api>, Path(out_trade_no): Path<String>, body: Bytes) -> Answer {
    let request: CloseRequest = parse(&body)?;
    api.check_merchant(None, &request.mchid)?;
    api.close(&out_trade_no)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn refund(State(api): State<Api>, body: Bytes) -> Answer {
    let request: RefundRequest = parse(&body)?;
    Ok(json_answer(StatusCode::OK, &api.refund(request)?))
}

async fn query_refund(State(api): State<Api>, Path(out_refund_no): Path<String>) -> Answer {
    Ok(json_answer(
        StatusCode::OK,
        &api.told_refund(&out_refund_no)?,
    ))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|reason| Refusal::param(&reason.to_string()))
}

/// The merchant in a query such as `mchid=1900000109`.
fn merchant_in(query: Option<&str>) -> Result<&str, Refusal> {
    query
        .unwrap_or_default()
        .split('&')
        .find_map(|pair| pair.strip_prefix("mchid="))
        .ok_or_else(|| Refusal::param("mchid must be given"))
}

pub(super) fn json_answer(status: StatusCode, body: &impl Serialize) -> Response {
    (status, axum::Json(body)).into_response()
}
