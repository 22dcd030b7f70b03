//! What people decide about differences, and what comes of it.

use super::{
    DAY, TO_NEXT_MORNING, WECHAT, act, again, day_of, differences, is_explained, kinds, only, paid,
    plant, refunded, run_now, way,
};
use crate::harness::scenes::DISPATCH_PRICE as PRICE;
use crate::harness::{Person, World};
use domain::payment::GatewayName as G;
use domain::{Money, Span};
use reqwest::Method;
use sandbox::views::{Faults, PayCallback, Plant};
use serde_json::{Value, json};

journey!(
    /// The callback is lost and nobody asks: the bill brings it to light, a query repairs it.
    a_lost_callback_is_found_by_the_bill_and_repaired_by_a_query,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let number = world.submit_over(&patient, &order, WECHAT).await;
        world.tries_to_pay(&number, PayCallback::Never).expect("paid");
        // The program was down until the next morning.
        world.clock_passes(TO_NEXT_MORNING);
        let day = run_now(world, DAY).await.data().clone();
        assert_eq!(day["state"], "differing");
        let one = only(world, &day).await;
        assert_eq!((&one["kind"], &one["severity"]), (&json!("PAYMENT_OPEN_HERE"), &json!("warning")));
        assert_eq!((&one["orderId"], &one["outTradeNo"]), (&json!(order), &json!(number)));
        assert_eq!(one["gap"], json!([{ "amount": PRICE, "currency": "CNY" }]));
        assert_eq!(one["repairs"][0]["repair"], "QUERY_PAYMENT");
        assert_eq!(one["needsApproval"], false);
        is_explained(world, &day).await;

        // What it would do, before it is done.
        let path = format!("/admin/reconciliation/differences/{}/preview", one["id"].as_str().expect("id"));
        let body = json!({ "repair": "QUERY_PAYMENT" });
        let preview = world.post(&world.operator, &path, body.clone()).await.data().clone();
        assert_eq!((&preview["settles"], &preview["order"]["changes"]), (&json!(true), &json!(true)));
        let says = preview["gatewaySays"].as_str().expect("words");
        assert!(says.starts_with("the gateway says: 30.00 CNY paid at "), "{says}");
        assert_eq!(preview["order"]["path"][0]["code"], 200, "{preview:#}");
        assert_eq!(preview["order"]["postings"][0]["account"], "gateway_clearing:wechat");
        assert_eq!(again(world, &one).await["status"], "OPEN", "nothing was done");

        let proposed = act(world, &world.operator, &one, "propose", body).await;
        assert_eq!(proposed.data()["status"], "APPROVED", "up to the limit one person is enough");
        let settled = again(world, &one).await;
        assert_eq!(settled["status"], "APPLIED", "{settled:#}");
        assert_eq!(settled["approvedBy"], json!(world.operator.id));
        let steps: Vec<&Value> = settled["steps"].as_array().expect("steps").iter().map(|s| &s["step"]).collect();
        assert_eq!(steps, ["found", "propose", "applied"]);
        assert_eq!(world.order(&order).await["paid"]["amount"], json!(PRICE));

        let day = run_now(world, DAY).await.data().clone();
        assert_eq!((&day["state"], &day["matchedPayments"]), (&json!("settled"), &json!(1)));
        assert_eq!(day["sums"][0]["gap"], 0);
    }
);

journey!(
    /// A payment that we closed was paid after all: once booked, it goes back by itself.
    money_of_a_closed_payment_is_booked_and_returned,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let number = world.submit_over(&patient, &order, WECHAT).await;
        world.tries_to_pay(&number, PayCallback::Never).expect("paid");
        // Our books say closed, whatever happened.
        let close = domain::consultation::Command::PaymentClosed {
            payment: world.payment_id(&order).await,
        };
        let id = order.parse().expect("id");
        let origin = engine::Origin::default();
        let closed = world.engine.execute(id, close, domain::order::Actor::GATEWAY, origin);
        closed.await.expect("closed");
        world.pass(TO_NEXT_MORNING).await;
        let day = day_of(world, G::WECHAT, DAY).await;
        let one = only(world, &day).await;
        assert_eq!(one["kind"], "PAYMENT_CLOSED_HERE");
        act(world, &world.operator, &one, "propose", json!({ "repair": "QUERY_PAYMENT" })).await.data();
        assert_eq!(again(world, &one).await["status"], "APPLIED");
        world.pass(Span::minutes(2)).await;
        let now = world.order(&order).await;
        assert_eq!((&now["paid"]["amount"], &now["refunded"]["amount"]), (&json!(PRICE), &json!(PRICE)));
        assert_eq!(now["refunds"][0]["purpose"], "late_money");
    }
);

journey!(
    /// Above the limit one person proposes and another one approves; the ledger has it once.
    two_people_put_unknown_money_on_suspense,
    |world| {
        let (operator, admin) = (world.operator.clone(), world.admin.clone());
        paid(world, WECHAT).await;
        plant(world, Plant::ForeignPayment { amount: 50_000 });
        world.pass(TO_NEXT_MORNING).await;
        let day = day_of(world, G::WECHAT, DAY).await;
        let one = only(world, &day).await;
        assert_eq!((&one["atLoss"], &one["needsApproval"]), (&json!("payer"), &json!(true)));
        assert_eq!(one["kindLabel"], "Paid at the gateway under a number that is not ours");

        let body = json!({ "repair": "RECORD_SUSPENSE" });
        let preview = act(world, &operator, &one, "preview", body.clone()).await;
        let postings = preview.data()["postings"].clone();
        assert_eq!(
            postings,
            json!([
                { "account": "gateway_clearing:wechat", "amount": 50_000, "currency": "CNY" },
                { "account": "suspense", "amount": -50_000, "currency": "CNY" },
            ])
        );
        let refused = act(world, &operator, &one, "approve", json!({})).await;
        refused.refused(409, "6003");
        let proposed = act(world, &operator, &one, "propose", body.clone()).await;
        assert_eq!((&proposed.data()["status"], &proposed.data()["approvedBy"]), (&json!("PROPOSED"), &Value::Null));
        // A second click is no error and changes nothing; one's own proposal can't be approved.
        act(world, &operator, &one, "propose", body.clone()).await.data();
        let own = act(world, &operator, &one, "approve", json!({})).await;
        let words = own.refused(403, "1003");
        assert_eq!(words, "the amount needs a second person: somebody else must approve what you proposed");
        let own = world.in_chinese(&operator, &one, "approve").await;
        assert_eq!(own, "金额超过限额，须由另一人复核：您不能复核自己的提议");

        let approved = act(world, &admin, &one, "approve", json!({})).await;
        assert_eq!(approved.data()["status"], "APPROVED");
        act(world, &admin, &one, "approve", json!({})).await.data();
        let settled = again(world, &one).await;
        assert_eq!((&settled["status"], &settled["result"]), (&json!("APPLIED"), &json!("put on suspense: 500.00 CNY")));
        assert_eq!((&settled["proposedBy"], &settled["approvedBy"]), (&json!(operator.id), &json!(admin.id)));
        let steps = settled["steps"].as_array().expect("steps");
        let told: Vec<(&Value, &Value, &Value)> =
            steps.iter().map(|step| (&step["step"], &step["to"], &step["actor"])).collect();
        assert_eq!(
            told,
            [
                (&json!("found"), &json!("OPEN"), &Value::Null),
                (&json!("propose"), &json!("PROPOSED"), &json!(operator.id)),
                (&json!("approve"), &json!("APPROVED"), &json!(admin.id)),
                (&json!("applied"), &json!("APPLIED"), &Value::Null),
            ]
        );
        // What is decided stays, and a second run doesn't find it anew.
        let day = run_now(world, DAY).await.data().clone();
        assert_eq!(kinds(world, &day).await, [("PAYMENT_MISSING_HERE".to_owned(), "APPLIED".to_owned())]);
        assert_eq!(day["state"], "settled");
        act(world, &admin, &one, "accept", json!({ "reason": "late" })).await.refused(409, "6003");
        let books = world.get(&admin, "/admin/ledger/accounts/suspense/entries").await.data().clone();
        assert_eq!((&books["entries"][0]["kind"], &books["entries"][0]["orderId"]), (&json!("suspense_in"), &Value::Null));
        // The money is in the bill alone: the sandbox's book never had it.
        world.only_at(G::WECHAT, Money::fen(-50_000));
    }
);

journey!(
    /// What nobody can prove needs a reason, and above the limit a second person as well.
    accepted_and_returned_by_hand_with_a_reason,
    |world| {
        let (operator, admin) = (world.operator.clone(), world.admin.clone());
        paid(world, WECHAT).await;
        for amount in [9_000, 20_000] {
            plant(world, Plant::ForeignPayment { amount });
        }
        world.pass(TO_NEXT_MORNING).await;
        let day = day_of(world, G::WECHAT, DAY).await;
        let all = differences(world, &day).await;
        let of = |amount: i64| {
            let found = all.iter().find(|one| one["there"]["amount"] == amount);
            found.expect("planted").clone()
        };
        let (small, large) = (of(9_000), of(20_000));
        let no_reason = act(world, &operator, &small, "accept", json!({ "reason": "  " })).await;
        assert!(no_reason.refused(422, "6001").contains("reason"));
        let no_reason = act(world, &operator, &small, "propose", json!({ "repair": "RETURN_MONEY" })).await;
        no_reason.refused(422, "6001");
        let not_that = act(world, &operator, &small, "propose", json!({ "repair": "QUERY_REFUND" })).await;
        assert!(not_that.refused(422, "6001").contains("use RECORD_SUSPENSE, RETURN_MONEY, ACCEPT"));
        let unknown = act(world, &operator, &small, "propose", json!({ "repair": "BURN_IT" })).await;
        unknown.refused(422, "6001");

        let back = json!({ "repair": "RETURN_MONEY", "reason": "bank slip 7" });
        let done = act(world, &operator, &small, "propose", back).await;
        assert_eq!((&done.data()["status"], &done.data()["reason"]), (&json!("APPLIED"), &json!("bank slip 7")));
        let accepted = act(world, &operator, &large, "accept", json!({ "reason": "a test of ours" })).await;
        assert_eq!((&accepted.data()["status"], &accepted.data()["repair"]), (&json!("PROPOSED"), &json!("ACCEPT")));
        act(world, &operator, &large, "approve", json!({})).await.refused(403, "1003");
        let accepted = act(world, &admin, &large, "approve", json!({})).await;
        assert_eq!(accepted.data()["status"], "ACCEPTED");
        let day = day_of(world, G::WECHAT, DAY).await;
        assert_eq!((&day["state"], &day["unsettled"]), (&json!("settled"), &json!(0)));
    }
);

journey!(
    /// The bill lacks a refund that the gateway says it made: its word is enough. What it does not
    /// prove is open again.
    a_refund_that_the_bill_lacks_is_asked_about,
    |world| {
        let (_, _, refund) = refunded(world, WECHAT).await;
        plant(world, Plant::DropLine { number: refund });
        world.pass(TO_NEXT_MORNING).await;
        let day = day_of(world, G::WECHAT, DAY).await;
        let one = only(world, &day).await;
        assert_eq!((&one["kind"], &one["atLoss"]), (&json!("REFUND_MISSING_THERE"), &json!("payer")));

        // While the gateway is away, the repair waits for it.
        world.faults(Faults { down: true, ..Faults::default() });
        let body = json!({ "repair": "QUERY_REFUND" });
        act(world, &world.operator, &one, "preview", body.clone()).await.refused(503, "5001");
        act(world, &world.operator, &one, "propose", body).await.data();
        assert_eq!(again(world, &one).await["status"], "APPROVED");
        world.faults(Faults::default());
        world.pass(Span::minutes(10)).await;
        let settled = again(world, &one).await;
        assert_eq!(settled["status"], "APPLIED", "{settled:#}");
        let says = settled["result"].as_str().expect("words");
        assert!(says.starts_with("the gateway says: refunded at "), "{says}");
    }
);

journey!(
    /// The gateway's query does not confirm what the bill says otherwise: it stays open, with its words.
    a_query_that_settles_nothing_leaves_the_difference_open,
    |world| {
        let (_, _, number) = paid(world, WECHAT).await;
        let to = "4200999".to_owned();
        plant(world, Plant::ChangeTransactionId { number: number.clone(), to });
        world.pass(TO_NEXT_MORNING).await;
        let one = only(world, &day_of(world, G::WECHAT, DAY).await).await;
        assert_eq!(one["kind"], "PAYMENT_NUMBERS_DIFFER");
        // Our own books are wrong, for once.
        let wrong = format!("UPDATE payments SET transaction_id = '1' WHERE out_trade_no = '{number}'");
        world.fresh.execute(&wrong).await.expect("changed");
        act(world, &world.operator, &one, "propose", json!({ "repair": "QUERY_PAYMENT" })).await.data();
        let after = again(world, &one).await;
        assert_eq!(after["status"], "OPEN");
        assert!(after["result"].as_str().expect("words").contains("paid at"), "{after:#}");
        let last = after["steps"].as_array().expect("steps").last().expect("one").clone();
        assert_eq!((&last["step"], &last["from"]), (&json!("not_repaired"), &json!("APPROVED")));
        act(world, &world.operator, &one, "accept", json!({ "reason": "ours was wrong" })).await.data();
    }
);

impl World {
    /// The order's only payment.
    async fn payment_id(&self, order: &str) -> domain::PaymentId {
        let id = order.parse().expect("id");
        let order = self
            .engine
            .store()
            .load(id)
            .await
            .expect("read")
            .expect("there");
        order.payments[0].id
    }

    /// What a refused decision is answered in Chinese.
    async fn in_chinese(&self, who: &Person, one: &Value, what: &str) -> String {
        let id = one["id"].as_str().expect("id");
        let path = format!("/api/v1/admin/reconciliation/differences/{id}/{what}");
        let token = self.token(who).await;
        let request = self.raw(Method::POST, &path).await.bearer_auth(token);
        let request = request.header("accept-language", "zh-CN").json(&json!({}));
        let answer = self.send(request).await;
        answer.body["error"]["message"]
            .as_str()
            .expect("words")
            .to_owned()
    }
}

journey!(
    /// UnionPay knows a refund by when it was sent: long after it has ended, it is still found there.
    a_refund_that_ended_late_is_found_at_unionpay_by_when_it_was_sent,
    |world| {
        let way = way(G::UNIONPAY, "front", domain::Currency::CNY);
        let (patient, order, _) = paid(world, way).await;
        world.faults_at(way, Faults { refunds_hang: true, ..Faults::default() });
        world.cancel(&patient, &order).await;
        world.pass(Span::minutes(2)).await;
        world.faults_at(way, Faults::default());
        world.pass(Span::minutes(2)).await;
        let refund = world.order(&order).await["refunds"][0].clone();
        assert_eq!(refund["status"], "SUCCEEDED", "{refund:#}");
        let number = refund["outRefundNo"].as_str().expect("number").to_owned();
        let request = sandbox::views::PlantRequest {
            gateway: G::UNIONPAY,
            day: DAY.parse().expect("a day"),
            plant: Plant::DropLine { number },
        };
        world.sandbox.plant(request).expect("planted");
        world.pass(TO_NEXT_MORNING).await;
        let day = day_of(world, G::UNIONPAY, DAY).await;
        let one = only(world, &day).await;
        assert_eq!(one["kind"], "REFUND_MISSING_THERE");
        act(world, &world.operator, &one, "propose", json!({ "repair": "QUERY_REFUND" })).await.data();
        let settled = again(world, &one).await;
        assert_eq!(settled["status"], "APPLIED", "{settled:#}");
    }
);

journey!(
    /// A click that is sent again with its key is answered as the first time, and done once.
    a_decision_is_made_once_for_a_key,
    |world| {
        paid(world, WECHAT).await;
        plant(world, Plant::ForeignPayment { amount: 100 });
        world.pass(TO_NEXT_MORNING).await;
        let one = only(world, &day_of(world, G::WECHAT, DAY).await).await;
        let token = world.token(&world.operator).await;
        let id = one["id"].as_str().expect("id");
        let path = format!("/api/v1/admin/reconciliation/differences/{id}/propose");
        let mut answers = Vec::new();
        for repair in ["RECORD_SUSPENSE", "RECORD_SUSPENSE", "RETURN_MONEY"] {
            let request = world.raw(Method::POST, &path).await.bearer_auth(&token);
            let body = json!({ "repair": repair, "reason": "seen" });
            let request = request.header("idempotency-key", "click-1").json(&body);
            answers.push(world.send(request).await);
            world.settle().await;
        }
        assert_eq!(answers[0].data()["status"], "APPROVED");
        assert_eq!(answers[0].body, answers[1].body);
        assert_eq!(answers[1].headers["idempotent-replay"], "true");
        answers[2].refused(409, "6004");
        let settled = again(world, &one).await;
        assert_eq!(settled["status"], "APPLIED");
        assert_eq!(settled["steps"].as_array().map(Vec::len), Some(3));
        world.only_at(G::WECHAT, Money::fen(-100));
    }
);
