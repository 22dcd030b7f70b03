//! The lines of a day, and the differences planted into them.

use crate::harness::{World, refund};
use serde_json::{Value, json};

const DAY: &str = "bills?gateway=wechat&day=2026-03-02";

/// Two payments and a refund on 2 March, Beijing time.
async fn world() -> World {
    let world = World::new().await;
    world.paid("ORDER-0001", 3000).await;
    world.later(60);
    world.paid("ORDER-0002", 500).await;
    world.later(60);
    let part = refund("ORDER-0001", "R1", 1000, 3000);
    world.gateway.refund(&part, world.now()).await.unwrap();
    world.sandbox.run_due().await;
    assert_eq!(world.got().len(), 1, "the refund was told");
    world
}

async fn bill(world: &World) -> Value {
    world.control("GET", DAY, "").await.unwrap()
}

async fn plant(world: &World, difference: Value) -> Result<Value, (u16, String)> {
    let mut request = json!({ "gateway": "wechat", "day": "2026-03-02" });
    let fields = request.as_object_mut().unwrap();
    fields.extend(difference.as_object().unwrap().clone());
    world
        .control("POST", "bills/plant", &request.to_string())
        .await
}

fn line<'b>(bill: &'b Value, number: &str) -> &'b Value {
    let lines = bill["lines"].as_array().unwrap();
    let is_it = |line: &&Value| {
        line["out_refund_no"] == number
            || (line["kind"] == "payment" && line["out_trade_no"] == number)
    };
    lines.iter().find(is_it).unwrap()
}

#[tokio::test]
async fn a_day_ends_at_midnight_in_beijing() {
    let world = world().await;
    // 24:00 of 2 March in Beijing is 16:00 of it in UTC.
    world.later(15 * 3600);
    world.paid("ORDER-0003", 700).await;
    let today = bill(&world).await;
    assert_eq!(today["lines"].as_array().unwrap().len(), 3);
    let totals = json!({
        "count": 3,
        "paid": { "amount": 3500, "currency": "CNY" },
        "refunded": { "amount": 1000, "currency": "CNY" },
    });
    assert_eq!(today["totals"], totals);
    let back = line(&today, "R1");
    assert_eq!(back["amount"]["amount"], 1000);
    assert_eq!(back["status"], "succeeded");
    assert_eq!(
        line(&today, "ORDER-0001")["fee"],
        18_000,
        "0.6 % of 30 yuan"
    );
    assert_eq!(back["fee"], -6000);

    let next = "bills?gateway=wechat&day=2026-03-03";
    let next = world.control("GET", next, "").await.unwrap();
    assert_eq!(next["lines"].as_array().unwrap().len(), 1);
    assert_eq!(line(&next, "ORDER-0003")["line"], 1);
}

#[tokio::test]
async fn each_difference_is_in_the_bill_and_not_in_the_book() {
    let world = world().await;
    let before = world.control("GET", "book", "").await.unwrap();
    let first = line(&bill(&world).await, "ORDER-0001").clone();

    let planted = plant(
        &world,
        json!({ "kind": "change_amount", "number": "ORDER-0001", "amount": 2999 }),
    );
    assert_eq!(
        line(&planted.await.unwrap(), "ORDER-0001")["amount"]["amount"],
        2999
    );
    let planted = plant(
        &world,
        json!({ "kind": "change_currency", "number": "ORDER-0001", "currency": "NZD" }),
    );
    assert_eq!(
        line(&planted.await.unwrap(), "ORDER-0001")["amount"]["currency"],
        "NZD"
    );
    let planted = plant(
        &world,
        json!({ "kind": "change_status", "number": "R1", "status": "failed" }),
    );
    assert_eq!(line(&planted.await.unwrap(), "R1")["status"], "failed");
    let planted = plant(
        &world,
        json!({ "kind": "change_fee", "number": "R1", "fee": 7 }),
    );
    assert_eq!(line(&planted.await.unwrap(), "R1")["fee"], 7);
    let planted = plant(
        &world,
        json!({ "kind": "change_transaction_id", "number": "ORDER-0001", "to": "T" }),
    );
    assert_eq!(
        line(&planted.await.unwrap(), "ORDER-0001")["transaction_id"],
        "T"
    );
    let planted = plant(
        &world,
        json!({ "kind": "change_our_number", "number": "R1", "to": "R1X" }),
    );
    assert_eq!(line(&planted.await.unwrap(), "R1X")["fee"], 7);
    let planted = plant(
        &world,
        json!({ "kind": "duplicate_line", "number": "ORDER-0002" }),
    )
    .await
    .unwrap();
    assert_eq!(planted["lines"].as_array().unwrap().len(), 4);
    let planted = plant(
        &world,
        json!({ "kind": "drop_line", "number": "ORDER-0001" }),
    )
    .await
    .unwrap();
    assert_eq!(planted["lines"].as_array().unwrap().len(), 3);
    let planted = plant(&world, json!({ "kind": "foreign_payment", "amount": 800 }))
        .await
        .unwrap();
    let foreign = planted["lines"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["amount"]["amount"] == 800);
    assert!(
        foreign.unwrap()["out_trade_no"]
            .as_str()
            .unwrap()
            .starts_with("foreign")
    );
    let planted = plant(
        &world,
        json!({ "kind": "foreign_refund", "amount": 900, "of": "ORDER-0002" }),
    )
    .await
    .unwrap();
    let foreign = planted["lines"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["amount"]["amount"] == 900);
    assert_eq!(foreign.unwrap()["out_trade_no"], "ORDER-0002");
    let planted = plant(&world, json!({ "kind": "wrong_summary", "paid": 1 }))
        .await
        .unwrap();
    assert_eq!(planted["totals"]["paid"]["amount"], 1);
    assert_eq!(planted["totals"]["count"], 5);
    assert_eq!(planted["planted"].as_array().unwrap().len(), 11);

    assert_eq!(bill(&world).await, bill(&world).await, "the same each time");
    assert_eq!(world.control("GET", "book", "").await.unwrap(), before);
    assert_eq!(first["amount"]["amount"], 3000);
}

#[tokio::test]
async fn a_shifted_line_stands_at_the_edge_of_the_neighbouring_day() {
    let world = world().await;
    plant(
        &world,
        json!({ "kind": "shift_day", "number": "ORDER-0001", "later": true }),
    )
    .await
    .unwrap();
    plant(
        &world,
        json!({ "kind": "shift_day", "number": "R1", "later": false }),
    )
    .await
    .unwrap();
    assert_eq!(bill(&world).await["lines"].as_array().unwrap().len(), 1);
    let of = async |day: &str| {
        let path = format!("bills?gateway=wechat&day={day}");
        world.control("GET", &path, "").await.unwrap()
    };
    let next = of("2026-03-03").await;
    assert_eq!(
        line(&next, "ORDER-0001")["at"],
        "2026-03-02T16:00:02.000000Z"
    );
    let before = of("2026-03-01").await;
    assert_eq!(line(&before, "R1")["at"], "2026-03-01T15:59:58.000000Z");
}

#[tokio::test]
async fn what_can_not_be_planted_is_named() {
    let world = world().await;
    for (difference, status, words) in [
        (
            json!({ "kind": "drop_line", "number": "ORDER-0009" }),
            404,
            "ORDER-0009",
        ),
        (
            json!({ "kind": "drop_line", "number": "ORDER-0001", "why": 1 }),
            400,
            "why",
        ),
        (
            json!({ "kind": "drop_lines", "number": "ORDER-0001" }),
            400,
            "drop_lines",
        ),
        (
            json!({ "kind": "foreign_payment", "amount": 0 }),
            400,
            "amount",
        ),
        (json!({ "kind": "wrong_summary" }), 400, "count"),
        (
            json!({ "kind": "drop_line", "number": "R1", "gateway": "nobank" }),
            400,
            "it plays",
        ),
        (
            json!({ "kind": "drop_line", "number": "R1", "day": "2026-02-30" }),
            400,
            "day",
        ),
    ] {
        let (got, message) = plant(&world, difference.clone()).await.unwrap_err();
        assert_eq!(got, status, "{difference}: {message}");
        assert!(message.contains(words), "{difference}: {message}");
    }
    assert_eq!(bill(&world).await["planted"], json!([]));
}
