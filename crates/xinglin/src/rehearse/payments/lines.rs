//! Lines of the bills that something can be planted in: payments and refunds that both sides have, in
//! the middle of their days.

use super::course::{Course, gateways};
use super::order::{Order, billing_day, minutes_from_midnight};
use super::planting::Expected;
use super::{Stage, text};
use anyhow::{Context, Result};
use domain::Ts;
use domain::payment::GatewayName as G;
use domain::reconciliation::DifferenceKind as K;
use jiff::civil::Date;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;

/// What is planted is so far from the ends of its day that only what is meant differs.
const MINUTES_FROM_MIDNIGHT: i64 = 45;
/// So many payments and so many refunds of a gateway are looked at for planting.
const LOOKED_AT: usize = 60;

/// A line of a bill that something can be planted in.
#[derive(Debug, Clone)]
pub struct Item {
    /// Whose bill.
    pub gateway: G,
    /// Of which day.
    pub day: Date,
    /// Our number of the payment.
    pub payment: String,
    /// Our number of the refund, and the gateway's.
    pub refund: Option<(String, String)>,
    /// Minor units.
    pub amount: i64,
}

impl Item {
    /// The number that the bill's line is found by.
    pub fn number(&self) -> &str {
        self.refund
            .as_ref()
            .map_or(self.payment.as_str(), |(number, _)| number)
    }

    /// A difference of this kind about it.
    pub fn expected(&self, kind: K) -> Expected {
        let with = match &self.refund {
            Some((number, _)) => ("outRefundNo", json!(number)),
            None => ("outTradeNo", json!(self.payment)),
        };
        Expected {
            kind,
            gateway: self.gateway,
            day: self.day,
            with: vec![with],
            real: None,
        }
    }

    /// That no line of the bill is about it.
    pub fn missing_there(&self) -> Expected {
        let of_refund = self.refund.is_some();
        self.expected(if of_refund {
            K::RefundMissingThere
        } else {
            K::PaymentMissingThere
        })
    }
}

/// Lines that are good for planting, by gateway.
#[derive(Debug, Default)]
pub struct Lines {
    /// Of payments.
    pub payments: BTreeMap<G, Vec<Item>>,
    /// Of refunds.
    pub refunds: BTreeMap<G, Vec<Item>>,
}

impl Stage<'_> {
    /// Lines of payments and refunds that both sides have, in the middle of their days.
    pub(super) async fn lines(&self, orders: &[Order]) -> Result<Lines> {
        let mut lines = Lines::default();
        for gateway in gateways() {
            let of = |course| {
                let all = orders.iter().filter(move |order| {
                    order.draft.course == course && order.draft.first.gateway == gateway
                });
                all.take(LOOKED_AT)
            };
            let paid = self
                .each(of(Course::Held), |order| self.paid_line(order))
                .await?;
            let refunded = of(Course::Cancelled);
            let refunded = self.each(refunded, |order| self.refund_line(order)).await?;
            let (paid, refunded) = (paid.into_iter().flatten(), refunded.into_iter().flatten());
            lines.payments.insert(gateway, paid.collect());
            lines.refunds.insert(gateway, refunded.collect());
        }
        Ok(lines)
    }

    /// When a payment was paid, by the gateway's own book.
    pub(super) async fn paid_at(&self, number: &str) -> Result<Option<Ts>> {
        let path = format!("/payments/{number}");
        let seen = self.client.control(Method::GET, &path, &json!({})).await?;
        Ok(seen["paidAt"].as_str().map(Ts::parse).transpose()?)
    }

    async fn paid_line(&self, order: &Order) -> Result<Option<Item>> {
        let (gateway, number) = (order.draft.first.gateway, order.numbers[0].clone());
        let Some(at) = self.paid_at(&number).await? else {
            return Ok(None);
        };
        let is_good = minutes_from_midnight(gateway, at)? >= MINUTES_FROM_MIDNIGHT;
        Ok(is_good.then(|| Item {
            gateway,
            day: billing_day(gateway, at),
            payment: number,
            refund: None,
            amount: order.price,
        }))
    }

    async fn refund_line(&self, order: &Order) -> Result<Option<Item>> {
        let (gateway, payment) = (order.draft.first.gateway, order.numbers[0].clone());
        let path = format!("/refunds?outTradeNo={payment}");
        let seen = self.client.control(Method::GET, &path, &json!({})).await?;
        let seen = &seen["refunds"][0];
        let booked = self.look(order).await?["refunds"][0]["updatedAt"].clone();
        let times = [&seen["createdAt"], &seen["successAt"], &booked];
        let mut days = Vec::new();
        for at in times {
            let Some(at) = at.as_str().map(Ts::parse).transpose()? else {
                return Ok(None);
            };
            if minutes_from_midnight(gateway, at)? < MINUTES_FROM_MIDNIGHT {
                return Ok(None);
            }
            days.push(billing_day(gateway, at));
        }
        let day = days[0];
        let is_good = days.iter().all(|one| *one == day);
        Ok(is_good.then_some(Item {
            gateway,
            day,
            payment,
            refund: Some((text(&seen["outRefundNo"])?, text(&seen["refundId"])?)),
            amount: seen["refund"].as_i64().context("an amount")?,
        }))
    }
}
