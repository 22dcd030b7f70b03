//! Where a certificate may come from.
//!
//! The address stands in a header that anybody can write, and whoever answers there decides what is
//! believed. So it must be PayPal itself, over TLS, which proves the host.

use super::super::config::is_on_this_machine;
use reqwest::Url;

/// Where PayPal keeps its certificates.
pub const PATH: &str = "/v1/notifications/certs/";
/// PayPal's hosts (webhooks' `paypal-cert-url`, seen with `api.` and `api-m.`).
const PRODUCTION: [&str; 2] = ["api.paypal.com", "api-m.paypal.com"];
/// PayPal's hosts for trials.
const TRIALS: [&str; 2] = ["api.sandbox.paypal.com", "api-m.sandbox.paypal.com"];
/// PayPal takes no longer ones for verification (`cert_url`).
const MAX_LENGTH: usize = 500;

/// The hosts that certificates are fetched from, for one base URL: those of the same environment,
/// so that what PayPal's trials sign is nothing in production. For a sandbox on this machine, that
/// sandbox and no other.
#[derive(Debug, Clone)]
pub struct AllowedHosts(Allowed);

#[derive(Debug, Clone)]
enum Allowed {
    PayPal([&'static str; 2]),
    /// Scheme, host and port of a sandbox on this machine.
    Sandbox(Box<Url>),
}

impl AllowedHosts {
    /// Those that belong to this base URL.
    pub fn of(base: &Url) -> Self {
        let trials = base.host_str().is_some_and(|host| TRIALS.contains(&host));
        Self(if is_on_this_machine(base) {
            Allowed::Sandbox(Box::new(base.clone()))
        } else if trials {
            Allowed::PayPal(TRIALS)
        } else {
            Allowed::PayPal(PRODUCTION)
        })
    }

    /// The address, if a certificate may be fetched there.
    pub fn check(&self, text: &str) -> Result<Url, String> {
        let refused = |why: &str| {
            let text: String = text.chars().take(MAX_LENGTH).collect();
            Err(format!("certificate address `{text}` {why}"))
        };
        if text.len() > MAX_LENGTH {
            return refused("is too long");
        }
        let Ok(url) = Url::parse(text) else {
            return refused("is no URL");
        };
        let host = url.host_str().unwrap_or_default();
        let ours = match &self.0 {
            Allowed::PayPal(hosts) => {
                url.scheme() == "https" && url.port().is_none() && hosts.contains(&host)
            }
            Allowed::Sandbox(base) => url.origin() == base.origin(),
        };
        if !ours {
            return refused("is not PayPal's");
        }
        let named = url.username().is_empty() && url.password().is_none();
        if !named || url.query().is_some() || url.fragment().is_some() {
            return refused("has more than host and path");
        }
        // A sandbox may live below a path of its own.
        let below = match &self.0 {
            Allowed::PayPal(_) => "",
            Allowed::Sandbox(base) => base.path().trim_end_matches('/'),
        };
        let path = url.path().strip_prefix(below).unwrap_or_default();
        let name = path.strip_prefix(PATH).unwrap_or_default();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || !name.bytes().all(allowed) {
            return refused("is not where certificates are");
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hosts(base: &str) -> AllowedHosts {
        AllowedHosts::of(&Url::parse(base).unwrap())
    }

    #[test]
    fn each_environment_has_its_own_hosts() {
        let live = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594";
        let live_m = "https://api-m.paypal.com/v1/notifications/certs/CERT-1";
        let trial = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1";
        let own = "http://127.0.0.1:8102/v1/notifications/certs/CERT-1";
        for (base, good, bad) in [
            (
                "https://api-m.paypal.com",
                vec![live, live_m],
                vec![trial, own],
            ),
            (
                "https://api-m.sandbox.paypal.com",
                vec![trial],
                vec![live, live_m, own],
            ),
            (
                "http://127.0.0.1:8102",
                vec![own],
                vec![live, live_m, trial],
            ),
        ] {
            let hosts = hosts(base);
            for url in good {
                assert!(hosts.check(url).is_ok(), "{base}: {url}");
            }
            for url in bad {
                assert!(hosts.check(url).is_err(), "{base}: {url}");
            }
        }
    }

    #[test]
    fn only_paypals_own_certificates_are_fetched() {
        let hosts = hosts("https://api-m.paypal.com");
        for url in [
            "",
            "CERT-1",
            "http://api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
            "https://paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
            "https://evil.example/v1/notifications/certs/CERT-1",
            "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
            "https://user@api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com/v1/notifications/certs/",
            "https://api.paypal.com/v1/notifications/certs/../../evil",
            "https://api.paypal.com/v1/notifications/certs/a/b",
            "https://api.paypal.com/v1/notifications/certs/a%2e%2e",
            "https://api.paypal.com/v1/notifications/certs/CERT-1?to=evil",
            "https://api.paypal.com/v1/notifications/certs/CERT-1#evil",
            "https://api.paypal.com/upload/CERT-1",
            "file:///v1/notifications/certs/CERT-1",
            "https://аpi.paypal.com/v1/notifications/certs/CERT-1",
        ] {
            assert!(hosts.check(url).is_err(), "{url}");
        }
        let long = format!(
            "https://api.paypal.com/v1/notifications/certs/{}",
            "a".repeat(500)
        );
        assert!(hosts.check(&long).is_err());
        let below = self::hosts("http://127.0.0.1:8102/paypal");
        assert!(
            below
                .check("http://127.0.0.1:8102/paypal/v1/notifications/certs/C")
                .is_ok()
        );
        assert!(
            below
                .check("http://127.0.0.1:8102/v1/notifications/certs/C")
                .is_err()
        );
        let other_port = "http://127.0.0.1:9/v1/notifications/certs/CERT-1";
        assert!(
            self::hosts("http://127.0.0.1:8102")
                .check(other_port)
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn nothing_written_there_leads_elsewhere(text in "(https?://)?[a-z.@:/?#%A-Z0-9-]{0,80}") {
            if let Ok(url) = hosts("https://api-m.paypal.com").check(&text) {
                prop_assert_eq!(url.scheme(), "https");
                prop_assert!(PRODUCTION.contains(&url.host_str().unwrap()));
                prop_assert!(url.path().starts_with(PATH));
            }
        }
    }
}
