//! Sessions that come every week (spec 10, clinic mode: published up to seven days ahead).

use crate::consultation::ConsultationType;
use crate::{Money, Span, Ts, UserId, WeeklyId};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A doctor's hours on one day of every week. They do not go over midnight.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weekly {
    /// Its id.
    pub id: WeeklyId,
    /// Whose.
    pub doctor: UserId,
    /// The day of the week, 1 is Monday and 7 Sunday.
    pub weekday: u8,
    /// When they begin, in minutes after midnight.
    pub from: u16,
    /// When they end, in minutes after midnight.
    pub to: u16,
    /// How long a slot is, in minutes.
    pub slot_minutes: u32,
    /// Patients per slot.
    pub capacity: u32,
    /// How patient and doctor talk.
    pub consultation_type: ConsultationType,
    /// What a consultation costs.
    pub price: Money,
    /// For patients to read.
    pub note: Option<String>,
    /// When the doctor began it.
    pub created_at: Ts,
    /// When the doctor ended it.
    pub ended_at: Option<Ts>,
}

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Occurrence {
    /// The day, in the hospital's zone.
    pub day: Date,
    /// When it begins.
    pub begins_at: Ts,
    /// When it ends.
    pub ends_at: Ts,
}

impl Weekly {
    /// Those that begin after now and no later than so long ahead, earliest first.
    pub fn coming(&self, now: Ts, ahead: Span, zone: &TimeZone) -> Vec<Occurrence> {
        let Ok(weekday) = Weekday::from_monday_one_offset(self.weekday.cast_signed()) else {
            return Vec::new();
        };
        let until = now + ahead;
        let mut day = Timestamp::from(now).to_zoned(zone.clone()).date();
        let mut coming = Vec::new();
        loop {
            let Some((begins_at, ends_at)) = self
                .at(day, self.from, zone)
                .zip(self.at(day, self.to, zone))
            else {
                return coming;
            };
            if begins_at > until {
                return coming;
            }
            if day.weekday() == weekday && begins_at > now {
                coming.push(Occurrence {
                    day,
                    begins_at,
                    ends_at,
                });
            }
            let Ok(next) = day.checked_add(1.day()) else {
                return coming;
            };
            day = next;
        }
    }

    /// Whether both are on the same day and share some time of it.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.weekday == other.weekday && self.from < other.to && other.from < self.to
    }

    /// A moment of a day; where a clock change skips it, the moment after.
    fn at(&self, day: Date, minutes: u16, zone: &TimeZone) -> Option<Ts> {
        let (hour, minute) = (
            i8::try_from(minutes / 60).ok()?,
            i8::try_from(minutes % 60).ok()?,
        );
        let (day, time) = if hour == 24 {
            (day.tomorrow().ok()?, Time::midnight())
        } else {
            (day, Time::new(hour, minute, 0, 0).ok()?)
        };
        let zoned = day.to_datetime(time).to_zoned(zone.clone()).ok()?;
        Some(zoned.timestamp().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;
    use jiff::civil::date;
    use uuid::Uuid;

    fn weekly(weekday: u8, from: u16, to: u16) -> Weekly {
        Weekly {
            id: WeeklyId(Uuid::from_u128(1)),
            doctor: UserId(Uuid::from_u128(2)),
            weekday,
            from,
            to,
            slot_minutes: 60,
            capacity: 6,
            consultation_type: ConsultationType::Text,
            price: Money {
                amount: 5_000,
                currency: Currency::CNY,
            },
            note: None,
            created_at: Ts::from_micros(0),
            ended_at: None,
        }
    }

    fn coming(line: &Weekly, now: &str) -> Vec<(Date, String, String)> {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let now = Ts::parse(now).unwrap();
        let show = |found: Occurrence| {
            (
                found.day,
                found.begins_at.to_string(),
                found.ends_at.to_string(),
            )
        };
        let all = line.coming(now, Span::hours(7 * 24), &zone);
        all.into_iter().map(show).collect()
    }

    #[test]
    fn the_hospitals_clock_says_which_day_it_is() {
        // Tuesday 07:00 in Shanghai is Monday 23:00 in UTC.
        let early = weekly(2, 7 * 60, 9 * 60);
        let found = coming(&early, "2026-03-02T09:00:00+08:00");
        let (begins, ends) = ("2026-03-02T23:00:00.000000Z", "2026-03-03T01:00:00.000000Z");
        assert_eq!(
            found,
            [(date(2026, 3, 3), begins.to_owned(), ends.to_owned())]
        );
    }

    #[test]
    fn todays_counts_until_it_begins_and_next_weeks_from_then_on() {
        let morning = weekly(1, 9 * 60, 12 * 60);
        let days = |now| -> Vec<Date> { coming(&morning, now).into_iter().map(|f| f.0).collect() };
        assert_eq!(days("2026-03-02T08:59:00+08:00"), [date(2026, 3, 2)]);
        assert_eq!(days("2026-03-02T09:00:00+08:00"), [date(2026, 3, 9)]);
        assert_eq!(days("2026-03-03T00:00:00+08:00"), [date(2026, 3, 9)]);
    }

    #[test]
    fn a_day_may_end_at_midnight() {
        let evening = weekly(1, 22 * 60, 24 * 60);
        let found = coming(&evening, "2026-03-02T09:00:00+08:00");
        assert_eq!(found[0].2, "2026-03-02T16:00:00.000000Z");
    }

    #[test]
    fn hours_that_touch_do_not_overlap() {
        let morning = weekly(1, 540, 720);
        assert!(!morning.overlaps(&weekly(1, 720, 780)) && !morning.overlaps(&weekly(2, 540, 720)));
        assert!(morning.overlaps(&weekly(1, 700, 780)) && morning.overlaps(&weekly(1, 600, 610)));
    }
}
