//! Months: the ledger is closed by them.

use crate::{Calendar, Ts};
use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The years that a month may be of: the ledger knows no others.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2999;

/// A text that is no month.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("`{0}` is no month: write it like 2026-03, from 2000 to 2999")]
pub struct MonthError(String);

/// A month of the calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// Its first day.
    first: Date,
}

impl Month {
    /// The month that this day is in.
    pub fn of(day: Date) -> Self {
        Self {
            first: day.first_of_month(),
        }
    }

    /// Its first day.
    pub const fn first_day(self) -> Date {
        self.first
    }

    /// Its last day.
    pub fn last_day(self) -> Date {
        self.first.last_of_month()
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        self.moved(1.month())
    }

    /// The one before it.
    #[must_use]
    pub fn previous(self) -> Self {
        self.moved((-1).month())
    }

    fn moved(self, by: Span) -> Self {
        // Years have four digits: the calendar's end is out of reach.
        Self {
            first: self.first.saturating_add(by),
        }
    }

    /// When it begins in the calendar's zone.
    pub fn begins(self, calendar: &Calendar) -> Ts {
        calendar.begins(self.first)
    }

    /// When the next one begins, and this one has ended.
    pub fn ends(self, calendar: &Calendar) -> Ts {
        calendar.begins(self.next().first)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Month {
    type Err = MonthError;
    fn from_str(text: &str) -> Result<Self, MonthError> {
        let wrong = || MonthError(text.chars().take(40).collect());
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let parts = text.split_once('-').filter(|(year, month)| {
            year.len() == 4 && month.len() == 2 && digits(year) && digits(month)
        });
        let (year, month) = parts.ok_or_else(wrong)?;
        let year: i16 = year.parse().map_err(|_| wrong())?;
        let month: i8 = month.parse().map_err(|_| wrong())?;
        if !YEARS.contains(&year) {
            return Err(wrong());
        }
        let first = Date::new(year, month, 1).map_err(|_| wrong())?;
        Ok(Self { first })
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    #[test]
    fn months_are_read_as_they_are_written_and_nothing_else_is() {
        assert_eq!(month("2026-03").to_string(), "2026-03");
        for text in [
            "",
            "2026",
            "2026-3",
            "2026-13",
            "2026-00",
            "1999-12",
            "3000-01",
            "+026-03",
            "2026-03-01",
            "２026-03",
        ] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }

    #[test]
    fn months_follow_each_other_over_the_year_and_through_february() {
        assert_eq!(month("2026-12").next(), month("2027-01"));
        assert_eq!(month("2026-01").previous(), month("2025-12"));
        assert_eq!(month("2028-02").last_day().day(), 29);
        assert_eq!(Month::of(month("2026-04").last_day()), month("2026-04"));
    }

    #[test]
    fn a_month_begins_and_ends_at_the_hospitals_midnight() {
        let calendar = Calendar::default();
        let at = |text: &str| Ts::parse(text).unwrap();
        let march = month("2026-03");
        assert_eq!(march.begins(&calendar), at("2026-02-28T16:00:00Z"));
        assert_eq!(march.ends(&calendar), at("2026-03-31T16:00:00Z"));
        assert_eq!(march.ends(&calendar), march.next().begins(&calendar));
    }
}
