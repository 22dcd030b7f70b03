//! Asking the gateway because the payer says so, but not as often as anybody likes.

use crate::Portal;
use domain::consultation::Consultation;
use domain::payment::Payment;
use domain::{PaymentId, Span, Ts};
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

/// How long a payment that was asked about is not asked about again from its page: the schedule
/// and the gateway's notice are under way meanwhile.
const PAUSE: Span = Span::seconds(3);

/// How many payments are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// When which payment was asked about.
pub struct Asking(Mutex<LruCache<PaymentId, Ts>>);

impl Default for Asking {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl Asking {
    /// Whether the gateway may be asked about it now; then it was.
    fn takes(&self, payment: PaymentId, now: Ts) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.get(&payment).is_some_and(|last| now < *last + PAUSE) {
            return false;
        }
        asked.put(payment, now);
        true
    }
}

/// Asks the gateway about an open payment, once. Where it gives no answer, the schedule goes on
/// asking: the page shows how the payment stands all the same.
pub async fn ask(portal: &Portal, order: &Consultation, payment: &Payment, request_id: String) {
    let now = portal.engine.now();
    if !payment.status.is_open() || !portal.asking.takes(payment.id, now) {
        return;
    }
    let asked = portal.engine.ask_about_payment(order.id, Some(request_id));
    if let Err(error) = asked.await {
        tracing::warn!(order = %order.id, %error, "a payer's word that they paid was not followed up");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_payment_is_asked_about_once_in_three_seconds() {
        let (one, two) = (PaymentId(Uuid::from_u128(1)), PaymentId(Uuid::from_u128(2)));
        let at = |seconds| Ts::from_micros(0) + Span::seconds(seconds);
        let asking = Asking::default();
        assert!(asking.takes(one, at(0)));
        assert!(!asking.takes(one, at(2)));
        assert!(asking.takes(two, at(2)));
        assert!(asking.takes(one, at(3)));
    }
}
