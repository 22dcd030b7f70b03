//! What gateways send to us by themselves, and what they are answered.

use super::{PaidNotice, RefundState};
use thiserror::Error;

/// A verified notice from a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A payment was made.
    Paid {
        /// The notice's own id, the same in every repetition.
        notice_id: String,
        /// What was paid.
        paid: PaidNotice,
    },
    /// A refund ended.
    Refund {
        /// The notice's own id, the same in every repetition.
        notice_id: String,
        /// Our number of the refund.
        out_refund_no: String,
        /// How it stands.
        state: RefundState,
    },
    /// Something happened to a payment; asking the gateway says what (spec 20: the gateway's query
    /// decides).
    AskPayment {
        /// The notice's own id, the same in every repetition.
        notice_id: String,
        /// Our number of the attempt.
        out_trade_no: String,
    },
    /// Something happened to a refund; asking the gateway says what.
    AskRefund {
        /// The notice's own id, the same in every repetition.
        notice_id: String,
        /// Our number of the refund.
        out_refund_no: String,
    },
    /// Something we have no use for, to be acknowledged.
    Other {
        /// The notice's own id.
        notice_id: String,
        /// What it is, by its own name.
        event_type: String,
    },
}

/// Why a callback was turned away. It changed nothing.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum CallbackError {
    /// Bad or missing signature: answered 401, counted.
    #[error("the callback's signature does not verify: {0}")]
    BadSignature(String),
    /// WeChat's deliberate probe with a wrong signature: answered 401, not counted.
    #[error("a signature probe was refused, as it should be")]
    SignatureProbe,
    /// More than five minutes old or ahead: answered 401.
    #[error("the callback's time {timestamp} is more than five minutes from ours, {now}")]
    Stale {
        /// The header's Unix seconds.
        timestamp: i64,
        /// Our Unix seconds.
        now: i64,
    },
    /// Signed, but unreadable: answered 400.
    #[error("the callback can't be read: {0}")]
    Malformed(String),
    /// It can't be verified just now (its certificate can't be fetched): answered 503.
    #[error("the callback can't be verified now: {0}")]
    NotNow(String),
}

/// A callback as it came in: header names in lower case, and the raw body.
#[derive(Debug, Clone)]
pub struct Callback<'a> {
    /// Looks up a header by its lower-case name.
    pub headers: &'a [(String, String)],
    /// The bytes as received, over which the signature goes.
    pub body: &'a [u8],
}

impl Callback<'_> {
    /// The first header of this name (any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// What a gateway is answered, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body's type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Reply {
    /// A line of plain text.
    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: body.to_owned(),
        }
    }

    /// A JSON value.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: body.to_string(),
        }
    }
}
