//! The payment page over real HTTP, with a gateway that does as it is told.
#![allow(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test that can't go on says why and fails"
)]

mod browser;
mod gateway;
mod world;

use connectors::gateway::PayKind;
use domain::Span;
use domain::consultation::Command;
use domain::payment::{GatewayName, Method, PayWith};
use gateway::Mood;
use serde_json::json;
use std::collections::BTreeMap;
use world::World;

// --- who may look ---

#[tokio::test]
async fn a_good_link_shows_what_is_paid_and_how() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    let page = world.get(&link).await;
    assert_eq!(page.status, 200);
    page.says("Scan to pay").says("Consultation by video");
    page.says("CN¥80.00").says("Double Pay · By double");
    page.says("role=\"img\"").says("09:05 (UTC+8)");
    page.never_says("头痛")
        .never_says("王小明")
        .never_says("Internal medicine");
    let page = world.get_in("zh-CN,zh;q=0.9,en;q=0.8", &link).await;
    page.says("<html lang=\"zh-CN\">")
        .says("请扫码付款")
        .says("¥80.00")
        .says("样板支付");
    // The address decides before the browser.
    let page = world.get_in("zh-CN", &format!("{link}&lang=en")).await;
    page.says("<html lang=\"en\">").says("lang=zh-CN");
    assert_eq!(page.header("content-language"), "en");
}

#[tokio::test]
async fn a_link_that_was_changed_leads_nowhere() {
    let world = World::with_code().await;
    let (order, payment) = world.submitted().await;
    let (other_order, other_payment) = world.submitted().await;
    let link = world.link(order, payment).await;
    let (path, query) = link.split_once('?').expect("a query");
    let (until, signature) = query.split_once("&signature=").expect("a signature");
    let mut later = until.replace("until=", "").parse::<i64>().expect("seconds");
    later += 1;
    for changed in [
        path.to_owned(),
        format!("{path}?{until}"),
        format!("{path}?signature={signature}"),
        format!("{path}?{until}&signature="),
        format!("{path}?{until}&signature=%00%ff"),
        format!("{path}?until={later}&signature={signature}"),
        format!("{path}?until=soon&signature={signature}"),
        format!("/pay/{other_order}/{payment}?{query}"),
        format!("/pay/{order}/{other_payment}?{query}"),
        format!("/pay/{order}/x?{query}"),
        format!("/pay/{order}?{query}"),
        "/pay/%ff/%ff?until=1".to_owned(),
    ] {
        let page = world.get(&changed).await;
        assert_eq!(page.status, 404, "{changed}");
        page.says("There is no such page");
        page.never_says("CN¥").never_says(signature);
    }
    let state = format!("{path}/state?{until}&signature=forged");
    let forged = world.get(&state).await;
    assert_eq!((forged.status.as_u16(), forged.text.as_str()), (404, ""));
    assert_eq!(world.post(&format!("{path}/confirm"), "").await.status, 404);
    assert_eq!(world.gateway.asked(), 0);
}

#[tokio::test]
async fn a_signed_link_to_nothing_leads_nowhere() {
    let world = World::with_code().await;
    let (order, _) = world.submitted().await;
    let (_, strange) = world.submitted().await;
    let end = world.engine.now();
    for link in [
        world.engine.pay_link(order, strange, end),
        world
            .engine
            .pay_link(domain::OrderId(uuid::Uuid::nil()), strange, end),
    ] {
        assert_eq!(world.get(&link.path()).await.status, 404);
    }
}

#[tokio::test]
async fn a_link_is_good_for_a_day_after_the_payment_s_end_and_then_says_so() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    world.clock_passes(Span::hours(24));
    assert_eq!(world.get(&link).await.status, 200);
    world.clock_passes(Span::minutes(5));
    let page = world.get(&link).await;
    assert_eq!(page.status, 410);
    page.says("no longer good").never_says("CN¥");
    let state = world.get(&link.replace('?', "/state?")).await;
    assert_eq!((state.status.as_u16(), state.text.as_str()), (410, ""));
    assert_eq!(
        world.post(&link.replace('?', "/confirm?"), "").await.status,
        410
    );
    // Forged stays forged, however old.
    assert_eq!(world.get(&format!("{link}x")).await.status, 404);
}

#[tokio::test]
async fn every_answer_says_what_it_may_load_and_who_may_frame_it() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    let style = world.get(&link).await;
    let style = style
        .text
        .split("href=\"")
        .find(|rest| rest.contains(".css"));
    let style = style
        .and_then(|rest| rest.split('"').next())
        .expect("a style");
    for path in [
        &link,
        "/pay/x",
        style,
        "/assets/none",
        &link.replace('?', "/state?"),
    ] {
        let answer = world.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{path}: {policy}"
        );
        assert!(
            policy.ends_with("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "strict-origin", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
    }
    let page = world.get(&link).await;
    assert_eq!(page.header("cache-control"), "no-store");
    let embedded = world.get(&format!("{link}&embed=1")).await;
    assert!(
        embedded
            .header("content-security-policy")
            .ends_with("frame-ancestors 'self'")
    );
    assert_eq!(embedded.header("x-frame-options"), "SAMEORIGIN");
    embedded
        .says("Scan to pay")
        .never_says("<header")
        .never_says("<nav");
    let style = world.get(style).await;
    assert_eq!(style.status, 200);
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(
        style.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
}

#[tokio::test]
async fn an_address_takes_the_methods_it_has() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    let state = world.post(&link.replace('?', "/state?"), "").await;
    assert_eq!(state.status, 405);
    let confirm = world.get(&link.replace('?', "/confirm?")).await;
    assert_eq!(confirm.status, 405);
    assert_eq!(world.gateway.asked(), 0);
}

// --- each way to pay ---

async fn page_of(
    method: Method,
    kind: PayKind,
    with: PayWith,
    sandbox: Option<&str>,
) -> world::Answer {
    let world = World::with(GatewayName::known("double"), method, kind, with, sandbox).await;
    let link = world.page_of_new_payment().await;
    let page = world.get(&link).await;
    // The gateway knows where to send the payer back to: here.
    assert!(
        world
            .gateway
            .return_url()
            .expect("an address")
            .ends_with(&link)
    );
    page
}

#[tokio::test]
async fn a_redirect_is_a_link_to_the_gateway() {
    let url = "https://www.paypal.com/checkoutnow?token=5O1".to_owned();
    let with = PayWith::Redirect { url };
    let page = page_of(Method::CHECKOUT, PayKind::Redirect, with, None).await;
    page.says("Pay at Double Pay")
        .says("href=\"https://www.paypal.com/checkoutnow?token=5O1\"");
}

#[tokio::test]
async fn a_form_is_posted_by_a_button_and_may_leave_for_the_gateway() {
    let with = PayWith::Form {
        action: "https://gateway.95516.com/gateway/api/frontTransReq.do".to_owned(),
        fields: BTreeMap::from([("orderId".to_owned(), "0197".to_owned())]),
    };
    let page = page_of(Method::FRONT, PayKind::Redirect, with, None).await;
    page.says("<input type=\"hidden\" name=\"orderId\" value=\"0197\">");
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("form-action 'self' https://gateway.95516.com https:;"),
        "{policy}"
    );
}

#[tokio::test]
async fn what_is_paid_in_an_app_says_where() {
    let fields = json!({ "tradeNO": "2026030222001" });
    let with = PayWith::InApp { fields };
    let page = page_of(Method::CREATE, PayKind::InApp, with, None).await;
    page.says("Pay inside Double Pay")
        .says("&#34;tradeNO&#34;:&#34;2026030222001&#34;");
}

fn card() -> PayWith {
    PayWith::Card {
        client_secret: "pi_1_secret_2".to_owned(),
        publishable_key: "pk_test_3".to_owned(),
    }
}

#[tokio::test]
async fn a_card_is_filled_in_in_stripe_s_fields() {
    let page = page_of(Method::CARD, PayKind::Card, card(), None).await;
    page.says("data-secret=\"pi_1_secret_2\"")
        .says("src=\"https://js.stripe.com/v3\"");
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("script-src 'self' https://js.stripe.com "),
        "{policy}"
    );
}

#[tokio::test]
async fn in_the_sandbox_a_card_is_played_at_its_cashier() {
    let sandbox = Some("http://127.0.0.1:8090");
    let page = page_of(Method::CARD, PayKind::Card, card(), sandbox).await;
    page.says("play money")
        .says("href=\"http://127.0.0.1:8090/cashier/");
    page.never_says("stripe").never_says("pi_1_secret_2");
    assert!(!page.header("content-security-policy").contains("stripe"));
}

#[tokio::test]
async fn a_gateway_that_has_not_answered_yet_is_waited_for() {
    let world = World::with_code().await;
    world.gateway.turns(Mood::Silent);
    let link = world.page_of_new_payment().await;
    let page = world.get(&link).await;
    page.says("Getting your payment ready")
        .never_says("class=\"code\"")
        .never_says("/confirm?");
    let seen = world.get(&link.replace('?', "/state?")).await.json();
    world.gateway.turns(Mood::Open);
    world.clock_passes(Span::seconds(20));
    world.settle().await;
    world.get(&link).await.says("Scan to pay");
    let now = world.get(&link.replace('?', "/state?")).await.json();
    assert_ne!(seen["seen"], now["seen"]);
}

// --- what comes of it ---

#[tokio::test]
async fn i_have_paid_asks_the_gateway_and_shows_what_it_says() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    let confirm = link.replace('?', "/confirm?");
    let answer = world.post(&format!("{confirm}&lang=en"), "").await;
    assert_eq!(answer.leads_to(), format!("{link}&asked=1&lang=en"));
    assert_eq!(world.gateway.asked(), 1);
    let page = world.get(answer.leads_to()).await;
    page.says("nothing has arrived yet").says("Scan to pay");
    // A hasty second click is not a second question.
    world.post(&confirm, "").await.leads_to();
    assert_eq!(world.gateway.asked(), 1);
    world.clock_passes(Span::seconds(3));
    world.gateway.turns(Mood::Paid);
    let answer = world.post(&confirm, "").await;
    assert_eq!(world.gateway.asked(), 2);
    let page = world.get(answer.leads_to()).await;
    page.says("Double Pay has confirmed your payment")
        .never_says("nothing has arrived");
    page.never_says("class=\"code\"").never_says("/confirm?");
    // What is over is not asked about.
    world.clock_passes(Span::seconds(3));
    world.post(&confirm, "").await.leads_to();
    assert_eq!(world.gateway.asked(), 2);
}

#[tokio::test]
async fn a_payer_whom_a_gateway_sends_back_is_asked_about_once() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    world.gateway.turns(Mood::Paid);
    let back = format!("{link}&token=5O190127TN364715T&PayerID=QYR5Z8XDVJNXQ");
    let answer = world.get(&back).await;
    assert_eq!(answer.leads_to(), format!("{link}&asked=1"));
    assert_eq!(world.gateway.asked(), 1);
    world
        .get(answer.leads_to())
        .await
        .says("<h1")
        .says("</svg>Paid</h1>");
    assert_eq!(world.gateway.asked(), 1);
}

#[tokio::test]
async fn a_payer_whom_a_gateway_sends_back_by_a_form_is_asked_about_too() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    let answer = world
        .post(&link, "respCode=00&orderId=0197&signature=x")
        .await;
    assert_eq!(answer.leads_to(), format!("{link}&asked=1"));
    assert_eq!(world.gateway.asked(), 1);
}

#[tokio::test]
async fn a_gateway_without_an_answer_does_not_stand_in_the_way_of_the_page() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    world.gateway.turns(Mood::Silent);
    let answer = world.post(&link.replace('?', "/confirm?"), "").await;
    world.get(answer.leads_to()).await.says("Scan to pay");
}

#[tokio::test]
async fn a_payment_that_failed_says_so() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    world.gateway.turns(Mood::Failed);
    let answer = world.post(&link.replace('?', "/confirm?"), "").await;
    let page = world.get(answer.leads_to()).await;
    page.says("The payment did not work")
        .never_says("class=\"code\"");
}

#[tokio::test]
async fn what_is_not_known_is_checked_and_not_paid_twice() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    world.gateway.turns(Mood::Silent);
    world.clock_passes(Span::minutes(5));
    world.settle().await;
    let page = world.get(&link).await;
    page.says("Checking with the bank")
        .says("Please don’t pay again");
    page.never_says("class=\"code\"").says("Check again now");
}

#[tokio::test]
async fn a_cancelled_order_s_payment_is_not_to_be_paid_and_its_money_comes_back() {
    let world = World::with_code().await;
    let (order, payment) = world.submitted().await;
    let link = world.link(order, payment).await;
    world.gateway.turns(Mood::Silent);
    let (quote, reason) = (None, None);
    world.act(order, Command::Cancel { quote, reason }).await;
    let page = world.get(&link).await;
    page.says("Being cancelled")
        .never_says("class=\"code\"")
        .never_says("/confirm?");
    world.gateway.turns(Mood::Paid);
    for _ in 0..3 {
        world.clock_passes(Span::minutes(2));
        world.settle().await;
    }
    let page = world.get(&link).await;
    page.says("</svg>Refunded</h1>")
        .says("CN¥80.00 went back")
        .says("<h2 id=\"refunds\">");
}

#[tokio::test]
async fn the_state_says_how_it_stands_and_when_to_look_again() {
    let world = World::with_code().await;
    let link = world.page_of_new_payment().await;
    let state = link.replace('?', "/state?");
    let answer = world.get(&state).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        answer.json(),
        json!({
            "status": "PROCESSING", "label": "Scan to pay", "final": false, "seen": "Waiting",
            "againSeconds": 3, "leftSeconds": 300,
        })
    );
    // Looking is not asking.
    assert_eq!(world.gateway.asked(), 0);
    world.gateway.turns(Mood::Paid);
    world
        .post(&link.replace('?', "/confirm?"), "")
        .await
        .leads_to();
    assert_eq!(
        world.get_in("zh-CN", &state).await.json(),
        json!({
            "status": "COMPLETED", "label": "已支付", "final": true, "seen": "Paid",
            "againSeconds": null, "leftSeconds": null,
        })
    );
}
