//! What the database could do without us: the same rows, written by a bare loop that waits for
//! nobody, checks nothing and answers nobody. Benchmarks hold the committer against it.

use crate::committer::{Table, TableRow, Texts, Work, prepare};
use crate::db::Conn;
use crate::value::Value;
use crate::{Changes, Store, StoreError};
use sqlx::SqlStr;
use std::collections::HashMap;
use std::fmt::Write;
use uuid::Uuid;

/// Transactions made ready, and the connection to write them on.
pub struct RawLoop {
    on: Conn,
    transactions: std::vec::IntoIter<Vec<(SqlStr, Vec<Value>)>>,
}

impl RawLoop {
    /// Writes the next transaction. `false` when there is none left.
    pub async fn write_next(&mut self) -> Result<bool, StoreError> {
        let Some(statements) = self.transactions.next() else {
            return Ok(false);
        };
        let mut tx = self.on.begin().await?;
        for (sql, values) in statements {
            tx.execute(sql, &values).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

impl Store {
    /// Makes transactions of so many commands each ready to be written by a bare loop on a
    /// connection of its own. No two changes of one transaction may be of the same order.
    pub async fn raw_loop(
        &self,
        changes: &[Changes],
        a_transaction: usize,
    ) -> Result<RawLoop, StoreError> {
        let mut texts = Texts::new(self.db().is_postgres());
        let transactions = changes
            .chunks(a_transaction.max(1))
            .map(|chunk| statements(chunk, &mut texts))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(RawLoop {
            on: self.db().beside().await?,
            transactions: transactions.into_iter(),
        })
    }
}

fn statements(
    changes: &[Changes],
    texts: &mut Texts,
) -> Result<Vec<(SqlStr, Vec<Value>)>, StoreError> {
    let works: Vec<Work> = changes.iter().map(prepare).collect::<Result<_, _>>()?;
    let mut statements = Vec::new();
    for work in &works {
        for demand in &work.demands {
            statements.push((demand.sql.clone(), demand.values.clone()));
        }
    }
    for table in Table::ALL {
        let mut rows: Vec<&TableRow> = works
            .iter()
            .flat_map(|work| work.rows.iter().filter(|row| row.table == table))
            .collect();
        if !rows.is_empty() {
            rows.sort_by_key(|row| row.sort);
            statements.extend(texts.statements(table, &rows));
        }
    }
    Ok(statements)
}

/// The same transactions as a script for pgbench, to be run with `--protocol=prepared`: each element
/// of `transactions` is one, and each run of the script writes them anew for orders of its own. The
/// ids in `own` are replaced by new ones; every other value stays as it is.
pub fn pgbench_script(transactions: &[Vec<Changes>], own: &[Uuid]) -> Result<String, StoreError> {
    let own: HashMap<Uuid, usize> = own.iter().enumerate().map(|(n, id)| (*id, n)).collect();
    let mut texts = Texts::new(true);
    let mut script = format!(
        "\\set next :next + {}\n\\set first (:client_id + 1) * 1000000000000 + :next\n",
        own.len()
    );
    for changes in transactions {
        script.push_str("BEGIN;\n");
        for (sql, values) in statements(changes, &mut texts)? {
            let text = sql.as_str();
            let mut rest = text;
            while let Some((before, after)) = rest.split_once('$') {
                let digits =
                    after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                let (number, after) = after.split_at(digits);
                let place = number.parse::<usize>().unwrap_or(0);
                let value = place.checked_sub(1).and_then(|place| values.get(place));
                let value = value.ok_or_else(|| StoreError::Corrupt(text.to_owned()))?;
                script.push_str(before);
                literal(&mut script, value, &own);
                rest = after;
            }
            script.push_str(rest);
            script.push_str(";\n");
        }
        script.push_str("COMMIT;\n");
    }
    Ok(script)
}

/// Writing to a String can't fail.
fn literal(script: &mut String, value: &Value, own: &HashMap<Uuid, usize>) {
    // pgbench takes `:name` for a variable even inside a text.
    let quoted = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('\'', "''");
        format!("E'{}'", text.replace(':', "\\x3a"))
    };
    match value {
        Value::Int(Some(value)) => write!(script, "{value}::bigint").ok(),
        Value::Bool(Some(value)) => write!(script, "{value}").ok(),
        Value::Text(Some(value)) => write!(script, "{}::text", quoted(value)).ok(),
        Value::Json(Some(value)) => write!(script, "{}::json", quoted(value)).ok(),
        Value::At(Some(value)) => write!(script, "'{value}'::timestamptz").ok(),
        Value::Bytes(Some(value)) => {
            script.push_str("'\\x");
            for byte in value {
                write!(script, "{byte:02x}").ok();
            }
            write!(script, "'::bytea").ok()
        }
        Value::Id(Some(id)) => match own.get(id) {
            Some(place) => write!(
                script,
                "lpad(to_hex(:first::bigint + {place}), 32, '0')::uuid"
            )
            .ok(),
            None => write!(script, "'{id}'::uuid").ok(),
        },
        Value::Int(None) => write!(script, "NULL::bigint").ok(),
        Value::Bool(None) => write!(script, "NULL::boolean").ok(),
        Value::Text(None) => write!(script, "NULL::text").ok(),
        Value::Id(None) => write!(script, "NULL::uuid").ok(),
        Value::At(None) => write!(script, "NULL::timestamptz").ok(),
        Value::Json(None) => write!(script, "NULL::json").ok(),
        Value::Bytes(None) => write!(script, "NULL::bytea").ok(),
    };
}
