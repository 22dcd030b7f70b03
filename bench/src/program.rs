//! The program under load: the engine alone, and the whole server over HTTP. A command is a booking
//! or its cancellation, by turns.

use crate::load::Client;
use anyhow::{Context, Result, bail, ensure};
use domain::consultation::{Command, ConsultationType, Mode};
use domain::order::{Actor, Role};
use domain::{DepartmentId, OrderId, UserId};
use engine::clock::{Clock, SystemClock};
use engine::ids::new_id;
use engine::{Booking, Engine, EngineConfig, Gateways, Origin};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use store::{Department, Store, User, UserStatus};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command as Process};
use uuid::Uuid;

/// Everybody's password.
pub const PASSWORD: &str = "apricot-grove-1";
/// The patient's sign-in.
pub const LOGIN: &str = "patient@bench.xinglin";
/// What it is about.
pub const COMPLAINT: &str = "头痛三天，夜里更重，没有发烧。";

/// The department that all ask for.
pub const DEPARTMENT: DepartmentId = DepartmentId(Uuid::from_u128(1));

/// Who asks.
pub fn patient() -> UserId {
    UserId(Uuid::from_u128(2))
}

/// The people and places that a booking needs.
pub async fn seed(store: &Store) -> Result<()> {
    let (code, zh, en) = ("internal", "内科", "Internal medicine");
    store
        .upsert_department(&Department {
            id: DEPARTMENT,
            code: code.to_owned(),
            name_zh: zh.to_owned(),
            name_en: en.to_owned(),
        })
        .await?;
    store
        .insert_user(&User {
            id: patient(),
            login: LOGIN.to_owned(),
            password_hash: api::password::hash(PASSWORD)?,
            role: Role::Patient,
            name: LOGIN.to_owned(),
            openid: None,
            status: UserStatus::Active,
            failed_sign_ins: 0,
            locked_until: None,
            created_at: SystemClock.now(),
        })
        .await?;
    Ok(())
}

/// An engine on a store, its loops running.
pub async fn engine(store: &Store) -> Result<Engine> {
    let clock = Arc::new(SystemClock);
    Ok(Engine::start(
        store.clone(),
        Gateways::new(),
        clock,
        EngineConfig::default(),
    )
    .await?)
}

/// Asks the engine.
pub struct EngineClient {
    engine: Engine,
    booked: Option<OrderId>,
}

impl EngineClient {
    /// Somebody new.
    pub fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            booked: None,
        }
    }
}

impl Client for EngineClient {
    async fn command(&mut self) -> Result<()> {
        let actor = Actor::person(Role::Patient, patient());
        if let Some(order) = self.booked.take() {
            let cancel = Command::Cancel {
                quote: None,
                reason: None,
            };
            let origin = Origin::default();
            let done = self.engine.execute(order, cancel, actor, origin).await?;
            ensure!(done.applied, "order {order} was cancelled before");
            return Ok(());
        }
        let booking = Booking {
            patient: patient(),
            mode: Mode::Dispatch,
            consultation_type: ConsultationType::Text,
            department: Some(DEPARTMENT),
            complaint: COMPLAINT.to_owned(),
            slot: None,
            price: None,
        };
        let booked = self.engine.book(booking, actor, Origin::default()).await?;
        self.booked = Some(booked.order.id);
        Ok(())
    }
}

/// The server in a process of its own.
pub struct Server {
    process: Child,
    program: PathBuf,
    database: String,
    keys: PathBuf,
    environment: Vec<(String, String)>,
    address: String,
    token: String,
}

impl Server {
    /// Starts it on a database and signs in.
    pub async fn start(program: &Path, database: &str, keys: &Path) -> Result<Self> {
        Self::start_with(program, database, keys, Vec::new()).await
    }

    /// Starts it with these environment variables besides.
    pub async fn start_with(
        program: &Path,
        database: &str,
        keys: &Path,
        environment: Vec<(String, String)>,
    ) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let mut server = Self {
            process: process(program, database, &address, keys, &environment)?,
            program: program.to_owned(),
            database: database.to_owned(),
            keys: keys.to_owned(),
            environment,
            address,
            token: String::new(),
        };
        server.token = server.sign_in(LOGIN).await?;
        Ok(server)
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Kills it without a chance to tidy up, and starts it again at the same address.
    pub async fn killed_and_started(mut self) -> Result<Self> {
        self.process.kill().await?;
        self.process = process(
            &self.program,
            &self.database,
            &self.address,
            &self.keys,
            &self.environment,
        )?;
        Ok(self)
    }

    /// A token of somebody, as soon as the server answers.
    pub async fn sign_in(&mut self, login: &str) -> Result<String> {
        for _ in 0..200 {
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended with {status}");
            }
            if let Ok(mut connection) = connect(&self.address).await {
                let body = json!({ "email": login, "password": PASSWORD });
                let (status, answer) = ask(
                    &mut connection,
                    Method::POST,
                    "/api/v1/auth/login",
                    "",
                    &body,
                )
                .await?;
                ensure!(status == StatusCode::OK, "signing in: {status} {answer}");
                let token = answer["data"]["accessToken"].as_str().context("no token")?;
                return Ok(token.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the server does not answer within 10 s");
    }

    /// Somebody with a connection of their own.
    pub async fn client(&self) -> Result<HttpClient> {
        Ok(HttpClient {
            connection: connect(&self.address).await?,
            authorization: format!("Bearer {}", self.token),
            booked: None,
        })
    }

    /// Its process.
    pub fn id(&self) -> Result<u32> {
        self.process.id().context("the server has ended")
    }

    /// The most memory that the server ever held, in bytes.
    pub fn memory(&self) -> Result<u64> {
        let id = self.id()?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let line = line.context("no VmHWM in /proc")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }

    /// Asks it to end and waits.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(id) = self.process.id() {
            let status = Process::new("kill").arg(id.to_string()).status().await?;
            ensure!(status.success(), "the server can't be told to stop");
        }
        self.process.wait().await?;
        Ok(())
    }
}

fn process(
    program: &Path,
    database: &str,
    address: &str,
    keys: &Path,
    environment: &[(String, String)],
) -> Result<Child> {
    Process::new(program)
        .args(["serve", "--database-url", database, "--listen", address])
        .arg("--keys-dir")
        .arg(keys)
        .env("XINGLIN_LOG", "error")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{} does not start", program.display()))
}

/// Asks over HTTP, on a connection that is kept.
pub struct HttpClient {
    connection: SendRequest<Full<Bytes>>,
    authorization: String,
    booked: Option<String>,
}

impl Client for HttpClient {
    async fn command(&mut self) -> Result<()> {
        let (method, path, body) = match self.booked.take() {
            Some(order) => (
                Method::PUT,
                format!("/api/v1/orders/{order}/cancel"),
                json!({}),
            ),
            None => (
                Method::POST,
                "/api/v1/orders".to_owned(),
                json!({
                    "kind": "consultation", "mode": "dispatch", "consultationType": "text",
                    "departmentId": DEPARTMENT.0, "complaint": COMPLAINT,
                }),
            ),
        };
        let is_booking = method == Method::POST;
        let (status, answer) = ask(
            &mut self.connection,
            method,
            &path,
            &self.authorization,
            &body,
        )
        .await?;
        ensure!(status.is_success(), "{status} {answer}");
        if is_booking {
            let order = answer["data"]["id"].as_str().context("no id")?;
            self.booked = Some(order.to_owned());
        }
        Ok(())
    }
}

/// A connection to a server on this machine, to be kept.
pub async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            eprintln!("a connection to the server broke: {error}");
        }
    });
    Ok(sender)
}

async fn ask(
    connection: &mut SendRequest<Full<Bytes>>,
    method: Method,
    path: &str,
    authorization: &str,
    body: &Value,
) -> Result<(StatusCode, Value)> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "127.0.0.1")
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", new_id(SystemClock.now()).to_string());
    if !authorization.is_empty() {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let request = request.body(Full::new(Bytes::from(body.to_string())))?;
    connection.ready().await?;
    let answer = connection.send_request(request).await?;
    let status = answer.status();
    let bytes = answer.into_body().collect().await?.to_bytes();
    Ok((status, serde_json::from_slice(&bytes)?))
}

/// Posts a body with these headers.
pub async fn post(
    connection: &mut SendRequest<Full<Bytes>>,
    path: &str,
    headers: &[(String, String)],
    body: Bytes,
) -> Result<(StatusCode, Bytes)> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, "127.0.0.1");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    connection.ready().await?;
    let answer = connection
        .send_request(request.body(Full::new(body))?)
        .await?;
    let status = answer.status();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}

/// What is at this address, as text.
pub async fn get(url: &str) -> Result<String> {
    let uri: Uri = url.parse()?;
    let address = uri.authority().context("an address without a host")?;
    let mut connection = connect(address.as_str()).await?;
    let request = Request::builder()
        .uri(uri.path())
        .header(header::HOST, address.as_str())
        .body(Full::default())?;
    let answer = connection.send_request(request).await?;
    let status = answer.status();
    ensure!(status.is_success(), "{url}: {status}");
    let bytes = answer.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.to_vec())?)
}
