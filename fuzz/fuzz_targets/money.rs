//! Amounts as text: what is read is written as the same number.
#![no_main]

use domain::{Currency, Money};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for currency in [Currency::CNY, Currency::NZD] {
        if let Ok(money) = Money::from_decimal(text, currency) {
            let written = money.to_decimal();
            assert_eq!(plain(&written), plain(text), "`{text}` became `{written}`");
            assert_eq!(Money::from_decimal(&written, currency), Ok(money));
        }
    }
});

/// A number without what does not count: sign of nothing, commas, zeros at both ends.
fn plain(text: &str) -> (bool, String, String) {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (major, minor) = digits.split_once('.').unwrap_or((digits, ""));
    let major = major.replace(',', "").trim_start_matches('0').to_owned();
    let minor = minor.trim_end_matches('0').to_owned();
    let is_nothing = major.is_empty() && minor.is_empty();
    (negative && !is_nothing, major, minor)
}
