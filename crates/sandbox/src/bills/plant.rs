//! Differences planted into bills, for a reconciliation to find.

use super::{DayBill, Line, WrongSummary, moment};
use crate::book::{Book, Planted};
use crate::control::ControlError;
use crate::control::views::{Plant, PlantRequest};
use crate::counterparty::Counterparty;
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use domain::{Money, Ts};
use jiff::civil::{Date, time};

/// Whether the difference makes sense whatever is in the bill.
pub(super) fn check(plant: &Plant) -> Result<(), ControlError> {
    let refuse = |message: &str| Err(ControlError::BadRequest(message.to_owned()));
    match plant {
        Plant::ForeignPayment { amount } | Plant::ForeignRefund { amount, .. } if *amount < 1 => {
            refuse("amount must be at least 1 minor unit")
        }
        Plant::ChangeAmount { amount, .. } if *amount < 0 => refuse("amount must not be negative"),
        Plant::WrongSummary {
            count: None,
            paid: None,
            refunded: None,
        } => refuse("one of count, paid and refunded must be given"),
        Plant::DropLine { .. }
        | Plant::ForeignPayment { .. }
        | Plant::ForeignRefund { .. }
        | Plant::ChangeAmount { .. }
        | Plant::ChangeCurrency { .. }
        | Plant::DuplicateLine { .. }
        | Plant::ChangeStatus { .. }
        | Plant::ShiftDay { .. }
        | Plant::ChangeOurNumber { .. }
        | Plant::ChangeTransactionId { .. }
        | Plant::ChangeFee { .. }
        | Plant::WrongSummary { .. } => Ok(()),
    }
}

/// Makes the bill of its day wrong.
pub(super) fn apply(
    bill: &mut DayBill,
    planted: &Planted,
    book: &Book,
    counterparty: &dyn Counterparty,
) -> Result<(), ControlError> {
    match &planted.request.plant {
        Plant::DropLine { number } | Plant::ShiftDay { number, .. } => {
            let at = position(bill, number)?;
            bill.lines.remove(at);
        }
        Plant::DuplicateLine { number } => {
            let at = position(bill, number)?;
            let copy = bill.lines[at].clone();
            bill.lines.insert(at, copy);
        }
        Plant::ForeignPayment { amount } => {
            let line = foreign_payment(bill, planted, *amount, counterparty);
            bill.lines.push(line);
        }
        Plant::ForeignRefund { amount, of } => {
            let line = foreign_refund(bill, planted, *amount, of.as_deref(), book, counterparty)?;
            bill.lines.push(line);
        }
        Plant::ChangeAmount { number, amount } => line(bill, number)?.amount.amount = *amount,
        Plant::ChangeCurrency { number, currency } => {
            line(bill, number)?.amount.currency = *currency;
        }
        Plant::ChangeStatus { number, status } => line(bill, number)?.status = *status,
        Plant::ChangeOurNumber { number, to } => {
            let line = line(bill, number)?;
            match line.kind {
                LineKind::Payment => line.out_trade_no.clone_from(to),
                LineKind::Refund => line.out_refund_no.clone_from(to),
            }
        }
        Plant::ChangeTransactionId { number, to } => {
            let line = line(bill, number)?;
            match line.kind {
                LineKind::Payment => line.transaction_id = Some(to.clone()),
                LineKind::Refund => line.refund_id = Some(to.clone()),
            }
        }
        Plant::ChangeFee { number, fee } => line(bill, number)?.fee = Some(*fee),
        Plant::WrongSummary {
            count,
            paid,
            refunded,
        } => {
            bill.wrong = WrongSummary {
                count: count.or(bill.wrong.count),
                paid: paid.or(bill.wrong.paid),
                refunded: refunded.or(bill.wrong.refunded),
            };
        }
    }
    Ok(())
}

/// If the difference moves a line into the bill of this day: which, and to what time.
pub(super) fn shifted_to<'p>(
    request: &'p PlantRequest,
    day: Date,
    counterparty: &dyn Counterparty,
) -> Option<(&'p str, Ts)> {
    let Plant::ShiftDay { number, later } = &request.plant else {
        return None;
    };
    let (neighbour, edge) = if *later {
        (request.day.tomorrow(), time(0, 0, 2, 0))
    } else {
        (request.day.yesterday(), time(23, 59, 58, 0))
    };
    let here = neighbour.is_ok_and(|neighbour| neighbour == day);
    here.then(|| {
        (
            number.as_str(),
            moment(day, edge, counterparty.bill_offset()),
        )
    })
}

fn position(bill: &DayBill, number: &str) -> Result<usize, ControlError> {
    let is_it = |line: &Line| line.number() == Some(number);
    bill.lines
        .iter()
        .position(is_it)
        .ok_or_else(|| ControlError::NotFound(format!("the bill has no line of number {number}")))
}

fn line<'b>(bill: &'b mut DayBill, number: &str) -> Result<&'b mut BillLine, ControlError> {
    let at = position(bill, number)?;
    Ok(&mut bill.lines[at].bill)
}

fn foreign_payment(
    bill: &DayBill,
    planted: &Planted,
    amount: i64,
    counterparty: &dyn Counterparty,
) -> Line {
    let amount = Money::new(amount, bill.currency);
    Line {
        bill: BillLine {
            line: 0,
            kind: LineKind::Payment,
            out_trade_no: Some(format!("foreign{}", planted.drawn)),
            transaction_id: Some(format!("9999{}", planted.drawn)),
            out_refund_no: None,
            refund_id: None,
            amount,
            fee: Some(counterparty.fee(LineKind::Payment, amount)),
            status: LineStatus::Succeeded,
            at: noon(planted, counterparty),
        },
        payment: None,
        refund: None,
    }
}

fn foreign_refund(
    bill: &DayBill,
    planted: &Planted,
    amount: i64,
    of: Option<&str>,
    book: &Book,
    counterparty: &dyn Counterparty,
) -> Result<Line, ControlError> {
    let gateway = counterparty.gateway();
    let missing = |number| ControlError::NotFound(format!("no payment has outTradeNo {number}"));
    let payment = match of {
        Some(number) => Some(
            book.payment_at(gateway, number)
                .ok_or_else(|| missing(number))?,
        ),
        None => None,
    };
    let paid = payment.and_then(|payment| payment.paid.as_ref());
    let currency = payment.map_or(bill.currency, |payment| payment.currency);
    let amount = Money::new(amount, currency);
    Ok(Line {
        bill: BillLine {
            line: 0,
            kind: LineKind::Refund,
            out_trade_no: payment.map_or_else(
                || Some(format!("foreign{}", planted.drawn)),
                |payment| Some(payment.out_trade_no.clone()),
            ),
            transaction_id: paid.map_or_else(
                || Some(format!("9999{}", planted.drawn)),
                |paid| Some(paid.transaction_id.clone()),
            ),
            out_refund_no: None,
            refund_id: Some(format!("5999{}", planted.drawn)),
            amount,
            fee: Some(counterparty.fee(LineKind::Refund, amount)),
            status: LineStatus::Succeeded,
            at: noon(planted, counterparty),
        },
        payment: payment.cloned(),
        refund: None,
    })
}

fn noon(planted: &Planted, counterparty: &dyn Counterparty) -> Ts {
    let offset = counterparty.bill_offset();
    moment(planted.request.day, time(12, 0, 0, 0), offset)
}
