//! Whether everything is as it always must be (spec 00): what an operator runs after a crash.

mod deadlines;
mod journal;
mod ledger;
mod money;
mod places;
mod reconciliation;

use crate::db::{Db, Read};
use crate::row::{Cells, Row};
use crate::value::Value;
use crate::{Finding, Store, StoreError};
use domain::Ts;
use sqlx::SqlSafeStr;

impl Store {
    /// Everything that is not as it should be, in words.
    pub async fn check(&self, now: Ts) -> Result<Vec<Finding>, StoreError> {
        let mut check = Check {
            db: self.db(),
            findings: Vec::new(),
        };
        money::check(&mut check).await?;
        ledger::check(&mut check).await?;
        reconciliation::check(&mut check).await?;
        journal::check(&mut check).await?;
        deadlines::check(&mut check, now).await?;
        places::check(&mut check).await?;
        Ok(check.findings)
    }
}

/// A check under way.
struct Check<'a> {
    db: &'a Db,
    findings: Vec<Finding>,
}

/// What a row of a rule's statement says: at what it was found, and the words.
type Found = Result<(String, String), StoreError>;

impl Check<'_> {
    /// A rule whose statement gives one row for each finding.
    async fn rule(
        &mut self,
        rule: &'static str,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
        words: impl Fn(&mut Cells<'_>) -> Found,
    ) -> Result<(), StoreError> {
        for row in self.rows(sql, values).await? {
            let (subject, words) = words(&mut row.cells())?;
            self.found(rule, subject, words);
        }
        Ok(())
    }

    async fn rows(&self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        self.db.all(Read::List, sql, values).await
    }

    fn found(&mut self, rule: &'static str, subject: String, words: String) {
        self.findings.push(Finding {
            rule,
            subject,
            words,
        });
    }
}

/// Where a status is named: its number and constant.
fn status_words(code: i64) -> String {
    use domain::consultation::ConsultationStatus;
    use domain::lifecycle::Status;
    let status = u16::try_from(code)
        .ok()
        .and_then(ConsultationStatus::from_code);
    status.map_or_else(
        || code.to_string(),
        |status| format!("{code} {}", status.constant()),
    )
}
