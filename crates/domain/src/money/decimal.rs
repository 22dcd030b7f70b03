//! Amounts as decimal text, as Alipay, PayPal and every bill write them: `30.50`. The one place
//! where text becomes money and money becomes text (spec 20); there is no floating point in it.

use super::{Currency, Money, MoneyError};

impl Money {
    /// In major units with all decimals of the currency and no currency: `30.50`, `-0.05`.
    pub fn to_decimal(self) -> String {
        write(self.amount, self.currency.decimals())
    }

    /// Reads an amount in major units: `30.50`, `30.5`, `30`, `-0.05`, `1,234.50`, and more
    /// decimals than the currency has where they are zeros. Spaces around it are no part of it.
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        read(text.trim(), currency.decimals())
            .map(|amount| Self { amount, currency })
            .ok_or_else(|| MoneyError::NotDecimal {
                text: text.chars().take(40).collect(),
                currency,
            })
    }
}

fn write(amount: i64, decimals: u32) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let (amount, unit) = (amount.unsigned_abs(), 10_u64.pow(decimals));
    if decimals == 0 {
        return format!("{sign}{amount}");
    }
    let width = decimals as usize;
    format!("{sign}{}.{:0width$}", amount / unit, amount % unit)
}

fn read(text: &str, decimals: u32) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (major, minor) = digits.split_once('.').unwrap_or((digits, ""));
    let is_point_alone = digits.contains('.') && minor.is_empty();
    let minor_given = minor.get(..minor.len().min(decimals as usize))?;
    let beyond = minor.get(minor_given.len()..)?;
    if is_point_alone || !beyond.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let missing = decimals as usize - minor_given.len();
    let major = without_thousands(major)?;
    let all = major
        .chars()
        .chain(minor_given.chars())
        .chain(std::iter::repeat_n('0', missing));
    // Built up with its sign, so that the smallest amount fits as well as the largest.
    all.map(|digit| digit.to_digit(10).map(i64::from))
        .try_fold(0_i64, |sum, digit| {
            let digit = if negative { -digit? } else { digit? };
            sum.checked_mul(10)?.checked_add(digit)
        })
}

/// The digits of `1,234` or `1234`; nothing where commas stand elsewhere than between thousands.
fn without_thousands(major: &str) -> Option<String> {
    let mut groups = major.split(',');
    let first = groups.next().filter(|first| !first.is_empty())?;
    let rest: Vec<&str> = groups.collect();
    let grouped =
        rest.iter().all(|group| group.len() == 3) && (rest.is_empty() || first.len() <= 3);
    grouped.then(|| std::iter::once(first).chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_written_with_all_decimals() {
        assert_eq!(Money::fen(3050).to_decimal(), "30.50");
        assert_eq!(Money::fen(5).to_decimal(), "0.05");
        assert_eq!(Money::fen(-5).to_decimal(), "-0.05");
        assert_eq!(write(115, 0), "115");
        assert_eq!(write(1, 3), "0.001");
        assert_eq!(write(i64::MIN, 2), "-92233720368547758.08");
    }

    #[test]
    fn amounts_are_read_as_gateways_write_them() {
        let fen = |text| Money::from_decimal(text, Currency::CNY).map(|money| money.amount);
        for (text, amount) in [
            ("30.50", 3050),
            ("30.5", 3050),
            ("30", 3000),
            (" 0.01 ", 1),
            ("-0.05", -5),
            ("30.50000", 3050),
            ("1,234.50", 123_450),
            ("0.00", 0),
            ("-92233720368547758.08", i64::MIN),
        ] {
            assert_eq!(fen(text), Ok(amount), "{text}");
        }
        assert_eq!(read("115", 0), Some(115));
        assert_eq!(read("115.00", 0), Some(115));
    }

    #[test]
    fn what_is_no_amount_is_refused_and_named() {
        for text in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "1.005",
            "1e3",
            "+1",
            "1 000",
            "1,00.00",
            ",100",
            "12,34",
            "--1",
            "１",
            "0x10",
            "NaN",
            "92233720368547758.08",
            "1.2.3",
        ] {
            let refused = Money::from_decimal(text, Currency::CNY).unwrap_err();
            assert!(
                refused.to_string().contains(&format!("`{text}`")),
                "{refused}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(amount: i64, decimals in 0_u32..=4) {
            prop_assert_eq!(read(&write(amount, decimals), decimals), Some(amount));
        }

        #[test]
        fn whatever_is_read_is_written_as_the_same_number(text in "-?[0-9]{1,12}(\\.[0-9]{1,2})?") {
            let read = Money::from_decimal(&text, Currency::NZD).unwrap();
            let again = Money::from_decimal(&read.to_decimal(), Currency::NZD);
            prop_assert_eq!(again, Ok(read));
        }

        #[test]
        fn nothing_from_outside_makes_it_panic(text: String, decimals in 0_u32..=4) {
            if let Some(amount) = read(&text, decimals) {
                prop_assert_eq!(read(&write(amount, decimals), decimals), Some(amount));
            }
        }
    }
}
