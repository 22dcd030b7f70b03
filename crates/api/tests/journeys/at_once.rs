//! The same thing many times at once has one effect (spec 00, rule 5).

use crate::harness::World;
use crate::harness::scenes::{TO_READY, TO_SERVICE, then};
use domain::Span;
use serde_json::json;

journey!(
    /// Twenty copies of the first notice, and twenty of a known one.
    the_same_callback_twenty_times_at_once,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let number = world.submit(&patient, &order).await;
        let unheard = sandbox::views::PayRequest {
            callback: sandbox::views::PayCallback::Never,
            ..Default::default()
        };
        world.sandbox.pay(&number, unheard).expect("paid");
        let twenty = sandbox::views::RedeliverRequest {
            times: 20,
            at_once: true,
            ..Default::default()
        };
        for _ in 0..2 {
            let delivered = world.sandbox.redeliver(&number, &twenty).await.expect("delivered");
            assert_eq!(delivered.answers.len(), 20);
            let all_taken = delivered.answers.iter().all(|answer| answer.status == Some(200));
            assert!(all_taken, "{delivered:?}");
            world.settle().await;
            world.ended(&order, 200, 3000, 0, &[100, 101, 200]).await;
        }
        world.cancel(&patient, &order).await;
    }
);

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
    world.ended(&order, 400, 3000, 0, &TO_READY).await;
});

journey!(
    /// Twenty cancels at once: one refund, sent once.
    the_same_cancel_from_twenty_clients_at_once,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.ready(&patient).await;
        world.token(&patient).await;
        let path = format!("/orders/{order}/cancel");
        let (world_ref, patient, path) = (&*world, &patient, path.as_str());
        let clicks = (0..20).map(|_| world_ref.put(patient, path, json!({})));
        for answer in futures::future::join_all(clicks).await {
            answer.data();
        }
        world.settle().await;
        world.ended(&order, 901, 3000, 2700, &then(&TO_READY, &[500, 501, 502, 901])).await;
        assert_eq!(world.sandbox.totals().refunded.count, 1);
    }
);

journey!(
    /// Twenty payments submitted at once: one of them is the open one.
    twenty_payments_submitted_at_once,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        world.token(&patient).await;
        let path = format!("/orders/{order}/pay");
        let body = json!({ "gateway": "wechat", "method": "native" });
        let (world_ref, patient, path) = (&*world, &patient, path.as_str());
        let clicks = (0..20).map(|_| world_ref.post(patient, path, body.clone()));
        let answers = futures::future::join_all(clicks).await;
        let refused: Vec<_> = answers.iter().filter(|a| !a.status.is_success()).collect();
        assert_eq!(refused.len(), 19);
        for answer in refused {
            answer.refused(409, "3003");
        }
        world.ended(&order, 101, 0, 0, &[100, 101]).await;
        assert_eq!(world.order(&order).await["payments"].as_array().expect("payments").len(), 1);
        world.cancel(patient, &order).await;
    }
);

journey!(
    /// Fifty patients for the last place of a slot: one gets it.
    a_slot_is_never_oversold,
    |world| {
        let doctor = world.doctors[0].clone();
        let session = world.publish(&doctor, 60, 1, 1).await;
        let mut patients = Vec::new();
        for _ in 0..50 {
            let patient = world.patient().await;
            world.token(&patient).await;
            patients.push(patient);
        }
        let (session, world_ref) = (&session, &*world);
        let bookings = patients.iter().map(|p| world_ref.book_clinic(p, session, 0));
        let answers = futures::future::join_all(bookings).await;
        let booked: Vec<_> = answers.iter().filter(|a| a.status.is_success()).collect();
        assert_eq!(booked.len(), 1);
        for refused in answers.iter().filter(|a| !a.status.is_success()) {
            refused.refused(409, "6003");
        }
        let order = booked[0].data()["id"].as_str().expect("id");
        world.pass(Span::minutes(30)).await;
        world.ended(order, 902, 0, 0, &[100, 902]).await;
    }
);

journey!(
    /// Thirty paid orders for a doctor with one free place, the dispatcher asked from all sides at
    /// once: one is offered, the others wait and are refunded in full after three minutes.
    thirty_orders_for_a_doctor_with_one_free_place,
    |world| {
        world.parallel_limit(&world.doctors[0], 1).await;
        let mut orders = Vec::new();
        for _ in 0..30 {
            let patient = world.patient().await;
            let order = world.book_dispatch(&patient).await;
            let number = world.submit(&patient, &order).await;
            orders.push((order, number));
        }
        world.online(&world.doctors[0], true).await;
        let world_ref = &*world;
        let payments = orders.iter().map(async |(_, number)| {
            world_ref.sandbox.pay(number, sandbox::views::PayRequest::default()).expect("paid");
            world_ref.settle().await;
        });
        futures::future::join_all(payments).await;
        let mut offered = Vec::new();
        for (order, _) in &orders {
            match world.status(order).await {
                201 => offered.push(order.clone()),
                status => assert_eq!(status, 200),
            }
        }
        assert_eq!(offered.len(), 1);
        world.act(&world.doctors[0], &offered[0], "accept", json!({})).await.data();
        world.act(&world.doctors[0], &offered[0], "start", json!({})).await.data();
        world.pass(Span::minutes(3)).await;
        world.ended(&offered[0], 401, 3000, 0, &TO_SERVICE).await;
        let path = [100, 101, 200, 202, 502, 901];
        for (order, _) in orders.iter().filter(|(order, _)| *order != offered[0]) {
            world.ended(order, 901, 3000, 3000, &path).await;
        }
        assert_eq!(world.sandbox.totals().refunded.count, 29);
    }
);

journey!(
    /// The patient cancels while the doctor accepts: whoever was first, the other's wish is decided
    /// on what is then, and the share is the stage's.
    a_cancellation_and_an_acceptance_at_once,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        world.online(&doctor, true).await;
        for _ in 0..10 {
            let order = world.paid_dispatch(&patient).await;
            let (cancel, accept) = (format!("/orders/{order}/cancel"), format!("/orders/{order}/accept"));
            let (cancelled, accepted) = futures::future::join(
                world.put(&patient, &cancel, json!({})),
                world.post(&doctor, &accept, json!({})),
            )
            .await;
            cancelled.data();
            world.settle().await;
            if accepted.status.is_success() {
                world.ended(&order, 901, 3000, 2700, &then(&TO_READY, &[500, 501, 502, 901])).await;
            } else {
                accepted.refused(409, "2003");
                let path = [100, 101, 200, 201, 500, 501, 502, 901];
                world.ended(&order, 901, 3000, 3000, &path).await;
            }
        }
    }
);

journey!(
    /// Twenty operators decide about one refund, each another share: one decision holds.
    twenty_decisions_about_one_refund_at_once,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.in_progress(&patient).await;
        world.cancel(&patient, &order).await;
        let refund = world.refund_of(&order, 0).await;
        let path = format!("/payments/refunds/{}/review", refund["id"].as_str().expect("id"));
        let (world_ref, path) = (&*world, path.as_str());
        let decisions = (1..=20).map(async |share| {
            let body = json!({ "decision": "share", "share": share, "reason": "协商" });
            (share, world_ref.post(&world_ref.operator, path, body).await)
        });
        let mut held = Vec::new();
        for (share, answer) in futures::future::join_all(decisions).await {
            if answer.status.is_success() {
                held.push(share);
            } else {
                answer.refused(409, "2003");
            }
        }
        assert_eq!(held.len(), 1);
        world.settle().await;
        let path = then(&TO_SERVICE, &[500, 501, 502, 901]);
        world.ended(&order, 901, 3000, 30 * held[0], &path).await;
        assert_eq!(world.sandbox.totals().refunded.count, 1);
    }
);

journey!(
    /// A failed refund is sent again and recorded by hand at the same time: it is paid once.
    a_refund_tried_again_and_recorded_at_once,
    |world| {
        let patient = world.patient().await;
        let order = world.paid_dispatch(&patient).await;
        world.faults(sandbox::views::Faults {
            refuse_refunds: Some(sandbox::views::RefundRefusal::NotEnough),
            ..Default::default()
        });
        world.cancel(&patient, &order).await;
        world.no_faults();
        let refund = world.refund_of(&order, 0).await;
        let at = |action: &str| format!("/payments/refunds/{}/{action}", refund["id"].as_str().expect("id"));
        let (retry, record) = (at("retry"), at("record"));
        let (retried, recorded) = futures::future::join(
            world.post(&world.operator, &retry, json!({})),
            world.post(&world.operator, &record, json!({ "proof": "现金收据 0042" })),
        )
        .await;
        retried.data();
        world.settle().await;
        if recorded.status.is_success() {
            assert_eq!(world.sandbox.totals().refunded.count, 0);
        } else {
            recorded.refused(409, "2003");
            assert_eq!(world.sandbox.totals().refunded.count, 1);
        }
        let path = [100, 101, 200, 500, 501, 502, 503, 502, 901];
        world.ended(&order, 901, 3000, 3000, &path).await;
    }
);

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
    for id in &ids {
        world.ended(id, 100, 0, 0, &[100]).await;
    }
    let mut other = body.clone();
    other["complaint"] = json!("发热");
    world.send(book(other)).await.refused(409, "6004");
    world.pass(Span::hours(25)).await;
});
