//! Dispatched consultations, over HTTP, against the sandbox, with a clock that stands still until it
//! is moved (spec 10, commands by status).

mod harness;

use domain::Span;
use harness::{Person, World};
use serde_json::json;

const PRICE: i64 = 3000;

/// A consultation in 400 with one doctor online.
async fn ready(world: &World, patient: &Person) -> (String, Person) {
    let doctor = world.doctors[0].clone();
    world.online(&doctor, true).await;
    let order = world.paid_dispatch(patient).await;
    world.act(&doctor, &order, "accept", json!({})).await.data();
    (order, doctor)
}

async fn in_progress(world: &World, patient: &Person) -> (String, Person) {
    let (order, doctor) = ready(world, patient).await;
    world.act(&doctor, &order, "start", json!({})).await.data();
    (order, doctor)
}

const SUMMARY: &str = r#"{"complaint":"头痛","findings":"无异常","advice":"休息"}"#;

fn summary() -> serde_json::Value {
    serde_json::from_str(SUMMARY).expect("json")
}

journey!(
    /// 100 → 101 → 200 → 201 → 400 → 401 → 900
    a_consultation_from_booking_to_its_end,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = in_progress(world, &patient).await;
        world.act(&doctor, &order, "finish", summary()).await.data();
        world.stands(&order, 900, PRICE, 0).await;
        assert_eq!(world.path(&order).await, [100, 101, 200, 201, 400, 401, 900]);
        world.act(&patient, &order, "rate", json!({ "stars": 5, "words": "谢谢" })).await.data();
        assert_eq!(world.order(&order).await["detail"]["rating"]["stars"], 5);
    }
);

journey!(unpaid_for_half_an_hour_is_cancelled, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    world.pass(Span::minutes(29)).await;
    assert_eq!(world.status(&order).await, 100);
    world.pass(Span::minutes(1)).await;
    world.stands(&order, 902, 0, 0).await;
});

journey!(cancelled_before_paying, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    world
        .act(&patient, &order, "cancel", json!({}))
        .await
        .data();
    world.stands(&order, 902, 0, 0).await;
    // A second click is no error and changes nothing.
    world
        .act(&patient, &order, "cancel", json!({}))
        .await
        .data();
    assert_eq!(world.path(&order).await, [100, 902]);
});

journey!(a_failed_payment_can_be_tried_again, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    let number = world.submit(&patient, &order).await;
    world.sandbox.fail(&number).expect("failed");
    world.pass(Span::seconds(10)).await;
    world.stands(&order, 102, 0, 0).await;
    let again = world.submit(&patient, &order).await;
    assert_ne!(number, again, "each attempt has its own number");
    world.pay_at_gateway(&again).await;
    world.stands(&order, 200, PRICE, 0).await;
    world
        .act(&patient, &order, "cancel", json!({}))
        .await
        .data();
    world.stands(&order, 901, PRICE, PRICE).await;
});

journey!(a_failed_payment_left_alone_is_cancelled, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    let number = world.submit(&patient, &order).await;
    world.sandbox.fail(&number).expect("failed");
    world.pass(Span::seconds(10)).await;
    world.pass(Span::minutes(30)).await;
    world.stands(&order, 902, 0, 0).await;
});

journey!(another_method_can_be_chosen_after_a_failure, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    let number = world.submit(&patient, &order).await;
    world.sandbox.fail(&number).expect("failed");
    world.pass(Span::seconds(10)).await;
    world
        .put(
            &patient,
            &format!("/orders/{order}/payment-method"),
            json!({}),
        )
        .await
        .data();
    world.stands(&order, 100, 0, 0).await;
    world
        .act(&patient, &order, "cancel", json!({}))
        .await
        .data();
    assert_eq!(world.path(&order).await, [100, 101, 102, 100, 902]);
});

journey!(a_lost_callback_is_found_by_asking, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    let number = world.submit(&patient, &order).await;
    let lost = sandbox::views::PayRequest {
        callback: sandbox::views::PayCallback::Never,
        ..Default::default()
    };
    world.sandbox.pay(&number, lost).expect("paid");
    world.settle().await;
    assert_eq!(world.status(&order).await, 101);
    world.pass(Span::seconds(10)).await;
    world.stands(&order, 200, PRICE, 0).await;
});

journey!(five_minutes_without_a_result_close_the_payment, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    world.submit(&patient, &order).await;
    world.pass(Span::minutes(5)).await;
    world.stands(&order, 102, 0, 0).await;
    let payment = world.order(&order).await["payments"][0].clone();
    assert_eq!(payment["status"], "CLOSED");
});

journey!(
    /// Unknown is never stored as failed: the order is "being checked" until the gateway answers.
    a_gateway_that_is_away_leaves_the_payment_unknown,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let number = world.submit(&patient, &order).await;
        world.sandbox.set_faults(sandbox::views::Faults { down: true, ..Default::default() }).expect("down");
        world.pass(Span::minutes(5)).await;
        let now = world.order(&order).await;
        assert_eq!((now["statusCode"].as_i64(), now["detail"]["beingChecked"].as_bool()), (Some(101), Some(true)));
        world.sandbox.set_faults(sandbox::views::Faults::default()).expect("up");
        world.pass(Span::minutes(1)).await;
        world.stands(&order, 102, 0, 0).await;
        assert_eq!(world.order(&order).await["payments"][0]["outTradeNo"], number);
    }
);

journey!(a_wrong_amount_is_refunded_in_full, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    let number = world.submit(&patient, &order).await;
    let wrong = sandbox::views::PayRequest {
        callback: sandbox::views::PayCallback::WrongAmount,
        ..Default::default()
    };
    world.sandbox.pay(&number, wrong).expect("paid");
    world.settle().await;
    world.stands(&order, 901, PRICE - 1, PRICE - 1).await;
});

journey!(paying_twice_is_refused, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    world.submit(&patient, &order).await;
    let body = json!({ "gateway": "wechat", "method": "native" });
    let again = world
        .post(&patient, &format!("/orders/{order}/pay"), body)
        .await;
    again.refused(409, "3003");
    world
        .act(&patient, &order, "cancel", json!({}))
        .await
        .data();
    world.stands(&order, 902, 0, 0).await;
    assert_eq!(world.path(&order).await, [100, 101, 102, 902]);
});

journey!(
    /// Cancelled in 101 while the money was on its way: 200, then all of it back.
    cancelled_while_paying_but_paid_after_all,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let number = world.submit(&patient, &order).await;
        let lost = sandbox::views::PayRequest {
            callback: sandbox::views::PayCallback::Never,
            ..Default::default()
        };
        world.sandbox.pay(&number, lost).expect("paid");
        world.act(&patient, &order, "cancel", json!({})).await.data();
        world.stands(&order, 901, PRICE, PRICE).await;
        assert_eq!(world.path(&order).await, [100, 101, 200, 500, 501, 502, 901]);
    }
);

journey!(no_doctor_for_three_minutes_is_refunded, |world| {
    let patient = world.patient().await;
    let order = world.paid_dispatch(&patient).await;
    world.pass(Span::minutes(3)).await;
    world.stands(&order, 901, PRICE, PRICE).await;
    assert_eq!(world.path(&order).await, [100, 101, 200, 202, 502, 901]);
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
        world
            .act(&doctor, &order, "decline", json!({ "reason": "忙" }))
            .await;
    }
    world.stands(&order, 901, PRICE, PRICE).await;
    assert_eq!(
        world.path(&order).await,
        [100, 101, 200, 201, 200, 201, 200, 201, 502, 901]
    );
});

journey!(
    a_doctor_who_lets_five_minutes_pass_loses_the_order,
    |world| {
        let patient = world.patient().await;
        for doctor in &world.doctors[..2] {
            world.online(doctor, true).await;
        }
        let order = world.paid_dispatch(&patient).await;
        let first = world.assigned(&order).await;
        world.pass(Span::minutes(5)).await;
        assert_eq!(world.status(&order).await, 201);
        let second = world.assigned(&order).await;
        assert_ne!(first.login, second.login);
        world.act(&second, &order, "accept", json!({})).await.data();
        assert_eq!(world.status(&order).await, 400);
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
    assert_ne!(world.assigned(&order).await.login, first.login);
    assert_eq!(world.status(&order).await, 201);
});

journey!(
    /// 200 and 201: 100 %; 400: 90 %, half up to the fen.
    cancelling_costs_what_the_stage_says,
    |world| {
        let patient = world.patient().await;
        let waiting = world.paid_dispatch(&patient).await;
        world.act(&patient, &waiting, "cancel", json!({})).await.data();
        world.stands(&waiting, 901, PRICE, PRICE).await;

        world.online(&world.doctors[0], true).await;
        let offered = world.paid_dispatch(&patient).await;
        assert_eq!(world.status(&offered).await, 201);
        world.act(&patient, &offered, "cancel", json!({})).await.data();
        world.stands(&offered, 901, PRICE, PRICE).await;

        let (accepted, _) = ready(world, &patient).await;
        let quote = world.get(&patient, &format!("/orders/{accepted}/refund-quote")).await;
        assert_eq!((quote.data()["share"].as_i64(), quote.data()["amount"]["amount"].as_i64()), (Some(90), Some(2700)));
        let body = json!({ "quoteId": quote.data()["quoteId"] });
        world.act(&patient, &accepted, "cancel", body).await.data();
        world.stands(&accepted, 901, PRICE, 2700).await;
        // Monday plus five working days.
        assert_eq!(world.order(&accepted).await["refunds"][0]["dueOn"], "2026-03-09");
    }
);

journey!(a_quote_that_no_longer_holds_is_refused, |world| {
    let patient = world.patient().await;
    let order = world.paid_dispatch(&patient).await;
    let quote = world
        .get(&patient, &format!("/orders/{order}/refund-quote"))
        .await
        .data()
        .clone();
    world.pass(Span::seconds(61)).await;
    let body = json!({ "quoteId": quote["quoteId"] });
    world
        .act(&patient, &order, "cancel", body)
        .await
        .refused(409, "6003");
    assert_eq!(world.status(&order).await, 200);
});

journey!(
    a_doctor_who_does_not_start_is_at_fault_if_the_patient_was_there,
    |world| {
        let patient = world.patient().await;
        let (seen, _) = ready(world, &patient).await;
        world
            .act(&patient, &seen, "check-in", json!({}))
            .await
            .data();
        world.pass(Span::minutes(2)).await;
        world.stands(&seen, 901, PRICE, PRICE).await;

        let (absent, _) = ready(world, &patient).await;
        world.pass(Span::minutes(2)).await;
        world.stands(&absent, 901, PRICE, 2700).await;
        assert!(
            world
                .path(&absent)
                .await
                .ends_with(&[400, 500, 501, 502, 901])
        );
    }
);

journey!(three_failed_connections_refund_all, |world| {
    let patient = world.patient().await;
    let (order, doctor) = ready(world, &patient).await;
    for attempt in 1..=3 {
        // Both sides report the same try: it counts once.
        world
            .act(
                &patient,
                &order,
                "connection-failed",
                json!({ "attempt": attempt }),
            )
            .await;
        world
            .act(
                &doctor,
                &order,
                "connection-failed",
                json!({ "attempt": attempt }),
            )
            .await;
    }
    world.stands(&order, 901, PRICE, PRICE).await;
});

journey!(
    /// Out of 401 an operator decides: by the table, or another share with a reason.
    cancelled_during_the_service_waits_for_an_operator,
    |world| {
        let patient = world.patient().await;
        for (minutes, share) in [(3, 80), (7, 60), (12, 40), (17, 20)] {
            let (order, _) = in_progress(world, &patient).await;
            world.pass(Span::minutes(minutes)).await;
            world.act(&patient, &order, "cancel", json!({})).await.data();
            assert_eq!(world.status(&order).await, 501);
            let refund = world.order(&order).await["refunds"][0].clone();
            assert_eq!(refund["share"].as_i64(), Some(share));
            let id = refund["id"].as_str().expect("id").to_owned();
            let path = format!("/payments/refunds/{id}/review");
            world.post(&world.operator, &path, json!({ "decision": "byTable" })).await.data();
            world.settle().await;
            world.stands(&order, 901, PRICE, PRICE * share / 100).await;
        }
        let (order, _) = in_progress(world, &patient).await;
        world.pass(Span::minutes(3)).await;
        world.act(&patient, &order, "cancel", json!({})).await.data();
        let id = world.order(&order).await["refunds"][0]["id"].as_str().expect("id").to_owned();
        let path = format!("/payments/refunds/{id}/review");
        world.post(&world.operator, &path, json!({ "decision": "share", "share": 50 })).await.refused(422, "6001");
        let body = json!({ "decision": "share", "share": 50, "reason": "医生迟到" });
        world.post(&world.operator, &path, body).await.data();
        world.settle().await;
        world.stands(&order, 901, PRICE, 1500).await;
    }
);

journey!(
    /// After 20 minutes the share is nothing: the review refuses, and the service goes on.
    a_refused_review_gives_the_order_back,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = in_progress(world, &patient).await;
        world.pass(Span::minutes(21)).await;
        world.act(&patient, &order, "cancel", json!({})).await.data();
        world.pass(Span::hours(24)).await;
        assert!(world.path(&order).await.ends_with(&[401, 500, 501, 401]), "{:?}", world.path(&order).await);
        world.act(&doctor, &order, "finish", summary()).await.data();
        world.stands(&order, 900, PRICE, 0).await;
    }
);

journey!(half_an_hour_of_silence_ends_the_service, |world| {
    let patient = world.patient().await;
    let (order, _) = in_progress(world, &patient).await;
    world.pass(Span::minutes(20)).await;
    world
        .post(
            &patient,
            &format!("/orders/{order}/messages"),
            json!({ "text": "还在吗" }),
        )
        .await
        .data();
    world.pass(Span::minutes(29)).await;
    assert_eq!(world.status(&order).await, 401);
    world.pass(Span::minutes(1)).await;
    world.stands(&order, 900, PRICE, 0).await;
    assert!(world.path(&order).await.ends_with(&[401, 402, 900]));
});

journey!(
    a_doctor_lost_for_two_minutes_gives_back_by_service_time,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = in_progress(world, &patient).await;
        world.pass(Span::minutes(4)).await;
        world.online(&doctor, false).await;
        world.pass(Span::minutes(1)).await;
        world.online(&doctor, true).await;
        world.pass(Span::minutes(2)).await;
        assert_eq!(world.status(&order).await, 401, "back in time");
        world.online(&doctor, false).await;
        world.pass(Span::minutes(2)).await;
        world.stands(&order, 901, PRICE, 1800).await;
    }
);

journey!(a_fault_of_the_system_gives_all_back, |world| {
    let patient = world.patient().await;
    let (order, _) = in_progress(world, &patient).await;
    world
        .act(
            &world.operator,
            &order,
            "system-fault",
            json!({ "reason": "机房停电" }),
        )
        .await
        .data();
    world.stands(&order, 901, PRICE, PRICE).await;
});

journey!(
    /// 503: tried again after 1, 5 and 30 minutes, then operations.
    a_refund_that_is_refused_is_tried_again_and_then_recorded_by_hand,
    |world| {
        let patient = world.patient().await;
        let order = world.paid_dispatch(&patient).await;
        let refuse = sandbox::views::Faults {
            refuse_refunds: Some(sandbox::views::RefundRefusal::NotEnough),
            ..Default::default()
        };
        world.sandbox.set_faults(refuse).expect("faults");
        world.act(&patient, &order, "cancel", json!({})).await.data();
        world.stands(&order, 503, PRICE, 0).await;
        for minutes in [1, 5, 30] {
            world.pass(Span::minutes(minutes)).await;
            world.stands(&order, 503, PRICE, 0).await;
        }
        world.pass(Span::hours(2)).await;
        world.stands(&order, 503, PRICE, 0).await;
        world.sandbox.set_faults(sandbox::views::Faults::default()).expect("faults");
        let id = world.order(&order).await["refunds"][0]["id"].as_str().expect("id").to_owned();
        world.post(&patient, &format!("/payments/refunds/{id}/retry"), json!({})).await.refused(403, "1003");
        world.post(&world.operator, &format!("/payments/refunds/{id}/retry"), json!({})).await.data();
        world.settle().await;
        world.stands(&order, 901, PRICE, PRICE).await;
    }
);

journey!(
    a_complaint_after_the_end_is_decided_by_an_operator,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = in_progress(world, &patient).await;
        world.act(&doctor, &order, "finish", summary()).await.data();
        world
            .act(
                &patient,
                &order,
                "refund",
                json!({ "reason": "医生没有回答" }),
            )
            .await
            .data();
        let id = world.order(&order).await["refunds"][0]["id"]
            .as_str()
            .expect("id")
            .to_owned();
        let body = json!({ "decision": "share", "share": 50, "reason": "属实" });
        world
            .post(
                &world.operator,
                &format!("/payments/refunds/{id}/review"),
                body,
            )
            .await
            .data();
        world.settle().await;
        world.stands(&order, 900, PRICE, 1500).await;
    }
);
