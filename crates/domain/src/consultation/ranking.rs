//! Why a doctor was asked: what was known of every candidate, kept with the assignment so that
//! operations can see it (spec 10, dispatch mode) and a day can be replayed.

use super::matching::{Candidate, Score, Weights};
use crate::{Ts, UserId};
use serde::{Deserialize, Serialize};

/// How many candidates are kept with an assignment, best first.
pub const KEPT: usize = 50;

/// A candidate as they stood in a ranking.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ranked {
    /// What was known of them.
    pub candidate: Candidate,
    /// What that came to.
    pub score: Score,
    /// Whether their last place was taken by another order before this one could be offered: they
    /// stand before the one who was asked, and could not be.
    pub passed_over: bool,
}

/// A ranking, and who was asked by it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ranking {
    /// When: waiting times count up to here.
    pub at: Ts,
    /// What the patient came with, against which specialities were held.
    pub complaint: String,
    /// How much each part counted.
    pub weights: Weights,
    /// Who was asked.
    pub chosen: UserId,
    /// The candidates, best first: [`KEPT`] at most, and the one who was asked among them.
    pub candidates: Vec<Ranked>,
    /// How many candidates there were in all.
    pub count: u32,
}

impl Ranking {
    /// The ranking by which this candidate is asked, all better ones having lost their place.
    pub fn choosing(
        chosen: UserId,
        ranked: &[(&Candidate, Score)],
        complaint: &str,
        weights: &Weights,
        at: Ts,
    ) -> Self {
        let place = ranked
            .iter()
            .position(|(candidate, _)| candidate.doctor == chosen)
            .unwrap_or(0);
        let kept = |(index, (candidate, score)): (usize, &(&Candidate, Score))| Ranked {
            candidate: (*candidate).clone(),
            score: *score,
            passed_over: index < place,
        };
        let numbered = ranked.iter().enumerate();
        // Whoever was asked is kept, however far down they stood.
        let kept_places =
            |index: usize| index == place || index < KEPT - usize::from(place >= KEPT);
        Self {
            at,
            complaint: complaint.to_owned(),
            weights: *weights,
            chosen,
            candidates: numbered
                .filter(|(index, _)| kept_places(*index))
                .map(kept)
                .collect(),
            count: u32::try_from(ranked.len()).unwrap_or(u32::MAX),
        }
    }

    /// The score of whoever was asked.
    pub fn score(&self) -> Score {
        let chosen = self
            .candidates
            .iter()
            .find(|r| r.candidate.doctor == self.chosen);
        chosen.map_or_else(Score::default, |ranked| ranked.score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consultation::matching::rank;
    use uuid::Uuid;

    fn candidates(count: u32) -> Vec<Candidate> {
        let candidate = |number: u32| Candidate {
            doctor: UserId(Uuid::from_u128(u128::from(number))),
            specialities: Vec::new(),
            accepted: 0,
            offered: 0,
            active: number,
            limit: 1000,
            last_order_at: None,
            stars: 0,
            ratings: 0,
            knows_patient: false,
        };
        (0..count).map(candidate).collect()
    }

    fn choosing(place: usize, of: u32) -> Ranking {
        let (now, weights) = (Ts::from_micros(1_000_000_000_000), Weights::default());
        let candidates = candidates(of);
        let ranked = rank("咳嗽", &candidates, &weights, now);
        Ranking::choosing(ranked[place].0.doctor, &ranked, "咳嗽", &weights, now)
    }

    #[test]
    fn the_best_are_kept_and_the_number_of_all() {
        let first = choosing(0, 300);
        assert_eq!((first.candidates.len(), first.count), (KEPT, 300));
        assert_eq!(first.candidates[0].candidate.doctor, first.chosen);
        assert!(first.candidates.iter().all(|ranked| !ranked.passed_over));
        let totals: Vec<u32> = first.candidates.iter().map(|r| r.score.total).collect();
        assert!(totals.is_sorted_by(|a, b| a >= b));
        assert_eq!(choosing(0, 3).candidates.len(), 3);
    }

    #[test]
    fn whoever_was_asked_is_kept_and_those_before_were_passed_over() {
        for place in [1, 48, 49, 50, 51, 299] {
            let ranking = choosing(place, 300);
            assert_eq!(ranking.candidates.len(), KEPT, "{place}");
            let own = ranking
                .candidates
                .iter()
                .position(|r| r.candidate.doctor == ranking.chosen);
            let own = own.unwrap();
            assert_eq!(own, place.min(KEPT - 1));
            assert_eq!(ranking.score(), ranking.candidates[own].score);
            for (index, ranked) in ranking.candidates.iter().enumerate() {
                assert_eq!(ranked.passed_over, index < own, "{place}: {index}");
            }
        }
    }
}
