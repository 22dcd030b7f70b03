//! What one command writes.

use crate::{DifferenceChange, PresenceRow, Session};
use domain::consultation::ranking::Ranking;
use domain::consultation::{Consultation, RoomLine, TimerName};
use domain::ledger::{EntryKind, Posting};
use domain::order::{Effect, Guard, Role};
use domain::payment::{Payment, Refund};
use domain::{OrderId, RefundId, Ts, UserId};
use std::sync::Arc;
use uuid::Uuid;

/// The rows of one command, by table: written together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The order's row, payments, refunds, journal, snapshot. `None`: only timers or outbox move.
    pub order: Option<OrderChange>,
    /// Deadlines to write and to delete.
    pub timers: Option<TimerChange>,
    /// Effects to do after the commit.
    pub outbox: Vec<OutboxRow>,
    /// Outbox rows that this command finishes: deleted in the same transaction.
    pub done: Vec<Uuid>,
    /// Movements of money.
    pub entries: Vec<EntryRow>,
    /// Relative changes that must be possible.
    pub guards: Vec<Guard>,
    /// The answer kept for an idempotency key.
    pub idempotency: Option<IdempotencyRow>,
    /// A session that moved.
    pub session: Option<SessionChange>,
    /// Somebody who came or went.
    pub presence: Option<PresenceRow>,
    /// A decision about a difference to a gateway's bill.
    pub difference: Option<DifferenceChange>,
}

/// An order's change.
#[derive(Debug, Clone)]
pub struct OrderChange {
    /// The version it was decided on; 0 for a new order.
    pub decided_on: i64,
    /// The order after the command; its version is one more.
    pub after: Arc<Consultation>,
    /// Payments that differ from before.
    pub payments: Vec<Payment>,
    /// Refunds that differ from before.
    pub refunds: Vec<Refund>,
    /// The journal's new lines.
    pub journal: Vec<JournalRow>,
    /// What the system says of it in the order's room.
    pub lines: Vec<LineRow>,
    /// Why the doctor was asked, where it is an offer.
    pub ranking: Option<Arc<Ranking>>,
}

/// A line that the system says in a room; its place is given when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRow {
    /// Its id.
    pub id: Uuid,
    /// What it says.
    pub line: RoomLine,
}

/// One line of the journal (spec 00, rule 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Its id.
    pub id: Uuid,
    /// Its place among the lines of its command, from 0.
    pub seq: i16,
    /// Of which order.
    pub order: OrderId,
    /// The order's version after the command.
    pub version: i64,
    /// The status before; `None` for the creation.
    pub from: Option<u16>,
    /// The status after.
    pub to: u16,
    /// When.
    pub at: Ts,
    /// Why, as a name.
    pub reason: String,
    /// More words, where there are any.
    pub note: Option<String>,
    /// As what they acted.
    pub actor_role: Role,
    /// Who, if a person.
    pub actor: Option<UserId>,
    /// The request that brought it.
    pub request_id: Option<String>,
}

/// What happens to an order's deadlines.
#[derive(Debug, Clone)]
pub struct TimerChange {
    /// Whose.
    pub order: OrderId,
    /// The order's version that this was decided on: where the order itself is not written, it must
    /// not have moved on.
    pub decided_on: i64,
    /// Those that start, or start anew.
    pub set: Vec<TimerRow>,
    /// Those that stop.
    pub clear: Vec<(TimerName, Option<RefundId>)>,
}

/// A running deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerRow {
    /// Of which order.
    pub order: OrderId,
    /// Which one.
    pub name: TimerName,
    /// The refund it belongs to, where it belongs to one.
    pub refund: Option<RefundId>,
    /// When it fires.
    pub due: Ts,
}

/// An effect to be done after the commit (spec 00, rule 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its id.
    pub id: Uuid,
    /// The order it belongs to, where it belongs to one.
    pub order: Option<OrderId>,
    /// What to do.
    pub effect: Effect,
    /// Not before.
    pub due: Ts,
    /// How often it was tried.
    pub attempts: i32,
    /// Who works on it, and until when nobody else does.
    pub lease: Option<Lease>,
    /// What stood against it the last time.
    pub last_error: Option<String>,
    /// The request that brought it.
    pub request_id: Option<String>,
    /// When it was written.
    pub created_at: Ts,
}

/// Who works on something, and until when nobody else does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The process.
    pub owner: Uuid,
    /// Until when.
    pub until: Ts,
}

/// A balanced movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Its id.
    pub id: Uuid,
    /// For which order.
    pub order: OrderId,
    /// What it is about.
    pub kind: EntryKind,
    /// Its sides; they sum to zero.
    pub postings: Vec<Posting>,
    /// When.
    pub at: Ts,
}

impl EntryRow {
    /// Stands where an entry is for no order: a difference to a gateway's bill that names none.
    pub const NO_ORDER: OrderId = OrderId(Uuid::nil());
}

/// The answer kept for an idempotency key (spec 00, rule 5).
#[derive(Debug, Clone, PartialEq)]
pub struct IdempotencyRow {
    /// Whose key.
    pub user: UserId,
    /// The key.
    pub key: String,
    /// The request's SHA-256: the key can't be used for another one.
    pub request_hash: [u8; 32],
    /// The answer's HTTP status.
    pub status: u16,
    /// The answer's body.
    pub answer: serde_json::Value,
    /// When.
    pub at: Ts,
}

/// A session's change. The last number is not written by it: numbers are taken by a guard.
#[derive(Debug, Clone)]
pub struct SessionChange {
    /// The version it was decided on.
    pub decided_on: i64,
    /// The session after it.
    pub after: Session,
}
