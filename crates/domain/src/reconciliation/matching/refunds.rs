//! Refunds of the bill and ours.

use super::super::bill::{BillLine, LineKind, LineStatus};
use super::super::difference::Difference;
use super::super::kind::DifferenceKind as Kind;
use super::super::ours::OurRefund;
use super::super::sums::booked_refund;
use super::heard::Heard;
use super::{Index, Out, Question, differ, is_plausible, named};
use crate::payment::RefundStatus as S;

/// Holds all refunds against each other.
pub(super) fn match_all(
    question: &Question<'_>,
    index: &Index<'_>,
    lines: &[&BillLine],
    out: &mut Out,
) {
    let mut of_ours: Vec<Vec<&BillLine>> = vec![Vec::new(); question.refunds.len()];
    for line in lines.iter().filter(|line| line.kind == LineKind::Refund) {
        match index.refund(line) {
            Some(ours) => of_ours[ours].push(line),
            None => out.differences.extend(nobodys(question, index, line)),
        }
    }
    for (ours, lines) in question.refunds.iter().zip(&of_ours) {
        one(question, ours, lines, out);
    }
}

/// A refund that is not ours, perhaps of a payment of ours. One that failed is nobody's business:
/// numbers that are dead are replaced here, and their lines stay.
fn nobodys(question: &Question<'_>, index: &Index<'_>, line: &BillLine) -> Option<Difference> {
    let kind = match named(line.out_refund_no.as_ref()) {
        Some(_) => Kind::RefundMissingHere,
        None => Kind::RefundForeign,
    };
    let payment = index.payment(line).and_then(|at| question.payments.get(at));
    match line.status {
        LineStatus::Succeeded | LineStatus::Processing => Some(Difference {
            order: payment.map(|payment| payment.order),
            payment: payment.map(|payment| payment.id),
            ..Difference::of_line(kind, line).moved_there(line)
        }),
        LineStatus::Failed => None,
    }
}

fn one(question: &Question<'_>, ours: &OurRefund, lines: &[&BillLine], out: &mut Out) {
    let is_billed = ours.billed.is_some_and(|billed| {
        billed.status == LineStatus::Succeeded && billed.day < question.day.date
    });
    let number: fn(&BillLine) -> Option<&str> = |line| named(line.refund_id.as_ref());
    let heard = Heard::of(lines, number, ours.refund_id.as_deref(), is_billed);
    for (line, is_same) in &heard.again {
        let kind = if *is_same {
            Kind::RefundLineTwice
        } else {
            Kind::RefundSentTwice
        };
        let bare = Difference::of_refund(kind, ours, Some(line)).moved_there(line);
        let note = ours
            .billed
            .filter(|_| is_billed)
            .map(|billed| format!("in the bill of {} already", billed.day));
        out.push(Difference { note, ..bare });
    }
    let is_gone = ours.status == S::Succeeded && !ours.is_by_hand;
    match heard.moved {
        Some(line) if is_gone => out.pair(LineKind::Refund, both_have_it(question, ours, line)),
        Some(line) => {
            let kind = not_gone_here(ours);
            out.push(Difference::of_refund(kind, ours, Some(line)).moved_there(line));
        }
        None if is_gone => out
            .differences
            .extend(only_ours(question, ours, heard.not_moved)),
        None => out.differences.extend(heard.not_moved.and_then(|line| {
            // Money that nobody granted is about to go.
            let is_going = line.status == LineStatus::Processing;
            let is_ours_to_send = matches!(ours.status, S::Processing | S::Failed);
            (is_going && !is_ours_to_send)
                .then(|| Difference::of_refund(not_gone_here(ours), ours, Some(line)))
        })),
    }
}

/// The gateway has paid it, and by our books it did not.
fn not_gone_here(ours: &OurRefund) -> Kind {
    match ours.status {
        S::Requested | S::Reviewing | S::Refused => Kind::RefundNotGrantedHere,
        S::Processing => Kind::RefundProcessingHere,
        S::Failed => Kind::RefundFailedHere,
        S::Succeeded => Kind::RefundPaidByHandToo,
    }
}

fn both_have_it(question: &Question<'_>, ours: &OurRefund, line: &BillLine) -> Vec<Difference> {
    let mut found = Vec::new();
    let of = |kind| Difference::of_refund(kind, ours, Some(line));
    if ours.amount != line.amount {
        let kind = if ours.amount.currency == line.amount.currency {
            Kind::RefundAmountDiffers
        } else {
            Kind::RefundCurrencyDiffers
        };
        found.push(of(kind).moved_there(line).moved_here(Some(ours.amount)));
    }
    if is_of_another_payment(ours, line) {
        let note = Some(format!("here: of payment {}", ours.out_trade_no));
        found.push(Difference {
            note,
            ..of(Kind::RefundOfAnotherPayment)
        });
    }
    let other_number = differ(Some(&ours.out_refund_no), line.out_refund_no.as_ref());
    if other_number || differ(ours.refund_id.as_ref(), line.refund_id.as_ref()) {
        let note = format!(
            "here: {} and {}",
            ours.out_refund_no,
            ours.refund_id.as_deref().unwrap_or("none")
        );
        found.push(Difference {
            note: Some(note),
            ..of(Kind::RefundNumbersDiffer)
        });
    }
    if booked_refund(ours, &question.day).is_none() {
        let is_plausible = is_plausible(ours.requested_at, ours.booked_at, line.at);
        let mut other_day = of(other_day(is_plausible));
        // What is of another day's books is what they have, whatever the line says.
        (other_day.there, other_day.moved_there) =
            (Some(ours.amount), ours.amount.amount.saturating_neg());
        other_day.is_explained = is_plausible;
        found.push(other_day);
    }
    found
}

fn is_of_another_payment(ours: &OurRefund, line: &BillLine) -> bool {
    match named(line.out_trade_no.as_ref()) {
        Some(number) => number != ours.out_trade_no,
        None => differ(ours.transaction_id.as_ref(), line.transaction_id.as_ref()),
    }
}

const fn other_day(is_plausible: bool) -> Kind {
    if is_plausible {
        Kind::RefundNeighbouringDay
    } else {
        Kind::RefundTimeDiffers
    }
}

/// Our books of the day have it, and no line of this bill. Gateways list a refund on the day on
/// which it was asked for, perhaps as under way, and not again when the money is back.
fn only_ours(
    question: &Question<'_>,
    ours: &OurRefund,
    not_moved: Option<&BillLine>,
) -> Option<Difference> {
    let booked = Some(booked_refund(ours, &question.day)?);
    let billed = ours
        .billed
        .filter(|billed| billed.status != LineStatus::Failed);
    if let Some(billed) = billed {
        let is_explained = is_plausible(ours.requested_at, ours.booked_at, billed.at);
        let note = Some(format!("in the bill of {}", billed.day));
        let bare = Difference::of_refund(other_day(is_explained), ours, None);
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
        Some(_) => Kind::RefundStatusDiffers,
        None if waits => Kind::RefundNeighbouringDay,
        None => Kind::RefundMissingThere,
    };
    Some(Difference::of_refund(kind, ours, not_moved).moved_here(booked))
}
