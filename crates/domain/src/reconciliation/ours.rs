//! Our side of a day: payments and refunds, as far as a bill can be held against them.

use super::bill::LineStatus;
use crate::payment::{PaymentStatus, RefundStatus};
use crate::{Money, OrderId, PaymentId, RefundId, Span, Ts};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The day of a bill, and what is known of those beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BillingDay {
    /// Which, by the gateway's calendar.
    pub date: Date,
    /// Its first instant.
    pub begins: Ts,
    /// The first instant of the next day.
    pub ends: Ts,
    /// Whether the bill of the day before was read.
    pub is_previous_known: bool,
    /// Whether the bill of the day after was read.
    pub is_next_known: bool,
}

impl BillingDay {
    /// How far two clocks around midnight may be apart.
    pub const WINDOW: Span = Span::minutes(10);

    /// Whether an instant is of this day.
    pub fn has(&self, at: Ts) -> bool {
        self.begins <= at && at < self.ends
    }

    /// Whether an instant is so near to midnight that it may be in the bill of a neighbouring day,
    /// which is not known yet.
    pub fn may_be_in_unknown_neighbour(&self, at: Ts) -> bool {
        let is_early = at < self.begins + Self::WINDOW;
        let is_late = at >= self.ends - Self::WINDOW;
        (is_early && !self.is_previous_known) || (is_late && !self.is_next_known)
    }
}

/// Where another day's bill has a payment or refund.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Billed {
    /// Of which day that bill is.
    pub day: Date,
    /// When, by the gateway's clock.
    pub at: Ts,
    /// How it stood there.
    pub status: LineStatus,
}

/// A payment as our books have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OurPayment {
    /// Of which order.
    pub order: OrderId,
    /// Its id.
    pub id: PaymentId,
    /// Our number of it.
    pub out_trade_no: String,
    /// The gateway's number of it, as far as we know it.
    pub transaction_id: Option<String>,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What was asked for.
    pub asked: Money,
    /// What was booked as paid; `None` while no money was.
    pub paid: Option<Money>,
    /// When it was asked for.
    pub created_at: Ts,
    /// When its money was booked.
    pub booked_at: Option<Ts>,
    /// Another day's bill that has it: the earliest in which its money moved, or the earliest.
    pub billed: Option<Billed>,
}

/// A refund as our books have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OurRefund {
    /// Of which order.
    pub order: OrderId,
    /// Of which payment.
    pub payment: PaymentId,
    /// Its id.
    pub id: RefundId,
    /// Our number of the payment.
    pub out_trade_no: String,
    /// The gateway's number of the payment, as far as we know it.
    pub transaction_id: Option<String>,
    /// Our number of the refund.
    pub out_refund_no: String,
    /// The gateway's number of the refund, as far as we know it.
    pub refund_id: Option<String>,
    /// Where it stands.
    pub status: RefundStatus,
    /// How much.
    pub amount: Money,
    /// Whether an operator recorded that it was paid elsewhere.
    pub is_by_hand: bool,
    /// When it was asked for.
    pub requested_at: Ts,
    /// When it was booked as gone; `None` until then.
    pub booked_at: Option<Ts>,
    /// Another day's bill that has it: the earliest in which its money moved, or the earliest.
    pub billed: Option<Billed>,
}

/// What a gateway takes of a payment by contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContractFee {
    /// Hundredths of a percent: 60 is 0.6 %, 10,000 everything.
    pub basis_points: u16,
    /// Minor units of the payment's currency, for each payment.
    #[serde(default)]
    pub fixed: u32,
}

impl ContractFee {
    /// So many hundredths of a percent.
    pub const fn basis_points(basis_points: u16) -> Self {
        Self {
            basis_points,
            fixed: 0,
        }
    }

    /// The fee of an amount, in hundred-thousandths of a major unit.
    pub(super) fn of(self, amount: Money) -> i128 {
        let unit = minor_unit(amount);
        let part = i128::from(amount.amount) * unit * i128::from(self.basis_points) / 10_000;
        part + i128::from(self.fixed) * unit
    }
}

/// A minor unit in hundred-thousandths of a major one: a fen is 1,000.
pub(super) fn minor_unit(amount: Money) -> i128 {
    10_i128.pow(5_u32.saturating_sub(amount.currency.decimals()))
}
