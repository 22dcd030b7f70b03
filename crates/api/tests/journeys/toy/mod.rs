//! One more gateway is one folder and one line of registration (docs/adding-a-gateway.md): paid,
//! told, asked, closed, given back and counted, and nothing else in the program knows of it.

mod gateway;

use crate::harness::World;
use crate::harness::gateways::Way;
use crate::harness::scenes::DISPATCH_PRICE as PRICE;
use domain::{Currency, Money, Span};
use gateway::{REGISTRATION, SHELLS, purse};
use reqwest::Method;
use serde_json::json;
use store::testing::{Fresh, fresh_postgres, fresh_sqlite};

const WAY: Way = Way {
    gateway: SHELLS,
    method: "hand_over",
    currency: Currency::CNY,
    payer: None,
};

async fn world(fresh: Fresh, token: &str) -> World {
    let values = [("SHELLS_TOKEN".to_owned(), token.to_owned())];
    World::on_with(fresh, &[(&REGISTRATION, values.into())]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    sixth(
        &world(fresh_sqlite().await.expect("a database"), "lite").await,
        "lite",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    sixth(
        &world(fresh_postgres().await.expect("a database"), "pg").await,
        "pg",
    )
    .await;
}

async fn sixth(world: &World, token: &str) {
    let purse = purse(token);
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;

    // It is offered like any other.
    let path = format!("/payments/gateways?orderId={order}");
    let offered = world.get(&patient, &path).await;
    let shells = offered.data().as_array().expect("list").iter();
    let shells = shells
        .clone()
        .find(|one| one["name"] == "shells")
        .expect("shells");
    assert_eq!(
        (&shells["on"], &shells["label"]),
        (&json!(true), &json!("Shells"))
    );

    // Left unpaid: closed by its own word.
    world.ask_to_pay(&patient, &order, WAY).await.data();
    world.pass(Span::minutes(5)).await;
    world.pass(Span::minutes(1)).await;
    world.ended(&order, 102, 0, 0, &[100, 101, 102]).await;

    // Paid, told by its notice; a forged one is turned away in its own words.
    let payment = world.ask_to_pay(&patient, &order, WAY).await.data()["payment"].clone();
    let number = payment["outTradeNo"].as_str().expect("number").to_owned();
    let price = Money::fen(PRICE);
    purse
        .lock()
        .expect("purse")
        .paid
        .insert(number.clone(), (price, world.now()));
    for (token, status, words) in [("wrong", 401, "password"), (token, 200, "thanks")] {
        let notice = world
            .raw(Method::POST, "/api/v1/payments/webhook/shells")
            .await;
        let notice = notice.header("shells-token", token).body(number.clone());
        let answer = world.send(notice).await;
        assert_eq!(answer.status.as_u16(), status);
        assert!(
            answer.body.as_str().expect("text").contains(words),
            "{:?}",
            answer.body
        );
    }
    world.stands(&order, 200, PRICE, 0).await;

    // Given back, found by asking.
    world.cancel(&patient, &order).await;
    world.pass(Span::seconds(10)).await;
    world.stands(&order, 901, PRICE, PRICE).await;
    world.ledger(&order, PRICE, PRICE).await;

    // Found paid by asking; its own limits hold: a day after the payment it takes no refund.
    let late = world.book_dispatch(&patient).await;
    let doctor = world.doctors[0].clone();
    world.online(&doctor, true).await;
    let payment = world.ask_to_pay(&patient, &late, WAY).await.data()["payment"].clone();
    let number = payment["outTradeNo"].as_str().expect("number").to_owned();
    purse
        .lock()
        .expect("purse")
        .paid
        .insert(number, (price, world.now()));
    world.pass(Span::seconds(10)).await;
    for action in ["accept", "start"] {
        world.act(&doctor, &late, action, json!({})).await.data();
    }
    let summary = crate::harness::scenes::summary();
    world.act(&doctor, &late, "finish", summary).await.data();
    world.pass(Span::hours(25)).await;
    let complaint = json!({ "reason": "没有回答" });
    world.act(&patient, &late, "refund", complaint).await.data();
    let verdict = json!({ "decision": "share", "share": 100, "reason": "属实" });
    world.operate(&late, "review", verdict).await.data();
    let refund = world.refund_of(&late, 0).await;
    assert_eq!(refund["status"], "FAILED");
    let error = refund["lastError"].as_str().expect("words");
    assert!(
        error.contains("shells takes refunds up to 1 days"),
        "{error}"
    );

    // The ledger has an account for it, which holds what the purse holds.
    let held = world
        .engine
        .store()
        .clearing_balances()
        .await
        .expect("balances");
    assert_eq!(held, [(SHELLS, Currency::CNY, PRICE)]);
    let findings = world
        .engine
        .store()
        .check(world.now())
        .await
        .expect("check");
    assert!(findings.is_empty(), "{findings:#?}");
}
