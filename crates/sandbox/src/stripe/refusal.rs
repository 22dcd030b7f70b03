//! Stripe's no.

use crate::SandboxError;
use crate::control::views::RefundRefusal;
use crate::refusal::MoneyRefusal;
use serde_json::{Value, json};

/// Stripe's no: an HTTP status, and an error with a type, perhaps a code, and words.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    error: Value,
}

impl Refusal {
    fn new(status: u16, kind: &str, code: Option<&str>, message: &str) -> Self {
        let mut error = json!({ "type": kind, "message": message });
        if let Some(code) = code {
            error["code"] = json!(code);
        }
        Self { status, error }
    }

    /// The same with another HTTP status.
    fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The request can't be done as it is.
    pub(super) fn invalid(code: Option<&str>, message: &str) -> Self {
        Self::new(400, "invalid_request_error", code, message)
    }

    /// A parameter is wrong.
    pub(super) fn param(name: &str, code: &str, message: &str) -> Self {
        let mut refusal = Self::invalid(Some(code), message);
        refusal.error["param"] = json!(name);
        refusal
    }

    /// There is no such object.
    pub(super) fn missing(what: &str, id: &str) -> Self {
        let message = format!("No such {what}: '{id}'");
        Self::param(what, "resource_missing", &message).with_status(404)
    }

    /// Whoever asks is nobody.
    pub(super) fn unauthorized(message: &str) -> Self {
        Self::invalid(None, message).with_status(401)
    }

    /// The key was used for something else.
    pub(super) fn other_parameters(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were \
             first used with. Try using a key other than '{key}' if you meant to execute a \
             different request."
        );
        Self::new(400, "idempotency_error", None, &message)
    }

    /// The intent is past that.
    pub(super) fn unexpected_state(message: &str, intent: Value) -> Self {
        let mut refusal = Self::invalid(Some("payment_intent_unexpected_state"), message);
        refusal.error["payment_intent"] = intent;
        refusal
    }

    /// Stripe's own failure.
    fn failure(message: &str) -> Self {
        Self::new(500, "api_error", None, message)
    }

    /// What the money rules say about refunds.
    pub(super) fn of_refund(refusal: MoneyRefusal, intent_id: &str, left: i64) -> Self {
        match refusal {
            MoneyRefusal::NoSuchPayment => Self::missing("payment_intent", intent_id),
            MoneyRefusal::NotPaid => Self::invalid(
                None,
                &format!(
                    "This PaymentIntent ({intent_id}) does not have a successful charge to refund."
                ),
            ),
            MoneyRefusal::MoreThanPaid if left <= 0 => Self::invalid(
                Some("charge_already_refunded"),
                "The charge has already been refunded.",
            ),
            MoneyRefusal::MoreThanPaid => Self::param(
                "amount",
                "parameter_invalid_integer",
                &format!("Refund amount is greater than unrefunded amount on charge ({left})"),
            ),
            MoneyRefusal::RefundRefused(refusal) => Self::refused(refusal),
            other => Self::of_payment(other),
        }
    }

    /// What the money rules say otherwise. Numbers are new here, so most can't be.
    pub(super) fn of_payment(refusal: MoneyRefusal) -> Self {
        match refusal {
            MoneyRefusal::Sandbox(error) => error.into(),
            MoneyRefusal::RefundRefused(refusal) => Self::refused(refusal),
            MoneyRefusal::NoSuchPayment
            | MoneyRefusal::OtherTerms
            | MoneyRefusal::Paid
            | MoneyRefusal::Closed
            | MoneyRefusal::Failed
            | MoneyRefusal::Expired
            | MoneyRefusal::NotAbnormal
            | MoneyRefusal::NotApproved
            | MoneyRefusal::NotPaid
            | MoneyRefusal::OtherRefund
            | MoneyRefusal::TooManyRefunds(_)
            | MoneyRefusal::PaidTooLongAgo
            | MoneyRefusal::MoreThanPaid
            | MoneyRefusal::OutcomeUntold => Self::failure(&refusal.to_string()),
        }
    }

    fn refused(refusal: RefundRefusal) -> Self {
        let invalid = |code: &str, message: &str| Self::invalid(Some(code), message);
        match refusal {
            RefundRefusal::NotEnough => invalid(
                "balance_insufficient",
                "Insufficient funds in your Stripe balance to refund this amount.",
            ),
            RefundRefusal::UserAccountAbnormal => invalid(
                "refund_disputed_payment",
                "The payment is disputed and can't be refunded.",
            ),
            RefundRefusal::RequestBlocked => {
                invalid("charge_disputed", "The charge has been charged back.")
            }
            RefundRefusal::InvalidRequest => Self::invalid(None, "This payment can't be refunded."),
            RefundRefusal::NoAuth => {
                let message = "The provided key does not have the permission.";
                Self::invalid(None, message).with_status(403)
            }
            RefundRefusal::FrequencyLimited => {
                invalid("rate_limit", "Too many requests hit the API too quickly.").with_status(429)
            }
            RefundRefusal::SystemError => {
                Self::failure("Sorry, there was an error while talking to one of our backends.")
            }
        }
    }

    pub(super) fn body(self) -> Value {
        json!({ "error": self.error })
    }
}

impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Self {
        tracing::error!(%error, "the sandbox could not keep its book");
        Self::failure(&error.to_string())
    }
}
