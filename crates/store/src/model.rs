//! What the store keeps beside orders, and what it is asked for.

use domain::consultation::{ConsultationStatus, ConsultationType, Mode};
use domain::file::{FileKind, FilePurpose, Media};
use domain::order::Role;
use domain::session::SessionStatus;
use domain::{Currency, DepartmentId, FileId, Money, OrderId, SessionId, SlotId, Ts, UserId};
use serde_json::Value;
use uuid::Uuid;

/// Which orders to list; `None` is any.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// In this status.
    pub status: Option<ConsultationStatus>,
    /// Of this patient.
    pub patient: Option<UserId>,
    /// Of this doctor.
    pub doctor: Option<UserId>,
    /// Created at this time or later.
    pub from: Option<Ts>,
    /// Created before this time.
    pub to: Option<Ts>,
    /// Of this mode.
    pub mode: Option<Mode>,
    /// With these words in the complaint or the patient's name, or with this number of a payment.
    pub words: Option<String>,
    /// After this order, in the list's direction.
    pub after: Option<OrderId>,
    /// Oldest first instead of newest first.
    pub ascending: bool,
}

/// Where a walk through the offers of dispatched orders goes on: after this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankingsAfter {
    /// When it was made.
    pub at: Ts,
    /// Of which order.
    pub order: OrderId,
    /// The order's version with it.
    pub version: i64,
}

impl RankingsAfter {
    /// Before everything that was offered at this time or later.
    pub const fn from(at: Ts) -> Self {
        Self {
            at,
            order: OrderId(Uuid::nil()),
            version: 0,
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// From 1.
    pub page: u32,
    /// How many on a page; at most 100 count.
    pub limit: u32,
}

/// Whether somebody may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserStatus {
    /// Yes.
    Active,
    /// Not before an administrator has looked.
    Pending,
    /// No more.
    Locked,
}

impl UserStatus {
    /// As in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Locked => "locked",
        }
    }

    /// The status of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Pending, Self::Locked]
            .into_iter()
            .find(|s| s.name() == name)
    }
}

/// Somebody who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// The e-mail address, in lower case.
    pub login: String,
    /// The password's hash, in PHC form.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
    /// Their name.
    pub name: String,
    /// Their identity at WeChat, where it is known.
    pub openid: Option<String>,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// How often in a row the password was wrong.
    pub failed_sign_ins: i32,
    /// Not before this time.
    pub locked_until: Option<Ts>,
    /// Since when.
    pub created_at: Ts,
}

/// A token with which a session of a person is carried on; only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The SHA-256 of it.
    pub hash: [u8; 32],
    /// All that came from one sign-in.
    pub family: Uuid,
    /// Whose.
    pub user: UserId,
    /// Until when.
    pub expires_at: Ts,
    /// When it was exchanged for the next one.
    pub used_at: Option<Ts>,
    /// When its family was revoked.
    pub revoked_at: Option<Ts>,
    /// Since when.
    pub created_at: Ts,
}

/// A hospital department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Department {
    /// Its id.
    pub id: DepartmentId,
    /// Its short name in URLs; there is no second one.
    pub code: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
}

/// A doctor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doctor {
    /// Who.
    pub user: UserId,
    /// Where.
    pub department: DepartmentId,
    /// Their name.
    pub name: String,
    /// Their title.
    pub title: String,
    /// What they treat, as words that complaints use.
    pub specialities: Vec<String>,
    /// How they consult.
    pub types: Vec<ConsultationType>,
    /// How many consultations at a time.
    pub parallel_limit: i32,
    /// How many are taken now.
    pub active: i32,
    /// Whether they are there.
    pub online: bool,
    /// Offers accepted, decayed over time, in hundredths.
    pub accepted: u32,
    /// Offers made, decayed over time, in hundredths.
    pub offered: u32,
    /// Up to when the two above are decayed.
    pub decayed_at: Ts,
    /// The sum of all stars.
    pub stars: u32,
    /// How many ratings.
    pub ratings: u32,
    /// When the last order came.
    pub last_order_at: Option<Ts>,
    /// What a consultation costs.
    pub price: Money,
}

/// Whether somebody is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceRow {
    /// Who.
    pub user: UserId,
    /// Whether.
    pub online: bool,
    /// Since when.
    pub since: Ts,
    /// Until when it counts, where it doesn't last.
    pub until: Option<Ts>,
}

/// A doctor's opening hours on a day (spec 10, clinic mode).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// 1 after creation, one more after each change.
    pub version: i64,
    /// Whose.
    pub doctor: UserId,
    /// Where.
    pub department: DepartmentId,
    /// Where it stands.
    pub status: SessionStatus,
    /// Published begin.
    pub begins_at: Ts,
    /// Published end.
    pub ends_at: Ts,
    /// When the doctor first opened it.
    pub opened_at: Option<Ts>,
    /// When it ended.
    pub ended_at: Option<Ts>,
    /// The last queue number given.
    pub last_number: u32,
    /// What a consultation in it costs.
    pub price: Money,
    /// How patient and doctor talk in it.
    pub consultation_type: ConsultationType,
    /// The doctor's words, if any.
    pub note: Option<String>,
    /// When it was published.
    pub created_at: Ts,
}

/// A bookable stretch of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its id.
    pub id: SlotId,
    /// Of which session.
    pub session: SessionId,
    /// Its place in the session, from 0.
    pub index: u16,
    /// Its begin.
    pub begins_at: Ts,
    /// Its end.
    pub ends_at: Ts,
    /// How many patients fit.
    pub capacity: u32,
    /// How many places are taken.
    pub taken: u32,
}

/// Which sessions to list; `None` is any.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Of this doctor.
    pub doctor: Option<UserId>,
    /// Of this department.
    pub department: Option<DepartmentId>,
    /// Beginning at this time or later.
    pub from: Option<Ts>,
    /// Beginning before this time.
    pub to: Option<Ts>,
    /// In this status.
    pub status: Option<SessionStatus>,
}

/// Somebody who waits in a session's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueEntry {
    /// With which order.
    pub order: OrderId,
    /// Who.
    pub patient: UserId,
    /// The number taken.
    pub number: u32,
    /// The place; smaller is earlier.
    pub rank: i64,
    /// Since when.
    pub since: Ts,
}

/// What a line of a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// Words.
    Text,
    /// A picture, with words or without.
    Picture,
    /// A voice clip.
    Voice,
    /// Another file.
    File,
    /// An audio or video call that ended; the words are its length in seconds.
    Call,
    /// What happened to the order; the words are the name of a [`RoomLine`].
    System,
}

impl MessageKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Text,
        Self::Picture,
        Self::Voice,
        Self::File,
        Self::Call,
        Self::System,
    ];

    /// Its name in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Picture => "picture",
            Self::Voice => "voice",
            Self::File => "file",
            Self::Call => "call",
            Self::System => "system",
        }
    }

    /// By its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How far one side of a room has received and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Which side.
    pub role: Role,
    /// The last line that arrived there.
    pub delivered: i64,
    /// The last line that was read.
    pub read: i64,
}

/// A line of a consultation's conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sender's id of it: sending twice writes once.
    pub id: Uuid,
    /// In which order.
    pub order: OrderId,
    /// Its place, from 1; given by the store.
    pub seq: i64,
    /// Who; `None` where the system speaks.
    pub sender: Option<UserId>,
    /// As what.
    pub role: Role,
    /// What it is.
    pub kind: MessageKind,
    /// The words.
    pub body: String,
    /// The picture, clip or file.
    pub file: Option<FileId>,
    /// When.
    pub at: Ts,
}

/// A file that somebody put into an order (spec 40, files).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its id, and its name where it is kept.
    pub id: FileId,
    /// In which order.
    pub order: OrderId,
    /// Who put it there.
    pub owner: UserId,
    /// What for.
    pub purpose: FilePurpose,
    /// What kind of file.
    pub kind: FileKind,
    /// What people call it.
    pub name: String,
    /// What it holds: as announced until it is confirmed, then as recognised.
    pub media: Media,
    /// How many bytes were announced.
    pub announced_size: u64,
    /// What is known of it since it was confirmed; until then it is an upload that may never end.
    pub confirmed: Option<ConfirmedFile>,
    /// When it was announced.
    pub created_at: Ts,
}

/// What is known of a file once it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmedFile {
    /// How many bytes are kept.
    pub size: u64,
    /// The SHA-256 of what is kept.
    pub sha256: [u8; 32],
    /// How long it lasts, where it is voice.
    pub duration_ms: Option<u64>,
    /// When.
    pub at: Ts,
}

/// One version of a setting.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigRow {
    /// Its name.
    pub name: String,
    /// From 1.
    pub version: i64,
    /// Its value.
    pub value: Value,
    /// Who set it; `None` is the program's default.
    pub by: Option<UserId>,
    /// When.
    pub at: Ts,
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Effects not yet done.
    pub outbox: i64,
    /// Running deadlines.
    pub timers: i64,
    /// Effects given up.
    pub dead: i64,
}

/// Something that is not as it always must be (spec 00).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// What it was found at.
    pub subject: String,
    /// What is, and what should be.
    pub words: String,
}

/// Where the money of a currency is, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneyTotals {
    /// Which currency.
    pub currency: Currency,
    /// All money that arrived.
    pub paid: i64,
    /// All money that went back.
    pub refunded: i64,
    /// Arrived, and neither gone back nor earned.
    pub held: i64,
}

/// Orders and money at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// How many orders stand where.
    pub by_status: Vec<(ConsultationStatus, i64)>,
    /// Where the money is, each currency by itself.
    pub money: Vec<MoneyTotals>,
}
