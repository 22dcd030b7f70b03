//! How long a recording lasts, read from its structure: that it can be read is the proof that it is
//! one, and that nothing but sound is in it.

mod ebml;
mod mp4;
mod ogg;
mod stream;

use domain::file::Media;

/// How many milliseconds a recording lasts; `None` if it is none.
pub(super) fn duration_ms(media: Media, bytes: &[u8]) -> Option<u64> {
    let found = match media {
        Media::Ogg => ogg::duration_ms(bytes),
        Media::Webm => ebml::duration_ms(bytes),
        Media::M4a => mp4::duration_ms(bytes),
        Media::Aac => stream::aac_ms(bytes),
        Media::Mp3 => stream::mp3_ms(bytes),
        Media::Wav => stream::wav_ms(bytes),
        Media::Jpeg | Media::Png | Media::Webp | Media::Pdf => None,
    };
    found.filter(|ms| *ms > 0)
}

/// So many bytes from a place on.
fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// A big-endian number, as MP4 has them.
fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    part(bytes, at).map(u32::from_be_bytes)
}

/// A big-endian number, as MP4 has them.
fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    part(bytes, at).map(u64::from_be_bytes)
}

/// So many units of a scale as milliseconds.
fn in_ms(units: u64, per_second: u64) -> Option<u64> {
    let ms = u128::from(units)
        .checked_mul(1000)?
        .checked_div(u128::from(per_second))?;
    u64::try_from(ms).ok()
}
