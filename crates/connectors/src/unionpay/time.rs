//! Times on UnionPay's wire: Beijing's, without a zone, and partly without a year.

use domain::Ts;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

const BEIJING: Offset = Offset::constant(8);

/// Where UnionPay's settlement days begin and end, as the offset at which that is midnight: a day
/// lasts from 23:00 of the day before to 23:00, in Beijing.
pub const SETTLEMENT_DAYS: Offset = Offset::constant(9);

/// `YYYYMMDDhhmmss` (txnTime, payTimeout); parts of a second are cut off.
pub fn order_time(at: Ts) -> String {
    let whole = Timestamp::from_second(at.unix_seconds()).unwrap_or_else(|_| at.into());
    BEIJING
        .to_datetime(whole)
        .strftime("%Y%m%d%H%M%S")
        .to_string()
}

/// Reads `YYYYMMDDhhmmss`.
pub fn read_order_time(text: &str) -> Option<Ts> {
    let (year, rest) = digits(text, 14)?.split_at_checked(4)?;
    in_year(year.parse().ok()?, rest)
}

/// `MMDD` (settleDate).
pub fn month_day(day: Date) -> String {
    day.strftime("%m%d").to_string()
}

/// Reads `MMDDhhmmss` (traceTime). The year that is not there is the one that brings it nearest to
/// a moment that is known to be near.
pub fn read_trace_time(text: &str, near: Ts) -> Option<Ts> {
    let text = digits(text, 10)?;
    let year = BEIJING.to_datetime(near.into()).year();
    [year - 1, year, year + 1]
        .into_iter()
        .filter_map(|year| in_year(year, text))
        .min_by_key(|at| at.micros().abs_diff(near.micros()))
}

/// Beijing's date at this moment.
pub fn beijing_date(at: Ts) -> Date {
    BEIJING.to_datetime(at.into()).date()
}

/// A moment of a day in Beijing, in hours after its midnight; more than 24 are of later days.
pub fn beijing_hour(day: Date, hour: i64) -> Option<Ts> {
    let midnight = moment(day.to_datetime(jiff::civil::Time::midnight()))?;
    Some(midnight + domain::Span::hours(hour))
}

fn in_year(year: i16, text: &str) -> Option<Ts> {
    let part = |from: usize| text.get(from..from + 2)?.parse::<i8>().ok();
    let (month, day) = (part(0)?, part(2)?);
    let (hour, minute, second) = (part(4)?, part(6)?, part(8)?);
    moment(DateTime::new(year, month, day, hour, minute, second, 0).ok()?)
}

fn moment(at: DateTime) -> Option<Ts> {
    at.to_zoned(TimeZone::fixed(BEIJING))
        .ok()
        .map(|zoned| zoned.timestamp().into())
}

fn digits(text: &str, count: usize) -> Option<&str> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Ts {
        Ts::parse(text).unwrap()
    }

    #[test]
    fn times_are_beijings_in_whole_seconds() {
        let evening = at("2025-12-31T17:00:05.999Z");
        assert_eq!(order_time(evening), "20260101010005");
        assert_eq!(
            read_order_time("20260101010005"),
            Some(at("2025-12-31T17:00:05Z"))
        );
        assert_eq!(beijing_date(evening), jiff::civil::date(2026, 1, 1));
        assert_eq!(
            beijing_hour(jiff::civil::date(2026, 1, 1), 33),
            Some(at("2026-01-02T09:00:00+08:00"))
        );
        assert_eq!(month_day(jiff::civil::date(2026, 1, 9)), "0109");
    }

    #[test]
    fn the_missing_year_is_the_nearest_one() {
        let new_year = at("2026-01-01T00:10:00+08:00");
        assert_eq!(
            read_trace_time("1231235950", new_year),
            Some(at("2025-12-31T23:59:50+08:00"))
        );
        let old_year = at("2025-12-31T23:59:00+08:00");
        assert_eq!(
            read_trace_time("0101000100", old_year),
            Some(at("2026-01-01T00:01:00+08:00"))
        );
        // There is no such day in most years.
        let leap = at("2028-03-01T00:00:00+08:00");
        assert_eq!(
            read_trace_time("0229120000", leap),
            Some(at("2028-02-29T12:00:00+08:00"))
        );
        assert_eq!(
            read_trace_time("0229120000", at("2026-03-01T00:00:00Z")),
            None
        );
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "2026010101000",
            "202601010100055",
            "20261301000000",
            "2026010101006x",
            "２０２６",
        ] {
            assert_eq!(read_order_time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn times_are_read_as_they_are_written(seconds in 0_i64..4_000_000_000) {
            let at = Ts::from_micros(seconds * 1_000_000);
            prop_assert_eq!(read_order_time(&order_time(at)), Some(at));
            prop_assert_eq!(read_trace_time(&order_time(at)[4..], at), Some(at));
        }

        #[test]
        fn nothing_makes_it_panic(text: String, near: i64) {
            let near = Ts::from_micros(near);
            prop_assert!(read_trace_time(&text, near).is_none_or(|_| text.len() == 10));
            prop_assert_eq!(order_time(near).is_empty(), false);
        }
    }
}
