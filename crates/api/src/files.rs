//! Files of an order's conversation (spec 40, files; spec 80): where to put them, that they are there,
//! and links to read them by.

use crate::AppState;
use crate::error::{ApiError, Code};
use crate::extract::{Asked, Caller, Data, NotNow, Query, id};
use crate::ranges::{self, Wanted};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::file::FilePurpose;
use domain::order::Role;
use domain::{FileId, OrderId};
use engine::files::{ByteStream, FileRefusal, GoodUntil, Link, NewFile, SignedLink, shown_as};
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write;
use std::io;
use store::StoredFile;

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/files/upload-url", post(upload_url))
        .route("/files/presigned-url", post(upload_url))
        .route("/files/confirm-upload", post(confirm))
        .route("/files/confirm", post(confirm))
        .route("/files/{id}", get(show))
        .route("/files/{id}/content", get(read).put(upload))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Announced {
    order_id: OrderId,
    purpose: FilePurpose,
    name: String,
    #[serde(rename = "type")]
    content_type: String,
    size: u64,
}

async fn upload_url(
    State(state): State<AppState>,
    asked: Asked<Announced>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Patient, Role::Doctor])?;
    let body = asked.body;
    let order = state.visible(body.order_id, asked.caller).await?.id;
    let new = NewFile {
        order,
        purpose: body.purpose,
        name: body.name,
        content_type: body.content_type,
        size: body.size,
    };
    let announced = state.engine.announce_file(asked.caller.user, new).await;
    let (file, good) = announced.map_err(ApiError::from)?;
    let value = json!({
        "fileId": file.id, "method": "PUT", "url": address(file.id, &good.link),
        "headers": { "Content-Type": file.media.mime() }, "expiresAt": good.expires_at,
    });
    Ok(Data {
        status: StatusCode::CREATED,
        value,
        page: None,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Confirmed {
    file_id: FileId,
    size: u64,
    sha256: String,
}

async fn confirm(State(state): State<AppState>, asked: Asked<Confirmed>) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Patient, Role::Doctor])?;
    let (body, owner) = (asked.body, asked.caller.user);
    let sha256 = digits(&body.sha256)
        .ok_or_else(|| ApiError::field("sha256", "must be 64 hexadecimal digits"))?;
    // Somebody who lost the order since then has lost its files too.
    visible_file(&state, body.file_id, asked.caller).await?;
    let confirmed = state
        .engine
        .confirm_file(body.file_id, owner, body.size, sha256);
    let file = confirmed.await.map_err(ApiError::from)?;
    Ok(seen(&state, &file)?.into())
}

async fn show(
    State(state): State<AppState>,
    caller: Caller,
    Path(file): Path<String>,
) -> Result<Data, ApiError> {
    let file = visible_file(&state, id(&file)?, caller).await?;
    Ok(seen(&state, &file)?.into())
}

/// The file, if the caller may see its order; before it is confirmed, it is its owner's alone.
async fn visible_file(
    state: &AppState,
    id: FileId,
    caller: Caller,
) -> Result<StoredFile, ApiError> {
    let file = state.engine.store().file(id).await?;
    let file = file.filter(|file| file.confirmed.is_some() || file.owner == caller.user);
    let file = file.ok_or_else(no_file)?;
    match state.visible(file.order, caller).await {
        Ok(_) => Ok(file),
        Err(error) if error.code == Code::OrderNotFound => Err(no_file()),
        Err(error) => Err(error),
    }
}

fn no_file() -> ApiError {
    engine::EngineError::NoSuch { thing: "file" }.into()
}

/// A file with a link to it.
fn seen(state: &AppState, file: &StoredFile) -> Result<Value, ApiError> {
    let link = state.engine.reading_link(file)?;
    Ok(view(file, link.as_ref()))
}

/// A file as it is shown.
pub(crate) fn view(file: &StoredFile, link: Option<&GoodUntil>) -> Value {
    let confirmed = file.confirmed.as_ref();
    json!({
        "id": file.id, "orderId": file.order, "ownerId": file.owner,
        "purpose": file.purpose.name(), "kind": file.kind.name(), "name": file.name,
        "contentType": file.media.mime(),
        "status": if confirmed.is_some() { "ready" } else { "pending" },
        "size": confirmed.map_or(file.announced_size, |found| found.size),
        "sha256": confirmed.map(|found| hex(&found.sha256)),
        "durationMs": confirmed.and_then(|found| found.duration_ms),
        "createdAt": file.created_at, "confirmedAt": confirmed.map(|found| found.at),
        "url": link.map(|good| address(file.id, &good.link)),
        "expiresAt": link.map(|good| good.expires_at),
    })
}

/// Where a link leads: to another server, or to this one, wherever it is reached.
fn address(file: FileId, link: &Link) -> String {
    match link {
        Link::Elsewhere(url) => url.clone(),
        Link::Here(SignedLink { expires, signature }) => {
            format!("/api/v1/files/{file}/content?expires={expires}&signature={signature}")
        }
    }
}

/// The signed part of an address; what is missing or unreadable is as good as forged.
fn link_of(uri: &Uri) -> Result<SignedLink, ApiError> {
    let query = Query::of(uri, &["expires", "signature"])?;
    let expires = query.get("expires", "a number", |text| text.parse().ok())?;
    let signature = query.get("signature", "text", |text| Some(text.to_owned()))?;
    match (expires, signature) {
        (Some(expires), Some(signature)) => Ok(SignedLink { expires, signature }),
        _ => Err(engine::EngineError::from(FileRefusal::LinkForged).into()),
    }
}

/// How much of what nobody wants is still read, so that its sender gets to read the answer.
const DRAIN_LIMIT: usize = 32 << 20;

async fn upload(
    State(state): State<AppState>,
    Path(file): Path<String>,
    request: Request,
) -> Result<Data, ApiError> {
    let link = link_of(request.uri())?;
    let (sender, receiver) = mpsc::channel(1);
    let id: FileId = id(&file)?;
    let pumping = pump(request.into_body(), sender);
    let receiving = state.engine.receive_file(id, &link, receiver.boxed());
    let ((), received) = tokio::join!(pumping, receiving);
    received?;
    Ok(json!({ "fileId": id }).into())
}

/// Hands a body's bytes on as they come, one piece at a time; once nobody takes them any more, the
/// rest is read and thrown away.
async fn pump(body: Body, mut to: mpsc::Sender<io::Result<Bytes>>) {
    let (mut bytes, mut wasted, mut wanted) = (body.into_data_stream(), 0, true);
    while let Some(piece) = bytes.next().await {
        let broken = piece.is_err();
        let length = piece.as_ref().map_or(0, |piece| piece.len());
        if wanted {
            wanted = to.send(piece.map_err(io::Error::other)).await.is_ok();
        }
        if !wanted {
            wasted += length;
        }
        if broken || wasted > DRAIN_LIMIT {
            return;
        }
    }
}

async fn read(
    State(state): State<AppState>,
    Path(file): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (file, found) = state
        .engine
        .linked_file(id(&file)?, &link_of(&uri)?)
        .await?;
    let wanted = ranges::wanted(headers.get(header::RANGE), found.size);
    let part = match wanted {
        Wanted::All => None,
        Wanted::Part(part) => Some(part),
        Wanted::Nothing => return Err(no_such_bytes()),
    };
    let bytes: ByteStream = state.engine.file_bytes(file.id, part).await?.bytes;
    let (status, length) = match part {
        None => (StatusCode::OK, found.size),
        Some(part) => (StatusCode::PARTIAL_CONTENT, part.length),
    };
    let body = Body::from_stream(bytes.inspect_err(|error| {
        tracing::warn!(%error, "a file broke off while it was read");
    }));
    let mut answer = (status, body).into_response();
    let to = answer.headers_mut();
    let shown = shown_as(&file);
    to.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(shown.content_type),
    );
    to.insert(header::CONTENT_LENGTH, length.into());
    if let Ok(disposition) = HeaderValue::from_str(&shown.disposition) {
        to.insert(header::CONTENT_DISPOSITION, disposition);
    }
    if let Some(part) = part {
        let last = part.from + part.length - 1;
        let range = format!("bytes {}-{last}/{}", part.from, found.size);
        if let Ok(range) = HeaderValue::from_str(&range) {
            to.insert(header::CONTENT_RANGE, range);
        }
    }
    for (name, value) in GUARDS {
        to.insert(name, HeaderValue::from_static(value));
    }
    Ok(answer)
}

fn no_such_bytes() -> ApiError {
    ApiError {
        status: Some(416),
        ..ApiError::from(Code::ValidationFailed)
            .saying("the file has no such bytes")
            .in_chinese(Some("文件没有这一段"))
    }
}

/// What goes with every file: whatever is in it, a browser runs nothing of it, and nobody between
/// here and there keeps it.
const GUARDS: [(header::HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; sandbox",
    ),
    (header::CACHE_CONTROL, "private, max-age=300"),
    (header::ACCEPT_RANGES, "bytes"),
];

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

fn digits(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = [0; 32];
    for (place, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(hash)
}
