//! Every gateway, over HTTP against its sandbox, on both databases: paid, failed, left, and all that
//! can happen to a notice, a refund or the gateway itself (spec 20). The end is asserted in status,
//! ledger and the gateway's own book; each journey ends with both agreeing to the last minor unit.

use crate::harness::gateways::Way;
use crate::harness::scenes::{DISPATCH_PRICE as PRICE, TO_SERVICE, summary, then};
use crate::harness::{Person, World};
use domain::Currency::{CNY, NZD};
use domain::Span;
use domain::payment::GatewayName as G;
use sandbox::views::{Faults, PayCallback, RedeliverRequest, RefundRefusal, UnknownOutcome};
use serde_json::{Value, json};

const fn way(gateway: G, method: &'static str, currency: domain::Currency) -> Way {
    Way {
        gateway,
        method,
        currency,
        payer: None,
    }
}

const WECHAT: Way = way(G::WECHAT, "native", CNY);
const ALIPAY: Way = way(G::ALIPAY, "page", CNY);
const UNIONPAY: Way = way(G::UNIONPAY, "front", CNY);
const PAYPAL: Way = way(G::PAYPAL, "checkout", NZD);
const STRIPE: Way = way(G::STRIPE, "card", NZD);

/// Writes each journey for each gateway, and on each database.
macro_rules! over_each_gateway {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        mod $name {
            over_each_gateway!(@gateway $name wechat super::super::WECHAT);
            over_each_gateway!(@gateway $name alipay super::super::ALIPAY);
            over_each_gateway!(@gateway $name unionpay super::super::UNIONPAY);
            over_each_gateway!(@gateway $name paypal super::super::PAYPAL);
            over_each_gateway!(@gateway $name stripe super::super::STRIPE);
        }
    )+};
    (@gateway $name:ident $gateway:ident $way:expr) => {
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
    };
}

over_each_gateway! {
    paid_and_given_back_whole;
    the_payer_fails;
    the_payer_leaves;
    a_notice_is_lost;
    a_notice_comes_twice;
    a_notice_comes_late;
    a_notice_is_forged;
    another_amount_is_paid;
    paid_twice;
    paid_after_the_order_was_cancelled;
    cancelled_while_paying;
    given_back_in_three_parts;
    a_refund_is_refused;
    a_refund_of_unknown_outcome;
    a_start_of_unknown_outcome;
    away_for_ten_minutes;
    away_when_somebody_wants_to_pay;
}

/// What comes after 200 when the patient cancels at once.
const CANCELLED_AT_ONCE: [i64; 4] = [500, 501, 502, 901];
const TO_PAID: [i64; 3] = [100, 101, 200];

/// A patient with an order in 101, and the payer's browser where the gateway wants it.
async fn paying(world: &World, way: Way) -> (Person, String, String) {
    world.prices_in(way.currency).await;
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    let number = world.submit_over(&patient, &order, way).await;
    (patient, order, number)
}

async fn all_back(world: &World, patient: &Person, order: &str, way: Way) {
    world.cancel(patient, order).await;
    world.pass(Span::minutes(2)).await;
    let path = then(&TO_PAID, &CANCELLED_AT_ONCE);
    world.ended(order, 901, PRICE, PRICE, &path).await;
    assert_eq!(world.gone_back(way.gateway), (1, PRICE), "given back once");
}

async fn paid_and_given_back_whole(world: &mut World, way: Way) {
    let (patient, order, number) = paying(world, way).await;
    world.pay_telling(&number, PayCallback::Once).await;
    world.ended(&order, 200, PRICE, 0, &TO_PAID).await;
    let payment = world.order(&order).await["payments"][0].clone();
    assert_eq!(payment["gateway"], json!(way.gateway));
    assert_eq!(
        payment["paid"],
        json!({ "amount": PRICE, "currency": way.currency })
    );
    all_back(world, &patient, &order, way).await;
    let payment = world.order(&order).await["payments"][0].clone();
    assert_eq!(payment["status"], "REFUNDED");
}

/// The bank says no. Whether the gateway lets the payer try again or not, in the end it is 102.
async fn the_payer_fails(world: &mut World, way: Way) {
    let (patient, order, number) = paying(world, way).await;
    world.sandbox.fail(&number).expect("failed");
    world.pass(Span::seconds(10)).await;
    world.pass(Span::minutes(5)).await;
    world.pass(Span::minutes(2)).await;
    world.ended(&order, 102, 0, 0, &[100, 101, 102]).await;
    // And may be tried again, with a number of its own.
    let again = world.submit_over(&patient, &order, way).await;
    assert_ne!(again, number);
    world.pay_telling(&again, PayCallback::Once).await;
    let path = [100, 101, 102, 101, 200];
    world.ended(&order, 200, PRICE, 0, &path).await;
    world.cancel(&patient, &order).await;
    world.pass(Span::minutes(2)).await;
}

/// Nothing happens: after five minutes the payment is closed, and nobody can pay it any more.
async fn the_payer_leaves(world: &mut World, way: Way) {
    let (_, order, number) = paying(world, way).await;
    world.pass(Span::minutes(5)).await;
    world.pass(Span::minutes(2)).await;
    world.ended(&order, 102, 0, 0, &[100, 101, 102]).await;
    assert_eq!(world.order(&order).await["payments"][0]["status"], "CLOSED");
    world.clock_passes(Span::minutes(1));
    let late = world.tries_to_pay(&number, PayCallback::Once);
    world.settle().await;
    if late.is_ok() {
        // Where the payer can still agree, we don't fetch the money.
        world.pass(Span::minutes(10)).await;
    }
    world.ended(&order, 102, 0, 0, &[100, 101, 102]).await;
}

async fn a_notice_is_lost(world: &mut World, way: Way) {
    let (patient, order, number) = paying(world, way).await;
    world.pay_telling(&number, PayCallback::Never).await;
    world.ended(&order, 101, 0, 0, &[100, 101]).await;
    world.pass(Span::seconds(10)).await;
    world.ended(&order, 200, PRICE, 0, &TO_PAID).await;
    all_back(world, &patient, &order, way).await;
}

async fn a_notice_comes_twice(world: &mut World, way: Way) {
    let (patient, order, number) = paying(world, way).await;
    world.pay_telling(&number, PayCallback::Twice).await;
    world.ended(&order, 200, PRICE, 0, &TO_PAID).await;
    let before = world.order(&order).await["version"].clone();
    let request = RedeliverRequest {
        times: 5,
        at_once: true,
        ..Default::default()
    };
    let told = world.sandbox.redeliver(&number, &request).await;
    let told = told.expect("told");
    assert!(
        told.answers.iter().all(|answer| answer.status == Some(200)),
        "{:?}",
        told.answers
    );
    world.settle().await;
    assert_eq!(world.order(&order).await["version"], before, "nothing new");
    all_back(world, &patient, &order, way).await;
}

async fn a_notice_comes_late(world: &mut World, way: Way) {
    let doctor = world.doctors[0].clone();
    world.online(&doctor, true).await;
    let (patient, order, number) = paying(world, way).await;
    world.pay_telling(&number, PayCallback::Late).await;
    world.pass(Span::seconds(10)).await;
    world.act(&doctor, &order, "accept", json!({})).await.data();
    world.act(&doctor, &order, "start", json!({})).await.data();
    let before = world.order(&order).await["payments"].clone();
    world.pass(Span::minutes(10)).await;
    let after = world.order(&order).await;
    assert_eq!(
        after["payments"], before,
        "the late notice says nothing new"
    );
    assert_eq!(after["paid"]["amount"], PRICE);
    let there = world.sandbox.payment(&number).expect("known");
    let told = there.callbacks.last().expect("it came");
    assert_eq!(told.status, Some(200), "and was taken");
    world.cancel(&patient, &order).await;
    world.pass(Span::minutes(2)).await;
}

/// A notice that somebody else signed changes nothing; asking finds the truth.
async fn a_notice_is_forged(world: &mut World, way: Way) {
    let (patient, order, number) = paying(world, way).await;
    world.pay_telling(&number, PayCallback::BadSignature).await;
    world.ended(&order, 101, 0, 0, &[100, 101]).await;
    let there = world.sandbox.payment(&number).expect("known");
    let answers = &there.callbacks;
    assert!(
        !answers.is_empty() && answers.iter().all(|answer| answer.status == Some(401)),
        "turned away: {answers:?}"
    );
    world.pass(Span::seconds(10)).await;
    world.ended(&order, 200, PRICE, 0, &TO_PAID).await;
    all_back(world, &patient, &order, way).await;
}

/// What was really paid is booked and goes back whole: the order is not paid.
async fn another_amount_is_paid(world: &mut World, way: Way) {
    let (_, order, number) = paying(world, way).await;
    world.pay_telling(&number, PayCallback::WrongAmount).await;
    world.pass(Span::minutes(2)).await;
    let paid = world.order(&order).await["paid"]["amount"].as_i64();
    let paid = paid.expect("an amount");
    assert!(paid > 0 && paid != PRICE, "{paid}");
    world.stands(&order, 901, paid, paid).await;
    world.ledger(&order, paid, paid).await;
    assert_eq!(world.gone_back(way.gateway), (1, paid));
    assert!(world.noted(&world.operator, &order, "amount_differs").await);
}

/// Two attempts of one order, both paid: the second one's money goes back by itself. Gateways that
/// closed the first attempt don't take its money at all.
async fn paid_twice(world: &mut World, way: Way) {
    let doctor = world.doctors[0].clone();
    world.online(&doctor, true).await;
    let (patient, order, first) = paying(world, way).await;
    world.sandbox.fail(&first).expect("failed");
    world.pass(Span::seconds(10)).await;
    world.pass(Span::minutes(5)).await;
    world.pass(Span::minutes(2)).await;
    world.ended(&order, 102, 0, 0, &[100, 101, 102]).await;
    let second = world.submit_over(&patient, &order, way).await;
    world.pay_telling(&second, PayCallback::Once).await;
    for action in ["accept", "start"] {
        let done = world.act(&doctor, &order, action, json!({})).await;
        done.data();
    }
    world.stands(&order, 401, PRICE, 0).await;
    let taken = world.tries_to_pay(&first, PayCallback::Once).is_ok();
    world.settle().await;
    world.pass(Span::minutes(3)).await;
    let now = world.order(&order).await;
    let (paid, back) = (
        now["paid"]["amount"].clone(),
        now["refunded"]["amount"].clone(),
    );
    if world
        .sandbox
        .payment(&first)
        .expect("known")
        .paid_total
        .is_some()
    {
        assert!(taken);
        assert_eq!((paid, back), (json!(2 * PRICE), json!(PRICE)), "{now:#}");
        let room = world
            .get(&patient, &format!("/orders/{order}/messages"))
            .await;
        let lines = room.data().as_array().expect("lines").clone();
        let told = |line: &Value| line.to_string().contains("late_money");
        assert!(lines.iter().any(told), "the patient is told: {lines:#?}");
        assert_eq!(world.gone_back(way.gateway), (1, PRICE));
    } else {
        assert_eq!((paid, back), (json!(PRICE), json!(0)), "{now:#}");
    }
    assert_eq!(now["statusCode"], 401, "the consultation goes on");
    world.cancel(&patient, &order).await;
    world.pass(Span::minutes(2)).await;
}

/// Cancelled in 101 with the money on its way: it arrives, and all of it goes back.
async fn paid_after_the_order_was_cancelled(world: &mut World, way: Way) {
    let (patient, order, number) = paying(world, way).await;
    world.pay_telling(&number, PayCallback::Never).await;
    world.cancel(&patient, &order).await;
    world.pass(Span::minutes(5)).await;
    world.pass(Span::minutes(2)).await;
    let there = world.sandbox.payment(&number).expect("known");
    if there.paid_total.is_some() {
        let path = then(&TO_PAID, &CANCELLED_AT_ONCE);
        world.ended(&order, 901, PRICE, PRICE, &path).await;
        assert_eq!(world.gone_back(way.gateway), (1, PRICE));
    } else {
        // The payer had only agreed, and we did not fetch what nobody wants any more.
        world.ended(&order, 902, 0, 0, &[100, 101, 102, 902]).await;
    }
}

/// Cancelled in 101 and unpaid: over as soon as nobody can pay it any more.
async fn cancelled_while_paying(world: &mut World, way: Way) {
    let (patient, order, number) = paying(world, way).await;
    world.cancel(&patient, &order).await;
    world.pass(Span::minutes(5)).await;
    world.pass(Span::minutes(2)).await;
    world.ended(&order, 902, 0, 0, &[100, 101, 102, 902]).await;
    let late = world.tries_to_pay(&number, PayCallback::Once);
    world.settle().await;
    world.pass(Span::minutes(3)).await;
    let there = world.sandbox.payment(&number).expect("known");
    assert_eq!(there.paid_total, None, "{late:?}");
    world.stands(&order, 902, 0, 0).await;
}

async fn given_back_in_three_parts(world: &mut World, way: Way) {
    world.prices_in(way.currency).await;
    let patient = world.patient().await;
    let doctor = world.doctors[0].clone();
    world.online(&doctor, true).await;
    let order = world.paid_over(&patient, way).await;
    for (action, body) in [
        ("accept", json!({})),
        ("start", json!({})),
        ("finish", summary()),
    ] {
        world.act(&doctor, &order, action, body).await.data();
    }
    let amount = |amount: i64| json!({ "amount": amount, "currency": way.currency });
    let mut back = 0;
    for part in [1, 999, 1_500] {
        let body = json!({ "reason": "只看了一半" });
        world.act(&patient, &order, "refund", body).await.data();
        let body = json!({ "decision": "amount", "amount": amount(part), "reason": "属实" });
        world.operate(&order, "review", body).await.data();
        // Some gateways want a minute between two refunds of one payment.
        world.pass(Span::minutes(2)).await;
        back += part;
        let path = then(&TO_SERVICE, &[900]);
        world.ended(&order, 900, PRICE, back, &path).await;
        let payment = world.order(&order).await["payments"][0].clone();
        assert_eq!(payment["status"], "PARTIALLY_REFUNDED");
    }
    assert_eq!(world.gone_back(way.gateway), (3, 2_500));
    // More than is left is refused, and changes nothing.
    let body = json!({ "reason": "全部退回" });
    world.act(&patient, &order, "refund", body).await.data();
    let body = json!({ "decision": "amount", "amount": amount(501), "reason": "属实" });
    world
        .operate(&order, "review", body)
        .await
        .refused(422, "6001");
    world.stands(&order, 900, PRICE, 2_500).await;
    let body = json!({ "decision": "amount", "amount": amount(500), "reason": "属实" });
    world.operate(&order, "review", body).await.data();
    world.pass(Span::minutes(2)).await;
    world.stands(&order, 900, PRICE, PRICE).await;
    assert_eq!(
        world.order(&order).await["payments"][0]["status"],
        "REFUNDED"
    );
}

/// Refused for want of balance, tried three times, then once more by an operator, under one number.
async fn a_refund_is_refused(world: &mut World, way: Way) {
    world.prices_in(way.currency).await;
    let patient = world.patient().await;
    let order = world.paid_over(&patient, way).await;
    let faults = Faults {
        refuse_refunds: Some(RefundRefusal::NotEnough),
        ..Default::default()
    };
    world.faults_at(way, faults);
    world.cancel(&patient, &order).await;
    for minutes in [1, 5, 30] {
        world.pass(Span::minutes(minutes)).await;
    }
    let tries = [500, 501, 502, 503, 502, 503, 502, 503, 502, 503];
    world
        .ended(&order, 503, PRICE, 0, &then(&TO_PAID, &tries))
        .await;
    let refund = world.refund_of(&order, 0).await;
    assert!(!refund["lastError"].as_str().expect("words").is_empty());
    world.faults_at(way, Faults::default());
    world.operate(&order, "retry", json!({})).await.data();
    world.pass(Span::minutes(2)).await;
    let path = then(&then(&TO_PAID, &tries), &[502, 901]);
    world.ended(&order, 901, PRICE, PRICE, &path).await;
    let after = world.refund_of(&order, 0).await;
    assert_eq!(after["outRefundNo"], refund["outRefundNo"], "one number");
    assert_eq!(world.gone_back(way.gateway), (1, PRICE));
}

/// The refund was made and the answer got lost: the same number is sent or asked for, money goes once.
async fn a_refund_of_unknown_outcome(world: &mut World, way: Way) {
    world.prices_in(way.currency).await;
    let patient = world.patient().await;
    let order = world.paid_over(&patient, way).await;
    let faults = Faults {
        unknown_outcome: Some(UnknownOutcome::Refund),
        drop_callbacks: true,
        ..Default::default()
    };
    world.faults_at(way, faults);
    world.cancel(&patient, &order).await;
    assert_eq!(world.status(&order).await, 502, "unknown is not failed");
    world.faults_at(way, Faults::default());
    world.pass(Span::minutes(2)).await;
    world.pass(Span::minutes(10)).await;
    let path = then(&TO_PAID, &CANCELLED_AT_ONCE);
    world.ended(&order, 901, PRICE, PRICE, &path).await;
    assert_eq!(world.gone_back(way.gateway), (1, PRICE), "given back once");
}

/// The payment was opened and the answer got lost: the same number is opened again, and is the same.
async fn a_start_of_unknown_outcome(world: &mut World, way: Way) {
    world.prices_in(way.currency).await;
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    let faults = Faults {
        unknown_outcome: Some(UnknownOutcome::Prepay),
        ..Default::default()
    };
    world.faults_at(way, faults);
    let first = world.ask_to_pay(&patient, &order, way).await.data()["payment"].clone();
    world.faults_at(way, Faults::default());
    world.pass(Span::seconds(5)).await;
    let payment = world.order(&order).await["payments"][0].clone();
    assert_eq!(payment["status"], "PROCESSING", "{payment:#}");
    assert_eq!(payment["outTradeNo"], first["outTradeNo"]);
    world.goes_to_pay(&payment["payWith"]).await;
    let number = payment["outTradeNo"].as_str().expect("number");
    world.pay_telling(number, PayCallback::Once).await;
    world.stands(&order, 200, PRICE, 0).await;
    world.cancel(&patient, &order).await;
    world.pass(Span::minutes(2)).await;
    world.stands(&order, 901, PRICE, PRICE).await;
}

/// Away from the moment of paying for ten minutes: unknown is shown as unknown, and nothing is lost.
async fn away_for_ten_minutes(world: &mut World, way: Way) {
    let (patient, order, number) = paying(world, way).await;
    world.pay_telling(&number, PayCallback::Never).await;
    let away = Faults {
        down: true,
        ..Default::default()
    };
    world.faults_at(way, away);
    for _ in 0..10 {
        world.pass(Span::minutes(1)).await;
    }
    let now = world.order(&order).await;
    assert_eq!(
        (&now["statusCode"], &now["detail"]["beingChecked"]),
        (&json!(101), &json!(true))
    );
    world.faults_at(way, Faults::default());
    world.pass(Span::minutes(1)).await;
    world.pass(Span::minutes(1)).await;
    world.ended(&order, 200, PRICE, 0, &TO_PAID).await;
    all_back(world, &patient, &order, way).await;
}

/// A gateway that fails again and again is left alone: whoever wants to pay is told at once, and
/// over which gateways they can; afterwards it is tried again by itself.
async fn away_when_somebody_wants_to_pay(world: &mut World, way: Way) {
    let (patient, order, number) = paying(world, way).await;
    world.pay_telling(&number, PayCallback::Never).await;
    let away = Faults {
        down: true,
        ..Default::default()
    };
    world.faults_at(way, away);
    // From the fifth minute on it is asked each minute, and fails each time.
    for _ in 0..6 {
        world.pass(Span::minutes(1)).await;
    }
    let health = world.get(&patient, "/payments/gateways").await;
    let found = |list: &Value| {
        let gateways = list.as_array().expect("gateways").clone();
        let of = |gateway: &Value| gateway["name"] == json!(way.gateway);
        gateways.into_iter().find(of).expect("known")
    };
    let of = found(health.data());
    assert_eq!(of["on"], false, "{of:#}");
    let other = world.patient().await;
    let unpaid = world.book_dispatch(&other).await;
    let answer = world.ask_to_pay(&other, &unpaid, way).await;
    let words = answer.refused(503, "5001").to_owned();
    assert!(words.contains("does not answer at the moment"), "{words}");
    let works = answer.body["error"]["details"]["gateways"].clone();
    assert!(
        !works
            .as_array()
            .expect("gateways")
            .contains(&json!(way.gateway)),
        "{works}"
    );
    world.ended(&unpaid, 100, 0, 0, &[100]).await;
    world.faults_at(way, Faults::default());
    world.pass(Span::minutes(1)).await;
    world.pass(Span::minutes(1)).await;
    world.stands(&order, 200, PRICE, 0).await;
    let of = found(world.get(&patient, "/payments/gateways").await.data());
    assert_eq!(of["on"], true, "{of:#}");
    world.cancel(&other, &unpaid).await;
    world.cancel(&patient, &order).await;
    world.pass(Span::minutes(2)).await;
}

journey!(
    /// The other ways of the same gateways: inside their apps, from a phone's browser, by code.
    every_other_method_is_paid_and_given_back,
    |world| {
        let mut given_back = 0;
        for (gateway, method, payer) in [
            (G::WECHAT, "jsapi", Some("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")),
            (G::WECHAT, "h5", None),
            (G::ALIPAY, "wap", None),
            (G::ALIPAY, "precreate", None),
            (G::ALIPAY, "create", Some("2088102146225135")),
        ] {
            let way = Way { payer, ..way(gateway, method, CNY) };
            let patient = world.patient().await;
            let order = world.paid_over(&patient, way).await;
            world.stands(&order, 200, PRICE, 0).await;
            world.cancel(&patient, &order).await;
            world.pass(Span::minutes(2)).await;
            world.stands(&order, 901, PRICE, PRICE).await;
            given_back += 1;
        }
        assert_eq!(world.gone_back(G::WECHAT).0 + world.gone_back(G::ALIPAY).0, given_back);
    }
);

journey!(
    /// Money at the counter: recorded by an operator with proof, given back by hand.
    money_at_the_counter,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let amount = json!({ "amount": PRICE, "currency": "CNY" });
        let body = |method: &str, amount: &Value, proof: &str| {
            json!({ "orderId": order, "method": method, "amount": amount, "proof": proof })
        };
        let path = "/payments/record";
        let by_patient = world.post(&patient, path, body("cash", &amount, "收据 7")).await;
        by_patient.refused(403, "1003");
        let odd = world.post(&world.operator, path, body("shells", &amount, "收据 7")).await;
        assert!(odd.refused(422, "6001").contains("cash, transfer"));
        let less = json!({ "amount": PRICE - 1, "currency": "CNY" });
        let short = world.post(&world.operator, path, body("cash", &less, "收据 7")).await;
        short.refused(422, "6001");
        world.ended(&order, 100, 0, 0, &[100]).await;
        world.post(&world.operator, path, body("cash", &amount, "收据 7")).await.data();
        world.settle().await;
        world.ended(&order, 200, PRICE, 0, &TO_PAID).await;
        world.cancel(&patient, &order).await;
        let path = [500, 501, 502, 503];
        world.ended(&order, 503, PRICE, 0, &then(&TO_PAID, &path)).await;
        world.pass(Span::hours(2)).await;
        world.ended(&order, 503, PRICE, 0, &then(&TO_PAID, &path)).await;
        let refund = world.refund_of(&order, 0).await;
        assert!(refund["lastError"].as_str().expect("words").contains("by hand"), "{refund:#}");
        world.operate(&order, "record", json!({ "proof": "收据 8" })).await.data();
        world.ended(&order, 901, PRICE, PRICE, &then(&then(&TO_PAID, &path), &[502, 901])).await;
    }
);

journey!(
    /// Currency and country decide which gateways are offered; the others say why they are not.
    gateways_are_offered_by_currency_and_country,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let list = world.get(&patient, &format!("/payments/gateways?orderId={order}")).await;
        for gateway in list.data().as_array().expect("gateways") {
            let takes = gateway["currencies"].as_array().expect("list").contains(&json!("CNY"));
            let counter = gateway["name"] == "offline";
            assert_eq!(gateway["on"], takes && !counter, "{gateway:#}");
            assert_eq!(gateway["reason"].is_null(), takes && !counter, "{gateway:#}");
        }
        let there = world.get(&patient, "/payments/gateways?country=NZ").await;
        let wechat = there.data().as_array().expect("list").iter();
        let wechat = wechat.clone().find(|gateway| gateway["name"] == "wechat").expect("wechat");
        assert_eq!(wechat["on"], false);
        assert!(wechat["reason"].as_str().expect("words").contains("serves payers in CN"));
        let odd = world.get(&patient, "/payments/gateways?country=china").await;
        odd.refused(422, "6001");
        let in_dollars = world.get(&patient, "/payments/gateways?currency=NZD").await;
        let wechat = in_dollars.data().as_array().expect("list").iter();
        let wechat = wechat.clone().find(|gateway| gateway["name"] == "wechat").expect("wechat");
        assert!(wechat["reason"].as_str().expect("words").contains("takes CNY"));
        world.cancel(&patient, &order).await;
    }
);

journey!(
    /// A gateway that is gone for good: unknown stays unknown until an operator has evidence, sees
    /// what it would do, and says so.
    an_operator_ends_an_unknown_outcome_with_evidence,
    |world| {
        let (patient, order, number) = paying(world, UNIONPAY).await;
        world.pay_telling(&number, PayCallback::Never).await;
        world.faults_at(UNIONPAY, Faults { down: true, ..Default::default() });
        for _ in 0..8 {
            world.pass(Span::hours(3)).await;
        }
        world.ended(&order, 101, 0, 0, &[100, 101]).await;
        let there = world.sandbox.payment(&number).expect("known").transaction_id;
        let payment = world.order(&order).await["payments"][0]["id"].clone();
        let path = format!("/payments/{}/settle", payment.as_str().expect("id"));
        let body = |amount: Value, proof: &str| {
            json!({
                "orderId": order, "outcome": "paid", "amount": amount,
                "transactionId": there, "proof": proof,
            })
        };
        let price = json!({ "amount": PRICE, "currency": "CNY" });
        world.post(&patient, &path, body(price.clone(), "对账单")).await.refused(403, "1003");
        world.post(&world.operator, &path, body(price.clone(), " ")).await.refused(422, "6001");
        world.post(&world.operator, &path, body(Value::Null, "对账单")).await.refused(422, "6001");
        let shown = world.post(&world.operator, &format!("{path}/preview"), body(price.clone(), "对账单")).await;
        assert!(shown.data().to_string().contains("DISPATCHING"), "{:#}", shown.body);
        world.ended(&order, 101, 0, 0, &[100, 101]).await;
        world.post(&world.operator, &path, body(price, "对账单")).await.data();
        world.settle().await;
        world.stands(&order, 200, PRICE, 0).await;
        world.faults_at(UNIONPAY, Faults::default());
        world.cancel(&patient, &order).await;
        // The gateway is tried by one call first; whoever else asked meanwhile comes back later.
        for _ in 0..4 {
            world.pass(Span::minutes(1)).await;
        }
        world.stands(&order, 901, PRICE, PRICE).await;
    }
);

journey!(
    /// "I have paid": the gateway is asked at once, and not only at its next time.
    whoever_has_paid_may_ask_at_once,
    |world| {
        let (patient, order, number) = paying(world, WECHAT).await;
        let confirm = json!({ "orderId": order });
        let answer = world.post(&patient, "/payments/confirm", confirm.clone()).await;
        assert_eq!(answer.data()["status"], "PAYING");
        world.pay_telling(&number, PayCallback::Never).await;
        let stranger = world.patient().await;
        world.post(&stranger, "/payments/confirm", confirm.clone()).await.refused(404, "2001");
        let answer = world.post(&patient, "/payments/confirm", confirm).await;
        assert_eq!(answer.data()["status"], "DISPATCHING", "{:#}", answer.body);
        world.ended(&order, 200, PRICE, 0, &TO_PAID).await;
        world.cancel(&patient, &order).await;
    }
);

journey!(
    /// What is counted can be read: calls, callbacks, late money, and how each gateway is doing.
    what_gateways_do_is_counted,
    |world| {
        let (patient, order, number) = paying(world, WECHAT).await;
        world.pay_telling(&number, PayCallback::Once).await;
        let shown = world.raw(reqwest::Method::GET, "/metrics").await;
        let shown = world.send(shown).await;
        let text = shown.body.as_str().expect("text").to_owned();
        for line in [
            "xinglin_gateway_breaker{gateway=\"wechat\"} 0",
            "xinglin_payments_total{gateway=\"wechat\",result=\"completed\"}",
            "xinglin_callbacks_total{gateway=\"wechat\",result=\"paid\"}",
            "xinglin_gateway_call_seconds_bucket{gateway=\"wechat\",operation=\"start\"",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        let by_proxy = world.raw(reqwest::Method::GET, "/metrics").await;
        let by_proxy = world.send(by_proxy.header("x-forwarded-for", "203.0.113.9")).await;
        assert_eq!(by_proxy.status.as_u16(), 404, "not for the world");
        let ready = world.raw(reqwest::Method::GET, "/health/ready").await;
        let ready = world.send(ready).await;
        let wechat = json!({ "name": "wechat", "breaker": "closed", "until": null });
        assert!(ready.data()["gateways"].as_array().expect("list").contains(&wechat));
        world.cancel(&patient, &order).await;
    }
);
