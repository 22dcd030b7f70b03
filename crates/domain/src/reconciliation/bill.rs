//! A bill's lines in one form, whatever the gateway writes.

use crate::{Money, Ts};
use serde::{Deserialize, Serialize};

/// What a line of a bill is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Money that came.
    Payment,
    /// Money that went back.
    Refund,
}

/// How the gateway says it stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineStatus {
    /// The money moved.
    Succeeded,
    /// It is on its way.
    Processing,
    /// It did not move.
    Failed,
}

/// One line of a bill.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BillLine {
    /// Its number in the bill, from 1.
    pub line: u32,
    /// Payment or refund.
    pub kind: LineKind,
    /// Our number of the payment, if the gateway was given one.
    pub out_trade_no: Option<String>,
    /// The gateway's number of the payment.
    pub transaction_id: Option<String>,
    /// Our number of the refund; `None` for payments, and for refunds made at the gateway by hand.
    pub out_refund_no: Option<String>,
    /// The gateway's number of the refund.
    pub refund_id: Option<String>,
    /// How much, never negative.
    pub amount: Money,
    /// The gateway's fee in hundred-thousandths of a major unit (WeChat's bill has five decimals):
    /// 100,000 is one yuan. Positive is what we pay; `None` where the bill does not say.
    pub fee: Option<i64>,
    /// How it stands.
    pub status: LineStatus,
    /// When, by the gateway's clock.
    pub at: Ts,
}

/// The sums that a bill states of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BillTotals {
    /// How many lines.
    pub count: u64,
    /// What came in all.
    pub paid: Money,
    /// What went back in all.
    pub refunded: Money,
}
