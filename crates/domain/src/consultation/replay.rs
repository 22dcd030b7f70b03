//! A day's offers once more, under other weights: who would have been asked instead, and how evenly
//! orders would have fallen to doctors.
//!
//! A choice that changes moves a consultation from one doctor's hands into another's, and with it
//! the time of their last order; both are carried forward to every later choice of the day. What
//! nobody can know stays as it was: when orders came, how each offer ended and how long its doctor
//! was busy with it, whoever had it; acceptance rates and ratings; and doctors who were no
//! candidates then.

use super::detail::AssignmentEnd;
use super::fairness::gini;
use super::matching::{Candidate, PARTS, Weights, rank};
use super::ranking::{KEPT, Ranking};
use crate::{OrderId, Ts, UserId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use thiserror::Error;

/// The largest weight that makes sense to anybody.
const LARGEST: u32 = 1_000_000;

/// Weights that are replaced; the others stay what they were for each assignment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WeightChanges([Option<u32>; 6]);

/// Why a text is no weights.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum WeightsError {
    /// It is not a name and a number.
    #[error("`{0}` is no weight: write its name and a number, such as speciality=300")]
    NoPair(String),
    /// Nobody knows the name.
    #[error("`{name}` is the name of no weight: use {}", PARTS.join(", "))]
    Unknown {
        /// It.
        name: String,
    },
    /// It is negative, too large or no number.
    #[error("{name} is `{given}`: a weight is a whole number from 0 to {LARGEST}")]
    NoNumber {
        /// Whose.
        name: &'static str,
        /// What was given.
        given: String,
    },
    /// The same name comes twice.
    #[error("{0} is given twice: give each weight once")]
    Twice(&'static str),
    /// Nothing would count.
    #[error("all weights are 0: at least one must be above 0, or nobody is better than anybody")]
    Nothing,
}

impl FromStr for WeightChanges {
    type Err = WeightsError;

    /// Reads `speciality=300,acceptance=200`.
    fn from_str(text: &str) -> Result<Self, WeightsError> {
        let mut changes = Self::default();
        for pair in text.split(',').map(str::trim) {
            let Some((name, number)) = pair.split_once('=') else {
                return Err(WeightsError::NoPair(pair.to_owned()));
            };
            let (name, number) = (name.trim(), number.trim());
            let mut places = PARTS.into_iter().zip(&mut changes.0);
            let Some((name, place)) = places.find(|(known, _)| *known == name) else {
                return Err(WeightsError::Unknown {
                    name: name.to_owned(),
                });
            };
            if place.is_some() {
                return Err(WeightsError::Twice(name));
            }
            let weight = number.parse().ok().filter(|weight| *weight <= LARGEST);
            let given = number.to_owned();
            *place = Some(weight.ok_or(WeightsError::NoNumber { name, given })?);
        }
        if changes.0 == [Some(0); 6] {
            return Err(WeightsError::Nothing);
        }
        Ok(changes)
    }
}

impl WeightChanges {
    /// These weights with the changes made.
    pub fn apply(&self, weights: &Weights) -> Weights {
        let mut parts = weights.parts();
        for (part, change) in parts.iter_mut().zip(self.0) {
            *part = change.unwrap_or(*part);
        }
        Weights::of_parts(parts)
    }
}

/// An offer as it was made and kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PastOffer {
    /// Of which order.
    pub order: OrderId,
    /// By which ranking.
    pub ranking: Ranking,
    /// When the doctor's hands were free of it again; `None` while they are not.
    pub released_at: Option<Ts>,
    /// How it ended; `None` while it is open.
    pub end: Option<AssignmentEnd>,
}

/// How many orders a doctor was offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct DoctorOrders {
    /// Whom.
    pub doctor: UserId,
    /// As it was.
    pub before: u32,
    /// By the other weights.
    pub after: u32,
}

/// The mean of each part of the score of whoever was asked, in thousandths.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct MeanPart {
    /// The part's name.
    pub part: &'static str,
    /// As it was.
    pub before: u32,
    /// By the other weights.
    pub after: u32,
}

/// What a day would have been.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// How many offers there were.
    pub assignments: u32,
    /// How many would have gone to another doctor.
    pub moved: u32,
    /// How many would have found nobody with room among their candidates.
    pub unplaced: u32,
    /// How many had more candidates than are kept, so that somebody unknown might have been asked.
    pub cut_short: u32,
    /// Every doctor who was a candidate that day, those with most orders first.
    pub doctors: Vec<DoctorOrders>,
    /// The Gini coefficient of orders per doctor as it was, in thousandths.
    pub gini_before: u32,
    /// The same by the other weights.
    pub gini_after: u32,
    /// The parts of the scores.
    pub parts: Vec<MeanPart>,
}

/// Ranks the candidates of a day's offers once more. The offers come oldest first.
pub fn replay(offers: &[PastOffer], changes: &WeightChanges) -> Replay {
    let mut replaying = Replaying::new(*changes);
    for offer in offers {
        replaying.take(offer);
    }
    replaying.finish()
}

/// A replay under way, so that a long day need not be in memory at once.
#[derive(Clone, Debug, Default)]
pub struct Replaying {
    changes: WeightChanges,
    doctors: BTreeMap<UserId, Known>,
    orders: BTreeMap<OrderId, Asked>,
    shifts: Vec<Shift>,
    assignments: u32,
    moved: u32,
    unplaced: u32,
    cut_short: u32,
    parts_before: [u64; 6],
    parts_after: [u64; 6],
}

/// What is known of a doctor's day so far.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    before: u32,
    after: u32,
    /// Their last order before the first offer of the day.
    earlier: Option<Ts>,
    last_really: Option<Ts>,
    last_replayed: Option<Ts>,
}

/// Whom an order was offered to so far.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// Really, and let it go while they stayed.
    let_go: Vec<Candidate>,
    /// In the replay.
    replayed: BTreeSet<UserId>,
}

/// A consultation in other hands than it really was.
#[derive(Clone, Copy, Debug)]
struct Shift {
    from: UserId,
    to: Option<UserId>,
    until: Option<Ts>,
}

impl Replaying {
    /// Nothing replayed yet.
    pub fn new(changes: WeightChanges) -> Self {
        Self {
            changes,
            ..Self::default()
        }
    }

    /// Replays the next offer; offers come oldest first.
    pub fn take(&mut self, offer: &PastOffer) {
        let ranking = &offer.ranking;
        self.shifts
            .retain(|shift| shift.until.is_none_or(|until| until > ranking.at));
        for ranked in &ranking.candidates {
            let known = self.doctors.entry(ranked.candidate.doctor);
            known.or_insert_with(|| Known {
                earlier: ranked.candidate.last_order_at,
                ..Known::default()
            });
        }
        let candidates = self.candidates(offer);
        let weights = self.changes.apply(&ranking.weights);
        let ranked = rank(&ranking.complaint, &candidates, &weights, ranking.at);
        let best = ranked.first().map(|(best, score)| (best.doctor, *score));

        self.assignments += 1;
        self.cut_short += u32::from(usize::try_from(ranking.count).is_ok_and(|all| all > KEPT));
        add(&mut self.parts_before, ranking.score().parts());
        if let Some((_, score)) = best {
            add(&mut self.parts_after, score.parts());
        }
        self.note(offer, best.map(|(doctor, _)| doctor));
    }

    /// The candidates as they would have stood: with what the replay took from their hands or put
    /// there, without those who would have been asked before or had no room.
    fn candidates(&self, offer: &PastOffer) -> Vec<Candidate> {
        let real = offer.ranking.candidates.iter();
        let real = real.filter(|ranked| !ranked.passed_over);
        let mut candidates: Vec<Candidate> = real.map(|ranked| ranked.candidate.clone()).collect();
        if let Some(asked) = self.orders.get(&offer.order) {
            // Whoever really let it go, and would not have been asked, could be asked now.
            candidates.extend(asked.let_go.iter().cloned());
            candidates.retain(|candidate| !asked.replayed.contains(&candidate.doctor));
        }
        for candidate in &mut candidates {
            self.stand(candidate);
        }
        candidates.retain(|candidate| candidate.active < candidate.limit);
        candidates
    }

    /// A candidate's load and last order as the replay has them.
    fn stand(&self, candidate: &mut Candidate) {
        let doctor = candidate.doctor;
        for shift in &self.shifts {
            if shift.from == doctor {
                candidate.active = candidate.active.saturating_sub(1);
            }
            if shift.to == Some(doctor) {
                candidate.active = candidate.active.saturating_add(1);
            }
        }
        if let Some(known) = self.doctors.get(&doctor)
            && known.last_really != known.last_replayed
        {
            candidate.last_order_at = known.last_replayed.or(known.earlier);
        }
    }

    /// Writes down who was asked and who would have been.
    fn note(&mut self, offer: &PastOffer, best: Option<UserId>) {
        let (chosen, at) = (offer.ranking.chosen, offer.ranking.at);
        let really = self.doctors.entry(chosen).or_default();
        really.before += 1;
        really.last_really = Some(at);
        if let Some(best) = best {
            let replayed = self.doctors.entry(best).or_default();
            replayed.after += 1;
            replayed.last_replayed = Some(at);
        }
        if best != Some(chosen) {
            self.moved += u32::from(best.is_some());
            self.unplaced += u32::from(best.is_none());
            self.shifts.push(Shift {
                from: chosen,
                to: best,
                until: offer.released_at,
            });
        }
        let asked = self.orders.entry(offer.order).or_default();
        asked.replayed.extend(best);
        if matches!(
            offer.end,
            Some(AssignmentEnd::Declined | AssignmentEnd::TimedOut)
        ) {
            let kept = offer.ranking.candidates.iter();
            let kept = kept.map(|ranked| &ranked.candidate);
            asked
                .let_go
                .extend(kept.filter(|c| c.doctor == chosen).cloned());
        }
    }

    /// What came of it.
    pub fn finish(self) -> Replay {
        let orders = |(doctor, known): (UserId, Known)| DoctorOrders {
            doctor,
            before: known.before,
            after: known.after,
        };
        let mut doctors: Vec<DoctorOrders> = self.doctors.into_iter().map(orders).collect();
        doctors.sort_by_key(|row| (std::cmp::Reverse(row.before), row.doctor));
        let of = |count: fn(&DoctorOrders) -> u32| {
            let counts: Vec<u32> = doctors.iter().map(count).collect();
            gini(&counts)
        };
        let placed = self.assignments - self.unplaced;
        let sums = self.parts_before.into_iter().zip(self.parts_after);
        let mean = |(part, (before, after))| MeanPart {
            part,
            before: mean(before, self.assignments),
            after: mean(after, placed),
        };
        Replay {
            assignments: self.assignments,
            moved: self.moved,
            unplaced: self.unplaced,
            cut_short: self.cut_short,
            gini_before: of(|row| row.before),
            gini_after: of(|row| row.after),
            doctors,
            parts: PARTS.into_iter().zip(sums).map(mean).collect(),
        }
    }
}

fn add(sums: &mut [u64; 6], parts: [u32; 6]) {
    for (sum, part) in sums.iter_mut().zip(parts) {
        *sum += u64::from(part);
    }
}

fn mean(sum: u64, count: u32) -> u32 {
    u32::try_from(sum / u64::from(count.max(1))).unwrap_or(u32::MAX)
}
