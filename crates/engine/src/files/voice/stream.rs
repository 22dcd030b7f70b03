//! Sound without a container worth the name: AAC frames (ADTS), MP3 frames, WAV.

use super::{in_ms, part};

const AAC_RATES: [u64; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// Kilobits a second of MPEG-1, layer III; and of MPEG-2, which is for lower rates.
const MP3_BITRATES: [[u64; 15]; 2] = [
    [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// Samples a second of MPEG-1; MPEG-2 has half, MPEG-2.5 a quarter.
const MP3_RATES: [u64; 3] = [44_100, 48_000, 32_000];

/// A frame: its length in bytes, and what it plays.
struct Frame {
    bytes: usize,
    samples: u64,
    rate: u64,
}

/// Sums up frames. What is not frames at the end (tags) must be the smaller part.
fn frames_ms(bytes: &[u8], frame: impl Fn(&[u8]) -> Option<Frame>) -> Option<u64> {
    let (mut at, mut micros) = (0, 0);
    while let Some(found) = bytes.get(at..).and_then(&frame) {
        at = at
            .checked_add(found.bytes)
            .filter(|end| *end <= bytes.len())?;
        micros += in_ms(found.samples * 1_000, found.rate)?;
    }
    (at > bytes.len() / 2).then_some(micros / 1_000)
}

/// An AAC stream.
pub(super) fn aac_ms(bytes: &[u8]) -> Option<u64> {
    frames_ms(bytes, |head| {
        let [first, second, rate, high, middle, low, blocks] = part(head, 0)?;
        (first == 0xFF && second & 0xF6 == 0xF0).then_some(())?;
        let rate = *AAC_RATES.get(usize::from(rate >> 2 & 0xF))?;
        let length = usize::from(high & 3) << 11 | usize::from(middle) << 3 | usize::from(low >> 5);
        let samples = 1_024 * (u64::from(blocks & 3) + 1);
        (length >= 7).then_some(Frame {
            bytes: length,
            samples,
            rate,
        })
    })
}

/// An MP3 stream, behind whatever tag stands before it.
pub(super) fn mp3_ms(bytes: &[u8]) -> Option<u64> {
    let tag = match part::<10>(bytes, 0) {
        Some([b'I', b'D', b'3', _, _, _, a, b, c, d]) => {
            let length = [a, b, c, d]
                .iter()
                .fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7F));
            length + 10
        }
        _ => 0,
    };
    frames_ms(bytes.get(tag..)?, |head| {
        let [first, second, third] = part(head, 0)?;
        (first == 0xFF && second & 0xE6 == 0xE2).then_some(())?;
        let (row, slower) = match second >> 3 & 3 {
            3 => (0, 1),
            2 => (1, 2),
            0 => (1, 4),
            _ => return None,
        };
        let bitrate = *MP3_BITRATES[row].get(usize::from(third >> 4))?;
        let rate = MP3_RATES.get(usize::from(third >> 2 & 3))? / slower;
        let samples = if row == 0 { 1_152 } else { 576 };
        let length = samples / 8 * bitrate * 1_000 / rate + u64::from(third >> 1 & 1);
        (bitrate > 0).then_some(Frame {
            bytes: usize::try_from(length).ok()?,
            samples,
            rate,
        })
    })
}

/// Uncompressed sound: its head says how many bytes a second has.
pub(super) fn wav_ms(bytes: &[u8]) -> Option<u64> {
    let (mut at, mut a_second) = (12, 0_u64);
    loop {
        let name: [u8; 4] = part(bytes, at)?;
        let size = part(bytes, at + 4).map(u32::from_le_bytes)?;
        let size = usize::try_from(size).ok()?;
        match &name {
            b"fmt " => a_second = part(bytes, at + 16).map(u32::from_le_bytes)?.into(),
            b"data" => {
                // Who records without an end in sight writes a length that is too long.
                let played = size.min(bytes.len() - at - 8);
                return in_ms(u64::try_from(played).ok()?, a_second);
            }
            _ => {}
        }
        at = at
            .checked_add(8)?
            .checked_add(size)?
            .checked_add(size & 1)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aac_frames_are_counted() {
        // 44 100 a second, 100 bytes, one block: 1024 samples.
        let mut frame = vec![0xFF, 0xF1, 0x50, 0x80, 0x0C, 0x9F, 0xFC];
        frame.resize(100, 0);
        assert_eq!(aac_ms(&frame.repeat(441)), Some(10_239));
        assert_eq!(aac_ms(&frame[..50]), None);
        let tagged = [frame.repeat(10), b"TAG".to_vec()].concat();
        assert_eq!(aac_ms(&tagged), Some(232));
    }

    #[test]
    fn mp3_frames_are_counted() {
        // MPEG-1, 128 kbit/s, 44 100 a second: 417 bytes, 1152 samples.
        let mut frame = vec![0xFF, 0xFB, 0x90, 0x44];
        frame.resize(417, 0);
        let tag = b"ID3\x04\0\0\0\0\0\x05.....".to_vec();
        assert_eq!(mp3_ms(&[tag, frame.repeat(100)].concat()), Some(2_612));
        // MPEG-2, 64 kbit/s, 22 050 a second: 208 bytes, 576 samples.
        let mut frame = vec![0xFF, 0xF3, 0x80, 0xC4];
        frame.resize(208, 0);
        assert_eq!(mp3_ms(&frame.repeat(100)), Some(2_612));
        assert_eq!(mp3_ms(b"ID3\x04\0\0\x7F\x7F\x7F\x7F<html>"), None);
        assert_eq!(mp3_ms(&[0xFF, 0xFB, 0x90, 0x44, 0, 0]), None);
    }

    #[test]
    fn a_wav_is_measured() {
        let mut wav =
            b"RIFF....WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x80\x3E\0\0\x02\0\x10\0".to_vec();
        wav.extend_from_slice(b"LIST\x03\0\0\0abc\0data\xFF\xFF\xFF\xFF");
        wav.resize(wav.len() + 24_000, 0);
        assert_eq!(wav_ms(&wav), Some(1_500));
        assert_eq!(wav_ms(&wav[..40]), None);
        assert_eq!(
            wav_ms(b"RIFF....WAVEdata\0\0\0\0"),
            None,
            "how fast, nobody says"
        );
    }
}
