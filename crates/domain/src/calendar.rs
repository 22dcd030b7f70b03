//! Working days (spec 00, rule 9).

use crate::Ts;
use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// Weekends, holidays and make-up working days, in the tenant's zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// Where days begin and end.
    pub zone: TimeZone,
    /// Days off beside weekends.
    pub holidays: BTreeSet<Date>,
    /// Weekend days that are worked (China moves weekends around its long holidays).
    pub worked_weekends: BTreeSet<Date>,
}

impl Default for Calendar {
    /// China's clock, without holidays: these are configuration.
    fn default() -> Self {
        let zone =
            TimeZone::get("Asia/Shanghai").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(8)));
        Self {
            zone,
            holidays: BTreeSet::new(),
            worked_weekends: BTreeSet::new(),
        }
    }
}

impl Calendar {
    /// The day of an instant in this zone.
    pub fn day(&self, at: Ts) -> Date {
        Timestamp::from(at).to_zoned(self.zone.clone()).date()
    }

    /// When a day begins in this zone: its midnight, or the first instant after a gap there.
    pub fn begins(&self, day: Date) -> Ts {
        let limit = if day.year() < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        let zoned = day.to_zoned(self.zone.clone());
        zoned.map_or(limit, |zoned| zoned.timestamp()).into()
    }

    /// Whether people work on that day.
    pub fn is_working_day(&self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        self.worked_weekends.contains(&day) || (!weekend && !self.holidays.contains(&day))
    }

    /// The last day of so many working days after the day of an instant.
    pub fn after_working_days(&self, from: Ts, working_days: u8) -> Date {
        let mut day = self.day(from);
        let mut left = working_days;
        while left > 0 {
            let Ok(next) = day.tomorrow() else { return day };
            day = next;
            left -= u8::from(self.is_working_day(day));
        }
        day
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn weekends_and_holidays_are_skipped_and_make_up_days_count() {
        let friday = Ts::parse("2026-09-25T10:00:00+08:00").unwrap();
        let mut calendar = Calendar::default();
        assert_eq!(calendar.after_working_days(friday, 1), date(2026, 9, 28));
        calendar.holidays.insert(date(2026, 9, 28));
        assert_eq!(calendar.after_working_days(friday, 1), date(2026, 9, 29));
        calendar.worked_weekends.insert(date(2026, 9, 26));
        assert_eq!(calendar.after_working_days(friday, 1), date(2026, 9, 26));
    }

    #[test]
    fn a_day_begins_at_the_tenants_midnight() {
        let late = Ts::parse("2026-09-24T17:00:00Z").unwrap();
        let calendar = Calendar::default();
        assert_eq!(calendar.day(late), date(2026, 9, 25));
        let midnight = Ts::parse("2026-09-24T16:00:00Z").unwrap();
        assert_eq!(calendar.begins(date(2026, 9, 25)), midnight);
    }
}
