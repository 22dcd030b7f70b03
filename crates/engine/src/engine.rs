//! The engine: what it is made of, and how it starts.

use crate::clock::Clock;
use crate::error::EngineError;
use crate::gateways::Gateways;
use crate::one_for_all::OneForAll;
use crate::orders::Orders;
use crate::rooms::Rooms;
use crate::settings::Settings;
use connectors::storage::Storage;
use domain::{Calendar, DepartmentId, OrderId, Ts};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};
use store::{OutboxRow, Store};
use tokio::sync::{Mutex, Notify, Semaphore, broadcast, mpsc};
use uuid::Uuid;

/// How many effects may wait in memory before they are left to the poller.
const RELAY_QUEUE: usize = 10_000;

/// How many changes a slow listener may fall behind before it is told that it missed some.
const CHANGES_KEPT: usize = 4_096;

/// How many files are looked at at a time: a picture unpacks into up to a quarter of a gigabyte.
const FILES_LOOKED_AT: usize = 2;

/// What can be set when the engine starts.
#[derive(Clone)]
pub struct EngineConfig {
    /// This process's id, under which it claims work.
    pub node: Uuid,
    /// How many effects run at a time.
    pub effects_parallel: usize,
    /// Weekends and holidays.
    pub calendar: Calendar,
    /// With which quotes are signed, so that they need not be stored.
    pub quote_key: [u8; 32],
    /// Where files are kept; without it, none are taken.
    pub storage: Option<Arc<dyn Storage>>,
    /// With which links to files are signed.
    pub file_key: [u8; 32],
    /// This server's address as browsers reach it, for links in what gateways and people are sent.
    pub public_url: Option<String>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            node: Uuid::from_bytes(rand::random()),
            effects_parallel: 32,
            calendar: Calendar::default(),
            quote_key: rand::random(),
            storage: None,
            file_key: rand::random(),
            public_url: None,
        }
    }
}

impl fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineConfig")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

/// An order changed: live views look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Which.
    pub order: OrderId,
    /// Its version now.
    pub version: i64,
}

/// What happens when: commands, deadlines, effects. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub store: Store,
    pub gateways: Gateways,
    pub clock: Arc<dyn Clock>,
    pub config: EngineConfig,
    pub orders: Orders,
    pub settings: Settings,
    /// Whether loops run that work off effects at once. Without them, [`Engine::settle`] does.
    pub live: AtomicBool,
    pub relay: mpsc::Sender<OutboxRow>,
    pub relay_rows: Mutex<Option<mpsc::Receiver<OutboxRow>>>,
    pub wake: Notify,
    pub changes: broadcast::Sender<Changed>,
    pub rooms: Rooms,
    /// One at a time per session (numbers) and file in this process; between processes the store's
    /// guards decide.
    pub turns: std::sync::Mutex<HashMap<Uuid, Arc<Mutex<()>>>>,
    /// The same per department (dispatch).
    pub dispatches: std::sync::Mutex<HashMap<DepartmentId, Arc<OneForAll>>>,
    pub looking_at_files: Semaphore,
    /// Before then, in microseconds, no day is due to be reconciled.
    pub next_reconciliation: AtomicI64,
}

impl Engine {
    /// An engine on a store. It reads the business rules; nothing runs by itself before
    /// [`Engine::run`].
    pub async fn start(
        store: Store,
        gateways: Gateways,
        clock: Arc<dyn Clock>,
        config: EngineConfig,
    ) -> Result<Self, EngineError> {
        let (relay, rows) = mpsc::channel(RELAY_QUEUE);
        let settings = Settings::load(&store, clock.now()).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                gateways,
                clock,
                config,
                orders: Orders::default(),
                settings,
                live: AtomicBool::new(false),
                relay,
                relay_rows: Mutex::new(Some(rows)),
                wake: Notify::new(),
                changes: broadcast::channel(CHANGES_KEPT).0,
                rooms: Rooms::default(),
                turns: std::sync::Mutex::default(),
                dispatches: std::sync::Mutex::default(),
                looking_at_files: Semaphore::new(FILES_LOOKED_AT),
                next_reconciliation: AtomicI64::new(i64::MIN),
            }),
        })
    }

    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    /// Now, by the engine's clock.
    pub fn now(&self) -> Ts {
        self.inner.clock.now()
    }

    /// The hospital's days: its zone, weekends and holidays.
    pub fn calendar(&self) -> &Calendar {
        &self.inner.config.calendar
    }

    /// The gateways that are on.
    pub fn gateways(&self) -> &Gateways {
        &self.inner.gateways
    }

    /// Every change of an order from now on.
    pub fn changes(&self) -> broadcast::Receiver<Changed> {
        self.inner.changes.subscribe()
    }

    /// Looks for due work now instead of at the next tick, as after the clock was moved.
    pub fn wake(&self) {
        self.inner.wake.notify_waiters();
    }

    /// Waits for this thing's turn in this process.
    pub(crate) fn turn(&self, of: Uuid) -> Arc<Mutex<()>> {
        let mut turns = self
            .inner
            .turns
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if turns.len() > 10_000 {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(turns.entry(of).or_default())
    }

    /// The department's dispatches in this process. There are few departments.
    pub(crate) fn dispatches(&self, department: DepartmentId) -> Arc<OneForAll> {
        let mut dispatches = self
            .inner
            .dispatches
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(dispatches.entry(department).or_default())
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("config", &self.inner.config)
            .finish_non_exhaustive()
    }
}
