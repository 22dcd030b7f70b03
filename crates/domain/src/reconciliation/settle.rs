//! Who may do what about a difference (spec 20): one person proposes; above a set amount, another one
//! approves.

use super::difference::Difference;
use super::kind::DifferenceKind;
use super::repair::Repair;
use crate::lifecycle::Status;
use crate::{Money, UserId, lifecycle};
use thiserror::Error;

lifecycle! {
    /// Where a difference stands.
    DifferenceStatus of "difference" {
        10 Open OPEN "待处理" "Open" Both Operations => [Proposed, Approved, Applied, Accepted, Explained, Gone];
        20 Proposed PROPOSED "待复核" "Waits for a second person" Both Operations => [Proposed, Approved, Applied, Accepted, Gone];
        30 Approved APPROVED "处理中" "Being repaired" Both System => [Open, Applied];
        40 Applied APPLIED "已修复" "Repaired" Both Nobody => [];
        50 Accepted ACCEPTED "已接受" "Accepted" Both Nobody => [];
        60 Explained EXPLAINED "已解释" "Explained" Both Nobody => [];
        70 Gone GONE "复核后不再存在" "No longer found" Both Nobody => [Open, Explained];
    }
}

impl DifferenceStatus {
    /// Where a difference stands that was just found.
    pub const fn of_new(difference: &Difference) -> Self {
        if difference.is_explained {
            Self::Explained
        } else {
            Self::Open
        }
    }

    /// Whether somebody, or the program, still has to do something.
    pub const fn is_unsettled(self) -> bool {
        matches!(self, Self::Open | Self::Proposed | Self::Approved)
    }
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// A repair; [`Repair::Accept`] is one.
    Propose {
        /// Which.
        repair: Repair,
        /// Why; some repairs need it.
        reason: Option<String>,
    },
    /// What another person proposed.
    Approve,
}

/// A difference, as far as a decision about it needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// What kind it is.
    pub kind: DifferenceKind,
    /// Where it stands.
    pub status: DifferenceStatus,
    /// [`Difference::at_stake`].
    pub at_stake: Vec<Money>,
    /// What was proposed last.
    pub repair: Option<Repair>,
    /// By whom.
    pub proposed_by: Option<UserId>,
    /// Who approved it.
    pub approved_by: Option<UserId>,
}

/// What is to happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ruling {
    /// Where the difference stands then.
    pub to: DifferenceStatus,
    /// Which repair it is about.
    pub repair: Repair,
}

impl Ruling {
    /// Whether the program has to do the repair now.
    pub const fn starts(&self) -> bool {
        matches!(self.to, DifferenceStatus::Approved)
    }
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// This is to happen.
    Ruled(Ruling),
    /// It was asked before by the same person: clicks come twice.
    AlreadyDone,
}

/// Why nothing happens.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SettleRefusal {
    /// Where the difference stands does not take it.
    #[error("a difference that is {status} can't be decided about that way")]
    Status {
        /// Where it stands, as its constant.
        status: &'static str,
    },
    /// Whoever proposed can't approve.
    #[error("the amount needs a second person: somebody else must approve what you proposed")]
    SamePerson,
    /// The repair doesn't fit the kind.
    #[error("{} does not settle {}: use {}", repair.constant(), kind.constant(), allowed(*kind))]
    NotThat {
        /// The kind.
        kind: DifferenceKind,
        /// What was asked for.
        repair: Repair,
    },
    /// No counterparty proves it, so a person must.
    #[error("a reason is needed for {}", repair.constant())]
    NoReason {
        /// What was asked for.
        repair: Repair,
    },
}

/// The repairs of a kind, in words.
fn allowed(kind: DifferenceKind) -> String {
    let all: Vec<&str> = Repair::ALL
        .iter()
        .filter(|repair| kind.may_be(**repair) && **repair != Repair::AwaitBill)
        .map(|repair| repair.constant())
        .collect();
    all.join(", ")
}

impl Case {
    /// Whether two people are needed: what is at stake is above the limit of its currency, or its
    /// currency has none.
    pub fn needs_two(&self, limits: &[Money]) -> bool {
        let is_above = |stake: &Money| {
            let mut limits = limits.iter();
            let limit = limits.find(|limit| limit.currency == stake.currency);
            limit.is_none_or(|limit| stake.amount > limit.amount)
        };
        self.at_stake.iter().any(is_above)
    }
}

/// Decides what becomes of a difference.
pub fn settle(
    case: &Case,
    ask: &Ask,
    by: UserId,
    limits: &[Money],
) -> Result<Outcome, SettleRefusal> {
    match ask {
        Ask::Propose { repair, reason } => propose(case, *repair, reason.as_deref(), by, limits),
        Ask::Approve => approve(case, by),
    }
}

fn propose(
    case: &Case,
    repair: Repair,
    reason: Option<&str>,
    by: UserId,
    limits: &[Money],
) -> Result<Outcome, SettleRefusal> {
    use DifferenceStatus as S;
    let is_mine = case.repair == Some(repair) && case.proposed_by == Some(by);
    match case.status {
        S::Open => {}
        S::Proposed if is_mine => return Ok(Outcome::AlreadyDone),
        S::Proposed => {}
        S::Approved | S::Applied | S::Accepted if is_mine => return Ok(Outcome::AlreadyDone),
        S::Approved | S::Applied | S::Accepted | S::Explained | S::Gone => {
            return Err(refused(case.status));
        }
    }
    if repair == Repair::AwaitBill || !case.kind.may_be(repair) {
        let kind = case.kind;
        return Err(SettleRefusal::NotThat { kind, repair });
    }
    if repair.needs_reason() && reason.is_none_or(|reason| reason.trim().is_empty()) {
        return Err(SettleRefusal::NoReason { repair });
    }
    let to = if case.needs_two(limits) {
        S::Proposed
    } else {
        decided(repair)
    };
    Ok(Outcome::Ruled(Ruling { to, repair }))
}

fn approve(case: &Case, by: UserId) -> Result<Outcome, SettleRefusal> {
    use DifferenceStatus as S;
    match (case.status, case.repair) {
        (S::Proposed, Some(_)) if case.proposed_by == Some(by) => Err(SettleRefusal::SamePerson),
        (S::Proposed, Some(repair)) => Ok(Outcome::Ruled(Ruling {
            to: decided(repair),
            repair,
        })),
        (S::Approved | S::Applied | S::Accepted, _) if case.approved_by == Some(by) => {
            Ok(Outcome::AlreadyDone)
        }
        (S::Open | S::Proposed | S::Approved, _)
        | (S::Applied | S::Accepted | S::Explained | S::Gone, _) => Err(refused(case.status)),
    }
}

/// Where a difference stands once enough people have decided on this repair.
const fn decided(repair: Repair) -> DifferenceStatus {
    match repair {
        Repair::QueryPayment | Repair::QueryRefund | Repair::RecordSuspense => {
            DifferenceStatus::Approved
        }
        // Done by whoever says so, outside the program.
        Repair::ReturnMoney => DifferenceStatus::Applied,
        Repair::Accept | Repair::AwaitBill => DifferenceStatus::Accepted,
    }
}

fn refused(status: DifferenceStatus) -> SettleRefusal {
    SettleRefusal::Status {
        status: status.constant(),
    }
}
