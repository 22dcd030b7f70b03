//! Settlement files: the bill equals the book, by UnionPay's own days.

use super::{UnionPay, order, refund_no};
use connectors::gateway::GatewayError;
use domain::payment::GatewayName;
use domain::reconciliation::BillLine;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

const DAY: Date = date(2026, 3, 2);

async fn fetched(unionpay: &UnionPay, day: Date) -> Result<Vec<BillLine>, GatewayError> {
    let now = unionpay.world.now();
    let bill = unionpay.world.gateway.bill(day, now).await?;
    Ok(bill.lines)
}

fn in_the_book(unionpay: &UnionPay, day: Date) -> Vec<BillLine> {
    let bill = unionpay.world.sandbox.bill(GatewayName::UNIONPAY, day);
    bill.unwrap().lines
}

/// Two payments and two refunds, all before 23:00 of 2 March.
async fn a_day() -> UnionPay {
    let unionpay = UnionPay::new().await;
    unionpay.paid(1, 3000).await;
    unionpay.world.later(60);
    unionpay.paid(2, 12_345).await;
    for (n, fen) in [(1, 1000), (2, 1)] {
        unionpay.world.later(60);
        let refund = unionpay.refund(1, n, fen);
        unionpay.send(&refund).await.unwrap();
    }
    assert_eq!(unionpay.world.got().len(), 2);
    unionpay
}

/// To nine in the morning of the day after.
fn next_morning(unionpay: &UnionPay) {
    let now = unionpay.world.now();
    let nine = domain::Ts::parse("2026-03-03T09:00:00+08:00").unwrap();
    unionpay
        .world
        .later(nine.unix_seconds() - now.unix_seconds() + 1);
}

#[tokio::test]
async fn the_bill_equals_the_book() {
    let unionpay = a_day().await;
    next_morning(&unionpay);
    let lines = fetched(&unionpay, DAY).await.unwrap();
    assert_eq!(lines, in_the_book(&unionpay, DAY));
    assert_eq!(lines.len(), 4);
    let of_payments: Vec<_> = lines[..2]
        .iter()
        .map(|line| line.out_trade_no.clone())
        .collect();
    assert_eq!(of_payments, [Some(order(1)), Some(order(2))]);
    let of_refunds: Vec<_> = lines[2..]
        .iter()
        .map(|line| line.out_refund_no.clone())
        .collect();
    assert_eq!(of_refunds, [Some(refund_no(1)), Some(refund_no(2))]);
    assert!(
        lines[2..]
            .iter()
            .all(|line| line.out_trade_no == Some(order(1))
                && line.transaction_id == lines[0].transaction_id)
    );
    // 0.6 % of 30 yuan is 18 fen; of 10 yuan, given back, 6.
    assert_eq!(lines[0].fee, Some(18_000));
    assert_eq!(lines[2].fee, Some(-6_000));
}

#[tokio::test]
async fn a_settlement_day_ends_at_23_00() {
    let unionpay = UnionPay::new().await;
    unionpay.arrive(1, 3000).await;
    unionpay.paid(2, 500).await;
    // Paid in the last moment before payTimeout, which is set to the evening here.
    let evening = domain::Ts::parse("2026-03-02T23:30:00+08:00").unwrap();
    let mut late = unionpay;
    late.begun = evening;
    late.world
        .later(evening.unix_seconds() - late.world.now().unix_seconds());
    late.paid(3, 700).await;
    next_morning(&late);
    let lines = fetched(&late, DAY).await.unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].out_trade_no, Some(order(2)));
    late.world.later(24 * 3600);
    let lines = fetched(&late, date(2026, 3, 3)).await.unwrap();
    assert_eq!(lines, in_the_book(&late, date(2026, 3, 3)));
    assert_eq!(lines[0].out_trade_no, Some(order(3)));
}

#[tokio::test]
async fn before_nine_there_is_no_file_and_of_an_idle_day_never() {
    let unionpay = a_day().await;
    let today = fetched(&unionpay, DAY).await;
    assert!(
        matches!(today, Err(GatewayError::Unavailable { .. })),
        "{today:?}"
    );
    next_morning(&unionpay);
    let idle = date(2026, 3, 1);
    assert_eq!(fetched(&unionpay, idle).await, Ok(Vec::new()));
    // Of yesterday it may still come until noon.
    unionpay.world.later(24 * 3600);
    let yesterday = date(2026, 3, 3);
    let early = fetched(&unionpay, yesterday).await;
    assert!(
        matches!(early, Err(GatewayError::Unavailable { .. })),
        "{early:?}"
    );
    unionpay.world.later(3 * 3600);
    assert_eq!(fetched(&unionpay, yesterday).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_bill_asked_for_by_somebody_else_is_refused() {
    let unionpay = a_day().await;
    next_morning(&unionpay);
    unionpay.world.faults(r#"{"down":true}"#).await;
    let down = fetched(&unionpay, DAY).await;
    assert!(
        matches!(down, Err(GatewayError::Unavailable { .. })),
        "{down:?}"
    );
    unionpay.world.faults("{}").await;
    let values = unionpay
        .world
        .sandbox
        .values(GatewayName::UNIONPAY, &unionpay.world.url)
        .unwrap();
    let unsigned = [("txnType", "76"), ("settleDate", "0302")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let answer = unionpay
        .post(&values["UNIONPAY_FILE_URL"], &unsigned.into())
        .await;
    let answer = answer.text().await.unwrap();
    assert!(answer.contains("respCode=11"), "{answer}");
    assert!(!answer.contains("fileContent"), "{answer}");
}

async fn plant(unionpay: &UnionPay, difference: Value) {
    let mut request = json!({ "gateway": "unionpay", "day": "2026-03-02" });
    let fields = request.as_object_mut().unwrap();
    fields.extend(difference.as_object().unwrap().clone());
    let planted = unionpay
        .world
        .control("POST", "bills/plant", &request.to_string())
        .await;
    assert!(planted.is_ok(), "{planted:?}");
}

#[tokio::test]
async fn planted_differences_stand_in_the_file() {
    let unionpay = a_day().await;
    for difference in [
        json!({ "kind": "drop_line", "number": order(2) }),
        json!({ "kind": "foreign_payment", "amount": 777 }),
        json!({ "kind": "change_amount", "number": order(1), "amount": 2900 }),
        json!({ "kind": "duplicate_line", "number": refund_no(1) }),
        json!({ "kind": "change_our_number", "number": refund_no(2), "to": null }),
    ] {
        plant(&unionpay, difference).await;
    }
    next_morning(&unionpay);
    let lines = fetched(&unionpay, DAY).await.unwrap();
    let mut expected = in_the_book(&unionpay, DAY);
    // The file has room for 21 digits.
    for line in &mut expected {
        if let Some(number) = &mut line.transaction_id {
            number.truncate(21);
        }
    }
    assert_eq!(lines, expected);
    assert_eq!(lines.len(), 5);
    assert!(lines.iter().any(|line| line.amount.amount == 777));
    assert!(lines.iter().any(|line| line.amount.amount == 2900));
    assert!(lines.iter().all(|line| line.out_trade_no != Some(order(2))));
}
