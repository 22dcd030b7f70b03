//! Words between patient and doctor, and who is there to read them.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Origin;
use crate::ids::new_id;
use domain::consultation::{Command, Consultation, ConsultationStatus as S};
use domain::lifecycle::Status;
use domain::order::{Actor, Refusal, Role};
use domain::payment::PaymentStatus;
use domain::{OrderId, PaymentId, UserId};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::Message;
use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

/// The longest message, in characters.
const MESSAGE_LIMIT: usize = 4_000;

impl Engine {
    /// The patient looks at the order's page: that counts as being there (spec 10, checked in).
    pub async fn patient_seen(&self, order: OrderId) -> Result<(), EngineError> {
        let origin = Origin::default();
        self.execute(order, Command::PatientSeen, Actor::SYSTEM, origin)
            .await
            .map(drop)
    }

    /// Writes a line of the conversation. It is interaction for the idle deadline.
    pub async fn post_message(
        &self,
        order: OrderId,
        sender: UserId,
        role: Role,
        id: Option<Uuid>,
        body: String,
    ) -> Result<Message, EngineError> {
        let current = self.fresh(order).await?;
        if !matches!(current.status, S::PendingConsultation | S::InProgress) {
            let status = current.status.constant();
            return Err(Refusal::Status {
                command: "message",
                status,
            }
            .into());
        }
        if sender != current.patient && Some(sender) != current.detail.doctor {
            return Err(Refusal::NotYours {
                command: "message",
                who: "the patient or the order's doctor",
            }
            .into());
        }
        if body.trim().is_empty() || body.chars().count() > MESSAGE_LIMIT {
            let why = format!("must be 1 to {MESSAGE_LIMIT} characters");
            return Err(EngineError::Invalid { field: "text", why });
        }
        let now = self.now();
        let id = id.unwrap_or_else(|| new_id(now));
        let message = Message {
            id,
            order,
            seq: 0,
            sender,
            role,
            body,
            at: now,
        };
        let kept = self.inner.store.insert_message(&message).await?;
        if kept.order != order || kept.sender != sender {
            let why = "belongs to another message: make a new one".to_owned();
            return Err(EngineError::Invalid { field: "id", why });
        }
        if role == Role::Patient {
            self.patient_seen(order).await?;
        }
        Ok(kept)
    }

    /// Waits until the relay has started a payment at the gateway, or until the time is up.
    pub async fn await_payment_started(
        &self,
        order: OrderId,
        payment: PaymentId,
        at_most: Duration,
    ) -> Result<Arc<Consultation>, EngineError> {
        if !self.inner.live.load(Ordering::SeqCst) {
            // No loop runs: what is due is worked off here.
            self.settle().await?;
            return self.fresh(order).await;
        }
        let mut changes = self.changes();
        let waits = |order: &Consultation| {
            order
                .payment(payment)
                .is_some_and(|payment| payment.status == PaymentStatus::Pending)
        };
        let deadline = tokio::time::Instant::now() + at_most;
        loop {
            let current = self.fresh(order).await?;
            if !waits(&current) {
                return Ok(current);
            }
            let changed = async {
                loop {
                    match changes.recv().await {
                        Ok(changed) if changed.order == order => return,
                        Err(RecvError::Lagged(_) | RecvError::Closed) => return,
                        Ok(_) => {}
                    }
                }
            };
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return self.fresh(order).await;
            }
        }
    }
}
