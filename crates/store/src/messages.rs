//! The conversation of a consultation.

use crate::committer::sql;
use crate::db::Read;
use crate::page::count;
use crate::row::Row;
use crate::{Message, MessageKind, Receipt, Store, StoreError};
use domain::order::Role;
use domain::{OrderId, Ts};

const INSERT: &str = "INSERT INTO messages (order_id, seq, id, sender_id, role, kind, body, file_id, at) \
     SELECT $1, COALESCE((SELECT MAX(seq) FROM messages WHERE order_id = $1), 0) + 1, $2, $3, $4, $5, $6, $7, $8 \
     WHERE TRUE ON CONFLICT DO NOTHING RETURNING seq";
const COLUMNS: &str = "id, order_id, seq, sender_id, role, kind, body, file_id, at";
const BEFORE: &str = "seq < $2 ORDER BY seq DESC";
const RECEIVED: &str = "INSERT INTO room_receipts (order_id, role, delivered, read) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (order_id, role) DO UPDATE SET \
     delivered = CASE WHEN excluded.delivered > room_receipts.delivered THEN excluded.delivered \
     ELSE room_receipts.delivered END, \
     read = CASE WHEN excluded.read > room_receipts.read THEN excluded.read ELSE room_receipts.read END";
const RECEIPTS: &str =
    "SELECT role, delivered, read FROM room_receipts WHERE order_id = $1 ORDER BY role";
const LAST_AT: &str =
    "SELECT at FROM messages WHERE order_id = $1 AND kind <> 'system' ORDER BY seq DESC LIMIT 1";

/// How often another process may take the same place first.
const TRIES: usize = 50;

/// The most lines that are read at once.
const LARGEST: u32 = 500;

impl Store {
    /// Writes a line, and gives it its place. A line that was sent before is written once: the
    /// first one is the answer.
    pub async fn insert_message(&self, message: &Message) -> Result<Message, StoreError> {
        for _ in 0..TRIES {
            let values = vec![
                message.order.into(),
                message.id.into(),
                message.sender.into(),
                message.role.name().into(),
                message.kind.name().into(),
                (&message.body).into(),
                message.file.into(),
                message.at.into(),
            ];
            let rows = self.write(INSERT, values).await?;
            if !rows.is_empty() {
                return Ok(Message {
                    seq: count(rows.first())?,
                    ..message.clone()
                });
            }
            let text = sql(format!("SELECT {COLUMNS} FROM messages WHERE id = $1"));
            if let Some(row) = self
                .db()
                .one(Read::Keyed, text, vec![message.id.into()])
                .await?
            {
                return read(&row);
            }
        }
        Err(StoreError::Busy)
    }

    /// The lines after a place, oldest first.
    pub async fn messages(
        &self,
        order: OrderId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let limit = limit.clamp(1, LARGEST);
        let text = sql(format!(
            "SELECT {COLUMNS} FROM messages WHERE order_id = $1 AND seq > $2 ORDER BY seq LIMIT {limit}"
        ));
        let values = vec![order.into(), after.unwrap_or(0).into()];
        let rows = self.db().all(Read::Keyed, text, values).await?;
        rows.iter().map(read).collect()
    }

    /// The lines before a place, newest first.
    pub async fn messages_before(
        &self,
        order: OrderId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let limit = limit.clamp(1, LARGEST);
        let text = sql(format!(
            "SELECT {COLUMNS} FROM messages WHERE order_id = $1 AND {BEFORE} LIMIT {limit}"
        ));
        let values = vec![order.into(), before.into()];
        let rows = self.db().all(Read::Keyed, text, values).await?;
        rows.iter().map(read).collect()
    }

    /// Writes down how far one side has received and read; never less than before.
    pub async fn received(&self, order: OrderId, receipt: Receipt) -> Result<(), StoreError> {
        let values = vec![
            order.into(),
            receipt.role.name().into(),
            receipt.delivered.max(receipt.read).into(),
            receipt.read.into(),
        ];
        self.write(RECEIVED, values).await.map(drop)
    }

    /// How far both sides have received and read.
    pub async fn receipts(&self, order: OrderId) -> Result<Vec<Receipt>, StoreError> {
        let rows = self
            .db()
            .all(Read::Keyed, RECEIPTS, vec![order.into()])
            .await?;
        let read = |row: &Row| {
            let mut cells = row.cells();
            Ok(Receipt {
                role: cells.named(Role::from_name)?,
                delivered: cells.int()?,
                read: cells.int()?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// When somebody last said something.
    pub async fn last_message_at(&self, order: OrderId) -> Result<Option<Ts>, StoreError> {
        let row = self
            .db()
            .one(Read::Keyed, LAST_AT, vec![order.into()])
            .await?;
        row.map(|row| row.cells().at()).transpose()
    }
}

fn read(row: &Row) -> Result<Message, StoreError> {
    let mut cells = row.cells();
    Ok(Message {
        id: cells.id()?,
        order: cells.id()?,
        seq: cells.int()?,
        sender: cells.id_or_none()?,
        role: cells.named(Role::from_name)?,
        kind: cells.named(MessageKind::from_name)?,
        body: cells.text()?,
        file: cells.id_or_none()?,
        at: cells.at()?,
    })
}
