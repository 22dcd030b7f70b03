//! How a gateway is made known to the program: its name, its settings, and how it is opened.

use super::PaymentGateway;
use domain::payment::GatewayName;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// A gateway's entry in the list of gateways ([`crate::gateways`]).
#[derive(Clone, Copy)]
pub struct Registration {
    /// Its name.
    pub name: GatewayName,
    /// What must be configured, each an environment variable and a command line option.
    pub settings: &'static [Setting],
    /// Opens it; nothing is sent.
    pub open: fn(&Values) -> Result<Arc<dyn PaymentGateway>, SettingError>,
}

/// One thing to be configured.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The environment variable, such as `WECHAT_APPID`.
    pub name: &'static str,
    /// One line for `--help` and the documentation.
    pub help: &'static str,
    /// What kind of value it takes.
    pub kind: SettingKind,
    /// What is used where nothing is given. Without a default, the gateway needs it to be on.
    pub default: Option<&'static str>,
}

/// What kind of value a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    /// A text that may be shown.
    Text,
    /// A text that may not be shown.
    Secret,
    /// The path of a file (PEM); the gateway gets its content.
    File,
    /// Like `File`, but it may be left out.
    OptionalFile,
}

/// A setting that is missing or wrong, in one line.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{name} {why}")]
pub struct SettingError {
    /// Which.
    pub name: String,
    /// What is wrong, and what would be right.
    pub why: String,
}

impl SettingError {
    /// The setting is wrong, for this reason.
    pub fn new(name: &str, why: impl fmt::Display) -> Self {
        Self {
            name: name.to_owned(),
            why: why.to_string(),
        }
    }
}

/// A gateway's settings by name; of files, their content.
#[derive(Clone)]
pub struct Values {
    /// The values by the settings' names.
    pub values: BTreeMap<String, String>,
    /// This server's address as gateways and browsers reach it, without a slash at its end.
    pub public_url: String,
    /// How long to wait for an answer.
    pub timeout: Duration,
}

impl Values {
    /// The value of a setting.
    pub fn get(&self, name: &str) -> Result<&str, SettingError> {
        self.optional(name)
            .ok_or_else(|| SettingError::new(name, "is not set"))
    }

    /// The value of a setting that may be left out.
    pub fn optional(&self, name: &str) -> Option<&str> {
        let value = self.values.get(name).map(String::as_str);
        value.filter(|value| !value.trim().is_empty())
    }

    /// Where this gateway sends its callbacks.
    pub fn notify_url(&self, gateway: GatewayName) -> String {
        let base = self.public_url.trim_end_matches('/');
        format!("{base}/api/v1/payments/webhook/{gateway}")
    }
}

impl fmt::Debug for Values {
    /// Names only: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.values.keys().collect();
        f.debug_struct("Values")
            .field("names", &names)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}
