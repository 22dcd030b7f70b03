//! PaymentIntents. The cashier plays the fields for a card that Stripe shows on the merchant's
//! page: whoever pays there succeeds, whoever fails there was declined and may try again.

use super::api::Told;
use super::form::Form;
use super::idempotency::Outcome;
use super::refusal::Refusal;
use super::{Api, GATEWAY, ids};
use crate::book::{NewPayment, Payment};
use crate::control::views::PaymentState;
use crate::refusal::MoneyRefusal;
use domain::payment::Method;
use domain::{Currency, Span};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Stripe's limits, in minor units: half a dollar, and eight digits.
const AMOUNTS: std::ops::RangeInclusive<i64> = 50..=99_999_999;
/// An intent does not end by itself; the book wants a last moment.
const PAYABLE_FOR: Span = Span::hours(24 * 3650);

impl Api {
    /// Makes an intent.
    pub(super) fn create_intent(&self, form: &Form) -> Result<(String, Outcome), Refusal> {
        let new = self.new_payment(form)?;
        let number = new.out_trade_no.clone();
        let opened = self.sandbox.open_payment(new);
        let told = || {
            let found = self.sandbox.payment_at(GATEWAY, &number);
            let (payment, state) = found.ok_or_else(|| Refusal::missing("payment", &number))?;
            Ok::<_, Refusal>(Told::ok(describe(&payment, state, false)))
        };
        let outcome = match opened {
            Ok(_) => Outcome::Told(told()?),
            Err(MoneyRefusal::OutcomeUntold) => Outcome::Lost(told()?),
            Err(refusal) => return Err(Refusal::of_payment(refusal)),
        };
        Ok((number, outcome))
    }

    /// How an intent stands.
    pub(super) fn retrieve_intent(&self, id: &str, with_charge: bool) -> Result<Value, Refusal> {
        let (payment, state) = self.intent(id)?;
        Ok(describe(&payment, state, with_charge))
    }

    /// Cancels an intent that is not paid.
    pub(super) fn cancel_intent(
        &self,
        id: &str,
        form: &Form,
    ) -> Result<(String, Outcome), Refusal> {
        let reason = form.optional("cancellation_reason");
        let known = [
            "duplicate",
            "fraudulent",
            "requested_by_customer",
            "abandoned",
        ];
        if reason.is_some_and(|reason| !known.contains(&reason)) {
            let message = "Invalid cancellation_reason";
            return Err(Refusal::param(
                "cancellation_reason",
                "parameter_invalid",
                message,
            ));
        }
        let number = self.intent(id)?.0.out_trade_no;
        let closed = self.sandbox.close_payment(GATEWAY, &number);
        if matches!(closed, Ok(_) | Err(MoneyRefusal::OutcomeUntold)) {
            let (reason, now) = (json!(reason), self.sandbox.now().unix_seconds());
            let change = |extra: &mut Value| {
                extra["cancellation_reason"] = reason;
                extra["canceled_at"] = json!(now);
            };
            let remembered = self.sandbox.remember_of_payment(GATEWAY, &number, change);
            remembered.map_err(Refusal::of_payment)?;
        }
        let intent = self.retrieve_intent(id, false)?;
        let outcome = match closed {
            Ok(_) => Outcome::Told(Told::ok(intent)),
            Err(MoneyRefusal::OutcomeUntold) => Outcome::Lost(Told::ok(intent)),
            Err(MoneyRefusal::Paid | MoneyRefusal::Closed) => {
                let message = format!(
                    "You cannot cancel this PaymentIntent because it has a status of {}.",
                    intent["status"].as_str().unwrap_or_default()
                );
                Outcome::Told(Refusal::unexpected_state(&message, intent).into())
            }
            Err(refusal) => return Err(Refusal::of_payment(refusal)),
        };
        Ok((number, outcome))
    }

    /// The payment of an intent.
    pub(super) fn intent(&self, id: &str) -> Result<(Payment, PaymentState), Refusal> {
        let book = self.sandbox.book();
        let payment = book
            .payment_of_handle(GATEWAY, id)
            .ok_or_else(|| Refusal::missing("payment_intent", id))?;
        Ok((payment.clone(), book.state_of(payment)))
    }

    fn new_payment(&self, form: &Form) -> Result<NewPayment, Refusal> {
        let total = form.integer("amount")?;
        let total = total.ok_or_else(|| form.text("amount").err().unwrap_or_else(no_amount))?;
        if !AMOUNTS.contains(&total) {
            let code = if total < *AMOUNTS.start() {
                "amount_too_small"
            } else {
                "amount_too_large"
            };
            let (least, most) = (AMOUNTS.start(), AMOUNTS.end());
            let message = format!("Amount must be {least} to {most} of the smallest unit");
            return Err(Refusal::param("amount", code, &message));
        }
        let currency = read_currency(form.text("currency")?)?;
        if !matches!(
            form.optional("capture_method"),
            None | Some("automatic" | "automatic_async")
        ) {
            let message = "only automatic capture is played here";
            return Err(Refusal::param(
                "capture_method",
                "parameter_invalid",
                message,
            ));
        }
        let metadata = form.metadata()?;
        let id = ids::intent_id();
        let description = form.optional("description").unwrap_or_default().to_owned();
        Ok(NewPayment {
            gateway: GATEWAY,
            out_trade_no: self.number(&metadata, &id),
            method: Method::CARD,
            notify_url: None,
            return_url: None,
            total,
            currency,
            payable_until: self.sandbox.now() + PAYABLE_FOR,
            payer: None,
            terms: json!(form.fingerprint()),
            extra: json!({
                "client_secret": ids::client_secret(&id),
                "metadata": metadata,
                "answers": {},
            }),
            description,
            handle: id,
        })
    }

    /// The number in our book: the merchant's, where it writes one that is new. Stripe itself
    /// doesn't care what is in the metadata.
    fn number(&self, metadata: &BTreeMap<String, String>, id: &str) -> String {
        let book = self.sandbox.book();
        let theirs = metadata.get("out_trade_no");
        let new = theirs.filter(|number| !number.is_empty() && book.payment(number).is_none());
        new.map_or_else(|| id.to_owned(), Clone::clone)
    }
}

fn no_amount() -> Refusal {
    Refusal::param(
        "amount",
        "parameter_missing",
        "Missing required param: amount.",
    )
}

/// Lower case on this wire.
fn read_currency(text: &str) -> Result<Currency, Refusal> {
    let known = text.to_ascii_uppercase().parse().ok();
    known
        .filter(|_| text.bytes().all(|byte| byte.is_ascii_lowercase()))
        .ok_or_else(|| {
            let message = format!("Invalid currency: {text}");
            Refusal::param("currency", "parameter_invalid", &message)
        })
}

/// An intent as answers and notices tell it.
pub(super) fn describe(payment: &Payment, state: PaymentState, with_charge: bool) -> Value {
    let paid = payment.paid.as_ref();
    let charge = match paid {
        None => Value::Null,
        Some(_) if with_charge => describe_charge(payment),
        Some(_) => json!(ids::charge_id(&payment.handle)),
    };
    json!({
        "id": payment.handle,
        "object": "payment_intent",
        "amount": payment.total,
        "amount_capturable": 0,
        "amount_received": paid.map_or(0, |paid| paid.total),
        "automatic_payment_methods": { "enabled": true },
        "canceled_at": payment.extra["canceled_at"],
        "cancellation_reason": payment.extra["cancellation_reason"],
        "capture_method": "automatic",
        "client_secret": payment.extra["client_secret"],
        "confirmation_method": "automatic",
        "created": payment.created_at.unix_seconds(),
        "currency": currency(payment.currency),
        "customer": null,
        "description": payment.description,
        "last_payment_error": match state {
            PaymentState::PayError => declined(),
            _ => Value::Null,
        },
        "latest_charge": charge,
        "livemode": false,
        "metadata": payment.extra["metadata"],
        "next_action": null,
        "payment_method_types": ["card"],
        "processing": null,
        "status": status(state),
    })
}

/// The try that succeeded.
fn describe_charge(payment: &Payment) -> Value {
    let Some(paid) = &payment.paid else {
        return Value::Null;
    };
    json!({
        "id": ids::charge_id(&payment.handle),
        "object": "charge",
        "amount": paid.total,
        "amount_captured": paid.total,
        "captured": true,
        "created": paid.at.unix_seconds(),
        "currency": currency(payment.currency),
        "livemode": false,
        "metadata": payment.extra["metadata"],
        "paid": true,
        "payment_intent": payment.handle,
        "status": "succeeded",
    })
}

/// In lower case, as everywhere on this wire.
pub(super) fn currency(currency: Currency) -> String {
    currency.code().to_ascii_lowercase()
}

fn declined() -> Value {
    json!({
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "generic_decline",
        "message": "Your card was declined.",
    })
}

const fn status(state: PaymentState) -> &'static str {
    match state {
        // A declined card may be followed by another. Stripe has no step in between.
        PaymentState::NotPay | PaymentState::PayError | PaymentState::Approved => {
            "requires_payment_method"
        }
        PaymentState::Success | PaymentState::Refund => "succeeded",
        PaymentState::Closed => "canceled",
    }
}
