//! What UnionPay posts to us, and what others might.

use super::super::fields::Fields;
use super::{
    CERTIFICATES, COMMON_NAME, MER_ID, ORDER, QUERY_ID, REFUND, at, config, issued, named, signed,
    signed_with, ten,
};
use crate::gateway::{Callback, CallbackError, Notice, PaidNotice, PaymentGateway};
use crate::unionpay::UnionPay;
use domain::{Money, Ts};
use proptest::prelude::*;
use std::sync::LazyLock;

fn paid() -> Fields {
    Fields::default()
        .with("merId", MER_ID)
        .with("txnType", "01")
        .with("txnSubType", "01")
        .with("bizType", "000201")
        .with("accessType", "0")
        .with("encoding", "UTF-8")
        .with("orderId", ORDER)
        .with("txnTime", "20251120100000")
        .with("queryId", QUERY_ID)
        .with("respCode", "00")
        .with("respMsg", "成功[0000000]")
        .with("txnAmt", "3000")
        .with("currencyCode", "156")
        .with("settleAmt", "3000")
        .with("settleCurrencyCode", "156")
        .with("settleDate", "1120")
        .with("traceNo", "479103")
        .with("traceTime", "1120100203")
}

fn heard_at(body: &[u8], now: Ts) -> Result<Notice, CallbackError> {
    static GATEWAY: LazyLock<UnionPay> =
        LazyLock::new(|| UnionPay::new(config("http://127.0.0.1:9")).unwrap());
    GATEWAY.read_callback(&Callback { headers: &[], body }, now)
}

fn heard(fields: &Fields) -> Result<Notice, CallbackError> {
    heard_at(fields.to_form().as_bytes(), ten())
}

fn forged(fields: &Fields) -> String {
    match heard(fields) {
        Err(CallbackError::BadSignature(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_payments_notice_is_read() {
    let expected = Notice::Paid {
        notice_id: format!("{QUERY_ID}-00"),
        paid: PaidNotice {
            out_trade_no: ORDER.to_owned(),
            transaction_id: QUERY_ID.to_owned(),
            amount: Money::fen(3000),
            paid_at: at("2025-11-20T10:02:03+08:00"),
        },
    };
    assert_eq!(heard(&signed(paid())), Ok(expected.clone()));
    // The same in every repetition, however late.
    let later = ten() + domain::Span::hours(20);
    assert_eq!(
        heard_at(signed(paid()).to_form().as_bytes(), later),
        Ok(expected)
    );
}

#[test]
fn less_than_a_full_success_asks_for_the_query() {
    for code in ["A6", "74", "01"] {
        let notice = heard(&signed(paid().with("respCode", code))).unwrap();
        assert_eq!(
            notice,
            Notice::AskPayment {
                notice_id: format!("{QUERY_ID}-{code}"),
                out_trade_no: ORDER.to_owned(),
            }
        );
    }
}

#[test]
fn a_refunds_notice_asks_for_the_query() {
    let refund = paid()
        .with("txnType", "04")
        .with("orderId", &REFUND[2..])
        .with("origQryId", QUERY_ID)
        .with("queryId", "952511201100004791048");
    assert_eq!(
        heard(&signed(refund.clone())),
        Ok(Notice::AskRefund {
            notice_id: "952511201100004791048-00".to_owned(),
            out_refund_no: REFUND.to_owned(),
        })
    );
    // Made by hand at UnionPay, under a number that is not of our making.
    let by_hand = heard(&signed(refund.with("orderId", "20251120110000001")));
    assert!(matches!(by_hand, Ok(Notice::Other { .. })), "{by_hand:?}");
}

#[test]
fn other_transactions_are_acknowledged() {
    let notice = heard(&signed(paid().with("txnType", "31"))).unwrap();
    assert!(
        matches!(&notice, Notice::Other { event_type, .. } if event_type == "txnType 31"),
        "{notice:?}"
    );
}

#[test]
fn a_forged_notice_is_turned_away_with_the_reason() {
    let genuine = signed(paid());
    assert!(forged(&paid()).contains("signPubKeyCert is missing"));
    assert!(forged(&genuine.clone().without("signature")).contains("signature is missing"));
    assert!(forged(&genuine.clone().with("txnAmt", "1")).contains("not of this message"));
    assert!(forged(&genuine.clone().with("orderId", &ORDER[1..])).contains("not of this message"));
    assert!(forged(&genuine.clone().with("version", "5.0.0")).contains("5.0.0"));
    assert!(
        forged(&genuine.with("signPubKeyCert", &CERTIFICATES.merchant.pem))
            .contains("`merchant`, not of `00040000:SIGN`")
    );
}

#[test]
fn a_notice_under_another_certificate_is_turned_away_with_the_reason() {
    let certificates = &*CERTIFICATES;
    // Each signs its notice rightly; it is the certificate that does not hold.
    for (signer, words) in [
        (
            issued(named(COMMON_NAME), None),
            "does not lead to a configured root",
        ),
        (
            issued(named(COMMON_NAME), Some(&certificates.other_root)),
            "does not lead to a configured root",
        ),
        (
            issued(named(COMMON_NAME), Some(&certificates.false_root)),
            "not signed by the issuer that it names",
        ),
        (
            issued(named("041@Z1@somebody@1"), Some(&certificates.middle)),
            "of `somebody`",
        ),
    ] {
        let why = forged(&signed_with(paid(), &signer));
        assert!(why.contains(words), "{why}");
    }
    let expired = heard_at(
        signed(paid()).to_form().as_bytes(),
        at("2041-01-01T00:00:00Z"),
    );
    assert!(
        matches!(&expired, Err(CallbackError::BadSignature(why)) if why.contains("expired at 2040")),
        "{expired:?}"
    );
}

#[test]
fn a_signed_notice_that_is_not_plain_is_malformed() {
    for fields in [
        paid().with("merId", "777290058110097"),
        paid().without("merId"),
        paid().without("orderId"),
        paid().without("respCode"),
        paid().without("txnType"),
        paid().without("queryId"),
        paid().with("currencyCode", "840"),
        paid().with("txnAmt", "30.00"),
        paid().without("txnAmt"),
        paid().with("txnTime", "yesterday"),
    ] {
        let refused = heard(&signed(fields)).unwrap_err();
        assert!(matches!(refused, CallbackError::Malformed(_)), "{refused}");
    }
}

#[test]
fn a_genuine_notice_cut_into_other_fields_is_turned_away() {
    let genuine = signed(paid());
    let recut = genuine
        .without("orderId")
        .with("merId", format!("{MER_ID}&orderId={ORDER}"));
    assert!(forged(&recut).contains("two ways"));
}

#[test]
fn a_field_that_stands_there_twice_is_no_notice() {
    let body = format!("{}&txnAmt=1", signed(paid()).to_form());
    let refused = heard_at(body.as_bytes(), ten()).unwrap_err();
    assert!(
        matches!(&refused, CallbackError::BadSignature(why) if why.contains("txnAmt stands there twice")),
        "{refused}"
    );
    let long = vec![b'a'; 70_000];
    assert!(heard_at(&long, ten()).is_err());
}

#[test]
fn unionpay_is_answered_in_words_that_it_ignores() {
    let gateway = UnionPay::new(config("http://127.0.0.1:9")).unwrap();
    assert_eq!(gateway.received().status, 200);
    assert_eq!(gateway.not_received(401, "no").status, 401);
}

proptest! {
    #[test]
    fn no_body_makes_it_panic_or_is_believed(bytes: Vec<u8>, text in "[a-z=&%+0-9]{0,80}") {
        prop_assert!(heard_at(&bytes, ten()).is_err());
        prop_assert!(heard_at(text.as_bytes(), ten()).is_err());
    }
}
