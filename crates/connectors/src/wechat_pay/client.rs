//! One signed request and its verified answer.

use super::WechatPay;
use super::errors::{GATEWAY, classify};
use super::signature::{authorization, nonce, request_message};
use crate::gateway::{GatewayError, Operation};
use crate::http::{MAX_ANSWER_BYTES, not_sent, read_body, text_header};
use domain::Ts;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

impl WechatPay {
    /// Asks with `GET` and reads the answer.
    pub(super) async fn get<A: DeserializeOwned>(
        &self,
        operation: Operation,
        path_and_query: &str,
        now: Ts,
    ) -> Result<A, GatewayError> {
        let body = self
            .send(operation, Method::GET, path_and_query, Vec::new(), now)
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
        let answer = self.post_for_bytes(operation, path, body, now).await?;
        read(operation, &answer)
    }

    /// Sends a body with `POST`; the verified answer may be empty (204).
    pub(super) async fn post_for_bytes(
        &self,
        operation: Operation,
        path: &str,
        body: &impl Serialize,
        now: Ts,
    ) -> Result<Vec<u8>, GatewayError> {
        let body = serde_json::to_vec(body)
            .map_err(|reason| operation.refused(GATEWAY, "PARAM_ERROR", &reason.to_string()))?;
        self.send(operation, Method::POST, path, body, now).await
    }

    async fn send(
        &self,
        operation: Operation,
        method: Method,
        path_and_query: &str,
        body: Vec<u8>,
        now: Ts,
    ) -> Result<Vec<u8>, GatewayError> {
        let url = format!(
            "{}{path_and_query}",
            self.config.base_url.trim_end_matches('/')
        );
        let url = Url::parse(&url).map_err(|reason| {
            operation.refused(GATEWAY, "PARAM_ERROR", &format!("{url}: {reason}"))
        })?;
        let authorization = self.authorize(operation, &method, &url, &body, now)?;
        let mut request = self
            .http
            .request(method, url)
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, authorization);
        if let Some(serial) = &self.wanted_serial {
            request = request.header("Wechatpay-Serial", serial);
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| not_sent(GATEWAY, operation, &error))?;
        let status = response.status();
        let headers = response.headers().clone();
        let request_id = text_header(&headers, "request-id")
            .unwrap_or("none")
            .to_owned();
        let answer = read_body(GATEWAY, operation, response, MAX_ANSWER_BYTES).await?;
        tracing::debug!(
            operation = operation.name(),
            status = status.as_u16(),
            request_id,
            "WeChat Pay answered"
        );
        self.check_answer(operation, status.as_u16(), &headers, &answer, now)?;
        Ok(answer)
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
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        now: Ts,
    ) -> Result<(), GatewayError> {
        let success = (200..300).contains(&status);
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
            Err(classify(operation, status, body))
        }
    }
}

fn read<A: DeserializeOwned>(operation: Operation, body: &[u8]) -> Result<A, GatewayError> {
    serde_json::from_slice(body).map_err(|reason| {
        operation.unanswered(GATEWAY, format!("the answer can't be read: {reason}"))
    })
}
