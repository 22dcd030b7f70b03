//! Business settings: data in `system_configs`, changed while running, versioned (spec 00).

use crate::engine::Engine;
use crate::error::EngineError;
use crate::reconciliation::{self, ReconciliationSettings};
use domain::consultation::{ConsultationType, Rules, TimerName, When};
use domain::{DepartmentId, Money, Share, Ts, UserId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use store::{ConfigRow, Store};

/// The configuration that holds [`Rules`].
pub const RULES: &str = "consultation.rules";
/// The configuration that holds [`Prices`].
pub const PRICES: &str = "consultation.prices";
/// The configuration that holds [`Maintenance`].
pub const MAINTENANCE: &str = "maintenance";
/// The configuration that holds [`Hospital`].
pub const HOSPITAL: &str = "hospital";
/// The configuration that holds [`ReconciliationSettings`].
pub const RECONCILIATION: &str = "reconciliation";
/// The configurations that there are.
pub const ALL: [&str; 5] = [RULES, PRICES, MAINTENANCE, HOSPITAL, RECONCILIATION];

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

/// Whose orders these are, as its documents say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Hospital {
    /// Its name in Chinese, 1 to 60 characters.
    pub name_zh: String,
    /// Its name in English, 1 to 60 characters.
    pub name_en: String,
}

impl Default for Hospital {
    fn default() -> Self {
        Self {
            name_zh: "杏林互联网医院".to_owned(),
            name_en: "Xinglin Internet Hospital".to_owned(),
        }
    }
}

/// What a booking is made by.
#[derive(Debug)]
pub(crate) struct Current {
    /// The newest rules.
    pub rules: Arc<Rules>,
    /// What a dispatched consultation costs.
    pub prices: Prices,
    /// Where one can be booked.
    pub departments: HashSet<DepartmentId>,
}

/// The settings as they were a moment ago, and rules by version; once written, a version never
/// changes.
#[derive(Debug)]
pub(crate) struct Settings {
    current: RwLock<Arc<Current>>,
    rules: Mutex<HashMap<i64, Arc<Rules>>>,
}

impl Settings {
    /// Writes the defaults of a new database, and reads what there is.
    pub async fn load(store: &Store, now: Ts) -> Result<Self, EngineError> {
        write_default(store, RULES, &Rules::default(), now).await?;
        write_default(store, PRICES, &Prices::default(), now).await?;
        write_default(store, MAINTENANCE, &Maintenance::default(), now).await?;
        write_default(store, HOSPITAL, &Hospital::default(), now).await?;
        let reconciliation = ReconciliationSettings::default();
        write_default(store, RECONCILIATION, &reconciliation, now).await?;
        Ok(Self {
            current: RwLock::new(Arc::new(read_current(store).await?)),
            rules: Mutex::default(),
        })
    }

    /// As they were when last looked at, at most a second ago while the loops run.
    pub fn current(&self) -> Arc<Current> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// Looks at them again.
    pub async fn refresh(&self, store: &Store) -> Result<Arc<Current>, EngineError> {
        let found = Arc::new(read_current(store).await?);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::clone(&found);
        Ok(found)
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
        let rules = Arc::new(rules(row)?);
        let mut known = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(version, Arc::clone(&rules));
        Ok(rules)
    }
}

fn rules(row: ConfigRow) -> Result<Rules, EngineError> {
    let rules: Rules = read(RULES, row.value)?;
    Ok(Rules {
        version: row.version,
        ..rules
    })
}

async fn read_current(store: &Store) -> Result<Current, EngineError> {
    let rules = match store.config(RULES).await? {
        Some(row) => rules(row)?,
        None => Rules::default(),
    };
    let departments = store.departments().await?;
    Ok(Current {
        rules: Arc::new(rules),
        prices: current(store, PRICES).await?,
        departments: departments.into_iter().map(|row| row.id).collect(),
    })
}

impl Engine {
    /// Writes the next version of a setting; `expected` is the version that it was read at. Holds at
    /// once in this process, and within a second in every other.
    pub async fn set(
        &self,
        name: &str,
        value: serde_json::Value,
        by: UserId,
        expected: i64,
    ) -> Result<i64, EngineError> {
        let store = &self.inner.store;
        let now = self.now();
        let version = store
            .put_config(name, value, Some(by), now, expected)
            .await?;
        self.inner.settings.refresh(store).await?;
        Ok(version)
    }
}

/// What is stopped now.
pub async fn maintenance(store: &Store) -> Result<Maintenance, EngineError> {
    current(store, MAINTENANCE).await
}

/// Whose orders these are.
pub async fn hospital(store: &Store) -> Result<Hospital, EngineError> {
    current(store, HOSPITAL).await
}

/// When days are reconciled, and who decides about what differs.
pub async fn reconciliation_settings(store: &Store) -> Result<ReconciliationSettings, EngineError> {
    current(store, RECONCILIATION).await
}

/// Whether a value would be accepted under this name, in words if not.
pub fn validate(name: &str, value: &serde_json::Value) -> Result<(), String> {
    match name {
        RULES => sensible_rules(&check(value)?),
        PRICES => sensible_prices(&check(value)?),
        MAINTENANCE => check::<Maintenance>(value).map(drop),
        HOSPITAL => sensible_names(&check(value)?),
        RECONCILIATION => reconciliation::sensible(&check(value)?),
        other => Err(format!(
            "`{other}` is not a setting: use {}",
            ALL.join(", ")
        )),
    }
}

fn check<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T, String> {
    serde_json::from_value::<T>(value.clone()).map_err(|error| error.to_string())
}

/// Nothing is free, and nobody is paid for coming.
fn sensible_prices(prices: &Prices) -> Result<(), String> {
    let all = [
        ("text", prices.text),
        ("phone", prices.phone),
        ("video", prices.video),
    ];
    match all.iter().find(|(_, price)| price.amount < 1) {
        Some((name, _)) => Err(format!("{name}.amount must be at least 1 minor unit")),
        None => Ok(()),
    }
}

/// Names that fit on a document's head.
fn sensible_names(hospital: &Hospital) -> Result<(), String> {
    for (field, name) in [("nameZh", &hospital.name_zh), ("nameEn", &hospital.name_en)] {
        let fits = (1..=60).contains(&name.trim().chars().count());
        if !fits || name.chars().any(char::is_control) {
            return Err(format!("{field} must have 1 to 60 characters on one line"));
        }
    }
    Ok(())
}

/// Deadlines that can pass, limits that can be reached, and what no version may change: a fault of
/// the doctor or of the system is refunded in full (spec 10, refund shares).
fn sensible_rules(rules: &Rules) -> Result<(), String> {
    for name in TimerName::ALL {
        // A session may be given up at the very end of its slot.
        let least = i64::from(name != TimerName::DoctorNoShow);
        if rules.timeout(name).as_seconds() < least {
            let name = name.name();
            return Err(format!("timeouts.{name} must be at least {least} seconds"));
        }
    }
    if rules.timeouts.refund_retry.iter().any(|wait| *wait < 1) {
        return Err("timeouts.refund_retry must be at least 1 second each".to_owned());
    }
    let limits = [
        ("max_assignments", rules.max_assignments),
        ("max_calls", rules.max_calls),
        ("max_connection_failures", rules.max_connection_failures),
    ];
    if let Some((name, _)) = limits.iter().find(|(_, limit)| *limit < 1) {
        return Err(format!("{name} must be at least 1"));
    }
    for fault in [When::DoctorFault, When::SystemFault] {
        let mut rows = rules.shares.iter().filter(|row| row.when == fault);
        let anywhere = rows.clone().any(|row| row.status.is_none());
        if !anywhere || rows.any(|row| row.share != Some(Share::FULL)) {
            return Err(format!("shares: a {fault} is refunded in full, always"));
        }
    }
    Ok(())
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
