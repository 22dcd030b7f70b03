//! Hours that come every week: each day's session is published as soon as it is seven days ahead.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Origin;
use crate::ids::new_id;
use crate::sessions::{NewSession, PUBLISH_AHEAD, check};
use domain::consultation::ConsultationType;
use domain::session::SessionStatus;
use domain::weekly::{Occurrence, Weekly};
use domain::{Money, SessionId, UserId, WeeklyId};
use jiff::civil::Date;
use store::Session;

/// The most weekly hours that a doctor may have.
const MOST: usize = 50;

/// Hours as a doctor gives them; see [`Weekly`].
#[derive(Debug, Clone)]
pub struct NewWeekly {
    /// The day of the week, 1 is Monday and 7 Sunday.
    pub weekday: u8,
    /// When they begin, in minutes after midnight.
    pub from: u16,
    /// When they end, in minutes after midnight.
    pub to: u16,
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

/// Weekly hours with what was published of them from today on.
#[derive(Debug, Clone)]
pub struct Coming {
    /// The hours.
    pub weekly: Weekly,
    /// The sessions, by day.
    pub sessions: Vec<Session>,
    /// Days within the seven that have none, because another session of the doctor is in the way.
    pub blocked: Vec<Date>,
}

impl Engine {
    /// A doctor's weekly hours, by day and hour.
    pub async fn weekly(&self, doctor: UserId) -> Result<Vec<Coming>, EngineError> {
        let mut all = Vec::new();
        for weekly in self.inner.store.weekly(Some(doctor)).await? {
            all.push(self.coming(weekly).await?);
        }
        Ok(all)
    }

    /// Begins weekly hours and publishes their next days. The same hours again are the same hours.
    pub async fn begin_weekly(
        &self,
        doctor: UserId,
        new: NewWeekly,
    ) -> Result<Coming, EngineError> {
        let now = self.now();
        if !(1..=7).contains(&new.weekday) {
            return invalid("weekday", "must be 1 (Monday) to 7 (Sunday)".to_owned());
        }
        if new.from >= new.to || new.to > 24 * 60 {
            return invalid(
                "to",
                "must be later than from on the same day, 24:00 at most".to_owned(),
            );
        }
        let weekly = Weekly {
            id: WeeklyId(new_id(now)),
            doctor,
            weekday: new.weekday,
            from: new.from,
            to: new.to,
            slot_minutes: new.slot_minutes,
            capacity: new.capacity,
            consultation_type: new.consultation_type,
            price: new.price,
            note: new.note,
            created_at: now,
            ended_at: None,
        };
        let zone = &self.inner.config.calendar.zone;
        if let Some(first) = weekly.coming(now, PUBLISH_AHEAD, zone).first() {
            check(&session_of(&weekly, first), now)?;
        }
        let others = self.inner.store.weekly(Some(doctor)).await?;
        if let Some(same) = others.iter().find(|other| is_same(other, &weekly)) {
            return self.coming(same.clone()).await;
        }
        if let Some(other) = others.iter().find(|other| other.overlaps(&weekly)) {
            let (from, to) = (clock(other.from), clock(other.to));
            return invalid(
                "from",
                format!("overlaps your weekly hours from {from} to {to}"),
            );
        }
        if others.len() >= MOST {
            return invalid(
                "weekday",
                format!("you have {MOST} weekly hours: end some first"),
            );
        }
        self.inner.store.insert_weekly(&weekly).await?;
        self.publish_days(&weekly).await?;
        self.coming(weekly).await
    }

    /// Ends weekly hours: no further day is published, what nobody has booked is cancelled, and what
    /// somebody has booked stays, to be held or cancelled by itself.
    pub async fn end_weekly(
        &self,
        doctor: UserId,
        id: WeeklyId,
    ) -> Result<Vec<Session>, EngineError> {
        let now = self.now();
        if !self.inner.store.end_weekly(id, doctor, now).await? {
            return Err(EngineError::NoSuch {
                thing: "weekly hours",
            });
        }
        let mut left = Vec::new();
        for session in self.published(id).await? {
            let Some((session, slots)) = self.inner.store.session(session).await? else {
                continue;
            };
            let is_booked = slots.iter().any(|slot| slot.taken > 0);
            if session.status != SessionStatus::Scheduled {
                continue;
            }
            if is_booked {
                left.push(session);
                continue;
            }
            let cancelled = self
                .step_session(
                    session,
                    &slots,
                    SessionStatus::Cancelled,
                    None,
                    &Origin::default(),
                )
                .await;
            match cancelled {
                // Opened this moment, or moved by another node: it stays.
                Ok(_) | Err(EngineError::Contended | EngineError::SessionStatus { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(left)
    }

    /// Publishes every day that has come within the seven; says how many.
    pub(crate) async fn publish_weekly(&self) -> Result<usize, EngineError> {
        let mut published = 0;
        for weekly in self.inner.store.weekly(None).await? {
            published += self.publish_days(&weekly).await?;
        }
        Ok(published)
    }

    async fn publish_days(&self, weekly: &Weekly) -> Result<usize, EngineError> {
        let mut published = 0;
        for day in self.missing(weekly).await? {
            let of = Some((weekly.id, day.day));
            let session = session_of(weekly, &day);
            match self
                .publish_of(weekly.doctor, session, of, Origin::default())
                .await
            {
                Ok(_) => published += 1,
                // Another session of the doctor is in the way: once it is gone, this one comes.
                Err(EngineError::Invalid { .. }) => {}
                Err(error) => {
                    tracing::warn!(weekly = %weekly.id, day = %day.day, %error, "a day of weekly hours was not published; it is tried again");
                }
            }
        }
        Ok(published)
    }

    /// The days within the seven that were not published.
    async fn missing(&self, weekly: &Weekly) -> Result<Vec<Occurrence>, EngineError> {
        let now = self.now();
        let calendar = &self.inner.config.calendar;
        let mut coming = weekly.coming(now, PUBLISH_AHEAD, &calendar.zone);
        if let Some(first) = coming.first() {
            let days = self
                .inner
                .store
                .published_days(weekly.id, first.day)
                .await?;
            coming.retain(|one| !days.iter().any(|(day, _)| *day == one.day.to_string()));
        }
        Ok(coming)
    }

    async fn published(&self, id: WeeklyId) -> Result<Vec<SessionId>, EngineError> {
        let today = self.inner.config.calendar.day(self.now());
        let days = self.inner.store.published_days(id, today).await?;
        Ok(days.into_iter().map(|(_, session)| session).collect())
    }

    async fn coming(&self, weekly: Weekly) -> Result<Coming, EngineError> {
        let mut sessions = Vec::new();
        for id in self.published(weekly.id).await? {
            let found = self.inner.store.session(id).await?;
            sessions.extend(found.map(|(session, _)| session));
        }
        let missing = self.missing(&weekly).await?;
        Ok(Coming {
            weekly,
            sessions,
            blocked: missing.into_iter().map(|one| one.day).collect(),
        })
    }
}

fn session_of(weekly: &Weekly, day: &Occurrence) -> NewSession {
    NewSession {
        begins_at: day.begins_at,
        ends_at: day.ends_at,
        slot_minutes: weekly.slot_minutes,
        capacity: weekly.capacity,
        consultation_type: weekly.consultation_type,
        price: weekly.price,
        note: weekly.note.clone(),
    }
}

fn is_same(one: &Weekly, other: &Weekly) -> bool {
    let with_its_id = Weekly {
        id: one.id,
        created_at: one.created_at,
        ..other.clone()
    };
    *one == with_its_id
}

/// Minutes after midnight as people write them.
fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn invalid<T>(field: &'static str, why: String) -> Result<T, EngineError> {
    Err(EngineError::Invalid { field, why })
}
