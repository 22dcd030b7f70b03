//! A whole hospital for one test: the API over real HTTP, the engine on a clock that stands still,
//! and the sandbox as the gateway's other end. Each journey runs on both databases.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test that can't go on says why and fails"
)]

pub mod browser;
pub mod gateways;
pub mod live;
pub mod scenes;
mod truth;

use connectors::gateway::{PaymentGateway, Registration, Values};
use connectors::storage::LocalStorage;
use domain::consultation::ConsultationType;
use domain::order::Role;
use domain::payment::GatewayName;
use domain::{Currency, DepartmentId, Money, Span, Ts, UserId};
use engine::clock::{Clock, SettableClock};
use engine::{Engine, EngineConfig, Gateways};
use reqwest::{Method, StatusCode};
use sandbox::views::Webhook;
use sandbox::{Sandbox, SandboxClock, SandboxConfig};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use store::testing::{Fresh, fresh_postgres, fresh_sqlite};
use store::{Department, Doctor, Store, User, UserStatus};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const PASSWORD: &str = "apricot-grove-1";

/// Monday morning in Shanghai.
pub const START: &str = "2026-03-02T09:00:00+08:00";

/// Writes one journey as two tests, one on each database.
#[macro_export]
macro_rules! journey {
    ($(#[$doc:meta])* $name:ident, |$world:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn journey($world: &mut World) $body

            $(#[$doc])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let mut world = World::on_sqlite().await;
                journey(&mut world).await;
                world.leaves_nothing_behind().await;
            }

            $(#[$doc])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                let mut world = World::on_postgres().await;
                journey(&mut world).await;
                world.leaves_nothing_behind().await;
            }
        }
    };
}

/// One clock for the engine and the sandbox.
pub struct TestClock(SettableClock);

impl Clock for TestClock {
    fn now(&self) -> Ts {
        self.0.now()
    }
    fn advance(&self, by: Span) -> Result<Ts, engine::clock::ClockError> {
        self.0.advance(by)
    }
}

impl SandboxClock for TestClock {
    fn now(&self) -> Ts {
        self.0.now()
    }
    fn advance(&self, by: Span) -> Result<Ts, String> {
        self.0.advance(by).map_err(|error| error.to_string())
    }
}

/// Somebody who can sign in.
#[derive(Clone)]
pub struct Person {
    pub id: UserId,
    pub login: String,
    token: Arc<Mutex<Option<(String, Ts)>>>,
}

/// An answer, with its status.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The data of a success.
    pub fn data(&self) -> &Value {
        assert!(self.status.is_success(), "{} {:#}", self.status, self.body);
        &self.body["data"]
    }

    /// Asserts a refusal by HTTP status and the specification's code, and gives its words.
    pub fn refused(&self, status: u16, code: &str) -> &str {
        assert_eq!(
            (self.status.as_u16(), self.body["error"]["code"].as_str()),
            (status, Some(code)),
            "{:#}",
            self.body
        );
        self.body["error"]["message"].as_str().expect("words")
    }
}

pub struct World {
    pub engine: Engine,
    pub sandbox: Sandbox,
    pub clock: Arc<TestClock>,
    pub base: String,
    pub sandbox_address: String,
    pub client: reqwest::Client,
    pub department: DepartmentId,
    pub doctors: Vec<Person>,
    pub operator: Person,
    pub admin: Person,
    patients: AtomicU64,
    /// What gateways hold and our books don't, in minor units: refunded elsewhere, or paid to nobody.
    elsewhere: Mutex<BTreeMap<(GatewayName, Currency), i64>>,
    /// The connectors, for speaking to a gateway past the engine.
    pub gateways: BTreeMap<GatewayName, Arc<dyn PaymentGateway>>,
    pub fresh: Fresh,
    /// Where files are kept.
    pub files: Folder,
    stop: CancellationToken,
}

/// A folder that goes with its test.
pub struct Folder(pub PathBuf);

impl Folder {
    /// One that is not there yet.
    pub fn fresh() -> Self {
        Self(std::env::temp_dir().join(format!(
            "xinglin-files-{}",
            engine::ids::new_id(Ts::from_micros(0))
        )))
    }

    /// How many files are in a part of it.
    pub fn count(&self, part: &str) -> usize {
        std::fs::read_dir(self.0.join(part))
            .expect("a folder")
            .count()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn password_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| api::password::hash(PASSWORD).expect("hash"))
}

/// Every gateway that there is, against the sandbox, and its notices on their way to the API.
fn open_gateways(
    sandbox: &Sandbox,
    sandbox_address: &str,
    base: &str,
) -> (Gateways, BTreeMap<GatewayName, Arc<dyn PaymentGateway>>) {
    let (mut gateways, mut opened) = (Gateways::new(), BTreeMap::new());
    let played = sandbox.gateways();
    for registration in connectors::gateways() {
        let values = if played.contains(&registration.name) {
            let given = sandbox.values(registration.name, sandbox_address);
            let owned = |(name, value): (&'static str, String)| (name.to_owned(), value);
            given.expect("values").into_iter().map(owned).collect()
        } else {
            BTreeMap::new()
        };
        let values = Values {
            values,
            public_url: base.to_owned(),
            timeout: Duration::from_secs(5),
        };
        let webhook = Webhook {
            gateway: registration.name,
            url: Some(values.notify_url(registration.name)),
        };
        if played.contains(&registration.name) {
            sandbox.set_webhook(webhook).expect("webhook");
        }
        let gateway = (registration.open)(&values).expect("a gateway");
        opened.insert(registration.name, Arc::clone(&gateway));
        gateways = gateways.with(gateway);
    }
    (gateways, opened)
}

impl World {
    pub async fn on_sqlite() -> Self {
        Self::on(fresh_sqlite().await.expect("a database")).await
    }

    pub async fn on_postgres() -> Self {
        Self::on(fresh_postgres().await.expect("a database")).await
    }

    pub async fn on(fresh: Fresh) -> Self {
        Self::on_with(fresh, &[]).await
    }

    /// With gateways beside those that the program knows.
    pub async fn on_with(fresh: Fresh, more: &[(&Registration, BTreeMap<String, String>)]) -> Self {
        let store = fresh.store.clone();
        let clock = Arc::new(TestClock(SettableClock::frozen(
            Ts::parse(START).expect("time"),
        )));
        let sandbox =
            Sandbox::open(SandboxConfig { data_dir: None }, clock.clone()).expect("sandbox");
        let sandbox_address = serve(sandbox.router()).await;
        let api_listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let base = format!("http://{}", api_listener.local_addr().expect("address"));
        let (mut gateways, opened) = open_gateways(&sandbox, &sandbox_address, &base);
        for (registration, values) in more {
            let values = Values {
                values: values.clone(),
                public_url: base.clone(),
                timeout: Duration::from_secs(5),
            };
            gateways = gateways.with((registration.open)(&values).expect("a gateway"));
        }
        let files = Folder::fresh();
        let storage = LocalStorage::open(&files.0).expect("a folder");
        let engine = Engine::start(
            store.clone(),
            gateways,
            clock.clone(),
            EngineConfig {
                public_url: Some(base.clone()),
                storage: Some(Arc::new(storage)),
                ..EngineConfig::default()
            },
        )
        .await
        .expect("engine");
        let stop = CancellationToken::new();
        let config = api::ApiConfig {
            token_key_pkcs8: api::token::new_key().expect("key"),
            stop: stop.clone(),
            ice_servers: serde_json::json!([]),
            metrics: Some(api::metrics::recorder().expect("a recorder")),
            metrics_token: None,
        };
        let router = api::router(engine.clone(), config).expect("router");
        let router = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
        tokio::spawn(async move { axum::serve(api_listener, router).await.expect("serve") });
        let department = DepartmentId(Uuid::from_u128(1));
        let mut world = Self {
            engine,
            sandbox,
            clock,
            base,
            sandbox_address,
            client: english(),
            department,
            doctors: Vec::new(),
            operator: nobody(),
            admin: nobody(),
            patients: AtomicU64::new(0),
            elsewhere: Mutex::default(),
            gateways: opened,
            fresh,
            files,
            stop,
        };
        world.people(&store).await;
        world
    }

    async fn people(&mut self, store: &Store) {
        let (zh, en) = ("内科".to_owned(), "Internal medicine".to_owned());
        let department = Department {
            id: self.department,
            code: "internal".into(),
            name_zh: zh,
            name_en: en,
        };
        store
            .upsert_department(&department)
            .await
            .expect("department");
        for number in 1..=4 {
            let doctor = self.person(&format!("doctor{number}"), Role::Doctor).await;
            store
                .upsert_doctor(&doctor_row(&doctor, self.department, self.clock.0.now()))
                .await
                .expect("doctor");
            self.doctors.push(doctor);
        }
        self.operator = self.person("operator1", Role::Operator).await;
        self.admin = self.person("admin1", Role::Admin).await;
    }

    async fn person(&self, login: &str, role: Role) -> Person {
        let now = self.clock.0.now();
        let id = UserId(engine::ids::new_id(now));
        let login = format!("{login}@demo.xinglin");
        let user = User {
            id,
            login: login.clone(),
            password_hash: password_hash().to_owned(),
            role,
            name: login.clone(),
            openid: None,
            status: UserStatus::Active,
            failed_sign_ins: 0,
            locked_until: None,
            created_at: now,
        };
        self.engine.store().insert_user(&user).await.expect("user");
        Person {
            id,
            login,
            token: Arc::default(),
        }
    }

    /// Another patient.
    pub async fn patient(&self) -> Person {
        let number = self.patients.fetch_add(1, Ordering::SeqCst) + 1;
        self.person(&format!("patient{number}"), Role::Patient)
            .await
    }

    // --- time ---

    /// Works off everything that is due, here and at the gateway, until nothing is.
    pub async fn settle(&self) {
        for _ in 0..1_000 {
            let here = self.engine.settle().await.expect("settle");
            let there = self.sandbox.run_due().await;
            if here + there == 0 {
                return;
            }
        }
        panic!("the work never ends");
    }

    /// Lets time pass, and what it brings happen.
    pub async fn pass(&self, by: Span) {
        self.clock.0.advance(by).expect("clock");
        self.settle().await;
    }

    /// Lets time pass, and nothing happen yet.
    pub fn clock_passes(&self, by: Span) {
        self.clock.0.advance(by).expect("clock");
    }

    pub fn now(&self) -> Ts {
        self.clock.0.now()
    }

    // --- HTTP ---

    pub async fn raw(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer {
            status,
            headers,
            body,
        }
    }

    pub async fn call(
        &self,
        who: &Person,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let token = self.token(who).await;
        let mut request = self
            .raw(method, &format!("/api/v1{path}"))
            .await
            .bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.send(request).await
    }

    pub async fn get(&self, who: &Person, path: &str) -> Answer {
        self.call(who, Method::GET, path, None).await
    }

    pub async fn post(&self, who: &Person, path: &str, body: Value) -> Answer {
        self.call(who, Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, who: &Person, path: &str, body: Value) -> Answer {
        self.call(who, Method::PUT, path, Some(body)).await
    }

    pub async fn token(&self, who: &Person) -> String {
        let now = self.now();
        let kept = who.token.lock().expect("token").clone();
        if let Some((token, until)) = kept
            && until > now
        {
            return token;
        }
        let body = json!({ "email": who.login, "password": PASSWORD });
        let answer = self
            .send(
                self.raw(Method::POST, "/api/v1/auth/login")
                    .await
                    .json(&body),
            )
            .await;
        let token = answer.data()["accessToken"]
            .as_str()
            .expect("token")
            .to_owned();
        *who.token.lock().expect("token") = Some((token.clone(), now + Span::minutes(10)));
        token
    }

    // --- what people do ---

    pub async fn online(&self, doctor: &Person, online: bool) {
        self.put(doctor, "/doctors/me/presence", json!({ "online": online }))
            .await
            .data();
        self.settle().await;
    }

    /// A dispatched text consultation in 100.
    pub async fn book_dispatch(&self, patient: &Person) -> String {
        let body = json!({
            "kind": "consultation", "mode": "dispatch", "consultationType": "text",
            "departmentId": self.department, "complaint": "头痛三天",
        });
        let answer = self.post(patient, "/orders", body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{:#}", answer.body);
        answer.data()["id"].as_str().expect("id").to_owned()
    }

    /// Submits a payment and gives the gateway's number.
    pub async fn submit(&self, patient: &Person, order: &str) -> String {
        let body = json!({ "gateway": "wechat", "method": "native" });
        let answer = self
            .post(patient, &format!("/orders/{order}/pay"), body)
            .await;
        answer.data()["payment"]["outTradeNo"]
            .as_str()
            .expect("outTradeNo")
            .to_owned()
    }

    /// The payer pays at the gateway.
    pub async fn pay_at_gateway(&self, number: &str) {
        self.sandbox
            .pay(number, sandbox::views::PayRequest::default())
            .expect("paid");
        self.settle().await;
    }

    /// A paid dispatched consultation.
    pub async fn paid_dispatch(&self, patient: &Person) -> String {
        let order = self.book_dispatch(patient).await;
        let number = self.submit(patient, &order).await;
        self.pay_at_gateway(&number).await;
        order
    }

    /// A session of this doctor that begins in some minutes, one slot an hour.
    pub async fn publish(
        &self,
        doctor: &Person,
        in_minutes: i64,
        hours: i64,
        capacity: u32,
    ) -> Value {
        let begins = self.now() + Span::minutes(in_minutes);
        let body = json!({
            "beginsAt": begins, "endsAt": begins + Span::hours(hours), "slotMinutes": 60, "capacity": capacity,
            "consultationType": "text", "price": { "amount": 5000, "currency": "CNY" },
        });
        self.post(doctor, "/sessions", body).await.data().clone()
    }

    /// A booked place in a slot, in 100.
    pub async fn book_clinic(&self, patient: &Person, session: &Value, slot: usize) -> Answer {
        let body = json!({
            "kind": "consultation", "mode": "clinic", "consultationType": "text",
            "slotId": session["slots"][slot]["id"], "complaint": "复诊",
        });
        self.post(patient, "/orders", body).await
    }

    pub async fn paid_clinic(&self, patient: &Person, session: &Value, slot: usize) -> String {
        let booked = self.book_clinic(patient, session, slot).await;
        let order = booked.data()["id"].as_str().expect("id").to_owned();
        let number = self.submit(patient, &order).await;
        self.pay_at_gateway(&number).await;
        order
    }

    /// What somebody does with an order, worked off.
    pub async fn act(&self, who: &Person, order: &str, action: &str, body: Value) -> Answer {
        let answer = if action == "cancel" {
            self.put(who, &format!("/orders/{order}/cancel"), body)
                .await
        } else {
            self.post(who, &format!("/orders/{order}/{action}"), body)
                .await
        };
        self.settle().await;
        answer
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A client that is answered in English, unless it asks otherwise.
fn english() -> reqwest::Client {
    let name = reqwest::header::ACCEPT_LANGUAGE;
    let value = reqwest::header::HeaderValue::from_static("en");
    let headers = reqwest::header::HeaderMap::from_iter([(name, value)]);
    let client = reqwest::Client::builder().default_headers(headers);
    client.build().expect("a client")
}

fn nobody() -> Person {
    Person {
        id: UserId(Uuid::nil()),
        login: String::new(),
        token: Arc::default(),
    }
}

fn doctor_row(doctor: &Person, department: DepartmentId, now: Ts) -> Doctor {
    Doctor {
        user: doctor.id,
        department,
        name: doctor.login.clone(),
        title: "主治医师".into(),
        specialities: vec!["头痛".into()],
        types: vec![ConsultationType::Text, ConsultationType::Video],
        parallel_limit: 5,
        active: 0,
        online: false,
        accepted: 0,
        offered: 0,
        decayed_at: now,
        stars: 0,
        ratings: 0,
        last_order_at: None,
        price: Money::fen(3000),
    }
}

async fn serve(router: axum::Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = format!("http://{}", listener.local_addr().expect("address"));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("serve") });
    address
}
