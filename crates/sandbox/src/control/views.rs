//! The JSON of the control API. Times are UTC, amounts whole fen.

use domain::Ts;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How the payer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TradeType {
    /// Inside WeChat.
    Jsapi,
    /// By a QR code.
    Native,
}

/// WeChat's `trade_state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum PaymentState {
    /// Not paid; may be, until its time is over or it is closed.
    NotPay,
    /// Paid.
    Success,
    /// Paid, and at least one refund was accepted.
    Refund,
    /// Closed by the merchant.
    Closed,
    /// The payer failed.
    PayError,
}

impl PaymentState {
    /// As WeChat writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotPay => "NOTPAY",
            Self::Success => "SUCCESS",
            Self::Refund => "REFUND",
            Self::Closed => "CLOSED",
            Self::PayError => "PAYERROR",
        }
    }
}

/// A refund's `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RefundStatus {
    /// On its way.
    Processing,
    /// The money is back.
    Success,
    /// The payer's card can't take it.
    Abnormal,
    /// The number is dead; nothing went back.
    Closed,
}

impl RefundStatus {
    /// As WeChat writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Success => "SUCCESS",
            Self::Abnormal => "ABNORMAL",
            Self::Closed => "CLOSED",
        }
    }
}

/// How the merchant hears that it was paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayCallback {
    /// At once; again, by WeChat's schedule, until it is accepted.
    #[default]
    Once,
    /// Two copies at the same time.
    Twice,
    /// After `lateSeconds`.
    Late,
    /// Not at all: only a query tells.
    Never,
    /// At once, of another amount than was asked for; that amount was really paid.
    WrongAmount,
    /// At once, but signed with a wrong key; a query tells the truth.
    BadSignature,
}

/// The payer pays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PayRequest {
    /// How the merchant hears of it.
    pub callback: PayCallback,
    /// With `late`: how much later, 600 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 2_592_000)]
    pub late_seconds: Option<u32>,
    /// Fen really paid, unless it is what was asked for (with `wrong_amount`: one less).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub amount: Option<i64>,
}

/// The notice of a payment is sent again, now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RedeliverRequest {
    /// How many copies.
    #[schema(minimum = 1, maximum = 50)]
    pub times: u32,
    /// All copies at the same time, not one after the other.
    pub at_once: bool,
    /// Signed with a wrong key.
    pub bad_signature: bool,
    /// Signed as so many seconds ago.
    pub stale_seconds: u32,
}

impl Default for RedeliverRequest {
    fn default() -> Self {
        Self {
            times: 1,
            at_once: false,
            bad_signature: false,
            stale_seconds: 0,
        }
    }
}

/// What the merchant answered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Redelivered {
    /// The notice's id, the same in every copy.
    pub notice_id: String,
    /// One for each copy.
    pub answers: Vec<CallbackAttempt>,
}

/// How the merchant hears how a refund ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeCallback {
    /// At once.
    #[default]
    Once,
    /// Two copies at the same time.
    Twice,
    /// After `lateSeconds`.
    Late,
    /// Not at all.
    Never,
    /// At once, but signed with a wrong key.
    BadSignature,
}

/// How a refund ends.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutcomeRequest {
    /// `PROCESSING` lets it hang until another outcome is set.
    pub status: RefundStatus,
    /// How the merchant hears of it.
    #[serde(default)]
    pub callback: OutcomeCallback,
    /// With `late`: how much later, 600 unless given.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 2_592_000)]
    pub late_seconds: Option<u32>,
}

/// One try to bring a notice to the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallbackAttempt {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Ts,
    /// The merchant's HTTP status, if it answered.
    pub status: Option<u16>,
    /// Why it didn't.
    pub error: Option<String>,
}

impl CallbackAttempt {
    /// Whether WeChat would take it for delivered: 200 or 204, the body doesn't count.
    pub fn accepted(&self) -> bool {
        matches!(self.status, Some(200 | 204))
    }
}

/// A payment.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    /// The merchant's number.
    pub out_trade_no: String,
    /// How it is paid.
    pub trade_type: TradeType,
    /// How it stands.
    pub state: PaymentState,
    /// What is paid for.
    pub description: String,
    /// Fen asked for.
    pub total: i64,
    /// `CNY`.
    pub currency: String,
    /// Where notices go.
    pub notify_url: String,
    /// The last moment to pay.
    #[schema(value_type = String, format = DateTime)]
    pub payable_until: Ts,
    /// When its prepay came.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// The payer, with JSAPI.
    pub openid: Option<String>,
    /// `prepay_id` or `code_url`.
    pub handle: String,
    /// WeChat's number, once paid.
    pub transaction_id: Option<String>,
    /// When it was paid.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paid_at: Option<Ts>,
    /// Fen really paid.
    pub paid_total: Option<i64>,
    /// Fen that went back.
    pub refunded: i64,
    /// The id of the notice, once paid.
    pub notice_id: Option<String>,
    /// The last tries to bring the notice to the merchant.
    pub callbacks: Vec<CallbackAttempt>,
}

/// A refund.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundView {
    /// The merchant's number.
    pub out_refund_no: String,
    /// WeChat's number.
    pub refund_id: String,
    /// The payment, by the merchant's number.
    pub out_trade_no: String,
    /// The payment, by WeChat's number.
    pub transaction_id: String,
    /// How it stands.
    pub status: RefundStatus,
    /// Fen to give back.
    pub refund: i64,
    /// Fen that had been paid.
    pub total: i64,
    /// `CNY`.
    pub currency: String,
    /// What the payer reads.
    pub reason: Option<String>,
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// When the money was back.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub success_at: Option<Ts>,
    /// The id of the notice.
    pub notice_id: String,
    /// The last tries to bring the notice to the merchant.
    pub callbacks: Vec<CallbackAttempt>,
}

/// Which payments.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct PaymentFilter {
    /// Only those in this state.
    pub state: Option<PaymentState>,
    /// At most so many, the newest: 1 to 1000, 100 unless given.
    pub limit: Option<usize>,
}

/// Which refunds.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct RefundFilter {
    /// Only those in this status.
    pub status: Option<RefundStatus>,
    /// Only those of this payment.
    pub out_trade_no: Option<String>,
    /// At most so many, the newest: 1 to 1000, 100 unless given.
    pub limit: Option<usize>,
}

/// Payments, the newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentList {
    /// How many there are in all.
    pub count: usize,
    /// The newest of them.
    pub payments: Vec<PaymentView>,
}

/// Refunds, the newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundList {
    /// How many there are in all.
    pub count: usize,
    /// The newest of them.
    pub refunds: Vec<RefundView>,
}

/// So many, and their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Total {
    /// How many.
    pub count: u64,
    /// Their sum in fen.
    pub fen: i64,
}

/// Where the money is, by the gateway's book.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Payments that were paid, with what was really paid.
    pub paid: Total,
    /// Refunds that succeeded.
    pub refunded: Total,
    /// Fen held for the merchant: paid less refunded.
    pub net_fen: i64,
}

/// With which of WeChat's codes new refunds are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundRefusal {
    /// 403: the merchant's balance is short.
    NotEnough,
    /// 403: the payer's account can't take it.
    UserAccountAbnormal,
    /// 403: the merchant may not.
    NoAuth,
    /// 403: blocked for risk.
    RequestBlocked,
    /// 400: can't be refunded.
    InvalidRequest,
    /// 429: too many requests.
    FrequencyLimited,
    /// 500: WeChat itself failed, and did nothing.
    SystemError,
}

/// Which write is done and then answered with 500 `SYSTEM_ERROR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownOutcome {
    /// Starting a payment.
    Prepay,
    /// A refund.
    Refund,
    /// Closing a payment.
    Close,
}

/// What goes wrong, until it is set otherwise. What is left out is off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// Every API call is answered 503, unsigned, and not carried out.
    pub down: bool,
    /// New refunds are refused with this code.
    pub refuse_refunds: Option<RefundRefusal>,
    /// Refunds stay `PROCESSING` while this is on; afterwards they arrive.
    pub refunds_hang: bool,
    /// Every answer is held back for so long in real time, after the work is done.
    #[schema(maximum = 600_000)]
    pub slow_millis: u32,
    /// This write is done, and then answered with 500 `SYSTEM_ERROR`.
    pub unknown_outcome: Option<UnknownOutcome>,
    /// Notices get lost on their way; they are repeated by WeChat's schedule.
    pub drop_callbacks: bool,
}

/// Whether payments pay themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Autopay {
    /// Whether new payments do.
    pub enabled: bool,
    /// How long after their prepay.
    #[serde(default)]
    #[schema(maximum = 2_592_000)]
    pub delay_seconds: u32,
}

/// Everything that can be set.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Settings {
    pub(crate) faults: Faults,
    pub(crate) autopay: Autopay,
}

/// The sandbox's clock.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClockView {
    /// Its time.
    #[schema(value_type = String, format = DateTime)]
    pub now: Ts,
}

/// Moves the clock forward.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvanceRequest {
    /// By how much: 1 second to 366 days.
    #[schema(minimum = 1, maximum = 31_622_400)]
    pub seconds: u32,
}

/// Why the control API said no.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ControlErrorBody {
    /// `BAD_REQUEST`, `NOT_FOUND`, `CONFLICT`, `METHOD_NOT_ALLOWED` or `INTERNAL`.
    pub code: &'static str,
    /// What is wrong, and what would be right.
    pub message: String,
}
