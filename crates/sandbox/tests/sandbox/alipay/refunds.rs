//! Refunds: full, in parts, repeated, too much, refused, hanging, unknown.

use super::{code, opened, paid, payment, query, query_refund, world};
use crate::harness::refund;
use connectors::gateway::{GatewayError, Notice, PaymentState, RefundState};
use domain::payment::Method;

fn succeeded(state: &Result<RefundState, GatewayError>) -> bool {
    matches!(state, Ok(RefundState::Succeeded { .. }))
}

const UNDECIDED: RefundState = RefundState::Processing { refund_id: None };

#[tokio::test]
async fn a_full_refund_is_made_at_once_and_told_as_a_question() {
    let world = world().await;
    paid(&world, "ORDER0001", 3000).await;
    let before = query(&world).await;
    let full = refund("ORDER0001", "RF1", 3000, 3000);
    let made = world.gateway.refund(&full, world.now()).await;
    assert!(succeeded(&made), "{made:?}");
    // The gateway's clock has whole seconds.
    let found = query_refund(&world, "RF1", 3000).await;
    assert!(succeeded(&found), "{found:?}");
    assert_eq!(world.sandbox.run_due().await, 1);
    let got = world.got();
    let [Ok(Notice::AskRefund { out_refund_no, .. })] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(out_refund_no, "RF1");
    // TRADE_CLOSED by now, and still the payment that it was.
    assert_eq!(query(&world).await, before);
    let totals = world.sandbox.totals();
    assert_eq!(
        (totals.refunded.count, totals.refunded.fen, totals.net_fen),
        (1, 3000, 0)
    );
}

#[tokio::test]
async fn three_parts_are_three_refunds_and_never_more_than_was_paid() {
    let world = world().await;
    paid(&world, "ORDER0001", 3000).await;
    let before = query(&world).await;
    for (number, fen) in [("RF1", 1000), ("RF2", 500), ("RF3", 1500)] {
        let part = refund("ORDER0001", number, fen, 3000);
        let made = world.gateway.refund(&part, world.now()).await;
        assert!(succeeded(&made), "{number}: {made:?}");
        let found = query_refund(&world, number, fen).await;
        assert!(succeeded(&found), "{number}: {found:?}");
        world.sandbox.run_due().await;
        let got = world.got();
        let told = matches!(got.as_slice(), [Ok(Notice::AskRefund { out_refund_no, .. })]
            if out_refund_no == number);
        assert!(told, "{got:?}");
        assert_eq!(query(&world).await, before, "{number}");
    }
    assert_eq!(world.sandbox.totals().net_fen, 0);
    let more = refund("ORDER0001", "RF4", 1, 3000);
    let error = world.gateway.refund(&more, world.now()).await.unwrap_err();
    assert_eq!(code(&error), "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL");
    assert_eq!(world.sandbox.totals().refunded.count, 3);
}

#[tokio::test]
async fn the_same_number_is_the_same_refund() {
    let world = world().await;
    paid(&world, "ORDER0001", 3000).await;
    let part = refund("ORDER0001", "RF1", 1000, 3000);
    assert!(succeeded(&world.gateway.refund(&part, world.now()).await));
    // No money moved with this request: asked about, not believed.
    let again = world.gateway.refund(&part, world.now()).await;
    assert_eq!(again, Ok(UNDECIDED));
    assert!(succeeded(&query_refund(&world, "RF1", 1000).await));
    // With another amount, something was done under the number: the query says what, and that it
    // is not what was asked for.
    let other = refund("ORDER0001", "RF1", 2000, 3000);
    let error = world.gateway.refund(&other, world.now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unknown { .. }), "{error}");
    let error = query_refund(&world, "RF1", 2000).await.unwrap_err();
    assert!(error.to_string().contains("asked for"), "{error}");
    assert_eq!(world.sandbox.totals().refunded.fen, 1000);
}

#[tokio::test]
async fn what_was_not_paid_or_too_long_ago_is_not_refunded() {
    let world = world().await;
    let unpaid = refund("ORDER0001", "RF1", 3000, 3000);
    let error = world
        .gateway
        .refund(&unpaid, world.now())
        .await
        .unwrap_err();
    assert_eq!(code(&error), "ACQ.TRADE_NOT_EXIST");
    opened(&world, &payment(&world, Method::PAGE)).await;
    let error = world
        .gateway
        .refund(&unpaid, world.now())
        .await
        .unwrap_err();
    assert_eq!(code(&error), "ACQ.TRADE_STATUS_ERROR");
    paid(&world, "ORDER0002", 3000).await;
    world.later(366 * 24 * 3600);
    let late = refund("ORDER0002", "RF2", 3000, 3000);
    let error = world.gateway.refund(&late, world.now()).await.unwrap_err();
    assert_eq!(code(&error), "ACQ.TRADE_HAS_FINISHED");
    let state = world.query("ORDER0002").await;
    assert!(
        matches!(state, Ok(PaymentState::Paid(_))),
        "TRADE_FINISHED is paid: {state:?}"
    );
}

#[tokio::test]
async fn a_refused_refund_leaves_nothing_and_can_be_sent_again() {
    let world = world().await;
    paid(&world, "ORDER0001", 3000).await;
    let full = refund("ORDER0001", "RF1", 3000, 3000);
    for (fault, expected) in [
        ("NOT_ENOUGH", "ACQ.SELLER_BALANCE_NOT_ENOUGH"),
        ("USER_ACCOUNT_ABNORMAL", "ACQ.BUYER_ERROR"),
        ("NO_AUTH", "isv.insufficient-isv-permissions"),
        ("REQUEST_BLOCKED", "ACQ.REASON_TRADE_BEEN_FREEZEN"),
        ("INVALID_REQUEST", "ACQ.TRADE_NOT_ALLOW_REFUND"),
    ] {
        world
            .faults(&format!(r#"{{"refuseRefunds":"{fault}"}}"#))
            .await;
        let error = world.gateway.refund(&full, world.now()).await.unwrap_err();
        assert_eq!(code(&error), expected);
    }
    world
        .faults(r#"{"refuseRefunds":"FREQUENCY_LIMITED"}"#)
        .await;
    let error = world.gateway.refund(&full, world.now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unavailable { .. }), "{error}");
    world.faults(r#"{"refuseRefunds":"SYSTEM_ERROR"}"#).await;
    let error = world.gateway.refund(&full, world.now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unknown { .. }), "{error}");
    // Just after the request, nothing found says nothing; ten seconds later it does.
    assert_eq!(query_refund(&world, "RF1", 3000).await, Ok(UNDECIDED));
    world.later(10);
    let state = query_refund(&world, "RF1", 3000).await;
    assert_eq!(state, Ok(RefundState::NotFound));
    world.faults("{}").await;
    assert!(succeeded(&world.gateway.refund(&full, world.now()).await));
    assert_eq!(world.sandbox.totals().refunded.count, 1);
}

#[tokio::test]
async fn a_refund_of_unknown_outcome_pays_once_and_the_query_tells() {
    let world = world().await;
    paid(&world, "ORDER0001", 3000).await;
    let part = refund("ORDER0001", "RF1", 1000, 3000);
    world.faults(r#"{"unknownOutcome":"refund"}"#).await;
    for _ in 0..2 {
        let lost = world.gateway.refund(&part, world.now()).await.unwrap_err();
        assert!(matches!(lost, GatewayError::Unknown { .. }), "{lost}");
    }
    assert!(succeeded(&query_refund(&world, "RF1", 1000).await));
    world.faults("{}").await;
    let again = world.gateway.refund(&part, world.now()).await;
    assert_eq!(again, Ok(UNDECIDED), "it was made before");
    let totals = world.sandbox.totals();
    assert_eq!((totals.refunded.count, totals.refunded.fen), (1, 1000));
}

#[tokio::test]
async fn a_refund_that_hangs_is_not_believed_until_it_is_made() {
    let world = world().await;
    paid(&world, "ORDER0001", 3000).await;
    world.faults(r#"{"refundsHang":true}"#).await;
    let part = refund("ORDER0001", "RF1", 1000, 3000);
    let sent = world.gateway.refund(&part, world.now()).await;
    assert_eq!(sent, Ok(UNDECIDED));
    world.later(3600);
    let state = query_refund(&world, "RF1", 1000).await;
    assert_eq!(state, Ok(RefundState::NotFound));
    // So the same number is sent again, and it is still the same refund.
    let sent = world.gateway.refund(&part, world.now()).await;
    assert_eq!(sent, Ok(UNDECIDED));
    world.faults("{}").await;
    assert_eq!(
        world.sandbox.run_due().await,
        2,
        "the refund and its notice"
    );
    assert!(succeeded(&query_refund(&world, "RF1", 1000).await));
    let got = world.got();
    assert!(
        matches!(got.as_slice(), [Ok(Notice::AskRefund { .. })]),
        "{got:?}"
    );
    assert_eq!(world.sandbox.totals().refunded.fen, 1000);
    // Alipay's refunds have no other end.
    let outcome = r#"{"status":"ABNORMAL"}"#;
    let refused = world.control("POST", "refunds/RF1/outcome", outcome).await;
    assert_eq!(refused.unwrap_err().0, 400);
}
