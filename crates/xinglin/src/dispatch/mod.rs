//! `dispatch replay`: a day's offers once more, under other weights.

mod words;

use crate::config::DatabaseArgs;
use crate::language::LanguageName;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use domain::consultation::replay::{Replay, Replaying, WeightChanges};
use domain::{Calendar, Ts, UserId};
use engine::clock::{Clock, SystemClock};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::HashMap;
use store::{RankingsAfter, Store};

/// How many offers are read at a time.
const A_PART: u32 = 200;

/// What can be asked of the dispatcher.
#[derive(Debug, Args)]
pub struct DispatchArgs {
    #[command(subcommand)]
    command: DispatchCommand,
}

#[derive(Debug, Subcommand)]
enum DispatchCommand {
    /// Run a day's offers through other weights: who would have been asked instead, and how evenly.
    ///
    /// It only reads; like every start, it brings an older database up to date. What a changed choice does to the doctors' loads and to the
    /// times of their last orders is carried forward to the later offers of the day. What nobody can
    /// know stays as it was: when orders came; that each offer ended as it did and kept its doctor
    /// busy for as long as it did, whoever had it; acceptance rates and ratings; and doctors who
    /// were no candidates then, because they were away, had no room, or stood below the 50 best.
    Replay(ReplayArgs),
}

#[derive(Debug, Args)]
struct ReplayArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The day in the hospital's time zone, such as 2026-03-02.
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: String,
    /// Weights to replace, such as speciality=300,fairness=200: of speciality, acceptance, load,
    /// fairness, rating, continuity. The others stay what they were for each offer.
    #[arg(long, value_name = "NAME=NUMBER,...")]
    weights: Option<String>,
    /// One JSON document instead of words.
    #[arg(long)]
    json: bool,
    /// The words' language.
    #[arg(long, value_enum, default_value = "en")]
    language: LanguageName,
}

/// A day that was replayed, with what its words need.
struct Replayed {
    day: Date,
    zone: String,
    weights: Option<String>,
    replay: Replay,
    names: HashMap<UserId, String>,
}

/// `dispatch ...`.
pub async fn run(args: DispatchArgs) -> Result<()> {
    let DispatchCommand::Replay(args) = args.command;
    let calendar = Calendar::default();
    let day = Day::read(&args.day, &calendar)?;
    let changes = match &args.weights {
        Some(text) => text.parse().context("--weights")?,
        None => WeightChanges::default(),
    };
    let store = args.database.open().await?;
    let replayed = replayed(&store, &day, changes, &calendar).await;
    store.close().await;
    let (replay, names) = replayed?;
    let replayed = Replayed {
        day: day.date,
        zone: zone(&calendar),
        weights: args.weights,
        replay,
        names,
    };
    if args.json {
        println!("{:#}", replayed.json()?);
    } else {
        print!("{}", words::of(&replayed, args.language.into()));
    }
    Ok(())
}

fn zone(calendar: &Calendar) -> String {
    calendar.zone.iana_name().unwrap_or("+08:00").to_owned()
}

/// A day, and when it begins and ends.
struct Day {
    date: Date,
    from: Ts,
    until: Ts,
}

impl Day {
    fn read(given: &str, calendar: &Calendar) -> Result<Self> {
        let wrong = || format!("--day is `{given}`: it must be a day such as 2026-03-02");
        let date: Date = given.parse().with_context(wrong)?;
        // Other forms of a date, with a time or without hyphens, are read too and not meant.
        if date.to_string() != given {
            bail!(wrong());
        }
        let begin = |date: Date| -> Result<Ts> {
            let midnight = date.to_zoned(calendar.zone.clone()).with_context(wrong)?;
            Ok(midnight.timestamp().into())
        };
        Ok(Self {
            date,
            from: begin(date)?,
            until: begin(date.tomorrow().with_context(wrong)?)?,
        })
    }
}

async fn replayed(
    store: &Store,
    day: &Day,
    changes: WeightChanges,
    calendar: &Calendar,
) -> Result<(Replay, HashMap<UserId, String>)> {
    let mut replaying = Replaying::new(changes);
    let mut after = RankingsAfter::from(day.from);
    loop {
        let (offers, last) = store.past_offers(after, day.until, A_PART).await?;
        if offers.is_empty() {
            break;
        }
        for offer in &offers {
            replaying.take(offer);
        }
        after = last;
    }
    let replay = replaying.finish();
    if replay.assignments == 0 {
        return Err(nothing_on(store, day, calendar).await?);
    }
    let people = replay.doctors.iter().map(|row| row.doctor).collect();
    let names = store.doctor_names(&people).await?;
    Ok((replay, names))
}

/// Why there is nothing to replay on a day, and which days would do.
async fn nothing_on(store: &Store, day: &Day, calendar: &Calendar) -> Result<anyhow::Error> {
    let today = calendar.day(SystemClock.now());
    let why = if day.date > today {
        format!(
            "it is in the future (today is {today} in {})",
            zone(calendar)
        )
    } else {
        "no order was offered to a doctor on it".to_owned()
    };
    let known = store.first_and_last_ranking().await?;
    let which = known.map_or_else(
        || "there are no offers in this database yet".to_owned(),
        |(first, last)| {
            let (first, last) = (calendar.day(first), calendar.day(last));
            format!("offers are known from {first} to {last}")
        },
    );
    Ok(anyhow::anyhow!("--day is `{}`: {why}; {which}", day.date))
}

impl Replayed {
    fn name(&self, doctor: UserId) -> String {
        let known = self.names.get(&doctor);
        known.cloned().unwrap_or_else(|| doctor.to_string())
    }

    fn json(&self) -> Result<Value> {
        let mut value = serde_json::to_value(&self.replay)?;
        value["day"] = json!(self.day);
        value["zone"] = json!(self.zone);
        value["weights"] = json!(self.weights);
        let doctors = self.replay.doctors.iter().map(|row| {
            json!({
                "id": row.doctor, "name": self.names.get(&row.doctor),
                "before": row.before, "after": row.after,
            })
        });
        value["doctors"] = doctors.collect();
        Ok(value)
    }
}
