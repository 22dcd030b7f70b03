//! A second look at the same day.

use crate::day::Day;
use crate::plants::plant;
use domain::reconciliation::{
    Difference, DifferenceKind as K, DifferenceStatus as S, Found, rerun,
};
use domain::{DifferenceId, Money};
use uuid::Uuid;

fn two() -> Vec<Difference> {
    let mut day = Day::empty();
    plant(&mut day, K::PaymentMissingHere, Money::fen(100));
    plant(&mut day, K::RefundMissingHere, Money::fen(100));
    day.differences()
}

fn found(differences: &[Difference], status: S) -> Vec<Found> {
    let one = |(number, difference): (u128, &Difference)| Found {
        id: DifferenceId(Uuid::from_u128(number)),
        identity: difference.identity(),
        status,
    };
    (1..).zip(differences).map(one).collect()
}

#[test]
fn the_first_run_finds_everything_anew() {
    let change = rerun(&[], &two());
    assert_eq!(
        (change.new, change.again, change.gone),
        (vec![0, 1], vec![], vec![])
    );
}

#[test]
fn what_nobody_decided_is_brought_up_to_date_or_gone() {
    let (differences, ids) = (two(), |n| DifferenceId(Uuid::from_u128(n)));
    let before = found(&differences, S::Open);
    let change = rerun(&before, &differences);
    assert_eq!((change.new.len(), change.gone.len()), (0, 0));
    assert_eq!(change.again, [(ids(1), 0), (ids(2), 1)]);
    let change = rerun(&before, &differences[1..]);
    assert_eq!(
        (change.again, change.gone),
        (vec![(ids(2), 0)], vec![ids(1)])
    );
}

#[test]
fn what_somebody_decided_stays() {
    let differences = two();
    for status in [S::Approved, S::Applied, S::Accepted, S::Explained] {
        let before = found(&differences, status);
        for now in [&differences[..], &[]] {
            assert_eq!(
                rerun(&before, now),
                domain::reconciliation::Rerun::default(),
                "{status:?}"
            );
        }
    }
    // Nobody should approve what is no longer there.
    let proposed = found(&differences, S::Proposed);
    assert_eq!(
        rerun(&proposed, &differences),
        domain::reconciliation::Rerun::default()
    );
    assert_eq!(rerun(&proposed, &[]).gone.len(), 2);
}

#[test]
fn what_was_gone_and_is_found_again_is_open_again() {
    let differences = two();
    let change = rerun(&found(&differences, S::Gone), &differences);
    assert_eq!(
        (change.new.len(), change.again.len(), change.gone.len()),
        (0, 2, 0)
    );
}
