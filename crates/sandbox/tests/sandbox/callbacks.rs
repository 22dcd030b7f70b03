//! Notices: twice, late, never, wrong, repeated.

use crate::harness::World;
use connectors::gateway::{CallbackError, Notice, PaymentState};
use domain::{Money, Span};
use serde_json::json;

#[tokio::test]
async fn a_notice_can_come_twice_with_one_id() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    world
        .control("POST", "payments/ORDER-0001/pay", r#"{"callback":"twice"}"#)
        .await
        .unwrap();
    assert_eq!(world.sandbox.run_due().await, 2);
    let got = world.got();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0], got[1]);
}

#[tokio::test]
async fn a_late_notice_waits_for_the_clock_and_a_lost_one_never_comes() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    let late = r#"{"callback":"late","lateSeconds":90}"#;
    world
        .control("POST", "payments/ORDER-0001/pay", late)
        .await
        .unwrap();
    world.later(89);
    assert_eq!(world.sandbox.run_due().await, 0);
    world.later(1);
    assert_eq!(world.sandbox.run_due().await, 1);
    assert_eq!(world.got().len(), 1);

    world.start("ORDER-0002", 3000).await;
    world
        .control("POST", "payments/ORDER-0002/pay", r#"{"callback":"never"}"#)
        .await
        .unwrap();
    world.later(7 * 24 * 3600);
    assert_eq!(world.sandbox.run_due().await, 0);
    let state = world.query("ORDER-0002").await.unwrap();
    assert!(matches!(state, PaymentState::Paid(_)));
}

#[tokio::test]
async fn a_wrong_amount_was_really_paid() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    let wrong = r#"{"callback":"wrong_amount"}"#;
    world
        .control("POST", "payments/ORDER-0001/pay", wrong)
        .await
        .unwrap();
    world.sandbox.run_due().await;
    let got = world.got();
    let [Ok(Notice::Paid { paid, .. })] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(paid.amount, Money::fen(2999));
    let state = world.query("ORDER-0001").await;
    assert_eq!(state, Ok(PaymentState::Paid(paid.clone())));
    assert_eq!(world.sandbox.totals().net_fen, 2999);
}

#[tokio::test]
async fn a_badly_signed_notice_is_refused_and_the_query_tells_the_truth() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    let bad = r#"{"callback":"bad_signature"}"#;
    world
        .control("POST", "payments/ORDER-0001/pay", bad)
        .await
        .unwrap();
    world.sandbox.run_due().await;
    let got = world.got();
    assert!(
        matches!(got.as_slice(), [Err(CallbackError::BadSignature(_))]),
        "{got:?}"
    );
    let state = world.query("ORDER-0001").await.unwrap();
    assert!(matches!(state, PaymentState::Paid(_)));
}

#[tokio::test]
async fn a_refused_notice_is_repeated_by_wechats_schedule() {
    let world = World::new().await;
    world.merchant_answers(500);
    world.start("ORDER-0001", 3000).await;
    world
        .control("POST", "payments/ORDER-0001/pay", "{}")
        .await
        .unwrap();
    let begun = world.now();
    let mut at = Vec::new();
    assert_eq!(world.sandbox.run_due().await, 1);
    // 15 s is the grid of the schedule.
    while world.now().since(begun) < Span::hours(25) {
        world.later(15);
        if world.sandbox.run_due().await > 0 {
            at.push(world.now().since(begun).as_seconds());
        }
    }
    assert_eq!(at.len(), 15);
    assert_eq!(&at[..6], [15, 30, 60, 240, 840, 2040]);
    assert_eq!(
        at[14],
        24 * 3600 + 4 * 60,
        "the last one comes after 24 h 4 min"
    );
    let kept = world.sandbox.payment("ORDER-0001").unwrap().callbacks;
    assert_eq!(kept.len(), 16);
    assert!(kept.iter().all(|attempt| attempt.status == Some(500)));
}

#[tokio::test]
async fn dropped_notices_arrive_when_the_fault_is_over() {
    let world = World::new().await;
    world.faults(r#"{"dropCallbacks":true}"#).await;
    world.start("ORDER-0001", 3000).await;
    world
        .control("POST", "payments/ORDER-0001/pay", "{}")
        .await
        .unwrap();
    assert_eq!(world.sandbox.run_due().await, 1);
    assert!(world.got().is_empty());
    world.faults("{}").await;
    world.later(15);
    world.sandbox.run_due().await;
    assert!(matches!(world.got().as_slice(), [Ok(Notice::Paid { .. })]));
}

#[tokio::test]
async fn a_notice_is_sent_again_on_demand() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    let path = "payments/ORDER-0001/callback";
    assert_eq!(world.control("POST", path, "{}").await.unwrap_err().0, 409);
    world
        .control("POST", "payments/ORDER-0001/pay", "{}")
        .await
        .unwrap();
    world.sandbox.run_due().await;
    let first = world.got();

    for request in [r#"{"times":5}"#, r#"{"times":5,"atOnce":true}"#] {
        let answer = world.control("POST", path, request).await.unwrap();
        let answers = answer["answers"].as_array().unwrap();
        assert!(answers.len() == 5 && answers.iter().all(|answer| answer["status"] == 200));
        assert!(world.got().iter().all(|notice| *notice == first[0]));
    }
    let bad = world
        .control("POST", path, r#"{"badSignature":true}"#)
        .await
        .unwrap();
    assert_eq!(bad["answers"][0]["status"], json!(401));
    world
        .control("POST", path, r#"{"staleSeconds":300}"#)
        .await
        .unwrap();
    let got = world.got();
    assert!(
        matches!(
            got.as_slice(),
            [
                Err(CallbackError::BadSignature(_)),
                Err(CallbackError::Stale { .. })
            ]
        ),
        "{got:?}"
    );
    assert_eq!(
        world
            .control("POST", path, r#"{"times":51}"#)
            .await
            .unwrap_err()
            .0,
        400
    );
}

#[tokio::test]
async fn the_background_loop_does_it_by_itself() {
    let world = World::new().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(world.sandbox.clone().run(stop.clone()));
    world
        .control("PUT", "autopay", r#"{"enabled":true,"delaySeconds":30}"#)
        .await
        .unwrap();
    world.start("ORDER-0001", 3000).await;
    assert!(world.got().is_empty());
    world
        .control("POST", "clock/advance", r#"{"seconds":30}"#)
        .await
        .unwrap();
    let mut got = Vec::new();
    while got.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        got = world.got();
    }
    assert!(
        matches!(got.as_slice(), [Ok(Notice::Paid { .. })]),
        "{got:?}"
    );
    stop.cancel();
    running.await.unwrap();
}
