//! No order waits for ever unseen: each has a deadline, or somebody who must act and sees it.

use super::{Check, status_words};
use crate::StoreError;
use crate::value::Value;
use domain::order::Effect;
use domain::{RefundId, Span, Ts};
use std::collections::HashSet;
use uuid::Uuid;

const WITHOUT: &str = "SELECT o.id, o.status FROM orders o \
     WHERE o.status IN (100, 101, 102, 200, 201, 300, 301, 303, 400, 401, 501) \
     AND NOT EXISTS (SELECT 1 FROM timers t WHERE t.order_id = o.id AND t.refund_id = $1) \
     ORDER BY o.id LIMIT 1000";
const AFTER_THE_END: &str = "SELECT o.id, o.status, t.name FROM timers t JOIN orders o ON o.id = t.order_id \
     WHERE o.status >= 900 AND t.refund_id = $1 ORDER BY o.id, t.name LIMIT 1000";
const OVERDUE: &str = "SELECT order_id, name, due_at FROM timers WHERE due_at < $1 AND wake_at < $1 \
     ORDER BY due_at LIMIT 1000";
const REFUNDING: &str = "SELECT o.id, r.id FROM orders o LEFT JOIN refunds r \
     ON r.order_id = o.id AND r.purpose = 'order' AND r.status = 30 WHERE o.status = 502 ORDER BY o.id";
const REFUND_EFFECTS: &str =
    "SELECT effect FROM outbox WHERE kind IN ('send_refund', 'query_refund')";
const FAILED: &str = "SELECT o.id FROM orders o WHERE o.status = 503 \
     AND NOT EXISTS (SELECT 1 FROM timers t WHERE t.order_id = o.id AND t.name = 'refund_retry') \
     AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = o.id AND r.purpose = 'order' \
     AND r.status = 50 AND r.retries >= 3) ORDER BY o.id LIMIT 1000";

/// A deadline that passed so long ago was not merely late.
const LATE: Span = Span::hours(24);

pub(super) async fn check(check: &mut Check<'_>, now: Ts) -> Result<(), StoreError> {
    let none = || vec![Value::from(Uuid::nil())];
    check
        .rule("deadline", WITHOUT, none(), |cells| {
            let order: Uuid = cells.id()?;
            let status = status_words(cells.int()?);
            Ok((
                format!("order {order}"),
                format!("is in {status} and has no deadline"),
            ))
        })
        .await?;
    check
        .rule("deadline", AFTER_THE_END, none(), |cells| {
            let order: Uuid = cells.id()?;
            let status = status_words(cells.int()?);
            let name = cells.text()?;
            Ok((
                format!("order {order}"),
                format!("has ended in {status} and still has the deadline {name}"),
            ))
        })
        .await?;
    check
        .rule("deadline", OVERDUE, vec![(now - LATE).into()], |cells| {
            let order: Uuid = cells.id()?;
            let name = cells.text()?;
            let due = cells.at()?;
            Ok((
                format!("order {order}"),
                format!("its deadline {name} passed at {due} and was not served"),
            ))
        })
        .await?;
    check
        .rule("failed refund", FAILED, Vec::new(), |cells| {
            let order: Uuid = cells.id()?;
            let words = "its refund failed, has tries left, and no next try is planned";
            Ok((format!("order {order}"), words.to_owned()))
        })
        .await?;
    refunds_under_way(check).await
}

/// A refund that is with the gateway is sent or asked about by an effect.
async fn refunds_under_way(check: &mut Check<'_>) -> Result<(), StoreError> {
    let mut driven: HashSet<RefundId> = HashSet::new();
    for row in check.rows(REFUND_EFFECTS, Vec::new()).await? {
        if let Effect::SendRefund { refund } | Effect::QueryRefund { refund } =
            row.cells().json()?
        {
            driven.insert(refund);
        }
    }
    for row in check.rows(REFUNDING, Vec::new()).await? {
        let mut cells = row.cells();
        let order: Uuid = cells.id()?;
        let refund: Option<RefundId> = cells.id_or_none()?;
        let words = match refund {
            None => "is being refunded, and no refund of it is under way".to_owned(),
            Some(refund) if !driven.contains(&refund) => {
                format!("its refund {refund} is under way, and nothing sends it or asks about it")
            }
            Some(_) => continue,
        };
        check.found("refund under way", format!("order {order}"), words);
    }
    Ok(())
}
