//! Stripe's end, played from a script: each request gets the next answer and is kept.

use super::{Stripe, stripe};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// What is answered.
pub(super) struct Scripted {
    status: u16,
    replayed: bool,
    body: String,
}

pub(super) fn ok(body: &Value) -> Scripted {
    answer(200, body)
}

pub(super) fn answer(status: u16, body: &Value) -> Scripted {
    text(status, &body.to_string())
}

pub(super) fn text(status: u16, body: &str) -> Scripted {
    Scripted {
        status,
        replayed: false,
        body: body.to_owned(),
    }
}

/// As the stored answer to an earlier request with this key.
pub(super) fn again(scripted: Scripted) -> Scripted {
    Scripted {
        replayed: true,
        ..scripted
    }
}

/// What was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// `POST /v1/refunds`
    pub(super) line: String,
    headers: HeaderMap,
    /// The form or the query, decoded, in its order.
    pub(super) fields: Vec<(String, String)>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[derive(Clone)]
pub(super) struct Server {
    script: Arc<Mutex<VecDeque<Scripted>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Listens, and gives the gateway that talks to it.
    pub(super) async fn playing(script: impl IntoIterator<Item = Scripted>) -> (Self, Stripe) {
        let server = Self {
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            asked: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(take).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (server, stripe(&format!("http://{address}")))
    }

    /// What was asked, in order. Fails if the script was not played to its end.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let left = self.script.lock().unwrap().len();
        assert_eq!(left, 0, "answers that nobody asked for");
        self.asked.lock().unwrap().clone()
    }

    /// The lines of what was asked.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

async fn take(
    State(server): State<Server>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let encoded = match &method {
        &Method::GET => uri.query().unwrap_or_default().as_bytes().to_vec(),
        _ => body.to_vec(),
    };
    server.asked.lock().unwrap().push(Asked {
        line: format!("{method} {}", uri.path()),
        headers,
        fields: form_urlencoded::parse(&encoded).into_owned().collect(),
    });
    let next = server.script.lock().unwrap().pop_front();
    let Some(next) = next else {
        return (StatusCode::IM_A_TEAPOT, "nothing more in the script").into_response();
    };
    let mut answer = HeaderMap::new();
    answer.insert("request-id", "req_123".parse().unwrap());
    if next.replayed {
        answer.insert("idempotent-replayed", "true".parse().unwrap());
    }
    let status = StatusCode::from_u16(next.status).unwrap();
    (status, answer, next.body).into_response()
}
