//! Why a gateway gave no usable answer: no, not now, or unknown. Three answers, never one.

use domain::payment::GatewayName;
use thiserror::Error;

/// Why a gateway gave no usable answer. The three are never mixed: what is unknown is asked
/// again, never taken for a failure (spec 20).
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum GatewayError {
    /// The gateway said no, for good; nothing was done there.
    #[error("{gateway} refused {operation}: {code}: {message}")]
    Refused {
        /// Which gateway.
        gateway: GatewayName,
        /// What was asked.
        operation: Operation,
        /// The gateway's own code, such as `NOT_ENOUGH`.
        code: String,
        /// The gateway's own words.
        message: String,
    },
    /// The gateway surely did nothing and may be asked again later with the same number
    /// (connection refused, `FREQUENCY_LIMITED`, ...).
    #[error("{gateway} could not do {operation} now: {reason}")]
    Unavailable {
        /// Which gateway.
        gateway: GatewayName,
        /// What was asked.
        operation: Operation,
        /// What happened.
        reason: String,
    },
    /// It is not known whether the gateway did it (time-out, unreadable or wrongly signed answer).
    #[error("it is unknown whether {gateway} did {operation}: {reason}")]
    Unknown {
        /// Which gateway.
        gateway: GatewayName,
        /// What was asked.
        operation: Operation,
        /// What happened.
        reason: String,
    },
}

/// What is asked of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Start a payment.
    Start,
    /// Ask about a payment.
    Query,
    /// Fetch the money of an approved payment.
    Collect,
    /// Close a payment.
    Close,
    /// Send a refund.
    Refund,
    /// Ask about a refund.
    QueryRefund,
    /// Send a refund elsewhere.
    RefundElsewhere,
    /// Fetch a bill.
    Bill,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Operation {
    /// As errors, the log and metrics name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Query => "query",
            Self::Collect => "collect",
            Self::Close => "close",
            Self::Refund => "refund",
            Self::QueryRefund => "query_refund",
            Self::RefundElsewhere => "refund_elsewhere",
            Self::Bill => "bill",
        }
    }

    /// Whether the gateway may have done something although there is no answer.
    pub const fn writes(self) -> bool {
        match self {
            Self::Start | Self::Collect | Self::Close | Self::Refund | Self::RefundElsewhere => {
                true
            }
            Self::Query | Self::QueryRefund | Self::Bill => false,
        }
    }

    /// The gateway said no for good.
    pub fn refused(self, gateway: GatewayName, code: &str, message: &str) -> GatewayError {
        GatewayError::Refused {
            gateway,
            operation: self,
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    /// The gateway did nothing and may be asked again.
    pub fn unavailable(self, gateway: GatewayName, reason: impl Into<String>) -> GatewayError {
        GatewayError::Unavailable {
            gateway,
            operation: self,
            reason: reason.into(),
        }
    }

    /// No usable answer came. A write may have been done; a question may simply be asked again.
    pub fn unanswered(self, gateway: GatewayName, reason: impl Into<String>) -> GatewayError {
        if self.writes() {
            GatewayError::Unknown {
                gateway,
                operation: self,
                reason: reason.into(),
            }
        } else {
            self.unavailable(gateway, reason)
        }
    }
}
