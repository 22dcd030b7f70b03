//! A day of payments over all gateways, with faults, reconciled with differences planted into the
//! bills: everything must end as promised, every planted difference be found under its name, nothing
//! else remain unexplained, and the books hold what the gateways hold.

mod books;
mod course;
mod end;
mod finding;
mod lines;
mod order;
mod paying;
mod planting;
mod repairing;
mod report;
mod sessions;
mod shapes;
mod waiting;
mod wave;

use super::client::Client;
use anyhow::{Result, bail};
use course::{draw, weather};
use domain::{Span, Ts};
use end::When;
use futures::stream::{StreamExt, TryStreamExt, iter};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use order::Order;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// So many requests are under way at a time.
const AT_ONCE: usize = 24;
/// Waves share their sessions and their clock; a day has so many, so that each has some hundred payments.
const WAVES: std::ops::RangeInclusive<usize> = 7..=50;
const PAYMENTS_OF_A_WAVE: usize = 100;
/// From the beginning of the first wave to the end of the last one.
const DAY_LASTS: Span = Span::minutes(22 * 60 + 30);
/// Of a hundred payments and refunds, so many are hit by chance.
const HIT_PERCENT: u8 = 15;
/// How long an answer that chance makes slow is held back.
const SLOW_MILLIS: u32 = 20;
/// How long to wait for what the server does by itself before time is moved.
const CALM: Duration = Duration::from_millis(400);
/// How often something is looked at.
const LOOK: Duration = Duration::from_millis(40);

/// The day under way.
struct Stage<'a> {
    client: &'a Client,
    seed: u64,
    /// The day, by Beijing's calendar, and its first instant.
    day: Date,
    begins: Ts,
}

/// Plays the day, reconciles it, repairs what was planted, and holds everything against its promise.
pub async fn run(client: &Client, payments: usize, seed: u64, url: &str) -> Result<()> {
    let stage = Stage::open(client, seed).await?;
    println!(
        "{payments} payments on {}, seed {seed}, against {url}",
        stage.day
    );
    let done = stage.whole_day(payments, url).await;
    // Whatever came of it, nothing stays broken.
    let calm = stage.clear_skies().await;
    done.and(calm)
}

impl<'a> Stage<'a> {
    async fn whole_day(&self, payments: usize, url: &str) -> Result<()> {
        let started = Instant::now();
        let before = self.books().await?;
        let orders = self.play(payments).await?;
        let played = started.elapsed();

        self.settle(&orders).await?;
        let mut wrong = self.ends(&orders, When::BeforeReconciliation).await?.wrong;
        let mut planted = self.plant(&orders).await?;
        self.pass_to_reconciliation().await?;
        let left_open = self.left_open(&mut planted, &orders).await?;
        wrong.extend(planted.missing);
        let found = self.reconcile().await?;
        let compared = finding::compare(&found, &planted.expected);
        wrong.extend(compared.wrong(url));
        let repaired = self.repair(&found).await?;
        wrong.extend(repaired.wrong.iter().cloned());
        self.end_odd_ones(&orders, &left_open).await?;
        wrong.extend(self.ends(&[left_open.0], When::AtLast).await?.wrong);
        let ends = self.ends(&orders, When::AtLast).await?;
        wrong.extend(ends.wrong);
        let made: usize = ends.rows.values().map(|row| row.payments).sum();
        if made != payments {
            wrong.push(format!("{made} payments were made"));
        }
        let after = self.books().await?;
        let (lines, apart) = books::agree(&before, &after, &repaired, &planted.expected);
        wrong.extend(apart);
        wrong.extend(self.findings().await?);

        report::payments(&ends.rows);
        report::faults(&orders, &weather(waves(payments), self.seed));
        report::differences(&compared, &repaired);
        report::books(&lines);
        println!(
            "\n{:.1} s in all: {:.1} s for the day, {:.1} s to settle, reconcile and repair it",
            started.elapsed().as_secs_f64(),
            played.as_secs_f64(),
            (started.elapsed() - played).as_secs_f64()
        );
        report::judge(&compared, &wrong)
    }

    /// Takes back what an earlier rehearsal left broken, and goes to the beginning of the next day.
    async fn open(client: &'a Client, seed: u64) -> Result<Self> {
        let mut stage = Self {
            client,
            seed,
            day: Date::default(),
            begins: Ts::from_micros(0),
        };
        stage.clear_skies().await?;
        stage.fees().await?;
        let now = stage.now().await?;
        let today = order::beijing(now);
        stage.day = today.tomorrow()?;
        stage.begins = order::begins(stage.day)?;
        stage.pass_until(stage.begins + Span::seconds(10)).await?;
        let random = json!({ "random": { "seed": seed, "percent": HIT_PERCENT, "slowMillis": SLOW_MILLIS } });
        client.control(Method::PUT, "/faults", &random).await?;
        Ok(stage)
    }

    /// Plays all waves.
    async fn play(&self, payments: usize) -> Result<Vec<Order>> {
        let drafts = draw(payments, self.seed);
        let waves = waves(payments);
        let weather = weather(waves, self.seed);
        let bar = ProgressBar::new(u64::try_from(payments)?);
        bar.set_style(ProgressStyle::with_template(
            "{bar:40} {pos}/{len} payments, {elapsed} {msg}",
        )?);
        let mut orders = Vec::new();
        let size = drafts.len().div_ceil(waves);
        for (number, (drafts, weather)) in drafts.chunks(size).zip(weather).enumerate() {
            let share = i64::try_from(number)? * DAY_LASTS.as_seconds() / i64::try_from(waves)?;
            self.pass_until(self.begins + Span::seconds(10 + share))
                .await?;
            bar.set_message(format!("{weather:?}"));
            let first = orders.len();
            orders.extend(self.wave(number, first, drafts, weather).await?);
            let made: usize = drafts.iter().map(|draft| draft.course.payments()).sum();
            bar.inc(u64::try_from(made)?);
        }
        bar.finish_and_clear();
        Ok(orders)
    }

    async fn now(&self) -> Result<Ts> {
        let nothing = json!({});
        let clock = self.client.control(Method::GET, "/clock", &nothing);
        let clock = clock.await?;
        Ok(Ts::parse(clock["now"].as_str().unwrap_or_default())?)
    }

    /// Lets time pass until then; not at all if it is later already.
    async fn pass_until(&self, then: Ts) -> Result<()> {
        loop {
            let left = then.since(self.now().await?);
            if left <= Span::ZERO {
                return Ok(());
            }
            let body = json!({ "seconds": left.as_seconds() + 1 });
            self.client
                .control(Method::POST, "/clock/advance", &body)
                .await?;
        }
    }

    async fn pass(&self, seconds: i64) -> Result<()> {
        let then = self.now().await? + Span::seconds(seconds);
        self.pass_until(then).await
    }

    /// All faults are over.
    async fn clear_skies(&self) -> Result<()> {
        self.client
            .control(Method::PUT, "/faults", &json!({}))
            .await?;
        for gateway in course::gateways() {
            self.faults_at(gateway, json!({})).await?;
        }
        Ok(())
    }

    async fn faults_at(&self, gateway: domain::payment::GatewayName, faults: Value) -> Result<()> {
        let path = format!("/faults?gateway={gateway}");
        self.client.control(Method::PUT, &path, &faults).await?;
        Ok(())
    }

    /// The same step for each, many at once.
    async fn each<T, R, F>(
        &self,
        all: impl IntoIterator<Item = T>,
        step: impl Fn(T) -> F,
    ) -> Result<Vec<R>>
    where
        F: Future<Output = Result<R>>,
    {
        iter(all.into_iter().map(step))
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    /// What the check of all books says.
    async fn findings(&self) -> Result<Vec<String>> {
        let findings = self.client.get("admin1", "/admin/check").await?;
        let findings = findings.as_array().cloned().unwrap_or_default();
        let words = |finding: &Value| {
            format!(
                "check: {}: {}: {}",
                finding["rule"], finding["subject"], finding["words"]
            )
        };
        Ok(findings.iter().map(words).collect())
    }
}

/// So many waves a day of so many payments has.
fn waves(payments: usize) -> usize {
    (payments / PAYMENTS_OF_A_WAVE).clamp(*WAVES.start(), *WAVES.end())
}

/// A text that must be there.
fn text(value: &Value) -> Result<String> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => bail!("{value} is no text"),
    }
}
