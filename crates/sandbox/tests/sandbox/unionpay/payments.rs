//! A purchase from the form to its end: paid, failed, left, timed out.

use super::{UnionPay, order};
use connectors::gateway::{GatewayError, Notice, PaymentState};
use domain::Money;

#[tokio::test]
async fn the_payer_pays_on_unionpays_page_and_the_merchant_hears_of_it() {
    let unionpay = UnionPay::new().await;
    // Until the form is posted, UnionPay knows nothing.
    assert_eq!(unionpay.query(1, 3000).await, Ok(PaymentState::NotFound));
    unionpay.arrive(1, 3000).await;
    assert_eq!(unionpay.query(1, 3000).await, Ok(PaymentState::NotFound));

    let world = &unionpay.world;
    let cashier = format!("/cashier/{}", order(1));
    let page = world.browse("GET", &cashier, "zh-CN").await.text().await;
    let page = page.unwrap();
    for expected in ["银联在线支付", "¥30.00", "复诊问诊费", "09:15:00"] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let done = world
        .browse("POST", &format!("{cashier}/pay"), "zh-CN")
        .await;
    assert_eq!(done.status(), 303);
    world.sandbox.run_due().await;

    let got = world.got();
    let [Ok(Notice::Paid { paid, .. })] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(paid.out_trade_no, order(1));
    assert_eq!(paid.amount, Money::fen(3000));
    assert_eq!(paid.transaction_id.len(), 21);
    // UnionPay's clock has whole seconds.
    assert_eq!(paid.paid_at.unix_seconds(), unionpay.begun.unix_seconds());
    assert_eq!(
        unionpay.query(1, 3000).await,
        Ok(PaymentState::Paid(paid.clone()))
    );
    assert_eq!(world.sandbox.totals().net_fen, 3000);
}

#[tokio::test]
async fn the_way_back_is_a_form_with_the_notice_in_it() {
    let unionpay = UnionPay::new().await;
    unionpay.arrive(1, 3000).await;
    let world = &unionpay.world;
    let cashier = format!("/cashier/{}", order(1));
    let done = world.browse("POST", &format!("{cashier}/pay"), "en").await;
    let back = done.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(back, format!("/unionpay/return/{}", order(1)));
    let page = world.browse("GET", &back, "en").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let page = page.text().await.unwrap();
    for expected in [
        "action=\"http://127.0.0.1:9/orders/1?tab=pay&amp;x=1\"",
        "name=\"respCode\" value=\"00\"",
        "name=\"signature\"",
        "返回商户",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let nobody = world.browse("GET", "/unionpay/return/nobody", "en").await;
    assert_eq!(nobody.status(), 404);
}

#[tokio::test]
async fn whoever_leaves_is_sent_back_and_may_come_again() {
    let unionpay = UnionPay::new().await;
    unionpay.arrive(1, 3000).await;
    let world = &unionpay.world;
    let leave = format!("/cashier/{}/leave", order(1));
    let left = world.browse("POST", &leave, "en").await;
    assert_eq!(left.status(), 303);
    assert_eq!(
        left.headers()["location"],
        "http://127.0.0.1:9/orders/1?tab=pay&x=1"
    );
    assert_eq!(unionpay.query(1, 3000).await, Ok(PaymentState::NotFound));
    // The same form once more is the same order.
    unionpay.arrive(1, 3000).await;
    unionpay.pay(1, "{}").await;
    assert_eq!(world.got().len(), 1);
    // And after it is paid, it shows that it is.
    unionpay.arrive(1, 3000).await;
    assert_eq!(world.sandbox.totals().paid.count, 1);
}

#[tokio::test]
async fn left_until_its_time_is_over_it_is_closed_for_good() {
    let unionpay = UnionPay::new().await;
    unionpay.arrive(1, 3000).await;
    let early = unionpay.close(1, 3000).await;
    assert!(
        matches!(&early, Err(GatewayError::Unavailable { reason, .. })
            if reason.contains("stays payable until")),
        "{early:?}"
    );
    let world = &unionpay.world;
    world.later(16 * 60);
    assert_eq!(unionpay.query(1, 3000).await, Ok(PaymentState::NotFound));
    world.later(1);
    assert_eq!(unionpay.query(1, 3000).await, Ok(PaymentState::Closed));
    assert_eq!(unionpay.close(1, 3000).await, Ok(()));
    // Nobody can pay it any more, not even by the same form.
    unionpay.arrive(1, 3000).await;
    let pay = format!("/cashier/{}/pay", order(1));
    assert_eq!(world.browse("POST", &pay, "en").await.status(), 409);
    assert_eq!(unionpay.query(1, 3000).await, Ok(PaymentState::Closed));
    assert_eq!(world.sandbox.totals().net_fen, 0);

    // A form that was never posted ends the same way.
    assert_eq!(unionpay.query(2, 3000).await, Ok(PaymentState::Closed));
    assert_eq!(unionpay.close(2, 3000).await, Ok(()));
}

#[tokio::test]
async fn a_failed_card_may_be_followed_by_another_until_the_time_is_over() {
    let unionpay = UnionPay::new().await;
    let world = &unionpay.world;
    for n in [1, 2] {
        unionpay.arrive(n, 3000).await;
        let fail = format!("/cashier/{}/fail", order(n));
        assert_eq!(world.browse("POST", &fail, "en").await.status(), 303);
        assert_eq!(unionpay.query(n, 3000).await, Ok(PaymentState::Open));
    }
    unionpay.arrive(1, 3000).await;
    unionpay.pay(1, "{}").await;
    let state = unionpay.query(1, 3000).await.unwrap();
    assert!(matches!(state, PaymentState::Paid(_)), "{state:?}");

    world.later(17 * 60);
    let state = unionpay.query(2, 3000).await.unwrap();
    assert!(
        matches!(&state, PaymentState::Failed { reason } if reason.contains("余额不足")),
        "{state:?}"
    );
    assert_eq!(unionpay.close(2, 3000).await, Ok(()));
    let paid = unionpay.close(1, 3000).await;
    assert!(
        matches!(&paid, Err(GatewayError::Refused { code, .. }) if code == "ORDER_PAID"),
        "{paid:?}"
    );
}

#[tokio::test]
async fn only_the_merchants_form_opens_an_order() {
    let unionpay = UnionPay::new().await;
    let (action, fields) = unionpay.form(1, 3000).await;
    let changed = |name: &str, value: &str| {
        let mut fields = fields.clone();
        fields.insert(name.to_owned(), value.to_owned());
        fields
    };
    for (form, code) in [
        (changed("txnAmt", "1"), "11 "),
        (changed("certId", "1"), "11 "),
        (changed("signature", ""), "11 "),
    ] {
        let answer = unionpay.post(&action, &form).await;
        assert_eq!(answer.status(), 200);
        let page = answer.text().await.unwrap();
        assert!(page.contains(code), "{page}");
    }
    assert!(unionpay.world.sandbox.payment(&order(1)).is_err());

    // The same number with another amount is another order, and refused.
    unionpay.arrive(1, 3000).await;
    let (action, dearer) = unionpay.form(1, 4000).await;
    let page = unionpay.post(&action, &dearer).await.text().await.unwrap();
    assert!(page.contains("重复交易"), "{page}");
    let state = unionpay.world.sandbox.payment(&order(1)).unwrap();
    assert_eq!(state.total, 3000);
}

#[tokio::test]
async fn a_gateway_that_is_down_says_nothing_and_shows_nothing() {
    let unionpay = UnionPay::new().await;
    unionpay.arrive(1, 3000).await;
    unionpay.world.faults(r#"{"down":true}"#).await;
    let (action, fields) = unionpay.form(2, 3000).await;
    assert_eq!(unionpay.post(&action, &fields).await.status(), 503);
    let state = unionpay.query(1, 3000).await;
    assert!(
        matches!(state, Err(GatewayError::Unavailable { .. })),
        "{state:?}"
    );
    unionpay.world.later(17 * 60);
    let closed = unionpay.close(1, 3000).await;
    assert!(
        matches!(closed, Err(GatewayError::Unavailable { .. })),
        "{closed:?}"
    );
    unionpay.world.faults("{}").await;
    assert_eq!(unionpay.close(1, 3000).await, Ok(()));
}

#[tokio::test]
async fn orders_and_certificates_outlive_a_restart() {
    let dir = crate::harness::TempDir::new();
    let first = UnionPay::open(dir.config()).await;
    let number = first.paid(1, 3000).await;
    let begun = first.begun;
    let certificate = first
        .world
        .sandbox
        .values(domain::payment::GatewayName::UNIONPAY, "http://127.0.0.1:9");
    first.world.sandbox.close();
    drop(first);

    let again = UnionPay::open(dir.config()).await;
    let values = again
        .world
        .sandbox
        .values(domain::payment::GatewayName::UNIONPAY, "http://127.0.0.1:9");
    assert_eq!(values.unwrap(), certificate.unwrap());
    assert_eq!(again.begun, begun);
    let state = again.query(1, 3000).await.unwrap();
    assert!(
        matches!(&state, PaymentState::Paid(paid) if paid.transaction_id == number),
        "{state:?}"
    );
}
