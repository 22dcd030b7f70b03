//! The page on which a person pays, fails or leaves.

use crate::harness::{World, payment};
use connectors::gateway::PaymentState;

async fn page(world: &World, method: &str, path: &str, language: &str) -> (u16, String) {
    let answer = world.browse(method, path, language).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn it_says_who_how_much_what_for_and_that_it_is_play_money() {
    let world = World::new().await;
    world.start("ORDER-0001", 3050).await;
    let (status, chinese) = page(&world, "GET", "/cashier/ORDER-0001", "zh-CN").await;
    assert_eq!(status, 200);
    for words in [
        "微信支付",
        "¥30.50",
        "复诊问诊费",
        "ORDER-0001",
        "沙箱：不是真钱",
        "2026-03-03 08:00:00 +08",
    ] {
        assert!(chinese.contains(words), "{words}: {chinese}");
    }
    let (_, english) = page(&world, "GET", "/cashier/ORDER-0001", "en-NZ,en;q=0.9").await;
    for words in [
        "WeChat Pay",
        "Sandbox: play money",
        "lang=\"en\"",
        "Leave without paying",
    ] {
        assert!(english.contains(words), "{words}: {english}");
    }
    for choice in ["pay", "fail", "leave"] {
        let form = format!("action=\"/cashier/ORDER-0001/{choice}\"");
        assert!(english.contains(&form), "{form}: {english}");
    }
    assert!(
        !english.contains("<script") && !english.contains("http"),
        "{english}"
    );
}

#[tokio::test]
async fn a_person_fails_comes_back_and_pays() {
    let world = World::new().await;
    world.start("ORDER-0001", 3050).await;
    let (status, left) = page(&world, "POST", "/cashier/ORDER-0001/leave", "en").await;
    assert_eq!(status, 200);
    assert!(
        left.contains("Nothing was paid") && left.contains("Try again"),
        "{left}"
    );
    assert_eq!(world.query("ORDER-0001").await, Ok(PaymentState::Open));

    let (_, failed) = page(&world, "POST", "/cashier/ORDER-0001/fail", "en").await;
    assert!(failed.contains("The payment failed"), "{failed}");
    let state = world.query("ORDER-0001").await;
    assert!(
        matches!(state, Ok(PaymentState::Failed { .. })),
        "{state:?}"
    );

    for _ in 0..2 {
        let (status, paid) = page(&world, "POST", "/cashier/ORDER-0001/pay", "en").await;
        assert_eq!(status, 200);
        assert!(paid.contains("You have paid"), "{paid}");
    }
    assert_eq!(world.sandbox.totals().net_fen, 3050, "paid once");
    let (status, late) = page(&world, "POST", "/cashier/ORDER-0001/fail", "en").await;
    assert_eq!(status, 409);
    assert!(late.contains("You have paid"), "{late}");
}

#[tokio::test]
async fn what_can_not_be_paid_has_no_buttons() {
    let world = World::new().await;
    world.start("ORDER-0001", 3050).await;
    world.close("ORDER-0001").await.unwrap();
    let (_, closed) = page(&world, "GET", "/cashier/ORDER-0001", "en").await;
    assert!(
        closed.contains("closed") && !closed.contains("<form"),
        "{closed}"
    );

    world.start("ORDER-0002", 3050).await;
    world.later(24 * 3600);
    let (_, over) = page(&world, "GET", "/cashier/ORDER-0002", "en").await;
    assert!(
        over.contains("time to pay is over") && !over.contains("<form"),
        "{over}"
    );
    let (status, over) = page(&world, "POST", "/cashier/ORDER-0002/pay", "en").await;
    assert_eq!(status, 409);
    assert!(over.contains("time to pay is over"), "{over}");
}

#[tokio::test]
async fn nothing_that_a_merchant_says_becomes_html() {
    let world = World::new().await;
    let mut start = payment("ORDER|0001*", 3050, world.now());
    start.description = "<script>alert(\"1\")</script>&'".to_owned();
    world.gateway.start(&start, world.now()).await.unwrap();
    let path = "/cashier/ORDER%7C0001%2A";
    let (status, shown) = page(&world, "GET", path, "en").await;
    assert_eq!(status, 200);
    assert!(
        shown.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"),
        "{shown}"
    );
    assert!(shown.contains(&format!("action=\"{path}/pay\"")), "{shown}");
    let (status, _) = page(&world, "POST", &format!("{path}/pay"), "en").await;
    assert_eq!(status, 200);
    assert_eq!(world.sandbox.totals().net_fen, 3050);
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let world = World::new().await;
    world.start("ORDER-0001", 3050).await;
    let (status, missing) = page(&world, "GET", "/cashier/ORDER-0009", "en").await;
    assert_eq!(status, 404);
    assert!(missing.contains("no such payment"), "{missing}");
    let (status, _) = page(&world, "POST", "/cashier/ORDER-0001/steal", "en").await;
    assert_eq!(status, 404);
    let (status, _) = page(&world, "GET", "/cashier/ORDER-0001/pay", "en").await;
    assert_eq!(status, 405, "looking is not paying");
}
