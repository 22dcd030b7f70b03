//! The loops: due deadlines and due effects, claimed by lease, so that several nodes share them and
//! a dead node's are taken over.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Origin;
use crate::relay::{self, TICK};
use domain::Span;
use domain::consultation::Command;
use domain::order::{Actor, Effect};
use futures::StreamExt;
use futures::stream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::{OutboxRow, TimerRow};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How many rows are claimed at a time.
const CLAIM: u32 = 256;

/// How long a deadline that could not be served waits before it is tried again.
const TIMER_RETRY: Span = Span::seconds(5);

/// How often sessions that nobody ended are looked for.
const SESSION_SWEEP_TICKS: u32 = 25;

/// How often uploads that nobody confirmed are looked for, and weekly hours whose next day came
/// within seven: once a minute.
const MINUTE_TICKS: u32 = 300;

/// How often settings are looked at again, for changes that another process made, and whose
/// presence ran out: once a second.
pub(crate) const REFRESH_TICKS: u32 = 5;

/// How often `settle` goes round before it says that the work never ends.
const SETTLE_ROUNDS: usize = 10_000;

impl Engine {
    /// Starts the loops. They stop when told; what was begun is finished first.
    pub fn run(&self, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
        self.inner.live.store(true, Ordering::SeqCst);
        let relay = tokio::spawn(self.clone().relay_loop(stop.clone()));
        let timers = tokio::spawn(self.clone().poll_loop(stop.clone()));
        let reconciliation = tokio::spawn(self.clone().reconciliation_loop(stop.clone()));
        vec![relay, timers, reconciliation]
    }

    /// Works off everything that is due now, until nothing is, and says how much that was. For a
    /// clock that stands still.
    pub async fn settle(&self) -> Result<usize, EngineError> {
        let mut worked = 0;
        for _ in 0..SETTLE_ROUNDS {
            let mut swept = self.sweep_sessions().await? + self.sweep_presence().await?;
            swept += self.sweep_files().await? + self.publish_weekly().await?;
            swept += self.sweep_reconciliations().await?;
            let in_this_round = self.work_once().await? + swept;
            if in_this_round == 0 {
                return Ok(worked);
            }
            worked += in_this_round;
        }
        Err(EngineError::Contended)
    }

    /// Claims what is due and does it.
    async fn work_once(&self) -> Result<usize, EngineError> {
        let now = self.now();
        let lease = || relay::lease(self.inner.config.node, now);
        let timers = self.inner.store.claim_timers(now, lease(), CLAIM).await?;
        let effects = self.inner.store.claim_outbox(now, lease(), CLAIM).await?;
        let count = timers.len() + effects.len();
        let at_a_time = self.inner.config.effects_parallel;
        stream::iter(timers)
            .for_each_concurrent(at_a_time, |row| self.fire(row))
            .await;
        stream::iter(effects)
            .for_each_concurrent(at_a_time, |row| self.relay_one(row))
            .await;
        Ok(count)
    }

    /// A deadline passed: the order is told.
    async fn fire(&self, row: TimerRow) {
        let command = Command::Timer {
            name: row.name,
            refund: row.refund,
        };
        let origin = Origin::default();
        let fired = self
            .execute_finishing(row.order, &command, Actor::SYSTEM, &origin, None)
            .await;
        let retry = match fired {
            Ok(executed) => executed.order.timers.iter().any(|timer| {
                // Told, and still running: it was moved, and its row says when.
                timer.name == row.name && timer.refund == row.refund && timer.due == row.due
            }),
            Err(error) => {
                tracing::warn!(order = %row.order, timer = row.name.name(), %error, "a deadline could not be served; it is tried again");
                true
            }
        };
        if retry {
            let at = self.now() + TIMER_RETRY;
            if let Err(error) = self.inner.store.release_timer(&row, at).await {
                tracing::warn!(order = %row.order, timer = row.name.name(), %error, "its lease will run out");
            }
        }
    }

    async fn relay_loop(self, stop: CancellationToken) {
        let Some(mut rows) = self.inner.relay_rows.lock().await.take() else {
            return;
        };
        let places = Arc::new(Semaphore::new(self.inner.config.effects_parallel));
        let running = TaskTracker::new();
        loop {
            let row: OutboxRow = tokio::select! {
                () = stop.cancelled() => break,
                row = rows.recv() => match row { Some(row) => row, None => break },
            };
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                break;
            };
            let engine = self.clone();
            running.spawn(async move {
                engine.relay_one(row).await;
                drop(place);
            });
        }
        running.close();
        running.wait().await;
    }

    async fn poll_loop(self, stop: CancellationToken) {
        self.recover().await;
        let mut ticks = 0_u32;
        let mut failing = false;
        loop {
            match self.poll(ticks).await {
                // More may be due than was claimed at once.
                Ok(worked) if worked >= usize::try_from(CLAIM).unwrap_or(256) => continue,
                Ok(_) if failing => {
                    failing = false;
                    tracing::info!("the database is back: due work goes on");
                }
                Ok(_) => {}
                // The same trouble is told once.
                Err(error) if !failing => {
                    failing = true;
                    tracing::error!(%error, "due work can't be read; trying again");
                }
                Err(_) => {}
            }
            ticks = ticks.wrapping_add(1);
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.inner.wake.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    async fn poll(&self, ticks: u32) -> Result<usize, EngineError> {
        let worked = self.work_once().await?;
        if ticks.is_multiple_of(REFRESH_TICKS) {
            self.inner.settings.refresh(&self.inner.store).await?;
            self.sweep_presence().await?;
        }
        if ticks.is_multiple_of(SESSION_SWEEP_TICKS) {
            self.sweep_sessions().await?;
        }
        if ticks.is_multiple_of(MINUTE_TICKS) {
            self.sweep_files().await?;
            self.publish_weekly().await?;
        }
        Ok(worked)
    }

    /// After a stop: deadlines and effects are rows and come by themselves; only waiting patients
    /// are looked at anew, in case a doctor has room.
    async fn recover(&self) {
        match self.inner.store.departments_waiting().await {
            Ok(departments) => {
                for department in departments {
                    if let Err(error) = self.dispatch(department).await {
                        tracing::warn!(%department, %error, "dispatch after start");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "waiting patients can't be read yet"),
        }
    }

    /// An effect without an order of its own, to be done after a commit.
    pub(crate) fn loose_effect(&self, effect: Effect, origin: &Origin) -> OutboxRow {
        let now = self.now();
        OutboxRow {
            id: crate::ids::new_id(now),
            order: None,
            effect,
            due: now,
            attempts: 0,
            lease: None,
            last_error: None,
            request_id: origin.request_id.clone(),
            created_at: now,
        }
    }
}
