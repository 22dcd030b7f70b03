//! A circuit breaker for each gateway: one that fails again and again is left alone for a while,
//! so that patients are told at once and sent to another (spec 20).

use domain::{Span, Ts};
use std::sync::{Mutex, PoisonError};

/// So many failures in a row open it.
pub const FAILURES: u32 = 5;
/// How long the first rest is; each one that ends in another failure doubles it.
pub const FIRST_REST: Span = Span::seconds(30);
/// The longest rest: a payment of unknown outcome is asked about each minute (spec 10, status 101).
pub const LONGEST_REST: Span = Span::minutes(1);

/// How a gateway is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// It answers.
    Closed,
    /// It is left alone until then.
    Open {
        /// When it is tried again.
        until: Ts,
    },
    /// Its rest is over; the next call shows whether it is well.
    HalfOpen,
}

impl BreakerState {
    /// As in `/health/ready` and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Inner {
    failures: u32,
    /// The rest that ends then, if there is one.
    until: Option<Ts>,
    rest: Span,
    /// Somebody is trying it out.
    probing: bool,
}

/// Counts failures, and says when a gateway is to be left alone. One per gateway and process: what
/// one process learns costs the others five calls each.
#[derive(Debug)]
pub struct Breaker(Mutex<Inner>);

impl Default for Breaker {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            failures: 0,
            until: None,
            rest: FIRST_REST,
            probing: false,
        }))
    }
}

impl Breaker {
    /// How it stands.
    pub fn state(&self, now: Ts) -> BreakerState {
        match self.lock().until {
            None => BreakerState::Closed,
            Some(until) if now < until => BreakerState::Open { until },
            Some(_) => BreakerState::HalfOpen,
        }
    }

    /// Whether a call may be made now; if not, when the next may. After a rest one call goes first.
    pub fn may_call(&self, now: Ts) -> Result<(), Ts> {
        let mut inner = self.lock();
        match inner.until {
            None => Ok(()),
            Some(until) if now < until => Err(until),
            Some(_) if inner.probing => Err(now + Span::seconds(1)),
            Some(_) => {
                inner.probing = true;
                Ok(())
            }
        }
    }

    /// It answered, whatever the answer was.
    pub fn answered(&self) {
        *self.lock() = Inner {
            failures: 0,
            until: None,
            rest: FIRST_REST,
            probing: false,
        };
    }

    /// It did not. Tells whether this opened the breaker.
    pub fn failed(&self, now: Ts) -> bool {
        let mut inner = self.lock();
        inner.failures = inner.failures.saturating_add(1);
        if inner.probing {
            inner.probing = false;
            inner.rest = inner.rest.doubled().min(LONGEST_REST);
        } else if inner.failures < FAILURES || inner.until.is_some_and(|until| now < until) {
            // Not enough yet, or the last of the calls that were under way when it opened.
            return false;
        }
        inner.until = Some(now + inner.rest);
        true
    }

    /// Nobody waits for the probe's answer any more: another call may try.
    pub fn abandoned(&self) {
        self.lock().probing = false;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Each change is made whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Ts = Ts::from_micros(1_800_000_000_000_000);

    fn after(seconds: i64) -> Ts {
        START + Span::seconds(seconds)
    }

    fn open_at(start: Ts) -> Breaker {
        let breaker = Breaker::default();
        for failure in 1..=FAILURES {
            assert_eq!(breaker.may_call(start), Ok(()));
            assert_eq!(breaker.failed(start), failure == FAILURES);
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_for_half_a_minute() {
        let breaker = open_at(START);
        assert_eq!(breaker.may_call(after(29)), Err(after(30)));
        assert_eq!(
            breaker.state(after(29)),
            BreakerState::Open { until: after(30) }
        );
        assert_eq!(breaker.state(after(30)), BreakerState::HalfOpen);
    }

    #[test]
    fn an_answer_between_failures_keeps_it_closed() {
        let breaker = Breaker::default();
        for _ in 0..20 {
            for _ in 1..FAILURES {
                assert!(!breaker.failed(START));
            }
            breaker.answered();
        }
        assert_eq!(breaker.state(START), BreakerState::Closed);
    }

    #[test]
    fn after_the_rest_one_call_goes_first_and_its_answer_closes_it() {
        let breaker = open_at(START);
        assert_eq!(breaker.may_call(after(30)), Ok(()));
        assert_eq!(breaker.may_call(after(30)), Err(after(31)));
        breaker.answered();
        assert_eq!(breaker.may_call(after(30)), Ok(()));
        assert_eq!(breaker.state(after(30)), BreakerState::Closed);
    }

    #[test]
    fn each_failed_try_doubles_the_rest_up_to_a_minute() {
        let breaker = open_at(START);
        let mut now = START + FIRST_REST;
        let mut rests = Vec::new();
        for _ in 0..6 {
            assert_eq!(breaker.may_call(now), Ok(()));
            assert!(breaker.failed(now));
            let BreakerState::Open { until } = breaker.state(now) else {
                panic!("it is open");
            };
            rests.push(until.since(now).as_seconds());
            now = until;
        }
        assert_eq!(rests, [60, 60, 60, 60, 60, 60]);
    }

    #[test]
    fn calls_that_were_under_way_when_it_opened_do_not_prolong_the_rest() {
        let breaker = open_at(START);
        assert!(!breaker.failed(after(10)));
        assert_eq!(breaker.may_call(after(30)), Ok(()));
    }

    #[test]
    fn a_try_that_nobody_waits_for_lets_the_next_one_go() {
        let breaker = open_at(START);
        assert_eq!(breaker.may_call(after(30)), Ok(()));
        breaker.abandoned();
        assert_eq!(breaker.may_call(after(30)), Ok(()));
    }
}
