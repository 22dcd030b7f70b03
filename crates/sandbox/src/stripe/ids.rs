//! Numbers as Stripe makes them: what it is, and letters and digits.

use crate::ids::letters;
use aws_lc_rs::digest::{SHA256, digest};
use std::fmt::Write as _;

/// Such as `pi_3MtwBwLkdIwHu7ix28a3tqPa`.
pub(super) fn intent_id() -> String {
    format!("pi_3{}", letters(23))
}

/// The charge of an intent, which ends alike.
pub(super) fn charge_id(intent_id: &str) -> String {
    format!("ch_{}", intent_id.trim_start_matches("pi_"))
}

/// Such as `re_3MtwBwLkdIwHu7ix1Nispe2e`.
pub(super) fn refund_id() -> String {
    format!("re_3{}", letters(23))
}

/// What a page pays an intent with.
pub(super) fn client_secret(intent_id: &str) -> String {
    format!("{intent_id}_secret_{}", letters(25))
}

/// Such as `evt_3MtwBwLkdIwHu7ix2nEJ5x8s`.
pub(super) fn notice_id() -> String {
    format!("evt_3{}", letters(23))
}

/// Names an answer in the log.
pub(super) fn request_id() -> String {
    format!("req_{}", letters(14))
}

/// The movement of the balance that something made: the same each time it is asked for.
pub(super) fn movement_id(of: &str) -> String {
    let drawn = digest(&SHA256, of.as_bytes());
    let bytes = drawn.as_ref().iter().take(12);
    bytes.fold("txn_".to_owned(), |mut id, byte| {
        // Writing to a String can't fail.
        write!(id, "{byte:02x}").unwrap_or_default();
        id
    })
}
