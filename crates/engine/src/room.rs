//! Words between patient and doctor, and who is there to read them.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Origin;
use crate::ids::new_id;
use crate::rooms::RoomEvent;
use domain::consultation::{Command, Consultation, ConsultationStatus as S};
use domain::file::FileKind;
use domain::lifecycle::Status;
use domain::order::{Actor, Refusal, Role};
use domain::payment::PaymentStatus;
use domain::{FileId, OrderId, PaymentId, UserId};
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
    pub file: Option<FileId>,
}

/// Whether something may be said about an order: from the doctor's acceptance to the end.
pub fn is_open(order: &Consultation) -> bool {
    matches!(order.status, S::PendingConsultation | S::InProgress)
}

/// Refuses everybody while there is no conversation, and whoever is not of it.
pub(crate) fn must_be_talking(
    order: &Consultation,
    who: UserId,
    command: &'static str,
) -> Result<(), Refusal> {
    if !is_open(order) {
        let status = order.status.constant();
        return Err(Refusal::Status { command, status });
    }
    if who != order.patient && Some(who) != order.detail.doctor {
        let who = "the patient or the order's doctor";
        return Err(Refusal::NotYours { command, who });
    }
    Ok(())
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
        must_be_talking(&current, sender, "message")?;
        let is_empty = new.kind == MessageKind::Text && new.text.trim().is_empty();
        if is_empty || new.text.chars().count() > MESSAGE_LIMIT {
            let why = format!("must be 1 to {MESSAGE_LIMIT} characters");
            return Err(EngineError::Invalid { field: "text", why });
        }
        self.check_file(order, sender, &new).await?;
        let now = self.now();
        let message = Message {
            id: new.id.unwrap_or_else(|| new_id(now)),
            order,
            seq: 0,
            sender: Some(sender),
            role,
            kind: new.kind,
            body: new.text,
            file: new.file,
            at: now,
        };
        let kept = self.inner.store.insert_message(&message).await?;
        if kept.order != order || kept.sender != Some(sender) {
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

    /// A line shows a file that its sender put into this order and that was looked at; and only one
    /// of its kind, so that nobody opens a document for a picture.
    async fn check_file(
        &self,
        order: OrderId,
        sender: UserId,
        new: &NewMessage,
    ) -> Result<(), EngineError> {
        let field = "fileId";
        let kind = match new.kind {
            MessageKind::Picture => FileKind::Picture,
            MessageKind::Voice => FileKind::Voice,
            MessageKind::File => FileKind::Document,
            MessageKind::Text | MessageKind::Call | MessageKind::System => {
                if new.file.is_none() {
                    return Ok(());
                }
                let why = "goes with a picture, a voice clip or a file: say so in kind".to_owned();
                return Err(EngineError::Invalid { field, why });
            }
        };
        let Some(id) = new.file else {
            let why = format!(
                "is needed for a {}: upload it first (POST /files/upload-url)",
                new.kind.name()
            );
            return Err(EngineError::Invalid { field, why });
        };
        let file = self.inner.store.file(id).await?;
        let own = file.filter(|file| file.order == order && file.owner == sender);
        let why = match own {
            None => "is no file of yours in this order".to_owned(),
            Some(file) if file.confirmed.is_none() => {
                "was not confirmed yet: POST /files/confirm-upload".to_owned()
            }
            Some(file) if file.kind != kind => {
                format!(
                    "is a {}: it can't be sent as a {}",
                    file.kind.name(),
                    kind.name()
                )
            }
            Some(_) => return Ok(()),
        };
        Err(EngineError::Invalid { field, why })
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
