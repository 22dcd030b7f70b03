//! The payment gateways that are on, each behind its breaker, and who may pay over which.

mod breaker;
mod guarded;
mod offer;

pub use breaker::BreakerState;
pub(crate) use breaker::FAILURES;
pub(crate) use guarded::Guarded;
pub use offer::{NotOffered, Offer, OfferedMethod};

use crate::error::EngineError;
use breaker::Breaker;
use connectors::gateway::{PaymentGateway, Reply};
use domain::Ts;
use domain::payment::GatewayName;
use std::sync::Arc;

struct Entry {
    gateway: Arc<dyn PaymentGateway>,
    breaker: Breaker,
}

/// The payment gateways: those that are on, and the names of those that are off.
#[derive(Clone, Default)]
pub struct Gateways {
    on: Vec<Arc<Entry>>,
    off: Vec<GatewayName>,
    /// Where the platform takes payments, by ISO 3166 letters; empty is everywhere.
    countries: Vec<String>,
}

impl Gateways {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more that is on; one of the same name before it is replaced.
    #[must_use]
    pub fn with(mut self, gateway: Arc<dyn PaymentGateway>) -> Self {
        let name = gateway.name();
        self.off.retain(|off| *off != name);
        self.on.retain(|entry| entry.gateway.name() != name);
        self.on.push(Arc::new(Entry {
            gateway,
            breaker: Breaker::default(),
        }));
        self
    }

    /// One more that could be, but is not configured.
    #[must_use]
    pub fn with_off(mut self, name: GatewayName) -> Self {
        if !self.is_on(name) {
            self.off.push(name);
        }
        self
    }

    /// Takes payments in these countries only, by ISO 3166 letters.
    #[must_use]
    pub fn in_countries(mut self, countries: Vec<String>) -> Self {
        self.countries = countries;
        self
    }

    /// Whether it is on.
    pub fn is_on(&self, name: GatewayName) -> bool {
        self.entry(name).is_some()
    }

    /// The names of those that are on.
    pub fn names(&self) -> Vec<GatewayName> {
        self.on.iter().map(|entry| entry.gateway.name()).collect()
    }

    /// Its names for people, in Chinese and English, if it is on.
    pub fn labels(&self, name: GatewayName) -> Option<(&'static str, &'static str)> {
        let terms = self.entry(name)?.gateway.terms();
        Some((terms.label_zh, terms.label_en))
    }

    /// How each is doing.
    pub fn health(&self, now: Ts) -> Vec<(GatewayName, BreakerState)> {
        let state = |entry: &Arc<Entry>| (entry.gateway.name(), entry.breaker.state(now));
        self.on.iter().map(state).collect()
    }

    /// What a gateway is answered when its callback was taken; `Err` holds why it was not, with the
    /// HTTP status that fits. `None` where there is no such gateway.
    pub fn reply(&self, name: GatewayName, taken: Result<(), (u16, &str)>) -> Option<Reply> {
        let gateway = &self.entry(name)?.gateway;
        Some(match taken {
            Ok(()) => gateway.received(),
            Err((status, why)) => gateway.not_received(status, why),
        })
    }

    pub(crate) fn get(&self, name: GatewayName, now: Ts) -> Result<Guarded<'_>, EngineError> {
        let entry = self.entry(name).ok_or(EngineError::GatewayOff(name))?;
        Ok(Guarded {
            gateway: entry.gateway.as_ref(),
            breaker: &entry.breaker,
            now,
        })
    }

    fn entry(&self, name: GatewayName) -> Option<&Entry> {
        let mut on = self.on.iter();
        on.find(|entry| entry.gateway.name() == name)
            .map(AsRef::as_ref)
    }
}
