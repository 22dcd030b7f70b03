//! Opus in Ogg (RFC 3533, RFC 7845), as Firefox records.

use super::{in_ms, part};

/// Opus counts in this, whatever was recorded.
const RATE: u64 = 48_000;

/// The sum of all streams that follow each other. A stream of anything but Opus is refused: it could
/// be a film.
pub(super) fn duration_ms(bytes: &[u8]) -> Option<u64> {
    let (mut at, mut total, mut skipped, mut last) = (0, 0_u64, 0_u64, 0_u64);
    while let Some(page) = bytes.get(at..).filter(|page| page.starts_with(b"OggS")) {
        let segments = usize::from(*page.get(26)?);
        let lengths = page.get(27..27 + segments)?;
        let begins = 27 + segments;
        let length: usize = lengths.iter().map(|length| usize::from(*length)).sum();
        let body = page.get(begins..begins + length)?;
        let is_first = page.get(5)? & 2 != 0;
        if is_first {
            if !body.starts_with(b"OpusHead") {
                return None;
            }
            total = total.checked_add(last.saturating_sub(skipped))?;
            skipped = part(body, 10).map(u16::from_le_bytes)?.into();
            last = 0;
        }
        let position = part(page, 6).map(u64::from_le_bytes)?;
        if position != u64::MAX {
            last = last.max(position);
        }
        at += begins + length;
    }
    (at == bytes.len()).then_some(())?;
    in_ms(total.checked_add(last.saturating_sub(skipped))?, RATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(first: bool, position: u64, body: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(if first { 2 } else { 0 });
        page.extend_from_slice(&position.to_le_bytes());
        page.extend_from_slice(&[0; 12]);
        page.push(1);
        page.push(u8::try_from(body.len()).unwrap());
        page.extend_from_slice(body);
        page
    }

    fn head() -> Vec<u8> {
        page(true, 0, b"OpusHead\x01\x01\x38\x01\x80\xBB\0\0\0\0\0")
    }

    #[test]
    fn the_last_page_tells_the_end() {
        let one = [
            head(),
            page(false, 0, b"OpusTags"),
            page(false, 48_312, b"...."),
        ]
        .concat();
        assert_eq!(duration_ms(&one), Some(1_000));
        let chained = [one.clone(), one.clone()].concat();
        assert_eq!(duration_ms(&chained), Some(2_000));
        assert_eq!(duration_ms(&one[..one.len() - 1]), None, "cut off");
    }

    #[test]
    fn a_film_is_no_voice() {
        let film = [
            head(),
            page(true, 0, b"\x80theora"),
            page(false, 48_000, b".."),
        ]
        .concat();
        assert_eq!(duration_ms(&film), None);
        assert_eq!(duration_ms(b""), Some(0), "nothing lasts no time");
    }
}
