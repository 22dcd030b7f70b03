//! Pictures are drawn anew: what is not picture (where it was taken, by whom, whatever else somebody
//! hid in it) stays behind.

use super::FileRefusal;
use domain::file::{FileKind, Media};
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageResult, Limits};
use std::io::Cursor;

/// How good a JPEG is drawn: a doctor must not take blocks for a rash.
const QUALITY: u8 = 92;

/// How much memory a picture may unpack into.
const MEMORY: u64 = 256 << 20;

/// A picture drawn anew, upright, and what it is now: a WebP becomes a JPEG, or a PNG where one can
/// see through it.
pub(super) fn redrawn(media: Media, bytes: &[u8]) -> Result<(Media, Vec<u8>), FileRefusal> {
    let bytes = Cursor::new(bytes);
    let broken = |_| FileRefusal::Unreadable(media);
    let picture = match media {
        Media::Jpeg => upright(media, JpegDecoder::new(bytes).map_err(broken)?),
        Media::Png => {
            let decoder = PngDecoder::with_limits(bytes, limits()).map_err(broken)?;
            upright(media, decoder)
        }
        Media::Webp => upright(media, WebPDecoder::new(bytes).map_err(broken)?),
        _ => Err(FileRefusal::Unreadable(media)),
    }?;
    let becomes = match media {
        Media::Webp if !picture.color().has_alpha() => Media::Jpeg,
        Media::Jpeg => Media::Jpeg,
        _ => Media::Png,
    };
    let drawn = drawn(picture, becomes).map_err(broken)?;
    Ok((becomes, drawn))
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    limits
}

/// Unpacks a picture whose size is tolerable, and turns it as its camera was held.
fn upright(media: Media, mut decoder: impl ImageDecoder) -> Result<DynamicImage, FileRefusal> {
    let broken = |_| FileRefusal::Unreadable(media);
    let (width, height) = decoder.dimensions();
    let found = u64::from(width) * u64::from(height);
    let most = FileKind::Picture.limits().pixels.unwrap_or(u64::MAX);
    if found > most {
        return Err(FileRefusal::Pixels { found, most });
    }
    if decoder.total_bytes() > MEMORY {
        return Err(FileRefusal::Unreadable(media));
    }
    decoder.set_limits(limits()).map_err(broken)?;
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn drawn(picture: DynamicImage, media: Media) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    if media == Media::Jpeg {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        let picture = if picture.color().has_color() {
            DynamicImage::ImageRgb8(picture.into_rgb8())
        } else {
            DynamicImage::ImageLuma8(picture.into_luma8())
        };
        picture.write_with_encoder(encoder)?;
    } else {
        picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    /// Red above, blue below, wider than high.
    fn flag() -> DynamicImage {
        let colour = |_, y| {
            if y < 16 {
                Rgb([255, 0, 0])
            } else {
                Rgb([0, 0, 255])
            }
        };
        DynamicImage::ImageRgb8(RgbImage::from_fn(64, 32, colour))
    }

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        picture
            .write_to(&mut Cursor::new(&mut bytes), format)
            .unwrap();
        bytes
    }

    /// Puts a segment right behind a JPEG's beginning.
    fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.push(orientation);
        exif.extend_from_slice(b"\0\0\0\0\0\0SECRET PLACE");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat()
    }

    fn holds(bytes: &[u8], words: &[u8]) -> bool {
        bytes.windows(words.len()).any(|part| part == words)
    }

    #[test]
    fn what_a_camera_wrote_is_gone_and_the_picture_stands_upright() {
        let sent = with_exif(&encoded(&flag(), ImageFormat::Jpeg), 6);
        assert!(holds(&sent, b"SECRET PLACE"));
        let (media, kept) = redrawn(Media::Jpeg, &sent).unwrap();
        assert_eq!(media, Media::Jpeg);
        assert!(!holds(&kept, b"SECRET PLACE") && !holds(&kept, b"Exif"));
        let picture = image::load_from_memory(&kept).unwrap().into_rgb8();
        assert_eq!(picture.dimensions(), (32, 64), "a quarter turn");
        let (left, right) = (picture.get_pixel(4, 32), picture.get_pixel(28, 32));
        assert!(
            left[2] > 200 && right[0] > 200,
            "what was above is on the right now"
        );
    }

    #[test]
    fn a_webp_becomes_what_every_reader_knows() {
        let sent = encoded(&flag(), ImageFormat::WebP);
        let (media, kept) = redrawn(Media::Webp, &sent).unwrap();
        assert_eq!(
            (media, Media::of_content(&kept)),
            (Media::Jpeg, Some(Media::Jpeg))
        );
        let clear = RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 0]));
        let sent = encoded(&DynamicImage::ImageRgba8(clear), ImageFormat::WebP);
        let (media, kept) = redrawn(Media::Webp, &sent).unwrap();
        assert_eq!(
            (media, Media::of_content(&kept)),
            (Media::Png, Some(Media::Png))
        );
    }

    #[test]
    fn grey_stays_grey_and_a_png_a_png() {
        let grey = DynamicImage::ImageLuma8(flag().into_luma8());
        let (_, kept) = redrawn(Media::Jpeg, &encoded(&grey, ImageFormat::Jpeg)).unwrap();
        assert!(!image::load_from_memory(&kept).unwrap().color().has_color());
        let (media, _) = redrawn(Media::Png, &encoded(&flag(), ImageFormat::Png)).unwrap();
        assert_eq!(media, Media::Png);
    }

    /// A PNG that is all of one colour is tiny, however many pixels it has.
    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        let huge = DynamicImage::ImageLuma8(image::GrayImage::new(8_000, 5_001));
        let sent = encoded(&huge, ImageFormat::Png);
        assert!(sent.len() < 200_000, "{}", sent.len());
        let most = 40_000_000;
        let refused = FileRefusal::Pixels {
            found: 40_008_000,
            most,
        };
        assert_eq!(redrawn(Media::Png, &sent), Err(refused));
        // The head alone may say anything.
        let mut sent = encoded(&flag(), ImageFormat::Jpeg);
        let frame = sent
            .windows(2)
            .position(|mark| mark == [0xFF, 0xC0])
            .unwrap();
        sent[frame + 5..frame + 9].fill(0xFF);
        assert!(matches!(
            redrawn(Media::Jpeg, &sent),
            Err(FileRefusal::Pixels { .. })
        ));
    }

    #[test]
    fn half_a_picture_and_none_are_refused() {
        let sent = encoded(&flag(), ImageFormat::Png);
        for (media, bytes) in [
            (Media::Png, &sent[..sent.len() / 2]),
            (Media::Png, b"\x89PNG\r\n\x1A\n<script>".as_slice()),
            (Media::Jpeg, &[0xFF, 0xD8, 0xFF, 0xE0]),
            (Media::Webp, b"RIFF\x10\0\0\0WEBPVP8 "),
        ] {
            assert_eq!(redrawn(media, bytes), Err(FileRefusal::Unreadable(media)));
        }
    }
}
