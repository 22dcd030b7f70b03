//! The counterparties, played on loopback.
//!
//! A [`Sandbox`] is the other end of every payment gateway: it verifies what the merchant signs,
//! signs what it answers, sends notices, writes bills, and keeps a book of the money that a kill
//! can't lose. Connectors cannot tell it from the real thing. What the payer and bad luck do is
//! told to it under `/control`; a person pays on the pages under `/cashier` (spec 20, gateways).
//!
//! What all gateways share is here; what is one gateway's own is in a folder of its name, behind
//! the trait [`Counterparty`](counterparty::Counterparty).

mod alipay;
mod bills;
mod book;
mod cashier;
mod control;
mod counterparties;
mod counterparty;
mod delivery;
mod faults;
mod ids;
mod keys;
mod notice;
mod payer;
mod payments;
mod paypal;
mod refunds;
mod refusal;
mod schedule;
mod stripe;
mod telling;
#[cfg(test)]
mod tests;
mod totals;
mod unionpay;
mod wechat;

pub use control::ControlError;
pub use control::views;
pub use notice::{PaidPayment, PostedNotice};

use axum::Router;
use axum::middleware::from_fn_with_state;
use book::{Book, Change};
use counterparty::Counterparty;
use domain::payment::GatewayName;
use domain::{Span, Ts};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{Notify, Semaphore};
use views::{Autopay, Faults, Settings, Webhook};

/// Gateways wait so long for the answer to a notice (WeChat Pay API v3, payment notice).
const NOTICE_TIMEOUT: Duration = Duration::from_secs(5);
/// So many notices are on their way at a time.
const NOTICES_AT_A_TIME: usize = 64;
/// Nothing is put off for longer than this.
const MAX_DELAY_SECONDS: u32 = 30 * 24 * 3600;
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
    /// A gateway that nobody plays here.
    #[error("the sandbox doesn't play the gateway `{0}`")]
    UnknownGateway(GatewayName),
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

/// All counterparties, running; a clone is the same ones.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    data_dir: Option<PathBuf>,
    clock: Arc<dyn SandboxClock>,
    counterparties: BTreeMap<GatewayName, Arc<dyn Counterparty>>,
    book: Mutex<Book>,
    wake: Notify,
    http: reqwest::Client,
    delivery_places: Semaphore,
}

impl Sandbox {
    /// Opens the directory's book, or begins one. Until [`Sandbox::run`] or
    /// [`Sandbox::run_due`] is called, nothing happens by itself.
    pub fn open(config: SandboxConfig, clock: Arc<dyn SandboxClock>) -> Result<Self, SandboxError> {
        Self::open_with(config, clock, counterparties::counterparties())
    }

    /// With these counterparties.
    fn open_with(
        config: SandboxConfig,
        clock: Arc<dyn SandboxClock>,
        opens: &[counterparties::Open],
    ) -> Result<Self, SandboxError> {
        let data_dir = config.data_dir;
        if let Some(dir) = &data_dir {
            std::fs::create_dir_all(dir).map_err(|source| SandboxError::file(dir, source))?;
        }
        // The book first: it takes the directory, so that two beginners don't both make keys.
        let book = Book::open(data_dir.as_deref())?;
        let mut counterparties = BTreeMap::new();
        for open in opens {
            let counterparty = open(data_dir.as_deref())?;
            counterparties.insert(counterparty.gateway(), counterparty);
        }
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
            counterparties,
            book: Mutex::new(book),
            wake: Notify::new(),
            http,
            delivery_places: Semaphore::new(NOTICES_AT_A_TIME),
        })))
    }

    /// Each gateway under its real paths for the merchant, `/cashier/...` for payers, and
    /// `/control/...` for whoever directs the play. To be served on loopback only: the control
    /// API asks nobody who they are.
    pub fn router(&self) -> Router {
        let mut router = control::router(self.clone()).merge(cashier::router(self.clone()));
        for counterparty in self.0.counterparties.values() {
            let state = (self.clone(), counterparty.gateway());
            let played = counterparty
                .router(self.clone())
                .route_layer(from_fn_with_state(state, faults::around));
            router = router.merge(played);
        }
        router.fallback(control::not_found)
    }

    /// The gateways that are played.
    pub fn gateways(&self) -> Vec<GatewayName> {
        self.0.counterparties.keys().copied().collect()
    }

    /// The merchant's settings at a gateway, for a sandbox that is served at this address: names
    /// and values as the connector's registration has them; of files, their content.
    pub fn values(
        &self,
        gateway: GatewayName,
        base_url: &str,
    ) -> Result<BTreeMap<&'static str, String>, SandboxError> {
        let base_url = base_url.trim_end_matches('/');
        Ok(self.counterparty(gateway)?.values(base_url))
    }

    /// Lets go of the directory at once, although clones may live on in open connections; they
    /// change nothing any more.
    pub fn close(&self) {
        self.book().close(self.0.data_dir.as_deref());
    }

    /// The faults that everybody has.
    pub fn faults(&self) -> Faults {
        self.settings().faults
    }

    /// Sets the faults that everybody has.
    pub fn set_faults(&self, faults: Faults) -> Result<(), ControlError> {
        faults.check()?;
        self.change_settings(|settings| settings.faults = faults)
    }

    /// The faults that a gateway has besides everybody's.
    pub fn faults_of(&self, gateway: GatewayName) -> Result<Faults, ControlError> {
        self.played(gateway)?;
        let own = self.settings().faults_of.get(&gateway).cloned();
        Ok(own.unwrap_or_default())
    }

    /// Sets the faults that a gateway has besides everybody's.
    pub fn set_faults_of(&self, gateway: GatewayName, faults: Faults) -> Result<(), ControlError> {
        self.played(gateway)?;
        faults.check()?;
        self.change_settings(|settings| {
            settings.faults_of.insert(gateway, faults);
        })
    }

    /// Sets where a gateway sends its notices whose requests don't say it.
    pub fn set_webhook(&self, webhook: Webhook) -> Result<(), ControlError> {
        let Webhook { gateway, url } = webhook;
        self.played(gateway)?;
        if let Some(wrong) = url.as_ref().filter(|url| reqwest::Url::parse(url).is_err()) {
            let message = format!("url `{wrong}` is no address");
            return Err(ControlError::BadRequest(message));
        }
        self.change_settings(|settings| {
            match url {
                Some(url) => settings.webhooks.insert(gateway, url),
                None => settings.webhooks.remove(&gateway),
            };
        })
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
        book.commit(vec![Change::Settings(Box::new(settings))])?;
        self.wake();
        Ok(())
    }

    pub(crate) fn settings(&self) -> Settings {
        self.book().settings().clone()
    }

    pub(crate) fn now(&self) -> Ts {
        self.0.clock.now()
    }

    /// Everybody's faults and the gateway's own.
    pub(crate) fn faults_at(&self, gateway: GatewayName) -> Faults {
        self.book().faults(gateway)
    }

    /// Where a gateway sends its notices whose requests don't say it.
    pub(crate) fn webhook(&self, gateway: GatewayName) -> Option<String> {
        self.book().settings().webhooks.get(&gateway).cloned()
    }

    /// Who plays the gateway.
    pub(crate) fn counterparty(
        &self,
        gateway: GatewayName,
    ) -> Result<&dyn Counterparty, SandboxError> {
        self.0
            .counterparties
            .get(&gateway)
            .map(AsRef::as_ref)
            .ok_or(SandboxError::UnknownGateway(gateway))
    }

    /// A gateway that somebody named must be one that is played.
    pub(crate) fn played(&self, gateway: GatewayName) -> Result<&dyn Counterparty, ControlError> {
        self.counterparty(gateway).map_err(|unknown| {
            let names: Vec<String> = self.gateways().iter().map(ToString::to_string).collect();
            ControlError::BadRequest(format!("{unknown}: it plays {}", names.join(", ")))
        })
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
