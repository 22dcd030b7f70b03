//! A private PostgreSQL: on loopback, durable as in production, gone when xtask is gone.

pub mod tools;

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::guard::{self, Guarded, Stop};
use tools::Tools;

/// Makes the cluster and becomes the server. Arguments: PostgreSQL's programs, our folder, port.
const SERVER: &str = r#"
cd "$2" && exec >log 2>&1 || exit
"$1/initdb" --pgdata data --username xinglin --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync || exit
exec "$1/postgres" -D data -p "$3" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories="$2" \
    -c fsync=on -c synchronous_commit=on -c full_page_writes=on \
    -c max_connections=300 -c timezone=UTC
"#;

/// The account that the server runs as when xtask is root.
const ACCOUNT: &str = "postgres";

const START_LIMIT: Duration = Duration::from_secs(60);

/// A running server. Dropping it stops the server and removes its data.
pub struct Server {
    process: Guarded,
    tools: Tools,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Makes a new cluster and starts it; PostgreSQL is installed first if need and right are there.
    pub fn start() -> Result<Self> {
        let tools = Tools::find_or_install()?;
        let owner = if tools::is_root()? {
            Some(Owner::find_or_create()?)
        } else {
            None
        };
        let folder = private_folder(owner.as_ref())?;
        let port = free_port()?;
        let mut command = server_command(owner.as_ref());
        command
            .args(["sh", "-c", SERVER, "sh"])
            .args([tools.folder(), &folder])
            .arg(port.to_string());
        let process = Guarded::start(&mut command, Stop::Interrupt, Some(&folder))?;
        let mut server = Self {
            process,
            tools,
            folder,
            port,
        };
        server.await_ready()?;
        Ok(server)
    }

    /// Where clients connect: the superuser `xinglin`, without a password, on loopback only.
    pub fn url(&self) -> String {
        format!(
            "postgres://xinglin@{}:{}/postgres",
            Ipv4Addr::LOCALHOST,
            self.port
        )
    }

    /// The folder with the cluster, its socket and its log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where this PostgreSQL's pgbench is.
    pub fn pgbench(&self) -> Result<PathBuf> {
        self.tools.pgbench()
    }

    /// Waits until the server ends by itself, which is a failure.
    pub fn wait(&mut self) -> Result<()> {
        let status = self.process.wait()?;
        bail!(
            "PostgreSQL ended with {status}; its log ends with:\n{}",
            self.end_of_log()
        );
    }

    fn await_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        while !self.is_ready() {
            if let Some(status) = self.process.has_ended()? {
                bail!(
                    "PostgreSQL does not start ({status}); its log ends with:\n{}",
                    self.end_of_log()
                );
            }
            ensure!(
                start.elapsed() < START_LIMIT,
                "PostgreSQL is not ready after {} s; its log ends with:\n{}",
                START_LIMIT.as_secs(),
                self.end_of_log()
            );
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The server writes its state in the eighth line of `postmaster.pid`; `pg_ctl` looks there too.
    fn is_ready(&self) -> bool {
        fs::read_to_string(self.folder.join("data/postmaster.pid")).is_ok_and(|text| {
            text.lines()
                .nth(7)
                .is_some_and(|state| state.trim() == "ready")
        })
    }

    fn end_of_log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines
            .iter()
            .skip(lines.len().saturating_sub(15))
            .copied()
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Who owns the cluster, when xtask itself is root: PostgreSQL refuses to run as root.
struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    fn find_or_create() -> Result<Self> {
        let known = Command::new("id").args(["-u", ACCOUNT]).output()?;
        if !known.status.success() {
            guard::run(Command::new("useradd").args(["--system", "--no-create-home", ACCOUNT]))
                .context("cannot create an account to run PostgreSQL as")?;
        }
        let id = |which| -> Result<u32> {
            Ok(guard::output_of(Command::new("id").args([which, ACCOUNT]))?
                .trim()
                .parse()?)
        };
        Ok(Self {
            user: id("-u")?,
            group: id("-g")?,
        })
    }
}

/// What goes before the server's own command: another user if we are root, and (on Linux) a second
/// assurance that the server stops when xtask dies, should even the watcher be killed.
fn server_command(owner: Option<&Owner>) -> Command {
    if owner.is_none() && tools::in_path("setpriv").is_none() {
        return Command::new("env");
    }
    let mut command = Command::new("setpriv");
    if let Some(Owner { user, group }) = owner {
        command.args([
            "--reuid",
            &user.to_string(),
            "--regid",
            &group.to_string(),
            "--clear-groups",
        ]);
    }
    command.args(["--pdeathsig", "INT", "--"]);
    command
}

/// A new folder that only `owner` may enter. /var/tmp and not /tmp, which is often in memory, where a
/// durable commit would cost nothing and a benchmark would lie.
fn private_folder(owner: Option<&Owner>) -> Result<PathBuf> {
    let parent = Some(PathBuf::from("/var/tmp"))
        .filter(|path| path.is_dir())
        .unwrap_or_else(std::env::temp_dir);
    for number in 0.. {
        let folder = parent.join(format!("xinglin-postgres-{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => {
                if let Some(Owner { user, group }) = owner {
                    std::os::unix::fs::chown(&folder, Some(*user), Some(*group))?;
                }
                return Ok(folder);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot create {}", folder.display()));
            }
        }
    }
    bail!("no free folder name in {}", parent.display())
}

/// A port that nobody listens on at this moment.
fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}
