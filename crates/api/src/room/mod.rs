//! An order's room (spec 10, the consultation itself): over a WebSocket, or over server-sent events
//! and POST for those who have none.

mod frames;
mod watching;

use crate::AppState;
use crate::envelope::Context;
use crate::error::{ApiError, Code};
use crate::extract::{Asked, Caller, Data, NotNow, Query, id};
use axum::Router;
use axum::extract::ws::{CloseFrame, Message as WsMessage, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use domain::lifecycle::Language;
use domain::order::Role;
use domain::{FileId, OrderId};
use engine::NewMessage;
use frames::Frame;
use futures::{Stream, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::{Instant, interval, timeout};
use uuid::Uuid;
use watching::Watching;

/// How long somebody without a token in the header has to say who they are.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// How often receipts are written, and the connection is looked after.
const TICK: Duration = Duration::from_secs(1);
/// How often a sign of life is asked for, in ticks.
const PING_TICKS: u32 = 20;
/// How long a connection may be silent.
const SILENT: Duration = Duration::from_secs(60);
/// How many frames somebody may send at once, and how many a second in the long run.
const BURST: f64 = 100.0;
const A_SECOND: f64 = 30.0;

/// Why the server closes a connection: WebSocket's own codes, and ours from 4000 on.
mod closing {
    /// The server stops; come back.
    pub const RESTART: u16 = 1012;
    /// A frame is larger than allowed.
    pub const TOO_LARGE: u16 = 1009;
    /// Nobody was told, or the token is not good.
    pub const UNAUTHENTICATED: u16 = 4401;
    /// There is no such order for the caller.
    pub const NOT_FOUND: u16 = 4404;
    /// Nothing came for a minute.
    pub const SILENT: u16 = 4408;
    /// Something failed here; come back.
    pub const FAILED: u16 = 4500;
}

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/orders/{id}/room", get(room).post(post_frame))
        .route("/orders/{id}/room/stream", get(stream_room))
        .route("/orders/{id}/messages", get(messages).post(post_message))
}

/// Opens a WebSocket. A browser can't send a header with it: its token comes in the first frame.
async fn room(
    State(state): State<AppState>,
    Path(order): Path<String>,
    context: Context,
    caller: Option<Caller>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let order: OrderId = id(&order)?;
    if let Some(caller) = caller {
        // Who has no business here hears it before the connection changes its protocol.
        state.visible(order, caller).await?;
    }
    // Thousands of rooms are open at a time, and lines are short.
    let upgrade = upgrade
        .max_message_size(frames::LARGEST)
        .read_buffer_size(4 << 10)
        .write_buffer_size(4 << 10);
    Ok(upgrade.on_upgrade(async move |socket| {
        let connection = Connection {
            socket,
            language: context.language,
        };
        connection.serve(state, order, caller).await;
    }))
}

struct Connection {
    socket: WebSocket,
    language: Language,
}

/// The connection ended, or must.
struct Over;

impl Connection {
    async fn serve(mut self, state: AppState, order: OrderId, caller: Option<Caller>) {
        // Ended is ended, whoever did it.
        self.talk(state, order, caller).await.ok();
    }

    async fn talk(
        &mut self,
        state: AppState,
        order: OrderId,
        caller: Option<Caller>,
    ) -> Result<(), Over> {
        let (caller, after) = self.hello(&state, caller).await?;
        let entered = Watching::enter(&state, order, caller, self.language, after).await;
        let (mut watching, welcome) = match entered {
            Ok(entered) => entered,
            Err(error) => return self.refuse(error).await,
        };
        self.send(&welcome).await?;
        let mut tick = interval(TICK);
        let (mut ticks, mut heard) = (0_u32, Instant::now());
        let mut allowance = Allowance::new();
        loop {
            tokio::select! {
                () = state.stop.cancelled() => return self.close(closing::RESTART, "restart").await,
                frames = watching.next() => match frames {
                    Ok(frames) => for frame in frames { self.send(&frame).await?; },
                    Err(error) => return self.refuse(error).await,
                },
                received = self.socket.recv() => {
                    heard = Instant::now();
                    self.take(&mut watching, received, &mut allowance).await?;
                }
                _ = tick.tick() => {
                    ticks = ticks.wrapping_add(1);
                    if heard.elapsed() > SILENT {
                        return self.close(closing::SILENT, "silent").await;
                    }
                    if ticks.is_multiple_of(PING_TICKS) {
                        let ping = WsMessage::Ping(Vec::new().into());
                        self.socket.send(ping).await.map_err(|_| Over)?;
                    }
                    if let Err(error) = watching.write_receipts().await {
                        return self.refuse(error).await;
                    }
                }
            }
        }
    }

    /// The first frame: who it is, where the header did not tell, and where to go on.
    async fn hello(
        &mut self,
        state: &AppState,
        caller: Option<Caller>,
    ) -> Result<(Caller, i64), Over> {
        let first = timeout(HELLO_WITHIN, self.socket.recv()).await;
        let text = match first {
            Ok(Some(Ok(WsMessage::Text(text)))) => text,
            Ok(None | Some(Err(_) | Ok(WsMessage::Close(_)))) => return Err(Over),
            Ok(Some(Ok(_))) | Err(_) => {
                let words = "the first frame is `hello`, within 10 seconds";
                let error = ApiError::from(Code::MalformedRequest).saying(words);
                let error = error.in_chinese(Some("第一帧必须是 hello，10 秒之内"));
                self.refuse(error).await?;
                return Err(Over);
            }
        };
        let (token, after) = match Frame::of(&text) {
            Ok(Frame::Hello { token, after }) => (token, after.unwrap_or(0)),
            Ok(_) => {
                let error = ApiError::field("type", "the first frame is `hello`");
                self.refuse(error).await?;
                return Err(Over);
            }
            Err(error) => {
                self.refuse(error).await?;
                return Err(Over);
            }
        };
        let known = match (caller, token) {
            (Some(caller), _) => Ok(caller),
            (None, Some(token)) => Caller::of_token(state, &token),
            (None, None) => Err(Code::Unauthenticated.into()),
        };
        match known {
            Ok(caller) => Ok((caller, after)),
            Err(error) => {
                self.refuse(error).await?;
                Err(Over)
            }
        }
    }

    /// Does what a frame asks; what is wrong with it is said, and the connection goes on.
    async fn take(
        &mut self,
        watching: &mut Watching,
        received: Option<Result<WsMessage, axum::Error>>,
        allowance: &mut Allowance,
    ) -> Result<(), Over> {
        let text = match received {
            Some(Ok(WsMessage::Text(text))) => text,
            Some(Ok(WsMessage::Ping(_) | WsMessage::Pong(_))) => return Ok(()),
            Some(Ok(WsMessage::Binary(_))) => {
                let words = "frames are text: send JSON";
                let error = ApiError::from(Code::MalformedRequest).saying(words);
                let error = error.in_chinese(Some("只接受文本帧：请发送 JSON"));
                return self.send(&frames::error(&error, self.language, None)).await;
            }
            Some(Err(error)) if error.to_string().contains("too long") => {
                return self.close(closing::TOO_LARGE, "too large").await;
            }
            None | Some(Err(_) | Ok(WsMessage::Close(_))) => return Err(Over),
        };
        if !allowance.take() {
            let error = frames::error(&Code::RateLimitExceeded.into(), self.language, None);
            return self.send(&error).await;
        }
        let frame = match Frame::of(&text) {
            Ok(frame) => frame,
            Err(error) => return self.send(&frames::error(&error, self.language, None)).await,
        };
        let about = match &frame {
            Frame::Message { id, .. } => Some(*id),
            _ => None,
        };
        match done(watching, frame).await {
            Ok(Some(answer)) => self.send(&answer).await,
            Ok(None) => Ok(()),
            Err(error) => {
                self.send(&frames::error(&error, self.language, about))
                    .await
            }
        }
    }

    async fn send(&mut self, frame: &Value) -> Result<(), Over> {
        let text = WsMessage::Text(frame.to_string().into());
        self.socket.send(text).await.map_err(|_| Over)
    }

    /// Says why, and ends the connection with the code that fits.
    async fn refuse(&mut self, error: ApiError) -> Result<(), Over> {
        let code = match error.code {
            Code::Unauthenticated | Code::TokenExpired => closing::UNAUTHENTICATED,
            Code::OrderNotFound => closing::NOT_FOUND,
            Code::MalformedRequest | Code::ValidationFailed => 1008,
            _ => closing::FAILED,
        };
        let name = error.code.row().1;
        self.send(&frames::error(&error, self.language, None))
            .await?;
        self.close(code, name).await
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Over> {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        self.socket
            .send(WsMessage::Close(Some(frame)))
            .await
            .map_err(|_| Over)?;
        Err(Over)
    }
}

/// Does what a frame asks, and answers where there is an answer.
async fn done(watching: &mut Watching, frame: Frame) -> Result<Option<Value>, ApiError> {
    match frame {
        Frame::Hello { .. } => return Err(ApiError::field("type", "`hello` comes first, once")),
        Frame::Message {
            id,
            kind,
            text,
            file_id,
        } => {
            let kind = frames::kind(kind.as_deref())?;
            let text = text.unwrap_or_default();
            return watching.say(id, kind, text, file_id).await.map(Some);
        }
        Frame::Delivered { seq } => watching.received(seq, 0),
        Frame::Read { seq } => watching.received(seq, seq),
        Frame::Typing { on } => watching.typing(on),
        Frame::Signal { kind, data } => watching.signal(kind, data).await?,
        Frame::Ping {} => return Ok(Some(json!({ "type": "pong" }))),
    }
    Ok(None)
}

/// How many frames somebody may still send now.
struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    fn new() -> Self {
        Self {
            left: BURST,
            at: Instant::now(),
        }
    }

    fn take(&mut self) -> bool {
        let now = Instant::now();
        let gained = now.duration_since(self.at).as_secs_f64() * A_SECOND;
        (self.left, self.at) = ((self.left + gained).min(BURST), now);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

/// The same frames as over the WebSocket, as server-sent events.
async fn stream_room(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(order): Path<String>,
    uri: Uri,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let query = Query::of(&uri, &["after"])?;
    let after = query.get("after", "a line's number", |text| text.parse().ok())?;
    let (order, after) = (id(&order)?, after.unwrap_or(0));
    let entered = Watching::enter(&state, order, caller, context.language, after).await?;
    let (watching, welcome) = entered;
    let first = (watching, vec![welcome], state.stop.clone());
    let frames = stream::unfold(first, async |(mut watching, mut waiting, stop)| {
        while waiting.is_empty() {
            tokio::select! {
                () = stop.cancelled() => return None,
                next = watching.next() => waiting = next.ok()?,
            }
        }
        let frame = waiting.remove(0);
        let event = Event::default().json_data(frame).ok()?;
        Some((Ok(event), (watching, waiting, stop)))
    });
    Ok(Sse::new(frames).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

#[derive(Deserialize)]
struct AnyFrame(Frame);

/// One frame, from somebody who watches by server-sent events.
async fn post_frame(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<AnyFrame>,
) -> Result<Data, NotNow> {
    let (caller, language) = (asked.caller, asked.context.language);
    let order = id(&order)?;
    let mut watching = Watching::for_one_frame(&state, order, caller, language).await?;
    let answer = done(&mut watching, asked.body.0).await?;
    watching.write_receipts().await?;
    Ok(answer.unwrap_or_else(|| json!({ "type": "done" })).into())
}

/// Lines after a place, oldest first, or before one, newest first.
async fn messages(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(order): Path<String>,
    uri: Uri,
) -> Result<Data, ApiError> {
    let query = Query::of(&uri, &["after", "before", "limit", "page"])?;
    let number = |name| query.get(name, "a line's number", |text| text.parse().ok());
    let (after, before) = (number("after")?, number("before")?);
    let order = state.visible(id(&order)?, caller).await?;
    let limit = query.page()?.limit;
    let store = state.engine.store();
    let lines = match before {
        Some(before) => store.messages_before(order.id, before, limit).await?,
        None => store.messages(order.id, after, limit).await?,
    };
    let shown = lines
        .iter()
        .map(|line| frames::message(line, context.language));
    Ok(Value::Array(shown.collect()).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PostedMessage {
    id: Option<Uuid>,
    kind: Option<String>,
    text: Option<String>,
    file_id: Option<FileId>,
}

async fn post_message(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<PostedMessage>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Patient, Role::Doctor])?;
    let order = state.visible(id(&order)?, asked.caller).await?;
    let (user, role) = (asked.caller.user, asked.caller.role);
    let body = &asked.body;
    let new = NewMessage {
        id: body.id.or(asked.id()),
        kind: frames::kind(body.kind.as_deref())?,
        text: body.text.clone().unwrap_or_default(),
        file: body.file_id,
    };
    let sent = state.engine.post_message(order.id, user, role, new).await?;
    Ok(Data {
        status: StatusCode::CREATED,
        ..Data::from(frames::message(&sent, asked.context.language))
    })
}
