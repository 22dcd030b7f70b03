//! A small day of payments over all gateways, with faults: everything ends as promised, every
//! difference that is planted into the bills is found under its name, and nothing else is left.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says why and fails"
)]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

const XINGLIN: &str = env!("CARGO_BIN_EXE_xinglin");

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

#[test]
fn a_small_day_is_reconciled_and_nothing_is_left_unexplained() {
    let (api, sandbox) = (free_address(), free_address());
    let name = format!("xinglin-payments-{}", api.replace([':', '.'], "-"));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let log = std::fs::File::create(folder.join("demo.log")).expect("a log");
    let demo = Command::new(XINGLIN)
        .args(["demo", "--listen", &api, "--sandbox-listen", &sandbox])
        .arg("--data")
        .arg(&folder)
        .env_remove("ORDER_DB_URL")
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    let demo = Running(demo.expect("the demo starts"));
    let played = Command::new(XINGLIN)
        .args(["rehearse", "--payments", "150", "--seed", "7"])
        .args(["--url", &format!("http://{api}")])
        .args(["--sandbox", &format!("http://{sandbox}")])
        .output()
        .expect("the rehearsal runs");
    let said = String::from_utf8_lossy(&played.stdout);
    let wrong = String::from_utf8_lossy(&played.stderr);
    let log = std::fs::read_to_string(folder.join("demo.log")).unwrap_or_default();
    assert!(played.status.success(), "{said}\n{wrong}\n{log}");
    let line = |begin: &str| -> Vec<String> {
        let line = said.lines().find(|line| line.starts_with(begin));
        let line = line.unwrap_or_else(|| panic!("no line begins with {begin}:\n{said}"));
        line.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(line("all ")[1], "150", "so many payments were made");
    for gateway in ["wechat", "alipay", "unionpay", "paypal", "stripe"] {
        let payments: u32 = line(gateway)[2].parse().expect("a number");
        assert!(payments > 0, "{gateway}");
        line(&format!("Down({gateway})"));
    }
    // Every kind of difference that there is, found as often as it was planted.
    let kinds = line("33 kinds");
    assert_eq!(kinds[2], kinds[3], "planted and found");
    assert_eq!(line("unexplained:"), ["unexplained:", "0"]);
    line("Every payment ended as promised, every planted difference was found and named");
    drop(demo);
    std::fs::remove_dir_all(&folder).expect("tidied up");
}

#[test]
fn it_is_said_what_can_be_played() {
    let refused = |arguments: &[&str]| {
        let played = Command::new(XINGLIN)
            .arg("rehearse")
            .args(arguments)
            .output()
            .expect("it runs");
        assert_eq!(played.status.code(), Some(2), "{arguments:?}");
        String::from_utf8_lossy(&played.stderr).into_owned()
    };
    let both = refused(&["--payments", "200", "--orders", "200"]);
    assert!(both.contains("cannot be used with"), "{both}");
    let few = refused(&["--payments", "10"]);
    assert!(few.contains("150..=20000"), "{few}");
}
