//! What is counted of payments, in one place, so that names and labels stay the same (spec 70).
//! Without a recorder, as in most tests, counting does nothing.

use connectors::gateway::{CallbackError, GatewayError, Notice, Operation};
use domain::consultation::ConsultationStatus;
use domain::lifecycle::Status;
use domain::order::Step;
use domain::payment::{GatewayName, Payment, PaymentStatus, Purpose, Refund, RefundStatus};
use domain::reconciliation::DifferenceKind;
use metrics::{counter, histogram};
use std::time::Duration;

/// A call of a gateway, by how it ended.
pub(crate) fn call<T>(
    gateway: GatewayName,
    operation: Operation,
    answer: &Result<T, GatewayError>,
    took: Duration,
) {
    let result = match answer {
        Ok(_) => "ok",
        Err(GatewayError::Refused { .. }) => "refused",
        Err(GatewayError::Unavailable { .. }) => "unavailable",
        Err(GatewayError::Unknown { .. }) => "unknown",
    };
    let (gateway, operation) = (gateway.to_string(), operation.name());
    counter!("xinglin_gateway_calls_total",
        "gateway" => gateway.clone(), "operation" => operation, "result" => result)
    .increment(1);
    histogram!("xinglin_gateway_call_seconds", "gateway" => gateway, "operation" => operation)
        .record(took.as_secs_f64());
}

/// A callback, by what it was or why it was turned away. Probes are no alarm.
pub(crate) fn callback(gateway: GatewayName, heard: &Result<Notice, CallbackError>) {
    let result = match heard {
        Ok(Notice::Paid { .. }) => "paid",
        Ok(Notice::Refund { .. }) => "refund",
        Ok(Notice::AskPayment { .. } | Notice::AskRefund { .. }) => "ask",
        Ok(Notice::Other { .. }) => "other",
        Err(CallbackError::BadSignature(_)) => "bad_signature",
        Err(CallbackError::SignatureProbe) => "probe",
        Err(CallbackError::Stale { .. }) => "stale",
        Err(CallbackError::Malformed(_)) => "malformed",
        Err(CallbackError::NotNow(_)) => "not_now",
    };
    counter!("xinglin_callbacks_total", "gateway" => gateway.to_string(), "result" => result)
        .increment(1);
}

/// Money that would have been posted into a closed month: a clock is wrong.
pub(crate) fn closed_month() {
    counter!("xinglin_ledger_closed_month_total").increment(1);
}

/// The steps that a commit wrote.
pub(crate) fn steps(steps: &[Step<ConsultationStatus>]) {
    for step in steps {
        counter!("xinglin_transitions_total",
            "kind" => "consultation", "to" => step.to.constant(), "reason" => step.reason)
        .increment(1);
    }
}

/// A payment that a commit wrote, by where it stands now.
pub(crate) fn payment(before: Option<&Payment>, after: &Payment) {
    if before.is_some_and(|before| before.status == after.status) {
        return;
    }
    let result = match after.status {
        PaymentStatus::Pending => "asked",
        PaymentStatus::Processing => "started",
        PaymentStatus::Completed => "completed",
        PaymentStatus::Failed => "failed",
        PaymentStatus::Closed => "closed",
        PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => return,
    };
    counter!("xinglin_payments_total", "gateway" => after.gateway.to_string(), "result" => result)
        .increment(1);
}

/// A refund that a commit wrote, by where it stands now; late and double money has its own name.
pub(crate) fn refund(gateway: GatewayName, before: Option<&Refund>, after: &Refund) {
    if before.is_none() && after.purpose == Purpose::LateMoney {
        counter!("xinglin_late_money_total", "gateway" => gateway.to_string()).increment(1);
    }
    if before.is_some_and(|before| before.status == after.status) {
        return;
    }
    let result = match after.status {
        RefundStatus::Requested | RefundStatus::Reviewing => "asked",
        RefundStatus::Processing => "granted",
        RefundStatus::Succeeded => "succeeded",
        RefundStatus::Failed => "failed",
        RefundStatus::Refused => "refused",
    };
    counter!("xinglin_refunds_total",
        "gateway" => gateway.to_string(), "purpose" => after.purpose.name(), "result" => result)
    .increment(1);
}

/// A difference that was found between a gateway's bill and our books.
pub(crate) fn difference(gateway: GatewayName, kind: DifferenceKind) {
    counter!("xinglin_differences_total", "gateway" => gateway.to_string(),
        "kind" => kind.constant(), "severity" => kind.severity().name())
    .increment(1);
}
