//! Load: clients that ask one thing after the other, or at a given rate, and how long each answer
//! took.

use anyhow::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// What is left out at the beginning: caches fill, statements are prepared, connections open.
pub const WARM_UP: Duration = Duration::from_secs(1);

/// Somebody who asks for one command after the other.
pub trait Client: Send + 'static {
    /// Asks, and waits for the answer.
    fn command(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Commands answered a second.
    pub per_second: f64,
    /// How long an answer took.
    pub p50: Duration,
    /// How long the slowest of a hundred took.
    pub p99: Duration,
    /// How many there were.
    pub count: u32,
    /// What each took of the processor, where that was looked at.
    pub processor: Option<Duration>,
}

impl Seen {
    /// Of transactions that hold so many commands each.
    pub fn of_batches(transactions: Vec<Duration>, commands: usize, within: Duration) -> Self {
        let commands = u32::try_from(commands).unwrap_or(u32::MAX);
        let seen = Self::of(transactions, within);
        Self {
            per_second: seen.per_second * f64::from(commands),
            ..seen
        }
    }

    /// Of answers one by one.
    pub fn of(mut answers: Vec<Duration>, within: Duration) -> Self {
        answers.sort_unstable();
        let at = |percent: usize| {
            let place = (answers.len() * percent / 100).min(answers.len().saturating_sub(1));
            answers.get(place).copied().unwrap_or_default()
        };
        let count = u32::try_from(answers.len()).unwrap_or(u32::MAX);
        Self {
            per_second: f64::from(count) / within.as_secs_f64(),
            p50: at(50),
            p99: at(99),
            count,
            processor: None,
        }
    }

    /// All of them together took so much of the processor.
    #[must_use]
    pub fn taking(self, processor: Duration) -> Self {
        Self {
            processor: processor.checked_div(self.count),
            ..self
        }
    }
}

/// Each client asks again as soon as it is answered.
pub async fn as_fast_as_they_can(clients: Vec<impl Client>, lasting: Duration) -> Result<Seen> {
    let begin = Instant::now() + WARM_UP;
    let end = begin + lasting;
    let mut running = JoinSet::new();
    for mut client in clients {
        running.spawn(async move {
            let mut answers = Vec::new();
            loop {
                let asked = Instant::now();
                if asked >= end {
                    return anyhow::Ok(answers);
                }
                client.command().await?;
                if asked >= begin {
                    answers.push(asked.elapsed());
                }
            }
        });
    }
    gather(running, lasting).await
}

/// Each client asks again as soon as it is answered, until all together asked so many times. Nothing
/// is left out at the beginning.
pub async fn so_many(clients: Vec<impl Client>, commands: usize) -> Result<Seen> {
    let next = Arc::new(AtomicUsize::new(0));
    let begin = Instant::now();
    let mut running = JoinSet::new();
    for mut client in clients {
        let next = Arc::clone(&next);
        running.spawn(async move {
            let mut answers = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < commands {
                let asked = Instant::now();
                client.command().await?;
                answers.push(asked.elapsed());
            }
            anyhow::Ok(answers)
        });
    }
    let mut answers = Vec::with_capacity(commands);
    while let Some(client) = running.join_next().await {
        answers.extend(client??);
    }
    Ok(Seen::of(answers, begin.elapsed()))
}

/// All clients together ask so many commands a second, evenly. An answer's time counts from the
/// moment at which it was to be asked for, so that a pause of the server is not hidden by clients
/// who wait.
pub async fn at_a_rate(
    clients: Vec<impl Client>,
    per_second: f64,
    lasting: Duration,
) -> Result<Seen> {
    let start = Instant::now();
    let begin = start + WARM_UP;
    let end = begin + lasting;
    let many = u32::try_from(clients.len()).unwrap_or(u32::MAX);
    let each = Duration::from_secs_f64(f64::from(many) / per_second.max(1.0));
    let mut running = JoinSet::new();
    for (place, mut client) in (0_u32..).zip(clients) {
        running.spawn(async move {
            let mut answers = Vec::new();
            let mut due = start + each * place / many;
            while due < end {
                sleep_until(due).await;
                client.command().await?;
                if due >= begin {
                    answers.push(due.elapsed());
                }
                due += each;
            }
            anyhow::Ok(answers)
        });
    }
    gather(running, lasting).await
}

async fn gather(mut running: JoinSet<Result<Vec<Duration>>>, within: Duration) -> Result<Seen> {
    let mut answers = Vec::new();
    while let Some(client) = running.join_next().await {
        answers.extend(client??);
    }
    Ok(Seen::of(answers, within))
}
