//! Licences, banned crates and sources of what we depend on, by cargo-deny.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::guard;

const VERSION: &str = "0.20.2";

/// Where it is installed when the machine has none.
const TOOLS: &str = "target/tools";

/// Checks the dependency tree against `deny.toml`. Advisories are fetched from the network.
pub fn check(with_advisories: bool) -> Result<()> {
    let mut command = Command::new(find_or_install()?);
    command.args(["--workspace", "check"]);
    if with_advisories {
        command.arg("advisories");
    } else {
        println!("advisories skipped: they need the network; give --advisories to check them");
    }
    guard::run(command.args(["bans", "licenses", "sources"]))
}

fn find_or_install() -> Result<PathBuf> {
    let installed = Path::new(TOOLS).join("bin/cargo-deny");
    if Command::new("cargo-deny")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        return Ok(PathBuf::from("cargo-deny"));
    }
    if !installed.is_file() {
        println!("cargo-deny is missing: installing {VERSION} into {TOOLS}, once, about 3 minutes");
        let mut command = Command::new("cargo");
        command.args([
            "install",
            "cargo-deny",
            "--version",
            VERSION,
            "--locked",
            "--quiet",
            "--root",
            TOOLS,
        ]);
        guard::run(&mut command).context("cannot install cargo-deny")?;
    }
    Ok(installed)
}
