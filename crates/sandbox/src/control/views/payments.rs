//! Payments, and what their payers do.

use super::CallbackAttempt;
use domain::payment::{GatewayName, Method};
use domain::{Currency, Ts};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How a payment stands, whatever its gateway calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum PaymentState {
    /// Not paid; may be, until its time is over or it is closed.
    NotPay,
    /// The payer agreed; the merchant has not fetched the money yet (gateways of two steps).
    Approved,
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
    /// As in the control API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotPay => "NOTPAY",
            Self::Approved => "APPROVED",
            Self::Success => "SUCCESS",
            Self::Refund => "REFUND",
            Self::Closed => "CLOSED",
            Self::PayError => "PAYERROR",
        }
    }
}

/// How the merchant hears that it was paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayCallback {
    /// At once; again, by the gateway's schedule, until it is accepted.
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

/// The payer pays; with gateways of two steps, agrees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PayRequest {
    /// How the merchant hears of it.
    pub callback: PayCallback,
    /// With `late`: how much later, 600 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 2_592_000)]
    pub late_seconds: Option<u32>,
    /// Minor units really paid, unless it is what was asked for (with `wrong_amount`: one less).
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

/// A payment.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    /// At which gateway, such as `wechat`.
    #[schema(value_type = String)]
    pub gateway: GatewayName,
    /// The merchant's number.
    pub out_trade_no: String,
    /// How it is paid, such as `native`.
    #[schema(value_type = String)]
    pub method: Method,
    /// How it stands.
    pub state: PaymentState,
    /// What is paid for.
    pub description: String,
    /// Minor units asked for.
    pub total: i64,
    /// Such as `CNY`.
    #[schema(value_type = String)]
    pub currency: Currency,
    /// Where notices go, if the request said so.
    pub notify_url: Option<String>,
    /// The last moment to pay.
    #[schema(value_type = String, format = DateTime)]
    pub payable_until: Ts,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// The payer, where the method says who.
    pub payer: Option<String>,
    /// The gateway's own number of the attempt, or what stands for it.
    pub handle: String,
    /// The gateway's number of the money, once paid.
    pub transaction_id: Option<String>,
    /// When it was paid.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paid_at: Option<Ts>,
    /// Minor units really paid.
    pub paid_total: Option<i64>,
    /// Minor units that went back.
    pub refunded: i64,
    /// The id of the notice, once paid.
    pub notice_id: Option<String>,
    /// The last tries to bring the notice to the merchant.
    pub callbacks: Vec<CallbackAttempt>,
}

/// Which payments.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct PaymentFilter {
    /// Only those of this gateway.
    #[param(value_type = Option<String>)]
    pub gateway: Option<GatewayName>,
    /// Only those in this state.
    pub state: Option<PaymentState>,
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
