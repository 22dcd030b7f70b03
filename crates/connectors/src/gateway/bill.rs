//! A gateway's bill of a day.

use domain::reconciliation::{BillLine, BillTotals};

/// What a gateway says happened on a day, as it was received and as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// Its lines, in the gateway's order.
    pub lines: Vec<BillLine>,
    /// The gateway's own sums, where the bill has them.
    pub totals: Option<BillTotals>,
    /// The bytes as received, to be kept as evidence.
    pub raw: Vec<u8>,
}
