//! `rehearse`: patients, doctors and operations, played against a running demonstration, over HTTP
//! only. The same seed gives the same ends.

mod client;
mod play;
mod script;

use anyhow::{Context, Result, bail};
use clap::Args;
use client::Client;
use domain::consultation::ConsultationStatus;
use domain::lifecycle::{Language, Status};
use indicatif::{ProgressBar, ProgressStyle};
use play::{Cast, Play, Stage};
use script::{End, Script};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How many orders share a wave: fewer than a department's doctors have places.
const WAVE: usize = 9;
/// How long an order's last money may take to arrive.
const SETTLES: Duration = Duration::from_secs(60);

/// What `rehearse` can be told.
#[derive(Debug, Args)]
pub struct RehearseArgs {
    /// How many orders, 1 to 100,000.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    orders: u32,
    /// What is drawn; the same seed gives the same ends.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Its sandbox.
    #[arg(long, default_value = "http://127.0.0.1:8090")]
    sandbox: String,
    /// How many seconds to wait for a server that went away.
    #[arg(long, default_value_t = 60)]
    wait_for_server: u64,
}

/// Plays, compares each end with what its script promised, and checks the books.
pub async fn run(args: RehearseArgs) -> Result<()> {
    let started = Instant::now();
    let patience = Duration::from_secs(args.wait_for_server);
    let client = Client::new(&args.url, &args.sandbox, patience)?;
    let cast = cast(&client).await?;
    let stage = Stage {
        client: &client,
        cast: &cast,
    };
    for department in 0..cast.departments.len() {
        stage.presence(department, true).await?;
    }
    println!(
        "{} orders, seed {}, against {}",
        args.orders, args.seed, args.url
    );
    let mut scripts = script::draw(usize::try_from(args.orders)?, args.seed);
    // Whoever waits for an operator comes last: the clock must not decide in the operator's place.
    scripts.sort_by_key(|script| *script == Script::LeftToOperator);
    let bar = ProgressBar::new(u64::from(args.orders));
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} orders, {elapsed} {msg}",
    )?);
    let mut played: Vec<(Script, Play)> = Vec::new();
    for wave in scripts
        .chunk_by(|a, b| a == b)
        .flat_map(|alike| alike.chunks(WAVE))
    {
        let Some(script) = wave.first().copied() else {
            continue;
        };
        bar.set_message(format!("{script:?}"));
        let plays = stage.play(script, played.len(), wave.len()).await;
        let plays = plays.with_context(|| format!("while playing {script:?}"))?;
        played.extend(plays.into_iter().map(|play| (script, play)));
        bar.inc(u64::try_from(wave.len())?);
    }
    bar.finish_and_clear();
    let differences = compare(&stage, &played).await?;
    let findings = client.get("admin1", "/admin/check").await?;
    let findings = findings.as_array().cloned().unwrap_or_default();
    for finding in &findings {
        println!(
            "check: {}: {}: {}",
            finding["rule"], finding["subject"], finding["words"]
        );
    }
    println!("{:.1} s", started.elapsed().as_secs_f64());
    if differences + findings.len() > 0 {
        bail!(
            "{differences} orders ended otherwise than promised, {} findings",
            findings.len()
        );
    }
    println!("Every order ended as promised, and the books agree.");
    Ok(())
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

/// Prints the table of ends, and every end that is not the promised one.
async fn compare(stage: &Stage<'_>, played: &[(Script, Play)]) -> Result<usize> {
    let mut ends: BTreeMap<i64, (usize, i64, i64)> = BTreeMap::new();
    let mut differences = 0;
    for (script, play) in played {
        let promised = script.end(play.price);
        let got = settled(stage, play, promised).await?;
        let row = ends.entry(got.status).or_default();
        *row = (row.0 + 1, row.1 + got.paid, row.2 + got.back);
        if got != promised {
            differences += 1;
            println!(
                "{script:?}, order {}: promised {promised:?}, got {got:?}",
                play.order
            );
        }
    }
    println!(
        "{:>6}  {:<22} {:>6} {:>12} {:>12} {:>12}",
        "status", "", "orders", "money in", "money back", "held"
    );
    let line = |status: &str, label: &str, (orders, paid, back): (usize, i64, i64)| {
        println!(
            "{status:>6}  {label:<22} {orders:>6} {:>12} {:>12} {:>12}",
            yuan(paid),
            yuan(back),
            yuan(paid - back)
        );
    };
    let mut all = (0, 0, 0);
    for (status, row) in &ends {
        let known = u16::try_from(*status)
            .ok()
            .and_then(ConsultationStatus::from_code);
        line(
            &status.to_string(),
            known.map_or("", |s| s.label(Language::En)),
            *row,
        );
        all = (all.0 + row.0, all.1 + row.1, all.2 + row.2);
    }
    line("", "all", all);
    Ok(differences)
}

/// Where an order stands when its money has arrived.
async fn settled(stage: &Stage<'_>, play: &Play, promised: End) -> Result<End> {
    let since = Instant::now();
    loop {
        let order = stage.look(play).await?;
        let number = |value: &Value| value.as_i64().unwrap_or(-1);
        let got = End {
            status: number(&order["statusCode"]),
            paid: number(&order["paid"]["amount"]),
            back: number(&order["refunded"]["amount"]),
        };
        if got == promised || since.elapsed() > SETTLES {
            return Ok(got);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
