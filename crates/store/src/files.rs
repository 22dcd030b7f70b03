//! Files of orders: what is known of them. Their bytes are kept elsewhere.

use crate::committer::sql;
use crate::db::Read;
use crate::row::Row;
use crate::{ConfirmedFile, Store, StoreError, StoredFile};
use domain::file::{FileKind, FilePurpose, Media};
use domain::{FileId, Ts};

const INSERT: &str = "INSERT INTO files (id, order_id, owner_id, purpose, kind, name, content_type, \
     announced_size, status, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9)";
const ONE: &str = "SELECT id, order_id, owner_id, purpose, kind, name, content_type, announced_size, created_at, \
     size, sha256, duration_ms, confirmed_at FROM files WHERE id = $1";
const CONFIRM: &str = "UPDATE files SET name = $2, content_type = $3, size = $4, sha256 = $5, duration_ms = $6, \
     confirmed_at = $7, status = 'ready' WHERE id = $1 AND status = 'pending' RETURNING id";
const REMOVE: &str = "DELETE FROM files WHERE id = $1 AND status = 'pending' RETURNING id";

/// The most forgotten uploads that are read at once.
const LARGEST: u32 = 500;

impl Store {
    /// Writes down an upload that is to come; what was confirmed of it is not looked at.
    pub async fn insert_file(&self, file: &StoredFile) -> Result<(), StoreError> {
        let values = vec![
            file.id.into(),
            file.order.into(),
            file.owner.into(),
            file.purpose.name().into(),
            file.kind.name().into(),
            (&file.name).into(),
            file.media.mime().into(),
            number(file.announced_size)?.into(),
            file.created_at.into(),
        ];
        self.write(INSERT, values).await.map(drop)
    }

    /// A file.
    pub async fn file(&self, id: FileId) -> Result<Option<StoredFile>, StoreError> {
        let row = self.db().one(Read::Keyed, ONE, vec![id.into()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Writes what was found in an upload, once; false if it was confirmed or removed before.
    pub async fn confirm_file(
        &self,
        id: FileId,
        name: &str,
        media: Media,
        found: &ConfirmedFile,
    ) -> Result<bool, StoreError> {
        let duration = found.duration_ms.map(number).transpose()?;
        let values = vec![
            id.into(),
            name.into(),
            media.mime().into(),
            number(found.size)?.into(),
            found.sha256.into(),
            duration.into(),
            found.at.into(),
        ];
        let rows = self.write(CONFIRM, values).await?;
        Ok(!rows.is_empty())
    }

    /// Forgets an upload; a confirmed file stays, and the answer is false.
    pub async fn remove_upload(&self, id: FileId) -> Result<bool, StoreError> {
        let rows = self.write(REMOVE, vec![id.into()]).await?;
        Ok(!rows.is_empty())
    }

    /// Uploads that were announced before this time and never confirmed, oldest first.
    pub async fn forgotten_uploads(
        &self,
        before: Ts,
        limit: u32,
    ) -> Result<Vec<FileId>, StoreError> {
        let limit = limit.clamp(1, LARGEST);
        let text = sql(format!(
            "SELECT id FROM files WHERE status = 'pending' AND created_at < $1 ORDER BY created_at LIMIT {limit}"
        ));
        let rows = self
            .db()
            .all(Read::Keyed, text, vec![before.into()])
            .await?;
        rows.iter().map(|row| row.cells().id()).collect()
    }
}

fn number(size: u64) -> Result<i64, StoreError> {
    i64::try_from(size)
        .map_err(|_| StoreError::Corrupt(format!("the number {size} is out of range")))
}

fn read(row: &Row) -> Result<StoredFile, StoreError> {
    let mut cells = row.cells();
    let mut file = StoredFile {
        id: cells.id()?,
        order: cells.id()?,
        owner: cells.id()?,
        purpose: cells.named(FilePurpose::from_name)?,
        kind: cells.named(FileKind::from_name)?,
        name: cells.text()?,
        media: cells.named(Media::from_mime)?,
        announced_size: cells.int()?,
        created_at: cells.at()?,
        confirmed: None,
    };
    let (size, sha256) = (cells.int_or_none()?, cells.hash_or_none()?);
    let (duration_ms, at) = (cells.int_or_none()?, cells.at_or_none()?);
    if let (Some(size), Some(sha256), Some(at)) = (size, sha256, at) {
        file.confirmed = Some(ConfirmedFile {
            size,
            sha256,
            duration_ms,
            at,
        });
    }
    Ok(file)
}
