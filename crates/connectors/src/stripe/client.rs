//! One request and its answer.

use super::Stripe;
use super::errors::{BAD_PARAMETER, GATEWAY, classify, read_error};
use super::wire::ErrorDetail;
use crate::gateway::{GatewayError, Operation};
use crate::http::{not_sent, read_body, text_header};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;

/// The version of the API whose shapes [`super::wire`] knows. Stripe keeps every version alive;
/// check the changelog before moving on. Notices come in the version that the webhook endpoint was
/// made with, which is why they are read with as few fields as possible.
pub const API_VERSION: &str = "2024-06-20";

/// The fields of a form or a query, in their order.
pub(super) type Fields<'f> = [(&'f str, &'f str)];

/// What came back: the status is not looked at yet.
pub(super) struct Answer {
    operation: Operation,
    status: u16,
    /// Whether it is the stored answer to an earlier request with the same key.
    pub(super) replayed: bool,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Reads a 2xx; everything else is the error that it stands for.
    pub(super) fn read<A: DeserializeOwned>(&self) -> Result<A, GatewayError> {
        if !(200..300).contains(&self.status) {
            return Err(classify(self.operation, self.status, &self.body));
        }
        serde_json::from_slice(&self.body)
            .map_err(|reason| self.unanswered(format!("the answer can't be read: {reason}")))
    }

    /// The error of a 4xx, in Stripe's words.
    pub(super) fn error(&self) -> Option<ErrorDetail> {
        (400..500)
            .contains(&self.status)
            .then(|| read_error(&self.body))
            .flatten()
    }

    fn unanswered(&self, reason: String) -> GatewayError {
        self.operation.unanswered(GATEWAY, reason)
    }
}

impl Stripe {
    /// Asks with `GET`; an answer of more than `limit` bytes is none.
    pub(super) async fn get(
        &self,
        operation: Operation,
        path: &str,
        query: &Fields<'_>,
        limit: usize,
    ) -> Result<Answer, GatewayError> {
        let mut url = self.url(operation, path)?;
        if !query.is_empty() {
            url.set_query(Some(&encode(query)));
        }
        let request = self.http.request(Method::GET, url);
        self.send(operation, request, limit).await
    }

    /// Sends a form with `POST`. A key makes repeating it safe: the first answer comes again.
    pub(super) async fn post(
        &self,
        operation: Operation,
        path: &str,
        form: &Fields<'_>,
        key: Option<&str>,
    ) -> Result<Answer, GatewayError> {
        let mut request = self
            .http
            .request(Method::POST, self.url(operation, path)?)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encode(form));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        self.send(operation, request, crate::http::MAX_ANSWER_BYTES)
            .await
    }

    fn url(&self, operation: Operation, path: &str) -> Result<reqwest::Url, GatewayError> {
        self.base.join(path).map_err(|reason| {
            operation.refused(GATEWAY, BAD_PARAMETER, &format!("{path}: {reason}"))
        })
    }

    async fn send(
        &self,
        operation: Operation,
        request: RequestBuilder,
        limit: usize,
    ) -> Result<Answer, GatewayError> {
        let response = request
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, self.authorization.clone())
            .header("Stripe-Version", API_VERSION)
            .send()
            .await
            .map_err(|error| not_sent(GATEWAY, operation, &error))?;
        let status = response.status().as_u16();
        let headers = response.headers();
        let replayed = text_header(headers, "idempotent-replayed") == Some("true");
        let request_id = text_header(headers, "request-id")
            .unwrap_or("none")
            .to_owned();
        let body = read_body(GATEWAY, operation, response, limit).await?;
        tracing::debug!(
            operation = operation.name(),
            status,
            replayed,
            request_id,
            "Stripe answered"
        );
        Ok(Answer {
            operation,
            status,
            replayed,
            body,
        })
    }
}

fn encode(fields: &Fields<'_>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}
