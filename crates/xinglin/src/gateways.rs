//! Payment gateways from the command line and the environment: each one's own settings, read from
//! its registration, so that one more gateway needs nothing here.

use crate::config::read;
use anyhow::{Result, bail};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use connectors::gateway::{Registration, Setting, SettingKind, Values};
use engine::Gateways;
use std::collections::BTreeMap;
use std::time::Duration;

const PUBLIC_URL: &str = "XINGLIN_PUBLIC_URL";
const TIMEOUT: &str = "PAYMENT_TIMEOUT";
const COUNTRIES: &str = "XINGLIN_COUNTRIES";

/// What was given of the gateways' settings; files are not read yet.
#[derive(Debug, Clone, Default)]
pub struct GatewayArgs {
    given: BTreeMap<String, String>,
}

/// A setting that all gateways share: its name, its help, its default.
const SHARED: [(&str, &str, Option<&str>); 3] = [
    (
        PUBLIC_URL,
        "This server's address as gateways and browsers reach it, such as https://hospital.example",
        None,
    ),
    (
        TIMEOUT,
        "How long to wait for a gateway, in seconds, 1 to 60",
        Some("10"),
    ),
    (
        COUNTRIES,
        "Where payments are taken, by ISO 3166 letters: CN or CN,NZ; everywhere if left out",
        None,
    ),
];

fn settings() -> impl Iterator<Item = (&'static Registration, &'static Setting)> {
    let of = |registration: &'static Registration| {
        let settings = registration.settings.iter();
        settings.map(move |setting| (registration, setting))
    };
    connectors::gateways().iter().flat_map(of)
}

/// `WECHAT_APPID` is `--wechat-appid`; the platform's own `XINGLIN_` is left out.
fn option(name: &'static str) -> String {
    let name = name.strip_prefix("XINGLIN_").unwrap_or(name);
    name.to_lowercase().replace('_', "-")
}

impl Args for GatewayArgs {
    fn augment_args(command: Command) -> Command {
        let arg = |name: &'static str, help: &str| {
            Arg::new(name)
                .long(option(name))
                .env(name)
                .help(help.to_owned())
        };
        let command = SHARED
            .iter()
            .fold(command, |command, (name, help, default)| {
                let shared = arg(name, help);
                command.arg(match default {
                    Some(default) => shared.default_value(*default),
                    None => shared,
                })
            });
        settings().fold(command, |command, (registration, setting)| {
            let help = format!("{}: {}", registration.name, setting.help);
            let given =
                arg(setting.name, &help).hide_env_values(setting.kind == SettingKind::Secret);
            command.arg(match setting.default {
                Some(default) => given.default_value(default),
                None => given,
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for GatewayArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let shared = SHARED.iter().map(|(name, ..)| *name);
        for name in shared.chain(settings().map(|(_, setting)| setting.name)) {
            if let Some(value) = matches.get_one::<String>(name)
                && !value.trim().is_empty()
            {
                self.given.insert(name.to_owned(), value.clone());
            }
        }
        Ok(())
    }
}

impl GatewayArgs {
    /// How long to wait for a gateway.
    pub fn timeout(&self) -> Result<Duration> {
        let given = self.given.get(TIMEOUT).map_or("10", String::as_str);
        match given.parse::<u64>() {
            Ok(seconds @ 1..=60) => Ok(Duration::from_secs(seconds)),
            _ => bail!("{TIMEOUT} is `{given}`: it must be a whole number of seconds, 1 to 60"),
        }
    }

    /// This server's address as others reach it, if it was given.
    pub fn public_url(&self) -> Result<Option<String>> {
        let Some(given) = self.given.get(PUBLIC_URL) else {
            return Ok(None);
        };
        let fits = reqwest::Url::parse(given).is_ok_and(|url| {
            let plain = url.query().is_none() && url.fragment().is_none();
            matches!(url.scheme(), "http" | "https") && url.has_host() && plain
        });
        if !fits {
            bail!(
                "{PUBLIC_URL} is `{given}`: it must be an address such as https://hospital.example"
            );
        }
        Ok(Some(given.trim_end_matches('/').to_owned()))
    }

    /// Where payments are taken.
    pub fn countries(&self) -> Result<Vec<String>> {
        let Some(given) = self.given.get(COUNTRIES) else {
            return Ok(Vec::new());
        };
        let countries: Vec<String> = given.split(',').map(|one| one.trim().to_owned()).collect();
        let fits = |one: &String| one.len() == 2 && one.bytes().all(|b| b.is_ascii_uppercase());
        if !countries.iter().all(fits) {
            bail!(
                "{COUNTRIES} is `{given}`: it must be capital letters of ISO 3166, such as CN,NZ"
            );
        }
        Ok(countries)
    }

    /// Opens every gateway whose settings are given; one of which only some are given is an error.
    pub fn open(&self) -> Result<Gateways> {
        let (timeout, public_url) = (self.timeout()?, self.public_url()?);
        let mut gateways = Gateways::new().in_countries(self.countries()?);
        for registration in connectors::gateways() {
            let needed = || registration.settings.iter().filter(|s| is_needed(s));
            let is_given = |setting: &&Setting| self.given.contains_key(setting.name);
            if needed().count() > 0 && !needed().any(|setting| is_given(&setting)) {
                gateways = gateways.with_off(registration.name);
                continue;
            }
            let missing = needed().find(|setting| !is_given(setting));
            if let Some(missing) = missing {
                bail!(
                    "{} is not set: the gateway {} needs it together with its other settings",
                    missing.name,
                    registration.name
                );
            }
            let public_url = match (&public_url, needed().count()) {
                (Some(url), _) => url.clone(),
                (None, 0) => String::new(),
                (None, _) => bail!(
                    "{PUBLIC_URL} is not set: the gateway {} must know where to send its notices",
                    registration.name
                ),
            };
            let values = Values {
                values: self.values(registration)?,
                public_url,
                timeout,
            };
            refuse_sandbox_in_production(&values)?;
            let gateway = (registration.open)(&values)?;
            gateways = gateways.with(gateway);
        }
        Ok(gateways)
    }

    fn values(&self, registration: &Registration) -> Result<BTreeMap<String, String>> {
        let mut values = BTreeMap::new();
        for setting in registration.settings {
            let Some(given) = self.given.get(setting.name) else {
                continue;
            };
            let value = match setting.kind {
                SettingKind::Text | SettingKind::Secret => given.clone(),
                SettingKind::File | SettingKind::OptionalFile => read(setting.name, given)?,
            };
            values.insert(setting.name.to_owned(), value);
        }
        Ok(values)
    }
}

/// Whether a gateway is off without it.
fn is_needed(setting: &Setting) -> bool {
    setting.default.is_none()
        && match setting.kind {
            SettingKind::Text | SettingKind::Secret | SettingKind::File => true,
            SettingKind::OptionalFile => false,
        }
}

/// Real money goes to real gateways, over TLS.
fn refuse_sandbox_in_production(values: &Values) -> Result<()> {
    let production = std::env::var("XINGLIN_ENV").is_ok_and(|env| env == "production");
    let plain = values.values.iter().find(|(name, value)| {
        name.ends_with("_URL") && production && !value.starts_with("https://")
    });
    match plain {
        Some((name, value)) => {
            bail!("{name} is `{value}`: with XINGLIN_ENV=production it must be https")
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_documented_with_its_default() {
        let documented = include_str!("../../../docs/configuration.md");
        for (name, _, default) in SHARED {
            let line = documented
                .lines()
                .find(|line| line.contains(&format!("`{name}`")));
            let line = line.unwrap_or_else(|| panic!("{name} is not documented"));
            assert!(
                default.is_none_or(|default| line.contains(default)),
                "{line}"
            );
        }
        for (registration, setting) in settings() {
            let name = format!("`{}`", setting.name);
            let mut lines = documented.lines().filter(|line| line.contains(&name));
            let line = lines.find(|line| line.starts_with('|'));
            let line =
                line.unwrap_or_else(|| panic!("{name} of {} is not documented", registration.name));
            let default = setting.default.unwrap_or("none");
            assert!(
                line.contains(default),
                "{line} should have the default {default}"
            );
        }
    }

    #[test]
    fn names_of_settings_and_options_are_each_ones_own() {
        let mut names: Vec<&str> = settings().map(|(_, setting)| setting.name).collect();
        names.extend(SHARED.map(|(name, ..)| name));
        let mut options: Vec<String> = names.iter().map(|name| option(name)).collect();
        options.sort();
        options.dedup();
        assert_eq!(options.len(), names.len());
    }
}
