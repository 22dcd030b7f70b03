//! Notices: genuine, forged, doubled, late, repeated.

use super::{opened, payment, query, world};
use crate::harness::World;
use connectors::gateway::{CallbackError, Notice, PaymentState};
use domain::payment::Method;
use domain::{Money, Span};

async fn paid_with(world: &World, request: &str) {
    opened(world, &payment(world, Method::PAGE)).await;
    world
        .control("POST", "payments/ORDER0001/pay", request)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_notice_can_come_twice_with_one_id() {
    let world = world().await;
    paid_with(&world, r#"{"callback":"twice"}"#).await;
    assert_eq!(world.sandbox.run_due().await, 2);
    let got = world.got();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0], got[1]);
}

#[tokio::test]
async fn a_forged_notice_is_refused_and_the_query_tells_the_truth() {
    let world = world().await;
    paid_with(&world, r#"{"callback":"bad_signature"}"#).await;
    world.sandbox.run_due().await;
    let got = world.got();
    assert!(
        matches!(got.as_slice(), [Err(CallbackError::BadSignature(_))]),
        "{got:?}"
    );
    assert!(matches!(query(&world).await, PaymentState::Paid(_)));
}

#[tokio::test]
async fn a_wrong_amount_was_really_paid() {
    let world = world().await;
    paid_with(&world, r#"{"callback":"wrong_amount"}"#).await;
    world.sandbox.run_due().await;
    let got = world.got();
    let [Ok(Notice::Paid { paid, .. })] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(paid.amount, Money::fen(2999));
    assert_eq!(query(&world).await, PaymentState::Paid(paid.clone()));
}

#[tokio::test]
async fn late_lost_and_old_notices() {
    let late = world().await;
    paid_with(&late, r#"{"callback":"late","lateSeconds":90}"#).await;
    late.later(89);
    assert_eq!(late.sandbox.run_due().await, 0);
    late.later(1);
    assert_eq!(late.sandbox.run_due().await, 1);

    let lost = world().await;
    paid_with(&lost, r#"{"callback":"never"}"#).await;
    lost.later(7 * 24 * 3600);
    assert_eq!(lost.sandbox.run_due().await, 0);
    assert!(matches!(query(&lost).await, PaymentState::Paid(_)));

    // Repetitions come for 25 hours; what an old one says is still true.
    let old = r#"{"staleSeconds":90000}"#;
    late.control("POST", "payments/ORDER0001/callback", old)
        .await
        .unwrap();
    let got = late.got();
    assert_eq!(got[0], got[1]);
}

#[tokio::test]
async fn anything_but_success_brings_the_notice_again_by_alipays_schedule() {
    let world = world().await;
    // Even with 200: the word is `fail`.
    world.merchant_answers(200);
    paid_with(&world, "{}").await;
    let begun = world.now();
    let mut at = Vec::new();
    assert_eq!(world.sandbox.run_due().await, 1);
    while world.now().since(begun) < Span::hours(26) {
        world.later(60);
        if world.sandbox.run_due().await > 0 {
            at.push(world.now().since(begun).as_seconds() / 60);
        }
    }
    // 4 min, 10 min, 10 min, 1 h, 2 h, 6 h, 15 h, each after the one before.
    assert_eq!(at, [4, 14, 24, 84, 204, 564, 1464]);
    let got: Vec<_> = world.got().into_iter().map(Result::unwrap).collect();
    assert_eq!(got.len(), 8);
    assert!(
        got.iter().all(|notice| *notice == got[0]),
        "one id, one content"
    );
}
