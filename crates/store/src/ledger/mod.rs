//! The ledger as a whole: balances at an instant and by day, trial balances, an account's entries,
//! and the closing of months. An order's own entries are in [`orders`](crate::orders).

mod balances;
mod closing;
mod entries;
mod outcomes;

use domain::ledger::{Account, EntryKind, Month};
use domain::payment::GatewayName;
use domain::{Currency, Money, OrderId, Ts, UserId};
use jiff::civil::Date;
use uuid::Uuid;

/// What an account has, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountBalance {
    /// Which account.
    pub account: Account,
    /// Of which currency.
    pub currency: Currency,
    /// Minor units; positive is a debit.
    pub balance: i64,
}

/// What was posted to an account between two instants, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// Which account.
    pub account: Account,
    /// Of which currency.
    pub currency: Currency,
    /// Minor units, all debits together.
    pub debits: i64,
    /// Minor units, all credits together; not negative.
    pub credits: i64,
}

impl Movement {
    /// By how much the balance changed; positive is a debit.
    pub const fn net(&self) -> i64 {
        self.debits.saturating_sub(self.credits)
    }
}

/// What was posted on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayMovements {
    /// Which day, in the hospital's zone.
    pub day: Date,
    /// By account and currency, in the order of the chart.
    pub movements: Vec<Movement>,
}

/// A posting to an account, with what it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountEntry {
    /// Its place in the list.
    pub place: EntryPlace,
    /// For which order.
    pub order: OrderId,
    /// What it is about.
    pub kind: EntryKind,
    /// When.
    pub at: Ts,
    /// Minor units; positive is a debit.
    pub amount: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// Where a posting stands in its account's list: entries sort by their ids, which begin with the
/// time of their making.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryPlace {
    /// The entry.
    pub entry: Uuid,
    /// The line of the entry, from 0.
    pub line: i64,
}

/// Which postings of an account.
#[derive(Debug, Clone, Copy, Default)]
pub struct EntryFilter {
    /// Only those before this place, which was the last one seen.
    pub after: Option<EntryPlace>,
    /// Not before.
    pub from: Option<Ts>,
    /// Before.
    pub until: Option<Ts>,
}

/// A month that was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// Which.
    pub month: Month,
    /// When it began in the hospital's zone.
    pub begins_at: Ts,
    /// When it had ended: nothing is posted before this instant any more.
    pub until: Ts,
    /// How many entries it has.
    pub entries: i64,
    /// When it was closed.
    pub closed_at: Ts,
    /// By whom.
    pub closed_by: UserId,
}

/// Payments or refunds of which it is not known how they end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unsettled {
    /// How many.
    pub count: i64,
    /// The oldest of them, some at most.
    pub oldest: Vec<UnsettledMoney>,
}

/// Money of which it is not known whether it moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsettledMoney {
    /// Of which order.
    pub order: OrderId,
    /// Over which gateway.
    pub gateway: GatewayName,
    /// How much.
    pub amount: Money,
    /// Since when.
    pub since: Ts,
}
