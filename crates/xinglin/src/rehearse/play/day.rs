//! A clinic's day: thirty booked patients and ten who walk in, a doctor who is late, missed calls,
//! cancels and a pause; in the afternoon a session that ends half-way. Meanwhile every waiting
//! patient's expected wait is compared with how long they really waited.

use super::clinic::Opening;
use super::{Play, Stage, text};
use crate::rehearse::report::Waits;
use crate::rehearse::script::Script;
use anyhow::{Context, Result, bail, ensure};
use domain::{Span, Ts};
use futures::future::try_join_all;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Patients who booked before the day, and who came without.
const BOOKED: usize = 30;
const WALKED_IN: usize = 10;
/// Patients of the afternoon, and how many of them are seen before it ends.
const AFTERNOON: usize = 9;
const SEEN: usize = 3;
/// After so many calls somebody who waits cancels, and the doctor pauses.
const CANCELS_AT: usize = 8;
const PAUSES_AT: usize = 12;

/// What becomes of a patient of the morning.
const fn fate(number: usize) -> Script {
    match number {
        3 | 13 | 23 => Script::ClinicCancelledBooked,
        6 => Script::ClinicLate,
        8 | 27 | 31 => Script::ClinicMissedOnce,
        11 => Script::ClinicMissedThrice,
        25 => Script::ClinicCancelledQueued,
        21 => Script::ClinicCancelledCalled,
        24 => Script::ClinicCancelledReady,
        35 => Script::ClinicCalledByChoice,
        _ => Script::ClinicServed,
    }
}

/// The day as it was played.
pub struct Day {
    /// Its orders.
    pub plays: Vec<(Script, Play)>,
    /// How well the expected waits were met.
    pub waits: Waits,
}

/// A morning under way.
struct Morning {
    session: Opening,
    plays: Vec<(Script, Play)>,
    /// What patients were told, by order, until they are called: when, and the two waits in seconds.
    told: BTreeMap<String, Vec<(Ts, i64, i64)>>,
    waits: Waits,
    chance: SmallRng,
}

impl Stage<'_> {
    /// Plays it.
    pub async fn day(&self, seed: u64) -> Result<Day> {
        let mut morning = self.booked_morning(seed).await?;
        let mut calls = 0;
        loop {
            let waiting = self.waiting(&mut morning).await?;
            if waiting.is_empty() {
                break;
            }
            calls += 1;
            self.between_calls(&morning, calls).await?;
            let called = self.call_one(&mut morning, &waiting).await?;
            self.called_in(&mut morning, called).await?;
        }
        self.session(&morning.session, "close", json!({})).await?;
        let Morning {
            mut plays, waits, ..
        } = morning;
        plays.extend(self.afternoon().await?);
        for (script, play) in &plays {
            self.settled(play, script.end(play.price)).await?;
        }
        Ok(Day { plays, waits })
    }

    /// Up to the moment when everybody waits who comes in time.
    async fn booked_morning(&self, seed: u64) -> Result<Morning> {
        let session = self.publish_slots(60, 4, 14).await?;
        let of = |number: usize| (format!("patient{}", number + 1), number % 3);
        let booked = self.book_and_pay(&session, (0..BOOKED).map(of)).await?;
        self.reach(&booked, &[301]).await?;
        let mut plays: Vec<(Script, Play)> = Vec::new();
        for (number, play) in booked.into_iter().enumerate() {
            match fate(number) {
                Script::ClinicCancelledBooked => self.cancel(&play).await?,
                Script::ClinicLate => {}
                _ => self.patient(&play, "check-in", json!({})).await?,
            }
            plays.push((fate(number), play));
        }
        // Twenty minutes late: nobody else is late for that.
        self.pass_minutes(80).await?;
        self.session(&session, "open", json!({})).await?;
        let came = (BOOKED..BOOKED + WALKED_IN).map(of);
        let walked_in = self.book_and_pay(&session, came).await?;
        self.reach(&walked_in, &[302]).await?;
        plays.extend((BOOKED..).map(fate).zip(walked_in));
        Ok(Morning {
            session,
            plays,
            told: BTreeMap::new(),
            waits: Waits::default(),
            chance: SmallRng::seed_from_u64(seed),
        })
    }

    async fn book_and_pay(
        &self,
        session: &Opening,
        patients: impl Iterator<Item = (String, usize)>,
    ) -> Result<Vec<Play>> {
        let mut plays = Vec::new();
        // One after the other: numbers are given in the order of payment.
        for (patient, slot) in patients {
            let play = self.book_slot(&patient, session, slot).await?;
            self.pay(&play, "once").await?;
            self.until(&play, &[301, 302]).await?;
            plays.push(play);
        }
        Ok(plays)
    }

    /// Who waits, next first; what each is told of their wait is noted.
    async fn waiting(&self, morning: &mut Morning) -> Result<Vec<String>> {
        let path = format!("/sessions/{}/queue", morning.session.id);
        let now = Ts::parse(&self.clock().await?)?;
        let queue = self.client.get(&morning.session.doctor, &path).await?;
        let waiting = queue["waiting"].as_array().context("a queue")?;
        let mut orders = Vec::new();
        for place in waiting {
            let order = text(&place["orderId"])?;
            let seconds = |field: &str| place[field].as_i64().context("a wait");
            let (p50, p90) = (seconds("waitP50Seconds")?, seconds("waitP90Seconds")?);
            ensure!(p50 <= p90, "order {order} waits for {p50} to {p90} s");
            let told = morning.told.entry(order.clone()).or_default();
            told.push((now, p50, p90));
            orders.push(order);
        }
        Ok(orders)
    }

    /// What happens beside the calls: somebody has enough of waiting, the doctor needs a break.
    async fn between_calls(&self, morning: &Morning, calls: usize) -> Result<()> {
        if calls == CANCELS_AT {
            let leaves = |(script, _): &&(Script, Play)| *script == Script::ClinicCancelledQueued;
            let (_, play) = morning.plays.iter().find(leaves).context("who leaves")?;
            self.cancel(play).await?;
        }
        if calls == PAUSES_AT {
            self.session(&morning.session, "pause", json!({})).await?;
            self.may_not(&morning.session, "call-next").await?;
            self.pass_minutes(15).await?;
            self.session(&morning.session, "resume", json!({})).await?;
        }
        Ok(())
    }

    /// The next one, or whom the doctor chooses; how long they had been told to wait is compared.
    async fn call_one(&self, morning: &mut Morning, waiting: &[String]) -> Result<usize> {
        let chosen = |(script, play): &&(Script, Play)| {
            *script == Script::ClinicCalledByChoice
                && waiting.iter().skip(3).any(|o| *o == play.order)
        };
        let choice = morning
            .plays
            .iter()
            .find(chosen)
            .map(|(_, play)| play.clone());
        let doctor = &morning.session.doctor;
        let order = if let Some(play) = choice {
            self.call(&play, &morning.session).await?;
            play.order
        } else {
            let path = format!("/sessions/{}/call-next", morning.session.id);
            text(&self.client.post(doctor, &path, json!({})).await?["id"])?
        };
        let now = Ts::parse(&self.clock().await?)?;
        for (told_at, p50, p90) in morning.told.remove(&order).unwrap_or_default() {
            morning.waits.add(now.since(told_at).as_seconds(), p50, p90);
        }
        let place = morning
            .plays
            .iter()
            .position(|(_, play)| play.order == order);
        place.with_context(|| format!("order {order} was called and is none of the day's"))
    }

    /// What the one who was called does.
    async fn called_in(&self, morning: &mut Morning, called: usize) -> Result<()> {
        let minutes = morning.chance.random_range(4..=14);
        let (script, play) = morning.plays.get(called).context("a visit")?.clone();
        let order = self.until(&play, &[303]).await?;
        let calls = order["detail"]["calls"].as_i64().context("calls")?;
        match (script, calls) {
            (Script::ClinicMissedOnce, 1) | (Script::ClinicMissedThrice, _) => {
                self.pass_minutes(2).await?;
                self.until(&play, &[302, 502, 901]).await?;
                // Whoever missed a call waits anew.
                morning.told.remove(&play.order);
                Ok(())
            }
            (Script::ClinicCancelledCalled, _) => self.cancel(&play).await,
            (Script::ClinicCancelledReady, _) => {
                self.patient(&play, "answer", json!({})).await?;
                self.cancel(&play).await
            }
            (Script::ClinicLate | Script::ClinicCancelledBooked, _) => {
                bail!(
                    "order {} was called and should not have been there",
                    play.order
                )
            }
            _ => {
                self.patient(&play, "answer", json!({})).await?;
                let doctor = &morning.session.doctor;
                let path = |action: &str| format!("/orders/{}/{action}", play.order);
                self.client.post(doctor, &path("start"), json!({})).await?;
                self.pass_minutes(minutes).await?;
                let summary = super::steps::summary();
                let done = self.client.post(doctor, &path("finish"), summary).await;
                done.map(drop)
            }
        }
    }

    /// Three are seen, then the doctor is called away: who waits gets everything back.
    async fn afternoon(&self) -> Result<Vec<(Script, Play)>> {
        let session = self.publish_slots(0, 2, 14).await?;
        self.session(&session, "open", json!({})).await?;
        let patients = (0..AFTERNOON).map(|number| (format!("patient{}", 41 + number), 0));
        let plays = self.book_and_pay(&session, patients).await?;
        self.reach(&plays, &[302]).await?;
        let (seen, rest) = plays.split_at(SEEN);
        self.hold_in_turn(seen, &session).await?;
        let why = json!({ "reason": "急诊手术" });
        self.session(&session, "cancel", why).await?;
        let scripts = [
            vec![Script::ClinicServed; seen.len()],
            vec![Script::ClinicSessionCancelled; rest.len()],
        ];
        Ok(scripts.concat().into_iter().zip(plays).collect())
    }

    /// A session with a slot an hour.
    async fn publish_slots(&self, in_minutes: i64, hours: i64, capacity: u32) -> Result<Opening> {
        let begins = Ts::parse(&self.clock().await?)? + Span::minutes(in_minutes);
        let body = json!({
            "beginsAt": begins, "endsAt": begins + Span::hours(hours), "slotMinutes": 60,
            "capacity": capacity, "consultationType": "text",
            "price": { "amount": 5000, "currency": "CNY" },
        });
        self.publish_body(&body).await
    }

    async fn book_slot(&self, patient: &str, session: &Opening, slot: usize) -> Result<Play> {
        let slot = session.slots.get(slot).context("a slot")?;
        let body = json!({
            "kind": "consultation", "mode": "clinic", "consultationType": "text",
            "slotId": slot, "complaint": "复诊",
        });
        self.booked(patient, body).await
    }

    /// A doctor's weekly hours publish a session by themselves; it is booked and held.
    pub(super) async fn weekly(&self, patients: &[String], plays: &mut Vec<Play>) -> Result<()> {
        let zone = domain::Calendar::default().zone;
        let now = Ts::parse(&self.clock().await?)?;
        let mut begins = jiff::Timestamp::from(now + Span::minutes(60)).to_zoned(zone);
        if begins.hour() == 23 {
            begins = begins.tomorrow()?.start_of_day()?;
        }
        let clock = |hour: i8| format!("{hour:02}:{:02}", begins.minute());
        let body = json!({
            "weekday": begins.weekday().to_monday_one_offset(), "from": clock(begins.hour()),
            "to": clock(begins.hour() + 1), "slotMinutes": 60, "capacity": 20,
            "consultationType": "text", "price": { "amount": 5000, "currency": "CNY" },
        });
        let mut begun: Option<(String, Value)> = None;
        for (doctor, ..) in &self.cast.doctors {
            let hours = self
                .client
                .post(doctor, "/doctors/me/weekly", body.clone())
                .await?;
            if hours["sessions"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
            {
                begun = Some((doctor.clone(), hours));
                break;
            }
            self.end_weekly(doctor, &hours).await?;
        }
        let (doctor, hours) = begun.context("no doctor is free for weekly hours")?;
        let played = self.weekly_session(&doctor, &hours, patients, plays).await;
        self.end_weekly(&doctor, &hours).await?;
        played
    }

    async fn weekly_session(
        &self,
        doctor: &str,
        hours: &Value,
        patients: &[String],
        plays: &mut Vec<Play>,
    ) -> Result<()> {
        let id = text(&hours["sessions"][0]["id"])?;
        let begins = Ts::parse(&text(&hours["sessions"][0]["beginsAt"])?)?;
        let path = format!("/sessions?doctor={}&from={begins}", self.id_of(doctor)?);
        let listed = self.client.get("operator1", &path).await?;
        let found = listed
            .as_array()
            .into_iter()
            .flatten()
            .find(|one| one["id"] == id.as_str());
        let session = Opening::of(found.context("the session is not listed")?, doctor)?;
        let bookings = patients.iter().map(|p| self.book_slot(p, &session, 0));
        *plays = try_join_all(bookings).await?;
        self.all(plays, |p| self.pay(p, "once")).await?;
        self.reach(plays, &[301]).await?;
        self.all(plays, |p| self.patient(p, "check-in", json!({})))
            .await?;
        let wait = begins.since(Ts::parse(&self.clock().await?)?);
        self.pass(wait.as_seconds() + 1).await?;
        self.session(&session, "open", json!({})).await?;
        self.reach(plays, &[302]).await?;
        self.hold_in_turn(plays, &session).await?;
        self.session(&session, "close", json!({})).await
    }

    async fn end_weekly(&self, doctor: &str, hours: &Value) -> Result<()> {
        let path = format!("/doctors/me/weekly/{}", text(&hours["id"])?);
        let nothing = json!({});
        let ended = self.client.call(doctor, Method::DELETE, &path, &nothing);
        ended.await?.data().map(drop)
    }

    fn id_of(&self, login: &str) -> Result<&str> {
        let found = self.cast.doctors.iter().find(|(of, ..)| of == login);
        let (_, id, _) = found.context("a doctor who is none of the demonstration's")?;
        Ok(id)
    }
}
