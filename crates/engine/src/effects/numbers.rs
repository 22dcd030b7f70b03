//! The number service: numbers of a session without gaps or repeats.

use super::of;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::is_guard;
use crate::relay::Tried;
use crate::settings;
use domain::consultation::{Command, ConsultationStatus};
use domain::order::{Actor, Guard};
use domain::session::SessionStatus;
use store::OutboxRow;

/// How often another process may be faster before the effect is put off.
const TRIES: usize = 50;

impl Engine {
    /// Takes the session's next number for the order.
    pub(super) async fn take_number(&self, row: &OutboxRow) -> Result<Tried, EngineError> {
        if settings::maintenance(&self.inner.store)
            .await?
            .numbers_paused
        {
            return Ok(Tried::NotYet(Some(
                "numbers are paused by operations".to_owned(),
            )));
        }
        let order = self.fresh(of(row)?).await?;
        if order.status != ConsultationStatus::QueuingNumber {
            return Ok(Tried::Done);
        }
        let Some(id) = order.detail.session else {
            let reason = "no session was booked".to_owned();
            self.tell(row, &Command::NoNumber { reason }, Actor::SYSTEM)
                .await?;
            return Ok(Tried::Finished);
        };
        let turn = self.turn(id.uuid());
        let _turn = turn.lock().await;
        for _ in 0..TRIES {
            let session = self
                .inner
                .store
                .session(id)
                .await?
                .map(|(session, _)| session);
            let takes = session
                .as_ref()
                .is_some_and(|s| s.status == SessionStatus::Scheduled || s.status.is_open());
            let Some(session) = session.filter(|_| takes) else {
                let reason = "the session was cancelled or has ended".to_owned();
                self.tell(
                    row,
                    &Command::SessionCancelled {
                        reason: Some(reason),
                    },
                    Actor::SYSTEM,
                )
                .await?;
                return Ok(Tried::Finished);
            };
            let taken = Command::NumberTaken {
                number: session.last_number + 1,
            };
            match self.tell(row, &taken, Actor::SYSTEM).await {
                Ok(_) => return Ok(Tried::Finished),
                Err(error) if is_guard(&error, |guard| matches!(guard, Guard::TakeNumber(..))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Tried::NotYet(Some(
            "the session's numbers are in great demand".to_owned(),
        )))
    }

    /// The session may have opened, or been cancelled, while the number was on its way.
    pub(super) async fn check_activation(&self, row: &OutboxRow) -> Result<Tried, EngineError> {
        let order = self.fresh(of(row)?).await?;
        let Some(id) = order.detail.session else {
            return Ok(Tried::Done);
        };
        let Some((session, _)) = self.inner.store.session(id).await? else {
            return Ok(Tried::Done);
        };
        let command = match session.status {
            SessionStatus::Scheduled => return Ok(Tried::Done),
            SessionStatus::Open | SessionStatus::Paused => Command::SessionOpened,
            SessionStatus::Closed | SessionStatus::Cancelled | SessionStatus::Expired => {
                Command::SessionCancelled {
                    reason: session.note.clone(),
                }
            }
        };
        self.tell(row, &command, Actor::SYSTEM).await?;
        Ok(Tried::Finished)
    }
}
