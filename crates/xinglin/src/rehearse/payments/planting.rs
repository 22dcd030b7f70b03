//! What is planted: differences of every kind, most of them in the bills alone, some of them as real
//! histories of the day. Each says where it must be found.

use super::course::{Course, currency, gateways};
use super::end::is_unheard;
use super::order::{Order, billing_day, minutes_from_midnight};
use super::{Stage, text};
use anyhow::{Context, Result};
use domain::payment::GatewayName as G;
use domain::reconciliation::DifferenceKind as K;
use domain::{Span, Ts};
use jiff::civil::Date;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is planted is so far from the ends of its day that only what is meant differs.
const MINUTES_FROM_MIDNIGHT: i64 = 45;
/// So near to midnight two clocks may disagree; a little less than the reconciliation allows.
const AROUND_MIDNIGHT: i64 = 8;
/// So many payments and so many refunds of a gateway are looked at for planting.
const LOOKED_AT: usize = 60;

/// Differences in one payment's line, and at whose bill.
const IN_PAYMENTS: [(K, G); 12] = [
    (K::PaymentMissingThere, G::ALIPAY),
    (K::PaymentAmountDiffers, G::UNIONPAY),
    (K::PaymentCurrencyDiffers, G::STRIPE),
    (K::PaymentLineTwice, G::ALIPAY),
    (K::PaymentStatusDiffers, G::PAYPAL),
    (K::PaymentNumbersDiffer, G::UNIONPAY),
    (K::FeeDiffers, G::WECHAT),
    (K::PaymentPaidTwice, G::PAYPAL),
    (K::PaymentForeign, G::ALIPAY),
    (K::PaymentTimeDiffers, G::UNIONPAY),
    (K::UnknownLine, G::WECHAT),
    (K::RefundForeign, G::UNIONPAY),
];

/// Differences in one refund's line, and at whose bill.
const IN_REFUNDS: [(K, G); 9] = [
    (K::RefundMissingThere, G::UNIONPAY),
    (K::RefundAmountDiffers, G::ALIPAY),
    (K::RefundCurrencyDiffers, G::STRIPE),
    (K::RefundLineTwice, G::ALIPAY),
    (K::RefundStatusDiffers, G::PAYPAL),
    (K::RefundNumbersDiffer, G::WECHAT),
    (K::RefundSentTwice, G::STRIPE),
    (K::RefundMissingHere, G::WECHAT),
    (K::RefundTimeDiffers, G::ALIPAY),
];

/// A difference that must be found.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Under which name.
    pub kind: K,
    /// At which gateway.
    pub gateway: G,
    /// In the books of which day.
    pub day: Date,
    /// With what in it: fields of the API's view.
    pub with: Vec<(&'static str, Value)>,
    /// What the gateway holds more or less than our books, where money really moved there and is
    /// put on suspense.
    pub real: Option<Value>,
}

impl Expected {
    /// At which gateway money really moved, and how much.
    pub fn real_gap(&self) -> Option<(Value, Value)> {
        Some((json!(self.gateway), self.real.clone()?))
    }
}

/// What was planted.
#[derive(Debug, Default)]
pub struct Planted {
    /// What must be found.
    pub expected: Vec<Expected>,
    /// What could not be planted, in words.
    pub missing: Vec<String>,
}

/// An order whose payment nobody pays while its day is reconciled.
pub struct LeftOpen(pub Order);

/// A line of a bill that something can be planted in.
#[derive(Debug, Clone)]
struct Item {
    gateway: G,
    day: Date,
    /// Our number of the payment.
    payment: String,
    /// Our number of the refund, and the gateway's.
    refund: Option<(String, String)>,
    amount: i64,
}

impl Item {
    /// The number that the bill's line is found by.
    fn number(&self) -> &str {
        self.refund
            .as_ref()
            .map_or(self.payment.as_str(), |(number, _)| number)
    }

    fn expected(&self, kind: K) -> Expected {
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

    fn missing_there(&self) -> Expected {
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
struct Lines {
    payments: BTreeMap<G, Vec<Item>>,
    refunds: BTreeMap<G, Vec<Item>>,
}

impl Stage<'_> {
    /// Plants everything that can be planted before the day is over at the gateways.
    pub(super) async fn plant(&self, orders: &[Order]) -> Result<Planted> {
        let mut lines = self.lines(orders).await?;
        let mut planted = Planted::default();
        for (kind, gateway) in IN_PAYMENTS {
            let item = lines.payments.entry(gateway).or_default().pop();
            self.plant_in(&mut planted, kind, gateway, item).await?;
        }
        for (kind, gateway) in IN_REFUNDS {
            let item = lines.refunds.entry(gateway).or_default().pop();
            self.plant_in(&mut planted, kind, gateway, item).await?;
        }
        self.plant_foreign_money(&mut planted).await?;
        self.plant_among_others(&mut planted, &mut lines, orders)
            .await?;
        self.plant_exchanged(&mut planted, &mut lines).await?;
        self.plant_neighbour(&mut planted, orders).await?;
        self.real_ones(&mut planted, orders).await?;
        let totals = json!({ "kind": "wrong_summary", "count": 999_999 });
        self.put(G::ALIPAY, self.day, totals).await?;
        planted.expected.push(Expected {
            kind: K::TotalsDiffer,
            gateway: G::ALIPAY,
            day: self.day,
            with: Vec::new(),
            real: None,
        });
        Ok(planted)
    }

    /// Puts a difference into the bill of a day.
    async fn put(&self, gateway: G, day: Date, plant: Value) -> Result<()> {
        let mut body = plant;
        body["gateway"] = json!(gateway);
        body["day"] = json!(day);
        self.client
            .control(Method::POST, "/bills/plant", &body)
            .await
            .with_context(|| format!("{body}"))?;
        Ok(())
    }

    /// A difference in one line.
    async fn plant_in(
        &self,
        planted: &mut Planted,
        kind: K,
        gateway: G,
        item: Option<Item>,
    ) -> Result<()> {
        let Some(item) = item else {
            let words = format!("no line at {gateway} is good for {}", kind.constant());
            planted.missing.push(words);
            return Ok(());
        };
        let (plants, expected) = shapes(kind, &item)?;
        for plant in plants {
            self.put(gateway, item.day, plant).await?;
        }
        planted.expected.extend(expected);
        Ok(())
    }

    /// Money that nobody here asked for: small, and above what one person may decide.
    async fn plant_foreign_money(&self, planted: &mut Planted) -> Result<()> {
        for (gateway, amount) in [(G::PAYPAL, 1_234), (G::WECHAT, 50_000), (G::WECHAT, 8_800)] {
            let plant = json!({ "kind": "foreign_payment", "amount": amount });
            self.put(gateway, self.day, plant).await?;
            let there = json!({ "amount": amount, "currency": currency(gateway) });
            planted.expected.push(Expected {
                kind: K::PaymentMissingHere,
                gateway,
                day: self.day,
                with: vec![("there", there)],
                real: None,
            });
        }
        Ok(())
    }

    /// A paid line under the number of a payment of ours that was closed or failed, and a refund's
    /// under the number of one that was refused.
    async fn plant_among_others(
        &self,
        planted: &mut Planted,
        lines: &mut Lines,
        orders: &[Order],
    ) -> Result<()> {
        for (kind, gateway, course) in [
            (K::PaymentClosedHere, G::ALIPAY, Course::Leaves),
            (K::PaymentFailedHere, G::WECHAT, Course::Fails),
            (K::RefundNotGrantedHere, G::WECHAT, Course::Refused),
        ] {
            let is_it = |o: &&Order| o.draft.course == course && o.draft.first.gateway == gateway;
            let pool = match kind {
                K::RefundNotGrantedHere => &mut lines.refunds,
                _ => &mut lines.payments,
            };
            let (Some(order), Some(item)) = (
                orders.iter().find(is_it),
                pool.entry(gateway).or_default().pop(),
            ) else {
                let words = format!("nothing at {gateway} is good for {}", kind.constant());
                planted.missing.push(words);
                continue;
            };
            let to = if kind == K::RefundNotGrantedHere {
                text(&self.look(order).await?["refunds"][0]["outRefundNo"])?
            } else {
                order.numbers[0].clone()
            };
            self.plant_under(planted, kind, &item, &to).await?;
        }
        Ok(())
    }

    /// The line stands under another number of ours.
    async fn plant_under(
        &self,
        planted: &mut Planted,
        kind: K,
        item: &Item,
        to: &str,
    ) -> Result<()> {
        let plant = json!({ "kind": "change_our_number", "number": item.number(), "to": to });
        self.put(item.gateway, item.day, plant).await?;
        let mut expected = item.expected(kind);
        for (_, number) in &mut expected.with {
            *number = json!(to);
        }
        planted.expected.extend([expected, item.missing_there()]);
        Ok(())
    }

    /// Two refunds of a day whose payers got each other's money.
    async fn plant_exchanged(&self, planted: &mut Planted, lines: &mut Lines) -> Result<()> {
        let pool = lines.refunds.entry(G::PAYPAL).or_default();
        let pair = pool.pop().and_then(|one| {
            let at = pool.iter().position(|other| other.day == one.day)?;
            Some((one, pool.remove(at)))
        });
        let Some((one, other)) = pair else {
            planted
                .missing
                .push("no two refunds at paypal are of one day".to_owned());
            return Ok(());
        };
        for (from, to) in [(&one, &other), (&other, &one)] {
            let (number, id) = to.refund.clone().context("a refund")?;
            let from = from.number();
            for plant in [
                json!({ "kind": "change_our_number", "number": from, "to": number }),
                json!({ "kind": "change_transaction_id", "number": from, "to": id }),
                json!({ "kind": "change_amount", "number": from, "amount": to.amount }),
            ] {
                self.put(to.gateway, to.day, plant).await?;
            }
        }
        let both = [&one, &other].map(|item| item.expected(K::RefundOfAnotherPayment));
        planted.expected.extend(both);
        Ok(())
    }

    /// A payment of the first minutes is in the bill of the day before.
    async fn plant_neighbour(&self, planted: &mut Planted, orders: &[Order]) -> Result<()> {
        for order in orders.iter().take(LOOKED_AT) {
            let is_paid = order.draft.course.queues() && !order.draft.course.fails_first();
            if !is_paid || order.draft.first.gateway != G::WECHAT {
                continue;
            }
            let Some(at) = self.paid_at(&order.numbers[0]).await? else {
                continue;
            };
            if minutes_from_midnight(G::WECHAT, at)? >= AROUND_MIDNIGHT {
                continue;
            }
            let number = &order.numbers[0];
            let plant = json!({ "kind": "shift_day", "number": number, "later": false });
            self.put(G::WECHAT, self.day, plant).await?;
            for day in [self.day.yesterday()?, self.day] {
                planted.expected.push(Expected {
                    kind: K::PaymentNeighbouringDay,
                    gateway: G::WECHAT,
                    day,
                    with: vec![
                        ("outTradeNo", json!(number)),
                        ("status", json!("EXPLAINED")),
                    ],
                    real: None,
                });
            }
            return Ok(());
        }
        let words = "no payment at wechat was made in the first minutes";
        planted.missing.push(words.to_owned());
        Ok(())
    }

    /// What really happened, or all but the bill's last word.
    async fn real_ones(&self, planted: &mut Planted, orders: &[Order]) -> Result<()> {
        self.paid_unheard(planted, orders).await?;
        for order in orders {
            let kind = match order.draft.course {
                Course::HandToo => K::RefundPaidByHandToo,
                Course::UnderWay => K::RefundProcessingHere,
                Course::DeadCard => K::RefundFailedHere,
                Course::OverMidnight => K::RefundNeighbouringDay,
                _ => continue,
            };
            let seen = self.look(order).await?;
            let number = text(&seen["refunds"][0]["outRefundNo"])?;
            if matches!(kind, K::RefundProcessingHere | K::RefundFailedHere) {
                let plant =
                    json!({ "kind": "change_status", "number": number, "status": "succeeded" });
                self.put(G::WECHAT, self.day, plant).await?;
            }
            let amount = seen["refunds"][0]["amount"]["amount"].as_i64();
            let gone = json!({ "amount": -amount.context("an amount")?, "currency": "CNY" });
            let one = Expected {
                kind,
                gateway: G::WECHAT,
                day: self.day,
                with: vec![("outRefundNo", json!(number))],
                real: (kind == K::RefundPaidByHandToo).then_some(gone),
            };
            if kind == K::RefundNeighbouringDay {
                let mut next = one.clone();
                next.day = self.day.tomorrow()?;
                planted.expected.push(next);
            }
            planted.expected.push(one);
        }
        Ok(())
    }

    /// Payments that failed, were paid after all, and nobody told us.
    async fn paid_unheard(&self, planted: &mut Planted, orders: &[Order]) -> Result<()> {
        let twice = orders
            .iter()
            .filter(|order| order.draft.course == Course::PaidTwice);
        for order in twice {
            let seen = self.look(order).await?;
            let number = &order.numbers[0];
            let gateway = order.draft.first.gateway;
            if let Some(at) = self.paid_at(number).await?
                && is_unheard(order, &seen)
            {
                planted.expected.push(Expected {
                    kind: K::PaymentFailedHere,
                    gateway,
                    day: billing_day(gateway, at),
                    with: vec![("outTradeNo", json!(number))],
                    real: None,
                });
            }
        }
        Ok(())
    }

    /// While the day is reconciled, somebody is about to pay: a paid line stands under that number.
    pub(super) async fn left_open(
        &self,
        planted: &mut Planted,
        orders: &[Order],
    ) -> Result<LeftOpen> {
        let open = self.one_more(G::UNIONPAY).await?;
        let mut lines = self.lines(orders).await?;
        let is_free = |item: &Item| {
            let number = json!(item.payment);
            let mut all = planted.expected.iter().flat_map(|one| &one.with);
            !all.any(|(_, value)| *value == number)
        };
        let pool = lines.payments.entry(G::UNIONPAY).or_default();
        let item = pool.drain(..).find(is_free);
        match item {
            Some(item) => {
                let to = open.numbers[0].clone();
                self.plant_under(planted, K::PaymentOpenHere, &item, &to)
                    .await?;
            }
            None => planted
                .missing
                .push("no line at unionpay is left for PAYMENT_OPEN_HERE".to_owned()),
        }
        Ok(LeftOpen(open))
    }

    /// Lines of payments and refunds that both sides have, in the middle of their days.
    async fn lines(&self, orders: &[Order]) -> Result<Lines> {
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

    async fn paid_at(&self, number: &str) -> Result<Option<Ts>> {
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

    /// The bills of the day and of the days beside it are ready, everywhere.
    pub(super) async fn pass_to_reconciliation(&self) -> Result<()> {
        let ready = super::order::begins(self.day.tomorrow()?.tomorrow()?)?;
        self.pass_until(ready + Span::minutes(12 * 60 + 40)).await
    }
}

/// What is put into the bill for a kind, and what must be found then.
fn shapes(kind: K, item: &Item) -> Result<(Vec<Value>, Vec<Expected>)> {
    let number = item.number();
    let elsewhere =
        json!({ "kind": "change_transaction_id", "number": number, "to": "99990000111122223333" });
    let twice = json!({ "kind": "duplicate_line", "number": number });
    let one = item.expected(kind);
    let other_currency = match currency(item.gateway) {
        domain::Currency::NZD => "CNY",
        _ => "NZD",
    };
    Ok(match kind {
        K::PaymentMissingThere | K::RefundMissingThere => (
            vec![json!({ "kind": "drop_line", "number": number })],
            vec![one],
        ),
        K::PaymentAmountDiffers | K::RefundAmountDiffers => {
            let amount = item.amount - 1;
            let plant = json!({ "kind": "change_amount", "number": number, "amount": amount });
            (vec![plant], vec![one])
        }
        K::PaymentCurrencyDiffers | K::RefundCurrencyDiffers => {
            let plant =
                json!({ "kind": "change_currency", "number": number, "currency": other_currency });
            (vec![plant], vec![one])
        }
        K::PaymentLineTwice | K::RefundLineTwice => (vec![twice], vec![one]),
        K::PaymentStatusDiffers | K::RefundStatusDiffers => {
            let plant =
                json!({ "kind": "change_status", "number": number, "status": "processing" });
            (vec![plant], vec![one])
        }
        K::PaymentNumbersDiffer | K::RefundNumbersDiffer => (vec![elsewhere], vec![one]),
        K::FeeDiffers => {
            let plant = json!({ "kind": "change_fee", "number": number, "fee": 9_900_000 });
            (vec![plant], vec![one])
        }
        K::PaymentPaidTwice | K::RefundSentTwice => (vec![twice, elsewhere], vec![one]),
        K::PaymentForeign => {
            let plant = json!({ "kind": "change_our_number", "number": number, "to": null });
            let with = vec![("transactionId", json!("99990000111122223333"))];
            let foreign = Expected { with, ..one };
            (vec![plant, elsewhere], vec![foreign, item.missing_there()])
        }
        K::PaymentTimeDiffers | K::RefundTimeDiffers => {
            let plant = json!({ "kind": "shift_day", "number": number, "later": true });
            let next = Expected {
                day: item.day.tomorrow()?,
                ..one.clone()
            };
            (vec![plant], vec![one, next])
        }
        K::UnknownLine => {
            let plants = [("change_our_number", 130), ("change_transaction_id", 150)];
            let plants = plants.map(
                |(kind, long)| json!({ "kind": kind, "number": number, "to": "9".repeat(long) }),
            );
            let there = json!({ "amount": item.amount, "currency": currency(item.gateway) });
            let with = vec![("there", there)];
            let unknown = Expected { with, ..one };
            (plants.to_vec(), vec![unknown, item.missing_there()])
        }
        K::RefundForeign => {
            let plant = json!({ "kind": "foreign_refund", "amount": 56, "of": item.payment });
            (vec![plant], vec![one])
        }
        K::RefundMissingHere => {
            let to = format!("RFx{}", &number[number.len().saturating_sub(20)..]);
            let plant = json!({ "kind": "change_our_number", "number": number, "to": to });
            let with = vec![("outRefundNo", json!(to))];
            let strange = Expected { with, ..one };
            (vec![plant, elsewhere], vec![strange, item.missing_there()])
        }
        other => anyhow::bail!("{} is not planted in a line", other.constant()),
    })
}
