//! The room's frames: JSON objects, one a message, told apart by `type` (docs/api/room.md).

use crate::error::{ApiError, Code};
use crate::extract::read;
use domain::FileId;
use domain::consultation::{Consultation, RoomLine};
use domain::lifecycle::{Language, Status};
use domain::order::Role;
use engine::RoomEvent;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Message, MessageKind, Receipt};
use uuid::Uuid;

/// The largest frame, in bytes: a browser's offer with all its candidates fits.
pub const LARGEST: usize = 64 << 10;

/// What a side sends.
#[derive(Debug, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
pub enum Frame {
    /// The first frame: who it is, where no header told, and after which line to go on.
    Hello {
        /// An access token.
        token: Option<String>,
        /// The last line that is known there.
        after: Option<i64>,
    },
    /// A line.
    Message {
        /// The sender's id of it.
        id: Uuid,
        /// What it is; words where nothing is said.
        kind: Option<String>,
        /// The words.
        text: Option<String>,
        /// The picture, clip or file.
        file_id: Option<FileId>,
    },
    /// Lines up to this one have arrived.
    Delivered {
        /// The line.
        seq: i64,
    },
    /// Lines up to this one were read.
    Read {
        /// The line.
        seq: i64,
    },
    /// Somebody writes, or stopped.
    Typing {
        /// Whether they write.
        on: bool,
    },
    /// A word for the other side's browser.
    Signal {
        /// `offer`, `answer`, `candidate`, `connected` or `hangup`.
        kind: Signal,
        /// As the browser made it.
        #[serde(default)]
        data: Value,
    },
    /// A sign of life.
    Ping {},
}

/// What a word for the other side's browser is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// A session is offered.
    Offer,
    /// An offer is answered.
    Answer,
    /// A way to reach this side.
    Candidate,
    /// This side sees and hears the other.
    Connected,
    /// The call is over.
    Hangup,
}

impl Signal {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Answer => "answer",
            Self::Candidate => "candidate",
            Self::Connected => "connected",
            Self::Hangup => "hangup",
        }
    }
}

impl Frame {
    /// Reads one; what is wrong is named.
    pub fn of(text: &str) -> Result<Self, ApiError> {
        if text.len() > LARGEST {
            let words = format!("a frame has at most {LARGEST} bytes");
            return Err(ApiError::from(Code::MalformedRequest)
                .saying(words)
                .in_chinese(Some(format!("一帧最多 {LARGEST} 字节"))));
        }
        let frame: Self = read(text.as_bytes())?;
        let given: serde_json::Map<String, Value> = read(text.as_bytes())?;
        let known = frame.fields();
        match given.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                let words = format!("unknown field `{name}`: use {}", known.join(", "));
                Err(ApiError::field(name, words))
            }
            None => Ok(frame),
        }
    }

    /// What a frame of its type may have; serde lets more pass where a tag tells the type.
    const fn fields(&self) -> &'static [&'static str] {
        match self {
            Self::Hello { .. } => &["type", "token", "after"],
            Self::Message { .. } => &["type", "id", "kind", "text", "fileId"],
            Self::Delivered { .. } | Self::Read { .. } => &["type", "seq"],
            Self::Typing { .. } => &["type", "on"],
            Self::Signal { .. } => &["type", "kind", "data"],
            Self::Ping {} => &["type"],
        }
    }
}

/// What a line is, by the name that was sent.
pub fn kind(name: Option<&str>) -> Result<MessageKind, ApiError> {
    let Some(name) = name else {
        return Ok(MessageKind::Text);
    };
    MessageKind::from_name(name)
        .filter(|kind| !matches!(kind, MessageKind::Call | MessageKind::System))
        .ok_or_else(|| ApiError::field("kind", "must be text, picture, voice or file"))
}

/// A line as both sides see it; what the system says is in the reader's language.
pub fn message(message: &Message, language: Language) -> Value {
    let event = match message.kind {
        MessageKind::System => RoomLine::from_name(&message.body),
        _ => None,
    };
    let text = event.map_or(message.body.as_str(), |event| event.words(language));
    json!({
        "id": message.id, "seq": message.seq, "kind": message.kind.name(),
        "sender": { "id": message.sender, "role": message.role.name() },
        "text": text, "event": event.map(RoomLine::name), "fileId": message.file, "at": message.at,
    })
}

/// A line's frame.
pub fn said(line: &Message, language: Language) -> Value {
    let mut frame = message(line, language);
    frame["type"] = json!("message");
    frame
}

/// How far a side has received and read.
pub fn receipt(receipt: Receipt) -> Value {
    json!({
        "type": "receipt", "role": receipt.role.name(), "delivered": receipt.delivered,
        "read": receipt.read,
    })
}

/// How the order stands.
pub fn order(order: &Consultation, language: Language) -> Value {
    json!({
        "type": "order", "version": order.version, "status": order.status.constant(),
        "statusCode": order.status.code(), "statusLabel": order.status.label(language),
        "open": engine::is_open(order),
    })
}

/// What went wrong, and with which frame.
pub fn error(error: &ApiError, language: Language, about: Option<Uuid>) -> Value {
    let (code, name, _) = error.code.row();
    json!({
        "type": "error", "code": code, "name": name, "message": error.message(language),
        "details": error.details, "about": about,
    })
}

/// An event that is not a line, as the given side is told it; `None` where it is not for them.
pub fn event(event: &RoomEvent, own: Role) -> Option<Value> {
    match event {
        RoomEvent::Said(_) => None,
        RoomEvent::Received(seen) => Some(receipt(*seen)),
        RoomEvent::Here { role, here } if *role != own => Some(json!({
            "type": "presence", "role": role.name(), "here": here,
        })),
        RoomEvent::Typing { role, on } if *role != own => Some(json!({
            "type": "typing", "role": role.name(), "on": on,
        })),
        RoomEvent::Signal { from, data } if *from != own && is_side(own) => Some(json!({
            "type": "signal", "from": from.name(), "kind": data["kind"], "data": data["data"],
        })),
        RoomEvent::Here { .. } | RoomEvent::Typing { .. } | RoomEvent::Signal { .. } => None,
    }
}

/// Whether this role is one of the two who talk; operations only read.
pub const fn is_side(role: Role) -> bool {
    matches!(role, Role::Patient | Role::Doctor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_frame_is_named() {
        let wrong = |text: &str| Frame::of(text).unwrap_err().words.unwrap_or_default();
        assert!(wrong("{").contains("no JSON"));
        assert!(wrong(r#"{"type":"dance"}"#).contains("dance"));
        assert!(wrong(r#"{"type":"typing"}"#).contains("on"));
        let unknown = r#"{"type":"typing","on":true,"colour":1}"#;
        assert!(wrong(unknown).contains("colour"));
        assert!(wrong(r#"{"type":"ping","now":1}"#).contains("now"));
    }
}
