//! Notices of gateways: verified, matched with our own records, and given to the order as a command.

use crate::effects::refund_command;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Origin;
use crate::orders::Known;
use connectors::gateway::{Callback, CallbackError, Notice, PaidNotice, RefundState};
use domain::consultation::{Command, Consultation};
use domain::order::{Actor, Effect};
use domain::payment::GatewayName;
use domain::{PaymentId, RefundId};
use std::sync::Arc;
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
        let guarded = self.inner.gateways.get(gateway, self.now())?;
        let notice = guarded.callback(&callback).await?;
        match notice {
            Notice::Paid { paid, .. } => self.paid_notice(gateway, paid, request_id).await,
            Notice::Refund {
                out_refund_no,
                state,
                ..
            } => {
                self.refund_notice(gateway, out_refund_no, &state, request_id)
                    .await
            }
            Notice::AskPayment { out_trade_no, .. } => {
                let asked = self.ask_payment(gateway, out_trade_no, request_id).await;
                unless_unknown(gateway, asked)
            }
            Notice::AskRefund { out_refund_no, .. } => {
                let asked = self.ask_refund(gateway, out_refund_no, request_id).await;
                unless_unknown(gateway, asked)
            }
            Notice::Other { event_type, .. } => {
                tracing::info!(event_type, "a notice of no use here was acknowledged");
                Ok(NoticeOutcome::Nothing)
            }
        }
    }

    async fn paid_notice(
        &self,
        gateway: GatewayName,
        paid: PaidNotice,
        request_id: Option<String>,
    ) -> Result<NoticeOutcome, NoticeError> {
        let (known, payment) = self.noticed_payment(gateway, paid.out_trade_no).await?;
        let command = Command::PaymentSucceeded {
            payment,
            paid: paid.amount,
            transaction_id: paid.transaction_id,
            paid_at: paid.paid_at,
            by_query: false,
        };
        self.noticed(known, &command, request_id).await
    }

    async fn refund_notice(
        &self,
        gateway: GatewayName,
        number: String,
        state: &RefundState,
        request_id: Option<String>,
    ) -> Result<NoticeOutcome, NoticeError> {
        let (order, refund) = self.noticed_refund(gateway, number).await?;
        match refund_command(refund, state) {
            Some(command) => {
                let known = Known::Fresh(order);
                self.noticed(known, &command, request_id).await
            }
            None => Ok(NoticeOutcome::Nothing),
        }
    }

    /// The gateway says that something happened; asking it says what. An open payment is asked
    /// about, and only asked about: whoever is paying is not disturbed.
    async fn ask_payment(
        &self,
        gateway: GatewayName,
        number: String,
        request_id: Option<String>,
    ) -> Result<NoticeOutcome, NoticeError> {
        let (known, payment) = self.noticed_payment(gateway, number).await?;
        let order = match known {
            Known::Remembered(order) => self.fresh(order.id).await?,
            Known::Fresh(order) => order,
        };
        let now_open = order
            .payment(payment)
            .is_some_and(|payment| payment.status.is_open());
        let effect = if now_open {
            Effect::QueryPayment { payment }
        } else {
            Effect::SettlePayment { payment }
        };
        self.do_soon(order.id, effect, request_id).await?;
        Ok(NoticeOutcome::Applied)
    }

    async fn ask_refund(
        &self,
        gateway: GatewayName,
        number: String,
        request_id: Option<String>,
    ) -> Result<NoticeOutcome, NoticeError> {
        let (order, refund) = self.noticed_refund(gateway, number).await?;
        let effect = Effect::QueryRefund { refund };
        self.do_soon(order.id, effect, request_id).await?;
        Ok(NoticeOutcome::Applied)
    }

    /// The order and payment of a notice; a payment that another gateway was asked for is not this
    /// one's.
    async fn noticed_payment(
        &self,
        gateway: GatewayName,
        number: String,
    ) -> Result<(Known, PaymentId), NoticeError> {
        let known = match self.inner.orders.of_payment(&number) {
            Some(order) => Some(Known::Remembered(order)),
            None => {
                let found = self.inner.store.load_of_payment(&number).await;
                let found = found.map_err(EngineError::from)?;
                found.map(|order| Known::Fresh(self.put(order)))
            }
        };
        let found = known.and_then(|known| {
            let mut payments = known.order().payments.iter();
            let payment = payments.find(|payment| payment.out_trade_no == number)?;
            let id = (payment.gateway == gateway).then_some(payment.id)?;
            Some((known, id))
        });
        found.ok_or(NoticeError::UnknownPayment(number))
    }

    /// The order, as the database has it, and the refund of a notice.
    async fn noticed_refund(
        &self,
        gateway: GatewayName,
        number: String,
    ) -> Result<(Arc<Consultation>, RefundId), NoticeError> {
        let found = self.inner.store.load_of_refund(&number).await;
        let found = found.map_err(EngineError::from)?.and_then(|order| {
            let mut refunds = order.refunds.iter();
            let refund = refunds.find(|refund| refund.out_refund_no == number)?;
            let payment = order.payment(refund.payment)?;
            let id = (payment.gateway == gateway).then_some(refund.id)?;
            Some((self.put(order), id))
        });
        found.ok_or(NoticeError::UnknownPayment(number))
    }

    async fn noticed(
        &self,
        known: Known,
        command: &Command,
        request_id: Option<String>,
    ) -> Result<NoticeOutcome, NoticeError> {
        let origin = Origin {
            request_id,
            idempotency: None,
        };
        let executed = self
            .execute_on(known, command, Actor::GATEWAY, &origin, None)
            .await?;
        Ok(if executed.applied {
            NoticeOutcome::Applied
        } else {
            NoticeOutcome::Nothing
        })
    }
}

/// A hint about something that is not ours, such as a refund made by hand at the gateway, is
/// acknowledged: there is nothing to ask about, and the bill will show it.
fn unless_unknown(
    gateway: GatewayName,
    asked: Result<NoticeOutcome, NoticeError>,
) -> Result<NoticeOutcome, NoticeError> {
    match asked {
        Err(NoticeError::UnknownPayment(number)) => {
            tracing::warn!(%gateway, number, "a notice hints at something that is not ours");
            Ok(NoticeOutcome::Nothing)
        }
        other => other,
    }
}
