//! A whole day in a clinic (spec 10, clinic mode): thirty booked patients and ten who walk in, one
//! queue, a late doctor, a pause, missed calls and cancels; and in the afternoon a session that ends
//! half-way.

use crate::harness::scenes::summary;
use crate::harness::{Person, World};
use domain::Span;
use serde_json::{Value, json};

const PRICE: i64 = 5_000;
const TO_BOOKED: [i64; 4] = [100, 101, 300, 301];
const WALKED_IN: [i64; 3] = [100, 101, 300];
const CANCELLED: [i64; 4] = [500, 501, 502, 901];

/// One patient's visit, and how it must have gone.
struct Visit {
    patient: Person,
    order: String,
    path: Vec<i64>,
    refunded: i64,
}

impl Visit {
    fn goes(&mut self, statuses: &[i64]) {
        self.path.extend(statuses);
    }

    fn is_refunded(&mut self, amount: i64, statuses: &[i64]) {
        self.refunded = amount;
        self.goes(statuses);
    }
}

/// The day as it should go: visits by the order of their numbers, and who waits, next first.
struct Day<'a> {
    world: &'a World,
    doctor: Person,
    session: Value,
    visits: Vec<Visit>,
    queue: Vec<usize>,
}

impl Day<'_> {
    /// Somebody pays for a slot: their number is the next one.
    async fn book(&mut self, slot: usize, path: &[i64]) -> usize {
        let patient = self.world.patient().await;
        let order = self.world.paid_clinic(&patient, &self.session, slot).await;
        self.visits.push(Visit {
            patient,
            order,
            path: path.to_vec(),
            refunded: 0,
        });
        self.visits.len() - 1
    }

    async fn patient(&self, visit: usize, action: &str) {
        let Visit { patient, order, .. } = &self.visits[visit];
        let done = self.world.act(patient, order, action, json!({})).await;
        done.data();
        self.world.settle().await;
    }

    async fn cancels(&mut self, visit: usize, refunded: i64) {
        let Visit { patient, order, .. } = &self.visits[visit];
        self.world.cancel(patient, order).await;
        self.visits[visit].is_refunded(refunded, &CANCELLED);
        self.queue.retain(|waiting| *waiting != visit);
    }

    /// What the doctor sees is what the day says.
    async fn sees(&self) {
        let id = self.session["id"].as_str().expect("id");
        let seen = self
            .world
            .get(&self.doctor, &format!("/sessions/{id}/queue"))
            .await;
        let seen: Vec<&str> = seen.data()["waiting"]
            .as_array()
            .expect("a queue")
            .iter()
            .filter_map(|place| place["orderId"].as_str())
            .collect();
        let expected: Vec<&str> = self
            .queue
            .iter()
            .map(|visit| self.visits[*visit].order.as_str())
            .collect();
        assert_eq!(seen, expected);
    }

    /// The next one is called, and it is the one who should be.
    async fn calls(&mut self) -> usize {
        self.sees().await;
        let next = self.queue.remove(0);
        let called = self.world.call_next(&self.doctor, &self.session).await;
        assert_eq!(called, self.visits[next].order);
        self.visits[next].goes(&[303]);
        next
    }

    /// Nobody answers: three places back, or to the end.
    async fn misses(&mut self, visit: usize) {
        self.world.pass(Span::minutes(2)).await;
        self.visits[visit].goes(&[305, 302]);
        let place = self.queue.len().min(3);
        self.queue.insert(place, visit);
    }

    async fn is_seen(&mut self, visit: usize, minutes: i64) {
        self.patient(visit, "answer").await;
        let order = self.visits[visit].order.clone();
        self.world
            .act(&self.doctor, &order, "start", json!({}))
            .await
            .data();
        self.world.pass(Span::minutes(minutes)).await;
        self.world
            .act(&self.doctor, &order, "finish", summary())
            .await
            .data();
        self.visits[visit].goes(&[400, 401, 900]);
    }

    async fn session_does(&self, action: &str) -> crate::harness::Answer {
        let id = self.session["id"].as_str().expect("id");
        let path = format!("/sessions/{id}/{action}");
        self.world.post(&self.doctor, &path, json!({})).await
    }

    /// Every visit ended as it should: status, money, journal and ledger.
    async fn ended(&self) {
        for visit in &self.visits {
            let status = *visit.path.last().expect("a path");
            self.world
                .ended(&visit.order, status, PRICE, visit.refunded, &visit.path)
                .await;
        }
    }
}

journey!(a_morning_with_thirty_booked_and_ten_who_walk_in, |world| {
    let doctor = world.doctors[0].clone();
    let session = world.publish(&doctor, 60, 4, 14).await;
    let mut day = Day {
        world,
        doctor,
        session,
        visits: Vec::new(),
        queue: Vec::new(),
    };
    for booked in 0..30 {
        day.book(booked % 3, &TO_BOOKED).await;
    }
    // Before the session: three cancel, one will come late and one not at all.
    for gone in [3, 13, 23] {
        day.cancels(gone, PRICE).await;
    }
    let (late, absent) = (16, 6);
    day.world.pass(Span::minutes(50)).await;
    let here: Vec<usize> = (0..30)
        .filter(|v| ![3, 13, 23, late, absent].contains(v))
        .collect();
    for visit in &here {
        day.patient(*visit, "check-in").await;
    }
    // The doctor is twenty minutes late, and nobody else is for that.
    day.world.pass(Span::minutes(30)).await;
    let (doctor, session) = (day.doctor.clone(), day.session.clone());
    day.world.open(&doctor, &session).await;
    for visit in &here {
        day.visits[*visit].goes(&[302]);
    }
    day.queue = here;
    day.queue.sort_by_key(|visit| (visit % 3, *visit));
    for slot in [0, 1, 2, 0, 1, 2, 0, 1, 2, 0] {
        let walked_in = day.book(slot, &WALKED_IN).await;
        day.visits[walked_in].goes(&[302]);
        // Behind those of the same slot who took their number earlier.
        let behind = |waiting: &usize| slot_of(*waiting) > slot;
        let place = day.queue.iter().position(behind).unwrap_or(day.queue.len());
        day.queue.insert(place, walked_in);
    }
    day.sees().await;
    // Ten minutes after the opening the late one comes: in time, at the place of their number.
    day.world.pass(Span::minutes(10)).await;
    day.patient(late, "check-in").await;
    day.visits[late].goes(&[302]);
    let place = day.queue.iter().position(|v| slot_of(*v) == 1 && *v > late);
    day.queue.insert(place.expect("some come after"), late);
    day.sees().await;
    assert_eq!(
        day.world.status(&day.visits[absent].order).await,
        301,
        "there is time until 10:35"
    );

    let mut never_answers = None;
    for call in 1.. {
        if day.queue.is_empty() {
            break;
        }
        if call == 9 {
            let choice = day.queue[4];
            let order = day.visits[choice].order.clone();
            let refused = day.world.act(&day.doctor, &order, "call", json!({})).await;
            refused.refused(422, "6001");
            let why = json!({ "reason": "胸痛，先看" });
            day.world.act(&day.doctor, &order, "call", why).await.data();
            day.queue.remove(4);
            day.visits[choice].goes(&[303]);
            day.is_seen(choice, 12).await;
            continue;
        }
        let visit = day.calls().await;
        match call {
            3 | 20 => day.misses(visit).await,
            5 => {
                never_answers = Some((visit, 1));
                day.misses(visit).await;
            }
            _ if never_answers == Some((visit, 1)) => {
                never_answers = Some((visit, 2));
                day.misses(visit).await;
            }
            _ if never_answers == Some((visit, 2)) => {
                never_answers = Some((visit, 3));
                day.world.pass(Span::minutes(2)).await;
                day.visits[visit].is_refunded(4_000, &[304, 502, 901]);
            }
            11 => day.cancels(visit, 4_250).await,
            13 => {
                day.patient(visit, "answer").await;
                day.visits[visit].goes(&[400]);
                day.cancels(visit, 4_000).await;
            }
            15 => {
                day.is_seen(visit, 8).await;
                day.cancels(day.queue[6], 4_500).await;
            }
            18 => {
                day.is_seen(visit, 5).await;
                day.session_does("pause").await.data();
                day.session_does("call-next").await.refused(409, "6003");
                day.world.pass(Span::minutes(15)).await;
                day.sees().await;
                day.session_does("resume").await.data();
            }
            _ => day.is_seen(visit, 4 + call % 5).await,
        }
    }
    assert!(
        matches!(never_answers, Some((_, 3))),
        "somebody was called three times"
    );
    day.visits[absent].goes(&[902]);
    day.session_does("close").await.data();
    day.ended().await;
    let seen = day
        .visits
        .iter()
        .filter(|visit| visit.path.last() == Some(&900))
        .count();
    assert_eq!((day.visits.len(), seen), (40, 40 - 3 - 1 - 1 - 3));
});

/// The slot of a visit of the morning: booked ones in turn, then the walk-ins in turn.
fn slot_of(visit: usize) -> usize {
    if visit < 30 {
        visit % 3
    } else {
        (visit - 30) % 3
    }
}

journey!(an_afternoon_that_ends_half_way, |world| {
    let doctor = world.doctors[0].clone();
    let session = world.publish(&doctor, 0, 2, 10).await;
    world.open(&doctor, &session).await;
    let mut day = Day {
        world,
        doctor,
        session,
        visits: Vec::new(),
        queue: Vec::new(),
    };
    for _ in 0..9 {
        let visit = day.book(0, &WALKED_IN).await;
        day.visits[visit].goes(&[302]);
        day.queue.push(visit);
    }
    for _ in 0..3 {
        let visit = day.calls().await;
        day.is_seen(visit, 7).await;
    }
    let with_the_doctor = day.calls().await;
    day.patient(with_the_doctor, "answer").await;
    let order = day.visits[with_the_doctor].order.clone();
    day.world
        .act(&day.doctor, &order, "start", json!({}))
        .await
        .data();
    let called = day.calls().await;
    day.world.cancel_session(&day.doctor, &day.session).await;
    // Who waits gets everything back; who is called too; who is with the doctor is seen to the end.
    day.visits[called].is_refunded(PRICE, &CANCELLED);
    for waiting in day.queue.clone() {
        day.visits[waiting].is_refunded(PRICE, &[502, 901]);
    }
    day.world
        .act(&day.doctor, &order, "finish", summary())
        .await
        .data();
    day.visits[with_the_doctor].goes(&[400, 401, 900]);
    day.session_does("call-next").await.refused(409, "6003");
    day.ended().await;
});
