//! What an order went through: its journal and its snapshots.

use crate::db::Read;
use crate::row::Cells;
use crate::{JournalRow, Store, StoreError};
use domain::OrderId;
use domain::order::Role;

const JOURNAL: &str = "SELECT id, seq, order_id, version, from_status, to_status, at, reason, note, \
     actor_role, actor_id, request_id FROM journal WHERE order_id = $1 ORDER BY version, seq";
const SNAPSHOT: &str = "SELECT body FROM snapshots WHERE order_id = $1 AND version = $2";

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
