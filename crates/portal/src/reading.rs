//! Money, days and times in the form that a reader of a language expects.

use crate::words::Words;
use domain::lifecycle::Language;
use domain::{Currency, Money, Ts};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// An instant for people and for scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// RFC 3339, in UTC.
    pub machine: String,
    /// For people, by the clock of a zone that it names.
    pub text: String,
    /// How many minutes that clock is ahead of UTC, so that a script can leave the text alone where
    /// the reader's clock shows the same.
    pub offset_minutes: i32,
    /// Whether only the time of day is told.
    pub is_clock_alone: bool,
}

/// An amount with its currency's sign: `¥1,234.50`.
pub fn money(money: Money, language: Language) -> String {
    let sign = match (money.currency, language) {
        (Currency::CNY, Language::Zh) => "¥",
        (Currency::CNY, Language::En) => "CN¥",
        (Currency::NZD, Language::Zh | Language::En) => "NZ$",
    };
    let decimal = money.to_decimal();
    let (minus, digits) = match decimal.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", decimal.as_str()),
    };
    let (major, minor) = digits.split_once('.').unwrap_or((digits, ""));
    let point = if minor.is_empty() { "" } else { "." };
    format!("{minus}{sign}{}{point}{minor}", thousands(major))
}

/// Digits with a comma before each group of three.
fn thousands(digits: &str) -> String {
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A day and a time to the minute, by this zone's clock, which is named.
pub fn moment(at: Ts, zone: &TimeZone, language: Language) -> Moment {
    told(at, zone, language, false)
}

/// The time alone where it is of the same day as `now`, with its day otherwise.
pub fn moment_soon(at: Ts, now: Ts, zone: &TimeZone, language: Language) -> Moment {
    let day = |at| Timestamp::from(at).to_zoned(zone.clone()).date();
    told(at, zone, language, day(at) == day(now))
}

fn told(at: Ts, zone: &TimeZone, language: Language, is_clock_alone: bool) -> Moment {
    let words = Words::of(language);
    let at = Timestamp::from(at);
    let zoned = at.to_zoned(zone.clone());
    let seconds = zoned.offset().seconds();
    let machine = format!("{at:.0}");
    let form = if is_clock_alone {
        words.say("common.clock")
    } else {
        words.say("common.time")
    };
    let text = strtime::format(form, &zoned).unwrap_or_else(|_| machine.clone());
    Moment {
        text: words.fill(
            "common.time.zoned",
            &[("time", &text), ("zone", &utc(seconds))],
        ),
        machine,
        offset_minutes: seconds / 60,
        is_clock_alone,
    }
}

/// `UTC+8`, `UTC-3:30`.
fn utc(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// A day.
pub fn day(day: Date, language: Language) -> String {
    strtime::format(Words::of(language).say("common.day"), day).unwrap_or_else(|_| day.to_string())
}

/// Minutes and seconds that are left, as a clock shows them: `4:05`, `1:04:05`.
pub fn clock(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Span;

    #[test]
    fn money_has_its_sign_and_its_thousands() {
        let yuan = |fen| money(Money::fen(fen), Language::Zh);
        assert_eq!(yuan(3_000), "¥30.00");
        assert_eq!(yuan(5), "¥0.05");
        assert_eq!(yuan(100_000), "¥1,000.00");
        assert_eq!(yuan(123_456_789), "¥1,234,567.89");
        assert_eq!(yuan(-3_000), "-¥30.00");
        assert_eq!(money(Money::fen(3_000), Language::En), "CN¥30.00");
        let dollars = Money::new(11_500, Currency::NZD);
        assert_eq!(money(dollars, Language::En), "NZ$115.00");
    }

    #[test]
    fn times_name_the_zone_whose_clock_they_are_of() {
        let at = Ts::parse("2026-03-02T01:05:59Z").unwrap();
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let read = moment(at, &shanghai, Language::Zh);
        assert_eq!(read.text, "2026年3月2日 09:05（UTC+8）");
        assert_eq!(read.machine, "2026-03-02T01:05:59Z");
        assert_eq!(read.offset_minutes, 480);
        let read = moment(at, &shanghai, Language::En);
        assert_eq!(read.text, "2 March 2026, 09:05 (UTC+8)");
        let soon = |now| moment_soon(at, now, &shanghai, Language::En).text;
        assert_eq!(soon(at), "09:05 (UTC+8)");
        assert_eq!(soon(at + Span::hours(15)), "2 March 2026, 09:05 (UTC+8)");
        let read = moment(at, &TimeZone::UTC, Language::En);
        assert_eq!(read.text, "2 March 2026, 01:05 (UTC)");
        assert_eq!(utc(-12_600), "UTC-3:30");
        assert_eq!(utc(45_900), "UTC+12:45");
    }

    #[test]
    fn days_and_what_is_left_of_an_hour() {
        let friday = Date::constant(2026, 3, 6);
        assert_eq!(day(friday, Language::Zh), "2026年3月6日");
        assert_eq!(day(friday, Language::En), "6 March 2026");
        assert_eq!(clock(245), "4:05");
        assert_eq!(clock(3_845), "1:04:05");
        assert_eq!(clock(-1), "0:00");
    }
}
