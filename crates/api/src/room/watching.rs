//! A room as one of its people sees it: lines in order, without gaps or repeats, and what else
//! happens.

use super::frames;
use crate::AppState;
use crate::error::ApiError;
use crate::extract::Caller;
use domain::consultation::Consultation;
use domain::lifecycle::Language;
use domain::order::Role;
use domain::{FileId, OrderId};
use engine::{Changed, NewMessage, RoomEvent, Seat};
use serde_json::{Value, json};
use store::{MessageKind, Receipt};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use uuid::Uuid;

/// How many lines are read at once.
const AT_ONCE: u32 = 200;

/// A room, watched.
pub struct Watching {
    state: AppState,
    order: OrderId,
    caller: Caller,
    language: Language,
    /// None where only one frame is sent: that is neither coming nor going.
    seat: Option<Seat>,
    changes: Receiver<Changed>,
    /// The last line that was handed out.
    last: i64,
    /// Lines may have come that were not handed out yet.
    is_behind: bool,
    /// The order may have moved since it was last handed out.
    has_moved: bool,
    /// Its version then.
    version: i64,
    /// Receipts that are not written yet.
    unwritten: Option<Receipt>,
}

impl Watching {
    /// Enters the room of an order that the caller may see, and says how it is there.
    pub async fn enter(
        state: &AppState,
        order: OrderId,
        caller: Caller,
        language: Language,
        after: i64,
    ) -> Result<(Self, Value), ApiError> {
        let current = state.visible(order, caller).await?;
        let changes = state.engine.changes();
        let seat = state.engine.enter(order, caller.user, caller.role).await?;
        let receipts = state.engine.store().receipts(order).await?;
        let here = state.engine.who_is_here(order);
        let here: Vec<&str> = here.iter().map(|role| role.name()).collect();
        let mut welcome = frames::order(&current, language);
        welcome["type"] = json!("welcome");
        welcome["role"] = json!(caller.role.name());
        welcome["here"] = json!(here);
        welcome["receipts"] = receipts.into_iter().map(frames::receipt).collect();
        welcome["iceServers"] = state.ice_servers.as_ref().clone();
        let watching = Self {
            state: state.clone(),
            order,
            caller,
            language,
            seat: Some(seat),
            changes,
            last: after.max(0),
            is_behind: true,
            has_moved: false,
            version: current.version,
            unwritten: None,
        };
        Ok((watching, welcome))
    }

    /// For one frame of somebody who listens elsewhere, or not at all.
    pub async fn for_one_frame(
        state: &AppState,
        order: OrderId,
        caller: Caller,
        language: Language,
    ) -> Result<Self, ApiError> {
        let current = state.visible(order, caller).await?;
        let store = state.engine.store();
        let newest = store.messages_before(order, i64::MAX, 1).await?;
        Ok(Self {
            state: state.clone(),
            order,
            caller,
            language,
            seat: None,
            changes: state.engine.changes(),
            last: newest.first().map_or(0, |line| line.seq),
            is_behind: false,
            has_moved: false,
            version: current.version,
            unwritten: None,
        })
    }

    /// The next frames. Dropped half-way, nothing is lost: what was not handed out comes next time.
    pub async fn next(&mut self) -> Result<Vec<Value>, ApiError> {
        loop {
            if self.is_behind {
                return self.catch_up().await;
            }
            if self.has_moved {
                let current = self.state.visible(self.order, self.caller).await?;
                self.has_moved = false;
                if current.version > self.version {
                    self.version = current.version;
                    // What the system says of it is among the lines.
                    self.is_behind = true;
                    self.is_here(&current).await;
                    return Ok(vec![frames::order(&current, self.language)]);
                }
            }
            let Some(seat) = &mut self.seat else {
                return Err(crate::Code::Internal.into());
            };
            tokio::select! {
                event = seat.events.recv() => match event {
                    Ok(event) => {
                        if let Some(frame) = self.told(&event) {
                            return Ok(vec![frame]);
                        }
                    }
                    Err(RecvError::Lagged(_)) => self.is_behind = true,
                    Err(RecvError::Closed) => return Err(crate::Code::Internal.into()),
                },
                changed = self.changes.recv() => match changed {
                    Ok(changed) => self.has_moved = changed.order == self.order,
                    Err(RecvError::Lagged(_)) => self.has_moved = true,
                    Err(RecvError::Closed) => return Err(crate::Code::Internal.into()),
                },
            }
        }
    }

    /// A patient who is in the room when the doctor accepts is there (spec 10, status 400).
    async fn is_here(&self, order: &Consultation) {
        let waits = engine::is_open(order) && !order.detail.patient_seen;
        if self.caller.role == Role::Patient
            && waits
            && let Err(error) = self.state.engine.patient_seen(order.id).await
        {
            tracing::warn!(order = %order.id, %error, "a patient's presence could not be noted");
        }
    }

    /// A line is handed out if it is the next one; if others came before it, they are read.
    fn told(&mut self, event: &RoomEvent) -> Option<Value> {
        let RoomEvent::Said(line) = event else {
            return frames::event(event, self.caller.role);
        };
        if line.seq == self.last + 1 {
            self.last = line.seq;
            return Some(frames::said(line, self.language));
        }
        self.is_behind |= line.seq > self.last;
        None
    }

    async fn catch_up(&mut self) -> Result<Vec<Value>, ApiError> {
        let store = self.state.engine.store();
        let lines = store.messages(self.order, Some(self.last), AT_ONCE).await?;
        self.is_behind = lines.len() == AT_ONCE as usize;
        self.last = lines.last().map_or(self.last, |line| line.seq);
        Ok(lines
            .iter()
            .map(|line| frames::said(line, self.language))
            .collect())
    }

    /// Writes a line, and answers with its place.
    pub async fn say(
        &self,
        id: Uuid,
        kind: MessageKind,
        text: String,
        file: Option<FileId>,
    ) -> Result<Value, ApiError> {
        let new = NewMessage {
            id: Some(id),
            kind,
            text,
            file,
        };
        let Caller { user, role } = self.caller;
        let kept = self
            .state
            .engine
            .post_message(self.order, user, role, new)
            .await?;
        Ok(json!({ "type": "ack", "id": id, "seq": kept.seq, "at": kept.at }))
    }

    /// Keeps in mind how far this side has received and read; [`Self::write_receipts`] writes it.
    pub fn received(&mut self, delivered: i64, read: i64) {
        if !frames::is_side(self.caller.role) {
            return;
        }
        // Nobody has read what was not handed out.
        let (delivered, read) = (delivered.min(self.last), read.min(self.last));
        let receipt = self.unwritten.get_or_insert(Receipt {
            role: self.caller.role,
            delivered: 0,
            read: 0,
        });
        receipt.delivered = receipt.delivered.max(delivered);
        receipt.read = receipt.read.max(read);
    }

    /// Writes what [`Self::received`] keeps in mind.
    pub async fn write_receipts(&mut self) -> Result<(), ApiError> {
        if let Some(receipt) = self.unwritten.take() {
            self.state.engine.receive(self.order, receipt).await?;
        }
        Ok(())
    }

    /// Tells the other side that this one writes, or stopped.
    pub fn typing(&self, on: bool) {
        if frames::is_side(self.caller.role) {
            let role = self.caller.role;
            let event = RoomEvent::Typing { role, on };
            self.state.engine.tell_room(self.order, event);
        }
    }

    /// Hands a word to the other side's browser. When a call ends, its length is written down.
    pub async fn signal(&self, kind: frames::Signal, data: Value) -> Result<(), ApiError> {
        let Caller { user, role } = self.caller;
        if !frames::is_side(role) {
            return Err(crate::Code::InsufficientPermissions.into());
        }
        let engine = &self.state.engine;
        match kind {
            frames::Signal::Connected => engine.call_connected(self.order),
            frames::Signal::Hangup => {
                engine.call_ended(self.order, user, role).await?;
            }
            frames::Signal::Offer | frames::Signal::Answer | frames::Signal::Candidate => {}
        }
        let data = json!({ "kind": kind.name(), "data": data });
        engine.tell_room(self.order, RoomEvent::Signal { from: role, data });
        Ok(())
    }
}
