//! HTTP as the rehearsal speaks it: every change carries a key, so that it can be repeated until it
//! is answered, however often the server goes away meanwhile.

use anyhow::{Context, Result, bail};
use reqwest::{Method, RequestBuilder, StatusCode, Url, header};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Everybody's password in a demonstration.
const PASSWORD: &str = "apricot-grove-1";
/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(100);
/// How often a payer loads a page that does not come.
const LOADS: usize = 3;
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(15);

/// An answer: its status and its body.
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: Value,
}

impl Answer {
    /// The data of a success; an error that tells what the server said otherwise.
    pub fn data(self) -> Result<Value> {
        if self.status.is_success() {
            return Ok(self.body["data"].clone());
        }
        let error = &self.body["error"];
        bail!(
            "{} {}: {}",
            self.status.as_u16(),
            error["name"],
            error["message"]
        )
    }
}

/// A server and its sandbox.
pub struct Client {
    http: reqwest::Client,
    url: String,
    sandbox: String,
    patience: Duration,
    tokens: Mutex<HashMap<String, String>>,
    run: String,
    keys: AtomicU64,
}

impl Client {
    /// A client that waits so long for a server that went away.
    pub fn new(url: &str, sandbox: &str, patience: Duration) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(REQUEST).build()?;
        let trim = |url: &str| url.trim_end_matches('/').to_owned();
        Ok(Self {
            http,
            url: trim(url),
            sandbox: trim(sandbox),
            patience,
            tokens: Mutex::default(),
            run: format!("{:032x}", rand::random::<u128>()),
            keys: AtomicU64::new(0),
        })
    }

    /// Sends a request until it is answered.
    async fn send(&self, build: impl Fn() -> RequestBuilder) -> Result<Answer> {
        let since = Instant::now();
        loop {
            let trouble = match build().send().await {
                Ok(response) if response.status().is_server_error() => {
                    format!("the server answers {}", response.status())
                }
                Ok(response) => {
                    let status = response.status();
                    // A connection lost inside an answer: ask again, with the same key.
                    match response.bytes().await {
                        Ok(bytes) => {
                            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
                            return Ok(Answer { status, body });
                        }
                        Err(error) => error.to_string(),
                    }
                }
                Err(error) => error.to_string(),
            };
            if since.elapsed() > self.patience {
                bail!(
                    "no server answers for {} s (is `xinglin demo` running? else --url): {trouble}",
                    self.patience.as_secs()
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Somebody's access token. Whoever asks meanwhile waits: a sign-in costs time on purpose.
    pub async fn token(&self, who: &str) -> Result<String> {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(who) {
            return Ok(token.clone());
        }
        let body = json!({ "email": format!("{who}@demo.xinglin"), "password": PASSWORD });
        let url = format!("{}/api/v1/auth/login", self.url);
        let data = self.send(|| self.http.post(&url).json(&body)).await?.data();
        let data = data.with_context(|| format!("{who} can't sign in"))?;
        let token = data["accessToken"]
            .as_str()
            .context("no access token")?
            .to_owned();
        tokens.insert(who.to_owned(), token.clone());
        Ok(token)
    }

    /// Forgets a token that has run out, unless somebody has a newer one already.
    async fn forget(&self, who: &str, token: &str) {
        let mut tokens = self.tokens.lock().await;
        if tokens.get(who).is_some_and(|known| known == token) {
            tokens.remove(who);
        }
    }

    /// Asks as somebody. A token that has run out is replaced.
    pub async fn call(
        &self,
        who: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Answer> {
        let url = format!("{}/api/v1{path}", self.url);
        let key = format!("{}-{}", self.run, self.keys.fetch_add(1, Ordering::SeqCst));
        loop {
            let token = self.token(who).await?;
            let answer = self
                .send(|| {
                    let request = self.http.request(method.clone(), &url).bearer_auth(&token);
                    if method == Method::GET {
                        request
                    } else {
                        request.header("Idempotency-Key", &key).json(body)
                    }
                })
                .await?;
            if answer.status != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            self.forget(who, &token).await;
        }
    }

    /// Where a path's WebSocket is.
    pub fn socket(&self, path: &str) -> String {
        let base = self.url.replacen("http", "ws", 1);
        format!("{base}/api/v1{path}")
    }

    /// Bytes that only somebody may read.
    pub async fn bytes(&self, who: &str, path: &str) -> Result<(StatusCode, Vec<u8>)> {
        let url = format!("{}/api/v1{path}", self.url);
        let request = self.http.get(url).bearer_auth(self.token(who).await?);
        let answer = request.send().await?;
        Ok((answer.status(), answer.bytes().await?.to_vec()))
    }

    /// Bytes that whoever has the link may read.
    pub async fn download(&self, link: &str) -> Result<(StatusCode, Vec<u8>)> {
        let answer = self.http.get(self.whole(link)).send().await?;
        Ok((answer.status(), answer.bytes().await?.to_vec()))
    }

    /// Puts bytes where a link leads.
    pub async fn upload(&self, link: &str, bytes: &[u8]) -> Result<()> {
        let request = self.http.put(self.whole(link)).body(bytes.to_vec());
        let answer = request.send().await?;
        if !answer.status().is_success() {
            bail!("PUT {link}: {} {}", answer.status(), answer.text().await?);
        }
        Ok(())
    }

    /// A link of this server's own has no host.
    fn whole(&self, link: &str) -> String {
        if link.starts_with('/') {
            format!("{}{link}", self.url)
        } else {
            link.to_owned()
        }
    }

    /// Looks.
    pub async fn get(&self, who: &str, path: &str) -> Result<Value> {
        let answer = self.call(who, Method::GET, path, &Value::Null).await?;
        answer.data().with_context(|| format!("{who} GET {path}"))
    }

    /// Changes.
    pub async fn post(&self, who: &str, path: &str, body: Value) -> Result<Value> {
        let answer = self.call(who, Method::POST, path, &body).await?;
        answer.data().with_context(|| format!("{who} POST {path}"))
    }

    /// Changes.
    pub async fn put(&self, who: &str, path: &str, body: Value) -> Result<Value> {
        let answer = self.call(who, Method::PUT, path, &body).await?;
        answer.data().with_context(|| format!("{who} PUT {path}"))
    }

    /// A payer's browser goes where a payment leads, to the gateway's page if there is one; where the
    /// gateway fails, the payer loads it again.
    pub async fn browse(&self, pay_with: &Value) -> Result<()> {
        let address = |name: &str| -> Result<Url> {
            Ok(Url::parse(pay_with[name].as_str().context("an address")?)?)
        };
        let build = match pay_with["kind"].as_str() {
            Some("redirect") => {
                let url = address("url")?;
                Box::new(move || self.http.get(url.clone()))
                    as Box<dyn Fn() -> RequestBuilder + Send + Sync + '_>
            }
            Some("form") => {
                let fields: BTreeMap<String, String> =
                    serde_json::from_value(pay_with["fields"].clone())?;
                let form = Url::parse_with_params("http://form.invalid", fields)?;
                let (action, body) = (address("action")?, form.query().unwrap_or("").to_owned());
                let kind = "application/x-www-form-urlencoded";
                Box::new(move || {
                    let post = self.http.post(action.clone());
                    post.header(header::CONTENT_TYPE, kind).body(body.clone())
                })
            }
            _ => return Ok(()),
        };
        let mut trouble = String::new();
        for _ in 0..LOADS {
            let answer = build().send().await?;
            let (status, url) = (answer.status(), answer.url().clone());
            let page = answer.text().await?;
            if status.is_success() && page.contains("<html") {
                return Ok(());
            }
            trouble = format!("{url} is no page of a gateway: {status}: {page}");
        }
        bail!("{trouble}")
    }

    /// Tells the sandbox. What it was told already is no error.
    pub async fn control(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let answer = self.told(method, path, body).await?;
        if !answer.status.is_success() {
            bail!(
                "sandbox {path}: {} {}",
                answer.status.as_u16(),
                answer.body["message"]
            );
        }
        Ok(answer.body)
    }

    /// Tells the sandbox what it may refuse.
    pub async fn told(&self, method: Method, path: &str, body: &Value) -> Result<Answer> {
        let url = format!("{}/control{path}", self.sandbox);
        self.send(|| self.http.request(method.clone(), &url).json(body))
            .await
    }
}
