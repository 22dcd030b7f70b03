//! PaymentIntents: one for each of our attempts to pay.

use super::Stripe;
use super::client::Answer;
use super::errors::{BAD_PARAMETER, GATEWAY};
use super::wire::{Expandable, OUT_TRADE_NO, PaymentIntent, is_out_trade_no, read_money};
use super::{check_amount, check_id, wire};
use crate::gateway::{
    GatewayError, Operation, PaidNotice, PaymentRef, PaymentStarted, PaymentState, StartPayment,
};
use crate::http::MAX_ANSWER_BYTES;
use domain::Ts;
use domain::payment::{Method, PayWith};

/// Stripe keeps no more of a description [check before going live].
const MAX_DESCRIPTION: usize = 1000;

impl Stripe {
    /// Makes the intent. Our number is its key: a repetition gets the same intent again. The
    /// fields are the same in every repetition, or Stripe would refuse the key.
    ///
    /// An intent does not end by itself: whoever started it closes it when its time is over.
    pub(super) async fn make_intent(
        &self,
        start: &StartPayment,
    ) -> Result<PaymentStarted, GatewayError> {
        let (operation, payment) = (Operation::Start, &start.payment);
        if payment.method != Method::CARD {
            let message = format!("Stripe has no method `{}`", payment.method);
            return Err(operation.refused(GATEWAY, BAD_PARAMETER, &message));
        }
        check_trade_no(operation, &payment.out_trade_no)?;
        check_amount(operation, payment.amount)?;
        let amount = payment.amount.amount.to_string();
        let currency = payment.amount.currency.code().to_ascii_lowercase();
        let description: String = start.description.chars().take(MAX_DESCRIPTION).collect();
        let form = [
            ("amount", amount.as_str()),
            ("currency", &currency),
            ("automatic_payment_methods[enabled]", "true"),
            ("description", &description),
            ("metadata[out_trade_no]", &payment.out_trade_no),
        ];
        let key = Some(payment.out_trade_no.as_str());
        let answer = self
            .post(operation, "/v1/payment_intents", &form, key)
            .await?;
        let intent: PaymentIntent = answer.read()?;
        check_number(&intent, payment)
            .and_then(|()| check_asked(&intent, payment))
            .map_err(|reason| operation.unanswered(GATEWAY, reason))?;
        let client_secret = intent
            .client_secret
            .ok_or_else(|| operation.unanswered(GATEWAY, "the intent has no client_secret"))?;
        Ok(PaymentStarted {
            handle: Some(intent.id),
            pay_with: PayWith::Card {
                client_secret,
                publishable_key: self.config.publishable_key.clone(),
            },
        })
    }

    /// How the intent stands. Without a handle, no start was ever answered: an intent may exist,
    /// but nobody has the secret to pay it with.
    pub(super) async fn payment_state(
        &self,
        payment: &PaymentRef,
    ) -> Result<PaymentState, GatewayError> {
        let operation = Operation::Query;
        let Some(handle) = payment.handle.as_deref() else {
            return Ok(PaymentState::NotFound);
        };
        check_id(operation, "payment_intent", "pi_", handle)?;
        let path = format!("/v1/payment_intents/{handle}");
        // The charge has the time of the payment; the intent only that of its start.
        let query = [("expand[]", "latest_charge")];
        let answer = self.get(operation, &path, &query, MAX_ANSWER_BYTES).await?;
        if is_missing(&answer) {
            return Ok(PaymentState::NotFound);
        }
        let intent: PaymentIntent = answer.read()?;
        check_number(&intent, payment)
            .and_then(|()| read_state(&intent))
            .map_err(|reason| operation.unanswered(GATEWAY, reason))
    }

    /// Cancels the intent. An intent that was paid meanwhile, or is being paid, can't be cancelled:
    /// that is a refusal, and a query says how it stands.
    ///
    /// There is no key: it would bring back a refusal of yesterday, and cancelling twice is as good
    /// as once.
    pub(super) async fn cancel_intent(&self, payment: &PaymentRef) -> Result<(), GatewayError> {
        let operation = Operation::Close;
        let Some(handle) = payment.handle.as_deref() else {
            return Ok(());
        };
        check_id(operation, "payment_intent", "pi_", handle)?;
        let path = format!("/v1/payment_intents/{handle}/cancel");
        let form = [("cancellation_reason", "abandoned")];
        let answer = self.post(operation, &path, &form, None).await?;
        let already = answer
            .error()
            .filter(|error| error.name() == "payment_intent_unexpected_state")
            .and_then(|error| error.payment_intent)
            .is_some_and(|intent| intent.id == handle && intent.status == "canceled");
        if already {
            return Ok(());
        }
        let intent: PaymentIntent = answer.read()?;
        if intent.id == handle && intent.status == "canceled" {
            Ok(())
        } else {
            let reason = format!("{} is {} after its cancellation", intent.id, intent.status);
            Err(operation.unanswered(GATEWAY, reason))
        }
    }
}

/// Whether the answer says that there is no such object.
fn is_missing(answer: &Answer) -> bool {
    answer
        .error()
        .is_some_and(|error| error.name() == "resource_missing")
}

/// Whether the intent is the one that we speak of.
fn check_number(intent: &PaymentIntent, payment: &PaymentRef) -> Result<(), String> {
    let told = intent.metadata.out_trade_no();
    if told == Some(&payment.out_trade_no) {
        return Ok(());
    }
    Err(format!(
        "asked for {}, told {} with {OUT_TRADE_NO} {}",
        payment.out_trade_no,
        intent.id,
        told.unwrap_or("missing")
    ))
}

/// Whether the payer is asked for what we want. What was really paid is compared by whoever asked
/// us, since money that is not ours to judge must not be lost here.
fn check_asked(intent: &PaymentIntent, payment: &PaymentRef) -> Result<(), String> {
    let asked = read_money(intent.amount, &intent.currency)?;
    if asked == payment.amount {
        return Ok(());
    }
    Err(format!("asked for {}, told {asked}", payment.amount))
}

/// How an intent stands. A declined card leaves it at `requires_payment_method`: another may be
/// tried.
fn read_state(intent: &PaymentIntent) -> Result<PaymentState, String> {
    match intent.status.as_str() {
        "succeeded" => {
            let Some(Expandable::Object(charge)) = &intent.latest_charge else {
                return Err(format!("{} succeeded without a charge", intent.id));
            };
            let paid_at = wire::read_seconds(charge.created)?;
            read_paid(intent, paid_at).map(PaymentState::Paid)
        }
        "requires_payment_method" | "requires_confirmation" | "requires_action" | "processing" => {
            Ok(PaymentState::Open)
        }
        "canceled" => Ok(PaymentState::Closed),
        // `requires_capture` is for money that is only held, which we never ask for.
        other => Err(format!("{} is `{other}`, which is not known", intent.id)),
    }
}

/// What an intent that succeeded says. Its own id is the number of the money: the charge's (`ch_`)
/// is not known at the start and not in full in every notice, while charges and refunds, and with
/// them every line of the bill, name their intent.
pub(super) fn read_paid(intent: &PaymentIntent, paid_at: Ts) -> Result<PaidNotice, String> {
    if intent.status != "succeeded" {
        return Err(format!("{} is `{}`, not paid", intent.id, intent.status));
    }
    let out_trade_no = intent.metadata.out_trade_no();
    let received = intent.amount_received;
    Ok(PaidNotice {
        out_trade_no: out_trade_no
            .ok_or_else(|| format!("{} has no {OUT_TRADE_NO}", intent.id))?
            .to_owned(),
        transaction_id: intent.id.clone(),
        amount: read_money(
            received.ok_or_else(|| format!("{} has no amount_received", intent.id))?,
            &intent.currency,
        )?,
        paid_at,
    })
}

fn check_trade_no(operation: Operation, number: &str) -> Result<(), GatewayError> {
    if is_out_trade_no(number) {
        return Ok(());
    }
    let message = format!("{OUT_TRADE_NO} `{number}` must be 32 hexadecimal digits in lower case");
    Err(operation.refused(GATEWAY, BAD_PARAMETER, &message))
}
