//! The room over its WebSocket: order, resumption, receipts, presence, signalling, and what is wrong
//! with a frame (docs/api/room.md).

use crate::harness::World;
use crate::harness::live::{BEGUN, Live, address, said};
use domain::order::Role;
use domain::{OrderId, Span};
use futures::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use uuid::Uuid;

journey!(both_sides_see_the_same_lines_in_the_same_order, |world| {
    let patient = world.patient().await;
    let (order, doctor) = world.in_progress(&patient).await;
    let (mut one, welcome) = Live::enter(world, &patient, &order, 0).await;
    assert_eq!(
        (&welcome["role"], &welcome["open"]),
        (&json!("patient"), &json!(true))
    );
    let (mut other, welcome) = Live::enter(world, &doctor, &order, 0).await;
    assert_eq!(welcome["here"], json!(["patient", "doctor"]));
    assert_eq!(one.frame("presence").await["role"], "doctor");
    for n in 0..20 {
        one.say(&format!("p{n}")).await;
        other.say(&format!("d{n}")).await;
    }
    let (here, there) = (said(&mut one, 40).await, said(&mut other, 40).await);
    assert_eq!(here, there);
    let numbers: Vec<i64> = here.iter().map(|line| line.0).collect();
    assert_eq!(
        numbers,
        (BEGUN + 1..=BEGUN + 40).collect::<Vec<i64>>(),
        "no gaps, no repeats"
    );
});

journey!(a_lost_connection_goes_on_where_it_stopped, |world| {
    let patient = world.patient().await;
    let (order, doctor) = world.in_progress(&patient).await;
    let (mut one, _) = Live::enter(world, &patient, &order, 0).await;
    let id = one.say("收到了吗").await;
    assert_eq!(one.frame("ack").await["id"], json!(id));
    drop(one);
    let (mut other, _) = Live::enter(world, &doctor, &order, 0).await;
    for n in 0..250 {
        let line = engine::NewMessage {
            id: None,
            kind: store::MessageKind::Text,
            text: n.to_string(),
            file: None,
        };
        let of = OrderId(order.parse().expect("an id"));
        let posted = world.engine.post_message(of, doctor.id, Role::Doctor, line);
        posted.await.expect("posted");
    }
    said(&mut other, 251).await;
    let (mut again, _) = Live::enter(world, &patient, &order, BEGUN + 1).await;
    let missed = said(&mut again, 250).await;
    assert_eq!(missed.first().map(|line| line.0), Some(BEGUN + 2));
    assert_eq!(missed.last(), Some(&(BEGUN + 251, "249".to_owned())));
    again
        .send(json!({ "type": "message", "id": id, "text": "收到了吗" }))
        .await;
    assert_eq!(again.frame("ack").await["seq"], BEGUN + 1, "written once");
});

journey!(who_received_read_and_writes, |world| {
    let patient = world.patient().await;
    let (order, doctor) = world.in_progress(&patient).await;
    let (mut one, _) = Live::enter(world, &patient, &order, 0).await;
    let (mut other, _) = Live::enter(world, &doctor, &order, 0).await;
    one.say("您好").await;
    said(&mut other, 1).await;
    other.send(json!({ "type": "typing", "on": true })).await;
    assert_eq!(one.frame("typing").await["role"], "doctor");
    other.send(json!({ "type": "delivered", "seq": 3 })).await;
    let receipt = one.frame("receipt").await;
    assert_eq!(
        (&receipt["delivered"], &receipt["read"]),
        (&json!(3), &json!(0))
    );
    // Nobody can have read what was never said.
    other.send(json!({ "type": "read", "seq": 99 })).await;
    let receipt = one.frame("receipt").await;
    assert_eq!(
        (&receipt["delivered"], &receipt["read"]),
        (&json!(3), &json!(3))
    );
    let (_, welcome) = Live::enter(world, &patient, &order, 1).await;
    assert_eq!(welcome["receipts"][0]["read"], 3, "kept");
});

journey!(
    a_call_is_set_up_through_the_room_and_its_length_is_kept,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        let (mut one, _) = Live::enter(world, &patient, &order, 0).await;
        let (mut other, _) = Live::enter(world, &doctor, &order, 0).await;
        let offer = json!({ "sdp": "v=0" });
        other
            .send(json!({ "type": "signal", "kind": "offer", "data": offer }))
            .await;
        let heard = one.frame("signal").await;
        assert_eq!((&heard["kind"], &heard["data"]), (&json!("offer"), &offer));
        one.send(json!({ "type": "signal", "kind": "answer", "data": { "sdp": "v=0" } }))
            .await;
        assert_eq!(other.frame("signal").await["kind"], "answer");
        one.send(json!({ "type": "signal", "kind": "connected" }))
            .await;
        other.frame("signal").await;
        world.clock_passes(Span::seconds(95));
        other
            .send(json!({ "type": "signal", "kind": "hangup" }))
            .await;
        assert_eq!(said(&mut one, 1).await, [(BEGUN + 1, "95".to_owned())]);
        let path = format!("/orders/{order}/messages?after={BEGUN}");
        let lines = world.get(&patient, &path).await;
        assert_eq!(lines.data()[0]["kind"], "call");
    }
);

journey!(
    a_doctor_whose_connection_is_lost_for_two_minutes_ends_it,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        let (other, _) = Live::enter(world, &doctor, &order, 0).await;
        let (mut one, _) = Live::enter(world, &patient, &order, 0).await;
        drop(other);
        assert_eq!(one.frame("presence").await["here"], false);
        world
            .until(&order, |order| order["deadline"]["name"] == "doctor_lost")
            .await;
        let (back, _) = Live::enter(world, &doctor, &order, 0).await;
        world
            .until(&order, |order| order["deadline"]["name"] != "doctor_lost")
            .await;
        world.pass(Span::minutes(3)).await;
        assert_eq!(world.status(&order).await, 401, "they came back in time");
        drop(back);
        world
            .until(&order, |order| order["deadline"]["name"] == "doctor_lost")
            .await;
        world.pass(Span::minutes(2)).await;
        // Five minutes of service: 80 %.
        world.stands(&order, 901, 3000, 2400).await;
    }
);

journey!(a_frame_by_post_is_neither_coming_nor_going, |world| {
    let patient = world.patient().await;
    let (order, doctor) = world.in_progress(&patient).await;
    let path = format!("/orders/{order}/room");
    let words = json!({ "type": "message", "id": Uuid::from_u128(9), "text": "请稍等" });
    world.post(&doctor, &path, words).await.data();
    world
        .post(&patient, &path, json!({ "type": "read", "seq": 7 }))
        .await
        .data();
    world.pass(Span::minutes(3)).await;
    assert_eq!(world.status(&order).await, 401, "nobody was lost");
    let (_, welcome) = Live::enter(world, &patient, &order, 0).await;
    assert_eq!(
        welcome["receipts"][0]["read"], 3,
        "no further than what was said"
    );
});

journey!(the_room_closes_with_the_order_and_stays_readable, |world| {
    let patient = world.patient().await;
    let (order, doctor) = world.in_progress(&patient).await;
    let (mut one, _) = Live::enter(world, &patient, &order, 0).await;
    one.say("谢谢").await;
    one.frame("ack").await;
    let done = world
        .act(&doctor, &order, "finish", crate::harness::scenes::summary())
        .await;
    done.data();
    assert_eq!(one.frame("order").await["open"], false);
    one.say("还有一个问题").await;
    let refused = one.frame("error").await;
    assert_eq!(refused["code"], "2003", "{refused}");
    let (mut again, welcome) = Live::enter(world, &patient, &order, 0).await;
    assert_eq!(welcome["open"], false);
    let mut events = Vec::new();
    for seq in 1..=4 {
        let line = again.frame("message").await;
        assert_eq!(line["seq"], seq);
        events.push((line["event"].clone(), line["text"].clone()));
    }
    let words = [
        (json!("opened"), json!("诊室已开放，可以开始交流")),
        (json!("started"), json!("医生已开始问诊")),
        (Value::Null, json!("谢谢")),
        (json!("ended"), json!("医生已结束问诊")),
    ];
    assert_eq!(events, words, "who comes back reads what happened");
});

journey!(
    a_bad_frame_is_answered_and_the_connection_goes_on,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.in_progress(&patient).await;
        let (mut one, _) = Live::enter(world, &patient, &order, 0).await;
        for (frame, code) in [
            ("{", "6005"),
            ("[]", "6001"),
            (r#"{"type":"dance"}"#, "6001"),
            (r#"{"type":"typing","on":"yes"}"#, "6001"),
            (r#"{"type":"typing","on":true,"colour":1}"#, "6001"),
            (r#"{"type":"hello"}"#, "6001"),
            (r#"{"type":"message","id":"1","text":"x"}"#, "6001"),
        ] {
            let text = Message::Text(frame.to_owned().into());
            one.socket.send(text).await.expect("sent");
            let error = one.frame("error").await;
            assert_eq!(error["code"], code, "{frame} {error}");
        }
        let binary = Message::Binary(vec![0; 8].into());
        one.socket.send(binary).await.expect("sent");
        assert_eq!(one.frame("error").await["code"], "6005");
        one.send(json!({ "type": "ping" })).await;
        one.frame("pong").await;
        for _ in 0..200 {
            one.send(json!({ "type": "typing", "on": true })).await;
        }
        assert_eq!(one.frame("error").await["code"], "5002", "too many at once");
        let large = "x".repeat(70_000);
        one.send(json!({ "type": "message", "id": Uuid::nil(), "text": large }))
            .await;
        assert_eq!(one.closes().await, 1009);
    }
);

journey!(strangers_and_forged_tokens_are_turned_away, |world| {
    let patient = world.patient().await;
    let stranger = world.patient().await;
    let (order, _) = world.in_progress(&patient).await;
    let mut live = Live::open(world, &stranger, &order, 0).await;
    assert_eq!(live.frame("error").await["code"], "2001");
    assert_eq!(live.closes().await, 4404);
    for (token, code) in [(json!("forged"), "1004"), (Value::Null, "1004")] {
        let (socket, _) = connect_async(address(world, &order))
            .await
            .expect("a socket");
        let mut live = Live { socket };
        live.send(json!({ "type": "hello", "token": token })).await;
        assert_eq!(live.frame("error").await["code"], code);
        assert_eq!(live.closes().await, 4401);
    }
    let (socket, _) = connect_async(address(world, &order))
        .await
        .expect("a socket");
    let mut rude = Live { socket };
    rude.send(json!({ "type": "ping" })).await;
    assert_eq!(rude.frame("error").await["code"], "6001");
    assert_eq!(rude.closes().await, 1008);
    let mut request = address(world, &order)
        .into_client_request()
        .expect("a request");
    let header = format!("Bearer {}", world.token(&stranger).await);
    request
        .headers_mut()
        .insert("authorization", header.parse().expect("a header"));
    let refused = connect_async(request).await.expect_err("not theirs");
    assert!(matches!(refused, Error::Http(answer) if answer.status() == 404));
});

journey!(the_same_over_server_sent_events_and_post, |world| {
    let patient = world.patient().await;
    let (order, doctor) = world.in_progress(&patient).await;
    let path = format!("/orders/{order}/room");
    let words = json!({ "type": "message", "id": Uuid::from_u128(9), "text": "没有 WebSocket" });
    let ack = world.post(&patient, &path, words).await;
    assert_eq!(
        (&ack.data()["type"], &ack.data()["seq"]),
        (&json!("ack"), &json!(3))
    );
    let mut page = world.watch_path(&doctor, &format!("{path}/stream")).await;
    assert_eq!(page.next().await["type"], "welcome");
    for event in ["opened", "started"] {
        assert_eq!(page.next().await["event"], event);
    }
    assert_eq!(page.next().await["text"], "没有 WebSocket");
    let (mut one, _) = Live::enter(world, &patient, &order, 1).await;
    assert_eq!(page.next().await["type"], "presence");
    world
        .post(&doctor, &path, json!({ "type": "typing", "on": true }))
        .await
        .data();
    assert_eq!(one.frame("typing").await["role"], "doctor");
});
