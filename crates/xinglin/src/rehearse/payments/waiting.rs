//! Waiting: for what happens by itself in real time, and by the clock where nothing moves.

use super::order::Order;
use super::{CALM, LOOK, Stage};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::iter::repeat_n;
use std::time::{Duration, Instant};

/// How long the server may take for what it does by itself, in real time.
const PATIENCE: Duration = Duration::from_secs(30);
/// By then the gateway has been asked for the first time (spec 20: after 10 seconds).
const FIRST_QUERY: i64 = 12;
/// How far the clock goes for what has not arrived yet, and how often at most.
const STEPS: [(i64, usize); 5] = [(0, 1), (FIRST_QUERY, 1), (20, 1), (30, 1), (60, 10)];

impl Stage<'_> {
    /// Waits until each order stands where it should, and moves time where nothing comes by itself.
    /// Whoever never gets there is told of at the end.
    pub(super) async fn reach(
        &self,
        orders: &[Order],
        wanted: impl Fn(&Order) -> &'static [i64],
    ) -> Result<()> {
        let mut left: Vec<&Order> = orders.iter().filter(|o| !wanted(o).is_empty()).collect();
        let steps = STEPS.iter();
        for seconds in steps.flat_map(|(seconds, times)| repeat_n(*seconds, *times)) {
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
    pub(super) async fn numbers_taken(&self, orders: &[Order]) -> Result<()> {
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
}
