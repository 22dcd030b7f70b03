//! Which doctor is asked first (spec 10, dispatch mode). Whole numbers, so that the order of
//! candidates is the same on every machine.

use crate::{Ts, UserId};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// How much each part counts, in parts of their sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Speciality against complaint.
    pub speciality: u32,
    /// How often the doctor accepts.
    pub acceptance: u32,
    /// How free the doctor is.
    pub load: u32,
    /// How long the doctor has waited for an order.
    pub fairness: u32,
    /// What patients say.
    pub rating: u32,
    /// Whether the doctor knows the patient.
    pub continuity: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            speciality: 300,
            acceptance: 200,
            load: 200,
            fairness: 150,
            rating: 100,
            continuity: 50,
        }
    }
}

/// What the parts of a score and their weights are called, in the order of [`Weights::parts`] and
/// [`Score::parts`].
pub const PARTS: [&str; 6] = [
    "speciality",
    "acceptance",
    "load",
    "fairness",
    "rating",
    "continuity",
];

impl Weights {
    /// The weights, as [`PARTS`] names them.
    pub const fn parts(&self) -> [u32; 6] {
        [
            self.speciality,
            self.acceptance,
            self.load,
            self.fairness,
            self.rating,
            self.continuity,
        ]
    }

    /// Weights from their parts, as [`PARTS`] names them.
    pub const fn of_parts(parts: [u32; 6]) -> Self {
        let [speciality, acceptance, load, fairness, rating, continuity] = parts;
        Self {
            speciality,
            acceptance,
            load,
            fairness,
            rating,
            continuity,
        }
    }
}

/// A doctor who may be asked: online, of the department, licensed for the type, with room, and not
/// asked before for this order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub doctor: UserId,
    /// What the doctor treats, as words that complaints use.
    pub specialities: Vec<String>,
    /// Offers accepted, decayed over time, in hundredths.
    pub accepted: u32,
    /// Offers made, decayed over time, in hundredths.
    pub offered: u32,
    /// Consultations in hand now.
    pub active: u32,
    /// How many at most.
    pub limit: u32,
    /// When the last order came; `None` if never.
    pub last_order_at: Option<Ts>,
    /// The sum of all stars.
    pub stars: u32,
    /// How many ratings.
    pub ratings: u32,
    /// Whether the doctor treated this patient before.
    pub knows_patient: bool,
}

/// Why a doctor was asked: each part from 0 to 1000, and the weighted whole, from 0 to 1000.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Score {
    /// Speciality against complaint.
    pub speciality: u32,
    /// How often the doctor accepts; a new doctor starts at 800.
    pub acceptance: u32,
    /// How free the doctor is.
    pub load: u32,
    /// How long the doctor has waited, 1000 from an hour on.
    pub fairness: u32,
    /// What patients say, pulled towards 4.5 stars while ratings are few.
    pub rating: u32,
    /// 1000 if the doctor knows the patient.
    pub continuity: u32,
    /// The weighted whole.
    pub total: u32,
}

impl Score {
    /// The parts without the whole, as [`PARTS`] names them.
    pub const fn parts(&self) -> [u32; 6] {
        [
            self.speciality,
            self.acceptance,
            self.load,
            self.fairness,
            self.rating,
            self.continuity,
        ]
    }
}

/// The candidates, best first, with their scores. Ties go to whoever has waited longest, then by id.
pub fn rank<'a>(
    complaint: &str,
    candidates: &'a [Candidate],
    weights: &Weights,
    now: Ts,
) -> Vec<(&'a Candidate, Score)> {
    let mut scored: Vec<(&Candidate, Score)> = candidates
        .iter()
        .map(|c| (c, score(complaint, c, weights, now)))
        .collect();
    scored.sort_by_key(|(c, s)| (Reverse(s.total), c.last_order_at, c.doctor));
    scored
}

/// One candidate's score.
pub fn score(complaint: &str, candidate: &Candidate, weights: &Weights, now: Ts) -> Score {
    let complaint = complaint.to_lowercase();
    let matches = candidate
        .specialities
        .iter()
        .any(|word| !word.is_empty() && complaint.contains(&word.to_lowercase()));
    let waited = candidate
        .last_order_at
        .map_or(3600, |at| now.since(at).as_seconds());
    let mut score = Score {
        // Everybody here is of the right department, which is worth something by itself.
        speciality: if matches { 1000 } else { 300 },
        acceptance: ratio(candidate.accepted + 800, candidate.offered + 1000),
        load: 1000 - ratio(candidate.active, candidate.limit),
        fairness: ratio(u32::try_from(waited.clamp(0, 3600)).unwrap_or(3600), 3600),
        // Twenty ratings of 4.5 stars stand in for the unknown.
        rating: ratio(candidate.stars * 10 + 900, (candidate.ratings + 20) * 50),
        continuity: if candidate.knows_patient { 1000 } else { 0 },
        total: 0,
    };
    let weighed = score.parts().into_iter().zip(weights.parts());
    let sum: u64 = weighed
        .map(|(part, weight)| u64::from(part) * u64::from(weight))
        .sum();
    let whole: u64 = weights.parts().into_iter().map(u64::from).sum();
    score.total = u32::try_from(sum / whole.max(1)).unwrap_or(1000);
    score
}

/// A part of a whole in thousandths, 0 to 1000.
fn ratio(part: u32, whole: u32) -> u32 {
    let thousandths = u64::from(part) * 1000 / u64::from(whole.max(1));
    u32::try_from(thousandths.min(1000)).unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;
    use uuid::Uuid;

    fn doctor(id: u128) -> Candidate {
        Candidate {
            doctor: UserId(Uuid::from_u128(id)),
            specialities: vec!["头痛".to_owned(), "headache".to_owned()],
            accepted: 0,
            offered: 0,
            active: 0,
            limit: 5,
            last_order_at: None,
            stars: 0,
            ratings: 0,
            knows_patient: false,
        }
    }

    fn first(complaint: &str, candidates: &[Candidate]) -> u128 {
        let now = Ts::from_micros(1_000_000_000_000);
        let ranked = rank(complaint, candidates, &Weights::default(), now);
        ranked[0].0.doctor.0.as_u128()
    }

    #[test]
    fn each_part_alone_decides_between_two_who_are_otherwise_alike() {
        let plain = doctor(1);
        let other = |change: fn(&mut Candidate)| {
            let mut better = doctor(2);
            change(&mut better);
            [plain.clone(), better]
        };
        assert_eq!(
            first("咳嗽", &other(|c| c.specialities = vec!["咳嗽".into()])),
            2
        );
        assert_eq!(
            first("咳嗽", &other(|c| (c.accepted, c.offered) = (1000, 1000))),
            2
        );
        assert_eq!(
            first("咳嗽", &other(|c| c.limit = 50)),
            1,
            "an empty desk is an empty desk"
        );
        assert_eq!(
            first("咳嗽", &other(|c| (c.stars, c.ratings) = (100, 20))),
            2
        );
        assert_eq!(first("咳嗽", &other(|c| c.knows_patient = true)), 2);
        assert_eq!(first("咳嗽", &other(|c| c.active = 1)), 1);
        let recent = |c: &mut Candidate| {
            c.last_order_at = Some(Ts::from_micros(1_000_000_000_000) - Span::minutes(5));
        };
        assert_eq!(first("咳嗽", &other(recent)), 1);
    }

    #[test]
    fn parts_stand_where_their_names_do() {
        let weights = Weights::default();
        let named = serde_json::to_value(weights).unwrap();
        for (name, weight) in PARTS.into_iter().zip(weights.parts()) {
            assert_eq!(named[name], weight, "{name}");
        }
        assert_eq!(Weights::of_parts(weights.parts()), weights);
        let now = Ts::from_micros(1_000_000_000_000);
        let score = score("headache", &doctor(1), &weights, now);
        let named = serde_json::to_value(score).unwrap();
        for (name, part) in PARTS.into_iter().zip(score.parts()) {
            assert_eq!(named[name], part, "{name}");
        }
    }

    #[test]
    fn equals_are_asked_by_who_waited_longest_and_then_by_id() {
        let now = Ts::from_micros(1_000_000_000_000);
        let mut early = doctor(9);
        early.last_order_at = Some(now - Span::hours(3));
        let mut late = doctor(2);
        late.last_order_at = Some(now - Span::hours(2));
        assert_eq!(first("", &[late, early]), 9);
        assert_eq!(first("", &[doctor(2), doctor(1)]), 1);
    }
}
