//! PayPal's notices: signed anew for each copy, with a certificate that PayPal serves.

use super::GATEWAY;
use super::ids;
use super::keys::Keys;
use super::{orders, refunds};
use crate::control::views::RefundStatus;
use crate::counterparty::{OutgoingNotice, Signing, Subject};
use crate::keys::unusable;
use crate::{Sandbox, SandboxError};
use axum::http::{HeaderMap, HeaderValue};
use connectors::paypal::webhook::address::PATH;
use connectors::paypal::webhook::signature::{ALGORITHM, message};
use connectors::paypal::wire::{Event, utc_time};
use domain::{Span, Ts};
use serde::Serialize;
use serde_json::Value;

/// What is told.
struct Told<'a> {
    id: &'a str,
    event_type: &'static str,
    resource_type: &'static str,
    summary: &'static str,
    made_at: Ts,
    resource: Value,
}

/// A copy of a notice; none where the merchant has no webhook, or PayPal has no event for it.
pub(super) fn notice(
    keys: &Keys,
    sandbox: &Sandbox,
    subject: Subject<'_>,
    signing: Signing,
) -> Result<Option<OutgoingNotice>, SandboxError> {
    let (payment, told) = match subject {
        Subject::PaymentApproved(payment) => {
            let Some(approved) = &payment.approved else {
                return Ok(None);
            };
            let told = Told {
                id: &approved.notice_id,
                event_type: "CHECKOUT.ORDER.APPROVED",
                resource_type: "checkout-order",
                summary: "An order has been approved by buyer",
                made_at: approved.at,
                resource: encode(&orders::order(payment, "APPROVED", None))?,
            };
            (payment, told)
        }
        Subject::PaymentPaid(payment) => {
            let Some(paid) = &payment.paid else {
                return Ok(None);
            };
            let told = Told {
                id: &paid.notice_id,
                event_type: "PAYMENT.CAPTURE.COMPLETED",
                resource_type: "capture",
                summary: "Payment completed",
                made_at: paid.at,
                resource: encode(&orders::capture(payment, "COMPLETED"))?,
            };
            (payment, told)
        }
        Subject::RefundEnded(refund, payment) => {
            // Of a refund that failed or was cancelled only a query tells.
            let RefundStatus::Success = refund.status else {
                return Ok(None);
            };
            let told = Told {
                id: &refund.notice_id,
                event_type: "PAYMENT.CAPTURE.REFUNDED",
                resource_type: "refund",
                summary: "A merchant refunded a payment capture",
                made_at: refund.success_at.unwrap_or(refund.created_at),
                resource: encode(&refunds::describe(refund))?,
            };
            (payment, told)
        }
    };
    let Some(url) = sandbox.webhook(GATEWAY) else {
        return Ok(None);
    };
    let event = Event {
        id: told.id.to_owned(),
        create_time: utc_time(told.made_at),
        resource_type: told.resource_type.to_owned(),
        event_type: told.event_type.to_owned(),
        summary: told.summary.to_owned(),
        resource: told.resource,
    };
    let body = encode(&event)?.to_string().into_bytes();
    let address = payment.extra["address"].as_str().unwrap_or_default();
    Ok(Some(OutgoingNotice {
        url,
        headers: headers(keys, address, sandbox.now(), &body, signing)?,
        content_type: "application/json",
        body,
    }))
}

fn headers(
    keys: &Keys,
    address: &str,
    now: Ts,
    body: &[u8],
    signing: Signing,
) -> Result<HeaderMap, SandboxError> {
    let id = ids::transmission_id();
    let time = utc_time(now - Span::seconds(signing.stale_seconds.into()));
    let message = message(&id, &time, &keys.file.webhook_id, body);
    let key = if signing.wrong_key {
        &keys.wrong
    } else {
        &keys.notices
    };
    let signature = key.sign(message.as_bytes()).map_err(unusable)?;
    let certificate = format!("{address}{PATH}{}", keys.file.certificate_name);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("paypal-transmission-id", id.as_str()),
        ("paypal-transmission-time", &time),
        ("paypal-transmission-sig", &signature),
        ("paypal-cert-url", &certificate),
        ("paypal-auth-algo", ALGORITHM),
    ] {
        let value = HeaderValue::from_str(value)
            .map_err(|reason| SandboxError::Notice(format!("{name}: {reason}")))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn encode(value: &impl Serialize) -> Result<Value, SandboxError> {
    serde_json::to_value(value).map_err(|reason| SandboxError::Notice(reason.to_string()))
}
