//! The journal tells every order's story without a gap, up to where the order stands.

use super::{Check, status_words};
use crate::StoreError;
use domain::consultation::ConsultationStatus;
use domain::lifecycle::Status;
use uuid::Uuid;

const GAPS: &str = "SELECT order_id, version, seq, from_status, was_version, was_seq, was_to FROM \
     (SELECT order_id, version, seq, from_status, LAG(version) OVER story AS was_version, \
     LAG(seq) OVER story AS was_seq, LAG(to_status) OVER story AS was_to FROM journal \
     WINDOW story AS (PARTITION BY order_id ORDER BY version, seq)) AS lines \
     WHERE CASE WHEN was_version IS NULL THEN version <> 1 OR seq <> 0 OR from_status IS NOT NULL \
     ELSE from_status IS NULL OR from_status <> was_to \
     OR NOT ((version = was_version AND seq = was_seq + 1) OR (version = was_version + 1 AND seq = 0)) END \
     ORDER BY order_id, version, seq LIMIT 1000";
const LAST: &str = "SELECT o.id, o.status, o.version, j.to_status, j.version FROM orders o LEFT JOIN \
     (SELECT order_id, version, to_status, \
     ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY version DESC, seq DESC) AS place FROM journal) j \
     ON j.order_id = o.id AND j.place = 1 \
     WHERE j.order_id IS NULL OR j.to_status <> o.status OR j.version <> o.version ORDER BY o.id LIMIT 1000";
const STEPS: &str = "SELECT DISTINCT from_status, to_status FROM journal \
     WHERE from_status IS NOT NULL AND from_status <> to_status ORDER BY from_status, to_status";
const SNAPSHOTS: &str = "SELECT o.id, o.version FROM orders o \
     LEFT JOIN snapshots s ON s.order_id = o.id AND s.version = o.version \
     WHERE s.order_id IS NULL ORDER BY o.id LIMIT 1000";

pub(super) async fn check(check: &mut Check<'_>) -> Result<(), StoreError> {
    check
        .rule("journal", GAPS, Vec::new(), |cells| {
            let order: Uuid = cells.id()?;
            let (version, seq): (i64, i64) = (cells.int()?, cells.int()?);
            let from = words_or_none(cells.int_or_none()?);
            let was: Option<i64> = cells.int_or_none()?;
            let was_seq: Option<i64> = cells.int_or_none()?;
            let was_to = words_or_none(cells.int_or_none()?);
            let line = format!("line {version}.{seq} begins at {from}");
            let words = match (was, was_seq) {
                (Some(was), Some(was_seq)) => {
                    format!("{line}, the line before is {was}.{was_seq} and ends at {was_to}")
                }
                _ => format!("{line}, and is the first: that would be 1.0 and begin at nothing"),
            };
            Ok((format!("order {order}"), words))
        })
        .await?;
    check
        .rule("journal", LAST, Vec::new(), |cells| {
            let order: Uuid = cells.id()?;
            let status = status_words(cells.int()?);
            let version: i64 = cells.int()?;
            let to = words_or_none(cells.int_or_none()?);
            let last: Option<i64> = cells.int_or_none()?;
            let last = last.map_or_else(
                || "has no line".to_owned(),
                |last| format!("ends with version {last} in {to}"),
            );
            Ok((
                format!("order {order}"),
                format!("is in {status}, version {version}; its journal {last}"),
            ))
        })
        .await?;
    check
        .rule("snapshot", SNAPSHOTS, Vec::new(), |cells| {
            let order: Uuid = cells.id()?;
            let version: i64 = cells.int()?;
            Ok((
                format!("order {order}"),
                format!("version {version} has no snapshot"),
            ))
        })
        .await?;
    steps(check).await
}

/// Every step that was ever taken is one of the table.
async fn steps(check: &mut Check<'_>) -> Result<(), StoreError> {
    for row in check.rows(STEPS, Vec::new()).await? {
        let mut cells = row.cells();
        let (from, to): (u16, u16) = (cells.int()?, cells.int()?);
        let known = ConsultationStatus::from_code(from).zip(ConsultationStatus::from_code(to));
        if !known.is_some_and(|(from, to)| from.may_become(to, Some(to))) {
            let words = format!(
                "a step from {} to {} was taken, which the table does not have",
                status_words(from.into()),
                status_words(to.into())
            );
            check.found("journal", "consultations".to_owned(), words);
        }
    }
    Ok(())
}

fn words_or_none(code: Option<i64>) -> String {
    code.map_or_else(|| "nothing".to_owned(), status_words)
}
