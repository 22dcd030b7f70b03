//! Stripe's notices: events, signed anew for each copy.

use super::keys::Keys;
use super::{GATEWAY, payments, refunds};
use crate::control::views::{PaymentState, RefundStatus};
use crate::counterparty::{OutgoingNotice, Signing, Subject};
use crate::ids::hexadecimal;
use crate::keys::unusable;
use crate::{Sandbox, SandboxError};
use axum::http::{HeaderMap, HeaderValue};
use connectors::stripe::API_VERSION;
use domain::Ts;
use serde_json::{Value, json};

/// A copy of a notice; none where the account has no webhook endpoint.
pub(super) fn notice(
    keys: &Keys,
    sandbox: &Sandbox,
    subject: Subject<'_>,
    signing: Signing,
) -> Result<Option<OutgoingNotice>, SandboxError> {
    let now = sandbox.now();
    let (Some(url), Some(event)) = (sandbox.webhook(GATEWAY), event(subject, now)) else {
        return Ok(None);
    };
    let body =
        serde_json::to_vec(&event).map_err(|reason| SandboxError::Notice(reason.to_string()))?;
    let secret = if signing.wrong_key {
        &keys.wrong
    } else {
        &keys.webhook
    };
    let timestamp = now.unix_seconds() - i64::from(signing.stale_seconds);
    // Test mode signs by another scheme as well, which says nothing.
    let header = format!(
        "{},v0={}",
        secret.header(timestamp, &body),
        hexadecimal(64).to_ascii_lowercase()
    );
    let mut headers = HeaderMap::new();
    let header = HeaderValue::from_str(&header).map_err(unusable)?;
    headers.insert("stripe-signature", header);
    Ok(Some(OutgoingNotice {
        url,
        headers,
        content_type: "application/json; charset=utf-8",
        body,
    }))
}

fn event(subject: Subject<'_>, now: Ts) -> Option<Value> {
    let (id, kind, at, object) = match subject {
        Subject::PaymentPaid(payment) => {
            let paid = payment.paid.as_ref()?;
            // A later refund doesn't change that it was paid.
            let mut intent = payments::describe(payment, PaymentState::Success, false);
            intent["client_secret"] = Value::Null;
            (&paid.notice_id, "payment_intent.succeeded", paid.at, intent)
        }
        Subject::RefundEnded(refund, payment) => {
            let kind = match refund.status {
                // It was decided anew meanwhile; the notice of that end follows.
                RefundStatus::Processing => return None,
                RefundStatus::Success if refund.success_at == Some(refund.created_at) => {
                    "refund.created"
                }
                RefundStatus::Success | RefundStatus::Closed => "refund.updated",
                RefundStatus::Failed | RefundStatus::Abnormal => "refund.failed",
            };
            let at = refund.success_at.unwrap_or(now);
            (
                &refund.notice_id,
                kind,
                at,
                refunds::describe(refund, payment),
            )
        }
        // Stripe has no such step.
        Subject::PaymentApproved(_) => return None,
    };
    Some(json!({
        "id": id,
        "object": "event",
        "api_version": API_VERSION,
        "created": at.unix_seconds(),
        "data": { "object": object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "type": kind,
    }))
}
