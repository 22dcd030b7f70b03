//! Dispatched consultations from 200 to 401, over HTTP, against the sandbox, with a clock that
//! stands still until it is moved (spec 10, commands by status).

use crate::harness::scenes::{DISPATCH_PRICE as PRICE, TO_READY, TO_SERVICE, summary, then};
use crate::harness::{Person, World};
use domain::Span;
use serde_json::json;

journey!(
    /// 100 → 101 → 200 → 201 → 400 → 401 → 900
    a_consultation_from_booking_to_its_end,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        world.act(&doctor, &order, "finish", summary()).await.data();
        world.ended(&order, 900, PRICE, 0, &then(&TO_SERVICE, &[900])).await;
        let early = world.act(&doctor, &order, "rate", json!({ "stars": 5 })).await;
        early.refused(403, "1003");
        let rating = json!({ "stars": 5, "tags": ["attentive", "clear"], "words": "谢谢" });
        world.act(&patient, &order, "rate", rating.clone()).await.data();
        world.act(&patient, &order, "rate", rating).await.data();
        let other = json!({ "stars": 4, "tags": ["attentive", "clear"], "words": "谢谢" });
        world.act(&patient, &order, "rate", other).await.refused(422, "6001");
        let kept = world.order(&order).await["detail"]["rating"].clone();
        assert_eq!((&kept["stars"], &kept["tags"]), (&json!(5), &json!(["attentive", "clear"])));
        assert_eq!(world.order(&order).await["detail"]["rating"]["stars"], 5);
    }
);

// --- 200 ---

journey!(no_doctor_for_three_minutes_is_refunded, |world| {
    let patient = world.patient().await;
    let order = world.paid_dispatch(&patient).await;
    world.pass(Span::seconds(179)).await;
    world.ended(&order, 200, PRICE, 0, &[100, 101, 200]).await;
    world.pass(Span::seconds(1)).await;
    let path = [100, 101, 200, 202, 502, 901];
    world.ended(&order, 901, PRICE, PRICE, &path).await;
});

journey!(cancelled_while_a_doctor_is_looked_for, |world| {
    let patient = world.patient().await;
    let order = world.paid_dispatch(&patient).await;
    world.cancel(&patient, &order).await;
    let path = [100, 101, 200, 500, 501, 502, 901];
    world.ended(&order, 901, PRICE, PRICE, &path).await;
});

journey!(
    /// Nobody is asked who is not licensed for the consultation's type: as if nobody were there.
    a_doctor_without_the_licence_is_not_asked,
    |world| {
        let patient = world.patient().await;
        world.online(&world.doctors[0], true).await;
        let body = json!({
            "kind": "consultation", "mode": "dispatch", "consultationType": "phone",
            "departmentId": world.department, "complaint": "头痛三天",
        });
        let booked = world.post(&patient, "/orders", body).await;
        let order = booked.data()["id"].as_str().expect("id").to_owned();
        let number = world.submit(&patient, &order).await;
        world.pay_at_gateway(&number).await;
        world.ended(&order, 200, 5_000, 0, &[100, 101, 200]).await;
        world.pass(Span::minutes(3)).await;
        world.ended(&order, 901, 5_000, 5_000, &[100, 101, 200, 202, 502, 901]).await;
    }
);

// --- 201 ---

journey!(cancelled_while_a_doctor_is_asked, |world| {
    let patient = world.patient().await;
    world.online(&world.doctors[0], true).await;
    let order = world.paid_dispatch(&patient).await;
    world
        .ended(&order, 201, PRICE, 0, &[100, 101, 200, 201])
        .await;
    world.cancel(&patient, &order).await;
    let path = [100, 101, 200, 201, 500, 501, 502, 901];
    world.ended(&order, 901, PRICE, PRICE, &path).await;
    let doctor = world.doctors[0].clone();
    world
        .act(&doctor, &order, "accept", json!({}))
        .await
        .refused(409, "2003");
});

journey!(three_declines_end_it_with_all_money_back, |world| {
    let patient = world.patient().await;
    for doctor in &world.doctors {
        world.online(doctor, true).await;
    }
    let order = world.paid_dispatch(&patient).await;
    let mut asked = Vec::new();
    for _ in 0..3 {
        let doctor = world.assigned(&order).await;
        assert!(
            !asked.contains(&doctor.login),
            "a doctor who declined is not asked again"
        );
        asked.push(doctor.login.clone());
        let body = json!({ "reason": "忙" });
        world.act(&doctor, &order, "decline", body).await.data();
    }
    let path = [100, 101, 200, 201, 200, 201, 200, 201, 502, 901];
    world.ended(&order, 901, PRICE, PRICE, &path).await;
});

journey!(
    /// Five minutes without an answer count as a decline: twice to another doctor, then all money back.
    a_doctor_who_lets_five_minutes_pass_loses_the_order,
    |world| {
        let patient = world.patient().await;
        for doctor in &world.doctors {
            world.online(doctor, true).await;
        }
        let order = world.paid_dispatch(&patient).await;
        let first = world.assigned(&order).await;
        world.pass(Span::minutes(5)).await;
        world.ended(&order, 201, PRICE, 0, &[100, 101, 200, 201, 200, 201]).await;
        let second = world.assigned(&order).await;
        assert_ne!(first.login, second.login);
        world.act(&first, &order, "accept", json!({})).await.refused(403, "1003");
        world.pass(Span::minutes(5)).await;
        world.pass(Span::minutes(5)).await;
        let path = [100, 101, 200, 201, 200, 201, 200, 201, 502, 901];
        world.ended(&order, 901, PRICE, PRICE, &path).await;
    }
);

journey!(an_offer_goes_with_its_doctor, |world| {
    let patient = world.patient().await;
    for doctor in &world.doctors[..2] {
        world.online(doctor, true).await;
    }
    let order = world.paid_dispatch(&patient).await;
    let first = world.assigned(&order).await;
    world.online(&first, false).await;
    let second = world.assigned(&order).await;
    assert_ne!(second.login, first.login);
    world.act(&second, &order, "accept", json!({})).await.data();
    world.act(&second, &order, "start", json!({})).await.data();
    world.act(&second, &order, "finish", summary()).await.data();
    let path = [100, 101, 200, 201, 200, 201, 400, 401, 900];
    world.ended(&order, 900, PRICE, 0, &path).await;
});

// --- 400 ---

journey!(
    /// 400: 90 %, due in five working days.
    cancelled_before_the_doctor_starts,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.ready(&patient).await;
        world.cancel(&patient, &order).await;
        let path = then(&TO_READY, &[500, 501, 502, 901]);
        world.ended(&order, 901, PRICE, 2700, &path).await;
        // Monday plus five working days.
        assert_eq!(world.refund_of(&order, 0).await["dueOn"], "2026-03-09");
    }
);

journey!(
    /// Two minutes not started, the patient there at any moment of it: the doctor's fault.
    a_doctor_who_does_not_start_is_at_fault_if_the_patient_was_there,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.ready(&patient).await;
        world.act(&patient, &order, "check-in", json!({})).await.data();
        world.pass(Span::minutes(2)).await;
        world.ended(&order, 901, PRICE, PRICE, &then(&TO_READY, &[502, 901])).await;
        let refund = world.refund_of(&order, 0).await;
        assert_eq!((refund["fault"].as_str(), refund["share"].as_i64()), (Some("doctor"), Some(100)));
    }
);

journey!(
    /// Whoever has the order's page open when the doctor accepts is there.
    a_patient_who_watches_the_page_is_there,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let order = world.paid_dispatch(&patient).await;
        let mut page = world.watch(&patient, &order).await;
        world.online(&doctor, true).await;
        world.act(&doctor, &order, "accept", json!({})).await.data();
        page.shows(400).await;
        world.pass(Span::minutes(2)).await;
        world.ended(&order, 901, PRICE, PRICE, &then(&TO_READY, &[502, 901])).await;
        assert_eq!(world.refund_of(&order, 0).await["fault"], "doctor");
    }
);

journey!(
    /// A page that was closed before the doctor accepted is nobody's presence.
    a_patient_who_left_the_page_is_not_there,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let order = world.paid_dispatch(&patient).await;
        drop(world.watch(&patient, &order).await);
        world.online(&doctor, true).await;
        // The server hears of the closed connection when it next writes to it, at the latest.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        world.act(&doctor, &order, "accept", json!({})).await.data();
        world.pass(Span::minutes(2)).await;
        world.ended(&order, 901, PRICE, 2700, &then(&TO_READY, &[500, 501, 502, 901])).await;
    }
);

journey!(
    /// Two minutes not started, the patient never there: the stage's share.
    a_patient_who_was_never_there_gets_the_stages_share,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.ready(&patient).await;
        world.pass(Span::minutes(2)).await;
        let path = then(&TO_READY, &[500, 501, 502, 901]);
        world.ended(&order, 901, PRICE, 2700, &path).await;
    }
);

// --- 401 ---

/// The patient cancels after so many minutes of service, and an operator decides by the table.
async fn cancelled_after(world: &World, patient: &Person, service: Span, share: i64) {
    let (order, _) = world.in_progress(patient).await;
    world.pass(service).await;
    world.cancel(patient, &order).await;
    let waiting = then(&TO_SERVICE, &[500, 501]);
    world.ended(&order, 501, PRICE, 0, &waiting).await;
    let refund = world.refund_of(&order, 0).await;
    assert_eq!(refund["share"].as_i64(), Some(share));
    let body = json!({ "decision": "byTable" });
    world.operate(&order, "review", body).await.data();
    let path = then(&waiting, &[502, 901]);
    world
        .ended(&order, 901, PRICE, PRICE * share / 100, &path)
        .await;
}

journey!(
    /// By service time: 80, 60, 40, 20 %; upper bounds inclusive, to the second.
    cancelled_during_the_service_waits_for_an_operator,
    |world| {
        let patient = world.patient().await;
        for (minutes, share) in [(4, 80), (5, 80), (7, 60), (10, 60), (12, 40), (17, 20), (20, 20)] {
            cancelled_after(world, &patient, Span::minutes(minutes), share).await;
        }
        let past_five = Span::seconds(301);
        cancelled_after(world, &patient, past_five, 60).await;
    }
);

journey!(
    /// After 20 minutes the share is nothing: the table refuses, and the service goes on.
    cancelled_after_twenty_minutes_goes_on,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        world.pass(Span::minutes(22)).await;
        world.cancel(&patient, &order).await;
        assert_eq!(world.refund_of(&order, 0).await["share"], 0);
        let body = json!({ "decision": "byTable" });
        world.operate(&order, "review", body).await.data();
        let back = then(&TO_SERVICE, &[500, 501, 401]);
        world.ended(&order, 401, PRICE, 0, &back).await;
        assert_eq!(world.refund_of(&order, 0).await["status"], "REFUSED");
        world.act(&doctor, &order, "finish", summary()).await.data();
        world.ended(&order, 900, PRICE, 0, &then(&back, &[900])).await;
    }
);

journey!(
    /// 402 → 900: the unused share is refunded beside it; after 50 minutes that is nothing.
    half_an_hour_of_silence_ends_the_service,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.in_progress(&patient).await;
        world.pass(Span::minutes(20)).await;
        let path = format!("/orders/{order}/messages");
        world.post(&patient, &path, json!({ "text": "还在吗" })).await.data();
        world.pass(Span::minutes(29)).await;
        world.ended(&order, 401, PRICE, 0, &TO_SERVICE).await;
        world.pass(Span::minutes(1)).await;
        world.ended(&order, 900, PRICE, 0, &then(&TO_SERVICE, &[402, 900])).await;
    }
);

journey!(
    /// 60 minutes in all, however much is said.
    an_hour_in_all_ends_the_service,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        let path = format!("/orders/{order}/messages");
        for minutes in [25, 25] {
            world.pass(Span::minutes(minutes)).await;
            world.post(&doctor, &path, json!({ "text": "请继续" })).await.data();
        }
        world.pass(Span::minutes(9)).await;
        world.ended(&order, 401, PRICE, 0, &TO_SERVICE).await;
        world.pass(Span::minutes(1)).await;
        world.ended(&order, 900, PRICE, 0, &then(&TO_SERVICE, &[402, 900])).await;
    }
);

journey!(
    /// The last word was 5 minutes too late and the hour is over: two deadlines at the same moment,
    /// one end.
    silence_and_the_hour_end_it_together,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        let path = format!("/orders/{order}/messages");
        for _ in 0..2 {
            world.pass(Span::minutes(25)).await;
            world.post(&doctor, &path, json!({ "text": "请继续" })).await.data();
        }
        world.pass(Span::minutes(10)).await;
        world.ended(&order, 900, PRICE, 0, &then(&TO_SERVICE, &[402, 900])).await;
        assert_eq!(world.order(&order).await["deadline"], json!(null));
    }
);

journey!(
    /// The general form: allowed exactly when one command of the caller leads there.
    a_status_can_be_asked_for_where_one_command_leads_there,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        world.online(&doctor, true).await;
        let order = world.paid_dispatch(&patient).await;
        let path = format!("/orders/{order}/status");
        let to = |status: &str| Some(json!({ "status": status }));
        let patch = reqwest::Method::PATCH;
        let foreign = world.call(&patient, patch.clone(), &path, to("PENDING_CONSULTATION")).await;
        foreign.refused(409, "2003");
        assert_eq!(foreign.body["error"]["details"]["status"], "PENDING_ACCEPT");
        let far = world.call(&doctor, patch.clone(), &path, to("COMPLETED")).await;
        far.refused(409, "2003");
        assert_eq!(far.body["error"]["details"]["allowed"], json!(["accept", "decline"]));
        let unknown = world.call(&doctor, patch.clone(), &path, to("HAPPY")).await;
        unknown.refused(422, "6001");
        assert_eq!(unknown.body["error"]["details"][0]["field"], "status");
        world.ended(&order, 201, PRICE, 0, &[100, 101, 200, 201]).await;

        let accepted = world.call(&doctor, patch.clone(), &path, to("PENDING_CONSULTATION")).await;
        assert_eq!(accepted.data()["statusCode"], 400);
        let begun = world.call(&doctor, patch.clone(), &path, to("401")).await;
        assert_eq!(begun.data()["statusCode"], 401);
        let cancelled = world.call(&patient, patch, &path, to("REFUND_REQUESTED")).await;
        assert_eq!(cancelled.data()["statusCode"], 501, "500 is passed at once");
        world.ended(&order, 501, PRICE, 0, &then(&TO_SERVICE, &[500, 501])).await;
        world.operate(&order, "review", json!({ "decision": "byTable" })).await.data();
        world.ended(&order, 901, PRICE, 2400, &then(&TO_SERVICE, &[500, 501, 502, 901])).await;
    }
);

journey!(
    /// An order, live: as it is at once, and again after each change.
    events_tell_of_each_change,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let order = world.paid_dispatch(&patient).await;
        let path = format!("/api/v1/orders/{order}/events");
        let stranger = world.token(&world.patient().await).await;
        let request = world.raw(reqwest::Method::GET, &path).await.bearer_auth(stranger);
        world.send(request).await.refused(404, "2001");
        let mut page = world.watch(&patient, &order).await;
        world.online(&doctor, true).await;
        assert_eq!(page.next().await["statusCode"], 201);
        world.act(&doctor, &order, "accept", json!({})).await.data();
        let accepted = page.next().await;
        assert_eq!(accepted["statusCode"], 400);
        assert_eq!(accepted["detail"]["doctor"]["id"], json!(doctor.id));
        drop(page);
        world.cancel(&patient, &order).await;
        world.ended(&order, 901, PRICE, 2700, &then(&TO_READY, &[500, 501, 502, 901])).await;
    }
);
