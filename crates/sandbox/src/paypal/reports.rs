//! Transaction Search: a merchant's lines between two moments, page by page.

use super::refusal::Refusal;
use super::{Api, PayPal};
use connectors::paypal::report::{Detail, Info, Page};
use connectors::paypal::wire::{Amount, utc_time};
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use domain::{Money, Span, Ts};
use jiff::tz::Offset;
use serde::Deserialize;

/// PayPal gives no more lines for one question.
const MAX_LINES: usize = 10_000;
const MAX_RANGE: Span = Span::hours(31 * 24);
/// Hundred-thousandths of a major unit in one minor unit.
const PER_CENT: i64 = 1_000;

/// What is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    start_date: String,
    end_date: String,
    #[serde(default = "page_size")]
    page_size: usize,
    #[serde(default = "first_page")]
    page: usize,
}

const fn page_size() -> usize {
    100
}

const fn first_page() -> usize {
    1
}

impl Api {
    pub(super) fn report(&self, asked: &Asked) -> Result<Page, Refusal> {
        let (from, to) = (moment(&asked.start_date)?, moment(&asked.end_date)?);
        let in_order = from <= to && to.since(from) <= MAX_RANGE;
        if !in_order || !(1..=500).contains(&asked.page_size) || asked.page < 1 {
            let words = "dates of 31 days at most, page_size of 1 to 500, page from 1";
            return Err(Refusal::invalid("INVALID_PARAMETER_VALUE", words));
        }
        let now = self.sandbox.now();
        let lines = self.lines(from, to);
        if lines.len() > MAX_LINES {
            let words = "Result set size is greater than the maximum limit. Change the filter.";
            return Err(Refusal::invalid("RESULTSET_TOO_LARGE", words));
        }
        let count = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
        let skipped = (asked.page - 1).saturating_mul(asked.page_size);
        let shown = lines.iter().skip(skipped).take(asked.page_size);
        Ok(Page {
            transaction_details: shown.map(describe).collect(),
            start_date: Some(utc_time(from)),
            end_date: Some(utc_time(to.min(now))),
            last_refreshed_datetime: Some(utc_time(now)),
            page: count(asked.page),
            total_items: count(lines.len()),
            total_pages: count(lines.len().div_ceil(asked.page_size)),
        })
    }

    /// The lines of all days that the two moments touch, with what was planted into their bills.
    fn lines(&self, from: Ts, to: Ts) -> Vec<BillLine> {
        let counterparty = PayPal {
            keys: self.keys.clone(),
        };
        let day_of = |at: Ts| Offset::UTC.to_datetime(at.into()).date();
        let days = day_of(from).series(jiff::Span::new().days(1));
        days.take_while(|day| *day <= day_of(to))
            .flat_map(|day| self.sandbox.bill_lines(&counterparty, day).lines)
            .map(|line| line.bill)
            .filter(|line| (from..=to).contains(&line.at))
            .collect()
    }
}

fn moment(text: &str) -> Result<Ts, Refusal> {
    Ts::parse(text).map_err(|_| Refusal::invalid("INVALID_PARAMETER_SYNTAX", "a date is none"))
}

fn describe(line: &BillLine) -> Detail {
    let (code, sign) = match line.kind {
        LineKind::Payment => ("T0006", 1),
        LineKind::Refund => ("T1107", -1),
    };
    let amount = |minor: i64| Amount::of(Money::new(minor, line.amount.currency));
    let fee = line.fee.map(|fee| fee / -PER_CENT).filter(|&fee| fee != 0);
    let number = match line.kind {
        LineKind::Payment => &line.transaction_id,
        LineKind::Refund => &line.refund_id,
    };
    let of = line
        .transaction_id
        .clone()
        .filter(|_| line.kind == LineKind::Refund);
    let invoice = line
        .out_refund_no
        .clone()
        .or_else(|| line.out_trade_no.clone());
    Detail {
        transaction_info: Info {
            transaction_id: number.clone().unwrap_or_default(),
            paypal_reference_id_type: of.as_ref().map(|_| "TXN".to_owned()),
            paypal_reference_id: of,
            transaction_event_code: code.to_owned(),
            // As PayPal writes offsets here.
            transaction_initiation_date: utc_time(line.at).replace('Z', "+0000"),
            transaction_amount: amount(line.amount.amount * sign),
            // Only where there is one.
            fee_amount: fee.map(amount),
            transaction_status: match line.status {
                LineStatus::Succeeded => "S",
                LineStatus::Processing => "P",
                LineStatus::Failed => "D",
            }
            .to_owned(),
            invoice_id: invoice,
            custom_field: line.out_trade_no.clone(),
        },
    }
}
