//! What holds for any day, however many things differ.

use crate::day::{Day, at, scenes};
use crate::plants::plant;
use domain::reconciliation::{
    BillLine, BillTotals, Difference, DifferenceKind as K, LineKind, LineStatus, Reconciled,
};
use domain::{Currency, Money};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::{BTreeMap, BTreeSet};

fn planted() -> impl Strategy<Value = Day> {
    let plants = proptest::collection::vec((select(K::ALL.to_vec()), 100_i64..1_000_000), 0..12);
    (scenes(), plants).prop_map(|(scenes, plants)| {
        let mut day = Day::of(&scenes);
        for (kind, fen) in plants {
            plant(&mut day, kind, Money::fen(fen));
        }
        day
    })
}

/// By how much the bill's net is above ours, by currency.
fn apart(found: &Reconciled) -> BTreeMap<Currency, i128> {
    let nets = found.sums.iter().map(|sums| {
        let apart = i128::from(sums.bill_net()) - i128::from(sums.our_net());
        (sums.currency, apart)
    });
    nets.filter(|(_, apart)| *apart != 0).collect()
}

/// The same, by what the differences say.
fn explained(found: &Reconciled) -> BTreeMap<Currency, i128> {
    let mut all: BTreeMap<Currency, i128> = BTreeMap::new();
    for money in found.differences.iter().flat_map(Difference::gap) {
        *all.entry(money.currency).or_default() += i128::from(money.amount);
    }
    all.retain(|_, amount| *amount != 0);
    all
}

fn any_line() -> impl Strategy<Value = BillLine> {
    let number = || proptest::option::of(select(vec!["", "1", "2", "3", "4"]));
    let numbers = (number(), number(), number(), number());
    let status = select(vec![
        LineStatus::Succeeded,
        LineStatus::Processing,
        LineStatus::Failed,
    ]);
    let kind = select(vec![LineKind::Payment, LineKind::Refund]);
    let money = (-2_i64..1_000, select(vec![Currency::CNY, Currency::NZD]));
    (numbers, status, kind, money, -3_000_i64..3_000).prop_map(
        |(numbers, status, kind, money, minute)| {
            let own = |number: Option<&str>| number.map(str::to_owned);
            BillLine {
                line: 0,
                kind,
                out_trade_no: own(numbers.0),
                transaction_id: own(numbers.1),
                out_refund_no: own(numbers.2),
                refund_id: own(numbers.3),
                amount: Money::new(money.0, money.1),
                fee: None,
                status,
                at: at(minute),
            }
        },
    )
}

proptest! {
    #[test]
    fn every_fen_between_the_two_nets_is_explained(day in planted()) {
        let found = day.reconciled();
        prop_assert_eq!(apart(&found), explained(&found));
    }

    /// Lines that have nothing to do with each other, under our numbers and others.
    #[test]
    fn so_it_is_whatever_the_bill_says(
        scenes in scenes(),
        lines in proptest::collection::vec(any_line(), 0..30),
        ours in proptest::collection::vec((any::<Index>(), any::<Index>(), any::<bool>()), 0..30),
    ) {
        let mut day = Day::of(&scenes);
        let (payments, refunds) = (day.payments.clone(), day.refunds.clone());
        for (line, (payment, refund, both)) in lines.into_iter().zip(ours) {
            let mut line = line;
            if !payments.is_empty() {
                line.out_trade_no = Some(payment.get(&payments).out_trade_no.clone());
            }
            if both && !refunds.is_empty() {
                line.out_refund_no = Some(refund.get(&refunds).out_refund_no.clone());
            }
            day.lines.push(line);
        }
        let found = day.reconciled();
        prop_assert_eq!(apart(&found), explained(&found));
        let identities: BTreeSet<String> = found.differences.iter().map(Difference::identity).collect();
        prop_assert_eq!(identities.len(), found.differences.len());
    }

    #[test]
    fn the_order_of_our_records_changes_nothing(day in planted()) {
        let mut turned = day.clone();
        turned.payments.reverse();
        turned.refunds.reverse();
        prop_assert_eq!(day.reconciled(), turned.reconciled());
    }

    /// The bill's figures come from outside.
    #[test]
    fn no_figure_makes_it_panic(amounts in proptest::collection::vec(any::<i64>(), 0..8), fee: i64) {
        let mut day = Day::of(&[]);
        for amount in amounts {
            day.play(crate::day::Scene::Paid, Money::fen(1), at(600));
            let line = day.lines.last_mut().unwrap();
            (line.amount.amount, line.fee) = (amount, Some(fee));
            let mut other = line.clone();
            other.kind = LineKind::Refund;
            day.lines.push(other);
        }
        day.stated = Some(BillTotals { count: 0, paid: Money::fen(i64::MAX), refunded: Money::fen(i64::MIN) });
        let found = day.reconciled();
        found.differences.iter().for_each(|one| drop((one.gap(), one.at_stake())));
    }
}
