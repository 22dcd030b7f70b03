//! Reconciliation: a gateway's bill of a day against our own payments and refunds (spec 20).

mod bill;

pub use bill::{BillLine, BillTotals, LineKind, LineStatus};
