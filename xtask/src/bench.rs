//! The benchmarks: a release build, a private PostgreSQL, and pgbench for comparison.

use std::process::Command;

use anyhow::Result;

use crate::{guard, postgres};

/// Builds the program and what measures it; the results go to `bench/results`.
pub fn run(arguments: &[String]) -> Result<()> {
    guard::run(Command::new("cargo").args(["build", "--release", "-p", "xinglin", "-p", "bench"]))?;
    let server = postgres::Server::start()?;
    let mut bench = Command::new("target/release/bench");
    bench
        .env("XINGLIN_TEST_POSTGRES", server.url())
        .args(["--server", "target/release/xinglin", "--pgbench"])
        .arg(server.pgbench()?);
    bench.args(["--out", "bench/results"]).args(arguments);
    println!("{}", guard::describe(&bench));
    guard::run(&mut bench)
}
