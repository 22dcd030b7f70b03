//! Sound in WebM (RFC 8794, RFC 9559), as Chrome records: often without saying how long it is, so
//! that the blocks' times are looked at.

use super::{in_ms, part};

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK: u32 = 0xAE;
const CLUSTER: u32 = 0x1F43_B675;
const BLOCK_GROUP: u32 = 0xA0;
const TIME_SCALE: u32 = 0x2A_D7B1;
const DURATION: u32 = 0x4489;
const TRACK_TYPE: u32 = 0x83;
const CLUSTER_TIME: u32 = 0xE7;
const SIMPLE_BLOCK: u32 = 0xA3;
const BLOCK: u32 = 0xA1;

/// The type of a track that is sound.
const SOUND: u64 = 2;

const NANOS: u64 = 1_000_000_000;

struct Seen {
    scale: u64,
    said: f64,
    tracks: u32,
    cluster: u64,
    last: u64,
}

/// Until where the blocks go, or what the head says, whichever is longer. A track that is not sound
/// is refused.
pub(super) fn duration_ms(bytes: &[u8]) -> Option<u64> {
    let mut seen = Seen {
        scale: 1_000_000,
        said: 0.0,
        tracks: 0,
        cluster: 0,
        last: 0,
    };
    let mut at = 0;
    while at < bytes.len() {
        let (id, id_length) = number(bytes, at, true)?;
        let id = u32::try_from(id).ok()?;
        let (size, size_length) = number(bytes, at + id_length, false)?;
        at += id_length + size_length;
        // What is inside of these is read next; their own length may be unknown.
        if matches!(id, SEGMENT | INFO | TRACKS | TRACK | CLUSTER | BLOCK_GROUP) {
            continue;
        }
        let end = at.checked_add(usize::try_from(size).ok()?)?;
        // A recording may stop in the middle of its last block.
        let Some(body) = bytes.get(at..end) else {
            break;
        };
        seen.look(id, body)?;
        at = end;
    }
    (seen.tracks > 0).then_some(())?;
    let blocks = in_ms(seen.last.checked_mul(seen.scale)?, NANOS)?;
    Some(blocks.max(seen.said_ms()))
}

impl Seen {
    fn look(&mut self, id: u32, body: &[u8]) -> Option<()> {
        match id {
            TIME_SCALE => self.scale = unsigned(body)?,
            DURATION => {
                let four = part(body, 0).map(|four| f64::from(f32::from_be_bytes(four)));
                let eight = part(body, 0).map(f64::from_be_bytes);
                self.said = if body.len() == 4 { four? } else { eight? };
            }
            TRACK_TYPE => {
                (unsigned(body)? == SOUND).then_some(())?;
                self.tracks += 1;
            }
            CLUSTER_TIME => self.cluster = unsigned(body)?,
            SIMPLE_BLOCK | BLOCK => {
                let (_, track_length) = number(body, 0, false)?;
                let after = part(body, track_length).map(i16::from_be_bytes)?;
                let time = self.cluster.saturating_add_signed(after.into());
                self.last = self.last.max(time);
            }
            _ => {}
        }
        Some(())
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a recording; what does not fit is cut off"
    )]
    fn said_ms(&self) -> u64 {
        (self.said * self.scale as f64 / 1_000_000.0) as u64
    }
}

/// A number whose first byte says how long it is; an id keeps that mark.
fn number(bytes: &[u8], at: usize, keep_mark: bool) -> Option<(u64, usize)> {
    let first = *bytes.get(at)?;
    let length = usize::try_from(first.leading_zeros()).ok()? + 1;
    (length <= 8).then_some(())?;
    let mark = u64::from(first)
        & if keep_mark {
            0xFF
        } else {
            0x7F >> (length - 1)
        };
    let rest = bytes.get(at + 1..at.checked_add(length)?)?;
    let value = rest
        .iter()
        .fold(mark, |value, byte| (value << 8) | u64::from(*byte));
    Some((value, length))
}

fn unsigned(body: &[u8]) -> Option<u64> {
    (body.len() <= 8).then_some(())?;
    Some(
        body.iter()
            .fold(0, |value, byte| (value << 8) | u64::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
        let size = 0x4000 | u16::try_from(body.len()).unwrap();
        [id, &size.to_be_bytes(), body].concat()
    }

    /// Without lengths, as a browser writes while it still records.
    fn recording(track_type: u8) -> Vec<u8> {
        let head = element(&[0x1A, 0x45, 0xDF, 0xA3], b"\x42\x82\x84webm");
        let unknown = [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
        let segment = [&[0x18, 0x53, 0x80, 0x67], unknown.as_slice()].concat();
        let scale = element(&[0x2A, 0xD7, 0xB1], &1_000_000_u32.to_be_bytes());
        let info = element(&[0x15, 0x49, 0xA9, 0x66], &scale);
        let track = element(&[0xAE], &element(&[0x83], &[track_type]));
        let tracks = element(&[0x16, 0x54, 0xAE, 0x6B], &track);
        let cluster = [&[0x1F, 0x43, 0xB6, 0x75], unknown.as_slice()].concat();
        let time = element(&[0xE7], &2_000_u16.to_be_bytes());
        let block = element(&[0xA3], &[0x81, 0x01, 0xF4, 0x80, 1, 2, 3]);
        [head, segment, info, tracks, cluster, time, block].concat()
    }

    #[test]
    fn the_last_block_tells_the_end() {
        let whole = recording(2);
        assert_eq!(duration_ms(&whole), Some(2_500));
        let said = element(&[0x44, 0x89], &9_000_f32.to_be_bytes());
        assert_eq!(duration_ms(&[whole.clone(), said].concat()), Some(9_000));
        let cut = [whole, vec![0xA3, 0x50, 0x00, 0x81]].concat();
        assert_eq!(duration_ms(&cut), Some(2_500), "stopped while recording");
    }

    #[test]
    fn a_film_is_no_voice() {
        assert_eq!(duration_ms(&recording(1)), None);
        assert_eq!(duration_ms(&recording(2)[..20]), None);
    }
}
