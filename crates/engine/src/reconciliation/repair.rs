//! The effect of a decision about a difference. It may be done twice, and the outcome is as if it had
//! been done once: what the gateway proves is told to the order once, and an entry is written with the
//! difference's own step.

use super::{Said, decided_repair, step};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::ids::new_id;
use crate::relay::Tried;
use domain::DifferenceId;
use domain::reconciliation::{DifferenceStatus, Repair};
use store::{
    Changes, CommitError, DifferenceChange, DifferenceRow, EntryRow, OutboxRow, ReconciliationStep,
};

impl Engine {
    /// Repairs a difference as it was decided.
    pub(crate) async fn repair(
        &self,
        effect: &OutboxRow,
        id: DifferenceId,
    ) -> Result<Tried, EngineError> {
        let Some(row) = self.inner.store.difference(id).await? else {
            return Ok(Tried::Done);
        };
        if row.status != DifferenceStatus::Approved {
            return Ok(Tried::Done);
        }
        match decided_repair(&row)? {
            repair @ (Repair::QueryPayment | Repair::QueryRefund) => {
                self.repair_by_asking(effect, &row, repair).await
            }
            Repair::RecordSuspense => self.record_suspense(effect, &row).await,
            // Done by people: they never come here.
            Repair::ReturnMoney | Repair::Accept | Repair::AwaitBill => Ok(Tried::Done),
        }
    }

    async fn repair_by_asking(
        &self,
        effect: &OutboxRow,
        row: &DifferenceRow,
        repair: Repair,
    ) -> Result<Tried, EngineError> {
        let said = match self.ask_gateway(row, repair).await {
            Ok(Some(said)) => said,
            Ok(None) => return Ok(Tried::Done),
            // Nothing was done there: it is asked again.
            Err(EngineError::Gateway(error)) => return Ok(Tried::NotYet(Some(error.to_string()))),
            Err(error) => return Err(error),
        };
        match &said {
            Said::Proof { order, command, .. } => {
                self.tell_order(*order, command).await?;
            }
            Said::SendAgain { order, refund, .. } => {
                let request_id = effect.request_id.clone();
                self.send_again(*order, *refund, request_id).await?;
            }
            Said::AsOurBooks { .. } | Said::NoProof { .. } => {}
        }
        let (to, name) = if said.settles() {
            (DifferenceStatus::Applied, "applied")
        } else {
            (DifferenceStatus::Open, "not_repaired")
        };
        let changes = self.ended(effect, row, to, name, said.words());
        self.end_repair(changes).await
    }

    async fn record_suspense(
        &self,
        effect: &OutboxRow,
        row: &DifferenceRow,
    ) -> Result<Tried, EngineError> {
        let entry = self.suspense_entry(row)?;
        let gap: Vec<String> = row
            .difference
            .gap()
            .iter()
            .map(ToString::to_string)
            .collect();
        let now = self.now();
        let words = format!("put on suspense: {}", gap.join(", "));
        let mut changes = self.ended(effect, row, DifferenceStatus::Applied, "applied", &words);
        changes.entries = vec![EntryRow {
            id: new_id(now),
            order: row.difference.order.unwrap_or(EntryRow::NO_ORDER),
            kind: entry.kind(),
            postings: entry.postings().to_vec(),
            at: now,
        }];
        self.end_repair(changes).await
    }

    /// The difference with what came of its repair; the effect's row goes with it.
    fn ended(
        &self,
        effect: &OutboxRow,
        row: &DifferenceRow,
        to: DifferenceStatus,
        name: &str,
        words: &str,
    ) -> Changes {
        let now = self.now();
        let after = DifferenceRow {
            version: row.version + 1,
            status: to,
            result: Some(words.to_owned()),
            updated_at: now,
            ..row.clone()
        };
        let moved = (Some(row.status), Some(to));
        let step = ReconciliationStep {
            repair: row.repair,
            note: Some(words.to_owned()),
            request_id: effect.request_id.clone(),
            ..step(row.reconciliation, Some(row.id), name, moved, now)
        };
        let difference = DifferenceChange {
            decided_on: row.version,
            after,
            step,
        };
        Changes {
            difference: Some(difference),
            done: vec![effect.id],
            ..Changes::default()
        }
    }

    async fn end_repair(&self, changes: Changes) -> Result<Tried, EngineError> {
        match self.inner.store.commit(changes).await {
            Ok(()) => Ok(Tried::Finished),
            // Another node did the same effect.
            Err(CommitError::Moved) => Ok(Tried::NotYet(None)),
            Err(error) => Err(error.into()),
        }
    }
}
