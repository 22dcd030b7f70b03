//! Consultations queued for a clinic session, over HTTP (spec 10, clinic mode).

mod harness;

use domain::Span;
use harness::{Person, World};
use serde_json::{Value, json};

const PRICE: i64 = 5000;

async fn open(world: &World, doctor: &Person, session: &Value) {
    let id = session["id"].as_str().expect("id");
    world
        .post(doctor, &format!("/sessions/{id}/open"), json!({}))
        .await
        .data();
    world.settle().await;
}

/// An open session with so many patients in its queue.
async fn queue(world: &World, waiting: usize) -> (Person, Value, Vec<(Person, String)>) {
    let doctor = world.doctors[0].clone();
    let session = world.publish(&doctor, 0, 4, 100).await;
    open(world, &doctor, &session).await;
    let mut orders = Vec::new();
    for _ in 0..waiting {
        let patient = world.patient().await;
        let order = world.paid_clinic(&patient, &session, 0).await;
        assert_eq!(world.status(&order).await, 302);
        orders.push((patient, order));
    }
    (doctor, session, orders)
}

async fn call_next(world: &World, doctor: &Person, session: &Value) -> String {
    let id = session["id"].as_str().expect("id");
    let answer = world
        .post(doctor, &format!("/sessions/{id}/call-next"), json!({}))
        .await;
    answer.data()["id"].as_str().expect("id").to_owned()
}

journey!(
    /// 100 → 101 → 300 → 301 → 302 → 303 → 400 → 401 → 900
    a_booked_consultation_from_booking_to_its_end,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 60, 2, 6).await;
        let order = world.paid_clinic(&patient, &session, 0).await;
        assert_eq!(world.status(&order).await, 301);
        world.pass(Span::minutes(55)).await;
        world.act(&patient, &order, "check-in", json!({})).await.data();
        world.pass(Span::minutes(5)).await;
        open(world, &doctor, &session).await;
        assert_eq!(world.status(&order).await, 302);
        assert_eq!(call_next(world, &doctor, &session).await, order);
        world.act(&patient, &order, "answer", json!({})).await.data();
        world.act(&doctor, &order, "start", json!({})).await.data();
        let summary = json!({ "complaint": "复诊", "findings": "好转", "advice": "继续服药" });
        world.act(&doctor, &order, "finish", summary).await.data();
        world.stands(&order, 900, PRICE, 0).await;
        assert_eq!(world.path(&order).await, [100, 101, 300, 301, 302, 303, 400, 401, 900]);
    }
);

journey!(a_missed_call_moves_three_places_back, |world| {
    let (doctor, session, orders) = queue(world, 5).await;
    let first = call_next(world, &doctor, &session).await;
    assert_eq!(first, orders[0].1);
    world.pass(Span::minutes(2)).await;
    assert!(world.path(&first).await.ends_with(&[302, 303, 305, 302]));
    let id = session["id"].as_str().expect("id");
    let queue = world
        .get(&doctor, &format!("/sessions/{id}/queue"))
        .await
        .data()["waiting"]
        .clone();
    let places: Vec<&str> = queue
        .as_array()
        .expect("queue")
        .iter()
        .filter_map(|w| w["orderId"].as_str())
        .collect();
    let expected: Vec<&str> = [1, 2, 3, 0, 4]
        .iter()
        .map(|i| orders[*i].1.as_str())
        .collect();
    assert_eq!(places, expected);
    let numbers: Vec<i64> = queue
        .as_array()
        .expect("queue")
        .iter()
        .filter_map(|w| w["number"].as_i64())
        .collect();
    assert_eq!(numbers, [2, 3, 4, 1, 5], "the number taken stays");
});

journey!(three_missed_calls_end_it_with_80_percent, |world| {
    let (doctor, session, orders) = queue(world, 1).await;
    for _ in 0..3 {
        call_next(world, &doctor, &session).await;
        world.pass(Span::minutes(2)).await;
    }
    world.stands(&orders[0].1, 901, PRICE, 4000).await;
    assert!(
        world
            .path(&orders[0].1)
            .await
            .ends_with(&[303, 304, 502, 901])
    );
});

journey!(
    /// 301: 100 %, 302: 90 %, 303: 85 %, 400: 80 %
    cancelling_costs_what_the_stage_says,
    |world| {
        let (doctor, session, orders) = queue(world, 3).await;
        let later = world.publish(&world.doctors[1].clone(), 60, 2, 6).await;
        let patient = world.patient().await;
        let booked = world.paid_clinic(&patient, &later, 1).await;
        world.act(&patient, &booked, "cancel", json!({})).await.data();
        world.stands(&booked, 901, PRICE, 5000).await;

        world.act(&orders[2].0, &orders[2].1, "cancel", json!({})).await.data();
        world.stands(&orders[2].1, 901, PRICE, 4500).await;

        assert_eq!(call_next(world, &doctor, &session).await, orders[0].1);
        world.act(&orders[0].0, &orders[0].1, "cancel", json!({})).await.data();
        world.stands(&orders[0].1, 901, PRICE, 4250).await;

        assert_eq!(call_next(world, &doctor, &session).await, orders[1].1);
        world.act(&orders[1].0, &orders[1].1, "answer", json!({})).await.data();
        world.act(&orders[1].0, &orders[1].1, "cancel", json!({})).await.data();
        world.stands(&orders[1].1, 901, PRICE, 4000).await;
    }
);

journey!(
    a_cancelled_session_refunds_fifty_waiting_patients,
    |world| {
        let (doctor, session, orders) = queue(world, 50).await;
        call_next(world, &doctor, &session).await;
        let id = session["id"].as_str().expect("id");
        world
            .post(
                &doctor,
                &format!("/sessions/{id}/cancel"),
                json!({ "reason": "急诊" }),
            )
            .await
            .data();
        world.settle().await;
        for (_, order) in &orders {
            world.stands(order, 901, PRICE, PRICE).await;
        }
        assert!(
            world
                .path(&orders[0].1)
                .await
                .ends_with(&[303, 500, 501, 502, 901])
        );
        assert!(world.path(&orders[1].1).await.ends_with(&[302, 502, 901]));
    }
);

journey!(closing_with_people_waiting_is_asked_twice, |world| {
    let (doctor, session, orders) = queue(world, 2).await;
    let path = format!("/sessions/{}/close", session["id"].as_str().expect("id"));
    let asked = world.post(&doctor, &path, json!({})).await;
    asked.refused(409, "6003");
    assert_eq!(asked.body["error"]["details"]["waiting"], 2);
    world
        .post(&doctor, &path, json!({ "confirm": true }))
        .await
        .data();
    world.settle().await;
    for (_, order) in &orders {
        world.stands(order, 901, PRICE, PRICE).await;
    }
});

journey!(a_patient_who_never_comes_gets_nothing_back, |world| {
    let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
    let session = world.publish(&doctor, 60, 2, 6).await;
    let order = world.paid_clinic(&patient, &session, 0).await;
    world.pass(Span::minutes(60)).await;
    open(world, &doctor, &session).await;
    world.pass(Span::minutes(14)).await;
    assert_eq!(world.status(&order).await, 301);
    world.pass(Span::minutes(1)).await;
    world.stands(&order, 902, PRICE, 0).await;
});

journey!(
    /// A doctor who opens late shifts every clock of the session with them.
    a_late_doctor_never_makes_a_patient_late,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 60, 2, 6).await;
        let order = world.paid_clinic(&patient, &session, 0).await;
        world.pass(Span::minutes(90)).await;
        assert_eq!(world.status(&order).await, 301, "the session is not open");
        open(world, &doctor, &session).await;
        world.pass(Span::minutes(14)).await;
        assert_eq!(world.status(&order).await, 301);
        world.act(&patient, &order, "check-in", json!({})).await.data();
        assert_eq!(world.status(&order).await, 302);
    }
);

journey!(a_doctor_who_never_opens_gives_all_back, |world| {
    let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
    let session = world.publish(&doctor, 60, 2, 6).await;
    let order = world.paid_clinic(&patient, &session, 0).await;
    world
        .act(&patient, &order, "check-in", json!({}))
        .await
        .data();
    world.pass(Span::hours(2)).await;
    world.stands(&order, 901, PRICE, PRICE).await;
});

journey!(
    /// The number service is down for a minute: all money back.
    no_number_in_a_minute_gives_all_back,
    |world| {
        let pause = |paused| json!({ "value": { "dispatchPaused": false, "numbersPaused": paused }, "version": 1 });
        world.put(&world.admin, "/admin/configs/maintenance", pause(true)).await.data();
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 60, 2, 6).await;
        let order = world.paid_clinic(&patient, &session, 0).await;
        assert_eq!(world.status(&order).await, 300);
        world.pass(Span::minutes(1)).await;
        world.stands(&order, 901, PRICE, PRICE).await;
        assert!(world.path(&order).await.ends_with(&[300, 502, 901]));
    }
);

journey!(a_slot_is_never_oversold, |world| {
    let doctor = world.doctors[0].clone();
    let session = world.publish(&doctor, 60, 1, 1).await;
    let mut patients = Vec::new();
    for _ in 0..50 {
        let patient = world.patient().await;
        world.token(&patient).await;
        patients.push(patient);
    }
    let (session, world_ref) = (&session, &*world);
    let bookings = patients
        .iter()
        .map(|p| world_ref.book_clinic(p, session, 0));
    let answers = futures::future::join_all(bookings).await;
    let booked = answers.iter().filter(|a| a.status.is_success()).count();
    assert_eq!(booked, 1);
    for refused in answers.iter().filter(|a| !a.status.is_success()) {
        refused.refused(409, "6003");
    }
    world.pass(Span::minutes(30)).await;
});
