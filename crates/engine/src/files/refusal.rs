//! Why a file is not taken or not shown.

use domain::file::{FileKind, Media};
use thiserror::Error;

/// Why a file is not taken or not shown. Where the words begin with a field, that field is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileRefusal {
    /// Files are not kept here.
    #[error("files are switched off here")]
    Off,
    /// This media type is not taken.
    #[error("`{given}` is not taken: use {}", accepted(None))]
    Type {
        /// What was announced.
        given: String,
    },
    /// Nothing that could be a name is left of it.
    #[error("must be a file's name of 1 to 200 characters, such as rash.jpg")]
    Name,
    /// Nothing, or more of it than is taken.
    #[error("must be 1 to {most} bytes for {}", .kind.name())]
    Size {
        /// Of which kind.
        kind: FileKind,
        /// How many bytes are taken at most.
        most: u64,
    },
    /// Nothing has arrived.
    #[error("nothing was uploaded yet: PUT it to the address first")]
    NotUploaded,
    /// Not as many bytes as were announced.
    #[error("{announced} bytes were announced, and it is {found}: announce the file anew")]
    SizeDiffers {
        /// How many were announced.
        announced: u64,
        /// How many came, or are said to have come.
        found: u64,
    },
    /// More bytes came than were announced.
    #[error("more than the announced {announced} bytes came: announce the file anew")]
    TooMuch {
        /// How many were announced.
        announced: u64,
    },
    /// It is not what was sent.
    #[error("what arrived has the SHA-256 {found}: announce the file anew")]
    HashDiffers {
        /// In hexadecimal digits.
        found: String,
    },
    /// It holds something else than was announced.
    #[error("it was announced as {}, and it is {}: send {}",
        .announced.name(), .found.map_or("nothing that is taken", Media::mime), accepted(Some(*.announced)))]
    Content {
        /// The kind that was announced.
        announced: FileKind,
        /// What it is.
        found: Option<Media>,
    },
    /// It begins like what it says it is, and then can't be read.
    #[error("it can't be read as {}: send one that opens elsewhere", .0.mime())]
    Unreadable(Media),
    /// A picture with too many pixels.
    #[error("the picture has {found} pixels: at most {most} are taken")]
    Pixels {
        /// How many it has.
        found: u64,
        /// How many are taken at most.
        most: u64,
    },
    /// Somebody speaks for too long.
    #[error("it lasts {found} seconds: at most {most} are taken")]
    Lasting {
        /// How many seconds it lasts.
        found: u64,
        /// How many are taken at most.
        most: u64,
    },
    /// It was confirmed: what people were shown does not change.
    #[error("the file was confirmed: it can't be changed any more")]
    Confirmed,
    /// The link is not ours, or not for this.
    #[error("the link is not a valid one: ask for the file anew")]
    LinkForged,
    /// The link's time is over.
    #[error("the link has expired: ask for a new one")]
    LinkExpired,
}

impl FileRefusal {
    /// The field that is wrong, in the API's spelling, if it is a field.
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Type { .. } | Self::Content { .. } | Self::Unreadable(_) => Some("type"),
            Self::Name => Some("name"),
            Self::Size { .. } | Self::SizeDiffers { .. } | Self::TooMuch { .. } => Some("size"),
            Self::NotUploaded => Some("fileId"),
            Self::HashDiffers { .. } => Some("sha256"),
            Self::Pixels { .. } | Self::Lasting { .. } => Some("content"),
            Self::Off | Self::Confirmed | Self::LinkForged | Self::LinkExpired => None,
        }
    }
}

/// The media types that are taken, of one kind or of all.
pub fn accepted(kind: Option<FileKind>) -> String {
    let of_kind = |media: &Media| kind.is_none_or(|kind| media.kind() == kind);
    let names: Vec<&str> = Media::ALL
        .into_iter()
        .filter(of_kind)
        .map(Media::mime)
        .collect();
    names.join(", ")
}
