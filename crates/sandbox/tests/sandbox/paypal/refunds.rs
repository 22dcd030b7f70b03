//! Refunds: full, in three parts, repeated, too much, refused, waiting and then done, unknown.

use super::{
    NUMBER, book, code, is_unknown, new_refund, paid, refund_number, send, started, told, world,
};
use connectors::gateway::{GatewayError, Notice, PaymentState, RefundRef, RefundState};
use domain::Span;

fn refund_id(state: &RefundState) -> String {
    match state {
        RefundState::Succeeded { refund_id, .. }
        | RefundState::Processing {
            refund_id: Some(refund_id),
        } => refund_id.clone(),
        other => panic!("no refund: {other:?}"),
    }
}

#[tokio::test]
async fn a_full_refund_is_done_told_and_found_again() {
    let world = world().await;
    let payment = paid(&world, NUMBER).await;
    let full = new_refund(&payment, &refund_number(1), 11_500);
    let state = send(&world, &full).await.unwrap();
    assert!(matches!(state, RefundState::Succeeded { .. }), "{state:?}");
    world.sandbox.run_due().await;
    let notices = told(&world);
    let [
        Notice::Refund {
            out_refund_no,
            state: told,
            ..
        },
    ] = notices.as_slice()
    else {
        panic!("{notices:?}")
    };
    assert_eq!((out_refund_no, told), (&refund_number(1), &state));

    // The same number again, and asked by PayPal's.
    assert_eq!(send(&world, &full).await, Ok(state.clone()));
    let known = RefundRef {
        refund_id: Some(refund_id(&state)),
        ..full.refund
    };
    assert_eq!(
        world.gateway.query_refund(&known, world.now()).await,
        Ok(state)
    );
    let still_paid = world.gateway.query(&payment, world.now()).await;
    assert!(
        matches!(still_paid, Ok(PaymentState::Paid(_))),
        "{still_paid:?}"
    );
    assert_eq!(book(&world), (11_500, 11_500, 0));
}

#[tokio::test]
async fn three_parts_make_the_whole_and_not_a_cent_more() {
    let world = world().await;
    let payment = paid(&world, NUMBER).await;
    for (digit, cents) in [(1, 3_000), (2, 4_000)] {
        send(&world, &new_refund(&payment, &refund_number(digit), cents))
            .await
            .unwrap();
    }
    let too_much = new_refund(&payment, &refund_number(3), 4_501);
    assert_eq!(
        code(send(&world, &too_much).await),
        "REFUND_AMOUNT_EXCEEDED"
    );
    let rest = new_refund(&payment, &refund_number(4), 4_500);
    send(&world, &rest).await.unwrap();
    let more = new_refund(&payment, &refund_number(5), 1);
    assert_eq!(code(send(&world, &more).await), "CAPTURE_FULLY_REFUNDED");
    // A number belongs to its amount.
    let other = new_refund(&payment, &refund_number(1), 2_999);
    assert_eq!(
        code(send(&world, &other).await),
        "PAYPAL_REQUEST_ID_PREVIOUSLY_USED"
    );
    assert_eq!(book(&world), (11_500, 11_500, 0));
}

#[tokio::test]
async fn a_refund_that_waits_is_processing_and_then_done() {
    let world = world().await;
    let payment = paid(&world, NUMBER).await;
    world.faults(r#"{"refundsHang":true}"#).await;
    let refund = new_refund(&payment, &refund_number(1), 1_500);
    let state = send(&world, &refund).await.unwrap();
    assert!(matches!(state, RefundState::Processing { .. }), "{state:?}");
    world.sandbox.run_due().await;
    assert_eq!(told(&world), []);
    let known = RefundRef {
        refund_id: Some(refund_id(&state)),
        ..refund.refund
    };
    assert_eq!(
        world.gateway.query_refund(&known, world.now()).await,
        Ok(state)
    );
    assert_eq!(book(&world), (11_500, 0, 11_500));

    world.later(3600);
    world.faults("{}").await;
    world.sandbox.run_due().await;
    let done = world
        .gateway
        .query_refund(&known, world.now())
        .await
        .unwrap();
    let RefundState::Succeeded { at, .. } = &done else {
        panic!("{done:?}")
    };
    assert_eq!(at.unix_seconds(), world.now().unix_seconds());
    let notices = told(&world);
    assert!(
        matches!(notices.as_slice(), [Notice::Refund { state, .. }] if *state == done),
        "{notices:?}"
    );
    assert_eq!(book(&world), (11_500, 1_500, 10_000));
}

#[tokio::test]
async fn a_refund_that_fails_there_has_used_up_its_number() {
    let world = world().await;
    let payment = paid(&world, NUMBER).await;
    world.faults(r#"{"refundsHang":true}"#).await;
    for (digit, end) in [(1, "FAILED"), (2, "CLOSED")] {
        let refund = new_refund(&payment, &refund_number(digit), 11_500);
        send(&world, &refund).await.unwrap();
        let path = format!("refunds/{}/outcome", refund_number(digit));
        world
            .control("POST", &path, &format!(r#"{{"status":"{end}"}}"#))
            .await
            .unwrap();
        // The number answers with the same refund for good; a new one goes through.
        assert_eq!(
            send(&world, &refund).await,
            Ok(RefundState::Closed),
            "{end}"
        );
    }
    world.faults("{}").await;
    let again = new_refund(&payment, &refund_number(3), 11_500);
    send(&world, &again).await.unwrap();
    assert_eq!(book(&world), (11_500, 11_500, 0));
}

#[tokio::test]
async fn a_refusal_is_definite_and_too_many_requests_are_not() {
    let world = world().await;
    let payment = paid(&world, NUMBER).await;
    let refund = new_refund(&payment, &refund_number(1), 1_500);
    for (refusal, expected) in [
        ("NOT_ENOUGH", "REFUND_FAILED_INSUFFICIENT_FUNDS"),
        ("USER_ACCOUNT_ABNORMAL", "REFUND_NOT_ALLOWED"),
        ("NO_AUTH", "PERMISSION_DENIED"),
        ("INVALID_REQUEST", "INVALID_PARAMETER_VALUE"),
    ] {
        world
            .faults(&format!(r#"{{"refuseRefunds":"{refusal}"}}"#))
            .await;
        assert_eq!(code(send(&world, &refund).await), expected);
    }
    world
        .faults(r#"{"refuseRefunds":"FREQUENCY_LIMITED"}"#)
        .await;
    let busy = send(&world, &refund).await;
    assert!(
        matches!(busy, Err(GatewayError::Unavailable { .. })),
        "{busy:?}"
    );
    world.faults(r#"{"refuseRefunds":"SYSTEM_ERROR"}"#).await;
    let broken = send(&world, &refund).await;
    assert!(is_unknown(&broken), "{broken:?}");
    assert_eq!(book(&world), (11_500, 0, 11_500));
    // The same number goes through once it may.
    world.faults("{}").await;
    send(&world, &refund).await.unwrap();
    assert_eq!(book(&world), (11_500, 1_500, 10_000));
}

#[tokio::test]
async fn a_refund_of_unknown_outcome_is_sent_again_and_paid_once() {
    let world = world().await;
    let payment = paid(&world, NUMBER).await;
    world.faults(r#"{"unknownOutcome":"refund"}"#).await;
    let refund = new_refund(&payment, &refund_number(1), 1_500);
    let lost = send(&world, &refund).await;
    assert!(is_unknown(&lost), "{lost:?}");
    world.faults("{}").await;
    // Without PayPal's number it can't be asked about; sending it again is safe and tells.
    let state = world
        .gateway
        .query_refund(&refund.refund, world.now())
        .await;
    assert_eq!(state, Ok(RefundState::NotFound));
    let state = send(&world, &refund).await.unwrap();
    assert!(matches!(state, RefundState::Succeeded { .. }), "{state:?}");
    assert_eq!(book(&world), (11_500, 1_500, 10_000));
}

#[tokio::test]
async fn what_was_not_captured_or_too_long_ago_is_not_refunded() {
    let world = world().await;
    let (unpaid, _) = started(&world, NUMBER).await;
    let nothing = new_refund(&unpaid, &refund_number(1), 1_500);
    assert_eq!(code(send(&world, &nothing).await), "PARAM_ERROR");
    let mut foreign = nothing;
    foreign.refund.payment.transaction_id = Some("27M47624FP291604U".to_owned());
    assert_eq!(code(send(&world, &foreign).await), "INVALID_RESOURCE_ID");
    let old = paid(&world, "0193a5b2c3d4e5f60718293a4b5c6d7f").await;
    world.later(Span::hours(181 * 24).as_seconds());
    let late = new_refund(&old, &refund_number(2), 1_500);
    assert_eq!(
        code(send(&world, &late).await),
        "REFUND_TIME_LIMIT_EXCEEDED"
    );
}
