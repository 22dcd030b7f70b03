//! Browsers without a screen, steered by WebDriver: a window of its own for each person.

use super::{Folder, World};
use fantoccini::wd::TimeoutConfiguration;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// What steers browsers; gone with the test.
pub struct Steering {
    _process: Child,
    address: String,
    browser: String,
    /// Where browsers keep what they keep.
    _folder: Folder,
}

/// A browser window.
pub struct Window {
    client: Client,
}

fn given(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("set {name} or run `cargo xtask test`"))
}

impl Steering {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        let folder = Folder::fresh();
        std::fs::create_dir_all(&folder.0).expect("a folder");
        let mut process = Command::new(given("XINGLIN_TEST_DRIVER"))
            .arg("--port=0")
            .env("TMPDIR", &folder.0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the driver starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its words")).lines();
        let port = loop {
            let line = lines.next_line().await.expect("its words");
            let line = line.expect("the driver says its port");
            if let Some(port) = line.split("successfully on port ").nth(1) {
                break port.trim_end_matches('.').to_owned();
            }
        };
        Self {
            _process: process,
            address: format!("http://127.0.0.1:{port}"),
            browser: given("XINGLIN_TEST_BROWSER"),
            _folder: folder,
        }
    }

    /// Opens a browser on the API's own origin, and loads a script into it. Its camera and microphone
    /// are played.
    pub async fn open(&self, world: &World, script: &str) -> Window {
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--no-proxy-server",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            "--autoplay-policy=no-user-gesture-required",
            // Loopback addresses as they are: nothing here answers multicast DNS.
            "--disable-features=WebRtcHideLocalIpsWithMdns",
        ];
        let wishes = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": self.browser, "args": arguments },
        });
        let Value::Object(wishes) = wishes else {
            panic!("an object");
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(wishes).connect(&self.address).await;
        let client = client.expect("a browser");
        let patience = TimeoutConfiguration::new(Some(Duration::from_secs(60)), None, None);
        client.update_timeouts(patience).await.expect("patience");
        let origin = format!("{}/api/v1/health/live", world.base);
        client.goto(&origin).await.expect("the API's own origin");
        client
            .execute(script, Vec::new())
            .await
            .expect("the script");
        Window { client }
    }
}

impl Window {
    /// Runs a line of script, awaits what it promises, and gives what comes of it.
    pub async fn run(&self, line: &str, arguments: Value) -> Value {
        let script = format!(
            "const [given, done] = arguments; \
             (async () => {{ {line} }})().then(value => done({{ value }}), error => done({{ error: `${{error}}` }}));"
        );
        let answer = self.client.execute_async(&script, vec![arguments]).await;
        let answer = answer.unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(answer["error"].is_null(), "{line}: {}", answer["error"]);
        answer.get("value").cloned().unwrap_or(json!(null))
    }

    /// Closes the browser.
    pub async fn close(self) {
        self.client.close().await.expect("closed");
    }
}
