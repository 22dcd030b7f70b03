//! A sandbox and a merchant, each on its own port of loopback, and a clock that both live in.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use connectors::gateway::{
    Callback, CallbackError, Notice, PaymentGateway, PaymentMethod, PaymentStarted, StartPayment,
    StartRefund,
};
use connectors::wechat_pay::{PlatformKey, WechatPay, WechatPayConfig};
use domain::{Money, Span, Ts};
use sandbox::{Sandbox, SandboxClock, SandboxConfig};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

/// Stands still until it is moved.
pub struct StandingClock {
    now: Mutex<Ts>,
    movable: bool,
}

impl StandingClock {
    pub fn new(movable: bool) -> Arc<Self> {
        let now = Ts::parse("2026-03-02T09:00:00.5+08:00").unwrap();
        Arc::new(Self {
            now: Mutex::new(now),
            movable,
        })
    }
}

impl SandboxClock for StandingClock {
    fn now(&self) -> Ts {
        *self.now.lock().unwrap()
    }

    fn advance(&self, by: Span) -> Result<Ts, String> {
        if !self.movable {
            return Err("this clock is the real one".to_owned());
        }
        let mut now = self.now.lock().unwrap();
        *now = *now + by;
        Ok(*now)
    }
}

/// What the merchant's endpoint does and got.
struct Inbox {
    gateway: WechatPay,
    clock: Arc<StandingClock>,
    /// The status with which the next valid notices are answered.
    answer: Mutex<StatusCode>,
    got: Mutex<Vec<Result<Notice, CallbackError>>>,
}

pub struct World {
    pub sandbox: Sandbox,
    pub clock: Arc<StandingClock>,
    pub gateway: WechatPay,
    pub url: String,
    inbox: Arc<Inbox>,
    client: reqwest::Client,
}

impl World {
    pub async fn new() -> Self {
        Self::open(SandboxConfig::default(), StandingClock::new(true)).await
    }

    pub async fn open(config: SandboxConfig, clock: Arc<StandingClock>) -> Self {
        let sandbox = Sandbox::open(config, clock.clone()).unwrap();
        let url = format!("http://{}", serve(sandbox.router()).await);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let notify_url = format!("http://{}/webhooks/wechat", listener.local_addr().unwrap());
        let config = config_of(&sandbox, &url, &notify_url);
        let inbox = Arc::new(Inbox {
            gateway: WechatPay::new(config.clone()).unwrap(),
            clock: clock.clone(),
            answer: Mutex::new(StatusCode::NO_CONTENT),
            got: Mutex::new(Vec::new()),
        });
        let merchant = Router::new()
            .route("/webhooks/wechat", post(receive))
            .with_state(inbox.clone());
        tokio::spawn(async move { axum::serve(listener, merchant).await.unwrap() });
        let gateway = WechatPay::new(config).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            sandbox,
            clock,
            gateway,
            url,
            inbox,
            client,
        }
    }

    pub fn now(&self) -> Ts {
        self.clock.now()
    }

    pub fn later(&self, seconds: i64) {
        self.clock.advance(Span::seconds(seconds)).unwrap();
    }

    /// From now on the merchant answers valid notices so.
    pub fn merchant_answers(&self, status: u16) {
        *self.inbox.answer.lock().unwrap() = StatusCode::from_u16(status).unwrap();
    }

    /// What the merchant got since it was last asked.
    pub fn got(&self) -> Vec<Result<Notice, CallbackError>> {
        std::mem::take(&mut *self.inbox.got.lock().unwrap())
    }

    pub async fn start(&self, out_trade_no: &str, fen: i64) -> PaymentStarted {
        self.gateway
            .start(&payment(out_trade_no, fen, self.now()), self.now())
            .await
            .unwrap()
    }

    /// A payment that is paid and told of.
    pub async fn paid(&self, out_trade_no: &str, fen: i64) {
        self.start(out_trade_no, fen).await;
        self.control("POST", &format!("payments/{out_trade_no}/pay"), "{}")
            .await
            .unwrap();
        self.sandbox.run_due().await;
        assert!(matches!(self.got().as_slice(), [Ok(Notice::Paid { .. })]));
    }

    /// Asks the control API; an error is its status and words.
    pub async fn control(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<Value, (u16, String)> {
        let answer = self
            .client
            .request(
                method.parse().unwrap(),
                format!("{}/control/{path}", self.url),
            )
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        if status.is_success() {
            Ok(body)
        } else {
            Err((
                status.as_u16(),
                body["message"].as_str().unwrap().to_owned(),
            ))
        }
    }

    pub async fn faults(&self, faults: &str) {
        self.control("PUT", "faults", faults).await.unwrap();
    }

    /// The merchant's configuration, to be changed by a test.
    pub fn config(&self) -> WechatPayConfig {
        config_of(
            &self.sandbox,
            &self.url,
            "http://127.0.0.1:9/webhooks/wechat",
        )
    }
}

pub fn payment(out_trade_no: &str, fen: i64, now: Ts) -> StartPayment {
    StartPayment {
        out_trade_no: out_trade_no.to_owned(),
        description: "复诊问诊费".to_owned(),
        amount: Money::fen(fen),
        // The same at each repetition of a test's start.
        expires_at: Ts::from_micros(now.micros() / 86_400_000_000 * 86_400_000_000)
            + Span::hours(24),
        method: PaymentMethod::Jsapi,
        payer: Some("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".to_owned()),
    }
}

pub fn refund(out_trade_no: &str, out_refund_no: &str, fen: i64, total: i64) -> StartRefund {
    StartRefund {
        out_trade_no: out_trade_no.to_owned(),
        out_refund_no: out_refund_no.to_owned(),
        amount: Money::fen(fen),
        total: Money::fen(total),
        reason: "医生未接诊".to_owned(),
    }
}

pub async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// A directory that is gone when the test is over.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sandbox-test-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn config(&self) -> SandboxConfig {
        SandboxConfig {
            data_dir: Some(self.0.clone()),
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What a kill at this moment would leave, as another directory.
    pub fn snapshot(&self) -> Self {
        let copy = Self::new();
        for entry in std::fs::read_dir(&self.0).unwrap() {
            let from = entry.unwrap();
            std::fs::copy(from.path(), copy.file(from.file_name().to_str().unwrap())).unwrap();
        }
        copy
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn config_of(sandbox: &Sandbox, url: &str, notify_url: &str) -> WechatPayConfig {
    let merchant = sandbox.merchant();
    WechatPayConfig {
        base_url: url.to_owned(),
        appid: merchant.appid,
        mchid: merchant.mchid,
        merchant_serial: merchant.merchant_serial,
        merchant_private_key_pem: merchant.merchant_private_key_pem,
        api_v3_key: merchant.api_v3_key,
        platform_keys: vec![PlatformKey {
            serial: merchant.platform_serial,
            pem: merchant.platform_public_key_pem,
        }],
        notify_url: notify_url.to_owned(),
        timeout: Duration::from_secs(5),
    }
}

async fn receive(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let callback = Callback {
        headers: &headers,
        body: &body,
    };
    let read = inbox.gateway.callback(&callback, inbox.clock.now());
    let status = match &read {
        Ok(_) => *inbox.answer.lock().unwrap(),
        Err(CallbackError::Malformed(_)) => StatusCode::BAD_REQUEST,
        Err(_) => StatusCode::UNAUTHORIZED,
    };
    inbox.got.lock().unwrap().push(read);
    status
}
