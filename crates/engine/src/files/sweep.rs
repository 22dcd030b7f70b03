//! Uploads that nobody confirmed go after a day (spec 40, files).

use crate::engine::Engine;
use crate::error::EngineError;
use domain::{Span, Ts};
use store::StoredFile;

/// How old an upload gets.
const FORGOTTEN_AFTER: Span = Span::hours(24);

/// From when on it is not confirmed any more: well before it goes, so that no node takes away what
/// another one is just keeping.
const TOO_OLD: Span = Span::hours(23);

/// How many go at a time.
const SWEEP: u32 = 100;

/// Whether an upload is too old to be confirmed.
pub(super) fn is_forgotten(file: &StoredFile, now: Ts) -> bool {
    file.created_at + TOO_OLD <= now
}

impl Engine {
    /// Takes away uploads that were announced a day ago and never confirmed, and says how many that
    /// were. One that can't be taken away now stays for the next time.
    pub(crate) async fn sweep_files(&self) -> Result<usize, EngineError> {
        let Ok(storage) = self.storage() else {
            return Ok(0);
        };
        let before = self.now() - FORGOTTEN_AFTER;
        let mut gone = 0;
        for id in self.inner.store.forgotten_uploads(before, SWEEP).await? {
            match self.take_away(storage.as_ref(), id).await {
                Ok(taken) => gone += usize::from(taken),
                Err(error) => tracing::warn!(file = %id, %error, "an upload can't be taken away"),
            }
        }
        Ok(gone)
    }
}
