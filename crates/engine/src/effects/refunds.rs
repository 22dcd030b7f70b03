//! Refunds at the gateway. Acceptance is not success, and a retry keeps its number.

use super::of;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::relay::{self, Tried};
use connectors::gateway::{GatewayError, RefundState, StartRefund};
use domain::RefundId;
use domain::consultation::Command;
use domain::order::{Actor, Effect};
use domain::payment::{Payment, Refund, RefundStatus};
use store::{Changes, OutboxRow};

impl Engine {
    /// Sends a granted refund.
    pub(super) async fn send_refund(
        &self,
        row: &OutboxRow,
        id: RefundId,
    ) -> Result<Tried, EngineError> {
        let (refund, payment) = self.refund_and_payment(row, id).await?;
        if refund.status != RefundStatus::Processing {
            return Ok(Tried::Done);
        }
        let gateway = self.inner.gateways.get(payment.gateway)?;
        let request = StartRefund {
            out_trade_no: payment.out_trade_no.clone(),
            out_refund_no: refund.out_refund_no.clone(),
            amount: refund.amount,
            total: payment.paid.unwrap_or(payment.amount),
            reason: "问诊退款".to_owned(),
        };
        match gateway.refund(&request, self.now()).await {
            Ok(RefundState::Processing | RefundState::NotFound) => {
                self.ask_later(row, id).await?;
                Ok(Tried::Finished)
            }
            Ok(state) => self.refund_ended(row, id, &state).await,
            Err(GatewayError::Refused { code, message, .. }) => {
                let reason = format!("{code}: {message}");
                self.refund_refused(row, id, reason).await
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
        let (refund, payment) = self.refund_and_payment(row, id).await?;
        if refund.status != RefundStatus::Processing {
            return Ok(Tried::Done);
        }
        let gateway = self.inner.gateways.get(payment.gateway)?;
        match gateway
            .query_refund(&refund.out_refund_no, self.now())
            .await
        {
            Ok(RefundState::Processing) => Ok(Tried::NotYet(None)),
            // It never arrived there: send it, with the same number.
            Ok(RefundState::NotFound) => self.send_refund(row, id).await,
            Ok(state) => self.refund_ended(row, id, &state).await,
            Err(error) => Ok(Tried::NotYet(Some(error.to_string()))),
        }
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

    async fn refund_refused(
        &self,
        row: &OutboxRow,
        id: RefundId,
        reason: String,
    ) -> Result<Tried, EngineError> {
        let (dead_number, needs_operations) = (false, false);
        let command = Command::RefundFailed {
            refund: id,
            reason,
            dead_number,
            needs_operations,
        };
        self.tell(row, &command, Actor::GATEWAY).await?;
        Ok(Tried::Finished)
    }

    /// The gateway has it: from now on it is asked. One row takes the other's place in one commit.
    async fn ask_later(&self, row: &OutboxRow, id: RefundId) -> Result<(), EngineError> {
        let now = self.now();
        let effect = Effect::QueryRefund { refund: id };
        let ask = OutboxRow {
            id: crate::ids::new_id(now),
            order: row.order,
            due: now + relay::first_delay(&effect),
            effect,
            attempts: 0,
            lease: None,
            last_error: None,
            request_id: row.request_id.clone(),
            created_at: now,
        };
        let changes = Changes {
            outbox: vec![ask],
            done: vec![row.id],
            ..Changes::default()
        };
        Ok(self.inner.store.commit(changes).await?)
    }

    async fn refund_and_payment(
        &self,
        row: &OutboxRow,
        id: RefundId,
    ) -> Result<(Refund, Payment), EngineError> {
        let order = self.fresh(of(row)?).await?;
        let refund = order.refund(id).cloned();
        let refund = refund.ok_or(EngineError::NoSuch { thing: "refund" })?;
        let payment = order.payment(refund.payment).cloned();
        Ok((
            refund,
            payment.ok_or(EngineError::NoSuch { thing: "payment" })?,
        ))
    }
}

/// The command for a refund that ended at the gateway; nothing for one that has not.
pub(crate) fn refund_command(refund: RefundId, state: &RefundState) -> Option<Command> {
    let failed = |reason: &str, dead_number, needs_operations| Command::RefundFailed {
        refund,
        reason: reason.to_owned(),
        dead_number,
        needs_operations,
    };
    match state {
        RefundState::Succeeded { .. } => Some(Command::RefundSucceeded { refund }),
        RefundState::Closed => Some(failed("CLOSED: the gateway closed the refund", true, false)),
        RefundState::Abnormal => Some(failed(
            "ABNORMAL: the payer's card or account can't take it",
            false,
            true,
        )),
        RefundState::Processing | RefundState::NotFound => None,
    }
}
