//! One signed request and its verified answer.

use super::Alipay;
use super::answer::{Head, split};
use super::errors::{GATEWAY, SUCCESS, classify, may_be_unsigned, not_an_answer};
use super::form::encode;
use super::signature::{Parameters, SIGN_TYPE, answer_verifies, request_message};
use super::wire::beijing_time;
use crate::gateway::{GatewayError, Operation};
use crate::http::{MAX_ANSWER_BYTES, not_sent, read_body};
use domain::Ts;
use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use serde::de::DeserializeOwned;

const FORM: &str = "application/x-www-form-urlencoded;charset=utf-8";

impl Alipay {
    /// Asks and reads the answer. Only a verified one that says yes comes back as such.
    pub(super) async fn call<A: DeserializeOwned>(
        &self,
        operation: Operation,
        method: &str,
        content: &impl Serialize,
        now: Ts,
    ) -> Result<A, GatewayError> {
        let parameters = self.signed(operation, method, content, &[], now)?;
        let body = self.post(operation, method, &parameters).await?;
        self.read_answer(operation, method, &body)
    }

    /// The same for methods that begin a payment, which say where the notices go.
    pub(super) async fn call_with_notices<A: DeserializeOwned>(
        &self,
        operation: Operation,
        method: &str,
        content: &impl Serialize,
        now: Ts,
    ) -> Result<A, GatewayError> {
        let notify_url = [("notify_url", self.config.notify_url.as_str())];
        let parameters = self.signed(operation, method, content, &notify_url, now)?;
        let body = self.post(operation, method, &parameters).await?;
        self.read_answer(operation, method, &body)
    }

    /// The parameters of a request with their signature. Nothing is sent.
    pub(super) fn signed(
        &self,
        operation: Operation,
        method: &str,
        content: &impl Serialize,
        more: &[(&str, &str)],
        now: Ts,
    ) -> Result<Parameters, GatewayError> {
        let content = serde_json::to_string(content).map_err(|reason| {
            operation.refused(GATEWAY, "INVALID_PARAMETER", &reason.to_string())
        })?;
        let timestamp = beijing_time(now);
        let mut parameters: Parameters = [
            ("app_id", self.config.app_id.as_str()),
            ("method", method),
            ("format", "JSON"),
            ("charset", "utf-8"),
            ("sign_type", SIGN_TYPE),
            ("timestamp", &timestamp),
            ("version", "1.0"),
            ("biz_content", &content),
        ]
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        let signature = self
            .app_key
            .sign(request_message(&parameters).as_bytes())
            .map_err(|reason| operation.unavailable(GATEWAY, reason.to_string()))?;
        parameters.insert("sign".to_owned(), signature);
        Ok(parameters)
    }

    async fn post(
        &self,
        operation: Operation,
        method: &str,
        parameters: &Parameters,
    ) -> Result<Vec<u8>, GatewayError> {
        let mut url = self.gateway_url.clone();
        // The gateway must know the encoding before it reads the form.
        url.set_query(Some("charset=utf-8"));
        let response = self
            .http
            .post(url)
            .header(CONTENT_TYPE, FORM)
            .body(encode(parameters))
            .send()
            .await
            .map_err(|error| not_sent(GATEWAY, operation, &error))?;
        let status = response.status();
        let body = read_body(GATEWAY, operation, response, MAX_ANSWER_BYTES).await?;
        tracing::debug!(method, status = status.as_u16(), "Alipay answered");
        if status.is_success() {
            Ok(body)
        } else {
            let why = "not one of Alipay's, which come with 200";
            Err(not_an_answer(operation, status.as_u16(), why))
        }
    }

    /// Lets only a verified yes through, and takes a no without a signature only from a gateway
    /// that could not have signed it.
    pub(super) fn read_answer<A: DeserializeOwned>(
        &self,
        operation: Operation,
        method: &str,
        body: &[u8],
    ) -> Result<A, GatewayError> {
        let unreadable = |reason: String| operation.unanswered(GATEWAY, reason);
        let answer = split(body, method).map_err(|error| unreadable(error.to_string()))?;
        if let Some(sign) = &answer.sign
            && !answer_verifies(&self.alipay_key, answer.content, sign)
        {
            return Err(unreadable("the answer's signature is wrong".to_owned()));
        }
        let head: Head = serde_json::from_str(answer.content)
            .map_err(|error| unreadable(format!("the answer can't be read: {error}")))?;
        if answer.sign.is_none() && !may_be_unsigned(&head.code) {
            let reason = format!("answer {} is not signed", head.code);
            return Err(unreadable(reason));
        }
        if head.code != SUCCESS {
            return Err(classify(operation, &head));
        }
        serde_json::from_str(answer.content)
            .map_err(|error| unreadable(format!("the answer can't be read: {error}")))
    }
}
