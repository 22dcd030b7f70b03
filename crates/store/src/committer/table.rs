//! The statements of a batch: one text per table and size.
//!
//! A batch is written with one multi-row statement per table. So that few texts are prepared, there
//! are some sizes only, and a statement that is not full ends in rows of NULL, which it passes over.

use crate::value::Value;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use std::collections::HashMap;
use std::fmt::Write;
use uuid::Uuid;

/// How many rows a statement may have; a larger batch takes several.
const SIZES: [usize; 9] = [1, 2, 4, 8, 16, 24, 32, 48, 64];

/// A statement's text before and after its rows.
type Text = (&'static str, &'static str);

const ORDERS: Text = (
    "INSERT INTO orders (id, kind, version, status, status_since, patient_id, price_amount, \
                 currency, paid_amount, refunded_amount, earned_amount, rules_version, suspended_status, \
                 suspended, created_at, updated_at)",
    "ON CONFLICT (id) DO UPDATE SET version = excluded.version, status = excluded.status, \
                 status_since = excluded.status_since, price_amount = excluded.price_amount, \
                 paid_amount = excluded.paid_amount, refunded_amount = excluded.refunded_amount, \
                 earned_amount = excluded.earned_amount, suspended_status = excluded.suspended_status, \
                 suspended = excluded.suspended, updated_at = excluded.updated_at \
                 WHERE orders.version = excluded.version - 1 RETURNING id",
);
const CONSULTATIONS: Text = (
    "INSERT INTO consultations (order_id, mode, consultation_type, department_id, doctor_id, \
                 holds_doctor, waiting_since, session_id, slot_id, slot_index, holds_place, number, \
                 queue_rank, calls, checked_in, patient_seen, connection_failures, started_at, ended_at, \
                 being_checked, complaint, rest)",
    "ON CONFLICT (order_id) DO UPDATE SET mode = excluded.mode, \
                 consultation_type = excluded.consultation_type, department_id = excluded.department_id, \
                 doctor_id = excluded.doctor_id, holds_doctor = excluded.holds_doctor, \
                 waiting_since = excluded.waiting_since, session_id = excluded.session_id, \
                 slot_id = excluded.slot_id, slot_index = excluded.slot_index, \
                 holds_place = excluded.holds_place, number = excluded.number, \
                 queue_rank = excluded.queue_rank, calls = excluded.calls, \
                 checked_in = excluded.checked_in, patient_seen = excluded.patient_seen, \
                 connection_failures = excluded.connection_failures, started_at = excluded.started_at, \
                 ended_at = excluded.ended_at, being_checked = excluded.being_checked, \
                 complaint = excluded.complaint, rest = excluded.rest",
);
const PAYMENTS: Text = (
    "INSERT INTO payments (order_id, id, position, gateway, method, payer, out_trade_no, status, \
                 amount, paid_amount, currency, paid_at, transaction_id, client_ip, handle, pay_with, proof, expires_at, \
                 created_at, updated_at)",
    "ON CONFLICT (order_id, id) DO UPDATE SET payer = excluded.payer, \
                 out_trade_no = excluded.out_trade_no, status = excluded.status, amount = excluded.amount, \
                 paid_amount = excluded.paid_amount, paid_at = excluded.paid_at, \
                 transaction_id = excluded.transaction_id, \
                 handle = excluded.handle, pay_with = excluded.pay_with, proof = excluded.proof, \
                 expires_at = excluded.expires_at, \
                 updated_at = excluded.updated_at",
);
const REFUNDS: Text = (
    "INSERT INTO refunds (id, order_id, position, payment_id, out_refund_no, refund_id, gone_at, status, purpose, \
                 cause, share, amount, currency, rule, reason, due_on, retries, last_error, proof, \
                 requested_at, sent_at, updated_at)",
    "ON CONFLICT (id) DO UPDATE SET out_refund_no = excluded.out_refund_no, refund_id = excluded.refund_id, \
                 gone_at = excluded.gone_at, \
                 status = excluded.status, purpose = excluded.purpose, cause = excluded.cause, \
                 share = excluded.share, amount = excluded.amount, rule = excluded.rule, \
                 reason = excluded.reason, due_on = excluded.due_on, retries = excluded.retries, \
                 last_error = excluded.last_error, proof = excluded.proof, sent_at = excluded.sent_at, updated_at = excluded.updated_at",
);
const JOURNAL: Text = (
    "INSERT INTO journal (order_id, version, seq, id, from_status, to_status, at, reason, note, \
                 actor_role, actor_id, request_id)",
    "",
);
// Its place is the next one of its order: whoever writes the order's row has the order to itself, and
// a line of a person that came in between makes the batch be tried again.
const LINES: Text = (
    "INSERT INTO messages (order_id, seq, id, role, kind, body, at)",
    "",
);
const LINES_ROW: &str = "column1, COALESCE((SELECT MAX(seq) FROM messages WHERE order_id = column1), 0) + column2, \
                 column3, column4, column5, column6, column7";
const SNAPSHOTS: Text = ("INSERT INTO snapshots (order_id, version, at, body)", "");
const RANKINGS: Text = (
    "INSERT INTO dispatch_rankings (order_id, version, attempt, at, doctor_id, complaint, weights, \
                 candidates, candidate_count)",
    "",
);
const TIMERS_CLEARED: Text = (
    "DELETE FROM timers WHERE (order_id, name, refund_id) IN",
    "",
);
const TIMERS: Text = (
    "INSERT INTO timers (order_id, name, refund_id, position, due_at, wake_at)",
    "ON CONFLICT (order_id, name, refund_id) DO UPDATE SET position = excluded.position, \
                 due_at = excluded.due_at, wake_at = excluded.wake_at, lease_owner = NULL, lease_until = NULL",
);
const OUTBOX: Text = (
    "INSERT INTO outbox (id, order_id, kind, effect, due_at, wake_at, attempts, lease_owner, \
                 lease_until, last_error, request_id, created_at)",
    "",
);
const OUTBOX_DONE: Text = ("DELETE FROM outbox WHERE id IN", "");
const SESSIONS: Text = (
    "INSERT INTO sessions (id, version, doctor_id, department_id, status, begins_at, ends_at, \
                 opened_at, ended_at, last_number, price_amount, currency, consultation_type, note, created_at)",
    "",
);
const SLOTS: Text = (
    "INSERT INTO slots (id, session_id, slot_index, begins_at, ends_at, capacity, taken)",
    "",
);
const TOKENS: Text = (
    "INSERT INTO refresh_tokens (hash, family, user_id, expires_at, used_at, revoked_at, created_at)",
    "",
);
const IDEMPOTENCY: Text = (
    "INSERT INTO idempotency_keys (user_id, key, request_hash, status, answer, at)",
    "ON CONFLICT (user_id, key) DO NOTHING RETURNING user_id, key",
);
const ENTRIES: Text = ("INSERT INTO ledger_entries (id, order_id, kind, at)", "");
const POSTINGS: Text = (
    "INSERT INTO ledger_postings (entry_id, line, account, amount, currency)",
    "",
);
const BALANCES: Text = (
    "INSERT INTO ledger_balances (account, currency, shard, balance)",
    "ON CONFLICT (account, currency, shard) DO UPDATE \
                 SET balance = ledger_balances.balance + excluded.balance",
);

/// What a batch writes to, in the order of writing: an order's row first, because it says whether
/// the command may be written at all; balances last, because they are the most wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Table {
    Orders,
    Consultations,
    Payments,
    Refunds,
    Journal,
    Lines,
    Snapshots,
    Rankings,
    TimersCleared,
    Timers,
    Outbox,
    OutboxDone,
    Sessions,
    Slots,
    Tokens,
    Idempotency,
    Entries,
    Postings,
    Balances,
}

impl Table {
    /// All of them, in the order of writing.
    pub(crate) const ALL: [Self; 19] = [
        Self::Orders,
        Self::Consultations,
        Self::Payments,
        Self::Refunds,
        Self::Journal,
        Self::Lines,
        Self::Snapshots,
        Self::Rankings,
        Self::TimersCleared,
        Self::Timers,
        Self::Outbox,
        Self::OutboxDone,
        Self::Sessions,
        Self::Slots,
        Self::Tokens,
        Self::Idempotency,
        Self::Entries,
        Self::Postings,
        Self::Balances,
    ];

    /// The statement's text around its rows. The first column is never NULL.
    const fn text(self) -> Text {
        match self {
            Self::Orders => ORDERS,
            Self::Consultations => CONSULTATIONS,
            Self::Payments => PAYMENTS,
            Self::Refunds => REFUNDS,
            Self::Journal => JOURNAL,
            Self::Lines => LINES,
            Self::Snapshots => SNAPSHOTS,
            Self::Rankings => RANKINGS,
            Self::TimersCleared => TIMERS_CLEARED,
            Self::Timers => TIMERS,
            Self::Outbox => OUTBOX,
            Self::OutboxDone => OUTBOX_DONE,
            Self::Sessions => SESSIONS,
            Self::Slots => SLOTS,
            Self::Tokens => TOKENS,
            Self::Idempotency => IDEMPOTENCY,
            Self::Entries => ENTRIES,
            Self::Postings => POSTINGS,
            Self::Balances => BALANCES,
        }
    }

    /// What of the given columns is written.
    const fn row(self) -> &'static str {
        match self {
            Self::Lines => LINES_ROW,
            _ => "*",
        }
    }

    const fn is_delete(self) -> bool {
        matches!(self, Self::TimersCleared | Self::OutboxDone)
    }

    /// Whether the rows that it returns say which commands may be written.
    pub(crate) const fn answers(self) -> bool {
        matches!(self, Self::Orders | Self::Idempotency)
    }
}

/// One row of a batch.
#[derive(Debug, Clone)]
pub(crate) struct TableRow {
    /// Where it goes.
    pub table: Table,
    /// Rows are written in this order, in every process, so that no two wait for each other.
    pub sort: (Uuid, i64),
    /// Its cells.
    pub values: Vec<Value>,
}

/// The texts used so far.
#[derive(Debug)]
pub(crate) struct Texts {
    numbered: bool,
    known: HashMap<(Table, usize), SqlStr>,
}

impl Texts {
    /// PostgreSQL's parameters are `numbered`. SQLite would look each numbered one up in a list,
    /// which costs more than all the rest in a statement of a thousand; there they are plain `?`.
    pub(crate) fn new(numbered: bool) -> Self {
        Self {
            numbered,
            known: HashMap::new(),
        }
    }

    /// The statements for these rows, each with its values.
    pub(crate) fn statements(
        &mut self,
        table: Table,
        rows: &[&TableRow],
    ) -> Vec<(SqlStr, Vec<Value>)> {
        let (largest, numbered) = (SIZES[SIZES.len() - 1], self.numbered);
        rows.chunks(largest)
            .map(|chunk| {
                let size = SIZES
                    .into_iter()
                    .find(|size| *size >= chunk.len())
                    .unwrap_or(largest);
                let width = chunk.first().map_or(1, |row| row.values.len());
                let mut values = Vec::with_capacity(size * width);
                for row in chunk {
                    values.extend_from_slice(&row.values);
                }
                if let Some(row) = chunk.first() {
                    for _ in chunk.len()..size {
                        values.extend(row.values.iter().map(Value::null));
                    }
                }
                let text = self
                    .known
                    .entry((table, size))
                    .or_insert_with(|| text(table, size, width, numbered));
                (text.clone(), values)
            })
            .collect()
    }
}

fn text(table: Table, size: usize, width: usize, numbered: bool) -> SqlStr {
    let (before, after) = table.text();
    let mut rows = String::with_capacity(size * width * 6);
    let mut parameter = 0;
    for row in 0..size {
        rows.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..width {
            parameter += 1;
            let comma = if column == 0 { "" } else { ", " };
            // Writing to a String can't fail.
            if numbered {
                write!(rows, "{comma}${parameter}").ok();
            } else {
                write!(rows, "{comma}?").ok();
            }
        }
        rows.push(')');
    }
    let text = if table.is_delete() {
        format!("{before} (VALUES {rows}) {after}")
    } else {
        let row = table.row();
        format!(
            "{before} SELECT {row} FROM (VALUES {rows}) AS given WHERE column1 IS NOT NULL {after}"
        )
    };
    AssertSqlSafe(text).into_sql_str()
}
