//! Reconciliation: a gateway's bill of a day against our own payments and refunds (spec 20).
//!
//! [`reconcile`] finds what differs and names it; [`settle`] says who may do what about it; [`rerun`]
//! says what a second look at the same day does to what the first one found. All of it is pure.

mod bill;
mod difference;
mod kind;
mod matching;
mod ours;
mod repair;
mod rerun;
mod settle;
mod state;
mod sums;
mod suspense;

pub use bill::{BillLine, BillTotals, LineKind, LineStatus};
pub use difference::{Difference, LONGEST_NUMBER};
pub use kind::{AtLoss, DifferenceKind, Severity};
pub use matching::{Question, Reconciled, reconcile};
pub use ours::{Billed, BillingDay, ContractFee, OurPayment, OurRefund};
pub use repair::Repair;
pub use rerun::{Found, Rerun, rerun};
pub use settle::{Ask, Case, DifferenceStatus, Outcome, Ruling, SettleRefusal, settle};
pub use state::{ReconciliationState, Run};
pub use sums::Sums;
pub use suspense::suspense;
