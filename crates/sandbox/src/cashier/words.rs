//! The cashier's words, in Chinese and English.

use axum::http::{HeaderMap, header};

/// Every text of the cashier in one language.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) lang: &'static str,
    pub(super) is_chinese: bool,
    pub(super) banner: &'static str,
    pub(super) title: &'static str,
    pub(super) number: &'static str,
    pub(super) until: &'static str,
    pub(super) pay: &'static str,
    pub(super) fail: &'static str,
    pub(super) leave: &'static str,
    pub(super) try_again: &'static str,
    pub(super) has_paid: &'static str,
    pub(super) has_agreed: &'static str,
    pub(super) has_failed: &'static str,
    pub(super) has_left: &'static str,
    pub(super) is_refunded: &'static str,
    pub(super) is_closed: &'static str,
    pub(super) is_over: &'static str,
    pub(super) may_close: &'static str,
    pub(super) no_such_payment: &'static str,
    pub(super) out_of_order: &'static str,
}

const CHINESE: Words = Words {
    lang: "zh-CN",
    is_chinese: true,
    banner: "沙箱：不是真钱",
    title: "收银台",
    number: "商户单号",
    until: "支付截止",
    pay: "支付",
    fail: "模拟支付失败",
    leave: "离开，暂不支付",
    try_again: "再试一次",
    has_paid: "支付成功。",
    has_agreed: "您已同意付款，等待商户收款。",
    has_failed: "支付失败，没有扣款。",
    has_left: "您离开了收银台，没有付款。",
    is_refunded: "已支付，商户已发起退款。",
    is_closed: "订单已关闭，不能再支付。",
    is_over: "已超过支付时间，不能再支付。",
    may_close: "可以关闭本页了。",
    no_such_payment: "没有这笔支付。",
    out_of_order: "沙箱出错了，请查看它的日志。",
};

const ENGLISH: Words = Words {
    lang: "en",
    is_chinese: false,
    banner: "Sandbox: play money",
    title: "Cashier",
    number: "Number",
    until: "Pay until",
    pay: "Pay",
    fail: "Try, and fail",
    leave: "Leave without paying",
    try_again: "Try again",
    has_paid: "You have paid.",
    has_agreed: "You have agreed to pay; the merchant will fetch the money.",
    has_failed: "The payment failed. Nothing was taken.",
    has_left: "You left the cashier. Nothing was paid.",
    is_refunded: "Paid; the merchant has sent a refund.",
    is_closed: "The payment is closed. It can't be paid any more.",
    is_over: "The time to pay is over.",
    may_close: "You can close this page.",
    no_such_payment: "There is no such payment.",
    out_of_order: "The sandbox failed. Its log says why.",
};

/// The language that the browser asks for first, of the two that there are; Chinese where it
/// asks for neither.
pub(super) fn words_for(headers: &HeaderMap) -> &'static Words {
    let wanted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let first = wanted.split(',').find_map(|item| {
        let tag = item.trim().get(..2)?;
        ["zh", "en"]
            .into_iter()
            .find(|known| tag.eq_ignore_ascii_case(known))
    });
    match first {
        Some("en") => &ENGLISH,
        Some(_) | None => &CHINESE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_first_known_one() {
        for (wanted, lang) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
            ("en-NZ,en;q=0.9,zh;q=0.8", "en"),
            ("de, EN;q=0.5", "en"),
            ("de", "zh-CN"),
            ("é,", "zh-CN"),
            ("", "zh-CN"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, wanted.parse().unwrap());
            assert_eq!(words_for(&headers).lang, lang, "{wanted}");
        }
    }
}
