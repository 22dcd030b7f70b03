//! Consultations queued for a clinic session, over HTTP (spec 10, clinic mode).

use crate::harness::World;
use crate::harness::scenes::{CLINIC_PRICE as PRICE, TO_QUEUE, then};
use domain::Span;
use serde_json::json;

/// From booking to a place in a session that is not open yet.
const TO_BOOKED: [i64; 4] = [100, 101, 300, 301];

/// What comes after a cancellation that nobody has to look at.
const CANCELLED: [i64; 4] = [500, 501, 502, 901];

journey!(
    /// 100 → 101 → 300 → 301 → 302 → 303 → 400 → 401 → 900
    a_booked_consultation_from_booking_to_its_end,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 60, 2, 6).await;
        let order = world.paid_clinic(&patient, &session, 0).await;
        world.ended(&order, 301, PRICE, 0, &TO_BOOKED).await;
        world.pass(Span::minutes(55)).await;
        world.act(&patient, &order, "check-in", json!({})).await.data();
        world.pass(Span::minutes(5)).await;
        world.open(&doctor, &session).await;
        assert_eq!(world.status(&order).await, 302);
        assert_eq!(world.call_next(&doctor, &session).await, order);
        world.act(&patient, &order, "answer", json!({})).await.data();
        world.act(&doctor, &order, "start", json!({})).await.data();
        let summary = json!({ "complaint": "复诊", "findings": "好转", "advice": "继续服药" });
        world.act(&doctor, &order, "finish", summary).await.data();
        world.ended(&order, 900, PRICE, 0, &then(&TO_BOOKED, &[302, 303, 400, 401, 900])).await;
    }
);

// --- 100 and 101 ---

journey!(
    /// The session goes before the patient has paid: nothing is taken for it any more.
    a_session_cancelled_before_the_payment,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 60, 2, 6).await;
        let booked = world.book_clinic(&patient, &session, 0).await;
        let unpaid = booked.data()["id"].as_str().expect("id").to_owned();
        let booked = world.book_clinic(&patient, &session, 1).await;
        let paying = booked.data()["id"].as_str().expect("id").to_owned();
        let number = world.submit(&patient, &paying).await;
        world.cancel_session(&doctor, &session).await;

        let body = json!({ "gateway": "wechat", "method": "native" });
        let refused = world.post(&patient, &format!("/orders/{unpaid}/pay"), body).await;
        refused.refused(422, "6001");
        assert_eq!(refused.body["error"]["details"][0]["field"], "sessionId");
        world.ended(&unpaid, 100, 0, 0, &[100]).await;
        world.cancel(&patient, &unpaid).await;
        world.ended(&unpaid, 902, 0, 0, &[100, 902]).await;

        world.pay_at_gateway(&number).await;
        world.ended(&paying, 901, PRICE, PRICE, &[100, 101, 300, 502, 901]).await;
    }
);

// --- 300 ---

journey!(
    /// The number service is down for a minute: all money back.
    no_number_in_a_minute_gives_all_back,
    |world| {
        world.maintenance(false, true).await;
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 60, 2, 6).await;
        let order = world.paid_clinic(&patient, &session, 0).await;
        world.ended(&order, 300, PRICE, 0, &[100, 101, 300]).await;
        world.pass(Span::minutes(1)).await;
        world.ended(&order, 901, PRICE, PRICE, &[100, 101, 300, 502, 901]).await;
    }
);

journey!(cancelled_while_a_number_is_taken, |world| {
    world.maintenance(false, true).await;
    let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
    let session = world.publish(&doctor, 60, 2, 6).await;
    let order = world.paid_clinic(&patient, &session, 0).await;
    world.cancel(&patient, &order).await;
    let path = then(&[100, 101, 300], &CANCELLED);
    world.ended(&order, 901, PRICE, PRICE, &path).await;
});

journey!(
    /// The session goes while the number is on its way: all money back.
    a_session_cancelled_while_a_number_is_taken,
    |world| {
        world.maintenance(false, true).await;
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 60, 2, 6).await;
        let order = world.paid_clinic(&patient, &session, 0).await;
        world.cancel_session(&doctor, &session).await;
        world.ended(&order, 901, PRICE, PRICE, &[100, 101, 300, 502, 901]).await;
    }
);

// --- 301 ---

journey!(cancelled_before_the_session, |world| {
    let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
    let session = world.publish(&doctor, 60, 2, 6).await;
    let order = world.paid_clinic(&patient, &session, 1).await;
    world.cancel(&patient, &order).await;
    world
        .ended(&order, 901, PRICE, PRICE, &then(&TO_BOOKED, &CANCELLED))
        .await;
});

journey!(a_session_cancelled_before_it_opens, |world| {
    let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
    let session = world.publish(&doctor, 60, 2, 6).await;
    let order = world.paid_clinic(&patient, &session, 0).await;
    world.cancel_session(&doctor, &session).await;
    world
        .ended(&order, 901, PRICE, PRICE, &then(&TO_BOOKED, &[502, 901]))
        .await;
});

journey!(a_patient_who_never_comes_gets_nothing_back, |world| {
    let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
    let session = world.publish(&doctor, 60, 2, 6).await;
    let order = world.paid_clinic(&patient, &session, 0).await;
    world.pass(Span::minutes(60)).await;
    world.open(&doctor, &session).await;
    world.pass(Span::minutes(14)).await;
    world.ended(&order, 301, PRICE, 0, &TO_BOOKED).await;
    world.pass(Span::minutes(1)).await;
    world
        .ended(&order, 902, PRICE, 0, &then(&TO_BOOKED, &[902]))
        .await;
});

journey!(
    /// Whoever has the order's page open when the session opens has checked in.
    a_patient_who_watches_the_page_has_checked_in,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 60, 2, 6).await;
        let order = world.paid_clinic(&patient, &session, 0).await;
        let mut page = world.watch(&patient, &order).await;
        world.pass(Span::minutes(60)).await;
        world.ended(&order, 301, PRICE, 0, &TO_BOOKED).await;
        world.open(&doctor, &session).await;
        page.shows(302).await;
        world.pass(Span::minutes(15)).await;
        world.ended(&order, 302, PRICE, 0, &then(&TO_BOOKED, &[302])).await;
    }
);

journey!(
    /// The page opened after the session did counts too.
    a_patient_who_opens_the_page_later_has_checked_in,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 60, 2, 6).await;
        let order = world.paid_clinic(&patient, &session, 0).await;
        world.pass(Span::minutes(60)).await;
        world.open(&doctor, &session).await;
        world.pass(Span::minutes(14)).await;
        drop(world.watch(&patient, &order).await);
        world.pass(Span::minutes(1)).await;
        world.ended(&order, 302, PRICE, 0, &then(&TO_BOOKED, &[302])).await;
    }
);

journey!(
    /// A doctor who opens late shifts every clock of the session with them.
    a_late_doctor_never_makes_a_patient_late,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 60, 2, 6).await;
        let order = world.paid_clinic(&patient, &session, 0).await;
        world.pass(Span::minutes(90)).await;
        world.ended(&order, 301, PRICE, 0, &TO_BOOKED).await;
        world.open(&doctor, &session).await;
        world.pass(Span::minutes(14)).await;
        world.ended(&order, 301, PRICE, 0, &TO_BOOKED).await;
        world.act(&patient, &order, "check-in", json!({})).await.data();
        world.ended(&order, 302, PRICE, 0, &then(&TO_BOOKED, &[302])).await;
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
    world
        .ended(&order, 901, PRICE, PRICE, &then(&TO_BOOKED, &[502, 901]))
        .await;
});

// --- 302 ---

journey!(
    /// 302: 90 %
    cancelled_in_the_queue,
    |world| {
        let (_, _, orders) = world.queue(1).await;
        world.cancel(&orders[0].0, &orders[0].1).await;
        world.ended(&orders[0].1, 901, PRICE, 4500, &then(&TO_QUEUE, &CANCELLED)).await;
    }
);

journey!(
    /// The doctor calls one of their choice, and says why.
    the_doctor_may_choose_whom_to_call,
    |world| {
        let (doctor, session, orders) = world.queue(2).await;
        let unsaid = world.act(&doctor, &orders[1].1, "call", json!({ "reason": " " })).await;
        assert!(unsaid.refused(422, "6001").contains("reason"));
        let pause = format!("/sessions/{}/pause", session["id"].as_str().expect("id"));
        let resume = pause.replace("pause", "resume");
        world.post(&doctor, &pause, json!({})).await.data();
        let paused = world.act(&doctor, &orders[0].1, "call", json!({})).await;
        paused.refused(409, "6003");
        world.post(&doctor, &resume, json!({})).await.data();
        world.ended(&orders[1].1, 302, PRICE, 0, &TO_QUEUE).await;
        world.act(&doctor, &orders[1].1, "call", json!({ "reason": "高烧" })).await.data();
        let journal = world.get(&doctor, &format!("/orders/{}/journal", orders[1].1)).await;
        let last = journal.data().as_array().and_then(|lines| lines.last()).cloned();
        assert_eq!(last.expect("a line")["note"], "高烧");
        world.ended(&orders[1].1, 303, PRICE, 0, &then(&TO_QUEUE, &[303])).await;
        world.ended(&orders[0].1, 302, PRICE, 0, &TO_QUEUE).await;
        world.cancel_session(&doctor, &session).await;
    }
);

journey!(closing_with_people_waiting_is_asked_twice, |world| {
    let (doctor, session, orders) = world.queue(2).await;
    let path = format!("/sessions/{}/close", session["id"].as_str().expect("id"));
    let asked = world.post(&doctor, &path, json!({})).await;
    asked.refused(409, "6003");
    assert_eq!(asked.body["error"]["details"]["waiting"], 2);
    world.ended(&orders[0].1, 302, PRICE, 0, &TO_QUEUE).await;
    let body = json!({ "confirm": true });
    world.post(&doctor, &path, body).await.data();
    world.settle().await;
    for (_, order) in &orders {
        world
            .ended(order, 901, PRICE, PRICE, &then(&TO_QUEUE, &[502, 901]))
            .await;
    }
});

// --- 303 ---

journey!(
    /// 303: 85 %
    cancelled_while_called,
    |world| {
        let (doctor, session, orders) = world.queue(1).await;
        let order = world.call_next(&doctor, &session).await;
        world.cancel(&orders[0].0, &order).await;
        let path = then(&TO_QUEUE, &then(&[303], &CANCELLED));
        world.ended(&order, 901, PRICE, 4250, &path).await;
    }
);

journey!(
    /// The table has no 303 → 502: by way of 500, all of it.
    a_session_cancelled_while_a_patient_is_called,
    |world| {
        let (doctor, session, _) = world.queue(1).await;
        let order = world.call_next(&doctor, &session).await;
        world.cancel_session(&doctor, &session).await;
        let path = then(&TO_QUEUE, &then(&[303], &CANCELLED));
        world.ended(&order, 901, PRICE, PRICE, &path).await;
        assert_eq!(world.refund_of(&order, 0).await["fault"], "doctor");
    }
);

journey!(a_missed_call_moves_three_places_back, |world| {
    let (doctor, session, orders) = world.queue(5).await;
    let first = world.call_next(&doctor, &session).await;
    assert_eq!(first, orders[0].1);
    world.pass(Span::minutes(2)).await;
    let path = then(&TO_QUEUE, &[303, 305, 302]);
    world.ended(&first, 302, PRICE, 0, &path).await;
    let id = session["id"].as_str().expect("id");
    let queue = world
        .get(&doctor, &format!("/sessions/{id}/queue"))
        .await
        .data()["waiting"]
        .clone();
    let waiting = queue.as_array().expect("queue");
    let places: Vec<&str> = waiting
        .iter()
        .filter_map(|w| w["orderId"].as_str())
        .collect();
    let expected: Vec<&str> = [1, 2, 3, 0, 4]
        .iter()
        .map(|i| orders[*i].1.as_str())
        .collect();
    assert_eq!(places, expected);
    let numbers: Vec<i64> = waiting
        .iter()
        .filter_map(|w| w["number"].as_i64())
        .collect();
    assert_eq!(numbers, [2, 3, 4, 1, 5], "the number taken stays");
});

// --- 400 ---

journey!(
    /// 400 in clinic mode: 80 %
    cancelled_after_answering,
    |world| {
        let (doctor, session, orders) = world.queue(1).await;
        let order = world.call_next(&doctor, &session).await;
        world.act(&orders[0].0, &order, "answer", json!({})).await.data();
        world.cancel(&orders[0].0, &order).await;
        let path = then(&TO_QUEUE, &then(&[303, 400], &CANCELLED));
        world.ended(&order, 901, PRICE, 4000, &path).await;
    }
);

journey!(
    /// Whoever answered is here: two minutes not started are the doctor's fault.
    an_answered_call_that_is_not_started_gives_all_back,
    |world| {
        let (doctor, session, orders) = world.queue(1).await;
        let order = world.call_next(&doctor, &session).await;
        world.act(&orders[0].0, &order, "answer", json!({})).await.data();
        world.pass(Span::minutes(2)).await;
        world.ended(&order, 901, PRICE, PRICE, &then(&TO_QUEUE, &[303, 400, 502, 901])).await;
    }
);
