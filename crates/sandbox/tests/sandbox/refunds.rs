//! Refunds: full, in parts, too much, refused, hanging, unknown.

use crate::harness::{World, refund};
use connectors::gateway::{GatewayError, Notice, PaymentState, RefundState};

fn code(error: &GatewayError) -> &str {
    match error {
        GatewayError::Refused { code, .. } => code,
        other => panic!("not refused: {other}"),
    }
}

/// On its way, with WeChat's number.
fn is_processing(state: &Result<RefundState, GatewayError>) -> bool {
    matches!(state, Ok(RefundState::Processing { refund_id: Some(id) }) if id.starts_with("5030"))
}

#[tokio::test]
async fn a_full_refund_is_accepted_then_done_then_told() {
    let world = World::new().await;
    world.paid("ORDER-0001", 3000).await;
    let full = refund("ORDER-0001", "R@1", 3000, 3000);
    let state = world.query_refund("R@1").await;
    assert_eq!(state, Ok(RefundState::NotFound));
    let state = world.gateway.refund(&full, world.now()).await;
    assert!(is_processing(&state), "{state:?}");
    let state = world.query_refund("R@1").await;
    assert!(is_processing(&state), "{state:?}");
    assert_eq!(
        world.sandbox.run_due().await,
        2,
        "the outcome and its notice"
    );

    let state = world.query_refund("R@1").await.unwrap();
    assert!(matches!(state, RefundState::Succeeded { .. }), "{state:?}");
    let got = world.got();
    let [
        Ok(Notice::Refund {
            out_refund_no,
            state: told,
            ..
        }),
    ] = got.as_slice()
    else {
        panic!("{got:?}")
    };
    assert_eq!((out_refund_no.as_str(), told), ("R@1", &state));
    let paid = world.query("ORDER-0001").await.unwrap();
    assert!(
        matches!(paid, PaymentState::Paid(_)),
        "a refunded payment was still paid"
    );
    assert_eq!(
        world.gateway.refund(&full, world.now()).await,
        Ok(state),
        "the same number again"
    );
    let totals = world.sandbox.totals();
    assert_eq!(
        (totals.refunded.count, totals.refunded.fen, totals.net_fen),
        (1, 3000, 0)
    );
}

#[tokio::test]
async fn parts_never_sum_to_more_than_was_paid() {
    let world = World::new().await;
    world.paid("ORDER-0001", 3000).await;
    let send = async |number: &str, fen, total| {
        let part = refund("ORDER-0001", number, fen, total);
        world.gateway.refund(&part, world.now()).await
    };
    send("R1", 2000, 3000).await.unwrap();
    let error = send("R2", 1001, 3000).await.unwrap_err();
    assert_eq!(code(&error), "INVALID_REQUEST");
    let error = send("R1", 1999, 3000).await.unwrap_err();
    assert_eq!(
        code(&error),
        "INVALID_REQUEST",
        "the number was another amount's"
    );
    let error = send("R2", 1000, 2999).await.unwrap_err();
    assert_eq!(code(&error), "INVALID_REQUEST", "the total was not paid");
    send("R2", 1000, 3000).await.unwrap();
    world.sandbox.run_due().await;
    assert_eq!(world.sandbox.totals().net_fen, 0);
    assert_eq!(world.sandbox.payment("ORDER-0001").unwrap().refunded, 3000);
}

#[tokio::test]
async fn fifty_parts_are_the_most() {
    let world = World::new().await;
    world.paid("ORDER-0001", 3000).await;
    for part in 0..50 {
        let part = refund("ORDER-0001", &format!("R{part}"), 1, 3000);
        world.gateway.refund(&part, world.now()).await.unwrap();
    }
    let last = refund("ORDER-0001", "R50", 1, 3000);
    let error = world.gateway.refund(&last, world.now()).await.unwrap_err();
    assert_eq!(code(&error), "INVALID_REQUEST");
}

#[tokio::test]
async fn what_was_not_paid_or_too_long_ago_is_not_refunded() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    for number in ["ORDER-0001", "ORDER-0002"] {
        let wrong = refund(number, "R1", 3000, 3000);
        let error = world.gateway.refund(&wrong, world.now()).await.unwrap_err();
        assert_eq!(code(&error), "RESOURCE_NOT_EXISTS");
    }
    world.paid("ORDER-0003", 3000).await;
    world.later(366 * 24 * 3600);
    let late = refund("ORDER-0003", "R1", 3000, 3000);
    let error = world.gateway.refund(&late, world.now()).await.unwrap_err();
    assert_eq!(code(&error), "INVALID_REQUEST");
}

#[tokio::test]
async fn refused_refunds_leave_nothing_and_can_be_sent_again() {
    let world = World::new().await;
    world.paid("ORDER-0001", 3000).await;
    let full = refund("ORDER-0001", "R1", 3000, 3000);
    world.faults(r#"{"refuseRefunds":"NOT_ENOUGH"}"#).await;
    let error = world.gateway.refund(&full, world.now()).await.unwrap_err();
    assert_eq!(code(&error), "NOT_ENOUGH");
    world
        .faults(r#"{"refuseRefunds":"FREQUENCY_LIMITED"}"#)
        .await;
    let error = world.gateway.refund(&full, world.now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unavailable { .. }), "{error}");
    let state = world.query_refund("R1").await;
    assert_eq!(state, Ok(RefundState::NotFound));
    world.faults("{}").await;
    let state = world.gateway.refund(&full, world.now()).await;
    assert!(is_processing(&state), "{state:?}");
}

#[tokio::test]
async fn a_refund_of_unknown_outcome_pays_once() {
    let world = World::new().await;
    world.paid("ORDER-0001", 3000).await;
    let part = refund("ORDER-0001", "R1", 1000, 3000);
    world.faults(r#"{"unknownOutcome":"refund"}"#).await;
    for _ in 0..2 {
        let lost = world.gateway.refund(&part, world.now()).await.unwrap_err();
        assert!(matches!(lost, GatewayError::Unknown { .. }), "{lost}");
    }
    world.faults("{}").await;
    world.gateway.refund(&part, world.now()).await.unwrap();
    world.sandbox.run_due().await;
    let totals = world.sandbox.totals();
    assert_eq!((totals.refunded.count, totals.refunded.fen), (1, 1000));
}

#[tokio::test]
async fn hanging_refunds_can_be_given_an_outcome_or_arrive_later() {
    let world = World::new().await;
    world.paid("ORDER-0001", 3000).await;
    world.faults(r#"{"refundsHang":true}"#).await;
    for number in ["R1", "R2", "R3"] {
        let part = refund("ORDER-0001", number, 1000, 3000);
        world.gateway.refund(&part, world.now()).await.unwrap();
    }
    world.later(3600);
    assert_eq!(world.sandbox.run_due().await, 0);
    let outcome = async |number: &str, body: &str| {
        world
            .control("POST", &format!("refunds/{number}/outcome"), body)
            .await
    };
    outcome("R1", r#"{"status":"CLOSED"}"#).await.unwrap();
    outcome("R2", r#"{"status":"ABNORMAL","callback":"twice"}"#)
        .await
        .unwrap();
    assert_eq!(world.sandbox.run_due().await, 3);
    let states: Vec<_> = world.got().into_iter().map(Result::unwrap).collect();
    let count = |expected: &RefundState| {
        let same =
            |notice: &&Notice| matches!(notice, Notice::Refund { state, .. } if state == expected);
        states.iter().filter(same).count()
    };
    assert_eq!(
        (count(&RefundState::Closed), count(&RefundState::Abnormal)),
        (1, 2)
    );
    assert_eq!(world.query_refund("R1").await, Ok(RefundState::Closed));

    // The number is dead, its money free for another one.
    assert_eq!(
        outcome("R1", r#"{"status":"SUCCESS"}"#)
            .await
            .unwrap_err()
            .0,
        409
    );
    let another = refund("ORDER-0001", "R4", 1000, 3000);
    world.gateway.refund(&another, world.now()).await.unwrap();
    outcome("R4", r#"{"status":"PROCESSING"}"#).await.unwrap();
    world.faults("{}").await;
    world.sandbox.run_due().await;
    let state = async |number| world.query_refund(number).await.unwrap();
    assert!(matches!(state("R3").await, RefundState::Succeeded { .. }));
    assert!(is_processing(&Ok(state("R4").await)), "it was told to hang");
    outcome("R2", r#"{"status":"SUCCESS","callback":"never"}"#)
        .await
        .unwrap();
    assert!(matches!(state("R2").await, RefundState::Succeeded { .. }));
    assert_eq!(
        outcome("R9", r#"{"status":"SUCCESS"}"#)
            .await
            .unwrap_err()
            .0,
        404
    );
}
