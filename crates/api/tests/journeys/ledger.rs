//! The ledger over HTTP: what was paid and given back by day, trial balances, and months that are
//! closed (spec 20, ledger).

use crate::harness::scenes::{DISPATCH_PRICE as PRICE, TO_SERVICE, summary, then};
use crate::harness::{Answer, Person, World};
use domain::ledger::Month;
use domain::payment::GatewayName;
use domain::{Money, Span, Ts};
use reqwest::{Method, header};
use sandbox::views::{Faults, PayCallback, Plant, PlantRequest};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::Closing;

const CLEARING: &str = "gateway_clearing:wechat";

/// What comes after 200 when the patient cancels at once.
const CANCELLED: [i64; 7] = [100, 101, 200, 500, 501, 502, 901];

async fn read(world: &World, path: &str) -> Value {
    let path = format!("/admin/ledger{path}");
    world.get(&world.operator, &path).await.data().clone()
}

/// What an account has now: minor units and side; nothing where nothing was posted.
async fn standing(world: &World, account: &str) -> (i64, String) {
    let chart = read(world, "/accounts").await;
    let rows = chart.as_array().expect("rows").iter();
    let row = rows.clone().find(|row| row["name"] == account);
    let row = row.unwrap_or_else(|| panic!("{account} is not in {chart:#}"));
    match &row["balances"][0] {
        Value::Null => (0, row["normalSide"].as_str().expect("side").to_owned()),
        balance => (
            balance["amount"].as_i64().expect("amount"),
            balance["side"].as_str().expect("side").to_owned(),
        ),
    }
}

/// Of each day from one to another: debits, credits, and what the account had when it ended.
async fn days(world: &World, account: &str, from: &str, to: &str) -> Vec<(i64, i64, i64)> {
    let found = read(world, &format!("/balances?from={from}&to={to}")).await;
    assert_eq!(
        (&found["from"], &found["zone"]),
        (&json!(from), &json!("Asia/Shanghai"))
    );
    let accounts = found["accounts"].as_array().expect("accounts").iter();
    let of = accounts
        .clone()
        .find(|one| one["account"]["name"] == account);
    let of = of.unwrap_or_else(|| panic!("{account} is not in {found:#}"));
    let number = |value: &Value| value.as_i64().expect("a number");
    let rows = of["days"].as_array().expect("days").iter();
    rows.map(|day| {
        (
            number(&day["debits"]),
            number(&day["credits"]),
            number(&day["balance"]["amount"]),
        )
    })
    .collect()
}

/// A consultation that is paid for, held and finished.
async fn finished(world: &World, patient: &Person) -> String {
    let (order, doctor) = world.in_progress(patient).await;
    world.act(&doctor, &order, "finish", summary()).await.data();
    order
}

/// Money that an operator takes at the counter.
async fn at_the_counter(world: &World, order: &str) -> Answer {
    let body = json!({
        "orderId": order, "method": "cash", "proof": "收据 7",
        "amount": { "amount": PRICE, "currency": "CNY" },
    });
    world.post(&world.operator, "/payments/record", body).await
}

journey!(
    /// Two days of orders: balances by day are what was paid and given back, to the fen, and the
    /// trial balance's columns are equal.
    a_day_of_orders_is_in_the_books,
    |world| {
        // Monday: one consultation held, one cancelled, one paid at the counter and cancelled.
        let patient = world.patient().await;
        let held = finished(world, &patient).await;
        let doctor = world.doctors[0].clone();
        world.online(&doctor, false).await;
        let cancelled = world.paid_dispatch(&patient).await;
        world.cancel(&patient, &cancelled).await;
        let counter = world.book_dispatch(&patient).await;
        at_the_counter(world, &counter).await.data();
        world.cancel(&patient, &counter).await;
        // Midnight comes between a payment and its return.
        world.pass(Ts::parse("2026-03-02T23:59:30+08:00").expect("time").since(world.now())).await;
        let late = world.paid_dispatch(&patient).await;
        world.pass(Span::minutes(1)).await;
        world.cancel(&patient, &late).await;
        let proof = json!({ "proof": "收据 8" });
        world.operate(&counter, "record", proof).await.data();
        world.ended(&held, 900, PRICE, 0, &then(&TO_SERVICE, &[900])).await;
        world.ended(&cancelled, 901, PRICE, PRICE, &CANCELLED).await;
        world.ended(&late, 901, PRICE, PRICE, &CANCELLED).await;

        let (from, to) = ("2026-03-01", "2026-03-04");
        let monday = (3 * PRICE, PRICE, 2 * PRICE);
        let expected = [(0, 0, 0), monday, (0, PRICE, PRICE), (0, 0, PRICE)];
        assert_eq!(days(world, CLEARING, from, to).await, expected);
        let expected = [(0, 0, 0), (PRICE, 0, PRICE), (0, PRICE, 0), (0, 0, 0)];
        assert_eq!(days(world, "offline", from, to).await, expected);
        let expected = [(0, 0, 0), (0, PRICE, PRICE), (0, 0, PRICE), (0, 0, PRICE)];
        assert_eq!(days(world, "platform_revenue", from, to).await, expected);
        assert_eq!(standing(world, CLEARING).await, (PRICE, "debit".to_owned()));
        assert_eq!(standing(world, "patient").await, (0, "credit".to_owned()));
        assert_eq!(standing(world, "suspense").await, (0, "credit".to_owned()));

        let balance = read(world, "/trial-balance?month=2026-03").await;
        assert_eq!(balance["balanced"], true);
        assert_eq!(balance["closedAt"], Value::Null);
        let totals = &balance["totals"][0];
        for pair in ["opening", "movement", "closing"] {
            assert_eq!(totals[pair]["debit"], totals[pair]["credit"], "{totals:#}");
        }
        // Four payments, three refunds granted and paid out, one fee earned.
        assert_eq!(totals["movement"]["debit"], (4 + 3 + 3 + 1) * PRICE);
        assert_eq!(totals["closing"]["debit"], PRICE);
    }
);

journey!(
    /// Every posting to an account, newest first, by cursor, with the order that it belongs to.
    an_accounts_entries_name_their_orders,
    |world| {
        let patient = world.patient().await;
        let mut orders = BTreeSet::new();
        for _ in 0..3 {
            let order = world.paid_dispatch(&patient).await;
            world.pass(Span::seconds(1)).await;
            world.cancel(&patient, &order).await;
            orders.insert(order);
            world.pass(Span::seconds(1)).await;
        }
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/accounts/{CLEARING}/entries?limit=2&cursor={cursor}");
            let part = read(world, &path).await;
            seen.extend(part["entries"].as_array().expect("entries").clone());
            assert_eq!(part["account"]["code"], 1010);
            match part["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        let text = |entry: &Value, field: &str| entry[field].as_str().expect("text").to_owned();
        let kinds: Vec<String> = seen.iter().map(|entry| text(entry, "kind")).collect();
        let expected = ["refund_paid", "payment_received"].repeat(3);
        assert_eq!(kinds, expected);
        let sides: BTreeSet<String> = seen.iter().map(|entry| text(entry, "side")).collect();
        assert_eq!(sides.len(), 2);
        let found: BTreeSet<String> = seen.iter().map(|entry| text(entry, "orderId")).collect();
        assert_eq!(found, orders);
        assert_eq!(seen[0]["kindLabel"], "Refund paid out");
        let path = format!("/accounts/{CLEARING}/entries?from=2026-03-03");
        assert_eq!(read(world, &path).await["entries"], json!([]));

        let get = async |path: &str| world.get(&world.operator, path).await;
        get("/admin/ledger/accounts/petty_cash/entries").await.refused(404, "6002");
        // What the counter takes is in no gateway's hands.
        get("/admin/ledger/accounts/gateway_clearing:offline/entries").await.refused(404, "6002");
        get("/admin/ledger/accounts/patient/entries?cursor=x").await.refused(422, "6001");
        get("/admin/ledger/trial-balance").await.refused(422, "6001");
        get("/admin/ledger/trial-balance?month=2026-3").await.refused(422, "6001");
        get("/admin/ledger/balances?from=2026-03-02&to=2026-03-01").await.refused(422, "6001");
        get("/admin/ledger/balances?from=2025-01-01&to=2026-03-01").await.refused(422, "6001");
        for path in ["accounts", "balances", "trial-balance?month=2026-03", "closings"] {
            let path = format!("/admin/ledger/{path}");
            world.get(&patient, &path).await.refused(403, "1003");
            world.get(&world.doctors[0], &path).await.refused(403, "1003");
        }
    }
);

journey!(
    /// The same trial balance for a spreadsheet, in the reader's language and in major units.
    a_trial_balance_goes_into_a_spreadsheet,
    |world| {
        let patient = world.patient().await;
        finished(world, &patient).await;
        let token = world.token(&world.operator).await;
        let sheet = async |language: &str| {
            let path = "/api/v1/admin/ledger/trial-balance?month=2026-03";
            let request = world.raw(Method::GET, path).await.bearer_auth(&token);
            let request = request.header(header::ACCEPT, "text/csv");
            world.send(request.header(header::ACCEPT_LANGUAGE, language)).await
        };
        let english = sheet("en").await;
        assert_eq!(english.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
        let named = english.headers[header::CONTENT_DISPOSITION].to_str().expect("text");
        assert!(named.contains("trial-balance-2026-03.csv"), "{named}");
        let expected = "\u{feff}Month,Code,Account,Name,Currency,Opening debit,Opening credit,Debits,Credits,Closing debit,Closing credit\r\n\
            2026-03,1010,gateway_clearing:wechat,Gateway clearing (wechat),CNY,0.00,0.00,30.00,0.00,30.00,0.00\r\n\
            2026-03,2010,patient,Patients' money,CNY,0.00,0.00,30.00,30.00,0.00,0.00\r\n\
            2026-03,4010,platform_revenue,Platform revenue,CNY,0.00,0.00,0.00,30.00,0.00,30.00\r\n\
            2026-03,,,Total,CNY,0.00,0.00,60.00,60.00,30.00,30.00\r\n";
        assert_eq!(english.body, expected);
        let chinese = sheet("zh-CN").await;
        let text = chinese.body.as_str().expect("text");
        assert!(text.contains("平台收入") && text.contains("合计"), "{text}");
    }
);

/// What stands against the closing of a month, and whether it may be closed.
async fn previewed(world: &World, month: &str) -> (Vec<String>, bool) {
    let body = json!({ "month": month });
    let answer = world
        .post(&world.operator, "/admin/ledger/closings/preview", body)
        .await;
    let preview = answer.data();
    assert_eq!(preview["trialBalance"]["month"], month);
    let against = preview["against"].as_array().expect("reasons").iter();
    let names = against.map(|one| one["reason"].as_str().expect("name").to_owned());
    (
        names.collect(),
        preview["mayBeClosed"].as_bool().expect("whether"),
    )
}

async fn close(world: &World, month: &str) -> Answer {
    let body = json!({ "month": month });
    world
        .post(&world.admin, "/admin/ledger/closings", body)
        .await
}

fn reasons(reasons: &[&str]) -> Vec<String> {
    reasons.iter().map(|reason| (*reason).to_owned()).collect()
}

/// Midnight of a day in Shanghai.
async fn until(world: &World, day: &str) {
    let at = Ts::parse(&format!("{day}T00:00:00+08:00")).expect("time");
    world.pass(at.since(world.now())).await;
}

journey!(
    /// A month is closed by an administrator, a whole day after its end, in its order, once; from
    /// then on it stays as it is.
    a_month_is_closed,
    |world| {
        assert_eq!(previewed(world, "2026-03").await.0, reasons(&["nothing_posted", "not_over"]));
        let patient = world.patient().await;
        finished(world, &patient).await;
        let both = reasons(&["not_over", "bills_unread"]);
        assert_eq!(previewed(world, "2026-03").await, (both, false));
        // When all gateways' bills of the day before are there; UnionPay's at noon.
        until(world, "2026-03-03").await;
        world.pass(Span::hours(13)).await;
        assert_eq!(previewed(world, "2026-03").await, (reasons(&["not_over"]), false));
        let refused = close(world, "2026-03").await;
        let words = refused.refused(409, "6003");
        assert!(words.contains("from 2026-04-02 on"), "{words}");
        until(world, "2026-04-01").await;
        world.pass(Span::seconds(24 * 3600 - 1)).await;
        close(world, "2026-03").await.refused(409, "6003");
        world.pass(Span::seconds(1)).await;
        assert_eq!(previewed(world, "2026-03").await, (Vec::new(), true));

        let body = json!({ "month": "2026-03" });
        let path = "/admin/ledger/closings";
        for other in [&world.operator, &patient, &world.doctors[0]] {
            world.post(other, path, body.clone()).await.refused(403, "1003");
        }
        let order = close(world, "2026-04").await;
        assert!(order.refused(409, "6003").contains("2026-03 is next"), "{:#}", order.body);
        assert_eq!(order.body["error"]["details"]["against"], json!(["not_next", "not_over"]));
        let odd = json!({ "month": "March" });
        world.post(&world.admin, path, odd).await.refused(422, "6001");

        // The same click twice is one closing and one answer.
        let before = read(world, "/trial-balance?month=2026-03").await;
        let token = world.token(&world.admin).await;
        let click = async || {
            let request = world.raw(Method::POST, &format!("/api/v1{path}")).await;
            let request = request.bearer_auth(&token).header("idempotency-key", "close-march");
            world.send(request.json(&body)).await
        };
        let first = click().await;
        assert_eq!(first.status.as_u16(), 201, "{:#}", first.body);
        assert_eq!(first.data()["entries"], 2);
        assert_eq!(first.data()["closedBy"], json!(world.admin.id));
        assert_eq!(first.data()["until"], "2026-03-31T16:00:00.000000Z");
        let again = click().await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        let refused = close(world, "2026-03").await;
        assert!(refused.refused(409, "6003").contains("closed on 2026-04-02"));
        let closings = read(world, "/closings").await;
        assert_eq!(closings, json!([first.data()]));
        let mut after = read(world, "/trial-balance?month=2026-03").await;
        assert_eq!(after["closedAt"], first.data()["closedAt"]);
        after["closedAt"] = Value::Null;
        assert_eq!(after, before);

        // The next month goes on from it.
        let order = world.paid_dispatch(&patient).await;
        world.cancel(&patient, &order).await;
        let april = read(world, "/trial-balance?month=2026-04").await;
        let opening = &april["lines"][0]["opening"];
        assert_eq!(opening, &before["lines"][0]["closing"]);
        assert_eq!(april["balanced"], true);
        until(world, "2026-05-02").await;
        close(world, "2026-04").await.data();
    }
);

journey!(
    /// A payment of unknown outcome keeps its month open until it is known; a refund that is owed
    /// does not, and the preview tells of both.
    what_is_unknown_keeps_a_month_open,
    |world| {
        until(world, "2026-03-31").await;
        let patient = world.patient().await;
        let owed = world.paid_dispatch(&patient).await;
        world.faults(Faults { refunds_hang: true, ..Faults::default() });
        world.cancel(&patient, &owed).await;
        let unknown = world.book_dispatch(&patient).await;
        let number = world.submit(&patient, &unknown).await;
        world.pay_telling(&number, PayCallback::Never).await;
        world.faults(Faults { refunds_hang: true, down: true, ..Faults::default() });
        until(world, "2026-04-02").await;
        let all = reasons(&["bills_unread", "payments_unknown", "refunds_not_paid"]);
        assert_eq!(previewed(world, "2026-03").await, (all, false));
        let refused = close(world, "2026-03").await;
        refused.refused(409, "6003");
        assert_eq!(refused.body["error"]["details"]["against"], json!(["payments_unknown"]));
        let body = json!({ "month": "2026-03" });
        let path = "/admin/ledger/closings/preview";
        let preview = world.post(&world.operator, path, body.clone()).await.data().clone();
        let of = &preview["against"][1]["oldest"][0];
        assert_eq!((&of["orderId"], &of["gateway"]), (&json!(unknown), &json!("wechat")));
        let token = world.token(&world.operator).await;
        let request = world.raw(Method::POST, &format!("/api/v1{path}")).await.bearer_auth(token);
        let request = request.header(header::ACCEPT_LANGUAGE, "zh-CN").json(&body);
        let chinese = world.send(request).await;
        let words = chinese.data()["against"][1]["words"].as_str().expect("words").to_owned();
        assert!(words.contains("1 笔支付结果未知"), "{words}");

        // The gateway is back: the money is found, in the month in which it was found.
        world.faults(Faults { refunds_hang: true, ..Faults::default() });
        for _ in 0..3 {
            world.pass(Span::minutes(1)).await;
        }
        assert_ne!(world.status(&unknown).await, 101);
        let told = reasons(&["bills_unread", "refunds_not_paid"]);
        assert_eq!(previewed(world, "2026-03").await, (told, true));
        close(world, "2026-03").await.data();
        world.no_faults();
        world.pass(Span::hours(2)).await;
        world.stands(&owed, 901, PRICE, PRICE).await;
        world.stands(&unknown, 901, PRICE, PRICE).await;
        let april = read(world, "/trial-balance?month=2026-04").await;
        assert_eq!(april["balanced"], true);
    }
);

journey!(
    /// Money in a bill that is not in our books keeps its month open until somebody has settled it.
    an_open_difference_keeps_a_month_open,
    |world| {
        until(world, "2026-03-31").await;
        let patient = world.patient().await;
        let order = world.paid_dispatch(&patient).await;
        world.cancel(&patient, &order).await;
        let request = PlantRequest {
            gateway: GatewayName::WECHAT,
            day: "2026-03-31".parse().expect("a day"),
            plant: Plant::ForeignPayment { amount: 1_234 },
        };
        world.sandbox.plant(request).expect("planted");
        until(world, "2026-04-01").await;
        // When the gateway's bill of the day before is fetched.
        world.pass(Span::hours(11)).await;
        until(world, "2026-04-02").await;
        assert_eq!(previewed(world, "2026-03").await, (reasons(&["differences"]), false));
        let refused = close(world, "2026-03").await;
        assert!(refused.refused(409, "6003").contains("1 differences"), "{:#}", refused.body);
        let path = "/admin/reconciliation/differences";
        let open = world.get(&world.operator, &format!("{path}?status=OPEN")).await;
        let id = open.data()[0]["id"].as_str().expect("id").to_owned();
        let body = json!({ "repair": "RECORD_SUSPENSE" });
        world.post(&world.operator, &format!("{path}/{id}/propose"), body).await.data();
        world.settle().await;
        assert_eq!(previewed(world, "2026-03").await, (Vec::new(), true));
        close(world, "2026-03").await.data();
        // It is posted when it was decided: the closed month did not move.
        let march = read(world, "/trial-balance?month=2026-03").await;
        assert_eq!(march["totals"][0]["closing"]["debit"], 0);
        assert_eq!(standing(world, "suspense").await, (1_234, "credit".to_owned()));
        world.only_at(GatewayName::WECHAT, Money::fen(-1_234));
    }
);

/// Closes everything up to some time from now on, as if that month's end were there: the server's
/// clock is so far behind.
async fn clock_is_behind(world: &World, by: Span) {
    let store = world.engine.store();
    let (begins_at, until) = (world.now() - Span::hours(24), world.now() + by);
    let month: Month = "2026-03".parse().expect("month");
    let balance = store.trial_balance(month, world.engine.calendar()).await;
    let closing = Closing {
        month,
        begins_at,
        until,
        entries: store
            .entries_between(begins_at, until)
            .await
            .expect("count"),
        closed_at: until,
        closed_by: world.admin.id,
    };
    let balance = balance.expect("balance");
    store
        .close_month(&closing, &balance, None)
        .await
        .expect("closed");
}

journey!(
    /// A server whose clock is behind would post into a closed month. It posts nothing, says so, and
    /// loses nothing: whatever brings the money brings it again until the clock is right.
    a_closed_month_takes_nothing_and_no_money_is_lost,
    |world| {
        let (payer, guest, patient) =
            (world.patient().await, world.patient().await, world.patient().await);
        let (held, doctor) = world.in_progress(&patient).await;
        world.parallel_limit(&doctor, 1).await;
        let (paying, counter) = (world.book_dispatch(&payer).await, world.book_dispatch(&guest).await);
        let number = world.submit(&payer, &paying).await;
        clock_is_behind(world, Span::minutes(2)).await;
        let before = (world.picture(&held).await, read(world, "/accounts").await);

        // The gateway's notice, an operator, a doctor: each is told to come again.
        world.pay_telling(&number, PayCallback::Once).await;
        world.ended(&paying, 101, 0, 0, &[100, 101]).await;
        let refused = at_the_counter(world, &counter).await;
        assert!(refused.refused(503, "5001").contains("clock is behind"), "{:#}", refused.body);
        assert!(refused.headers.contains_key(header::RETRY_AFTER));
        world.ended(&counter, 100, 0, 0, &[100]).await;
        let finish = world.act(&doctor, &held, "finish", summary()).await;
        finish.refused(503, "5001");
        let after = (world.picture(&held).await, read(world, "/accounts").await);
        assert_eq!(before, after, "nothing was written");
        world.pass(Span::seconds(40)).await;
        world.ended(&paying, 101, 0, 0, &[100, 101]).await;

        // The clock is right again.
        world.pass(Span::minutes(2)).await;
        world.ended(&paying, 200, PRICE, 0, &[100, 101, 200]).await;
        world.cancel(&payer, &paying).await;
        world.ended(&paying, 901, PRICE, PRICE, &CANCELLED).await;
        at_the_counter(world, &counter).await.data();
        world.act(&doctor, &held, "finish", summary()).await.data();
        world.ended(&held, 900, PRICE, 0, &then(&TO_SERVICE, &[900])).await;
        world.ended(&counter, 201, PRICE, 0, &[100, 101, 200, 201]).await;
        assert_eq!(standing(world, CLEARING).await, (PRICE, "debit".to_owned()));
        assert_eq!(standing(world, "offline").await, (PRICE, "debit".to_owned()));
    }
);
