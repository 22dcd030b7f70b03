//! A folder of this machine, or one that several share. A file is there whole or not at all: it is
//! written under a name of its own, flushed to the disk, and renamed.

use super::{
    ByteStream, Content, Found, Measured, Part, Place, ShownAs, Storage, StorageError, Waiting,
};
use domain::{Span, Ts};
use futures::StreamExt;
use std::io;
use std::path::{Path, PathBuf};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

/// How much is read at a time.
const PIECE: usize = 64 << 10;

/// Files in a folder, under their ids.
#[derive(Debug, Clone)]
pub struct LocalStorage {
    folder: PathBuf,
}

impl LocalStorage {
    /// In this folder, which is made where it is missing.
    pub fn open(folder: &Path) -> io::Result<Self> {
        for part in ["uploads", "kept"] {
            std::fs::create_dir_all(folder.join(part))?;
        }
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    fn path(&self, place: Place) -> PathBuf {
        self.folder
            .join(place.folder())
            .join(place.id().to_string())
    }

    async fn write(&self, place: Place, content: Content) -> Result<(), StorageError> {
        let failed = |error: io::Error| StorageError::failed("put", error);
        let path = self.path(place);
        let beside = Unfinished::beside(&path);
        let mut file = new_file(&beside.0).await.map_err(failed)?;
        let (mut bytes, mut measured) = (content.bytes, Measured::new(content.size));
        while let Some(piece) = bytes.next().await {
            // A sender who breaks off is told the same as one who stops too early.
            let Ok(piece) = piece else { break };
            measured.take(&piece)?;
            file.write_all(&piece).await.map_err(failed)?;
        }
        measured.end()?;
        file.flush().await.map_err(failed)?;
        file.sync_all().await.map_err(failed)?;
        fs::rename(&beside.0, &path).await.map_err(failed)?;
        flush_folder(&path).await.map_err(failed)
    }

    async fn read(&self, place: Place, part: Option<Part>) -> Result<Found, StorageError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => StorageError::Missing(place),
            _ => StorageError::failed("get", error),
        };
        let mut file = File::open(self.path(place)).await.map_err(failed)?;
        let size = file.metadata().await.map_err(failed)?.len();
        let bytes: ByteStream = match part {
            None => ReaderStream::with_capacity(file, PIECE).boxed(),
            Some(part) => {
                file.seek(io::SeekFrom::Start(part.from))
                    .await
                    .map_err(failed)?;
                ReaderStream::with_capacity(file.take(part.length), PIECE).boxed()
            }
        };
        Ok(Found { size, bytes })
    }

    /// Takes a file away, and what a crash may have left of an earlier try to write it.
    async fn remove(&self, place: Place) -> Result<(), StorageError> {
        let failed = |error: io::Error| StorageError::failed("delete", error);
        let path = self.path(place);
        match fs::remove_file(&path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        if matches!(place, Place::Kept(_)) {
            return Ok(());
        }
        let unfinished = format!("{}.", place.id());
        let mut there = fs::read_dir(self.folder.join(place.folder()))
            .await
            .map_err(failed)?;
        while let Some(entry) = there.next_entry().await.map_err(failed)? {
            if entry.file_name().to_string_lossy().starts_with(&unfinished) {
                // Whoever still writes it is told that it failed.
                fs::remove_file(entry.path()).await.ok();
            }
        }
        Ok(())
    }
}

impl Storage for LocalStorage {
    fn name(&self) -> &'static str {
        "local"
    }

    fn put(&self, place: Place, content: Content, _: Ts) -> Waiting<'_, ()> {
        Box::pin(self.write(place, content))
    }

    fn get(&self, place: Place, part: Option<Part>, _: Ts) -> Waiting<'_, Found> {
        Box::pin(self.read(place, part))
    }

    fn delete(&self, place: Place, _: Ts) -> Waiting<'_, ()> {
        Box::pin(self.remove(place))
    }

    fn upload_url(&self, _: Place, _: u64, _: Span, _: Ts) -> Option<String> {
        None
    }

    fn download_url(&self, _: Place, _: &ShownAs, _: Span, _: Ts) -> Option<String> {
        None
    }
}

/// A file that is being written; it goes with whoever writes it, however that ends. After it was
/// renamed there is nothing to take away.
struct Unfinished(PathBuf);

impl Unfinished {
    fn beside(path: &Path) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{:016x}", rand::random::<u64>()));
        Self(name.into())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

/// For the owner's eyes only: these are patients' files.
async fn new_file(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(path).await
}

/// The new name, too, must outlive a power cut.
async fn flush_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder).await?.sync_all().await,
        None => Ok(()),
    }
}
