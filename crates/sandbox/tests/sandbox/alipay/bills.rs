//! The bill of a day, from its archive, against the book.

use super::{paid, world};
use crate::harness::{World, refund};
use connectors::gateway::{Bill, GatewayError};
use domain::payment::GatewayName;
use domain::reconciliation::LineKind;
use jiff::civil::Date;

fn day() -> Date {
    "2026-03-02".parse().unwrap()
}

/// Three payments and two refunds on 2 March, and one payment on the 3rd.
async fn a_day(world: &World) {
    for (number, fen) in [("ORDER0001", 3000), ("ORDER0002", 1), ("ORDER0003", 10_050)] {
        paid(world, number, fen).await;
        world.later(60);
    }
    for (of, number, fen, total) in [
        ("ORDER0001", "RF1", 1000, 3000),
        ("ORDER0003", "RF3", 10_050, 10_050),
    ] {
        let part = refund(of, number, fen, total);
        world.gateway.refund(&part, world.now()).await.unwrap();
        world.later(60);
    }
    world.sandbox.run_due().await;
    world.got();
}

/// 3 March, so many hours after midnight.
fn next_day(world: &World, hours: i64) {
    let at = domain::Ts::parse("2026-03-03T00:00:00+08:00").unwrap() + domain::Span::hours(hours);
    world.later(at.since(world.now()).as_seconds() + 1);
}

async fn bill(world: &World) -> Result<Bill, GatewayError> {
    world.gateway.bill(day(), world.now()).await
}

#[tokio::test]
async fn a_bill_says_what_the_book_says() {
    let world = world().await;
    a_day(&world).await;
    let early = bill(&world).await.unwrap_err();
    assert!(matches!(early, GatewayError::Unavailable { .. }), "{early}");
    next_day(&world, 0);
    paid(&world, "ORDER0004", 5000).await;
    next_day(&world, 8);
    let early = bill(&world).await.unwrap_err();
    assert!(matches!(early, GatewayError::Unavailable { .. }), "{early}");
    next_day(&world, 9);
    let read = bill(&world).await.unwrap();
    let book = world.sandbox.bill(GatewayName::ALIPAY, day()).unwrap();
    assert_eq!(read.lines.len(), 5);
    assert_eq!(read.lines, book.lines);
    assert_eq!(read.totals, Some(book.totals));
    assert_eq!(
        book.totals.paid.amount - book.totals.refunded.amount,
        3000 - 1000 + 1
    );
    // As it came, for evidence: a zip archive.
    assert!(read.raw.starts_with(b"PK"));
    // The fee is six in a thousand, and goes back with the refund.
    let of = |number: &str, kind| {
        let mut lines = read.lines.iter();
        let line =
            lines.find(|line| line.kind == kind && line.out_trade_no.as_deref() == Some(number));
        line.unwrap().fee
    };
    assert_eq!(of("ORDER0001", LineKind::Payment), Some(18_000));
    assert_eq!(of("ORDER0001", LineKind::Refund), Some(-6_000));
}

#[tokio::test]
async fn a_day_without_business_has_no_bill_and_at_noon_that_is_an_empty_one() {
    let world = world().await;
    next_day(&world, 11);
    let early = bill(&world).await.unwrap_err();
    assert!(matches!(early, GatewayError::Unavailable { .. }), "{early}");
    next_day(&world, 12);
    let empty = bill(&world).await.unwrap();
    assert!(empty.lines.is_empty() && empty.totals.is_none());
}

#[tokio::test]
async fn planted_differences_are_in_the_bill_and_not_in_the_book() {
    for plant in [
        r#""kind":"drop_line","number":"ORDER0002""#,
        r#""kind":"foreign_payment","amount":777"#,
        r#""kind":"foreign_refund","amount":555,"of":"ORDER0001""#,
        r#""kind":"change_amount","number":"RF1","amount":999"#,
        r#""kind":"duplicate_line","number":"ORDER0001""#,
        r#""kind":"shift_day","number":"ORDER0003","later":true"#,
        r#""kind":"change_our_number","number":"ORDER0001","to":"ORDER9999""#,
        r#""kind":"change_our_number","number":"ORDER0001","to":null"#,
        r#""kind":"change_transaction_id","number":"ORDER0001","to":"2026030222001400000000000009""#,
        r#""kind":"change_fee","number":"ORDER0001","fee":5000"#,
        r#""kind":"wrong_summary","count":9,"paid":1,"refunded":2"#,
    ] {
        let world = world().await;
        a_day(&world).await;
        let before = world.sandbox.totals().net_fen;
        let request = format!(r#"{{"gateway":"alipay","day":"2026-03-02",{plant}}}"#);
        world
            .control("POST", "bills/plant", &request)
            .await
            .unwrap();
        next_day(&world, 10);
        let read = bill(&world).await.unwrap();
        let mut planted = world.sandbox.bill(GatewayName::ALIPAY, day()).unwrap();
        // Alipay gives refunds no number: one that was made by hand has none at all.
        for line in planted
            .lines
            .iter_mut()
            .filter(|line| line.out_refund_no.is_none())
        {
            line.refund_id = None;
        }
        assert_eq!(read.lines, planted.lines, "{plant}");
        assert_eq!(read.totals, Some(planted.totals), "{plant}");
        assert_eq!(world.sandbox.totals().net_fen, before, "{plant}");
    }
}

#[tokio::test]
async fn money_that_did_not_move_is_not_in_alipays_bill() {
    let world = world().await;
    a_day(&world).await;
    let plant = r#"{"gateway":"alipay","day":"2026-03-02","kind":"change_status","number":"ORDER0002","status":"failed"}"#;
    world.control("POST", "bills/plant", plant).await.unwrap();
    next_day(&world, 10);
    let read = bill(&world).await.unwrap();
    assert_eq!(read.lines.len(), 4);
    assert_eq!(read.totals.unwrap().count, 4);
}
