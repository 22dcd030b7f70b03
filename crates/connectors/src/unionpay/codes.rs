//! What UnionPay's answer codes mean: of a request itself (`respCode`), and of the transaction that
//! was asked about (`origRespCode`). Part 5 of UnionPay's interface specification lists them; its
//! samples say which of them leave the outcome open.

use crate::gateway::{GatewayError, Operation};
use domain::payment::GatewayName;

/// The gateway's name in errors, the API and the database.
pub(super) const GATEWAY: GatewayName = GatewayName::UNIONPAY;

/// No such transaction.
pub(super) const NOT_FOUND: &str = "34";
/// The same merId, orderId and txnTime were seen before.
pub(super) const DUPLICATE: &str = "12";
/// Of a file: there is none.
pub(super) const NO_FILE: &str = "98";

/// How a transaction stands, by its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The money moved.
    Done,
    /// Money moved, but not as it should have: `A6` (partly, or with a flaw), `74` and `75` (taken,
    /// but what followed failed or is unknown). Only people and the settlement file settle it.
    Flawed,
    /// Under way.
    Running,
    /// UnionPay does not know it.
    NotFound,
    /// The last try failed.
    Failed,
}

/// Reads a transaction's code.
pub(super) fn standing(code: &str) -> Standing {
    match code {
        "00" => Standing::Done,
        "A6" | "74" | "75" => Standing::Flawed,
        "03" | "04" | "05" => Standing::Running,
        NOT_FOUND => Standing::NotFound,
        _ => Standing::Failed,
    }
}

/// Whether a refund with this code surely moved nothing, so that another number may be sent for the
/// same money. Of `01`, `12`, `60` and `99`, UnionPay's samples want to know more where money goes
/// out; a code that its list does not have proves nothing at all.
pub(super) fn is_surely_failed(code: &str) -> bool {
    let listed = code.len() == 2 && code.starts_with(['1', '3', '4', '6', '7']);
    listed && standing(code) == Standing::Failed && !matches!(code, "12" | "60")
}

/// A request that did not get `00`: surely not done and to be asked again, perhaps done, or no for
/// good.
pub(super) fn not_done(operation: Operation, code: &str, message: &str) -> GatewayError {
    let reason = format!("respCode {code}: {message}");
    match code {
        // The system is closed or busy, asked too often, outside the hours: nothing was begun.
        "02" | "06" | "37" | "39" => operation.unavailable(GATEWAY, reason),
        // UnionPay's samples tell to query after these, and they include what reads like a plain
        // failure (`01`, `60`): the card's bank may have acted. `99` is an unknown error.
        "01" | "03" | "04" | "05" | "60" | "99" | NOT_FOUND | DUPLICATE | "A6" | "74" | "75" => {
            operation.unanswered(GATEWAY, reason)
        }
        _ => operation.refused(GATEWAY, code, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(operation: Operation, code: &str) -> &'static str {
        match not_done(operation, code, "") {
            GatewayError::Refused { .. } => "refused",
            GatewayError::Unavailable { .. } => "unavailable",
            GatewayError::Unknown { .. } => "unknown",
        }
    }

    #[test]
    fn the_three_kinds_never_mix() {
        use Operation::{Query, Refund};
        for (code, of_refund, of_query) in [
            ("02", "unavailable", "unavailable"),
            ("37", "unavailable", "unavailable"),
            ("03", "unknown", "unavailable"),
            ("05", "unknown", "unavailable"),
            ("01", "unknown", "unavailable"),
            ("60", "unknown", "unavailable"),
            ("99", "unknown", "unavailable"),
            ("A6", "unknown", "unavailable"),
            ("10", "refused", "refused"),
            ("11", "refused", "refused"),
            ("36", "refused", "refused"),
            ("45", "refused", "refused"),
        ] {
            assert_eq!(kind(Refund, code), of_refund, "{code}");
            assert_eq!(kind(Query, code), of_query, "{code}");
        }
    }

    #[test]
    fn another_number_is_sent_only_after_a_sure_failure() {
        for code in ["10", "36", "45", "61", "64", "73"] {
            assert!(is_surely_failed(code), "{code}");
        }
        for code in [
            "", "00", "01", "02", "03", "05", "12", "34", "60", "74", "98", "99", "A6", "PR", "6",
            "610",
        ] {
            assert!(!is_surely_failed(code), "{code}");
        }
    }

    #[test]
    fn only_00_is_done() {
        assert_eq!(standing("00"), Standing::Done);
        assert_eq!(standing("A6"), Standing::Flawed);
        assert_eq!(standing("04"), Standing::Running);
        assert_eq!(standing("34"), Standing::NotFound);
        for code in ["64", "70", "0", "000", " 00", ""] {
            assert_eq!(standing(code), Standing::Failed, "{code}");
        }
    }
}
