//! How journeys come to where they begin: steps that many of them share.

use super::{Answer, Person, World};
use domain::payment::GatewayName;
use domain::{Money, Span};
use reqwest::{Method, Response};
use sandbox::views::{Faults, PayCallback, PayRequest};
use serde_json::{Value, json};
use std::time::Duration;

/// What a dispatched text consultation costs, in fen.
pub const DISPATCH_PRICE: i64 = 3_000;

/// What a booked consultation costs, in fen.
pub const CLINIC_PRICE: i64 = 5_000;

/// From booking to an accepted dispatched consultation.
pub const TO_READY: [i64; 5] = [100, 101, 200, 201, 400];

/// The same, and begun.
pub const TO_SERVICE: [i64; 6] = [100, 101, 200, 201, 400, 401];

/// From booking to the queue of an open session.
pub const TO_QUEUE: [i64; 4] = [100, 101, 300, 302];

/// One path after the other.
pub fn then(before: &[i64], after: &[i64]) -> Vec<i64> {
    [before, after].concat()
}

/// What a doctor writes at the end.
pub fn summary() -> Value {
    json!({ "complaint": "头痛", "findings": "无异常", "advice": "休息" })
}

/// A page, open: the events that it gets.
pub struct Page {
    response: Response,
    unread: String,
}

impl Page {
    /// Waits until the page shows this status.
    pub async fn shows(&mut self, status: i64) {
        while self.next().await["statusCode"] != status {}
    }

    /// What the next event tells.
    pub async fn next(&mut self) -> Value {
        let event = tokio::time::timeout(Duration::from_secs(10), self.event()).await;
        event.expect("an event in time")
    }

    async fn event(&mut self) -> Value {
        loop {
            if let Some(end) = self.unread.find("\n\n") {
                let event: String = self.unread.drain(..end + 2).collect();
                // A sign of life has no data.
                if let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) {
                    return serde_json::from_str(data).expect("JSON");
                }
                continue;
            }
            let piece = self.response.chunk().await.expect("a stream");
            let piece = piece.expect("not its end");
            self.unread
                .push_str(std::str::from_utf8(&piece).expect("UTF-8"));
        }
    }
}

impl World {
    /// Somebody opens the order's page, and sees the order.
    pub async fn watch(&self, who: &Person, order: &str) -> Page {
        let mut page = self
            .watch_path(who, &format!("/orders/{order}/events"))
            .await;
        assert_eq!(page.next().await["id"], order);
        page
    }

    /// Opens a stream of events.
    pub async fn watch_path(&self, who: &Person, path: &str) -> Page {
        let token = self.token(who).await;
        let path = format!("/api/v1{path}");
        let request = self.raw(Method::GET, &path).await.bearer_auth(token);
        Page {
            response: request.send().await.expect("a stream"),
            unread: String::new(),
        }
    }

    /// Waits until an order is so; what makes it so happens beside the test.
    pub async fn until(&self, order: &str, is_so: impl Fn(&Value) -> bool) {
        let waits = async {
            loop {
                self.settle().await;
                if is_so(&self.order(order).await) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(10), waits).await;
        waited.expect("in time");
    }

    // --- dispatch mode ---

    /// A consultation in 400 with the first doctor.
    pub async fn ready(&self, patient: &Person) -> (String, Person) {
        let doctor = self.doctors[0].clone();
        self.online(&doctor, true).await;
        let order = self.paid_dispatch(patient).await;
        self.act(&doctor, &order, "accept", json!({})).await.data();
        (order, doctor)
    }

    /// A consultation in 401 with the first doctor.
    pub async fn in_progress(&self, patient: &Person) -> (String, Person) {
        let (order, doctor) = self.ready(patient).await;
        self.act(&doctor, &order, "start", json!({})).await.data();
        (order, doctor)
    }

    /// How many consultations a doctor may have in hand.
    pub async fn parallel_limit(&self, doctor: &Person, limit: i32) {
        let store = self.engine.store();
        let mut row = store.doctor(doctor.id).await.expect("read").expect("known");
        row.parallel_limit = limit;
        store.upsert_doctor(&row).await.expect("doctor");
    }

    /// The patient cancels, and it is taken.
    pub async fn cancel(&self, patient: &Person, order: &str) {
        self.act(patient, order, "cancel", json!({})).await.data();
    }

    // --- clinic mode ---

    /// The doctor opens a session.
    pub async fn open(&self, doctor: &Person, session: &Value) {
        let id = session["id"].as_str().expect("id");
        self.post(doctor, &format!("/sessions/{id}/open"), json!({}))
            .await
            .data();
        self.settle().await;
    }

    /// The doctor cancels a session.
    pub async fn cancel_session(&self, doctor: &Person, session: &Value) {
        let id = session["id"].as_str().expect("id");
        let body = json!({ "reason": "急诊" });
        self.post(doctor, &format!("/sessions/{id}/cancel"), body)
            .await
            .data();
        self.settle().await;
    }

    /// An open session with so many patients in its queue.
    pub async fn queue(&self, waiting: usize) -> (Person, Value, Vec<(Person, String)>) {
        let doctor = self.doctors[0].clone();
        let session = self.publish(&doctor, 0, 4, 100).await;
        self.open(&doctor, &session).await;
        let mut orders = Vec::new();
        for _ in 0..waiting {
            let patient = self.patient().await;
            let order = self.paid_clinic(&patient, &session, 0).await;
            assert_eq!(self.status(&order).await, 302);
            orders.push((patient, order));
        }
        (doctor, session, orders)
    }

    /// The doctor calls the next patient.
    pub async fn call_next(&self, doctor: &Person, session: &Value) -> String {
        let id = session["id"].as_str().expect("id");
        let path = format!("/sessions/{id}/call-next");
        let answer = self.post(doctor, &path, json!({})).await;
        answer.data()["id"].as_str().expect("id").to_owned()
    }

    // --- the gateway ---

    /// The payer pays, and the gateway's notice comes in this way.
    pub async fn pay_telling(&self, number: &str, callback: PayCallback) {
        let request = PayRequest {
            callback,
            ..Default::default()
        };
        self.sandbox.pay(number, request).expect("paid");
        self.settle().await;
    }

    /// What goes wrong at the gateway from now on.
    pub fn faults(&self, faults: Faults) {
        self.sandbox.set_faults(faults).expect("faults");
    }

    /// Nothing goes wrong any more.
    pub fn no_faults(&self) {
        self.faults(Faults::default());
    }

    /// An order in 102 whose first payment the payer failed, with the gateway's number of it.
    pub async fn failed_payment(&self, patient: &Person) -> (String, String) {
        let order = self.book_dispatch(patient).await;
        let number = self.submit(patient, &order).await;
        self.sandbox.fail(&number).expect("failed");
        self.pass(Span::seconds(10)).await;
        assert_eq!(self.status(&order).await, 102);
        (order, number)
    }

    // --- operations ---

    /// A refund of the order, by its place.
    pub async fn refund_of(&self, order: &str, place: usize) -> Value {
        self.order(order).await["refunds"][place].clone()
    }

    /// What an operator decides about the order's last refund, worked off.
    pub async fn operate(&self, order: &str, action: &str, body: Value) -> Answer {
        let now = self.order(order).await;
        let refunds = now["refunds"].as_array().expect("refunds").clone();
        let id = refunds.last().expect("a refund")["id"].clone();
        let path = format!("/payments/refunds/{}/{action}", id.as_str().expect("id"));
        let answer = self.post(&self.operator, &path, body).await;
        self.settle().await;
        answer
    }

    /// Tells the journey's end that the gateway holds this, and our books say nothing of it: somebody
    /// paid what is not ours.
    pub fn only_at_the_gateway(&self, money: Money) {
        self.only_at(GatewayName::WECHAT, money);
    }

    // --- the database ---

    /// The database refuses to write rows of this table, in the middle of whatever it is writing.
    pub async fn break_table(&self, table: &str) {
        let statements = if self.engine.store().engine_name() == "sqlite" {
            vec![format!(
                "CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )]
        } else {
            vec![
                "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'disk full'; END $$"
                    .to_owned(),
                format!(
                    "CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION broken()"
                ),
            ]
        };
        for statement in statements {
            self.fresh.execute(&statement).await.expect("broken");
        }
    }

    /// The database takes rows of this table again.
    pub async fn mend_table(&self, table: &str) {
        let statement = if self.engine.store().engine_name() == "sqlite" {
            "DROP TRIGGER broken".to_owned()
        } else {
            format!("DROP TRIGGER broken ON {table}")
        };
        self.fresh.execute(&statement).await.expect("mended");
    }

    /// Stops parts of the program, or lets them go on.
    pub async fn maintenance(&self, dispatch_paused: bool, numbers_paused: bool) {
        let path = "/admin/configs/maintenance";
        let version = self.get(&self.admin, path).await.data()["version"].clone();
        let value = json!({ "dispatchPaused": dispatch_paused, "numbersPaused": numbers_paused });
        let body = json!({ "value": value, "version": version });
        self.put(&self.admin, path, body).await.data();
        self.settle().await;
    }
}
