//! Our own books as a bill is held against them, on both engines: payments and refunds of a day,
//! other days' bills, the clearing account, suspense.

// These are tests throughout, also where a helper is not marked as one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod common;

use common::bills::{DAY, WECHAT, claim, day, decide, entry, lease, line, record, recorded};
use common::{change, id, new_order, now, payment, refund};
use domain::consultation::Consultation;
use domain::payment::{GatewayName, PaymentStatus, RefundStatus};
use domain::reconciliation::{BillLine, Billed, DifferenceStatus, LineKind, LineStatus};
use domain::{Money, PaymentId, Span};
use jiff::civil::date;
use store::RunRecord;
use store::testing::Fresh;

on_both!(
    our_records_are_found_by_day_and_by_every_number,
    other_days_bills_are_known,
    the_clearing_account_is_summed_without_what_was_put_on_suspense,
    the_check_tells_suspense_that_nobody_decided,
);

/// An order that was paid so long after the beginning of the day, and perhaps refunded.
fn paid(after: Span, refunded: bool) -> Consultation {
    let mut order = new_order();
    let mut payment = payment(PaymentStatus::Completed, Some(Money::fen(3050)));
    payment.paid_at = Some(day().begins + after);
    payment.transaction_id = Some(format!("42{}", payment.out_trade_no));
    if refunded {
        let mut refund = refund(payment.id, RefundStatus::Succeeded, 3050);
        refund.refund_id = Some(format!("50{}", refund.out_refund_no));
        refund.gone_at = payment.paid_at;
        order.refunds = vec![refund];
    }
    order.payments = vec![payment];
    order
}

async fn our_records_are_found_by_day_and_by_every_number(fresh: &Fresh) {
    let store = &fresh.store;
    let before = paid(Span::hours(-1), true);
    let first = paid(Span::ZERO, true);
    let last = paid(Span::seconds(24 * 3_600 - 1), false);
    let after = paid(Span::hours(24), true);
    let mut open = new_order();
    open.payments = vec![payment(PaymentStatus::Processing, None)];
    let mut elsewhere = paid(Span::hours(1), true);
    elsewhere.payments[0].gateway = GatewayName::STRIPE;
    for order in [&before, &first, &last, &after, &open, &elsewhere] {
        store.commit(change(order)).await.unwrap();
    }
    let ids = |orders: &[&Consultation]| {
        let mut ids: Vec<PaymentId> = orders.iter().map(|order| order.payments[0].id).collect();
        ids.sort_unstable();
        ids
    };
    let (payments, refunds) = store.ours(WECHAT, &day(), &[]).await.unwrap();
    let found: Vec<PaymentId> = payments.iter().map(|payment| payment.id).collect();
    assert_eq!(found, ids(&[&first, &last]), "of the day");
    assert_eq!(refunds.len(), 1);
    let (ours, kept) = (&payments[0], &first.payments[0]);
    assert_eq!(
        (ours.order, &ours.out_trade_no),
        (first.id, &kept.out_trade_no)
    );
    assert_eq!((ours.asked, ours.paid), (kept.amount, kept.paid));
    assert_eq!(
        (ours.booked_at, ours.created_at),
        (kept.paid_at, kept.created_at)
    );
    assert_eq!(
        (ours.status, &ours.transaction_id),
        (kept.status, &kept.transaction_id)
    );
    let (ours, kept) = (&refunds[0], &first.refunds[0]);
    assert_eq!(
        (ours.id, ours.payment, ours.amount),
        (kept.id, kept.payment, kept.amount)
    );
    assert_eq!((ours.is_by_hand, ours.booked_at), (false, kept.gone_at));
    assert_eq!(ours.out_trade_no, first.payments[0].out_trade_no);

    // By every number that a line may have, among many that are nobody's.
    let bare = BillLine {
        out_trade_no: None,
        transaction_id: None,
        ..line(0)
    };
    let mut lines: Vec<BillLine> = (1..=450).map(line).collect();
    lines.push(BillLine {
        out_trade_no: Some(before.payments[0].out_trade_no.clone()),
        ..bare.clone()
    });
    lines.push(BillLine {
        transaction_id: after.payments[0].transaction_id.clone(),
        ..bare.clone()
    });
    lines.push(BillLine {
        out_trade_no: Some(open.payments[0].out_trade_no.clone()),
        ..bare.clone()
    });
    let refund_no = Some(before.refunds[0].out_refund_no.clone());
    lines.push(BillLine {
        kind: LineKind::Refund,
        out_refund_no: refund_no,
        ..bare.clone()
    });
    let refund_id = after.refunds[0].refund_id.clone();
    lines.push(BillLine {
        kind: LineKind::Refund,
        refund_id,
        ..bare.clone()
    });
    lines.push(BillLine {
        out_trade_no: Some(String::new()),
        ..bare
    });
    let (payments, refunds) = store.ours(WECHAT, &day(), &lines).await.unwrap();
    let found: Vec<PaymentId> = payments.iter().map(|payment| payment.id).collect();
    assert_eq!(found, ids(&[&before, &first, &last, &after, &open]));
    assert_eq!(refunds.len(), 3);
}

async fn other_days_bills_are_known(fresh: &Fresh) {
    let order = paid(Span::hours(1), true);
    fresh.store.commit(change(&order)).await.unwrap();
    let number = Some(order.payments[0].out_trade_no.clone());
    let refund = Some(order.refunds[0].out_refund_no.clone());
    let bills = [
        (
            date(2026, 2, 26),
            LineStatus::Failed,
            LineStatus::Processing,
        ),
        (date(2026, 2, 28), LineStatus::Succeeded, LineStatus::Failed),
        (date(2026, 3, 2), LineStatus::Succeeded, LineStatus::Failed),
        (DAY, LineStatus::Succeeded, LineStatus::Succeeded),
    ];
    for (day, of_payment, of_refund) in bills {
        let owner = id();
        let of = claim(fresh, day, &lease(owner, now()), now())
            .await
            .unwrap();
        let lines = vec![
            BillLine {
                out_trade_no: number.clone(),
                status: of_payment,
                ..line(1)
            },
            BillLine {
                kind: LineKind::Refund,
                out_refund_no: refund.clone(),
                status: of_refund,
                ..line(2)
            },
        ];
        let run = RunRecord {
            new: vec![],
            steps: vec![],
            ..record(of, owner, lines)
        };
        fresh.store.record_run(&run).await.unwrap();
    }
    let (payments, refunds) = fresh.store.ours(WECHAT, &day(), &[]).await.unwrap();
    let billed = |day, status| {
        Some(Billed {
            day,
            at: now(),
            status,
        })
    };
    // Where the money moved before where it did not, then the earliest; never this day's own.
    assert_eq!(
        payments[0].billed,
        billed(date(2026, 2, 28), LineStatus::Succeeded)
    );
    assert_eq!(
        refunds[0].billed,
        billed(date(2026, 2, 26), LineStatus::Processing)
    );
}

async fn the_clearing_account_is_summed_without_what_was_put_on_suspense(fresh: &Fresh) {
    let order = new_order();
    let mut paying = change(&order);
    paying.entries = vec![common::entry(order.id, 3050)];
    fresh.store.commit(paying).await.unwrap();
    let (_, ids) = recorded(fresh, 1).await;
    let suspended = Some(entry(ids[0], Money::fen(100)));
    decide(fresh, ids[0], DifferenceStatus::Applied, suspended)
        .await
        .unwrap();
    let moved = |from, until| fresh.store.clearing_moved(WECHAT, from, until);
    let whole = moved(day().begins, day().ends).await.unwrap();
    assert_eq!(whole, [Money::fen(3050)]);
    assert_eq!(moved(now(), now()).await.unwrap(), []);
    assert_eq!(moved(day().begins, now()).await.unwrap(), []);
}

async fn the_check_tells_suspense_that_nobody_decided(fresh: &Fresh) {
    let (_, ids) = recorded(fresh, 2).await;
    let wrong = Some(entry(ids[0], Money::fen(99)));
    decide(fresh, ids[0], DifferenceStatus::Applied, wrong)
        .await
        .unwrap();
    let findings = fresh.store.check(now()).await.unwrap();
    let words: Vec<&str> = findings
        .iter()
        .map(|finding| finding.words.as_str())
        .collect();
    assert_eq!(
        words,
        ["differences of 100 CNY were put on suspense, the ledger has 99"]
    );
    fresh
        .execute("UPDATE reconciliation_differences SET status = 60 WHERE status = 10")
        .await
        .unwrap();
    let findings = fresh.store.check(now()).await.unwrap();
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(rules, ["suspense", "reconciliation", "reconciliation"]);
}
