//! Numbers as WeChat makes them.

use crate::ids::{digits, hexadecimal, letters};
use connectors::wechat_pay::wire::beijing_time;
use domain::Ts;

/// 28 digits that start with `4200`.
pub(super) fn transaction_id(now: Ts) -> String {
    format!("4200{}{}{}", digits(6), day(now), digits(10))
}

/// 29 digits that start with `5030`.
pub(super) fn refund_id(now: Ts) -> String {
    format!("5030{}{}{}", digits(7), day(now), digits(10))
}

/// Such as `wx201410272009395522657a690389285100`.
pub(super) fn prepay_id(now: Ts) -> String {
    format!("wx{}{}", second(now), hexadecimal(20).to_ascii_lowercase())
}

/// Such as `weixin://wxpay/bizpayurl?pr=xY3k9Qz00`.
pub(super) fn code_url() -> String {
    format!("weixin://wxpay/bizpayurl?pr={}", letters(12))
}

/// Such as `EV-2018022511223320873`, with more digits so that two never meet.
pub(super) fn notice_id(now: Ts) -> String {
    format!("EV-{}{}", second(now), digits(12))
}

/// Names an answer in the log.
pub(super) fn request_id() -> String {
    hexadecimal(32)
}

fn day(now: Ts) -> String {
    second(now).chars().take(8).collect()
}

/// `20141027200939`, Beijing time.
fn second(now: Ts) -> String {
    beijing_time(now)
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect()
}
