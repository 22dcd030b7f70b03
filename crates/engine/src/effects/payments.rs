//! Payments at the gateway: start, ask, close. What is unknown is asked again, never guessed.

use super::of;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::relay::Tried;
use connectors::gateway::{
    GatewayError, PaymentMethod, PaymentStarted, PaymentState, StartPayment,
};
use domain::PaymentId;
use domain::consultation::{Command, Consultation};
use domain::order::Actor;
use domain::payment::{Method, Payment, PaymentStatus};
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
        let gateway = self.inner.gateways.get(payment.gateway)?;
        let request = StartPayment {
            out_trade_no: payment.out_trade_no.clone(),
            description: description(&order),
            amount: payment.amount,
            expires_at: payment.expires_at,
            method: match payment.method {
                Method::Jsapi => PaymentMethod::Jsapi,
                Method::Native => PaymentMethod::Native,
            },
            payer: payment.payer.clone(),
        };
        let command = match gateway.start(&request, self.now()).await {
            Ok(PaymentStarted::Jsapi(pay_with)) => Command::PaymentStarted {
                payment: id,
                pay_with,
            },
            Ok(PaymentStarted::Native { code_url }) => {
                let pay_with = serde_json::json!({ "codeUrl": code_url });
                Command::PaymentStarted {
                    payment: id,
                    pay_with,
                }
            }
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

    /// Asks the gateway how an open payment stands: a callback may be lost (spec 20).
    pub(super) async fn query_payment(
        &self,
        row: &OutboxRow,
        id: PaymentId,
    ) -> Result<Tried, EngineError> {
        let (_, payment) = self.order_and_payment(row, id).await?;
        if !payment.status.is_open() {
            return Ok(Tried::Done);
        }
        let gateway = self.inner.gateways.get(payment.gateway)?;
        match gateway.query(&payment.out_trade_no, self.now()).await {
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
        let (_, payment) = self.order_and_payment(row, id).await?;
        let gateway = self.inner.gateways.get(payment.gateway)?;
        let number = &payment.out_trade_no;
        let mut state = match gateway.query(number, self.now()).await {
            Ok(state) => state,
            Err(error) => return Ok(Tried::NotYet(Some(error.to_string()))),
        };
        if state == PaymentState::Open && payment.status.is_open() {
            if let Err(error) = gateway.close(number, self.now()).await {
                // Perhaps paid this moment: the next query says so.
                return Ok(Tried::NotYet(Some(error.to_string())));
            }
            state = match gateway.query(number, self.now()).await {
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

/// The command for a state that is proof; nothing for one that is not.
fn proven(payment: PaymentId, state: PaymentState) -> Option<Command> {
    match state {
        PaymentState::Paid(paid) => Some(Command::PaymentSucceeded {
            payment,
            paid: paid.amount,
            transaction_id: paid.transaction_id,
            by_query: true,
        }),
        PaymentState::Closed => Some(Command::PaymentClosed { payment }),
        PaymentState::Failed { reason } => Some(Command::PaymentFailed { payment, reason }),
        PaymentState::Open | PaymentState::NotFound => None,
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
