//! Who asks, what they ask, and whether they asked it before.

use crate::AppState;
use crate::envelope::Context;
use crate::error::{ApiError, Code};
use crate::token::Rejected;
use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{
    ConnectInfo, FromRequest, FromRequestParts, OptionalFromRequestParts, Request,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::order::{Actor, Role};
use domain::{Span, UserId};
use engine::{Answer, Idempotency, Origin};
use futures::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use store::{IdempotencyRow, Page};
use uuid::Uuid;

/// The largest body: 1 MiB (spec 80).
pub const BODY_LIMIT: usize = 1 << 20;

/// How long an idempotency key may be repeated.
const KEY_AGE: Span = Span::hours(24);

/// A success to be put into the envelope.
#[derive(Debug, Clone)]
pub struct Data {
    /// The HTTP status.
    pub status: StatusCode,
    /// What.
    pub value: Value,
    /// Which part of how many rows, where it is a list.
    pub page: Option<Paged>,
}

/// Which part of a list.
#[derive(Debug, Clone)]
pub struct Paged {
    /// Which page.
    pub page: Page,
    /// How many rows there are in all, or from the cursor on.
    pub total: i64,
    /// What the next part is asked for with, where lists can be walked so.
    pub next: Option<String>,
}

impl Paged {
    /// A list by pages alone.
    pub fn new(page: Page, total: i64) -> Self {
        Self {
            page,
            total,
            next: None,
        }
    }
}

impl From<Value> for Data {
    fn from(value: Value) -> Self {
        Self {
            status: StatusCode::OK,
            value,
            page: None,
        }
    }
}

impl IntoResponse for Data {
    /// The envelope is put around it where the request's context is known.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: Role,
}

impl Caller {
    /// As the engine sees them.
    pub const fn actor(self) -> Actor {
        Actor::person(self.role, self.user)
    }

    /// Whose token it is.
    pub fn of_token(state: &AppState, token: &str) -> Result<Self, ApiError> {
        match state.tokens.verify(token, state.engine.now()) {
            Ok((user, role)) => Ok(Self { user, role }),
            Err(Rejected::Forged) => Err(Code::Unauthenticated.into()),
            Err(Rejected::Expired) => Err(Code::TokenExpired.into()),
        }
    }

    /// Whether they work in operations.
    pub const fn is_operations(self) -> bool {
        matches!(self.role, Role::Operator | Role::Admin)
    }

    /// Refuses everybody who is none of these.
    pub fn must_be(self, roles: &[Role]) -> Result<(), ApiError> {
        if roles.contains(&self.role) {
            return Ok(());
        }
        let who: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        let words = format!("only {} may do this", who.join(" or "));
        let roles: Vec<&str> = roles.iter().map(|role| role_in_chinese(*role)).collect();
        let chinese = format!("只有{}可以做此操作", roles.join("或"));
        Err(ApiError::from(Code::InsufficientPermissions)
            .saying(words)
            .in_chinese(Some(chinese)))
    }
}

const fn role_in_chinese(role: Role) -> &'static str {
    match role {
        Role::Patient => "患者",
        Role::Doctor => "医生",
        Role::Operator => "运营人员",
        Role::Admin => "管理员",
        Role::Gateway => "支付渠道",
        Role::System => "系统",
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or(Code::Unauthenticated)?;
        Self::of_token(state, token.trim())
    }
}

impl OptionalFromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Option<Self>, ApiError> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(None);
        }
        let caller = <Self as FromRequestParts<AppState>>::from_request_parts(parts, state);
        caller.await.map(Some)
    }
}

impl FromRequestParts<AppState> for Context {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Code::Internal.into())
    }
}

/// Reads a body: the field that is wrong is named.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = if bytes.iter().all(u8::is_ascii_whitespace) {
        b"{}"
    } else {
        bytes
    };
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, cause) = (error.path().to_string(), error.inner());
        if cause.is_syntax() || cause.is_eof() {
            let words = format!("the body is no JSON: {cause}");
            return ApiError::from(Code::MalformedRequest)
                .saying(words)
                .in_chinese(Some(format!("请求体不是 JSON：{cause}")));
        }
        let message = without_place(&cause.to_string());
        ApiError::field(&field_of(&path, &message), message)
    })?;
    json.end().map_err(|error| {
        ApiError::from(Code::MalformedRequest)
            .saying(format!("the body is no JSON: {error}"))
            .in_chinese(Some(format!("请求体不是 JSON：{error}")))
    })?;
    Ok(value)
}

/// An unknown or missing field is named by the message, not by the path.
fn field_of(path: &str, message: &str) -> String {
    let named = message
        .split('`')
        .nth(1)
        .filter(|_| message.starts_with("unknown field") || message.starts_with("missing field"));
    match (path, named) {
        ("." | "?", Some(name)) => name.to_owned(),
        (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    }
}

fn without_place(message: &str) -> String {
    message
        .split(" at line ")
        .next()
        .unwrap_or(message)
        .to_owned()
}

/// How much of a body that is too large is still read, so that its sender gets to read the answer.
const DRAIN_LIMIT: usize = 16 << 20;

/// The bytes of a body, at most a mebibyte.
pub async fn bytes(request: Request) -> Result<Vec<u8>, ApiError> {
    let mut stream = request.into_body().into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(chunk) = stream.next().await {
        let broken = |_| ApiError::from(Code::MalformedRequest).saying("the body broke off");
        let chunk = chunk.map_err(broken)?;
        length = length.saturating_add(chunk.len());
        if length <= BODY_LIMIT {
            bytes.extend_from_slice(&chunk);
        } else if length > DRAIN_LIMIT {
            break;
        }
    }
    if length <= BODY_LIMIT {
        return Ok(bytes);
    }
    let too_large = ApiError::from(Code::MalformedRequest)
        .saying("the body is larger than 1 MiB")
        .in_chinese(Some("请求体超过 1 MiB"));
    Err(ApiError {
        status: Some(413),
        ..too_large
    })
}

/// A body of somebody who need not be signed in.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        read(&bytes(request).await?).map(Self)
    }
}

/// A change that somebody asks for.
pub struct Asked<T> {
    /// Who.
    pub caller: Caller,
    /// What.
    pub body: T,
    /// The request.
    pub context: Context,
    /// Their key, and the request's hash.
    pub key: Option<(String, [u8; 32])>,
    /// From which internet address, where it is known.
    pub client_ip: Option<String>,
}

/// Why a change is not made: an error, or because it was made before.
pub enum NotNow {
    /// It is wrong.
    Error(ApiError),
    /// It was made: this was the answer.
    Kept(Box<IdempotencyRow>),
}

impl<E: Into<ApiError>> From<E> for NotNow {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

impl IntoResponse for NotNow {
    fn into_response(self) -> Response {
        match self {
            Self::Error(error) => error.into_response(),
            Self::Kept(row) => {
                let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::OK);
                let mut response = (status, axum::Json(row.answer)).into_response();
                let name = HeaderName::from_static("idempotent-replay");
                response
                    .headers_mut()
                    .insert(name, HeaderValue::from_static("true"));
                response
            }
        }
    }
}

/// Where a request's key is left for whoever looks at its answer: whose, which, and the hash.
///
/// A key is looked up only where the answer is an error: a request that can be done was not done
/// before, because its commit takes the key. So a request costs no read for its key.
#[derive(Debug, Clone, Default)]
pub struct KeySlot(Arc<OnceLock<(UserId, String, [u8; 32])>>);

impl KeySlot {
    /// The answer of the first request with this key, or why the key can't be used; `None` where
    /// the key is new, or there is none.
    pub async fn answered(&self, state: &AppState) -> Option<NotNow> {
        let (user, key, hash) = self.0.get()?;
        kept(state, *user, key, hash).await.err()
    }
}

impl<T: DeserializeOwned> FromRequest<AppState> for Asked<T> {
    type Rejection = NotNow;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, NotNow> {
        let (mut parts, body) = request.into_parts();
        let slot = parts.extensions.remove::<KeySlot>();
        let caller =
            <Caller as FromRequestParts<AppState>>::from_request_parts(&mut parts, state).await?;
        let context = Context::from_request_parts(&mut parts, state).await?;
        let key = key(&parts.headers)?;
        let client_ip = client_ip(&parts).map(|address| address.to_string());
        let what = format!("{} {}\n", parts.method, parts.uri.path());
        let bytes = bytes(Request::from_parts(parts, body)).await?;
        let hash = hash(what.as_bytes(), &bytes);
        if let (Some(key), Some(slot)) = (&key, slot) {
            slot.0.set((caller.user, key.clone(), hash)).ok();
        }
        let body = read(&bytes)?;
        Ok(Self {
            caller,
            body,
            context,
            key: key.map(|key| (key, hash)),
            client_ip,
        })
    }
}

impl<T> Asked<T> {
    /// Where the command comes from, with the answer to keep.
    pub fn origin(&self, answer: Answer) -> Origin {
        let idempotency = self.key.clone().map(|(key, request_hash)| Idempotency {
            user: self.caller.user,
            key,
            request_hash,
            answer,
        });
        Origin {
            request_id: Some(self.context.request_id.clone()),
            idempotency,
        }
    }

    /// The first answer, where a command turns out to have been done before.
    pub async fn kept(&self, state: &AppState) -> Result<(), NotNow> {
        match &self.key {
            Some((key, hash)) => kept(state, self.caller.user, key, hash).await,
            None => Ok(()),
        }
    }

    /// An id that is the same whenever the caller asks with the same key.
    pub fn id(&self) -> Option<Uuid> {
        let (key, _) = self.key.as_ref()?;
        let hash = hash(self.caller.user.uuid().as_bytes(), key.as_bytes());
        let bytes = hash.first_chunk::<16>()?;
        Some(uuid::Builder::from_custom_bytes(*bytes).into_uuid())
    }
}

/// The caller's internet address. A proxy on this machine or in its own network says whom it speaks
/// for, and only the last word of it is the proxy's own; anybody else's word is not taken.
fn client_ip(parts: &Parts) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>()?.ip();
    let is_near = match peer {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    };
    let said = parts.headers.get_all("x-forwarded-for").iter().next_back();
    let said = said.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    Some(said.filter(|_| is_near).unwrap_or(peer))
}

fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or("");
    if (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(Some(key.to_owned()));
    }
    Err(ApiError::field(
        "Idempotency-Key",
        "must be 1 to 128 visible ASCII characters",
    ))
}

/// Refuses a key that was used for something else, or gives its answer.
async fn kept(state: &AppState, user: UserId, key: &str, hash: &[u8; 32]) -> Result<(), NotNow> {
    let Some(row) = state.engine.store().idempotent_answer(user, key).await? else {
        return Ok(());
    };
    if row.request_hash != *hash {
        return Err(ApiError::from(Code::IdempotencyKeyReused).into());
    }
    if row.at + KEY_AGE < state.engine.now() {
        let words = format!(
            "the idempotency key is stale: it was used at {}; use a new one",
            row.at
        );
        let chinese = format!("幂等键已过期：它在 {} 用过，请换一个", row.at);
        return Err(ApiError::from(Code::IdempotencyKeyReused)
            .saying(words)
            .in_chinese(Some(chinese))
            .into());
    }
    Err(NotNow::Kept(Box::new(row)))
}

fn hash(what: &[u8], body: &[u8]) -> [u8; 32] {
    let mut all = what.to_vec();
    all.extend_from_slice(body);
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &all).as_ref());
    hash
}

/// An id in a path.
pub fn id<T: From<Uuid>>(text: &str) -> Result<T, ApiError> {
    let parsed = Uuid::parse_str(text).map(T::from);
    parsed.map_err(|_| ApiError::field("id", format!("`{text}` is no UUID")))
}

/// Query parameters by name; unknown ones are refused.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads them; only these are known.
    pub fn of(uri: &axum::http::Uri, known: &[&str]) -> Result<Self, ApiError> {
        let axum::extract::Query(pairs) =
            axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
                .map_err(|error| ApiError::field("query", error.to_string()))?;
        for (name, _) in &pairs {
            if !known.contains(&name.as_str()) {
                let message = format!("is not known here: use {}", known.join(", "));
                return Err(ApiError::field(name, message));
            }
        }
        Ok(Self(pairs))
    }

    /// A parameter, read.
    pub fn get<T>(
        &self,
        name: &str,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let given = self
            .0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty());
        let Some((_, value)) = given else {
            return Ok(None);
        };
        let wrong = || ApiError::field(name, format!("`{value}` is not {what}"));
        read(value).map(Some).ok_or_else(wrong)
    }

    /// An id.
    pub fn id<T: From<Uuid>>(&self, name: &str) -> Result<Option<T>, ApiError> {
        self.get(name, "a UUID", |text| {
            Uuid::parse_str(text).ok().map(T::from)
        })
    }

    /// A time.
    pub fn time(&self, name: &str) -> Result<Option<domain::Ts>, ApiError> {
        self.get(name, "a time such as 2026-03-01T09:00:00Z", |text| {
            domain::Ts::parse(text).ok()
        })
    }

    /// Which page.
    pub fn page(&self) -> Result<Page, ApiError> {
        let number = |name, what, most| {
            self.get(name, what, |text| {
                text.parse().ok().filter(|n| (1..=most).contains(n))
            })
        };
        let page = number("page", "a number from 1", 1_000_000)?.unwrap_or(1);
        let limit = number("limit", "a number from 1 to 100", 100)?.unwrap_or(20);
        Ok(Page { page, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Price {
        #[expect(dead_code, reason = "only its reading is of interest")]
        amount: i64,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its reading is of interest")]
        price: Price,
    }

    fn field(body: &str) -> String {
        let error = read::<Sample>(body.as_bytes()).unwrap_err();
        error.details.map_or(error.code.row().0.to_owned(), |d| {
            d[0]["field"].as_str().unwrap().to_owned()
        })
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        assert_eq!(field(r#"{"price":{"amount":"x"}}"#), "price.amount");
        assert_eq!(field(r#"{"price":{"amount":1,"tax":2}}"#), "price.tax");
        assert_eq!(field(r#"{"colour":1}"#), "colour");
        assert_eq!(field("{}"), "price");
        assert_eq!(field("{"), "6005");
    }
}
