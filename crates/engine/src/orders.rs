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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{IdsAt, new_id};
    use domain::consultation::{
        Command, ConsultationType, Facts, Mode, NewConsultation, Outcome, create, decide,
    };
    use domain::order::{Actor, Role};
    use domain::payment::{GatewayName, Method};
    use domain::{DepartmentId, Money, Ts, UserId};

    const NOW: Ts = Ts::from_micros(1_800_000_000_000_000);

    fn after(outcome: Outcome) -> Arc<Consultation> {
        let Outcome::Decided(decision) = outcome else {
            panic!("it changes something");
        };
        Arc::new(decision.order)
    }

    /// An order as it was booked, and with a payment under way.
    fn booked_and_being_paid() -> (Arc<Consultation>, Arc<Consultation>) {
        let patient = UserId(new_id(NOW));
        let new = NewConsultation {
            id: OrderId(new_id(NOW)),
            patient,
            price: Money::fen(3_000),
            mode: Mode::Dispatch,
            consultation_type: ConsultationType::Text,
            department: DepartmentId(new_id(NOW)),
            complaint: "头痛三天，夜里更重。".to_owned(),
            booking: None,
        };
        let facts = Facts::default();
        let booked = after(create(&new, &facts, NOW, &mut IdsAt(NOW)).expect("booked"));
        let pay = Command::SubmitPayment {
            gateway: GatewayName::WECHAT,
            method: Method::NATIVE,
            payer: None,
            client_ip: None,
        };
        let acts = Actor::person(Role::Patient, patient);
        let paying = decide(&booked, &pay, acts, &facts, NOW, &mut IdsAt(NOW));
        (booked, after(paying.expect("asked to pay")))
    }

    #[test]
    fn a_payments_number_leads_to_its_order_as_it_was_seen_last() {
        let orders = Orders::default();
        let (booked, paying) = booked_and_being_paid();
        let number = &paying.payments[0].out_trade_no;
        assert_eq!(orders.of_payment(number), None);
        orders.put(Arc::clone(&booked));
        assert_eq!(orders.of_payment(number), None);
        orders.put(Arc::clone(&paying));
        assert_eq!(orders.of_payment(number), Some(paying));
    }

    #[test]
    fn a_number_of_an_order_that_was_forgotten_leads_nowhere() {
        let orders = Orders::default();
        let (_, paying) = booked_and_being_paid();
        let number = &paying.payments[0].out_trade_no;
        orders.put(Arc::clone(&paying));
        for _ in 0..REMEMBERED.get() {
            let mut other = (*paying).clone();
            other.id = OrderId(new_id(NOW));
            other.payments.clear();
            orders.put(Arc::new(other));
        }
        assert_eq!(orders.of_payment(number), None);
    }
}
