//! Hours that come every week (spec 10, clinic mode): published seven days ahead, by themselves.

use crate::harness::scenes::then;
use crate::harness::{Person, World};
use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/doctors/me/weekly";

/// Monday 09:00 is when a test begins: these hours begin half an hour later.
fn monday_morning() -> Value {
    json!({
        "weekday": 1, "from": "09:30", "to": "11:30", "slotMinutes": 60, "capacity": 2,
        "consultationType": "text", "price": { "amount": 5000, "currency": "CNY" }, "note": "慢病复诊",
    })
}

fn with(change: &Value) -> Value {
    let mut hours = monday_morning();
    for (name, value) in change.as_object().expect("an object") {
        hours[name] = value.clone();
    }
    hours
}

/// The begins of a doctor's sessions that patients can see, with their status.
async fn published(world: &World, doctor: &Person) -> Vec<(String, String)> {
    let patient = world.patient().await;
    let seen = world
        .get(&patient, &format!("/sessions?doctor={}", doctor.id))
        .await;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let sessions = seen.data().as_array().expect("a list");
    sessions
        .iter()
        .map(|one| {
            (
                text(&one["beginsAt"])[..16].to_owned(),
                text(&one["status"]),
            )
        })
        .collect()
}

fn scheduled(begins: &[&str]) -> Vec<(String, String)> {
    begins
        .iter()
        .map(|at| ((*at).to_owned(), "SCHEDULED".to_owned()))
        .collect()
}

journey!(weekly_hours_publish_themselves_seven_days_ahead, |world| {
    let doctor = world.doctors[0].clone();
    let begun = world.post(&doctor, PATH, monday_morning()).await;
    assert_eq!(begun.data()["sessions"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        published(world, &doctor).await,
        scheduled(&["2026-03-02T01:30"])
    );
    // The same again is the same: nothing is published twice.
    let again = world.post(&doctor, PATH, monday_morning()).await;
    assert_eq!(again.data()["id"], begun.data()["id"]);
    world.pass(Span::minutes(29)).await;
    assert_eq!(published(world, &doctor).await.len(), 1);
    // As this week's begins, next week's is seven days ahead.
    world.pass(Span::minutes(1)).await;
    let both = scheduled(&["2026-03-02T01:30", "2026-03-09T01:30"]);
    assert_eq!(published(world, &doctor).await, both);
    let shown = world.get(&doctor, PATH).await;
    assert_eq!(
        shown.data()[0]["sessions"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(
        (&shown.data()[0]["from"], &shown.data()[0]["blocked"]),
        (&json!("09:30"), &json!([]))
    );
    // Two weeks on there is one for every week, and the ones that nobody opened have run out.
    for _ in 0..14 {
        world.pass(Span::hours(24)).await;
    }
    let all = published(world, &doctor).await;
    let status: Vec<&str> = all.iter().map(|one| one.1.as_str()).collect();
    assert_eq!(status, ["EXPIRED", "EXPIRED", "SCHEDULED", "SCHEDULED"]);
});

journey!(
    a_cancelled_day_stays_cancelled_and_is_booked_like_any_other,
    |world| {
        let (doctor, patient) = (world.doctors[0].clone(), world.patient().await);
        world.post(&doctor, PATH, monday_morning()).await.data();
        let sessions = world
            .get(&patient, &format!("/sessions?doctor={}", doctor.id))
            .await;
        let session = sessions.data()[0].clone();
        assert_eq!(
            (&session["note"], &session["slots"][1]["capacity"]),
            (&json!("慢病复诊"), &json!(2))
        );
        let order = world.paid_clinic(&patient, &session, 1).await;
        world.cancel_session(&doctor, &session).await;
        world
            .ended(&order, 901, 5_000, 5_000, &[100, 101, 300, 301, 502, 901])
            .await;
        world.pass(Span::minutes(5)).await;
        let all = published(world, &doctor).await;
        assert_eq!(
            all,
            [("2026-03-02T01:30".to_owned(), "CANCELLED".to_owned())]
        );
    }
);

journey!(
    what_somebody_has_booked_stays_when_weekly_hours_end,
    |world| {
        let (doctor, patient) = (world.doctors[0].clone(), world.patient().await);
        let begun = world.post(&doctor, PATH, monday_morning()).await;
        let tuesday = with(&json!({ "weekday": 2 }));
        let other = world.post(&doctor, PATH, tuesday).await;
        let sessions = world
            .get(&patient, &format!("/sessions?doctor={}", doctor.id))
            .await;
        let order = world.paid_clinic(&patient, &sessions.data()[0], 0).await;
        let end = async |weekly: &Value, who: &Person| {
            let path = format!("{PATH}/{}", weekly["id"].as_str().expect("an id"));
            world.call(who, Method::DELETE, &path, None).await
        };
        end(begun.data(), &world.doctors[1])
            .await
            .refused(404, "6002");
        let left = end(begun.data(), &doctor).await;
        assert_eq!(left.data()["booked"][0]["id"], sessions.data()[0]["id"]);
        assert_eq!(end(other.data(), &doctor).await.data()["booked"], json!([]));
        end(other.data(), &doctor).await.refused(404, "6002");
        let all = published(world, &doctor).await;
        let status: Vec<&str> = all.iter().map(|one| one.1.as_str()).collect();
        assert_eq!(status, ["SCHEDULED", "CANCELLED"]);
        assert_eq!(world.get(&doctor, PATH).await.data(), &json!([]));
        world.pass(Span::minutes(30)).await;
        assert_eq!(published(world, &doctor).await.len(), 2, "no further week");
        world.open(&doctor, &sessions.data()[0]).await;
        world
            .act(&patient, &order, "check-in", json!({}))
            .await
            .data();
        world
            .ended(&order, 302, 5_000, 0, &then(&[100, 101, 300, 301], &[302]))
            .await;
        world.cancel_session(&doctor, &sessions.data()[0]).await;
    }
);

journey!(
    another_session_in_the_way_blocks_its_day_until_it_is_gone,
    |world| {
        let doctor = world.doctors[0].clone();
        let session = world.publish(&doctor, 60, 1, 3).await;
        let begun = world.post(&doctor, PATH, monday_morning()).await;
        assert_eq!(
            (&begun.data()["sessions"], &begun.data()["blocked"]),
            (&json!([]), &json!(["2026-03-02"]))
        );
        world.cancel_session(&doctor, &session).await;
        let shown = world.get(&doctor, PATH).await;
        assert_eq!(shown.data()[0]["blocked"], json!([]));
        assert_eq!(
            shown.data()[0]["sessions"].as_array().map(Vec::len),
            Some(1)
        );
    }
);

journey!(weekly_hours_that_make_no_sense_are_refused, |world| {
    let doctor = world.doctors[0].clone();
    world.post(&doctor, PATH, monday_morning()).await.data();
    let wrong = [
        (json!({ "weekday": 8 }), "weekday", "1 (Monday)"),
        (json!({ "from": "9:00" }), "from", "09:00"),
        (json!({ "from": "09:60" }), "from", "09:00"),
        (json!({ "to": "24:01" }), "to", "09:00"),
        (json!({ "to": "08:00" }), "to", "later than from"),
        (json!({ "slotMinutes": 50 }), "slotMinutes", "divide"),
        (json!({ "capacity": 0 }), "capacity", "1 to 100"),
        (
            json!({ "from": "11:00", "to": "13:00" }),
            "from",
            "09:30 to 11:30",
        ),
        (
            json!({ "price": { "amount": 0, "currency": "CNY" } }),
            "price.amount",
            "at least 1",
        ),
    ];
    for (change, field, words) in wrong {
        let answer = world.post(&doctor, PATH, with(&change)).await;
        answer.refused(422, "6001");
        let detail = &answer.body["error"]["details"][0];
        let said = detail["message"].as_str().expect("words");
        assert!(detail["field"] == field && said.contains(words), "{detail}");
    }
    world
        .post(&world.operator, PATH, monday_morning())
        .await
        .refused(403, "1003");
    assert_eq!(
        world
            .get(&doctor, PATH)
            .await
            .data()
            .as_array()
            .map(Vec::len),
        Some(1)
    );
});
