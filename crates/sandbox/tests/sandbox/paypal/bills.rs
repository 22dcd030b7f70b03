//! The day's bill, against the book.

use super::{NUMBER, agree, is_paid, new_refund, paid, refund_number, send, started, world};
use crate::harness::World;
use connectors::gateway::{Bill, GatewayError};
use domain::payment::GatewayName;
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use jiff::civil::{Date, date};

fn day() -> Date {
    date(2026, 3, 2)
}

async fn bill(world: &World) -> Bill {
    world.gateway.bill(day(), world.now()).await.unwrap()
}

/// The book's lines as PayPal's report can say them: a refund's fee is nothing, and not written.
fn of_the_book(world: &World) -> Vec<BillLine> {
    let view = world.sandbox.bill(GatewayName::PAYPAL, day()).unwrap();
    let unsaid = |mut line: BillLine| {
        line.fee = line.fee.filter(|&fee| fee != 0);
        line
    };
    view.lines.into_iter().map(unsaid).collect()
}

#[tokio::test]
async fn the_bill_says_what_the_book_says() {
    let world = world().await;
    let payment = paid(&world, NUMBER).await;
    world.later(60);
    for (digit, cents) in [(1, 3_000), (2, 4_000), (3, 4_500)] {
        world.later(1);
        send(&world, &new_refund(&payment, &refund_number(digit), cents))
            .await
            .unwrap();
    }
    // Agreed to and not fetched is no business; the next day's is another bill's.
    let other = "0193a5b2c3d4e5f60718293a4b5c6d7f";
    let (unfetched, _) = started(&world, other).await;
    agree(&world, other, "{}").await;
    world.later(24 * 3600);
    is_paid(world.gateway.collect(&unfetched, world.now()).await);

    let bill = bill(&world).await;
    assert_eq!(bill.lines, of_the_book(&world));
    let [first, refunds @ ..] = bill.lines.as_slice() else {
        panic!("{bill:?}")
    };
    assert_eq!(
        (first.kind, first.out_trade_no.as_deref()),
        (LineKind::Payment, Some(NUMBER))
    );
    // 3.4 % of 115.00 and 45 cents are 4.36.
    assert_eq!(first.fee, Some(436_000));
    let back: i64 = refunds.iter().map(|line| line.amount.amount).sum();
    assert_eq!((refunds.len(), back), (3, first.amount.amount));
    for (digit, refund) in (1..).zip(refunds) {
        assert_eq!(refund.out_refund_no, Some(refund_number(digit)));
        assert_eq!(refund.transaction_id, payment.transaction_id);
        assert_eq!(refund.status, LineStatus::Succeeded);
    }
    assert!(!bill.raw.is_empty());
}

#[tokio::test]
async fn a_day_that_is_not_over_has_no_bill_and_a_quiet_one_an_empty_one() {
    let world = world().await;
    let early = world.gateway.bill(day(), world.now()).await;
    assert!(
        matches!(early, Err(GatewayError::Unavailable { .. })),
        "{early:?}"
    );
    world.later(24 * 3600);
    assert_eq!(bill(&world).await.lines, []);
}

#[tokio::test]
async fn a_long_day_has_many_pages() {
    let world = world().await;
    let payment = paid(&world, NUMBER).await;
    for digit in 1..=1_100 {
        send(&world, &new_refund(&payment, &refund_number(digit), 1))
            .await
            .unwrap();
    }
    world.later(24 * 3600);
    let bill = bill(&world).await;
    assert_eq!(bill.lines.len(), 1_101);
    assert_eq!(bill.lines, of_the_book(&world));
    let pages = bill.raw.iter().filter(|&&byte| byte == b'\n').count();
    assert_eq!(pages, 3);
}

#[tokio::test]
async fn what_is_planted_into_the_bill_is_read_as_it_stands_there() {
    let world = world().await;
    let payment = paid(&world, NUMBER).await;
    send(&world, &new_refund(&payment, &refund_number(1), 1_500))
        .await
        .unwrap();
    let refund = refund_number(1);
    for plant in [
        format!(r#""kind":"change_amount","number":"{NUMBER}","amount":11400"#),
        format!(r#""kind":"change_status","number":"{refund}","status":"processing""#),
        format!(r#""kind":"change_our_number","number":"{refund}","to":null"#),
        r#""kind":"foreign_payment","amount":777"#.to_owned(),
        r#""kind":"foreign_refund","amount":333"#.to_owned(),
        format!(r#""kind":"duplicate_line","number":"{NUMBER}""#),
    ] {
        let body = format!(r#"{{"gateway":"paypal","day":"{}",{plant}}}"#, day());
        world.control("POST", "bills/plant", &body).await.unwrap();
    }
    world.later(24 * 3600);
    assert_eq!(bill(&world).await.lines, of_the_book(&world));
}
