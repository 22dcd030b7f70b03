//! The dispatcher: waiting orders oldest first, each offered to the best doctor with room.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::is_guard;
use crate::relay::Tried;
use crate::settings;
use domain::consultation::ranking::Ranking;
use domain::consultation::{Command, Consultation, ConsultationStatus, matching};
use domain::order::Guard;
use domain::{DepartmentId, OrderId};
use std::sync::Arc;
use store::Page;

/// How many waiting orders are read at a time.
const WAITING: u32 = 100;

/// What came of looking for doctors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dispatched {
    /// Whoever could be served was.
    Done,
    /// Operations have stopped it.
    Paused,
}

impl Engine {
    pub(super) async fn try_dispatch(
        &self,
        department: DepartmentId,
    ) -> Result<Tried, EngineError> {
        Ok(match self.dispatch(department).await? {
            Dispatched::Done => Tried::Done,
            Dispatched::Paused => {
                Tried::NotYet(Some("dispatch is paused by operations".to_owned()))
            }
        })
    }

    /// Offers the orders that wait in a department, oldest first, until no doctor has room. Where
    /// many ask at the same time, one looks for all of them.
    pub(crate) async fn dispatch(
        &self,
        department: DepartmentId,
    ) -> Result<Dispatched, EngineError> {
        let dispatches = self.dispatches(department);
        let Some(run) = dispatches.turn().await else {
            return Ok(Dispatched::Done);
        };
        let store = &self.inner.store;
        if settings::maintenance(store).await?.dispatch_paused {
            return Ok(Dispatched::Paused);
        }
        loop {
            let waiting = store.waiting_for_doctor(department, WAITING).await?;
            let mut moved = false;
            for order in &waiting {
                moved |= self.offer(*order).await?;
            }
            let may_be_more = u32::try_from(waiting.len()).is_ok_and(|count| count >= WAITING);
            if !moved || !may_be_more {
                run.ended_well();
                return Ok(Dispatched::Done);
            }
        }
    }

    /// Offers one order to the best doctor who still has room when the offer is written; whether it
    /// waits no more.
    async fn offer(&self, id: OrderId) -> Result<bool, EngineError> {
        let order = self.fresh(id).await?;
        if order.status != ConsultationStatus::Dispatching {
            return Ok(false);
        }
        let (detail, now) = (&order.detail, self.now());
        let mut candidates = self
            .inner
            .store
            .candidates(
                detail.department,
                detail.consultation_type,
                order.patient,
                now,
            )
            .await?;
        candidates.retain(|candidate| !detail.was_asked(candidate.doctor));
        let rules = self
            .inner
            .settings
            .rules_of(&self.inner.store, order.rules_version)
            .await?;
        let (complaint, weights) = (&detail.complaint, &rules.weights);
        let ranked = matching::rank(complaint, &candidates, weights, now);
        for (candidate, _) in &ranked {
            let ranking = Ranking::choosing(candidate.doctor, &ranked, complaint, weights, now);
            let found = Command::DoctorFound {
                ranking: Arc::new(ranking),
            };
            match self.tell_order(id, &found).await {
                Ok(_) => return Ok(true),
                // Another order took the doctor's last place meanwhile: the next best.
                Err(error) if is_guard(&error, |guard| matches!(guard, Guard::TakeDoctor(_))) => {}
                Err(error) => return Err(error),
            }
        }
        let nobody_left = self.nobody_left(&order).await?;
        if nobody_left {
            self.tell_order(id, &Command::NoDoctor).await?;
        }
        Ok(nobody_left)
    }

    /// Whether every doctor of the department was asked and let it go: waiting is of no use then.
    async fn nobody_left(&self, order: &Consultation) -> Result<bool, EngineError> {
        let asked = order.detail.assignments.len();
        if asked == 0 {
            return Ok(false);
        }
        let everybody = Page {
            page: 1,
            limit: 100,
        };
        let department = Some(order.detail.department);
        let (doctors, total) = self
            .inner
            .store
            .list_doctors(department, None, everybody)
            .await?;
        let all_asked = doctors
            .iter()
            .all(|doctor| order.detail.was_asked(doctor.user));
        Ok(all_asked && usize::try_from(total).is_ok_and(|total| total == doctors.len()))
    }
}
