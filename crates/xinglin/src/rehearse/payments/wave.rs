//! One wave: orders that share two sessions and their clock. Everything that happens by itself is
//! waited for; time is moved only where nothing moves any more.

use super::course::{Course, Draft, Way, Weather, currency};
use super::order::Order;
use super::{CALM, LOOK, Stage, text};
use anyhow::{Context, Result, bail};
use domain::payment::GatewayName;
use domain::{Currency, Span};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// So many patients come again and again.
const PATIENTS: usize = 12;
/// So many doctors take turns.
const DOCTORS: usize = 12;
/// How long a session lasts: longer than its wave.
const SESSION: Span = Span::hours(2);
/// A slot's length in minutes, and how many slots a session has.
const SLOT: i64 = 30;
const SLOTS: usize = 4;
/// How long the server may take for what it does by itself, in real time.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a gateway is down.
const DOWN_SECONDS: i64 = 600;
/// By then the gateway has been asked for the first time (spec 20: after 10 seconds).
const FIRST_QUERY: i64 = 12;
/// How much later than its payment a late callback comes.
const LATE_SECONDS: i64 = 120;
/// How far the clock goes for what has not arrived yet, and how often at most.
const STEPS: [i64; 14] = [
    0,
    FIRST_QUERY,
    20,
    30,
    60,
    60,
    60,
    70,
    60,
    60,
    60,
    60,
    60,
    60,
];

/// Until then a payment without a result is closed (spec 10, status 101), and a little more.
const RESULT_DUE: i64 = 310;

/// Whether the gateway says at once that a payment failed, and takes its money all the same if the
/// payer tries again; the others leave it open until it is closed.
fn fails_at_once(order: &Order) -> bool {
    order.draft.first.gateway == GatewayName::WECHAT
}

/// A session of the wave.
struct Session {
    id: String,
    doctor: String,
    slots: Vec<String>,
}

/// The sessions of a wave: one for each currency.
struct Sessions([(Currency, Session); 2]);

impl Sessions {
    fn of(&self, wanted: Currency) -> Result<&Session> {
        let found = self.0.iter().find(|(currency, _)| *currency == wanted);
        Ok(&found.context("no session in this currency")?.1)
    }
}

impl Stage<'_> {
    /// Plays a wave; what still needs time at its end gets it during the next ones.
    pub(super) async fn wave(
        &self,
        number: usize,
        first: usize,
        drafts: &[Draft],
        weather: Weather,
    ) -> Result<Vec<Order>> {
        let sessions = self.sessions(number).await?;
        let numbered = drafts.iter().enumerate();
        let mut orders = self
            .each(numbered, |(at, draft)| {
                self.book(&sessions, number, first + at, draft)
            })
            .await?;
        self.submit(&mut orders, 0, |_| true).await?;
        self.pay_in(&orders, weather).await?;
        // Whoever pays twice does so as long as the gateway still takes the first payment.
        let is_early =
            |order: &Order| order.draft.course == Course::PaidTwice && fails_at_once(order);
        self.reach(&orders, |order| if is_early(order) { &[102] } else { &[] })
            .await?;
        self.pay_again(&mut orders, is_early).await?;
        self.reach(&orders, |order| {
            if order.draft.course.queues() && !order.draft.course.fails_first() {
                &[302]
            } else {
                &[]
            }
        })
        .await?;
        self.numbers_taken(&orders).await?;
        self.pass(RESULT_DUE).await?;
        let is_left = |order: &Order| order.numbers.len() == 1 && order.draft.course.fails_first();
        self.reach(
            &orders,
            |order| if is_left(order) { &[102, 902] } else { &[] },
        )
        .await?;
        self.pay_again(&mut orders, |_| true).await?;
        self.cancel(&orders, weather).await?;
        self.odd_refunds(&orders).await?;
        let held = orders.iter().filter(|order| order.draft.course.is_held());
        self.each(held, |order| self.hold(order)).await?;
        self.complain(&orders).await?;
        for (_, session) in &sessions.0 {
            let path = format!("/sessions/{}/close", session.id);
            let confirmed = json!({ "confirm": true });
            self.client.post(&session.doctor, &path, confirmed).await?;
        }
        Ok(orders)
    }

    /// Two doctors open a session, each in a currency, at prices that the seed draws.
    async fn sessions(&self, wave: usize) -> Result<Sessions> {
        let salt = u64::try_from(wave)?.wrapping_mul(7_919);
        let mut chance = SmallRng::seed_from_u64(self.seed.wrapping_add(salt));
        let yuan = chance.random_range(2_000..=30_000);
        let dollars = chance.random_range(2_000..=12_000);
        let cny = self.session(2 * wave, Currency::CNY, yuan).await?;
        let nzd = self.session(2 * wave + 1, Currency::NZD, dollars).await?;
        Ok(Sessions([(Currency::CNY, cny), (Currency::NZD, nzd)]))
    }

    async fn session(&self, turn: usize, currency: Currency, price: i64) -> Result<Session> {
        let begins = self.now().await?;
        let body = json!({
            "beginsAt": begins, "endsAt": begins + SESSION, "slotMinutes": SLOT, "capacity": 100,
            "consultationType": "text", "price": { "amount": price, "currency": currency },
        });
        // Somebody may still have a session of an earlier rehearsal.
        for other in 0..DOCTORS {
            let doctor = format!("doctor{}", (turn + other) % DOCTORS + 1);
            let asked = self.client.call(&doctor, Method::POST, "/sessions", &body);
            let answer = asked.await?;
            if answer.status == StatusCode::CONFLICT {
                continue;
            }
            let session = answer.data()?;
            let id = text(&session["id"])?;
            let slots = session["slots"].as_array().context("slots")?;
            let slots = slots.iter().map(|slot| text(&slot["id"]));
            let slots = slots.collect::<Result<Vec<String>>>()?;
            let path = format!("/sessions/{id}/open");
            self.client.post(&doctor, &path, json!({})).await?;
            return Ok(Session { id, doctor, slots });
        }
        bail!("no doctor is free for a session at {begins}")
    }

    async fn book(
        &self,
        sessions: &Sessions,
        wave: usize,
        at: usize,
        draft: &Draft,
    ) -> Result<Order> {
        let session = sessions.of(currency(draft.first.gateway))?;
        let patient = format!("patient{}", at % PATIENTS + 1);
        let body = json!({
            "kind": "consultation", "mode": "clinic", "consultationType": "text",
            "slotId": session.slots.get(at % SLOTS), "complaint": "复诊",
        });
        let booked = self.client.post(&patient, "/orders", body).await?;
        Ok(Order {
            id: text(&booked["id"])?,
            price: booked["price"]["amount"].as_i64().context("a price")?,
            doctor: session.doctor.clone(),
            draft: draft.clone(),
            numbers: Vec::new(),
            in_wave: wave,
            patient,
        })
    }

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
    async fn submit(
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
    async fn pay_in(&self, orders: &[Order], weather: Weather) -> Result<()> {
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

    /// Waits until each order stands where it should, and moves time where nothing comes by itself.
    /// Whoever never gets there is told of at the end.
    pub(super) async fn reach(
        &self,
        orders: &[Order],
        wanted: impl Fn(&Order) -> &'static [i64],
    ) -> Result<()> {
        let mut left: Vec<&Order> = orders.iter().filter(|o| !wanted(o).is_empty()).collect();
        for seconds in STEPS {
            self.numbers_taken(orders).await?;
            self.pass(seconds).await?;
            let mut since = Instant::now();
            while since.elapsed() < CALM {
                let before = left.len();
                left = self.not_there(left, &wanted).await?;
                if left.is_empty() {
                    return Ok(());
                }
                if left.len() < before {
                    since = Instant::now();
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        Ok(())
    }

    /// Nobody who has just paid is about to take a number: a minute later they would be sent home.
    async fn numbers_taken(&self, orders: &[Order]) -> Result<()> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let statuses = self.each(orders, |order| self.status(order)).await?;
            if !statuses.contains(&300) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!(
            "for {} s somebody has waited for a number",
            PATIENCE.as_secs()
        )
    }

    async fn not_there<'o>(
        &self,
        orders: Vec<&'o Order>,
        wanted: &impl Fn(&Order) -> &'static [i64],
    ) -> Result<Vec<&'o Order>> {
        let looked = self
            .each(orders, |order| async move {
                let is_there = wanted(order).contains(&self.status(order).await?);
                Ok((!is_there).then_some(order))
            })
            .await?;
        Ok(looked.into_iter().flatten().collect())
    }

    async fn status(&self, order: &Order) -> Result<i64> {
        let seen = self.look(order).await?;
        seen["statusCode"].as_i64().context("a status")
    }

    /// The order as operations see it.
    pub(super) async fn look(&self, order: &Order) -> Result<Value> {
        let path = format!("/orders/{}", order.id);
        self.client.get("operator1", &path).await
    }

    /// Whoever failed tries once more; some of them then pay the first one as well.
    async fn pay_again(&self, orders: &mut [Order], who: impl Fn(&Order) -> bool) -> Result<()> {
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

    async fn put_cancel(&self, order: &Order) -> Result<()> {
        let path = format!("/orders/{}/cancel", order.id);
        self.client.put(&order.patient, &path, json!({})).await?;
        Ok(())
    }

    /// Patients cancel while refunds have this weather.
    async fn cancel(&self, orders: &[Order], weather: Weather) -> Result<()> {
        let fault = match weather {
            Weather::RefusesRefunds(at) => Some((at, json!({ "refuseRefunds": "NOT_ENOUGH" }))),
            Weather::RefundsHang(at) => Some((at, json!({ "refundsHang": true }))),
            Weather::RefundsUntold(at) => Some((at, json!({ "unknownOutcome": "refund" }))),
            Weather::Calm
            | Weather::Down(_)
            | Weather::ClosesUntold(_)
            | Weather::CapturesUntold(_)
            | Weather::DropsCallbacks(_) => None,
        };
        if let Some((gateway, fault)) = &fault {
            self.faults_at(*gateway, fault.clone()).await?;
        }
        let cancels = orders
            .iter()
            .filter(|order| order.draft.course == Course::Cancelled);
        let cancelled = self.each(cancels, |order| self.put_cancel(order)).await;
        if let Some((gateway, _)) = fault {
            // The first try meets the fault.
            tokio::time::sleep(CALM).await;
            self.faults_at(gateway, json!({})).await?;
        }
        cancelled.map(drop)
    }

    /// The doctor sees the patient.
    async fn hold(&self, order: &Order) -> Result<()> {
        let path = |action: &str| format!("/orders/{}/{action}", order.id);
        let doctor = &order.doctor;
        let reason = json!({ "reason": "rehearsal" });
        self.client.post(doctor, &path("call"), reason).await?;
        self.client
            .post(&order.patient, &path("answer"), json!({}))
            .await?;
        self.client.post(doctor, &path("start"), json!({})).await?;
        let summary =
            json!({ "complaint": "头痛", "findings": "血压正常", "advice": "休息，多饮水" });
        self.client.post(doctor, &path("finish"), summary).await?;
        Ok(())
    }
}
