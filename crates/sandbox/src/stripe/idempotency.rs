//! Answers stored by their keys, for a day: asking again with the same key gets the same again,
//! whatever it was (Stripe, idempotent requests).
//!
//! The answers are kept with the payment that they are about, so that a kill forgets none.

use super::api::{Answer, Told};
use super::form::Form;
use super::refusal::Refusal;
use super::{Api, GATEWAY};
use domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Stripe keeps keys for at least a day.
const KEPT_FOR: Span = Span::hours(24);
/// Longer keys are refused.
const MAX_KEY: usize = 255;

/// Which payment keeps the answer to a key: its number. Read from the book when first asked.
#[derive(Default)]
pub(super) struct Keepers(Mutex<Option<HashMap<String, String>>>);

/// A stored answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    at: Ts,
    /// Path and fields of the request.
    asked: String,
    told: Told,
}

/// How the work of a request ended.
pub(super) enum Outcome {
    /// It was done, or refused, and the merchant hears so.
    Told(Told),
    /// It was done, and the answer gets lost on its way.
    Lost(Told),
}

impl Api {
    /// Does the work once for its key. The work names the payment that it is about; what it
    /// returns as an error was found wrong before anything began, and is not stored.
    ///
    /// Requests wait for each other here, so that none finds its key in use.
    pub(super) fn once(
        &self,
        key: Option<&str>,
        path: &str,
        form: &Form,
        work: impl FnOnce() -> Result<(String, Outcome), Refusal>,
    ) -> Result<Answer, Refusal> {
        let mut keepers = self
            .keepers
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let keepers = keepers.get_or_insert_with(|| self.all_keepers());
        let asked = format!("{path}?{}", form.fingerprint());
        if let Some(key) = key {
            if key.len() > MAX_KEY {
                let message = format!("Idempotency-Key may have {MAX_KEY} characters");
                return Err(Refusal::invalid(None, &message));
            }
            if let Some(stored) = self.stored(keepers.get(key), key) {
                return if stored.asked == asked {
                    Ok(Answer::again(stored.told))
                } else {
                    Err(Refusal::other_parameters(key))
                };
            }
        }
        let (keeper, outcome) = work()?;
        let (told, is_lost) = match outcome {
            Outcome::Told(told) => (told, false),
            Outcome::Lost(told) => (told, true),
        };
        if let Some(key) = key.filter(|_| told.is_stored()) {
            self.store(&keeper, key, &asked, &told)?;
            keepers.insert(key.to_owned(), keeper);
        }
        Ok(if is_lost {
            Answer::Lost
        } else {
            Answer::first(told)
        })
    }

    fn stored(&self, keeper: Option<&String>, key: &str) -> Option<Stored> {
        let (payment, _) = self.sandbox.payment_at(GATEWAY, keeper?)?;
        let stored: Stored =
            serde_json::from_value(payment.extra["answers"].get(key)?.clone()).ok()?;
        (self.sandbox.now().since(stored.at) < KEPT_FOR).then_some(stored)
    }

    fn store(&self, keeper: &str, key: &str, asked: &str, told: &Told) -> Result<(), Refusal> {
        let stored = json!(Stored {
            at: self.sandbox.now(),
            asked: asked.to_owned(),
            told: told.clone(),
        });
        let kept = self.sandbox.remember_of_payment(GATEWAY, keeper, |extra| {
            extra["answers"][key] = stored;
        });
        kept.map(drop).map_err(Refusal::of_payment)
    }

    fn all_keepers(&self) -> HashMap<String, String> {
        let book = self.sandbox.book();
        let ours = book.payments().filter(|payment| payment.gateway == GATEWAY);
        let keys = ours.flat_map(|payment| {
            let answers = payment.extra["answers"].as_object();
            let keys = answers.into_iter().flat_map(serde_json::Map::keys);
            keys.map(|key| (key.clone(), payment.out_trade_no.clone()))
        });
        keys.collect()
    }
}
