//! Refunds, in Stripe's terms.

use super::api::{Told, page};
use super::form::Form;
use super::idempotency::Outcome;
use super::payments::currency;
use super::refusal::Refusal;
use super::{Api, GATEWAY, ids};
use crate::book::{NewRefund, Payment, Refund};
use crate::control::views::RefundStatus;
use crate::refusal::MoneyRefusal;
use serde_json::{Value, json};

impl Api {
    /// Makes a refund. To Stripe each is a new one: only a key says that it is the same again.
    pub(super) fn create_refund(&self, form: &Form) -> Result<(String, Outcome), Refusal> {
        let intent_id = form.text("payment_intent")?;
        let (payment, _) = self.intent(intent_id)?;
        let left = self.left(&payment);
        // Without an amount: all that is left.
        let amount = form.integer("amount")?.unwrap_or(left.max(1));
        if amount < 1 {
            let message = "This value must be greater than or equal to 1.";
            return Err(Refusal::param(
                "amount",
                "parameter_invalid_integer",
                message,
            ));
        }
        let known = ["duplicate", "fraudulent", "requested_by_customer"];
        let reason = form.optional("reason");
        if reason.is_some_and(|reason| !known.contains(&reason)) {
            let message = "Invalid reason";
            return Err(Refusal::param("reason", "parameter_invalid", message));
        }
        let new = self.new_refund(form, &payment, amount)?;
        let number = new.out_refund_no.clone();
        let made = self.sandbox.refund_payment(new);
        let told = || {
            let found = self.sandbox.refund_at(GATEWAY, &number);
            let (refund, payment) = found.ok_or_else(|| Refusal::missing("refund", &number))?;
            Ok::<_, Refusal>(Told::ok(describe(&refund, &payment)))
        };
        let outcome = match made {
            Ok(_) => Outcome::Told(told()?),
            Err(MoneyRefusal::OutcomeUntold) => Outcome::Lost(told()?),
            Err(refusal) => {
                let refusal = Refusal::of_refund(refusal, intent_id, left);
                Outcome::Told(refusal.into())
            }
        };
        Ok((payment.out_trade_no, outcome))
    }

    /// How a refund stands.
    pub(super) fn retrieve_refund(&self, id: &str) -> Result<Value, Refusal> {
        let book = self.sandbox.book();
        let refund = book.refund_of_id(GATEWAY, id);
        let found = refund.and_then(|refund| Some((refund, book.payment(&refund.out_trade_no)?)));
        let (refund, payment) = found.ok_or_else(|| Refusal::missing("refund", id))?;
        Ok(describe(refund, payment))
    }

    /// The refunds, of one intent or of all, the latest first.
    pub(super) fn list_refunds(&self, query: &Form) -> Result<Value, Refusal> {
        let of = match query.optional("payment_intent") {
            Some(id) => Some(self.intent(id)?.0.out_trade_no),
            None => None,
        };
        let book = self.sandbox.book();
        let is_wanted = |refund: &&Refund| {
            let of = of.as_ref();
            refund.gateway == GATEWAY && of.is_none_or(|number| refund.out_trade_no == *number)
        };
        let wanted = book.refunds().rev().filter(is_wanted);
        let all: Vec<(&Refund, &Payment)> = wanted
            .filter_map(|refund| Some((refund, book.payment(&refund.out_trade_no)?)))
            .collect();
        page(
            &all,
            query,
            "/v1/refunds",
            |(refund, _)| refund.refund_id.clone(),
            |(refund, payment)| describe(refund, payment),
        )
    }

    /// What may still go back of a payment.
    fn left(&self, payment: &Payment) -> i64 {
        let book = self.sandbox.book();
        let gone: i64 = book
            .live_refunds(&payment.out_trade_no)
            .map(|refund| refund.amount)
            .sum();
        payment.paid.as_ref().map_or(0, |paid| paid.total - gone)
    }

    fn new_refund(
        &self,
        form: &Form,
        payment: &Payment,
        amount: i64,
    ) -> Result<NewRefund, Refusal> {
        let metadata = form.metadata()?;
        let refund_id = ids::refund_id();
        // The number in our book: the merchant's, where it writes one that is new. A second try
        // after a failure has the same in its metadata, and is another refund.
        let book = self.sandbox.book();
        let theirs = metadata.get("out_refund_no");
        let new = theirs.filter(|number| !number.is_empty() && book.refund(number).is_none());
        Ok(NewRefund {
            gateway: GATEWAY,
            out_trade_no: payment.out_trade_no.clone(),
            out_refund_no: new.unwrap_or(&refund_id).clone(),
            reason: form.optional("reason").map(str::to_owned),
            notify_url: None,
            amount,
            terms: Value::Null,
            extra: json!({ "metadata": metadata }),
            refund_id,
        })
    }
}

/// A refund as answers and notices tell it.
pub(super) fn describe(refund: &Refund, payment: &Payment) -> Value {
    let (status, failure) = status(refund.status);
    let mut told = json!({
        "id": refund.refund_id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": ids::movement_id(&refund.refund_id),
        "charge": ids::charge_id(&payment.handle),
        "created": refund.created_at.unix_seconds(),
        "currency": currency(refund.currency),
        "metadata": refund.extra["metadata"],
        "payment_intent": payment.handle,
        "reason": refund.reason,
        "receipt_number": null,
        "status": status,
    });
    // Only there once it failed.
    if let Some(failure) = failure {
        told["failure_reason"] = json!(failure);
    }
    told
}

/// Status, and reason of the failure.
const fn status(status: RefundStatus) -> (&'static str, Option<&'static str>) {
    match status {
        RefundStatus::Processing => ("pending", None),
        RefundStatus::Success => ("succeeded", None),
        RefundStatus::Failed => ("failed", Some("declined")),
        RefundStatus::Abnormal => ("failed", Some("lost_or_stolen_card")),
        RefundStatus::Closed => ("canceled", None),
    }
}
