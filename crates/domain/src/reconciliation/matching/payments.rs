//! Payments of the bill and ours.

use super::super::bill::{BillLine, LineKind, LineStatus};
use super::super::difference::Difference;
use super::super::kind::DifferenceKind as Kind;
use super::super::ours::{ContractFee, OurPayment, minor_unit};
use super::super::sums::booked_payment;
use super::heard::Heard;
use super::{Index, Out, Question, differ, is_plausible, named};
use crate::Money;
use crate::payment::PaymentStatus as S;

/// Holds all payments against each other.
pub(super) fn match_all(
    question: &Question<'_>,
    index: &Index<'_>,
    lines: &[&BillLine],
    out: &mut Out,
) {
    let mut of_ours: Vec<Vec<&BillLine>> = vec![Vec::new(); question.payments.len()];
    for line in lines.iter().filter(|line| line.kind == LineKind::Payment) {
        match index.payment(line) {
            Some(ours) => of_ours[ours].push(line),
            None => out.differences.extend(nobodys(line)),
        }
    }
    for (ours, lines) in question.payments.iter().zip(&of_ours) {
        one(question, ours, lines, out);
    }
}

/// A payment that is not ours. One that failed is nobody's business.
fn nobodys(line: &BillLine) -> Option<Difference> {
    let kind = match named(line.out_trade_no.as_ref()) {
        Some(_) => Kind::PaymentMissingHere,
        None => Kind::PaymentForeign,
    };
    match line.status {
        LineStatus::Succeeded | LineStatus::Processing => {
            Some(Difference::of_line(kind, line).moved_there(line))
        }
        LineStatus::Failed => None,
    }
}

fn one(question: &Question<'_>, ours: &OurPayment, lines: &[&BillLine], out: &mut Out) {
    let is_billed = ours.billed.is_some_and(|billed| {
        billed.status == LineStatus::Succeeded && billed.day < question.day.date
    });
    let number: fn(&BillLine) -> Option<&str> = |line| named(line.transaction_id.as_ref());
    let heard = Heard::of(lines, number, ours.transaction_id.as_deref(), is_billed);
    for (line, is_same) in &heard.again {
        let kind = if *is_same {
            Kind::PaymentLineTwice
        } else {
            Kind::PaymentPaidTwice
        };
        let bare = Difference::of_payment(kind, ours, Some(line)).moved_there(line);
        let note = ours
            .billed
            .filter(|_| is_billed)
            .map(|billed| format!("in the bill of {} already", billed.day));
        out.push(Difference { note, ..bare });
    }
    match (heard.moved, ours.paid) {
        (Some(line), Some(paid)) => {
            out.pair(LineKind::Payment, both_have_it(question, ours, paid, line));
        }
        (Some(line), None) => {
            let kind = match ours.status {
                S::Pending | S::Processing => Kind::PaymentOpenHere,
                S::Closed => Kind::PaymentClosedHere,
                S::Failed => Kind::PaymentFailedHere,
                // It says that there is money, and doesn't say how much.
                S::Completed | S::PartiallyRefunded | S::Refunded => Kind::PaymentAmountDiffers,
            };
            out.push(Difference::of_payment(kind, ours, Some(line)).moved_there(line));
        }
        (None, Some(_)) => out
            .differences
            .extend(only_ours(question, ours, heard.not_moved)),
        (None, None) => {}
    }
}

fn both_have_it(
    question: &Question<'_>,
    ours: &OurPayment,
    paid: Money,
    line: &BillLine,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let of = |kind| Difference::of_payment(kind, ours, Some(line));
    if paid != line.amount {
        let kind = if paid.currency == line.amount.currency {
            Kind::PaymentAmountDiffers
        } else {
            Kind::PaymentCurrencyDiffers
        };
        found.push(of(kind).moved_there(line).moved_here(Some(paid)));
    } else if let Some((stated, due)) = question.fee.and_then(|rate| fee_differs(rate, line)) {
        found.push(Difference {
            here: Some(due),
            there: Some(stated),
            note: line
                .fee
                .map(|fee| format!("stated: {fee} hundred-thousandths")),
            ..of(Kind::FeeDiffers)
        });
    }
    let other_number = differ(Some(&ours.out_trade_no), line.out_trade_no.as_ref());
    if other_number || differ(ours.transaction_id.as_ref(), line.transaction_id.as_ref()) {
        let note = format!(
            "here: {} and {}",
            ours.out_trade_no,
            ours.transaction_id.as_deref().unwrap_or("none")
        );
        found.push(Difference {
            note: Some(note),
            ..of(Kind::PaymentNumbersDiffer)
        });
    }
    if booked_payment(ours, &question.day).is_none() {
        let is_plausible = is_plausible(ours.created_at, ours.booked_at, line.at);
        let mut other_day = of(other_day(is_plausible));
        // What is of another day's books is what they have, whatever the line says.
        (other_day.there, other_day.moved_there) = (Some(paid), paid.amount);
        other_day.is_explained = is_plausible;
        found.push(other_day);
    }
    found
}

const fn other_day(is_plausible: bool) -> Kind {
    if is_plausible {
        Kind::PaymentNeighbouringDay
    } else {
        Kind::PaymentTimeDiffers
    }
}

/// Our books of the day have it, and no line of this bill.
fn only_ours(
    question: &Question<'_>,
    ours: &OurPayment,
    not_moved: Option<&BillLine>,
) -> Option<Difference> {
    let booked = Some(booked_payment(ours, &question.day)?);
    let billed = ours
        .billed
        .filter(|billed| billed.status == LineStatus::Succeeded);
    if let Some(billed) = billed {
        let is_explained = is_plausible(ours.created_at, ours.booked_at, billed.at);
        let note = Some(format!("in the bill of {}", billed.day));
        let bare = Difference::of_payment(other_day(is_explained), ours, None);
        return Some(
            Difference {
                is_explained,
                note,
                ..bare
            }
            .moved_here(booked),
        );
    }
    let waits = ours
        .booked_at
        .is_some_and(|at| question.day.may_be_in_unknown_neighbour(at));
    let kind = match not_moved {
        Some(_) => Kind::PaymentStatusDiffers,
        None if waits => Kind::PaymentNeighbouringDay,
        None => Kind::PaymentMissingThere,
    };
    Some(Difference::of_payment(kind, ours, not_moved).moved_here(booked))
}

/// The fee that the line states and the one that the contract says, where they are a minor unit or
/// more apart.
fn fee_differs(rate: ContractFee, line: &BillLine) -> Option<(Money, Money)> {
    let (stated, due) = (i128::from(line.fee?), rate.of(line.amount));
    let unit = minor_unit(line.amount);
    let money = |fee: i128| {
        let minor = (fee + unit / 2).div_euclid(unit);
        let most = if minor < 0 { i64::MIN } else { i64::MAX };
        Money::new(i64::try_from(minor).unwrap_or(most), line.amount.currency)
    };
    ((stated - due).abs() >= unit).then(|| (money(stated), money(due)))
}
