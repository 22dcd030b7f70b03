//! Everything that goes wrong (spec 10, faults), each from the patient's side to the last fen.

use crate::harness::World;
use crate::harness::scenes::{
    CLINIC_PRICE, DISPATCH_PRICE as PRICE, TO_QUEUE, TO_READY, TO_SERVICE, summary, then,
};
use domain::Span;
use sandbox::views::{Faults, PayCallback};
use serde_json::json;

// --- the gateway ---

journey!(
    /// Lost callback: found by asking, after ten seconds.
    a_lost_callback_is_found_by_asking,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let number = world.submit(&patient, &order).await;
        world.pay_telling(&number, PayCallback::Never).await;
        world.ended(&order, 101, 0, 0, &[100, 101]).await;
        world.pass(Span::seconds(10)).await;
        world.ended(&order, 200, PRICE, 0, &[100, 101, 200]).await;
        world.cancel(&patient, &order).await;
    }
);

journey!(
    /// A callback that comes late, or twice, says what is known already.
    a_late_and_a_double_callback_change_nothing,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let number = world.submit(&patient, &order).await;
        world.pay_telling(&number, PayCallback::Late).await;
        world.pass(Span::seconds(10)).await;
        world.cancel(&patient, &order).await;
        let path = [100, 101, 200, 500, 501, 502, 901];
        world.ended(&order, 901, PRICE, PRICE, &path).await;
        world.pass(Span::minutes(10)).await;
        world.ended(&order, 901, PRICE, PRICE, &path).await;

        let twice = world.book_dispatch(&patient).await;
        let number = world.submit(&patient, &twice).await;
        world.pay_telling(&number, PayCallback::Twice).await;
        world.ended(&twice, 200, PRICE, 0, &[100, 101, 200]).await;
        world.cancel(&patient, &twice).await;
    }
);

journey!(
    /// Double payment: the first attempt failed and is paid after all, beside the second. The order
    /// keeps one and gives the other back.
    a_double_payment_gives_one_back,
    |world| {
        let patient = world.patient().await;
        let (order, first) = world.failed_payment(&patient).await;
        let second = world.submit(&patient, &order).await;
        world.pay_at_gateway(&second).await;
        world.pay_at_gateway(&first).await;
        let path = [100, 101, 102, 101, 200];
        world.ended(&order, 200, 2 * PRICE, PRICE, &path).await;
        let refund = world.refund_of(&order, 0).await;
        assert_eq!((refund["purpose"].as_str(), refund["share"].as_i64()), (Some("late_money"), Some(100)));
        let doctor = world.doctors[0].clone();
        world.online(&doctor, true).await;
        for action in ["accept", "start"] {
            world.act(&doctor, &order, action, json!({})).await.data();
        }
        world.act(&doctor, &order, "finish", summary()).await.data();
        world.ended(&order, 900, 2 * PRICE, PRICE, &then(&path, &[201, 400, 401, 900])).await;
    }
);

journey!(
    /// Wrong amount: 101 → 502, 100 % of what was really paid, be it less or more.
    a_wrong_amount_is_refunded_in_full,
    |world| {
        let patient = world.patient().await;
        for paid in [PRICE - 1, PRICE + 100] {
            let order = world.book_dispatch(&patient).await;
            let number = world.submit(&patient, &order).await;
            let wrong = sandbox::views::PayRequest {
                callback: PayCallback::WrongAmount,
                amount: Some(paid),
                ..Default::default()
            };
            world.sandbox.pay(&number, wrong).expect("paid");
            world.settle().await;
            world.ended(&order, 901, paid, paid, &[100, 101, 502, 901]).await;
        }
    }
);

journey!(
    /// Channel down while an order is in 101: unknown is never stored as failed. It is "being
    /// checked", and asked about each minute, however long that takes.
    a_gateway_that_is_away_leaves_the_payment_unknown,
    |world| {
        let patient = world.patient().await;
        let (unpaid, paid) = (world.book_dispatch(&patient).await, world.book_dispatch(&patient).await);
        let number = world.submit(&patient, &unpaid).await;
        let other = world.submit(&patient, &paid).await;
        world.pay_telling(&other, PayCallback::Never).await;
        world.faults(Faults { down: true, ..Default::default() });
        world.pass(Span::minutes(5)).await;
        for _ in 0..20 {
            world.pass(Span::minutes(1)).await;
        }
        for order in [&unpaid, &paid] {
            world.ended(order, 101, 0, 0, &[100, 101]).await;
            assert_eq!(world.order(order).await["detail"]["beingChecked"], true);
        }
        world.no_faults();
        world.pass(Span::minutes(1)).await;
        // The gateway is tried by one call first; the other order's comes back later.
        world.pass(Span::seconds(10)).await;
        world.ended(&unpaid, 102, 0, 0, &[100, 101, 102]).await;
        world.ended(&paid, 200, PRICE, 0, &[100, 101, 200]).await;
        assert_eq!(world.order(&unpaid).await["payments"][0]["outTradeNo"], json!(number));
        assert_eq!(world.order(&unpaid).await["detail"]["beingChecked"], false);
        world.cancel(&patient, &paid).await;
    }
);

journey!(
    /// Channel down when the patient submits: nothing can be paid yet, nothing is lost; once it is
    /// back the same attempt can be paid.
    a_gateway_that_is_away_at_submit,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        world.faults(Faults { down: true, ..Default::default() });
        let body = json!({ "gateway": "wechat", "method": "native" });
        let path = format!("/orders/{order}/pay");
        let submitted = world.post(&patient, &path, body).await.data().clone();
        assert_eq!(submitted["payment"]["status"], "PENDING");
        assert!(submitted["payment"]["payWith"].is_null(), "there is no code to pay with");
        world.ended(&order, 101, 0, 0, &[100, 101]).await;
        world.no_faults();
        world.pass(Span::minutes(1)).await;
        let payment = world.order(&order).await["payments"][0].clone();
        assert_eq!(payment["status"], "PROCESSING");
        assert_eq!(payment["outTradeNo"], submitted["payment"]["outTradeNo"]);
        world.pay_at_gateway(payment["outTradeNo"].as_str().expect("number")).await;
        world.ended(&order, 200, PRICE, 0, &[100, 101, 200]).await;
        world.cancel(&patient, &order).await;
    }
);

journey!(
    /// Channel down for the whole window: nobody can pay that attempt any more, and the gateway
    /// never saw it. The patient may try again.
    a_gateway_that_is_away_for_the_whole_window,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        world.faults(Faults { down: true, ..Default::default() });
        world.submit(&patient, &order).await;
        world.pass(Span::minutes(6)).await;
        world.ended(&order, 101, 0, 0, &[100, 101]).await;
        world.no_faults();
        world.pass(Span::minutes(1)).await;
        world.pass(Span::minutes(5)).await;
        world.ended(&order, 102, 0, 0, &[100, 101, 102]).await;
        world.cancel(&patient, &order).await;
        world.ended(&order, 902, 0, 0, &[100, 101, 102, 902]).await;
    }
);

// --- doctors ---

journey!(
    /// Doctor offline after accepting: not started within two minutes, the patient there.
    a_doctor_who_leaves_after_accepting_gives_all_back,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.ready(&patient).await;
        world.act(&patient, &order, "check-in", json!({})).await.data();
        world.online(&doctor, false).await;
        world.ended(&order, 400, PRICE, 0, &TO_READY).await;
        world.pass(Span::minutes(2)).await;
        world.ended(&order, 901, PRICE, PRICE, &then(&TO_READY, &[502, 901])).await;
        assert_eq!(world.refund_of(&order, 0).await["fault"], "doctor");
    }
);

journey!(
    /// Doctor lost during the consultation: two minutes to come back, then by service time.
    a_doctor_lost_for_two_minutes_gives_back_by_service_time,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        world.pass(Span::minutes(4)).await;
        world.online(&doctor, false).await;
        world.pass(Span::minutes(1)).await;
        world.online(&doctor, true).await;
        world.pass(Span::minutes(2)).await;
        world.ended(&order, 401, PRICE, 0, &TO_SERVICE).await;
        world.online(&doctor, false).await;
        world.pass(Span::minutes(2)).await;
        world.ended(&order, 901, PRICE, 1800, &then(&TO_SERVICE, &[500, 501, 502, 901])).await;
    }
);

journey!(
    /// The same after 20 minutes: the share is nothing, so the service was given.
    a_doctor_lost_after_twenty_minutes_has_given_the_service,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        world.pass(Span::minutes(20)).await;
        world.online(&doctor, false).await;
        world.pass(Span::minutes(2)).await;
        world.ended(&order, 900, PRICE, 0, &then(&TO_SERVICE, &[402, 900])).await;
    }
);

journey!(
    /// Decline ×3, and one of them by going offline.
    three_lost_offers_give_all_back,
    |world| {
        let patient = world.patient().await;
        for doctor in &world.doctors {
            world.online(doctor, true).await;
        }
        let order = world.paid_dispatch(&patient).await;
        let first = world.assigned(&order).await;
        world.act(&first, &order, "decline", json!({})).await.data();
        // A second click is not the next doctor's decline.
        world.act(&first, &order, "decline", json!({})).await.data();
        world.online(&world.assigned(&order).await, false).await;
        world.ended(&order, 201, PRICE, 0, &[100, 101, 200, 201, 200, 201, 200, 201]).await;
        let third = world.assigned(&order).await;
        world.act(&third, &order, "decline", json!({})).await.data();
        let path = [100, 101, 200, 201, 200, 201, 200, 201, 502, 901];
        world.ended(&order, 901, PRICE, PRICE, &path).await;
    }
);

journey!(
    /// Session cancelled with 50 patients waiting, one of them called.
    a_cancelled_session_refunds_fifty_waiting_patients,
    |world| {
        let (doctor, session, orders) = world.queue(50).await;
        let called = world.call_next(&doctor, &session).await;
        assert_eq!(called, orders[0].1);
        world.cancel_session(&doctor, &session).await;
        let path = then(&TO_QUEUE, &[303, 500, 501, 502, 901]);
        world.ended(&called, 901, CLINIC_PRICE, CLINIC_PRICE, &path).await;
        for (_, order) in &orders[1..] {
            world.ended(order, 901, CLINIC_PRICE, CLINIC_PRICE, &then(&TO_QUEUE, &[502, 901])).await;
        }
        let totals = world.sandbox.totals();
        assert_eq!((totals.refunded.count, totals.net_fen), (50, 0));
    }
);

// --- patients ---

journey!(
    /// Patient offline after paying: the order goes its way, and the patient finds it there.
    a_patient_who_leaves_after_paying_finds_the_order_going_on,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let order = world.paid_dispatch(&patient).await;
        world.pass(Span::minutes(2)).await;
        world.online(&doctor, true).await;
        world.ended(&order, 201, PRICE, 0, &[100, 101, 200, 201]).await;
        world.pass(Span::minutes(4)).await;
        world.act(&doctor, &order, "accept", json!({})).await.data();
        world.act(&doctor, &order, "start", json!({})).await.data();
        let found = world.get(&patient, &format!("/orders/{order}")).await;
        assert_eq!(found.data()["statusCode"], 401);
        world.act(&doctor, &order, "finish", summary()).await.data();
        world.ended(&order, 900, PRICE, 0, &then(&TO_SERVICE, &[900])).await;
    }
);

journey!(
    /// No answer ×1, ×2: back into the queue, and still served.
    two_missed_calls_cost_nothing,
    |world| {
        let (doctor, session, orders) = world.queue(1).await;
        let (patient, order) = &orders[0];
        let mut path = TO_QUEUE.to_vec();
        for _ in 0..2 {
            world.call_next(&doctor, &session).await;
            world.pass(Span::minutes(2)).await;
            path.extend([303, 305, 302]);
            world.ended(order, 302, CLINIC_PRICE, 0, &path).await;
        }
        world.call_next(&doctor, &session).await;
        world.act(patient, order, "answer", json!({})).await.data();
        world.act(&doctor, order, "start", json!({})).await.data();
        world.act(&doctor, order, "finish", summary()).await.data();
        path.extend([303, 400, 401, 900]);
        world.ended(order, 900, CLINIC_PRICE, 0, &path).await;
    }
);

journey!(
    /// No answer ×3: 304, 80 %, due in three working days.
    three_missed_calls_end_it_with_80_percent,
    |world| {
        let (doctor, session, orders) = world.queue(1).await;
        for _ in 0..3 {
            world.call_next(&doctor, &session).await;
            world.pass(Span::minutes(2)).await;
        }
        let path = then(&TO_QUEUE, &[303, 305, 302, 303, 305, 302, 303, 304, 502, 901]);
        world.ended(&orders[0].1, 901, CLINIC_PRICE, 4000, &path).await;
        assert_eq!(world.refund_of(&orders[0].1, 0).await["dueOn"], "2026-03-05");
    }
);

journey!(
    /// Patient lost during the consultation: stays 401, the room waits for them.
    a_patient_lost_during_the_consultation_is_waited_for,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        drop(world.watch(&patient, &order).await);
        world.pass(Span::minutes(20)).await;
        world.ended(&order, 401, PRICE, 0, &TO_SERVICE).await;
        let words = format!("/orders/{order}/messages");
        world.post(&patient, &words, json!({ "text": "我回来了" })).await.data();
        world.act(&doctor, &order, "finish", summary()).await.data();
        world.ended(&order, 900, PRICE, 0, &then(&TO_SERVICE, &[900])).await;
    }
);

// --- the program ---

journey!(
    /// Dispatcher down: 200 → 202 → 502 after three minutes, although a doctor is there.
    a_dispatcher_that_is_down_gives_all_back,
    |world| {
        let patient = world.patient().await;
        world.online(&world.doctors[0], true).await;
        world.maintenance(true, false).await;
        let order = world.paid_dispatch(&patient).await;
        world.ended(&order, 200, PRICE, 0, &[100, 101, 200]).await;
        world.pass(Span::minutes(3)).await;
        let path = [100, 101, 200, 202, 502, 901];
        world.ended(&order, 901, PRICE, PRICE, &path).await;
        let refund = world.refund_of(&order, 0).await;
        assert_eq!((refund["share"].as_i64(), refund["dueOn"].as_str()), (Some(100), Some("2026-03-03")));
    }
);

journey!(
    /// The same, but it is back in time.
    a_dispatcher_that_is_back_in_time_finds_a_doctor,
    |world| {
        let patient = world.patient().await;
        world.online(&world.doctors[0], true).await;
        world.maintenance(true, false).await;
        let order = world.paid_dispatch(&patient).await;
        world.pass(Span::minutes(2)).await;
        world.maintenance(false, false).await;
        world.pass(Span::seconds(5)).await;
        world.ended(&order, 201, PRICE, 0, &[100, 101, 200, 201]).await;
    }
);

journey!(
    /// Number service down: 300 → 502 after a minute; the place is free again.
    a_number_service_that_is_down_gives_all_back,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 0, 4, 1).await;
        world.open(&doctor, &session).await;
        world.maintenance(false, true).await;
        let order = world.paid_clinic(&patient, &session, 0).await;
        world.ended(&order, 300, CLINIC_PRICE, 0, &[100, 101, 300]).await;
        world.pass(Span::minutes(1)).await;
        let path = [100, 101, 300, 502, 901];
        world.ended(&order, 901, CLINIC_PRICE, CLINIC_PRICE, &path).await;
        world.maintenance(false, false).await;
        let next = world.paid_clinic(&world.patient().await, &session, 0).await;
        world.ended(&next, 302, CLINIC_PRICE, 0, &TO_QUEUE).await;
    }
);

journey!(
    /// Audio or video down ×3: the system's fault. Both sides report the same try; it counts once.
    three_failed_connections_refund_all,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.ready(&patient).await;
        for attempt in 1..=3 {
            world.ended(&order, 400, PRICE, 0, &TO_READY).await;
            for side in [&patient, &doctor] {
                let body = json!({ "attempt": attempt });
                world.act(side, &order, "connection-failed", body).await;
            }
        }
        world.ended(&order, 901, PRICE, PRICE, &then(&TO_READY, &[502, 901])).await;
        assert_eq!(world.refund_of(&order, 0).await["fault"], "system");
    }
);

journey!(
    /// A fault of the system in 401: 500, 100 %, without an operator's review.
    a_fault_of_the_system_gives_all_back,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.in_progress(&patient).await;
        world.pass(Span::minutes(25)).await;
        let body = json!({ "reason": "机房停电" });
        world.act(&patient, &order, "system-fault", body.clone()).await.refused(403, "1003");
        world.act(&world.operator, &order, "system-fault", body).await.data();
        world.ended(&order, 901, PRICE, PRICE, &then(&TO_SERVICE, &[500, 501, 502, 901])).await;
    }
);

// --- the database ---

journey!(
    /// Database error in the middle of a change: nothing of it remains, whichever table it hits. The
    /// same request, with the same key, succeeds when the database is well again, and once.
    a_database_error_in_the_middle_of_a_cancellation_leaves_nothing,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.ready(&patient).await;
        let token = world.token(&patient).await;
        let cancel = || {
            let request = world.client.put(format!("{}/api/v1/orders/{order}/cancel", world.base));
            let request = request.bearer_auth(&token).header("Idempotency-Key", "cancel-1");
            world.send(request.json(&json!({ "reason": "来不及" })))
        };
        let before = world.picture(&order).await;
        for table in ["refunds", "journal", "snapshots", "timers", "outbox", "idempotency_keys"] {
            world.break_table(table).await;
            let answer = cancel().await;
            let words = answer.refused(503, "5001").to_owned();
            assert!(!words.contains("disk full"), "{words}");
            assert_eq!(answer.headers["retry-after"], "1");
            assert_eq!(world.picture(&order).await, before, "{table}");
            world.mend_table(table).await;
        }
        world.ended(&order, 400, PRICE, 0, &TO_READY).await;
        let answer = cancel().await;
        answer.data();
        assert!(!answer.headers.contains_key("idempotent-replay"), "it had not been done");
        world.settle().await;
        assert_eq!(cancel().await.headers["idempotent-replay"], "true");
        world.ended(&order, 901, PRICE, 2700, &then(&TO_READY, &[500, 501, 502, 901])).await;
    }
);

journey!(
    /// The same while the gateway tells of a payment: it is not told "received", nothing of the
    /// payment remains, and what it says later is taken, once.
    a_database_error_in_the_middle_of_a_callback_leaves_nothing,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let number = world.submit(&patient, &order).await;
        let lost = sandbox::views::PayRequest { callback: PayCallback::Never, ..Default::default() };
        world.sandbox.pay(&number, lost).expect("paid");
        let before = world.picture(&order).await;
        let again = sandbox::views::RedeliverRequest::default();
        for table in ["ledger_entries", "ledger_postings", "journal", "timers", "outbox"] {
            world.break_table(table).await;
            let told = world.sandbox.redeliver(&number, &again).await.expect("sent");
            assert_eq!(told.answers[0].status, Some(503), "{table}");
            assert_eq!(world.picture(&order).await, before, "{table}");
            world.mend_table(table).await;
        }
        world.ended(&order, 101, 0, 0, &[100, 101]).await;
        let told = world.sandbox.redeliver(&number, &again).await.expect("sent");
        assert_eq!(told.answers[0].status, Some(200));
        world.settle().await;
        world.ended(&order, 200, PRICE, 0, &[100, 101, 200]).await;
        world.cancel(&patient, &order).await;
    }
);

journey!(
    /// The same while an order is booked: no order, and the slot's place is free.
    a_database_error_in_the_middle_of_a_booking_leaves_nothing,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 60, 1, 1).await;
        for table in ["orders", "consultations", "journal", "timers"] {
            world.break_table(table).await;
            world.book_clinic(&patient, &session, 0).await.refused(503, "5001");
            world.mend_table(table).await;
            let orders = world.get(&world.operator, "/orders").await;
            assert_eq!(orders.body["meta"]["pagination"]["total"], 0);
            let sessions = world.get(&patient, "/sessions").await;
            assert_eq!(sessions.data()[0]["slots"][0]["free"], 1);
        }
        let order = world.paid_clinic(&patient, &session, 0).await;
        world.ended(&order, 301, CLINIC_PRICE, 0, &[100, 101, 300, 301]).await;
    }
);

journey!(
    /// The same while the program works something off: the deadline is served when the database is
    /// well again.
    a_database_error_while_a_deadline_passes_only_delays_it,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        world.break_table("journal").await;
        world.pass(Span::minutes(30)).await;
        world.ended(&order, 100, 0, 0, &[100]).await;
        world.mend_table("journal").await;
        world.pass(Span::seconds(30)).await;
        world.ended(&order, 902, 0, 0, &[100, 902]).await;
    }
);
