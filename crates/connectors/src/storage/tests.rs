//! Both storages do the same; the bucket is played on loopback.

use super::{
    Content, LocalStorage, Part, Place, S3Config, S3ConfigError, S3Storage, S3UrlStyle, ShownAs,
    Storage, StorageError,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::IntoResponse;
use axum::routing::any;
use domain::{FileId, Span, Ts};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use uuid::Uuid;

fn now() -> Ts {
    Ts::parse("2026-03-02T01:00:00Z").unwrap()
}

fn id() -> FileId {
    FileId(Uuid::from_u128(rand::random()))
}

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("xinglin-files-{}", id()))
}

async fn all(storage: &dyn Storage, place: Place, part: Option<Part>) -> (u64, Vec<u8>) {
    let found = storage.get(place, part, now()).await.unwrap();
    let pieces: Vec<Bytes> = found.bytes.try_collect().await.unwrap();
    (found.size, pieces.concat())
}

fn pieces(size: u64, pieces: &'static [&'static str]) -> Content {
    let bytes = pieces.iter().map(|piece| match *piece {
        "broken" => Err(io::Error::other("the line is dead")),
        piece => Ok(Bytes::from_static(piece.as_bytes())),
    });
    Content {
        size,
        bytes: stream::iter(bytes).boxed(),
    }
}

/// What every storage does.
async fn keeps(storage: &dyn Storage) {
    let (upload, kept) = {
        let id = id();
        (Place::Upload(id), Place::Kept(id))
    };
    let missing = storage.get(upload, None, now()).await;
    assert!(matches!(missing, Err(StorageError::Missing(place)) if place == upload));
    storage.delete(upload, now()).await.unwrap();
    storage
        .put(upload, pieces(10, &["apricot", " gr"]), now())
        .await
        .unwrap();
    assert_eq!(
        all(storage, upload, None).await,
        (10, b"apricot gr".to_vec())
    );
    let part = Part { from: 3, length: 4 };
    assert_eq!(
        all(storage, upload, Some(part)).await,
        (10, b"icot".to_vec())
    );
    assert!(matches!(
        storage.get(kept, None, now()).await,
        Err(StorageError::Missing(_))
    ));
    storage
        .put(upload, Bytes::from_static(b"again").into(), now())
        .await
        .unwrap();
    assert_eq!(all(storage, upload, None).await, (5, b"again".to_vec()));
    storage.delete(upload, now()).await.unwrap();
    assert!(matches!(
        storage.get(upload, None, now()).await,
        Err(StorageError::Missing(_))
    ));
}

#[tokio::test]
async fn a_folder_keeps_files() {
    let folder = folder();
    let storage = LocalStorage::open(&folder).unwrap();
    keeps(&storage).await;
    let shown = ShownAs {
        content_type: "image/png",
        disposition: "inline".to_owned(),
    };
    let place = Place::Kept(id());
    assert_eq!(storage.upload_url(place, 1, Span::minutes(1), now()), None);
    assert_eq!(
        storage.download_url(place, &shown, Span::minutes(1), now()),
        None
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_folder_keeps_nothing_that_is_not_whole() {
    let folder = folder();
    let storage = LocalStorage::open(&folder).unwrap();
    let place = Place::Upload(id());
    let much = storage.put(place, pieces(3, &["ab", "cd"]), now()).await;
    assert!(matches!(much, Err(StorageError::TooMuch { announced: 3 })));
    let little = storage.put(place, pieces(5, &["ab", "cd"]), now()).await;
    assert!(matches!(
        little,
        Err(StorageError::TooLittle {
            announced: 5,
            received: 4
        })
    ));
    let broken = storage
        .put(place, pieces(5, &["ab", "broken", "cde"]), now())
        .await;
    assert!(matches!(
        broken,
        Err(StorageError::TooLittle { received: 2, .. })
    ));
    let left = std::fs::read_dir(folder.join("uploads")).unwrap().count();
    assert_eq!(left, 0, "nothing half-written stays");
    // What a crash left goes with its upload.
    let beside = folder.join("uploads").join(format!("{}.0123", place.id()));
    std::fs::write(&beside, "half").unwrap();
    storage.delete(place, now()).await.unwrap();
    assert!(!beside.exists());
    std::fs::remove_dir_all(folder).unwrap();
}

#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<HashMap<String, Bytes>>>);

/// A bucket as S3 has it, which looks at whether a request is signed and how.
async fn play(
    State(bucket): State<Bucket>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let signed = query.get("X-Amz-Signature").is_some_and(|s| s.len() == 64);
    let ours = query
        .get("X-Amz-Credential")
        .is_some_and(|c| c.starts_with("apricot/20260302/"));
    if !signed || !ours || query.get("X-Amz-Date").map(String::as_str) != Some("20260302T010000Z") {
        return (StatusCode::FORBIDDEN, HeaderMap::new(), Bytes::new());
    }
    let mut objects = bucket.0.lock().unwrap();
    let mut answer = HeaderMap::new();
    match (method, objects.get(&name).cloned()) {
        (Method::PUT, _) => {
            objects.insert(name, body);
            (StatusCode::OK, answer, Bytes::new())
        }
        (Method::DELETE, _) => {
            objects.remove(&name);
            (StatusCode::NO_CONTENT, answer, Bytes::new())
        }
        (_, None) => (StatusCode::NOT_FOUND, answer, Bytes::new()),
        (_, Some(object)) => {
            if let Some(shown) = query.get("response-content-type") {
                answer.insert("content-type", shown.parse().unwrap());
            }
            let Some(range) = headers.get("range") else {
                return (StatusCode::OK, answer, object);
            };
            let (from, last) = range.to_str().unwrap()[6..].split_once('-').unwrap();
            let (from, last): (usize, usize) = (from.parse().unwrap(), last.parse().unwrap());
            let whole = format!("bytes {from}-{last}/{}", object.len());
            answer.insert("content-range", whole.parse().unwrap());
            (
                StatusCode::PARTIAL_CONTENT,
                answer,
                object.slice(from..=last),
            )
        }
    }
}

async fn bucket() -> S3Config {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/files/{*name}", any(play));
    let router = router.with_state(Bucket::default());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    S3Config {
        endpoint,
        region: "cn-east-1".to_owned(),
        bucket: "files".to_owned(),
        style: S3UrlStyle::Path,
        access_key: "apricot".to_owned(),
        secret_key: "grove".to_owned(),
    }
}

#[tokio::test]
async fn a_bucket_keeps_files() {
    let storage = S3Storage::new(bucket().await).unwrap();
    keeps(&storage).await;
    let place = Place::Upload(id());
    for content in [pieces(3, &["ab", "cd"]), pieces(5, &["ab", "cd"])] {
        assert!(storage.put(place, content, now()).await.is_err());
        assert!(matches!(
            storage.get(place, None, now()).await,
            Err(StorageError::Missing(_))
        ));
    }
}

#[tokio::test]
async fn people_reach_a_bucket_by_signed_addresses() {
    let storage = S3Storage::new(bucket().await).unwrap();
    let place = Place::Upload(id());
    let put = storage
        .upload_url(place, 4, Span::minutes(15), now())
        .unwrap();
    assert!(
        put.contains("X-Amz-SignedHeaders=content-length%3Bhost"),
        "{put}"
    );
    assert!(put.contains("X-Amz-Expires=900"), "{put}");
    let client = reqwest::Client::new();
    let sent = client.put(&put).body("rash").send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let shown = ShownAs {
        content_type: "image/png",
        disposition: "inline; filename=\"a b.png\"".to_owned(),
    };
    let get = storage
        .download_url(place, &shown, Span::minutes(5), now())
        .unwrap();
    assert!(
        get.contains("response-content-disposition=inline%3B%20filename%3D%22a%20b.png%22"),
        "{get}"
    );
    let got = client.get(&get).send().await.unwrap();
    assert_eq!(got.headers()["content-type"], "image/png");
    assert_eq!(got.text().await.unwrap(), "rash");
    let bare = get.split('?').next().unwrap();
    assert_eq!(client.get(bare).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_bucket_that_is_away_is_told_without_its_signed_address() {
    let config = S3Config {
        endpoint: "http://127.0.0.1:1".to_owned(),
        ..bucket().await
    };
    let storage = S3Storage::new(config).unwrap();
    let place = Place::Kept(id());
    let error = storage
        .get(place, None, now())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("get") && !error.contains("Signature"),
        "{error}"
    );
}

#[tokio::test]
async fn a_bucket_that_is_none_is_refused() {
    let good = bucket().await;
    for endpoint in ["", "s3.example", "ftp://s3.example"] {
        let config = S3Config {
            endpoint: endpoint.to_owned(),
            ..good.clone()
        };
        assert_eq!(
            S3Storage::new(config).err(),
            Some(S3ConfigError::Endpoint(endpoint.to_owned()))
        );
    }
    let config = S3Config {
        style: S3UrlStyle::Virtual,
        ..good
    };
    assert!(
        matches!(S3Storage::new(config), Err(S3ConfigError::Bucket(_))),
        "an IP has no names below it"
    );
}
