//! A hospital with one patient, one gateway and the portal, over real HTTP, on a clock that stands
//! still until it is moved.

use crate::gateway::Double;
use connectors::gateway::{PayKind, PaymentGateway};
use domain::consultation::{Command, Consultation, ConsultationType, Mode};
use domain::order::{Actor, Role};
use domain::payment::{GatewayName, Method, PayWith};
use domain::{DepartmentId, OrderId, PaymentId, Span, Ts, UserId};
use engine::clock::{Clock, SettableClock};
use engine::{Booking, Engine, EngineConfig, Gateways, Origin};
use portal::PortalConfig;
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use store::testing::{Fresh, fresh_sqlite};
use store::{Department, User, UserStatus};
use tokio::net::TcpListener;
use uuid::Uuid;

/// An answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// Where it sends the browser.
    pub fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.header("location")
    }

    /// Asserts that the page says this.
    pub fn says(&self, words: &str) -> &Self {
        assert!(self.text.contains(words), "no `{words}` in {}", self.text);
        self
    }

    /// Asserts that the page does not say this.
    pub fn never_says(&self, words: &str) -> &Self {
        assert!(!self.text.contains(words), "`{words}` in {}", self.text);
        self
    }
}

pub struct World {
    pub engine: Engine,
    pub gateway: Arc<Double>,
    clock: Arc<SettableClock>,
    pub base: String,
    client: reqwest::Client,
    patient: UserId,
    department: DepartmentId,
    method: Method,
    _fresh: Fresh,
}

impl World {
    /// With a gateway that is paid by a QR code.
    pub async fn with_code() -> Self {
        let code = PayWith::Qr {
            code_url: "weixin://wxpay/bizpayurl?pr=p4lpSuKzz".to_owned(),
        };
        Self::with(GatewayName::WECHAT, Method::NATIVE, PayKind::Qr, code, None).await
    }

    pub async fn with(
        name: GatewayName,
        method: Method,
        kind: PayKind,
        pay_with: PayWith,
        sandbox_url: Option<&str>,
    ) -> Self {
        let fresh = fresh_sqlite().await.expect("a database");
        let start = Ts::parse("2026-03-02T09:00:00+08:00").expect("time");
        let clock = Arc::new(SettableClock::frozen(start));
        let gateway = Arc::new(Double::new(name, method, kind, pay_with));
        let gateways = Gateways::new().with(gateway.clone() as Arc<dyn PaymentGateway>);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let base = format!("http://{}", listener.local_addr().expect("address"));
        let config = EngineConfig {
            public_url: Some(base.clone()),
            ..EngineConfig::default()
        };
        let store = fresh.store.clone();
        let engine = Engine::start(store, gateways, clock.clone(), config).await;
        let engine = engine.expect("engine");
        let config = PortalConfig {
            sandbox_url: sandbox_url.map(str::to_owned),
            ..PortalConfig::default()
        };
        let router = portal::router(engine.clone(), config);
        tokio::spawn(async move { axum::serve(listener, router).await.expect("serve") });
        // A browser that shows where it is sent instead of going there.
        let client = reqwest::Client::builder().redirect(Policy::none());
        let world = Self {
            engine,
            gateway,
            clock,
            base,
            client: client.build().expect("a client"),
            patient: UserId(Uuid::from_u128(7)),
            department: DepartmentId(Uuid::from_u128(1)),
            method,
            _fresh: fresh,
        };
        world.people().await;
        world
    }

    async fn people(&self) {
        let department = Department {
            id: self.department,
            code: "internal".into(),
            name_zh: "内科".into(),
            name_en: "Internal medicine".into(),
        };
        let store = self.engine.store();
        store.upsert_department(&department).await.expect("saved");
        let user = User {
            id: self.patient,
            login: "patient@demo.xinglin".into(),
            password_hash: String::new(),
            role: Role::Patient,
            name: "王小明".into(),
            openid: None,
            status: UserStatus::Active,
            failed_sign_ins: 0,
            locked_until: None,
            created_at: self.clock.now(),
        };
        store.insert_user(&user).await.expect("saved");
    }

    fn patient(&self) -> Actor {
        Actor::person(Role::Patient, self.patient)
    }

    /// An order whose payment was submitted; what came of that is worked off.
    pub async fn submitted(&self) -> (OrderId, PaymentId) {
        let booking = Booking {
            patient: self.patient,
            mode: Mode::Dispatch,
            consultation_type: ConsultationType::Video,
            department: Some(self.department),
            complaint: "头痛三天".into(),
            slot: None,
            price: None,
        };
        let booked = self.engine.book(booking, self.patient(), Origin::default());
        let order = booked.await.expect("booked").order.id;
        let pay = Command::SubmitPayment {
            gateway: self.gateway.name(),
            method: self.method,
            payer: None,
            client_ip: None,
        };
        let paying = self.act(order, pay).await;
        self.settle().await;
        (order, paying.payments.last().expect("a payment").id)
    }

    /// The patient does something.
    pub async fn act(&self, order: OrderId, command: Command) -> Arc<Consultation> {
        let (who, origin) = (self.patient(), Origin::default());
        let done = self.engine.execute(order, command, who, origin).await;
        done.expect("done").order
    }

    /// Works off what is due.
    pub async fn settle(&self) {
        self.engine.settle().await.expect("settled");
    }

    /// Lets time pass, and nothing happen yet.
    pub fn clock_passes(&self, by: Span) {
        self.clock.advance(by).expect("clock");
    }

    /// The link to a payment's page.
    pub async fn link(&self, order: OrderId, payment: PaymentId) -> String {
        let known = self.engine.store().load(order).await.expect("read");
        let known = known.expect("an order");
        let expires_at = known.payment(payment).expect("a payment").expires_at;
        self.engine.pay_link(order, payment, expires_at).path()
    }

    /// The page of a payment that was just submitted.
    pub async fn page_of_new_payment(&self) -> String {
        let (order, payment) = self.submitted().await;
        self.link(order, payment).await
    }

    /// Looks, in English.
    pub async fn get(&self, path: &str) -> Answer {
        self.get_in("en", path).await
    }

    pub async fn get_in(&self, language: &str, path: &str) -> Answer {
        let request = self.client.get(format!("{}{path}", self.base));
        answer(request.header("accept-language", language).send().await).await
    }

    /// Posts a form, as another site would: nothing but the address says who it is.
    pub async fn post(&self, path: &str, body: &'static str) -> Answer {
        let request = self.client.post(format!("{}{path}", self.base));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        answer(request.body(body).send().await).await
    }
}

async fn answer(response: Result<Response, reqwest::Error>) -> Answer {
    let response = response.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("a body");
    Answer {
        status,
        headers,
        text,
    }
}
