//! How evenly orders fall to doctors.

/// The Gini coefficient in thousandths: 0 where everybody has as many, towards 1000 where one has
/// all. Nobody, or nothing to share, is even.
pub fn gini(counts: &[u32]) -> u32 {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let whole: u128 = sorted.iter().copied().map(u128::from).sum();
    let people = u128::try_from(sorted.len()).unwrap_or(0);
    // Each pair's difference once: of the sorted counts, the one in place i is larger than i others
    // and smaller than the rest.
    let (mut differences, mut before) = (0_u128, 0_u128);
    for (place, count) in (0_u128..).zip(sorted.into_iter().map(u128::from)) {
        differences += place * count - before;
        before += count;
    }
    let thousandths = differences * 1000 / (people * whole).max(1);
    u32::try_from(thousandths).unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use super::gini;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        assert_eq!(gini(&[]), 0);
        assert_eq!(gini(&[0, 0, 0]), 0);
        assert_eq!(gini(&[7]), 0);
        assert_eq!(gini(&[50, 50, 50]), 0);
        assert_eq!(gini(&[0, 0, 0, 100]), 750);
        assert_eq!(gini(&[1, 2, 3, 4]), 250);
        assert_eq!(gini(&[u32::MAX, 0]), 500);
    }

    proptest! {
        #[test]
        fn it_is_a_part_of_a_thousand_and_nobody_stands_out(counts in vec(0_u32..10_000, 0..40)) {
            let found = gini(&counts);
            let people = u32::try_from(counts.len()).unwrap();
            prop_assert!(found <= 1000 * people.saturating_sub(1) / people.max(1));
            let turned: Vec<u32> = counts.iter().rev().copied().collect();
            prop_assert_eq!(gini(&turned), found);
        }

        #[test]
        fn equals_are_even(count in 0_u32..10_000, people in 1_usize..40) {
            prop_assert_eq!(gini(&vec![count; people]), 0);
        }

        #[test]
        fn only_proportions_count(counts in vec(0_u32..10_000, 0..40), times in 1_u32..100) {
            let more: Vec<u32> = counts.iter().map(|count| count * times).collect();
            prop_assert_eq!(gini(&more), gini(&counts));
        }

        #[test]
        fn what_the_richest_gives_the_poorest_makes_it_no_less_even(
            counts in vec(0_u32..10_000, 2..40),
            part in 0_u32..=50,
        ) {
            let mut sorted = counts;
            sorted.sort_unstable();
            let before = gini(&sorted);
            let last = sorted.len() - 1;
            let given = (sorted[last] - sorted[0]) * part / 100;
            sorted[last] -= given;
            sorted[0] += given;
            prop_assert!(gini(&sorted) <= before);
        }
    }
}
