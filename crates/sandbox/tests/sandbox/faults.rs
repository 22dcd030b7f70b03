//! Faults of one gateway, and bad luck by chance, over HTTP.

use crate::harness::{World, payment};
use connectors::gateway::{GatewayError, Notice, PaymentState};
use serde_json::json;

#[tokio::test]
async fn a_gateways_own_faults_are_set_and_told_apart_from_everybodys() {
    let world = World::new().await;
    let own = world
        .control("PUT", "faults?gateway=wechat", r#"{"down":true}"#)
        .await
        .unwrap();
    assert_eq!(own["down"], true);
    let all = world.control("GET", "faults", "").await.unwrap();
    assert_eq!(all["down"], false);
    let first = payment("ORDER-0001", 3000, world.now());
    let down = world.gateway.start(&first, world.now()).await.unwrap_err();
    assert!(matches!(down, GatewayError::Unknown { .. }), "{down}");
    world
        .control("PUT", "faults?gateway=wechat", "{}")
        .await
        .unwrap();
    world.gateway.start(&first, world.now()).await.unwrap();
    for (path, words) in [
        ("faults?gateway=nobank", "it plays"),
        ("faults?gate=wechat", "gate"),
    ] {
        let (status, message) = world.control("PUT", path, "{}").await.unwrap_err();
        assert_eq!(status, 400);
        assert!(message.contains(words), "{message}");
    }
    let much = r#"{"random":{"seed":1,"percent":101}}"#;
    assert_eq!(
        world.control("PUT", "faults", much).await.unwrap_err().0,
        400
    );
}

#[tokio::test]
async fn chance_hits_the_same_numbers_in_the_same_way_each_time() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let world = World::new().await;
        let faults = json!({ "random": { "seed": 42, "percent": 50, "slowMillis": 1 } });
        world.faults(&faults.to_string()).await;
        let mut ends = Vec::new();
        for number in 0..40 {
            let number = format!("ORDER-{number:04}");
            let start = payment(&number, 3000, world.now());
            let hidden = world.gateway.start(&start, world.now()).await.is_err();
            if hidden {
                assert_eq!(world.query(&number).await, Ok(PaymentState::Open));
                world.gateway.start(&start, world.now()).await.unwrap();
            }
            world
                .control("POST", &format!("payments/{number}/pay"), "{}")
                .await
                .unwrap();
            world.sandbox.run_due().await;
            let at_once = world.got().len();
            world.later(600);
            world.sandbox.run_due().await;
            let later = world.got();
            assert!(
                later
                    .iter()
                    .all(|got| matches!(got, Ok(Notice::Paid { .. })))
            );
            ends.push((hidden, at_once, later.len()));
        }
        assert_eq!(world.sandbox.totals().net_fen, 40 * 3000);
        runs.push(ends);
    }
    assert_eq!(runs[0], runs[1]);
    for end in [
        (false, 1, 0),
        (false, 2, 0),
        (false, 0, 0),
        (false, 0, 1),
        (true, 1, 0),
    ] {
        assert!(
            runs[0].contains(&end),
            "{end:?} never happens: {:?}",
            runs[0]
        );
    }
}
