//! How PayPal's orders, captures and refunds stand, in our words. Pure: what PayPal said goes in,
//! what it means comes out.

use super::wire::{Capture, Order, Refund, StatusDetails};
use crate::gateway::{PaidNotice, PaymentRef, PaymentState, RefundState};
use domain::{Money, Ts};

/// How the money of an order stands. An order with intent `CAPTURE` has one capture at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Nothing was fetched yet.
    Nothing,
    /// The money is with us.
    Paid(PaidNotice),
    /// Fetched, but held by PayPal or the payer's bank; it may still come or not.
    Pending,
    /// It could not be fetched, for good.
    Declined {
        /// PayPal's word.
        reason: String,
    },
}

/// How the payment stands that this order is for.
///
/// What was captured counts before what the order says of itself. A capture that was declined ends
/// the payment: PayPal closes the order with it, and even where it would let the payer choose other
/// means, fetching again needs another request id. The payer starts anew with a new number, and
/// until then nobody can take money for this one, since only we capture.
///
/// Past `expires_at`, an order that the payer has not agreed to is closed for the same reason: we
/// don't capture it. One that the payer **has** agreed to is never called closed here, because a
/// capture of ours may be on its way, or may have been done without our hearing of it.
pub fn payment_state(order: &Order, payment: &PaymentRef, now: Ts) -> Result<PaymentState, String> {
    match taken(order, payment)? {
        Taken::Paid(paid) => return Ok(PaymentState::Paid(paid)),
        Taken::Pending => return Ok(PaymentState::Open),
        Taken::Declined { reason } => return Ok(PaymentState::Failed { reason }),
        Taken::Nothing => {}
    }
    match order.status.as_str() {
        "APPROVED" => Ok(PaymentState::Approved),
        "CREATED" | "SAVED" | "PAYER_ACTION_REQUIRED" if now >= payment.expires_at => {
            Ok(PaymentState::Closed)
        }
        "CREATED" | "SAVED" | "PAYER_ACTION_REQUIRED" => Ok(PaymentState::Open),
        "VOIDED" => Ok(PaymentState::Closed),
        "COMPLETED" => Err("the order is completed, but shows no capture".to_owned()),
        other => Err(format!("order status `{other}` is not known")),
    }
}

/// How the money of this payment's order stands.
pub fn taken(order: &Order, payment: &PaymentRef) -> Result<Taken, String> {
    if payment.handle.as_deref() != Some(order.id.as_str()) {
        let ours = payment.handle.as_deref().unwrap_or("none");
        return Err(format!("asked for order {ours}, told {}", order.id));
    }
    let number = &payment.out_trade_no;
    let mut found = Taken::Nothing;
    for unit in &order.purchase_units {
        check_number(number, unit.custom_id.as_deref())?;
        for capture in unit.payments.iter().flat_map(|payments| &payments.captures) {
            check_number(number, capture.custom_id.as_deref())?;
            // Money that came outweighs money that may come, and that outweighs what did not come.
            found = match (found, capture_taken(capture, number)?) {
                (paid @ Taken::Paid(_), _) | (_, paid @ Taken::Paid(_)) => paid,
                (Taken::Pending, _) | (_, Taken::Pending) => Taken::Pending,
                (_, other) => other,
            };
        }
    }
    Ok(found)
}

/// How one capture stands. A refund later on doesn't undo that it was paid.
pub fn capture_taken(capture: &Capture, out_trade_no: &str) -> Result<Taken, String> {
    match capture.status.as_str() {
        "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => {
            paid_notice(capture, out_trade_no).map(Taken::Paid)
        }
        "PENDING" => Ok(Taken::Pending),
        "DECLINED" | "FAILED" => Ok(Taken::Declined {
            reason: with_reason(&capture.status, capture.status_details.as_ref()),
        }),
        other => Err(format!("capture status `{other}` is not known")),
    }
}

/// The money of a capture, with the capture's number and what was really paid.
pub fn paid_notice(capture: &Capture, out_trade_no: &str) -> Result<PaidNotice, String> {
    let missing = |name| format!("a completed capture has no {name}");
    let amount = capture.amount.as_ref().ok_or_else(|| missing("amount"))?;
    let at = capture.create_time.as_deref();
    Ok(PaidNotice {
        out_trade_no: out_trade_no.to_owned(),
        transaction_id: capture.id.clone(),
        amount: positive(amount.read()?)?,
        paid_at: read_time("create_time", at.ok_or_else(|| missing("create_time"))?)?,
    })
}

/// How a refund stands.
///
/// A refund that PayPal failed or cancelled has used up its number: PayPal answers a repetition of
/// the same request id with the same refund. So it is `Closed`, and another try needs a new number.
pub fn refund_state(refund: &Refund, out_refund_no: &str) -> Result<RefundState, String> {
    if let Some(told) = &refund.invoice_id
        && told != out_refund_no
    {
        return Err(format!("asked for {out_refund_no}, told {told}"));
    }
    match refund.status.as_str() {
        "COMPLETED" => {
            let time = refund.update_time.as_ref().or(refund.create_time.as_ref());
            let time = time.ok_or("a completed refund has no time")?;
            Ok(RefundState::Succeeded {
                refund_id: refund.id.clone(),
                at: read_time("update_time", time)?,
            })
        }
        "PENDING" => Ok(RefundState::Processing {
            refund_id: Some(refund.id.clone()),
        }),
        "FAILED" | "CANCELLED" => {
            let reason = with_reason(&refund.status, refund.status_details.as_ref());
            tracing::warn!(
                out_refund_no,
                refund_id = refund.id,
                reason,
                "PayPal gave nothing back"
            );
            Ok(RefundState::Closed)
        }
        other => Err(format!("refund status `{other}` is not known")),
    }
}

/// An order or capture under another number is not this payment's, whoever it belongs to.
fn check_number(ours: &str, told: Option<&str>) -> Result<(), String> {
    match told {
        Some(told) if told != ours => Err(format!("asked for {ours}, told {told}")),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn positive(amount: Money) -> Result<Money, String> {
    if amount.amount >= 1 {
        Ok(amount)
    } else {
        Err(format!("{amount} is no payment"))
    }
}

pub(super) fn read_time(name: &str, text: &str) -> Result<Ts, String> {
    Ts::parse(text).map_err(|_| format!("{name} `{text}` is not RFC 3339"))
}

fn with_reason(status: &str, details: Option<&StatusDetails>) -> String {
    match details {
        Some(StatusDetails { reason }) => format!("{status}: {reason}"),
        None => status.to_owned(),
    }
}
