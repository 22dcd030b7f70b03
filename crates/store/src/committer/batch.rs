//! Writes a batch in one transaction, and finds out which of its works could not be.

use super::table::{Table, TableRow, Texts};
use super::work::{Asked, Demand, Evidence};
use crate::CommitError;
use crate::db::{Conn, Tx};
use crate::row::Row;
use crate::value::Value;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// What became of a try to write a batch.
pub(crate) enum Tried {
    /// Written, without those works whose place in the batch is given here with the reason.
    Written {
        refused: HashMap<usize, CommitError>,
        /// The rows that statements returned, by the place of their works.
        returned: HashMap<usize, Vec<Row>>,
    },
    /// Nothing was written: these works can't be, and the others must be tried again without them.
    Refused(HashMap<usize, CommitError>),
}

/// Why a try failed.
pub(crate) struct Failure {
    pub error: sqlx::Error,
    /// It failed while committing: perhaps everything was written.
    pub committing: bool,
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self {
            error,
            committing: false,
        }
    }
}

/// A batch being written.
struct Writing<'a> {
    batch: &'a [Asked],
    tx: Tx<'a>,
    refused: HashMap<usize, CommitError>,
    /// Works of which something was written already: they can't be passed over any more.
    begun: HashSet<usize>,
    /// Whether one of those was refused.
    spoiled: bool,
}

/// Writes all works that can be written, in one transaction.
pub(crate) async fn try_batch(
    on: &mut Conn,
    texts: &mut Texts,
    batch: &[Asked],
    shard: u8,
) -> Result<Tried, Failure> {
    let tx = on.begin().await?;
    let mut writing = Writing {
        batch,
        tx,
        refused: HashMap::new(),
        begun: HashSet::new(),
        spoiled: false,
    };
    writing.make_demands().await?;
    for table in Table::ALL {
        if writing.spoiled {
            break;
        }
        let balances = if table == Table::Balances {
            writing.balances(shard)
        } else {
            Vec::new()
        };
        writing.write_table(texts, table, &balances).await?;
    }
    if writing.spoiled {
        writing.tx.rollback().await?;
        return Ok(Tried::Refused(writing.refused));
    }
    let mut returned = HashMap::new();
    for (place, asked) in batch.iter().enumerate() {
        if let Some((sql, values)) = &asked.work.statement {
            returned.insert(place, writing.tx.rows(sql.clone(), values).await?);
        }
    }
    let Writing { tx, refused, .. } = writing;
    tx.commit().await.map_err(|error| Failure {
        error,
        committing: true,
    })?;
    Ok(Tried::Written { refused, returned })
}

impl Writing<'_> {
    /// Makes the demands of all works, in their order. The first demand that is refused passes over
    /// its work; a later one spoils the try.
    async fn make_demands(&mut self) -> Result<(), sqlx::Error> {
        let mut demands: Vec<(usize, &Demand)> = Vec::new();
        for (place, asked) in self.batch.iter().enumerate() {
            demands.extend(asked.work.demands.iter().map(|demand| (place, demand)));
        }
        demands.sort_by_key(|(_, demand)| demand.sort);
        for (place, demand) in demands {
            if self.refused.contains_key(&place) {
                continue;
            }
            let changed = self.tx.execute(demand.sql.clone(), &demand.values).await?;
            match &demand.refusal {
                Some(refusal) if changed == 0 => self.refuse(place, refusal.clone()),
                _ => {
                    self.begun.insert(place);
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, place: usize, why: CommitError) {
        self.spoiled |= self.begun.contains(&place);
        self.refused.insert(place, why);
    }

    async fn write_table(
        &mut self,
        texts: &mut Texts,
        table: Table,
        extra: &[TableRow],
    ) -> Result<(), sqlx::Error> {
        let mut places: Vec<usize> = Vec::new();
        let mut rows: Vec<&TableRow> = extra.iter().collect();
        for (place, asked) in self.batch.iter().enumerate() {
            if self.refused.contains_key(&place) {
                continue;
            }
            let before = rows.len();
            rows.extend(asked.work.rows.iter().filter(|row| row.table == table));
            if rows.len() > before {
                places.push(place);
            }
        }
        rows.sort_by_key(|row| row.sort);
        let mut returned = Vec::new();
        for (sql, values) in texts.statements(table, &rows) {
            if table.answers() {
                returned.extend(self.tx.rows(sql, &values).await?);
            } else {
                self.tx.execute(sql, &values).await?;
            }
        }
        if table.answers() && !rows.is_empty() {
            self.refuse_unwritten(table, &places, &returned)?;
        }
        self.begun.extend(
            places
                .into_iter()
                .filter(|place| !self.refused.contains_key(place)),
        );
        Ok(())
    }

    /// Works whose order or key was not written.
    fn refuse_unwritten(
        &mut self,
        table: Table,
        places: &[usize],
        returned: &[Row],
    ) -> Result<(), sqlx::Error> {
        let unreadable = |error: crate::StoreError| sqlx::Error::Decode(Box::new(error));
        let mut orders: HashSet<Uuid> = HashSet::new();
        let mut keys: HashSet<(Uuid, String)> = HashSet::new();
        for row in returned {
            let mut cells = row.cells();
            let id = cells.id().map_err(unreadable)?;
            if table == Table::Orders {
                orders.insert(id);
            } else {
                keys.insert((id, cells.text().map_err(unreadable)?));
            }
        }
        let batch = self.batch;
        for place in places {
            let work = &batch[*place].work;
            if table == Table::Orders && work.order.is_some_and(|order| !orders.contains(&order)) {
                self.refuse(*place, CommitError::Moved);
            }
            if table == Table::Idempotency
                && work
                    .idempotency
                    .as_ref()
                    .is_some_and(|key| !keys.contains(key))
            {
                self.refuse(*place, CommitError::KeyTaken);
            }
        }
        Ok(())
    }

    /// What accounts gain by all works that are written, one row each.
    fn balances(&self, shard: u8) -> Vec<TableRow> {
        let mut sums: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for (place, asked) in self.batch.iter().enumerate() {
            if !self.refused.contains_key(&place) {
                for (account, currency, amount) in &asked.work.sums {
                    *sums.entry((account, currency)).or_default() += amount;
                }
            }
        }
        let row = |(order, ((account, currency), sum)): (i64, ((&str, &str), i64))| TableRow {
            table: Table::Balances,
            sort: (Uuid::nil(), order),
            values: vec![
                account.into(),
                currency.into(),
                Value::from(shard),
                sum.into(),
            ],
        };
        (0..).zip(sums).map(row).collect()
    }
}

/// Whether a work was written: its first line of the journal is there.
pub(crate) async fn is_written(on: &mut Conn, evidence: &Evidence) -> Result<bool, sqlx::Error> {
    let sql = "SELECT 1 FROM journal WHERE order_id = $1 AND version = $2 AND seq = $3 AND id = $4";
    let values = [
        evidence.order.into(),
        evidence.version.into(),
        evidence.seq.into(),
        evidence.id.into(),
    ];
    let mut tx = on.begin().await?;
    let rows = tx.rows(SqlStr::from_static(sql), &values).await?;
    tx.rollback().await?;
    Ok(!rows.is_empty())
}

/// A text that was put together from parts of the program's own.
pub(crate) fn sql(text: String) -> SqlStr {
    AssertSqlSafe(text).into_sql_str()
}
