//! Notices: genuine, doubled, late, lost, refused and repeated, forged, under a wrong chain.

use super::{UnionPay, order};
use connectors::gateway::{Callback, CallbackError, Notice, PaymentState};
use connectors::rsa::SigningKey;
use connectors::unionpay::fields::Fields;
use connectors::unionpay::signature::sign;
use domain::Money;
use domain::payment::GatewayName;

#[tokio::test]
async fn a_notice_can_come_twice_with_one_id() {
    let unionpay = UnionPay::new().await;
    unionpay.arrive(1, 3000).await;
    unionpay.pay(1, r#"{"callback":"twice"}"#).await;
    let got = unionpay.world.got();
    assert_eq!(got.len(), 2);
    assert!(matches!(got[0], Ok(Notice::Paid { .. })), "{got:?}");
    assert_eq!(got[0], got[1]);
    // Any number of times, whenever.
    unionpay.world.later(3 * 24 * 3600);
    let path = format!("payments/{}/callback", order(1));
    let again = unionpay
        .world
        .control("POST", &path, r#"{"times":3}"#)
        .await;
    assert!(again.is_ok(), "{again:?}");
    assert!(unionpay.world.got().iter().all(|notice| *notice == got[0]));
}

#[tokio::test]
async fn a_lost_or_late_notice_is_overtaken_by_the_query() {
    let unionpay = UnionPay::new().await;
    unionpay.arrive(1, 3000).await;
    unionpay.pay(1, r#"{"callback":"never"}"#).await;
    let state = unionpay.query(1, 3000).await.unwrap();
    assert!(matches!(state, PaymentState::Paid(_)), "{state:?}");

    unionpay.arrive(2, 3000).await;
    unionpay
        .pay(2, r#"{"callback":"late","lateSeconds":90}"#)
        .await;
    assert!(unionpay.world.got().is_empty());
    unionpay.world.later(90);
    unionpay.world.sandbox.run_due().await;
    let got = unionpay.world.got();
    assert!(
        matches!(got.as_slice(), [Ok(Notice::Paid { paid, .. })] if paid.out_trade_no == order(2)),
        "{got:?}"
    );
}

#[tokio::test]
async fn a_wrong_amount_was_really_paid() {
    let unionpay = UnionPay::new().await;
    unionpay.arrive(1, 3000).await;
    unionpay.pay(1, r#"{"callback":"wrong_amount"}"#).await;
    let got = unionpay.world.got();
    let [Ok(Notice::Paid { paid, .. })] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert_eq!(paid.amount, Money::fen(2999));
    let state = unionpay.query(1, 3000).await;
    assert_eq!(state, Ok(PaymentState::Paid(paid.clone())));
}

#[tokio::test]
async fn a_notice_under_a_wrong_chain_is_turned_away_and_the_query_tells_the_truth() {
    let unionpay = UnionPay::new().await;
    unionpay.arrive(1, 3000).await;
    unionpay.pay(1, r#"{"callback":"bad_signature"}"#).await;
    let got = unionpay.world.got();
    assert!(
        matches!(got.as_slice(), [Err(CallbackError::BadSignature(why))]
            if why.contains("does not lead to a configured root")),
        "{got:?}"
    );
    let state = unionpay.query(1, 3000).await.unwrap();
    assert!(matches!(state, PaymentState::Paid(_)), "{state:?}");
}

#[tokio::test]
async fn a_refused_notice_is_repeated_four_times() {
    let unionpay = UnionPay::new().await;
    unionpay.world.merchant_answers(500);
    unionpay.arrive(1, 3000).await;
    unionpay.pay(1, "{}").await;
    let mut minutes = Vec::new();
    for minute in 1..=60 {
        unionpay.world.later(60);
        if unionpay.world.sandbox.run_due().await > 0 {
            minutes.push(minute);
        }
    }
    assert_eq!(minutes, [1, 3, 7, 12]);
    let kept = unionpay.world.sandbox.payment(&order(1)).unwrap().callbacks;
    assert_eq!(kept.len(), 5);
    assert!(kept.iter().all(|attempt| attempt.status == Some(500)));
}

/// The fields that the payer's browser gets on its way back: UnionPay's own, rightly signed.
async fn genuine(unionpay: &UnionPay) -> Fields {
    let path = format!("/unionpay/return/{}", order(1));
    let page = unionpay.world.browse("GET", &path, "en").await;
    let page = page.text().await.unwrap();
    let mut fields = Fields::default();
    for input in page.split("<input type=\"hidden\" name=\"").skip(1) {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        let (value, _) = rest.split_once("\">").unwrap();
        let value = value
            .replace("&#13;", "\r")
            .replace("&#10;", "\n")
            .replace("&amp;", "&");
        fields.set(name, value);
    }
    fields
}

async fn heard(unionpay: &UnionPay, fields: &Fields) -> Result<Notice, CallbackError> {
    let body = fields.to_form();
    let callback = Callback {
        headers: &[],
        body: body.as_bytes(),
    };
    let gateway = &unionpay.world.gateway;
    gateway.callback(&callback, unionpay.world.now()).await
}

#[tokio::test]
async fn what_the_browser_brings_back_is_as_good_as_a_notice_and_no_better() {
    let unionpay = UnionPay::new().await;
    unionpay.paid(1, 3000).await;
    let genuine = genuine(&unionpay).await;
    let notice = heard(&unionpay, &genuine).await;
    assert!(matches!(notice, Ok(Notice::Paid { .. })), "{notice:?}");

    let merchant = unionpay
        .world
        .sandbox
        .values(GatewayName::UNIONPAY, &unionpay.world.url)
        .unwrap();
    let merchants_key = SigningKey::from_pkcs8_pem(&merchant["UNIONPAY_MERCHANT_KEY_FILE"]);
    let merchants_key = merchants_key.unwrap();
    let certificate = &merchant["UNIONPAY_MERCHANT_CERT_FILE"];
    let dearer = genuine.clone().with("txnAmt", "300000");
    // The merchant's own certificate leads to the same root, but is not UnionPay's.
    let own = dearer.clone().with("signPubKeyCert", certificate);
    let own = sign(own, &merchants_key).unwrap();
    // UnionPay's certificate beside somebody else's signature.
    let borrowed = sign(dearer.clone(), &merchants_key).unwrap();
    for (forged, words) in [
        (dearer, "not of this message"),
        (own, "not of `00040000:SIGN`"),
        (borrowed, "not of this message"),
        (genuine.clone().without("signature"), "signature is missing"),
        (
            genuine.without("signPubKeyCert"),
            "signPubKeyCert is missing",
        ),
    ] {
        let refused = heard(&unionpay, &forged).await;
        assert!(
            matches!(&refused, Err(CallbackError::BadSignature(why)) if why.contains(words)),
            "{words}: {refused:?}"
        );
    }
}
