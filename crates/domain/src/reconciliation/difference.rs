//! One thing that is not the same on both sides.

use super::bill::{BillLine, LineKind, LineStatus};
use super::kind::DifferenceKind;
use super::ours::{OurPayment, OurRefund};
use crate::{Currency, Money, OrderId, PaymentId, RefundId, Ts};
use serde::{Deserialize, Serialize};

/// The longest number that is taken for one, in characters. Gateways' own have at most 64.
pub const LONGEST_NUMBER: usize = 128;

/// One thing that is not the same on both sides.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// What kind.
    pub kind: DifferenceKind,
    /// Whether it is about a payment or a refund; of the bill as a whole, a payment.
    pub about: LineKind,
    /// The bill's line; `None` where the bill has none.
    pub line: Option<u32>,
    /// Our number of the payment, by the bill or else by our books.
    pub out_trade_no: Option<String>,
    /// The gateway's number of the payment.
    pub transaction_id: Option<String>,
    /// Our number of the refund.
    pub out_refund_no: Option<String>,
    /// The gateway's number of the refund.
    pub refund_id: Option<String>,
    /// Whose order it is, where it is known.
    pub order: Option<OrderId>,
    /// Our payment, where it is known.
    pub payment: Option<PaymentId>,
    /// Our refund, where it is known.
    pub refund: Option<RefundId>,
    /// The amount by our books; never negative.
    pub here: Option<Money>,
    /// The amount by the bill.
    pub there: Option<Money>,
    /// What of `here` counts in our books of the day: minor units, positive where it came in.
    pub moved_here: i64,
    /// What of `there` counts in the bill's money of the day: minor units, positive where it came in.
    pub moved_there: i64,
    /// When, by the bill or else by our books.
    pub at: Option<Ts>,
    /// Whether it needs nobody: another day's bill explains it.
    pub is_explained: bool,
    /// Figures that have no place elsewhere.
    pub note: Option<String>,
    /// Which of several that nothing else tells apart, from 1.
    pub occurrence: u32,
}

impl Difference {
    fn new(kind: DifferenceKind, about: LineKind) -> Self {
        Self {
            kind,
            about,
            line: None,
            out_trade_no: None,
            transaction_id: None,
            out_refund_no: None,
            refund_id: None,
            order: None,
            payment: None,
            refund: None,
            here: None,
            there: None,
            moved_here: 0,
            moved_there: 0,
            at: None,
            is_explained: false,
            note: None,
            occurrence: 1,
        }
    }

    /// Of the bill as a whole.
    pub(super) fn of_bill(kind: DifferenceKind, note: String) -> Self {
        Self {
            note: Some(note),
            ..Self::new(kind, LineKind::Payment)
        }
    }

    /// Of a line. Nothing moves by it yet.
    pub(super) fn of_line(kind: DifferenceKind, line: &BillLine) -> Self {
        Self {
            line: Some(line.line),
            out_trade_no: number(line.out_trade_no.as_ref()),
            transaction_id: number(line.transaction_id.as_ref()),
            out_refund_no: number(line.out_refund_no.as_ref()),
            refund_id: number(line.refund_id.as_ref()),
            there: Some(line.amount),
            at: Some(line.at),
            ..Self::new(kind, line.kind)
        }
    }

    /// Of a payment of ours, with the line that it is about, if there is one.
    pub(super) fn of_payment(
        kind: DifferenceKind,
        ours: &OurPayment,
        line: Option<&BillLine>,
    ) -> Self {
        let bare = line.map_or_else(
            || Self::new(kind, LineKind::Payment),
            |line| Self::of_line(kind, line),
        );
        Self {
            order: Some(ours.order),
            payment: Some(ours.id),
            out_trade_no: bare.out_trade_no.or(Some(ours.out_trade_no.clone())),
            transaction_id: bare.transaction_id.or(ours.transaction_id.clone()),
            at: bare.at.or(ours.booked_at),
            here: Some(ours.paid.unwrap_or(ours.asked)),
            ..bare
        }
    }

    /// Of a refund of ours, with the line that it is about, if there is one.
    pub(super) fn of_refund(
        kind: DifferenceKind,
        ours: &OurRefund,
        line: Option<&BillLine>,
    ) -> Self {
        let bare = line.map_or_else(
            || Self::new(kind, LineKind::Refund),
            |line| Self::of_line(kind, line),
        );
        Self {
            order: Some(ours.order),
            payment: Some(ours.payment),
            refund: Some(ours.id),
            out_trade_no: bare.out_trade_no.or(Some(ours.out_trade_no.clone())),
            transaction_id: bare.transaction_id.or(ours.transaction_id.clone()),
            out_refund_no: bare.out_refund_no.or(Some(ours.out_refund_no.clone())),
            refund_id: bare.refund_id.or(ours.refund_id.clone()),
            at: bare.at.or(ours.booked_at),
            here: Some(ours.amount),
            ..bare
        }
    }

    /// The same, where the line's money counts in the bill.
    pub(super) fn moved_there(mut self, line: &BillLine) -> Self {
        if line.status == LineStatus::Succeeded {
            self.moved_there = signed(self.about, line.amount);
        }
        self
    }

    /// The same, where our money counts in our books of the day.
    pub(super) fn moved_here(mut self, booked: Option<Money>) -> Self {
        if let Some(booked) = booked {
            self.here = Some(booked);
            self.moved_here = signed(self.about, booked);
        }
        self
    }

    /// By how much the bill's net is above ours through this, by currency; nothing where it is not.
    /// Booking exactly this makes both agree.
    pub fn gap(&self) -> Vec<Money> {
        let there = self.there.map(|money| (money.currency, self.moved_there));
        let here = self
            .here
            .map(|money| (money.currency, self.moved_here.saturating_neg()));
        let gap = match (there, here) {
            (Some((currency, there)), Some((same, here))) if currency == same => {
                vec![Money::new(there.saturating_add(here), currency)]
            }
            (there, here) => {
                let one = |(currency, amount): (Currency, i64)| Money::new(amount, currency);
                there.into_iter().chain(here).map(one).collect()
            }
        };
        gap.into_iter().filter(|money| !money.is_zero()).collect()
    }

    /// What is decided about by whoever settles it: the gap, or where there is none, the larger of
    /// the two amounts. Never negative.
    pub fn at_stake(&self) -> Vec<Money> {
        let gap = self.gap();
        if gap.is_empty() {
            let amounts = self.here.into_iter().chain(self.there);
            return amounts
                .max_by_key(|money| money.amount)
                .into_iter()
                .collect();
        }
        let size = |money: Money| Money::new(money.amount.saturating_abs(), money.currency);
        gap.into_iter().map(size).collect()
    }

    /// By what a second run of the same day knows it again: kind and numbers, not the place in the
    /// bill. At most some 600 characters.
    pub fn identity(&self) -> String {
        let part = |number: &Option<String>| number.clone().unwrap_or_default();
        let mut identity = [
            self.kind.constant().to_owned(),
            part(&self.out_trade_no),
            part(&self.transaction_id),
            part(&self.out_refund_no),
            part(&self.refund_id),
        ]
        .join("/");
        if self.occurrence > 1 {
            identity.push_str(&format!("#{}", self.occurrence));
        }
        identity
    }
}

/// What a movement adds to the gateway's money.
fn signed(about: LineKind, money: Money) -> i64 {
    match about {
        LineKind::Payment => money.amount,
        LineKind::Refund => money.amount.saturating_neg(),
    }
}

fn number(given: Option<&String>) -> Option<String> {
    given.map(|given| given.chars().take(LONGEST_NUMBER).collect())
}
