//! What people decide about a difference: seen before it is done, proposed, approved.

use super::{Said, step};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::{Answered, Origin};
use crate::preview::Preview;
use crate::reconciliation::ReconciliationSettings;
use crate::settings::reconciliation_settings;
use domain::ledger::Entry;
use domain::order::{Actor, Effect};
use domain::reconciliation::{Ask, Case, Outcome, Repair, Ruling, settle, suspense};
use domain::{DifferenceId, UserId};
use store::{Changes, CommitError, DifferenceChange, DifferenceRow, OutboxRow, ReconciliationStep};

/// How often a decision is made anew because somebody else was faster.
const TRIES: usize = 8;

/// What a repair would do, before anybody does it.
#[derive(Debug, Clone)]
pub struct RepairPreview {
    /// The difference as it is.
    pub row: DifferenceRow,
    /// The repair.
    pub repair: Repair,
    /// Whether a second person would have to approve it.
    pub needs_two: bool,
    /// What the gateway says, where it is asked.
    pub said: Option<Said>,
    /// What its answer would do to the order.
    pub order: Option<Preview>,
    /// What would be posted to the suspense account.
    pub entry: Option<Entry>,
}

/// What came of a decision.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The difference as it is now.
    pub row: DifferenceRow,
    /// `false` where the same person had decided the same before.
    pub applied: bool,
}

impl Engine {
    /// The setting of reconciliation as it is now.
    pub async fn reconciliation_settings(&self) -> Result<ReconciliationSettings, EngineError> {
        reconciliation_settings(&self.inner.store).await
    }

    async fn difference(&self, id: DifferenceId) -> Result<DifferenceRow, EngineError> {
        let found = self.inner.store.difference(id).await?;
        found.ok_or(EngineError::NoSuch {
            thing: "difference",
        })
    }

    /// What a repair would do in money and status. The gateway is asked, and nothing is changed.
    pub async fn preview_repair(
        &self,
        id: DifferenceId,
        repair: Repair,
    ) -> Result<RepairPreview, EngineError> {
        let row = self.difference(id).await?;
        let kind = row.difference.kind;
        if repair == Repair::AwaitBill || !kind.may_be(repair) {
            return Err(domain::reconciliation::SettleRefusal::NotThat { kind, repair }.into());
        }
        let limits = self.reconciliation_settings().await?.approval_limits;
        let said = self.ask_gateway(&row, repair).await?;
        let order = match &said {
            Some(Said::Proof { order, command, .. }) => {
                Some(self.preview(*order, command, Actor::GATEWAY).await?)
            }
            Some(Said::SendAgain { .. } | Said::AsOurBooks { .. } | Said::NoProof { .. })
            | None => None,
        };
        let entry = match repair {
            Repair::RecordSuspense => Some(self.suspense_entry(&row)?),
            _ => None,
        };
        Ok(RepairPreview {
            needs_two: case_of(&row).needs_two(&limits),
            row,
            repair,
            said,
            order,
            entry,
        })
    }

    /// What is posted where a difference is put on suspense.
    pub(super) fn suspense_entry(&self, row: &DifferenceRow) -> Result<Entry, EngineError> {
        let gap = row.difference.gap();
        suspense(row.gateway, &gap).map_err(|why| EngineError::Invalid {
            field: "repair",
            why: format!("nothing can be put on suspense: {why}"),
        })
    }

    /// Decides about a difference, as a person. What the program has to do for it is done after the
    /// commit.
    pub async fn decide_difference(
        &self,
        id: DifferenceId,
        ask: &Ask,
        by: UserId,
        actor: Actor,
        origin: &Origin,
    ) -> Result<Decided, EngineError> {
        let limits = self.reconciliation_settings().await?.approval_limits;
        for _ in 0..TRIES {
            let row = self.difference(id).await?;
            let ruling = match settle(&case_of(&row), ask, by, &limits)? {
                Outcome::AlreadyDone => {
                    return Ok(Decided {
                        row,
                        applied: false,
                    });
                }
                Outcome::Ruled(ruling) => ruling,
            };
            if ruling.repair == Repair::RecordSuspense {
                self.suspense_entry(&row)?;
            }
            let changes = self.decision(&row, ask, ruling, by, actor, origin);
            let after = changes
                .difference
                .as_ref()
                .map(|change| change.after.clone());
            match self.inner.store.commit(changes).await {
                Err(CommitError::Moved) => {}
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    if ruling.starts() {
                        self.wake();
                    }
                    return Ok(Decided {
                        row: after.unwrap_or(row),
                        applied: true,
                    });
                }
            }
        }
        Err(EngineError::Contended)
    }

    fn decision(
        &self,
        row: &DifferenceRow,
        ask: &Ask,
        ruling: Ruling,
        by: UserId,
        actor: Actor,
        origin: &Origin,
    ) -> Changes {
        let now = self.now();
        let mut after = DifferenceRow {
            version: row.version + 1,
            status: ruling.to,
            repair: Some(ruling.repair),
            result: None,
            updated_at: now,
            ..row.clone()
        };
        let name = match ask {
            Ask::Propose { reason, .. } => {
                after.proposed_by = Some(by);
                after.reason.clone_from(reason);
                let is_alone = ruling.to != domain::reconciliation::DifferenceStatus::Proposed;
                after.approved_by = is_alone.then_some(by);
                "propose"
            }
            Ask::Approve => {
                after.approved_by = Some(by);
                "approve"
            }
        };
        let moved = (Some(row.status), Some(ruling.to));
        let step = ReconciliationStep {
            repair: Some(ruling.repair),
            note: after.reason.clone(),
            actor_role: actor.role,
            actor: actor.user,
            request_id: origin.request_id.clone(),
            ..step(row.reconciliation, Some(row.id), name, moved, now)
        };
        let repair = Effect::Repair { difference: row.id };
        Changes {
            outbox: ruling
                .starts()
                .then(|| self.loose_effect(repair, origin))
                .into_iter()
                .collect::<Vec<OutboxRow>>(),
            idempotency: origin.kept(Answered::Difference(&after), now),
            difference: Some(DifferenceChange {
                decided_on: row.version,
                after,
                step,
            }),
            ..Changes::default()
        }
    }
}

/// A difference as far as a decision about it needs to know.
fn case_of(row: &DifferenceRow) -> Case {
    Case {
        kind: row.difference.kind,
        status: row.status,
        at_stake: row.difference.at_stake(),
        repair: row.repair,
        proposed_by: row.proposed_by,
        approved_by: row.approved_by,
    }
}
