//! What is true: lifecycles as tables, commands, decisions, refund rules, matching, queue, money.
//! Pure: no I/O, no clock, no chance; the same inputs give the same [`Decision`](order::Decision).

mod calendar;
pub mod consultation;
pub mod file;
mod id;
pub mod ledger;
pub mod lifecycle;
mod money;
pub mod order;
pub mod payment;
pub mod reconciliation;
pub mod session;
mod time;
pub mod weekly;

pub use calendar::Calendar;
pub use id::*;
pub use money::{Currency, Money, MoneyError, Share};
pub use time::{Span, Ts};
