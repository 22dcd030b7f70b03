//! The form of a purchase, what a query's answers mean before and after its time, and its close.

use super::super::fields::Fields;
use super::super::signature::verify;
use super::{
    CERTIFICATES, Counterparty, MER_ID, ORDER, QUERY_ID, answer_to, at, config, deadline, payment,
    signed_with, start, ten,
};
use crate::gateway::{
    GatewayError, PaidNotice, PaymentGateway, PaymentRef, PaymentState, StartPayment,
};
use crate::unionpay::UnionPay;
use crate::unionpay::certificate::{Trust, cert_id};
use domain::payment::{Method, PayWith};
use domain::{Currency, Money, Span};

const PAID: &[(&str, &str)] = &[
    ("respCode", "00"),
    ("origRespCode", "00"),
    ("queryId", QUERY_ID),
    ("txnAmt", "3000"),
    ("currencyCode", "156"),
    ("traceTime", "1120100203"),
    ("settleAmt", "3000"),
];

fn form(start: &StartPayment) -> Result<(String, Fields), GatewayError> {
    let gateway = UnionPay::new(config("http://127.0.0.1:9")).unwrap();
    let started = gateway.purchase_form(start)?;
    assert_eq!(started.handle, None);
    let PayWith::Form { action, fields } = started.pay_with else {
        panic!("{:?}", started.pay_with);
    };
    let mut all = Fields::default();
    fields.iter().for_each(|(name, value)| all.set(name, value));
    Ok((action, all))
}

#[test]
fn a_purchase_is_a_signed_form_for_the_browser() {
    let (action, fields) = form(&start()).unwrap();
    assert_eq!(action, "http://127.0.0.1:9/gateway/api/frontTransReq.do");
    let cert_id = cert_id(&CERTIFICATES.merchant.pem).unwrap();
    for (name, value) in [
        ("version", "5.1.0"),
        ("encoding", "UTF-8"),
        ("signMethod", "01"),
        ("certId", cert_id.as_str()),
        ("txnType", "01"),
        ("txnSubType", "01"),
        ("bizType", "000201"),
        ("channelType", "07"),
        ("accessType", "0"),
        ("merId", MER_ID),
        ("orderId", ORDER),
        ("txnTime", "20251120100000"),
        ("txnAmt", "3000"),
        ("currencyCode", "156"),
        ("payTimeout", "20251120101500"),
        ("frontUrl", "https://example.com/orders/1"),
        ("backUrl", "https://example.com/webhooks/unionpay"),
        ("riskRateInfo", "{commodityName=复诊问诊费}"),
    ] {
        assert_eq!(fields.get(name), Some(value), "{name}");
    }
    let certificates = &*CERTIFICATES;
    let merchants = Trust::new(&certificates.root.pem, &certificates.middle.pem, "merchant");
    let key = merchants.unwrap().key_of(&certificates.merchant.pem, ten());
    assert_eq!(verify(&fields, &key.unwrap()), Ok(()));
}

#[test]
fn a_repeated_start_gives_the_same_order() {
    let (_, first) = form(&start()).unwrap();
    let (_, again) = form(&start()).unwrap();
    assert_eq!(first, again);
}

#[test]
fn what_unionpay_would_refuse_is_refused_here() {
    let with = |change: fn(&mut StartPayment)| {
        let mut start = start();
        change(&mut start);
        form(&start).unwrap_err()
    };
    for refused in [
        with(|start| start.payment.method = Method::NATIVE),
        with(|start| start.payment.out_trade_no = "short".to_owned()),
        with(|start| start.payment.out_trade_no = "a-b-c-d-e-f".to_owned()),
        with(|start| start.payment.out_trade_no = "x".repeat(41)),
        with(|start| start.payment.amount = Money::fen(0)),
        with(|start| start.payment.amount = Money::fen(-1)),
        with(|start| start.payment.amount = Money::fen(1_000_000_000_000)),
        with(|start| start.payment.amount = Money::new(100, Currency::NZD)),
    ] {
        assert!(
            matches!(&refused, GatewayError::Refused { code, .. } if code == "PARAM_ERROR"),
            "{refused}"
        );
    }
}

#[test]
fn without_a_page_to_come_back_to_it_is_our_front_door() {
    let mut start = start();
    start.return_url = None;
    start.description = String::new();
    let (_, fields) = form(&start).unwrap();
    assert_eq!(fields.get("frontUrl"), Some("https://example.com"));
    assert_eq!(fields.get("riskRateInfo"), None);
}

#[tokio::test]
async fn a_query_names_the_order_and_its_time() {
    let unionpay = Counterparty::says(PAID).await;
    let state = unionpay.gateway.query(&payment(), ten()).await.unwrap();
    let paid = PaidNotice {
        out_trade_no: ORDER.to_owned(),
        transaction_id: QUERY_ID.to_owned(),
        amount: Money::fen(3000),
        paid_at: at("2025-11-20T10:02:03+08:00"),
    };
    assert_eq!(state, PaymentState::Paid(paid));
    let asked = unionpay.heard();
    for (name, value) in [
        ("txnType", "00"),
        ("txnSubType", "00"),
        ("bizType", "000000"),
        ("orderId", ORDER),
        ("txnTime", "20251120100000"),
        ("merId", MER_ID),
    ] {
        assert_eq!(asked.get(name), Some(value), "{name}");
    }
}

/// What a code means while the order may still be paid, and when that is over.
async fn states(told: &[(&str, &str)]) -> [Result<PaymentState, GatewayError>; 2] {
    let unionpay = Counterparty::says(told).await;
    let (payment, over) = (payment(), deadline() + Span::seconds(61));
    [
        unionpay.gateway.query(&payment, deadline()).await,
        unionpay.gateway.query(&payment, over).await,
    ]
}

#[tokio::test]
async fn under_way_is_open_however_late_it_is() {
    for code in ["03", "04", "05"] {
        let [before, after] = states(&[("respCode", "00"), ("origRespCode", code)]).await;
        assert_eq!(before, Ok(PaymentState::Open), "{code}");
        assert_eq!(after, Ok(PaymentState::Open), "{code}");
    }
}

#[tokio::test]
async fn an_unknown_order_may_still_be_posted_until_its_time_is_over() {
    for told in [
        &[("respCode", "34"), ("respMsg", "查无此交易")][..],
        &[("respCode", "00"), ("origRespCode", "34")],
    ] {
        let [before, after] = states(told).await;
        assert_eq!(before, Ok(PaymentState::NotFound));
        assert_eq!(after, Ok(PaymentState::Closed));
    }
}

#[tokio::test]
async fn a_failed_try_ends_nothing_before_the_time_is_over() {
    let told = [
        ("respCode", "00"),
        ("origRespCode", "64"),
        ("origRespMsg", "卡上的余额不足"),
    ];
    let [before, after] = states(&told).await;
    assert_eq!(before, Ok(PaymentState::Open));
    let reason = "64: 卡上的余额不足".to_owned();
    assert_eq!(after, Ok(PaymentState::Failed { reason }));
}

#[tokio::test]
async fn without_a_code_nothing_is_known_however_late_it_is() {
    for state in states(&[("respCode", "00")]).await {
        assert!(
            matches!(&state, Err(GatewayError::Unavailable { reason, .. })
                if reason.contains("origRespCode is missing")),
            "{state:?}"
        );
    }
}

#[tokio::test]
async fn partial_success_is_no_success_and_no_failure() {
    for code in ["A6", "74", "75"] {
        let mut told = PAID.to_vec();
        told.push(("origRespCode", code));
        for state in states(&told).await {
            assert!(
                matches!(&state, Err(GatewayError::Unavailable { reason, .. })
                    if reason.contains("neither done nor failed")),
                "{state:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_minute_of_grace_is_left_for_what_was_begun_in_time() {
    let unionpay = Counterparty::says(&[("respCode", "34")]).await;
    let at_end = deadline() + Span::minutes(1);
    let state = unionpay.gateway.query(&payment(), at_end).await;
    assert_eq!(state, Ok(PaymentState::NotFound));
}

#[tokio::test]
async fn an_answer_that_is_not_plain_is_not_taken() {
    let changed = |name: &'static str, value: &'static str| {
        let mut told = PAID.to_vec();
        told.push((name, value));
        told
    };
    for told in [
        changed("currencyCode", "840"),
        changed("txnAmt", "30.00"),
        changed("txnAmt", ""),
        changed("queryId", ""),
        changed("traceTime", "noon"),
        changed("orderId", "0198b0c6f3a27d0c8f3b1f6f3d1c2b4b"),
        changed("txnTime", "20251120100001"),
        changed("merId", "777290058110097"),
        changed("respCode", ""),
        changed("respCode", "99"),
        changed("origRespCode", ""),
    ] {
        let unionpay = Counterparty::says(&told).await;
        let state = unionpay.gateway.query(&payment(), ten()).await;
        assert!(
            matches!(
                state,
                Err(GatewayError::Unavailable { .. } | GatewayError::Refused { .. })
            ),
            "{told:?}: {state:?}"
        );
    }
}

#[tokio::test]
async fn only_a_signed_answer_is_believed() {
    let paid: Vec<(String, String)> = PAID
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let unsigned = paid.clone();
    let foreign = paid.clone();
    let tampered = paid.clone();
    let scripts = [
        Counterparty::scripted(move |request| {
            let answer = answer_to(request, &unsigned).without("signature");
            (200, answer.to_answer().into_bytes())
        })
        .await,
        Counterparty::scripted(move |request| {
            let answer = answer_to(request, &foreign);
            let answer = signed_with(answer, &CERTIFICATES.merchant);
            (200, answer.to_answer().into_bytes())
        })
        .await,
        Counterparty::scripted(move |request| {
            let answer = answer_to(request, &tampered).with("txnAmt", "1");
            (200, answer.to_answer().into_bytes())
        })
        .await,
        Counterparty::scripted(|_| (200, b"<html>maintenance</html>".to_vec())).await,
        Counterparty::scripted(|_| (502, b"bad gateway".to_vec())).await,
        Counterparty::scripted(|_| (200, Vec::new())).await,
    ];
    for unionpay in scripts {
        let state = unionpay.gateway.query(&payment(), ten()).await;
        assert!(
            matches!(state, Err(GatewayError::Unavailable { .. })),
            "{state:?}"
        );
    }
}

#[tokio::test]
async fn before_its_time_is_over_an_order_can_not_be_closed() {
    let unionpay = Counterparty::says(&[("respCode", "34")]).await;
    let refused = unionpay.gateway.close(&payment(), deadline()).await;
    let Err(GatewayError::Unavailable { reason, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        reason.contains("stays payable until 2025-11-20T02:15:00"),
        "{reason}"
    );
    assert!(unionpay.heard_nothing());
}

async fn close_late(told: &[(&str, &str)]) -> Result<(), GatewayError> {
    let unionpay = Counterparty::says(told).await;
    let payment: PaymentRef = payment();
    let over = deadline() + Span::minutes(2);
    unionpay.gateway.close(&payment, over).await
}

#[tokio::test]
async fn after_it_a_close_says_what_a_query_proves() {
    assert_eq!(close_late(&[("respCode", "34")]).await, Ok(()));
    let failed = [("respCode", "00"), ("origRespCode", "64")];
    assert_eq!(close_late(&failed).await, Ok(()));
    let paid = close_late(PAID).await;
    assert!(
        matches!(&paid, Err(GatewayError::Refused { code, .. }) if code == "ORDER_PAID"),
        "{paid:?}"
    );
    let running = close_late(&[("respCode", "00"), ("origRespCode", "05")]).await;
    assert!(
        matches!(running, Err(GatewayError::Unavailable { .. })),
        "{running:?}"
    );
    let flawed = close_late(&[("respCode", "00"), ("origRespCode", "A6")]).await;
    assert!(
        matches!(flawed, Err(GatewayError::Unavailable { .. })),
        "{flawed:?}"
    );
}
