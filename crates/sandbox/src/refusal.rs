//! Why money stays where it is.

use crate::SandboxError;
use crate::control::views::RefundRefusal;
use thiserror::Error;

/// What the money rules say against a request. Each counterparty says it with its own codes.
#[derive(Debug, Error)]
pub(crate) enum MoneyRefusal {
    /// No payment of this gateway has the number.
    #[error("no payment has this number")]
    NoSuchPayment,
    /// The number was opened with other terms, or at another gateway.
    #[error("the number is known with other terms")]
    OtherTerms,
    /// Paid already.
    #[error("the payment is paid")]
    Paid,
    /// Closed already.
    #[error("the payment is closed")]
    Closed,
    /// The payer failed.
    #[error("the payment failed")]
    Failed,
    /// Its time to be paid is over.
    #[error("the payment's time is over")]
    Expired,
    /// There is nothing to fetch yet.
    #[error("the payer has not agreed")]
    NotApproved,
    /// There is nothing to refund.
    #[error("the payment is not paid")]
    NotPaid,
    /// The refund's number was used with another payment, amount or other terms.
    #[error("the refund's number is known with another payment or amount")]
    OtherRefund,
    /// The gateway allows no more.
    #[error("the payment has {0} refunds already")]
    TooManyRefunds(usize),
    /// The gateway's time for refunds is over.
    #[error("the payment was paid too long ago")]
    PaidTooLongAgo,
    /// More than there is.
    #[error("the refunds would be more than was paid")]
    MoreThanPaid,
    /// Only what came back from the payer's card or account can be sent elsewhere.
    #[error("the refund is not abnormal")]
    NotAbnormal,
    /// The fault `refuseRefunds` is on.
    #[error("refunds are refused: {0:?}")]
    RefundRefused(RefundRefusal),
    /// The work is done, and a fault wants the answer not to say so: the gateway's words for its
    /// own failure.
    #[error("the work is done, and the answer does not say so")]
    OutcomeUntold,
    /// The sandbox itself failed, and did nothing: the gateway's words for its own failure.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}
