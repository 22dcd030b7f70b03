//! The steps of `cargo xtask test`, in order.

use std::fmt;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::browser::Browser;
use crate::{deny, guard, imports, postgres, purity, sizes};

/// What stands under the help of `cargo xtask test`.
pub const HELP: &str = "\
Examples:
  cargo xtask test                            everything, as CI does
  cargo xtask test --only fmt --only clippy   two steps
  cargo xtask test -- refund                  the tests with `refund` in their name, nothing else
  cargo xtask test --only deny --advisories   known vulnerabilities too (needs the network)";

/// How to run the steps.
#[derive(Args)]
pub struct Options {
    /// Run this step only; may be given several times
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Let `deny` check known vulnerabilities too, which needs the network
    #[arg(long)]
    advisories: bool,
    /// Handed on to the tests: part of a name, `--nocapture`, ... Without --only, runs build and tests only
    #[arg(last = true, value_name = "FILTER")]
    filter: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting, by cargo fmt
    Fmt,
    /// Who may import whom
    Imports,
    /// Long files and functions
    Sizes,
    /// No outside world in the domain, no SQL outside the store
    Purity,
    /// Lints; a warning is a failure
    Clippy,
    /// The program, which the journeys start
    Build,
    /// All tests, with a private PostgreSQL and a browser
    Tests,
    /// Licences, banned crates and sources of dependencies
    Deny,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        formatter.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// Runs the chosen steps and stops at the first that fails.
pub fn run(options: &Options) -> Result<()> {
    let steps = chosen(options);
    for (index, step) in steps.iter().enumerate() {
        println!("\n[{}/{}] {step}: {}", index + 1, steps.len(), what(*step));
        let start = Instant::now();
        let outcome = perform(*step, options);
        println!(
            "[{}/{}] {step}: {:.1} s",
            index + 1,
            steps.len(),
            start.elapsed().as_secs_f64()
        );
        outcome.with_context(|| format!("step `{step}` failed"))?;
    }
    println!("\n{} steps passed", steps.len());
    Ok(())
}

fn chosen(options: &Options) -> Vec<Step> {
    let wanted = |step: &Step| match (options.only.as_slice(), options.filter.as_slice()) {
        ([], []) => true,
        ([], _) => matches!(step, Step::Build | Step::Tests),
        (only, _) => only.contains(step),
    };
    Step::value_variants()
        .iter()
        .copied()
        .filter(wanted)
        .collect()
}

fn what(step: Step) -> &'static str {
    match step {
        Step::Fmt => "cargo fmt --check",
        Step::Imports => "who may import whom",
        Step::Sizes => "long files and functions",
        Step::Purity => "no outside world in domain, no SQL outside store",
        Step::Clippy => "cargo clippy, warnings are errors; tests may unwrap",
        Step::Build => "cargo build -p xinglin",
        Step::Tests => "cargo test --workspace, with a private PostgreSQL and a browser",
        Step::Deny => "cargo deny check bans licenses sources",
    }
}

fn perform(step: Step, options: &Options) -> Result<()> {
    match step {
        Step::Fmt => cargo(&["fmt", "--check"]).context("run `cargo fmt`"),
        Step::Imports => imports::check(),
        Step::Sizes => sizes::check(),
        Step::Purity => purity::check(),
        Step::Clippy => clippy(),
        Step::Build => cargo(&["build", "-p", "xinglin"]),
        Step::Tests => tests(&options.filter),
        Step::Deny => deny::check(options.advisories),
    }
}

/// The program first, by every lint; then its tests, which say why they can't go on by failing.
fn clippy() -> Result<()> {
    cargo(&["clippy", "--workspace", "--", "-D", "warnings"])?;
    let mut arguments = vec![
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    for allowed in [
        "clippy::unwrap_used",
        "clippy::expect_used",
        "clippy::panic",
    ] {
        arguments.extend(["-A", allowed]);
    }
    cargo(&arguments)
}

fn cargo(arguments: &[&str]) -> Result<()> {
    guard::run(Command::new("cargo").args(arguments))
}

/// Compiles first, so that PostgreSQL runs only while tests do.
fn tests(filter: &[String]) -> Result<()> {
    cargo(&["test", "--workspace", "--no-run"])?;
    let browser = Browser::find_or_install()?;
    let server = postgres::Server::start()?;
    let mut command = Command::new("cargo");
    command
        .args(["test", "--workspace", "--no-fail-fast", "--"])
        .args(filter);
    command
        .env("XINGLIN_TEST_POSTGRES", server.url())
        .env("XINGLIN_TEST_BROWSER", &browser.browser)
        .env("XINGLIN_TEST_DRIVER", &browser.driver);
    guard::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(only: &[Step], filter: &[&str]) -> Options {
        let filter = filter.iter().map(|word| (*word).to_owned()).collect();
        Options {
            only: only.to_vec(),
            advisories: false,
            filter,
        }
    }

    #[test]
    fn everything_runs_in_order_unless_told_otherwise() {
        assert_eq!(chosen(&options(&[], &[])), Step::value_variants());
    }

    #[test]
    fn only_keeps_the_order_of_the_steps() {
        assert_eq!(
            chosen(&options(&[Step::Clippy, Step::Fmt], &[])),
            [Step::Fmt, Step::Clippy]
        );
    }

    #[test]
    fn a_filter_means_the_tests() {
        assert_eq!(
            chosen(&options(&[], &["refund"])),
            [Step::Build, Step::Tests]
        );
        assert_eq!(chosen(&options(&[Step::Tests], &["refund"])), [Step::Tests]);
    }

    #[test]
    fn a_step_is_shown_as_it_is_typed() {
        assert_eq!(Step::Fmt.to_string(), "fmt");
    }
}
