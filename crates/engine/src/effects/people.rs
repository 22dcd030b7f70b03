//! Sessions and doctors that moved: their orders are told, each by its own command.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::relay::Tried;
use domain::consultation::{Command, ConsultationStatus as S};
use domain::session::SessionStatus;
use domain::{SessionId, UserId};

impl Engine {
    /// A session opened or ended. Telling an order twice changes nothing, so that a crash half-way
    /// leaves nobody out.
    pub(super) async fn session_moved(&self, id: SessionId) -> Result<Tried, EngineError> {
        let Some((session, _)) = self.inner.store.session(id).await? else {
            return Ok(Tried::Done);
        };
        let (command, statuses) = match session.status {
            SessionStatus::Scheduled => return Ok(Tried::Done),
            SessionStatus::Open | SessionStatus::Paused => {
                (Command::SessionOpened, &[S::PendingActivation][..])
            }
            SessionStatus::Closed | SessionStatus::Cancelled | SessionStatus::Expired => (
                Command::SessionCancelled {
                    reason: session.note.clone(),
                },
                &[
                    S::QueuingNumber,
                    S::PendingActivation,
                    S::InQueue,
                    S::Calling,
                    S::RefundReviewing,
                ][..],
            ),
        };
        for order in self.inner.store.orders_of_session(id, statuses).await? {
            self.tell_order(order, &command).await?;
        }
        Ok(Tried::Done)
    }

    /// A doctor came or went: offers go with them, a running service waits for them, and whoever
    /// waits in the department may have a doctor now.
    pub(super) async fn presence_moved(&self, doctor: UserId) -> Result<Tried, EngineError> {
        let presence = self.inner.store.presence(doctor).await?;
        let online = presence.is_some_and(|row| row.online);
        if online {
            for order in self
                .inner
                .store
                .orders_of_doctor(doctor, &[S::InProgress])
                .await?
            {
                self.tell_order(order, &Command::DoctorBack).await?;
            }
            if let Some(row) = self.inner.store.doctor(doctor).await? {
                self.dispatch(row.department).await?;
            }
            return Ok(Tried::Done);
        }
        for order in self
            .inner
            .store
            .orders_of_doctor(doctor, &[S::PendingAccept])
            .await?
        {
            self.tell_order(order, &Command::OfferLost { doctor })
                .await?;
        }
        for order in self
            .inner
            .store
            .orders_of_doctor(doctor, &[S::InProgress])
            .await?
        {
            self.tell_order(order, &Command::DoctorAway).await?;
        }
        Ok(Tried::Done)
    }
}
