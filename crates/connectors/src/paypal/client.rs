//! One request with its token, and its answer.

use super::PayPal;
use super::errors::{GATEWAY, classify};
use super::token::Token;
use crate::gateway::{GatewayError, Operation};
use crate::http::{MAX_ANSWER_BYTES, not_sent, read_body, text_header};
use domain::Ts;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is asked of PayPal.
pub(super) struct Request<'a> {
    pub(super) operation: Operation,
    pub(super) method: Method,
    /// With its query, and beginning with a slash.
    pub(super) path: &'a str,
    /// `PayPal-Request-Id`: a write that is repeated with the same id is done once, and answered
    /// with how the first one stands. Kept for 6 hours by orders and 45 days by refunds.
    pub(super) request_id: Option<&'a str>,
    /// JSON.
    pub(super) body: Option<Vec<u8>>,
    /// The longest answer that is read.
    pub(super) max_bytes: usize,
}

impl PayPal {
    /// Asks with `GET` and reads the answer.
    pub(super) async fn get<A: DeserializeOwned>(
        &self,
        operation: Operation,
        path: &str,
        now: Ts,
    ) -> Result<A, GatewayError> {
        let request = Request {
            operation,
            method: Method::GET,
            path,
            request_id: None,
            body: None,
            max_bytes: MAX_ANSWER_BYTES,
        };
        read(operation, &self.send(&request, now).await?)
    }

    /// Sends a body with `POST` and reads the answer.
    pub(super) async fn post<A: DeserializeOwned>(
        &self,
        operation: Operation,
        path: &str,
        request_id: &str,
        body: &impl Serialize,
        now: Ts,
    ) -> Result<A, GatewayError> {
        let body = serde_json::to_vec(body)
            .map_err(|reason| operation.refused(GATEWAY, "PARAM_ERROR", &reason.to_string()))?;
        let request = Request {
            operation,
            method: Method::POST,
            path,
            request_id: Some(request_id),
            body: Some(body),
            max_bytes: MAX_ANSWER_BYTES,
        };
        read(operation, &self.send(&request, now).await?)
    }

    /// Sends, and once more with a fresh token if the first one was not taken: a request that is
    /// answered 401 was not looked at, so it may be sent again.
    pub(super) async fn send(
        &self,
        request: &Request<'_>,
        now: Ts,
    ) -> Result<Vec<u8>, GatewayError> {
        let operation = request.operation;
        let token = self.token(operation, None, now).await?;
        let (mut status, mut body) = self.send_once(request, &token).await?;
        if status == 401 {
            let fresh = self.token(operation, Some(&token), now).await?;
            (status, body) = self.send_once(request, &fresh).await?;
        }
        if (200..300).contains(&status) {
            Ok(body)
        } else {
            Err(classify(operation, status, &body))
        }
    }

    async fn token(
        &self,
        operation: Operation,
        refused: Option<&Token>,
        now: Ts,
    ) -> Result<Token, GatewayError> {
        let PayPal { http, config, .. } = self;
        self.tokens.get(http, config, operation, refused, now).await
    }

    async fn send_once(
        &self,
        request: &Request<'_>,
        token: &Token,
    ) -> Result<(u16, Vec<u8>), GatewayError> {
        let operation = request.operation;
        let mut call = self
            .http
            .request(request.method.clone(), self.config.url(request.path))
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, token.header());
        if let Some(id) = request.request_id {
            // The whole resource and not only its id, so that the amount can be compared.
            call = call
                .header("PayPal-Request-Id", id)
                .header("Prefer", "return=representation");
        }
        if let Some(body) = &request.body {
            call = call
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let response = call
            .send()
            .await
            .map_err(|error| not_sent(GATEWAY, operation, &error))?;
        let status = response.status().as_u16();
        let debug_id = text_header(response.headers(), "paypal-debug-id")
            .unwrap_or("none")
            .to_owned();
        let body = read_body(GATEWAY, operation, response, request.max_bytes).await?;
        tracing::debug!(
            operation = operation.name(),
            status,
            debug_id,
            "PayPal answered"
        );
        Ok((status, body))
    }
}

fn read<A: DeserializeOwned>(operation: Operation, body: &[u8]) -> Result<A, GatewayError> {
    serde_json::from_slice(body).map_err(|reason| {
        operation.unanswered(GATEWAY, format!("the answer can't be read: {reason}"))
    })
}
