//! The same thing many times at once has one effect (spec 00, rule 5).

mod harness;

use domain::Span;
use harness::World;
use serde_json::json;

journey!(the_same_callback_twenty_times_at_once, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    let number = world.submit(&patient, &order).await;
    world.pay_at_gateway(&number).await;
    let again = sandbox::views::RedeliverRequest {
        times: 20,
        at_once: true,
        ..Default::default()
    };
    let delivered = world
        .sandbox
        .redeliver(&number, &again)
        .await
        .expect("delivered");
    assert!(
        delivered
            .answers
            .iter()
            .all(|answer| answer.status == Some(200)),
        "{delivered:?}"
    );
    world.stands(&order, 200, 3000, 0).await;
    assert_eq!(world.path(&order).await, [100, 101, 200]);
});

journey!(the_same_command_from_twenty_clients_at_once, |world| {
    let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
    world.online(&doctor, true).await;
    let order = world.paid_dispatch(&patient).await;
    world.token(&doctor).await;
    let path = format!("/orders/{order}/accept");
    let (world_ref, doctor, path) = (&*world, &doctor, path.as_str());
    let clicks = (0..20).map(|_| world_ref.post(doctor, path, json!({})));
    for answer in futures::future::join_all(clicks).await {
        assert_eq!(answer.data()["statusCode"], 400);
    }
    assert_eq!(world.path(&order).await, [100, 101, 200, 201, 400]);
});

journey!(thirty_orders_for_a_doctor_with_five_places, |world| {
    let patient = world.patient().await;
    let mut orders = Vec::new();
    for _ in 0..30 {
        orders.push(world.paid_dispatch(&patient).await);
        world.pass(Span::seconds(1)).await;
    }
    world.online(&world.doctors[0], true).await;
    let mut offered = Vec::new();
    for order in &orders {
        offered.push(world.status(order).await == 201);
    }
    assert_eq!(offered.iter().filter(|o| **o).count(), 5);
    assert!(offered[..5].iter().all(|o| *o), "oldest first");
    // The moment a doctor has room, the next oldest gets it.
    world
        .act(&patient, &orders[0], "cancel", json!({}))
        .await
        .data();
    assert_eq!(world.status(&orders[5]).await, 201);
});

journey!(an_idempotency_key_has_one_effect_and_one_answer, |world| {
    let patient = world.patient().await;
    let token = world.token(&patient).await;
    let body = json!({
        "kind": "consultation", "mode": "dispatch", "consultationType": "text",
        "departmentId": world.department, "complaint": "咳嗽",
    });
    let book = |body: serde_json::Value| {
        let request = world.client.post(format!("{}/api/v1/orders", world.base));
        request
            .bearer_auth(&token)
            .header("Idempotency-Key", "booking-1")
            .json(&body)
    };
    let requests = (0..10).map(|_| world.send(book(body.clone())));
    let answers = futures::future::join_all(requests).await;
    let ids: std::collections::BTreeSet<String> = answers
        .iter()
        .map(|a| a.data()["id"].as_str().expect("id").to_owned())
        .collect();
    assert_eq!(ids.len(), 1, "one order");
    let mut other = body.clone();
    other["complaint"] = json!("发热");
    world.send(book(other)).await.refused(409, "6004");
    world.pass(Span::hours(25)).await;
});
