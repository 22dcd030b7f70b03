//! A day's money on both sides, by currency.

use super::bill::{BillLine, LineKind, LineStatus};
use super::ours::{BillingDay, OurPayment, OurRefund};
use crate::payment::RefundStatus;
use crate::{Currency, Money};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A day's money in one currency, in minor units. What the bill's net has more than ours is, to the
/// last unit, what the day's differences explain ([`super::Difference::gap`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sums {
    /// Which currency.
    pub currency: Currency,
    /// What came in, by the bill.
    pub bill_paid: i64,
    /// What went back, by the bill.
    pub bill_refunded: i64,
    /// The gateway's fees by the bill, in hundred-thousandths of a major unit.
    pub bill_fee: i64,
    /// What came in, by our books.
    pub our_paid: i64,
    /// What went back over the gateway, by our books.
    pub our_refunded: i64,
}

impl Sums {
    /// Nothing yet.
    pub const fn zero(currency: Currency) -> Self {
        Self {
            currency,
            bill_paid: 0,
            bill_refunded: 0,
            bill_fee: 0,
            our_paid: 0,
            our_refunded: 0,
        }
    }

    /// What the gateway holds more after the day than before it, by the bill, before fees.
    pub const fn bill_net(&self) -> i64 {
        self.bill_paid.saturating_sub(self.bill_refunded)
    }

    /// What the gateway holds more after the day than before it, by our books.
    pub const fn our_net(&self) -> i64 {
        self.our_paid.saturating_sub(self.our_refunded)
    }
}

/// When our books say that money moved over the gateway, and how much.
pub(super) fn booked_payment(payment: &OurPayment, day: &BillingDay) -> Option<Money> {
    payment
        .paid
        .filter(|_| payment.booked_at.is_some_and(|at| day.has(at)))
}

/// The same of a refund.
pub(super) fn booked_refund(refund: &OurRefund, day: &BillingDay) -> Option<Money> {
    let is_gone = refund.status == RefundStatus::Succeeded && !refund.is_by_hand;
    let is_today = refund.booked_at.is_some_and(|at| day.has(at));
    (is_gone && is_today).then_some(refund.amount)
}

/// Both sides' money of the day, by currency.
pub(super) fn sums(
    lines: &[BillLine],
    payments: &[OurPayment],
    refunds: &[OurRefund],
    day: &BillingDay,
) -> Vec<Sums> {
    let mut all: BTreeMap<Currency, Sums> = BTreeMap::new();
    let mut of = |money: Money, add: &dyn Fn(&mut Sums)| {
        let sums = all.entry(money.currency);
        add(sums.or_insert(Sums::zero(money.currency)));
    };
    for line in lines
        .iter()
        .filter(|line| line.status == LineStatus::Succeeded)
    {
        let (amount, fee) = (line.amount.amount, line.fee.unwrap_or(0));
        of(line.amount, &|sums| {
            let side = match line.kind {
                LineKind::Payment => &mut sums.bill_paid,
                LineKind::Refund => &mut sums.bill_refunded,
            };
            *side = side.saturating_add(amount);
            sums.bill_fee = sums.bill_fee.saturating_add(fee);
        });
    }
    for money in payments.iter().filter_map(|one| booked_payment(one, day)) {
        of(money, &|sums| {
            sums.our_paid = sums.our_paid.saturating_add(money.amount);
        });
    }
    for money in refunds.iter().filter_map(|one| booked_refund(one, day)) {
        of(money, &|sums| {
            sums.our_refunded = sums.our_refunded.saturating_add(money.amount);
        });
    }
    all.into_values().collect()
}
