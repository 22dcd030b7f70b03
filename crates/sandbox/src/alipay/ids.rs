//! Numbers as Alipay makes them.

use crate::ids::digits;
use connectors::alipay::wire::beijing_time;
use domain::Ts;

/// 28 digits, such as `2025112022001400000000000001`.
pub(super) fn trade_no(now: Ts) -> String {
    format!("{}22001{}", day(now), digits(15))
}

/// 34 digits, such as `2025112000222100000000000000000001`.
pub(super) fn notice_id(now: Ts) -> String {
    format!("{}00222{}", day(now), digits(21))
}

/// `20251120`, Beijing time.
pub(super) fn day(now: Ts) -> String {
    let time = beijing_time(now);
    time.chars().filter(char::is_ascii_digit).take(8).collect()
}
