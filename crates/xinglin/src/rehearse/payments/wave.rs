//! One wave: orders that share two sessions and their clock. Everything that happens by itself is
//! waited for; time is moved only where nothing moves any more.

use super::course::{Course, Draft, Weather};
use super::order::Order;
use super::{CALM, Stage};
use anyhow::Result;
use domain::payment::GatewayName;
use serde_json::json;

/// Until then a payment without a result is closed (spec 10, status 101), and a little more.
const RESULT_DUE: i64 = 310;

/// Whether the gateway says at once that a payment failed, and takes its money all the same if the
/// payer tries again; the others leave it open until it is closed.
fn fails_at_once(order: &Order) -> bool {
    order.draft.first.gateway == GatewayName::WECHAT
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

    pub(super) async fn put_cancel(&self, order: &Order) -> Result<()> {
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
