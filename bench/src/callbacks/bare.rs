//! What proving a notice costs by itself: the check of its signature and nothing else, and what a
//! connector does with it (checks, opens, reads), by threads that do nothing else.

use super::outside::{Gateway, Outside, Waiting};
use crate::processor;
use crate::program::get;
use anyhow::{Context, Result, bail, ensure};
use connectors::alipay::{form, signature as alipay};
use connectors::gateway::Callback;
use connectors::rsa::{CertifiedKey, VerifyingKey};
use connectors::stripe::signature::WebhookSecret;
use connectors::unionpay::certificate::Trust;
use connectors::unionpay::fields::Fields;
use connectors::unionpay::signature as unionpay;
use connectors::wechat_pay::signature::answer_message;
use domain::payment::GatewayName;
use engine::clock::{Clock, SystemClock};
use sandbox::PostedNotice;
use std::process;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// Says whether the notice is genuine.
type Check = Arc<dyn Fn() -> bool + Send + Sync>;

/// What was seen of a check.
pub struct Measured {
    /// How often a second all threads together did it.
    pub per_second: f64,
    /// What each took of the processor.
    pub processor: Option<Duration>,
}

/// The check of one notice's signature: the message that was signed is put together before, and
/// keys are read before, but for UnionPay's, whose certificate comes with each notice.
pub async fn signature(outside: &Outside, gateway: Gateway) -> Result<Check> {
    let notice = one_notice(outside, gateway).await?;
    let values = outside.values(gateway.name)?;
    let value = |name: &str| values.get(name).with_context(|| name.to_owned());
    Ok(match gateway.name {
        GatewayName::WECHAT => {
            let key = VerifyingKey::from_spki_pem(value("WECHAT_PLATFORM_KEY_FILE")?)?;
            let (time, nonce) = (
                header(&notice, "wechatpay-timestamp")?,
                header(&notice, "wechatpay-nonce")?,
            );
            let message = answer_message(time, nonce, &notice.body);
            let signature = header(&notice, "wechatpay-signature")?.to_owned();
            Arc::new(move || key.verifies(&message, &signature))
        }
        GatewayName::ALIPAY => {
            let key = VerifyingKey::from_spki_pem(value("ALIPAY_PUBLIC_KEY_FILE")?)?;
            let told = form::decode(&notice.body)?;
            let message = alipay::notice_message(&told).into_bytes();
            let signature = told.get("sign").context("no sign")?.clone();
            Arc::new(move || key.verifies(&message, &signature))
        }
        GatewayName::UNIONPAY => {
            let trust = Trust::new(
                value("UNIONPAY_ROOT_CERT_FILE")?,
                value("UNIONPAY_MIDDLE_CERT_FILE")?,
                value("UNIONPAY_SIGNER")?,
            )?;
            let told = Fields::from_form(&notice.body)?;
            let digest = unionpay::digest_text(&unionpay::message(&told)).into_bytes();
            let certificate = told
                .required("signPubKeyCert")
                .map_err(anyhow::Error::msg)?;
            let certificate = certificate.to_owned();
            let signature = told.required("signature").map_err(anyhow::Error::msg)?;
            let signature = signature.to_owned();
            let now = SystemClock.now();
            Arc::new(move || {
                let key = trust.key_of(&certificate, now);
                key.is_ok_and(|key| key.verifies(&digest, &signature))
            })
        }
        GatewayName::PAYPAL => {
            let certificate = get(header(&notice, "paypal-cert-url")?).await?;
            let key = CertifiedKey::from_pem(&certificate)?.key;
            let message = connectors::paypal::webhook::signature::message(
                header(&notice, "paypal-transmission-id")?,
                header(&notice, "paypal-transmission-time")?,
                value("PAYPAL_WEBHOOK_ID")?,
                &notice.body,
            );
            let signature = header(&notice, "paypal-transmission-sig")?.to_owned();
            Arc::new(move || key.verifies(message.as_bytes(), &signature))
        }
        GatewayName::STRIPE => {
            let secret = WebhookSecret::new(value("STRIPE_WEBHOOK_SECRET")?);
            let signature = header(&notice, "stripe-signature")?.to_owned();
            let (body, now) = (notice.body, SystemClock.now());
            Arc::new(move || secret.verify(Some(&signature), &body, now).is_ok())
        }
        other => bail!("nobody knows how {other} signs"),
    })
}

/// What the connector does with a notice, all of it.
pub async fn reading(outside: &Outside, gateway: Gateway) -> Result<Check> {
    let notice = one_notice(outside, gateway).await?;
    let (connector, runtime) = (outside.connector(gateway.name)?, Handle::current());
    Ok(Arc::new(move || {
        let callback = Callback {
            headers: &notice.headers,
            body: &notice.body,
        };
        let heard = connector.callback(&callback, SystemClock.now());
        runtime.block_on(heard).is_ok()
    }))
}

/// So many threads together do it, again and again.
pub async fn measured(check: &Check, threads: usize, lasting: Duration) -> Result<Measured> {
    // Once before: a certificate may have to be fetched.
    all(check, threads, Duration::ZERO).await?;
    let before = processor::used_by(process::id())?;
    let (begin, count) = (Instant::now(), all(check, threads, lasting).await?);
    let took = begin.elapsed();
    Ok(Measured {
        per_second: f64::from(count) / took.as_secs_f64(),
        processor: (processor::used_by(process::id())? - before).checked_div(count),
    })
}

/// How often they did it; each at least once.
async fn all(check: &Check, threads: usize, lasting: Duration) -> Result<u32> {
    let mut running = Vec::new();
    for _ in 0..threads {
        let check = Arc::clone(check);
        running.push(tokio::task::spawn_blocking(move || {
            let (begin, mut count) = (Instant::now(), 0_u32);
            loop {
                ensure!(check(), "a genuine notice was not believed");
                count += 1;
                if begin.elapsed() >= lasting {
                    return Ok(count);
                }
            }
        }));
    }
    let mut count = 0;
    for thread in running {
        count += thread.await??;
    }
    Ok(count)
}

async fn one_notice(outside: &Outside, gateway: Gateway) -> Result<PostedNotice> {
    let waiting = Waiting {
        number: "0123456789abcdef0123456789abcdef".to_owned(),
        handle: "H0123456789abcdef0123456789abcdef".to_owned(),
        asked_at: SystemClock.now(),
    };
    let notices = outside.notices(gateway, &[waiting]).await?;
    notices.first().cloned().context("no notice")
}

fn header<'n>(notice: &'n PostedNotice, name: &str) -> Result<&'n str> {
    let found = notice.headers.iter().find(|(key, _)| key == name);
    found
        .map(|(_, value)| value.as_str())
        .with_context(|| format!("the notice has no {name}"))
}
