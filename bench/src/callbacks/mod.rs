//! Notices of gateways, verified and committed: genuine ones, each of a payment that waits for it,
//! told to the engine as the API tells them, and to the server over HTTP; beside them what the check
//! of a signature costs alone on the same machine.

mod bare;
mod outside;
mod telling;
mod waiting;

pub use outside::Outside;

use crate::Bench;
use crate::load::{Client, Seen, WARM_UP, at_a_rate, so_many};
use crate::processor;
use crate::program::Server;
use crate::report::{Line, Report};
use anyhow::{Result, ensure};
use domain::lifecycle::Status;
use engine::clock::SystemClock;
use engine::{Engine, EngineConfig, Gateways, NoticeOutcome};
use outside::{GATEWAYS, Gateway, PRICE, Waiting};
use std::process;
use std::sync::Arc;
use std::time::Duration;
use store::{Store, StoreOptions};
use telling::{Pile, ToEngine, ToServer};
use tokio_util::sync::CancellationToken;

/// How many tell at the same time.
const TELLERS: usize = 64;
/// How many notices all of them tell for each second of measuring.
const TOGETHER_A_SECOND: usize = 4_000;
/// How many one alone tells.
const ALONE_A_SECOND: usize = 400;
/// How long each check that stands by itself is measured: it has nothing to wait for.
const BARE: Duration = Duration::from_secs(1);
/// What the report says of figures that no database has a part in.
const NO_DATABASE: &str = "none";

/// Orders are in 200 or beyond once their money has come.
const PAID: u16 = 200;

/// What a signature's check costs, and what the connector does with a notice in all.
pub async fn alone(outside: &Outside, report: &mut Report) -> Result<()> {
    for gateway in GATEWAYS {
        for (check, name) in [
            (bare::signature(outside, gateway).await?, checks(gateway)),
            (bare::reading(outside, gateway).await?, reads(gateway)),
        ] {
            for threads in [1, 2] {
                let seen = bare::measured(&check, threads, BARE).await?;
                report.push(Line {
                    database: NO_DATABASE,
                    through: name.clone(),
                    clients: threads,
                    per_second: seen.per_second,
                    answers: None,
                    processor: seen.processor,
                });
            }
        }
    }
    Ok(())
}

fn checks(gateway: Gateway) -> String {
    format!("{}: signature checked", gateway.label)
}

fn reads(gateway: Gateway) -> String {
    format!("{}: checked and read", gateway.label)
}

fn engine_line(gateway: Gateway) -> String {
    format!("{}: notices, engine", gateway.label)
}

fn bare_engine_line(gateway: Gateway) -> String {
    format!("{}: notices, engine without its loops", gateway.label)
}

fn http_line(gateway: Gateway) -> String {
    format!("{}: notices, HTTP", gateway.label)
}

impl Bench<'_> {
    /// All gateways, through the engine and over HTTP.
    pub async fn callbacks(&mut self, outside: &Outside) -> Result<()> {
        for gateway in GATEWAYS {
            self.notices_without_loops(outside, gateway).await?;
            self.notices_to_engine(outside, gateway).await?;
            self.notices_over_http(outside, gateway).await?;
            self.compare(gateway);
        }
        Ok(())
    }

    fn seconds(&self) -> Result<usize> {
        Ok(usize::try_from(self.args.seconds)?)
    }

    /// How many notices half of this rate takes, and some to spare.
    fn at_half(&self, per_second: f64) -> usize {
        let lasting = (WARM_UP + self.lasting).as_secs_f64();
        let count = Duration::from_secs_f64(per_second / 2.0 * lasting).as_secs();
        usize::try_from(count).unwrap_or(usize::MAX) + 2 * TELLERS
    }

    /// The commit of each notice and no more: what it starts (a doctor is looked for) waits.
    async fn notices_without_loops(&mut self, outside: &Outside, gateway: Gateway) -> Result<()> {
        let fresh = self.fresh().await?;
        let engine = engine(&fresh.store, outside, gateway).await?;
        let notices = TOGETHER_A_SECOND * self.seconds()?;
        let waiting = waiting::write(&fresh.store, gateway, notices).await?;
        let told = outside.notices(gateway, &waiting).await?;
        let teller = ToEngine::new(&told, gateway, &engine, NoticeOutcome::Applied);
        let seen = fast(process::id(), vec![teller; TELLERS], notices).await?;
        let name = bare_engine_line(gateway);
        self.report.add(self.database, &name, TELLERS, &seen);
        ensure_paid(&fresh.store, notices).await?;
        fresh.close().await?;
        Ok(())
    }

    async fn notices_to_engine(&mut self, outside: &Outside, gateway: Gateway) -> Result<()> {
        let fresh = self.fresh().await?;
        let engine = engine(&fresh.store, outside, gateway).await?;
        let stop = CancellationToken::new();
        let loops = engine.run(&stop);
        let (name, mut paid) = (engine_line(gateway), 0);
        for (count, each) in [(1, ALONE_A_SECOND), (TELLERS, TOGETHER_A_SECOND)] {
            let notices = each * self.seconds()?;
            let waiting = waiting::write(&fresh.store, gateway, notices).await?;
            let told = outside.notices(gateway, &waiting).await?;
            let first = ToEngine::new(&told, gateway, &engine, NoticeOutcome::Applied);
            let seen = fast(process::id(), vec![first; count], notices).await?;
            self.report.add(self.database, &name, count, &seen);
            paid += notices;
            if count == TELLERS {
                let again = ToEngine::new(&told, gateway, &engine, NoticeOutcome::Nothing);
                let seen = fast(process::id(), vec![again; count], notices).await?;
                let name = format!("{name}, known already");
                self.report.add(self.database, &name, count, &seen);
            }
        }
        let rate = self.report.of(self.database, &name);
        let waiting = waiting::write(&fresh.store, gateway, self.at_half(rate)).await?;
        let told = outside.notices(gateway, &waiting).await?;
        let teller = ToEngine::new(&told, gateway, &engine, NoticeOutcome::Applied);
        let pile = teller.pile.clone();
        let seen = at_a_rate(vec![teller; TELLERS], rate / 2.0, self.lasting).await?;
        let name = format!("{name}, at half its load");
        self.report.add(self.database, &name, TELLERS, &seen);
        paid += pile.told();
        stop.cancel();
        for part in loops {
            part.await?;
        }
        ensure_paid(&fresh.store, paid).await?;
        fresh.close().await?;
        Ok(())
    }

    async fn notices_over_http(&mut self, outside: &Outside, gateway: Gateway) -> Result<()> {
        let fresh = self.fresh().await?;
        let (alone, together) = (
            ALONE_A_SECOND * self.seconds()?,
            TOGETHER_A_SECOND * self.seconds()?,
        );
        // What HTTP takes is not known yet: hardly more than the engine behind it.
        let engine = self.report.of(self.database, &engine_line(gateway));
        let at_half = self.at_half(1.5 * engine);
        let count = alone + together + at_half;
        let waiting = waiting::write(&fresh.store, gateway, count).await?;
        // SQLite's file is the server's alone.
        fresh.store.close().await;
        let folder = std::env::temp_dir().join(format!("xinglin-bench-{}", process::id()));
        let environment = outside.environment(gateway.name, &folder)?;
        let keys = folder.join("keys");
        let program = &self.args.server;
        let server = Server::start_with(program, &fresh.url, &keys, environment).await?;
        let paid = self.tell_server(outside, gateway, &server, &waiting, alone, together);
        let paid = paid.await?;
        server.stop().await?;
        std::fs::remove_dir_all(folder)?;
        let store = Store::open(&fresh.url, StoreOptions::default()).await?;
        ensure_paid(&store, paid).await?;
        store.close().await;
        fresh.close().await?;
        Ok(())
    }

    /// Tells the server and says of how many payments.
    async fn tell_server(
        &mut self,
        outside: &Outside,
        gateway: Gateway,
        server: &Server,
        waiting: &[Waiting],
        alone: usize,
        together: usize,
    ) -> Result<usize> {
        let name = http_line(gateway);
        let (first, rest) = waiting.split_at(alone);
        let (second, third) = rest.split_at(together);
        for (count, some) in [(1, first), (TELLERS, second)] {
            let told = outside.notices(gateway, some).await?;
            let clients = to_server(&Pile::new(&told), gateway, server, count).await?;
            let seen = fast(server.id()?, clients, some.len()).await?;
            self.report.add(self.database, &name, count, &seen);
            if count == TELLERS {
                let clients = to_server(&Pile::new(&told), gateway, server, count).await?;
                let seen = fast(server.id()?, clients, some.len()).await?;
                let name = format!("{name}, known already");
                self.report.add(self.database, &name, count, &seen);
            }
        }
        let half = self.report.of(self.database, &name) / 2.0;
        let some = third.get(..self.at_half(2.0 * half)).unwrap_or(third);
        let pile = Pile::new(&outside.notices(gateway, some).await?);
        let clients = to_server(&pile, gateway, server, TELLERS).await?;
        let seen = at_a_rate(clients, half, self.lasting).await?;
        let name = format!("{name}, at half its load");
        self.report.add(self.database, &name, TELLERS, &seen);
        Ok(alone + together + pile.told())
    }

    fn compare(&mut self, gateway: Gateway) {
        let (engine, alone) = (engine_line(gateway), bare_engine_line(gateway));
        let of = |name: &str| self.report.of(self.database, name);
        let took = |database: &str, name: &str, clients: usize| {
            let took = self.report.processor(database, name, clients);
            took.as_secs_f64() * 1_000_000.0
        };
        let whole = took(self.database, &engine, TELLERS);
        let check = took(NO_DATABASE, &checks(gateway), 1);
        self.report.remark(format!(
            "{}, {}: {:.0} notices a second verified and committed by the engine, {:.0} over HTTP; two \
             threads that do nothing else check {:.0} of its signatures. Of the {whole:.0} µs of \
             processor time that a notice takes in the engine's process, the check is {check:.0} \
             ({:.0} %), reading it {:.0} more, and what it starts {:.0}.",
            self.database,
            gateway.label,
            of(&engine),
            of(&http_line(gateway)),
            self.report.of(NO_DATABASE, &checks(gateway)),
            100.0 * check / whole,
            took(NO_DATABASE, &reads(gateway), 1) - check,
            whole - took(self.database, &alone, TELLERS),
        ));
    }
}

/// As fast as they are answered, with what this process took for each.
async fn fast(process: u32, clients: Vec<impl Client>, commands: usize) -> Result<Seen> {
    let before = processor::used_by(process)?;
    let seen = so_many(clients, commands).await?;
    Ok(seen.taking(processor::used_by(process)? - before))
}

async fn engine(store: &Store, outside: &Outside, gateway: Gateway) -> Result<Engine> {
    let gateways = Gateways::new().with(outside.connector(gateway.name)?);
    let (clock, config) = (Arc::new(SystemClock), EngineConfig::default());
    Ok(Engine::start(store.clone(), gateways, clock, config).await?)
}

async fn to_server(
    pile: &Pile,
    gateway: Gateway,
    server: &Server,
    count: usize,
) -> Result<Vec<ToServer>> {
    let mut clients = Vec::with_capacity(count);
    for _ in 0..count {
        clients.push(ToServer::new(pile, gateway.name, server.address()).await?);
    }
    Ok(clients)
}

/// So many orders are paid, and the gateway holds their money once.
async fn ensure_paid(store: &Store, expected: usize) -> Result<()> {
    let expected = i64::try_from(expected)?;
    let statuses = store.totals().await?.by_status;
    let beyond = statuses.iter().filter(|(status, _)| status.code() >= PAID);
    let paid: i64 = beyond.map(|(_, count)| count).sum();
    ensure!(
        paid == expected,
        "{expected} payments were told of, {paid} orders are paid: {statuses:?}"
    );
    let held = store.clearing_balances().await?;
    let amount: i64 = held.iter().map(|(.., amount)| amount).sum();
    ensure!(
        amount == PRICE * expected,
        "{amount} came of {expected} payments of {PRICE} each"
    );
    Ok(())
}
