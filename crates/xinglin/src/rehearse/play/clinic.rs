//! Statuses 300 to 305: sessions, numbers, and the queue of a doctor.

use super::steps::summary;
use super::{Play, Stage, text};
use crate::rehearse::script::Script;
use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A session that a wave plays in.
pub(super) struct Opening {
    pub id: String,
    pub slots: Vec<String>,
    pub doctor: String,
}

impl Opening {
    /// As the API shows it.
    pub fn of(session: &Value, doctor: &str) -> Result<Self> {
        let slots = session["slots"].as_array().context("a session's slots")?;
        Ok(Self {
            id: text(&session["id"])?,
            slots: slots
                .iter()
                .map(|slot| text(&slot["id"]))
                .collect::<Result<_>>()?,
            doctor: doctor.to_owned(),
        })
    }
}

impl Stage<'_> {
    pub(super) async fn clinic(
        &self,
        script: Script,
        patients: &[String],
        plays: &mut Vec<Play>,
    ) -> Result<()> {
        use Script as S;
        // In how many minutes the session begins, and how many hours it lasts.
        let (in_minutes, hours) = match script {
            S::ClinicCancelledBooked => (60, 1),
            S::ClinicLate | S::ClinicCheckedIn => (10, 1),
            S::ClinicNoShow => (0, 1),
            _ => (0, 4),
        };
        if script == S::ClinicWeekly {
            return self.weekly(patients, plays).await;
        }
        let opens_later = in_minutes > 0 || script == S::ClinicNoShow;
        let session = self.publish(in_minutes, hours).await?;
        if !opens_later {
            self.session(&session, "open", json!({})).await?;
        }
        let bookings = patients.iter().map(|p| self.book_clinic(p, &session));
        *plays = try_join_all(bookings).await?;
        let plays = plays.as_slice();
        if matches!(script, S::ClinicCancelledNumbering | S::ClinicNoNumber) {
            let without = self.without_numbers(script, plays);
            self.with_pause("numbersPaused", without).await?;
        } else {
            self.all(plays, |p| self.pay(p, "once")).await?;
            if opens_later {
                self.reach(plays, &[301]).await?;
                self.booked_ahead(script, plays, &session).await?;
            } else {
                self.reach(plays, &[302]).await?;
                self.queued(script, plays, &session).await?;
            }
        }
        // The next wave finds the doctor free.
        self.reach(plays, &[900, 901, 902]).await?;
        match script {
            S::ClinicSessionCancelled
            | S::ClinicCancelledWhileCalling
            | S::ClinicClosedWaiting
            | S::ClinicNoShow => Ok(()),
            S::ClinicCancelledBooked => self.session(&session, "cancel", json!({})).await,
            _ => self.session(&session, "close", json!({})).await,
        }
    }

    /// Scripts whose orders never get a number.
    async fn without_numbers(&self, script: Script, plays: &[Play]) -> Result<()> {
        self.all(plays, |p| self.pay(p, "once")).await?;
        self.reach(plays, &[300]).await?;
        if script == Script::ClinicCancelledNumbering {
            self.all(plays, |p| self.cancel(p)).await?;
        } else {
            self.pass_minutes(1).await?;
        }
        self.reach(plays, &[901]).await
    }

    /// Scripts that part from 301 on.
    async fn booked_ahead(&self, script: Script, plays: &[Play], session: &Opening) -> Result<()> {
        use Script as S;
        match script {
            S::ClinicCancelledBooked => self.all(plays, |p| self.cancel(p)).await,
            S::ClinicLate => {
                self.pass_minutes(10).await?;
                self.session(session, "open", json!({})).await?;
                self.pass_minutes(16).await
            }
            S::ClinicNoShow => self.pass_minutes(61).await,
            S::ClinicCheckedIn => {
                self.all(plays, |p| self.patient(p, "check-in", json!({})))
                    .await?;
                self.pass_minutes(10).await?;
                self.session(session, "open", json!({})).await?;
                self.reach(plays, &[302]).await?;
                self.hold_in_turn(plays, session).await
            }
            other => bail!("{other:?} is no script of a session that opens later"),
        }
    }

    /// Scripts that part from 302 on.
    async fn queued(&self, script: Script, plays: &[Play], session: &Opening) -> Result<()> {
        use Script as S;
        match script {
            S::ClinicServed => self.hold_in_turn(plays, session).await,
            S::ClinicPaused => self.paused(plays, session).await,
            S::ClinicCalledByChoice => {
                for play in plays.iter().rev() {
                    self.call(play, session).await?;
                    self.hold(play, session).await?;
                }
                Ok(())
            }
            S::ClinicCancelledQueued => self.all(plays, |p| self.cancel(p)).await,
            S::ClinicSessionCancelled => {
                self.session(session, "cancel", json!({ "reason": "急诊手术" }))
                    .await
            }
            S::ClinicClosedWaiting => self.closed(plays, session).await,
            S::ClinicMissedOnce => {
                self.miss(plays, session).await?;
                self.reach(plays, &[302]).await?;
                self.all(plays, |p| self.call(p, session)).await?;
                self.all(plays, |p| self.hold(p, session)).await
            }
            S::ClinicMissedThrice => {
                for _ in 0..3 {
                    self.miss(plays, session).await?;
                    self.reach(plays, &[302, 901]).await?;
                }
                Ok(())
            }
            _ => {
                self.all(plays, |p| self.call(p, session)).await?;
                self.called(script, plays, session).await
            }
        }
    }

    /// Scripts that part from 303 on.
    async fn called(&self, script: Script, plays: &[Play], session: &Opening) -> Result<()> {
        use Script as S;
        match script {
            S::ClinicCancelledCalled => self.all(plays, |p| self.cancel(p)).await,
            S::ClinicCancelledWhileCalling => {
                self.session(session, "cancel", json!({ "reason": "急诊手术" }))
                    .await
            }
            S::ClinicCancelledReady => {
                self.all(plays, |p| self.patient(p, "answer", json!({})))
                    .await?;
                self.all(plays, |p| self.cancel(p)).await
            }
            S::ClinicNotStarted => {
                self.all(plays, |p| self.patient(p, "answer", json!({})))
                    .await?;
                self.pass_minutes(2).await
            }
            other => bail!("{other:?} is no script of a clinic"),
        }
    }

    /// The doctor calls the next one, and the next one, until nobody waits.
    pub(super) async fn hold_in_turn(&self, plays: &[Play], session: &Opening) -> Result<()> {
        for _ in plays {
            let path = format!("/sessions/{}/call-next", session.id);
            let called = self.client.post(&session.doctor, &path, json!({})).await?;
            let called = plays.iter().find(|p| called["id"] == p.order.as_str());
            self.hold(called.context("somebody else was called")?, session)
                .await?;
        }
        Ok(())
    }

    /// During a pause nobody is called, and nobody is sent away.
    async fn paused(&self, plays: &[Play], session: &Opening) -> Result<()> {
        self.session(session, "pause", json!({})).await?;
        self.may_not(session, "call-next").await?;
        self.pass_minutes(20).await?;
        self.reach(plays, &[302]).await?;
        self.session(session, "resume", json!({})).await?;
        self.hold_in_turn(plays, session).await
    }

    /// Closing is asked twice, and only the second answer sends people away.
    async fn closed(&self, plays: &[Play], session: &Opening) -> Result<()> {
        self.may_not(session, "close").await?;
        self.reach(plays, &[302]).await?;
        self.session(session, "close", json!({ "confirm": true }))
            .await
    }

    /// What the session may not do now.
    pub(super) async fn may_not(&self, session: &Opening, action: &str) -> Result<()> {
        let path = format!("/sessions/{}/{action}", session.id);
        let asked = self
            .client
            .call(&session.doctor, Method::POST, &path, &json!({}))
            .await?;
        if asked.status == StatusCode::CONFLICT {
            return Ok(());
        }
        bail!(
            "POST {path} was expected to be refused with 409 and was answered with {}",
            asked.status
        )
    }

    async fn miss(&self, plays: &[Play], session: &Opening) -> Result<()> {
        self.all(plays, |p| self.call(p, session)).await?;
        self.pass_minutes(2).await
    }

    /// Called by choice, with a reason.
    pub(super) async fn call(&self, play: &Play, session: &Opening) -> Result<()> {
        let body = json!({ "reason": "rehearsal" });
        let path = format!("/orders/{}/call", play.order);
        self.client.post(&session.doctor, &path, body).await?;
        self.until(play, &[303]).await.map(drop)
    }

    /// From 303 to 900.
    async fn hold(&self, play: &Play, session: &Opening) -> Result<()> {
        self.patient(play, "answer", json!({})).await?;
        let path = |action: &str| format!("/orders/{}/{action}", play.order);
        let doctor = &session.doctor;
        self.client.post(doctor, &path("start"), json!({})).await?;
        let done = self.client.post(doctor, &path("finish"), summary()).await;
        done.map(drop)
    }

    /// A session of the first doctor who is free for it.
    async fn publish(&self, in_minutes: i64, hours: i64) -> Result<Opening> {
        let now = domain::Ts::parse(&self.clock().await?)?;
        let begins = now + domain::Span::minutes(in_minutes);
        let body = json!({
            "beginsAt": begins, "endsAt": begins + domain::Span::hours(hours), "slotMinutes": hours * 60,
            "capacity": 100, "consultationType": "text", "price": { "amount": 5000, "currency": "CNY" },
        });
        self.publish_body(&body).await
    }

    /// Publishes a session for the first doctor who is free for it.
    pub(super) async fn publish_body(&self, body: &Value) -> Result<Opening> {
        for (doctor, ..) in &self.cast.doctors {
            let answer = self
                .client
                .call(doctor, Method::POST, "/sessions", body)
                .await?;
            if answer.status.is_success() {
                return Opening::of(&answer.data()?, doctor);
            }
        }
        bail!("no doctor is free for a session at {}", body["beginsAt"])
    }

    pub(super) async fn session(&self, session: &Opening, action: &str, body: Value) -> Result<()> {
        let path = format!("/sessions/{}/{action}", session.id);
        let moved = self.client.post(&session.doctor, &path, body).await;
        moved.map(drop)
    }

    async fn book_clinic(&self, patient: &str, session: &Opening) -> Result<Play> {
        let body = json!({
            "kind": "consultation", "mode": "clinic", "consultationType": "text",
            "slotId": session.slots.first(), "complaint": "复诊",
        });
        self.booked(patient, body).await
    }
}
