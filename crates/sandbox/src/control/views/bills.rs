//! A gateway's bill of a day, and the differences that are planted into it.

use domain::Currency;
use domain::payment::GatewayName;
use domain::reconciliation::{BillLine, BillTotals, LineStatus};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A difference for the bill of a day. The book itself stays true: only the bill is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlantRequest {
    /// Whose bill.
    #[schema(value_type = String)]
    pub gateway: GatewayName,
    /// Of which day, by the gateway's calendar.
    #[schema(value_type = String, format = Date)]
    pub day: Date,
    /// What is wrong in it.
    #[serde(flatten)]
    pub plant: Plant,
}

/// What is wrong in a bill. `number` is the merchant's: of a payment, or of a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Plant {
    /// The line is missing.
    DropLine {
        /// Of which payment or refund.
        number: String,
    },
    /// Money without an order: a payment that nobody here asked for.
    ForeignPayment {
        /// Minor units, of the currency of the bill.
        amount: i64,
    },
    /// A refund that nobody here asked for, such as one made by hand at the gateway.
    ForeignRefund {
        /// Minor units, of the currency of the bill.
        amount: i64,
        /// The payment it is of, by the merchant's number; without it, an unknown one.
        #[serde(default)]
        of: Option<String>,
    },
    /// The line says another amount.
    ChangeAmount {
        /// Of which payment or refund.
        number: String,
        /// Minor units.
        amount: i64,
    },
    /// The line says another currency.
    ChangeCurrency {
        /// Of which payment or refund.
        number: String,
        /// Such as `NZD`.
        #[schema(value_type = String)]
        currency: Currency,
    },
    /// The line stands there twice.
    DuplicateLine {
        /// Of which payment or refund.
        number: String,
    },
    /// The line says another status.
    ChangeStatus {
        /// Of which payment or refund.
        number: String,
        /// Which.
        #[schema(value_type = String)]
        status: LineStatus,
    },
    /// The line stands in the bill of a neighbouring day, at the edge of that day.
    ShiftDay {
        /// Of which payment or refund.
        number: String,
        /// In the next day's bill, otherwise in the day's before.
        later: bool,
    },
    /// The line says another number of ours.
    ChangeOurNumber {
        /// Of which payment or refund.
        number: String,
        /// The number that it says; without one, none.
        to: Option<String>,
    },
    /// The line says another number of the gateway's: of a payment, its transaction; of a refund,
    /// the refund's.
    ChangeTransactionId {
        /// Of which payment or refund.
        number: String,
        /// The number that it says.
        to: String,
    },
    /// The line says another fee.
    ChangeFee {
        /// Of which payment or refund.
        number: String,
        /// In hundred-thousandths of a major unit, positive where the merchant pays.
        fee: i64,
    },
    /// The bill's own sums are wrong. What is left out stays right.
    WrongSummary {
        /// How many lines.
        #[serde(default)]
        count: Option<u64>,
        /// Minor units that came.
        #[serde(default)]
        paid: Option<i64>,
        /// Minor units that went back.
        #[serde(default)]
        refunded: Option<i64>,
    },
}

/// Which bill.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct BillOf {
    /// Whose.
    #[param(value_type = String)]
    pub gateway: GatewayName,
    /// Of which day, by the gateway's calendar.
    #[param(value_type = String, format = Date)]
    pub day: Date,
}

/// A bill as the gateway would write it, whatever its format and whether it is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BillView {
    /// Its lines, with the planted differences.
    #[schema(value_type = Vec<Object>)]
    pub lines: Vec<BillLine>,
    /// Its sums, with the planted differences.
    #[schema(value_type = Object)]
    pub totals: BillTotals,
    /// The differences in it.
    pub planted: Vec<PlantRequest>,
}
