//! Somebody in a room, over its WebSocket (docs/api/room.md).

use super::{Person, World};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

/// Somebody's connection to a room.
pub struct Live {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

pub fn address(world: &World, order: &str) -> String {
    let base = world.base.replace("http://", "ws://");
    format!("{base}/api/v1/orders/{order}/room")
}

impl Live {
    /// Connects and says hello with a token in the first frame, as a browser does.
    pub async fn open(world: &World, who: &Person, order: &str, after: i64) -> Self {
        let (socket, _) = connect_async(address(world, order))
            .await
            .expect("a socket");
        let mut live = Self { socket };
        let token = world.token(who).await;
        live.send(json!({ "type": "hello", "token": token, "after": after }))
            .await;
        live
    }

    /// The same, as far as the welcome.
    pub async fn enter(world: &World, who: &Person, order: &str, after: i64) -> (Self, Value) {
        let mut live = Self::open(world, who, order, after).await;
        let welcome = live.frame("welcome").await;
        (live, welcome)
    }

    pub async fn send(&mut self, frame: Value) {
        let text = Message::Text(frame.to_string().into());
        self.socket.send(text).await.expect("sent");
    }

    pub async fn say(&mut self, text: &str) -> Uuid {
        let id = engine::ids::new_id(domain::Ts::from_micros(1_800_000_000_000_000));
        self.send(json!({ "type": "message", "id": id, "text": text }))
            .await;
        id
    }

    /// The next frame of this type; others are passed over.
    pub async fn frame(&mut self, kind: &str) -> Value {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(10), self.socket.next()).await;
            match next.expect("in time").expect("open").expect("no error") {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    if frame["type"] == kind {
                        return frame;
                    }
                }
                Message::Close(frame) => panic!("closed while waiting for {kind}: {frame:?}"),
                _ => {}
            }
        }
    }

    /// With which code the server closes the connection.
    pub async fn closes(&mut self) -> u16 {
        loop {
            let next = tokio::time::timeout(Duration::from_secs(10), self.socket.next()).await;
            match next.expect("in time") {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("not closed: {other:?}"),
            }
        }
    }
}

/// How many lines the system has said when the consultation has begun.
pub const BEGUN: i64 = 2;

/// The next lines of people; the system's are passed over.
pub async fn said(live: &mut Live, count: usize) -> Vec<(i64, String)> {
    let mut lines = Vec::new();
    while lines.len() < count {
        let line = live.frame("message").await;
        if line["kind"] == "system" {
            continue;
        }
        let text = line["text"].as_str().expect("text").to_owned();
        lines.push((line["seq"].as_i64().expect("seq"), text));
    }
    lines
}

/// What the next line of the system tells of; lines of people are passed over.
pub async fn told(live: &mut Live) -> String {
    loop {
        let line = live.frame("message").await;
        if let Some(event) = line["event"].as_str() {
            return event.to_owned();
        }
    }
}
