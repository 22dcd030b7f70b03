//! Pictures, voice clips and documents in a consultation (spec 40, files): as announced, looked at,
//! and for the two and operations alone.

use crate::harness::scenes::summary;
use crate::harness::{Answer, Person, World};
use domain::Span;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt::Write;
use std::io::Cursor;

/// A photograph as a phone makes it, with a note of where it was taken.
fn photograph() -> Vec<u8> {
    let picture = RgbImage::from_fn(48, 32, |x, _| {
        Rgb([u8::try_from(x * 5).expect("small"), 80, 60])
    });
    let mut jpeg = Vec::new();
    DynamicImage::ImageRgb8(picture)
        .write_to(&mut Cursor::new(&mut jpeg), ImageFormat::Jpeg)
        .expect("drawn");
    let note = b"Exif\0\0taken at home, 31.2304 N 121.4737 E";
    let length = u16::try_from(note.len() + 2).expect("short").to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, note, &jpeg[2..]].concat()
}

/// So many seconds of silence, 8,000 bytes each.
fn clip(seconds: u32) -> Vec<u8> {
    let size = seconds * 8_000;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + size).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\x01\0\x08\0data");
    wav.extend(size.to_le_bytes());
    wav.resize(44 + size as usize, 0x80);
    wav
}

fn document() -> Vec<u8> {
    b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n".to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut text = String::new();
    for byte in hash.as_ref() {
        write!(text, "{byte:02x}").expect("a string");
    }
    text
}

fn holds(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|part| part == words)
}

async fn announce(world: &World, who: &Person, order: &str, kind: &str, size: usize) -> Answer {
    let name = match kind {
        "image/jpeg" => "皮疹.jpg",
        "audio/wav" => "咳嗽.wav",
        _ => "化验单.pdf",
    };
    let body = json!({
        "orderId": order, "purpose": "room", "name": name, "type": kind, "size": size,
    });
    world.post(who, "/files/upload-url", body).await
}

async fn put(world: &World, announced: &Value, bytes: Vec<u8>) -> Answer {
    let url = announced["url"].as_str().expect("an address");
    let request = world.raw(Method::PUT, url).await.body(bytes);
    world.send(request).await
}

async fn confirm(world: &World, who: &Person, id: &Value, bytes: &[u8]) -> Answer {
    let body = json!({ "fileId": id, "size": bytes.len(), "sha256": sha256(bytes) });
    world.post(who, "/files/confirm-upload", body).await
}

/// All the way: announced, sent and confirmed.
async fn upload(world: &World, who: &Person, order: &str, kind: &str, bytes: Vec<u8>) -> Value {
    let announced = announce(world, who, order, kind, bytes.len()).await;
    let announced = announced.data();
    put(world, announced, bytes.clone()).await.data();
    confirm(world, who, &announced["fileId"], &bytes)
        .await
        .data()
        .clone()
}

/// Reads by a link, without saying who one is: the link is enough.
async fn read(world: &World, url: &Value) -> (u16, reqwest::header::HeaderMap, Vec<u8>) {
    let url = url.as_str().expect("an address");
    let answer = world
        .raw(Method::GET, url)
        .await
        .send()
        .await
        .expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (
        status,
        headers,
        answer.bytes().await.expect("bytes").to_vec(),
    )
}

journey!(
    a_picture_a_clip_and_a_document_arrive_and_only_the_two_and_operations_read_them,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        let messages = format!("/orders/{order}/messages");
        let sent = [
            (&patient, "picture", "image/jpeg", photograph()),
            (&patient, "voice", "audio/wav", clip(7)),
            (&doctor, "file", "application/pdf", document()),
        ];
        for (who, kind, content_type, bytes) in sent {
            let file = upload(world, who, &order, content_type, bytes.clone()).await;
            let line = json!({ "kind": kind, "fileId": file["id"], "text": "请看" });
            let line = world.post(who, &messages, line).await;
            assert_eq!(line.data()["fileId"], file["id"]);
            let lines = world.get(&doctor, &messages).await;
            let last = lines.data().as_array().and_then(|all| all.last()).cloned();
            assert_eq!(last.as_ref(), Some(line.data()), "the other side sees it");

            let path = format!("/files/{}", file["id"].as_str().expect("an id"));
            for reader in [&patient, &doctor, &world.operator, &world.admin] {
                let seen = world.get(reader, &path).await;
                assert_eq!(seen.data()["contentType"], content_type);
                let (status, headers, content) = read(world, &seen.data()["url"]).await;
                assert_eq!(
                    (status, headers["content-type"].to_str().expect("text")),
                    (200, content_type)
                );
                assert_eq!(headers["x-content-type-options"], "nosniff");
                assert_eq!(
                    sha256(&content),
                    seen.data()["sha256"].as_str().expect("a hash")
                );
                if kind == "picture" {
                    assert!(
                        !holds(&content, b"taken at home"),
                        "where it was taken is nobody's business"
                    );
                    let drawn = image::load_from_memory(&content).expect("a picture");
                    assert_eq!((drawn.width(), drawn.height()), (48, 32));
                } else {
                    assert_eq!(content, bytes);
                }
            }
            for stranger in [&world.patient().await, &world.doctors[3]] {
                world.get(stranger, &path).await.refused(404, "6002");
            }
        }
        let clip = world.get(&doctor, &messages).await.data()[3]["fileId"].clone();
        let clip = world
            .get(
                &doctor,
                &format!("/files/{}", clip.as_str().expect("an id")),
            )
            .await;
        assert_eq!(clip.data()["durationMs"], 7_000);
        assert_eq!(
            (world.files.count("kept"), world.files.count("uploads")),
            (3, 0)
        );
    }
);

journey!(a_link_is_good_for_five_minutes_and_one_file, |world| {
    let patient = world.patient().await;
    let (order, doctor) = world.in_progress(&patient).await;
    let file = upload(world, &patient, &order, "audio/wav", clip(3)).await;
    let other = upload(world, &patient, &order, "application/pdf", document()).await;
    let path = format!("/files/{}", file["id"].as_str().expect("an id"));
    let url = world.get(&doctor, &path).await.data()["url"].clone();
    let text = url.as_str().expect("an address");
    let part = world
        .raw(Method::GET, text)
        .await
        .header("range", "bytes=44-143");
    let part = part.send().await.expect("an answer");
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 44-143/24044");
    assert_eq!(part.bytes().await.expect("bytes").as_ref(), [0x80; 100]);

    let (id, of) = (
        file["id"].as_str().expect("an id"),
        other["id"].as_str().expect("an id"),
    );
    for forged in [
        text.replace(id, of),
        text.replace("expires=1", "expires=2"),
        format!("/api/v1{path}/content"),
    ] {
        let (status, _, body) = read(world, &json!(forged)).await;
        let words = String::from_utf8(body).expect("text");
        assert!(status == 403 && words.contains("link"), "{status} {words}");
    }
    world.pass(Span::minutes(5)).await;
    let (status, _, body) = read(world, &url).await;
    let words = String::from_utf8(body).expect("text");
    assert!(
        status == 403 && words.contains("expired"),
        "{status} {words}"
    );
    assert_eq!(
        read(world, &world.get(&doctor, &path).await.data()["url"])
            .await
            .0,
        200
    );
});

journey!(what_is_not_taken_is_refused_before_it_is_sent, |world| {
    let patient = world.patient().await;
    let (order, doctor) = world.in_progress(&patient).await;
    let wrong = [
        (json!({ "type": "text/html" }), "type", "image/jpeg"),
        (json!({ "size": 10_485_761 }), "size", "10485760"),
        (json!({ "size": 0 }), "size", "1 to"),
        (json!({ "name": "../" }), "name", "rash.jpg"),
        (json!({ "purpose": "fun" }), "purpose", "room"),
    ];
    let good = json!({
        "orderId": order, "purpose": "room", "name": "a.jpg", "type": "image/jpeg", "size": 100,
    });
    for (change, field, words) in wrong {
        let mut body = good.clone();
        for (name, value) in change.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let answer = world.post(&patient, "/files/upload-url", body).await;
        answer.refused(422, "6001");
        let details = answer.body["error"]["details"].to_string();
        assert!(
            details.contains(field) && details.contains(words),
            "{details}"
        );
    }
    world
        .post(&world.operator, "/files/upload-url", good.clone())
        .await
        .refused(403, "1003");
    for stranger in [&world.patient().await, &world.doctors[3]] {
        world
            .post(stranger, "/files/upload-url", good.clone())
            .await
            .refused(404, "2001");
    }
    world.act(&doctor, &order, "finish", summary()).await.data();
    world
        .post(&patient, "/files/upload-url", good)
        .await
        .refused(409, "2003");
    assert_eq!(world.files.count("uploads"), 0);
});

journey!(
    what_was_sent_and_is_not_as_announced_is_refused_and_gone,
    |world| {
        let patient = world.patient().await;
        let (order, _) = world.in_progress(&patient).await;
        let page = b"<!doctype html><script>alert(1)</script>".to_vec();
        let cut = photograph()[..200].to_vec();
        for (kind, bytes, words) in [
            ("image/jpeg", page, "nothing that is taken"),
            ("image/jpeg", document(), "application/pdf"),
            ("image/jpeg", cut, "can't be read"),
            ("audio/wav", clip(301), "at most 300"),
        ] {
            let announced = announce(world, &patient, &order, kind, bytes.len()).await;
            let announced = announced.data();
            put(world, announced, bytes.clone()).await.data();
            let refused = confirm(world, &patient, &announced["fileId"], &bytes).await;
            refused.refused(422, "6001");
            let said = refused.body["error"].to_string();
            assert!(said.contains(words), "{said}");
            let again = confirm(world, &patient, &announced["fileId"], &bytes).await;
            again.refused(404, "6002");
        }
        let announced = announce(world, &patient, &order, "application/pdf", 20).await;
        let announced = announced.data();
        let early = confirm(world, &patient, &announced["fileId"], &[0; 20]).await;
        assert!(
            early.refused(422, "6001").contains("fileId"),
            "nothing came yet"
        );
        put(world, announced, document()).await.refused(413, "6001");
        put(world, announced, b"short".to_vec())
            .await
            .refused(422, "6001");
        put(world, announced, vec![b'x'; 20]).await.data();
        let other = confirm(world, &patient, &announced["fileId"], &[b'y'; 20]).await;
        other.refused(422, "6001");
        assert!(other.body["error"].to_string().contains("SHA-256"));
        assert_eq!(
            (world.files.count("kept"), world.files.count("uploads")),
            (0, 0)
        );
    }
);

journey!(
    a_line_shows_a_confirmed_file_of_its_sender_order_and_kind,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        let own = upload(world, &patient, &order, "image/jpeg", photograph()).await["id"].clone();
        let pending = announce(world, &patient, &order, "image/jpeg", 100)
            .await
            .data()["fileId"]
            .clone();
        let path = format!("/orders/{order}/messages");
        let unknown = json!("019cac0f-2680-7f27-ab24-f727eb990281");
        for (who, kind, file, words) in [
            (&patient, "picture", Value::Null, "upload it first"),
            (&patient, "picture", unknown, "no file of yours"),
            (&patient, "picture", pending, "not confirmed yet"),
            (&patient, "file", own.clone(), "is a picture"),
            (&patient, "text", own.clone(), "say so in kind"),
            (&doctor, "picture", own.clone(), "no file of yours"),
        ] {
            let line = json!({ "kind": kind, "fileId": file, "text": "看" });
            let answer = world.post(who, &path, line).await;
            answer.refused(422, "6001");
            let details = answer.body["error"]["details"].to_string();
            assert!(
                details.contains("fileId") && details.contains(words),
                "{details}"
            );
        }
        let second = world.patient().await;
        world.parallel_limit(&doctor, 3).await;
        let elsewhere = world.paid_dispatch(&second).await;
        world
            .act(&doctor, &elsewhere, "accept", json!({}))
            .await
            .data();
        let line = json!({ "kind": "picture", "fileId": own });
        let path = format!("/orders/{elsewhere}/messages");
        world.post(&second, &path, line).await.refused(422, "6001");
    }
);

journey!(
    an_upload_that_nobody_confirms_goes_after_a_day_and_the_rest_stays,
    |world| {
        let patient = world.patient().await;
        let (order, doctor) = world.in_progress(&patient).await;
        let kept = upload(world, &patient, &order, "application/pdf", document()).await;
        let announced = announce(world, &patient, &order, "image/jpeg", 200).await;
        let announced = announced.data();
        put(world, announced, photograph()[..200].to_vec())
            .await
            .data();
        assert_eq!(world.files.count("uploads"), 1);
        world.act(&doctor, &order, "finish", summary()).await.data();
        world.pass(Span::hours(25)).await;
        assert_eq!(
            (world.files.count("kept"), world.files.count("uploads")),
            (1, 0)
        );
        let gone = format!("/files/{}", announced["fileId"].as_str().expect("an id"));
        world.get(&patient, &gone).await.refused(404, "6002");
        let kept = format!("/files/{}", kept["id"].as_str().expect("an id"));
        let seen = world.get(&patient, &kept).await;
        assert_eq!(
            read(world, &seen.data()["url"]).await.2,
            document(),
            "also after the end"
        );
    }
);
