//! What UnionPay's fields say of money, numbers and times, read in one place.

use super::fields::Fields;
use super::time::{read_order_time, read_trace_time};
use domain::{Currency, Money, Ts};

/// Renminbi by ISO 4217's number, as UnionPay names it.
pub const RENMINBI: &str = "156";

/// `txnAmt` has at most 12 digits.
pub const MAX_FEN: i64 = 999_999_999_999;

const REFUND_PREFIX: &str = "RF";

/// The orderId of a refund: our number without its `RF`. UnionPay takes up to 40 letters and
/// digits, but its settlement file has room for 32, which the hexadecimal digits fill.
pub fn refund_order_id(out_refund_no: &str) -> Option<&str> {
    out_refund_no
        .strip_prefix(REFUND_PREFIX)
        .filter(|rest| is_our_number(rest))
}

/// Our number of a refund by its orderId; none where the number is not of our making, such as of a
/// refund made by hand at UnionPay.
pub fn out_refund_no(order_id: &str) -> Option<String> {
    is_our_number(order_id).then(|| format!("{REFUND_PREFIX}{order_id}"))
}

fn is_our_number(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// `txnAmt` in `currencyCode`, which must be renminbi.
pub fn amount(fields: &Fields) -> Result<Money, String> {
    let currency = fields.required("currencyCode")?;
    if currency != RENMINBI {
        return Err(format!("currencyCode `{currency}` is not {RENMINBI}"));
    }
    let text = fields.required("txnAmt")?;
    read_fen(text)
        .map(|fen| Money::new(fen, Currency::CNY))
        .ok_or_else(|| format!("txnAmt `{text}` is no amount in fen of at most 12 digits"))
}

/// Up to 12 digits of fen.
pub fn read_fen(text: &str) -> Option<i64> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// When the money moved, by UnionPay's clock: `traceTime`, whose year is that of `txnTime`; where
/// there is none, when the order was sent.
pub fn moved_at(fields: &Fields) -> Result<Ts, String> {
    let text = fields.required("txnTime")?;
    let sent_at = read_order_time(text).ok_or_else(|| format!("txnTime `{text}` is no time"))?;
    match fields.get("traceTime") {
        None => Ok(sent_at),
        Some(text) => {
            read_trace_time(text, sent_at).ok_or_else(|| format!("traceTime `{text}` is no time"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_refunds_number_goes_without_its_prefix_and_comes_back_with_it() {
        let number = "RF0123456789abcdef0123456789abcdef";
        let order_id = refund_order_id(number).unwrap();
        assert_eq!(order_id, "0123456789abcdef0123456789abcdef");
        assert_eq!(out_refund_no(order_id).as_deref(), Some(number));
        for other in [
            "",
            "RF",
            "0123456789abcdef0123456789abcdef",
            "RFX123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(refund_order_id(other), None, "{other}");
        }
        assert_eq!(out_refund_no("20150905000000001"), None);
    }

    #[test]
    fn amounts_are_whole_fen_of_renminbi() {
        let fields = |text: &str, currency: &str| {
            Fields::default()
                .with("txnAmt", text)
                .with("currencyCode", currency)
        };
        assert_eq!(amount(&fields("000000003050", "156")), Ok(Money::fen(3050)));
        assert_eq!(
            amount(&fields("999999999999", "156")),
            Ok(Money::fen(MAX_FEN))
        );
        for (text, currency) in [
            ("3050", "840"),
            ("3050", ""),
            ("", "156"),
            ("-1", "156"),
            ("+1", "156"),
            ("30.50", "156"),
            ("1000000000000", "156"),
            (" 1", "156"),
        ] {
            assert!(
                amount(&fields(text, currency)).is_err(),
                "{text} {currency}"
            );
        }
    }

    #[test]
    fn money_moves_when_unionpay_says_and_else_when_it_was_sent() {
        let at = |text| Ts::parse(text).unwrap();
        let fields = Fields::default().with("txnTime", "20251231235900");
        assert_eq!(moved_at(&fields), Ok(at("2025-12-31T23:59:00+08:00")));
        let fields = fields.with("traceTime", "0101000102");
        assert_eq!(moved_at(&fields), Ok(at("2026-01-01T00:01:02+08:00")));
        assert!(moved_at(&fields.with("traceTime", "soon")).is_err());
        assert!(moved_at(&Fields::default()).is_err());
    }

    proptest! {
        #[test]
        fn only_digits_are_fen(text in "\\PC{0,14}") {
            if let Some(fen) = read_fen(&text) {
                prop_assert_eq!(format!("{fen:0width$}", width = text.len()), text);
                prop_assert!((0..=MAX_FEN).contains(&fen));
            }
        }
    }
}
