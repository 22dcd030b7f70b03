//! Bad input gets a clear error that names what is wrong, and changes nothing.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says why and fails"
)]

mod harness;

use domain::Span;
use harness::World;
use reqwest::Method;
use serde_json::{Value, json};

fn booking(world: &World) -> Value {
    json!({
        "kind": "consultation", "mode": "dispatch", "consultationType": "text",
        "departmentId": world.department, "complaint": "头痛",
    })
}

async fn orders(world: &World) -> i64 {
    let all = world.get(&world.operator, "/orders").await;
    all.body["meta"]["pagination"]["total"]
        .as_i64()
        .expect("total")
}

journey!(
    a_bad_body_is_refused_with_the_field_that_is_wrong,
    |world| {
        let patient = world.patient().await;
        let token = world.token(&patient).await;
        let post = |body: String| {
            let request = world.client.post(format!("{}/api/v1/orders", world.base));
            request
                .bearer_auth(&token)
                .header("content-type", "application/json")
                .body(body)
        };
        world
            .send(post("{\"kind\": ".into()))
            .await
            .refused(400, "6005");

        let mut unknown = booking(world);
        unknown["colour"] = json!("red");
        let answer = world.send(post(unknown.to_string())).await;
        assert!(
            answer.refused(422, "6001").contains("colour")
                || answer.body["error"]["details"]
                    .to_string()
                    .contains("colour")
        );

        let mut wrong_type = booking(world);
        wrong_type["complaint"] = json!(7);
        let answer = world.send(post(wrong_type.to_string())).await;
        answer.refused(422, "6001");
        assert_eq!(answer.body["error"]["details"][0]["field"], "complaint");

        let mut wrong_uuid = booking(world);
        wrong_uuid["departmentId"] = json!("internal");
        let answer = world.send(post(wrong_uuid.to_string())).await;
        answer.refused(422, "6001");
        assert_eq!(answer.body["error"]["details"][0]["field"], "departmentId");

        let mut negative = booking(world);
        negative["price"] = json!({ "amount": -1, "currency": "CNY" });
        let answer = world.send(post(negative.to_string())).await;
        answer.refused(422, "6001");
        assert!(
            answer.body["error"]["details"][0]["field"]
                .as_str()
                .expect("field")
                .starts_with("price")
        );

        let large = format!("{{\"complaint\": \"{}\"}}", "a".repeat(2 << 20));
        world.send(post(large)).await.refused(413, "6005");
        assert_eq!(orders(world).await, 0);
    }
);

journey!(a_wrong_id_and_a_foreign_order, |world| {
    let (patient, other) = (world.patient().await, world.patient().await);
    world
        .get(&patient, "/orders/not-a-uuid")
        .await
        .refused(422, "6001");
    let nowhere = "/orders/00000000-0000-7000-8000-000000000000";
    world.get(&patient, nowhere).await.refused(404, "2001");
    let order = world.book_dispatch(&patient).await;
    world
        .get(&other, &format!("/orders/{order}"))
        .await
        .refused(404, "2001");
    world
        .put(&other, &format!("/orders/{order}/cancel"), json!({}))
        .await
        .refused(404, "2001");
    world
        .get(&other, &format!("/orders/{order}/journal"))
        .await
        .refused(404, "2001");
    world
        .get(&world.doctors[0], &format!("/orders/{order}"))
        .await
        .refused(404, "2001");
    world.stands(&order, 100, 0, 0).await;
    world
        .act(&patient, &order, "cancel", json!({}))
        .await
        .data();
});

journey!(a_wrong_role_and_a_wrong_status, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    world
        .post(&world.doctors[0], "/orders", booking(world))
        .await
        .refused(403, "1003");
    world
        .post(&patient, "/sessions", json!({}))
        .await
        .refused(403, "1003");
    world
        .post(&patient, &format!("/orders/{order}/accept"), json!({}))
        .await
        .refused(403, "1003");
    let early = world
        .post(&patient, &format!("/orders/{order}/answer"), json!({}))
        .await;
    early.refused(409, "2003");
    assert_eq!(early.body["error"]["details"]["status"], "PENDING_PAYMENT");
    let allowed = early.body["error"]["details"]["allowed"].to_string();
    assert!(
        allowed.contains("pay") && allowed.contains("cancel"),
        "{allowed}"
    );
    assert_eq!(world.path(&order).await, [100]);
    world
        .act(&patient, &order, "cancel", json!({}))
        .await
        .data();
});

journey!(tokens_that_are_missing_forged_or_old, |world| {
    let patient = world.patient().await;
    let token = world.token(&patient).await;
    let me = |token: String| {
        world
            .client
            .get(format!("{}/api/v1/auth/me", world.base))
            .bearer_auth(token)
    };
    world
        .send(world.raw(Method::GET, "/api/v1/auth/me").await)
        .await
        .refused(401, "1004");
    world.send(me("nonsense".into())).await.refused(401, "1004");
    let (head, tail) = token.rsplit_once('.').expect("a JWT");
    let forged = format!("{head}.{}", tail.chars().rev().collect::<String>());
    world.send(me(forged)).await.refused(401, "1004");
    assert_eq!(
        world.send(me(token.clone())).await.data()["user"]["email"],
        patient.login
    );
    world.pass(Span::minutes(15)).await;
    world.send(me(token)).await.refused(401, "1002");
});

journey!(
    a_refresh_token_is_good_once_and_its_reuse_ends_the_family,
    |world| {
        let patient = world.patient().await;
        let login = json!({ "email": patient.login, "password": harness::PASSWORD });
        let post = |path: &str, body: &Value| {
            world
                .client
                .post(format!("{}/api/v1{path}", world.base))
                .json(body)
        };
        let first = world.send(post("/auth/login", &login)).await.data()["refreshToken"].clone();
        let second = world
            .send(post("/auth/refresh", &json!({ "refreshToken": first })))
            .await
            .data()["refreshToken"]
            .clone();
        assert_ne!(first, second);
        world
            .send(post("/auth/refresh", &json!({ "refreshToken": first })))
            .await
            .refused(401, "1002");
        world
            .send(post("/auth/refresh", &json!({ "refreshToken": second })))
            .await
            .refused(401, "1002");
        let wrong = json!({ "email": patient.login, "password": "wrong-wrong-wrong" });
        let unknown = json!({ "email": "nobody@demo.xinglin", "password": "wrong-wrong-wrong" });
        let (a, b) = (
            world.send(post("/auth/login", &wrong)).await,
            world.send(post("/auth/login", &unknown)).await,
        );
        assert_eq!(a.refused(401, "1001"), b.refused(401, "1001"));
    }
);

journey!(idempotency_keys_that_are_reused_or_stale, |world| {
    let patient = world.patient().await;
    let first = world.token(&patient).await;
    let send = |token: String, body: Value| {
        let request = world.client.post(format!("{}/api/v1/orders", world.base));
        request
            .bearer_auth(token)
            .header("Idempotency-Key", "k-1")
            .json(&body)
    };
    let booked = world.send(send(first.clone(), booking(world))).await.data()["id"].clone();
    let again = world.send(send(first.clone(), booking(world))).await;
    assert_eq!(again.data()["id"], booked);
    assert_eq!(again.headers["idempotent-replay"], "true");
    let mut other = booking(world);
    other["complaint"] = json!("别的");
    world.send(send(first, other)).await.refused(409, "6004");
    world.pass(Span::hours(25)).await;
    let later = world.token(&patient).await;
    world
        .send(send(later, booking(world)))
        .await
        .refused(409, "6004");
    assert_eq!(orders(world).await, 1);
});

journey!(callbacks_that_are_forged_old_or_of_nobody, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    let number = world.submit(&patient, &order).await;
    let url = format!("{}/api/v1/payments/webhook/wechat", world.base);
    let unsigned = world.client.post(&url).body("{}");
    assert_eq!(world.send(unsigned).await.status, 401);
    let bad = sandbox::views::PayRequest {
        callback: sandbox::views::PayCallback::BadSignature,
        ..Default::default()
    };
    world.sandbox.pay(&number, bad).expect("paid");
    world.settle().await;
    assert_eq!(
        world.status(&order).await,
        101,
        "a bad signature changes nothing"
    );
    let stale = sandbox::views::RedeliverRequest {
        times: 1,
        stale_seconds: 301,
        ..Default::default()
    };
    let answers = world
        .sandbox
        .redeliver(&number, &stale)
        .await
        .expect("sent")
        .answers;
    assert_eq!(answers[0].status, Some(401));
    assert_eq!(
        world.status(&order).await,
        101,
        "an old notice changes nothing"
    );
    let replay = sandbox::views::RedeliverRequest {
        times: 2,
        ..Default::default()
    };
    let answers = world
        .sandbox
        .redeliver(&number, &replay)
        .await
        .expect("sent")
        .answers;
    assert!(
        answers.iter().all(|answer| answer.status == Some(200)),
        "{answers:?}"
    );
    assert_eq!(world.path(&order).await, [100, 101, 200]);
    world
        .act(&patient, &order, "cancel", json!({}))
        .await
        .data();
});

journey!(every_answer_carries_the_request_id, |world| {
    let patient = world.patient().await;
    let token = world.token(&patient).await;
    let request = world
        .raw(Method::GET, "/api/v1/orders/no")
        .await
        .bearer_auth(token);
    let answer = world.send(request.header("X-Request-Id", "desk-42")).await;
    assert_eq!(answer.headers["x-request-id"], "desk-42");
    assert_eq!(answer.body["error"]["requestId"], "desk-42");
    let nowhere = world
        .send(world.raw(Method::GET, "/api/v1/nowhere").await)
        .await;
    nowhere.refused(404, "6002");
    assert!(nowhere.headers.contains_key("x-request-id"));
});
