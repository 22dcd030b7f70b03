//! The sessions of a wave, and booking in them.

use super::course::{Draft, currency};
use super::order::Order;
use super::{Stage, text};
use anyhow::{Context, Result, bail};
use domain::{Currency, Span};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use reqwest::{Method, StatusCode};
use serde_json::json;

/// So many patients come again and again.
const PATIENTS: usize = 12;
/// So many doctors take turns.
const DOCTORS: usize = 12;
/// How long a session lasts: longer than its wave.
const SESSION: Span = Span::hours(2);
/// A slot's length in minutes, and how many slots a session has.
const SLOT: i64 = 30;
const SLOTS: usize = 4;

/// A session of the wave.
pub struct Session {
    /// Its id.
    pub id: String,
    /// Whose.
    pub doctor: String,
    slots: Vec<String>,
}

/// The sessions of a wave: one for each currency.
pub struct Sessions(pub [(Currency, Session); 2]);

impl Sessions {
    fn of(&self, wanted: Currency) -> Result<&Session> {
        let found = self.0.iter().find(|(currency, _)| *currency == wanted);
        Ok(&found.context("no session in this currency")?.1)
    }
}

impl Stage<'_> {
    /// Two doctors open a session, each in a currency, at prices that the seed draws.
    pub(super) async fn sessions(&self, wave: usize) -> Result<Sessions> {
        let salt = u64::try_from(wave)?.wrapping_mul(7_919);
        let mut chance = SmallRng::seed_from_u64(self.seed.wrapping_add(salt));
        let yuan = chance.random_range(2_000..=30_000);
        let dollars = chance.random_range(2_000..=12_000);
        let cny = self.session(2 * wave, Currency::CNY, yuan).await?;
        let nzd = self.session(2 * wave + 1, Currency::NZD, dollars).await?;
        Ok(Sessions([(Currency::CNY, cny), (Currency::NZD, nzd)]))
    }

    async fn session(&self, turn: usize, currency: Currency, price: i64) -> Result<Session> {
        let begins = self.now().await?;
        let body = json!({
            "beginsAt": begins, "endsAt": begins + SESSION, "slotMinutes": SLOT, "capacity": 100,
            "consultationType": "text", "price": { "amount": price, "currency": currency },
        });
        // Somebody may still have a session of an earlier rehearsal.
        for other in 0..DOCTORS {
            let doctor = format!("doctor{}", (turn + other) % DOCTORS + 1);
            let asked = self.client.call(&doctor, Method::POST, "/sessions", &body);
            let answer = asked.await?;
            if answer.status == StatusCode::CONFLICT {
                continue;
            }
            let session = answer.data()?;
            let id = text(&session["id"])?;
            let slots = session["slots"].as_array().context("slots")?;
            let slots = slots.iter().map(|slot| text(&slot["id"]));
            let slots = slots.collect::<Result<Vec<String>>>()?;
            let path = format!("/sessions/{id}/open");
            self.client.post(&doctor, &path, json!({})).await?;
            return Ok(Session { id, doctor, slots });
        }
        bail!("no doctor is free for a session at {begins}")
    }

    pub(super) async fn book(
        &self,
        sessions: &Sessions,
        wave: usize,
        at: usize,
        draft: &Draft,
    ) -> Result<Order> {
        let session = sessions.of(currency(draft.first.gateway))?;
        let patient = format!("patient{}", at % PATIENTS + 1);
        let body = json!({
            "kind": "consultation", "mode": "clinic", "consultationType": "text",
            "slotId": session.slots.get(at % SLOTS), "complaint": "复诊",
        });
        let booked = self.client.post(&patient, "/orders", body).await?;
        Ok(Order {
            id: text(&booked["id"])?,
            price: booked["price"]["amount"].as_i64().context("a price")?,
            doctor: session.doctor.clone(),
            draft: draft.clone(),
            numbers: Vec::new(),
            in_wave: wave,
            patient,
        })
    }
}
