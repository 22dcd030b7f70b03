//! The relay: does what commits left to do, at least once, with backoff; what can't be done after
//! its last try is kept for operations (spec 00, rule 6).

use crate::engine::Engine;
use crate::error::EngineError;
use domain::order::Effect;
use domain::{Span, Ts};
use std::time::Duration;
use store::{Lease, OutboxRow};
use uuid::Uuid;

/// How long a node may work on something before another takes it over.
pub(crate) const LEASE: Span = Span::seconds(20);

/// How often an effect is tried before operations get it. The backoff below makes that hours.
const TRIES: i32 = 60;

/// Spec 20, lost callback: when a payment is asked about, counted from its start.
const PAYMENT_QUERIES: [Span; 5] = [
    Span::seconds(10),
    Span::seconds(30),
    Span::minutes(1),
    Span::minutes(2),
    Span::minutes(5),
];

/// When a refund is asked about, counted from the last time; then each hour.
const REFUND_QUERIES: [Span; 5] = [
    Span::seconds(10),
    Span::minutes(1),
    Span::minutes(5),
    Span::minutes(15),
    Span::hours(1),
];

/// How often a refund is asked about before operations look at it: hourly for seven days.
const REFUND_QUERY_TRIES: i32 = 5 + 7 * 24;

/// A lease that begins now.
pub(crate) fn lease(owner: Uuid, now: Ts) -> Lease {
    Lease {
        owner,
        until: now + LEASE,
    }
}

/// How long after the commit an effect is first tried.
pub(crate) fn first_delay(effect: &Effect) -> Span {
    match effect {
        Effect::QueryPayment { .. } => PAYMENT_QUERIES[0],
        Effect::QueryRefund { .. } => REFUND_QUERIES[0],
        Effect::StartPayment { .. }
        | Effect::SettlePayment { .. }
        | Effect::Dispatch { .. }
        | Effect::TakeNumber
        | Effect::CheckActivation
        | Effect::Review
        | Effect::SendRefund { .. }
        | Effect::SessionMoved { .. }
        | Effect::PresenceMoved { .. }
        | Effect::Repair { .. } => Span::ZERO,
    }
}

/// What came of trying an effect.
#[derive(Debug)]
pub(crate) enum Tried {
    /// Done, and its row is to go.
    Done,
    /// Done, and its row went with a command's commit.
    Finished,
    /// Not before then; this was no try.
    Later(Ts),
    /// Not yet: on to the next time of its schedule, with what stood against it.
    NotYet(Option<String>),
}

impl Engine {
    /// Tries one effect and writes down what came of it. Errors of the store leave the row to its
    /// lease, so that nothing is lost.
    pub(crate) async fn relay_one(&self, row: OutboxRow) {
        let started = std::time::Instant::now();
        let tried = match self.try_effect(&row).await {
            Ok(tried) => tried,
            Err(EngineError::NotFound) => {
                tracing::error!(effect = ?row.effect, "an effect names an order that does not exist");
                Tried::Done
            }
            Err(error) => Tried::NotYet(Some(error.to_string())),
        };
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(effect = ?row.effect, order = ?row.order, attempt = row.attempts + 1, ms, ?tried, "effect");
        if let Err(error) = self.write_down(&row, tried).await {
            tracing::warn!(effect = ?row.effect, %error, "an effect's outcome could not be written; its lease will run out");
        }
    }

    async fn write_down(&self, row: &OutboxRow, tried: Tried) -> Result<(), EngineError> {
        let store = &self.inner.store;
        let attempts = row.attempts + 1;
        let now = self.now();
        match tried {
            Tried::Finished => {}
            Tried::Done => store.finish(&[row.id]).await?,
            Tried::Later(due) => {
                store.reschedule(row.id, due, row.attempts, None).await?;
            }
            Tried::NotYet(error) => match next_try(&row.effect, attempts, row.created_at, now) {
                Next::At(due) => {
                    store
                        .reschedule(row.id, due, attempts, error.as_deref())
                        .await?;
                }
                Next::Drop => store.finish(&[row.id]).await?,
                Next::GiveUp => {
                    let error = error.unwrap_or_else(|| "no result in time".to_owned());
                    tracing::error!(effect = ?row.effect, order = ?row.order, error, "given up: operations can retry it");
                    store.give_up(row.id, attempts, &error, now).await?;
                }
            },
        }
        Ok(())
    }
}

enum Next {
    At(Ts),
    /// Its schedule has ended, and a deadline of the order takes over.
    Drop,
    GiveUp,
}

/// When an effect is tried again, after so many tries.
fn next_try(effect: &Effect, attempts: i32, created: Ts, now: Ts) -> Next {
    let made = usize::try_from(attempts).unwrap_or(0);
    match effect {
        Effect::QueryPayment { .. } => match PAYMENT_QUERIES.get(made) {
            Some(after) => Next::At((created + *after).max(now)),
            None => Next::Drop,
        },
        Effect::QueryRefund { .. } if attempts >= REFUND_QUERY_TRIES => Next::GiveUp,
        Effect::QueryRefund { .. } => {
            let wait = REFUND_QUERIES.get(made).copied().unwrap_or(Span::hours(1));
            Next::At(now + wait)
        }
        // The order's deadline asks again each minute.
        Effect::SettlePayment { .. } if attempts >= 6 => Next::Drop,
        // While something is paused or away, look often: people wait.
        Effect::Dispatch { .. } | Effect::TakeNumber | Effect::CheckActivation => {
            Next::At(now + backoff(attempts, Span::seconds(5)))
        }
        _ if attempts >= TRIES => Next::GiveUp,
        _ => Next::At(now + backoff(attempts, Span::minutes(5))),
    }
}

/// One second, two, four, ... up to a limit.
fn backoff(attempts: i32, at_most: Span) -> Span {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(20);
    Span::seconds(1_i64 << doublings).min(at_most)
}

/// How long the loops wait when nothing is due.
pub(crate) const TICK: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PaymentId;

    #[test]
    fn a_payment_is_asked_about_at_the_times_of_the_specification() {
        let effect = Effect::QueryPayment {
            payment: PaymentId(Uuid::nil()),
        };
        let start = Ts::from_micros(0);
        let mut asked = vec![first_delay(&effect).as_seconds()];
        let mut attempts = 1;
        let mut now = start + first_delay(&effect);
        while let Next::At(due) = next_try(&effect, attempts, start, now) {
            asked.push(due.since(start).as_seconds());
            (now, attempts) = (due, attempts + 1);
        }
        assert_eq!(asked, [10, 30, 60, 120, 300]);
    }

    #[test]
    fn backoff_doubles_up_to_its_limit() {
        let waits: Vec<i64> = (1..12)
            .map(|n| backoff(n, Span::minutes(5)).as_seconds())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }
}
