//! What each effect does. Each may be done twice, and the outcome is as if it had been done once.

mod dispatch;
mod numbers;
mod payments;
mod people;
mod refunds;

pub(crate) use payments::{payment_ref, proven};
pub(crate) use refunds::{refund_command, refund_ref};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::{Executed, Origin};
use crate::relay::Tried;
use domain::OrderId;
use domain::consultation::Command;
use domain::order::{Actor, Effect};
use store::{Changes, OutboxRow};

impl Engine {
    /// Does one effect.
    pub(crate) async fn try_effect(&self, row: &OutboxRow) -> Result<Tried, EngineError> {
        match &row.effect {
            Effect::StartPayment { payment } => self.start_payment(row, *payment).await,
            Effect::QueryPayment { payment } => self.query_payment(row, *payment).await,
            Effect::SettlePayment { payment } => self.settle_payment(row, *payment).await,
            Effect::Dispatch { department } => self.try_dispatch(*department).await,
            Effect::TakeNumber => self.take_number(row).await,
            Effect::CheckActivation => self.check_activation(row).await,
            Effect::Review => {
                self.tell(row, &Command::AutomaticReview, Actor::SYSTEM)
                    .await?;
                Ok(Tried::Finished)
            }
            Effect::SendRefund { refund } => self.send_refund(row, *refund).await,
            Effect::QueryRefund { refund } => self.query_refund(row, *refund).await,
            Effect::SessionMoved { session } => self.session_moved(*session).await,
            Effect::PresenceMoved { doctor } => self.presence_moved(*doctor).await,
            Effect::Repair { difference } => self.repair(row, *difference).await,
        }
    }

    /// Gives the order the effect's result as a command; the effect's row goes with its commit.
    async fn tell(
        &self,
        row: &OutboxRow,
        command: &Command,
        actor: Actor,
    ) -> Result<Executed, EngineError> {
        let order = of(row)?;
        let origin = Origin {
            request_id: row.request_id.clone(),
            idempotency: None,
        };
        self.execute_finishing(order, command, actor, &origin, Some(row.id))
            .await
    }

    /// A row for an effect that is due now.
    pub(crate) fn effect_row(
        &self,
        order: OrderId,
        effect: Effect,
        request_id: Option<String>,
    ) -> OutboxRow {
        let now = self.now();
        OutboxRow {
            id: crate::ids::new_id(now),
            order: Some(order),
            due: now,
            effect,
            attempts: 0,
            lease: None,
            last_error: None,
            request_id,
            created_at: now,
        }
    }

    /// Leaves an effect to be done as soon as the relay gets to it.
    pub(crate) async fn do_soon(
        &self,
        order: OrderId,
        effect: Effect,
        request_id: Option<String>,
    ) -> Result<(), EngineError> {
        let changes = Changes {
            outbox: vec![self.effect_row(order, effect, request_id)],
            ..Changes::default()
        };
        self.inner.store.commit(changes).await?;
        self.wake();
        Ok(())
    }

    /// Gives an order a command without a row to finish.
    pub(crate) async fn tell_order(
        &self,
        order: OrderId,
        command: &Command,
    ) -> Result<Executed, EngineError> {
        self.execute_finishing(order, command, Actor::SYSTEM, &Origin::default(), None)
            .await
    }
}

/// The order of an effect that has one.
fn of(row: &OutboxRow) -> Result<OrderId, EngineError> {
    row.order
        .ok_or_else(|| EngineError::Corrupt(format!("effect {} names no order", row.id)))
}
