//! Connections that only read. Simpler than a pool: nothing is asked of the database when one is
//! taken or given back, which for a read by key would cost as much as the read itself.

use sqlx::{ConnectOptions, Connection};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// A bounded set of connections, opened when they are first needed.
pub(crate) struct Readers<C: Connection> {
    inner: Arc<Inner<C>>,
}

struct Inner<C: Connection> {
    options: C::Options,
    idle: Mutex<Vec<C>>,
    places: Semaphore,
    at_most: u32,
    patience: Duration,
}

/// A connection for one read. It goes back only by [`Taken::give_back`], after a read that ended:
/// one that was dropped half-way is closed.
pub(crate) struct Taken<'r, C: Connection> {
    pub on: C,
    /// Whether it was idle before: then it may have died meanwhile, as after a restart of the
    /// server, and the read is worth another try.
    pub was_idle: bool,
    readers: &'r Readers<C>,
    _place: SemaphorePermit<'r>,
}

impl<C: Connection> Taken<'_, C> {
    /// Lets the next reader have it.
    pub(crate) fn give_back(self) {
        self.readers.idle().push(self.on);
    }
}

impl<C: Connection> Readers<C> {
    /// So many connections at most; whoever waits longer than `patience` for one is refused.
    pub(crate) fn new(options: C::Options, at_most: u32, patience: Duration) -> Self {
        let at_most = at_most.max(1);
        let places = usize::try_from(at_most).unwrap_or(1);
        Self {
            inner: Arc::new(Inner {
                options,
                idle: Mutex::new(Vec::new()),
                places: Semaphore::new(places),
                at_most,
                patience,
            }),
        }
    }

    /// A connection, as soon as there is one.
    pub(crate) async fn take(&self) -> Result<Taken<'_, C>, sqlx::Error> {
        let inner = &self.inner;
        let place = match tokio::time::timeout(inner.patience, inner.places.acquire()).await {
            Ok(place) => place.map_err(|_| sqlx::Error::PoolClosed)?,
            Err(_) => return Err(sqlx::Error::PoolTimedOut),
        };
        let idle = self.idle().pop();
        let was_idle = idle.is_some();
        let on = match idle {
            Some(on) => on,
            None => tokio::time::timeout(inner.patience, inner.options.connect())
                .await
                .unwrap_or(Err(sqlx::Error::PoolTimedOut))?,
        };
        Ok(Taken {
            on,
            was_idle,
            readers: self,
            _place: place,
        })
    }

    /// Waits for reads under way, then closes everything.
    pub(crate) async fn close(&self) {
        let places = self.inner.places.acquire_many(self.inner.at_most);
        let waited = tokio::time::timeout(self.inner.patience, places).await;
        self.inner.places.close();
        drop(waited);
        let idle = std::mem::take(&mut *self.idle());
        for on in idle {
            if let Err(error) = on.close().await {
                tracing::debug!(%error, "closing a reading connection");
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<C>> {
        self.inner
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Connection> Clone for Readers<C> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<C: Connection> fmt::Debug for Readers<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}
