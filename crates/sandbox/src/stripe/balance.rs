//! The movements of the account's balance, which are Stripe's bill.

use super::api::page;
use super::form::Form;
use super::payments::currency;
use super::refusal::Refusal;
use super::{Api, GATEWAY, ids};
use crate::bills::Line;
use domain::Ts;
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Value, json};
use std::collections::HashMap;

/// No more days are looked through at a time.
const MAX_DAYS: usize = 31;

/// A line with the movement's id.
struct Movement {
    id: String,
    line: Line,
}

impl Api {
    /// The movements of a span of time, the latest first.
    pub(super) fn list_movements(&self, query: &Form) -> Result<Value, Refusal> {
        let with_source = query.expands("data.source")?;
        let (from, to) = (
            moment(query, "created[gte]")?,
            moment(query, "created[lt]")?,
        );
        let all = self.movements(from, to)?;
        page(
            &all,
            query,
            "/v1/balance_transactions",
            |movement| movement.id.clone(),
            |movement| describe(movement, with_source),
        )
    }

    fn movements(&self, from: Ts, to: Ts) -> Result<Vec<Movement>, Refusal> {
        let counterparty = self.sandbox.counterparty(GATEWAY)?;
        let day_of = |at: Ts| Offset::UTC.to_datetime(Timestamp::from(at)).date();
        let days = day_of(from).series(jiff::Span::new().days(1));
        let days: Vec<_> = days.take_while(|day| *day <= day_of(to)).collect();
        if days.len() > MAX_DAYS {
            let message = format!("at most {MAX_DAYS} days are shown at a time here");
            return Err(Refusal::invalid(None, &message));
        }
        let mut copies: HashMap<String, usize> = HashMap::new();
        let mut movements = Vec::new();
        for day in days {
            let bill = self.sandbox.bill_lines(counterparty, day);
            let lines = bill.lines.into_iter();
            for line in lines.filter(|line| from <= line.bill.at && line.bill.at < to) {
                // A planted copy of a line is another movement of the same.
                let of = source_id(&line);
                let copy = copies.entry(of.clone()).or_default();
                let id = match *copy {
                    0 => ids::movement_id(&of),
                    copy => ids::movement_id(&format!("{of} {copy}")),
                };
                *copy += 1;
                movements.push(Movement { id, line });
            }
        }
        movements.reverse();
        Ok(movements)
    }
}

fn moment(query: &Form, name: &str) -> Result<Ts, Refusal> {
    let seconds = query.integer(name)?;
    let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map(Ts::from).ok_or_else(|| {
        let message = format!("{name} must be given here, in Unix seconds");
        Refusal::param(name, "parameter_missing", &message)
    })
}

fn describe(movement: &Movement, with_source: bool) -> Value {
    let line = &movement.line.bill;
    let (kind, sign) = match line.kind {
        LineKind::Payment => ("charge", 1),
        LineKind::Refund => ("refund", -1),
    };
    // Of the book's hundred-thousandths of a major unit, as many make a cent.
    let fee = line.fee.unwrap_or_default() / 1000;
    let amount = sign * line.amount.amount;
    let source = if with_source {
        describe_source(&movement.line)
    } else {
        json!(source_id(&movement.line))
    };
    json!({
        "id": movement.id,
        "object": "balance_transaction",
        "amount": amount,
        "created": line.at.unix_seconds(),
        "currency": currency(line.amount.currency),
        "fee": fee,
        "net": amount - fee,
        "reporting_category": kind,
        "source": source,
        "status": "pending",
        "type": kind,
    })
}

/// The charge or refund. What the line says counts, since it may be planted.
fn describe_source(line: &Line) -> Value {
    let bill = &line.bill;
    let status = match bill.status {
        LineStatus::Succeeded => "succeeded",
        LineStatus::Processing => "pending",
        LineStatus::Failed => "failed",
    };
    let mut metadata = json!({});
    if let Some(number) = &bill.out_trade_no {
        metadata["out_trade_no"] = json!(number);
    }
    if let Some(number) = refund_number(line) {
        metadata["out_refund_no"] = json!(number);
    }
    json!({
        "id": source_id(line),
        "object": match bill.kind {
            LineKind::Payment => "charge",
            LineKind::Refund => "refund",
        },
        "amount": bill.amount.amount,
        "currency": currency(bill.amount.currency),
        "created": bill.at.unix_seconds(),
        "metadata": metadata,
        "payment_intent": bill.transaction_id,
        "status": status,
    })
}

/// The number that the merchant wrote on the refund: the book's, but for a second try, which the
/// book knows by Stripe's.
fn refund_number(line: &Line) -> Option<&str> {
    let said = line.bill.out_refund_no.as_deref()?;
    let written = line.refund.as_ref().filter(|of| of.out_refund_no == said);
    let written = written.map(|of| of.extra["metadata"]["out_refund_no"].as_str());
    written.unwrap_or(Some(said))
}

fn source_id(line: &Line) -> String {
    let BillLine { kind, .. } = line.bill;
    match kind {
        LineKind::Payment => {
            let intent = line.payment.as_ref().map(|payment| payment.handle.as_str());
            let said = line.bill.transaction_id.as_deref();
            ids::charge_id(intent.or(said).unwrap_or_default())
        }
        LineKind::Refund => line.bill.refund_id.clone().unwrap_or_default(),
    }
}
