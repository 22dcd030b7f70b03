//! Refunds, and how they end.

use super::CallbackAttempt;
use domain::payment::GatewayName;
use domain::{Currency, Ts};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How a refund stands, whatever its gateway calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RefundStatus {
    /// On its way.
    Processing,
    /// The money is back.
    Success,
    /// It was tried; nothing went back.
    Failed,
    /// The payer's card can't take it.
    Abnormal,
    /// The number is dead; nothing went back.
    Closed,
}

impl RefundStatus {
    /// As in the control API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::Abnormal => "ABNORMAL",
            Self::Closed => "CLOSED",
        }
    }

    /// Whether it took money, or may still.
    pub const fn is_live(self) -> bool {
        match self {
            Self::Processing | Self::Success | Self::Abnormal => true,
            Self::Failed | Self::Closed => false,
        }
    }
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

/// A refund.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefundView {
    /// At which gateway, such as `wechat`.
    #[schema(value_type = String)]
    pub gateway: GatewayName,
    /// The merchant's number.
    pub out_refund_no: String,
    /// The gateway's number.
    pub refund_id: String,
    /// The payment, by the merchant's number.
    pub out_trade_no: String,
    /// The payment, by the gateway's number.
    pub transaction_id: String,
    /// How it stands.
    pub status: RefundStatus,
    /// Minor units to give back.
    pub refund: i64,
    /// Minor units that had been paid.
    pub total: i64,
    /// Such as `CNY`.
    #[schema(value_type = String)]
    pub currency: Currency,
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

/// Which refunds.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct RefundFilter {
    /// Only those of this gateway.
    #[param(value_type = Option<String>)]
    pub gateway: Option<GatewayName>,
    /// Only those in this status.
    pub status: Option<RefundStatus>,
    /// Only those of this payment.
    pub out_trade_no: Option<String>,
    /// At most so many, the newest: 1 to 1000, 100 unless given.
    pub limit: Option<usize>,
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
