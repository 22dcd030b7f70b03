//! Refunds of captures.

use super::PayPal;
use super::errors::{GATEWAY, is_not_found};
use super::orders::{check_amount, check_id, check_number, cut, is_id};
use super::standing::refund_state;
use super::wire::{Amount, Refund, RefundRequest};
use crate::gateway::{GatewayError, Operation, RefundRef, RefundState, StartRefund};
use domain::Ts;

/// PayPal takes no more of a note, by characters (`note_to_payer`).
const MAX_NOTE: usize = 255;

impl PayPal {
    /// Sends a refund, or is told of it again: our number is the request's id, which PayPal keeps
    /// for 45 days. After that, only what is left of the payment limits a repetition; the engine
    /// has long given up by then.
    pub(super) async fn send_refund(
        &self,
        start: &StartRefund,
        now: Ts,
    ) -> Result<RefundState, GatewayError> {
        let (operation, refund) = (Operation::Refund, &start.refund);
        check_number(operation, "out_refund_no", &refund.out_refund_no)?;
        check_amount(operation, refund.amount)?;
        if refund.amount.currency != refund.total.currency {
            let message = "refund and payment are in different currencies";
            return Err(operation.refused(GATEWAY, "PARAM_ERROR", message));
        }
        let Some(capture) = &refund.payment.transaction_id else {
            let message = "the payment has no capture to give back from";
            return Err(operation.refused(GATEWAY, "PARAM_ERROR", message));
        };
        check_id(operation, "capture", capture)?;
        let request = RefundRequest {
            amount: Amount::of(refund.amount),
            invoice_id: refund.out_refund_no.clone(),
            note_to_payer: Some(cut(&start.reason, MAX_NOTE)).filter(|note| !note.is_empty()),
        };
        let path = format!("/v2/payments/captures/{capture}/refund");
        let id = &refund.out_refund_no;
        let answer: Refund = self.post(operation, &path, id, &request, now).await?;
        read(operation, &answer, refund)
    }

    /// Asks how a refund stands, by PayPal's number. Without one nothing can be asked; sending the
    /// same number again is safe and gets the answer.
    pub(super) async fn ask_refund(
        &self,
        refund: &RefundRef,
        now: Ts,
    ) -> Result<RefundState, GatewayError> {
        let operation = Operation::QueryRefund;
        let Some(id) = &refund.refund_id else {
            return Ok(RefundState::NotFound);
        };
        check_id(operation, "refund", id)?;
        let path = format!("/v2/payments/refunds/{id}");
        match self.get::<Refund>(operation, &path, now).await {
            Err(error) if is_not_found(&error) => Ok(RefundState::NotFound),
            answer => read(operation, &answer?, refund),
        }
    }
}

/// How the refund stands, if it is the one that was asked about.
fn read(
    operation: Operation,
    answer: &Refund,
    refund: &RefundRef,
) -> Result<RefundState, GatewayError> {
    let unbelieved = |reason: String| operation.unanswered(GATEWAY, reason);
    if !is_id(&answer.id) {
        return Err(unbelieved(format!(
            "`{}` is no number of a refund",
            answer.id
        )));
    }
    if let Some(amount) = &answer.amount {
        let told = amount.read().map_err(unbelieved)?;
        if told != refund.amount {
            return Err(unbelieved(format!(
                "asked for {}, told {told}",
                refund.amount
            )));
        }
    }
    refund_state(answer, &refund.out_refund_no).map_err(unbelieved)
}
