//! When a certificate is good.

use super::certificate::Element;
use domain::Ts;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// From when until when a certificate is good, both ends included (RFC 5280, 4.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub not_before: Ts,
    /// The last moment.
    pub not_after: Ts,
}

impl Validity {
    /// Whether the certificate is good at this moment.
    pub fn includes(&self, at: Ts) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// Reads the content of the validity sequence: two times, one after the other.
    pub(super) fn read(content: &[u8]) -> Option<Self> {
        let not_before = Element::read(content)?;
        let not_after = Element::read(not_before.after)?;
        Some(Self {
            not_before: time(&not_before)?,
            not_after: time(&not_after)?,
        })
    }

    /// Both times as DER, to be put into a sequence.
    pub(super) fn to_der(self) -> Vec<u8> {
        [self.not_before, self.not_after]
            .into_iter()
            .flat_map(write)
            .collect()
    }
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`; RFC 5280 allows no other forms.
fn time(element: &Element<'_>) -> Option<Ts> {
    let digits = element.content.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let text = std::str::from_utf8(digits).ok()?;
    let (year, rest) = match (element.tag, text.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    let (month, day) = (part(0)?, part(2)?);
    let (hour, minute, second) = (part(4)?, part(6)?, part(8)?);
    let at = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let at = at.to_zoned(TimeZone::UTC).ok()?;
    Some(Ts::from(at.timestamp()))
}

fn write(at: Ts) -> Vec<u8> {
    let at = jiff::Timestamp::from(at).to_zoned(TimeZone::UTC);
    // RFC 5280 wants the short form up to 2049.
    let short = (1950..2050).contains(&at.year());
    let (tag, form) = if short {
        (UTC_TIME, "%y%m%d%H%M%SZ")
    } else {
        (GENERALIZED_TIME, "%Y%m%d%H%M%SZ")
    };
    let text = at.strftime(form).to_string();
    super::issue::element(tag, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: u8, text: &[u8]) -> Option<Ts> {
        let der = super::super::issue::element(tag, text);
        time(&Element::read(&der).unwrap())
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let at = Ts::parse("2031-04-25T08:55:23Z").unwrap();
        assert_eq!(read(UTC_TIME, b"310425085523Z"), Some(at));
        assert_eq!(read(GENERALIZED_TIME, b"20310425085523Z"), Some(at));
        let last_century = Ts::parse("1950-01-01T00:00:00Z").unwrap();
        assert_eq!(read(UTC_TIME, b"500101000000Z"), Some(last_century));
        let far = Ts::parse("2050-12-31T23:59:59Z").unwrap();
        assert_eq!(read(GENERALIZED_TIME, b"20501231235959Z"), Some(far));
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for (tag, text) in [
            (UTC_TIME, &b"310425085523"[..]),
            (UTC_TIME, b"3104250855Z"),
            (UTC_TIME, b"311325085523Z"),
            (UTC_TIME, b"310230085523Z"),
            (UTC_TIME, b"310425085523+0800"),
            (GENERALIZED_TIME, b"310425085523Z"),
            (GENERALIZED_TIME, b"20310425085523.5Z"),
            (GENERALIZED_TIME, "２0310425085523Z".as_bytes()),
            (0x16, b"310425085523Z"),
            (UTC_TIME, b""),
        ] {
            assert_eq!(read(tag, text), None, "{tag:#x} {text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_both_ends_count() {
        let validity = Validity {
            not_before: Ts::parse("2025-11-20T00:00:00Z").unwrap(),
            not_after: Ts::parse("2055-11-20T00:00:00Z").unwrap(),
        };
        assert_eq!(Validity::read(&validity.to_der()), Some(validity));
        let second = domain::Span::seconds(1);
        assert!(validity.includes(validity.not_before) && validity.includes(validity.not_after));
        assert!(!validity.includes(validity.not_before - second));
        assert!(!validity.includes(validity.not_after + second));
    }
}
