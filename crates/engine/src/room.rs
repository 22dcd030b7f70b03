//! Words between patient and doctor, and who is there to read them.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Origin;
use crate::ids::new_id;
use crate::rooms::RoomEvent;
use domain::consultation::{Command, Consultation, ConsultationStatus as S};
use domain::lifecycle::Status;
use domain::order::{Actor, Refusal, Role};
use domain::payment::PaymentStatus;
use domain::{OrderId, PaymentId, UserId};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::{Message, MessageKind};
use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

/// The longest message, in characters.
const MESSAGE_LIMIT: usize = 4_000;

/// A line to be written.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// The sender's id of it, so that sending twice writes once.
    pub id: Option<Uuid>,
    /// What it is.
    pub kind: MessageKind,
    /// The words.
    pub text: String,
    /// The picture, clip or file.
    pub file: Option<Uuid>,
}

/// Whether something may be said about an order: from the doctor's acceptance to the end.
pub fn is_open(order: &Consultation) -> bool {
    matches!(order.status, S::PendingConsultation | S::InProgress)
}

impl Engine {
    /// The patient looks at the order's page: that counts as being there (spec 10, checked in).
    pub async fn patient_seen(&self, order: OrderId) -> Result<(), EngineError> {
        let origin = Origin::default();
        self.execute(order, Command::PatientSeen, Actor::SYSTEM, origin)
            .await
            .map(drop)
    }

    /// Writes a line of the conversation, and tells the room. It is interaction for the idle
    /// deadline. Sent twice, it is written once.
    pub async fn post_message(
        &self,
        order: OrderId,
        sender: UserId,
        role: Role,
        new: NewMessage,
    ) -> Result<Message, EngineError> {
        let current = self.fresh(order).await?;
        if !is_open(&current) {
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
        let needs_words = matches!(new.kind, MessageKind::Text | MessageKind::Call);
        let is_empty = needs_words && new.text.trim().is_empty();
        if is_empty || new.text.chars().count() > MESSAGE_LIMIT {
            let why = format!("must be 1 to {MESSAGE_LIMIT} characters");
            return Err(EngineError::Invalid { field: "text", why });
        }
        let now = self.now();
        let message = Message {
            id: new.id.unwrap_or_else(|| new_id(now)),
            order,
            seq: 0,
            sender,
            role,
            kind: new.kind,
            body: new.text,
            file: new.file,
            at: now,
        };
        let kept = self.inner.store.insert_message(&message).await?;
        if kept.order != order || kept.sender != sender {
            let why = "belongs to another message: make a new one".to_owned();
            return Err(EngineError::Invalid { field: "id", why });
        }
        self.tell_room(order, RoomEvent::Said(kept.clone()));
        let unseen = current.status == S::PendingConsultation && !current.detail.patient_seen;
        if role == Role::Patient && unseen {
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
