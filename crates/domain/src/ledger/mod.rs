//! Double entry: every movement of money is one balanced entry (spec 20).
//!
//! The [chart](Heading) says which accounts there are, the [kinds](EntryKind) what may be posted to
//! them. [`Entry`] is made by these two tables, so that money that is nobody's can't be expressed.

mod chart;
mod entry;
mod month;
mod page;
mod trial_balance;

pub use chart::{Account, AccountType, Heading, Side};
pub use entry::{Entry, EntryError, EntryKind, Posting};
pub use month::{Month, MonthError};
pub use page::{chart_page, kinds_page};
pub use trial_balance::{Sides, Totals, TrialBalance, TrialLine};
