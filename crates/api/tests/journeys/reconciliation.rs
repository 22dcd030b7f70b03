//! Reconciliation over HTTP, on both databases: the sandbox's bills, read by the real connectors, with
//! differences planted into them (spec 20).

use crate::harness::gateways::Way;
use crate::harness::scenes::DISPATCH_PRICE as PRICE;
use crate::harness::{Answer, Person, World};
use domain::Currency::{CNY, NZD};
use domain::payment::GatewayName as G;
use domain::reconciliation::LineStatus;
use domain::{Money, Span};
use reqwest::Method;
use sandbox::views::{Faults, PayCallback, Plant, PlantRequest};
use serde_json::{Value, json};

/// The day on which every journey begins, at nine in the morning.
const DAY: &str = "2026-03-02";
/// From there to when the day is due.
const TO_NEXT_MORNING: Span = Span::minutes(25 * 60 + 31);
/// UnionPay says only at noon that there was nothing.
const TO_NEXT_NOON: Span = Span::minutes(90);

const fn way(gateway: G, method: &'static str, currency: domain::Currency) -> Way {
    Way {
        gateway,
        method,
        currency,
        payer: None,
    }
}

const WECHAT: Way = way(G::WECHAT, "native", CNY);

/// A paid order, and our number at the gateway.
async fn paid(world: &World, way: Way) -> (Person, String, String) {
    let patient = world.patient().await;
    let order = world.paid_over(&patient, way).await;
    let number = world.order(&order).await["payments"][0]["outTradeNo"].clone();
    (patient, order, number.as_str().expect("number").to_owned())
}

/// The same, given back; with our number of the refund.
async fn refunded(world: &World, way: Way) -> (String, String, String) {
    let (patient, order, number) = paid(world, way).await;
    world.cancel(&patient, &order).await;
    world.pass(Span::minutes(2)).await;
    let refund = world.order(&order).await["refunds"][0].clone();
    assert_eq!(refund["status"], "SUCCEEDED", "{refund:#}");
    let refund = refund["outRefundNo"].as_str().expect("number").to_owned();
    (order, number, refund)
}

fn plant(world: &World, plant: Plant) {
    let day = DAY.parse().expect("a day");
    let request = PlantRequest {
        gateway: G::WECHAT,
        day,
        plant,
    };
    world.sandbox.plant(request).expect("planted");
}

/// What the list says of a gateway's day.
async fn day_of(world: &World, gateway: G, day: &str) -> Value {
    let path = format!("/admin/reconciliation?gateway={gateway}&from={day}&to={day}");
    let found = world.get(&world.operator, &path).await.data().clone();
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found:#}");
    found[0].clone()
}

/// The day's differences as (kind, status), in the report's order.
async fn differences(world: &World, day: &Value) -> Vec<Value> {
    let id = day["id"].as_str().expect("id");
    let path = format!("/admin/reconciliation/{id}?limit=100");
    let detail = world.get(&world.operator, &path).await.data().clone();
    detail["items"].as_array().expect("items").clone()
}

async fn kinds(world: &World, day: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let all = differences(world, day).await;
    all.iter()
        .map(|one| (text(&one["kind"]), text(&one["status"])))
        .collect()
}

/// The only difference of the day.
async fn only(world: &World, day: &Value) -> Value {
    let all = differences(world, day).await;
    let [one] = &all[..] else { panic!("{all:#?}") };
    one.clone()
}

async fn act(world: &World, who: &Person, one: &Value, what: &str, body: Value) -> Answer {
    let id = one["id"].as_str().expect("id");
    let path = format!("/admin/reconciliation/differences/{id}/{what}");
    let answer = world.post(who, &path, body).await;
    world.settle().await;
    answer
}

async fn again(world: &World, one: &Value) -> Value {
    let id = one["id"].as_str().expect("id");
    let path = format!("/admin/reconciliation/differences/{id}");
    world.get(&world.operator, &path).await.data().clone()
}

async fn run_now(world: &World, day: &str) -> Answer {
    let body = json!({ "gateway": "wechat", "day": day });
    world
        .post(&world.operator, "/admin/reconciliation", body)
        .await
}

/// Every fen between the bill's net and ours is in the differences.
async fn is_explained(world: &World, day: &Value) {
    let gaps = differences(world, day).await;
    for sums in day["sums"].as_array().expect("sums") {
        let of_currency = gaps
            .iter()
            .filter(|one| one["status"] != "GONE")
            .flat_map(|one| one["gap"].as_array().expect("gap"))
            .filter(|gap| gap["currency"] == sums["currency"]);
        let explained: i64 = of_currency.filter_map(|gap| gap["amount"].as_i64()).sum();
        assert_eq!(sums["gap"], json!(explained), "{day:#}\n{gaps:#?}");
    }
}

/// Writes a journey for each gateway, and on each database.
macro_rules! over_each_gateway {
    ($name:ident: $($gateway:ident $way:expr;)+) => {
        mod $name {$(
            mod $gateway {
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_sqlite() {
                    let mut world = super::super::World::on_sqlite().await;
                    super::super::$name(&mut world, $way).await;
                    world.leaves_nothing_behind().await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_postgres() {
                    let mut world = super::super::World::on_postgres().await;
                    super::super::$name(&mut world, $way).await;
                    world.leaves_nothing_behind().await;
                }
            }
        )+}
    };
}

over_each_gateway! {
    a_day_on_which_both_sides_agree:
    wechat super::super::WECHAT;
    alipay super::super::way(super::super::G::ALIPAY, "page", super::super::CNY);
    unionpay super::super::way(super::super::G::UNIONPAY, "front", super::super::CNY);
    paypal super::super::way(super::super::G::PAYPAL, "checkout", super::super::NZD);
    stripe super::super::way(super::super::G::STRIPE, "card", super::super::NZD);
}

/// Two payments, one of them given back: the next morning, by itself, everything is matched.
async fn a_day_on_which_both_sides_agree(world: &mut World, way: Way) {
    world.prices_in(way.currency).await;
    paid(world, way).await;
    refunded(world, way).await;
    world.pass(TO_NEXT_MORNING).await;
    world.pass(TO_NEXT_NOON).await;
    let day = day_of(world, way.gateway, DAY).await;
    assert_eq!(
        differences(world, &day).await,
        Vec::<Value>::new(),
        "{day:#}"
    );
    assert_eq!(
        (&day["state"], &day["stateLabel"]),
        (&json!("matched"), &json!("Agrees"))
    );
    assert_eq!(day["matchedPayments"], 2, "{day:#}");
    assert_eq!(day["matchedRefunds"], 1, "{day:#}");
    let sums = &day["sums"][0];
    assert_eq!(sums["currency"], json!(way.currency));
    assert_eq!(
        (&sums["billPaid"], &sums["billRefunded"]),
        (&json!(2 * PRICE), &json!(PRICE))
    );
    assert_eq!(
        (&sums["gap"], &sums["ledgerMoved"]),
        (&json!(0), &json!(PRICE))
    );
}

journey!(
    /// Each way in which the sandbox's bill can be wrong is found under its name, and the sums say
    /// what the differences say.
    whatever_is_wrong_in_a_bill_is_found_and_named,
    |world| {
        let fees = json!({ "wechat": { "basisPoints": 60 } });
        let path = "/admin/configs/reconciliation";
        let version = world.get(&world.admin, path).await.data()["version"].clone();
        let body = json!({ "value": { "fees": fees }, "version": version });
        world.put(&world.admin, path, body).await.data();

        let mut numbers = Vec::new();
        for _ in 0..8 {
            numbers.push(paid(world, WECHAT).await.2);
        }
        let mut backs = Vec::new();
        for _ in 0..3 {
            backs.push(refunded(world, WECHAT).await);
        }
        let number = |at: usize| numbers[at].clone();
        let refund = |at: usize| backs[at].2.clone();
        let processing = LineStatus::Processing;
        let wrong = [
            (Plant::DropLine { number: number(0) }, "PAYMENT_MISSING_THERE"),
            (Plant::ChangeAmount { number: number(1), amount: PRICE - 1 }, "PAYMENT_AMOUNT_DIFFERS"),
            (Plant::ChangeCurrency { number: number(2), currency: NZD }, "PAYMENT_CURRENCY_DIFFERS"),
            (Plant::DuplicateLine { number: number(3) }, "PAYMENT_LINE_TWICE"),
            (
                Plant::ChangeTransactionId { number: number(4), to: "4200999".to_owned() },
                "PAYMENT_NUMBERS_DIFFER",
            ),
            (Plant::ChangeFee { number: number(5), fee: 100_000 }, "FEE_DIFFERS"),
            (Plant::ForeignPayment { amount: 1_234 }, "PAYMENT_MISSING_HERE"),
            (Plant::ForeignRefund { amount: 56, of: Some(number(6)) }, "REFUND_FOREIGN"),
            (Plant::DropLine { number: refund(0) }, "REFUND_MISSING_THERE"),
            (Plant::ChangeAmount { number: refund(1), amount: 1 }, "REFUND_AMOUNT_DIFFERS"),
            (
                Plant::ChangeStatus { number: refund(2), status: processing },
                "REFUND_STATUS_DIFFERS",
            ),
            (
                Plant::WrongSummary { count: Some(99), paid: None, refunded: None },
                "TOTALS_DIFFER",
            ),
        ];
        let mut expected: Vec<&str> = wrong.iter().map(|(_, kind)| *kind).collect();
        for (what, _) in wrong {
            plant(world, what);
        }
        world.pass(TO_NEXT_MORNING).await;
        let day = day_of(world, G::WECHAT, DAY).await;
        assert_eq!((&day["state"], &day["unsettled"]), (&json!("differing"), &json!(12)));
        let found = kinds(world, &day).await;
        let mut found: Vec<&str> = found.iter().map(|(kind, _)| kind.as_str()).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        is_explained(world, &day).await;

        // A filter, a page, and the same by the list of everything that waits.
        let id = day["id"].as_str().expect("id");
        let path = format!("/admin/reconciliation/{id}?kind=FEE_DIFFERS&status=OPEN&limit=1");
        let detail = world.get(&world.operator, &path).await;
        assert_eq!(detail.data()["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(detail.body["meta"]["pagination"]["total"], 1);
        let fee = &detail.data()["items"][0];
        assert_eq!(fee["here"], json!({ "amount": 18, "currency": "CNY" }));
        assert_eq!(fee["there"], json!({ "amount": 100, "currency": "CNY" }));
        let path = "/admin/reconciliation/differences?status=OPEN&kind=REFUND_FOREIGN";
        let open = world.get(&world.admin, path).await.data().clone();
        assert_eq!(open[0]["refundId"], Value::Null);
        assert!(open[0]["orderId"].is_string(), "its payment says whose it is: {open:#}");

        // Looked at again, nothing changes.
        let before = differences(world, &day).await;
        let second = run_now(world, DAY).await.data().clone();
        assert_eq!((&second["runs"], &second["unsettled"]), (&json!(2), &json!(12)));
        let after = differences(world, &day).await;
        let ids = |all: &[Value]| -> Vec<Value> { all.iter().map(|one| one["id"].clone()).collect() };
        assert_eq!(ids(&before), ids(&after));
    }
);

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
        assert_eq!((&books["entries"][0]["kind"], &books["entries"][0]["orderId"]), (&json!("suspense_recorded"), &Value::Null));
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

journey!(
    /// Paid two minutes before midnight, in the next day's bill: both days agree once both are known.
    a_payment_around_midnight_is_explained_by_the_next_bill,
    |world| {
        world.pass(Span::minutes(14 * 60 + 58)).await;
        let (_, _, number) = paid(world, WECHAT).await;
        plant(world, Plant::ShiftDay { number, later: true });
        world.pass(Span::minutes(10 * 60 + 40)).await;
        let day = day_of(world, G::WECHAT, DAY).await;
        let one = only(world, &day).await;
        assert_eq!((&one["kind"], &one["status"]), (&json!("PAYMENT_NEIGHBOURING_DAY"), &json!("OPEN")));
        assert_eq!((&one["severity"], &one["repairs"]), (&json!("info"), &json!([])));
        is_explained(world, &day).await;

        world.pass(Span::hours(24)).await;
        for day in [DAY, "2026-03-03"] {
            let day = day_of(world, G::WECHAT, day).await;
            let expected = [("PAYMENT_NEIGHBOURING_DAY".to_owned(), "EXPLAINED".to_owned())];
            assert_eq!(kinds(world, &day).await, expected);
            assert_eq!(day["state"], "matched", "{day:#}");
            is_explained(world, &day).await;
        }
    }
);

journey!(
    /// A bill that is not there yet is waited for; days that were missed are caught up with.
    bills_are_waited_for_and_missed_days_are_caught_up_with,
    |world| {
        paid(world, WECHAT).await;
        // Half past nine in the morning after: WeChat still makes it.
        world.pass(Span::minutes(24 * 60 + 31)).await;
        let waiting = run_now(world, DAY).await.data().clone();
        assert_eq!((&waiting["state"], &waiting["runs"]), (&json!("waiting"), &json!(1)));
        assert!(waiting["retryAt"].is_string() && waiting["error"].is_string(), "{waiting:#}");
        let id = waiting["id"].as_str().expect("id");
        let none = world.get(&world.operator, &format!("/admin/reconciliation/{id}/bill")).await;
        none.refused(404, "6002");
        world.pass(Span::hours(1)).await;
        assert_eq!(day_of(world, G::WECHAT, DAY).await["state"], "matched");

        // Three days of silence: each is looked at, at every gateway.
        world.pass(Span::hours(72)).await;
        world.pass(TO_NEXT_NOON).await;
        for day in ["2026-03-03", "2026-03-04", "2026-03-05"] {
            for gateway in [G::WECHAT, G::ALIPAY, G::UNIONPAY, G::PAYPAL, G::STRIPE] {
                let day = day_of(world, gateway, day).await;
                assert_eq!(day["state"], "matched", "{day:#}");
            }
        }
        let all = world.get(&world.operator, "/admin/reconciliation?state=matched&limit=1").await;
        assert!(all.body["meta"]["pagination"]["total"].as_i64().expect("total") >= 16);
        let none = world.get(&world.operator, "/admin/reconciliation?state=failed").await;
        assert_eq!(none.data(), &json!([]));
    }
);

journey!(
    /// The bill as it came, and the differences for a spreadsheet, in which nothing is a formula.
    the_bill_and_the_differences_can_be_kept_as_files,
    |world| {
        let (_, order, number) = paid(world, WECHAT).await;
        let to = "=cmd|' /C calc'!A0".to_owned();
        plant(world, Plant::ChangeTransactionId { number: number.clone(), to });
        plant(world, Plant::ForeignPayment { amount: 100 });
        world.pass(TO_NEXT_MORNING).await;
        let day = day_of(world, G::WECHAT, DAY).await;
        let path = format!("/admin/reconciliation/{}", day["id"].as_str().expect("id"));
        let bill = world.get(&world.operator, &format!("{path}/bill")).await;
        assert!(bill.status.is_success());
        let text = bill.body.as_str().expect("text");
        assert!(text.contains("商户订单号") && text.contains(&number), "{text}");
        let header = |name: &str| bill.headers[name].to_str().expect("ascii").to_owned();
        assert_eq!(header("content-type"), "application/octet-stream");
        assert_eq!(header("content-disposition"), format!("attachment; filename=\"wechat-{DAY}.bill\""));

        let file = world.get(&world.operator, &format!("{path}/differences.csv")).await;
        assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
        // The HTTP client takes the mark away: the bytes themselves must have it.
        let url = format!("{}/api/v1{path}/differences.csv", world.base);
        let token = world.token(&world.operator).await;
        let raw = world.client.get(url).bearer_auth(token).send().await.expect("a file");
        let bytes = raw.bytes().await.expect("bytes");
        assert_eq!(&bytes[..3], [0xef, 0xbb, 0xbf]);
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let rows: Vec<&str> = text.trim_end().split("\r\n").collect();
        assert_eq!(rows.len(), 3, "{text}");
        assert!(rows[0].contains("\"Gateway's payment number\""), "{text}");
        let differ = rows.iter().find(|row| row.contains("PAYMENT_NUMBERS_DIFFER")).expect("row");
        assert!(differ.contains("\"'=cmd|' /C calc'!A0\"") && differ.contains(&order), "{differ}");
        assert!(rows.iter().any(|row| row.contains("PAYMENT_MISSING_HERE") && row.contains(",1.00,")));
        let bills = world.get(&world.operator, &path).await.data()["bills"].clone();
        assert_eq!(bills[0]["sha256"], day["billSha256"]);
    }
);

journey!(
    /// Operations and administrators alone, and what can't be asked is told in both languages.
    who_may_ask_and_what_is_refused,
    |world| {
        let patient = world.patient().await;
        for who in [&patient, &world.doctors[0]] {
            world.get(who, "/admin/reconciliation").await.refused(403, "1003");
            let body = json!({ "gateway": "wechat", "day": DAY });
            world.post(who, "/admin/reconciliation", body).await.refused(403, "1003");
        }
        let today = run_now(world, DAY).await;
        assert_eq!(today.refused(422, "6001"), "day: 2026-03-02 is not over: choose an earlier day");
        let body = json!({ "gateway": "offline", "day": "2026-03-01" });
        let counter = world.post(&world.operator, "/admin/reconciliation", body).await;
        assert_eq!(counter.refused(422, "6001"), "gateway: offline makes no bills");
        let body = json!({ "gateway": "nobody", "day": "2026-03-01" });
        let off = world.post(&world.operator, "/admin/reconciliation", body).await;
        off.refused(503, "5001");
        let body = json!({ "gateway": "wechat", "day": "2026-02-30" });
        world.post(&world.operator, "/admin/reconciliation", body).await.refused(422, "6001");
        for path in ["?state=lost", "?gateway=WeChat", "?from=yesterday", "?zzz=1", "/x"] {
            let path = format!("/admin/reconciliation{path}");
            world.get(&world.operator, &path).await.refused(422, "6001");
        }
        let nowhere = format!("/admin/reconciliation/{}", patient.id);
        let words = "there is no such reconciliation";
        assert_eq!(world.get(&world.operator, &nowhere).await.refused(404, "6002"), words);
        let nowhere = format!("/admin/reconciliation/differences/{}", patient.id);
        let missing = world.get(&world.operator, &nowhere).await;
        assert_eq!(missing.refused(404, "6002"), "there is no such difference");
        for method in ["preview", "propose", "approve", "accept"] {
            let body = match method {
                "preview" | "propose" => json!({ "repair": "RECORD_SUSPENSE" }),
                "accept" => json!({ "reason": "x" }),
                _ => json!({}),
            };
            let path = format!("{nowhere}/{method}");
            world.call(&world.admin, Method::POST, &path, Some(body)).await.refused(404, "6002");
        }
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
