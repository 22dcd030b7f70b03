//! Entries balance, and accounts agree with payments, refunds and orders.

use super::Check;
use crate::StoreError;
use uuid::Uuid;

const UNBALANCED: &str = "SELECT entry_id, currency, CAST(SUM(amount) AS BIGINT) FROM ledger_postings \
     GROUP BY entry_id, currency HAVING SUM(amount) <> 0 ORDER BY entry_id LIMIT 1000";
const EMPTY: &str = "SELECT e.id, e.order_id FROM ledger_entries e \
     LEFT JOIN ledger_postings p ON p.entry_id = e.id WHERE p.entry_id IS NULL ORDER BY e.id LIMIT 1000";
const ORPHANS: &str = "SELECT DISTINCT p.entry_id FROM ledger_postings p \
     LEFT JOIN ledger_entries e ON e.id = p.entry_id WHERE e.id IS NULL ORDER BY p.entry_id LIMIT 1000";
const BALANCES: &str = "SELECT account, currency, CAST(SUM(posted) AS BIGINT), CAST(SUM(kept) AS BIGINT) \
     FROM (SELECT account, currency, amount AS posted, 0 AS kept FROM ledger_postings \
     UNION ALL SELECT account, currency, 0, balance FROM ledger_balances) AS sides \
     GROUP BY account, currency HAVING SUM(posted) <> SUM(kept) ORDER BY account, currency";
const CLEARING: &str = "SELECT gateway, currency, CAST(SUM(expected) AS BIGINT), CAST(SUM(posted) AS BIGINT) \
     FROM (SELECT gateway, currency, paid_amount AS expected, 0 AS posted FROM payments \
     WHERE paid_amount IS NOT NULL AND gateway <> 'offline' \
     UNION ALL SELECT p.gateway, r.currency, -r.amount, 0 FROM refunds r \
     JOIN payments p ON p.order_id = r.order_id AND p.id = r.payment_id \
     WHERE r.status = 40 AND r.proof IS NULL AND p.gateway <> 'offline' \
     UNION ALL SELECT SUBSTR(l.account, 18), l.currency, 0, l.amount FROM ledger_postings l \
     JOIN ledger_entries e ON e.id = l.entry_id \
     WHERE l.account LIKE 'gateway_clearing:%' AND e.kind <> 'suspense_recorded') AS sides \
     GROUP BY gateway, currency HAVING SUM(expected) <> SUM(posted) ORDER BY gateway, currency";
const PAID: &str = "SELECT o.id, o.paid_amount, CAST(COALESCE(p.total, 0) AS BIGINT) FROM orders o \
     LEFT JOIN (SELECT order_id, SUM(paid_amount) AS total FROM payments GROUP BY order_id) p \
     ON p.order_id = o.id WHERE o.paid_amount <> COALESCE(p.total, 0) ORDER BY o.id LIMIT 1000";
const REFUNDED: &str = "SELECT o.id, o.refunded_amount, CAST(COALESCE(r.total, 0) AS BIGINT) FROM orders o \
     LEFT JOIN (SELECT order_id, SUM(amount) AS total FROM refunds WHERE status = 40 GROUP BY order_id) r \
     ON r.order_id = o.id WHERE o.refunded_amount <> COALESCE(r.total, 0) ORDER BY o.id LIMIT 1000";
const OVER: &str = "SELECT p.id, p.order_id, CAST(COALESCE(p.paid_amount, 0) AS BIGINT), \
     CAST(r.total AS BIGINT) FROM payments p JOIN (SELECT order_id, payment_id, SUM(amount) AS total \
     FROM refunds WHERE status IN (30, 40, 50) GROUP BY order_id, payment_id) r \
     ON r.order_id = p.order_id AND r.payment_id = p.id \
     WHERE r.total > COALESCE(p.paid_amount, 0) ORDER BY p.id LIMIT 1000";

pub(super) async fn check(check: &mut Check<'_>) -> Result<(), StoreError> {
    ledger(check).await?;
    check
        .rule("paid amount", PAID, Vec::new(), |cells| {
            let order: Uuid = cells.id()?;
            let (kept, sum): (i64, i64) = (cells.int()?, cells.int()?);
            Ok((
                format!("order {order}"),
                format!("says {kept} paid, its payments say {sum}"),
            ))
        })
        .await?;
    check
        .rule("refunded amount", REFUNDED, Vec::new(), |cells| {
            let order: Uuid = cells.id()?;
            let (kept, sum): (i64, i64) = (cells.int()?, cells.int()?);
            Ok((
                format!("order {order}"),
                format!("says {kept} refunded, its refunds say {sum}"),
            ))
        })
        .await?;
    check
        .rule("refunds within payment", OVER, Vec::new(), |cells| {
            let (payment, order): (Uuid, Uuid) = (cells.id()?, cells.id()?);
            let (paid, back): (i64, i64) = (cells.int()?, cells.int()?);
            let words =
                format!("of order {order}: {paid} was paid, {back} is promised or gone back");
            Ok((format!("payment {payment}"), words))
        })
        .await
}

async fn ledger(check: &mut Check<'_>) -> Result<(), StoreError> {
    check
        .rule("ledger entry", UNBALANCED, Vec::new(), |cells| {
            let entry: Uuid = cells.id()?;
            let currency = cells.text()?;
            let sum: i64 = cells.int()?;
            Ok((
                format!("entry {entry}"),
                format!("its postings sum to {sum} {currency} instead of 0"),
            ))
        })
        .await?;
    check
        .rule("ledger entry", EMPTY, Vec::new(), |cells| {
            let (entry, order): (Uuid, Uuid) = (cells.id()?, cells.id()?);
            Ok((
                format!("entry {entry}"),
                format!("of order {order} has no postings"),
            ))
        })
        .await?;
    check
        .rule("ledger entry", ORPHANS, Vec::new(), |cells| {
            let entry: Uuid = cells.id()?;
            Ok((
                format!("entry {entry}"),
                "has postings and no line of its own".to_owned(),
            ))
        })
        .await?;
    check
        .rule("account balance", BALANCES, Vec::new(), |cells| {
            let (account, currency) = (cells.text()?, cells.text()?);
            let (posted, kept): (i64, i64) = (cells.int()?, cells.int()?);
            let words =
                format!("its postings sum to {posted} {currency}, its balance is kept as {kept}");
            Ok((format!("account {account}"), words))
        })
        .await?;
    check
        .rule("gateway clearing", CLEARING, Vec::new(), |cells| {
            let (gateway, currency) = (cells.text()?, cells.text()?);
            let (expected, posted): (i64, i64) = (cells.int()?, cells.int()?);
            let words = format!(
                "payments less refunds make {expected} {currency}, the clearing account has {posted}"
            );
            Ok((format!("gateway {gateway}"), words))
        })
        .await
}
