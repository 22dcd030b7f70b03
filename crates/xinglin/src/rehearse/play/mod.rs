//! One wave: orders with the same script, moved in step, so that the clock may be moved for all of
//! them at once. Each theme of the specification has a file of its own.

mod clinic;
mod day;
mod finding;
mod paying;
mod refunding;
mod room;
mod serving;
mod steps;
mod talking;

use super::client::Client;
use super::script::{End, Script, Theme};
use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long an order may take, in real time, to get where its script says.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(60);
/// How long an order's last money may take to arrive.
const SETTLES: Duration = Duration::from_mins(1);

/// Doctors and departments of the server.
pub struct Cast {
    /// Sign-in name, id, department.
    pub doctors: Vec<(String, String, String)>,
    /// Their ids.
    pub departments: Vec<String>,
}

/// An order being played.
#[derive(Debug, Clone)]
pub struct Play {
    /// Its id.
    pub order: String,
    /// Whose.
    pub patient: String,
    /// Fen.
    pub price: i64,
}

/// A wave that was played.
pub struct Wave {
    /// Its orders.
    pub plays: Vec<Play>,
    /// Why it could not be played to its end.
    pub trouble: Option<anyhow::Error>,
}

/// What plays a wave.
pub struct Stage<'a> {
    /// The server.
    pub client: &'a Client,
    /// Its people.
    pub cast: &'a Cast,
}

impl Stage<'_> {
    /// Plays so many orders of one script to their end. Trouble ends the wave, not the rehearsal.
    pub async fn play(&self, script: Script, first: usize, count: usize) -> Wave {
        let patients: Vec<String> = (first..first + count)
            .map(|number| format!("patient{}", number % 50 + 1))
            .collect();
        let mut plays = Vec::new();
        let played = self.play_into(script, &patients, &mut plays).await;
        Wave {
            plays,
            trouble: played.err(),
        }
    }

    async fn play_into(
        &self,
        script: Script,
        patients: &[String],
        plays: &mut Vec<Play>,
    ) -> Result<()> {
        if script.theme() == Theme::Clinic {
            self.clinic(script, patients, plays).await?;
        } else {
            let bookings = patients.iter().enumerate().map(|(number, patient)| {
                // Without doctors only one department is emptied; the others keep working.
                let emptied = matches!(script, Script::NoDoctor | Script::CancelledWaiting);
                let kind = match script {
                    Script::VideoHeld | Script::VideoFailed => "video",
                    _ => "text",
                };
                self.book_dispatch(patient, if emptied { 0 } else { number % 3 }, kind)
            });
            *plays = try_join_all(bookings).await?;
            match script.theme() {
                Theme::Paying => self.paying(script, plays).await?,
                Theme::Finding => self.finding(script, plays).await?,
                Theme::Serving => self.serving(script, plays).await?,
                Theme::Talking => self.talking(script, plays).await?,
                Theme::Refunding | Theme::Clinic => self.refunding(script, plays).await?,
            }
        }
        // Nothing of a wave is under way when the next one moves the clock or breaks something.
        self.all(plays, |p| self.settled(p, script.end(p.price)))
            .await
    }

    /// Takes back whatever an earlier rehearsal, or a wave that stumbled, left broken.
    pub async fn calm(&self) -> Result<()> {
        self.client
            .control(Method::PUT, "/faults", &json!({}))
            .await?;
        self.maintenance(&json!({ "dispatchPaused": false, "numbersPaused": false }))
            .await?;
        self.everybody(true).await
    }

    /// Waits until an order has ended as promised, or for so long that it never will.
    pub(super) async fn settled(&self, play: &Play, promised: End) -> Result<()> {
        let since = Instant::now();
        while self.stands(play).await? != promised && since.elapsed() < SETTLES {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Where an order and its money stand.
    pub async fn stands(&self, play: &Play) -> Result<End> {
        let order = self.look(play).await?;
        let number = |value: &Value| value.as_i64().unwrap_or(-1);
        Ok(End {
            status: number(&order["statusCode"]),
            paid: number(&order["paid"]["amount"]),
            back: number(&order["refunded"]["amount"]),
        })
    }

    /// The order as operations see it.
    async fn look(&self, play: &Play) -> Result<Value> {
        let path = format!("/orders/{}", play.order);
        self.client.get("operator1", &path).await
    }

    /// Waits until an order stands in one of these statuses.
    async fn until(&self, play: &Play, statuses: &[i64]) -> Result<Value> {
        self.until_that(play, &format!("in {statuses:?}"), |order| {
            let status = order["statusCode"].as_i64();
            status.is_some_and(|status| statuses.contains(&status))
        })
        .await
    }

    /// Waits until something holds of an order.
    async fn until_that(
        &self,
        play: &Play,
        what: &str,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let since = Instant::now();
        loop {
            let order = self.look(play).await?;
            if holds(&order) {
                return Ok(order);
            }
            if since.elapsed() > PATIENCE {
                bail!(
                    "order {} is {}, and was expected to be {what}",
                    play.order,
                    order["status"]
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until all orders stand in one of these statuses.
    async fn reach(&self, plays: &[Play], statuses: &[i64]) -> Result<()> {
        self.all(
            plays,
            |p| async move { self.until(p, statuses).await.map(drop) },
        )
        .await
    }

    /// Waits until the deadline that passes next is, or is not, the one for a lost doctor: the clock
    /// may be moved only when the server has seen the doctor go or come.
    async fn reach_lost(&self, plays: &[Play], lost: bool) -> Result<()> {
        self.all(plays, |p| async move {
            let what = if lost { "without" } else { "with" };
            self.until_that(p, &format!("{what} its doctor"), |order| {
                (order["deadline"]["name"] == "doctor_lost") == lost
            })
            .await
            .map(drop)
        })
        .await
    }

    /// The same step with every order, at once.
    async fn all<'p, F>(&self, plays: &'p [Play], step: impl Fn(&'p Play) -> F) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        try_join_all(plays.iter().map(step)).await.map(drop)
    }

    /// Does something while the gateway has a fault, which ends whatever came of it.
    async fn with_fault<T>(
        &self,
        fault: Value,
        acts: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.client.control(Method::PUT, "/faults", &fault).await?;
        let done = acts.await;
        self.client
            .control(Method::PUT, "/faults", &json!({}))
            .await?;
        done
    }

    /// Does something while a part of the program stands still, which goes on whatever came of it.
    async fn with_pause<T>(&self, part: &str, acts: impl Future<Output = Result<T>>) -> Result<T> {
        let mut value = json!({ "dispatchPaused": false, "numbersPaused": false });
        value[part] = json!(true);
        self.maintenance(&value).await?;
        let done = acts.await;
        value[part] = json!(false);
        self.maintenance(&value).await?;
        done
    }

    /// Sets what stands still, unless it is so already.
    async fn maintenance(&self, value: &Value) -> Result<()> {
        let path = "/admin/configs/maintenance";
        let now = self.client.get("admin1", path).await?;
        if now["value"] == *value {
            return Ok(());
        }
        let body = json!({ "value": value, "version": now["version"] });
        self.client.put("admin1", path, body).await.map(drop)
    }

    async fn clock(&self) -> Result<String> {
        let nothing = json!({});
        let clock = self.client.control(Method::GET, "/clock", &nothing);
        text(&clock.await?["now"])
    }

    /// Lets time pass, once, however often it has to be asked for.
    async fn pass(&self, seconds: i64) -> Result<()> {
        let target = domain::Ts::parse(&self.clock().await?)? + domain::Span::seconds(seconds);
        loop {
            let now = domain::Ts::parse(&self.clock().await?)?;
            let left = target.since(now);
            if left == domain::Span::ZERO {
                return Ok(());
            }
            let body = json!({ "seconds": left.as_seconds() + 1 });
            self.client
                .control(Method::POST, "/clock/advance", &body)
                .await?;
        }
    }

    async fn pass_minutes(&self, minutes: i64) -> Result<()> {
        self.pass(minutes * 60).await
    }
}

fn text(value: &Value) -> Result<String> {
    Ok(value
        .as_str()
        .with_context(|| format!("{value} is no text"))?
        .to_owned())
}
