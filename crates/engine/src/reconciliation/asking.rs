//! What a gateway says when it is asked about a difference, and what that does to the order.

use crate::effects::{payment_ref, proven, refund_command, refund_ref};
use crate::engine::Engine;
use crate::error::EngineError;
use connectors::gateway::{GatewayError, PaidNotice, PaymentState, RefundState};
use domain::consultation::Command;
use domain::order::Effect;
use domain::payment::{Payment, Refund, RefundStatus};
use domain::reconciliation::Repair;
use domain::{OrderId, PaymentId, RefundId};
use store::DifferenceRow;

/// What a gateway says, and what follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// It proves something that the order does not know: this command tells it.
    Proof {
        /// Whose order.
        order: OrderId,
        /// What the order is told.
        command: Box<Command>,
        /// Whether the difference is settled then.
        settles: bool,
        /// What the gateway says, in words.
        words: String,
    },
    /// It does not know the refund, which is sent again with the same number.
    SendAgain {
        /// Whose order.
        order: OrderId,
        /// Which.
        refund: RefundId,
        /// What the gateway says, in words.
        words: String,
    },
    /// It says what our books say: only the bill is otherwise.
    AsOurBooks {
        /// What the gateway says, in words.
        words: String,
    },
    /// It says what changes nothing, and settles nothing.
    NoProof {
        /// What the gateway says, in words.
        words: String,
    },
}

impl Said {
    /// What the gateway says, in words.
    pub fn words(&self) -> &str {
        match self {
            Self::Proof { words, .. }
            | Self::SendAgain { words, .. }
            | Self::AsOurBooks { words }
            | Self::NoProof { words } => words,
        }
    }

    /// Whether the difference is settled by it.
    pub const fn settles(&self) -> bool {
        match self {
            Self::Proof { settles, .. } => *settles,
            Self::SendAgain { .. } | Self::AsOurBooks { .. } => true,
            Self::NoProof { .. } => false,
        }
    }
}

impl Engine {
    /// Asks the gateway about a difference's payment or refund; `None` where the repair asks nothing.
    /// A refusal is an answer: it settles nothing.
    pub(super) async fn ask_gateway(
        &self,
        row: &DifferenceRow,
        repair: Repair,
    ) -> Result<Option<Said>, EngineError> {
        let asked = match repair {
            Repair::QueryPayment => self.hear_of_payment(row).await,
            Repair::QueryRefund => self.hear_of_refund(row).await,
            Repair::RecordSuspense | Repair::ReturnMoney | Repair::Accept | Repair::AwaitBill => {
                return Ok(None);
            }
        };
        match asked {
            Ok(said) => Ok(Some(said)),
            Err(EngineError::Gateway(refused @ GatewayError::Refused { .. })) => {
                let words = refused.to_string();
                Ok(Some(Said::NoProof { words }))
            }
            Err(error) => Err(error),
        }
    }

    async fn hear_of_payment(&self, row: &DifferenceRow) -> Result<Said, EngineError> {
        let missing = EngineError::NoSuch { thing: "payment" };
        let (Some(order), Some(id)) = (row.difference.order, row.difference.payment) else {
            return Err(missing);
        };
        let order = self.fresh(order).await?;
        let payment = order.payment(id).ok_or(missing)?;
        let gateway = self.inner.gateways.get(payment.gateway, self.now())?;
        let state = gateway.query(&payment_ref(payment)).await?;
        Ok(of_payment(order.id, id, payment, state))
    }

    async fn hear_of_refund(&self, row: &DifferenceRow) -> Result<Said, EngineError> {
        let missing = EngineError::NoSuch { thing: "refund" };
        let (Some(order), Some(id)) = (row.difference.order, row.difference.refund) else {
            return Err(missing);
        };
        let found = self.refund_of(order, id).await?;
        let gateway = self.inner.gateways.get(found.payment.gateway, self.now())?;
        let state = gateway.query_refund(&refund_ref(&found)).await?;
        Ok(of_refund(order, &found.refund, &state))
    }

    /// Leaves a refund to be sent again with the same number.
    pub(super) async fn send_again(
        &self,
        order: OrderId,
        refund: RefundId,
        request_id: Option<String>,
    ) -> Result<(), EngineError> {
        self.do_soon(order, Effect::SendRefund { refund }, request_id)
            .await
    }
}

fn of_payment(order: OrderId, id: PaymentId, payment: &Payment, state: PaymentState) -> Said {
    let words = payment_words(&state);
    let has_money = payment.status.has_money();
    match &state {
        PaymentState::Paid(paid) if has_money && is_as_booked(payment, paid) => {
            Said::AsOurBooks { words }
        }
        PaymentState::Paid(_) if has_money => Said::NoProof { words },
        PaymentState::Closed | PaymentState::Failed { .. } if !payment.status.is_open() => {
            Said::NoProof { words }
        }
        PaymentState::Paid(_)
        | PaymentState::Closed
        | PaymentState::Failed { .. }
        | PaymentState::Open
        | PaymentState::Approved
        | PaymentState::NotFound => {
            let settles = matches!(state, PaymentState::Paid(_));
            match proven(id, state) {
                Some(command) => Said::Proof {
                    order,
                    command: Box::new(command),
                    settles,
                    words,
                },
                None => Said::NoProof { words },
            }
        }
    }
}

/// Whether the gateway says what we have booked, to the last fen and under the same number.
fn is_as_booked(payment: &Payment, paid: &PaidNotice) -> bool {
    let same_number = payment
        .transaction_id
        .as_ref()
        .is_none_or(|id| *id == paid.transaction_id);
    payment.paid == Some(paid.amount) && same_number
}

fn payment_words(state: &PaymentState) -> String {
    match state {
        PaymentState::Paid(paid) => format!(
            "the gateway says: {} paid at {} under {}",
            paid.amount, paid.paid_at, paid.transaction_id
        ),
        PaymentState::Open => "the gateway says: not paid yet".to_owned(),
        PaymentState::Approved => "the gateway says: agreed to, not paid yet".to_owned(),
        PaymentState::Closed => "the gateway says: closed".to_owned(),
        PaymentState::Failed { reason } => format!("the gateway says: failed, {reason}"),
        PaymentState::NotFound => "the gateway does not know the payment".to_owned(),
    }
}

fn of_refund(order: OrderId, refund: &Refund, state: &RefundState) -> Said {
    use RefundStatus as S;
    let words = refund_words(state);
    let is_by_hand = refund.proof.is_some();
    let may_end = matches!(refund.status, S::Processing | S::Failed);
    match state {
        RefundState::Succeeded { refund_id, .. }
            if refund.status == S::Succeeded
                && !is_by_hand
                && refund.refund_id.as_ref().is_none_or(|id| id == refund_id) =>
        {
            Said::AsOurBooks { words }
        }
        RefundState::NotFound if refund.status == S::Processing => Said::SendAgain {
            order,
            refund: refund.id,
            words,
        },
        RefundState::Failed { .. } | RefundState::Closed | RefundState::Abnormal
            if refund.status != S::Processing =>
        {
            Said::NoProof { words }
        }
        RefundState::Succeeded { .. }
        | RefundState::Processing { .. }
        | RefundState::Failed { .. }
        | RefundState::Closed
        | RefundState::Abnormal
        | RefundState::NotFound => match refund_command(refund.id, state) {
            Some(command) if may_end => Said::Proof {
                order,
                command: Box::new(command),
                settles: matches!(state, RefundState::Succeeded { .. }),
                words,
            },
            _ => Said::NoProof { words },
        },
    }
}

fn refund_words(state: &RefundState) -> String {
    match state {
        RefundState::Succeeded { refund_id, at } => {
            format!("the gateway says: refunded at {at} under {refund_id}")
        }
        RefundState::Processing { .. } => "the gateway says: still under way".to_owned(),
        RefundState::Failed { reason } => format!("the gateway says: failed, {reason}"),
        RefundState::Closed => "the gateway says: closed".to_owned(),
        RefundState::Abnormal => {
            "the gateway says: the payer's card or account can't take it".to_owned()
        }
        RefundState::NotFound => "the gateway does not know the refund".to_owned(),
    }
}
