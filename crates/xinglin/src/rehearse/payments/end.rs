//! How orders end: what was promised, what is, and the odd ones that end only after the
//! reconciliation.

use super::course::Course;
use super::order::Order;
use super::planting::LeftOpen;
use super::{CALM, LOOK, Stage, text};
use anyhow::{Context, Result, bail};
use domain::Currency;
use domain::payment::GatewayName;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

/// How long everything may take, by the clock: steps of five minutes.
const STEPS: usize = 36;

/// Where an order and its money stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    status: i64,
    paid: i64,
    back: i64,
}

/// When it is looked at: some refunds wait for the reconciliation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The day was played, and not yet reconciled.
    BeforeReconciliation,
    /// Everything is over.
    AtLast,
}

/// A gateway's payments in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// How many were asked for.
    pub payments: usize,
    /// Minor units paid.
    pub paid: i64,
    /// Minor units that went back.
    pub back: i64,
    /// How many failed.
    pub failed: usize,
    /// How many were closed.
    pub closed: usize,
    /// Late or double money that was returned by itself: how often, and minor units.
    pub returned_count: usize,
    /// The same in minor units.
    pub returned: i64,
}

/// How all orders ended.
#[derive(Debug, Default)]
pub struct Ends {
    /// By gateway and currency.
    pub rows: BTreeMap<(GatewayName, Currency), Row>,
    /// What is otherwise than promised, in words.
    pub wrong: Vec<String>,
}

impl Stage<'_> {
    /// Lets time pass until nothing is under way any more but what is to wait for the reconciliation.
    pub(super) async fn settle(&self, orders: &[Order]) -> Result<()> {
        let midnight = super::order::begins(self.day.tomorrow()?)?;
        self.pass_until(midnight + domain::Span::minutes(20))
            .await?;
        let odd = |course| {
            orders
                .iter()
                .find(move |o: &&Order| o.draft.course == course)
        };
        if let Some(order) = odd(Course::OverMidnight) {
            self.outcome(order, "SUCCESS").await?;
        }
        self.until_ended(orders, When::BeforeReconciliation).await
    }

    /// Lets time pass until every order has ended as promised, or for so long that it never will:
    /// chance alone may let a refund hang for an hour.
    async fn until_ended(&self, orders: &[Order], when: When) -> Result<()> {
        let mut left: Vec<&Order> = orders.iter().collect();
        for _ in 0..STEPS {
            let mut since = Instant::now();
            while since.elapsed() < CALM {
                let before = left.len();
                let looked = self
                    .each(left, |order| async move {
                        let (promised, is) = self.end(order, when).await?;
                        Ok((promised != is).then_some(order))
                    })
                    .await?;
                left = looked.into_iter().flatten().collect();
                if left.is_empty() {
                    return Ok(());
                }
                if left.len() < before {
                    since = Instant::now();
                }
                tokio::time::sleep(LOOK).await;
            }
            self.pass(300).await?;
        }
        Ok(())
    }

    /// What was promised and what is, of every order, and the sums.
    pub(super) async fn ends(&self, orders: &[Order], when: When) -> Result<Ends> {
        let all = self
            .each(orders, |order| async move {
                let seen = self.look(order).await?;
                let (promised, is) = self.end_of(order, &seen, when).await?;
                Ok((order, seen, promised, is))
            })
            .await?;
        let mut ends = Ends::default();
        for (order, seen, promised, is) in &all {
            if promised != is {
                ends.wrong.push(format!(
                    "{:?} over {} ({}), wave {}, order {}: promised {promised:?}, is {is:?}",
                    order.draft.course,
                    order.draft.first.gateway,
                    order.draft.callback,
                    order.in_wave,
                    order.id
                ));
            }
            add(&mut ends.rows, order, seen)?;
        }
        Ok(ends)
    }

    async fn end(&self, order: &Order, when: When) -> Result<(End, End)> {
        let seen = self.look(order).await?;
        self.end_of(order, &seen, when).await
    }

    async fn end_of(&self, order: &Order, seen: &Value, when: When) -> Result<(End, End)> {
        let number = |value: &Value| value.as_i64().unwrap_or(-1);
        let is = End {
            status: number(&seen["statusCode"]),
            paid: number(&seen["paid"]["amount"]),
            back: number(&seen["refunded"]["amount"]),
        };
        Ok((self.promised(order, seen, when).await?, is))
    }

    /// The promised end (spec 10, refund shares; spec 20, late and double money).
    async fn promised(&self, order: &Order, seen: &Value, when: When) -> Result<End> {
        let price = order.price;
        let most = (price * 90 + 50) / 100;
        let end = |status, paid, back| End { status, paid, back };
        Ok(match order.draft.course {
            Course::Held | Course::FailsThenPays | Course::Refused => end(900, price, 0),
            Course::Cancelled | Course::HandToo | Course::OverMidnight => end(901, price, most),
            Course::SentHome => end(901, price, price),
            Course::Fails | Course::Leaves => end(902, 0, 0),
            Course::WrongAmount => {
                let paid = self.paid_there(&order.numbers[0]).await?;
                end(901, paid, paid)
            }
            Course::CancelledPaying => match self.paid_there(&order.numbers[0]).await? {
                0 => end(902, 0, 0),
                paid => end(901, paid, paid),
            },
            Course::PaidTwice if when == When::BeforeReconciliation && is_unheard(order, seen) => {
                end(900, price, 0)
            }
            Course::PaidTwice => {
                let first = self.paid_there(&order.numbers[0]).await?;
                end(900, price + first, first)
            }
            Course::UnderWay if when == When::BeforeReconciliation => end(502, price, 0),
            Course::DeadCard if when == When::BeforeReconciliation => end(503, price, 0),
            Course::UnderWay | Course::DeadCard => end(901, price, most),
        })
    }

    /// Minor units that a payment's payer really paid, by the gateway's own book.
    async fn paid_there(&self, number: &str) -> Result<i64> {
        let path = format!("/payments/{number}");
        let seen = self.client.control(Method::GET, &path, &json!({})).await?;
        Ok(seen["paidTotal"].as_i64().unwrap_or(0))
    }

    /// The odd refunds: asked for, and on their way when the gateway stops.
    pub(super) async fn odd_refunds(&self, orders: &[Order]) -> Result<()> {
        let courses = [
            Course::HandToo,
            Course::UnderWay,
            Course::DeadCard,
            Course::OverMidnight,
        ];
        let odd: Vec<&Order> = orders
            .iter()
            .filter(|order| courses.contains(&order.draft.course))
            .collect();
        if odd.is_empty() {
            return Ok(());
        }
        let hang = json!({ "refundsHang": true });
        self.faults_at(GatewayName::WECHAT, hang).await?;
        for order in &odd {
            let path = format!("/orders/{}/cancel", order.id);
            self.client.put(&order.patient, &path, json!({})).await?;
        }
        for order in &odd {
            let end = match order.draft.course {
                Course::HandToo | Course::DeadCard => "ABNORMAL",
                _ => "PROCESSING",
            };
            self.outcome(order, end).await?;
        }
        self.faults_at(GatewayName::WECHAT, json!({})).await?;
        let is_dead =
            |order: &Order| matches!(order.draft.course, Course::HandToo | Course::DeadCard);
        self.reach(orders, |order| if is_dead(order) { &[503] } else { &[] })
            .await?;
        for order in odd.iter().filter(|o| o.draft.course == Course::HandToo) {
            let proof = json!({ "proof": "bank transfer 20260302-17" });
            self.refund(order, "record", proof).await?;
            self.outcome(order, "SUCCESS").await?;
        }
        Ok(())
    }

    /// Decides how the order's refund ends at the gateway, once it is there.
    async fn outcome(&self, order: &Order, end: &str) -> Result<()> {
        let list = format!("/refunds?outTradeNo={}", order.numbers[0]);
        for seconds in [0, 5, 10, 30, 60, 60] {
            self.pass(seconds).await?;
            let since = Instant::now();
            while since.elapsed() < CALM {
                let found = self.client.control(Method::GET, &list, &json!({})).await?;
                if let Some(number) = found["refunds"][0]["outRefundNo"].as_str() {
                    let path = format!("/refunds/{number}/outcome");
                    let body = json!({ "status": end });
                    self.client.control(Method::POST, &path, &body).await?;
                    return Ok(());
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        bail!("order {}: the gateway has no refund of it", order.id)
    }

    /// What operations do with an order's refund.
    async fn refund(&self, order: &Order, action: &str, body: Value) -> Result<()> {
        let seen = self.look(order).await?;
        let id = text(&seen["refunds"][0]["id"])?;
        let path = format!("/payments/refunds/{id}/{action}");
        self.client.post("operator1", &path, body).await?;
        Ok(())
    }

    /// Somebody complains after the end, and operations say no.
    pub(super) async fn complain(&self, orders: &[Order]) -> Result<()> {
        for order in orders.iter().filter(|o| o.draft.course == Course::Refused) {
            let path = format!("/orders/{}/refund", order.id);
            let reason = json!({ "reason": "只看了一半" });
            self.client.post(&order.patient, &path, reason).await?;
            let no = json!({ "decision": "refuse", "reason": "已完成" });
            self.refund(order, "review", no).await?;
        }
        Ok(())
    }

    /// After the reconciliation: what waited for it comes to its end, too.
    pub(super) async fn end_odd_ones(&self, orders: &[Order], open: &LeftOpen) -> Result<()> {
        for order in orders {
            match order.draft.course {
                Course::UnderWay => self.outcome(order, "SUCCESS").await?,
                Course::DeadCard => self.refund(order, "elsewhere", json!({})).await?,
                _ => {}
            }
        }
        // And nobody pays what was left open.
        self.pass(360).await?;
        tokio::time::sleep(CALM).await;
        self.pass(31 * 60).await?;
        self.until_ended(orders, When::AtLast).await?;
        let open = std::slice::from_ref(&open.0);
        self.reach(open, |_| &[902]).await
    }
}

/// Whether the first payment has failed by our books, and nobody will tell us otherwise: if it was
/// paid after all, only the bill says so.
pub fn is_unheard(order: &Order, seen: &Value) -> bool {
    order.draft.callback == "never" && seen["payments"][0]["status"] == "FAILED"
}

/// Adds an order's payments to their gateways' sums.
fn add(
    rows: &mut BTreeMap<(GatewayName, Currency), Row>,
    order: &Order,
    seen: &Value,
) -> Result<()> {
    let payments = seen["payments"].as_array().context("payments")?;
    for (at, payment) in payments.iter().enumerate() {
        let row = rows
            .entry((order.gateway(at), order.currency()))
            .or_default();
        row.payments += 1;
        let paid = payment["paid"]["amount"].as_i64().unwrap_or(0);
        row.paid += paid;
        match payment["status"].as_str() {
            Some("FAILED") => row.failed += 1,
            Some("CLOSED") => row.closed += 1,
            _ => {}
        }
        let refunds = seen["refunds"].as_array().context("refunds")?;
        for refund in refunds.iter().filter(|r| r["paymentId"] == payment["id"]) {
            if refund["status"] != "SUCCEEDED" {
                continue;
            }
            let amount = refund["amount"]["amount"].as_i64().unwrap_or(0);
            row.back += amount;
            if refund["purpose"] == "late_money" {
                row.returned += amount;
                row.returned_count += 1;
            }
        }
    }
    Ok(())
}
