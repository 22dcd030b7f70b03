//! Refunds: quoted, asked for, reviewed, sent, refused, tried again, recorded (spec 10, statuses 500
//! to 503 and refund shares; spec 20, rules).

use crate::harness::World;
use crate::harness::scenes::{DISPATCH_PRICE as PRICE, TO_READY, TO_SERVICE, summary, then};
use domain::Span;
use sandbox::views::{Faults, OutcomeCallback, OutcomeRequest, RefundRefusal, RefundStatus};
use serde_json::{Value, json};

/// From booking to a refund that is on its way, cancelled while a doctor is looked for.
const TO_REFUNDING: [i64; 6] = [100, 101, 200, 500, 501, 502];

// --- quotes ---

journey!(
    /// What was shown is what happens: share, amount in fen, due date, and who is at fault.
    a_quote_is_honoured,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.ready(&patient).await;
        let quote = world.get(&patient, &format!("/orders/{order}/refund-quote")).await;
        let shown = quote.data().clone();
        assert_eq!((shown["share"].as_i64(), shown["amount"]["amount"].as_i64()), (Some(90), Some(2700)));
        assert_eq!((shown["fault"].as_str(), shown["dueOn"].as_str()), (Some("patient"), Some("2026-03-09")));
        world.pass(Span::seconds(60)).await;
        let body = json!({ "quoteId": shown["quoteId"] });
        world.act(&patient, &order, "cancel", body).await.data();
        world.ended(&order, 901, PRICE, 2700, &then(&TO_READY, &[500, 501, 502, 901])).await;
        let refund = world.refund_of(&order, 0).await;
        for field in ["share", "amount", "rule", "dueOn"] {
            assert_eq!(refund[field], shown[field], "{field}");
        }
    }
);

journey!(
    /// A quote from before the share fell holds for its minute.
    a_quote_is_honoured_when_the_share_fell_meanwhile,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.in_progress(&patient).await;
        world.pass(Span::seconds(290)).await;
        let quote = world.get(&patient, &format!("/orders/{order}/refund-quote")).await;
        assert_eq!(quote.data()["share"], 80);
        world.pass(Span::seconds(30)).await;
        let body = json!({ "quoteId": quote.data()["quoteId"] });
        world.act(&patient, &order, "cancel", body).await.data();
        world.operate(&order, "review", json!({ "decision": "byTable" })).await.data();
        world.ended(&order, 901, PRICE, 2400, &then(&TO_SERVICE, &[500, 501, 502, 901])).await;
    }
);

journey!(a_stale_quote_is_refused, |world| {
    let patient = world.patient().await;
    let order = world.paid_dispatch(&patient).await;
    let quote = world
        .get(&patient, &format!("/orders/{order}/refund-quote"))
        .await;
    let body = json!({ "quoteId": quote.data()["quoteId"] });
    world.pass(Span::seconds(61)).await;
    let answer = world.act(&patient, &order, "cancel", body).await;
    answer.refused(409, "6003");
    world.ended(&order, 200, PRICE, 0, &[100, 101, 200]).await;
    world.cancel(&patient, &order).await;
});

journey!(
    /// The stage moved on while the patient was reading.
    a_quote_of_another_stage_is_refused,
    |world| {
        let patient = world.patient().await;
        let order = world.paid_dispatch(&patient).await;
        let quote = world.get(&patient, &format!("/orders/{order}/refund-quote")).await;
        let body = json!({ "quoteId": quote.data()["quoteId"] });
        let doctor = world.doctors[0].clone();
        world.online(&doctor, true).await;
        world.act(&doctor, &order, "accept", json!({})).await.data();
        world.act(&patient, &order, "cancel", body).await.refused(409, "6003");
        world.ended(&order, 400, PRICE, 0, &TO_READY).await;
        let forged = json!({ "quoteId": "nonsense" });
        world.act(&patient, &order, "cancel", forged).await.refused(422, "6001");
        world.ended(&order, 400, PRICE, 0, &TO_READY).await;
    }
);

journey!(
    /// What an operator is shown before deciding is what happens, and showing it changes nothing.
    a_review_is_previewed_in_status_money_and_words,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.in_progress(&patient).await;
        world.pass(Span::minutes(7)).await;
        world.cancel(&patient, &order).await;
        let before = world.picture(&order).await;
        let half = json!({ "decision": "share", "share": 50, "reason": "医生迟到" });
        let shown = world.operate(&order, "preview", half.clone()).await.data().clone();
        let refuse = json!({ "decision": "refuse", "reason": "服务已完成" });
        let refused = world.operate(&order, "preview", refuse).await.data().clone();
        let without = json!({ "decision": "share", "share": 50 });
        world.operate(&order, "preview", without).await.refused(422, "6001");
        assert_eq!(world.picture(&order).await, before);

        let codes = |preview: &Value| -> Vec<i64> {
            let path = preview["path"].as_array().expect("a path");
            path.iter().filter_map(|status| status["code"].as_i64()).collect()
        };
        assert_eq!((codes(&shown), codes(&refused)), (vec![502], vec![401]));
        assert_eq!(refused["said"], json!(["The refund was not granted; the consultation goes on"]));
        assert_eq!(refused["postings"], json!([]));
        let refund = &shown["refunds"][0];
        assert_eq!((&refund["share"], &refund["amount"]["amount"]), (&json!(50), &json!(1500)));
        let postings = json!([
            { "account": "patient", "amount": 1500, "currency": "CNY" },
            { "account": "refund_reserve", "amount": -1500, "currency": "CNY" },
        ]);
        assert_eq!(shown["postings"], postings);
        world.operate(&order, "review", half).await.data();
        world.ended(&order, 901, PRICE, 1500, &then(&TO_SERVICE, &[500, 501, 502, 901])).await;
        let done = world.refund_of(&order, 0).await;
        for field in ["share", "amount", "rule", "reason", "dueOn"] {
            assert_eq!(done[field], refund[field], "{field}");
        }
        let stranger = format!("/payments/refunds/{}/preview", done["id"].as_str().expect("id"));
        let body = json!({ "decision": "byTable" });
        world.post(&patient, &stranger, body).await.refused(403, "1003");
    }
);

journey!(
    /// The rules an order was created under are frozen with it.
    an_order_keeps_the_rules_it_was_created_under,
    |world| {
        let patient = world.patient().await;
        let (old, _) = world.ready(&patient).await;
        let at = "/admin/configs/consultation.rules";
        let kept = world.get(&world.admin, at).await.data().clone();
        let mut rules = kept["value"].clone();
        for row in rules["shares"].as_array_mut().expect("rows") {
            if row["share"] == json!(90) {
                row["share"] = json!(50);
            }
        }
        let body = json!({ "value": rules, "version": kept["version"] });
        world.put(&world.admin, at, body).await.data();
        let (new, _) = world.ready(&patient).await;
        let path = then(&TO_READY, &[500, 501, 502, 901]);
        world.cancel(&patient, &old).await;
        world.ended(&old, 901, PRICE, 2700, &path).await;
        world.cancel(&patient, &new).await;
        world.ended(&new, 901, PRICE, 1500, &path).await;
    }
);

// --- 501 ---

journey!(
    /// An operator may set another share, with a reason for the patient to read.
    an_operator_sets_another_share_with_a_reason,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.in_progress(&patient).await;
        world.pass(Span::minutes(3)).await;
        world.cancel(&patient, &order).await;
        let waiting = then(&TO_SERVICE, &[500, 501]);
        let queue = world.get(&world.operator, "/payments/refunds").await;
        assert_eq!(queue.data()[0]["orderId"], json!(order));
        let without = json!({ "decision": "share", "share": 50 });
        let answer = world.operate(&order, "review", without).await;
        answer.refused(422, "6001");
        assert_eq!(answer.body["error"]["details"][0]["field"], "reason");
        let too_much = json!({ "decision": "share", "share": 101, "reason": "医生迟到" });
        world.operate(&order, "review", too_much).await.refused(422, "6001");
        world.ended(&order, 501, PRICE, 0, &waiting).await;
        let body = json!({ "decision": "share", "share": 50, "reason": "医生迟到" });
        world.operate(&order, "review", body).await.data();
        world.ended(&order, 901, PRICE, 1500, &then(&waiting, &[502, 901])).await;
        assert_eq!(world.refund_of(&order, 0).await["reason"], "医生迟到");
    }
);

journey!(
    /// Refused by an operator: back to the service, with the time that was left.
    an_operator_refuses_and_the_service_goes_on,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        world.pass(Span::minutes(25)).await;
        world.cancel(&patient, &order).await;
        world.pass(Span::hours(3)).await;
        let body = json!({ "decision": "refuse", "reason": "服务已完成" });
        world.operate(&order, "review", body).await.data();
        let back = then(&TO_SERVICE, &[500, 501, 401]);
        world.ended(&order, 401, PRICE, 0, &back).await;
        world.pass(Span::minutes(4)).await;
        world.ended(&order, 401, PRICE, 0, &back).await;
        world.act(&doctor, &order, "finish", summary()).await.data();
        world.ended(&order, 900, PRICE, 0, &then(&back, &[900])).await;
    }
);

journey!(
    /// A review that no operator took for 24 hours: the table's share.
    a_review_that_nobody_takes_is_the_tables,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.in_progress(&patient).await;
        world.pass(Span::minutes(7)).await;
        world.cancel(&patient, &order).await;
        world.pass(Span::hours(23)).await;
        let waiting = then(&TO_SERVICE, &[500, 501]);
        world.ended(&order, 501, PRICE, 0, &waiting).await;
        world.pass(Span::hours(1)).await;
        world.ended(&order, 901, PRICE, 1800, &then(&waiting, &[502, 901])).await;
    }
);

journey!(
    /// The same where the table's share is nothing: refused, and the service goes on.
    a_refused_review_gives_the_order_back,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        world.pass(Span::minutes(21)).await;
        world.cancel(&patient, &order).await;
        world.pass(Span::hours(24)).await;
        let back = then(&TO_SERVICE, &[500, 501, 401]);
        world.ended(&order, 401, PRICE, 0, &back).await;
        world.act(&doctor, &order, "finish", summary()).await.data();
        world.ended(&order, 900, PRICE, 0, &then(&back, &[900])).await;
    }
);

// --- 502 and 503 ---

journey!(
    /// The refund was taken, and the answer got lost: it is found by asking, and paid once.
    a_refund_of_unknown_outcome_is_found_by_asking,
    |world| {
        let patient = world.patient().await;
        let order = world.paid_dispatch(&patient).await;
        world.faults(Faults {
            unknown_outcome: Some(sandbox::views::UnknownOutcome::Refund),
            refunds_hang: true,
            ..Default::default()
        });
        world.cancel(&patient, &order).await;
        world.ended(&order, 502, PRICE, 0, &TO_REFUNDING).await;
        world.no_faults();
        world.pass(Span::minutes(10)).await;
        world.ended(&order, 901, PRICE, PRICE, &then(&TO_REFUNDING, &[901])).await;
        assert_eq!(world.sandbox.totals().refunded.count, 1, "paid once");
    }
);

journey!(
    /// Acceptance is not success: it stays 502 until the gateway says that the money is there.
    a_refund_that_hangs_stays_502,
    |world| {
        let patient = world.patient().await;
        let order = world.paid_dispatch(&patient).await;
        world.faults(Faults { refunds_hang: true, ..Default::default() });
        world.cancel(&patient, &order).await;
        world.pass(Span::hours(30)).await;
        world.ended(&order, 502, PRICE, 0, &TO_REFUNDING).await;
        world.no_faults();
        world.pass(Span::hours(1)).await;
        world.ended(&order, 901, PRICE, PRICE, &then(&TO_REFUNDING, &[901])).await;
        assert_eq!(world.sandbox.totals().refunded.count, 1, "paid once");
    }
);

/// A refund that the gateway took and that ends there in this way.
async fn ends_there(
    world: &World,
    status: RefundStatus,
) -> (crate::harness::Person, String, String) {
    let patient = world.patient().await;
    let order = world.paid_dispatch(&patient).await;
    world.faults(Faults {
        refunds_hang: true,
        ..Default::default()
    });
    world.cancel(&patient, &order).await;
    let refund = world.refund_of(&order, 0).await;
    let number = refund["outRefundNo"].as_str().expect("number").to_owned();
    let outcome = OutcomeRequest {
        status,
        callback: OutcomeCallback::Once,
        late_seconds: None,
    };
    world
        .sandbox
        .set_refund_outcome(&number, &outcome)
        .expect("outcome");
    world.no_faults();
    world.pass(Span::seconds(10)).await;
    (patient, order, number)
}

journey!(
    /// CLOSED: the number is dead. The next try has a new one.
    a_refund_that_the_gateway_closed_gets_a_new_number,
    |world| {
        let (_, order, number) = ends_there(world, RefundStatus::Closed).await;
        let failed = then(&TO_REFUNDING, &[503]);
        world.ended(&order, 503, PRICE, 0, &failed).await;
        world.pass(Span::minutes(1)).await;
        world.ended(&order, 901, PRICE, PRICE, &then(&failed, &[502, 901])).await;
        let refund = world.refund_of(&order, 0).await;
        assert_ne!(refund["outRefundNo"].as_str(), Some(number.as_str()));
    }
);

journey!(
    /// ABNORMAL: the card is dead. No automatic try; an operator pays elsewhere and gives the proof.
    an_abnormal_refund_goes_to_operations,
    |world| {
        let (patient, order, number) = ends_there(world, RefundStatus::Abnormal).await;
        let failed = then(&TO_REFUNDING, &[503]);
        world.ended(&order, 503, PRICE, 0, &failed).await;
        world.pass(Span::hours(24)).await;
        world.ended(&order, 503, PRICE, 0, &failed).await;
        let refund = world.refund_of(&order, 0).await;
        assert_eq!(refund["outRefundNo"].as_str(), Some(number.as_str()), "the number lives");
        assert!(refund["lastError"].as_str().expect("words").contains("ABNORMAL"));
        let queue = world.get(&world.operator, "/payments/refunds").await;
        assert_eq!(queue.data()[0]["orderId"], json!(order));

        let without = world.operate(&order, "record", json!({ "proof": " " })).await;
        without.refused(422, "6001");
        assert_eq!(without.body["error"]["details"][0]["field"], "proof");
        let id = refund["id"].as_str().expect("id");
        let body = json!({ "proof": "招行转账 20260303-118" });
        world.post(&patient, &format!("/payments/refunds/{id}/record"), body.clone()).await.refused(403, "1003");
        world.ended(&order, 503, PRICE, 0, &failed).await;
        world.operate(&order, "record", body).await.data();
        world.ended(&order, 901, PRICE, PRICE, &then(&failed, &[502, 901])).await;
    }
);

journey!(
    /// ABNORMAL, and the gateway brought it home after all: 503 → 502 → 901.
    an_abnormal_refund_that_succeeds_after_all,
    |world| {
        let (_, order, number) = ends_there(world, RefundStatus::Abnormal).await;
        let outcome = OutcomeRequest {
            status: RefundStatus::Success,
            callback: OutcomeCallback::Once,
            late_seconds: None,
        };
        world.sandbox.set_refund_outcome(&number, &outcome).expect("outcome");
        world.settle().await;
        world.ended(&order, 901, PRICE, PRICE, &then(&TO_REFUNDING, &[503, 502, 901])).await;
    }
);

journey!(
    /// 503: tried again after 1, 5 and 30 minutes, then operations; by hand it may be tried again.
    a_refund_that_is_refused_is_tried_again_and_then_by_hand,
    |world| {
        let patient = world.patient().await;
        let order = world.paid_dispatch(&patient).await;
        let refuse = Faults { refuse_refunds: Some(RefundRefusal::NotEnough), ..Default::default() };
        world.faults(refuse);
        world.cancel(&patient, &order).await;
        let mut path = then(&TO_REFUNDING, &[503]);
        world.ended(&order, 503, PRICE, 0, &path).await;
        for minutes in [1, 5, 30] {
            world.pass(Span::minutes(minutes)).await;
            path.extend([502, 503]);
            world.ended(&order, 503, PRICE, 0, &path).await;
        }
        world.pass(Span::hours(2)).await;
        world.ended(&order, 503, PRICE, 0, &path).await;
        world.operate(&order, "retry", json!({})).await.data();
        path.extend([502, 503]);
        world.ended(&order, 503, PRICE, 0, &path).await;
        world.no_faults();
        let id = world.refund_of(&order, 0).await["id"].as_str().expect("id").to_owned();
        world.post(&patient, &format!("/payments/refunds/{id}/retry"), json!({})).await.refused(403, "1003");
        world.operate(&order, "retry", json!({})).await.data();
        path.extend([502, 901]);
        world.ended(&order, 901, PRICE, PRICE, &path).await;
        // Once more changes nothing.
        world.operate(&order, "retry", json!({})).await.data();
        world.ended(&order, 901, PRICE, PRICE, &path).await;
    }
);

journey!(
    /// Refused three times, and an operator paid elsewhere instead.
    a_refund_that_is_refused_is_recorded_by_hand,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.ready(&patient).await;
        world.faults(Faults { refuse_refunds: Some(RefundRefusal::UserAccountAbnormal), ..Default::default() });
        world.cancel(&patient, &order).await;
        for minutes in [1, 5, 30] {
            world.pass(Span::minutes(minutes)).await;
        }
        let tries = [500, 501, 502, 503, 502, 503, 502, 503, 502, 503];
        world.ended(&order, 503, PRICE, 0, &then(&TO_READY, &tries)).await;
        let body = json!({ "proof": "现金收据 0042" });
        world.operate(&order, "record", body).await.data();
        let path = then(&then(&TO_READY, &tries), &[502, 901]);
        world.ended(&order, 901, PRICE, 2700, &path).await;
    }
);

// --- after 900 ---

journey!(
    /// A complaint is decided by an operator; the order stays 900.
    a_complaint_after_the_end_is_decided_by_an_operator,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        world.act(&doctor, &order, "finish", summary()).await.data();
        let path = then(&TO_SERVICE, &[900]);
        let body = json!({ "reason": "医生没有回答" });
        world.act(&patient, &order, "refund", body).await.data();
        world.ended(&order, 900, PRICE, 0, &path).await;
        let body = json!({ "decision": "share", "share": 50, "reason": "属实" });
        world.operate(&order, "review", body).await.data();
        world.ended(&order, 900, PRICE, 1500, &path).await;
    }
);
