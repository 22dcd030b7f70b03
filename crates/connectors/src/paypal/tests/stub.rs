//! The other end, as scripted: answers by request line, and everything that was asked.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A server on this machine, for as long as the test.
pub struct Stub {
    pub base: String,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    answers: HashMap<String, VecDeque<(u16, String)>>,
    asked: Vec<Asked>,
    tokens: u32,
    /// Tokens up to this one are refused.
    tokens_refused: u32,
}

impl Inner {
    fn next(&mut self, line: &str) -> Option<(u16, String)> {
        self.answers.get_mut(line).and_then(VecDeque::pop_front)
    }
}

/// One request.
#[derive(Clone)]
pub struct Asked {
    pub line: String,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Stub {
    pub async fn start() -> Self {
        let inner = Arc::<Mutex<Inner>>::default();
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base, inner }
    }

    /// The next answer to a request line such as `GET /v2/checkout/orders/5O1`.
    pub fn answers(&self, line: &str, status: u16, body: &Value) -> &Self {
        self.answers_text(line, status, &body.to_string())
    }

    pub fn answers_text(&self, line: &str, status: u16, body: &str) -> &Self {
        let mut inner = self.inner.lock().unwrap();
        let answers = inner.answers.entry(line.to_owned()).or_default();
        answers.push_back((status, body.to_owned()));
        self
    }

    /// The tokens given so far are not taken any more.
    pub fn refuse_tokens(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.tokens_refused = inner.tokens;
    }

    /// How many tokens were given.
    pub fn tokens(&self) -> u32 {
        self.inner.lock().unwrap().tokens
    }

    /// What was asked, without the tokens.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.lock().unwrap().asked.clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

const TOKEN: &str = "POST /v1/oauth2/token";

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let line = format!("{method} {uri}");
    if line == TOKEN {
        // Long enough for others to come and wait.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut inner = inner.lock().unwrap();
    let (status, answer) = if line == TOKEN {
        assert_eq!(
            headers["authorization"],
            "Basic Y2xpZW50OkVITFRyWUtRLXNlY3JldA=="
        );
        assert_eq!(&body[..], b"grant_type=client_credentials");
        inner.tokens += 1;
        let token = format!("token-{}", inner.tokens);
        let good = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 32_400 });
        inner.next(&line).unwrap_or((200, good.to_string()))
    } else {
        let token = headers
            .get("authorization")
            .map_or("", |value| value.to_str().unwrap());
        let number = token.trim_start_matches("Bearer token-").parse::<u32>();
        let refused = number.is_ok_and(|number| number <= inner.tokens_refused);
        inner.asked.push(Asked {
            line: line.clone(),
            headers: headers.clone(),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        });
        if refused {
            (401, r#"{"error":"invalid_token"}"#.to_owned())
        } else {
            let missing = || (500, format!("{line} is not in the script"));
            inner.next(&line).unwrap_or_else(missing)
        }
    };
    (StatusCode::from_u16(status).unwrap(), answer)
}
