//! The captures that are on their way, or whose answer never came.
//!
//! While PayPal may still be at one, an order must not be given up: it would read "agreed to, and
//! nothing taken" one moment and have taken money the next. This memory is one process's, and is
//! for that moment only. What it misses (another node, a restart) is money for a payment that was
//! given up, and that is heard of by webhook, query or bill and goes back by itself (spec 20).

use domain::{Span, Ts};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// After this, a capture that nothing was heard of is not being carried out any more.
const MAY_LAST: Span = Span::minutes(2);
/// More at a time than any hospital has.
const MAX_REMEMBERED: usize = 10_000;

/// Captures by the numbers of their orders, with the time at which they were sent.
#[derive(Default)]
pub(super) struct Capturing(Mutex<HashMap<String, Ts>>);

impl Capturing {
    /// A capture is being sent.
    pub(super) fn begin(&self, order: &str, now: Ts) {
        let mut captures = self.captures();
        captures.retain(|_, sent| is_recent(*sent, now));
        if captures.len() < MAX_REMEMBERED {
            captures.insert(order.to_owned(), now);
        }
    }

    /// PayPal has said what came of it.
    pub(super) fn end(&self, order: &str) {
        self.captures().remove(order);
    }

    /// Whether PayPal may be at one.
    pub(super) fn is_going_on(&self, order: &str, now: Ts) -> bool {
        let captures = self.captures();
        captures
            .get(order)
            .is_some_and(|sent| is_recent(*sent, now))
    }

    fn captures(&self) -> MutexGuard<'_, HashMap<String, Ts>> {
        // Each change under this lock is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_recent(sent: Ts, now: Ts) -> bool {
    now.since(sent) < MAY_LAST
}
