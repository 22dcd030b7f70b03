//! What an order went through: its journal, its snapshots and its movements of money.

use crate::db::Read;
use crate::row::Cells;
use crate::{EntryRow, JournalRow, Store, StoreError};
use domain::OrderId;
use domain::ledger::{Account, EntryKind, Posting};
use domain::order::Role;
use uuid::Uuid;

const JOURNAL: &str = "SELECT id, seq, order_id, version, from_status, to_status, at, reason, note, \
     actor_role, actor_id, request_id FROM journal WHERE order_id = $1 ORDER BY version, seq";
const SNAPSHOT: &str = "SELECT body FROM snapshots WHERE order_id = $1 AND version = $2";
const ENTRIES: &str = "SELECT e.id, e.kind, e.at, p.account, p.amount, p.currency FROM ledger_entries e \
     JOIN ledger_postings p ON p.entry_id = e.id WHERE e.order_id = $1 ORDER BY e.at, e.id, p.line";

impl Store {
    /// The order's journal, oldest first.
    pub async fn journal(&self, order: OrderId) -> Result<Vec<JournalRow>, StoreError> {
        let rows = self
            .db()
            .all(Read::Keyed, JOURNAL, vec![order.into()])
            .await?;
        rows.iter().map(|row| line(&mut row.cells())).collect()
    }

    /// The whole order as it was after a version, as JSON.
    pub async fn snapshot(
        &self,
        order: OrderId,
        version: i64,
    ) -> Result<Option<serde_json::Value>, StoreError> {
        let row = self
            .db()
            .one(Read::Keyed, SNAPSHOT, vec![order.into(), version.into()])
            .await?;
        row.map(|row| row.cells().json()).transpose()
    }

    /// The order's movements of money, oldest first. It reads the whole ledger: for a look at one
    /// order, not for lists.
    pub async fn entries(&self, order: OrderId) -> Result<Vec<EntryRow>, StoreError> {
        let rows = self
            .db()
            .all(Read::List, ENTRIES, vec![order.into()])
            .await?;
        let mut entries: Vec<EntryRow> = Vec::new();
        for row in &rows {
            let mut cells = row.cells();
            let id: Uuid = cells.id()?;
            let (kind, at) = (cells.named(EntryKind::from_name)?, cells.at()?);
            let posting = Posting {
                account: cells.named(Account::from_name)?,
                amount: cells.int()?,
                currency: cells.currency()?,
            };
            match entries.last_mut().filter(|entry| entry.id == id) {
                Some(entry) => entry.postings.push(posting),
                None => entries.push(EntryRow {
                    id,
                    order,
                    kind,
                    postings: vec![posting],
                    at,
                }),
            }
        }
        Ok(entries)
    }
}

fn line(cells: &mut Cells<'_>) -> Result<JournalRow, StoreError> {
    Ok(JournalRow {
        id: cells.id()?,
        seq: cells.int()?,
        order: cells.id()?,
        version: cells.int()?,
        from: cells.int_or_none()?,
        to: cells.int()?,
        at: cells.at()?,
        reason: cells.text()?,
        note: cells.text_or_none()?,
        actor_role: cells.named(Role::from_name)?,
        actor: cells.id_or_none()?,
        request_id: cells.text_or_none()?,
    })
}
