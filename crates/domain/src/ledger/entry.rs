//! Entries: what may be posted, and that it balances.

use super::chart::{Account, Heading, Side};
use crate::lifecycle::Language;
use crate::{Currency, Money};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal $zh:literal $en:literal:
        [$($debit:ident),+] => [$($credit:ident),+];)+) => {
        /// What an entry is about.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum EntryKind {
            $($(#[$doc])* $kind,)+
        }

        impl EntryKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// As in the database.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// For people.
            pub const fn label(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$kind, Language::Zh) => $zh, (Self::$kind, Language::En) => $en,)+
                }
            }

            /// The accounts that it may debit.
            pub const fn debits(self) -> &'static [Heading] {
                match self { $(Self::$kind => &[$(Heading::$debit),+],)+ }
            }

            /// The accounts that it may credit.
            pub const fn credits(self) -> &'static [Heading] {
                match self { $(Self::$kind => &[$(Heading::$credit),+],)+ }
            }
        }
    };
}

// The accounts debited, and those credited. A movement that is not here is not posted.
kinds! {
    /// A patient paid.
    PaymentReceived "payment_received" "收到付款" "Payment received":
        [GatewayClearing, Offline] => [Patient];
    /// A refund was promised: out of what is not earned yet, and after a complaint out of what was.
    RefundGranted "refund_granted" "批准退款" "Refund granted":
        [Patient, PlatformRevenue] => [RefundReserve];
    /// A refund left.
    RefundPaid "refund_paid" "付出退款" "Refund paid out":
        [RefundReserve] => [GatewayClearing, Offline];
    /// What is kept became ours.
    FeeEarned "fee_earned" "确认收入" "Fee earned":
        [Patient] => [PlatformRevenue];
    /// A difference between a gateway's bill and our books was put on the suspense account.
    SuspenseRecorded "suspense_recorded" "对账差异挂账" "Difference put on suspense":
        [GatewayClearing, Suspense] => [Suspense, GatewayClearing];
}

impl EntryKind {
    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether it may move this account on this side.
    pub fn may_post(self, account: Account, side: Side) -> bool {
        let headings = match side {
            Side::Debit => self.debits(),
            Side::Credit => self.credits(),
        };
        account.is_in_the_chart() && headings.contains(&account.heading())
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

impl Posting {
    /// So much on the account's left side.
    pub const fn debit(account: Account, money: Money) -> Self {
        Self {
            account,
            amount: money.amount,
            currency: money.currency,
        }
    }

    /// So much on the account's right side.
    pub const fn credit(account: Account, money: Money) -> Self {
        Self {
            account,
            // The smallest number of all has no opposite: such an entry does not balance then.
            amount: money.amount.saturating_neg(),
            currency: money.currency,
        }
    }

    /// On which side it is; `None` for nothing.
    pub const fn side(&self) -> Option<Side> {
        match self.amount {
            0 => None,
            1.. => Some(Side::Debit),
            ..0 => Some(Side::Credit),
        }
    }
}

/// Why postings are no entry.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum EntryError {
    /// Nothing moves.
    #[error("{kind} has no postings")]
    Empty {
        /// What it was to be about.
        kind: &'static str,
    },
    /// A line that moves nothing.
    #[error("{kind} has a posting of nothing to {account}")]
    Nothing {
        /// What it was to be about.
        kind: &'static str,
        /// Which account.
        account: Account,
    },
    /// Two lines that are one.
    #[error("{kind} posts twice to {account} in {currency}")]
    Twice {
        /// What it was to be about.
        kind: &'static str,
        /// Which account.
        account: Account,
        /// Of which currency.
        currency: Currency,
    },
    /// The kind does not move this account on this side.
    #[error("{kind} does not {side} {account}")]
    NotOfKind {
        /// What it was to be about.
        kind: &'static str,
        /// `debit` or `credit`.
        side: &'static str,
        /// Which account.
        account: Account,
    },
    /// Debits and credits differ.
    #[error("{kind} does not balance: its postings sum to {sum} {currency}")]
    Unbalanced {
        /// What it was to be about.
        kind: &'static str,
        /// Of which currency.
        currency: Currency,
        /// Debits less credits, in minor units.
        sum: i128,
    },
}

/// A balanced set of postings, in each currency by itself. It can't be made unbalanced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    kind: EntryKind,
    postings: Vec<Posting>,
}

impl Entry {
    /// An entry of these postings.
    ///
    /// # Errors
    ///
    /// Where they don't balance in each currency, or are not what the kind posts.
    pub fn new(kind: EntryKind, postings: Vec<Posting>) -> Result<Self, EntryError> {
        let name = kind.name();
        if postings.is_empty() {
            return Err(EntryError::Empty { kind: name });
        }
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for posting in &postings {
            let Posting {
                account,
                amount,
                currency,
            } = *posting;
            let Some(side) = posting.side() else {
                return Err(EntryError::Nothing {
                    kind: name,
                    account,
                });
            };
            if !kind.may_post(account, side) {
                return Err(EntryError::NotOfKind {
                    kind: name,
                    side: side.name(),
                    account,
                });
            }
            if !seen.insert((account, currency)) {
                return Err(EntryError::Twice {
                    kind: name,
                    account,
                    currency,
                });
            }
            *sums.entry(currency).or_default() += i128::from(amount);
        }
        match sums.into_iter().find(|(_, sum)| *sum != 0) {
            None => Ok(Self { kind, postings }),
            Some((currency, sum)) => Err(EntryError::Unbalanced {
                kind: name,
                currency,
                sum,
            }),
        }
    }

    /// Moves an amount: debits the first account and credits the second.
    ///
    /// # Errors
    ///
    /// Where the amount is not positive, or the kind does not post so.
    pub fn transfer(
        kind: EntryKind,
        debit: Account,
        credit: Account,
        money: Money,
    ) -> Result<Self, EntryError> {
        let sides = vec![Posting::debit(debit, money), Posting::credit(credit, money)];
        Self::new(kind, sides)
    }

    /// What it is about.
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Its sides; they sum to zero in each currency.
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::GatewayName;

    const WECHAT: Account = Account::GatewayClearing(GatewayName::WECHAT);

    fn dollars(amount: i64) -> Money {
        Money::new(amount, Currency::NZD)
    }

    #[test]
    fn a_transfer_debits_the_first_and_credits_the_second() {
        let kind = EntryKind::PaymentReceived;
        let entry = Entry::transfer(kind, WECHAT, Account::Patient, Money::fen(3050)).unwrap();
        let sides = [
            Posting::debit(WECHAT, Money::fen(3050)),
            Posting::credit(Account::Patient, Money::fen(3050)),
        ];
        assert_eq!(entry.postings(), sides);
        assert_eq!(sides.map(|side| side.amount), [3050, -3050]);
    }

    #[test]
    fn an_entry_of_several_lines_balances_in_each_currency_by_itself() {
        let reserve = Account::RefundReserve;
        let lines = |back: Money| {
            vec![
                Posting::debit(Account::Patient, Money::fen(1000)),
                Posting::debit(Account::PlatformRevenue, Money::fen(500)),
                Posting::credit(reserve, Money::fen(1500)),
                Posting::debit(Account::Patient, dollars(7)),
                Posting::credit(reserve, back),
            ]
        };
        assert!(Entry::new(EntryKind::RefundGranted, lines(dollars(7))).is_ok());
        let unbalanced = EntryError::Unbalanced {
            kind: "refund_granted",
            currency: Currency::NZD,
            sum: 1,
        };
        let refused = Entry::new(EntryKind::RefundGranted, lines(dollars(6)));
        assert_eq!(refused, Err(unbalanced));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        let kind = EntryKind::RefundGranted;
        let refused = |postings: Vec<Posting>| Entry::new(kind, postings).unwrap_err().to_string();
        assert_eq!(refused(vec![]), "refund_granted has no postings");
        let none = Posting::debit(Account::Patient, Money::fen(0));
        let words = "refund_granted has a posting of nothing to patient";
        assert_eq!(refused(vec![none]), words);
        let one = Posting::debit(Account::Patient, Money::fen(1));
        let words = "refund_granted posts twice to patient in CNY";
        assert_eq!(refused(vec![one, one]), words);
        let words = "refund_granted does not balance: its postings sum to 1 CNY";
        assert_eq!(refused(vec![one]), words);
    }

    #[test]
    fn only_what_the_kind_posts_can_be_posted_and_only_on_its_side() {
        let kind = EntryKind::PaymentReceived;
        let refused = |debit, credit| Entry::transfer(kind, debit, credit, Money::fen(1));
        assert!(refused(Account::Offline, Account::Patient).is_ok());
        for (debit, credit) in [
            (Account::Patient, WECHAT),
            (Account::Suspense, Account::Patient),
            (WECHAT, Account::PlatformRevenue),
        ] {
            assert!(refused(debit, credit).is_err(), "{debit} {credit}");
        }
        // Not the clearing account of a gateway that is none, and not backwards.
        let none = Account::GatewayClearing(GatewayName::OFFLINE);
        assert!(refused(none, Account::Patient).is_err());
        let negative = Entry::transfer(kind, WECHAT, Account::Patient, Money::fen(-1));
        assert!(negative.is_err());
    }

    #[test]
    fn the_largest_amounts_neither_wrap_nor_pass_for_balanced() {
        let of = |amount| {
            let money = Money::fen(amount);
            Entry::transfer(EntryKind::FeeEarned, Account::Patient, REVENUE, money)
        };
        assert!(of(i64::MAX).is_ok());
        assert!(of(i64::MIN).is_err());
        let smallest = vec![
            Posting::credit(REVENUE, Money::fen(i64::MIN)),
            Posting::debit(Account::Patient, Money::fen(i64::MIN)),
        ];
        assert!(Entry::new(EntryKind::FeeEarned, smallest).is_err());
    }

    const REVENUE: Account = Account::PlatformRevenue;

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::from_name(kind.name()), Some(*kind));
            let json = serde_json::to_string(kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.name()));
        }
        assert_eq!(EntryKind::from_name("x"), None);
    }
}
