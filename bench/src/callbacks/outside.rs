//! The gateways, played by the sandbox: their settings, their connectors, and genuine notices.

use anyhow::{Context, Result};
use connectors::gateway::{PaymentGateway, SettingKind, Values};
use domain::payment::{GatewayName, Method};
use domain::{Currency, Money, Span, Ts};
use engine::clock::{Clock, SystemClock};
use sandbox::views::Webhook;
use sandbox::{PaidPayment, PostedNotice, Sandbox, SandboxClock, SandboxConfig};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Minor units that each order costs.
pub const PRICE: i64 = 3_000;

/// Nobody listens there: notices are carried by the bench itself.
const PUBLIC_URL: &str = "http://127.0.0.1:9";

/// How many threads sign notices: the machine has nothing else to do meanwhile.
const SIGNERS: usize = 2;

/// A gateway whose notices are measured.
#[derive(Debug, Clone, Copy)]
pub struct Gateway {
    /// Which.
    pub name: GatewayName,
    /// As the report names it.
    pub label: &'static str,
    /// How it is paid.
    pub method: Method,
    /// In what.
    pub currency: Currency,
}

/// What proves a notice: RSA-2048 at four of them, a keyed hash at Stripe.
pub const GATEWAYS: [Gateway; 5] = [
    gateway(GatewayName::WECHAT, "WeChat Pay", Method::NATIVE),
    gateway(GatewayName::ALIPAY, "Alipay", Method::PRECREATE),
    gateway(GatewayName::UNIONPAY, "UnionPay", Method::FRONT),
    abroad(GatewayName::PAYPAL, "PayPal", Method::CHECKOUT),
    abroad(GatewayName::STRIPE, "Stripe", Method::CARD),
];

const fn gateway(name: GatewayName, label: &'static str, method: Method) -> Gateway {
    Gateway {
        name,
        label,
        method,
        currency: Currency::CNY,
    }
}

const fn abroad(name: GatewayName, label: &'static str, method: Method) -> Gateway {
    Gateway {
        currency: Currency::NZD,
        ..gateway(name, label, method)
    }
}

/// A payment that waits for its notice.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Our number of it.
    pub number: String,
    /// The gateway's.
    pub handle: String,
    /// When it was asked for.
    pub asked_at: Ts,
}

/// The machine's clock, for the sandbox too.
struct RealTime;

impl SandboxClock for RealTime {
    fn now(&self) -> Ts {
        SystemClock.now()
    }

    fn advance(&self, by: Span) -> Result<Ts, String> {
        Clock::advance(&SystemClock, by).map_err(|error| error.to_string())
    }
}

/// All gateways, with keys of their own, on loopback: PayPal's certificate is fetched there.
pub struct Outside {
    sandbox: Sandbox,
    base_url: String,
}

impl Outside {
    /// Opens them.
    pub async fn open() -> Result<Self> {
        let sandbox = Sandbox::open(SandboxConfig::default(), Arc::new(RealTime))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let router = sandbox.router();
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the sandbox ended: {error}");
            }
        });
        for each in GATEWAYS {
            sandbox.set_webhook(Webhook {
                gateway: each.name,
                url: Some(format!(
                    "{PUBLIC_URL}/api/v1/payments/webhook/{}",
                    each.name
                )),
            })?;
        }
        Ok(Self { sandbox, base_url })
    }

    /// The merchant's settings, by name.
    pub fn values(&self, gateway: GatewayName) -> Result<BTreeMap<String, String>> {
        let values = self.sandbox.values(gateway, &self.base_url)?;
        let owned = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Ok(owned.collect())
    }

    /// The connector, opened as the program opens it.
    pub fn connector(&self, gateway: GatewayName) -> Result<Arc<dyn PaymentGateway>> {
        let values = Values {
            values: self.values(gateway)?,
            public_url: PUBLIC_URL.to_owned(),
            timeout: Duration::from_secs(5),
        };
        Ok((registration(gateway)?.open)(&values)?)
    }

    /// The settings as the server's environment; what is to be a file is written to the folder.
    pub fn environment(
        &self,
        gateway: GatewayName,
        folder: &Path,
    ) -> Result<Vec<(String, String)>> {
        std::fs::create_dir_all(folder)?;
        let mut environment = vec![("XINGLIN_PUBLIC_URL".to_owned(), PUBLIC_URL.to_owned())];
        let values = self.values(gateway)?;
        for setting in registration(gateway)?.settings {
            let Some(value) = values.get(setting.name) else {
                continue;
            };
            let given = match setting.kind {
                SettingKind::Text | SettingKind::Secret => value.clone(),
                SettingKind::File | SettingKind::OptionalFile => {
                    let file = folder.join(setting.name);
                    std::fs::write(&file, value)?;
                    file.display().to_string()
                }
            };
            environment.push((setting.name.to_owned(), given));
        }
        Ok(environment)
    }

    /// A genuine notice for each of these payments, as its gateway posts it now.
    pub async fn notices(
        &self,
        gateway: Gateway,
        waiting: &[Waiting],
    ) -> Result<Arc<Vec<PostedNotice>>> {
        let mut signing = JoinSet::new();
        for some in waiting.chunks(waiting.len().div_ceil(SIGNERS).max(1)) {
            let (sandbox, base_url) = (self.sandbox.clone(), self.base_url.clone());
            let some = some.to_vec();
            signing.spawn_blocking(move || {
                let notice = |waiting: Waiting| {
                    sandbox.notice_of(&PaidPayment {
                        gateway: gateway.name,
                        out_trade_no: waiting.number,
                        method: gateway.method,
                        amount: Money::new(PRICE, gateway.currency),
                        handle: waiting.handle,
                        asked_at: waiting.asked_at,
                        base_url: base_url.clone(),
                    })
                };
                some.into_iter().map(notice).collect::<Result<Vec<_>, _>>()
            });
        }
        let mut all = Vec::with_capacity(waiting.len());
        while let Some(signed) = signing.join_next().await {
            all.extend(signed??);
        }
        Ok(Arc::new(all))
    }
}

fn registration(gateway: GatewayName) -> Result<&'static connectors::gateway::Registration> {
    let found = connectors::gateways()
        .iter()
        .find(|registration| registration.name == gateway);
    found.with_context(|| format!("no gateway {gateway} is registered"))
}
