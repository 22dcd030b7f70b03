//! The JSON of the control API. Times are UTC, amounts whole minor units (fen, cents).

mod bills;
mod faults;
mod payments;
mod refunds;

pub use bills::{BillOf, BillView, Plant, PlantRequest};
pub(crate) use faults::Settings;
pub use faults::{Autopay, Faults, FaultsOf, RandomFaults, RefundRefusal, UnknownOutcome, Webhook};
pub use payments::{
    PayCallback, PayRequest, PaymentFilter, PaymentList, PaymentState, PaymentView,
    RedeliverRequest, Redelivered,
};
pub use refunds::{
    OutcomeCallback, OutcomeRequest, RefundFilter, RefundList, RefundStatus, RefundView,
};

use domain::payment::GatewayName;
use domain::{Currency, Ts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One try to bring a notice to the merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallbackAttempt {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Ts,
    /// The merchant's HTTP status, if it answered.
    pub status: Option<u16>,
    /// Whether the gateway took the answer for "I have it".
    #[serde(default)]
    pub accepted: bool,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// So many, and their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Total {
    /// How many.
    pub count: u64,
    /// Their sum in fen.
    pub fen: i64,
}

/// Where the money is, by the gateways' book: renminbi over all gateways, then each gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Payments in CNY that were paid, with what was really paid.
    pub paid: Total,
    /// Refunds in CNY that succeeded.
    pub refunded: Total,
    /// Fen held for the merchant: paid less refunded.
    pub net_fen: i64,
    /// Each gateway and currency in which anything was paid.
    pub gateways: Vec<GatewayTotals>,
}

/// So many, and their sum in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// Their sum in minor units.
    pub amount: i64,
}

/// Where the money of one gateway and currency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayTotals {
    /// Which gateway.
    #[schema(value_type = String)]
    pub gateway: GatewayName,
    /// Which currency.
    #[schema(value_type = String)]
    pub currency: Currency,
    /// Payments that were paid, with what was really paid.
    pub paid: Sum,
    /// Refunds that succeeded.
    pub refunded: Sum,
    /// Minor units held for the merchant: paid less refunded.
    pub net: i64,
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
