//! Business settings: data in `system_configs`, changed while running, versioned (spec 00).

use crate::error::EngineError;
use domain::consultation::{ConsultationType, Rules};
use domain::{Money, Ts};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::Store;

/// The configuration that holds [`Rules`].
pub const RULES: &str = "consultation.rules";
/// The configuration that holds [`Prices`].
pub const PRICES: &str = "consultation.prices";
/// The configuration that holds [`Maintenance`].
pub const MAINTENANCE: &str = "maintenance";

/// What a dispatched consultation costs, by type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Text and pictures.
    pub text: Money,
    /// By voice.
    pub phone: Money,
    /// By video.
    pub video: Money,
}

impl Default for Prices {
    fn default() -> Self {
        Self {
            text: Money::fen(3000),
            phone: Money::fen(5000),
            video: Money::fen(8000),
        }
    }
}

impl Prices {
    /// The price of this type.
    pub const fn of(&self, kind: ConsultationType) -> Money {
        match kind {
            ConsultationType::Text => self.text,
            ConsultationType::Phone => self.phone,
            ConsultationType::Video => self.video,
        }
    }
}

/// Parts of the program that operations stopped. What waits for them meets its deadline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Maintenance {
    /// No doctors are looked for.
    #[serde(default)]
    pub dispatch_paused: bool,
    /// No numbers are given.
    #[serde(default)]
    pub numbers_paused: bool,
}

/// Rules by version; once written, a version never changes.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    rules: Mutex<HashMap<i64, Arc<Rules>>>,
}

impl Settings {
    /// Writes the defaults of a new database.
    pub async fn load(store: &Store, now: Ts) -> Result<Self, EngineError> {
        write_default(store, RULES, &Rules::default(), now).await?;
        write_default(store, PRICES, &Prices::default(), now).await?;
        write_default(store, MAINTENANCE, &Maintenance::default(), now).await?;
        Ok(Self::default())
    }

    /// The newest rules.
    pub async fn rules(&self, store: &Store) -> Result<Arc<Rules>, EngineError> {
        let row = store.config(RULES).await?;
        let Some(row) = row else {
            return Ok(Arc::new(Rules::default()));
        };
        self.keep(row.version, row.value)
    }

    /// The rules of a version, as an order keeps them.
    pub async fn rules_of(&self, store: &Store, version: i64) -> Result<Arc<Rules>, EngineError> {
        let known = self
            .rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&version)
            .cloned();
        if let Some(rules) = known {
            return Ok(rules);
        }
        let row = store.config_version(RULES, version).await?;
        let Some(row) = row else {
            return Err(EngineError::Corrupt(format!(
                "{RULES} has no version {version}"
            )));
        };
        self.keep(version, row.value)
    }

    fn keep(&self, version: i64, value: serde_json::Value) -> Result<Arc<Rules>, EngineError> {
        let mut rules: Rules = read(RULES, value)?;
        rules.version = version;
        let rules = Arc::new(rules);
        let mut known = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(version, Arc::clone(&rules));
        Ok(rules)
    }
}

/// The prices now.
pub async fn prices(store: &Store) -> Result<Prices, EngineError> {
    current(store, PRICES).await
}

/// What is stopped now.
pub async fn maintenance(store: &Store) -> Result<Maintenance, EngineError> {
    current(store, MAINTENANCE).await
}

/// Whether a value would be accepted under this name, in words if not.
pub fn validate(name: &str, value: &serde_json::Value) -> Result<(), String> {
    match name {
        RULES => check::<Rules>(value),
        PRICES => check::<Prices>(value),
        MAINTENANCE => check::<Maintenance>(value),
        other => Err(format!(
            "`{other}` is not a setting: use {RULES}, {PRICES} or {MAINTENANCE}"
        )),
    }
}

fn check<T: DeserializeOwned>(value: &serde_json::Value) -> Result<(), String> {
    serde_json::from_value::<T>(value.clone())
        .map(drop)
        .map_err(|error| error.to_string())
}

async fn current<T: DeserializeOwned + Default>(
    store: &Store,
    name: &str,
) -> Result<T, EngineError> {
    match store.config(name).await? {
        Some(row) => read(name, row.value),
        None => Ok(T::default()),
    }
}

fn read<T: DeserializeOwned>(name: &str, value: serde_json::Value) -> Result<T, EngineError> {
    serde_json::from_value(value).map_err(|error| EngineError::Corrupt(format!("{name}: {error}")))
}

async fn write_default<T: Serialize + Sync>(
    store: &Store,
    name: &str,
    value: &T,
    now: Ts,
) -> Result<(), EngineError> {
    if store.config(name).await?.is_some() {
        return Ok(());
    }
    let value = serde_json::to_value(value).map_err(|e| EngineError::Corrupt(e.to_string()))?;
    match store.put_config(name, value, None, now, 0).await {
        // Another process was faster: its default is the same.
        Ok(_) | Err(store::CommitError::Moved) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
