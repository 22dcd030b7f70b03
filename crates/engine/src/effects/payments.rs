//! Payments at the gateway: start, ask, fetch, close. What is unknown is asked again, never guessed.

use super::of;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::gateways::Guarded;
use crate::relay::Tried;
use connectors::gateway::{GatewayError, PaymentRef, PaymentState, StartPayment};
use domain::consultation::{Command, Consultation};
use domain::order::{Actor, Effect};
use domain::payment::{Payment, PaymentStatus};
use domain::{OrderId, PaymentId};
use std::sync::Arc;
use store::OutboxRow;

impl Engine {
    /// Asks the gateway to start a payment.
    pub(super) async fn start_payment(
        &self,
        row: &OutboxRow,
        id: PaymentId,
    ) -> Result<Tried, EngineError> {
        let (order, payment) = self.order_and_payment(row, id).await?;
        if payment.status != PaymentStatus::Pending {
            return Ok(Tried::Done);
        }
        let gateway = self.inner.gateways.get(payment.gateway, self.now())?;
        let request = StartPayment {
            payment: payment_ref(&payment),
            description: description(&order),
            payer: payment.payer.clone(),
            client_ip: payment.client_ip.clone(),
            return_url: self.pay_page(order.id, id, payment.expires_at),
        };
        let command = match gateway.start(&request).await {
            Ok(started) => Command::PaymentStarted {
                payment: id,
                handle: started.handle,
                pay_with: started.pay_with,
            },
            Err(GatewayError::Refused { code, message, .. }) => Command::PaymentFailed {
                payment: id,
                reason: format!("{code}: {message}"),
            },
            // The number stays, and repeating it is safe.
            Err(error) => return Ok(Tried::NotYet(Some(error.to_string()))),
        };
        self.tell(row, &command, Actor::GATEWAY).await?;
        Ok(Tried::Finished)
    }

    /// Asks the gateway how an open payment stands: a callback may be lost (spec 20). Money that
    /// the payer agreed to is fetched, unless the order is being cancelled.
    pub(super) async fn query_payment(
        &self,
        row: &OutboxRow,
        id: PaymentId,
    ) -> Result<Tried, EngineError> {
        let (order, payment) = self.order_and_payment(row, id).await?;
        if !payment.status.is_open() {
            return Ok(Tried::Done);
        }
        let gateway = self.inner.gateways.get(payment.gateway, self.now())?;
        let known = payment_ref(&payment);
        let wanted = order.detail.cancel_asked.is_none();
        match asked(gateway, &known, wanted).await {
            Ok(state) => match proven(id, state) {
                Some(command) => {
                    self.tell(row, &command, Actor::GATEWAY).await?;
                    Ok(Tried::Finished)
                }
                None => Ok(Tried::NotYet(None)),
            },
            Err(error) => Ok(Tried::NotYet(Some(error.to_string()))),
        }
    }

    /// Asks how a payment stands, and closes it if it is unpaid. Only a closed payment is over.
    pub(super) async fn settle_payment(
        &self,
        row: &OutboxRow,
        id: PaymentId,
    ) -> Result<Tried, EngineError> {
        let (order, payment) = self.order_and_payment(row, id).await?;
        let gateway = self.inner.gateways.get(payment.gateway, self.now())?;
        let known = payment_ref(&payment);
        let wanted = order.detail.cancel_asked.is_none() && payment.status.is_open();
        let mut state = match asked(gateway, &known, wanted).await {
            Ok(state) => state,
            Err(error) => return Ok(Tried::NotYet(Some(error.to_string()))),
        };
        let unpaid = matches!(state, PaymentState::Open | PaymentState::Approved);
        if unpaid && payment.status.is_open() {
            if let Err(error) = gateway.close(&known).await {
                // Perhaps paid this moment: the next query says so.
                return Ok(Tried::NotYet(Some(error.to_string())));
            }
            state = match asked(gateway, &known, false).await {
                Ok(PaymentState::Open | PaymentState::Approved) if gateway.collects() => {
                    PaymentState::Closed
                }
                Ok(state) => state,
                Err(error) => return Ok(Tried::NotYet(Some(error.to_string()))),
            };
        }
        // A number that the gateway never saw, and that nobody can pay any more, is as good as closed.
        if state == PaymentState::NotFound && self.now() >= payment.expires_at {
            state = PaymentState::Closed;
        }
        match proven(id, state) {
            Some(command) => {
                self.tell(row, &command, Actor::GATEWAY).await?;
                Ok(Tried::Finished)
            }
            None if payment.status.is_open() => Ok(Tried::NotYet(None)),
            None => Ok(Tried::Done),
        }
    }

    /// Asks the gateway about an order's open payment at once, beside the schedule, and gives the
    /// order as it is then. Without an open payment nothing is asked.
    pub async fn ask_about_payment(
        &self,
        order: OrderId,
        request_id: Option<String>,
    ) -> Result<Arc<Consultation>, EngineError> {
        let current = self.fresh(order).await?;
        let Some(payment) = current.open_payment().map(|payment| payment.id) else {
            return Ok(current);
        };
        // The row is not kept: what the schedule has to do stays.
        let row = self.effect_row(order, Effect::QueryPayment { payment }, request_id);
        if let Tried::NotYet(Some(error)) = self.query_payment(&row, payment).await? {
            tracing::info!(%order, error, "a payment was asked about at once, without an answer");
        }
        self.fresh(order).await
    }

    async fn order_and_payment(
        &self,
        row: &OutboxRow,
        id: PaymentId,
    ) -> Result<(Arc<Consultation>, Payment), EngineError> {
        let order = self.fresh(of(row)?).await?;
        let payment = order.payment(id).cloned();
        let payment = payment.ok_or(EngineError::NoSuch { thing: "payment" })?;
        Ok((order, payment))
    }
}

/// How a payment stands, after fetching its money if the payer agreed and it is still wanted.
async fn asked(
    gateway: Guarded<'_>,
    payment: &PaymentRef,
    wanted: bool,
) -> Result<PaymentState, GatewayError> {
    match gateway.query(payment).await? {
        PaymentState::Approved if wanted => gateway.collect(payment).await,
        state => Ok(state),
    }
}

/// A payment as a gateway knows it.
pub(crate) fn payment_ref(payment: &Payment) -> PaymentRef {
    PaymentRef {
        out_trade_no: payment.out_trade_no.clone(),
        method: payment.method,
        amount: payment.amount,
        created_at: payment.created_at,
        expires_at: payment.expires_at,
        handle: payment.handle.clone(),
        transaction_id: payment.transaction_id.clone(),
    }
}

/// The command for a state that is proof; nothing for one that is not.
pub(crate) fn proven(payment: PaymentId, state: PaymentState) -> Option<Command> {
    match state {
        PaymentState::Paid(paid) => Some(Command::PaymentSucceeded {
            payment,
            paid: paid.amount,
            transaction_id: paid.transaction_id,
            paid_at: paid.paid_at,
            by_query: true,
        }),
        PaymentState::Closed => Some(Command::PaymentClosed { payment }),
        PaymentState::Failed { reason } => Some(Command::PaymentFailed { payment, reason }),
        PaymentState::Open | PaymentState::Approved | PaymentState::NotFound => None,
    }
}

/// What the payer reads; nothing about their illness.
fn description(order: &Consultation) -> String {
    use domain::consultation::ConsultationType as T;
    let kind = match order.detail.consultation_type {
        T::Text => "图文问诊",
        T::Phone => "电话问诊",
        T::Video => "视频问诊",
    };
    format!("{kind} {}", order.id)
}
