//! Who may pay over which gateway, and why not over another (spec 20: currency and country decide).

use super::{BreakerState, Entry, Gateways};
use connectors::gateway::{MethodTerms, PayKind};
use domain::payment::{GatewayName, Method};
use domain::{Currency, Ts};
use std::sync::Arc;
use thiserror::Error;

/// Why a payment can't go over a gateway. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotOffered {
    /// Not configured here.
    #[error("{gateway} is switched off here: no credentials are configured")]
    Off {
        /// Which.
        gateway: GatewayName,
    },
    /// Unheard of.
    #[error("there is no gateway `{gateway}`")]
    Unknown {
        /// Which.
        gateway: GatewayName,
    },
    /// It takes other currencies.
    #[error("{gateway} takes {}, and this is in {currency}", listed(takes))]
    Currency {
        /// Which.
        gateway: GatewayName,
        /// What it takes.
        takes: Vec<Currency>,
        /// What the price is in.
        currency: Currency,
    },
    /// It serves payers elsewhere.
    #[error(
        "{gateway} serves payers in {}, not in {}",
        listed(serves),
        listed(wanted)
    )]
    Country {
        /// Which.
        gateway: GatewayName,
        /// Where.
        serves: Vec<&'static str>,
        /// Where the payer, or the platform, is.
        wanted: Vec<String>,
    },
    /// It fails, and is left alone for a while.
    #[error("{gateway} does not answer at the moment; it is tried again at {until}")]
    Resting {
        /// Which.
        gateway: GatewayName,
        /// When it is tried again.
        until: Ts,
    },
    /// It has no such way to pay.
    #[error("{gateway} has no method `{method}`: it has {}", listed(has))]
    Method {
        /// Which.
        gateway: GatewayName,
        /// The method that was asked for.
        method: Method,
        /// Its methods.
        has: Vec<Method>,
    },
    /// The method needs to know the payer.
    #[error("method `{method}` needs the payer's {what}")]
    Payer {
        /// Which method.
        method: Method,
        /// What, such as `openid`.
        what: &'static str,
    },
    /// Money at the counter is an operator's to record.
    #[error("{gateway} is for operators: they record the money with proof")]
    Counter {
        /// Which.
        gateway: GatewayName,
    },
}

fn listed<T: ToString>(things: &[T]) -> String {
    let words: Vec<String> = things.iter().map(ToString::to_string).collect();
    words.join(", ")
}

/// A gateway as a payer sees it.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its name.
    pub gateway: GatewayName,
    /// Its names for people, in Chinese and English.
    pub labels: (String, String),
    /// Its ways to pay; empty where it is off.
    pub methods: Vec<OfferedMethod>,
    /// The currencies it takes.
    pub currencies: Vec<Currency>,
    /// The countries whose payers it serves.
    pub countries: Vec<&'static str>,
    /// Why it can't be chosen now; `None` where it can.
    pub not: Option<NotOffered>,
}

/// A way to pay as a payer sees it.
#[derive(Debug, Clone)]
pub struct OfferedMethod {
    /// Which.
    pub method: Method,
    /// Its names for people, in Chinese and English.
    pub labels: (&'static str, &'static str),
    /// What the payer is shown.
    pub kind: PayKind,
    /// What the payer must be known by, if anything.
    pub payer: Option<&'static str>,
}

impl Gateways {
    /// Every gateway there is, with why it can't be chosen, if it can't: for a price in this
    /// currency and a payer in this country, where they are known.
    pub fn offers(&self, currency: Option<Currency>, country: Option<&str>, now: Ts) -> Vec<Offer> {
        let on = self.on.iter().map(|entry| {
            let terms = entry.gateway.terms();
            let method = |terms: &MethodTerms| OfferedMethod {
                method: terms.method,
                labels: (terms.label_zh, terms.label_en),
                kind: terms.kind,
                payer: terms.payer,
            };
            Offer {
                gateway: entry.gateway.name(),
                labels: (terms.label_zh.to_owned(), terms.label_en.to_owned()),
                methods: terms.methods.iter().map(method).collect(),
                currencies: terms.currencies.clone(),
                countries: terms.countries.clone(),
                not: self.against(entry, currency, country, now).err(),
            }
        });
        let off = self.off.iter().map(|&gateway| Offer {
            gateway,
            labels: (gateway.to_string(), gateway.to_string()),
            methods: Vec::new(),
            currencies: Vec::new(),
            countries: Vec::new(),
            not: Some(NotOffered::Off { gateway }),
        });
        on.chain(off).collect()
    }

    /// Whether a payer can pay a price in this currency over this gateway and method now.
    pub fn may_pay(
        &self,
        gateway: GatewayName,
        method: Method,
        currency: Currency,
        payer: Option<&str>,
        now: Ts,
    ) -> Result<(), NotOffered> {
        let Some(entry) = self.on.iter().find(|entry| entry.gateway.name() == gateway) else {
            return Err(if self.off.contains(&gateway) {
                NotOffered::Off { gateway }
            } else {
                NotOffered::Unknown { gateway }
            });
        };
        self.against(entry, Some(currency), None, now)?;
        let terms = entry.gateway.terms();
        let found = terms.method(method).ok_or_else(|| NotOffered::Method {
            gateway,
            method,
            has: terms.methods.iter().map(|terms| terms.method).collect(),
        })?;
        match found.payer {
            Some(what) if payer.is_none_or(|payer| payer.trim().is_empty()) => {
                Err(NotOffered::Payer { method, what })
            }
            _ => Ok(()),
        }
    }

    fn against(
        &self,
        entry: &Arc<Entry>,
        currency: Option<Currency>,
        country: Option<&str>,
        now: Ts,
    ) -> Result<(), NotOffered> {
        let (gateway, terms) = (entry.gateway.name(), entry.gateway.terms());
        if let Some(currency) = currency
            && !terms.currencies.contains(&currency)
        {
            let takes = terms.currencies.clone();
            return Err(NotOffered::Currency {
                gateway,
                takes,
                currency,
            });
        }
        let wanted = match country {
            Some(country) => vec![country.to_owned()],
            None => self.countries.clone(),
        };
        let serves = |country: &String| terms.countries.contains(&country.as_str());
        if !wanted.is_empty() && !wanted.iter().any(serves) {
            let serves = terms.countries.clone();
            return Err(NotOffered::Country {
                gateway,
                serves,
                wanted,
            });
        }
        if terms
            .methods
            .iter()
            .all(|terms| terms.kind == PayKind::Counter)
        {
            return Err(NotOffered::Counter { gateway });
        }
        match entry.breaker.state(now) {
            BreakerState::Open { until } => Err(NotOffered::Resting { gateway, until }),
            BreakerState::Closed | BreakerState::HalfOpen => Ok(()),
        }
    }
}
