//! What Stripe sends to our webhook endpoint.
//!
//! Notices come doubled, late and in any order, each with its object as it was when the notice was
//! made. A paid intent stays paid, so that notice is taken at its word. A refund that succeeded may
//! still fail at the bank, and one number may have had several tries, so notices of refunds only
//! say that it is time to ask (spec 20: the gateway's query decides). What does not carry a number
//! of ours is somebody else's business on the same account.

use super::payments::read_paid;
use super::wire::{Event, Metadata, PaymentIntent, read_seconds};
use crate::gateway::{CallbackError, Notice};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// Longer ids and kinds are not Stripe's.
const MAX_NAME: usize = 255;

/// An object of which only our numbers matter.
#[derive(Deserialize)]
struct Marked {
    #[serde(default)]
    metadata: Metadata,
}

/// Reads a notice whose signature was verified.
///
/// # Errors
///
/// [`CallbackError::Malformed`] where it is not a notice of Stripe's, or one of a kind that we know
/// with an object that we don't.
pub fn read_event(body: &[u8]) -> Result<Notice, CallbackError> {
    let event: Event<IgnoredAny> = read(body)?;
    for name in [&event.id, &event.kind] {
        if name.is_empty() || name.len() > MAX_NAME {
            let reason = format!("an id or a type of {} bytes", name.len());
            return Err(CallbackError::Malformed(reason));
        }
    }
    match event.kind.as_str() {
        "payment_intent.succeeded" => payment_succeeded(read(body)?),
        "payment_intent.payment_failed"
        | "payment_intent.canceled"
        | "payment_intent.processing" => Ok(ask_payment(read(body)?)),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            Ok(ask_refund(read(body)?))
        }
        // `charge.refunded` does not name the refund, which has notices of its own;
        // `charge.dispute.created` has no number of ours, and shows on the bill.
        _ => Ok(other(event)),
    }
}

fn payment_succeeded(event: Event<PaymentIntent>) -> Result<Notice, CallbackError> {
    let intent = &event.data.object;
    let Some(out_trade_no) = intent.metadata.out_trade_no() else {
        return Ok(other(event));
    };
    // The charge's own time is not in the notice; this one is at most moments later.
    let paid = read_seconds(event.created).and_then(|at| read_paid(intent, at));
    Ok(match paid {
        Ok(paid) => Notice::Paid {
            notice_id: event.id,
            paid,
        },
        Err(_) => Notice::AskPayment {
            out_trade_no: out_trade_no.to_owned(),
            notice_id: event.id,
        },
    })
}

fn ask_payment(event: Event<Marked>) -> Notice {
    match event.data.object.metadata.out_trade_no() {
        Some(out_trade_no) => Notice::AskPayment {
            out_trade_no: out_trade_no.to_owned(),
            notice_id: event.id,
        },
        None => other(event),
    }
}

fn ask_refund(event: Event<Marked>) -> Notice {
    match event.data.object.metadata.out_refund_no() {
        Some(out_refund_no) => Notice::AskRefund {
            out_refund_no: out_refund_no.to_owned(),
            notice_id: event.id,
        },
        None => other(event),
    }
}

fn other<T>(event: Event<T>) -> Notice {
    Notice::Other {
        notice_id: event.id,
        event_type: event.kind,
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<Event<T>, CallbackError> {
    serde_json::from_slice(body).map_err(|reason| CallbackError::Malformed(reason.to_string()))
}
