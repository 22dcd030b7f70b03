//! What was put on suspense is what was decided, and days count their differences right.

use super::Check;
use crate::StoreError;
use uuid::Uuid;

const SUSPENSE: &str = "SELECT gateway, currency, CAST(SUM(expected) AS BIGINT), CAST(SUM(posted) AS BIGINT) \
     FROM (SELECT r.gateway, d.there_currency AS currency, d.moved_there AS expected, 0 AS posted \
     FROM reconciliation_differences d JOIN reconciliations r ON r.id = d.reconciliation_id \
     WHERE d.status = 40 AND d.repair = 'RECORD_SUSPENSE' AND d.there_currency IS NOT NULL \
     UNION ALL SELECT r.gateway, d.here_currency, -d.moved_here, 0 \
     FROM reconciliation_differences d JOIN reconciliations r ON r.id = d.reconciliation_id \
     WHERE d.status = 40 AND d.repair = 'RECORD_SUSPENSE' AND d.here_currency IS NOT NULL \
     UNION ALL SELECT SUBSTR(l.account, 18), l.currency, 0, l.amount FROM ledger_postings l \
     JOIN ledger_entries e ON e.id = l.entry_id \
     WHERE l.account LIKE 'gateway_clearing:%' AND e.kind = 'suspense_recorded') AS sides \
     GROUP BY gateway, currency HAVING SUM(expected) <> SUM(posted) ORDER BY gateway, currency";
const COUNTS: &str = "SELECT r.id, r.differences, r.unsettled, \
     COUNT(CASE WHEN d.status NOT IN (60, 70) THEN 1 END), COUNT(CASE WHEN d.status IN (10, 20, 30) THEN 1 END) \
     FROM reconciliations r LEFT JOIN reconciliation_differences d ON d.reconciliation_id = r.id \
     GROUP BY r.id, r.differences, r.unsettled \
     HAVING r.differences <> COUNT(CASE WHEN d.status NOT IN (60, 70) THEN 1 END) \
     OR r.unsettled <> COUNT(CASE WHEN d.status IN (10, 20, 30) THEN 1 END) ORDER BY r.id LIMIT 1000";
/// A difference stands where its newest step says.
const STEPS: &str = "SELECT d.id, d.status, s.to_status FROM reconciliation_differences d LEFT JOIN \
     (SELECT difference_id, to_status, \
     ROW_NUMBER() OVER (PARTITION BY difference_id ORDER BY seq DESC) AS place \
     FROM reconciliation_steps WHERE difference_id IS NOT NULL) s ON s.difference_id = d.id AND s.place = 1 \
     WHERE s.difference_id IS NULL OR s.to_status <> d.status ORDER BY d.id LIMIT 1000";

pub(super) async fn check(check: &mut Check<'_>) -> Result<(), StoreError> {
    check
        .rule("suspense", SUSPENSE, Vec::new(), |cells| {
            let (gateway, currency) = (cells.text()?, cells.text()?);
            let (expected, posted): (i64, i64) = (cells.int()?, cells.int()?);
            let words = format!(
                "differences of {expected} {currency} were put on suspense, the ledger has {posted}"
            );
            Ok((format!("gateway {gateway}"), words))
        })
        .await?;
    check
        .rule("reconciliation", COUNTS, Vec::new(), |cells| {
            let day: Uuid = cells.id()?;
            let (kept, open): (i64, i64) = (cells.int()?, cells.int()?);
            let (found, unsettled): (i64, i64) = (cells.int()?, cells.int()?);
            let words = format!(
                "counts {kept} differences and {open} unsettled ones, and has {found} and {unsettled}"
            );
            Ok((format!("reconciliation {day}"), words))
        })
        .await?;
    check
        .rule("reconciliation", STEPS, Vec::new(), |cells| {
            let difference: Uuid = cells.id()?;
            let status: i64 = cells.int()?;
            let step: Option<i64> = cells.int_or_none()?;
            let step = step.map_or_else(|| "nothing".to_owned(), |step| step.to_string());
            let words = format!("stands at {status}, and its last step says {step}");
            Ok((format!("difference {difference}"), words))
        })
        .await
}
