//! What is planted: differences of every kind, most of them in the bills alone, some of them as real
//! histories of the day. Each says where it must be found.

use super::course::{Course, currency};
use super::end::is_unheard;
use super::lines::{Item, Lines};
use super::order::{Order, billing_day, minutes_from_midnight};
use super::shapes::shapes;
use super::{Stage, text};
use anyhow::{Context, Result};
use domain::Span;
use domain::payment::GatewayName as G;
use domain::reconciliation::DifferenceKind as K;
use jiff::civil::Date;
use reqwest::Method;
use serde_json::{Value, json};

/// So near to midnight two clocks may disagree; a little less than the reconciliation allows.
const AROUND_MIDNIGHT: i64 = 8;
/// So many payments are looked at for one of the first minutes.
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

    /// The bills of the day and of the days beside it are ready, everywhere.
    pub(super) async fn pass_to_reconciliation(&self) -> Result<()> {
        let ready = super::order::begins(self.day.tomorrow()?.tomorrow()?)?;
        self.pass_until(ready + Span::minutes(12 * 60 + 40)).await
    }
}
