//! Somebody in an order's room, over its WebSocket (docs/api/room.md).

use crate::rehearse::client::Client;
use anyhow::{Context, Result, bail, ensure};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

/// How long a frame may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A place in a room, with all lines that were heard there.
pub struct Room {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    order: String,
    who: String,
    /// Every line, in its place.
    pub lines: Vec<Value>,
}

impl Room {
    /// Enters.
    pub async fn enter(client: &Client, who: &str, order: &str) -> Result<Self> {
        let socket = Self::open(client, who, order, 0).await?;
        Ok(Self {
            socket,
            order: order.to_owned(),
            who: who.to_owned(),
            lines: Vec::new(),
        })
    }

    /// Comes back over a new connection, where the old one stopped.
    pub async fn resume(mut self, client: &Client) -> Result<Self> {
        // Cut off, not closed: what was under way is lost.
        drop(self.socket);
        self.socket = Self::open(client, &self.who, &self.order, self.lines.len()).await?;
        Ok(self)
    }

    async fn open(
        client: &Client,
        who: &str,
        order: &str,
        after: usize,
    ) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>> {
        let address = client.socket(&format!("/orders/{order}/room"));
        let (mut socket, _) = connect_async(&address).await.context(address)?;
        let hello = json!({ "type": "hello", "token": client.token(who).await?, "after": after });
        socket.send(Message::Text(hello.to_string().into())).await?;
        Ok(socket)
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Value) -> Result<()> {
        let text = Message::Text(frame.to_string().into());
        Ok(self.socket.send(text).await?)
    }

    /// Says something, or shows a file.
    pub async fn say(&mut self, kind: &str, text: &str, file: Option<&str>) -> Result<()> {
        let id = engine::ids::new_id(domain::Ts::from_micros(0));
        let id = Uuid::from_bytes(*id.as_bytes());
        self.send(
            json!({ "type": "message", "id": id, "kind": kind, "text": text, "fileId": file }),
        )
        .await
    }

    /// The next frame of a type; lines are kept, each in its place.
    pub async fn frame(&mut self, kind: &str) -> Result<Value> {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await;
            let next = next.with_context(|| format!("{} waited for {kind}", self.who))?;
            let Message::Text(text) = next.context("the room was closed")?? else {
                continue;
            };
            let frame: Value = serde_json::from_str(&text)?;
            if frame["type"] == "error" {
                bail!("the room refused {}: {}", self.who, frame["message"]);
            }
            if frame["type"] == "message" {
                let place = self.lines.len() + 1;
                ensure!(
                    frame["seq"] == place,
                    "line {} came as {place}",
                    frame["seq"]
                );
                self.lines.push(frame.clone());
            }
            if frame["type"] == kind {
                return Ok(frame);
            }
        }
    }

    /// Waits until so many lines were heard.
    pub async fn hears(&mut self, lines: usize) -> Result<()> {
        while self.lines.len() < lines {
            self.frame("message").await?;
        }
        Ok(())
    }

    /// Waits for a line that this holds of.
    pub async fn hears_that(&mut self, holds: impl Fn(&Value) -> bool) -> Result<Value> {
        loop {
            if let Some(line) = self.lines.iter().find(|line| holds(line)) {
                return Ok(line.clone());
            }
            self.frame("message").await?;
        }
    }
}
