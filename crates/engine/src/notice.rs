//! Notices of gateways: verified, matched with our own records, and given to the order as a command.

use crate::effects::refund_command;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Origin;
use connectors::gateway::{Callback, CallbackError, Notice, PaidNotice, RefundState};
use domain::consultation::Command;
use domain::order::Actor;
use domain::payment::GatewayName;
use thiserror::Error;

/// What came of a verified notice. The gateway is told "received" in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// It changed an order.
    Applied,
    /// It was known before, or is of no use here.
    Nothing,
}

/// Why a notice was not taken. It changed nothing.
#[derive(Debug, Error)]
pub enum NoticeError {
    /// It is not proven to come from the gateway, or can't be read.
    #[error(transparent)]
    Unverified(#[from] CallbackError),
    /// It names a payment or refund that is not ours.
    #[error("no payment or refund of ours has the number {0}")]
    UnknownPayment(String),
    /// The order could not take it now; the gateway will send it again.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Engine {
    /// Verifies a gateway's notice and gives it to its order.
    pub async fn gateway_notice(
        &self,
        gateway: GatewayName,
        callback: Callback<'_>,
        request_id: Option<String>,
    ) -> Result<NoticeOutcome, NoticeError> {
        let notice = self
            .inner
            .gateways
            .get(gateway)?
            .callback(&callback, self.now())?;
        match notice {
            Notice::Paid { paid, .. } => self.paid_notice(paid, request_id).await,
            Notice::Refund {
                out_refund_no,
                state,
                ..
            } => self.refund_notice(out_refund_no, &state, request_id).await,
            Notice::Other { event_type, .. } => {
                tracing::info!(event_type, "a notice of no use here was acknowledged");
                Ok(NoticeOutcome::Nothing)
            }
        }
    }

    async fn paid_notice(
        &self,
        paid: PaidNotice,
        request_id: Option<String>,
    ) -> Result<NoticeOutcome, NoticeError> {
        let found = self
            .inner
            .store
            .payment_by_trade_no(&paid.out_trade_no)
            .await;
        let Some((order, payment)) = found.map_err(EngineError::from)? else {
            return Err(NoticeError::UnknownPayment(paid.out_trade_no));
        };
        let command = Command::PaymentSucceeded {
            payment,
            paid: paid.amount,
            transaction_id: paid.transaction_id,
            by_query: false,
        };
        let origin = Origin {
            request_id,
            idempotency: None,
        };
        let executed = self.execute(order, command, Actor::GATEWAY, origin).await?;
        Ok(if executed.applied {
            NoticeOutcome::Applied
        } else {
            NoticeOutcome::Nothing
        })
    }

    async fn refund_notice(
        &self,
        number: String,
        state: &RefundState,
        request_id: Option<String>,
    ) -> Result<NoticeOutcome, NoticeError> {
        let found = self.inner.store.refund_by_number(&number).await;
        let Some((order, refund)) = found.map_err(EngineError::from)? else {
            return Err(NoticeError::UnknownPayment(number));
        };
        let Some(command) = refund_command(refund, state) else {
            return Ok(NoticeOutcome::Nothing);
        };
        let origin = Origin {
            request_id,
            idempotency: None,
        };
        let executed = self.execute(order, command, Actor::GATEWAY, origin).await?;
        Ok(if executed.applied {
            NoticeOutcome::Applied
        } else {
            NoticeOutcome::Nothing
        })
    }
}
