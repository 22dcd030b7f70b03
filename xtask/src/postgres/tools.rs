//! Finds PostgreSQL's programs, and installs them where that is allowed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::guard;

/// The oldest PostgreSQL that the store is made for.
const OLDEST: u32 = 15;

/// Where Debian and Ubuntu keep one folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Asked after postgresql-common is installed, before a package would make and start a cluster.
const CLUSTER_SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

/// A folder with `initdb` and `postgres`, new enough.
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Finds them in PATH or Debian's folders; installs them if missing, as root on Debian.
    pub fn find_or_install() -> Result<Self> {
        if let Some(tools) = Self::find() {
            return Ok(tools);
        }
        let missing = format!(
            "PostgreSQL {OLDEST} or newer is missing (initdb, postgres, pgbench in PATH or {DEBIAN}/*/bin)"
        );
        if !(is_root()? && in_path("apt-get").is_some()) {
            bail!("{missing}: install it, for example `sudo apt-get install postgresql`");
        }
        println!("{missing}: installing it with apt-get");
        install().context("cannot install PostgreSQL")?;
        Self::find().with_context(|| format!("{missing}, even after installing the package"))
    }

    fn find() -> Option<Self> {
        let candidates = in_path("initdb").into_iter().chain(debian_folders());
        candidates.map(|folder| Self { folder }).find(|tools| {
            tools.program("initdb").is_file()
                && tools.version().is_some_and(|version| version >= OLDEST)
        })
    }

    fn version(&self) -> Option<u32> {
        let output = Command::new(self.program("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        major_version(&String::from_utf8_lossy(&output.stdout))
    }

    /// The folder that holds the programs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the load generator is. Some systems pack it separately.
    pub fn pgbench(&self) -> Result<PathBuf> {
        let path = self.program("pgbench");
        if path.is_file() {
            return Ok(path);
        }
        let folder = in_path("pgbench").with_context(|| {
            format!(
                "pgbench is missing in {} and in PATH: install it",
                self.folder.display()
            )
        })?;
        Ok(folder.join("pgbench"))
    }

    fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Whether xtask runs as root, which PostgreSQL refuses.
pub fn is_root() -> Result<bool> {
    Ok(guard::output_of(Command::new("id").arg("-u"))?.trim() == "0")
}

/// The folder in PATH that holds `program`, links followed (so that its siblings are found too).
pub fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|p| p.is_file())?;
    Some(found.canonicalize().unwrap_or(found).parent()?.to_owned())
}

/// Debian's folders, the newest version first.
fn debian_folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    newest_first(entries.map(|entry| entry.path()).collect())
}

fn newest_first(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let mut versions: Vec<_> = folders
        .into_iter()
        .filter_map(|path| Some((version(&path)?, path)))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions
        .into_iter()
        .map(|(_, path)| path.join("bin"))
        .collect()
}

/// 15 in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major_version(text: &str) -> Option<u32> {
    let number = text
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// Installs the server without letting Debian make and start a cluster of its own.
fn install() -> Result<()> {
    apt_get(&["update"])?;
    apt_get(&[
        "install",
        "--yes",
        "--no-install-recommends",
        "postgresql-common",
    ])?;
    let before = fs::read_to_string(CLUSTER_SETTINGS).context(CLUSTER_SETTINGS)?;
    fs::write(
        CLUSTER_SETTINGS,
        format!("{before}\ncreate_main_cluster = false\n"),
    )?;
    let installed = apt_get(&["install", "--yes", "--no-install-recommends", "postgresql"]);
    fs::write(CLUSTER_SETTINGS, before)?;
    installed
}

/// Runs apt-get without asking and without noise.
pub fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args(["-qq", "-o", "Dpkg::Use-Pty=0"])
        .args(arguments);
    guard::run(command.env("DEBIAN_FRONTEND", "noninteractive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(
            major_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some(15)
        );
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_version(""), None);
    }

    #[test]
    fn the_newest_version_comes_first() {
        let folders = ["/p/9", "/p/17", "/p/other", "/p/15"]
            .map(PathBuf::from)
            .to_vec();
        assert_eq!(
            newest_first(folders),
            ["/p/17/bin", "/p/15/bin", "/p/9/bin"].map(PathBuf::from)
        );
    }
}
