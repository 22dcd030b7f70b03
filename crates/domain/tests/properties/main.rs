//! Any commands in any order, from anybody, at any time: what always holds (spec 00, spec 10).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what must never happen fails its test"
)]

mod acts;
mod invariants;
mod world;

use acts::Act;
use domain::consultation::{ConsultationStatus as S, Mode};
use domain::lifecycle::Status;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeSet;
use world::World;

/// Sequences a test; four tests. `PROPTEST_CASES` sets another number.
const CASES: u32 = 30_000;
const LENGTH: usize = 25;

fn cases() -> Config {
    let default = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() {
        default.cases
    } else {
        CASES
    };
    Config {
        cases,
        // A sequence that fails becomes an example below, with a name.
        failure_persistence: None,
        ..default
    }
}

/// Lives through a sequence, then lets the deadlines and counterparties bring the order to its end.
fn live(mode: Mode, acts: &[Act]) -> World {
    let mut world = World::new(mode);
    for act in acts {
        act.play(&mut world);
    }
    world.run_out();
    world
}

/// The same, begun where the service or the queue begins, so that more happens there.
fn live_on(mode: Mode, acts: &[Act]) -> World {
    let mut world = World::new(mode);
    world.run_in();
    for act in acts {
        act.play(&mut world);
    }
    world.run_out();
    world
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_dispatched_order(acts in vec(any::<Act>(), 1..=LENGTH)) {
        live(Mode::Dispatch, &acts);
    }

    #[test]
    fn a_clinic_order(acts in vec(any::<Act>(), 1..=LENGTH)) {
        live(Mode::Clinic, &acts);
    }

    #[test]
    fn a_dispatched_order_with_a_doctor(acts in vec(any::<Act>(), 1..=LENGTH)) {
        live_on(Mode::Dispatch, &acts);
    }

    #[test]
    fn a_clinic_order_with_a_number(acts in vec(any::<Act>(), 1..=LENGTH)) {
        live_on(Mode::Clinic, &acts);
    }
}

#[test]
fn the_sequences_take_every_step_of_the_table() {
    let steps: RefCell<BTreeSet<(u16, u16)>> = RefCell::default();
    let config = Config {
        cases: 6_000,
        failure_persistence: None,
        ..Config::default()
    };
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, seed);
    runner
        .run(&vec(any::<Act>(), 1..=LENGTH), |acts| {
            for mode in [Mode::Dispatch, Mode::Clinic] {
                steps.borrow_mut().extend(live(mode, &acts).taken);
                steps.borrow_mut().extend(live_on(mode, &acts).taken);
            }
            Ok(())
        })
        .unwrap();
    let taken = steps.into_inner();
    let table = S::ALL
        .iter()
        .flat_map(|from| from.row().next.iter().map(|to| (from.code(), to.code())));
    let missing: Vec<_> = table.filter(|step| !taken.contains(step)).collect();
    assert!(missing.is_empty(), "never taken: {missing:?}");
}
