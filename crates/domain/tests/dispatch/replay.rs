use crate::day::{BEGIN, Day};
use domain::consultation::AssignmentEnd::{self, Accepted, Declined, WentOffline};
use domain::consultation::matching::{Candidate, PARTS, Weights, rank};
use domain::consultation::ranking::{KEPT, Ranking};
use domain::consultation::replay::{PastOffer, Replay, WeightChanges, WeightsError, replay};
use domain::{OrderId, Span, Ts, UserId};
use proptest::prelude::*;
use uuid::Uuid;

const A: UserId = UserId(Uuid::from_u128(0xa));
const B: UserId = UserId(Uuid::from_u128(0xb));

fn minute(minute: i64) -> Ts {
    BEGIN + Span::minutes(minute)
}

/// Treats headaches if A, and is rated best if B.
fn candidate(doctor: UserId, active: u32, last_order_at: Option<Ts>) -> Candidate {
    let (word, stars) = if doctor == A {
        ("headache", 300)
    } else {
        ("rash", 500)
    };
    Candidate {
        doctor,
        specialities: vec![word.to_owned()],
        accepted: 0,
        offered: 0,
        active,
        limit: 2,
        last_order_at,
        stars,
        ratings: 100,
        knows_patient: false,
    }
}

/// Weights under which only the speciality counts: A is asked.
const SPECIALITY: Weights = Weights::of_parts([100, 0, 0, 0, 0, 0]);

/// An offer of a headache in that minute, held for so long, to whoever is best.
fn offer(order: u128, at: i64, minutes: i64, end: AssignmentEnd, who: &[Candidate]) -> PastOffer {
    let ranked = rank("headache", who, &SPECIALITY, minute(at));
    let chosen = ranked[0].0.doctor;
    PastOffer {
        order: OrderId(Uuid::from_u128(order)),
        ranking: Ranking::choosing(chosen, &ranked, "headache", &SPECIALITY, minute(at)),
        released_at: Some(minute(at + minutes)),
        end: Some(end),
    }
}

fn under(offers: &[PastOffer], changes: &str) -> Replay {
    replay(offers, &changes.parse().unwrap())
}

fn orders(replay: &Replay, doctor: UserId) -> (u32, u32) {
    let row = replay
        .doctors
        .iter()
        .find(|row| row.doctor == doctor)
        .unwrap();
    (row.before, row.after)
}

#[test]
fn the_same_weights_change_nothing() {
    for seed in 1..=5 {
        let day = Day::under(&Weights::default(), seed);
        let same = replay(&day.offers, &WeightChanges::default());
        assert_eq!((same.moved, same.unplaced, same.cut_short), (0, 0, 0));
        assert_eq!(usize::try_from(same.assignments).unwrap(), day.offers.len());
        assert!(same.doctors.iter().all(|row| row.before == row.after));
        assert_eq!(same.gini_before, same.gini_after);
        assert!(same.parts.iter().all(|part| part.before == part.after));
    }
}

#[test]
fn a_careless_day_would_have_been_even_under_the_default_weights() {
    let careless = Weights {
        load: 0,
        fairness: 0,
        ..Weights::default()
    };
    for seed in 1..=5 {
        let day = Day::under(&careless, seed);
        let better = under(&day.offers, "load=200,fairness=150");
        assert!(
            better.gini_before > 300 && better.gini_after < 180,
            "seed {seed}: {better:#?}"
        );
        let worse = Day::under(&Weights::default(), seed);
        let worse = under(&worse.offers, "load=0,fairness=0");
        assert!(
            worse.gini_after > 2 * worse.gini_before,
            "seed {seed}: {worse:#?}"
        );
    }
}

#[test]
fn a_changed_choice_moves_the_load_until_it_ends() {
    // A and B are equals but for the load; A was asked first.
    let first = offer(
        1,
        0,
        10,
        Accepted,
        &[candidate(A, 0, None), candidate(B, 0, None)],
    );
    let busy = [candidate(A, 1, Some(minute(0))), candidate(B, 0, None)];
    let second = offer(2, 5, 20, Accepted, &busy);
    let free = [candidate(A, 1, Some(minute(5))), candidate(B, 0, None)];
    let third = offer(3, 15, 10, Accepted, &free);
    assert!(
        [&first, &second, &third]
            .iter()
            .all(|offer| offer.ranking.chosen == A)
    );
    // The rating decides the first one for B. Then B is the busy one, and A gets the second; in the
    // third B's hands are free again, and A's hold the second as they really did.
    let found = under(&[first, second, third], "speciality=0,rating=10,load=100");
    assert_eq!((found.assignments, found.moved), (3, 2));
    assert_eq!((orders(&found, A), orders(&found, B)), ((3, 1), (0, 2)));
    assert_eq!((found.gini_before, found.gini_after), (500, 166));
}

#[test]
fn a_changed_choice_moves_the_last_order() {
    let first = offer(
        1,
        0,
        1,
        Accepted,
        &[candidate(A, 0, None), candidate(B, 0, None)],
    );
    let second = [candidate(A, 0, Some(minute(0))), candidate(B, 0, None)];
    let second = offer(2, 30, 1, Accepted, &second);
    // B, asked in A's place, has waited for half an hour; A still for ever.
    let found = under(&[first, second], "speciality=0,rating=10,fairness=100");
    assert_eq!((orders(&found, A), orders(&found, B)), ((2, 1), (0, 1)));
}

#[test]
fn nobody_gets_more_than_fits() {
    let first = offer(
        1,
        0,
        60,
        Accepted,
        &[candidate(A, 0, None), candidate(B, 1, None)],
    );
    let second = offer(
        2,
        1,
        60,
        Accepted,
        &[candidate(A, 1, None), candidate(B, 1, None)],
    );
    let third = [candidate(B, 1, None)];
    let third = offer(3, 2, 60, Accepted, &third);
    let found = under(&[first, second, third], "speciality=0,rating=1");
    // B has one place left, which the first takes; the second has to go to A, and the third, for
    // which only B is known to have been there, finds nobody.
    assert_eq!((found.moved, found.unplaced), (1, 1));
    assert_eq!((orders(&found, A), orders(&found, B)), ((2, 1), (1, 1)));
}

#[test]
fn who_let_an_order_go_can_be_asked_where_they_had_not_been() {
    let asked = |end| {
        let first = offer(
            1,
            0,
            5,
            end,
            &[candidate(A, 0, None), candidate(B, 0, None)],
        );
        let second = offer(1, 5, 5, Accepted, &[candidate(B, 0, None)]);
        under(&[first, second], "speciality=0,rating=1")
    };
    let swapped = asked(Declined);
    assert_eq!((swapped.moved, swapped.unplaced), (2, 0));
    assert_eq!((orders(&swapped, A), orders(&swapped, B)), ((1, 1), (1, 1)));
    let gone = asked(WentOffline);
    assert_eq!((gone.moved, gone.unplaced), (1, 1));
}

#[test]
fn who_had_lost_the_last_place_is_no_candidate() {
    let who = [candidate(A, 0, None), candidate(B, 0, None)];
    let ranked = rank("headache", &who, &SPECIALITY, minute(0));
    let past = PastOffer {
        ranking: Ranking::choosing(B, &ranked, "headache", &SPECIALITY, minute(0)),
        ..offer(1, 0, 5, Accepted, &who)
    };
    let found = replay(&[past], &WeightChanges::default());
    assert_eq!(
        (found.moved, orders(&found, A), orders(&found, B)),
        (0, (0, 0), (1, 1))
    );
}

#[test]
fn more_candidates_than_are_kept_are_said() {
    let many: Vec<Candidate> = (1..=60)
        .map(|number| candidate(UserId(Uuid::from_u128(number)), 0, None))
        .collect();
    let found = replay(
        &[offer(1, 0, 5, Accepted, &many)],
        &WeightChanges::default(),
    );
    assert_eq!((found.cut_short, found.doctors.len()), (1, KEPT));
}

#[test]
fn an_empty_day_is_even() {
    let found = replay(&[], &WeightChanges::default());
    assert_eq!(
        (found.assignments, found.gini_before, found.gini_after),
        (0, 0, 0)
    );
    assert_eq!(found.parts.len(), PARTS.len());
}

#[test]
fn weights_are_read_and_wrong_ones_say_what_would_be_right() {
    let changes: WeightChanges = "load=7, rating=0".parse().unwrap();
    let (before, after) = (Weights::default(), changes.apply(&Weights::default()));
    assert_eq!(
        after,
        Weights {
            load: 7,
            rating: 0,
            ..before
        }
    );
    let wrong = |text: &str| text.parse::<WeightChanges>().unwrap_err();
    assert!(
        wrong("speed=1")
            .to_string()
            .contains("speciality, acceptance, load")
    );
    assert!(wrong("load=-5").to_string().contains("load is `-5`"));
    assert!(wrong("load=1000001").to_string().contains("0 to 1000000"));
    assert!(wrong("load=").to_string().contains("whole number"));
    assert_eq!(wrong("load"), WeightsError::NoPair("load".to_owned()));
    assert_eq!(wrong(""), WeightsError::NoPair(String::new()));
    assert_eq!(wrong("load=1,load=2"), WeightsError::Twice("load"));
    let nothing = PARTS.map(|name| format!("{name}=0")).join(",");
    assert_eq!(wrong(&nothing), WeightsError::Nothing);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_offer_goes_to_somebody_or_to_nobody(parts in any::<[u16; 6]>(), seed in 1_u64..100) {
        let day = Day::under(&Weights::default(), seed);
        let text: Vec<String> = PARTS
            .into_iter()
            .zip(parts)
            .map(|(name, weight)| format!("{name}={}", u32::from(weight) + 1))
            .collect();
        let found = under(&day.offers, &text.join(","));
        let sum = |of: fn(&(u32, u32)) -> u32| -> u32 {
            found.doctors.iter().map(|row| of(&(row.before, row.after))).sum()
        };
        prop_assert_eq!(sum(|row| row.0), found.assignments);
        prop_assert_eq!(sum(|row| row.1), found.assignments - found.unplaced);
        prop_assert!(found.moved + found.unplaced <= found.assignments);
        prop_assert!(found.parts.iter().all(|part| part.after <= 1000));
    }
}
