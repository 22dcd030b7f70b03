//! Whole consultations, by HTTP and in the room at once (spec 10, the consultation itself): in words,
//! by video with a connection that is lost, and by video that never comes about.

use crate::harness::live::{BEGUN, Live, said, told};
use crate::harness::scenes::{TO_READY, TO_SERVICE, summary, then};
use crate::harness::{Person, World};
use domain::Span;
use serde_json::{Value, json};

/// What a video consultation costs, in fen.
const VIDEO_PRICE: i64 = 8_000;

/// A paid video consultation that the first doctor has accepted.
async fn video(world: &World, patient: &Person) -> (String, Person) {
    let doctor = world.doctors[0].clone();
    world.online(&doctor, true).await;
    let body = json!({
        "kind": "consultation", "mode": "dispatch", "consultationType": "video",
        "departmentId": world.department, "complaint": "皮疹两天",
    });
    let booked = world.post(patient, "/orders", body).await;
    let order = booked.data()["id"].as_str().expect("an id").to_owned();
    let number = world.submit(patient, &order).await;
    world.pay_at_gateway(&number).await;
    world.act(&doctor, &order, "accept", json!({})).await.data();
    (order, doctor)
}

async fn signal(live: &mut Live, kind: &str, data: Value) {
    live.send(json!({ "type": "signal", "kind": kind, "data": data }))
        .await;
}

/// One side calls and the other answers; both say when they see each other.
async fn call(from: &mut Live, to: &mut Live, session: &str) {
    signal(from, "offer", json!({ "sdp": session })).await;
    let heard = to.frame("signal").await;
    assert_eq!(
        (&heard["kind"], &heard["data"]["sdp"]),
        (&json!("offer"), &json!(session))
    );
    signal(to, "answer", json!({ "sdp": session })).await;
    assert_eq!(from.frame("signal").await["kind"], "answer");
    signal(
        to,
        "candidate",
        json!({ "candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host" }),
    )
    .await;
    assert_eq!(from.frame("signal").await["kind"], "candidate");
    for (side, other) in [(&mut *from, &mut *to)] {
        signal(side, "connected", json!({})).await;
        assert_eq!(other.frame("signal").await["kind"], "connected");
    }
}

journey!(
    /// From booking to the rating, talked in the room: 100 → 101 → 200 → 201 → 400 → 401 → 900
    a_dispatched_text_consultation,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.ready(&patient).await;
        let (mut one, welcome) = Live::enter(world, &patient, &order, 0).await;
        assert_eq!((&welcome["status"], &welcome["open"]), (&json!("PENDING_CONSULTATION"), &json!(true)));
        let (mut other, _) = Live::enter(world, &doctor, &order, 0).await;
        assert_eq!(told(&mut other).await, "opened");
        world.act(&doctor, &order, "start", json!({})).await.data();
        assert_eq!(told(&mut other).await, "started");
        for (asked, answered) in [("哪里不舒服？", "头痛三天"), ("有发烧吗？", "没有")] {
            other.say(asked).await;
            assert_eq!(said(&mut one, 1).await[0].1, asked);
            one.say(answered).await;
            // One's own line comes back with its place, before the other's.
            said(&mut one, 1).await;
            let heard = said(&mut other, 2).await;
            assert_eq!(heard[1].1, answered);
            world.pass(Span::minutes(4)).await;
        }
        one.send(json!({ "type": "read", "seq": BEGUN + 3 })).await;
        assert_eq!(other.frame("receipt").await["read"], BEGUN + 3);
        let unwritten = world.act(&doctor, &order, "finish", json!({})).await;
        unwritten.refused(422, "6001");
        world.act(&doctor, &order, "finish", summary()).await.data();
        assert_eq!(told(&mut one).await, "ended");
        let rating = json!({ "stars": 5, "tags": ["attentive"], "words": "很耐心" });
        world.act(&patient, &order, "rate", rating).await.data();
        world.ended(&order, 900, 3_000, 0, &then(&TO_SERVICE, &[900])).await;
        let kept = world.order(&order).await;
        assert_eq!(kept["detail"]["summary"]["advice"], "休息");
        assert_eq!(kept["detail"]["rating"]["words"], "很耐心");
    }
);

journey!(
    /// The doctor's connection is lost for a minute: both meet again, the call goes on, and all of it
    /// is in the record.
    a_video_consultation_with_one_lost_connection,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = video(world, &patient).await;
        let (mut one, _) = Live::enter(world, &patient, &order, 0).await;
        let (mut other, _) = Live::enter(world, &doctor, &order, 0).await;
        world.act(&doctor, &order, "start", json!({})).await.data();
        call(&mut other, &mut one, "first").await;
        world.pass(Span::minutes(3)).await;
        drop(other);
        while one.frame("presence").await["here"] != false {}
        world.until(&order, |order| order["deadline"]["name"] == "doctor_lost").await;
        world.pass(Span::minutes(1)).await;
        let (mut other, _) = Live::enter(world, &doctor, &order, BEGUN).await;
        world.until(&order, |order| order["deadline"]["name"] != "doctor_lost").await;
        call(&mut other, &mut one, "second").await;
        world.pass(Span::minutes(6)).await;
        signal(&mut one, "hangup", json!({})).await;
        while other.frame("message").await["kind"] != "call" {}
        world.act(&doctor, &order, "finish", summary()).await.data();
        world.ended(&order, 900, VIDEO_PRICE, 0, &then(&TO_SERVICE, &[900])).await;
        let lines = world.get(&patient, &format!("/orders/{order}/messages")).await;
        let lines = lines.data().as_array().expect("lines").clone();
        let events: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
        assert_eq!(events, ["opened", "started", "doctor_away", "doctor_back", "ended"]);
        let calls: Vec<&str> = lines
            .iter()
            .filter(|line| line["kind"] == "call")
            .filter_map(|line| line["text"].as_str())
            .collect();
        assert_eq!(calls, ["180", "360"], "until the doctor was lost, and from then on");
    }
);

journey!(
    /// Three tries that both sides saw fail are three, not six: all money back.
    a_video_that_fails_three_times_gives_all_back,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = video(world, &patient).await;
        let (mut one, _) = Live::enter(world, &patient, &order, 0).await;
        let (mut other, _) = Live::enter(world, &doctor, &order, 0).await;
        for attempt in 1..=3 {
            signal(&mut other, "offer", json!({ "sdp": attempt.to_string() })).await;
            assert_eq!(one.frame("signal").await["kind"], "offer");
            world.ended(&order, 400, VIDEO_PRICE, 0, &TO_READY).await;
            let failed = json!({ "attempt": attempt });
            for side in [&patient, &doctor] {
                let told = world.act(side, &order, "connection-failed", failed.clone()).await;
                // The third one has ended it: the other side's word comes after the end.
                assert!(told.status.is_success() || attempt == 3, "{:#}", told.body);
            }
        }
        world.settle().await;
        world.ended(&order, 901, VIDEO_PRICE, VIDEO_PRICE, &then(&TO_READY, &[502, 901])).await;
        let refund = world.refund_of(&order, 0).await;
        assert_eq!((&refund["share"], &refund["fault"]), (&json!(100), &json!("system")));
        assert_eq!(refund["dueOn"], "2026-03-03", "a fault is paid back within one working day");
        let lines = world.get(&patient, &format!("/orders/{order}/messages")).await;
        let lines = lines.data().as_array().expect("lines").clone();
        let events: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
        let failed = ["connection_failed"; 3];
        assert_eq!(events, [&["opened"], &failed[..], &["broken_off"]].concat());
        one.say("还在吗").await;
        assert_eq!(one.frame("error").await["code"], "2003", "the room is closed");
    }
);
