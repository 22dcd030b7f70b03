//! Refunds: what is sent, what each answer means, and that a repetition moves nothing.

use super::{Counterparty, ORDER, QUERY_ID, REFUND, at, refund, start_refund, ten};
use crate::gateway::{GatewayError, PaymentGateway, RefundState, StartRefund};
use domain::Money;

const REFUND_QUERY_ID: &str = "952511201100004791048";

async fn sent(told: &[(&str, &str)]) -> Result<RefundState, GatewayError> {
    let unionpay = Counterparty::says(told).await;
    unionpay.gateway.refund(&start_refund(), ten()).await
}

#[tokio::test]
async fn a_refund_names_the_payment_and_has_a_number_of_its_own() {
    let unionpay = Counterparty::says(&[("respCode", "00"), ("queryId", REFUND_QUERY_ID)]).await;
    let state = unionpay.gateway.refund(&start_refund(), ten()).await;
    let refund_id = Some(REFUND_QUERY_ID.to_owned());
    // Accepted is not done.
    assert_eq!(state, Ok(RefundState::Processing { refund_id }));
    let asked = unionpay.heard();
    for (name, value) in [
        ("txnType", "04"),
        ("txnSubType", "00"),
        ("bizType", "000201"),
        ("orderId", &REFUND[2..]),
        ("txnTime", "20251120110000"),
        ("txnAmt", "2700"),
        ("currencyCode", "156"),
        ("origQryId", QUERY_ID),
        ("backUrl", "https://example.com/webhooks/unionpay"),
    ] {
        assert_eq!(asked.get(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_repetition_is_on_its_way_already() {
    let state = sent(&[("respCode", "12"), ("respMsg", "重复交易")]).await;
    assert_eq!(state, Ok(RefundState::Processing { refund_id: None }));
}

#[tokio::test]
async fn perhaps_done_is_neither_yes_nor_no() {
    for code in ["01", "03", "04", "05", "34", "60", "99", "A6", ""] {
        let state = sent(&[("respCode", code)]).await;
        if code.is_empty() {
            // Without a code it is no answer of UnionPay's at all.
            assert!(state.is_err());
        } else {
            assert!(
                matches!(state, Err(GatewayError::Unknown { .. })),
                "{code}: {state:?}"
            );
        }
    }
    for code in ["02", "06", "37", "39"] {
        let state = sent(&[("respCode", code)]).await;
        assert!(
            matches!(state, Err(GatewayError::Unavailable { .. })),
            "{code}: {state:?}"
        );
    }
    let state = sent(&[("respCode", "36"), ("respMsg", "与原交易信息不符")]).await;
    assert!(
        matches!(&state, Err(GatewayError::Refused { code, message, .. })
            if code == "36" && message == "与原交易信息不符"),
        "{state:?}"
    );
}

#[tokio::test]
async fn another_amount_in_the_answer_is_no_yes() {
    let state = sent(&[("respCode", "00"), ("txnAmt", "3000")]).await;
    assert!(
        matches!(state, Err(GatewayError::Unknown { .. })),
        "{state:?}"
    );
    let state = sent(&[("respCode", "00"), ("txnAmt", "000000002700")]).await;
    assert_eq!(state, Ok(RefundState::Processing { refund_id: None }));
}

#[tokio::test]
async fn no_answer_to_a_refund_is_unknown() {
    let unionpay = Counterparty::scripted(|_| (504, Vec::new())).await;
    let state = unionpay.gateway.refund(&start_refund(), ten()).await;
    assert!(
        matches!(state, Err(GatewayError::Unknown { .. })),
        "{state:?}"
    );
}

#[tokio::test]
async fn what_can_not_be_sent_is_refused_here() {
    let unionpay = Counterparty::says(&[("respCode", "00")]).await;
    let with = |change: fn(&mut StartRefund)| {
        let mut start = start_refund();
        change(&mut start);
        start
    };
    for start in [
        with(|start| start.refund.out_refund_no = ORDER.to_owned()),
        with(|start| start.refund.amount = Money::fen(0)),
        with(|start| start.refund.payment.transaction_id = None),
    ] {
        let state = unionpay.gateway.refund(&start, ten()).await;
        assert!(
            matches!(state, Err(GatewayError::Refused { .. })),
            "{state:?}"
        );
    }
    assert!(unionpay.heard_nothing());
}

async fn queried(told: &[(&str, &str)]) -> Result<RefundState, GatewayError> {
    let unionpay = Counterparty::says(told).await;
    let state = unionpay.gateway.query_refund(&refund(), ten()).await;
    let asked = unionpay.heard();
    assert_eq!(asked.get("orderId"), Some(&REFUND[2..]));
    assert_eq!(asked.get("txnTime"), Some("20251120110000"));
    assert_eq!(asked.get("txnType"), Some("00"));
    state
}

const DONE: &[(&str, &str)] = &[
    ("respCode", "00"),
    ("origRespCode", "00"),
    ("queryId", REFUND_QUERY_ID),
    ("txnAmt", "2700"),
    ("currencyCode", "156"),
    ("traceTime", "1120110007"),
];

#[tokio::test]
async fn a_query_says_how_a_refund_stands() {
    assert_eq!(
        queried(DONE).await,
        Ok(RefundState::Succeeded {
            refund_id: REFUND_QUERY_ID.to_owned(),
            at: at("2025-11-20T11:00:07+08:00"),
        })
    );
    for code in ["03", "04", "05"] {
        assert_eq!(
            queried(&[("respCode", "00"), ("origRespCode", code)]).await,
            Ok(RefundState::Processing { refund_id: None })
        );
    }
    assert_eq!(
        queried(&[("respCode", "34")]).await,
        Ok(RefundState::NotFound)
    );
    // A failed number is used up: the next try needs another.
    assert_eq!(
        queried(&[("respCode", "00"), ("origRespCode", "61")]).await,
        Ok(RefundState::Closed)
    );
}

#[tokio::test]
async fn a_failure_that_is_not_sure_frees_no_number() {
    for code in ["01", "12", "60", "99", "ZZ", ""] {
        let state = queried(&[("respCode", "00"), ("origRespCode", code)]).await;
        assert!(
            matches!(state, Err(GatewayError::Unavailable { .. })),
            "{code}: {state:?}"
        );
    }
}

#[tokio::test]
async fn a_refund_of_another_amount_or_a_partial_one_is_not_ours() {
    let mut other = DONE.to_vec();
    other.push(("txnAmt", "3000"));
    let mut partial = DONE.to_vec();
    partial.push(("origRespCode", "A6"));
    for told in [other, partial] {
        let state = queried(&told).await;
        assert!(
            matches!(state, Err(GatewayError::Unavailable { .. })),
            "{state:?}"
        );
    }
}
