//! AAC in MP4 (ISO 14496-12), whole as phones write it, or in fragments as Safari records.

use super::{be32, be64, in_ms};

#[derive(Default)]
struct Seen {
    /// What the head says, in milliseconds.
    said_ms: u64,
    /// Units a second of the sound's own clock.
    rate: u64,
    is_sound: bool,
    /// How long a sample is, where it does not say so itself.
    default_length: u64,
    fragment_length: Option<u64>,
    /// All fragments, in the sound's own units.
    fragments: u64,
}

/// What the head says, or the sum of the fragments, whichever is longer. A picture track is refused.
pub(super) fn duration_ms(bytes: &[u8]) -> Option<u64> {
    let mut seen = Seen::default();
    let mut at = 0;
    while at < bytes.len() {
        let name: [u8; 4] = super::part(bytes, at + 4)?;
        let (head, size) = match be32(bytes, at)? {
            0 => (8, bytes.len() - at),
            1 => (16, usize::try_from(be64(bytes, at + 8)?).ok()?),
            size => (8, usize::try_from(size).ok()?),
        };
        (size >= head).then_some(())?;
        if matches!(
            &name,
            b"moov" | b"trak" | b"mdia" | b"mvex" | b"moof" | b"traf"
        ) {
            at += head;
            continue;
        }
        let body = bytes.get(at + head..at.checked_add(size)?)?;
        seen.look(name, body)?;
        at += size;
    }
    seen.is_sound.then_some(())?;
    let fragments = if seen.fragments == 0 {
        0
    } else {
        in_ms(seen.fragments, seen.rate)?
    };
    Some(seen.said_ms.max(fragments))
}

impl Seen {
    fn look(&mut self, name: [u8; 4], body: &[u8]) -> Option<()> {
        match &name {
            b"mvhd" => {
                let (rate, length) = clock(body)?;
                self.said_ms = in_ms(length, rate)?;
            }
            b"mdhd" => self.rate = clock(body)?.0,
            b"hdlr" => match body.get(8..12)? {
                b"soun" => self.is_sound = true,
                b"vide" => return None,
                _ => {}
            },
            b"trex" => self.default_length = be32(body, 12)?.into(),
            b"tfhd" => {
                let flags = be32(body, 0)?;
                let before = 8 + 8 * usize::from(flags & 1 != 0) + 4 * usize::from(flags & 2 != 0);
                let given = flags & 8 != 0;
                self.fragment_length = given.then(|| be32(body, before)).flatten().map(u64::from);
            }
            b"trun" => self.fragments = self.fragments.checked_add(self.run(body)?)?,
            _ => {}
        }
        Some(())
    }

    /// How long a run of samples is.
    fn run(&self, body: &[u8]) -> Option<u64> {
        let (flags, samples) = (be32(body, 0)?, be32(body, 4)?);
        if flags & 0x100 == 0 {
            let each = self.fragment_length.unwrap_or(self.default_length);
            return each.checked_mul(samples.into());
        }
        let before = 8 + 4 * usize::from(flags & 1 != 0) + 4 * usize::from(flags & 4 != 0);
        let fields = [0x100, 0x200, 0x400, 0x800];
        let step = 4 * fields.iter().filter(|field| flags & **field != 0).count();
        let mut length = 0_u64;
        for sample in 0..usize::try_from(samples).ok()? {
            length += u64::from(be32(body, before + sample * step)?);
        }
        Some(length)
    }
}

/// A head's units a second, and its length in them; a length that is not known is none.
fn clock(body: &[u8]) -> Option<(u64, u64)> {
    let (rate, length) = if body.first()? == &1 {
        (be32(body, 20)?, be64(body, 24)?)
    } else {
        let length = be32(body, 16)?;
        (
            be32(body, 12)?,
            if length == u32::MAX { 0 } else { length.into() },
        )
    };
    Some((rate.into(), if length == u64::MAX { 0 } else { length }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len() + 8).unwrap().to_be_bytes();
        [&size, name.as_slice(), body].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn moov(length: u32, handler: &[u8; 4]) -> Vec<u8> {
        let mvhd = boxed(b"mvhd", &words(&[0, 0, 0, 1_000, length]));
        let mdhd = boxed(b"mdhd", &words(&[0, 0, 0, 44_100, 0]));
        let hdlr = boxed(b"hdlr", &[&[0; 8], handler.as_slice(), &[0; 12]].concat());
        let trak = boxed(b"trak", &boxed(b"mdia", &[mdhd, hdlr].concat()));
        let trex = boxed(b"trex", &words(&[0, 1, 1, 1_024, 0, 0]));
        boxed(b"moov", &[mvhd, trak, boxed(b"mvex", &trex)].concat())
    }

    fn file(moov: &[u8], rest: &[u8]) -> Vec<u8> {
        [boxed(b"ftyp", b"M4A \0\0\0\0").as_slice(), moov, rest].concat()
    }

    #[test]
    fn a_whole_recording_says_how_long_it_is() {
        let mdat = boxed(b"mdat", &[0; 100]);
        assert_eq!(
            duration_ms(&file(&moov(12_345, b"soun"), &mdat)),
            Some(12_345)
        );
        assert_eq!(duration_ms(&file(&moov(12_345, b"vide"), &mdat)), None);
        assert_eq!(duration_ms(&file(&[], &mdat)), None);
        let cut = file(&moov(12_345, b"soun"), &mdat[..50]);
        assert_eq!(duration_ms(&cut), None);
    }

    #[test]
    fn fragments_are_summed_up() {
        let short = boxed(b"trun", &words(&[0, 441]));
        let own = boxed(b"trun", &words(&[0x301, 2, 0, 44_100, 7, 44_100, 7]));
        let given = boxed(b"tfhd", &words(&[8, 1, 100]));
        let moof = |parts: &[Vec<u8>]| boxed(b"moof", &boxed(b"traf", &parts.concat()));
        let plain = boxed(b"tfhd", &words(&[0, 1]));
        let rest = [
            moof(&[plain, short.clone()]),
            moof(&[given, short]),
            moof(&[own]),
        ];
        // 441 × 1024, 441 × 100, and 2 × 44 100 of 44 100 a second.
        assert_eq!(
            duration_ms(&file(&moov(0, b"soun"), &rest.concat())),
            Some(13_240)
        );
    }
}
