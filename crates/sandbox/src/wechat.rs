//! WeChat Pay API v3 as the merchant sees it: verified requests, signed answers, WeChat's codes.

use crate::control::views::{Settings, TradeType, UnknownOutcome};
use crate::{Sandbox, SandboxError, ids};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use connectors::wechat_pay::signature::{
    MAX_AGE_SECONDS, SCHEME, answer_message, nonce, request_message,
};
use connectors::wechat_pay::wire::{
    CloseRequest, ErrorAnswer, JsapiPrepayAnswer, NativePrepayAnswer, PrepayRequest, RefundRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::time::Duration;

/// No request here comes near.
const MAX_BODY_BYTES: usize = 64 << 10;

/// WeChat's no: an HTTP status, a code, and words.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
        }
    }

    pub(crate) fn param(message: &str) -> Self {
        Self::new(400, "PARAM_ERROR", message)
    }

    pub(crate) fn no_such_order() -> Self {
        Self::new(404, "ORDER_NOT_EXIST", "订单不存在")
    }

    fn sign(message: &str) -> Self {
        Self::new(401, "SIGN_ERROR", message)
    }

    /// The work is done; where this fault is on, the answer doesn't say so.
    pub(crate) fn after(settings: &Settings, done: UnknownOutcome) -> Result<(), Self> {
        if settings.faults.unknown_outcome == Some(done) {
            Err(Self::new(
                500,
                "SYSTEM_ERROR",
                "系统异常，请用相同参数重新调用",
            ))
        } else {
            Ok(())
        }
    }
}

impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Self {
        tracing::error!(%error, "the sandbox could not keep its book");
        Self::new(500, "SYSTEM_ERROR", &error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = ErrorAnswer {
            code: self.code.to_owned(),
            message: self.message,
        };
        json_answer(StatusCode::from_u16(self.status).unwrap_or_default(), &body)
    }
}

/// `/v3/...`: every route behind the same signature check, every answer signed.
pub(crate) fn router(sandbox: Sandbox) -> Router {
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
        .route_layer(from_fn_with_state(sandbox.clone(), guard))
        .with_state(sandbox)
}

async fn jsapi(State(sandbox): State<Sandbox>, body: Bytes) -> Result<Response, Refusal> {
    let request: PrepayRequest = parse(&body)?;
    let prepay_id = sandbox.prepay(TradeType::Jsapi, request)?;
    Ok(json_answer(
        StatusCode::OK,
        &JsapiPrepayAnswer { prepay_id },
    ))
}

async fn native(State(sandbox): State<Sandbox>, body: Bytes) -> Result<Response, Refusal> {
    let request: PrepayRequest = parse(&body)?;
    let code_url = sandbox.prepay(TradeType::Native, request)?;
    Ok(json_answer(
        StatusCode::OK,
        &NativePrepayAnswer { code_url },
    ))
}

async fn query(
    State(sandbox): State<Sandbox>,
    Path(out_trade_no): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    sandbox.check_merchant(None, merchant_in(query.as_deref())?)?;
    Ok(json_answer(
        StatusCode::OK,
        &sandbox.transaction(&out_trade_no)?,
    ))
}

async fn query_by_id(
    State(sandbox): State<Sandbox>,
    Path(transaction_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    sandbox.check_merchant(None, merchant_in(query.as_deref())?)?;
    Ok(json_answer(
        StatusCode::OK,
        &sandbox.transaction_by_id(&transaction_id)?,
    ))
}

async fn close(
    State(sandbox): State<Sandbox>,
    Path(out_trade_no): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let request: CloseRequest = parse(&body)?;
    sandbox.check_merchant(None, &request.mchid)?;
    sandbox.close_payment(&out_trade_no)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn refund(State(sandbox): State<Sandbox>, body: Bytes) -> Result<Response, Refusal> {
    let request: RefundRequest = parse(&body)?;
    Ok(json_answer(
        StatusCode::OK,
        &sandbox.refund_payment(request)?,
    ))
}

async fn query_refund(
    State(sandbox): State<Sandbox>,
    Path(out_refund_no): Path<String>,
) -> Result<Response, Refusal> {
    Ok(json_answer(
        StatusCode::OK,
        &sandbox.told_refund(&out_refund_no)?,
    ))
}

/// Around every call: the faults, the request's signature, the answer's signature.
async fn guard(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let faults = sandbox.settings().faults;
    let answer = if faults.down {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the sandbox is told to be down\n",
        )
            .into_response()
    } else {
        let (parts, body) = request.into_parts();
        let answer = match to_bytes(body, MAX_BODY_BYTES).await {
            Err(_) => Refusal::param("the body is too long").into_response(),
            Ok(body) => match sandbox.check_request(&parts, &body) {
                Err(refusal) => refusal.into_response(),
                Ok(()) => next.run(Request::from_parts(parts, Body::from(body))).await,
            },
        };
        sandbox.sign_answer(answer).await
    };
    if faults.slow_millis > 0 {
        // In real time, after the work: this is how a time-out leaves a write that was done.
        tokio::time::sleep(Duration::from_millis(faults.slow_millis.into())).await;
    }
    answer
}

impl Sandbox {
    /// There is one merchant with one app.
    pub(crate) fn check_merchant(&self, appid: Option<&str>, mchid: &str) -> Result<(), Refusal> {
        let merchant = &self.keys().merchant;
        if mchid != merchant.mchid {
            return Err(Refusal::new(400, "MCH_NOT_EXISTS", "商户号不存在"));
        }
        if appid.is_some_and(|appid| appid != merchant.appid) {
            let message = "appid and mchid do not match";
            return Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", message));
        }
        Ok(())
    }

    /// The request's signature and its standing headers (WeChat Pay API v3, signature).
    fn check_request(&self, parts: &Parts, body: &[u8]) -> Result<(), Refusal> {
        let header = |name: &HeaderName| text_header(&parts.headers, name).unwrap_or_default();
        if header(&header::USER_AGENT).is_empty() {
            return Err(Refusal::param("User-Agent must be given"));
        }
        let accept = header(&header::ACCEPT);
        if !accept.contains("application/json") && !accept.contains("*/*") {
            return Err(Refusal::param("Accept must allow application/json"));
        }
        let wanted = parts.headers.get("wechatpay-serial");
        if wanted.is_some_and(|serial| *serial != *self.keys().merchant.platform_serial) {
            return Err(Refusal::param("Wechatpay-Serial is not the platform's"));
        }
        let claim = Authorization::read(header(&header::AUTHORIZATION))?;
        let merchant = &self.keys().merchant;
        if claim.mchid != merchant.mchid || claim.serial != merchant.merchant_serial {
            return Err(Refusal::sign(
                "mchid and serial_no are not of a known certificate",
            ));
        }
        if claim.timestamp.abs_diff(self.now().unix_seconds()) >= MAX_AGE_SECONDS {
            return Err(Refusal::sign("timestamp is five minutes or more from now"));
        }
        let url = parts.uri.path_and_query().map_or("/", |url| url.as_str());
        let method = parts.method.as_str();
        let message = request_message(method, url, claim.timestamp, claim.nonce, body);
        if self
            .keys()
            .merchant_public
            .verifies(&message, claim.signature)
        {
            Ok(())
        } else {
            Err(Refusal::sign(
                "签名错误: the signature is not of this request",
            ))
        }
    }

    async fn sign_answer(&self, answer: Response) -> Response {
        let (mut parts, body) = answer.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        match self.signature_headers(&body, false, 0) {
            Ok(headers) => parts.headers.extend(headers),
            Err(error) => {
                tracing::error!(%error, "the sandbox could not sign an answer");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        }
        Response::from_parts(parts, Body::from(body))
    }

    /// The headers that go with an answer or a callback, signed as so many seconds ago, rightly
    /// or with somebody else's key.
    pub(crate) fn signature_headers(
        &self,
        body: &[u8],
        wrong_key: bool,
        stale_seconds: u32,
    ) -> Result<HeaderMap, SandboxError> {
        let keys = self.keys();
        let timestamp = (self.now().unix_seconds() - i64::from(stale_seconds)).to_string();
        let nonce = nonce();
        let key = if wrong_key {
            &keys.wrong
        } else {
            &keys.platform
        };
        let signature = key
            .sign(&answer_message(&timestamp, &nonce, body))
            .map_err(|reason| SandboxError::Keys(reason.to_string()))?;
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("wechatpay-serial", keys.merchant.platform_serial.as_str()),
            ("wechatpay-timestamp", &timestamp),
            ("wechatpay-nonce", &nonce),
            ("wechatpay-signature", &signature),
            ("wechatpay-signature-type", SCHEME),
            ("request-id", &ids::request_id()),
        ] {
            let value = HeaderValue::from_str(value)
                .map_err(|reason| SandboxError::Keys(format!("{name}: {reason}")))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(headers)
    }
}

/// The five items of the `Authorization` header.
struct Authorization<'h> {
    mchid: &'h str,
    serial: &'h str,
    nonce: &'h str,
    timestamp: i64,
    signature: &'h str,
}

impl<'h> Authorization<'h> {
    /// The items may come in any order; all are needed.
    fn read(header: &'h str) -> Result<Self, Refusal> {
        let items = header
            .strip_prefix(SCHEME)
            .and_then(|rest| rest.strip_prefix(' '))
            .ok_or_else(|| Refusal::sign(&format!("Authorization must start with {SCHEME}")))?;
        let items: HashMap<&str, &str> = items
            .split(',')
            .filter_map(|item| item.trim().split_once('='))
            .map(|(name, value)| (name, value.trim_matches('"')))
            .collect();
        let item = |name: &str| {
            items
                .get(name)
                .copied()
                .ok_or_else(|| Refusal::sign(&format!("Authorization has no {name}")))
        };
        let nonce = item("nonce_str")?;
        if nonce.is_empty() || nonce.len() > 32 {
            return Err(Refusal::sign("nonce_str must have 1 to 32 characters"));
        }
        Ok(Self {
            mchid: item("mchid")?,
            serial: item("serial_no")?,
            nonce,
            timestamp: item("timestamp")?
                .parse()
                .map_err(|_| Refusal::sign("timestamp must be Unix seconds"))?,
            signature: item("signature")?,
        })
    }
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

fn json_answer(status: StatusCode, body: &impl Serialize) -> Response {
    (status, axum::Json(body)).into_response()
}

fn text_header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
