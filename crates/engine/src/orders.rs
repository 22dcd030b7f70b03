//! Orders seen lately, so that most commands need not read theirs.

use domain::OrderId;
use domain::consultation::Consultation;
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many orders are remembered. What is remembered is never trusted: a commit compares versions.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(8_192).unwrap();

/// An order at hand.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// As this process saw it last: perhaps not the newest. A refusal must not rest on it.
    Remembered(Arc<Consultation>),
    /// As the database has just said.
    Fresh(Arc<Consultation>),
}

impl Known {
    pub(crate) fn order(&self) -> &Arc<Consultation> {
        match self {
            Self::Remembered(order) | Self::Fresh(order) => order,
        }
    }
}

/// Those that are remembered.
pub(crate) struct Orders(Mutex<Seen>);

struct Seen {
    orders: LruCache<OrderId, Arc<Consultation>>,
    /// Whose payment has this number at its gateway. That never changes.
    numbers: LruCache<String, OrderId>,
}

impl Default for Orders {
    fn default() -> Self {
        Self(Mutex::new(Seen {
            orders: LruCache::new(REMEMBERED),
            numbers: LruCache::new(REMEMBERED),
        }))
    }
}

impl Orders {
    pub(crate) fn get(&self, id: OrderId) -> Option<Arc<Consultation>> {
        self.seen().orders.get(&id).cloned()
    }

    /// The order of the payment with this number.
    pub(crate) fn of_payment(&self, out_trade_no: &str) -> Option<Arc<Consultation>> {
        let mut seen = self.seen();
        let id = *seen.numbers.get(out_trade_no)?;
        seen.orders.get(&id).cloned()
    }

    pub(crate) fn put(&self, order: Arc<Consultation>) {
        let mut seen = self.seen();
        for payment in &order.payments {
            if !seen.numbers.contains(&payment.out_trade_no) {
                seen.numbers.put(payment.out_trade_no.clone(), order.id);
            }
        }
        seen.orders.put(order.id, order);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Each change is made whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
