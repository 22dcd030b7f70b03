//! What Alipay sends by itself: what is believed, and what it is taken for.

use super::super::form::encode;
use super::super::signature::{Parameters, notice_message};
use super::super::{Alipay, AlipayConfig};
use super::{ALIPAY, APP, at, config, gateway, own_key, parameters, text, vector};
use crate::gateway::{Callback, CallbackError, Notice, PaidNotice, PaymentGateway, Reply};
use crate::rsa::SigningKey;
use domain::Money;

/// A notice as it comes in, signed with this key.
fn notice_body(mut notice: Parameters, key: &SigningKey) -> String {
    let sign = key.sign(notice_message(&notice).as_bytes()).unwrap();
    notice.insert("sign".to_owned(), sign);
    encode(&notice)
}

fn read(gateway: &Alipay, body: &str) -> Result<Notice, CallbackError> {
    gateway.read_notice(body.as_bytes())
}

/// The sample's notice with some fields changed; an empty value takes a field away.
fn notice(changes: &[(&str, &str)]) -> Result<Notice, CallbackError> {
    let mut notice = parameters(&vector("alipay-notify"));
    for (name, value) in changes {
        notice.insert((*name).to_owned(), (*value).to_owned());
    }
    read(&gateway(), &notice_body(notice, &ALIPAY.signing()))
}

#[test]
fn a_notice_is_verified_over_its_decoded_values() {
    let sample = vector("alipay-notify");
    let mut fields = parameters(&sample);
    assert_eq!(notice_message(&fields), text(&sample, "string_to_verify"));
    fields.insert("sign".to_owned(), text(&sample, "sign").to_owned());
    let alipay = Alipay::new(AlipayConfig {
        alipay_public_key: own_key(),
        ..config()
    });
    let paid = PaidNotice {
        out_trade_no: "CN202511200001".to_owned(),
        transaction_id: "2025112022001400000000000001".to_owned(),
        amount: Money::fen(3000),
        paid_at: at("2025-11-20T02:00:00Z"),
    };
    let expected = Notice::Paid {
        notice_id: "2025112000222100000000000000000001".to_owned(),
        paid,
    };
    assert_eq!(read(&alipay.unwrap(), &encode(&fields)), Ok(expected));
}

#[test]
fn a_refund_is_never_read_as_a_second_payment() {
    let id = || "2025112000222100000000000000000001".to_owned();
    let ask_refund = Notice::AskRefund {
        notice_id: id(),
        out_refund_no: "RF202511200001".to_owned(),
    };
    let ask_payment = Notice::AskPayment {
        notice_id: id(),
        out_trade_no: "CN202511200001".to_owned(),
    };
    let refund = [
        ("out_biz_no", "RF202511200001"),
        ("refund_fee", "10.00"),
        ("gmt_refund", "2025-11-20 12:00:00.536"),
    ];
    // A part goes back, then all.
    assert_eq!(notice(&refund), Ok(ask_refund.clone()));
    let mut all = refund.to_vec();
    all.extend([
        ("trade_status", "TRADE_CLOSED"),
        ("gmt_close", "2025-11-20 12:00:00"),
    ]);
    assert_eq!(notice(&all), Ok(ask_refund.clone()));
    // One sign of a refund is enough.
    for one in &refund[1..] {
        assert_eq!(
            notice(&[refund[0], *one]),
            Ok(ask_refund.clone()),
            "{one:?}"
        );
        // Without a number, it was made by hand at Alipay.
        assert_eq!(notice(&[*one]), Ok(ask_payment.clone()), "{one:?}");
    }
    // A trade that ran out of time comes with a refund of nothing.
    let over = [
        ("trade_status", "TRADE_CLOSED"),
        ("refund_fee", "0.00"),
        ("gmt_payment", ""),
        ("gmt_close", "2025-11-20 10:30:00"),
    ];
    assert_eq!(notice(&over), Ok(ask_payment.clone()));
    assert_eq!(
        notice(&[("trade_status", "TRADE_PENDING")]),
        Ok(ask_payment)
    );
}

#[test]
fn other_notices_are_read_by_their_kind() {
    assert!(matches!(
        notice(&[("trade_status", "TRADE_FINISHED")]),
        Ok(Notice::Paid { .. })
    ));
    let other = |event: &str| Notice::Other {
        notice_id: "2025112000222100000000000000000001".to_owned(),
        event_type: event.to_owned(),
    };
    assert_eq!(
        notice(&[("trade_status", "WAIT_BUYER_PAY")]),
        Ok(other("WAIT_BUYER_PAY"))
    );
    assert_eq!(
        notice(&[("notify_type", "batch_refund_notify")]),
        Ok(other("batch_refund_notify"))
    );
    // Paid without a time of payment: the notice has one.
    let Ok(Notice::Paid { paid, .. }) =
        notice(&[("gmt_payment", ""), ("notify_time", "2025-11-20 10:00:07")])
    else {
        panic!("not paid");
    };
    assert_eq!(paid.paid_at, at("2025-11-20T02:00:07Z"));
}

#[test]
fn what_is_signed_but_not_for_us_or_not_readable_is_malformed() {
    for change in [
        ("app_id", "2014072300007149"),
        ("app_id", ""),
        ("seller_id", "2088101106499365"),
        ("seller_id", ""),
        ("notify_id", ""),
        ("notify_type", ""),
        ("trade_status", ""),
        ("out_trade_no", ""),
        ("trade_no", ""),
        ("total_amount", "30.001"),
        ("total_amount", ""),
        ("gmt_payment", "yesterday"),
    ] {
        let refused = notice(&[change]).unwrap_err();
        assert!(
            matches!(refused, CallbackError::Malformed(_)),
            "{change:?}: {refused}"
        );
    }
}

#[tokio::test]
async fn only_what_alipay_signed_is_believed() {
    let sample = parameters(&vector("alipay-notify"));
    let body = notice_body(sample.clone(), &ALIPAY.signing());
    let mut unsigned = sample.clone();
    unsigned.insert("sign".to_owned(), String::new());
    let mut old = sample.clone();
    old.insert("sign_type".to_owned(), "RSA".to_owned());
    for forged in [
        String::new(),
        "{}".to_owned(),
        encode(&sample),
        encode(&unsigned),
        notice_body(sample, &APP.signing()),
        notice_body(old, &ALIPAY.signing()),
        body.replace("total_amount=30.00", "total_amount=0.01"),
        format!("{body}&refund_fee=1.00"),
        format!("{body}&total_amount=30.00"),
        body.replace("sign_type=RSA2&", ""),
        body.replace("trade_no=", "trade_n0="),
    ] {
        let callback = Callback {
            headers: &[],
            body: forged.as_bytes(),
        };
        let refused = gateway()
            .callback(&callback, at("2025-11-20T02:00:00Z"))
            .await;
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, CallbackError::BadSignature(_)),
            "{forged}: {refused}"
        );
    }
    assert!(read(&gateway(), &body).is_ok());
}

#[test]
fn alipay_is_answered_in_its_own_words() {
    assert_eq!(gateway().received(), Reply::text(200, "success"));
    assert_eq!(gateway().not_received(401, "why"), Reply::text(401, "fail"));
}
