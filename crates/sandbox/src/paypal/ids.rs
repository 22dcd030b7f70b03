//! Numbers as PayPal makes them.

use crate::ids::letters;

/// 17 capital letters and digits: an order, a capture, a refund.
pub(super) fn number() -> String {
    letters(17).to_ascii_uppercase()
}

/// Such as `WH-58D329510W468432D-8HN650336L201105X`.
pub(super) fn notice_id() -> String {
    format!("WH-{}-{}", number(), number())
}

/// Such as `b2384410f8d211e4`: of one delivery of a notice.
pub(super) fn transmission_id() -> String {
    letters(32).to_ascii_lowercase()
}

/// What PayPal's support asks for, such as `90957fca61718`.
pub(super) fn debug_id() -> String {
    crate::ids::hexadecimal(13).to_ascii_lowercase()
}
