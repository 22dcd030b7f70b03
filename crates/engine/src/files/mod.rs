//! Files of an order's conversation (spec 40, files): announced, sent, looked at, and only then shown
//! to anybody.

mod content;
mod links;
mod picture;
mod refusal;
mod sweep;
mod voice;

pub use connectors::storage::{ByteStream, Found, Part};
pub use links::{LinkUse, SignedLink};
pub use refusal::{FileRefusal, accepted};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::ids::new_id;
use crate::room::must_be_talking;
use connectors::storage::{Content, Place, ShownAs, Storage, StorageError};
use content::Examined;
use domain::file::{FileKind, FilePurpose, Media, clean_name};
use domain::{FileId, OrderId, Span, Ts, UserId};
use std::fmt::Write;
use std::sync::Arc;
use store::{ConfirmedFile, StoredFile};

/// How long a link for uploading is good.
const UPLOAD_GOOD: Span = Span::minutes(15);

/// How long a link for reading is good.
const READ_GOOD: Span = Span::minutes(5);

/// The longest name that may be announced, in characters; it is kept shorter.
const NAME_GIVEN: usize = 200;

/// What somebody wants to send.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Into which order.
    pub order: OrderId,
    /// What for.
    pub purpose: FilePurpose,
    /// What they call it.
    pub name: String,
    /// What they say it is.
    pub content_type: String,
    /// How many bytes.
    pub size: u64,
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Through this program, which asks for this.
    Here(SignedLink),
    /// Past it, to this address.
    Elsewhere(String),
}

/// A link and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoodUntil {
    /// Where it leads.
    pub link: Link,
    /// Until when.
    pub expires_at: Ts,
}

impl Engine {
    /// Announces a file: whoever is of the conversation gets a link to put it to.
    pub async fn announce_file(
        &self,
        owner: UserId,
        new: NewFile,
    ) -> Result<(StoredFile, GoodUntil), EngineError> {
        let storage = self.storage()?;
        let order = self.fresh(new.order).await?;
        must_be_talking(&order, owner, "upload")?;
        let media = Media::from_mime(&new.content_type).ok_or_else(|| FileRefusal::Type {
            given: new.content_type.chars().take(NAME_GIVEN).collect(),
        })?;
        let name = Some(new.name.as_str())
            .filter(|name| name.chars().count() <= NAME_GIVEN)
            .and_then(clean_name)
            .ok_or(FileRefusal::Name)?;
        let (kind, most) = (media.kind(), media.kind().limits().bytes);
        if !(1..=most).contains(&new.size) {
            return Err(FileRefusal::Size { kind, most }.into());
        }
        let now = self.now();
        let file = StoredFile {
            id: new_id(now).into(),
            order: new.order,
            owner,
            purpose: new.purpose,
            kind,
            name,
            media,
            announced_size: new.size,
            confirmed: None,
            created_at: now,
        };
        self.inner.store.insert_file(&file).await?;
        let expires_at = now + UPLOAD_GOOD;
        let place = Place::Upload(file.id);
        let link = match storage.upload_url(place, new.size, UPLOAD_GOOD, now) {
            Some(url) => Link::Elsewhere(url),
            None => self.signed(file.id, LinkUse::Upload, expires_at),
        };
        Ok((file, GoodUntil { link, expires_at }))
    }

    /// Takes the bytes of an announced file from whoever has its link. Nothing is looked at yet.
    pub async fn receive_file(
        &self,
        id: FileId,
        link: &SignedLink,
        bytes: ByteStream,
    ) -> Result<(), EngineError> {
        let storage = self.storage()?;
        self.verify(id, LinkUse::Upload, link)?;
        let file = self.pending_file(id).await?;
        let (now, place) = (self.now(), Place::Upload(id));
        let content = Content {
            size: file.announced_size,
            bytes,
        };
        storage.put(place, content, now).await?;
        // Whoever was slow must not leave behind what nobody looks for any more.
        let turn = self.turn(id.uuid());
        let _turn = turn.lock().await;
        if let Err(error) = self.pending_file(id).await {
            storage.delete(place, now).await?;
            return Err(error);
        }
        Ok(())
    }

    /// Looks at what was sent. What is good is kept and shown from then on; what is not is taken
    /// away, and has to be announced anew. Confirming again changes nothing.
    pub async fn confirm_file(
        &self,
        id: FileId,
        owner: UserId,
        size: u64,
        sha256: [u8; 32],
    ) -> Result<StoredFile, EngineError> {
        let storage = self.storage()?;
        let turn = self.turn(id.uuid());
        let _turn = turn.lock().await;
        let file = self.inner.store.file(id).await?;
        let file = file
            .filter(|file| file.owner == owner)
            .ok_or(EngineError::NoSuch { thing: "file" })?;
        let order = self.fresh(file.order).await?;
        if file.confirmed.is_some() {
            return Ok(file);
        }
        must_be_talking(&order, owner, "upload")?;
        if sweep::is_forgotten(&file, self.now()) {
            return Err(EngineError::NoSuch { thing: "file" });
        }
        match self.examine(storage.as_ref(), &file, size, sha256).await {
            Ok(examined) => self.keep(storage.as_ref(), file, examined).await,
            Err(EngineError::File(refusal)) if refusal != FileRefusal::NotUploaded => {
                self.take_away(storage.as_ref(), id).await?;
                Err(refusal.into())
            }
            Err(error) => Err(error),
        }
    }

    /// A link for reading a confirmed file, good for five minutes.
    pub fn reading_link(&self, file: &StoredFile) -> Result<Option<GoodUntil>, EngineError> {
        if file.confirmed.is_none() {
            return Ok(None);
        }
        let (now, shown_as) = (self.now(), shown_as(file));
        let expires_at = now + READ_GOOD;
        let place = Place::Kept(file.id);
        let link = match self
            .storage()?
            .download_url(place, &shown_as, READ_GOOD, now)
        {
            Some(url) => Link::Elsewhere(url),
            None => self.signed(file.id, LinkUse::Read, expires_at),
        };
        Ok(Some(GoodUntil { link, expires_at }))
    }

    /// The confirmed file that a link for reading is for.
    pub async fn linked_file(
        &self,
        id: FileId,
        link: &SignedLink,
    ) -> Result<(StoredFile, ConfirmedFile), EngineError> {
        self.verify(id, LinkUse::Read, link)?;
        let file = self.inner.store.file(id).await?;
        file.and_then(|file| file.confirmed.map(|confirmed| (file, confirmed)))
            .ok_or(EngineError::NoSuch { thing: "file" })
    }

    /// The bytes of a confirmed file, or some of them.
    pub async fn file_bytes(&self, id: FileId, part: Option<Part>) -> Result<Found, EngineError> {
        let storage = self.storage()?;
        Ok(storage.get(Place::Kept(id), part, self.now()).await?)
    }

    async fn keep(
        &self,
        storage: &dyn Storage,
        file: StoredFile,
        examined: Examined,
    ) -> Result<StoredFile, EngineError> {
        let (now, id) = (self.now(), file.id);
        let found = ConfirmedFile {
            size: examined.bytes.len() as u64,
            sha256: examined.sha256,
            duration_ms: examined.duration_ms,
            at: now,
        };
        let (media, name) = (examined.media, examined.media.named(&file.name));
        storage
            .put(Place::Kept(id), examined.bytes.into(), now)
            .await?;
        storage.delete(Place::Upload(id), now).await?;
        let is_first = self.inner.store.confirm_file(id, &name, media, &found);
        if !is_first.await? {
            return Err(EngineError::Contended);
        }
        Ok(StoredFile {
            name,
            media,
            confirmed: Some(found),
            ..file
        })
    }

    /// An upload goes, with whatever of it was put away.
    async fn take_away(&self, storage: &dyn Storage, id: FileId) -> Result<bool, EngineError> {
        let now = self.now();
        storage.delete(Place::Upload(id), now).await?;
        storage.delete(Place::Kept(id), now).await?;
        Ok(self.inner.store.remove_upload(id).await?)
    }

    async fn pending_file(&self, id: FileId) -> Result<StoredFile, EngineError> {
        let file = self.inner.store.file(id).await?;
        let file = file.ok_or(EngineError::NoSuch { thing: "file" })?;
        match file.confirmed {
            None => Ok(file),
            Some(_) => Err(FileRefusal::Confirmed.into()),
        }
    }

    fn storage(&self) -> Result<&Arc<dyn Storage>, FileRefusal> {
        self.inner.config.storage.as_ref().ok_or(FileRefusal::Off)
    }

    fn signed(&self, id: FileId, to: LinkUse, until: Ts) -> Link {
        Link::Here(links::sign(&self.inner.config.file_key, id, to, until))
    }

    fn verify(&self, id: FileId, to: LinkUse, link: &SignedLink) -> Result<(), FileRefusal> {
        links::verify(&self.inner.config.file_key, id, to, link, self.now())
    }
}

/// How a reader's browser is to take a file: a document is saved, never run.
pub fn shown_as(file: &StoredFile) -> ShownAs {
    let how = match file.kind {
        FileKind::Document => "attachment",
        FileKind::Picture | FileKind::Voice => "inline",
    };
    let plain: String = file
        .name
        .chars()
        .map(|letter| {
            if is_plain(letter) || letter == ' ' {
                letter
            } else {
                '_'
            }
        })
        .collect();
    let mut encoded = String::new();
    for byte in file.name.bytes() {
        if is_plain(char::from(byte)) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            write!(encoded, "%{byte:02X}").ok();
        }
    }
    ShownAs {
        content_type: file.media.mime(),
        disposition: format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"),
    }
}

/// What may stand in a header as it is (RFC 8187).
const fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_')
}

impl From<StorageError> for EngineError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::TooMuch { announced } => FileRefusal::TooMuch { announced }.into(),
            StorageError::TooLittle {
                announced,
                received: found,
            } => FileRefusal::SizeDiffers { announced, found }.into(),
            other => Self::Storage(other.to_string()),
        }
    }
}
