//! `rehearse`: patients, doctors and operations, played against a running demonstration, over HTTP
//! and WebSocket only. The same seed gives the same ends.

mod client;
mod payments;
mod play;
mod report;
mod script;

use anyhow::{Context, Result, bail};
use clap::Args;
use client::Client;
use indicatif::{ProgressBar, ProgressStyle};
use play::{Cast, Play, Stage};
use report::Report;
use script::Script;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How many orders share a wave: fewer than a department's doctors have places.
const WAVE: usize = 9;

/// From so many orders on, a clinic's day with 49 more is played before them.
const DAY_FROM: u32 = 100;

/// What `rehearse` can be told.
#[derive(Debug, Args)]
pub struct RehearseArgs {
    /// How many orders, 1 to 100,000.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    orders: u32,
    /// Instead of orders: a day of so many payments over all gateways, with faults, reconciled with
    /// planted differences; 150 to 20,000.
    #[arg(long, num_args = 0..=1, default_missing_value = "5000", conflicts_with = "orders",
        value_parser = clap::value_parser!(u32).range(150..=20_000))]
    payments: Option<u32>,
    /// What is drawn; the same seed gives the same ends.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Its sandbox.
    #[arg(long, default_value = "http://127.0.0.1:8090")]
    sandbox: String,
    /// Play over HTTP alone, without rooms: what is under way on a WebSocket ends with a server that is
    /// killed, and a request can be repeated.
    #[arg(long)]
    http_only: bool,
    /// How many seconds to wait for a server that went away.
    #[arg(long, default_value_t = 60)]
    wait_for_server: u64,
}

/// Plays, compares each end with what its script promised, and checks the books.
pub async fn run(args: RehearseArgs) -> Result<()> {
    let started = Instant::now();
    let patience = Duration::from_secs(args.wait_for_server);
    let client = Client::new(&args.url, &args.sandbox, patience)?;
    if let Some(count) = args.payments {
        return payments::run(&client, usize::try_from(count)?, args.seed, &args.url).await;
    }
    let cast = cast(&client).await?;
    let stage = Stage {
        client: &client,
        cast: &cast,
    };
    stage.calm().await?;
    let beside = if args.orders >= DAY_FROM {
        " and a clinic's day"
    } else {
        ""
    };
    println!(
        "{} orders{beside}, seed {}, against {}",
        args.orders, args.seed, args.url
    );
    let (mut played, mut stumbles, mut waits) = (Vec::new(), Vec::new(), None);
    if args.orders >= DAY_FROM {
        match stage.day(args.seed).await {
            Ok(day) => {
                played.extend(day.plays);
                waits = Some(day.waits);
            }
            Err(trouble) => {
                stumbles.push(format!("the clinic's day could not be played: {trouble:#}"));
                stage.calm().await?;
            }
        }
    }
    let waves = play(&stage, &args).await?;
    played.extend(waves.0);
    stumbles.extend(waves.1);
    let report = Report::of(&stage, &played, args.url.trim_end_matches('/')).await?;
    report.print();
    if let Some(waits) = waits {
        println!("\n{}", waits.words());
    }
    for stumble in &stumbles {
        println!("\n{stumble}");
    }
    let findings = client.get("admin1", "/admin/check").await?;
    let findings = findings.as_array().cloned().unwrap_or_default();
    for finding in &findings {
        println!(
            "check: {}: {}: {}",
            finding["rule"], finding["subject"], finding["words"]
        );
    }
    println!("\n{:.1} s", started.elapsed().as_secs_f64());
    let differences = report.differences();
    if differences + stumbles.len() + findings.len() > 0 {
        bail!(
            "{differences} orders ended otherwise than promised, {} waves could not be played to \
             their end, {} findings",
            stumbles.len(),
            findings.len()
        );
    }
    println!("Every order ended as promised, and the books agree.");
    Ok(())
}

/// Plays all waves; answers with their orders, and in words with what could not be played.
async fn play(
    stage: &Stage<'_>,
    args: &RehearseArgs,
) -> Result<(Vec<(Script, Play)>, Vec<String>)> {
    let mut scripts = script::draw(usize::try_from(args.orders)?, args.seed, args.http_only);
    // Whoever waits for an operator comes last: the clock must not decide in the operator's place.
    scripts.sort_by_key(|script| *script == Script::LeftToOperator);
    let bar = ProgressBar::new(u64::from(args.orders));
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} orders, {elapsed} {msg}",
    )?);
    let mut played: Vec<(Script, Play)> = Vec::new();
    let (mut stumbles, mut first) = (Vec::new(), 0);
    for wave in scripts
        .chunk_by(|a, b| a == b)
        .flat_map(|alike| alike.chunks(WAVE))
    {
        let Some(script) = wave.first().copied() else {
            continue;
        };
        bar.set_message(format!("{script:?}"));
        let done = stage.play(script, first, wave.len()).await;
        first += wave.len();
        played.extend(done.plays.into_iter().map(|play| (script, play)));
        if let Some(trouble) = done.trouble {
            stumbles.push(format!("{script:?} could not be played: {trouble:#}"));
            // The next wave is not to blame. Without a server, this ends the rehearsal.
            stage.calm().await?;
        }
        bar.inc(u64::try_from(wave.len())?);
    }
    bar.finish_and_clear();
    Ok((played, stumbles))
}

async fn cast(client: &Client) -> Result<Cast> {
    let departments = client.get("operator1", "/departments").await?;
    let departments = departments.as_array().context("departments")?;
    let listed = client.get("operator1", "/doctors?limit=100").await?;
    let listed = listed.as_array().cloned().unwrap_or_default();
    let mut doctors = Vec::new();
    for number in 1..=12 {
        let login = format!("doctor{number}");
        let me = client.get(&login, "/auth/me").await?;
        let id = me["user"]["id"]
            .as_str()
            .context("a doctor without an id")?
            .to_owned();
        let row = listed.iter().find(|doctor| doctor["id"] == id.as_str());
        let department = row.and_then(|row| row["department"]["id"].as_str());
        doctors.push((
            login,
            id,
            department
                .context("a doctor without a department")?
                .to_owned(),
        ));
    }
    let id = |row: &Value| row["id"].as_str().map(str::to_owned);
    Ok(Cast {
        doctors,
        departments: departments.iter().filter_map(id).collect(),
    })
}
