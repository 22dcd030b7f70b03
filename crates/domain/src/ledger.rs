//! Double entry: every movement of money is one balanced entry (spec 20).

use crate::payment::GatewayName;
use crate::{Currency, Money};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The accounts of the chart that consultations use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Account {
    /// Money that a gateway holds for us. A debit balance is what it owes us.
    GatewayClearing(GatewayName),
    /// Money of patients for services not yet given. A credit balance is what we owe them.
    Patient,
    /// What the platform has earned.
    PlatformRevenue,
    /// Refunds granted and not yet paid out.
    RefundReserve,
    /// Money found or lost outside the gateways: refunds that an operator made elsewhere.
    Offline,
}

impl Account {
    /// The account of this name, as [`fmt::Display`] writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(gateway) = name.strip_prefix("gateway_clearing:") {
            return GatewayName::from_name(gateway).map(Self::GatewayClearing);
        }
        let others = [
            Self::Patient,
            Self::PlatformRevenue,
            Self::RefundReserve,
            Self::Offline,
        ];
        others
            .into_iter()
            .find(|account| account.to_string() == name)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GatewayClearing(gateway) => write!(f, "gateway_clearing:{}", gateway.name()),
            Self::Patient => f.write_str("patient"),
            Self::PlatformRevenue => f.write_str("platform_revenue"),
            Self::RefundReserve => f.write_str("refund_reserve"),
            Self::Offline => f.write_str("offline"),
        }
    }
}

/// What an entry is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A patient paid.
    PaymentReceived,
    /// A refund was promised.
    RefundGranted,
    /// A refund left.
    RefundPaid,
    /// What is kept became ours.
    FeeEarned,
}

impl EntryKind {
    /// As in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaymentReceived => "payment_received",
            Self::RefundGranted => "refund_granted",
            Self::RefundPaid => "refund_paid",
            Self::FeeEarned => "fee_earned",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::PaymentReceived,
            Self::RefundGranted,
            Self::RefundPaid,
            Self::FeeEarned,
        ];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

/// One side of an entry: debits are positive, credits negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Posting {
    /// Which account.
    pub account: Account,
    /// Minor units; positive is a debit.
    pub amount: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// A balanced set of postings. It can't be made unbalanced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    kind: EntryKind,
    postings: Vec<Posting>,
}

impl Entry {
    /// Moves an amount: debits the first account and credits the second.
    pub fn transfer(kind: EntryKind, debit: Account, credit: Account, money: Money) -> Self {
        let Money { amount, currency } = money;
        Self {
            kind,
            postings: vec![
                Posting {
                    account: debit,
                    amount,
                    currency,
                },
                Posting {
                    account: credit,
                    amount: -amount,
                    currency,
                },
            ],
        }
    }

    /// What it is about.
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Its sides; they sum to zero.
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }
}
