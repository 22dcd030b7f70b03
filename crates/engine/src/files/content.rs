//! What was sent, looked at: is it as announced, what is it really, and is it in bounds.

use super::{FileRefusal, picture, voice};
use crate::engine::Engine;
use crate::error::EngineError;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use connectors::storage::{Place, Storage, StorageError};
use domain::file::{FileKind, Media};
use futures::StreamExt;
use std::fmt::Write;
use store::StoredFile;

/// What is kept of a file.
#[derive(Debug)]
pub(super) struct Examined {
    pub media: Media,
    pub bytes: Bytes,
    pub sha256: [u8; 32],
    pub duration_ms: Option<u64>,
}

impl Engine {
    /// Reads an upload and looks at it, a few at a time: a picture takes memory and time.
    pub(super) async fn examine(
        &self,
        storage: &dyn Storage,
        file: &StoredFile,
        size: u64,
        sha256: [u8; 32],
    ) -> Result<Examined, EngineError> {
        let announced = file.announced_size;
        if size != announced {
            let found = size;
            return Err(FileRefusal::SizeDiffers { announced, found }.into());
        }
        let place = self.inner.looking_at_files.acquire().await;
        let place = place.map_err(|_| EngineError::Busy)?;
        let bytes = self.uploaded(storage, file).await?;
        let (kind, media) = (file.kind, file.media);
        let examining = tokio::task::spawn_blocking(move || examined(kind, sha256, &bytes));
        let examined = examining.await;
        drop(place);
        // Who makes a decoder panic has sent no picture.
        Ok(examined.unwrap_or(Err(FileRefusal::Unreadable(media)))?)
    }

    /// All bytes of an upload, no more than were announced.
    async fn uploaded(
        &self,
        storage: &dyn Storage,
        file: &StoredFile,
    ) -> Result<Vec<u8>, EngineError> {
        let announced = file.announced_size;
        let got = storage.get(Place::Upload(file.id), None, self.now()).await;
        let got = match got {
            Err(StorageError::Missing(_)) => return Err(FileRefusal::NotUploaded.into()),
            other => other?,
        };
        let differs = |found| FileRefusal::SizeDiffers { announced, found };
        if got.size != announced {
            return Err(differs(got.size).into());
        }
        let (mut bytes, mut stream) = (Vec::new(), got.bytes);
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|error| EngineError::Storage(error.to_string()))?;
            bytes.extend_from_slice(&piece);
            let found = bytes.len() as u64;
            if found > announced {
                return Err(differs(found).into());
            }
        }
        let found = bytes.len() as u64;
        if found < announced {
            // It was all there a moment ago.
            let reason = format!("{found} of {announced} bytes could be read");
            return Err(EngineError::Storage(reason));
        }
        Ok(bytes)
    }
}

/// What was sent, if it is what was meant to be sent, and something that is taken.
fn examined(kind: FileKind, sha256: [u8; 32], sent: &[u8]) -> Result<Examined, FileRefusal> {
    let arrived = hash(sent);
    if arrived != sha256 {
        let found = arrived.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            write!(text, "{byte:02x}").ok();
            text
        });
        return Err(FileRefusal::HashDiffers { found });
    }
    let found = Media::of_content(sent);
    let content = FileRefusal::Content {
        announced: kind,
        found,
    };
    let media = found.filter(|media| media.kind() == kind).ok_or(content)?;
    match kind {
        FileKind::Picture => {
            let (media, drawn) = picture::redrawn(media, sent)?;
            Ok(as_it_is(media, drawn))
        }
        FileKind::Voice => {
            let ms = voice::duration_ms(media, sent).ok_or(FileRefusal::Unreadable(media))?;
            let most = kind.limits().seconds.unwrap_or(u64::MAX);
            if ms > most.saturating_mul(1000) {
                let found = ms.div_ceil(1000);
                return Err(FileRefusal::Lasting { found, most });
            }
            Ok(Examined {
                duration_ms: Some(ms),
                ..as_it_is(media, sent.to_vec())
            })
        }
        FileKind::Document => {
            let end = sent
                .get(sent.len().saturating_sub(2048)..)
                .unwrap_or_default();
            if !end.windows(5).any(|mark| mark == b"%%EOF") {
                return Err(FileRefusal::Unreadable(media));
            }
            Ok(as_it_is(media, sent.to_vec()))
        }
    }
}

fn as_it_is(media: Media, bytes: Vec<u8>) -> Examined {
    Examined {
        media,
        sha256: hash(&bytes),
        bytes: bytes.into(),
        duration_ms: None,
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: FileKind, sent: &[u8]) -> FileRefusal {
        examined(kind, hash(sent), sent).unwrap_err()
    }

    #[test]
    fn the_name_does_not_matter_and_the_content_does() {
        let page = b"<!doctype html><script>alert(1)</script>";
        let announced = FileKind::Picture;
        let found = None;
        assert_eq!(
            refused(announced, page),
            FileRefusal::Content { announced, found }
        );
        let pdf = b"%PDF-1.7\n...\n%%EOF\n";
        let found = Some(Media::Pdf);
        assert_eq!(
            refused(announced, pdf),
            FileRefusal::Content { announced, found }
        );
        let kept = examined(FileKind::Document, hash(pdf), pdf).unwrap();
        assert_eq!(
            (kept.media, kept.bytes.as_ref()),
            (Media::Pdf, pdf.as_slice())
        );
        let cut = refused(FileKind::Document, &pdf[..10]);
        assert_eq!(cut, FileRefusal::Unreadable(Media::Pdf));
    }

    #[test]
    fn what_arrived_is_told_where_it_is_not_what_was_sent() {
        let refusal = examined(FileKind::Document, [0; 32], b"").unwrap_err();
        let FileRefusal::HashDiffers { found } = refusal else {
            panic!("{refusal}");
        };
        assert!(found.starts_with("e3b0c44298fc1c14"), "{found}");
    }

    #[test]
    fn nobody_speaks_longer_than_five_minutes() {
        let wav = |seconds: usize| {
            let mut wav = b"RIFF....WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\xE8\x03\0\0\x02\0\x10\0data\xFF\xFF\xFF\xFF".to_vec();
            wav.resize(44 + seconds * 1_000, 0);
            wav
        };
        let whole = wav(300);
        let kept = examined(FileKind::Voice, hash(&whole), &whole).unwrap();
        assert_eq!(kept.duration_ms, Some(300_000));
        let refusal = refused(FileKind::Voice, &wav(301));
        assert_eq!(
            refusal,
            FileRefusal::Lasting {
                found: 301,
                most: 300
            }
        );
    }
}
