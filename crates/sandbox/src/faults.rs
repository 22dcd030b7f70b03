//! Bad luck: being down, being slow, and what hits single numbers by chance.

use crate::Sandbox;
use crate::control::ControlError;
use crate::control::views::{Faults, RandomFaults, UnknownOutcome};
use crate::refusal::MoneyRefusal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::payment::GatewayName;
use std::cell::Cell;
use std::time::Duration;

/// No answer is held back for longer than this.
const MAX_SLOW_MILLIS: u32 = 600_000;

tokio::task_local! {
    /// How long the answer of the call at hand is held back, in milliseconds. The money rules set
    /// it: they know which number the call is about.
    static HOLD_BACK: Cell<u32>;
}

/// What hits a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hit {
    /// Its notice never comes.
    LostCallback,
    /// Its notice comes twice.
    DoubleCallback,
    /// Its notice comes late.
    LateCallback,
    /// Answers about it are slow.
    Slow,
    /// Its first write is done, and not told.
    UnknownOutcome,
    /// The refund takes an hour.
    RefundHangs,
}

impl Faults {
    /// What hits a payment, by the merchant's number.
    pub(crate) fn payment_hit(&self, out_trade_no: &str) -> Option<Hit> {
        use Hit::{DoubleCallback, LateCallback, LostCallback, Slow, UnknownOutcome};
        let all = [
            LostCallback,
            DoubleCallback,
            LateCallback,
            Slow,
            UnknownOutcome,
        ];
        self.random.as_ref()?.draw(out_trade_no, &all)
    }

    /// What hits a refund, by the merchant's number.
    pub(crate) fn refund_hit(&self, out_refund_no: &str) -> Option<Hit> {
        use Hit::{DoubleCallback, LateCallback, LostCallback, RefundHangs, Slow, UnknownOutcome};
        let all = [
            LostCallback,
            DoubleCallback,
            LateCallback,
            Slow,
            UnknownOutcome,
            RefundHangs,
        ];
        self.random.as_ref()?.draw(out_refund_no, &all)
    }

    /// What the answer to a write that was done becomes. Chance hides only the answer to the
    /// first one, so that asking again gets through.
    pub(crate) fn after_write(
        &self,
        done: UnknownOutcome,
        hit: Option<Hit>,
        first: bool,
    ) -> Result<(), MoneyRefusal> {
        if let (Some(Hit::Slow), Some(random)) = (hit, &self.random) {
            hold_back(random.slow_millis);
        }
        let hidden = first && hit == Some(Hit::UnknownOutcome);
        if hidden || self.unknown_outcome == Some(done) {
            return Err(MoneyRefusal::OutcomeUntold);
        }
        Ok(())
    }

    /// Whether these can be set.
    pub(crate) fn check(&self) -> Result<(), ControlError> {
        let random = self.random.as_ref();
        let slow = random.map_or(0, |random| random.slow_millis);
        if self.slow_millis.max(slow) > MAX_SLOW_MILLIS {
            let message = format!("slowMillis must be at most {MAX_SLOW_MILLIS}");
            return Err(ControlError::BadRequest(message));
        }
        if random.is_some_and(|random| random.percent > 100) {
            let message = "random.percent must be at most 100";
            return Err(ControlError::BadRequest(message.to_owned()));
        }
        Ok(())
    }
}

impl RandomFaults {
    /// The same for the same seed and number, whatever happened before.
    fn draw(&self, number: &str, from: &[Hit]) -> Option<Hit> {
        let mut text = self.seed.to_be_bytes().to_vec();
        text.extend_from_slice(number.as_bytes());
        let drawn = digest(&SHA256, &text);
        let (whether, which) = drawn.as_ref().split_at(16);
        let is_hit = remainder(whether, 100) < usize::from(self.percent);
        is_hit
            .then(|| from.get(remainder(which, from.len())).copied())
            .flatten()
    }
}

/// A number below `of`, out of drawn bytes.
fn remainder(drawn: &[u8], of: usize) -> usize {
    drawn
        .iter()
        .fold(0, |rest, &byte| (rest * 256 + usize::from(byte)) % of)
}

/// The answer of the call at hand is held back, if there is a call.
fn hold_back(millis: u32) {
    let no_call = HOLD_BACK.try_with(|held| held.set(held.get().max(millis)));
    if no_call.is_err() {
        tracing::trace!("nobody waits for this answer");
    }
}

/// Around every call to a gateway.
pub(crate) async fn around(
    State((sandbox, gateway)): State<(Sandbox, GatewayName)>,
    request: Request,
    next: Next,
) -> Response {
    let faults = sandbox.faults_at(gateway);
    let (answer, held) = if faults.down {
        let words = "the sandbox is told to be down\n";
        let answer = (StatusCode::SERVICE_UNAVAILABLE, words).into_response();
        (answer, 0)
    } else {
        let work = async {
            let answer = next.run(request).await;
            (answer, HOLD_BACK.get().get())
        };
        HOLD_BACK.scope(Cell::new(0), work).await
    };
    let millis = faults.slow_millis.max(held);
    if millis > 0 {
        // In real time, after the work: this is how a time-out leaves a write that was done.
        tokio::time::sleep(Duration::from_millis(millis.into())).await;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: u64, percent: u8) -> Faults {
        let random = RandomFaults {
            seed,
            percent,
            slow_millis: 0,
        };
        Faults {
            random: Some(random),
            ..Faults::default()
        }
    }

    fn hits(faults: &Faults) -> Vec<Option<Hit>> {
        let numbers = (0..2000).map(|number| format!("{number:032x}"));
        numbers.map(|number| faults.refund_hit(&number)).collect()
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed_and_hits_about_as_many_as_it_should() {
        assert_eq!(hits(&random(7, 20)), hits(&random(7, 20)));
        assert_ne!(hits(&random(7, 20)), hits(&random(8, 20)));
        let drawn = hits(&random(7, 20));
        let count = drawn.iter().flatten().count();
        assert!((340..=460).contains(&count), "{count} of 2000");
        for kind in [
            Hit::LostCallback,
            Hit::DoubleCallback,
            Hit::LateCallback,
            Hit::Slow,
            Hit::UnknownOutcome,
            Hit::RefundHangs,
        ] {
            assert!(drawn.contains(&Some(kind)), "{kind:?} never hits");
        }
    }

    #[test]
    fn nobody_and_everybody_can_be_hit() {
        assert!(hits(&random(7, 0)).iter().all(Option::is_none));
        assert!(hits(&random(7, 100)).iter().all(Option::is_some));
    }

    #[test]
    fn chance_hides_the_first_answer_only() {
        let (faults, hit) = (random(7, 100), Some(Hit::UnknownOutcome));
        assert!(
            faults
                .after_write(UnknownOutcome::Prepay, hit, true)
                .is_err()
        );
        assert!(
            faults
                .after_write(UnknownOutcome::Prepay, hit, false)
                .is_ok()
        );
    }
}
