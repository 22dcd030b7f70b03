//! What a proven message says.
//!
//! Events of payments that are none of ours (another program may use the same PayPal account) are
//! acknowledged and not used, since turning them away would only make PayPal repeat them.

use super::super::standing::{paid_notice, refund_state};
use super::super::wire::{Capture, Event, Order, Refund};
use crate::gateway::{Notice, RefundState};
use serde::de::DeserializeOwned;

/// How our numbers of refunds begin.
const REFUND_PREFIX: &str = "RF";
/// Our numbers are 32 and 34 characters long.
const MAX_NUMBER: usize = 64;

/// Reads a message's body.
pub fn notice(body: &[u8]) -> Result<Notice, String> {
    let event: Event = serde_json::from_slice(body).map_err(|reason| reason.to_string())?;
    let event_type = event.event_type.clone();
    let notice = match event_type.as_str() {
        "PAYMENT.CAPTURE.COMPLETED" => captured(&event)?,
        // The payer has agreed, or the money did not come at once: asking says which.
        "CHECKOUT.ORDER.APPROVED" | "CHECKOUT.ORDER.COMPLETED" => order_changed(&event)?,
        "PAYMENT.CAPTURE.PENDING" | "PAYMENT.CAPTURE.DENIED" | "PAYMENT.CAPTURE.DECLINED" => {
            let capture: Capture = resource(&event)?;
            number_of(&capture).map(|out_trade_no| Notice::AskPayment {
                notice_id: event.id.clone(),
                out_trade_no,
            })
        }
        "PAYMENT.CAPTURE.REFUNDED" | "PAYMENT.REFUND.PENDING" | "PAYMENT.REFUND.FAILED" => {
            refunded(&event)?
        }
        // `PAYMENT.CAPTURE.REVERSED` and disputes too: the money is gone without a refund of ours,
        // which the next bill shows and operations must see to.
        _ => None,
    };
    if notice.is_none() {
        tracing::info!(
            event_type,
            notice_id = event.id,
            "a PayPal event of no use to us"
        );
    }
    Ok(notice.unwrap_or(Notice::Other {
        notice_id: event.id,
        event_type,
    }))
}

/// Money came. What does not say how much or when is asked about.
fn captured(event: &Event) -> Result<Option<Notice>, String> {
    let capture: Capture = resource(event)?;
    let Some(out_trade_no) = number_of(&capture) else {
        return Ok(None);
    };
    let notice_id = event.id.clone();
    Ok(Some(match paid_notice(&capture, &out_trade_no) {
        Ok(paid) if capture.status == "COMPLETED" => Notice::Paid { notice_id, paid },
        Ok(_) | Err(_) => Notice::AskPayment {
            notice_id,
            out_trade_no,
        },
    }))
}

fn order_changed(event: &Event) -> Result<Option<Notice>, String> {
    let order: Order = resource(event)?;
    let number = order.purchase_units.iter().find_map(|unit| {
        let number = unit.custom_id.as_ref().or(unit.invoice_id.as_ref())?;
        is_number(number).then(|| number.clone())
    });
    Ok(number.map(|out_trade_no| Notice::AskPayment {
        notice_id: event.id.clone(),
        out_trade_no,
    }))
}

/// A refund changed. One without a number of ours was made at PayPal by hand: its bill shows it.
fn refunded(event: &Event) -> Result<Option<Notice>, String> {
    let refund: Refund = resource(event)?;
    let number = refund.invoice_id.as_ref();
    let ours = |number: &&String| number.starts_with(REFUND_PREFIX) && is_number(number);
    let Some(out_refund_no) = number.filter(ours).cloned() else {
        return Ok(None);
    };
    let notice_id = event.id.clone();
    Ok(Some(match refund_state(&refund, &out_refund_no) {
        // That the money is back is what ends a refund; everything else is asked about.
        Ok(state @ RefundState::Succeeded { .. }) => Notice::Refund {
            notice_id,
            out_refund_no,
            state,
        },
        Ok(_) | Err(_) => Notice::AskRefund {
            notice_id,
            out_refund_no,
        },
    }))
}

fn resource<T: DeserializeOwned>(event: &Event) -> Result<T, String> {
    T::deserialize(&event.resource)
        .map_err(|reason| format!("the resource of {}: {reason}", event.event_type))
}

fn number_of(capture: &Capture) -> Option<String> {
    let number = capture.custom_id.as_ref().or(capture.invoice_id.as_ref())?;
    is_number(number).then(|| number.clone())
}

/// Whether this can be a number of ours.
fn is_number(text: &str) -> bool {
    let alphanumeric = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (1..=MAX_NUMBER).contains(&text.len()) && alphanumeric
}
