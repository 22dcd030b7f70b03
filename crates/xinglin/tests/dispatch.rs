//! `dispatch replay`, on both databases: a day's offers under other weights, and what is said to
//! whoever asks for a day or a weight that there isn't.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't go on says why and fails"
)]

use domain::consultation::matching::{Candidate, Weights, rank};
use domain::consultation::ranking::Ranking;
use domain::consultation::{
    Command as Asked, Consultation, ConsultationType, Facts, Mode, NewConsultation, Outcome,
    create, decide,
};
use domain::order::{Actor, Role};
use domain::payment::{GatewayName, Method};
use domain::{DepartmentId, Money, OrderId, Ts, UserId};
use engine::ids::{IdsAt, new_id};
use engine::{Origin, Writing, changes};
use serde_json::Value;
use std::process::{Command, Output};
use std::sync::Arc;
use store::testing::{Fresh, fresh_postgres, fresh_sqlite};
use store::{Changes, Department, Doctor, PresenceRow, User, UserStatus};
use uuid::Uuid;

const DEPARTMENT: DepartmentId = DepartmentId(Uuid::from_u128(1));
const NEAR: UserId = UserId(Uuid::from_u128(0xa));
const GOOD: UserId = UserId(Uuid::from_u128(0xb));

fn replay(url: &str, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_xinglin"));
    program.args(["dispatch", "replay", "--database-url", url]);
    program.args(arguments).output().expect("it runs")
}

/// Asserts that it ends with code 1 and one line that has all of these words.
fn is_refused(url: &str, arguments: &[&str], words: &[&str]) {
    let output = replay(url, arguments);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "one line: {said}");
    for word in words {
        assert!(said.contains(word), "`{word}` in: {said}");
    }
}

/// Two doctors: one treats headaches, patients praise the other.
async fn doctor(fresh: &Fresh, id: UserId, name: &str) {
    let now = at("2026-03-01T00:00:00Z");
    let user = User {
        id,
        login: format!("{id}@demo.xinglin"),
        password_hash: String::new(),
        role: Role::Doctor,
        name: name.to_owned(),
        openid: None,
        status: UserStatus::Active,
        failed_sign_ins: 0,
        locked_until: None,
        created_at: now,
    };
    fresh.store.insert_user(&user).await.unwrap();
    let doctor = Doctor {
        user: id,
        department: DEPARTMENT,
        name: name.to_owned(),
        title: "主治医师".into(),
        specialities: vec![if id == NEAR { "头痛" } else { "皮疹" }.to_owned()],
        types: vec![ConsultationType::Text],
        parallel_limit: 9,
        active: 0,
        online: false,
        accepted: 0,
        offered: 0,
        decayed_at: now,
        stars: if id == NEAR { 300 } else { 500 },
        ratings: 100,
        last_order_at: None,
        price: Money::fen(3000),
    };
    fresh.store.upsert_doctor(&doctor).await.unwrap();
    let presence = PresenceRow {
        user: id,
        online: true,
        since: now,
        until: None,
    };
    let there = Changes {
        presence: Some(presence),
        ..Changes::default()
    };
    fresh.store.commit(there).await.unwrap();
}

fn at(text: &str) -> Ts {
    Ts::parse(text).unwrap()
}

/// An order as its commands change it, written as the engine writes it.
struct Ordered<'a> {
    fresh: &'a Fresh,
    order: Option<Consultation>,
    now: Ts,
}

impl Ordered<'_> {
    async fn write(&mut self, outcome: Outcome, actor: Actor) {
        let Outcome::Decided(decision) = outcome else {
            panic!("nothing was decided");
        };
        let by = Writing {
            actor,
            origin: &Origin::default(),
            effect: None,
            lease: None,
            now: self.now,
        };
        let (after, changes) = changes(self.order.as_ref(), *decision, &by);
        self.fresh.store.commit(changes).await.unwrap();
        self.order = Some(Consultation::clone(&after));
    }

    async fn asks(&mut self, actor: Actor, asked: Asked) {
        let order = self.order.clone().unwrap();
        let (facts, mut new_ids) = (Facts::default(), IdsAt(self.now));
        let outcome = decide(&order, &asked, actor, &facts, self.now, &mut new_ids).unwrap();
        self.write(outcome, actor).await;
    }
}

/// A headache, paid and offered to the best doctor at this time.
async fn offered(fresh: &Fresh, now: Ts) {
    let patient = UserId(new_id(now));
    let new = NewConsultation {
        id: OrderId(new_id(now)),
        patient,
        price: Money::fen(3000),
        mode: Mode::Dispatch,
        consultation_type: ConsultationType::Text,
        department: DEPARTMENT,
        complaint: "头痛三天".to_owned(),
        booking: None,
    };
    let mut ordered = Ordered {
        fresh,
        order: None,
        now,
    };
    let actor = Actor::person(Role::Patient, patient);
    let created = create(&new, &Facts::default(), now, &mut IdsAt(now)).unwrap();
    ordered.write(created, actor).await;
    let (gateway, method) = (GatewayName::WECHAT, Method::NATIVE);
    let pay = Asked::SubmitPayment {
        gateway,
        method,
        payer: None,
        client_ip: None,
    };
    ordered.asks(actor, pay).await;
    let paid = Asked::PaymentSucceeded {
        payment: ordered.order.as_ref().unwrap().payments[0].id,
        paid: Money::fen(3000),
        transaction_id: patient.to_string(),
        paid_at: now,
        by_query: false,
    };
    ordered.asks(Actor::GATEWAY, paid).await;
    let kind = ConsultationType::Text;
    let found = fresh.store.candidates(DEPARTMENT, kind, patient, now);
    let candidates: Vec<Candidate> = found.await.unwrap();
    let weights = Weights::default();
    let ranked = rank("头痛三天", &candidates, &weights, now);
    let chosen = ranked[0].0.doctor;
    let ranking = Ranking::choosing(chosen, &ranked, "头痛三天", &weights, now);
    let ranking = Arc::new(ranking);
    ordered
        .asks(Actor::SYSTEM, Asked::DoctorFound { ranking })
        .await;
}

async fn a_day(fresh: &Fresh) {
    let department = Department {
        id: DEPARTMENT,
        code: "internal".into(),
        name_zh: "内科".into(),
        name_en: "Internal medicine".into(),
    };
    fresh.store.upsert_department(&department).await.unwrap();
    doctor(fresh, NEAR, "王医生").await;
    doctor(fresh, GOOD, "李医生").await;
    // Three on Monday in Shanghai, the first and the last at its very ends; one on Tuesday.
    for time in [
        "2026-03-02T00:00:00+08:00",
        "2026-03-02T09:00:00+08:00",
        "2026-03-02T23:59:59.999999+08:00",
        "2026-03-03T00:00:00+08:00",
    ] {
        offered(fresh, at(time)).await;
    }
    let url = fresh.url.as_str();

    let said = words(url, &["--day", "2026-03-02"]);
    assert!(said.contains("Offers to doctors: 3"), "{said}");
    assert!(
        said.contains("Would have gone to another doctor: 0"),
        "{said}"
    );
    assert!(said.contains("0.500 → 0.500"), "{said}");
    let other = [
        "--day",
        "2026-03-02",
        "--weights",
        "speciality=0,load=0,fairness=0",
    ];
    let said = words(url, &other);
    assert!(said.contains("another doctor: 3"), "{said}");
    assert!(said.contains("3 → 0       王医生"), "{said}");
    assert!(said.contains("0 → 3       李医生"), "{said}");
    assert!(said.contains("1000 → 300     speciality"), "{said}");
    let said = words(url, &["--day", "2026-03-03", "--language", "zh"]);
    assert!(
        said.contains("派单次数：1") && said.contains("专长匹配"),
        "{said}"
    );

    let output = replay(url, &[&other[..], &["--json"]].concat());
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&found["assignments"], &found["moved"]),
        (&3.into(), &3.into())
    );
    assert_eq!(
        (&found["day"], &found["zone"]),
        (&"2026-03-02".into(), &"Asia/Shanghai".into())
    );
    assert_eq!(
        (&found["giniBefore"], &found["giniAfter"]),
        (&500.into(), &500.into())
    );
    assert_eq!(found["doctors"][0]["name"], "王医生");
    assert_eq!(found["parts"][0]["part"], "speciality");

    let days = "from 2026-03-02 to 2026-03-03";
    is_refused(
        url,
        &["--day", "2026-02-01"],
        &["`2026-02-01`", "no order was offered", days],
    );
    is_refused(
        url,
        &["--day", "9000-01-01"],
        &["in the future", "today is", days],
    );
    for wrong in ["monday", "2026-02-30", "20260302", "2026-03-02T10:00"] {
        is_refused(
            url,
            &["--day", wrong],
            &["--day", wrong, "such as 2026-03-02"],
        );
    }
    let weights = |text| ["--day", "2026-03-02", "--weights", text];
    is_refused(
        url,
        &weights("speed=1"),
        &["--weights", "`speed`", "speciality, acceptance"],
    );
    is_refused(
        url,
        &weights("load=-5"),
        &["--weights", "`-5`", "0 to 1000000"],
    );
    is_refused(url, &weights("load"), &["`load`", "speciality=300"]);
}

fn words(url: &str, arguments: &[&str]) -> String {
    let output = replay(url, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_is_replayed_on_sqlite() {
    let fresh = fresh_sqlite().await.expect("a database");
    is_refused(
        &fresh.url,
        &["--day", "2026-03-02"],
        &["no offers in this database yet"],
    );
    a_day(&fresh).await;
    fresh.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_is_replayed_on_postgres() {
    let fresh = fresh_postgres().await.expect("a database");
    a_day(&fresh).await;
    fresh.close().await.expect("closed");
}
