//! Two real browsers in one room: a video call between them, and what they show each other (spec 10,
//! the consultation itself; docs/api/room.md).

use crate::harness::browser::{Steering, Window};
use crate::harness::scenes::{TO_READY, then};
use crate::harness::{Person, World};
use domain::Span;
use serde_json::{Value, json};

const CLIENT: &str = include_str!("call.js");

/// Somebody's browser, in an order's room.
async fn enters(world: &World, steering: &Steering, who: &Person, order: &str) -> Window {
    let window = steering.open(world, CLIENT).await;
    let given = json!({ "token": world.token(who).await, "order": order });
    let welcome = window.run("return client.enter(given);", given).await;
    assert_eq!(welcome["open"], true);
    window
}

/// What has arrived, once at least ten frames and ten packets have.
async fn receives(window: &Window) -> Value {
    let wait = "for (let tries = 0; tries < 100; tries += 1) { \
                  const found = await client.received(); \
                  if (found.video > 10 && found.audio > 10 && found.width > 0) return found; \
                  await client.moment(200); } \
                return { ...await client.received(), errors: client.errors };";
    let found = window.run(wait, json!(null)).await;
    let at_least = |field: &str, least: i64| found[field].as_i64().is_some_and(|n| n > least);
    assert!(
        at_least("video", 10) && at_least("audio", 10) && at_least("width", 0),
        "{found}"
    );
    found
}

journey!(two_browsers_hold_a_video_call, |world| {
    let patient = world.patient().await;
    let (order, doctor) = world.in_progress(&patient).await;
    let steering = Steering::start().await;
    let one = enters(world, &steering, &patient, &order).await;
    let other = enters(world, &steering, &doctor, &order).await;
    other.run("return client.call();", json!(null)).await;
    for side in [&one, &other] {
        let connected = side
            .run("return client.connects(20000);", json!(null))
            .await;
        let errors = side.run("return client.errors;", json!(null)).await;
        assert_eq!((&connected, &errors), (&json!(true), &json!([])));
    }
    let (here, there) = (receives(&one).await, receives(&other).await);
    println!("the patient received {here}, the doctor {there}");
    world.clock_passes(Span::seconds(75));
    one.run("client.hangUp();", json!(null)).await;
    let ended = "for (let tries = 0; tries < 100; tries += 1) { \
                   const call = client.lines.find(line => line.kind === 'call'); \
                   if (call && !client.peer) return call; \
                   await client.moment(50); } \
                 throw new Error('no call was written down');";
    assert_eq!(other.run(ended, json!(null)).await["text"], "75");
    one.close().await;
    other.close().await;
});

journey!(
    a_call_without_a_way_fails_three_times_and_gives_all_back,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.ready(&patient).await;
        let steering = Steering::start().await;
        let one = enters(world, &steering, &patient, &order).await;
        let other = enters(world, &steering, &doctor, &order).await;
        // Both may only use a relay, and there is none.
        one.run("client.policy = 'relay';", json!(null)).await;
        for attempt in 1..=3 {
            other.run("return client.call('relay');", json!(null)).await;
            for side in [&other, &one] {
                assert_eq!(
                    side.run("return client.connects(1000);", json!(null)).await,
                    false
                );
                side.run("client.end();", json!(null)).await;
            }
            let failed =
                "return client.api('POST', `/orders/${client.order}/connection-failed`, given);";
            one.run(failed, json!({ "attempt": attempt })).await;
        }
        world.settle().await;
        world
            .ended(&order, 901, 3_000, 3_000, &then(&TO_READY, &[502, 901]))
            .await;
        one.close().await;
        other.close().await;
    }
);

journey!(
    a_picture_a_clip_and_a_document_are_shown_in_the_other_browser,
    |world| {
        let (patient, stranger) = (world.patient().await, world.patient().await);
        let (order, doctor) = world.in_progress(&patient).await;
        let steering = Steering::start().await;
        let one = enters(world, &steering, &patient, &order).await;
        let other = enters(world, &steering, &doctor, &order).await;
        for (share, kind) in [
            ("return client.sharePicture();", "picture"),
            ("return client.shareVoice(2000);", "voice"),
            ("return client.shareDocument();", "file"),
        ] {
            let file = one.run(share, json!(null)).await;
            assert_eq!(
                other
                    .run("return client.lineOf(given);", file.clone())
                    .await["kind"],
                kind
            );
            let shown = other.run("return client.open(given);", file.clone()).await;
            match kind {
                "picture" => assert_eq!(
                    (&shown["width"], &shown["height"]),
                    (&json!(320), &json!(200))
                ),
                "voice" => {
                    let length = shown["file"]["durationMs"].as_i64().expect("a length");
                    assert!((1_500..3_500).contains(&length), "{shown}");
                }
                _ => assert!(
                    shown["text"]
                        .as_str()
                        .is_some_and(|text| text.starts_with("%PDF-")),
                    "{shown}"
                ),
            }
            let path = format!("/files/{}", file.as_str().expect("an id"));
            assert_eq!(world.get(&world.operator, &path).await.data()["id"], file);
            world.get(&stranger, &path).await.refused(404, "6002");
            world
                .get(&world.doctors[3], &path)
                .await
                .refused(404, "6002");
        }
        one.close().await;
        other.close().await;
    }
);
