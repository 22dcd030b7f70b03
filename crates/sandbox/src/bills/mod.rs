//! What happened on a day at a gateway, as the lines of its bill. Each gateway writes them in its
//! own format.

mod plant;

use crate::Sandbox;
use crate::book::{Book, Change, Payment, Planted, Refund};
use crate::control::ControlError;
use crate::control::views::{BillView, PlantRequest};
use crate::counterparty::Counterparty;
use crate::ids;
use domain::payment::GatewayName;
use domain::reconciliation::{BillLine, BillTotals, LineKind, LineStatus};
use domain::{Currency, Money, Ts};
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

/// A gateway's bill of a day, before it is written in the gateway's format.
#[derive(Debug, Clone)]
pub(crate) struct DayBill {
    /// By time.
    pub(crate) lines: Vec<Line>,
    /// The currency of its sums.
    pub(crate) currency: Currency,
    wrong: WrongSummary,
}

/// What a planted difference makes of the bill's sums.
#[derive(Debug, Clone, Copy, Default)]
struct WrongSummary {
    count: Option<u64>,
    paid: Option<i64>,
    refunded: Option<i64>,
}

/// One line, with the records that it is of, as they stand. What the line says counts: a planted
/// difference changes it, and not the records.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) bill: BillLine,
    /// `None` where the line is of money that nobody here asked for.
    pub(crate) payment: Option<Payment>,
    /// `None` for payments, and for a refund that nobody here asked for.
    pub(crate) refund: Option<Refund>,
}

impl Line {
    /// The merchant's number of what it is of, whatever the line says.
    fn number(&self) -> Option<&str> {
        match self.bill.kind {
            LineKind::Payment => self.payment.as_ref().map(|of| of.out_trade_no.as_str()),
            LineKind::Refund => self.refund.as_ref().map(|of| of.out_refund_no.as_str()),
        }
    }
}

impl DayBill {
    /// The sums over the lines of the bill's currency whose money moved, unless a planted
    /// difference says otherwise.
    pub(crate) fn totals(&self) -> BillTotals {
        let sum = |kind| {
            let lines = self.lines.iter().map(|line| &line.bill);
            let moved = lines.filter(|line| {
                line.kind == kind
                    && line.status == LineStatus::Succeeded
                    && line.amount.currency == self.currency
            });
            moved.map(|line| line.amount.amount).sum()
        };
        let (count, WrongSummary { paid, refunded, .. }) = (self.lines.len(), self.wrong);
        let paid = paid.unwrap_or_else(|| sum(LineKind::Payment));
        let refunded = refunded.unwrap_or_else(|| sum(LineKind::Refund));
        BillTotals {
            count: self
                .wrong
                .count
                .unwrap_or_else(|| u64::try_from(count).unwrap_or(u64::MAX)),
            paid: Money::new(paid, self.currency),
            refunded: Money::new(refunded, self.currency),
        }
    }
}

impl Sandbox {
    /// A gateway's bill of a day, with the planted differences.
    pub(crate) fn bill_lines(&self, counterparty: &dyn Counterparty, day: Date) -> DayBill {
        let book = self.book();
        day_bill(&book, counterparty, day)
    }

    /// A gateway's bill of a day, whether it is ready there or not.
    pub fn bill(&self, gateway: GatewayName, day: Date) -> Result<BillView, ControlError> {
        let bill = self.bill_lines(self.played(gateway)?, day);
        let planted = self.book().planted().to_vec();
        Ok(BillView {
            totals: bill.totals(),
            lines: bill.lines.into_iter().map(|line| line.bill).collect(),
            planted: planted
                .into_iter()
                .map(|planted| planted.request)
                .filter(|request| request.gateway == gateway && request.day == day)
                .collect(),
        })
    }

    /// Plants a difference into the bill of a day. The book itself stays true.
    pub fn plant(&self, request: PlantRequest) -> Result<BillView, ControlError> {
        let (gateway, day) = (request.gateway, request.day);
        let counterparty = self.played(gateway)?;
        plant::check(&request.plant)?;
        {
            let mut book = self.book();
            let id = u64::try_from(book.planted().len()).unwrap_or(u64::MAX);
            let planted = Planted {
                id,
                request,
                drawn: ids::digits(18),
            };
            // Tried out first, so that only what changes something is kept.
            let mut bill = day_bill(&book, counterparty, day);
            plant::apply(&mut bill, &planted, &book, counterparty)?;
            book.commit(vec![Change::Planted(Box::new(planted))])?;
        }
        self.bill(gateway, day)
    }
}

fn day_bill(book: &Book, counterparty: &dyn Counterparty, day: Date) -> DayBill {
    let lines = true_lines(book, counterparty, day);
    let currency = lines
        .first()
        .map_or(Currency::CNY, |line| line.bill.amount.currency);
    let mut bill = DayBill {
        lines,
        currency,
        wrong: WrongSummary::default(),
    };
    for planted in book.planted() {
        let request = &planted.request;
        if request.gateway != counterparty.gateway() {
            continue;
        }
        if request.day == day {
            if let Err(gone) = plant::apply(&mut bill, planted, book, counterparty) {
                tracing::warn!(%gone, "a planted difference has lost its line");
            }
        } else if let Some((number, at)) = plant::shifted_to(request, day, counterparty) {
            let there = true_lines(book, counterparty, request.day);
            let moved = there.into_iter().find(|line| line.number() == Some(number));
            bill.lines.extend(moved.map(|mut line| {
                line.bill.at = at;
                line
            }));
        }
    }
    bill.lines.sort_by_key(|line| line.bill.at);
    for (number, line) in (1..).zip(&mut bill.lines) {
        line.bill.line = number;
    }
    bill
}

/// What really happened on a day, by time.
fn true_lines(book: &Book, counterparty: &dyn Counterparty, day: Date) -> Vec<Line> {
    let (gateway, offset) = (counterparty.gateway(), counterparty.bill_offset());
    let is_on_day = |at: Ts| offset.to_datetime(at.into()).date() == day;
    let payments = book
        .payments()
        .filter(|payment| payment.gateway == gateway)
        .filter_map(|payment| paid_line(payment, counterparty));
    let refunds = book
        .refunds()
        .filter(|refund| refund.gateway == gateway)
        .filter_map(|refund| {
            let payment = book.payment(&refund.out_trade_no)?;
            refund_line(refund, payment, counterparty)
        });
    let mut lines: Vec<Line> = payments
        .chain(refunds)
        .filter(|line| is_on_day(line.bill.at))
        .collect();
    lines.sort_by_key(|line| line.bill.at);
    lines
}

fn paid_line(payment: &Payment, counterparty: &dyn Counterparty) -> Option<Line> {
    let paid = payment.paid.as_ref()?;
    let amount = Money::new(paid.total, payment.currency);
    Some(Line {
        bill: BillLine {
            line: 0,
            kind: LineKind::Payment,
            out_trade_no: Some(payment.out_trade_no.clone()),
            transaction_id: Some(paid.transaction_id.clone()),
            out_refund_no: None,
            refund_id: None,
            amount,
            fee: Some(counterparty.fee(LineKind::Payment, amount)),
            status: LineStatus::Succeeded,
            at: whole_second(paid.at),
        },
        payment: Some(payment.clone()),
        refund: None,
    })
}

fn refund_line(
    refund: &Refund,
    payment: &Payment,
    counterparty: &dyn Counterparty,
) -> Option<Line> {
    let at = counterparty.billed_at(refund)?;
    let amount = Money::new(refund.amount, refund.currency);
    Some(Line {
        bill: BillLine {
            line: 0,
            kind: LineKind::Refund,
            out_trade_no: Some(refund.out_trade_no.clone()),
            transaction_id: Some(refund.transaction_id.clone()),
            out_refund_no: Some(refund.out_refund_no.clone()),
            refund_id: Some(refund.refund_id.clone()),
            amount,
            fee: Some(counterparty.fee(LineKind::Refund, amount)),
            status: counterparty.billed_status(refund),
            at: whole_second(at),
        },
        payment: Some(payment.clone()),
        refund: Some(refund.clone()),
    })
}

/// Bills know no parts of a second.
fn whole_second(at: Ts) -> Ts {
    Ts::from_micros(at.unix_seconds() * 1_000_000)
}

/// A moment of a day, by the gateway's calendar.
pub(crate) fn moment(day: Date, time: Time, offset: Offset) -> Ts {
    let at = offset.to_timestamp(day.to_datetime(time));
    // Only the first and the last day of all time have no such moment.
    at.map_or(Ts::from_micros(0), Ts::from)
}
