//! The ledger's tables and properties: whatever is posted, the books balance (spec 20, ledger).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::ledger::{
    Account, Entry, EntryKind, Heading, Posting, Side, TrialBalance, TrialLine, chart_page,
    kinds_page,
};
use domain::payment::GatewayName;
use domain::{Currency, Money};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The page shows the tables that the program works by, cell by cell.
#[test]
fn the_documentation_shows_the_chart_and_what_is_posted() {
    let page = include_str!("../../../docs/ledger.md");
    for table in [chart_page(), kinds_page()] {
        assert!(page.contains(&table), "docs/ledger.md lacks\n{table}");
    }
}

/// Spec 20, ledger: the accounts that it names are in the chart.
#[test]
fn the_chart_has_every_account_of_the_specification() {
    let names: Vec<&str> = Heading::ALL.iter().map(|heading| heading.name()).collect();
    for name in [
        "gateway_clearing",
        "patient",
        "platform_revenue",
        "doctor_payable",
        "clinic_account",
        "pharmacy_payable",
        "refund_reserve",
        "rounding",
    ] {
        assert!(names.contains(&name), "{name}");
    }
}

fn accounts(headings: &[Heading]) -> Vec<Account> {
    let gateways = [GatewayName::WECHAT, GatewayName::ALIPAY];
    let mut all = Vec::new();
    for heading in headings {
        match heading.account() {
            Some(account) => all.push(account),
            None => all.extend(gateways.map(Account::GatewayClearing)),
        }
    }
    all
}

fn kinds() -> impl Strategy<Value = EntryKind> {
    proptest::sample::select(EntryKind::ALL)
}

fn currencies() -> impl Strategy<Value = Currency> {
    proptest::sample::select(vec![Currency::CNY, Currency::NZD])
}

/// Any postings at all to the accounts that there are.
fn any_postings() -> impl Strategy<Value = Vec<Posting>> {
    let all = accounts(Heading::ALL);
    let one = (proptest::sample::select(all), currencies(), -3_i64..=3);
    let posting = one.prop_map(|(account, currency, amount)| Posting {
        account,
        amount,
        currency,
    });
    proptest::collection::vec(posting, 0..5)
}

/// Postings of this kind that were meant well: some accounts debited, one credited with the sum.
fn meant(kind: EntryKind) -> impl Strategy<Value = Vec<Posting>> {
    let (debits, credits) = (accounts(kind.debits()), accounts(kind.credits()));
    let most = debits.len();
    let chosen = proptest::sample::subsequence(debits, 1..=most);
    let amounts = proptest::collection::vec(1_i64..1_000_000_000, most);
    let parts = (
        chosen,
        amounts,
        proptest::sample::select(credits),
        currencies(),
    );
    // An entry that debits and credits the same account moves nothing there.
    let apart = parts.prop_filter("the same account", |(debits, _, credit, _)| {
        !debits.contains(credit)
    });
    apart.prop_map(|(debits, amounts, credit, currency)| {
        let of = |amount| Money::new(amount, currency);
        let sum = amounts.iter().take(debits.len()).sum();
        let mut postings: Vec<Posting> = std::iter::zip(debits, amounts)
            .map(|(account, amount)| Posting::debit(account, of(amount)))
            .collect();
        postings.push(Posting::credit(credit, of(sum)));
        postings
    })
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry = kinds().prop_flat_map(|kind| {
        meant(kind).prop_map(move |postings| Entry::new(kind, postings).expect("an entry"))
    });
    proptest::collection::vec(entry, 0..40)
}

proptest! {
    /// What is accepted balances in each currency, moves something on every line, and moves only
    /// what the table of kinds says.
    #[test]
    fn no_entry_is_unbalanced_or_outside_the_tables(kind in kinds(), postings in any_postings()) {
        let Ok(entry) = Entry::new(kind, postings) else { return Ok(()) };
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for posting in entry.postings() {
            *sums.entry(posting.currency).or_default() += posting.amount;
            prop_assert_ne!(posting.amount, 0);
            let headings = match posting.side() {
                Some(Side::Debit) => kind.debits(),
                Some(Side::Credit) => kind.credits(),
                None => &[],
            };
            prop_assert!(headings.contains(&posting.account.heading()));
        }
        prop_assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
    }

    /// Over any entries, all accounts together have nothing, and the trial balance says so.
    #[test]
    fn the_books_balance_whatever_is_posted(before in entries(), within in entries()) {
        let mut lines: BTreeMap<(Account, Currency), TrialLine> = BTreeMap::new();
        let all = before.iter().map(|entry| (entry, false));
        for (entry, in_month) in all.chain(within.iter().map(|entry| (entry, true))) {
            for Posting { account, amount, currency } in entry.postings().iter().copied() {
                let line = lines.entry((account, currency)).or_insert(TrialLine {
                    account, currency, opening: 0, debits: 0, credits: 0,
                });
                match (in_month, amount) {
                    (false, _) => line.opening += amount,
                    (true, 0..) => line.debits += amount,
                    (true, ..0) => line.credits -= amount,
                }
            }
        }
        let sum: i64 = lines.values().map(TrialLine::closing).sum();
        prop_assert_eq!(sum, 0);
        let month = "2026-03".parse().unwrap();
        let mut balance = TrialBalance { month, lines: lines.into_values().collect() };
        prop_assert!(balance.is_balanced());
        // One fen that came from nowhere shows.
        if let Some(line) = balance.lines.first_mut() {
            line.debits += 1;
            prop_assert!(!balance.is_balanced());
        }
    }
}
