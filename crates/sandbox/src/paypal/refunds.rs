//! Refunds, in PayPal's terms.

use super::orders::money;
use super::refusal::Refusal;
use super::{Api, GATEWAY, ids};
use crate::book::{NewRefund, Refund};
use crate::control::views::RefundStatus;
use crate::refusal::MoneyRefusal;
use connectors::paypal::wire::{self, Amount, RefundRequest, StatusDetails, utc_time};
use domain::Money;
use serde_json::Value;

impl Api {
    /// Accepts a refund, or finds it accepted: a number is refunded only once. The merchant's
    /// number is the invoice's, which here must be the request's id as well.
    pub(super) fn send_refund(
        &self,
        capture: &str,
        request: RefundRequest,
    ) -> Result<wire::Refund, Refusal> {
        let amount = money(&request.amount)?;
        let fits = |text: &str, most| (1..=most).contains(&text.chars().count());
        let note_fits = request
            .note_to_payer
            .as_ref()
            .is_none_or(|note| fits(note, 255));
        if !fits(&request.invoice_id, 127) || !note_fits {
            let words = "The value of a field is either too short or too long.";
            return Err(Refusal::invalid("INVALID_STRING_LENGTH", words));
        }
        let (number, currency, left) = {
            let book = self.sandbox.book();
            let payment = book.payment_of_transaction(GATEWAY, capture);
            let payment = payment.ok_or_else(Refusal::not_found)?;
            let number = payment.out_trade_no.clone();
            let live = book.live_refunds(&number).map(|refund| refund.amount);
            let paid = payment.paid.as_ref().map_or(0, |paid| paid.total);
            let left = paid - live.sum::<i64>();
            (number, payment.currency, left)
        };
        if amount.currency != currency {
            let words = "Refund must be in the same currency as the capture.";
            return Err(Refusal::unprocessable(
                "REFUND_CAPTURE_CURRENCY_MISMATCH",
                words,
            ));
        }
        let refund = self.sandbox.refund_payment(NewRefund {
            gateway: GATEWAY,
            out_trade_no: number,
            out_refund_no: request.invoice_id,
            refund_id: ids::number(),
            reason: request.note_to_payer,
            notify_url: None,
            amount: amount.amount,
            terms: Value::Null,
            extra: Value::Null,
        });
        refund
            .map(|refund| describe(&refund))
            .map_err(|refusal: MoneyRefusal| Refusal::of_refund(refusal, left == 0))
    }

    /// How a refund stands.
    pub(super) fn told_refund(&self, id: &str) -> Result<wire::Refund, Refusal> {
        let refund = self.sandbox.book().refund_of_id(GATEWAY, id).cloned();
        refund
            .map(|refund| describe(&refund))
            .ok_or_else(Refusal::not_found)
    }
}

/// A refund as every answer and notice tells it.
pub(super) fn describe(refund: &Refund) -> wire::Refund {
    wire::Refund {
        id: refund.refund_id.clone(),
        status: status(refund.status).to_owned(),
        // The one reason for waiting that PayPal's description of refunds knows.
        status_details: (refund.status == RefundStatus::Processing).then(|| StatusDetails {
            reason: "ECHECK".to_owned(),
        }),
        amount: Some(Amount::of(Money::new(refund.amount, refund.currency))),
        invoice_id: Some(refund.out_refund_no.clone()),
        note_to_payer: refund.reason.clone(),
        create_time: Some(utc_time(refund.created_at)),
        update_time: Some(utc_time(refund.success_at.unwrap_or(refund.created_at))),
        links: Vec::new(),
    }
}

const fn status(status: RefundStatus) -> &'static str {
    match status {
        RefundStatus::Processing => "PENDING",
        RefundStatus::Success => "COMPLETED",
        // PayPal has no word for a payer's account that can't take it.
        RefundStatus::Failed | RefundStatus::Abnormal => "FAILED",
        RefundStatus::Closed => "CANCELLED",
    }
}
