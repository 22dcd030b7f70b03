//! Identities. Each thing has its own type, so that a doctor's id can't pass for a patient's.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The bare UUID, for rows and wire formats.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }
    )+};
}

ids! {
    /// An order of any kind.
    OrderId,
    /// A person who signs in, whatever the role.
    UserId,
    /// One attempt to pay one order over one gateway (spec 20).
    PaymentId,
    /// One granted or asked-for return of money of one payment (spec 20).
    RefundId,
    /// A doctor's opening hours on a day (spec 10, clinic mode).
    SessionId,
    /// A doctor's hours that come every week (spec 10, clinic mode).
    WeeklyId,
    /// A bookable stretch of a session, with a capacity.
    SlotId,
    /// A hospital department.
    DepartmentId,
    /// A refund quote that a patient was shown (spec 10, refund shares).
    QuoteId,
    /// A file that somebody put into an order (spec 40, files).
    FileId,
    /// A day of a gateway, held against our own books (spec 20, reconciliation).
    ReconciliationId,
    /// Something of such a day that is not the same on both sides.
    DifferenceId,
}

/// A source of new ids, handed to whoever decides: chance is an argument.
pub trait NewIds {
    /// A fresh id, never given before.
    fn next_id(&mut self) -> Uuid;
}
