//! The ledger by itself: all accounts together have nothing, what was posted is of the chart, and
//! closed months are as they were closed.

use super::Check;
use crate::StoreError;
use domain::Ts;
use domain::ledger::{Account, EntryKind, Side};
use uuid::Uuid;

const TRIAL: &str = "SELECT currency, CAST(SUM(amount) AS BIGINT) FROM ledger_postings \
     GROUP BY currency HAVING SUM(amount) <> 0 ORDER BY currency";
const POSTED: &str = "SELECT e.kind, p.account, p.amount > 0, COUNT(*) FROM ledger_postings p \
     JOIN ledger_entries e ON e.id = p.entry_id \
     GROUP BY e.kind, p.account, p.amount > 0 ORDER BY e.kind, p.account, p.amount > 0";
/// Money that operators took less what went back outside the gateways.
const OFFLINE: &str = "SELECT currency, CAST(SUM(expected) AS BIGINT), CAST(SUM(posted) AS BIGINT) \
     FROM (SELECT currency, paid_amount AS expected, 0 AS posted FROM payments \
     WHERE paid_amount IS NOT NULL AND gateway = 'offline' \
     UNION ALL SELECT r.currency, -r.amount, 0 FROM refunds r \
     JOIN payments p ON p.order_id = r.order_id AND p.id = r.payment_id \
     WHERE r.status = 40 AND (r.proof IS NOT NULL OR p.gateway = 'offline') \
     UNION ALL SELECT currency, 0, amount FROM ledger_postings WHERE account = 'offline') AS sides \
     GROUP BY currency HAVING SUM(expected) <> SUM(posted) ORDER BY currency";

const MONTHS: &str = "SELECT c.month, c.begins_at, c.until, c.entries, \
     (SELECT COUNT(*) FROM ledger_entries e WHERE e.at >= c.begins_at AND e.at < c.until), \
     (SELECT COUNT(*) FROM ledger_closing_balances b WHERE b.month = c.month) \
     FROM ledger_closings c ORDER BY c.until";
const BEFORE_ALL: &str = "SELECT id, at FROM ledger_entries \
     WHERE at < (SELECT MIN(begins_at) FROM ledger_closings) ORDER BY id LIMIT 1000";
const MOVED: &str = "SELECT month, account, currency, \
     CAST(SUM(closed_debits) AS BIGINT), CAST(SUM(closed_credits) AS BIGINT), \
     CAST(SUM(debits) AS BIGINT), CAST(SUM(credits) AS BIGINT) \
     FROM (SELECT month, account, currency, debits AS closed_debits, credits AS closed_credits, \
     0 AS debits, 0 AS credits FROM ledger_closing_balances \
     UNION ALL SELECT c.month, p.account, p.currency, 0, 0, \
     CASE WHEN p.amount > 0 THEN p.amount ELSE 0 END, CASE WHEN p.amount < 0 THEN -p.amount ELSE 0 END \
     FROM ledger_closings c JOIN ledger_entries e ON e.at >= c.begins_at AND e.at < c.until \
     JOIN ledger_postings p ON p.entry_id = e.id) AS sides GROUP BY month, account, currency \
     HAVING SUM(closed_debits) <> SUM(debits) OR SUM(closed_credits) <> SUM(credits) \
     ORDER BY month, account, currency";
/// The first closed month is the first of all, so a balance is all that moved until then.
const CARRIED: &str = "SELECT month, account, currency, balance, carried FROM \
     (SELECT month, account, currency, balance, CAST(SUM(debits - credits) OVER \
     (PARTITION BY account, currency ORDER BY month) AS BIGINT) AS carried \
     FROM ledger_closing_balances) AS sums WHERE balance <> carried ORDER BY month, account, currency";
const UNEQUAL: &str = "SELECT month, currency, CAST(SUM(debits) AS BIGINT), CAST(SUM(credits) AS BIGINT), \
     CAST(SUM(balance) AS BIGINT) FROM ledger_closing_balances GROUP BY month, currency \
     HAVING SUM(debits) <> SUM(credits) OR SUM(balance) <> 0 ORDER BY month, currency";

pub(super) async fn check(check: &mut Check<'_>) -> Result<(), StoreError> {
    check
        .rule("trial balance", TRIAL, Vec::new(), |cells| {
            let currency = cells.text()?;
            let sum: i64 = cells.int()?;
            let words = format!("have {sum} {currency} together instead of 0");
            Ok(("all accounts".to_owned(), words))
        })
        .await?;
    check
        .rule("offline money", OFFLINE, Vec::new(), |cells| {
            let currency = cells.text()?;
            let (expected, posted): (i64, i64) = (cells.int()?, cells.int()?);
            let words = format!(
                "what operators took and gave back makes {expected} {currency}, the account has {posted}"
            );
            Ok(("account offline".to_owned(), words))
        })
        .await?;
    posted(check).await?;
    months(check).await?;
    closed_balances(check).await
}

/// Everything posted is to an account of the chart, and is what its entry's kind posts.
async fn posted(check: &mut Check<'_>) -> Result<(), StoreError> {
    for row in check.rows(POSTED, Vec::new()).await? {
        let mut cells = row.cells();
        let (kind, account) = (cells.text()?, cells.text()?);
        let is_debit = cells.bool()?;
        let side = if is_debit { Side::Debit } else { Side::Credit };
        let count: i64 = cells.int()?;
        let words = match (EntryKind::from_name(&kind), Account::from_name(&account)) {
            (_, None) => format!("is not in the chart, and has {count} postings of {kind}"),
            (None, _) => format!("has {count} postings of {kind}, which is no kind of entry"),
            (Some(known), Some(of)) if known.may_post(of, side) => continue,
            (Some(_), Some(_)) => format!(
                "has {count} postings of {kind} on its {} side, where that posts nothing",
                side.name()
            ),
        };
        check.found("chart of accounts", format!("account {account}"), words);
    }
    Ok(())
}

/// Closed months follow each other without gaps, nothing is before them, and each has as many
/// entries as it was closed with.
async fn months(check: &mut Check<'_>) -> Result<(), StoreError> {
    let rule = "closed month";
    let mut last: Option<(String, Ts)> = None;
    for row in check.rows(MONTHS, Vec::new()).await? {
        let mut cells = row.cells();
        let month = cells.text()?;
        let (begins, until) = (cells.at()?, cells.at()?);
        let (kept, found, balances): (i64, i64, i64) = (cells.int()?, cells.int()?, cells.int()?);
        if kept != found {
            let words = format!("was closed with {kept} entries and has {found}");
            check.found(rule, format!("month {month}"), words);
        }
        if kept > 0 && balances == 0 {
            let words = "was closed without balances".to_owned();
            check.found(rule, format!("month {month}"), words);
        }
        if let Some((before, end)) = last.filter(|(_, end)| *end != begins) {
            let words = format!("begins at {begins}, and {before} before it ended at {end}");
            check.found(rule, format!("month {month}"), words);
        }
        last = Some((month, until));
    }
    check
        .rule(rule, BEFORE_ALL, Vec::new(), |cells| {
            let entry: Uuid = cells.id()?;
            let words = format!("is of {}, before the first closed month", cells.at()?);
            Ok((format!("entry {entry}"), words))
        })
        .await
}

/// What months were closed with is what their postings make.
async fn closed_balances(check: &mut Check<'_>) -> Result<(), StoreError> {
    check
        .rule("closed balance", MOVED, Vec::new(), |cells| {
            let (month, account, currency) = (cells.text()?, cells.text()?, cells.text()?);
            let (debits, credits): (i64, i64) = (cells.int()?, cells.int()?);
            let (posted, back): (i64, i64) = (cells.int()?, cells.int()?);
            let words = format!(
                "{month} was closed with {debits} debited and {credits} credited in {currency}, its \
                 postings make {posted} and {back}"
            );
            Ok((format!("account {account}"), words))
        })
        .await?;
    check
        .rule("closed balance", CARRIED, Vec::new(), |cells| {
            let (month, account, currency) = (cells.text()?, cells.text()?, cells.text()?);
            let (balance, carried): (i64, i64) = (cells.int()?, cells.int()?);
            let words = format!(
                "{month} was closed with a balance of {balance} {currency}, all months until then make {carried}"
            );
            Ok((format!("account {account}"), words))
        })
        .await?;
    check
        .rule("closed balance", UNEQUAL, Vec::new(), |cells| {
            let (month, currency) = (cells.text()?, cells.text()?);
            let (debits, credits, sum): (i64, i64, i64) =
                (cells.int()?, cells.int()?, cells.int()?);
            let words = format!(
                "was closed with {debits} debited, {credits} credited and balances of {sum} {currency} in all"
            );
            Ok((format!("month {month}"), words))
        })
        .await
}
