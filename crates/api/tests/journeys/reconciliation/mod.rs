//! Reconciliation over HTTP, on both databases: the sandbox's bills, read by the real connectors, with
//! differences planted into them (spec 20).

mod days;
mod decisions;

use crate::harness::gateways::Way;
use crate::harness::scenes::DISPATCH_PRICE as PRICE;
use crate::harness::{Answer, Person, World};
use domain::Currency::{CNY, NZD};
use domain::Span;
use domain::payment::GatewayName as G;
use domain::reconciliation::LineStatus;
use sandbox::views::{Plant, PlantRequest};
use serde_json::{Value, json};

/// The day on which every journey begins, at nine in the morning.
pub(super) const DAY: &str = "2026-03-02";
/// From there to when the day is due.
pub(super) const TO_NEXT_MORNING: Span = Span::minutes(25 * 60 + 31);
/// UnionPay says only at noon that there was nothing.
pub(super) const TO_NEXT_NOON: Span = Span::minutes(90);

pub(super) const fn way(gateway: G, method: &'static str, currency: domain::Currency) -> Way {
    Way {
        gateway,
        method,
        currency,
        payer: None,
    }
}

pub(super) const WECHAT: Way = way(G::WECHAT, "native", CNY);

/// A paid order, and our number at the gateway.
pub(super) async fn paid(world: &World, way: Way) -> (Person, String, String) {
    let patient = world.patient().await;
    let order = world.paid_over(&patient, way).await;
    let number = world.order(&order).await["payments"][0]["outTradeNo"].clone();
    (patient, order, number.as_str().expect("number").to_owned())
}

/// The same, given back; with our number of the refund.
pub(super) async fn refunded(world: &World, way: Way) -> (String, String, String) {
    let (patient, order, number) = paid(world, way).await;
    world.cancel(&patient, &order).await;
    world.pass(Span::minutes(2)).await;
    let refund = world.order(&order).await["refunds"][0].clone();
    assert_eq!(refund["status"], "SUCCEEDED", "{refund:#}");
    let refund = refund["outRefundNo"].as_str().expect("number").to_owned();
    (order, number, refund)
}

pub(super) fn plant(world: &World, plant: Plant) {
    let day = DAY.parse().expect("a day");
    let request = PlantRequest {
        gateway: G::WECHAT,
        day,
        plant,
    };
    world.sandbox.plant(request).expect("planted");
}

/// What the list says of a gateway's day.
pub(super) async fn day_of(world: &World, gateway: G, day: &str) -> Value {
    let path = format!("/admin/reconciliation?gateway={gateway}&from={day}&to={day}");
    let found = world.get(&world.operator, &path).await.data().clone();
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found:#}");
    found[0].clone()
}

/// The day's differences as (kind, status), in the report's order.
pub(super) async fn differences(world: &World, day: &Value) -> Vec<Value> {
    let id = day["id"].as_str().expect("id");
    let path = format!("/admin/reconciliation/{id}?limit=100");
    let detail = world.get(&world.operator, &path).await.data().clone();
    detail["items"].as_array().expect("items").clone()
}

pub(super) async fn kinds(world: &World, day: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let all = differences(world, day).await;
    all.iter()
        .map(|one| (text(&one["kind"]), text(&one["status"])))
        .collect()
}

/// The only difference of the day.
pub(super) async fn only(world: &World, day: &Value) -> Value {
    let all = differences(world, day).await;
    let [one] = &all[..] else { panic!("{all:#?}") };
    one.clone()
}

pub(super) async fn act(
    world: &World,
    who: &Person,
    one: &Value,
    what: &str,
    body: Value,
) -> Answer {
    let id = one["id"].as_str().expect("id");
    let path = format!("/admin/reconciliation/differences/{id}/{what}");
    let answer = world.post(who, &path, body).await;
    world.settle().await;
    answer
}

pub(super) async fn again(world: &World, one: &Value) -> Value {
    let id = one["id"].as_str().expect("id");
    let path = format!("/admin/reconciliation/differences/{id}");
    world.get(&world.operator, &path).await.data().clone()
}

pub(super) async fn run_now(world: &World, day: &str) -> Answer {
    let body = json!({ "gateway": "wechat", "day": day });
    world
        .post(&world.operator, "/admin/reconciliation", body)
        .await
}

/// Every fen between the bill's net and ours is in the differences.
pub(super) async fn is_explained(world: &World, day: &Value) {
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
