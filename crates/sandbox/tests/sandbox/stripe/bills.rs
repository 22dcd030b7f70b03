//! The balance's movements as the bill of a day.

use super::{Shop, dollars, number, refund_number, refund_of};
use connectors::gateway::{Bill, GatewayError};
use domain::payment::GatewayName;
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use jiff::civil::{Date, date};

/// The world begins at 01:00 of this day in UTC.
fn day() -> Date {
    date(2026, 3, 2)
}

const REST_OF_DAY: i64 = 23 * 3600;

async fn bill(shop: &Shop, day: Date) -> Result<Bill, GatewayError> {
    shop.world.gateway.bill(day, shop.world.now()).await
}

/// What the sandbox knows of the day, in the bill's order.
fn book(shop: &Shop, day: Date) -> Vec<BillLine> {
    let mut lines = shop
        .world
        .sandbox
        .bill(GatewayName::STRIPE, day)
        .unwrap()
        .lines;
    lines.reverse();
    for (number, line) in (1..).zip(&mut lines) {
        line.line = number;
    }
    lines
}

#[tokio::test]
async fn the_bill_is_the_book() {
    let shop = Shop::open().await;
    let first = shop.paid(1, 3000).await;
    shop.world.later(60);
    shop.paid(2, 4500).await;
    shop.started(3, 500).await;
    shop.world.later(60);
    shop.refund(&refund_of(&first, 1, 1000)).await.unwrap();
    shop.world.faults(r#"{"refundsHang":true}"#).await;
    shop.world.later(60);
    shop.refund(&refund_of(&first, 2, 700)).await.unwrap();
    shop.world.later(60);
    shop.refund(&refund_of(&first, 3, 300)).await.unwrap();
    shop.outcome(&refund_number(3), r#"{"status":"FAILED"}"#)
        .await;

    let early = bill(&shop, day()).await;
    assert!(
        matches!(early, Err(GatewayError::Unavailable { .. })),
        "{early:?}"
    );
    shop.world.later(REST_OF_DAY);
    let bill = bill(&shop, day()).await.unwrap();
    assert_eq!(bill.lines, book(&shop, day()));
    let told: Vec<_> = bill
        .lines
        .iter()
        .map(|line| (line.kind, line.amount, line.fee, line.status))
        .collect();
    assert_eq!(
        told,
        [
            (LineKind::Refund, dollars(300), Some(0), LineStatus::Failed),
            (
                LineKind::Refund,
                dollars(700),
                Some(0),
                LineStatus::Processing
            ),
            (
                LineKind::Refund,
                dollars(1000),
                Some(0),
                LineStatus::Succeeded
            ),
            // 2.7 % and 30 cents: 1.515, rounded up to 1.52; and 1.11.
            (
                LineKind::Payment,
                dollars(4500),
                Some(152_000),
                LineStatus::Succeeded
            ),
            (
                LineKind::Payment,
                dollars(3000),
                Some(111_000),
                LineStatus::Succeeded
            ),
        ]
    );
    let number = |line: usize| bill.lines[line].out_trade_no.clone().unwrap();
    assert_eq!((number(3), number(4)), (super::number(2), super::number(1)));
}

#[tokio::test]
async fn a_day_ends_at_midnight_in_utc() {
    let shop = Shop::open().await;
    shop.world.later(REST_OF_DAY - 1);
    shop.paid(1, 3000).await;
    shop.world.later(1);
    shop.paid(2, 3000).await;
    shop.world.later(24 * 3600);
    let next = date(2026, 3, 3);
    for (day, payment) in [(day(), 1), (next, 2)] {
        let lines = bill(&shop, day).await.unwrap().lines;
        assert_eq!(lines.len(), 1, "{day}");
        assert_eq!(lines[0].out_trade_no, Some(number(payment)));
    }
    assert_eq!(bill(&shop, date(2026, 3, 1)).await.unwrap().lines, []);
}

#[tokio::test]
async fn a_long_day_comes_in_pages() {
    let shop = Shop::open().await;
    for payment in 1..=250 {
        shop.started(payment, 3000).await;
        shop.pay(payment, r#"{"callback":"never"}"#).await;
    }
    shop.world.later(REST_OF_DAY);
    let bill = bill(&shop, day()).await.unwrap();
    assert_eq!(bill.lines.len(), 250);
    assert_eq!(bill.lines, book(&shop, day()));
    assert_eq!(bill.raw.iter().filter(|&&byte| byte == b'\n').count(), 3);
}

#[tokio::test]
async fn a_second_try_stands_in_the_bill_under_the_merchants_number() {
    let shop = Shop::open().await;
    let payment = shop.paid(1, 3000).await;
    let part = refund_of(&payment, 1, 1000);
    shop.world.faults(r#"{"refundsHang":true}"#).await;
    shop.refund(&part).await.unwrap();
    shop.outcome(&refund_number(1), r#"{"status":"FAILED"}"#)
        .await;
    shop.world.faults("{}").await;
    shop.world.later(1);
    shop.refund(&part).await.unwrap();
    shop.world.later(REST_OF_DAY);
    let lines = bill(&shop, day()).await.unwrap().lines;
    let tries: Vec<_> = lines
        .iter()
        .filter(|line| line.out_refund_no == Some(refund_number(1)))
        .map(|line| line.status)
        .collect();
    assert_eq!(tries, [LineStatus::Succeeded, LineStatus::Failed]);
    assert_ne!(lines[0].refund_id, lines[1].refund_id);
}

#[tokio::test]
async fn planted_differences_reach_the_reader() {
    let shop = Shop::open().await;
    for payment in 1..=4 {
        shop.paid(payment, 3000).await;
    }
    let refunded = shop.paid(5, 3000).await;
    shop.refund(&refund_of(&refunded, 1, 1000)).await.unwrap();
    shop.refund(&refund_of(&refunded, 2, 400)).await.unwrap();
    shop.world.later(REST_OF_DAY);
    let plant = async |what: String| {
        let body = format!(r#"{{"gateway":"stripe","day":"2026-03-02",{what}}}"#);
        shop.world
            .control("POST", "bills/plant", &body)
            .await
            .unwrap();
    };
    plant(format!(r#""kind":"drop_line","number":"{}""#, number(1))).await;
    plant(format!(
        r#""kind":"change_amount","number":"{}","amount":2999"#,
        number(2)
    ))
    .await;
    plant(format!(
        r#""kind":"duplicate_line","number":"{}""#,
        number(3)
    ))
    .await;
    plant(format!(
        r#""kind":"change_our_number","number":"{}","to":null"#,
        number(4)
    ))
    .await;
    plant(r#""kind":"foreign_payment","amount":777"#.to_owned()).await;
    plant(format!(
        r#""kind":"duplicate_line","number":"{}""#,
        refund_number(2)
    ))
    .await;
    plant(format!(
        r#""kind":"foreign_refund","amount":55,"of":"{}""#,
        number(5)
    ))
    .await;
    plant(format!(
        r#""kind":"change_status","number":"{}","status":"failed""#,
        refund_number(1)
    ))
    .await;

    let lines = bill(&shop, day()).await.unwrap().lines;
    let of = |number: &str| -> Vec<_> {
        let is_it = |line: &&BillLine| {
            line.kind == LineKind::Payment && line.out_trade_no.as_deref() == Some(number)
        };
        lines.iter().filter(is_it).collect()
    };
    assert_eq!(of(&number(1)).len(), 0);
    assert_eq!(of(&number(2))[0].amount, dollars(2999));
    assert_eq!(of(&number(3)).len(), 2);
    assert_eq!(of(&number(4)).len(), 0);
    let without = lines.iter().filter(|line| line.out_trade_no.is_none());
    let mut amounts: Vec<_> = without.map(|line| line.amount.amount).collect();
    amounts.sort_unstable();
    assert_eq!(
        amounts,
        [777, 3000],
        "of nobody, and of a number that is gone"
    );
    let refunds: Vec<_> = lines
        .iter()
        .filter(|line| line.kind == LineKind::Refund)
        .map(|line| (line.out_refund_no.clone(), line.amount, line.status))
        .collect();
    assert!(refunds.contains(&(Some(refund_number(1)), dollars(1000), LineStatus::Failed)));
    let doubled = (Some(refund_number(2)), dollars(400), LineStatus::Succeeded);
    assert_eq!(refunds.iter().filter(|told| **told == doubled).count(), 2);
    assert!(
        refunds.contains(&(None, dollars(55), LineStatus::Succeeded)),
        "{refunds:?}"
    );
}
