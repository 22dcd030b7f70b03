//! A day in a department, simulated: patients come at random, doctors accept or decline, and every
//! choice is the dispatcher's own ranking. The same seed is the same day.

use domain::consultation::AssignmentEnd;
use domain::consultation::matching::{Candidate, Weights, rank};
use domain::consultation::ranking::Ranking;
use domain::consultation::replay::PastOffer;
use domain::{OrderId, Span, Ts, UserId};
use uuid::Uuid;

pub const BEGIN: Ts = Ts::from_micros(1_790_000_000_000_000);
const DOCTORS: usize = 12;
const ORDERS: usize = 600;
/// Ten hours of consultations.
const DAY: i64 = 10 * 3600;
/// Never again.
const OVER: Ts = Ts::from_micros(i64::MAX);
/// What patients come with; four doctors treat each.
const COMPLAINTS: [&str; 3] = ["headache", "cough", "rash"];

/// A source of chance that a seed starts (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, least: i64, most: i64) -> i64 {
        let width = u64::try_from(most - least + 1).unwrap();
        least + i64::try_from(self.next() % width).unwrap()
    }

    fn happens(&mut self, thousandths: u32) -> bool {
        self.next() % 1000 < u64::from(thousandths)
    }
}

struct Doctor {
    record: Candidate,
    /// How often they accept, in thousandths.
    accepts: u32,
    /// When their consultations and open offers end.
    hands: Vec<Ts>,
    orders: u32,
    /// Since when their hands are empty.
    idle_since: Ts,
}

/// What came of a day.
pub struct Day {
    /// Every offer, oldest first.
    pub offers: Vec<PastOffer>,
    /// How many orders each doctor accepted.
    pub accepted: Vec<u32>,
    /// The longest that a doctor sat with empty hands while an order that they were no worse for
    /// went to somebody busy, in minutes.
    pub passed_over_minutes: i64,
    /// The longest that a doctor sat with empty hands at all, while orders came, in minutes.
    pub idle_minutes: i64,
}

fn doctors(chance: &mut Chance) -> Vec<Doctor> {
    let doctor = |number: usize| {
        let ratings = u32::try_from(chance.between(0, 400)).unwrap();
        // From 4.0 to 5.0 stars.
        let tenths = u32::try_from(chance.between(40, 50)).unwrap();
        Doctor {
            record: Candidate {
                doctor: UserId(Uuid::from_u128(0xd0 + u128::try_from(number).unwrap())),
                specialities: vec![COMPLAINTS[number % COMPLAINTS.len()].to_owned()],
                accepted: 0,
                offered: 0,
                active: 0,
                limit: u32::try_from(chance.between(2, 4)).unwrap(),
                last_order_at: None,
                stars: ratings * tenths / 10,
                ratings,
                knows_patient: false,
            },
            accepts: u32::try_from(chance.between(800, 990)).unwrap(),
            hands: Vec::new(),
            orders: 0,
            idle_since: BEGIN,
        }
    };
    (0..DOCTORS).map(doctor).collect()
}

/// An order that waits for a doctor.
struct Waiting {
    order: OrderId,
    complaint: &'static str,
    came: Ts,
    asked: Vec<UserId>,
    /// Not offered before this time: an open offer is being thought about.
    from: Ts,
}

impl Day {
    /// A day under these weights. Orders are looked at every ten seconds, oldest first.
    pub fn under(weights: &Weights, seed: u64) -> Self {
        let mut chance = Chance(seed);
        let mut doctors = doctors(&mut chance);
        let mut coming: Vec<Waiting> = (0..ORDERS)
            .map(|number| Waiting {
                order: OrderId(Uuid::from_u128(0x1_0000 + u128::try_from(number).unwrap())),
                complaint: COMPLAINTS[usize::try_from(chance.between(0, 2)).unwrap()],
                came: BEGIN + Span::seconds(chance.between(0, DAY)),
                asked: Vec::new(),
                from: BEGIN,
            })
            .collect();
        coming.sort_by_key(|order| (order.came, order.order));
        let mut day = Self {
            offers: Vec::new(),
            accepted: Vec::new(),
            passed_over_minutes: 0,
            idle_minutes: 0,
        };
        for step in 0..(DAY + 3600) / 10 {
            let now = BEGIN + Span::seconds(step * 10);
            for doctor in &mut doctors {
                doctor.free(now);
            }
            for waiting in coming.iter_mut().filter(|w| w.came <= now && w.from <= now) {
                day.offer(waiting, &mut doctors, weights, now, &mut chance);
            }
            coming.retain(|waiting| waiting.from < OVER);
        }
        day.accepted = doctors.iter().map(|doctor| doctor.orders).collect();
        day
    }

    /// Offers an order to the best doctor with room, who accepts or declines.
    fn offer(
        &mut self,
        waiting: &mut Waiting,
        doctors: &mut [Doctor],
        weights: &Weights,
        now: Ts,
        chance: &mut Chance,
    ) {
        let with_room = doctors.iter().map(|doctor| &doctor.record);
        let candidates: Vec<Candidate> = with_room
            .filter(|c| c.active < c.limit && !waiting.asked.contains(&c.doctor))
            .cloned()
            .collect();
        let ranked = rank(waiting.complaint, &candidates, weights, now);
        let Some((best, _)) = ranked.first() else {
            return;
        };
        let chosen = best.doctor;
        self.watch(doctors, best, &candidates, waiting.complaint, now);
        let ranking = Ranking::choosing(chosen, &ranked, waiting.complaint, weights, now);
        let doctor = doctors
            .iter_mut()
            .find(|d| d.record.doctor == chosen)
            .unwrap();
        let accepts = chance.happens(doctor.accepts);
        let minutes = if accepts { chance.between(5, 20) } else { 1 };
        let until = now + Span::minutes(minutes);
        doctor.take(now, until, accepts);
        waiting.asked.push(chosen);
        let over = accepts || waiting.asked.len() == 3;
        waiting.from = if over { OVER } else { until };
        self.offers.push(PastOffer {
            order: waiting.order,
            ranking,
            released_at: Some(until),
            end: Some(if accepts {
                AssignmentEnd::Accepted
            } else {
                AssignmentEnd::Declined
            }),
        });
    }

    /// Notes who sat idle while this order went to somebody else.
    fn watch(
        &mut self,
        doctors: &[Doctor],
        best: &Candidate,
        candidates: &[Candidate],
        complaint: &str,
        now: Ts,
    ) {
        let treats = |c: &Candidate| c.specialities.iter().any(|word| word == complaint);
        for doctor in doctors.iter().filter(|doctor| doctor.hands.is_empty()) {
            let idle = now.since(doctor.idle_since).as_seconds() / 60;
            self.idle_minutes = self.idle_minutes.max(idle);
            let was_candidate = candidates.iter().any(|c| c.doctor == doctor.record.doctor);
            let no_worse = treats(&doctor.record) || !treats(best);
            if was_candidate && no_worse && best.active > 0 {
                self.passed_over_minutes = self.passed_over_minutes.max(idle);
            }
        }
    }
}

impl Doctor {
    fn take(&mut self, now: Ts, until: Ts, accepts: bool) {
        self.record.active += 1;
        self.record.offered += 100;
        self.record.accepted += 100 * u32::from(accepts);
        self.record.last_order_at = Some(now);
        self.orders += u32::from(accepts);
        self.hands.push(until);
    }

    /// What has ended by now is no longer in their hands.
    fn free(&mut self, now: Ts) {
        let last = self.hands.iter().copied().max();
        self.hands.retain(|until| *until > now);
        if self.hands.is_empty() {
            self.idle_since = last.unwrap_or(self.idle_since);
        }
        self.record.active = u32::try_from(self.hands.len()).unwrap();
    }
}
