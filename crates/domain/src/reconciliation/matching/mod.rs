//! Matching: each line of the bill with what is ours, by our numbers first, then by the gateway's.
//! Each line and each record is looked at once; O(n log n) for sorting.

mod heard;
mod payments;
mod refunds;

use super::bill::{BillLine, BillTotals, LineKind, LineStatus};
use super::difference::{Difference, LONGEST_NUMBER};
use super::kind::{DifferenceKind, Severity};
use super::ours::{BillingDay, ContractFee, OurPayment, OurRefund};
use super::sums::{Sums, sums};
use crate::{Money, Ts};
use std::collections::{BTreeMap, HashMap};

/// Both sides of a day at one gateway.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// Which day.
    pub day: BillingDay,
    /// The bill's lines.
    pub lines: &'a [BillLine],
    /// The bill's own sums, where it has them.
    pub totals: Option<BillTotals>,
    /// Our payments at this gateway: all that were booked on the day, and all that a line names.
    pub payments: &'a [OurPayment],
    /// Our refunds at this gateway: all that were booked on the day, and all that a line names.
    pub refunds: &'a [OurRefund],
    /// What the gateway takes by contract, where it is to be checked.
    pub fee: Option<ContractFee>,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reconciled {
    /// How many payments are the same on both sides.
    pub payments: u64,
    /// How many refunds are the same on both sides.
    pub refunds: u64,
    /// The day's money, by currency.
    pub sums: Vec<Sums>,
    /// What differs, in the order of the bill's lines, then what the bill does not have. No two have
    /// the same [`Difference::identity`].
    pub differences: Vec<Difference>,
}

/// Holds both sides against each other.
pub fn reconcile(question: &Question<'_>) -> Reconciled {
    let mut out = Out::default();
    let (usable, unusable): (Vec<&BillLine>, Vec<&BillLine>) =
        question.lines.iter().partition(|line| is_usable(line));
    for line in unusable {
        out.push(Difference::of_line(DifferenceKind::UnknownLine, line).moved_there(line));
    }
    let ours = Index::of(question);
    payments::match_all(question, &ours, &usable, &mut out);
    refunds::match_all(question, &ours, &usable, &mut out);
    out.differences.extend(totals_differ(question));
    let Out {
        mut differences,
        payments,
        refunds,
    } = out;
    differences.sort_by_cached_key(|one| {
        (
            one.line.is_none(),
            one.line,
            one.kind,
            one.identity(),
            one.at,
        )
    });
    Reconciled {
        payments,
        refunds,
        sums: sums(
            question.lines,
            question.payments,
            question.refunds,
            &question.day,
        ),
        differences: told_apart(differences),
    }
}

/// What was found so far.
#[derive(Default)]
struct Out {
    differences: Vec<Difference>,
    payments: u64,
    refunds: u64,
}

impl Out {
    fn push(&mut self, difference: Difference) {
        self.differences.push(difference);
    }

    /// The differences of one pair; without any that matters, it counts as matched.
    fn pair(&mut self, kind: LineKind, found: Vec<Difference>) {
        let is_matched = found
            .iter()
            .all(|one| one.kind.severity() == Severity::Info);
        if is_matched {
            match kind {
                LineKind::Payment => self.payments += 1,
                LineKind::Refund => self.refunds += 1,
            }
        }
        self.differences.extend(found);
    }
}

/// Where our payments and refunds stand in the question, by their numbers.
struct Index<'a> {
    payments: HashMap<&'a str, usize>,
    transactions: HashMap<&'a str, usize>,
    refunds: HashMap<&'a str, usize>,
    refund_ids: HashMap<&'a str, usize>,
}

impl<'a> Index<'a> {
    fn of(question: &Question<'a>) -> Self {
        let (payments, refunds) = (question.payments, question.refunds);
        let by = |numbers: Vec<Option<&'a str>>| {
            let known = numbers.into_iter().enumerate();
            known
                .filter_map(|(at, number)| Some((number?, at)))
                .collect()
        };
        Self {
            payments: by(payments
                .iter()
                .map(|p| Some(p.out_trade_no.as_str()))
                .collect()),
            transactions: by(payments
                .iter()
                .map(|p| p.transaction_id.as_deref())
                .collect()),
            refunds: by(refunds
                .iter()
                .map(|r| Some(r.out_refund_no.as_str()))
                .collect()),
            refund_ids: by(refunds.iter().map(|r| r.refund_id.as_deref()).collect()),
        }
    }

    /// Our payment that a line names.
    fn payment(&self, line: &BillLine) -> Option<usize> {
        let ours = named(line.out_trade_no.as_ref()).and_then(|no| self.payments.get(no));
        let theirs =
            || named(line.transaction_id.as_ref()).and_then(|id| self.transactions.get(id));
        ours.or_else(theirs).copied()
    }

    /// Our refund that a line names.
    fn refund(&self, line: &BillLine) -> Option<usize> {
        let ours = named(line.out_refund_no.as_ref()).and_then(|no| self.refunds.get(no));
        let theirs = || named(line.refund_id.as_ref()).and_then(|id| self.refund_ids.get(id));
        ours.or_else(theirs).copied()
    }
}

/// A number that is one: some gateways leave a column empty.
fn named(number: Option<&String>) -> Option<&str> {
    number
        .map(String::as_str)
        .filter(|number| !number.is_empty())
}

/// Whether both numbers are known and are not the same.
fn differ(ours: Option<&String>, theirs: Option<&String>) -> bool {
    matches!((named(ours), named(theirs)), (Some(ours), Some(theirs)) if ours != theirs)
}

/// Whether a line can be placed at all.
fn is_usable(line: &BillLine) -> bool {
    let of_refund = [&line.out_refund_no, &line.refund_id];
    let of_payment = [&line.out_trade_no, &line.transaction_id];
    let numbers = of_refund.into_iter().chain(of_payment);
    let mut given = numbers
        .filter_map(|number| named(number.as_ref()))
        .peekable();
    line.amount.amount >= 0
        && given.peek().is_some()
        && given.all(|number| number.chars().nth(LONGEST_NUMBER).is_none())
}

/// Whether the gateway's time of something is one at which it can have been: after it was asked for
/// here, and before it was booked here.
fn is_plausible(asked: Ts, booked: Option<Ts>, there: Ts) -> bool {
    let window = BillingDay::WINDOW;
    asked <= there + window && booked.is_none_or(|booked| there <= booked + window)
}

/// The bill's own sums are those of its lines. Gateways differ in whether what failed or is under
/// way counts in them, so both are taken.
fn totals_differ(question: &Question<'_>) -> Option<Difference> {
    let totals = question.totals?;
    let sum = |kind: LineKind, of: Money, moved_only: bool| -> i128 {
        let lines = question.lines.iter().filter(|line| line.kind == kind);
        lines
            .filter(|line| line.amount.currency == of.currency)
            .filter(|line| !moved_only || line.status == LineStatus::Succeeded)
            .map(|line| i128::from(line.amount.amount))
            .sum()
    };
    let is_sum = |kind, stated: Money| {
        [false, true]
            .map(|moved| sum(kind, stated, moved))
            .contains(&i128::from(stated.amount))
    };
    let count = question.lines.len() as u64;
    let agrees = totals.count == count
        && is_sum(LineKind::Payment, totals.paid)
        && is_sum(LineKind::Refund, totals.refunded);
    let (paid, refunded) = (
        sum(LineKind::Payment, totals.paid, false),
        sum(LineKind::Refund, totals.refunded, false),
    );
    (!agrees).then(|| {
        Difference::of_bill(
            DifferenceKind::TotalsDiffer,
            format!(
                "stated: {} lines, {} paid, {} refunded; read: {count} lines, {paid} paid, {refunded} refunded, in minor units",
                totals.count, totals.paid, totals.refunded
            ),
        )
    })
}

/// Numbers those that nothing else tells apart, so that each is known again.
fn told_apart(mut differences: Vec<Difference>) -> Vec<Difference> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for difference in &mut differences {
        let times = seen.entry(difference.identity()).or_default();
        *times += 1;
        difference.occurrence = *times;
    }
    differences
}
