//! A second look at the same day: what it does to what the first one found. What people decided
//! stays; what nobody had decided and is no longer found is gone.

use super::difference::Difference;
use super::settle::DifferenceStatus;
use crate::DifferenceId;
use std::collections::{BTreeMap, BTreeSet};

/// A difference that an earlier run found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its id.
    pub id: DifferenceId,
    /// [`Difference::identity`].
    pub identity: String,
    /// Where it stands.
    pub status: DifferenceStatus,
}

/// What a second run changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rerun {
    /// Places in the list of what was found now: not known before.
    pub new: Vec<usize>,
    /// Known, and decided about by nobody: those places take the place of these rows' content, and
    /// stand as [`DifferenceStatus::of_new`] says.
    pub again: Vec<(DifferenceId, usize)>,
    /// Known, decided about by nobody, and no longer found.
    pub gone: Vec<DifferenceId>,
}

/// Holds what is found now against what was found before.
pub fn rerun(before: &[Found], now: &[Difference]) -> Rerun {
    use DifferenceStatus as S;
    let known: BTreeMap<&str, &Found> = before
        .iter()
        .map(|found| (found.identity.as_str(), found))
        .collect();
    let mut change = Rerun::default();
    let mut still_there = BTreeSet::new();
    for (place, difference) in now.iter().enumerate() {
        let Some(found) = known.get(difference.identity().as_str()) else {
            change.new.push(place);
            continue;
        };
        still_there.insert(found.id);
        match found.status {
            S::Open | S::Gone => change.again.push((found.id, place)),
            // The new run says the same again, and what somebody is doing or did about it stands.
            S::Proposed | S::Approved | S::Applied | S::Accepted | S::Explained => {}
        }
    }
    for found in before
        .iter()
        .filter(|found| !still_there.contains(&found.id))
    {
        match found.status {
            S::Open | S::Proposed => change.gone.push(found.id),
            S::Approved | S::Applied | S::Accepted | S::Explained | S::Gone => {}
        }
    }
    change
}
