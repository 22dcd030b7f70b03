//! One signed request and its verified answer.

use super::WechatPay;
use super::errors::{GATEWAY, classify};
use super::signature::{authorization, nonce, request_message};
use crate::gateway::{GatewayError, Operation};
use crate::http::{MAX_ANSWER_BYTES, MAX_BILL_BYTES, not_sent, read_body, text_header};
use domain::Ts;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An answer before anybody believes it.
struct Unverified {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl WechatPay {
    /// Asks with `GET` and reads the answer.
    pub(super) async fn get<A: DeserializeOwned>(
        &self,
        operation: Operation,
        path_and_query: &str,
        now: Ts,
    ) -> Result<A, GatewayError> {
        let url = self.url(operation, path_and_query)?;
        let body = self
            .send(operation, Method::GET, url, Vec::new(), None, now)
            .await?;
        read(operation, &body)
    }

    /// Sends a body with `POST` and reads the answer.
    pub(super) async fn post<A: DeserializeOwned>(
        &self,
        operation: Operation,
        path: &str,
        body: &impl Serialize,
        now: Ts,
    ) -> Result<A, GatewayError> {
        let answer = self
            .post_for_bytes(operation, path, body, None, now)
            .await?;
        read(operation, &answer)
    }

    /// Sends a body with `POST`; the verified answer may be empty (204). The serial is of the key
    /// that fields of the body are encrypted with, where some are.
    pub(super) async fn post_for_bytes(
        &self,
        operation: Operation,
        path: &str,
        body: &impl Serialize,
        serial: Option<&str>,
        now: Ts,
    ) -> Result<Vec<u8>, GatewayError> {
        let body = serde_json::to_vec(body)
            .map_err(|reason| operation.refused(GATEWAY, "PARAM_ERROR", &reason.to_string()))?;
        let url = self.url(operation, path)?;
        self.send(operation, Method::POST, url, body, serial, now)
            .await
    }

    /// Fetches a file whose answer WeChat does not sign; the caller checks what it got.
    pub(super) async fn download(
        &self,
        operation: Operation,
        url: Url,
        now: Ts,
    ) -> Result<Vec<u8>, GatewayError> {
        let request = self.signed(operation, Method::GET, url, Vec::new(), None, now)?;
        let Unverified { status, body, .. } = answer_to(operation, request, MAX_BILL_BYTES).await?;
        if (200..300).contains(&status) {
            Ok(body)
        } else {
            Err(classify(operation, status, &body))
        }
    }

    async fn send(
        &self,
        operation: Operation,
        method: Method,
        url: Url,
        body: Vec<u8>,
        serial: Option<&str>,
        now: Ts,
    ) -> Result<Vec<u8>, GatewayError> {
        let request = self.signed(operation, method, url, body, serial, now)?;
        let answer = answer_to(operation, request, MAX_ANSWER_BYTES).await?;
        self.check_answer(operation, &answer, now)?;
        Ok(answer.body)
    }

    fn url(&self, operation: Operation, path_and_query: &str) -> Result<Url, GatewayError> {
        let base = self.config.base_url.trim_end_matches('/');
        let url = format!("{base}{path_and_query}");
        Url::parse(&url).map_err(|reason| {
            operation.refused(GATEWAY, "PARAM_ERROR", &format!("{url}: {reason}"))
        })
    }

    fn signed(
        &self,
        operation: Operation,
        method: Method,
        url: Url,
        body: Vec<u8>,
        serial: Option<&str>,
        now: Ts,
    ) -> Result<RequestBuilder, GatewayError> {
        let authorization = self.authorize(operation, &method, &url, &body, now)?;
        let mut request = self
            .http
            .request(method, url)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, authorization);
        if let Some(serial) = serial.or(self.wanted_serial.as_deref()) {
            request = request.header("Wechatpay-Serial", serial);
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        Ok(request)
    }

    fn authorize(
        &self,
        operation: Operation,
        method: &Method,
        url: &Url,
        body: &[u8],
        now: Ts,
    ) -> Result<String, GatewayError> {
        // From the parsed URL, so that it is signed exactly as it is sent.
        let canonical_url = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let (nonce, timestamp) = (nonce(), now.unix_seconds());
        let message = request_message(method.as_str(), &canonical_url, timestamp, &nonce, body);
        let signature = self
            .signing_key
            .sign(&message)
            .map_err(|reason| operation.unavailable(GATEWAY, reason.to_string()))?;
        let WechatPay { config, .. } = self;
        Ok(authorization(
            &config.mchid,
            &config.merchant_serial,
            &nonce,
            timestamp,
            &signature,
        ))
    }

    /// Lets only a verified success through. An unsigned "no" is taken as it is, as WeChat's own
    /// SDK does: some errors come before the key is chosen. A "no" with a wrong signature is not.
    fn check_answer(
        &self,
        operation: Operation,
        answer: &Unverified,
        now: Ts,
    ) -> Result<(), GatewayError> {
        let Unverified {
            status,
            headers,
            body,
        } = answer;
        let success = (200..300).contains(status);
        if success || headers.contains_key("wechatpay-signature") {
            self.platform_keys
                .verify(|name| text_header(headers, name), body, now)
                .map_err(|reason| {
                    operation.unanswered(
                        GATEWAY,
                        format!("answer {status} is not believed: {reason}"),
                    )
                })?;
        }
        if success {
            Ok(())
        } else {
            Err(classify(operation, *status, body))
        }
    }
}

async fn answer_to(
    operation: Operation,
    request: RequestBuilder,
    limit: usize,
) -> Result<Unverified, GatewayError> {
    let response = request
        .send()
        .await
        .map_err(|error| not_sent(GATEWAY, operation, &error))?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = read_body(GATEWAY, operation, response, limit).await?;
    tracing::debug!(
        operation = operation.name(),
        status,
        request_id = text_header(&headers, "request-id").unwrap_or("none"),
        "WeChat Pay answered"
    );
    Ok(Unverified {
        status,
        headers,
        body,
    })
}

pub(super) fn read<A: DeserializeOwned>(
    operation: Operation,
    body: &[u8],
) -> Result<A, GatewayError> {
    serde_json::from_slice(body).map_err(|reason| {
        operation.unanswered(GATEWAY, format!("the answer can't be read: {reason}"))
    })
}
