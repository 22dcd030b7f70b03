//! Reconciliation: each gateway's bill of a day is held against our books, each night and on demand;
//! what differs is kept, told, and settled by people (spec 20).
//!
//! A run asks the gateway, and writes what it found in one transaction. A decision about a difference
//! is a commit like any other, and what the program has to do for it is an effect after that commit.

mod asking;
mod decide;
mod nightly;
mod repair;
mod run;
mod settings;

pub use asking::Said;
pub use decide::{Decided, RepairPreview};
pub use settings::ReconciliationSettings;
pub(crate) use settings::sensible;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::gateways::Guarded;
use crate::ids::new_id;
use connectors::gateway::PayKind;
use domain::order::Actor;
use domain::payment::GatewayName;
use domain::reconciliation::{DifferenceStatus, Repair};
use domain::{DifferenceId, ReconciliationId, Ts};
use store::{DifferenceRow, ReconciliationStep};

/// Where a difference was before a step and is after it.
type Move = (Option<DifferenceStatus>, Option<DifferenceStatus>);

impl Engine {
    /// The gateways that make bills: not those at whose counter an operator takes the money.
    pub fn billing_gateways(&self) -> Vec<GatewayName> {
        let gateways = &self.inner.gateways;
        let mut names = gateways.names();
        names.retain(|name| gateways.get(*name, self.now()).is_ok_and(makes_bills));
        names
    }
}

/// Whether a gateway makes bills.
fn makes_bills(gateway: Guarded<'_>) -> bool {
    let mut methods = gateway.terms().methods.iter();
    methods.any(|method| method.kind != PayKind::Counter)
}

/// A step to be written down, by the program unless a decision says otherwise.
fn step(
    of: ReconciliationId,
    difference: Option<DifferenceId>,
    name: &str,
    (from, to): Move,
    now: Ts,
) -> ReconciliationStep {
    ReconciliationStep {
        id: new_id(now),
        reconciliation: of,
        difference,
        at: now,
        step: name.to_owned(),
        from,
        to,
        repair: None,
        note: None,
        actor_role: Actor::SYSTEM.role,
        actor: None,
        request_id: None,
    }
}

/// The repair that a difference was decided to have.
fn decided_repair(row: &DifferenceRow) -> Result<Repair, EngineError> {
    row.repair.ok_or_else(|| {
        EngineError::Corrupt(format!(
            "difference {} is approved without a repair",
            row.id
        ))
    })
}
