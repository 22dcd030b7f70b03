//! What a decision is told beside the order: only what its command needs is read.

use crate::engine::Engine;
use crate::error::EngineError;
use domain::consultation::{
    Command, Consultation, ConsultationStatus, Facts, SessionFacts, TimerName,
};
use domain::session::SessionStatus;
use domain::{Span, Ts};
use store::{Session, Slot};

impl Engine {
    /// Everything that [`domain::consultation::actions`] and quotes may want to know of an order.
    pub async fn facts(&self, order: &Consultation) -> Result<Facts, EngineError> {
        let mut facts = self.bare_facts(order).await?;
        facts.session = self.session_facts(order).await?;
        Ok(facts)
    }

    /// What this command's decision needs.
    pub(crate) async fn facts_for(
        &self,
        order: &Consultation,
        command: &Command,
    ) -> Result<Facts, EngineError> {
        let mut facts = self.bare_facts(order).await?;
        facts.session = self.session_facts(order).await?;
        match command {
            Command::Accept | Command::SessionOpened => {
                facts.patient_present = self.is_present(order).await?;
            }
            Command::Timer {
                name: TimerName::Call,
                ..
            } => {
                facts.queue_behind = self.behind(order).await?;
            }
            Command::Timer {
                name: TimerName::Idle,
                ..
            } => {
                facts.last_interaction = self.inner.store.last_message_at(order.id).await?;
            }
            _ => {}
        }
        Ok(facts)
    }

    async fn bare_facts(&self, order: &Consultation) -> Result<Facts, EngineError> {
        let rules = self
            .inner
            .settings
            .rules_of(&self.inner.store, order.rules_version)
            .await?;
        Ok(Facts {
            rules: (*rules).clone(),
            calendar: self.inner.config.calendar.clone(),
            ..Facts::default()
        })
    }

    /// The order's session, while the order still depends on it.
    async fn session_facts(
        &self,
        order: &Consultation,
    ) -> Result<Option<SessionFacts>, EngineError> {
        use ConsultationStatus as S;
        let depends = matches!(
            order.status,
            S::PendingPayment | S::PaymentFailed | S::QueuingNumber | S::PendingActivation
        );
        let (Some(id), Some(slot), true) = (order.detail.session, order.detail.slot, depends)
        else {
            return Ok(None);
        };
        let Some((session, slots)) = self.inner.store.session(id).await? else {
            return Ok(None);
        };
        Ok(slots
            .iter()
            .find(|s| s.id == slot)
            .map(|slot| session_facts(&session, slot)))
    }

    async fn is_present(&self, order: &Consultation) -> Result<bool, EngineError> {
        let presence = self.inner.store.presence(order.patient).await?;
        let now = self.now();
        Ok(presence.is_some_and(|row| row.online && row.until.is_none_or(|until| until > now)))
    }

    async fn behind(&self, order: &Consultation) -> Result<Vec<i64>, EngineError> {
        let Some(session) = order.detail.session else {
            return Ok(Vec::new());
        };
        let own = order.detail.queue_rank.unwrap_or(i64::MIN);
        let queue = self.inner.store.queue(session).await?;
        Ok(queue
            .iter()
            .map(|entry| entry.rank)
            .filter(|rank| *rank > own)
            .collect())
    }
}

/// A session as an order with this slot sees it. A doctor who opens late shifts every clock of the
/// session with them (spec 10, clinic mode).
fn session_facts(session: &Session, slot: &Slot) -> SessionFacts {
    let late: Span = session
        .opened_at
        .map_or(Span::ZERO, |opened: Ts| opened.since(session.begins_at));
    SessionFacts {
        open: session.status.is_open(),
        ever_opened: session.opened_at.is_some(),
        ended: matches!(
            session.status,
            SessionStatus::Closed | SessionStatus::Cancelled | SessionStatus::Expired
        ),
        slot_begins: slot.begins_at + late,
        slot_ends: slot.ends_at,
    }
}
