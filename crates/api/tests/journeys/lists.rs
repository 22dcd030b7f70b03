//! Lists of orders: whose, searched, and walked through while they grow (spec 80).

use crate::harness::{Person, World};
use serde_json::{Value, json};

fn ids(list: &Value) -> Vec<String> {
    let rows = list["data"].as_array().expect("a list");
    rows.iter()
        .map(|row| row["id"].as_str().expect("id").to_owned())
        .collect()
}

fn one_of(order: &str) -> Vec<String> {
    vec![order.to_owned()]
}

async fn found(world: &World, who: &Person, words: &str) -> Vec<String> {
    let words: String = words.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = world.get(who, &format!("/orders?q={words}")).await;
    answer.data();
    ids(&answer.body)
}

journey!(
    a_list_that_grows_is_walked_through_without_gaps_or_repeats,
    |world| {
        let patient = world.patient().await;
        let mut booked = Vec::new();
        for _ in 0..5 {
            booked.push(world.book_dispatch(&patient).await);
            world.pass(domain::Span::seconds(1)).await;
        }
        let first = world.get(&patient, "/orders?limit=2").await;
        assert_eq!(first.body["meta"]["pagination"]["total"], 5);
        let mut seen = ids(&first.body);
        world.book_dispatch(&patient).await;
        let mut next = first.body["meta"]["pagination"]["nextCursor"].clone();
        while let Some(cursor) = next.as_str() {
            let path = format!("/orders?limit=2&cursor={cursor}");
            let part = world.get(&patient, &path).await;
            seen.extend(ids(&part.body));
            next = part.body["meta"]["pagination"]["nextCursor"].clone();
        }
        booked.reverse();
        assert_eq!(
            seen, booked,
            "newest first, without the one that came later"
        );
        let both = format!("/orders?page=2&cursor={}", booked[0]);
        world.get(&patient, &both).await.refused(422, "6001");
    }
);

journey!(
    orders_are_found_by_words_name_and_number_but_only_ones_own,
    |world| {
        let (one, other) = (world.patient().await, world.patient().await);
        let book = async |who: &Person, complaint: &str| {
            let body = json!({
                "kind": "consultation", "mode": "dispatch", "consultationType": "text",
                "departmentId": world.department, "complaint": complaint,
            });
            let answer = world.post(who, "/orders", body).await;
            answer.data()["id"].as_str().expect("id").to_owned()
        };
        let fever = book(&one, "Fever of 39%, since Monday").await;
        let cough = book(&other, "咳嗽，发热三天").await;
        let number = world.submit(&other, &cough).await;
        let operator = &world.operator;
        assert_eq!(found(world, operator, "fever OF 39%").await, one_of(&fever));
        assert_eq!(found(world, operator, "%").await, one_of(&fever));
        assert_eq!(found(world, operator, "发热").await, one_of(&cough));
        assert_eq!(found(world, operator, &number).await, one_of(&cough));
        assert_eq!(found(world, operator, &other.login).await, one_of(&cough));
        assert!(found(world, operator, "nobody said this").await.is_empty());
        assert!(found(world, &one, "发热").await.is_empty(), "not theirs");
        let long = format!("/orders?q={}", "x".repeat(101));
        world.get(operator, &long).await.refused(422, "6001");
    }
);
