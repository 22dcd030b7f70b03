//! Rooms that are open in this process: who is there, and what happens as it happens. What must
//! outlive the process is in the store; here is only who listens.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::ids::new_id;
use domain::consultation::{Command, ConsultationStatus};
use domain::order::Role;
use domain::{OrderId, Ts, UserId};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{Message, MessageKind, Receipt};
use tokio::sync::broadcast;

/// How many events a slow listener may fall behind. Lines that it missed it reads from the store.
const EVENTS_KEPT: usize = 256;

/// Something that happened in a room.
#[derive(Debug, Clone)]
pub enum RoomEvent {
    /// A line was written.
    Said(Message),
    /// A side received or read.
    Received(Receipt),
    /// A side came or went.
    Here {
        /// Which side.
        role: Role,
        /// Whether it is there now.
        here: bool,
    },
    /// A side is writing, or stopped.
    Typing {
        /// Which side.
        role: Role,
        /// Whether it writes.
        on: bool,
    },
    /// A side's word to the other side's browser, to set up audio and video.
    Signal {
        /// From which side.
        from: Role,
        /// An offer, an answer, a candidate or an end, as the browser made it.
        data: Value,
    },
}

struct Room {
    events: broadcast::Sender<Arc<RoomEvent>>,
    here: HashMap<Role, usize>,
    /// Since when both sides have been connected by audio or video.
    call_since: Option<Ts>,
}

/// All rooms that somebody is in.
#[derive(Default)]
pub(crate) struct Rooms(Mutex<HashMap<OrderId, Room>>);

impl Rooms {
    fn open(&self) -> MutexGuard<'_, HashMap<OrderId, Room>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever is in the room; nobody being there is no error.
    pub fn tell(&self, order: OrderId, event: RoomEvent) {
        if let Some(room) = self.open().get(&order) {
            room.events.send(Arc::new(event)).ok();
        }
    }
}

/// A place in a room. Dropped, its holder has left.
pub struct Seat {
    engine: Engine,
    order: OrderId,
    user: UserId,
    role: Role,
    /// What happens from now on.
    pub events: broadcast::Receiver<Arc<RoomEvent>>,
}

impl Engine {
    /// Enters a room. Whoever is the first of their side is announced; a patient counts as there,
    /// and a doctor who was lost is back (spec 10, status 401).
    pub async fn enter(
        &self,
        order: OrderId,
        user: UserId,
        role: Role,
    ) -> Result<Seat, EngineError> {
        let (events, is_first) = {
            let mut rooms = self.inner.rooms.open();
            let room = rooms.entry(order).or_insert_with(|| Room {
                events: broadcast::channel(EVENTS_KEPT).0,
                here: HashMap::new(),
                call_since: None,
            });
            let count = room.here.entry(role).or_default();
            *count += 1;
            (room.events.subscribe(), *count == 1)
        };
        let seat = Seat {
            engine: self.clone(),
            order,
            user,
            role,
            events,
        };
        if is_first {
            self.inner
                .rooms
                .tell(order, RoomEvent::Here { role, here: true });
            match role {
                Role::Patient => self.patient_seen(order).await?,
                Role::Doctor => self.doctor_in_room(order, Command::DoctorBack).await?,
                _ => {}
            }
        }
        Ok(seat)
    }

    /// The sides that are in a room now.
    pub fn who_is_here(&self, order: OrderId) -> Vec<Role> {
        let rooms = self.inner.rooms.open();
        let here = rooms.get(&order).map(|room| &room.here);
        [Role::Patient, Role::Doctor]
            .into_iter()
            .filter(|role| here.is_some_and(|here| here.contains_key(role)))
            .collect()
    }

    /// Tells whoever is in a room of something that is not kept.
    pub fn tell_room(&self, order: OrderId, event: RoomEvent) {
        self.inner.rooms.tell(order, event);
    }

    /// Writes down how far a side has received and read, and tells the room.
    pub async fn receive(&self, order: OrderId, receipt: Receipt) -> Result<(), EngineError> {
        self.inner.store.received(order, receipt).await?;
        self.tell_room(order, RoomEvent::Received(receipt));
        Ok(())
    }

    /// Both sides see and hear each other from now on.
    pub fn call_connected(&self, order: OrderId) {
        let now = self.now();
        if let Some(room) = self.inner.rooms.open().get_mut(&order) {
            room.call_since.get_or_insert(now);
        }
    }

    /// The call is over: where it had been connected, its length is written down. The order may have
    /// ended before it: doctors close the record and then hang up.
    pub async fn call_ended(
        &self,
        order: OrderId,
        user: UserId,
        role: Role,
    ) -> Result<(), EngineError> {
        let since = {
            let mut rooms = self.inner.rooms.open();
            rooms
                .get_mut(&order)
                .and_then(|room| room.call_since.take())
        };
        match since {
            Some(since) => self.write_call(order, user, role, since).await,
            None => Ok(()),
        }
    }

    async fn write_call(
        &self,
        order: OrderId,
        user: UserId,
        role: Role,
        since: Ts,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let line = Message {
            id: new_id(now),
            order,
            seq: 0,
            sender: Some(user),
            role,
            kind: MessageKind::Call,
            body: now.since(since).as_seconds().to_string(),
            file: None,
            at: now,
        };
        let kept = self.inner.store.insert_message(&line).await?;
        self.tell_room(order, RoomEvent::Said(kept));
        Ok(())
    }

    /// Only a service that has begun waits for its doctor.
    async fn doctor_in_room(&self, order: OrderId, command: Command) -> Result<(), EngineError> {
        let current = self.fresh(order).await?;
        if current.status == ConsultationStatus::InProgress {
            self.tell_order(order, &command).await?;
        }
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let (order, user, role) = (self.order, self.user, self.role);
        let mut call_since = None;
        {
            let mut rooms = self.engine.inner.rooms.open();
            let Some(room) = rooms.get_mut(&order) else {
                return;
            };
            let is_last = match room.here.get_mut(&role) {
                Some(count) if *count > 1 => {
                    *count -= 1;
                    false
                }
                _ => room.here.remove(&role).is_some(),
            };
            let is_side = matches!(role, Role::Patient | Role::Doctor);
            if is_last && is_side {
                // Nobody is left on this side to hang up.
                call_since = room.call_since.take();
            }
            if room.here.is_empty() {
                rooms.remove(&order);
            }
            if !is_last {
                return;
            }
        }
        self.engine
            .tell_room(order, RoomEvent::Here { role, here: false });
        let engine = self.engine.clone();
        // A server that stops tells nobody: everybody lost the connection, and comes back.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let mut noted = Ok(());
                if let Some(since) = call_since {
                    noted = engine.write_call(order, user, role, since).await;
                }
                if role == Role::Doctor {
                    let away = engine.doctor_in_room(order, Command::DoctorAway).await;
                    noted = noted.and(away);
                }
                if let Err(error) = noted {
                    tracing::warn!(%order, role = role.name(), %error, "somebody's leaving could not be noted");
                }
            });
        }
    }
}
