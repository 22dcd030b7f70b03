//! A small hospital for one test: one person of each role, one department.

use super::gateway;
use crate::openapi::BASE;
use crate::token::{Tokens, new_key};
use crate::{ApiConfig, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use domain::consultation::ConsultationType;
use domain::order::Role;
use domain::{DepartmentId, Money, Ts, UserId};
use engine::clock::SettableClock;
use engine::{Engine, EngineConfig, Gateways};
use serde_json::Value;
use std::sync::Arc;
use store::testing::{Fresh, fresh_sqlite};
use store::{Department, Doctor, User, UserStatus};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

pub const NOW: &str = "2026-03-02T09:00:00+08:00";
pub const NIL: &str = "00000000-0000-0000-0000-000000000000";

pub struct House {
    pub router: Router,
    pub tokens: Tokens,
    pub now: Ts,
    /// Goes last: the database goes with it.
    _fresh: Fresh,
}

impl House {
    pub async fn new() -> Self {
        let fresh = fresh_sqlite().await.unwrap();
        let now = Ts::parse(NOW).unwrap();
        let clock = Arc::new(SettableClock::frozen(now));
        let store = fresh.store.clone();
        for role in [Role::Patient, Role::Doctor, Role::Operator, Role::Admin] {
            store.insert_user(&user(role, now)).await.unwrap();
        }
        let (zh, en) = ("内科".to_owned(), "Internal medicine".to_owned());
        let department = Department {
            id: DepartmentId(Uuid::from_u128(1)),
            code: "im".into(),
            name_zh: zh,
            name_en: en,
        };
        store.upsert_department(&department).await.unwrap();
        store
            .upsert_doctor(&doctor(department.id, now))
            .await
            .unwrap();
        let gateways = Gateways::new().with(Arc::new(gateway::Slow::new()));
        let engine = Engine::start(store, gateways, clock, EngineConfig::default())
            .await
            .unwrap();
        let key = new_key().unwrap();
        let tokens = Tokens::new(&key).unwrap();
        let config = ApiConfig {
            token_key_pkcs8: key,
            stop: CancellationToken::new(),
            ice_servers: serde_json::json!([]),
            metrics: None,
            metrics_token: None,
        };
        Self {
            router: router(engine, config).unwrap(),
            tokens,
            now,
            _fresh: fresh,
        }
    }

    pub async fn ask(
        &self,
        role: Option<Role>,
        verb: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let mut request = Request::builder()
            .method(verb.to_uppercase().as_str())
            .uri(path);
        if let Some(role) = role {
            let token = self.tokens.issue(id_of(role), role, self.now).unwrap();
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        let answer = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    pub async fn data(&self, role: Role, verb: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self
            .ask(Some(role), verb, &format!("{BASE}{path}"), body)
            .await;
        assert!(status < 300, "{verb} {path}: {status} {answer:#}");
        answer["data"].clone()
    }
}

pub fn id_of(role: Role) -> UserId {
    UserId(Uuid::from_u128(100 + role as u128))
}

fn user(role: Role, now: Ts) -> User {
    User {
        id: id_of(role),
        login: format!("{}@demo.xinglin", role.name()),
        password_hash: String::new(),
        role,
        name: role.name().to_owned(),
        openid: None,
        status: UserStatus::Active,
        failed_sign_ins: 0,
        locked_until: None,
        created_at: now,
    }
}

fn doctor(department: DepartmentId, now: Ts) -> Doctor {
    Doctor {
        user: id_of(Role::Doctor),
        department,
        name: "王医生".into(),
        title: "主治医师".into(),
        specialities: vec!["头痛".into()],
        types: vec![ConsultationType::Text],
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
