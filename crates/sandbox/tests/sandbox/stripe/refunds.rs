//! Refunds: whole, in parts, again, too much, refused, pending, failed, unknown.

use super::{
    Shop, code, has_succeeded, is_processing, is_unavailable, is_unknown, refund_number, refund_of,
};
use connectors::gateway::{RefundRef, RefundState};

/// As the engine keeps it after the first answer.
fn known(refund: &RefundRef, told: &RefundState) -> RefundRef {
    let refund_id = match told {
        RefundState::Succeeded { refund_id, .. } => Some(refund_id.clone()),
        RefundState::Processing { refund_id } => refund_id.clone(),
        other => panic!("{other:?}"),
    };
    RefundRef {
        refund_id,
        ..refund.clone()
    }
}

fn failed(reason: &str) -> RefundState {
    RefundState::Failed {
        reason: reason.to_owned(),
    }
}

#[tokio::test]
async fn a_full_refund_is_back_at_once() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let full = refund_of(&payment, 1, 3000);
    assert_eq!(shop.query_refund(&full).await, Ok(RefundState::NotFound));
    let told = shop.refund(&full).await;
    assert!(has_succeeded(&told), "{told:?}");
    assert_eq!(shop.query_refund(&full).await, told, "by our number");
    let known = known(&full, told.as_ref().unwrap());
    assert_eq!(shop.query_refund(&known).await, told, "by Stripe's");
    assert_eq!(shop.net(), 0);
}

#[tokio::test]
async fn three_parts_make_the_whole_and_a_fourth_is_too_much() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    for (part, cents) in [(1, 500), (2, 1000), (3, 1500)] {
        let told = shop.refund(&refund_of(&payment, part, cents)).await;
        assert!(has_succeeded(&told), "{told:?}");
    }
    assert_eq!(shop.net(), 0);
    let more = shop.refund(&refund_of(&payment, 4, 1)).await;
    assert_eq!(code(more), "charge_already_refunded");
    let other = shop.paid(2, 3000).await;
    let more = shop.refund(&refund_of(&other, 5, 3001)).await;
    assert_eq!(code(more), "parameter_invalid_integer");
    assert_eq!(shop.net(), 3000);
}

#[tokio::test]
async fn a_repeated_refund_pays_once_even_when_its_key_is_forgotten() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let part = refund_of(&payment, 1, 1000);
    let told = shop.refund(&part).await;
    assert_eq!(shop.refund(&part).await, told);
    shop.world.later(25 * 3600);
    assert_eq!(shop.refund(&part).await, told);
    assert_eq!(shop.net(), 2000);
    assert_eq!(shop.world.sandbox.refunds(&Default::default()).count, 1);
    let other = refund_of(&payment, 1, 999);
    let told = shop.refund(&other).await;
    assert!(
        is_unknown(&told),
        "the number has paid another amount: {told:?}"
    );
    assert_eq!(shop.net(), 2000);
}

#[tokio::test]
async fn what_was_not_paid_is_not_refunded() {
    let shop = Shop::open().await;
    let open = shop.started(1, 3000).await;
    let told = shop.refund(&refund_of(&open, 1, 1000)).await;
    assert_eq!(code(told), "invalid_request_error");
}

#[tokio::test]
async fn a_refused_refund_can_be_sent_again_with_its_number() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let part = refund_of(&payment, 1, 1000);
    shop.world.faults(r#"{"refuseRefunds":"NOT_ENOUGH"}"#).await;
    for _ in 0..3 {
        assert_eq!(code(shop.refund(&part).await), "balance_insufficient");
    }
    assert_eq!(shop.query_refund(&part).await, Ok(RefundState::NotFound));
    // The stored refusals don't outlive their reason.
    shop.world.faults("{}").await;
    let told = shop.refund(&part).await;
    assert!(has_succeeded(&told), "{told:?}");
    assert_eq!(shop.refund(&part).await, told);
    assert_eq!(shop.net(), 2000);
}

#[tokio::test]
async fn too_many_requests_are_put_off() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let part = refund_of(&payment, 1, 1000);
    let faults = r#"{"refuseRefunds":"FREQUENCY_LIMITED"}"#;
    shop.world.faults(faults).await;
    let told = shop.refund(&part).await;
    assert!(is_unavailable(&told), "{told:?}");
    shop.world.faults("{}").await;
    assert!(has_succeeded(&shop.refund(&part).await));
}

#[tokio::test]
async fn a_refund_may_be_pending_and_succeed_later() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let part = refund_of(&payment, 1, 1000);
    shop.world.faults(r#"{"refundsHang":true}"#).await;
    let told = shop.refund(&part).await;
    assert!(is_processing(&told), "{told:?}");
    assert_eq!(shop.net(), 3000);
    let known = known(&part, told.as_ref().unwrap());
    shop.world.later(3600);
    shop.world.sandbox.run_due().await;
    assert_eq!(shop.query_refund(&known).await, told);
    shop.world.faults("{}").await;
    shop.world.sandbox.run_due().await;
    let told = shop.query_refund(&known).await;
    assert!(has_succeeded(&told), "{told:?}");
    assert_eq!(shop.net(), 2000);
}

#[tokio::test]
async fn a_refund_that_failed_at_the_bank_is_tried_again_under_its_number() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let part = refund_of(&payment, 1, 1000);
    shop.world.faults(r#"{"refundsHang":true}"#).await;
    let began = shop.refund(&part).await.unwrap();
    shop.outcome(&refund_number(1), r#"{"status":"FAILED"}"#)
        .await;
    let first = known(&part, &began);
    assert_eq!(shop.query_refund(&first).await, Ok(failed("declined")));
    assert_eq!(shop.net(), 3000);

    shop.world.faults("{}").await;
    let told = shop.refund(&first).await;
    assert!(has_succeeded(&told), "{told:?}");
    // Whoever still asks by the first id hears of the second try.
    assert_eq!(shop.query_refund(&first).await, told);
    assert_eq!(shop.refund(&first).await, told, "and no third one is made");
    assert_eq!(shop.net(), 2000);
    assert_eq!(shop.world.sandbox.refunds(&Default::default()).count, 2);
}

#[tokio::test]
async fn a_dead_card_is_for_operations_and_a_cancelled_refund_has_failed() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    shop.world.faults(r#"{"refundsHang":true}"#).await;
    for (part, status, expected) in [
        (1, "ABNORMAL", RefundState::Abnormal),
        (2, "CLOSED", failed("canceled at Stripe")),
    ] {
        let part = refund_of(&payment, part, 1000);
        let told = shop.refund(&part).await;
        assert!(is_processing(&told), "{told:?}");
        let outcome = format!(r#"{{"status":"{status}"}}"#);
        shop.outcome(&part.out_refund_no, &outcome).await;
        assert_eq!(shop.query_refund(&part).await, Ok(expected));
    }
    assert_eq!(shop.net(), 3000);
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_found_and_pays_once() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let part = refund_of(&payment, 1, 1000);
    shop.world.faults(r#"{"unknownOutcome":"refund"}"#).await;
    let lost = shop.refund(&part).await;
    assert!(is_unknown(&lost), "{lost:?}");
    let told = shop.query_refund(&part).await;
    assert!(has_succeeded(&told), "{told:?}");
    assert_eq!(shop.refund(&part).await, told);
    assert_eq!(shop.net(), 2000);

    // Its key alone would have brought the answer as well.
    let form = format!(
        "payment_intent={}&amount=1000&metadata[out_refund_no]={}&metadata[out_trade_no]={}",
        payment.handle.unwrap(),
        part.out_refund_no,
        payment.out_trade_no
    );
    let seen = shop
        .raw("POST", "/v1/refunds", &part.out_refund_no, &form)
        .await;
    assert_eq!((seen.status, seen.replayed), (200, true));
    assert_eq!(seen.body["status"], "succeeded");
}

#[tokio::test]
async fn a_stored_failure_of_stripes_stays_unknown_until_its_key_is_forgotten() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let part = refund_of(&payment, 1, 1000);
    shop.world
        .faults(r#"{"refuseRefunds":"SYSTEM_ERROR"}"#)
        .await;
    let lost = shop.refund(&part).await;
    assert!(is_unknown(&lost), "{lost:?}");
    shop.world.faults("{}").await;
    let again = shop.refund(&part).await;
    assert!(
        is_unknown(&again),
        "no second key while the first may pay: {again:?}"
    );
    assert_eq!(shop.query_refund(&part).await, Ok(RefundState::NotFound));
    shop.world.later(24 * 3600);
    assert!(has_succeeded(&shop.refund(&part).await));
    assert_eq!(shop.net(), 2000);
}

#[tokio::test]
async fn while_stripe_is_down_no_refund_is_sent() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let part = refund_of(&payment, 1, 1000);
    shop.world.faults(r#"{"down":true}"#).await;
    let told = shop.refund(&part).await;
    assert!(
        is_unavailable(&told),
        "looking failed, so nothing was sent: {told:?}"
    );
    shop.world.faults("{}").await;
    assert!(has_succeeded(&shop.refund(&part).await));
}
