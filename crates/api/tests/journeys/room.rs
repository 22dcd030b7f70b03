//! What patient and doctor say to each other (spec 10, the consultation itself).

use crate::harness::World;
use reqwest::Method;
use serde_json::{Value, json};

/// What the system says until the doctor and the patient can talk.
const OPENED: (&str, &str) = ("system", "The room is open: you can talk now");

/// What it has said when the consultation has begun.
const BEGUN: [(&str, &str); 2] = [OPENED, ("system", "The doctor has begun the consultation")];

fn line(line: &Value) -> (&str, &str) {
    let text = |field: &str| line[field].as_str().expect("words");
    (text("kind"), text("text"))
}

journey!(
    words_are_kept_in_order_once_and_for_the_two_alone,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        let path = format!("/orders/{order}/messages");
        let id = "019cac0f-2680-7f27-ab24-f727eb990281";
        let first = json!({ "id": id, "text": "您好" });
        let sent = world.post(&patient, &path, first.clone()).await;
        let again = world.post(&patient, &path, first).await;
        assert_eq!(sent.data(), again.data(), "sent twice, kept once");
        let reply = json!({ "text": "哪里不舒服？" });
        world.post(&doctor, &path, reply).await.data();
        let all = world.get(&doctor, &path).await;
        let said: Vec<_> = all
            .data()
            .as_array()
            .expect("a list")
            .iter()
            .map(line)
            .collect();
        let people = [("text", "您好"), ("text", "哪里不舒服？")];
        assert_eq!(said, [&BEGUN[..], &people].concat());
        let keyed = async || {
            let request = world.raw(Method::POST, &format!("/api/v1{path}")).await;
            let request = request.header("idempotency-key", "once");
            let request = request.bearer_auth(world.token(&patient).await);
            let line = request.json(&json!({ "text": "发了两次" }));
            world.send(line).await.data()["seq"].clone()
        };
        assert_eq!(keyed().await, keyed().await, "the key is enough");
        let since = world.get(&patient, &format!("{path}?after=3")).await;
        assert_eq!(since.data().as_array().map(Vec::len), Some(2));

        let taken = json!({ "id": id, "text": "别人的编号" });
        let refused = world.post(&doctor, &path, taken).await;
        assert!(refused.refused(422, "6001").contains("id"));
        for stranger in [&world.patient().await, &world.doctors[3]] {
            let answer = world.post(stranger, &path, json!({ "text": "?" })).await;
            answer.refused(404, "2001");
        }
        let operator = world
            .post(&world.operator, &path, json!({ "text": "?" }))
            .await;
        operator.refused(403, "1003");
    }
);

journey!(a_doctor_who_declined_says_and_reads_nothing_more, |world| {
    let patient = world.patient().await;
    for doctor in &world.doctors[..2] {
        world.online(doctor, true).await;
    }
    let order = world.paid_dispatch(&patient).await;
    let declined = world.assigned(&order).await;
    world
        .act(&declined, &order, "decline", json!({}))
        .await
        .data();
    let doctor = world.assigned(&order).await;
    world.act(&doctor, &order, "accept", json!({})).await.data();
    let path = format!("/orders/{order}/messages");
    let word = json!({ "text": "我先看看" });
    world
        .post(&declined, &path, word)
        .await
        .refused(404, "2001");
    for part in ["", "/messages", "/journal", "/events"] {
        let path = format!("/orders/{order}{part}");
        world.get(&declined, &path).await.refused(404, "2001");
    }
    let said = world.get(&patient, &path).await;
    let said: Vec<_> = said
        .data()
        .as_array()
        .expect("a list")
        .iter()
        .map(line)
        .collect();
    assert_eq!(said, [OPENED]);
});
