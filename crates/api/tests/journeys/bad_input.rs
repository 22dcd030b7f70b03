//! Bad input gets a clear error that names what is wrong, and changes nothing: each refusal is held
//! against its HTTP status, its code, its field, its words, and what is kept.

use crate::harness::scenes::DISPATCH_PRICE as PRICE;
use crate::harness::{Answer, PASSWORD, Person, World};
use connectors::gateway::{PaymentRef, StartPayment};
use domain::payment::{GatewayName, Method as PayMethod};
use domain::{Money, Span};
use reqwest::{Method, RequestBuilder};
use sandbox::views::{PayCallback, PayRequest, RedeliverRequest};
use serde_json::{Value, json};
use uuid::Uuid;

fn booking(world: &World) -> Value {
    json!({
        "kind": "consultation", "mode": "dispatch", "consultationType": "text",
        "departmentId": world.department, "complaint": "头痛",
    })
}

/// The same with one field set to something else.
fn booking_with(world: &World, field: &str, value: Value) -> Value {
    let mut body = booking(world);
    body[field] = value;
    body
}

async fn orders(world: &World) -> i64 {
    let all = world.get(&world.operator, "/orders").await;
    all.body["meta"]["pagination"]["total"]
        .as_i64()
        .expect("total")
}

/// A refusal that says what is wrong, which field it is in, and which request it was.
fn names(answer: &Answer, status: u16, code: &str, field: &str, words: &str) {
    let message = answer.refused(status, code);
    assert!(message.contains(words), "{message}");
    let error = &answer.body["error"];
    assert_eq!(error["details"][0]["field"], field, "{error:#}");
    let about_it = error["details"][0]["message"].as_str();
    assert!(about_it.is_some_and(|text| !text.is_empty()), "{error:#}");
    is_whole(answer);
}

/// A refusal about no field.
fn says(answer: &Answer, status: u16, code: &str, words: &str) {
    let message = answer.refused(status, code);
    assert!(message.contains(words), "{message}");
    is_whole(answer);
}

/// Every refusal is an envelope with a name, a time and the request's id.
fn is_whole(answer: &Answer) {
    let error = &answer.body["error"];
    assert_eq!(answer.body["success"], false);
    assert!(
        error["name"].is_string() && error["timestamp"].is_string(),
        "{error:#}"
    );
    let id = answer.headers["x-request-id"].to_str().expect("text");
    assert_eq!(error["requestId"], id);
}

/// A request to book, with a body as it is.
async fn post_order(world: &World, patient: &Person, body: String) -> Answer {
    let token = world.token(patient).await;
    let request = world.client.post(format!("{}/api/v1/orders", world.base));
    let request = request
        .bearer_auth(token)
        .header("content-type", "application/json");
    world.send(request.body(body)).await
}

journey!(
    /// Broken JSON, an unknown field, a missing one, a wrong type, a wrong UUID, a negative amount,
    /// a wrong word, a body of 2 MiB: no order comes of any of them.
    a_bad_body_is_refused_with_the_field_that_is_wrong,
    |world| {
        let patient = world.patient().await;
        let trailing = format!("{}}}", booking(world));
        for broken in ["{\"kind\": ", "kind=consultation", "\"\u{0}\"", trailing.as_str()] {
            let answer = post_order(world, &patient, broken.into()).await;
            says(&answer, 400, "6005", "no JSON");
        }

        let wrong = [
            ("colour", json!("red"), "colour", "unknown field"),
            ("complaint", json!(7), "complaint", "invalid type"),
            ("departmentId", json!("internal"), "departmentId", "UUID"),
            ("departmentId", json!(7), "departmentId", "invalid type"),
            ("mode", json!("lottery"), "mode", "lottery"),
            ("kind", json!("parcel"), "kind", "consultation"),
            ("price", json!({ "amount": -1, "currency": "CNY" }), "price.amount", "negative"),
            ("price", json!({ "amount": "30", "currency": "CNY" }), "price.amount", "invalid type"),
            ("price", json!({ "amount": 1, "currency": "CNY", "tax": 2 }), "price.tax", "unknown field"),
            ("price", json!({ "amount": 2999, "currency": "CNY" }), "price", "the price is"),
            ("complaint", json!(""), "complaint", "character"),
            ("complaint", json!("字".repeat(2_001)), "complaint", "2000"),
            ("departmentId", Value::Null, "departmentId", "needed"),
            ("departmentId", json!(Uuid::from_u128(9)), "departmentId", "not a department"),
            ("slotId", json!(Uuid::from_u128(9)), "slotId", "clinic"),
        ];
        for (field, value, named, words) in wrong {
            let body = booking_with(world, field, value).to_string();
            names(&post_order(world, &patient, body).await, 422, "6001", named, words);
        }
        let mut missing = booking(world);
        missing.as_object_mut().expect("object").remove("complaint");
        let answer = post_order(world, &patient, missing.to_string()).await;
        names(&answer, 422, "6001", "complaint", "missing field");

        let large = format!("{{\"complaint\": \"{}\"}}", "a".repeat(2 << 20));
        says(&post_order(world, &patient, large).await, 413, "6005", "1 MiB");
        assert_eq!(orders(world).await, 0);
    }
);

journey!(
    /// Not a UUID, nobody's order, and somebody else's, which nobody is told of.
    a_wrong_id_and_a_foreign_order,
    |world| {
        let (patient, other) = (world.patient().await, world.patient().await);
        let order = world.book_dispatch(&patient).await;
        let before = world.picture(&order).await;
        names(&world.get(&patient, "/orders/not-a-uuid").await, 422, "6001", "id", "UUID");
        let nowhere = "/orders/00000000-0000-7000-8000-000000000000";
        let missing = world.get(&patient, nowhere).await;
        says(&missing, 404, "2001", "no such order");

        let doctor = world.doctors[0].clone();
        for stranger in [&other, &doctor] {
            for path in ["", "/journal", "/messages", "/refund-quote", "/events"] {
                let foreign = world.get(stranger, &format!("/orders/{order}{path}")).await;
                says(&foreign, 404, "2001", "no such order");
                let words = &foreign.body["error"]["message"];
                assert_eq!(*words, missing.body["error"]["message"], "as if it did not exist");
            }
            let cancel = format!("/orders/{order}/cancel");
            says(&world.put(stranger, &cancel, json!({})).await, 404, "2001", "no such order");
        }
        let pay = json!({ "gateway": "wechat", "method": "native" });
        let foreign = world.post(&other, &format!("/orders/{order}/pay"), pay).await;
        says(&foreign, 404, "2001", "no such order");
        assert_eq!(world.picture(&order).await, before);
        let lists = world.get(&other, "/orders").await;
        assert_eq!(lists.body["meta"]["pagination"]["total"], 0);
        world.cancel(&patient, &order).await;
    }
);

journey!(
    /// Who may not ask, and what the order's status does not take; the answer says what it would.
    a_wrong_role_and_a_wrong_status,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let before = world.picture(&order).await;
        let doctor = world.doctors[0].clone();
        says(&world.post(&doctor, "/orders", booking(world)).await, 403, "1003", "patient");
        let at = |action: &str| format!("/orders/{order}/{action}");
        for action in ["accept", "start", "call"] {
            says(&world.post(&patient, &at(action), json!({})).await, 403, "1003", "doctor");
        }
        let fault = json!({ "reason": "x" });
        says(&world.post(&patient, &at("system-fault"), fault).await, 403, "1003", "operations");
        says(&world.get(&patient, "/admin/totals").await, 403, "1003", "operator");
        let paused = json!({ "value": { "dispatchPaused": true }, "version": 1 });
        let config = world.put(&world.operator, "/admin/configs/maintenance", paused).await;
        says(&config, 403, "1003", "admin");

        for action in ["answer", "check-in"] {
            let early = world.post(&patient, &at(action), json!({})).await;
            says(&early, 409, "2003", "PENDING_PAYMENT");
            let details = &early.body["error"]["details"];
            assert_eq!(details["status"], "PENDING_PAYMENT");
            assert_eq!(details["allowed"], json!(["pay", "cancel"]));
        }
        assert_eq!(world.picture(&order).await, before);
        assert_eq!(orders(world).await, 1);
        world.cancel(&patient, &order).await;
    }
);

journey!(
    /// What people say about an order in hand, with a value that does not fit.
    values_that_do_not_fit_an_action,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        let before = world.picture(&order).await;
        let long = "字".repeat(4_001);
        let summary = |field: &str, text: &str| {
            let mut body = crate::harness::scenes::summary();
            body[field] = json!(text);
            body
        };
        let (patient, doctor) = (&patient, &doctor);
        let wrong = [
            (doctor, "finish", summary("advice", " "), "advice", "4000"),
            (doctor, "finish", summary("findings", &long), "findings", "4000"),
            (doctor, "finish", json!({}), "complaint", "missing field"),
            (doctor, "messages", json!({ "text": "" }), "text", "4000"),
            (patient, "messages", json!({ "text": long }), "text", "4000"),
            (patient, "messages", json!({ "id": "7", "text": "在" }), "id", "UUID"),
            (patient, "refund", json!({ "reason": " " }), "reason", "1000"),
            (patient, "connection-failed", json!({ "attempt": -1 }), "attempt", "invalid value"),
            (patient, "pay", json!({ "gateway": "moneybags", "method": "native" }), "gateway", "moneybags"),
            (patient, "pay", json!({ "gateway": "wechat", "method": "barter" }), "method", "barter"),
        ];
        for (who, action, body, field, words) in wrong {
            let answer = world.post(who, &format!("/orders/{order}/{action}"), body).await;
            names(&answer, 422, "6001", field, words);
        }
        assert_eq!(world.picture(&order).await, before);
        let messages = world.get(patient, &format!("/orders/{order}/messages?after=2")).await;
        assert_eq!(messages.data(), &json!([]), "but for the two lines of the system");
        let done = crate::harness::scenes::summary();
        world.act(doctor, &order, "finish", done).await.data();
        let rate = format!("/orders/{order}/rate");
        let stars = world.post(patient, &rate, json!({ "stars": 6 })).await;
        names(&stars, 422, "6001", "stars", "1 to 5");
        for tags in [json!(["clear", "clear"]), json!(["clear", "slow", "prompt", "hurried", "helpful", "unclear"])] {
            let tags = world.post(patient, &rate, json!({ "stars": 5, "tags": tags })).await;
            names(&tags, 422, "6001", "tags", "at most 5");
        }
        let tags = world.post(patient, &rate, json!({ "stars": 5, "tags": ["nice"] })).await;
        names(&tags, 422, "6001", "tags[0]", "attentive");
        let inside = world.book_dispatch(patient).await;
        let body = json!({ "gateway": "wechat", "method": "jsapi" });
        let answer = world.post(patient, &format!("/orders/{inside}/pay"), body).await;
        names(&answer, 422, "6001", "payer", "openid");
        world.ended(&inside, 100, 0, 0, &[100]).await;
    }
);

journey!(
    /// Sessions that can't be: none is published.
    values_that_do_not_fit_a_session,
    |world| {
        let doctor = world.doctors[0].clone();
        let (now, hour) = (world.now(), Span::hours(1));
        let good = json!({
            "beginsAt": now + hour, "endsAt": now + Span::hours(2), "slotMinutes": 60, "capacity": 6,
            "consultationType": "text", "price": { "amount": 5000, "currency": "CNY" },
        });
        let wrong = [
            ("endsAt", json!(now), "endsAt"),
            ("beginsAt", json!("tomorrow"), "beginsAt"),
            ("endsAt", json!(now + hour), "endsAt"),
            ("slotMinutes", json!(4), "slotMinutes"),
            ("slotMinutes", json!(7), "slotMinutes"),
            ("capacity", json!(0), "capacity"),
            ("capacity", json!(101), "capacity"),
            ("capacity", json!(-1), "capacity"),
            ("price", json!({ "amount": -1, "currency": "CNY" }), "price.amount"),
            ("price", json!({ "amount": 1, "currency": "XXX" }), "price.currency"),
            ("colour", json!("red"), "colour"),
        ];
        for (field, value, named) in wrong {
            let mut body = good.clone();
            body[field] = value;
            let answer = world.post(&doctor, "/sessions", body).await;
            names(&answer, 422, "6001", named, "");
        }
        let mut far = good.clone();
        let begins = now + Span::hours(24 * 7 + 1);
        far["beginsAt"] = json!(begins);
        far["endsAt"] = json!(begins + hour);
        let answer = world.post(&doctor, "/sessions", far).await;
        names(&answer, 422, "6001", "beginsAt", "7 days");
        let listed = world.get(&doctor, "/sessions").await;
        assert_eq!(listed.data(), &json!([]));
        let published = world.post(&doctor, "/sessions", good).await.data().clone();
        let other = world.doctors[1].clone();
        let open = format!("/sessions/{}/open", published["id"].as_str().expect("id"));
        says(&world.post(&other, &open, json!({})).await, 404, "6002", "session");
        let patient = world.patient().await;
        says(&world.post(&patient, &open, json!({})).await, 403, "1003", "doctor");
    }
);

journey!(
    /// Settings that would cost somebody money are not taken, and no version is written.
    settings_that_make_no_sense,
    |world| {
        let at = |name: &str| format!("/admin/configs/{name}");
        let rules = world.get(&world.admin, &at("consultation.rules")).await.data()["value"].clone();
        let without = |change: &dyn Fn(&mut Value)| {
            let mut changed = rules.clone();
            change(&mut changed);
            changed
        };
        let price = |fen: i64| json!({ "amount": fen, "currency": "CNY" });
        let wrong = [
            ("consultation.prices", json!({ "text": price(-1), "phone": price(1), "video": price(1) }), "text.amount"),
            ("consultation.prices", json!({ "text": price(1), "phone": price(0), "video": price(1) }), "phone.amount"),
            ("consultation.prices", json!({ "text": price(1) }), "missing field"),
            ("consultation.rules", without(&|r| r["timeouts"]["accept"] = json!(-300)), "timeouts.accept"),
            ("consultation.rules", without(&|r| r["max_calls"] = json!(0)), "max_calls"),
            ("consultation.rules", without(&|r| r["shares"] = json!([])), "in full"),
            ("consultation.rules", without(&|r| r["shares"][0]["share"] = json!(101)), "101"),
            ("maintenance", json!({ "dispatchPaused": "yes" }), "invalid type"),
            ("colours", json!({}), "not a setting"),
        ];
        for (name, value, words) in wrong {
            let body = json!({ "value": value, "version": 1 });
            let answer = world.put(&world.admin, &at(name), body).await;
            names(&answer, 422, "6001", "value", words);
        }
        let stale = json!({ "value": rules, "version": 0 });
        let answer = world.put(&world.admin, &at("consultation.rules"), stale).await;
        says(&answer, 409, "6003", "read it again");
        for name in ["consultation.rules", "consultation.prices", "maintenance"] {
            let kept = world.get(&world.admin, &at(name)).await;
            assert_eq!(kept.data()["version"], 1, "{name}");
        }
        let rules = json!({ "value": rules, "version": 1 });
        let answer = world.put(&world.admin, &at("consultation.rules"), rules).await;
        assert_eq!(answer.data()["version"], 2);
    }
);

/// A request with a token, to a path that changes nothing.
fn me(world: &World, token: &str) -> RequestBuilder {
    let request = world.client.get(format!("{}/api/v1/auth/me", world.base));
    request.bearer_auth(token)
}

journey!(
    /// No token, nonsense, a forged signature, forged claims, another algorithm, an expired one.
    tokens_that_are_missing_forged_or_old,
    |world| {
        let patient = world.patient().await;
        let token = world.token(&patient).await;
        let none = world.send(world.raw(Method::GET, "/api/v1/auth/me").await).await;
        says(&none, 401, "1004", "Sign in");
        let (head, signature) = token.rsplit_once('.').expect("a JWT");
        let (_, claims) = head.split_once('.').expect("a JWT");
        let forged = [
            "nonsense".to_owned(),
            format!("{head}.{}", signature.chars().rev().collect::<String>()),
            format!("{head}."),
            format!("{head}a.{signature}"),
            // {"alg":"none"}, and {"alg":"HS256"} with the same claims.
            format!("eyJhbGciOiJub25lIn0.{claims}."),
            format!("eyJhbGciOiJIUzI1NiJ9.{claims}.{signature}"),
        ];
        for token in &forged {
            says(&world.send(me(world, token)).await, 401, "1004", "Sign in");
            let request = world.client.post(format!("{}/api/v1/orders", world.base));
            let request = request.bearer_auth(token).json(&booking(world));
            world.send(request).await.refused(401, "1004");
        }
        let own = world.send(me(world, &token)).await;
        assert_eq!(own.data()["user"]["email"], patient.login);
        world.pass(Span::minutes(15)).await;
        says(&world.send(me(world, &token)).await, 401, "1002", "expired");
        let request = world.client.post(format!("{}/api/v1/orders", world.base));
        let late = request.bearer_auth(&token).json(&booking(world));
        world.send(late).await.refused(401, "1002");
        assert_eq!(orders(world).await, 0);
    }
);

/// Somebody signs in with this password.
async fn sign_in(world: &World, login: &str, password: &str) -> Answer {
    let body = json!({ "email": login, "password": password });
    let request = world.raw(Method::POST, "/api/v1/auth/login").await;
    world.send(request.json(&body)).await
}

journey!(
    a_refresh_token_is_good_once_and_its_reuse_ends_the_family,
    |world| {
        let patient = world.patient().await;
        let refresh = async |token: &Value| {
            let request = world.raw(Method::POST, "/api/v1/auth/refresh").await;
            world
                .send(request.json(&json!({ "refreshToken": token })))
                .await
        };
        let first = sign_in(world, &patient.login, PASSWORD).await.data()["refreshToken"].clone();
        let second = refresh(&first).await.data()["refreshToken"].clone();
        assert_ne!(first, second);
        says(&refresh(&first).await, 401, "1002", "sign in again");
        says(&refresh(&second).await, 401, "1002", "sign in again");
        says(
            &refresh(&json!("made up")).await,
            401,
            "1002",
            "sign in again",
        );
        // Nobody learns which names exist.
        let wrong = "wrong-wrong-wrong";
        let known = sign_in(world, &patient.login, wrong).await;
        let unknown = sign_in(world, "nobody@demo.xinglin", wrong).await;
        assert_eq!(known.refused(401, "1001"), unknown.refused(401, "1001"));
    }
);

journey!(
    /// After ten failures signing in is locked for 15 minutes, with the right password too, and
    /// nobody is told which of the two it is.
    signing_in_is_locked_after_ten_failures,
    |world| {
        let (patient, other) = (world.patient().await, world.patient().await);
        let wrong = async || {
            let answer = sign_in(world, &patient.login, "wrong-wrong-wrong").await;
            answer.refused(401, "1001").to_owned()
        };
        for _ in 0..9 {
            wrong().await;
        }
        sign_in(world, &patient.login, PASSWORD).await.data();
        // A success begins the count anew.
        let mut words = String::new();
        for _ in 0..10 {
            words = wrong().await;
        }
        let locked = sign_in(world, &patient.login, PASSWORD).await;
        assert_eq!(locked.refused(401, "1001"), words);
        sign_in(world, &other.login, PASSWORD).await.data();
        world.pass(Span::seconds(15 * 60 - 1)).await;
        sign_in(world, &patient.login, PASSWORD).await.refused(401, "1001");
        world.pass(Span::seconds(1)).await;
        sign_in(world, &patient.login, PASSWORD).await.data();
    }
);

/// A booking with an idempotency key.
async fn book_with_key(world: &World, patient: &Person, key: &str, body: &Value) -> Answer {
    let token = world.token(patient).await;
    let request = world.client.post(format!("{}/api/v1/orders", world.base));
    let request = request.bearer_auth(token).header("Idempotency-Key", key);
    world.send(request.json(body)).await
}

journey!(
    /// A key is one person's, for one request, for 24 hours.
    idempotency_keys_that_are_reused_or_stale,
    |world| {
        let (patient, other) = (world.patient().await, world.patient().await);
        let body = booking(world);
        let booked = book_with_key(world, &patient, "k-1", &body).await.data()["id"].clone();
        let again = book_with_key(world, &patient, "k-1", &body).await;
        assert_eq!(again.data()["id"], booked);
        assert_eq!(again.headers["idempotent-replay"], "true");
        let changed = booking_with(world, "complaint", json!("别的"));
        let reused = book_with_key(world, &patient, "k-1", &changed).await;
        says(&reused, 409, "6004", "another request");
        assert_eq!(orders(world).await, 1);
        // Another address with the same key and body is another request.
        let order = booked.as_str().expect("id");
        let token = world.token(&patient).await;
        let request = world.client.put(format!("{}/api/v1/orders/{order}/cancel", world.base));
        let request = request.bearer_auth(token).header("Idempotency-Key", "k-1");
        says(&world.send(request.json(&json!({}))).await, 409, "6004", "another request");
        assert_eq!(world.status(order).await, 100);
        // Somebody else's key is their own.
        let theirs = book_with_key(world, &other, "k-1", &body).await;
        assert_ne!(theirs.data()["id"], booked);
        let too_long = "k".repeat(129);
        for key in ["", "two words", too_long.as_str()] {
            let answer = book_with_key(world, &patient, key, &body).await;
            names(&answer, 422, "6001", "Idempotency-Key", "128");
        }
        world.pass(Span::hours(25)).await;
        let stale = book_with_key(world, &patient, "k-1", &body).await;
        says(&stale, 409, "6004", "stale");
        assert_eq!(orders(world).await, 2);
    }
);

/// The gateway sends its notice of a payment again; our answers' HTTP statuses.
async fn redelivered(world: &World, number: &str, how: RedeliverRequest) -> Vec<Option<u16>> {
    let told = world.sandbox.redeliver(number, &how).await.expect("sent");
    told.answers.iter().map(|answer| answer.status).collect()
}

journey!(
    /// Unsigned, signed by nobody, old, replayed.
    callbacks_that_are_forged_or_replayed,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let number = world.submit(&patient, &order).await;
        let before = world.picture(&order).await;
        let at = |gateway: &str| {
            let url = format!("{}/api/v1/payments/webhook/{gateway}", world.base);
            world.client.post(url)
        };
        let paid = json!({ "event_type": "TRANSACTION.SUCCESS", "out_trade_no": number });
        let unsigned = world.send(at("wechat").json(&paid)).await;
        assert_eq!((unsigned.status.as_u16(), &unsigned.body["code"]), (401, &json!("FAIL")));
        assert!(unsigned.body["message"].as_str().is_some_and(|words| !words.is_empty()));
        let elsewhere = world.send(at("moneybags").json(&paid)).await;
        assert_eq!((elsewhere.status.as_u16(), &elsewhere.body["code"]), (404, &json!("FAIL")));
        let large = world.send(at("wechat").body("a".repeat(2 << 20))).await;
        assert_eq!(large.status, 413);

        let bad = PayRequest { callback: PayCallback::BadSignature, ..Default::default() };
        world.sandbox.pay(&number, bad).expect("paid");
        world.settle().await;
        let forged = RedeliverRequest { bad_signature: true, ..Default::default() };
        assert_eq!(redelivered(world, &number, forged).await, [Some(401)]);
        let stale = RedeliverRequest { stale_seconds: 301, ..Default::default() };
        assert_eq!(redelivered(world, &number, stale).await, [Some(401)]);
        assert_eq!(world.picture(&order).await, before);

        let replay = RedeliverRequest { times: 2, ..Default::default() };
        assert_eq!(redelivered(world, &number, replay).await, [Some(200); 2]);
        world.settle().await;
        world.ended(&order, 200, PRICE, 0, &[100, 101, 200]).await;
        let before = world.picture(&order).await;
        let replay = RedeliverRequest { times: 3, stale_seconds: 299, ..Default::default() };
        assert_eq!(redelivered(world, &number, replay).await, [Some(200); 3]);
        assert_eq!(world.picture(&order).await, before, "a replay changes nothing");
        world.cancel(&patient, &order).await;
    }
);

journey!(
    /// Well signed, and of a payment that is not ours.
    a_callback_for_an_unknown_payment,
    |world| {
        let patient = world.patient().await;
        let order = world.paid_dispatch(&patient).await;
        let before = world.picture(&order).await;
        let number = "not-ours-0001";
        let request = StartPayment {
            payment: PaymentRef {
                out_trade_no: number.to_owned(),
                method: PayMethod::NATIVE,
                amount: Money::fen(100),
                created_at: world.now(),
                expires_at: world.now() + Span::minutes(5),
                handle: None,
                transaction_id: None,
            },
            description: "somebody else's".to_owned(),
            payer: None,
            client_ip: None,
            return_url: None,
        };
        let gateway = &world.gateways[&GatewayName::WECHAT];
        gateway.start(&request, world.now()).await.expect("started");
        world.sandbox.pay(number, PayRequest::default()).expect("paid");
        world.only_at_the_gateway(Money::fen(100));
        world.settle().await;
        let told = redelivered(world, number, RedeliverRequest::default()).await;
        assert_eq!(told, [Some(404)]);
        assert_eq!(world.picture(&order).await, before);
        assert_eq!(orders(world).await, 1);
        world.cancel(&patient, &order).await;
    }
);

journey!(
    /// Paths, methods and parameters that nothing knows.
    addresses_and_parameters_that_do_not_exist,
    |world| {
        let patient = world.patient().await;
        says(&world.get(&patient, "/nowhere").await, 404, "6002", "address");
        let gone = world.call(&patient, Method::DELETE, "/orders", None).await;
        says(&gone, 405, "6005", "method");
        let wrong = [
            ("/orders?colour=red", "colour"),
            ("/orders?limit=101", "limit"),
            ("/orders?page=0", "page"),
            ("/orders?status=HAPPY", "status"),
            ("/orders?from=yesterday", "from"),
            ("/orders?doctor=me", "doctor"),
        ];
        for (path, field) in wrong {
            names(&world.get(&patient, path).await, 422, "6001", field, field);
        }
    }
);

journey!(every_answer_carries_the_request_id, |world| {
    let patient = world.patient().await;
    let token = world.token(&patient).await;
    let request = world
        .raw(Method::GET, "/api/v1/orders/no")
        .await
        .bearer_auth(token);
    let answer = world.send(request.header("X-Request-Id", "desk-42")).await;
    assert_eq!(answer.headers["x-request-id"], "desk-42");
    assert_eq!(answer.body["error"]["requestId"], "desk-42");
    let nowhere = world.send(world.raw(Method::GET, "/api/v1/nowhere").await);
    says(&nowhere.await, 404, "6002", "address");
});

journey!(words_come_in_the_callers_language, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    let token = world.token(&patient).await;
    let asked = async |language: &str, method: Method, path: &str| {
        let request = world.raw(method, &format!("/api/v1{path}")).await;
        let request = request.bearer_auth(&token).json(&json!({}));
        world
            .send(request.header("Accept-Language", language))
            .await
    };
    let answer = format!("/orders/{order}/answer");
    let fault = format!("/orders/{order}/system-fault");
    for (language, path, status, code, words) in [
        ("en", &answer, 409, "2003", "`answer` is not possible"),
        ("zh-CN", &answer, 409, "2003", "订单待支付，不能应答叫号"),
        ("en", &fault, 422, "6001", "reason"),
        ("zh-CN", &fault, 422, "6001", "请求内容有误：reason"),
    ] {
        let refused = asked(language, Method::POST, path).await;
        says(&refused, status, code, words);
    }
    let request = world.raw(Method::GET, "/api/v1/auth/me").await;
    let answer = world.send(request.header("Accept-Language", "zh-CN")).await;
    says(&answer, 401, "1004", "请先登录");
});
