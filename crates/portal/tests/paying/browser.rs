//! The page in a real browser: its style and scripts under its own policy, and its keys.

use crate::gateway::Mood;
use crate::world::World;
use connectors::gateway::PayKind;
use domain::Span;
use domain::payment::{GatewayName, Method, PayWith};
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A browser and what steers it; gone with the test.
struct Browser {
    client: Client,
    _driver: Driver,
    /// Where both keep what they keep.
    _folder: Folder,
}

/// What steers a browser, and the browser with it: a test that fails leaves neither behind.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(group) = self.0.id() {
            let group = format!("-{group}");
            std::process::Command::new("kill")
                .args(["-KILL", "--", &group])
                .status()
                .ok();
        }
    }
}

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What was killed a moment ago may still be writing.
        for _ in 0..10 {
            if std::fs::remove_dir_all(&self.0).is_ok() {
                return;
            }
        }
    }
}

fn given(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("set {name} or run `cargo xtask test`"))
}

impl Browser {
    /// A window without a screen, as large as a telephone's.
    async fn open() -> Self {
        let id = engine::ids::new_id(domain::Ts::from_micros(0));
        let folder = Folder(std::env::temp_dir().join(format!("xinglin-browser-{id}")));
        std::fs::create_dir_all(&folder.0).expect("a folder");
        let mut driver = Command::new(given("XINGLIN_TEST_DRIVER"))
            .arg("--port=0")
            .env("TMPDIR", &folder.0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map(Driver)
            .expect("the driver starts");
        let mut lines = BufReader::new(driver.0.stdout.take().expect("its words")).lines();
        let port = loop {
            let line = lines.next_line().await.expect("its words");
            let line = line.expect("the driver says its port");
            if let Some(port) = line.split("successfully on port ").nth(1) {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--no-proxy-server",
            "--lang=en",
        ];
        let wishes = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "binary": given("XINGLIN_TEST_BROWSER"), "args": arguments,
                "prefs": { "intl.accept_languages": "en" },
                "mobileEmulation": { "deviceMetrics": { "width": 375, "height": 800 } },
            },
        });
        let Value::Object(wishes) = wishes else {
            panic!("an object");
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let driver_at = format!("http://127.0.0.1:{port}");
        let client = builder.capabilities(wishes).connect(&driver_at).await;
        Self {
            client: client.expect("a browser"),
            _driver: driver,
            _folder: folder,
        }
    }

    async fn goes_to(&self, world: &World, path: &str) {
        let address = format!("{}{path}", world.base);
        self.client.goto(&address).await.expect("the page");
    }

    /// Waits until the page has this, and gives its words.
    async fn shows(&self, css: &str) -> String {
        let found = self.client.wait().for_element(Locator::Css(css)).await;
        let found = found.unwrap_or_else(|error| panic!("{css}: {error}"));
        found.text().await.expect("words")
    }

    async fn finds(&self, expression: &str) -> Value {
        let script = format!("return {expression};");
        let found = self.client.execute(&script, Vec::new()).await;
        found.expect("an answer")
    }

    /// Waits, frame by frame, until this is true of the page.
    async fn comes_to(&self, condition: &str) {
        let script = format!(
            "const done = arguments[0]; \
             const look = () => {condition} ? done(true) : requestAnimationFrame(look); look();"
        );
        let came = self.client.execute_async(&script, Vec::new()).await;
        came.unwrap_or_else(|error| panic!("{condition}: {error}"));
    }

    /// Presses a key wherever the reader is.
    async fn press(&self, key: Key) {
        let here = self.client.active_element().await.expect("an element");
        here.send_keys(&key.to_string()).await.expect("a key");
    }

    async fn close(self) {
        self.client.close().await.expect("closed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_looked_at_changes_when_its_payment_does() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    let browser = Browser::open().await;
    browser.goes_to(&world, &link).await;
    assert_eq!(browser.shows("h1").await, "Scan to pay");
    // The page's policy lets its own style and script in.
    let left = browser.shows("[data-left-shown]:not([hidden])").await;
    assert!(
        left.starts_with("Time left 5:00") || left.starts_with("Time left 4:5"),
        "{left}"
    );
    let ground = browser
        .finds("getComputedStyle(document.querySelector('.card')).display")
        .await;
    assert_eq!(ground, "grid");
    let too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert_eq!(browser.finds("innerWidth").await, 375);
    assert_eq!(browser.finds(too_wide).await, false);
    // Paid elsewhere; nobody touches this page.
    world.gateway.turns(Mood::Paid);
    world
        .post(&link.replace('?', "/confirm?"), "")
        .await
        .leads_to();
    browser.shows("article.good").await;
    assert_eq!(browser.shows("h1").await, "Paid");
    browser
        .comes_to("document.activeElement.id === 'standing'")
        .await;
    let address = browser.client.current_url().await.expect("an address");
    assert!(address.as_str().ends_with(&link), "{address}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i_have_paid_can_be_said_by_keys_alone() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    let browser = Browser::open().await;
    browser.goes_to(&world, &link).await;
    browser.shows("h1").await;
    // Skip link, language, button: everything that can be operated, in the order it is read.
    let mut way = Vec::new();
    for _ in 0..3 {
        browser.press(Key::Tab).await;
        way.push(
            browser
                .finds("document.activeElement.textContent.trim()")
                .await,
        );
    }
    assert_eq!(way, ["Skip to the content", "中文", "I have paid"]);
    let ring = browser
        .finds("getComputedStyle(document.activeElement).outlineWidth")
        .await;
    assert_eq!(ring, "3px");
    browser.press(Key::Enter).await;
    let said = browser.shows(".aside").await;
    assert!(
        said.starts_with("We asked Double Pay just now: nothing has arrived yet."),
        "{said}"
    );
    assert_eq!(world.gateway.asked(), 1);
    world.clock_passes(Span::seconds(3));
    world.gateway.turns(Mood::Failed);
    browser
        .finds("document.querySelector('[data-confirm] button').click()")
        .await;
    browser.shows("article.bad").await;
    assert_eq!(browser.shows("h1").await, "The payment did not work");
    browser.close().await;
}

/// What WeChat puts into pages inside it, as far as this page speaks to it.
const WECHAT: &str = "(() => { \
    window.WeixinJSBridge = { invoke(name, fields, done) { \
        window.told = [name, fields]; window.wechatDone = done; } }; \
    document.dispatchEvent(new Event('WeixinJSBridgeReady')); })()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside_wechat_the_page_hands_the_payment_over_and_the_gateway_is_asked() {
    let fields = json!({ "appId": "wx8888888888888888", "package": "prepay_id=wx2014" });
    let with = PayWith::InApp {
        fields: fields.clone(),
    };
    let (gateway, method) = (GatewayName::WECHAT, Method::JSAPI);
    let world = World::with(gateway, method, PayKind::InApp, with, None).await;
    let link = world.page_of_new_payment().await;
    let browser = Browser::open().await;
    browser.goes_to(&world, &link).await;
    assert_eq!(browser.shows("h1").await, "Pay inside WeChat");
    let hidden = "document.querySelector('[data-inapp-pay]').hidden";
    assert_eq!(browser.finds(hidden).await, true);
    browser.finds(WECHAT).await;
    assert_eq!(browser.finds(hidden).await, false);
    let pay = "document.querySelector('[data-inapp-pay]').click()";
    browser.finds(pay).await;
    assert_eq!(
        browser.finds("window.told").await,
        json!(["getBrandWCPayRequest", fields])
    );
    let answered =
        |how: &str| format!("window.wechatDone({{ err_msg: 'get_brand_wcpay_request:{how}' }})");
    browser.finds(&answered("cancel")).await;
    browser.shows("[data-inapp-failed]:not([hidden])").await;
    assert_eq!(world.gateway.asked(), 0);
    // WeChat's word proves nothing: the gateway's does.
    browser.finds(pay).await;
    browser.finds(&answered("ok")).await;
    browser.shows(".aside").await;
    assert_eq!(browser.shows("h1").await, "Pay inside WeChat");
    assert_eq!(world.gateway.asked(), 1);
    browser.close().await;
}
