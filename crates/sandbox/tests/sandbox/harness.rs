//! A sandbox and a merchant, each on its own port of loopback, and a clock that both live in.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use connectors::gateway::{
    Callback, CallbackError, GatewayError, Notice, PaymentGateway, PaymentRef, PaymentStarted,
    PaymentState, RefundRef, RefundState, Reply, StartPayment, StartRefund, Values,
};
use connectors::wechat_pay::{PlatformKey, WechatPayConfig};
use domain::payment::{GatewayName, Method};
use domain::{Money, Span, Ts};
use sandbox::views::Webhook;
use sandbox::{Sandbox, SandboxClock, SandboxConfig};
use serde_json::Value;
use std::collections::BTreeMap;
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
    gateway: Arc<dyn PaymentGateway>,
    clock: Arc<StandingClock>,
    /// The status with which the next valid notices are answered, instead of the gateway's own.
    answer: Mutex<Option<u16>>,
    got: Mutex<Vec<Result<Notice, CallbackError>>>,
}

pub struct World {
    pub sandbox: Sandbox,
    pub clock: Arc<StandingClock>,
    pub gateway: Arc<dyn PaymentGateway>,
    pub url: String,
    inbox: Arc<Inbox>,
    client: reqwest::Client,
}

impl World {
    /// With WeChat.
    pub async fn new() -> Self {
        Self::open(SandboxConfig::default(), StandingClock::new(true)).await
    }

    /// With WeChat, and this directory or clock.
    pub async fn open(config: SandboxConfig, clock: Arc<StandingClock>) -> Self {
        Self::with(GatewayName::WECHAT, config, clock).await
    }

    /// With any gateway, opened by its registration as the program opens it.
    pub async fn with(name: GatewayName, config: SandboxConfig, clock: Arc<StandingClock>) -> Self {
        let sandbox = Sandbox::open(config, clock.clone()).unwrap();
        let url = format!("http://{}", serve(sandbox.router()).await);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public_url = format!("http://{}", listener.local_addr().unwrap());
        let values = Values {
            values: owned(sandbox.values(name, &url).unwrap()),
            public_url,
            timeout: Duration::from_secs(5),
        };
        let webhook = Webhook {
            gateway: name,
            url: Some(values.notify_url(name)),
        };
        sandbox.set_webhook(webhook).unwrap();
        let gateway = opened(name, &values);
        let inbox = Arc::new(Inbox {
            gateway: gateway.clone(),
            clock: clock.clone(),
            answer: Mutex::new(None),
            got: Mutex::new(Vec::new()),
        });
        let merchant = Router::new()
            .route("/api/v1/payments/webhook/{gateway}", post(receive))
            .with_state(inbox.clone());
        tokio::spawn(async move { axum::serve(listener, merchant).await.unwrap() });
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
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
        *self.inbox.answer.lock().unwrap() = Some(status);
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

    pub async fn query(&self, out_trade_no: &str) -> Result<PaymentState, GatewayError> {
        let payment = payment(out_trade_no, 3000, self.now()).payment;
        self.gateway.query(&payment, self.now()).await
    }

    pub async fn close(&self, out_trade_no: &str) -> Result<(), GatewayError> {
        let payment = payment(out_trade_no, 3000, self.now()).payment;
        self.gateway.close(&payment, self.now()).await
    }

    pub async fn query_refund(&self, out_refund_no: &str) -> Result<RefundState, GatewayError> {
        let refund = refund("ORDER-0001", out_refund_no, 3000, 3000).refund;
        self.gateway.query_refund(&refund, self.now()).await
    }

    /// A browser's request, by path; redirects are not followed.
    pub async fn browse(&self, method: &str, path: &str, language: &str) -> reqwest::Response {
        self.client
            .request(method.parse().unwrap(), format!("{}{path}", self.url))
            .header("accept-language", language)
            .send()
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
        let values = self.values();
        let value = |name: &str| values[name].clone();
        WechatPayConfig {
            base_url: value("PAYMENT_GATEWAY_URL"),
            appid: value("WECHAT_APPID"),
            mchid: value("WECHAT_MCHID"),
            merchant_serial: value("WECHAT_MERCHANT_SERIAL"),
            merchant_private_key_pem: value("WECHAT_MERCHANT_KEY_FILE"),
            api_v3_key: value("WECHAT_API_V3_KEY"),
            platform_keys: vec![PlatformKey {
                serial: value("WECHAT_PLATFORM_SERIAL"),
                pem: value("WECHAT_PLATFORM_KEY_FILE"),
            }],
            notify_url: "http://127.0.0.1:9/webhooks/wechat".to_owned(),
            timeout: Duration::from_secs(5),
        }
    }

    /// The merchant's settings at WeChat.
    pub fn values(&self) -> BTreeMap<String, String> {
        owned(self.sandbox.values(GatewayName::WECHAT, &self.url).unwrap())
    }
}

fn owned(values: BTreeMap<&'static str, String>) -> BTreeMap<String, String> {
    let values = values.into_iter();
    values
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The gateway, opened as the program opens it.
pub fn opened(name: GatewayName, values: &Values) -> Arc<dyn PaymentGateway> {
    let registrations = connectors::gateways();
    let registration = registrations.iter().find(|each| each.name == name).unwrap();
    (registration.open)(values).unwrap()
}

pub fn payment(out_trade_no: &str, fen: i64, now: Ts) -> StartPayment {
    StartPayment {
        payment: PaymentRef {
            out_trade_no: out_trade_no.to_owned(),
            method: Method::JSAPI,
            amount: Money::fen(fen),
            created_at: now,
            // The same at each repetition of a test's start.
            expires_at: Ts::from_micros(now.micros() / 86_400_000_000 * 86_400_000_000)
                + Span::hours(24),
            handle: None,
            transaction_id: None,
        },
        description: "复诊问诊费".to_owned(),
        payer: Some("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".to_owned()),
        client_ip: None,
        return_url: None,
    }
}

pub fn refund(out_trade_no: &str, out_refund_no: &str, fen: i64, total: i64) -> StartRefund {
    let at = Ts::parse("2026-03-02T09:00:00+08:00").unwrap();
    StartRefund {
        refund: RefundRef {
            payment: payment(out_trade_no, total, at).payment,
            total: Money::fen(total),
            out_refund_no: out_refund_no.to_owned(),
            amount: Money::fen(fen),
            sent_at: at,
            refund_id: None,
        },
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

async fn receive(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> Response {
    let headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let callback = Callback {
        headers: &headers,
        body: &body,
    };
    let read = inbox.gateway.callback(&callback, inbox.clock.now()).await;
    let reply = match (&read, *inbox.answer.lock().unwrap()) {
        (Ok(_), None) => inbox.gateway.received(),
        (Ok(_), Some(status)) => inbox.gateway.not_received(status, "told so"),
        (Err(CallbackError::Malformed(why)), _) => inbox.gateway.not_received(400, why),
        (Err(error), _) => inbox.gateway.not_received(401, &error.to_string()),
    };
    inbox.got.lock().unwrap().push(read);
    let Reply {
        status,
        content_type,
        body,
    } = reply;
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
