//! Sessions of doctors: published, opened, paused, ended; and their queue.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::{Answered, Executed, Origin};
use crate::ids::new_id;
use domain::consultation::queue::{self, WaitingTime};
use domain::consultation::{Command, Consultation, ConsultationStatus as S, ConsultationType};
use domain::lifecycle::Status;
use domain::order::{Actor, Effect};
use domain::session::SessionStatus;
use domain::{Money, OrderId, SessionId, SlotId, Span, Ts, UserId, WeeklyId};
use jiff::civil::Date;
use store::{Changes, Page, Session, SessionChange, SessionFilter, Slot};

/// How far ahead a session may be published (spec 10, clinic mode).
pub(crate) const PUBLISH_AHEAD: Span = Span::hours(7 * 24);

/// How long after its end an open session is closed by itself, and who still waits is refunded.
const OVERRUN: Span = Span::hours(4);

/// The longest session.
const LONGEST: Span = Span::hours(24);

/// From how many of the doctor's last consultations the wait is estimated.
const DURATIONS: u32 = 50;

/// How many sessions are ended in one go.
const SWEEP: u32 = 100;

/// A session as a doctor publishes it.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// When it begins.
    pub begins_at: Ts,
    /// When it ends; at most 24 hours later.
    pub ends_at: Ts,
    /// How long a slot is, 5 to 480 minutes.
    pub slot_minutes: u32,
    /// Patients per slot, 1 to 100.
    pub capacity: u32,
    /// How patient and doctor talk.
    pub consultation_type: ConsultationType,
    /// What a consultation costs.
    pub price: Money,
    /// For patients to read.
    pub note: Option<String>,
}

/// What a doctor does with a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionAction {
    /// Begin to see patients.
    Open,
    /// Call nobody for a while.
    Pause,
    /// Go on.
    Resume,
    /// End. With people waiting it must be confirmed: they are refunded in full.
    Close {
        /// Whether it was.
        confirmed: bool,
    },
    /// Cancel; everybody in it is refunded in full.
    Cancel {
        /// For the patients to read.
        reason: Option<String>,
    },
}

/// A patient's place in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// Whose order.
    pub order: OrderId,
    /// Whose.
    pub patient: UserId,
    /// The number taken.
    pub number: u32,
    /// 1 is next.
    pub position: u32,
    /// How long it may still take.
    pub wait: WaitingTime,
}

impl Engine {
    /// Publishes a session with its slots.
    pub async fn publish_session(
        &self,
        doctor: UserId,
        request: NewSession,
        origin: Origin,
    ) -> Result<(Session, Vec<Slot>), EngineError> {
        self.publish_of(doctor, request, None, origin).await
    }

    /// The same; one that comes every week says of which hours and day it is.
    pub(crate) async fn publish_of(
        &self,
        doctor: UserId,
        request: NewSession,
        of: Option<(WeeklyId, Date)>,
        origin: Origin,
    ) -> Result<(Session, Vec<Slot>), EngineError> {
        let now = self.now();
        check(&request, now)?;
        // Of two at once, the second sees the first.
        let turn = self.turn(doctor.uuid());
        let _turn = turn.lock().await;
        let Some(row) = self.inner.store.doctor(doctor).await? else {
            return Err(EngineError::NoSuch { thing: "doctor" });
        };
        self.check_free(doctor, &request).await?;
        let session = Session {
            id: SessionId(new_id(now)),
            version: 1,
            doctor,
            department: row.department,
            status: SessionStatus::Scheduled,
            begins_at: request.begins_at,
            ends_at: request.ends_at,
            opened_at: None,
            ended_at: None,
            last_number: 0,
            price: request.price,
            consultation_type: request.consultation_type,
            note: request.note.clone(),
            created_at: now,
        };
        let slots = slots(&session, &request, now);
        let kept = origin.kept(Answered::Session(&session, &slots), now);
        self.inner
            .store
            .insert_session(&session, &slots, of, kept.as_ref())
            .await?;
        Ok((session, slots))
    }

    /// Moves a session along its table; its orders are told after the commit.
    pub async fn move_session(
        &self,
        id: SessionId,
        doctor: UserId,
        action: SessionAction,
        origin: Origin,
    ) -> Result<(Session, Vec<Slot>), EngineError> {
        let Some((session, slots)) = self.inner.store.session(id).await? else {
            return Err(EngineError::NoSuch { thing: "session" });
        };
        if session.doctor != doctor {
            return Err(EngineError::NoSuch { thing: "session" });
        }
        if let SessionAction::Close { confirmed: false } = action {
            let waiting = self
                .inner
                .store
                .orders_of_session(id, &[S::PendingActivation, S::InQueue, S::Calling])
                .await?;
            if !waiting.is_empty() {
                return Err(EngineError::PeopleWait {
                    waiting: waiting.len(),
                });
            }
        }
        let (to, note) = match action {
            SessionAction::Open => (SessionStatus::Open, None),
            SessionAction::Pause => (SessionStatus::Paused, None),
            SessionAction::Resume if session.status == SessionStatus::Scheduled => {
                return Err(EngineError::SessionStatus {
                    status: session.status.constant(),
                });
            }
            SessionAction::Resume => (SessionStatus::Open, None),
            SessionAction::Close { .. } => (SessionStatus::Closed, None),
            SessionAction::Cancel { reason } => (SessionStatus::Cancelled, reason),
        };
        if session.status == to {
            return Ok((session, slots));
        }
        let after = self
            .step_session(session, &slots, to, note, &origin)
            .await?;
        Ok((after, slots))
    }

    pub(crate) async fn step_session(
        &self,
        session: Session,
        slots: &[Slot],
        to: SessionStatus,
        note: Option<String>,
        origin: &Origin,
    ) -> Result<Session, EngineError> {
        if !session.status.may_become(to, None) {
            return Err(EngineError::SessionStatus {
                status: session.status.constant(),
            });
        }
        let now = self.now();
        let decided_on = session.version;
        let mut after = Session {
            status: to,
            version: decided_on + 1,
            ..session
        };
        if to == SessionStatus::Open {
            after.opened_at.get_or_insert(now);
        }
        if to.is_terminal() {
            after.ended_at = Some(now);
        }
        after.note = note.or(after.note);
        let changes = Changes {
            session: Some(SessionChange {
                decided_on,
                after: after.clone(),
            }),
            outbox: vec![self.loose_effect(Effect::SessionMoved { session: after.id }, origin)],
            idempotency: origin.kept(Answered::Session(&after, slots), now),
            ..Changes::default()
        };
        self.inner.store.commit(changes).await?;
        self.wake();
        Ok(after)
    }

    /// Ends what nobody ended: sessions that never opened, and those long over.
    pub(crate) async fn sweep_sessions(&self) -> Result<usize, EngineError> {
        let now = self.now();
        let page = Page {
            page: 1,
            limit: SWEEP,
        };
        let never = SessionFilter {
            status: Some(SessionStatus::Scheduled),
            ..SessionFilter::default()
        };
        let (scheduled, _) = self.inner.store.list_sessions(&never, page).await?;
        let mut ended = 0;
        for (session, slots) in scheduled.into_iter().filter(|(s, _)| s.ends_at <= now) {
            ended += self
                .end_session(session, &slots, SessionStatus::Expired)
                .await?;
        }
        for id in self
            .inner
            .store
            .sessions_to_end(now - OVERRUN, SWEEP)
            .await?
        {
            if let Some((session, slots)) = self.inner.store.session(id).await? {
                ended += self
                    .end_session(session, &slots, SessionStatus::Closed)
                    .await?;
            }
        }
        Ok(ended)
    }

    async fn end_session(
        &self,
        session: Session,
        slots: &[Slot],
        to: SessionStatus,
    ) -> Result<usize, EngineError> {
        match self
            .step_session(session, slots, to, None, &Origin::default())
            .await
        {
            Ok(_) => Ok(1),
            // Another node was faster.
            Err(EngineError::Contended | EngineError::SessionStatus { .. }) => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Whether the doctor may call this one: nobody is called in a pause, and whoever passes over
    /// those who wait longer says why (spec 10, clinic mode). Everything else the order's own rules
    /// refuse.
    pub(crate) async fn may_call(
        &self,
        order: OrderId,
        reason: Option<&str>,
        actor: Actor,
    ) -> Result<(), EngineError> {
        let current = self.fresh(order).await?;
        let waits = current.status == S::InQueue;
        let is_theirs = actor.user.is_some() && actor.user == current.detail.doctor;
        let Some(session) = current.detail.session.filter(|_| waits && is_theirs) else {
            return Ok(());
        };
        if let Some((row, _)) = self.inner.store.session(session).await?
            && row.status != SessionStatus::Open
        {
            return Err(EngineError::NobodyIsCalled {
                status: row.status.constant(),
            });
        }
        let is_said = reason.is_some_and(|reason| !reason.trim().is_empty());
        let queue = self.inner.store.queue(session).await?;
        let is_next = queue.first().is_none_or(|next| next.order == order);
        if !is_said && !is_next {
            let why = "is needed to call somebody else than the next".to_owned();
            return Err(EngineError::Invalid {
                field: "reason",
                why,
            });
        }
        Ok(())
    }

    /// Calls the next one of the queue; `None` if nobody waits.
    pub async fn call_next(
        &self,
        session: SessionId,
        actor: Actor,
        origin: Origin,
    ) -> Result<Option<Executed>, EngineError> {
        let Some((row, _)) = self.inner.store.session(session).await? else {
            return Err(EngineError::NoSuch { thing: "session" });
        };
        if Some(row.doctor) != actor.user {
            return Err(EngineError::NoSuch { thing: "session" });
        }
        if row.status != SessionStatus::Open {
            return Err(EngineError::NobodyIsCalled {
                status: row.status.constant(),
            });
        }
        for entry in self.inner.store.queue(session).await? {
            let call = Command::Call { reason: None };
            let called = self.execute_finishing(entry.order, &call, actor, &origin, None);
            match called.await {
                Ok(executed) if executed.applied => return Ok(Some(executed)),
                // Gone from the queue this moment: the one behind.
                Ok(_) | Err(EngineError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The queue of a session, next first.
    pub async fn queue_view(&self, session: SessionId) -> Result<Vec<QueuePlace>, EngineError> {
        let Some((row, _)) = self.inner.store.session(session).await? else {
            return Err(EngineError::NoSuch { thing: "session" });
        };
        let durations = self
            .inner
            .store
            .last_durations(row.doctor, DURATIONS)
            .await?;
        let served_for = self.served_for(session).await?;
        let queue = self.inner.store.queue(session).await?;
        Ok(queue
            .iter()
            .zip(1_u32..)
            .map(|(entry, position)| QueuePlace {
                order: entry.order,
                patient: entry.patient,
                number: entry.number,
                position,
                wait: queue::waiting_time(position - 1, &served_for, &durations),
            })
            .collect())
    }

    /// For how long each of those who are with the doctor has been there; whoever is being called has
    /// all of their time before them.
    async fn served_for(&self, session: SessionId) -> Result<Vec<Span>, EngineError> {
        let now = self.now();
        let with_the_doctor = [S::Calling, S::PendingConsultation, S::InProgress];
        let ids = self
            .inner
            .store
            .orders_of_session(session, &with_the_doctor)
            .await?;
        let mut served = Vec::with_capacity(ids.len());
        for id in ids {
            let started = self.fresh(id).await?.detail.started_at;
            served.push(started.map_or(Span::ZERO, |started| now.since(started)));
        }
        Ok(served)
    }

    /// The order's place in its queue, if it is in one.
    pub async fn queue_place(
        &self,
        order: &Consultation,
    ) -> Result<Option<QueuePlace>, EngineError> {
        let Some(session) = order.detail.session.filter(|_| order.status == S::InQueue) else {
            return Ok(None);
        };
        Ok(self
            .queue_view(session)
            .await?
            .into_iter()
            .find(|place| place.order == order.id))
    }

    async fn check_free(&self, doctor: UserId, request: &NewSession) -> Result<(), EngineError> {
        let filter = SessionFilter {
            doctor: Some(doctor),
            from: Some(request.begins_at - LONGEST),
            to: Some(request.ends_at),
            ..SessionFilter::default()
        };
        let (others, _) = self
            .inner
            .store
            .list_sessions(
                &filter,
                Page {
                    page: 1,
                    limit: 100,
                },
            )
            .await?;
        let overlaps = |session: &Session| {
            !session.status.is_terminal()
                && session.begins_at < request.ends_at
                && request.begins_at < session.ends_at
        };
        match others.iter().find(|(session, _)| overlaps(session)) {
            None => Ok(()),
            Some((session, _)) => Err(EngineError::Invalid {
                field: "beginsAt",
                why: format!(
                    "overlaps your session from {} to {}",
                    session.begins_at, session.ends_at
                ),
            }),
        }
    }
}

pub(crate) fn check(request: &NewSession, now: Ts) -> Result<(), EngineError> {
    let invalid = |field, why: &str| {
        Err(EngineError::Invalid {
            field,
            why: why.to_owned(),
        })
    };
    if request.ends_at <= request.begins_at || request.ends_at <= now {
        return invalid("endsAt", "must be after beginsAt and in the future");
    }
    if request.ends_at.since(request.begins_at) > LONGEST {
        return invalid("endsAt", "must be at most 24 hours after beginsAt");
    }
    if request.begins_at > now + PUBLISH_AHEAD {
        return invalid("beginsAt", "must be at most 7 days ahead");
    }
    if !(5..=480).contains(&request.slot_minutes) {
        return invalid("slotMinutes", "must be 5 to 480");
    }
    let length = request.ends_at.since(request.begins_at).as_seconds();
    if length % (i64::from(request.slot_minutes) * 60) != 0 {
        return invalid(
            "slotMinutes",
            "must divide the time from beginsAt to endsAt",
        );
    }
    if !(1..=100).contains(&request.capacity) {
        return invalid("capacity", "must be 1 to 100 patients a slot");
    }
    if request.price.amount < 1 {
        return invalid("price.amount", "must be at least 1 minor unit");
    }
    Ok(())
}

fn slots(session: &Session, request: &NewSession, now: Ts) -> Vec<Slot> {
    let length = Span::minutes(i64::from(request.slot_minutes));
    let mut slots = Vec::new();
    let mut begins_at = session.begins_at;
    for index in 0_u16.. {
        if begins_at >= session.ends_at {
            break;
        }
        slots.push(Slot {
            id: SlotId(new_id(now)),
            session: session.id,
            index,
            begins_at,
            ends_at: begins_at + length,
            capacity: request.capacity,
            taken: 0,
        });
        begins_at = begins_at + length;
    }
    slots
}
