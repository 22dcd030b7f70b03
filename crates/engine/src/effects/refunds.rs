//! Refunds at the gateway. Acceptance is not success, and a retry keeps its number.

use super::of;
use super::payments::payment_ref;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Origin;
use crate::gateways::Guarded;
use crate::relay::{self, Tried};
use connectors::gateway::{
    AbnormalRefund, GatewayError, PayKind, RefundRef, RefundState, RefundTerms, StartRefund, Terms,
};
use domain::consultation::{Command, Consultation};
use domain::order::{Actor, Effect};
use domain::payment::{GatewayName, Payment, Refund, RefundStatus};
use domain::{OrderId, RefundId, Ts};
use std::sync::Arc;
use store::{Changes, OutboxRow};

/// A refund with what it belongs to.
pub(crate) struct Found {
    order: Arc<Consultation>,
    pub refund: Refund,
    pub payment: Payment,
}

/// What stands against asking the gateway for a refund.
#[derive(Debug, PartialEq, Eq)]
enum Limit {
    /// Nothing.
    None,
    /// It must wait until then.
    Until(Ts),
    /// It would never be taken: operations must act.
    Never(String),
}

impl Engine {
    /// Sends a granted refund.
    pub(super) async fn send_refund(
        &self,
        row: &OutboxRow,
        id: RefundId,
    ) -> Result<Tried, EngineError> {
        let found = self.refund_of(of(row)?, id).await?;
        if found.refund.status != RefundStatus::Processing {
            return Ok(Tried::Done);
        }
        let gateway = self.inner.gateways.get(found.payment.gateway, self.now())?;
        match limit(&found, gateway.name(), gateway.terms(), self.now()) {
            Limit::None => {}
            Limit::Until(due) => return Ok(Tried::Later(due)),
            Limit::Never(reason) => return self.refund_failed(row, id, reason, true).await,
        }
        let request = StartRefund {
            refund: refund_ref(&found),
            reason: "问诊退款".to_owned(),
        };
        match gateway.refund(&request).await {
            Ok(state @ (RefundState::Processing { .. } | RefundState::NotFound)) => {
                self.ask_later(row, &found, &state).await?;
                Ok(Tried::Finished)
            }
            Ok(state) => self.refund_ended(row, id, &state).await,
            Err(GatewayError::Refused { code, message, .. }) => {
                let reason = format!("{code}: {message}");
                self.refund_failed(row, id, reason, false).await
            }
            // Asking again with the same number pays once.
            Err(error) => Ok(Tried::NotYet(Some(error.to_string()))),
        }
    }

    /// Asks how a refund stands: a callback may be lost.
    pub(super) async fn query_refund(
        &self,
        row: &OutboxRow,
        id: RefundId,
    ) -> Result<Tried, EngineError> {
        let found = self.refund_of(of(row)?, id).await?;
        let gateway = self.inner.gateways.get(found.payment.gateway, self.now())?;
        match found.refund.status {
            RefundStatus::Processing => {}
            RefundStatus::Succeeded => return self.still_gone(row, &found, gateway).await,
            RefundStatus::Requested
            | RefundStatus::Reviewing
            | RefundStatus::Failed
            | RefundStatus::Refused => return Ok(Tried::Done),
        }
        match gateway.query_refund(&refund_ref(&found)).await {
            Ok(RefundState::Processing { .. }) => Ok(Tried::NotYet(None)),
            // It never arrived there: send it, with the same number.
            Ok(RefundState::NotFound) => self.send_refund(row, id).await,
            Ok(state) => self.refund_ended(row, id, &state).await,
            Err(error) => Ok(Tried::NotYet(Some(error.to_string()))),
        }
    }

    /// Sends money elsewhere that the payer's card or account could not take, by the gateway's own
    /// way out. The attempt is on record first; how it stands is asked from then on.
    pub async fn refund_elsewhere(
        &self,
        order: OrderId,
        id: RefundId,
        to: &AbnormalRefund,
        actor: Actor,
        origin: Origin,
    ) -> Result<Arc<Consultation>, EngineError> {
        let found = self.refund_of(order, id).await?;
        let gateway = self.inner.gateways.get(found.payment.gateway, self.now())?;
        let command = Command::RefundElsewhere {
            refund: id,
            to: in_words(to),
        };
        self.execute(order, command, actor, origin).await?;
        match gateway.refund_elsewhere(&refund_ref(&found), to).await {
            Err(GatewayError::Refused { code, message, .. }) => {
                let reason = format!("{code}: {message}");
                let executed = self
                    .tell_order(order, &failed(id, reason, false, true))
                    .await?;
                Ok(executed.order)
            }
            // What came of it is found out by asking, as the effect of the command does.
            Ok(_) | Err(GatewayError::Unavailable { .. } | GatewayError::Unknown { .. }) => {
                self.fresh(order).await
            }
        }
    }

    /// A refund that succeeded is asked about only where the gateway said that something happened to
    /// it since: the payer's bank may send money back days later (Stripe).
    async fn still_gone(
        &self,
        row: &OutboxRow,
        found: &Found,
        gateway: Guarded<'_>,
    ) -> Result<Tried, EngineError> {
        let reason = match gateway.query_refund(&refund_ref(found)).await {
            Ok(RefundState::Failed { reason }) => reason,
            Ok(RefundState::Abnormal | RefundState::Closed) => {
                "the payer's bank sent it back".to_owned()
            }
            Ok(
                RefundState::Succeeded { .. }
                | RefundState::Processing { .. }
                | RefundState::NotFound,
            ) => return Ok(Tried::Done),
            Err(error) => return Ok(Tried::NotYet(Some(error.to_string()))),
        };
        tracing::error!(order = %found.order.id, refund = %found.refund.id, reason, "a refund came back after it had succeeded");
        let command = Command::RefundCameBack {
            refund: found.refund.id,
            reason,
        };
        self.tell(row, &command, Actor::GATEWAY).await?;
        Ok(Tried::Finished)
    }

    async fn refund_ended(
        &self,
        row: &OutboxRow,
        id: RefundId,
        state: &RefundState,
    ) -> Result<Tried, EngineError> {
        if let Some(command) = refund_command(id, state) {
            self.tell(row, &command, Actor::GATEWAY).await?;
        }
        Ok(Tried::Finished)
    }

    async fn refund_failed(
        &self,
        row: &OutboxRow,
        id: RefundId,
        reason: String,
        needs_operations: bool,
    ) -> Result<Tried, EngineError> {
        let command = failed(id, reason, false, needs_operations);
        self.tell(row, &command, Actor::GATEWAY).await?;
        Ok(Tried::Finished)
    }

    /// The gateway has it: from now on it is asked, by its number there if it gave one. One row
    /// takes the other's place.
    async fn ask_later(
        &self,
        row: &OutboxRow,
        found: &Found,
        state: &RefundState,
    ) -> Result<(), EngineError> {
        let id = found.refund.id;
        if let RefundState::Processing {
            refund_id: Some(refund_id),
        } = state
            && found.refund.refund_id.as_ref() != Some(refund_id)
        {
            let command = Command::RefundAccepted {
                refund: id,
                refund_id: refund_id.clone(),
            };
            self.tell_order(found.order.id, &command).await?;
        }
        let mut ask = self.effect_row(
            found.order.id,
            Effect::QueryRefund { refund: id },
            row.request_id.clone(),
        );
        ask.due = ask.created_at + relay::first_delay(&ask.effect);
        let changes = Changes {
            outbox: vec![ask],
            done: vec![row.id],
            ..Changes::default()
        };
        Ok(self.inner.store.commit(changes).await?)
    }

    pub(crate) async fn refund_of(
        &self,
        order: OrderId,
        id: RefundId,
    ) -> Result<Found, EngineError> {
        let order = self.fresh(order).await?;
        let refund = order.refund(id).cloned();
        let refund = refund.ok_or(EngineError::NoSuch { thing: "refund" })?;
        let payment = order.payment(refund.payment).cloned();
        let payment = payment.ok_or(EngineError::NoSuch { thing: "payment" })?;
        Ok(Found {
            order,
            refund,
            payment,
        })
    }
}

/// What stands against sending a refund, by the gateway's own limits (spec 20: checked before
/// asking). A refund that was sent before is not held against itself.
fn limit(found: &Found, gateway: GatewayName, terms: &Terms, now: Ts) -> Limit {
    let Found {
        order,
        refund,
        payment,
    } = found;
    let at_counter = terms
        .method(payment.method)
        .is_some_and(|method| method.kind == PayKind::Counter);
    if at_counter {
        let words =
            "BY_HAND: the money came outside the gateways: pay it back by hand and record it";
        return Limit::Never(words.to_owned());
    }
    let RefundTerms {
        count,
        within,
        apart,
    } = terms.refunds;
    let mut others = 0;
    let mut last = None;
    for other in &order.refunds {
        let sent = matches!(
            other.status,
            RefundStatus::Processing | RefundStatus::Succeeded
        );
        if other.payment == payment.id && other.id != refund.id && sent && other.proof.is_none() {
            others += 1;
            last = last.max(Some(other.updated_at));
        }
    }
    if let Some(count) = count
        && others >= count
    {
        return Limit::Never(format!(
            "LIMIT: {gateway} takes at most {count} refunds of one payment"
        ));
    }
    if let (Some(within), Some(paid_at)) = (within, payment.paid_at)
        && now.since(paid_at) > within
    {
        let days = within.as_seconds() / 86_400;
        return Limit::Never(format!(
            "LIMIT: {gateway} takes refunds up to {days} days after the payment"
        ));
    }
    match (apart, last) {
        (Some(apart), Some(last)) if now < last + apart => Limit::Until(last + apart),
        _ => Limit::None,
    }
}

/// A refund as a gateway knows it.
pub(crate) fn refund_ref(found: &Found) -> RefundRef {
    let Found {
        refund, payment, ..
    } = found;
    RefundRef {
        payment: payment_ref(payment),
        total: payment.paid.unwrap_or(payment.amount),
        out_refund_no: refund.out_refund_no.clone(),
        amount: refund.amount,
        // Not when it was asked for: a review may take days, and UnionPay takes no old times. A new
        // try of a refund that surely failed has a time of its own.
        sent_at: refund.sent_at.unwrap_or(refund.updated_at),
        refund_id: refund.refund_id.clone(),
    }
}

/// Where an abnormal refund goes, for the journal: no whole card number.
fn in_words(to: &AbnormalRefund) -> String {
    match to {
        AbnormalRefund::UserBankCard { bank, account, .. } => {
            let skipped = account.chars().count().saturating_sub(4);
            let last: String = account.chars().skip(skipped).collect();
            format!("the payer's card at {bank} that ends in {last}")
        }
        AbnormalRefund::MerchantBankCard => "the merchant's own account".to_owned(),
    }
}

fn failed(refund: RefundId, reason: String, dead_number: bool, needs_operations: bool) -> Command {
    Command::RefundFailed {
        refund,
        reason,
        dead_number,
        needs_operations,
    }
}

/// The command for a refund that ended at the gateway; nothing for one that has not.
pub(crate) fn refund_command(refund: RefundId, state: &RefundState) -> Option<Command> {
    match state {
        RefundState::Succeeded { refund_id, at } => Some(Command::RefundSucceeded {
            refund,
            refund_id: refund_id.clone(),
            at: *at,
        }),
        RefundState::Failed { reason } => Some(failed(refund, reason.clone(), false, false)),
        RefundState::Closed => {
            let reason = "CLOSED: the gateway closed the refund".to_owned();
            Some(failed(refund, reason, true, false))
        }
        RefundState::Abnormal => {
            let reason = "ABNORMAL: the payer's card or account can't take it".to_owned();
            Some(failed(refund, reason, false, true))
        }
        RefundState::Processing { .. } | RefundState::NotFound => None,
    }
}
