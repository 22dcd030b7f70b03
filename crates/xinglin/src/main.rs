//! Xinglin, an internet hospital's order platform: the command line.

mod check;
mod config;
mod demo;
mod dispatch;
mod gateways;
mod keys;
mod language;
mod ledger;
mod lifecycle;
mod rehearse;
mod server;
mod user;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Xinglin (杏林): every order of an internet hospital, from its creation to its end.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start with an embedded database, demo people and the payment sandbox, ready to click through.
    Demo(demo::DemoArgs),
    /// Start on a database, with real gateways.
    Serve(Box<server::ServeArgs>),
    /// Bring a database up to this program's version.
    Migrate(config::DatabaseArgs),
    /// Check the ledger, journals, deadlines and places; list what is wrong, and end with code 1 then.
    Check(config::DatabaseArgs),
    /// Manage people.
    User(user::UserArgs),
    /// Start the payment sandbox alone.
    Sandbox(demo::SandboxArgs),
    /// Look at how orders fell to doctors.
    Dispatch(dispatch::DispatchArgs),
    /// Look at the ledger.
    Ledger(ledger::LedgerArgs),
    /// Draw a lifecycle from its table.
    Lifecycle(lifecycle::LifecycleArgs),
    /// Play patients and doctors against a running demo, over HTTP only.
    Rehearse(rehearse::RehearseArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xinglin: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(args).await?,
        Command::Serve(args) => server::run(*args).await?,
        Command::Migrate(args) => check::migrate(&args).await?,
        Command::Check(args) => return check::run(&args).await,
        Command::User(args) => user::run(args).await?,
        Command::Sandbox(args) => demo::run_sandbox(args).await?,
        Command::Dispatch(args) => dispatch::run(args).await?,
        Command::Ledger(args) => return ledger::run(args).await,
        Command::Lifecycle(args) => lifecycle::run(&args)?,
        Command::Rehearse(args) => rehearse::run(args).await?,
    }
    Ok(ExitCode::SUCCESS)
}
