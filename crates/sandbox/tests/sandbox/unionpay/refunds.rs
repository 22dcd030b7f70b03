//! Refunds: whole, in parts, repeated, too much, refused, and of unknown outcome.

use super::{UnionPay, refund_no};
use connectors::gateway::{GatewayError, Notice, RefundState};

#[tokio::test]
async fn a_refund_is_accepted_told_of_and_found_done() {
    let unionpay = UnionPay::new().await;
    unionpay.paid(1, 3000).await;
    let refund = unionpay.refund(1, 1, 3000);
    assert_eq!(
        unionpay.query_refund(&refund).await,
        Ok(RefundState::NotFound)
    );
    let sent = unionpay.send(&refund).await.unwrap();
    let RefundState::Processing {
        refund_id: Some(refund_id),
    } = sent
    else {
        panic!("{sent:?}")
    };
    let got = unionpay.world.got();
    assert!(
        matches!(got.as_slice(), [Ok(Notice::AskRefund { out_refund_no, .. })]
            if *out_refund_no == refund_no(1)),
        "{got:?}"
    );
    let state = unionpay.query_refund(&refund).await.unwrap();
    let RefundState::Succeeded { refund_id: id, at } = state else {
        panic!("{state:?}")
    };
    assert_eq!(id, refund_id);
    assert_eq!(at.unix_seconds(), unionpay.world.now().unix_seconds());
    assert_eq!(unionpay.world.sandbox.totals().net_fen, 0);
    // The payment stays paid, whatever went back of it.
    let state = unionpay.query(1, 3000).await.unwrap();
    assert!(
        matches!(state, connectors::gateway::PaymentState::Paid(_)),
        "{state:?}"
    );
}

#[tokio::test]
async fn three_parts_go_back_and_not_a_fen_more() {
    let unionpay = UnionPay::new().await;
    unionpay.paid(1, 3000).await;
    for (n, fen) in [(1, 1000), (2, 500), (3, 1499)] {
        let refund = unionpay.refund(1, n, fen);
        let sent = unionpay.send(&refund).await;
        assert!(
            matches!(sent, Ok(RefundState::Processing { .. })),
            "{sent:?}"
        );
        let state = unionpay.query_refund(&refund).await;
        assert!(
            matches!(state, Ok(RefundState::Succeeded { .. })),
            "{state:?}"
        );
    }
    let too_much = unionpay.refund(1, 4, 2);
    let refused = unionpay.send(&too_much).await;
    assert!(
        matches!(&refused, Err(GatewayError::Refused { code, .. }) if code == "36"),
        "{refused:?}"
    );
    assert_eq!(
        unionpay.query_refund(&too_much).await,
        Ok(RefundState::NotFound)
    );
    assert_eq!(unionpay.world.sandbox.totals().net_fen, 1);
    let last = unionpay.send(&unionpay.refund(1, 5, 1)).await;
    assert!(last.is_ok(), "{last:?}");
    assert_eq!(unionpay.world.sandbox.totals().net_fen, 0);
}

#[tokio::test]
async fn the_same_number_once_more_moves_nothing() {
    let unionpay = UnionPay::new().await;
    unionpay.paid(1, 3000).await;
    let refund = unionpay.refund(1, 1, 1000);
    unionpay.send(&refund).await.unwrap();
    for _ in 0..3 {
        let again = unionpay.send(&refund).await;
        assert_eq!(again, Ok(RefundState::Processing { refund_id: None }));
    }
    assert_eq!(unionpay.world.sandbox.totals().refunded.count, 1);

    // The number with another amount is not sent on as if it were new, and not taken for done.
    let dearer = unionpay.refund(1, 1, 2000);
    unionpay.send(&dearer).await.unwrap();
    let state = unionpay.query_refund(&dearer).await;
    assert!(
        matches!(&state, Err(GatewayError::Unavailable { reason, .. }) if reason.contains("told")),
        "{state:?}"
    );
    assert_eq!(unionpay.world.sandbox.totals().net_fen, 2000);
}

#[tokio::test]
async fn each_no_keeps_its_kind() {
    let unionpay = UnionPay::new().await;
    unionpay.paid(1, 3000).await;
    for (n, fault, kind) in [
        (1, "NOT_ENOUGH", "refused"),
        (2, "USER_ACCOUNT_ABNORMAL", "refused"),
        (3, "NO_AUTH", "refused"),
        (4, "REQUEST_BLOCKED", "refused"),
        (5, "INVALID_REQUEST", "refused"),
        (6, "FREQUENCY_LIMITED", "unavailable"),
        (7, "SYSTEM_ERROR", "unknown"),
    ] {
        let faults = format!(r#"{{"refuseRefunds":"{fault}"}}"#);
        unionpay.world.faults(&faults).await;
        let found = match unionpay.send(&unionpay.refund(1, n, 1000)).await {
            Err(GatewayError::Refused { .. }) => "refused",
            Err(GatewayError::Unavailable { .. }) => "unavailable",
            Err(GatewayError::Unknown { .. }) => "unknown",
            Ok(state) => panic!("{state:?}"),
        };
        assert_eq!(found, kind, "{fault}");
    }
    unionpay.world.faults("{}").await;
    assert_eq!(unionpay.world.sandbox.totals().refunded.count, 0);
    // After each, the same number gets through, and once only.
    for n in 1..=3 {
        let sent = unionpay.send(&unionpay.refund(1, n, 1000)).await;
        assert!(sent.is_ok(), "{sent:?}");
    }
    assert_eq!(unionpay.world.sandbox.totals().net_fen, 0);
}

#[tokio::test]
async fn an_unknown_outcome_is_resolved_by_the_query() {
    let unionpay = UnionPay::new().await;
    unionpay.paid(1, 3000).await;
    unionpay
        .world
        .faults(r#"{"unknownOutcome":"refund"}"#)
        .await;
    let refund = unionpay.refund(1, 1, 1000);
    let sent = unionpay.send(&refund).await;
    assert!(
        matches!(sent, Err(GatewayError::Unknown { .. })),
        "{sent:?}"
    );
    unionpay.world.faults("{}").await;
    let state = unionpay.query_refund(&refund).await;
    assert!(
        matches!(state, Ok(RefundState::Succeeded { .. })),
        "{state:?}"
    );
    let again = unionpay.send(&refund).await;
    assert!(
        matches!(again, Ok(RefundState::Processing { .. })),
        "{again:?}"
    );
    assert_eq!(unionpay.world.sandbox.totals().refunded.count, 1);

    // Down, it is unknown as well whether it got through; the query says that it did not.
    unionpay.world.faults(r#"{"down":true}"#).await;
    let other = unionpay.refund(1, 2, 1000);
    let sent = unionpay.send(&other).await;
    assert!(
        matches!(sent, Err(GatewayError::Unknown { .. })),
        "{sent:?}"
    );
    unionpay.world.faults("{}").await;
    assert_eq!(
        unionpay.query_refund(&other).await,
        Ok(RefundState::NotFound)
    );
    assert_eq!(unionpay.world.sandbox.totals().net_fen, 2000);
}

#[tokio::test]
async fn a_hanging_refund_is_under_way_and_a_failed_one_has_used_its_number_up() {
    let unionpay = UnionPay::new().await;
    unionpay.paid(1, 3000).await;
    unionpay.world.faults(r#"{"refundsHang":true}"#).await;
    let (first, second) = (unionpay.refund(1, 1, 1000), unionpay.refund(1, 2, 1000));
    for refund in [&first, &second] {
        unionpay.send(refund).await.unwrap();
        let state = unionpay.query_refund(refund).await;
        assert!(
            matches!(state, Ok(RefundState::Processing { .. })),
            "{state:?}"
        );
    }
    let outcome = format!("refunds/{}/outcome", refund_no(2));
    let failed = r#"{"status":"FAILED"}"#;
    unionpay
        .world
        .control("POST", &outcome, failed)
        .await
        .unwrap();
    unionpay.world.faults("{}").await;
    unionpay.world.sandbox.run_due().await;
    let state = unionpay.query_refund(&first).await;
    assert!(
        matches!(state, Ok(RefundState::Succeeded { .. })),
        "{state:?}"
    );
    assert_eq!(
        unionpay.query_refund(&second).await,
        Ok(RefundState::Closed)
    );
    // UnionPay tells of successes only.
    let got = unionpay.world.got();
    assert!(
        matches!(got.as_slice(), [Ok(Notice::AskRefund { out_refund_no, .. })]
            if *out_refund_no == refund_no(1)),
        "{got:?}"
    );
    let new_number = unionpay.send(&unionpay.refund(1, 3, 2000)).await;
    assert!(new_number.is_ok(), "{new_number:?}");
    assert_eq!(unionpay.world.sandbox.totals().net_fen, 0);
}

#[tokio::test]
async fn what_is_not_paid_can_not_go_back() {
    let unionpay = UnionPay::new().await;
    unionpay.arrive(1, 3000).await;
    let mut refund = unionpay.refund(1, 1, 1000);
    let refused = unionpay.send(&refund).await;
    assert!(
        matches!(refused, Err(GatewayError::Refused { .. })),
        "{refused:?}"
    );
    refund.refund.payment.transaction_id = Some("952603020000000000000".to_owned());
    let refused = unionpay.send(&refund).await;
    assert!(
        matches!(&refused, Err(GatewayError::Refused { code, .. }) if code == "35"),
        "{refused:?}"
    );
}
