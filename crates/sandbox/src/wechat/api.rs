//! WeChat Pay API v3 as the merchant sees it: its paths, each behind the same signature check.

use super::bills::{Download, Wanted};
use super::refusal::Refusal;
use super::{Api, guard};
use crate::cashier;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use connectors::wechat_pay::wire::{
    AbnormalRefundRequest, CloseRequest, H5PrepayAnswer, JsapiPrepayAnswer, NativePrepayAnswer,
    PrepayRequest, RefundRequest,
};
use domain::payment::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

type Answer = Result<Response, Refusal>;

/// `/v3/...`: every request's signature is checked, every answer signed but for files. Beside it
/// the page that an H5 payment sends the payer's browser to.
pub(super) fn router(api: Api) -> Router {
    let signed = Router::new()
        .route("/v3/pay/transactions/jsapi", post(jsapi))
        .route("/v3/pay/transactions/native", post(native))
        .route("/v3/pay/transactions/h5", post(h5))
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
        .route(
            "/v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund",
            post(refund_elsewhere),
        )
        .route("/v3/bill/tradebill", get(trade_bill))
        .route_layer(from_fn_with_state(api.clone(), guard::guard));
    let unsigned = Router::new()
        .route("/v3/billdownload/file", get(download))
        .route_layer(from_fn_with_state(api.clone(), guard::guard_file));
    Router::new()
        .route("/cgi-bin/mmpayweb-bin/checkmweb", get(check_mweb))
        .merge(signed)
        .merge(unsigned)
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

async fn h5(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Answer {
    let request: PrepayRequest = parse(&body)?;
    let prepay_id = api.prepay(Method::H5, request)?;
    // The real one is on wx.tenpay.com; this one is where the merchant reached us.
    let h5_url = format!(
        "{}/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={prepay_id}&package={}",
        own_address(&headers)?,
        crate::ids::digits(10)
    );
    Ok(json_answer(StatusCode::OK, &H5PrepayAnswer { h5_url }))
}

/// What a browser brings to WeChat's page; what else it brings doesn't matter.
#[derive(Deserialize)]
struct MwebQuery {
    prepay_id: String,
    redirect_url: Option<String>,
}

/// WeChat's page for a phone's browser: on to the cashier, and from there back.
async fn check_mweb(State(api): State<Api>, Query(query): Query<MwebQuery>) -> Response {
    match api.opened_by_browser(&query.prepay_id, query.redirect_url) {
        Ok(payment) => cashier::redirect(&payment.out_trade_no),
        Err(refusal) => refusal.into_response(),
    }
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

async fn refund_elsewhere(
    State(api): State<Api>,
    Path(refund_id): Path<String>,
    body: Bytes,
) -> Answer {
    let request: AbnormalRefundRequest = parse(&body)?;
    let refund = api.refund_elsewhere(&refund_id, &request)?;
    Ok(json_answer(StatusCode::OK, &refund))
}

async fn trade_bill(
    State(api): State<Api>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Answer {
    let Query(wanted) = wanted.map_err(|reason| Refusal::param(&reason.to_string()))?;
    let answer = api.trade_bill(&wanted, &own_address(&headers)?)?;
    Ok(json_answer(StatusCode::OK, &answer))
}

async fn download(State(api): State<Api>, Query(download): Query<Download>) -> Answer {
    let bill = api.download(&download)?;
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, bill).into_response())
}

/// Where the merchant reached us.
fn own_address(headers: &HeaderMap) -> Result<String, Refusal> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    host.map(|host| format!("http://{host}"))
        .ok_or_else(|| Refusal::param("Host must be given"))
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
