//! Files that people put into an order (spec 40, files): what is taken, how much of it, and how it
//! is told apart.

use serde::{Deserialize, Serialize};

/// What a file is for. Who may upload and read it follows from that.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilePurpose {
    /// The conversation of patient and doctor.
    Room,
}

impl FilePurpose {
    /// As in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Room => "room",
        }
    }

    /// The purpose of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        (name == Self::Room.name()).then_some(Self::Room)
    }
}

/// What kind of file it is. Limits and checks go by kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FileKind {
    /// A photograph or a drawing.
    Picture,
    /// Somebody speaks.
    Voice,
    /// A document to be read, such as a report.
    Document,
}

/// How much of a kind is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Of which kind.
    pub kind: FileKind,
    /// At most so many bytes.
    pub bytes: u64,
    /// At most so many seconds, where it lasts.
    pub seconds: Option<u64>,
    /// At most so many pixels, where it has any: a small file can unpack into gigabytes.
    pub pixels: Option<u64>,
}

const MIB: u64 = 1 << 20;

/// The limits of every kind.
pub const LIMITS: [Limits; 3] = [
    Limits {
        kind: FileKind::Picture,
        bytes: 10 * MIB,
        seconds: None,
        pixels: Some(40_000_000),
    },
    Limits {
        kind: FileKind::Voice,
        bytes: 5 * MIB,
        seconds: Some(5 * 60),
        pixels: None,
    },
    Limits {
        kind: FileKind::Document,
        bytes: 20 * MIB,
        seconds: None,
        pixels: None,
    },
];

impl FileKind {
    /// As in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Voice => "voice",
            Self::Document => "document",
        }
    }

    /// The kind of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        LIMITS
            .iter()
            .map(|limits| limits.kind)
            .find(|kind| kind.name() == name)
    }

    /// How much of it is taken.
    pub const fn limits(self) -> Limits {
        match self {
            Self::Picture => LIMITS[0],
            Self::Voice => LIMITS[1],
            Self::Document => LIMITS[2],
        }
    }
}

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Media {
    /// A JPEG picture.
    Jpeg,
    /// A PNG picture.
    Png,
    /// A WebP picture.
    Webp,
    /// Opus in Ogg, as Firefox records.
    Ogg,
    /// Sound in WebM, as Chrome records.
    Webm,
    /// AAC in MP4, as Safari and phones record.
    M4a,
    /// A bare AAC stream (ADTS).
    Aac,
    /// MPEG audio, layer III.
    Mp3,
    /// Uncompressed sound.
    Wav,
    /// A PDF document.
    Pdf,
}

impl Media {
    /// Everything that is taken.
    pub const ALL: [Self; 10] = [
        Self::Jpeg,
        Self::Png,
        Self::Webp,
        Self::Ogg,
        Self::Webm,
        Self::M4a,
        Self::Aac,
        Self::Mp3,
        Self::Wav,
        Self::Pdf,
    ];

    /// Its kind, the names that it goes by (the first one is ours), and its names' endings.
    const fn row(self) -> (FileKind, &'static [&'static str], &'static [&'static str]) {
        use FileKind::{Document, Picture, Voice};
        match self {
            Self::Jpeg => (Picture, &["image/jpeg", "image/jpg"], &["jpg", "jpeg"]),
            Self::Png => (Picture, &["image/png"], &["png"]),
            Self::Webp => (Picture, &["image/webp"], &["webp"]),
            Self::Ogg => (Voice, &["audio/ogg", "audio/opus"], &["ogg", "opus", "oga"]),
            Self::Webm => (Voice, &["audio/webm"], &["webm", "weba"]),
            Self::M4a => (
                Voice,
                &["audio/mp4", "audio/m4a", "audio/x-m4a"],
                &["m4a", "mp4"],
            ),
            Self::Aac => (Voice, &["audio/aac", "audio/x-aac"], &["aac"]),
            Self::Mp3 => (Voice, &["audio/mpeg", "audio/mp3"], &["mp3"]),
            Self::Wav => (Voice, &["audio/wav", "audio/x-wav", "audio/wave"], &["wav"]),
            Self::Pdf => (Document, &["application/pdf"], &["pdf"]),
        }
    }

    /// Its kind.
    pub const fn kind(self) -> FileKind {
        self.row().0
    }

    /// Its media type, as in `Content-Type`.
    pub const fn mime(self) -> &'static str {
        self.row().1[0]
    }

    /// What goes by this media type; parameters such as `codecs` say nothing that counts here.
    pub fn from_mime(mime: &str) -> Option<Self> {
        let mime = mime.split(';').next().unwrap_or(mime).trim().to_lowercase();
        Self::ALL
            .into_iter()
            .find(|media| media.row().1.contains(&mime.as_str()))
    }

    /// What a file is by its first bytes, whatever its name says. 512 of them are enough.
    pub fn of_content(bytes: &[u8]) -> Option<Self> {
        let at = |place: usize, mark: &[u8]| {
            bytes
                .get(place..)
                .is_some_and(|rest| rest.starts_with(mark))
        };
        let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
        let holds = |mark: &[u8]| head.windows(mark.len()).any(|part| part == mark);
        let frame = |mask: u8, is: u8| {
            bytes.first() == Some(&0xFF) && bytes.get(1).is_some_and(|byte| byte & mask == is)
        };
        Some(match () {
            () if at(0, &[0xFF, 0xD8, 0xFF]) => Self::Jpeg,
            () if at(0, b"\x89PNG\r\n\x1A\n") => Self::Png,
            () if at(0, b"RIFF") && at(8, b"WEBP") => Self::Webp,
            () if at(0, b"RIFF") && at(8, b"WAVE") => Self::Wav,
            () if at(0, b"%PDF-") => Self::Pdf,
            () if at(0, b"OggS") && holds(b"OpusHead") => Self::Ogg,
            () if at(0, &[0x1A, 0x45, 0xDF, 0xA3]) && holds(b"webm") => Self::Webm,
            () if at(4, b"ftyp") => Self::M4a,
            () if frame(0xF6, 0xF0) => Self::Aac,
            () if at(0, b"ID3") || frame(0xE6, 0xE2) => Self::Mp3,
            () => return None,
        })
    }

    /// A file's name with an ending that says what it holds, so that nothing opens it as something
    /// else.
    pub fn named(self, name: &str) -> String {
        let endings = self.row().2;
        let ending = name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_lowercase());
        if ending.is_some_and(|ending| endings.contains(&ending.as_str())) {
            return name.to_owned();
        }
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let stem = if stem.is_empty() { "file" } else { stem };
        format!("{stem}.{}", endings[0])
    }
}

/// The longest name that is kept, in characters.
pub const NAME_LIMIT: usize = 100;

/// What is left of a file's name once everything is gone that a folder, a header or a reader could
/// take for something else; `None` if that is nothing.
pub fn clean_name(given: &str) -> Option<String> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or(given);
    let letters = last.chars().filter(|letter| !is_deceiving(*letter));
    let letters: String = letters
        .map(|letter| {
            if "\"<>:|?*;%".contains(letter) {
                '_'
            } else {
                letter
            }
        })
        .collect();
    let name = letters
        .trim()
        .trim_start_matches('.')
        .trim_end_matches('.')
        .trim();
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.chars().count() <= 8 => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    let room = NAME_LIMIT - ending.chars().count();
    let name: String = stem.chars().take(room).chain(ending.chars()).collect();
    (!name.is_empty()).then_some(name)
}

/// Control characters, and those that turn the direction of writing: `gpj.exe` must not read as
/// `exe.jpg`.
fn is_deceiving(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_limits_is_in_the_order_of_kinds() {
        for limits in LIMITS {
            assert_eq!(limits.kind.limits(), limits);
            assert_eq!(FileKind::from_name(limits.kind.name()), Some(limits.kind));
        }
        for media in Media::ALL {
            assert_eq!(Media::from_mime(media.mime()), Some(media));
        }
    }

    #[test]
    fn a_media_type_may_have_parameters() {
        let recorded = Media::from_mime("Audio/WebM; codecs=opus");
        assert_eq!(recorded, Some(Media::Webm));
        assert_eq!(Media::from_mime("text/html"), None);
        assert_eq!(Media::from_mime("image/gif"), None);
    }

    #[test]
    fn content_is_told_by_its_first_bytes() {
        let known: [(&[u8], Media); 8] = [
            (&[0xFF, 0xD8, 0xFF, 0xE0], Media::Jpeg),
            (b"\x89PNG\r\n\x1A\n....", Media::Png),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Media::Webp),
            (b"RIFF\x10\0\0\0WAVEfmt ", Media::Wav),
            (b"%PDF-1.7\n", Media::Pdf),
            (b"\0\0\0\x18ftypM4A ", Media::M4a),
            (&[0xFF, 0xF1, 0x50, 0x80], Media::Aac),
            (&[0xFF, 0xFB, 0x90, 0x44], Media::Mp3),
        ];
        for (bytes, media) in known {
            assert_eq!(Media::of_content(bytes), Some(media));
        }
        let unknown: [&[u8]; 5] = [
            b"",
            b"GIF89a",
            b"<!doctype html>",
            b"OggS....vorbis",
            b"PK\x03\x04",
        ];
        for bytes in unknown {
            assert_eq!(Media::of_content(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_name_says_what_is_in_it() {
        assert_eq!(Media::Jpeg.named("皮疹.JPEG"), "皮疹.JPEG");
        assert_eq!(Media::Png.named("rash.jpg"), "rash.png");
        assert_eq!(Media::Jpeg.named("page.html"), "page.jpg");
        assert_eq!(Media::Pdf.named("report"), "report.pdf");
    }

    #[test]
    fn a_name_is_only_a_name() {
        let clean = |name| clean_name(name).unwrap_or_default();
        assert_eq!(clean("../../etc/passwd"), "passwd");
        assert_eq!(clean("C:\\pictures\\a.jpg"), "a.jpg");
        assert_eq!(clean("a\r\nSet-Cookie: x\".jpg"), "aSet-Cookie_ x_.jpg");
        assert_eq!(clean("photo\u{202E}gpj.exe"), "photogpj.exe");
        assert_eq!(clean(" ..hidden "), "hidden");
        assert_eq!(clean("检查报告.pdf"), "检查报告.pdf");
        let long = format!("{}.pdf", "长".repeat(300));
        assert_eq!(clean(&long).chars().count(), NAME_LIMIT);
        assert!(clean(&long).ends_with(".pdf"));
        for nothing in ["", "/", "...", "\u{202E}"] {
            assert_eq!(clean_name(nothing), None);
        }
    }
}
