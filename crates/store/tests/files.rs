//! Files of orders, on both engines.

// These are tests throughout, also where a helper is not marked as one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod common;

use common::{change, id, new_order, now};
use domain::file::{FileKind, FilePurpose, Media};
use domain::{FileId, OrderId, Span, UserId};
use store::testing::Fresh;
use store::{ConfirmedFile, StoredFile};

on_both!(
    a_file_is_confirmed_once,
    an_upload_can_be_forgotten_and_a_file_can_not,
    a_file_belongs_to_an_order,
);

fn upload(order: OrderId) -> StoredFile {
    StoredFile {
        id: FileId(id()),
        order,
        owner: UserId(id()),
        purpose: FilePurpose::Room,
        kind: FileKind::Voice,
        name: "早上.ogg".to_owned(),
        media: Media::Ogg,
        announced_size: 5 << 20,
        confirmed: None,
        created_at: now(),
    }
}

fn found() -> ConfirmedFile {
    ConfirmedFile {
        size: 4_711,
        sha256: [9; 32],
        duration_ms: Some(12_345),
        at: now() + Span::minutes(1),
    }
}

async fn a_file_is_confirmed_once(fresh: &Fresh) {
    let (store, order) = (&fresh.store, new_order());
    store.commit(change(&order)).await.unwrap();
    let file = upload(order.id);
    assert_eq!(store.file(file.id).await.unwrap(), None);
    store.insert_file(&file).await.unwrap();
    assert_eq!(store.file(file.id).await.unwrap(), Some(file.clone()));
    let (found, id) = (found(), file.id);
    let confirm = |media| store.confirm_file(id, "morning.mp3", media, &found);
    assert!(confirm(Media::Mp3).await.unwrap());
    assert!(!confirm(Media::Wav).await.unwrap(), "once");
    let kept = store.file(file.id).await.unwrap().unwrap();
    assert_eq!(
        (kept.name.as_str(), kept.media),
        ("morning.mp3", Media::Mp3)
    );
    assert_eq!(kept.confirmed, Some(found));
    assert_eq!((kept.announced_size, kept.created_at), (5 << 20, now()));
}

async fn an_upload_can_be_forgotten_and_a_file_can_not(fresh: &Fresh) {
    let (store, order) = (&fresh.store, new_order());
    store.commit(change(&order)).await.unwrap();
    let mut uploads = Vec::new();
    for minutes in [0, 1, 2, 3] {
        let file = StoredFile {
            created_at: now() + Span::minutes(minutes),
            ..upload(order.id)
        };
        store.insert_file(&file).await.unwrap();
        uploads.push(file.id);
    }
    let found = found();
    let confirmed = store.confirm_file(uploads[1], "a.ogg", Media::Ogg, &found);
    assert!(confirmed.await.unwrap());
    let before = now() + Span::minutes(3);
    let forgotten = store.forgotten_uploads(before, 100).await.unwrap();
    assert_eq!(forgotten, [uploads[0], uploads[2]], "oldest first");
    assert_eq!(
        store.forgotten_uploads(before, 1).await.unwrap(),
        [uploads[0]]
    );
    assert!(store.remove_upload(uploads[0]).await.unwrap());
    assert!(!store.remove_upload(uploads[0]).await.unwrap());
    assert!(!store.remove_upload(uploads[1]).await.unwrap(), "confirmed");
    assert_eq!(store.file(uploads[0]).await.unwrap(), None);
    assert!(store.file(uploads[1]).await.unwrap().is_some());
}

async fn a_file_belongs_to_an_order(fresh: &Fresh) {
    let nowhere = upload(OrderId(id()));
    assert!(fresh.store.insert_file(&nowhere).await.is_err());
    assert_eq!(fresh.store.file(nowhere.id).await.unwrap(), None);
}
