//! What a command would do, before anybody does it: the same decision, written nowhere.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::ids::IdsAt;
use domain::OrderId;
use domain::consultation::{Command, Consultation, Decision, Outcome, decide};
use domain::order::Actor;
use std::sync::Arc;

/// An order, and what a command would make of it.
#[derive(Debug, Clone)]
pub struct Preview {
    /// As it is.
    pub before: Arc<Consultation>,
    /// What would be written; `None` where it was done before.
    pub decision: Option<Box<Decision>>,
}

impl Engine {
    /// Decides a command as [`Engine::execute`] would at this moment, and changes nothing. Refuses
    /// what would be refused.
    pub async fn preview(
        &self,
        order: OrderId,
        command: &Command,
        actor: Actor,
    ) -> Result<Preview, EngineError> {
        let before = self.fresh(order).await?;
        let facts = self.facts_for(&before, command).await?;
        let now = self.now();
        let decision = match decide(&before, command, actor, &facts, now, &mut IdsAt(now))? {
            Outcome::Decided(decision) => Some(decision),
            Outcome::AlreadyApplied => None,
        };
        Ok(Preview { before, decision })
    }
}
