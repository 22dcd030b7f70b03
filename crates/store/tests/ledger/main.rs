//! The ledger as a whole: days and months at the hospital's midnight, an account's entries by the
//! page, and months that are closed for good.

// These are tests throughout, also where a helper is not marked as one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
#[path = "../common/mod.rs"]
mod common;

mod balances;
mod closing;
mod race;
mod wrong;

use common::{change, id, new_order, payment};
use domain::ledger::{Account, EntryKind, Month, Posting, TrialBalance};
use domain::payment::{GatewayName, PaymentStatus};
use domain::{Calendar, Currency, Money, OrderId, Span, Ts, UserId};
use jiff::civil::date;
use sqlx::{Connection, PgConnection};
use std::collections::BTreeSet;
use store::testing::Fresh;
use store::{
    Changes, Closing, CommitError, EntryFilter, EntryPlace, EntryRow, IdempotencyRow, StoreError,
};
use tokio::task::JoinHandle;

const WECHAT: Account = Account::GatewayClearing(GatewayName::WECHAT);
const CNY: Currency = Currency::CNY;

fn at(text: &str) -> Ts {
    Ts::parse(text).unwrap()
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn entry(order: OrderId, kind: EntryKind, sides: [(Account, i64); 2], at: Ts) -> EntryRow {
    let posting = |(account, amount)| Posting {
        account,
        amount,
        currency: CNY,
    };
    EntryRow {
        id: id(),
        order,
        kind,
        postings: sides.map(posting).to_vec(),
        at,
    }
}

/// The rows of a payment over WeChat that arrived then.
fn paid(amount: i64, at: Ts) -> Changes {
    let mut order = new_order();
    let money = Some(Money::fen(amount));
    order.payments = vec![payment(PaymentStatus::Completed, money)];
    let sides = [(WECHAT, amount), (Account::Patient, -amount)];
    Changes {
        entries: vec![entry(order.id, EntryKind::PaymentReceived, sides, at)],
        ..change(&order)
    }
}

async fn receive(fresh: &Fresh, amount: i64, at: Ts) -> Result<(), CommitError> {
    fresh.store.commit(paid(amount, at)).await
}

async fn earn(fresh: &Fresh, amount: i64, at: Ts) {
    let order = new_order();
    let sides = [
        (Account::Patient, amount),
        (Account::PlatformRevenue, -amount),
    ];
    let changes = Changes {
        entries: vec![entry(order.id, EntryKind::FeeEarned, sides, at)],
        ..change(&order)
    };
    fresh.store.commit(changes).await.unwrap();
}

/// A closing of this month two days after its end, with what is posted now.
async fn closing(fresh: &Fresh, text: &str) -> (Closing, TrialBalance) {
    let (month, calendar) = (month(text), Calendar::default());
    let (begins_at, until) = (month.begins(&calendar), month.ends(&calendar));
    let closing = Closing {
        month,
        begins_at,
        until,
        entries: fresh.store.entries_between(begins_at, until).await.unwrap(),
        closed_at: until + Span::hours(48),
        closed_by: UserId(uuid::Uuid::from_u128(7)),
    };
    let balance = fresh.store.trial_balance(month, &calendar).await.unwrap();
    (closing, balance)
}

async fn close(fresh: &Fresh, text: &str) -> Result<Closing, CommitError> {
    let (closing, balance) = closing(fresh, text).await;
    fresh.store.close_month(&closing, &balance, None).await?;
    Ok(closing)
}

/// Debits and credits of an account on a day.
async fn on(fresh: &Fresh, account: Account, day: jiff::civil::Date) -> (i64, i64) {
    let calendar = Calendar::default();
    let days = fresh
        .store
        .movements_by_day(day, day, &calendar)
        .await
        .unwrap();
    assert_eq!(days.len(), 1);
    let of = days[0].movements.iter().find(|one| one.account == account);
    of.map_or((0, 0), |one| (one.debits, one.credits))
}

const LAST_OF_MARCH: &str = "2026-03-31T23:59:59.999999+08:00";
const FIRST_OF_APRIL: &str = "2026-04-01T00:00:00+08:00";
