//! PayPal's no.

use super::ids;
use crate::SandboxError;
use crate::control::views::RefundRefusal;
use crate::refusal::MoneyRefusal;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use connectors::paypal::wire::{ErrorAnswer, ErrorDetail};
use serde_json::json;

/// PayPal's no: an HTTP status, a name, and what exactly is wrong.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    name: &'static str,
    /// Issue and words.
    detail: Option<(&'static str, String)>,
}

impl Refusal {
    fn new(status: StatusCode, name: &'static str, issue: &'static str, words: &str) -> Self {
        Self {
            status,
            name,
            detail: Some((issue, words.to_owned())),
        }
    }

    fn bare(status: StatusCode, name: &'static str) -> Self {
        Self {
            status,
            name,
            detail: None,
        }
    }

    /// Not well formed.
    pub(super) fn invalid(issue: &'static str, words: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", issue, words)
    }

    /// Understood, and not done.
    pub(super) fn unprocessable(issue: &'static str, words: &str) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "UNPROCESSABLE_ENTITY", issue, words)
    }

    pub(super) fn not_found() -> Self {
        let words = "Specified resource ID does not exist.";
        let (name, issue) = ("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID");
        Self::new(StatusCode::NOT_FOUND, name, issue, words)
    }

    /// PayPal itself failed.
    pub(super) fn internal() -> Self {
        Self::bare(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR")
    }

    /// What the money rules say about captures.
    pub(super) fn of_capture(refusal: MoneyRefusal) -> Self {
        match refusal {
            MoneyRefusal::NoSuchPayment => Self::not_found(),
            MoneyRefusal::Paid => {
                let words = "Order already captured.";
                Self::unprocessable("ORDER_ALREADY_CAPTURED", words)
            }
            MoneyRefusal::NotApproved | MoneyRefusal::Closed | MoneyRefusal::Expired => {
                let words = "Payer has not yet approved the Order for payment.";
                Self::unprocessable("ORDER_NOT_APPROVED", words)
            }
            MoneyRefusal::Failed => {
                let words = "The instrument presented was either declined by the processor or \
                             bank, or it can't be used for this payment.";
                Self::unprocessable("INSTRUMENT_DECLINED", words)
            }
            other => Self::of_refund(other, false),
        }
    }

    /// What the money rules say about refunds. `nothing_left` where all is given back already.
    pub(super) fn of_refund(refusal: MoneyRefusal, nothing_left: bool) -> Self {
        match refusal {
            MoneyRefusal::NoSuchPayment | MoneyRefusal::NotPaid => Self::not_found(),
            MoneyRefusal::OtherTerms | MoneyRefusal::OtherRefund => {
                let words = "The PayPal-Request-Id has already been used for another request.";
                Self::unprocessable("PAYPAL_REQUEST_ID_PREVIOUSLY_USED", words)
            }
            MoneyRefusal::TooManyRefunds(_) => {
                let words = "You have exceeded the number of refunds for this capture.";
                Self::unprocessable("MAX_NUMBER_OF_REFUNDS_EXCEEDED", words)
            }
            MoneyRefusal::PaidTooLongAgo => {
                let words = "You are over the time limit to perform a refund on this capture.";
                Self::unprocessable("REFUND_TIME_LIMIT_EXCEEDED", words)
            }
            MoneyRefusal::MoreThanPaid if nothing_left => {
                let words = "The capture has already been fully refunded.";
                Self::unprocessable("CAPTURE_FULLY_REFUNDED", words)
            }
            MoneyRefusal::MoreThanPaid => {
                let words = "The refund amount must be at most the capture's remaining amount.";
                Self::unprocessable("REFUND_AMOUNT_EXCEEDED", words)
            }
            MoneyRefusal::RefundRefused(refusal) => Self::refused(refusal),
            MoneyRefusal::OutcomeUntold => Self::internal(),
            MoneyRefusal::Sandbox(error) => error.into(),
            MoneyRefusal::Paid
            | MoneyRefusal::Closed
            | MoneyRefusal::Failed
            | MoneyRefusal::Expired
            | MoneyRefusal::NotAbnormal
            | MoneyRefusal::NotApproved => {
                Self::unprocessable("REFUND_NOT_ALLOWED", &refusal.to_string())
            }
        }
    }

    fn refused(refusal: RefundRefusal) -> Self {
        match refusal {
            RefundRefusal::NotEnough => {
                let words = "Capture could not be refunded due to insufficient funds.";
                Self::unprocessable("REFUND_FAILED_INSUFFICIENT_FUNDS", words)
            }
            RefundRefusal::UserAccountAbnormal | RefundRefusal::RequestBlocked => {
                Self::unprocessable("REFUND_NOT_ALLOWED", "Capture cannot be refunded.")
            }
            RefundRefusal::NoAuth => {
                let (name, issue) = ("NOT_AUTHORIZED", "PERMISSION_DENIED");
                let words = "You do not have permission to perform operations on this resource.";
                Self::new(StatusCode::FORBIDDEN, name, issue, words)
            }
            RefundRefusal::InvalidRequest => Self::invalid(
                "INVALID_PARAMETER_VALUE",
                "The value of a field is invalid.",
            ),
            RefundRefusal::FrequencyLimited => {
                Self::bare(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMIT_REACHED")
            }
            RefundRefusal::SystemError => Self::internal(),
        }
    }
}

impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Self {
        tracing::error!(%error, "the sandbox could not keep its book");
        Self::internal()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let debug_id = ids::debug_id();
        let detail = self.detail.map(|(issue, description)| ErrorDetail {
            issue: issue.to_owned(),
            description,
        });
        let body = ErrorAnswer {
            name: self.name.to_owned(),
            message: "The requested action could not be performed.".to_owned(),
            debug_id: debug_id.clone(),
            details: detail.into_iter().collect(),
        };
        let mut answer = (self.status, axum::Json(body)).into_response();
        if let Ok(value) = HeaderValue::from_str(&debug_id) {
            answer.headers_mut().insert("paypal-debug-id", value);
        }
        answer
    }
}

/// The no of the token service, and of a token that is not taken.
pub(super) fn oauth_error(status: StatusCode, error: &str, words: &str) -> Response {
    let body = json!({ "error": error, "error_description": words });
    (status, axum::Json(body)).into_response()
}
