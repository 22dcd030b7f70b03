//! An order as rows.

use crate::committer::{Table, TableRow};
use crate::value::Value;
use crate::{JournalRow, LineRow, MessageKind, StoreError};
use domain::OrderId;
use domain::consultation::ranking::Ranking;
use domain::consultation::{Assignment, CancelAsked, Consultation, Quote, Rating, Summary};
use domain::order::Role;
use domain::payment::{Payment, Refund};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kind of an order that is a consultation.
const KIND: &str = "consultation";

/// What of a consultation's detail has no column of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rest {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignments: Vec<Assignment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_asked: Option<CancelAsked>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<Value, StoreError> {
    let text =
        serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Value::Json(Some(text)))
}

pub(crate) fn order_row(order: &Consultation) -> Result<TableRow, StoreError> {
    let suspended = match &order.suspended {
        Some(suspended) => json(suspended)?,
        None => Value::Json(None),
    };
    Ok(TableRow {
        table: Table::Orders,
        sort: (order.id.uuid(), 0),
        values: vec![
            order.id.into(),
            KIND.into(),
            order.version.into(),
            i32::from(order.status).into(),
            order.status_since.into(),
            order.patient.into(),
            order.price.amount.into(),
            order.price.currency.code().into(),
            order.paid().amount.into(),
            order.refunded().amount.into(),
            order.earned.amount.into(),
            order.rules_version.into(),
            order
                .suspended
                .as_ref()
                .map(|before| i32::from(before.status))
                .into(),
            suspended,
            order.created_at.into(),
            order.updated_at.into(),
        ],
    })
}

pub(crate) fn consultation_row(order: &Consultation) -> Result<TableRow, StoreError> {
    let detail = &order.detail;
    let rest = Rest {
        assignments: detail.assignments.clone(),
        cancel_asked: detail.cancel_asked.clone(),
        quote: detail.quote.clone(),
        summary: detail.summary.clone(),
        rating: detail.rating.clone(),
    };
    Ok(TableRow {
        table: Table::Consultations,
        sort: (order.id.uuid(), 0),
        values: vec![
            order.id.into(),
            detail.mode.name().into(),
            detail.consultation_type.name().into(),
            detail.department.into(),
            detail.doctor.into(),
            detail.holds_doctor.into(),
            detail.waiting_since.into(),
            detail.session.into(),
            detail.slot.into(),
            detail.slot_index.into(),
            detail.holds_place.into(),
            detail.number.into(),
            detail.queue_rank.into(),
            detail.calls.into(),
            detail.checked_in.into(),
            detail.patient_seen.into(),
            detail.connection_failures.into(),
            detail.started_at.into(),
            detail.ended_at.into(),
            detail.being_checked.into(),
            (&detail.complaint).into(),
            json(&rest)?,
        ],
    })
}

pub(crate) fn payment_row(
    order: OrderId,
    position: i64,
    payment: &Payment,
) -> Result<TableRow, StoreError> {
    let pay_with = match &payment.pay_with {
        Some(pay_with) => json(pay_with)?,
        None => Value::Json(None),
    };
    Ok(TableRow {
        table: Table::Payments,
        sort: (order.uuid(), position),
        values: vec![
            order.into(),
            payment.id.into(),
            position.into(),
            payment.gateway.name().into(),
            payment.method.name().into(),
            payment.payer.clone().into(),
            (&payment.out_trade_no).into(),
            i32::from(payment.status).into(),
            payment.amount.amount.into(),
            payment.paid.map(|paid| paid.amount).into(),
            payment.amount.currency.code().into(),
            payment.paid_at.into(),
            payment.transaction_id.clone().into(),
            payment.client_ip.clone().into(),
            payment.handle.clone().into(),
            pay_with,
            payment.proof.clone().into(),
            payment.expires_at.into(),
            payment.created_at.into(),
            payment.updated_at.into(),
        ],
    })
}

pub(crate) fn refund_row(order: OrderId, position: i64, refund: &Refund) -> TableRow {
    TableRow {
        table: Table::Refunds,
        sort: (order.uuid(), position),
        values: vec![
            refund.id.into(),
            order.into(),
            position.into(),
            refund.payment.into(),
            (&refund.out_refund_no).into(),
            refund.refund_id.clone().into(),
            refund.gone_at.into(),
            i32::from(refund.status).into(),
            refund.purpose.name().into(),
            refund.cause.name().into(),
            i64::from(refund.share).into(),
            refund.amount.amount.into(),
            refund.amount.currency.code().into(),
            (&refund.rule).into(),
            refund.reason.clone().into(),
            refund.due_on.map(|day| day.to_string()).into(),
            refund.retries.into(),
            refund.last_error.clone().into(),
            refund.proof.clone().into(),
            refund.requested_at.into(),
            refund.sent_at.into(),
            refund.updated_at.into(),
        ],
    }
}

pub(crate) fn journal_row(line: &JournalRow) -> TableRow {
    TableRow {
        table: Table::Journal,
        sort: (line.order.uuid(), i64::from(line.seq)),
        values: vec![
            line.order.into(),
            line.version.into(),
            line.seq.into(),
            line.id.into(),
            line.from.into(),
            line.to.into(),
            line.at.into(),
            (&line.reason).into(),
            line.note.clone().into(),
            line.actor_role.name().into(),
            line.actor.into(),
            line.request_id.clone().into(),
        ],
    }
}

/// A line of the system's, so many places after the last line of its order.
pub(crate) fn line_row(order: &Consultation, place: i64, row: &LineRow) -> TableRow {
    TableRow {
        table: Table::Lines,
        sort: (order.id.uuid(), place),
        values: vec![
            order.id.into(),
            place.into(),
            row.id.into(),
            Role::System.name().into(),
            MessageKind::System.name().into(),
            row.line.name().into(),
            order.updated_at.into(),
        ],
    }
}

pub(crate) fn snapshot_row(order: &Consultation) -> Result<TableRow, StoreError> {
    let id: Uuid = order.id.uuid();
    Ok(TableRow {
        table: Table::Snapshots,
        sort: (id, order.version),
        values: vec![
            id.into(),
            order.version.into(),
            order.updated_at.into(),
            json(order)?,
        ],
    })
}

pub(crate) fn ranking_row(order: &Consultation, ranking: &Ranking) -> Result<TableRow, StoreError> {
    let attempt = i64::try_from(order.detail.assignments.len()).unwrap_or(i64::MAX);
    Ok(TableRow {
        table: Table::Rankings,
        sort: (order.id.uuid(), order.version),
        values: vec![
            order.id.into(),
            order.version.into(),
            attempt.into(),
            ranking.at.into(),
            ranking.chosen.into(),
            (&ranking.complaint).into(),
            json(&ranking.weights)?,
            json(&ranking.candidates)?,
            ranking.count.into(),
        ],
    })
}
