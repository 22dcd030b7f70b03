//! The document against the routes, and the schemas against what is really read and answered.

mod gateway;
mod house;
mod ledger;
mod reconciliation;

use super::{BASE, document, rows, verb};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use domain::consultation::matching::{Candidate, Score, Weights};
use domain::consultation::ranking::Ranking;
use domain::consultation::{Assignment, AssignmentEnd, Cause};
use domain::lifecycle::Language;
use domain::order::Role;
use domain::payment::{GatewayName, Method, Payment, PaymentStatus, Purpose, Refund, RefundStatus};
use domain::{Money, PaymentId, RefundId, Share, Ts};
use house::{House, NIL, NOW, id_of};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use tower::ServiceExt;
use uuid::Uuid;

/// A row's address with something in each of its places.
fn filled(path: &str, health: bool) -> String {
    let path = path.replace("{id}", NIL).replace("{version}", "1");
    let path = path
        .replace("{name}", "maintenance")
        .replace("{gateway}", "wechat");
    if health {
        path
    } else {
        format!("{BASE}{path}")
    }
}

#[tokio::test]
async fn every_documented_operation_has_a_route() {
    let house = House::new().await;
    for row in rows() {
        let path = filled(row.path, row.tag == "Health");
        let (status, answer) = house.ask(None, verb(&row.method), &path, None).await;
        let message = answer["error"]["message"].as_str().unwrap_or("");
        assert_ne!(status, 405, "{} {path}", verb(&row.method));
        assert_ne!(
            message,
            "there is no such address",
            "{} {path}",
            verb(&row.method)
        );
    }
}

#[test]
fn every_route_is_documented() {
    let documented: BTreeSet<(String, String)> = rows()
        .iter()
        .map(|row| (verb(&row.method).to_owned(), row.path.to_owned()))
        .collect();
    let mut routed = BTreeSet::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut unread = vec![folder];
    while let Some(file) = unread.pop() {
        // The documentation does not document itself.
        if file.ends_with("docs") || file.ends_with("openapi") {
            continue;
        }
        if file.is_dir() {
            let inside = std::fs::read_dir(file).unwrap();
            unread.extend(inside.map(|entry| entry.unwrap().path()));
            continue;
        }
        if file.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(file).unwrap();
        for call in text.split(".route(").skip(1) {
            let Some(path) = call
                .trim_start()
                .strip_prefix('"')
                .and_then(|c| c.split('"').next())
            else {
                continue;
            };
            // Up to where the next statement begins: the methods of this route.
            let methods = call.split(['\n', ';']).take(3).collect::<String>();
            for verb in ["get", "post", "put", "patch", "delete"] {
                let called = |mark: &str| methods.contains(&format!("{mark}{verb}("));
                if called(" ") || called(".") || called(",") {
                    routed.insert((verb.to_owned(), path.to_owned()));
                }
            }
        }
    }
    assert!(
        routed.len() > 40,
        "the routes were not found in the sources: {routed:?}"
    );
    assert_eq!(routed, documented);
}

#[test]
fn a_name_stands_for_one_schema() {
    let mut seen = std::collections::BTreeMap::new();
    for (name, schema) in super::parts().0 {
        let schema = serde_json::to_value(schema).unwrap();
        let first = seen.entry(name.clone()).or_insert_with(|| schema.clone());
        assert_eq!(*first, schema, "{name}");
    }
}

#[test]
fn the_document_is_openapi_3_1_and_every_reference_leads_somewhere() {
    let document = serde_json::to_value(document()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let text = document.to_string();
    for name in text
        .split("#/components/schemas/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name} is missing"
        );
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{path}"
            );
            assert!(!operation["summary"].as_str().unwrap().is_empty());
            assert!(operation["responses"]["500"].is_object(), "{path}");
        }
    }
}

/// Every body refuses a field that nobody knows, and says which it knows: those of the document.
#[tokio::test]
async fn requests_are_read_as_documented() {
    let house = House::new().await;
    let schemas = serde_json::to_value(document()).unwrap()["components"]["schemas"].clone();
    for row in rows() {
        let Some(takes) = row.takes else { continue };
        let reference = serde_json::to_value(takes(&mut Vec::new())).unwrap();
        let name = reference["$ref"]
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned();
        let properties = schemas[&name]["properties"].as_object();
        let ours: BTreeSet<String> = properties
            .into_iter()
            .flat_map(|p| p.keys().cloned())
            .collect();
        let role = match row.who {
            super::Who::Only(who) if who.contains("doctor") => Role::Doctor,
            super::Who::Only(who) if who.ends_with("admin") => Role::Admin,
            _ => Role::Patient,
        };
        let body = json!({ "zzz": 1 });
        let (status, answer) = house
            .ask(
                Some(role),
                verb(&row.method),
                &filled(row.path, false),
                Some(&body),
            )
            .await;
        let message = answer["error"]["details"][0]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(status, 422, "{} {answer:#}", row.path);
        // What is told apart by its type misses that first.
        let before = if message == "missing field `type`" {
            1
        } else {
            3
        };
        let theirs: BTreeSet<String> = message
            .split('`')
            .skip(before)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        assert_eq!(theirs, ours, "{} ({name}): {message}", row.path);
    }
}

/// Every field that is answered is documented, and every one that is documented as always there is.
fn fits(schemas: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return fits(schemas, &schemas[name], value, &format!("{place}({name})"));
    }
    if value.is_null() {
        return;
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let chosen = choices
            .iter()
            .find(|choice| choice["type"] != "null")
            .unwrap();
        return fits(schemas, chosen, value, place);
    }
    if let (Some(values), true) = (value.as_array(), schema["items"].is_object()) {
        return values
            .iter()
            .for_each(|one| fits(schemas, &schema["items"], one, place));
    }
    if let Some(names) = schema["enum"].as_array() {
        assert!(names.contains(value), "{place}: {value} is not listed");
    }
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    let object = value
        .as_object()
        .unwrap_or_else(|| panic!("{place}: {value} is no object"));
    for (name, inner) in object {
        let known = properties
            .get(name)
            .unwrap_or_else(|| panic!("{place}.{name} is not documented"));
        fits(schemas, known, inner, &format!("{place}.{name}"));
    }
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        assert!(
            object.contains_key(name),
            "{place}.{name} is documented and not there"
        );
    }
}

#[tokio::test]
async fn answers_are_as_documented() {
    let house = House::new().await;
    let document = serde_json::to_value(document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let fits = |name: &str, value: &Value| fits(schemas, &schemas[name], value, name);
    let booking = json!({
        "kind": "consultation", "mode": "dispatch", "consultationType": "text",
        "departmentId": Uuid::from_u128(1), "complaint": "头痛",
    });
    let order = house
        .data(Role::Patient, "post", "/orders", Some(&booking))
        .await;
    fits("Order", &order);
    let id = order["id"].as_str().unwrap();
    fits(
        "Order",
        &house
            .data(Role::Operator, "get", &format!("/orders/{id}"), None)
            .await,
    );
    let quote = house
        .data(
            Role::Patient,
            "get",
            &format!("/orders/{id}/refund-quote"),
            None,
        )
        .await;
    fits("Quote", &quote);
    let lines = house
        .data(Role::Patient, "get", &format!("/orders/{id}/journal"), None)
        .await;
    fits("JournalLine", &lines[0]);
    let payments = house
        .data(
            Role::Patient,
            "get",
            &format!("/payments/status/{id}"),
            None,
        )
        .await;
    fits("PaymentsOf", &payments);
    let session = json!({
        "beginsAt": "2026-03-02T10:00:00+08:00", "endsAt": "2026-03-02T12:00:00+08:00", "slotMinutes": 60,
        "capacity": 2, "consultationType": "text", "price": { "amount": 5000, "currency": "CNY" },
    });
    let session = house
        .data(Role::Doctor, "post", "/sessions", Some(&session))
        .await;
    fits("Session", &session);
    let queue = format!("/sessions/{}/queue", session["id"].as_str().unwrap());
    fits(
        "Queue",
        &house.data(Role::Doctor, "get", &queue, None).await,
    );
    let here = json!({ "online": true });
    fits(
        "Presence",
        &house
            .data(Role::Doctor, "put", "/doctors/me/presence", Some(&here))
            .await,
    );
    fits(
        "Me",
        &house.data(Role::Patient, "get", "/auth/me", None).await,
    );
    let lists = [
        ("/departments", "Department"),
        ("/doctors", "Doctor"),
        ("/payments/gateways", "Gateway"),
        ("/admin/configs", "Config"),
    ];
    for (path, name) in lists {
        fits(name, &house.data(Role::Admin, "get", path, None).await[0]);
    }
    fits(
        "Totals",
        &house.data(Role::Admin, "get", "/admin/totals", None).await,
    );
    let (_, ready) = house.ask(None, "get", "/health/ready", None).await;
    fits("Ready", &ready["data"]);
    let (_, refused) = house
        .ask(None, "get", &format!("{BASE}/orders"), None)
        .await;
    fits("ErrorAnswer", &refused);
}

#[test]
fn payments_and_refunds_are_as_documented() {
    let document = serde_json::to_value(document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let now = Ts::parse(NOW).unwrap();
    let payment = Payment {
        id: PaymentId(Uuid::nil()),
        gateway: GatewayName::WECHAT,
        method: Method::NATIVE,
        payer: None,
        out_trade_no: "X1".into(),
        status: PaymentStatus::Completed,
        amount: Money::fen(1),
        paid: Some(Money::fen(1)),
        paid_at: None,
        client_ip: None,
        handle: None,
        proof: None,
        transaction_id: None,
        pay_with: None,
        expires_at: now,
        created_at: now,
        updated_at: now,
    };
    let refund = Refund {
        id: RefundId(Uuid::nil()),
        payment: payment.id,
        out_refund_no: "R1".into(),
        refund_id: None,
        gone_at: None,
        status: RefundStatus::Processing,
        purpose: Purpose::Order,
        cause: Cause::PatientCancelled,
        share: Share::FULL,
        amount: Money::fen(1),
        rule: "200".into(),
        reason: None,
        due_on: None,
        retries: 0,
        last_error: None,
        proof: None,
        requested_at: now,
        sent_at: None,
        updated_at: now,
    };
    let seen = crate::view::payment(&payment, Language::En);
    fits(schemas, &schemas["Payment"], &seen, "Payment");
    for operations in [true, false] {
        let seen = crate::view::refund(&refund, Language::Zh, operations);
        fits(schemas, &schemas["Refund"], &seen, "Refund");
    }
}

#[test]
fn files_are_as_documented() {
    let document = serde_json::to_value(document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let now = Ts::parse(NOW).unwrap();
    let file = store::StoredFile {
        id: Uuid::nil().into(),
        order: Uuid::nil().into(),
        owner: id_of(Role::Patient),
        purpose: domain::file::FilePurpose::Room,
        kind: domain::file::FileKind::Voice,
        name: "a.ogg".into(),
        media: domain::file::Media::Ogg,
        announced_size: 1,
        confirmed: None,
        created_at: now,
    };
    let seen = crate::files::view(&file, None);
    fits(schemas, &schemas["File"], &seen, "File");
    let confirmed = store::StoredFile {
        confirmed: Some(store::ConfirmedFile {
            size: 1,
            sha256: [0; 32],
            duration_ms: Some(1),
            at: now,
        }),
        ..file
    };
    let link = engine::files::GoodUntil {
        link: engine::files::Link::Elsewhere("https://bucket.example/x".into()),
        expires_at: now,
    };
    let seen = crate::files::view(&confirmed, Some(&link));
    fits(schemas, &schemas["File"], &seen, "File");
}

#[test]
fn offers_are_as_documented() {
    let document = serde_json::to_value(document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let (at, doctor) = (Ts::parse(NOW).unwrap(), id_of(Role::Doctor));
    let (score, weights) = (Score::default(), Weights::default());
    let candidate = Candidate {
        doctor,
        specialities: vec!["头痛".into()],
        accepted: 0,
        offered: 0,
        active: 0,
        limit: 1,
        last_order_at: Some(at),
        stars: 0,
        ratings: 0,
        knows_patient: false,
    };
    let ranked = [(&candidate, score)];
    let ranking = Ranking::choosing(doctor, &ranked, "头痛", &weights, at);
    let offer = Assignment {
        doctor,
        offered_at: at,
        score,
        end: Some(AssignmentEnd::TimedOut),
    };
    let names = HashMap::from([(doctor, "王医生".to_owned())]);
    for ranking in [Some(&ranking), None] {
        let seen = crate::assignments::view(1, &offer, ranking, &names, Language::Zh);
        fits(schemas, &schemas["Offer"], &seen, "Offer");
        assert_eq!(seen["endLabel"], "超时未接");
    }
}

#[test]
fn every_group_has_a_name_in_chinese_on_the_reading_page() {
    let script = include_str!("../docs/app.js");
    for row in rows() {
        let named = format!("\"{}\": \"", row.tag);
        assert!(script.contains(&named), "{}", row.tag);
    }
}

#[tokio::test]
async fn the_reading_page_needs_nothing_from_elsewhere() {
    let house = House::new().await;
    let root = Request::builder().uri("/").body(Body::empty()).unwrap();
    let answer = house.router.clone().oneshot(root).await.unwrap();
    assert_eq!(answer.headers()["location"], "/docs");
    for path in [
        "/docs",
        "/docs/app.js",
        "/docs/style.css",
        "/api/v1/openapi.json",
    ] {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let answer = house.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let policy = answer.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            policy.contains("script-src 'self'") && !policy.contains("unsafe"),
            "{policy}"
        );
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(
            !text.contains("https://") && !text.contains("http://"),
            "{path} points elsewhere"
        );
        assert!(
            path != "/docs" || !text.contains("<script>"),
            "an inline script"
        );
    }
}

#[tokio::test]
async fn a_payment_is_answered_in_the_same_form_when_it_is_asked_for_again() {
    let house = House::new().await;
    let document = serde_json::to_value(document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let booking = json!({
        "kind": "consultation", "mode": "dispatch", "consultationType": "text",
        "departmentId": Uuid::from_u128(1), "complaint": "头痛",
    });
    let order = house
        .data(Role::Patient, "post", "/orders", Some(&booking))
        .await;
    let path = format!("{BASE}/orders/{}/pay", order["id"].as_str().unwrap());
    let token = house
        .tokens
        .issue(id_of(Role::Patient), Role::Patient, house.now)
        .unwrap();
    let mut numbers = BTreeSet::new();
    for again in [false, true] {
        let request = Request::post(&path)
            .header("authorization", format!("Bearer {token}"))
            .header("idempotency-key", "pay-1");
        let body = Body::from(r#"{"gateway":"wechat","method":"native"}"#);
        let answer = house
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers().contains_key("idempotent-replay"), again);
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        fits(schemas, &schemas["Paying"], &answer["data"], "Paying");
        numbers.insert(
            answer["data"]["payment"]["outTradeNo"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!(numbers.len(), 1, "one payment");
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_in_the_envelope() {
    let house = House::new().await;
    let (status, answer) = house
        .ask(Some(Role::Patient), "get", "/api/v1/doctors/%FF", None)
        .await;
    assert_eq!(
        (status, answer["error"]["code"].as_str()),
        (422, Some("6001"))
    );
}
