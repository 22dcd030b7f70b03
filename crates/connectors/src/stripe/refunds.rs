//! Refunds of an intent's charge, in parts or whole.
//!
//! Stripe stores the answer to a key for a day or more, whatever it was. That makes three cases in
//! which our number alone would not do as the key:
//!
//! * The day is over: the key is forgotten, and a repetition would pay twice. So the refunds of
//!   the intent are looked through first, and one that carries our number is the answer.
//! * The refund failed at the bank: the key would bring back how it began. A failed refund is dead;
//!   the next try of the same number is made with the next key.
//! * It was refused: the key would bring back the refusal, though the reason may be gone. A stored
//!   refusal proves that nothing was done with its key, so the next key may be used at once.
//!
//! The keys of a number are `RF...`, `RF...-2`, `RF...-3`, and so on; each sending begins with the
//! first. Callers that ask at the same time come to the same key, so money still moves once. A
//! stored 500 proves nothing and is never stepped over: it stays unknown until the look shows the
//! refund or Stripe forgets the key (Stripe, idempotent requests and advanced error handling).

use super::errors::{BAD_PARAMETER, GATEWAY};
use super::wire::{List, OUT_REFUND_NO, Refund, is_out_refund_no, read_money, read_seconds};
use super::{Stripe, check_amount, check_id};
use crate::gateway::{GatewayError, Operation, RefundRef, RefundState};
use crate::http::MAX_ANSWER_BYTES;

/// The most that Stripe gives at a time.
const PAGE: &str = "100";
/// Nobody gives back one payment in more than a thousand parts.
const MAX_PAGES: usize = 10;
/// More tries than the schedule and an operator make in the day that a refusal is stored.
const MAX_KEYS: usize = 20;

impl Stripe {
    /// Sends a refund, unless one with its number is there already.
    pub(super) async fn send_refund(
        &self,
        refund: &RefundRef,
    ) -> Result<RefundState, GatewayError> {
        let operation = Operation::Refund;
        check_refund_no(operation, &refund.out_refund_no)?;
        check_amount(operation, refund.amount)?;
        if refund.amount.currency != refund.total.currency {
            let message = "refund and payment are in different currencies";
            return Err(operation.refused(GATEWAY, BAD_PARAMETER, message));
        }
        let intent = intent_of(operation, refund)?;
        let earlier = self
            .refunds_with_our_number(intent, refund)
            .await
            .map_err(nothing_sent)?;
        if let Some(found) = earlier.iter().find(|found| !is_dead(found)) {
            return read_ours(found, refund)
                .map_err(|reason| operation.unanswered(GATEWAY, reason));
        }
        self.make_refund(intent, refund, &earlier).await
    }

    /// Makes it, with the first key that is not used up.
    async fn make_refund(
        &self,
        intent: &str,
        refund: &RefundRef,
        dead: &[Refund],
    ) -> Result<RefundState, GatewayError> {
        let operation = Operation::Refund;
        let amount = refund.amount.amount.to_string();
        // Nothing that may differ between two sendings of the same refund, such as the reason.
        let form = [
            ("payment_intent", intent),
            ("amount", &amount),
            ("metadata[out_refund_no]", &refund.out_refund_no),
            ("metadata[out_trade_no]", &refund.payment.out_trade_no),
        ];
        for number in 1..=MAX_KEYS {
            let key = match number {
                1 => refund.out_refund_no.clone(),
                number => format!("{}-{number}", refund.out_refund_no),
            };
            let answer = self
                .post(operation, "/v1/refunds", &form, Some(&key))
                .await?;
            match answer.read::<Refund>() {
                Err(GatewayError::Refused { .. }) if answer.replayed => {}
                Ok(made) if dead.iter().any(|dead| dead.id == made.id) => {}
                made => {
                    return read_ours(&made?, refund)
                        .map_err(|reason| operation.unanswered(GATEWAY, reason));
                }
            }
        }
        let message = format!("it was refused or failed {MAX_KEYS} times in a day");
        Err(operation.refused(GATEWAY, "TOO_MANY_TRIES", &message))
    }

    /// How a refund stands: by its id while that lives, or by our number among the intent's refunds.
    pub(super) async fn refund_state(
        &self,
        refund: &RefundRef,
    ) -> Result<RefundState, GatewayError> {
        let operation = Operation::QueryRefund;
        check_refund_no(operation, &refund.out_refund_no)?;
        let unanswered = |reason| operation.unanswered(GATEWAY, reason);
        if let Some(id) = refund.refund_id.as_deref() {
            check_id(operation, "refund", "", id)?;
            let path = format!("/v1/refunds/{id}");
            let answer = self.get(operation, &path, &[], MAX_ANSWER_BYTES).await?;
            let found: Refund = answer.read()?;
            if !is_dead(&found) {
                return read_ours(&found, refund).map_err(unanswered);
            }
            // A later try may live: only the list tells.
        }
        let ours = self
            .refunds_with_our_number(intent_of(operation, refund)?, refund)
            .await?;
        let living = ours.iter().find(|found| !is_dead(found));
        // Of several dead ones, the latest: they come in that order.
        match living.or(ours.first()) {
            Some(found) => read_ours(found, refund).map_err(unanswered),
            None => Ok(RefundState::NotFound),
        }
    }

    /// The intent's refunds that carry our number, the latest first: the living one, if there is
    /// one, and those that failed before it.
    async fn refunds_with_our_number(
        &self,
        intent: &str,
        refund: &RefundRef,
    ) -> Result<Vec<Refund>, GatewayError> {
        let operation = Operation::QueryRefund;
        let mut ours = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut query = vec![("payment_intent", intent), ("limit", PAGE)];
            query.extend(after.as_deref().map(|last| ("starting_after", last)));
            let answer = self
                .get(operation, "/v1/refunds", &query, MAX_ANSWER_BYTES)
                .await?;
            let page: List<Refund> = answer.read()?;
            after = page
                .next_after(after.as_deref(), |found| &found.id)
                .map_err(|reason| operation.unanswered(GATEWAY, reason))?;
            let is_ours = |found: &Refund| {
                found.metadata.out_refund_no() == Some(refund.out_refund_no.as_str())
            };
            ours.extend(page.data.into_iter().filter(is_ours));
            if after.is_none() {
                return Ok(ours);
            }
        }
        let reason = format!("{intent} has more than {MAX_PAGES} pages of refunds");
        Err(operation.unanswered(GATEWAY, reason))
    }
}

/// The look that goes before a sending failed: nothing was sent.
fn nothing_sent(error: GatewayError) -> GatewayError {
    let operation = Operation::Refund;
    match error {
        GatewayError::Refused { code, message, .. } => operation.refused(GATEWAY, &code, &message),
        GatewayError::Unavailable { reason, .. } | GatewayError::Unknown { reason, .. } => {
            operation.unavailable(GATEWAY, format!("looking for it first: {reason}"))
        }
    }
}

/// Whether its money stays for good. Everything else has moved it, or still may.
fn is_dead(refund: &Refund) -> bool {
    matches!(refund.status.as_deref(), Some("failed" | "canceled"))
}

/// Our payment's intent: the number of its money, and its handle before that.
fn intent_of(operation: Operation, refund: &RefundRef) -> Result<&str, GatewayError> {
    let payment = &refund.payment;
    let intent = payment.transaction_id.as_deref();
    let intent = intent.or(payment.handle.as_deref()).ok_or_else(|| {
        let message = format!("payment {} has no intent", payment.out_trade_no);
        operation.refused(GATEWAY, BAD_PARAMETER, &message)
    })?;
    check_id(operation, "payment_intent", "pi_", intent)?;
    Ok(intent)
}

/// Reads a refund, if it is the one that we speak of.
fn read_ours(found: &Refund, refund: &RefundRef) -> Result<RefundState, String> {
    let told = found.metadata.out_refund_no();
    if told != Some(refund.out_refund_no.as_str()) {
        return Err(format!(
            "asked for {}, told {} with {OUT_REFUND_NO} {}",
            refund.out_refund_no,
            found.id,
            told.unwrap_or("missing")
        ));
    }
    let amount = read_money(found.amount, &found.currency)?;
    if amount != refund.amount {
        return Err(format!(
            "asked for {}, told {amount} by {}",
            refund.amount, found.id
        ));
    }
    read_state(found)
}

/// How a refund stands. The only time that Stripe tells is that of its making, which is also the
/// bill's.
fn read_state(refund: &Refund) -> Result<RefundState, String> {
    let failure = refund.failure_reason.as_deref().unwrap_or("unknown");
    match refund.status.as_deref() {
        Some("succeeded") => Ok(RefundState::Succeeded {
            refund_id: refund.id.clone(),
            at: read_seconds(refund.created)?,
        }),
        // `requires_action` waits for the payer, whom Stripe asks by mail.
        Some("pending" | "requires_action") => Ok(RefundState::Processing {
            refund_id: Some(refund.id.clone()),
        }),
        Some("failed") => Ok(match failure {
            // No bank will ever take it; the money is back with us.
            "expired_or_canceled_card" | "lost_or_stolen_card" => RefundState::Abnormal,
            reason => RefundState::Failed {
                reason: reason.to_owned(),
            },
        }),
        // By somebody in Stripe's dashboard, while it waited for the payer.
        Some("canceled") => Ok(RefundState::Failed {
            reason: "canceled at Stripe".to_owned(),
        }),
        other => Err(format!(
            "refund {} is `{}`, which is not known",
            refund.id,
            other.unwrap_or("without a status")
        )),
    }
}

fn check_refund_no(operation: Operation, number: &str) -> Result<(), GatewayError> {
    if is_out_refund_no(number) {
        return Ok(());
    }
    let message = format!("{OUT_REFUND_NO} `{number}` must be RF and 32 hexadecimal digits");
    Err(operation.refused(GATEWAY, BAD_PARAMETER, &message))
}
