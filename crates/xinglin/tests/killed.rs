//! The server is killed twenty times in the middle of a rehearsal, without a chance to tidy up, and
//! started again each time: nothing is lost, every order reaches its end, the books agree.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says why and fails"
)]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const XINGLIN: &str = env!("CARGO_BIN_EXE_xinglin");
const KILLS: usize = 20;
const ORDERS: &str = "60";

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A free address that the other test here was not given: both let go of theirs before they use it.
fn free_address() -> String {
    static GIVEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        if GIVEN.lock().expect("given").insert(address.clone()) {
            return address;
        }
    }
}

fn demo(data: &Path, database: Option<&str>, api: &str, sandbox: &str) -> Running {
    let mut command = Command::new(XINGLIN);
    command
        .args([
            "demo",
            "--listen",
            api,
            "--sandbox-listen",
            sandbox,
            "--data",
        ])
        .arg(data);
    command.env_remove("ORDER_DB_URL");
    if let Some(url) = database {
        command.args(["--database-url", url]);
    }
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(data.join("demo.log"))
        .expect("a log");
    Running(
        command
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the demo starts"),
    )
}

fn rehearse(folder: &Path, seed: u64, api: &str, sandbox: &str) -> Running {
    let mut command = Command::new(XINGLIN);
    command.args(["rehearse", "--orders", ORDERS, "--seed", &seed.to_string()]);
    command.arg("--http-only");
    command.args([
        "--url",
        &format!("http://{api}"),
        "--sandbox",
        &format!("http://{sandbox}"),
    ]);
    let file = |name| std::fs::File::create(folder.join(name)).expect("a file");
    command
        .stdout(file("rehearse.out"))
        .stderr(file("rehearse.err"));
    Running(command.spawn().expect("the rehearsal starts"))
}

fn survives(database: Option<&str>) {
    let engine = database.map_or("sqlite", |_| "postgres");
    // A port that was free a moment ago may be the other test's by now: no name for a folder.
    let name = format!("xinglin-killed-{}-{engine}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let (api, sandbox) = (free_address(), free_address());
    let mut server = demo(&folder, database, &api, &sandbox);
    let told = |folder: &Path| {
        let read = |name| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        format!(
            "{}\n{}\n{}",
            read("rehearse.out"),
            read("rehearse.err"),
            read("demo.log")
        )
    };
    let deadline = Instant::now() + Duration::from_secs(900);
    let mut kills = 0;
    // One rehearsal after the other, until the server was killed often enough.
    for seed in 7.. {
        let mut rehearsal = rehearse(&folder, seed, &api, &sandbox);
        let ended = loop {
            if let Some(status) = rehearsal.0.try_wait().expect("the rehearsal") {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "the rehearsal never ended\n{}",
                told(&folder)
            );
            std::thread::sleep(Duration::from_millis(1_500));
            if kills < KILLS {
                // SIGKILL: no handler runs, nothing is flushed.
                server.0.kill().expect("killed");
                server.0.wait().expect("gone");
                server = demo(&folder, database, &api, &sandbox);
                kills += 1;
            }
        };
        assert!(ended.success(), "{}", told(&folder));
        if kills == KILLS {
            break;
        }
    }
    drop(server);
    let sqlite = format!("sqlite:{}", folder.join("xinglin.db").display());
    let check = Command::new(XINGLIN)
        .args(["check", "--database-url", database.unwrap_or(&sqlite)])
        .output()
        .expect("check");
    assert!(
        check.status.success(),
        "{}",
        String::from_utf8_lossy(&check.stdout)
    );
    std::fs::remove_dir_all(&folder).expect("tidied up");
}

#[test]
fn twenty_kills_on_sqlite() {
    survives(None);
}

#[test]
fn twenty_kills_on_postgres() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let fresh = runtime
        .block_on(store::testing::fresh_postgres())
        .expect("a database");
    survives(Some(&fresh.url));
}
