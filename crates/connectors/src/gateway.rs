//! What the engine asks of a payment gateway (spec 20).

use domain::{Money, Ts};
use std::future::Future;
use std::pin::Pin;
use thiserror::Error;

/// Why a gateway gave no usable answer. The three are never mixed: what is unknown is asked
/// again, never taken for a failure (spec 20).
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum GatewayError {
    /// The gateway said no, for good; nothing was done there.
    #[error("{gateway} refused {operation}: {code}: {message}")]
    Refused {
        /// Which gateway, such as `wechat`.
        gateway: &'static str,
        /// What was asked, such as `refund`.
        operation: &'static str,
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
        gateway: &'static str,
        /// What was asked.
        operation: &'static str,
        /// What happened.
        reason: String,
    },
    /// It is not known whether the gateway did it (time-out, unreadable or wrongly signed answer).
    #[error("it is unknown whether {gateway} did {operation}: {reason}")]
    Unknown {
        /// Which gateway.
        gateway: &'static str,
        /// What was asked.
        operation: &'static str,
        /// What happened.
        reason: String,
    },
}

/// How the patient will pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentMethod {
    /// Inside WeChat: needs the payer's `openid`.
    Jsapi,
    /// A QR code that the payer scans.
    Native,
}

/// One payment to be started. Repeating it with the same number is safe.
#[derive(Debug, Clone)]
pub struct StartPayment {
    /// Our number of the attempt: 6 to 32 of `0-9A-Za-z_-|*`.
    pub out_trade_no: String,
    /// What is paid for, at most 127 characters are sent.
    pub description: String,
    /// How much.
    pub amount: Money,
    /// The last moment at which it may be paid.
    pub expires_at: Ts,
    /// How.
    pub method: PaymentMethod,
    /// The payer's identity at the gateway, where the method needs it.
    pub payer: Option<String>,
}

/// What the payer's device needs to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentStarted {
    /// The fields for `wx.requestPayment`, signed, in the gateway's own names.
    Jsapi(serde_json::Value),
    /// The text of the QR code.
    Native {
        /// Such as `weixin://wxpay/bizpayurl?pr=...`.
        code_url: String,
    },
}

/// What the gateway says of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentState {
    /// Paid, with the gateway's number and the amount that was really paid.
    Paid(PaidNotice),
    /// Not paid yet, may still be.
    Open,
    /// Closed: can't be paid any more.
    Closed,
    /// The payer tried and failed; can't be paid any more.
    Failed {
        /// The gateway's words.
        reason: String,
    },
    /// The gateway doesn't know the number (its start may never have arrived there).
    NotFound,
}

/// A proven payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidNotice {
    /// Our number.
    pub out_trade_no: String,
    /// The gateway's number.
    pub transaction_id: String,
    /// What was really paid.
    pub amount: Money,
    /// When, by the gateway's clock.
    pub paid_at: Ts,
}

/// One refund to be sent. Repeating it with the same number pays once.
#[derive(Debug, Clone)]
pub struct StartRefund {
    /// The payment's number.
    pub out_trade_no: String,
    /// Our number of the refund: at most 64 of `0-9A-Za-z_-|*@`.
    pub out_refund_no: String,
    /// How much goes back.
    pub amount: Money,
    /// What had been paid in all.
    pub total: Money,
    /// Shown to the payer, at most 80 characters are sent.
    pub reason: String,
}

/// What the gateway says of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundState {
    /// The money is back.
    Succeeded {
        /// The gateway's number.
        refund_id: String,
        /// When, by the gateway's clock.
        at: Ts,
    },
    /// On its way.
    Processing,
    /// The number is dead; another try needs a new number (WeChat `CLOSED`).
    Closed,
    /// The payer's card or account can't take it; operations must act (WeChat `ABNORMAL`).
    Abnormal,
    /// The gateway doesn't know the number.
    NotFound,
}

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

/// A boxed future, so that gateways can be chosen at run time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, GatewayError>> + Send + 'a>>;

/// A counterparty that takes payments and gives refunds.
pub trait PaymentGateway: Send + Sync + 'static {
    /// Its name in the API and the database, such as `wechat`.
    fn name(&self) -> &'static str;
    /// Starts a payment; safe to repeat with the same number and fields.
    fn start<'a>(&'a self, payment: &'a StartPayment, now: Ts) -> Answer<'a, PaymentStarted>;
    /// Asks how a payment stands.
    fn query<'a>(&'a self, out_trade_no: &'a str, now: Ts) -> Answer<'a, PaymentState>;
    /// Closes an unpaid payment. `Ok` says only that the close was accepted; query to be sure.
    fn close<'a>(&'a self, out_trade_no: &'a str, now: Ts) -> Answer<'a, ()>;
    /// Sends a refund. `Processing` is acceptance, not success.
    fn refund<'a>(&'a self, refund: &'a StartRefund, now: Ts) -> Answer<'a, RefundState>;
    /// Asks how a refund stands.
    fn query_refund<'a>(&'a self, out_refund_no: &'a str, now: Ts) -> Answer<'a, RefundState>;
    /// Verifies and reads a callback.
    fn callback(&self, callback: &Callback<'_>, now: Ts) -> Result<Notice, CallbackError>;
}
