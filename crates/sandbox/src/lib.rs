//! The counterparties, played on loopback.
//!
//! A [`Sandbox`] is WeChat Pay's other end: it verifies what the merchant signs, signs what it
//! answers, seals its notices, and keeps a book of the money that a kill can't lose. Connectors
//! cannot tell it from the real thing. What the payer and bad luck do is told to it under
//! `/control` (spec 20, gateways).

mod book;
mod control;
mod delivery;
mod file;
mod ids;
mod keys;
mod payments;
mod refunds;
mod schedule;
mod wechat;

pub use control::ControlError;
pub use control::views;
pub use keys::MerchantCredentials;

use axum::Router;
use book::{Book, Change};
use domain::{Span, Ts};
use keys::Keys;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{Notify, Semaphore};
use views::{Autopay, Faults, Settings};

/// WeChat waits so long for the answer to a notice (WeChat Pay API v3, payment notice).
const NOTICE_TIMEOUT: Duration = Duration::from_secs(5);
/// So many notices are on their way at a time.
const NOTICES_AT_A_TIME: usize = 64;
/// Nothing is put off for longer than this.
const MAX_DELAY_SECONDS: u32 = 30 * 24 * 3600;
/// No answer is held back for longer than this.
const MAX_SLOW_MILLIS: u32 = 600_000;
/// The clock moves by at most this at a time: 366 days.
const MAX_ADVANCE_SECONDS: u32 = 366 * 24 * 3600;

/// The time that the sandbox lives in: the engine's, so that a test can move both.
pub trait SandboxClock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Ts;
    /// Moves it forward and tells the time then, or says why it can't be moved.
    fn advance(&self, by: Span) -> Result<Ts, String>;
}

/// How a sandbox is kept.
#[derive(Debug, Clone, Default)]
pub struct SandboxConfig {
    /// Where its keys and its book are; made if it is not there. Without one, both live as long
    /// as the process.
    pub data_dir: Option<PathBuf>,
}

/// Why the sandbox can't go on.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process, or another sandbox of this one, has the directory.
    #[error("the sandbox's directory {0} is in use: stop the other one, or give another directory")]
    InUse(PathBuf),
    /// A line of the book is damaged, and not just torn at the end.
    #[error("{path}, line {line}, can't be read: {reason}; move the file away to start anew")]
    Book {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The keys are damaged or can't be used.
    #[error("the sandbox's keys: {0}")]
    Keys(String),
    /// A notice could not be made or carried out.
    #[error("a notice could not be sent: {0}")]
    Notice(String),
    /// [`Sandbox::close`] was called.
    #[error("the sandbox in {0} was closed")]
    Closed(PathBuf),
    /// The HTTP client could not be made.
    #[error("no HTTP client for the sandbox: {0}")]
    HttpClient(#[from] reqwest::Error),
}

impl SandboxError {
    pub(crate) fn file(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::File {
            path: path.as_ref().to_owned(),
            source,
        }
    }
}

/// A running counterparty; a clone is the same one.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    data_dir: Option<PathBuf>,
    clock: Arc<dyn SandboxClock>,
    keys: Keys,
    book: Mutex<Book>,
    wake: Notify,
    http: reqwest::Client,
    delivery_places: Semaphore,
}

impl Sandbox {
    /// Opens the directory's book, or begins one. Until [`Sandbox::run`] or
    /// [`Sandbox::run_due`] is called, nothing happens by itself.
    pub fn open(config: SandboxConfig, clock: Arc<dyn SandboxClock>) -> Result<Self, SandboxError> {
        let data_dir = config.data_dir;
        if let Some(dir) = &data_dir {
            std::fs::create_dir_all(dir).map_err(|source| SandboxError::file(dir, source))?;
        }
        // The book first: it takes the directory, so that two beginners don't both make keys.
        let book = Book::open(data_dir.as_deref())?;
        let keys = Keys::open(data_dir.as_deref())?;
        let http = reqwest::Client::builder()
            .timeout(NOTICE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("Mozilla/4.0")
            // The merchant is on this machine: no proxy between, no root certificates needed.
            .no_proxy()
            .tls_certs_only([])
            .build()?;
        Ok(Self(Arc::new(Inner {
            data_dir,
            clock,
            keys,
            book: Mutex::new(book),
            wake: Notify::new(),
            http,
            delivery_places: Semaphore::new(NOTICES_AT_A_TIME),
        })))
    }

    /// `/v3/...` for the merchant and `/control/...` for whoever directs the play. To be served
    /// on loopback only: the control API asks nobody who they are.
    pub fn router(&self) -> Router {
        wechat::router(self.clone())
            .merge(control::router(self.clone()))
            .fallback(control::not_found)
    }

    /// What the merchant needs.
    pub fn merchant(&self) -> MerchantCredentials {
        self.0.keys.merchant.clone()
    }

    /// Lets go of the directory at once, although clones may live on in open connections; they
    /// change nothing any more.
    pub fn close(&self) {
        self.book().close(self.0.data_dir.as_deref());
    }

    /// The faults that are on.
    pub fn faults(&self) -> Faults {
        self.settings().faults
    }

    /// Sets all faults.
    pub fn set_faults(&self, faults: Faults) -> Result<(), ControlError> {
        if faults.slow_millis > MAX_SLOW_MILLIS {
            let message = format!("slowMillis must be at most {MAX_SLOW_MILLIS}");
            return Err(ControlError::BadRequest(message));
        }
        self.change_settings(|settings| settings.faults = faults)
    }

    /// Sets whether payments, from now on, pay themselves.
    pub fn set_autopay(&self, autopay: Autopay) -> Result<(), ControlError> {
        if autopay.delay_seconds > MAX_DELAY_SECONDS {
            let message = format!("delaySeconds must be at most {MAX_DELAY_SECONDS}");
            return Err(ControlError::BadRequest(message));
        }
        self.change_settings(|settings| settings.autopay = autopay)
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: u32) -> Result<Ts, ControlError> {
        if !(1..=MAX_ADVANCE_SECONDS).contains(&seconds) {
            let message = format!("seconds is {seconds}: it must be 1 to {MAX_ADVANCE_SECONDS}");
            return Err(ControlError::BadRequest(message));
        }
        let by = Span::seconds(seconds.into());
        let now = self.0.clock.advance(by).map_err(ControlError::Conflict)?;
        self.wake();
        Ok(now)
    }

    fn change_settings(&self, change: impl FnOnce(&mut Settings)) -> Result<(), ControlError> {
        let mut book = self.book();
        let mut settings = book.settings().clone();
        change(&mut settings);
        book.commit(vec![Change::Settings(settings)])?;
        self.wake();
        Ok(())
    }

    pub(crate) fn settings(&self) -> Settings {
        self.book().settings().clone()
    }

    pub(crate) fn now(&self) -> Ts {
        self.0.clock.now()
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    pub(crate) fn delivery_places(&self) -> &Semaphore {
        &self.0.delivery_places
    }

    /// Every change is made whole under the lock, so a panic elsewhere leaves the book in order.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The schedule has changed.
    pub(crate) fn wake(&self) {
        self.0.wake.notify_one();
    }

    pub(crate) async fn woken(&self) {
        self.0.wake.notified().await;
    }
}
