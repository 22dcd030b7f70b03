//! Notices of gateways, verified and committed: genuine ones, each of a payment that waits for it,
//! given to the engine as the API gives them; and beside them what the check of a signature costs
//! alone on the same machine. WeChat signs with RSA and seals with AES, Stripe has a keyed hash.

use crate::load::Seen;
use crate::program::{COMPLAINT, DEPARTMENT, patient};
use crate::raw::rows;
use anyhow::{Context, Result, ensure};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connectors::gateway::PaymentGateway;
use connectors::rsa::{SigningKey, VerifyingKey};
use connectors::stripe::signature::WebhookSecret;
use connectors::stripe::{Stripe, StripeConfig};
use connectors::wechat_pay::resource::ResourceKey;
use connectors::wechat_pay::signature::{answer_message, nonce};
use connectors::wechat_pay::wire::{Notification, Transaction, TransactionAmount, beijing_time};
use connectors::wechat_pay::{PlatformKey, WechatPay, WechatPayConfig};
use domain::consultation::{
    Command, ConsultationType, Facts, Mode, NewConsultation, create, decide,
};
use domain::order::{Actor, Role};
use domain::payment::{GatewayName, Method, PayWith};
use domain::{Currency, Money, OrderId, Ts};
use engine::clock::{Clock, SystemClock};
use engine::ids::{IdsAt, new_id};
use engine::{Callback, Engine, EngineConfig, Gateways, NoticeOutcome};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::Store;
use tokio::task::JoinSet;
use tokio::time::Instant;

const PRICE: i64 = 3_000;
const APPID: &str = "wxd678efh567hg6787";
const MCHID: &str = "1230000109";
const SERIAL: &str = "PUB_KEY_ID_0112300001092025112000000000000001";
const API_V3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
const WEBHOOK_SECRET: &str = "whsec_bench";

/// A gateway, and the key that its notices are signed with.
pub enum Counterparty {
    /// WeChat Pay.
    Wechat {
        /// Signs.
        signs: Box<SigningKey>,
        /// Seals.
        seals: Box<ResourceKey>,
        /// The connector.
        gateway: Arc<WechatPay>,
        /// Checks alone.
        checks: Arc<VerifyingKey>,
    },
    /// Stripe.
    Stripe {
        /// The connector.
        gateway: Arc<Stripe>,
    },
}

/// A notice as it arrives.
#[derive(Clone)]
pub struct Told {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Counterparty {
    /// WeChat Pay, with fresh keys.
    pub fn wechat() -> Result<Self> {
        let (private, signs) = key()?;
        let public = signs.public_spki_der()?;
        let pem = pem("PUBLIC KEY", &public);
        let gateway = WechatPay::new(WechatPayConfig {
            base_url: "http://127.0.0.1:9".to_owned(),
            appid: APPID.to_owned(),
            mchid: MCHID.to_owned(),
            merchant_serial: "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C".to_owned(),
            merchant_private_key_pem: private,
            api_v3_key: API_V3_KEY.to_owned(),
            platform_keys: vec![PlatformKey {
                serial: SERIAL.to_owned(),
                pem: pem.clone(),
            }],
            notify_url: "http://127.0.0.1:9/notices".to_owned(),
            timeout: Duration::from_secs(1),
        })?;
        Ok(Self::Wechat {
            signs: Box::new(signs),
            seals: Box::new(ResourceKey::new(API_V3_KEY.as_bytes())?),
            gateway: Arc::new(gateway),
            checks: Arc::new(VerifyingKey::from_spki_pem(&pem)?),
        })
    }

    /// Stripe.
    pub fn stripe() -> Result<Self> {
        let gateway = Stripe::new(StripeConfig {
            base_url: "http://127.0.0.1:9".to_owned(),
            secret_key: "sk_bench".to_owned(),
            publishable_key: "pk_bench".to_owned(),
            webhook_secret: WEBHOOK_SECRET.to_owned(),
            timeout: Duration::from_secs(1),
        })?;
        Ok(Self::Stripe {
            gateway: Arc::new(gateway),
        })
    }

    /// As the report names it.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Wechat { .. } => "WeChat Pay",
            Self::Stripe { .. } => "Stripe",
        }
    }

    fn gateway(&self) -> Arc<dyn PaymentGateway> {
        match self {
            Self::Wechat { gateway, .. } => gateway.clone(),
            Self::Stripe { gateway } => gateway.clone(),
        }
    }

    const fn way(&self) -> (GatewayName, Method, Currency) {
        match self {
            Self::Wechat { .. } => (GatewayName::WECHAT, Method::NATIVE, Currency::CNY),
            Self::Stripe { .. } => (GatewayName::STRIPE, Method::CARD, Currency::NZD),
        }
    }

    /// A genuine notice that this payment was paid.
    fn notice(&self, number: &str, now: Ts) -> Result<Told> {
        match self {
            Self::Wechat { signs, seals, .. } => {
                let transaction = Transaction {
                    appid: APPID.to_owned(),
                    mchid: MCHID.to_owned(),
                    out_trade_no: number.to_owned(),
                    transaction_id: Some(format!("42{number}")),
                    trade_type: Some("NATIVE".to_owned()),
                    trade_state: "SUCCESS".to_owned(),
                    trade_state_desc: "支付成功".to_owned(),
                    bank_type: Some("OTHERS".to_owned()),
                    attach: None,
                    success_time: Some(beijing_time(now)),
                    payer: None,
                    amount: Some(TransactionAmount {
                        total: PRICE,
                        payer_total: Some(PRICE),
                        currency: "CNY".to_owned(),
                        payer_currency: Some("CNY".to_owned()),
                    }),
                };
                let sealed = seals.seal("transaction", &serde_json::to_vec(&transaction)?)?;
                let body = serde_json::to_vec(&Notification {
                    id: format!("EV-{number}"),
                    create_time: beijing_time(now),
                    resource_type: "encrypt-resource".to_owned(),
                    event_type: "TRANSACTION.SUCCESS".to_owned(),
                    summary: "支付成功".to_owned(),
                    resource: sealed,
                })?;
                let (timestamp, nonce) = (now.unix_seconds().to_string(), nonce());
                let signature = signs.sign(&answer_message(&timestamp, &nonce, &body))?;
                let headers = [
                    ("wechatpay-serial", SERIAL.to_owned()),
                    ("wechatpay-timestamp", timestamp),
                    ("wechatpay-nonce", nonce),
                    ("wechatpay-signature", signature),
                ];
                let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
                Ok(Told { headers, body })
            }
            Self::Stripe { .. } => {
                let seconds = now.unix_seconds();
                let intent = json!({
                    "id": format!("pi_{number}"), "object": "payment_intent", "status": "succeeded",
                    "amount": PRICE, "amount_received": PRICE, "currency": "nzd",
                    "latest_charge": format!("ch_{number}"), "created": seconds,
                    "metadata": { "out_trade_no": number },
                });
                let body = serde_json::to_vec(&json!({
                    "id": format!("evt_{number}"), "object": "event", "created": seconds,
                    "type": "payment_intent.succeeded", "data": { "object": intent },
                }))?;
                let header = WebhookSecret::new(WEBHOOK_SECRET).header(seconds, &body);
                let headers = vec![("stripe-signature".to_owned(), header)];
                Ok(Told { headers, body })
            }
        }
    }

    /// How often a second a notice's signature alone can be checked, by one thread.
    pub fn bare_check(&self, lasting: Duration) -> Result<f64> {
        let now = SystemClock.now();
        let told = self.notice("0123456789abcdef0123456789abcdef", now)?;
        let header = |name: &str| {
            let found = told.headers.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str()).context("a header")
        };
        let (begin, mut count) = (Instant::now(), 0_u32);
        match self {
            Self::Wechat { checks, .. } => {
                let (timestamp, nonce) =
                    (header("wechatpay-timestamp")?, header("wechatpay-nonce")?);
                let signature = header("wechatpay-signature")?;
                while begin.elapsed() < lasting {
                    let message = answer_message(timestamp, nonce, &told.body);
                    ensure!(checks.verifies(&message, signature), "it is genuine");
                    count += 1;
                }
            }
            Self::Stripe { .. } => {
                let secret = WebhookSecret::new(WEBHOOK_SECRET);
                let given = header("stripe-signature")?;
                while begin.elapsed() < lasting {
                    secret.verify(Some(given), &told.body, now)?;
                    count += 1;
                }
            }
        }
        Ok(f64::from(count) / begin.elapsed().as_secs_f64())
    }
}

/// An RSA key as the merchant's configuration has it, and ready to sign.
fn key() -> Result<(String, SigningKey)> {
    let failed = |_| anyhow::anyhow!("an RSA key could not be generated");
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
    let private = pem("PRIVATE KEY", der.as_ref());
    let signs = SigningKey::from_pkcs8_pem(&private)?;
    Ok((private, signs))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// What was seen of a gateway's notices.
pub struct Notices {
    /// The first time: each verified, decided and committed.
    pub first: Seen,
    /// The same notices once more: verified, and known.
    pub again: Seen,
}

/// Gives so many notices to the engine, so many at a time, and all of them once more; checks that
/// each order got its money once.
pub async fn play(
    store: &Store,
    counterparty: &Counterparty,
    notices: usize,
    at_a_time: usize,
) -> Result<Notices> {
    let gateways = Gateways::new().with(counterparty.gateway());
    let clock = Arc::new(SystemClock);
    let engine = Engine::start(store.clone(), gateways, clock, EngineConfig::default()).await?;
    let (gateway, ..) = counterparty.way();
    let mut told = Vec::with_capacity(notices);
    for number in waiting(store, counterparty, notices).await? {
        told.push(counterparty.notice(&number, SystemClock.now())?);
    }
    let told = Arc::new(told);
    let first = give(&engine, gateway, &told, at_a_time, NoticeOutcome::Applied).await?;
    let again = give(&engine, gateway, &told, at_a_time, NoticeOutcome::Nothing).await?;
    let held = store.clearing_balances().await?;
    let expected = PRICE * i64::try_from(notices)?;
    let amount: i64 = held.iter().map(|(.., amount)| amount).sum();
    ensure!(amount == expected, "{amount} came, {expected} was paid");
    Ok(Notices { first, again })
}

async fn give(
    engine: &Engine,
    gateway: GatewayName,
    told: &Arc<Vec<Told>>,
    at_a_time: usize,
    expected: NoticeOutcome,
) -> Result<Seen> {
    let next = Arc::new(AtomicUsize::new(0));
    let begin = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..at_a_time {
        let (engine, told, next) = (engine.clone(), Arc::clone(told), Arc::clone(&next));
        running.spawn(async move {
            let mut answers = Vec::new();
            while let Some(one) = told.get(next.fetch_add(1, Ordering::Relaxed)) {
                let asked = Instant::now();
                let callback = Callback {
                    headers: &one.headers,
                    body: &one.body,
                };
                let outcome = engine.gateway_notice(gateway, callback, None).await?;
                ensure!(outcome == expected, "{outcome:?} instead of {expected:?}");
                answers.push(asked.elapsed());
            }
            Ok(answers)
        });
    }
    let mut answers = Vec::new();
    while let Some(done) = running.join_next().await {
        answers.extend(done??);
    }
    Ok(Seen::of(answers, begin.elapsed()))
}

/// Orders in 101 whose payments wait for their notice; their numbers.
async fn waiting(store: &Store, counterparty: &Counterparty, count: usize) -> Result<Vec<String>> {
    let (mut numbers, mut writing) = (Vec::with_capacity(count), JoinSet::new());
    for _ in 0..count {
        let (number, orders) = asked_to_pay(counterparty)?;
        numbers.push(number);
        let store = store.clone();
        writing.spawn(async move {
            for changes in orders {
                store.commit(changes).await?;
            }
            anyhow::Ok(())
        });
        if writing.len() >= 512
            && let Some(done) = writing.join_next().await
        {
            done??;
        }
    }
    while let Some(done) = writing.join_next().await {
        done??;
    }
    Ok(numbers)
}

fn asked_to_pay(counterparty: &Counterparty) -> Result<(String, Vec<store::Changes>)> {
    let (gateway, method, currency) = counterparty.way();
    let (now, facts) = (SystemClock.now(), Facts::default());
    let acts = Actor::person(Role::Patient, patient());
    let new = NewConsultation {
        id: OrderId(new_id(now)),
        patient: patient(),
        price: Money::new(PRICE, currency),
        mode: Mode::Dispatch,
        consultation_type: ConsultationType::Text,
        department: DEPARTMENT,
        complaint: COMPLAINT.to_owned(),
        booking: None,
    };
    let made = create(&new, &facts, now, &mut IdsAt(now))?;
    let (mut order, changes) = rows(None, made, acts, now)?;
    let mut all = vec![changes];
    let pay = Command::SubmitPayment {
        gateway,
        method,
        payer: None,
        client_ip: None,
    };
    let submitted = decide(&order, &pay, acts, &facts, now, &mut IdsAt(now))?;
    let (after, changes) = rows(Some(&order), submitted, acts, now)?;
    all.push(changes);
    order = after;
    let payment = order.payments.first().context("a payment")?.clone();
    let started = Command::PaymentStarted {
        payment: payment.id,
        handle: Some(format!("pi_{}", payment.out_trade_no)),
        pay_with: PayWith::Counter,
    };
    let started = decide(
        &order,
        &started,
        Actor::GATEWAY,
        &facts,
        now,
        &mut IdsAt(now),
    )?;
    let (_, changes) = rows(Some(&order), started, Actor::GATEWAY, now)?;
    all.push(changes);
    for changes in &mut all {
        // Nobody is to be asked anything: there is no gateway here.
        changes.outbox.clear();
    }
    Ok((payment.out_trade_no, all))
}
