//! A day of the balance, line by line.

use super::server::{Scripted, Server, answer, ok};
use super::{INTENT, OUT_REFUND_NO, OUT_TRADE_NO, dollars, error, now, nowhere, over, seconds};
use crate::gateway::{Bill, GatewayError, PaymentGateway};
use domain::Ts;
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use jiff::civil::{Date, date};
use serde_json::{Value, json};

/// 2026-03-01T00:00:00Z.
const MIDNIGHT: i64 = 1_772_323_200;

fn day() -> Date {
    date(2026, 3, 1)
}

fn charge(changes: &Value) -> Value {
    let source = json!({
        "id": "ch_1", "object": "charge", "amount": 3000, "currency": "nzd",
        "metadata": { "out_trade_no": OUT_TRADE_NO }, "payment_intent": INTENT,
        "status": "succeeded",
    });
    let whole = json!({
        "id": "txn_1", "object": "balance_transaction", "amount": 3000, "type": "charge",
        "created": MIDNIGHT + 60, "currency": "nzd", "fee": 111, "net": 2889,
        "status": "pending", "source": source,
    });
    over(whole, changes)
}

fn refund(changes: &Value) -> Value {
    let whole = json!({
        "id": "txn_2", "object": "balance_transaction", "amount": -1000, "type": "refund",
        "created": MIDNIGHT + 120, "currency": "nzd", "fee": 0, "net": -1000,
        "status": "available", "source": refund_source(&json!({})),
    });
    over(whole, changes)
}

fn refund_source(changes: &Value) -> Value {
    let whole = json!({
        "id": "re_1", "object": "refund", "amount": 1000, "currency": "nzd", "charge": "ch_1",
        "metadata": { "out_refund_no": OUT_REFUND_NO, "out_trade_no": OUT_TRADE_NO },
        "payment_intent": INTENT, "status": "succeeded",
    });
    over(whole, changes)
}

fn page(has_more: bool, movements: &[Value]) -> Scripted {
    ok(&json!({ "object": "list", "has_more": has_more, "data": movements }))
}

async fn fetched(script: Vec<Scripted>) -> Result<Bill, GatewayError> {
    let (_server, gateway) = Server::playing(script).await;
    gateway.bill(day(), now()).await
}

async fn lines(movements: &[Value]) -> Vec<BillLine> {
    fetched(vec![page(false, movements)]).await.unwrap().lines
}

#[tokio::test]
async fn charges_and_refunds_are_lines_with_both_sides_numbers() {
    let found = lines(&[refund(&json!({})), charge(&json!({}))]).await;
    let number = |text: &str| Some(text.to_owned());
    let expected = [
        BillLine {
            line: 1,
            kind: LineKind::Refund,
            out_trade_no: number(OUT_TRADE_NO),
            transaction_id: number(INTENT),
            out_refund_no: number(OUT_REFUND_NO),
            refund_id: number("re_1"),
            amount: dollars(1000),
            fee: Some(0),
            status: LineStatus::Succeeded,
            at: seconds(MIDNIGHT + 120),
        },
        BillLine {
            line: 2,
            kind: LineKind::Payment,
            out_trade_no: number(OUT_TRADE_NO),
            transaction_id: number(INTENT),
            out_refund_no: None,
            refund_id: None,
            amount: dollars(3000),
            // 1.11 dollars in hundred-thousandths.
            fee: Some(111_000),
            status: LineStatus::Succeeded,
            at: seconds(MIDNIGHT + 60),
        },
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_day_is_asked_for_from_midnight_to_midnight_in_utc_page_by_page() {
    let script = [
        page(true, &[refund(&json!({}))]),
        page(false, &[charge(&json!({}))]),
    ];
    let (server, gateway) = Server::playing(script).await;
    let bill = gateway.bill(day(), now()).await.unwrap();
    assert_eq!(bill.lines.len(), 2);
    assert_eq!(bill.lines[1].line, 2);
    assert_eq!(bill.totals, None);
    let kept = String::from_utf8(bill.raw).unwrap();
    assert_eq!(kept.lines().count(), 2, "each page as it came");

    let asked = server.asked();
    for (asked, after) in asked.iter().zip([None, Some("txn_2")]) {
        assert_eq!(asked.line, "GET /v1/balance_transactions");
        for (name, expected) in [
            ("created[gte]", "1772323200"),
            ("created[lt]", "1772409600"),
            ("limit", "100"),
            ("expand[]", "data.source"),
        ] {
            assert_eq!(asked.field(name), Some(expected), "{name}");
        }
        assert_eq!(asked.field("starting_after"), after);
    }
}

#[tokio::test]
async fn a_day_without_business_is_an_empty_bill_and_a_running_day_has_none() {
    assert_eq!(lines(&[]).await, []);
    let midnight = seconds(MIDNIGHT + 86_400);
    let just_before = midnight - domain::Span::micros(1);
    let told = nowhere().bill(day(), just_before).await.unwrap_err();
    assert!(told.to_string().contains("not over"), "{told}");
    let (_server, gateway) = Server::playing([page(false, &[])]).await;
    assert!(gateway.bill(day(), midnight).await.is_ok());
    let far = nowhere().bill(Date::MAX, Ts::from_micros(i64::MAX)).await;
    assert!(
        matches!(far, Err(GatewayError::Unavailable { .. })),
        "{far:?}"
    );
}

#[tokio::test]
async fn what_is_no_payment_and_no_refund_is_no_line() {
    for kind in ["payout", "adjustment", "stripe_fee", "topup", "of_2031"] {
        let movement = charge(&json!({ "type": kind, "source": null }));
        assert_eq!(lines(&[movement]).await, [], "{kind}");
    }
}

#[tokio::test]
async fn a_movement_that_is_not_ours_is_shown_as_it_is() {
    let mut by_hand = refund(&json!({}));
    by_hand["source"]["metadata"] = json!({});
    let line = lines(&[by_hand]).await.remove(0);
    assert_eq!((line.out_trade_no, line.out_refund_no), (None, None));
    assert_eq!(line.transaction_id.as_deref(), Some(INTENT));

    let mut without_intent = charge(&json!({}));
    without_intent["source"]["payment_intent"] = json!(null);
    let line = lines(&[without_intent]).await.remove(0);
    assert_eq!(line.transaction_id.as_deref(), Some("ch_1"));

    let mut foreign = charge(&json!({}));
    foreign["source"]["currency"] = json!("usd");
    let found = lines(&[foreign, refund(&json!({}))]).await;
    assert_eq!(found.len(), 1, "dollars of the United States can't be ours");
    assert_eq!(found[0].line, 1);
}

#[tokio::test]
async fn a_fee_in_another_currency_is_not_known() {
    let line = lines(&[charge(&json!({ "currency": "aud" }))])
        .await
        .remove(0);
    assert_eq!((line.amount, line.fee), (dollars(3000), None));
}

#[tokio::test]
async fn a_refund_stands_in_the_bill_as_it_ended() {
    for (status, expected) in [
        ("pending", LineStatus::Processing),
        ("requires_action", LineStatus::Processing),
        ("failed", LineStatus::Failed),
        ("canceled", LineStatus::Failed),
    ] {
        let source = refund_source(&json!({ "status": status }));
        let line = lines(&[refund(&json!({ "source": source }))])
            .await
            .remove(0);
        assert_eq!(line.status, expected, "{status}");
    }
    // It failed on a later day than it was made on.
    let source = refund_source(&json!({ "status": "failed" }));
    let failure = refund(&json!({
        "id": "txn_3", "type": "refund_failure", "amount": 1000, "source": source,
    }));
    let line = lines(std::slice::from_ref(&failure)).await.remove(0);
    assert_eq!(line.status, LineStatus::Failed);
    assert_eq!(line.amount, dollars(1000));
    assert_eq!(line.out_refund_no.as_deref(), Some(OUT_REFUND_NO));
    // Both on one day are one line, in whichever order.
    let made = refund(&json!({ "source": source }));
    for both in [[failure.clone(), made.clone()], [made.clone(), failure]] {
        let found = lines(&both).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].status, LineStatus::Failed);
    }
    // The same refund made twice is not hidden.
    let twice = lines(&[refund(&json!({})), refund(&json!({ "id": "txn_9" }))]).await;
    assert_eq!(twice.len(), 2);
}

#[tokio::test]
async fn a_bill_with_a_hole_in_it_is_none() {
    for hole in [
        charge(&json!({ "source": "ch_1" })),
        charge(&json!({ "source": null })),
        charge(&json!({ "created": i64::MAX })),
        charge(&json!({ "fee": i64::MAX })),
        refund(&json!({ "source": refund_source(&json!({ "amount": -1 })) })),
        refund(&json!({ "source": refund_source(&json!({ "status": "of_2031" })) })),
        json!({ "id": "txn_1" }),
    ] {
        let told = fetched(vec![page(false, &[charge(&json!({})), hole])]).await;
        assert!(
            matches!(told, Err(GatewayError::Unavailable { .. })),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn a_bill_that_breaks_off_or_stands_still_is_none() {
    let first = || page(true, &[charge(&json!({}))]);
    for second in [
        answer(500, &error("api_error", "")),
        answer(429, &error("invalid_request_error", "rate_limit")),
        first(),
        page(true, &[]),
    ] {
        let told = fetched(vec![first(), second]).await;
        assert!(
            matches!(told, Err(GatewayError::Unavailable { .. })),
            "{told:?}"
        );
    }
}
