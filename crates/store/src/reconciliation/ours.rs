//! Our own payments and refunds of a day, with where other days' bills have them.

use super::record::status_name;
use super::{day_value, groups, places};
use crate::committer::sql;
use crate::db::Read;
use crate::row::{Cells, Row};
use crate::value::Value;
use crate::{Store, StoreError};
use domain::payment::GatewayName;
use domain::reconciliation::{BillLine, Billed, BillingDay, LineStatus, OurPayment, OurRefund};
use domain::{Money, PaymentId, RefundId};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const PAYMENTS: &str = "SELECT p.order_id, p.id, p.out_trade_no, p.transaction_id, p.status, p.amount, p.currency, \
     p.paid_amount, p.created_at, p.paid_at FROM payments p WHERE p.gateway = $1";
const REFUNDS: &str = "SELECT r.order_id, r.payment_id, r.id, p.out_trade_no, p.transaction_id, r.out_refund_no, \
     r.refund_id, r.status, r.amount, r.currency, r.proof IS NOT NULL, r.requested_at, r.gone_at \
     FROM refunds r JOIN payments p ON p.order_id = r.order_id AND p.id = r.payment_id WHERE p.gateway = $1";
const LINES: &str = "FROM reconciliation_lines l JOIN reconciliations r ON r.id = l.reconciliation_id \
     WHERE r.gateway = $1 AND r.day <> $2";
const READ: &str =
    "SELECT 1 FROM reconciliations WHERE gateway = $1 AND day = $2 AND bill_sha256 IS NOT NULL";

/// The most payments or refunds of one day.
const MOST: u32 = 1_000_000;

impl Store {
    /// Our payments and refunds at a gateway that a bill is to be held against: all that were paid
    /// or went on the day, and all that a line names.
    pub async fn ours(
        &self,
        gateway: GatewayName,
        day: &BillingDay,
        lines: &[BillLine],
    ) -> Result<(Vec<OurPayment>, Vec<OurRefund>), StoreError> {
        let mut payments = BTreeMap::new();
        let mut refunds = BTreeMap::new();
        let looked = Looked {
            store: self,
            gateway,
        };
        looked.day_payments(day, &mut payments).await?;
        looked.day_refunds(day, &mut refunds).await?;
        let numbers = |number: fn(&BillLine) -> Option<&String>| -> Vec<&str> {
            let given = lines.iter().filter_map(number).map(String::as_str);
            let unique: BTreeSet<&str> = given.filter(|number| !number.is_empty()).collect();
            unique.into_iter().collect()
        };
        let trade = numbers(|line| line.out_trade_no.as_ref());
        looked
            .payments("p.out_trade_no", &trade, &mut payments)
            .await?;
        let transactions = numbers(|line| line.transaction_id.as_ref());
        looked
            .payments("p.transaction_id", &transactions, &mut payments)
            .await?;
        let refund = numbers(|line| line.out_refund_no.as_ref());
        looked
            .refunds("r.out_refund_no", &refund, &mut refunds)
            .await?;
        let refund_ids = numbers(|line| line.refund_id.as_ref());
        looked
            .refunds("r.refund_id", &refund_ids, &mut refunds)
            .await?;
        let mut payments: Vec<OurPayment> = payments.into_values().collect();
        let mut refunds: Vec<OurRefund> = refunds.into_values().collect();
        looked.billed_payments(day.date, &mut payments).await?;
        looked.billed_refunds(day.date, &mut refunds).await?;
        Ok((payments, refunds))
    }

    /// Whether a bill of this day was ever read.
    pub async fn is_bill_known(&self, gateway: GatewayName, day: Date) -> Result<bool, StoreError> {
        let values = vec![gateway.name().into(), day_value(day)];
        Ok(self.db().one(Read::Keyed, READ, values).await?.is_some())
    }
}

/// One gateway's records being looked for.
struct Looked<'a> {
    store: &'a Store,
    gateway: GatewayName,
}

impl Looked<'_> {
    async fn rows(&self, text: String, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let mut all = vec![Value::from(self.gateway.name())];
        all.extend(values);
        self.store.db().all(Read::Keyed, sql(text), all).await
    }

    async fn day_payments(
        &self,
        day: &BillingDay,
        into: &mut BTreeMap<PaymentId, OurPayment>,
    ) -> Result<(), StoreError> {
        let text = format!("{PAYMENTS} AND p.paid_at >= $2 AND p.paid_at < $3 LIMIT {MOST}");
        let values = vec![day.begins.into(), day.ends.into()];
        for row in self.rows(text, values).await? {
            let found = payment(&mut row.cells())?;
            into.insert(found.id, found);
        }
        Ok(())
    }

    async fn day_refunds(
        &self,
        day: &BillingDay,
        into: &mut BTreeMap<RefundId, OurRefund>,
    ) -> Result<(), StoreError> {
        let text = format!("{REFUNDS} AND r.gone_at >= $2 AND r.gone_at < $3 LIMIT {MOST}");
        let values = vec![day.begins.into(), day.ends.into()];
        for row in self.rows(text, values).await? {
            let found = refund(&mut row.cells())?;
            into.insert(found.id, found);
        }
        Ok(())
    }

    async fn payments(
        &self,
        column: &str,
        numbers: &[&str],
        into: &mut BTreeMap<PaymentId, OurPayment>,
    ) -> Result<(), StoreError> {
        for group in groups(numbers) {
            let text = format!("{PAYMENTS} AND {column} IN ({})", places(1));
            for row in self.rows(text, group).await? {
                let found = payment(&mut row.cells())?;
                into.insert(found.id, found);
            }
        }
        Ok(())
    }

    async fn refunds(
        &self,
        column: &str,
        numbers: &[&str],
        into: &mut BTreeMap<RefundId, OurRefund>,
    ) -> Result<(), StoreError> {
        for group in groups(numbers) {
            let text = format!("{REFUNDS} AND {column} IN ({})", places(1));
            for row in self.rows(text, group).await? {
                let found = refund(&mut row.cells())?;
                into.insert(found.id, found);
            }
        }
        Ok(())
    }

    /// Where other days' bills have what a column names, by that name.
    async fn billed(
        &self,
        kind: &str,
        column: &str,
        not_this: Date,
        numbers: &[&str],
    ) -> Result<HashMap<String, Billed>, StoreError> {
        let mut all: HashMap<String, Billed> = HashMap::new();
        for group in groups(numbers) {
            let text = format!(
                "SELECT l.{column}, r.day, l.at, l.status {LINES} AND l.kind = '{kind}' AND l.{column} IN ({})",
                places(2)
            );
            let mut values = vec![day_value(not_this)];
            values.extend(group);
            for row in self.rows(text, values).await? {
                let mut cells = row.cells();
                let number = cells.text()?;
                let billed = Billed {
                    day: cells.day()?,
                    at: cells.at()?,
                    status: cells.named(line_status)?,
                };
                let best = all.entry(number).or_insert(billed);
                *best = earlier(*best, billed);
            }
        }
        Ok(all)
    }

    async fn billed_payments(
        &self,
        day: Date,
        payments: &mut [OurPayment],
    ) -> Result<(), StoreError> {
        let ours: Vec<&str> = payments.iter().map(|p| p.out_trade_no.as_str()).collect();
        let by_number = self.billed("payment", "out_trade_no", day, &ours).await?;
        let known = payments.iter().filter_map(|p| p.transaction_id.as_deref());
        let theirs: Vec<&str> = known.collect();
        let by_id = self
            .billed("payment", "transaction_id", day, &theirs)
            .await?;
        for payment in payments {
            let id = payment.transaction_id.as_ref();
            let by_id = id.and_then(|id| by_id.get(id)).copied();
            let by_number = by_number.get(&payment.out_trade_no).copied();
            payment.billed = either(by_number, by_id);
        }
        Ok(())
    }

    async fn billed_refunds(&self, day: Date, refunds: &mut [OurRefund]) -> Result<(), StoreError> {
        let ours: Vec<&str> = refunds.iter().map(|r| r.out_refund_no.as_str()).collect();
        let by_number = self.billed("refund", "out_refund_no", day, &ours).await?;
        let known = refunds.iter().filter_map(|r| r.refund_id.as_deref());
        let theirs: Vec<&str> = known.collect();
        let by_id = self.billed("refund", "refund_id", day, &theirs).await?;
        for refund in refunds {
            let id = refund.refund_id.as_ref();
            let by_id = id.and_then(|id| by_id.get(id)).copied();
            let by_number = by_number.get(&refund.out_refund_no).copied();
            refund.billed = either(by_number, by_id);
        }
        Ok(())
    }
}

/// The earliest bill in which the money moved, or else the earliest.
fn earlier(one: Billed, other: Billed) -> Billed {
    let rank = |billed: &Billed| {
        let moved = billed.status == LineStatus::Succeeded;
        let is_going = billed.status == LineStatus::Processing;
        (!moved, !is_going, billed.day, billed.at)
    };
    if rank(&other) < rank(&one) {
        other
    } else {
        one
    }
}

fn either(one: Option<Billed>, other: Option<Billed>) -> Option<Billed> {
    match (one, other) {
        (Some(one), Some(other)) => Some(earlier(one, other)),
        (one, other) => one.or(other),
    }
}

fn line_status(name: &str) -> Option<LineStatus> {
    [
        LineStatus::Succeeded,
        LineStatus::Processing,
        LineStatus::Failed,
    ]
    .into_iter()
    .find(|status| status_name(*status) == name)
}

fn payment(cells: &mut Cells<'_>) -> Result<OurPayment, StoreError> {
    let (order, id) = (cells.id()?, cells.id()?);
    let (out_trade_no, transaction_id) = (cells.text()?, cells.text_or_none()?);
    let status = cells.status()?;
    let asked = cells.money()?;
    let paid: Option<i64> = cells.int_or_none()?;
    Ok(OurPayment {
        order,
        id,
        out_trade_no,
        transaction_id,
        status,
        asked,
        paid: paid.map(|paid| Money::new(paid, asked.currency)),
        created_at: cells.at()?,
        booked_at: cells.at_or_none()?,
        billed: None,
    })
}

fn refund(cells: &mut Cells<'_>) -> Result<OurRefund, StoreError> {
    Ok(OurRefund {
        order: cells.id()?,
        payment: cells.id()?,
        id: cells.id()?,
        out_trade_no: cells.text()?,
        transaction_id: cells.text_or_none()?,
        out_refund_no: cells.text()?,
        refund_id: cells.text_or_none()?,
        status: cells.status()?,
        amount: cells.money()?,
        is_by_hand: cells.bool()?,
        requested_at: cells.at()?,
        booked_at: cells.at_or_none()?,
        billed: None,
    })
}
