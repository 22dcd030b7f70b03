use crate::day::Day;
use domain::consultation::fairness::gini;
use domain::consultation::matching::Weights;

/// What the weights make of twenty days was 62 to 147 with the default ones, and 336 to 494 where
/// neither load nor waiting counts; the bounds leave room for changes that mean no harm.
const EVEN: u32 = 180;
const UNEVEN: u32 = 300;

#[test]
fn orders_fall_evenly_to_doctors_and_without_load_and_fairness_they_would_not() {
    let careless = Weights {
        load: 0,
        fairness: 0,
        ..Weights::default()
    };
    for seed in 1..=20 {
        let day = Day::under(&Weights::default(), seed);
        assert!(day.accepted.iter().sum::<u32>() > 590, "{:?}", day.accepted);
        let even = gini(&day.accepted);
        assert!(even < EVEN, "seed {seed}: {even}, {:?}", day.accepted);
        let other = Day::under(&careless, seed);
        let uneven = gini(&other.accepted);
        assert!(
            uneven > UNEVEN && uneven > 2 * even,
            "seed {seed}: {uneven}"
        );
    }
}

#[test]
fn nobody_sits_idle_for_long_while_busier_doctors_get_orders() {
    for seed in 1..=20 {
        let day = Day::under(&Weights::default(), seed);
        // 16 and 42 minutes were the longest of these days; without load and fairness it is hours.
        assert!(
            day.passed_over_minutes <= 25,
            "seed {seed}: {}",
            day.passed_over_minutes
        );
        assert!(day.idle_minutes <= 60, "seed {seed}: {}", day.idle_minutes);
    }
}
