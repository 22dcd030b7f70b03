//! One signed request and its verified answer.

use super::UnionPay;
use super::certificate::CertificateError;
use super::codes::GATEWAY;
use super::fields::{Fields, FieldsError};
use super::signature::{self, SignatureError};
use super::time::order_time;
use crate::gateway::{GatewayError, Operation};
use crate::http::{MAX_ANSWER_BYTES, not_sent, read_body};
use domain::Ts;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use thiserror::Error;

/// Why a message that claims to be UnionPay's was not believed.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub(super) enum Disbelief {
    #[error("{0}")]
    Unreadable(#[from] FieldsError),
    #[error("field signPubKeyCert is missing")]
    NoCertificate,
    #[error("signPubKeyCert: {0}")]
    Certificate(#[from] CertificateError),
    #[error("{0}")]
    Signature(#[from] SignatureError),
}

impl UnionPay {
    /// The fields that every request has; `signature::sign` adds the rest.
    pub(super) fn request(&self, txn_type: &str, sub_type: &str, biz_type: &str) -> Fields {
        Fields::default()
            .with("encoding", "UTF-8")
            .with("certId", &self.cert_id)
            .with("txnType", txn_type)
            .with("txnSubType", sub_type)
            .with("bizType", biz_type)
            .with("accessType", "0")
            .with("merId", &self.config.mer_id)
    }

    /// Signs the fields.
    pub(super) fn sign(
        &self,
        operation: Operation,
        fields: Fields,
    ) -> Result<Fields, GatewayError> {
        signature::sign(fields, &self.signing_key)
            .map_err(|reason| operation.unavailable(GATEWAY, reason.to_string()))
    }

    /// Sends a request, and gives back the answer's body and its fields, verified and about what
    /// was asked. Whether it says yes or no is not looked at.
    pub(super) async fn send(
        &self,
        operation: Operation,
        (http, url): (&Client, &Url),
        request: Fields,
        limit: usize,
        now: Ts,
    ) -> Result<(Vec<u8>, Fields), GatewayError> {
        let asked = self.sign(operation, request)?;
        let response = http
            .post(url.clone())
            .header(
                CONTENT_TYPE,
                "application/x-www-form-urlencoded;charset=UTF-8",
            )
            .body(asked.to_form())
            .send()
            .await
            .map_err(|error| not_sent(GATEWAY, operation, &error))?;
        let status = response.status().as_u16();
        let answer = read_body(GATEWAY, operation, response, limit).await?;
        if status != 200 {
            // UnionPay says no within a signed answer of status 200; another status is a proxy's or
            // a broken front's. Too many requests is the one that says that nothing was done.
            let reason = format!("answer {status}");
            return Err(match status {
                429 => operation.unavailable(GATEWAY, reason),
                _ => operation.unanswered(GATEWAY, reason),
            });
        }
        let disbelieved = |reason: Disbelief| {
            operation.unanswered(GATEWAY, format!("the answer is not believed: {reason}"))
        };
        let fields =
            Fields::from_answer(&answer).map_err(|reason| disbelieved(Disbelief::from(reason)))?;
        self.believe(&fields, now).map_err(disbelieved)?;
        tracing::debug!(
            operation = operation.name(),
            resp_code = fields.get("respCode"),
            "UnionPay answered"
        );
        same_subject(&asked, &fields).map_err(|reason| operation.unanswered(GATEWAY, reason))?;
        Ok((answer, fields))
    }

    /// Asks how the transaction of this number and time stands (`queryTrans.do`).
    pub(super) async fn query_transaction(
        &self,
        operation: Operation,
        order_id: &str,
        sent_at: Ts,
        now: Ts,
    ) -> Result<Fields, GatewayError> {
        let request = self
            .request("00", "00", "000000")
            .with("orderId", order_id)
            .with("txnTime", order_time(sent_at));
        let target = (&self.http, &self.urls.query);
        let (_, answer) = self
            .send(operation, target, request, MAX_ANSWER_BYTES, now)
            .await?;
        Ok(answer)
    }

    /// Whether a message is UnionPay's: its certificate first, then its signature.
    pub(super) fn believe(&self, fields: &Fields, now: Ts) -> Result<(), Disbelief> {
        let pem = fields
            .get("signPubKeyCert")
            .ok_or(Disbelief::NoCertificate)?;
        let key = self.trust.key_of(pem, now)?;
        signature::verify(fields, &key)?;
        signature::verify_cut(fields)?;
        Ok(())
    }

    /// A message for another merchant is not ours, however well it is signed.
    pub(super) fn check_owner(&self, fields: &Fields) -> Result<(), String> {
        let (mer_id, ours) = (fields.required("merId")?, &self.config.mer_id);
        if mer_id == ours {
            Ok(())
        } else {
            Err(format!("merId `{mer_id}` is not ours, `{ours}`"))
        }
    }
}

/// An answer is about what was asked. One that says no may leave out what it is about, but may not
/// be about something else: UnionPay echoes less where it could not read more.
fn same_subject(asked: &Fields, told: &Fields) -> Result<(), String> {
    let done = told.get("respCode") == Some("00");
    for name in ["merId", "orderId", "txnTime"] {
        let (asked, told) = (asked.get(name), told.get(name));
        if asked != told && (done || told.is_some()) {
            return Err(format!(
                "asked about {name} `{}`, told about `{}`",
                asked.unwrap_or_default(),
                told.unwrap_or_default()
            ));
        }
    }
    Ok(())
}
