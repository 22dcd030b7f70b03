//! Numbers as WeChat makes them. They are drawn, never counted: a restart needs no counter.

use connectors::wechat_pay::wire::beijing_time;
use domain::Ts;
use rand::Rng as _;
use rand::distr::Alphanumeric;

/// 28 digits that start with `4200`.
pub(crate) fn transaction_id(now: Ts) -> String {
    format!("4200{}{}{}", digits(6), day(now), digits(10))
}

/// 29 digits that start with `5030`.
pub(crate) fn refund_id(now: Ts) -> String {
    format!("5030{}{}{}", digits(7), day(now), digits(10))
}

/// Such as `wx201410272009395522657a690389285100`.
pub(crate) fn prepay_id(now: Ts) -> String {
    format!("wx{}{}", second(now), hexadecimal(20).to_ascii_lowercase())
}

/// Such as `weixin://wxpay/bizpayurl?pr=xY3k9Qz00`.
pub(crate) fn code_url() -> String {
    format!("weixin://wxpay/bizpayurl?pr={}", letters(12))
}

/// Such as `EV-2018022511223320873`, with more digits so that two never meet.
pub(crate) fn notice_id(now: Ts) -> String {
    format!("EV-{}{}", second(now), digits(12))
}

/// Names an answer in the log.
pub(crate) fn request_id() -> String {
    hexadecimal(32)
}

/// Random digits.
pub(crate) fn digits(count: usize) -> String {
    draw(count, b"0123456789")
}

/// Random upper-case hex.
pub(crate) fn hexadecimal(count: usize) -> String {
    draw(count, b"0123456789ABCDEF")
}

/// Random letters and digits.
pub(crate) fn letters(count: usize) -> String {
    rand::rng()
        .sample_iter(Alphanumeric)
        .take(count)
        .map(char::from)
        .collect()
}

fn draw(count: usize, from: &[u8]) -> String {
    let mut rng = rand::rng();
    (0..count)
        .map(|_| char::from(from[rng.random_range(0..from.len())]))
        .collect()
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
