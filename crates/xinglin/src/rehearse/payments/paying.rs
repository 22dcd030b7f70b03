//! Payments of a wave: asked for, paid, failed or left, under the wave's weather.

use super::course::{Course, Draft, Way, Weather};
use super::order::Order;
use super::{CALM, LOOK, Stage, text};
use anyhow::{Context, Result, bail};
use domain::payment::GatewayName;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Instant;

/// How long a gateway is down.
const DOWN_SECONDS: i64 = 600;
/// How much later than its payment a late callback comes.
const LATE_SECONDS: i64 = 120;

impl Stage<'_> {
    /// One more payment, which nobody pays.
    pub(super) async fn one_more(&self, gateway: GatewayName) -> Result<Order> {
        let way = Way {
            gateway,
            method: "front",
        };
        let draft = Draft {
            course: Course::Leaves,
            first: way,
            second: way,
            callback: "never",
        };
        let sessions = self.sessions(0).await?;
        let mut order = [self.book(&sessions, 0, 0, &draft).await?];
        self.submit(&mut order, 0, |_| true).await?;
        let [order] = order;
        Ok(order)
    }

    /// Each order's n-th payment is asked for, and its payer's browser goes where it is sent.
    pub(super) async fn submit(
        &self,
        orders: &mut [Order],
        payment: usize,
        who: impl Fn(&Order) -> bool,
    ) -> Result<()> {
        let is_next = |order: &&Order| {
            order.numbers.len() == payment && order.draft.course.payments() > payment && who(order)
        };
        let asked = orders.iter().filter(is_next);
        let numbers = self
            .each(asked, |order| async move {
                let way = if payment == 0 {
                    order.draft.first
                } else {
                    order.draft.second
                };
                let body = json!({ "gateway": way.gateway, "method": way.method });
                let path = format!("/orders/{}/pay", order.id);
                let started = self.client.post(&order.patient, &path, body).await?;
                let number = text(&started["payment"]["outTradeNo"])?;
                Ok((order.id.clone(), number))
            })
            .await?;
        let mut asked = Vec::new();
        for (id, number) in numbers {
            let order = orders.iter_mut().find(|order| order.id == id);
            order.context("an order")?.numbers.push(number);
            asked.push(id);
        }
        let is_asked = |order: &&Order| asked.contains(&order.id);
        let all: Vec<&Order> = orders.iter().filter(is_asked).collect();
        for seconds in [0, 5, 5, 10, 10, 20, 20, 30, 30] {
            self.pass(seconds).await?;
            let since = Instant::now();
            loop {
                let asked = all.iter().copied();
                let started = self
                    .each(asked, |order| self.started(order, payment))
                    .await?;
                if let Some(all) = started.into_iter().collect::<Option<Vec<Value>>>() {
                    return self.each(&all, |to| self.client.browse(to)).await.map(drop);
                }
                if since.elapsed() > CALM {
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        bail!("payments were asked for and never reached the gateway")
    }

    /// Where the payer is to go, as soon as the gateway knows the payment.
    async fn started(&self, order: &Order, payment: usize) -> Result<Option<Value>> {
        let path = format!("/orders/{}", order.id);
        let seen = self.client.get(&order.patient, &path).await?;
        let payment = &seen["payments"][payment];
        let known = payment["status"] != "PENDING";
        Ok(known.then(|| payment["payWith"].clone()))
    }

    /// The payers do what they do, under this weather.
    pub(super) async fn pay_in(&self, orders: &[Order], weather: Weather) -> Result<()> {
        match weather {
            Weather::Down(gateway) => {
                self.faults_at(gateway, json!({ "down": true })).await?;
                let pays = |order| self.pay_first(order, gateway);
                let paid = self.each(orders, pays).await;
                tokio::time::sleep(CALM).await;
                self.numbers_taken(orders).await?;
                let passed = self.pass(DOWN_SECONDS).await;
                self.faults_at(gateway, json!({})).await?;
                paid?;
                passed?;
                self.pass(60).await
            }
            Weather::DropsCallbacks(gateway) => {
                let fault = json!({ "dropCallbacks": true });
                self.faults_at(gateway, fault).await?;
                let paid = self.pay_all(orders).await;
                tokio::time::sleep(CALM).await;
                self.faults_at(gateway, json!({})).await?;
                paid
            }
            Weather::CapturesUntold(gateway) | Weather::ClosesUntold(gateway) => {
                let write = if matches!(weather, Weather::CapturesUntold(_)) {
                    "capture"
                } else {
                    "close"
                };
                let fault = json!({ "unknownOutcome": write });
                self.faults_at(gateway, fault).await?;
                let paid = self.pay_all(orders).await;
                tokio::time::sleep(CALM).await;
                self.faults_at(gateway, json!({})).await?;
                paid
            }
            Weather::Calm
            | Weather::RefusesRefunds(_)
            | Weather::RefundsHang(_)
            | Weather::RefundsUntold(_) => self.pay_all(orders).await,
        }
    }

    async fn pay_all(&self, orders: &[Order]) -> Result<()> {
        let nowhere = GatewayName::OFFLINE;
        self.each(orders, |order| self.pay_first(order, nowhere))
            .await?;
        Ok(())
    }

    /// What the payer of the first payment does; a gateway that is down tells nothing.
    async fn pay_first(&self, order: &Order, down: GatewayName) -> Result<()> {
        let number = order.numbers.first().context("a payment")?;
        let course = order.draft.course;
        let how = match course {
            Course::Leaves => return Ok(()),
            _ if course.fails_first() => {
                let path = format!("/payments/{number}/fail");
                self.client.control(Method::POST, &path, &json!({})).await?;
                return Ok(());
            }
            Course::WrongAmount => "wrong_amount",
            Course::CancelledPaying => "never",
            _ if order.draft.first.gateway == down => "never",
            _ => order.draft.callback,
        };
        self.pay_at_gateway(number, how).await?;
        if course == Course::CancelledPaying {
            self.put_cancel(order).await?;
        }
        Ok(())
    }

    async fn pay_at_gateway(&self, number: &str, how: &str) -> Result<()> {
        let late = (how == "late").then_some(LATE_SECONDS);
        let mut body = json!({ "callback": how });
        if let Some(seconds) = late {
            body["lateSeconds"] = json!(seconds);
        }
        let path = format!("/payments/{number}/pay");
        self.client.control(Method::POST, &path, &body).await?;
        Ok(())
    }

    /// Whoever failed tries once more; some of them then pay the first one as well.
    pub(super) async fn pay_again(
        &self,
        orders: &mut [Order],
        who: impl Fn(&Order) -> bool,
    ) -> Result<()> {
        let is_first = |order: &&Order| order.numbers.len() == 1 && who(order);
        let before: Vec<String> = orders
            .iter()
            .filter(is_first)
            .map(|order| order.id.clone())
            .collect();
        self.submit(orders, 1, &who).await?;
        let is_now = |order: &&Order| order.numbers.len() == 2 && before.contains(&order.id);
        self.each(orders.iter().filter(is_now), |order| async move {
            self.pay_at_gateway(&order.numbers[1], order.draft.callback)
                .await
        })
        .await?;
        let queue = |order: &Order| -> &'static [i64] { if is_now(&order) { &[302] } else { &[] } };
        self.reach(orders, queue).await?;
        let twice = orders
            .iter()
            .filter(is_now)
            .filter(|order| order.draft.course == Course::PaidTwice);
        self.each(twice, |order| async move {
            // Some gateways have closed it, and take no money. Where nobody tells of it, the bill does.
            let how = if order.draft.callback == "never" {
                "never"
            } else {
                "twice"
            };
            let body = json!({ "callback": how });
            let path = format!("/payments/{}/pay", order.numbers[0]);
            let paid = self.client.told(Method::POST, &path, &body).await?;
            if !paid.status.is_success() && paid.status != StatusCode::CONFLICT {
                bail!("payment {}: {}", order.numbers[0], paid.body["message"]);
            }
            Ok(())
        })
        .await?;
        Ok(())
    }
}
