//! Commands per second through the engine and through HTTP, on both databases, beside what the
//! databases can do when the same rows are written by a bare loop and by pgbench in the same run.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it tells its figures as it goes"
)]

mod callbacks;
mod load;
mod processor;
mod program;
mod raw;
mod report;
mod rooms;

use anyhow::Result;
use callbacks::Outside;
use clap::Parser;
use engine::clock::{Clock, SystemClock};
use load::{as_fast_as_they_can, at_a_rate};
use program::{EngineClient, Server};
use report::{Line, Report};
use std::path::PathBuf;
use std::time::Duration;
use store::testing::{Fresh, fresh_postgres, fresh_sqlite};
use tokio_util::sync::CancellationToken;

/// How many ask at the same time.
const CLIENTS: [usize; 3] = [1, 8, 64];

/// How many commands the committer puts in a transaction at most, and the bare loop too.
const BATCH: usize = 64;

/// How many rooms are open at the same time.
const ROOMS: usize = 1_000;

/// Measures the program beside its limits. `cargo xtask bench` gives it all that it needs.
#[derive(Debug, Parser)]
struct Args {
    /// The server's program.
    #[arg(long)]
    server: PathBuf,
    /// PostgreSQL's load generator.
    #[arg(long)]
    pgbench: PathBuf,
    /// Where the results are written.
    #[arg(long)]
    out: PathBuf,
    /// How long each figure is measured, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// This database alone.
    #[arg(long, value_parser = ["SQLite", "PostgreSQL"])]
    only: Option<String>,
    /// This part alone; nothing is written then, unless `--write` says so.
    #[arg(long, value_parser = ["raw", "engine", "http", "rooms", "callbacks"])]
    part: Option<String>,
    /// Writes the results of a part, too: over the day's page, if there is one.
    #[arg(long)]
    write: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let mut report = Report::default();
    let wanted = |name: &str| args.only.as_ref().is_none_or(|only| only == name);
    let part = args.part.as_deref();
    let outside = match part {
        None | Some("callbacks") => Some(Outside::open().await?),
        Some(_) => None,
    };
    report.remark(format!("Load of the machine before: {}.", report::load()?));
    if let Some(outside) = &outside {
        callbacks::alone(outside, &mut report).await?;
    }
    for database in ["SQLite", "PostgreSQL"] {
        if wanted(database) {
            let bench = Bench::new(database, &args, &mut report);
            bench.run(outside.as_ref()).await?;
        }
    }
    report.remark(format!("Load of the machine after: {}.", report::load()?));
    if part.is_some() && !args.write {
        return Ok(());
    }
    let day: String = SystemClock.now().to_string().chars().take(10).collect();
    report.write(&args.out, &day)
}

/// One database's turn.
struct Bench<'a> {
    database: &'static str,
    args: &'a Args,
    report: &'a mut Report,
    lasting: Duration,
}

impl<'a> Bench<'a> {
    fn new(database: &'static str, args: &'a Args, report: &'a mut Report) -> Self {
        Self {
            database,
            args,
            report,
            lasting: Duration::from_secs(args.seconds),
        }
    }

    fn is_postgres(&self) -> bool {
        self.database == "PostgreSQL"
    }

    /// Each part gets a database of its own, so that none works on another's rows.
    async fn fresh(&self) -> Result<Fresh> {
        let fresh = if self.is_postgres() {
            fresh_postgres().await?
        } else {
            fresh_sqlite().await?
        };
        program::seed(&fresh.store).await?;
        Ok(fresh)
    }

    async fn run(mut self, outside: Option<&Outside>) -> Result<()> {
        let part = self.args.part.clone();
        let wanted = |name: &str| part.as_ref().is_none_or(|part| part == name);
        if wanted("raw") {
            self.raw().await?;
        }
        if wanted("engine") {
            self.engine().await?;
        }
        if wanted("http") {
            self.http().await?;
        }
        if wanted("rooms") {
            self.rooms().await?;
        }
        if let Some(outside) = outside {
            self.callbacks(outside).await?;
        }
        if part.is_none() {
            self.conclude();
        }
        Ok(())
    }

    async fn raw(&mut self) -> Result<()> {
        let connections = if self.is_postgres() { 2 } else { 1 };
        for (a_transaction, name, a_second) in [
            (1, "bare loop, 1 a transaction", 12_000),
            (BATCH, "bare loop, 64 a transaction", 50_000),
        ] {
            let fresh = self.fresh().await?;
            let seconds = usize::try_from(self.args.seconds)? + 1;
            let enough = a_second * seconds;
            let seen = raw::bare_loop(
                &fresh.store,
                connections,
                a_transaction,
                self.lasting,
                enough,
            )
            .await?;
            fresh.close().await?;
            self.report.add(self.database, name, connections, &seen);
        }
        if !self.is_postgres() {
            return Ok(());
        }
        for (a_transaction, name) in [
            (1, "pgbench, 1 a transaction"),
            (BATCH, "pgbench, 64 a transaction"),
        ] {
            for clients in [2, 8] {
                let fresh = self.fresh().await?;
                let (program, lasting) = (self.args.pgbench.clone(), self.lasting);
                let url = fresh.url.clone();
                let running = tokio::task::spawn_blocking(move || {
                    raw::pgbench(&program, &url, clients, a_transaction, lasting)
                });
                let per_second = running.await??;
                fresh.close().await?;
                self.report.push(Line {
                    database: self.database,
                    through: name.to_owned(),
                    clients,
                    per_second,
                    answers: None,
                    processor: None,
                });
            }
        }
        Ok(())
    }

    async fn engine(&mut self) -> Result<()> {
        let fresh = self.fresh().await?;
        let engine = program::engine(&fresh.store).await?;
        let stop = CancellationToken::new();
        let loops = engine.run(&stop);
        let many = |count: usize| (0..count).map(|_| EngineClient::new(&engine)).collect();
        for count in CLIENTS {
            let clients: Vec<EngineClient> = many(count);
            let seen = as_fast_as_they_can(clients, self.lasting).await?;
            self.report.add(self.database, "engine", count, &seen);
        }
        let half = self.report.of(self.database, "engine") / 2.0;
        let clients: Vec<EngineClient> = many(64);
        let seen = at_a_rate(clients, half, self.lasting).await?;
        self.report
            .add(self.database, "engine at half its load", 64, &seen);
        stop.cancel();
        for part in loops {
            part.await?;
        }
        fresh.close().await?;
        Ok(())
    }

    async fn http(&mut self) -> Result<()> {
        let fresh = self.fresh().await?;
        // SQLite's file is the server's alone.
        fresh.store.close().await;
        let keys = std::env::temp_dir().join(format!("xinglin-bench-keys-{}", std::process::id()));
        let server = Server::start(&self.args.server, &fresh.url, &keys).await?;
        for count in CLIENTS {
            let clients = self.connected(&server, count).await?;
            let seen = as_fast_as_they_can(clients, self.lasting).await?;
            self.report.add(self.database, "HTTP", count, &seen);
        }
        let half = self.report.of(self.database, "HTTP") / 2.0;
        let clients = self.connected(&server, 64).await?;
        let seen = at_a_rate(clients, half, self.lasting).await?;
        self.report
            .add(self.database, "HTTP at half its load", 64, &seen);
        let memory = server.memory()? / (1 << 20);
        self.report.remark(format!(
            "{}: the server held {memory} MiB of memory at most.",
            self.database
        ));
        server.stop().await?;
        std::fs::remove_dir_all(keys)?;
        fresh.close().await?;
        Ok(())
    }

    /// Rooms full of people, and a server that is killed among them.
    async fn rooms(&mut self) -> Result<()> {
        let fresh = self.fresh().await?;
        let orders = rooms::seed(&fresh.store, ROOMS).await?;
        fresh.store.close().await;
        let keys = std::env::temp_dir().join(format!("xinglin-bench-keys-{}", std::process::id()));
        let server = Server::start(&self.args.server, &fresh.url, &keys).await?;
        let (server, heard) = rooms::play(server, &orders, 4 * self.args.seconds).await?;
        let seconds = u32::try_from(4 * self.args.seconds)?;
        let lasting = Duration::from_secs(u64::from(seconds));
        let seen = load::Seen::of(heard.delays, lasting);
        self.report.add(self.database, "rooms", ROOMS, &seen);
        let memory = server.memory()? / (1 << 20);
        self.report.remark(format!(
            "{}: {ROOMS} rooms with two people each and a line a second in each, the server killed \
             once and started again: {} lines, none lost, none doubled, all in order; {memory} MiB \
             of memory at most.",
            self.database, heard.lines
        ));
        server.stop().await?;
        std::fs::remove_dir_all(keys)?;
        fresh.close().await?;
        Ok(())
    }

    async fn connected(&self, server: &Server, count: usize) -> Result<Vec<program::HttpClient>> {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(server.client().await?);
        }
        Ok(clients)
    }

    fn conclude(&mut self) {
        let of = |through: &str| self.report.of(self.database, through);
        let engine = of("engine");
        let batched = of("bare loop, 64 a transaction");
        let single = of("bare loop, 1 a transaction");
        let sentence = format!(
            "{}: the engine reaches {:.0} % of the bare loop with 64 commands a transaction, and {:.1} \
             times that with one.",
            self.database,
            100.0 * engine / batched,
            engine / single
        );
        self.report.remark(sentence);
    }
}
