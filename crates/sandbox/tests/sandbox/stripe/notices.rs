//! Notices: genuine, forged, doubled, late, old, and repeated until they are taken.

use super::{Shop, number, refund_number, refund_of};
use connectors::gateway::{CallbackError, Notice, PaymentState};
use domain::Span;

#[tokio::test]
async fn a_notice_can_come_twice_with_one_id() {
    let shop = Shop::open().await;
    shop.started(1, 3000).await;
    shop.pay(1, r#"{"callback":"twice"}"#).await;
    assert_eq!(shop.world.sandbox.run_due().await, 2);
    let got = shop.world.got();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0], got[1]);
    assert!(matches!(&got[0], Ok(Notice::Paid { notice_id, .. }) if notice_id.starts_with("evt_")));
}

#[tokio::test]
async fn a_late_notice_waits_and_a_lost_one_never_comes() {
    let shop = Shop::open().await;
    shop.started(1, 3000).await;
    shop.pay(1, r#"{"callback":"late","lateSeconds":900}"#)
        .await;
    shop.world.later(899);
    assert_eq!(shop.world.sandbox.run_due().await, 0);
    shop.world.later(1);
    assert_eq!(shop.world.sandbox.run_due().await, 1);
    // It was signed when it was sent, so it is not stale, but tells when it was paid.
    let got = shop.world.got();
    let [Ok(Notice::Paid { paid, .. })] = got.as_slice() else {
        panic!("{got:?}")
    };
    let ago = shop.world.now().unix_seconds() - paid.paid_at.unix_seconds();
    assert_eq!(ago, 900);

    let payment = shop.started(2, 3000).await;
    shop.pay(2, r#"{"callback":"never"}"#).await;
    shop.world.later(4 * 24 * 3600);
    assert_eq!(shop.world.sandbox.run_due().await, 0);
    let told = shop.query(&payment).await;
    assert!(matches!(told, PaymentState::Paid(_)), "{told:?}");
}

#[tokio::test]
async fn a_forged_notice_is_refused_and_the_query_tells_the_truth() {
    let shop = Shop::open().await;
    let payment = shop.started(1, 3000).await;
    shop.pay(1, r#"{"callback":"bad_signature"}"#).await;
    shop.world.sandbox.run_due().await;
    let got = shop.world.got();
    assert!(
        matches!(got.as_slice(), [Err(CallbackError::BadSignature(_))]),
        "{got:?}"
    );
    let told = shop.query(&payment).await;
    assert!(matches!(told, PaymentState::Paid(_)), "{told:?}");
}

#[tokio::test]
async fn an_old_notice_is_stale_and_a_sent_again_one_is_the_same() {
    let shop = Shop::open().await;
    shop.started(1, 3000).await;
    shop.pay(1, "{}").await;
    shop.world.sandbox.run_due().await;
    let first = shop.world.got().remove(0);
    let path = format!("payments/{}/callback", number(1));
    for (request, status) in [
        (r#"{"times":3}"#, 200),
        (r#"{"times":3,"atOnce":true}"#, 200),
        (r#"{"staleSeconds":300}"#, 200),
        (r#"{"staleSeconds":301}"#, 401),
        (r#"{"badSignature":true}"#, 401),
    ] {
        let told = shop.world.control("POST", &path, request).await.unwrap();
        let answers = told["answers"].as_array().unwrap().iter();
        let statuses: Vec<_> = answers.map(|answer| answer["status"].clone()).collect();
        assert!(
            statuses.iter().all(|told| *told == status),
            "{request}: {statuses:?}"
        );
        for got in shop.world.got() {
            match got {
                Ok(_) => assert_eq!(got, first, "{request}"),
                Err(CallbackError::Stale { .. } | CallbackError::BadSignature(_)) => {
                    assert_eq!(status, 401);
                }
                Err(other) => panic!("{request}: {other}"),
            }
        }
    }
}

#[tokio::test]
async fn a_notice_that_is_not_taken_is_repeated_for_three_days() {
    let shop = Shop::open().await;
    shop.world.merchant_answers(500);
    shop.started(1, 3000).await;
    shop.pay(1, "{}").await;
    let begun = shop.world.now();
    let mut at = Vec::new();
    assert_eq!(shop.world.sandbox.run_due().await, 1);
    while shop.world.now().since(begun) < Span::hours(24 * 4) {
        shop.world.later(60);
        if shop.world.sandbox.run_due().await > 0 {
            at.push(shop.world.now().since(begun).as_seconds());
        }
    }
    assert_eq!(at.len(), 10);
    assert_eq!(at[..3], [60, 360, 2160]);
    let three_days = 3 * 24 * 3600;
    assert!(
        at[9] <= three_days && at[9] > three_days - 24 * 3600,
        "{at:?}"
    );
}

#[tokio::test]
async fn a_refunds_notice_says_that_it_is_time_to_ask() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    shop.refund(&refund_of(&payment, 1, 1000)).await.unwrap();
    shop.world.faults(r#"{"refundsHang":true}"#).await;
    shop.refund(&refund_of(&payment, 2, 1000)).await.unwrap();
    shop.outcome(&refund_number(2), r#"{"status":"FAILED"}"#)
        .await;
    shop.world.sandbox.run_due().await;
    let got = shop.world.got();
    let asked: Vec<_> = got
        .iter()
        .map(|got| match got {
            Ok(Notice::AskRefund { out_refund_no, .. }) => out_refund_no.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(asked, [refund_number(1), refund_number(2)]);
}

#[tokio::test]
async fn without_an_endpoint_nothing_is_told() {
    let shop = Shop::open().await;
    let nowhere = r#"{"gateway":"stripe","url":null}"#;
    shop.world.control("PUT", "webhook", nowhere).await.unwrap();
    let payment = shop.paid(1, 3000).await;
    let told = shop.query(&payment).await;
    assert!(matches!(told, PaymentState::Paid(_)), "{told:?}");
    assert!(
        shop.world
            .sandbox
            .payment(&number(1))
            .unwrap()
            .callbacks
            .is_empty()
    );
}
