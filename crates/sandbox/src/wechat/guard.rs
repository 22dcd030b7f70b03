//! Around every call: the request's signature, the answer's signature.

use super::keys::Keys;
use super::refusal::Refusal;
use super::{Api, ids};
use crate::SandboxError;
use crate::counterparty::Signing;
use crate::keys::unusable;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use connectors::wechat_pay::signature::{
    MAX_AGE_SECONDS, SCHEME, answer_message, nonce, request_message,
};
use domain::Ts;
use std::collections::HashMap;

/// No request here comes near.
const MAX_BODY_BYTES: usize = 64 << 10;

/// Lets only the merchant's requests through, and signs every answer.
pub(super) async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let answer = answered(&api, request, next).await;
    api.sign_answer(answer).await
}

/// Lets only the merchant's requests through; files are not signed (WeChat Pay API v3, bills).
pub(super) async fn guard_file(State(api): State<Api>, request: Request, next: Next) -> Response {
    answered(&api, request, next).await
}

async fn answered(api: &Api, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match to_bytes(body, MAX_BODY_BYTES).await {
        Err(_) => Refusal::param("the body is too long").into_response(),
        Ok(body) => match api.check_request(&parts, &body) {
            Err(refusal) => refusal.into_response(),
            Ok(()) => next.run(Request::from_parts(parts, Body::from(body))).await,
        },
    }
}

impl Api {
    /// There is one merchant with one app.
    pub(super) fn check_merchant(&self, appid: Option<&str>, mchid: &str) -> Result<(), Refusal> {
        let merchant = &self.keys.file;
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
        let merchant = &self.keys.file;
        let wanted = parts.headers.get("wechatpay-serial");
        if wanted.is_some_and(|serial| *serial != *merchant.platform_serial) {
            return Err(Refusal::param("Wechatpay-Serial is not the platform's"));
        }
        let claim = Authorization::read(header(&header::AUTHORIZATION))?;
        if claim.mchid != merchant.mchid || claim.serial != merchant.merchant_serial {
            return Err(Refusal::sign(
                "mchid and serial_no are not of a known certificate",
            ));
        }
        let now = self.sandbox.now().unix_seconds();
        if claim.timestamp.abs_diff(now) >= MAX_AGE_SECONDS {
            return Err(Refusal::sign("timestamp is five minutes or more from now"));
        }
        let url = parts.uri.path_and_query().map_or("/", |url| url.as_str());
        let method = parts.method.as_str();
        let message = request_message(method, url, claim.timestamp, claim.nonce, body);
        if self
            .keys
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
        match signature_headers(&self.keys, self.sandbox.now(), &body, Signing::default()) {
            Ok(headers) => parts.headers.extend(headers),
            Err(error) => {
                tracing::error!(%error, "the sandbox could not sign an answer");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        }
        Response::from_parts(parts, Body::from(body))
    }
}

/// The headers that go with an answer or a callback.
pub(super) fn signature_headers(
    keys: &Keys,
    now: Ts,
    body: &[u8],
    signing: Signing,
) -> Result<HeaderMap, SandboxError> {
    let timestamp = (now.unix_seconds() - i64::from(signing.stale_seconds)).to_string();
    let nonce = nonce();
    let key = if signing.wrong_key {
        &keys.wrong
    } else {
        &keys.platform
    };
    let signature = key
        .sign(&answer_message(&timestamp, &nonce, body))
        .map_err(unusable)?;
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("wechatpay-serial", keys.file.platform_serial.as_str()),
        ("wechatpay-timestamp", &timestamp),
        ("wechatpay-nonce", &nonce),
        ("wechatpay-signature", &signature),
        ("wechatpay-signature-type", SCHEME),
        ("request-id", &ids::request_id()),
    ] {
        let value =
            HeaderValue::from_str(value).map_err(|reason| unusable(format!("{name}: {reason}")))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
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

fn text_header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
