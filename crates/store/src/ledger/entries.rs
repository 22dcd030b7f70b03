//! An account's postings, newest first.

use super::{AccountEntry, EntryFilter, EntryPlace};
use crate::committer::sql;
use crate::db::Read;
use crate::page::Conditions;
use crate::row::Row;
use crate::{Store, StoreError};
use domain::ledger::{Account, EntryKind};

/// The most that are read at a time.
const MOST: u32 = 100;

impl Store {
    /// The next postings to an account, newest first; 1 to 100 of them.
    pub async fn account_entries(
        &self,
        account: Account,
        filter: &EntryFilter,
        limit: u32,
    ) -> Result<Vec<AccountEntry>, StoreError> {
        let after = filter.after;
        let mut conditions = Conditions::default()
            .with("p.account = {}", Some(account.to_string()))
            .with("e.at >= {}", filter.from)
            .with("e.at < {}", filter.until)
            .with("p.entry_id <= {}", after.map(|place| place.entry));
        if let Some(EntryPlace { entry, line }) = after {
            conditions.values.extend([entry.into(), line.into()]);
            let last = conditions.values.len();
            let text = format!("(p.entry_id, p.line) < (${}, ${last})", last - 1);
            conditions = conditions.with_text(Some(text));
        }
        let limit = limit.clamp(1, MOST);
        let text = format!(
            "SELECT p.entry_id, p.line, e.order_id, e.kind, e.at, p.amount, p.currency \
             FROM ledger_postings p JOIN ledger_entries e ON e.id = p.entry_id {} \
             ORDER BY p.entry_id DESC, p.line DESC LIMIT {limit}",
            conditions.text()
        );
        let rows = self
            .db()
            .all(Read::List, sql(text), conditions.values)
            .await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<AccountEntry, StoreError> {
    let mut cells = row.cells();
    Ok(AccountEntry {
        place: EntryPlace {
            entry: cells.id()?,
            line: cells.int()?,
        },
        order: cells.id()?,
        kind: cells.named(EntryKind::from_name)?,
        at: cells.at()?,
        amount: cells.int()?,
        currency: cells.currency()?,
    })
}
