//! Set-up, test and bench for developers and CI: `cargo xtask --help`.

mod bench;
mod browser;
mod deny;
mod guard;
mod imports;
mod postgres;
mod purity;
mod sizes;
mod source;
mod steps;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// Tests, benchmarks and a private PostgreSQL. Nothing needs to be set up first.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every check and every test, in order; stop at the first failure
    #[command(after_help = steps::HELP)]
    Test(steps::Options),
    /// Run the benchmarks on a private PostgreSQL, beside pgbench
    Bench {
        /// Handed on to `xinglin bench` (after `--`, where xtask would take it for its own)
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Start a private PostgreSQL, print its URL, stop it on Ctrl-C
    Postgres,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match go_to_workspace().and_then(|()| perform(&arguments.task)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: &Task) -> Result<()> {
    match task {
        Task::Test(options) => steps::run(options),
        Task::Bench { arguments } => bench::run(arguments),
        Task::Postgres => serve_postgres(),
    }
}

fn serve_postgres() -> Result<()> {
    let mut server = postgres::Server::start()?;
    println!("{}", server.url());
    println!(
        "Ctrl-C stops it and removes its data in {}",
        server.folder().display()
    );
    server.wait()
}

/// Makes the workspace's root the current folder, so that every path below is relative to it.
fn go_to_workspace() -> Result<()> {
    let Some(manifest_folder) = std::env::var_os("CARGO_MANIFEST_DIR") else {
        return Ok(()); // started as a bare binary: the current folder is taken for the root
    };
    let root = PathBuf::from(manifest_folder).join("..");
    std::env::set_current_dir(&root).with_context(|| format!("cannot enter {}", root.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn bench_hands_unknown_options_on() {
        let given = Arguments::parse_from(["xtask", "bench", "--orders", "1000"]);
        let Task::Bench { arguments } = given.task else {
            panic!("bench was asked for")
        };
        assert_eq!(arguments, ["--orders", "1000"]);
    }
}
