//! Reconciliations and differences as operations see them.

use crate::preview;
use domain::Money;
use domain::ledger::Entry;
use domain::lifecycle::{Language, Status};
use domain::reconciliation::{Case, DifferenceKind, Repair};
use engine::reconciliation::RepairPreview;
use serde_json::{Value, json};
use std::fmt::Write;
use store::{DaySums, DifferenceRow, Reconciliation, ReconciliationStep};

/// A day at a gateway.
pub fn reconciliation(one: &Reconciliation, language: Language) -> Value {
    let state = one.state();
    let sums: Vec<Value> = one.sums.iter().map(sums).collect();
    json!({
        "id": one.id, "gateway": one.gateway, "day": one.day.to_string(),
        "state": state.name(), "stateLabel": state.label(language), "runs": one.runs,
        "startedAt": one.started_at, "finishedAt": one.finished_at, "retryAt": one.retry_at,
        "error": one.error, "billSha256": one.bill_sha256.as_ref().map(hex),
        "billLines": one.bill_lines, "matchedPayments": one.matched_payments,
        "matchedRefunds": one.matched_refunds, "differences": one.differences,
        "unsettled": one.unsettled, "sums": sums,
    })
}

fn sums(day: &DaySums) -> Value {
    let sums = &day.sums;
    let gap = sums.bill_net().saturating_sub(sums.our_net());
    json!({
        "currency": sums.currency, "billPaid": sums.bill_paid, "billRefunded": sums.bill_refunded,
        "billNet": sums.bill_net(), "billFee": fee(sums.bill_fee), "ourPaid": sums.our_paid,
        "ourRefunded": sums.our_refunded, "ourNet": sums.our_net(), "gap": gap,
        "ledgerMoved": day.ledger_moved,
    })
}

/// Hundred-thousandths of a major unit as a decimal number.
fn fee(hundred_thousandths: i64) -> String {
    let sign = if hundred_thousandths < 0 { "-" } else { "" };
    let all = hundred_thousandths.unsigned_abs();
    format!("{sign}{}.{:05}", all / 100_000, all % 100_000)
}

/// A difference, with what may be done about it.
pub fn difference(row: &DifferenceRow, limits: &[Money], language: Language) -> Value {
    let one = &row.difference;
    let case = Case {
        kind: one.kind,
        status: row.status,
        at_stake: one.at_stake(),
        repair: row.repair,
        proposed_by: row.proposed_by,
        approved_by: row.approved_by,
    };
    json!({
        "id": row.id, "reconciliationId": row.reconciliation, "gateway": row.gateway,
        "day": row.day.to_string(), "kind": one.kind, "kindLabel": one.kind.label(language),
        "severity": one.kind.severity(), "atLoss": one.kind.at_loss(), "about": one.about,
        "line": one.line, "outTradeNo": one.out_trade_no, "transactionId": one.transaction_id,
        "outRefundNo": one.out_refund_no, "gatewayRefundId": one.refund_id, "orderId": one.order,
        "paymentId": one.payment, "refundId": one.refund, "here": one.here, "there": one.there,
        "gap": one.gap(), "at": one.at, "note": one.note,
        "status": row.status.constant(), "statusLabel": row.status.label(language),
        "repairs": repairs(one.kind, language), "needsApproval": case.needs_two(limits),
        "repair": row.repair, "repairLabel": row.repair.map(|repair| repair.label(language)),
        "proposedBy": row.proposed_by, "approvedBy": row.approved_by, "reason": row.reason,
        "result": row.result, "foundAt": row.found_at, "updatedAt": row.updated_at,
    })
}

/// What may be proposed: the first settles it, as a rule. Accepting has an address of its own.
fn repairs(kind: DifferenceKind, language: Language) -> Vec<Value> {
    let mut all = kind.repairs().to_vec();
    all.retain(|repair| !matches!(repair, Repair::AwaitBill | Repair::Accept));
    let one = |repair: Repair| {
        json!({
            "repair": repair, "label": repair.label(language),
            "needsReason": repair.needs_reason(),
        })
    };
    all.into_iter().map(one).collect()
}

/// Who decided what and when.
pub fn step(step: &ReconciliationStep, language: Language) -> Value {
    json!({
        "at": step.at, "step": step.step, "from": step.from.map(Status::constant),
        "to": step.to.map(Status::constant),
        "toLabel": step.to.map(|status| status.label(language)), "repair": step.repair,
        "note": step.note, "actorRole": step.actor_role.name(), "actor": step.actor,
        "requestId": step.request_id,
    })
}

/// What a repair would do.
pub fn preview(found: &RepairPreview, limits: &[Money], language: Language) -> Value {
    let postings = found.entry.as_ref().map(postings);
    json!({
        "difference": difference(&found.row, limits, language), "repair": found.repair,
        "repairLabel": found.repair.label(language), "needsApproval": found.needs_two,
        "gatewaySays": found.said.as_ref().map(engine::reconciliation::Said::words),
        "settles": found.said.as_ref().is_none_or(engine::reconciliation::Said::settles),
        "order": found.order.as_ref().map(|order| preview::view(order, language)),
        "postings": postings.unwrap_or_default(),
    })
}

fn postings(entry: &Entry) -> Vec<Value> {
    let posting = |one: &domain::ledger::Posting| {
        json!({
            "account": one.account.to_string(), "amount": one.amount,
            "currency": one.currency.code(),
        })
    };
    entry.postings().iter().map(posting).collect()
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

#[cfg(test)]
mod tests {
    use super::fee;

    #[test]
    fn fees_have_five_decimals() {
        assert_eq!(fee(18_000), "0.18000");
        assert_eq!(fee(-1), "-0.00001");
        assert_eq!(fee(1_234_567), "12.34567");
    }
}
