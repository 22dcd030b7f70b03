//! Files of an order's conversation: what is asked, what is answered, and the operations.
#![allow(
    dead_code,
    reason = "these are shapes for the document; nothing makes one"
)]

use super::schemas::Instant;
use super::{Asks, Gives, Row, Who, refer, row};
use crate::error::Code as C;
use std::collections::HashMap;
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod::{Get, Post, Put};
use utoipa::openapi::schema::Type;
use uuid::Uuid;

/// What a file is for.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum FilePurpose {
    /// The conversation of patient and doctor.
    Room,
}

/// What kind of file it is: pictures up to 10 MiB and 40 million pixels, voice up to 5 MiB and five
/// minutes, documents up to 20 MiB.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum FileKind {
    Picture,
    Voice,
    Document,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum FileStatus {
    /// Announced; nobody looked at it yet.
    Pending,
    /// Looked at, and found good.
    Ready,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct NewFile {
    order_id: Uuid,
    purpose: FilePurpose,
    #[schema(min_length = 1, max_length = 200, example = "皮疹.jpg")]
    name: String,
    /// Its media type: JPEG, PNG or WebP; Ogg with Opus, WebM, M4A, AAC, MP3 or WAV; PDF. What it
    /// really is, is found out when it is confirmed.
    #[schema(example = "image/jpeg")]
    r#type: String,
    /// How many bytes will be put.
    #[schema(minimum = 1, maximum = 20_971_520)]
    size: u64,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ConfirmedFile {
    file_id: Uuid,
    /// How many bytes were put.
    #[schema(minimum = 1)]
    size: u64,
    /// Of the bytes that were put, in hexadecimal digits.
    #[schema(min_length = 64, max_length = 64)]
    sha256: String,
}

/// Where to put a file, once and within a quarter of an hour.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Upload {
    file_id: Uuid,
    #[schema(example = "PUT")]
    method: String,
    /// An address of the bucket, or a path of this server.
    url: String,
    /// Headers to send.
    headers: HashMap<String, String>,
    expires_at: Instant,
}

/// What arrived.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Received {
    file_id: Uuid,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct File {
    id: Uuid,
    order_id: Uuid,
    owner_id: Uuid,
    purpose: FilePurpose,
    kind: FileKind,
    /// Without anything that could be taken for a folder, and with an ending that says what it is.
    name: String,
    content_type: String,
    status: FileStatus,
    /// Of what is kept: a picture is drawn anew.
    size: u64,
    /// Of what is kept, in hexadecimal digits.
    sha256: Option<String>,
    /// How long it lasts, where it is voice.
    duration_ms: Option<u64>,
    created_at: Instant,
    confirmed_at: Option<Instant>,
    /// Where it can be read until `expiresAt`, without a token: an address of the bucket, or a path
    /// of this server.
    url: Option<String>,
    expires_at: Option<Instant>,
}

const SIGNED: [Asks; 2] = [
    ("expires", "As in the link.", Type::Integer),
    ("signature", "As in the link.", Type::String),
];

/// Whoever has the link needs no token.
const HOLDER: Who = Who::Anybody;

pub fn files() -> Vec<Row> {
    use Gives::{Bare, One};
    let talking = Who::Only("the order's patient, its doctor");
    let announce = |path, words| {
        row(Post, path, words, One(refer::<Upload>))
            .takes::<NewFile>()
            .by(talking)
            .creates()
            .unkeyed()
            .fails(&[C::OrderNotFound, C::InvalidOrderStatus])
    };
    let confirm = |path, words| {
        row(Post, path, words, One(refer::<File>))
            .takes::<ConfirmedFile>()
            .by(talking)
            .unkeyed()
            .fails(&[C::NotFound, C::InvalidOrderStatus, C::Conflict])
    };
    let announcing = ("Announce a file: where to put it", "申请上传地址");
    let confirming = (
        "Confirm a file: it is looked at, and shown from then on",
        "确认上传",
    );
    vec![
        announce("/files/upload-url", announcing),
        announce("/files/presigned-url", announcing),
        confirm("/files/confirm-upload", confirming),
        confirm("/files/confirm", confirming),
        row(
            Get,
            "/files/{id}",
            ("A file, with a link that is good for five minutes", "文件"),
            One(refer::<File>),
        )
        .by(Who::Only(
            "the order's patient, its doctor, operator, admin",
        ))
        .fails(&[C::NotFound]),
        row(
            Put,
            "/files/{id}/content",
            ("Put the bytes, by a signed link", "上传内容"),
            One(refer::<Received>),
        )
        .by(HOLDER)
        .unkeyed()
        .takes_bytes()
        .asks(&SIGNED)
        .fails(&[C::InsufficientPermissions, C::NotFound, C::Conflict]),
        row(
            Get,
            "/files/{id}/content",
            (
                "The bytes, or a range of them, by a signed link",
                "文件内容",
            ),
            Bare("application/octet-stream", None),
        )
        .by(HOLDER)
        .asks(&SIGNED)
        .fails(&[C::InsufficientPermissions, C::NotFound]),
    ]
}
