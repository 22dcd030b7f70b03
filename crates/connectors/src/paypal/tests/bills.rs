//! A day's bill, page by page.

use super::stub::Stub;
use super::{CAPTURE, NUMBER, REFUND, REFUND_NUMBER, issue, nzd, paypal};
use crate::gateway::{GatewayError, PaymentGateway as _};
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use domain::{Span, Ts};
use jiff::civil::{Date, date};
use serde_json::{Value, json};

fn day() -> Date {
    date(2025, 11, 20)
}

fn next_morning() -> Ts {
    Ts::parse("2025-11-21T06:00:00Z").unwrap()
}

fn request(from: &str, to: &str, page: u32) -> String {
    format!(
        "GET /v1/reporting/transactions?start_date=2025-11-20T{from}Z&end_date=2025-11-20T{to}Z\
         &fields=transaction_info&page_size=500&page={page}"
    )
}

fn page(details: &[Value], total_pages: u32) -> Value {
    json!({
        "transaction_details": details,
        "account_number": "XZXSPECPDZHZU",
        "last_refreshed_datetime": "2025-11-21T05:59:59+0000",
        "page": 1,
        "total_items": details.len(),
        "total_pages": total_pages,
    })
}

fn detail(info: &Value) -> Value {
    json!({ "transaction_info": info })
}

fn payment() -> Value {
    detail(&json!({
        "paypal_account_id": "LTFRD2WYP3VKL",
        "transaction_id": CAPTURE,
        "transaction_event_code": "T0006",
        "transaction_initiation_date": "2025-11-20T02:01:00+0000",
        "transaction_updated_date": "2025-11-20T02:01:00+0000",
        "transaction_amount": { "currency_code": "NZD", "value": "115.00" },
        "fee_amount": { "currency_code": "NZD", "value": "-4.36" },
        "transaction_status": "S",
        "invoice_id": NUMBER,
        "custom_field": NUMBER,
        "protection_eligibility": "01",
    }))
}

fn refund() -> Value {
    detail(&json!({
        "transaction_id": REFUND,
        "paypal_reference_id": CAPTURE,
        "paypal_reference_id_type": "TXN",
        "transaction_event_code": "T1107",
        "transaction_initiation_date": "2025-11-20T02:05:00+0000",
        "transaction_amount": { "currency_code": "NZD", "value": "-15.00" },
        "transaction_status": "S",
        "invoice_id": REFUND_NUMBER,
        "custom_field": NUMBER,
    }))
}

fn withdrawal() -> Value {
    detail(&json!({
        "transaction_id": "9SN31220LU2217421",
        "transaction_event_code": "T0400",
        "transaction_initiation_date": "2025-11-20T09:00:00+0000",
        "transaction_amount": { "currency_code": "NZD", "value": "-90.00" },
        "transaction_status": "S",
    }))
}

#[tokio::test]
async fn a_day_is_read_page_by_page_and_kept_as_received() {
    let stub = Stub::start().await;
    let (first, second) = (page(&[payment(), withdrawal()], 2), page(&[refund()], 2));
    stub.answers(&request("00:00:00", "23:59:59", 1), 200, &first)
        .answers(&request("00:00:00", "23:59:59", 2), 200, &second);
    let bill = paypal(&stub).bill(day(), next_morning()).await.unwrap();
    let paid = BillLine {
        line: 1,
        kind: LineKind::Payment,
        out_trade_no: Some(NUMBER.to_owned()),
        transaction_id: Some(CAPTURE.to_owned()),
        out_refund_no: None,
        refund_id: None,
        amount: nzd(11_500),
        fee: Some(436_000),
        status: LineStatus::Succeeded,
        at: Ts::parse("2025-11-20T02:01:00Z").unwrap(),
    };
    let gone = BillLine {
        line: 2,
        kind: LineKind::Refund,
        out_refund_no: Some(REFUND_NUMBER.to_owned()),
        refund_id: Some(REFUND.to_owned()),
        amount: nzd(1_500),
        fee: None,
        at: Ts::parse("2025-11-20T02:05:00Z").unwrap(),
        ..paid.clone()
    };
    assert_eq!(bill.lines, [paid, gone]);
    assert_eq!(bill.raw, format!("{first}\n{second}\n").into_bytes());
    assert_eq!(bill.totals, None);
}

#[tokio::test]
async fn a_day_without_business_is_an_empty_bill() {
    let stub = Stub::start().await;
    stub.answers(&request("00:00:00", "23:59:59", 1), 200, &page(&[], 0));
    let bill = paypal(&stub).bill(day(), next_morning()).await.unwrap();
    assert!(bill.lines.is_empty());
}

#[tokio::test]
async fn a_day_with_more_lines_than_paypal_gives_is_halved() {
    let stub = Stub::start().await;
    let whole = request("00:00:00", "23:59:59", 1);
    let morning = request("00:00:00", "11:59:59", 1);
    let afternoon = request("12:00:00", "23:59:59", 1);
    stub.answers(&whole, 400, &issue("RESULTSET_TOO_LARGE"))
        .answers(&morning, 200, &page(&[payment(), refund()], 1))
        .answers(&afternoon, 200, &page(&[withdrawal()], 21))
        .answers(&request("12:00:00", "17:59:59", 1), 200, &page(&[], 0))
        .answers(
            &request("18:00:00", "23:59:59", 1),
            200,
            &page(&[payment()], 1),
        );
    let bill = paypal(&stub).bill(day(), next_morning()).await.unwrap();
    let numbers: Vec<u32> = bill.lines.iter().map(|line| line.line).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let raw = String::from_utf8(bill.raw).unwrap();
    // What was not used is not kept as evidence either.
    assert!(!raw.contains("T0400"), "{raw}");
}

#[tokio::test]
async fn a_day_that_is_not_over_or_not_complete_is_not_made_yet() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    let unavailable = |error: GatewayError| {
        assert!(matches!(error, GatewayError::Unavailable { .. }), "{error}");
        error.to_string()
    };
    let last_second = Ts::parse("2025-11-20T23:59:59Z").unwrap();
    let early = paypal.bill(day(), last_second).await.unwrap_err();
    assert!(unavailable(early).contains("not over"));
    assert!(stub.lines().is_empty());

    let mut unfinished = page(&[payment()], 1);
    unfinished["last_refreshed_datetime"] = json!("2025-11-20T20:00:00Z");
    stub.answers(&request("00:00:00", "23:59:59", 1), 200, &unfinished);
    let soon = last_second + Span::minutes(5);
    let early = paypal.bill(day(), soon).await.unwrap_err();
    assert!(unavailable(early).contains("2025-11-20T20:00"));
}

#[tokio::test]
async fn a_line_that_is_not_understood_spoils_the_bill_and_not_the_books() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    let mut strange = payment();
    strange["transaction_info"]["transaction_status"] = json!("?");
    for answer in [page(&[strange], 1).to_string(), "{".to_owned()] {
        stub.answers_text(&request("00:00:00", "23:59:59", 1), 200, &answer);
        let error = paypal.bill(day(), next_morning()).await.unwrap_err();
        assert!(matches!(error, GatewayError::Unavailable { .. }), "{error}");
    }
}
