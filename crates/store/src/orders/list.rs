//! Lists of orders by the page.

use super::decode::{ORDER, REFUND, orders, refund};
use crate::committer::sql;
use crate::db::Read;
use crate::page::{Conditions, count};
use crate::value::Value;
use crate::{OrderFilter, Page, Store, StoreError};
use domain::consultation::{Consultation, Mode};
use domain::lifecycle::Status;
use domain::payment::Refund;
use domain::{OrderId, RefundId};
use std::collections::HashMap;
use uuid::Uuid;

const WORDS: &str = "(LOWER(c.complaint) LIKE {} ESCAPE '!' \
     OR EXISTS (SELECT 1 FROM users u WHERE u.id = o.patient_id AND LOWER(u.name) LIKE {} ESCAPE '!') \
     OR EXISTS (SELECT 1 FROM payments p WHERE p.order_id = o.id AND LOWER(p.out_trade_no) LIKE {} ESCAPE '!'))";
const WAITING: &str = "FROM refunds r WHERE r.status IN (20, 50)";

/// A pattern for `LIKE` that finds these words anywhere.
fn containing(words: &str) -> String {
    let mut pattern = String::from("%");
    for letter in words.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

impl Store {
    /// The orders of a page, and how many there are in all. In the order of their ids, which is that
    /// of their creation, so that no list has to be sorted.
    pub async fn list_orders(
        &self,
        filter: &OrderFilter,
        page: Page,
    ) -> Result<(Vec<Consultation>, i64), StoreError> {
        let conditions = Conditions::default()
            .with_text(
                filter
                    .status
                    .map(|status| format!("o.status = {}", status.code())),
            )
            .with("o.patient_id = {}", filter.patient)
            .with("c.doctor_id = {}", filter.doctor)
            .with("o.created_at >= {}", filter.from)
            .with("o.created_at < {}", filter.to)
            .with("c.mode = {}", filter.mode.map(Mode::name))
            .with(WORDS, filter.words.as_deref().map(containing))
            .with(
                if filter.ascending {
                    "o.id > {}"
                } else {
                    "o.id < {}"
                },
                filter.after,
            );
        let from = format!(
            "FROM orders o JOIN consultations c ON c.order_id = o.id {}",
            conditions.text()
        );
        let counted = sql(format!("SELECT COUNT(*) {from}"));
        let row = self
            .db()
            .one(Read::List, counted, conditions.values.clone())
            .await?;
        let total = count(row.as_ref())?;
        let direction = if filter.ascending { "ASC" } else { "DESC" };
        let ids = sql(format!(
            "SELECT o.id {from} ORDER BY o.id {direction} {}",
            page.limits()
        ));
        let rows = self.db().all(Read::List, ids, conditions.values).await?;
        let ids = rows
            .iter()
            .map(|row| row.cells().id())
            .collect::<Result<Vec<Uuid>, _>>()?;
        Ok((self.load_all(&ids).await?, total))
    }

    /// These orders, in this order.
    async fn load_all(&self, ids: &[Uuid]) -> Result<Vec<Consultation>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
        let sql = sql(format!("{ORDER} WHERE o.id IN ({})", places.join(", ")));
        let values: Vec<Value> = ids.iter().map(|id| (*id).into()).collect();
        let rows = self.db().all(Read::Keyed, sql, values).await?;
        let mut found: HashMap<Uuid, Consultation> = orders(&rows)?
            .into_iter()
            .map(|order| (order.id.uuid(), order))
            .collect();
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Refunds that wait for a review or failed, oldest first, and how many there are in all.
    pub async fn refunds_waiting(
        &self,
        page: Page,
    ) -> Result<(Vec<(OrderId, Refund)>, i64), StoreError> {
        let row = self
            .db()
            .one(
                Read::List,
                sql(format!("SELECT COUNT(*) {WAITING}")),
                Vec::new(),
            )
            .await?;
        let total = count(row.as_ref())?;
        let text = format!(
            "SELECT r.order_id, {REFUND} {WAITING} ORDER BY r.requested_at, r.id {}",
            page.limits()
        );
        let rows = self.db().all(Read::List, sql(text), Vec::new()).await?;
        let read = |row: &crate::row::Row| {
            let mut cells = row.cells();
            let order = cells.id()?;
            let id: RefundId = cells.id()?;
            Ok((order, refund(id, &mut cells)?.1))
        };
        Ok((
            rows.iter().map(read).collect::<Result<_, StoreError>>()?,
            total,
        ))
    }
}
