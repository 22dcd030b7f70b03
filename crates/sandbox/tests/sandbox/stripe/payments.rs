//! Intents, from the start to the money or the end.

use super::{Shop, code, dollars, is_unavailable, is_unknown, number};
use connectors::gateway::{Notice, PaymentRef, PaymentState};
use domain::Money;
use domain::payment::PayWith;

#[tokio::test]
async fn a_payment_is_started_paid_and_told() {
    let shop = Shop::open().await;
    let started = shop.try_start(1, 3000).await.unwrap();
    let handle = started.handle.clone().unwrap();
    assert!(handle.starts_with("pi_"), "{handle}");
    let PayWith::Card {
        client_secret,
        publishable_key,
    } = started.pay_with
    else {
        panic!("not a card");
    };
    assert!(client_secret.starts_with(&format!("{handle}_secret_")));
    assert!(publishable_key.starts_with("pk_test_"));
    let payment = PaymentRef {
        handle: started.handle,
        ..shop.start_of(1, 3000).payment
    };
    assert_eq!(shop.query(&payment).await, PaymentState::Open);

    shop.world.later(60);
    shop.pay(1, "{}").await;
    assert_eq!(shop.world.sandbox.run_due().await, 1);
    let got = shop.world.got();
    let [Ok(Notice::Paid { paid, .. })] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(paid.out_trade_no, number(1));
    assert_eq!(paid.transaction_id, handle);
    assert_eq!(paid.amount, dollars(3000));
    let now = shop.world.now().unix_seconds();
    assert_eq!(paid.paid_at.unix_seconds(), now);
    // Notice and query tell the same, to the second.
    assert_eq!(shop.query(&payment).await, PaymentState::Paid(paid.clone()));
    assert_eq!(shop.net(), 3000);
    assert_eq!(shop.world.sandbox.run_due().await, 0);
}

#[tokio::test]
async fn a_declined_card_may_be_followed_by_another() {
    let shop = Shop::open().await;
    let payment = shop.started(1, 3000).await;
    let cashier = format!("/cashier/{}", number(1));
    let page = shop.world.browse("GET", &cashier, "en").await;
    let page = page.text().await.unwrap();
    assert!(page.contains("Card (Stripe)"), "{page}");

    let fail = format!("{cashier}/fail");
    assert_eq!(shop.world.browse("POST", &fail, "en").await.status(), 200);
    assert_eq!(shop.query(&payment).await, PaymentState::Open);
    let path = format!("/v1/payment_intents/{}", payment.handle.clone().unwrap());
    let seen = shop.raw("GET", &path, "", "").await;
    assert_eq!(seen.body["status"], "requires_payment_method");
    assert_eq!(seen.body["last_payment_error"]["code"], "card_declined");

    let pay = format!("{cashier}/pay");
    assert_eq!(shop.world.browse("POST", &pay, "en").await.status(), 200);
    let told = shop.query(&payment).await;
    assert!(matches!(told, PaymentState::Paid(_)), "{told:?}");
    let seen = shop.raw("GET", &path, "", "").await;
    assert!(seen.body["last_payment_error"].is_null());
    assert_eq!(shop.net(), 3000);
}

#[tokio::test]
async fn who_leaves_has_paid_nothing_and_what_is_cancelled_stays_unpaid() {
    let shop = Shop::open().await;
    let payment = shop.started(1, 3000).await;
    let leave = format!("/cashier/{}/leave", number(1));
    assert_eq!(shop.world.browse("POST", &leave, "en").await.status(), 200);
    assert_eq!(shop.query(&payment).await, PaymentState::Open);

    // An intent does not end by itself.
    shop.world.later(7 * 24 * 3600);
    assert_eq!(shop.query(&payment).await, PaymentState::Open);
    for _ in 0..2 {
        assert_eq!(shop.close(&payment).await, Ok(()));
    }
    assert_eq!(shop.query(&payment).await, PaymentState::Closed);
    let path = format!("payments/{}/pay", number(1));
    let refused = shop.world.control("POST", &path, "{}").await.unwrap_err();
    assert_eq!(refused.0, 409);
    assert_eq!(shop.net(), 0);
}

#[tokio::test]
async fn a_payer_who_was_quicker_has_paid() {
    let shop = Shop::open().await;
    let payment = shop.started(1, 3000).await;
    shop.pay(1, r#"{"callback":"never"}"#).await;
    let refused = code(shop.close(&payment).await);
    assert_eq!(refused, "payment_intent_unexpected_state");
    let told = shop.query(&payment).await;
    assert!(matches!(told, PaymentState::Paid(_)), "{told:?}");
}

#[tokio::test]
async fn a_repeated_start_is_the_same_intent() {
    let shop = Shop::open().await;
    let first = shop.try_start(1, 3000).await.unwrap();
    shop.world.later(60);
    assert_eq!(shop.try_start(1, 3000).await.unwrap(), first);
    assert_eq!(
        code(shop.try_start(1, 2999).await),
        "idempotency_error",
        "the number was another amount's"
    );
    let other = shop.try_start(2, 3000).await.unwrap();
    assert_ne!(other.handle, first.handle);
    assert_eq!(shop.world.sandbox.payments(&Default::default()).count, 2);
}

#[tokio::test]
async fn a_start_of_unknown_outcome_is_resolved_by_its_number() {
    let shop = Shop::open().await;
    shop.world.faults(r#"{"unknownOutcome":"prepay"}"#).await;
    let lost = shop.try_start(1, 3000).await;
    assert!(is_unknown(&lost), "{lost:?}");
    let again = shop.try_start(1, 3000).await.unwrap();
    let payment = PaymentRef {
        handle: again.handle,
        ..shop.start_of(1, 3000).payment
    };
    assert_eq!(shop.query(&payment).await, PaymentState::Open);
    assert_eq!(shop.world.sandbox.payments(&Default::default()).count, 1);
}

#[tokio::test]
async fn a_close_of_unknown_outcome_is_seen_by_the_query() {
    let shop = Shop::open().await;
    let payment = shop.started(1, 3000).await;
    shop.world.faults(r#"{"unknownOutcome":"close"}"#).await;
    let lost = shop.close(&payment).await;
    assert!(is_unknown(&lost), "{lost:?}");
    assert_eq!(shop.query(&payment).await, PaymentState::Closed);
    assert_eq!(shop.close(&payment).await, Ok(()));
}

#[tokio::test]
async fn while_stripe_is_down_nothing_is_settled() {
    let shop = Shop::open().await;
    let payment = shop.started(1, 3000).await;
    shop.world.faults(r#"{"down":true}"#).await;
    let told = shop.try_start(2, 3000).await;
    assert!(is_unknown(&told), "503 proves nothing: {told:?}");
    let told = shop.close(&payment).await;
    assert!(is_unknown(&told), "{told:?}");
    let told = shop.world.gateway.query(&payment, shop.world.now()).await;
    assert!(is_unavailable(&told), "{told:?}");
    shop.world.faults("{}").await;
    assert_eq!(shop.query(&payment).await, PaymentState::Open);
    assert!(shop.try_start(2, 3000).await.is_ok());
}

#[tokio::test]
async fn a_wrong_amount_was_really_paid() {
    let shop = Shop::open().await;
    let payment = shop.started(1, 3000).await;
    shop.pay(1, r#"{"callback":"wrong_amount"}"#).await;
    shop.world.sandbox.run_due().await;
    let got = shop.world.got();
    let [Ok(Notice::Paid { paid, .. })] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(paid.amount, dollars(2999));
    assert_eq!(shop.query(&payment).await, PaymentState::Paid(paid.clone()));
    assert_eq!(shop.net(), 2999);
}

#[tokio::test]
async fn what_stripe_has_never_heard_of_is_not_found() {
    let shop = Shop::open().await;
    let unheard_of = PaymentRef {
        handle: Some("pi_3NobodyKnowsThis".to_owned()),
        ..shop.start_of(1, 3000).payment
    };
    assert_eq!(shop.query(&unheard_of).await, PaymentState::NotFound);
    assert_eq!(code(shop.close(&unheard_of).await), "resource_missing");
}

#[tokio::test]
async fn an_intent_of_another_payment_is_no_answer_about_ours() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let mistaken = PaymentRef {
        out_trade_no: number(2),
        ..payment
    };
    let told = shop.world.gateway.query(&mistaken, shop.world.now()).await;
    assert!(is_unavailable(&told), "{told:?}");
}

#[tokio::test]
async fn too_little_and_other_money_are_refused() {
    let shop = Shop::open().await;
    assert_eq!(code(shop.try_start(1, 49).await), "amount_too_small");
    assert_eq!(
        code(shop.try_start(1, 100_000_000).await),
        "amount_too_large"
    );
    let mut yuan = shop.start_of(1, 3000);
    yuan.payment.amount = Money::fen(3000);
    let told = shop.world.gateway.start(&yuan, shop.world.now()).await;
    assert_eq!(code(told), "PARAM_ERROR");
    // A refusal before the work begins is not stored: the number is still good.
    assert!(shop.try_start(1, 50).await.is_ok());
}

#[tokio::test]
async fn payments_pay_themselves_where_they_are_told_to() {
    let shop = Shop::open().await;
    let autopay = r#"{"enabled":true,"delaySeconds":30}"#;
    shop.world.control("PUT", "autopay", autopay).await.unwrap();
    let payment = shop.started(1, 3000).await;
    shop.world.later(30);
    shop.world.sandbox.run_due().await;
    let told = shop.query(&payment).await;
    assert!(matches!(told, PaymentState::Paid(_)), "{told:?}");
}
