//! The bill of a day: what moved the account's balance between two midnights in UTC.

use super::Stripe;
use super::errors::GATEWAY;
use super::wire::{
    BalanceSource, BalanceTransaction, List, read_currency, read_money, read_seconds,
};
use crate::gateway::{Bill, GatewayError, Operation};
use crate::http::MAX_BILL_BYTES;
use domain::Ts;
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use std::collections::HashSet;

/// The most that Stripe gives at a time.
const PAGE: &str = "100";
/// A page's charges and refunds come in full, each some kilobytes.
const MAX_PAGE_BYTES: usize = 8 << 20;
/// A million movements.
const MAX_PAGES: usize = 10_000;
/// Hundred-thousandths of a major unit in a cent, the unit of [`BillLine::fee`].
const FEE_UNITS_PER_CENT: i64 = 1000;

impl Stripe {
    /// Fetches all pages of a day, the latest movement first, as Stripe has them.
    pub(super) async fn fetch_bill(&self, day: Date, now: Ts) -> Result<Bill, GatewayError> {
        let operation = Operation::Bill;
        let (from, to) = bounds(day).map_err(|reason| operation.unavailable(GATEWAY, reason))?;
        if now.unix_seconds() < to {
            let reason = format!("{day} is not over in UTC");
            return Err(operation.unavailable(GATEWAY, reason));
        }
        let (from, to) = (from.to_string(), to.to_string());
        let mut reader = BillReader::default();
        let mut raw = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut query = vec![
                ("created[gte]", from.as_str()),
                ("created[lt]", &to),
                ("limit", PAGE),
                ("expand[]", "data.source"),
            ];
            query.extend(after.as_deref().map(|last| ("starting_after", last)));
            let path = "/v1/balance_transactions";
            let answer = self.get(operation, path, &query, MAX_PAGE_BYTES).await?;
            let page: List<BalanceTransaction> = answer.read()?;
            if raw.len() + answer.body.len() > MAX_BILL_BYTES {
                let reason = format!("the bill is longer than {MAX_BILL_BYTES} bytes");
                return Err(operation.unavailable(GATEWAY, reason));
            }
            raw.extend_from_slice(&answer.body);
            raw.push(b'\n');
            after = page
                .next_after(after.as_deref(), |movement| &movement.id)
                .map_err(|reason| operation.unavailable(GATEWAY, reason))?;
            reader
                .add(&page.data)
                .map_err(|reason| operation.unavailable(GATEWAY, reason))?;
            if after.is_none() {
                return Ok(Bill {
                    lines: reader.lines,
                    // Stripe's list has no sums of its own.
                    totals: None,
                    raw,
                });
            }
        }
        let reason = format!("the bill has more than {MAX_PAGES} pages");
        Err(operation.unavailable(GATEWAY, reason))
    }
}

/// The first second of a day in UTC, and that of the next.
fn bounds(day: Date) -> Result<(i64, i64), String> {
    let second = |day: Date| {
        let start = day.to_zoned(TimeZone::UTC).map_err(|e| e.to_string())?;
        Ok::<i64, String>(Timestamp::from(start).as_second())
    };
    let next = day
        .checked_add(Span::new().days(1))
        .map_err(|reason| reason.to_string())?;
    Ok((second(day)?, second(next)?))
}

/// Reads a bill page by page, so that no more than one page is there in full.
///
/// Its lines are charges, refunds, and refunds that failed after an earlier day had them as paid.
/// Payouts, disputes, and Stripe's own fees are no payments or refunds; they stay in the bill's
/// bytes.
#[derive(Debug, Default)]
pub struct BillReader {
    /// The lines so far.
    pub lines: Vec<BillLine>,
    /// The refunds that were made in it, and those that failed in it, by id.
    made: HashSet<String>,
    failed: HashSet<String>,
}

impl BillReader {
    /// Reads the movements of one more page.
    ///
    /// # Errors
    ///
    /// In words, where a movement of a kind that we know can't be read: a bill with a hole in it
    /// would make money look missing.
    pub fn add(&mut self, movements: &[BalanceTransaction]) -> Result<(), String> {
        for movement in movements {
            let Some(kind) = kind_of(movement) else {
                continue;
            };
            let line = u32::try_from(self.lines.len() + 1).map_err(|_| "too many lines")?;
            let read = read_line(movement, kind, line);
            let Some(read) = read.map_err(|reason| format!("{}: {reason}", movement.id))? else {
                continue;
            };
            // A refund that was made and failed on one day is one line, which says so. One that
            // was made twice is two: that is for the reconciliation to see.
            let id = read.refund_id.clone().unwrap_or_default();
            let is_told = match kind {
                Movement::Payment => false,
                Movement::Refund => {
                    let is_told = self.failed.contains(&id);
                    self.made.insert(id);
                    is_told
                }
                Movement::RefundFailure => {
                    let is_told = self.made.contains(&id);
                    self.failed.insert(id);
                    is_told
                }
            };
            if !is_told {
                self.lines.push(read);
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Movement {
    Payment,
    Refund,
    RefundFailure,
}

fn kind_of(movement: &BalanceTransaction) -> Option<Movement> {
    match movement.kind.as_str() {
        "charge" | "payment" => Some(Movement::Payment),
        "refund" | "payment_refund" => Some(Movement::Refund),
        "refund_failure" => Some(Movement::RefundFailure),
        _ => None,
    }
}

/// One line; none in a currency that the platform has no use for, since it can't be ours.
fn read_line(
    movement: &BalanceTransaction,
    kind: Movement,
    line: u32,
) -> Result<Option<BillLine>, String> {
    let source = BalanceSource::deserialize_from(&movement.source)?;
    if read_currency(&source.currency).is_err() {
        let (id, currency) = (&movement.id, &source.currency);
        tracing::warn!(
            id,
            currency,
            "a movement at Stripe is in a foreign currency"
        );
        return Ok(None);
    }
    let amount = read_money(source.amount, &source.currency)?;
    // A fee in another currency than the payment's would be a wrong number here.
    let fee = if movement.currency == source.currency {
        let fee = movement.fee.checked_mul(FEE_UNITS_PER_CENT);
        Some(fee.ok_or("the fee is too large")?)
    } else {
        None
    };
    let is_refund = kind != Movement::Payment;
    let number = |found: Option<&str>| found.map(str::to_owned);
    Ok(Some(BillLine {
        line,
        kind: if is_refund {
            LineKind::Refund
        } else {
            LineKind::Payment
        },
        out_trade_no: number(source.metadata.out_trade_no()),
        // A charge that was made without an intent is not ours; its own id names it.
        transaction_id: match (&source.payment_intent, is_refund) {
            (None, false) => Some(source.id.clone()),
            (intent, _) => intent.clone(),
        },
        out_refund_no: number(source.metadata.out_refund_no()).filter(|_| is_refund),
        refund_id: is_refund.then_some(source.id),
        amount,
        fee,
        status: match kind {
            Movement::RefundFailure => LineStatus::Failed,
            Movement::Payment | Movement::Refund => line_status(source.status.as_deref())?,
        },
        at: read_seconds(movement.created)?,
    }))
}

/// How a charge or refund stands by now.
fn line_status(status: Option<&str>) -> Result<LineStatus, String> {
    match status {
        Some("succeeded") => Ok(LineStatus::Succeeded),
        Some("pending" | "requires_action") => Ok(LineStatus::Processing),
        Some("failed" | "canceled") => Ok(LineStatus::Failed),
        other => Err(format!(
            "status `{}` is not known",
            other.unwrap_or("missing")
        )),
    }
}

impl BalanceSource {
    fn deserialize_from(source: &serde_json::Value) -> Result<Self, String> {
        serde::Deserialize::deserialize(source).map_err(|reason| format!("its source: {reason}"))
    }
}
