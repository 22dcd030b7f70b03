//! Signing up, in and out (spec 60).

use crate::AppState;
use crate::error::{ApiError, Code};
use crate::extract::{Body, Caller, Data};
use crate::password;
use crate::token::ACCESS_SECONDS;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::order::Role;
use domain::{Span, UserId};
use engine::ids::new_id;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{PeopleError, RefreshToken, User, UserStatus};
use uuid::Uuid;

/// How long a refresh token is good.
const REFRESH_AGE: Span = Span::hours(30 * 24);
/// After so many failures signing in is locked.
const FAILURES: i32 = 10;
/// For so long.
const LOCKED: Span = Span::minutes(15);

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/auth/register", post(register))
        .route("/auth/login", post(login))
        .route("/auth/refresh", post(refresh))
        .route("/auth/logout", post(logout))
        .route("/auth/me", get(me))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    email: String,
    password: String,
    name: String,
    role: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    email: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Refresh {
    refresh_token: String,
}

fn person(user: &User) -> Value {
    json!({ "id": user.id, "email": user.login, "name": user.name, "role": user.role.name() })
}

async fn register(
    State(state): State<AppState>,
    Body(asked): Body<Registration>,
) -> Result<Data, ApiError> {
    let email = asked.email.trim().to_lowercase();
    let (local, host) = email.split_once('@').unwrap_or(("", ""));
    if local.is_empty() || !host.contains('.') || email.len() > 254 {
        return Err(ApiError::field("email", "must be an e-mail address"));
    }
    if !(10..=128).contains(&asked.password.chars().count()) {
        return Err(ApiError::field(
            "password",
            "must have 10 to 128 characters",
        ));
    }
    if asked.name.trim().is_empty() || asked.name.chars().count() > 100 {
        return Err(ApiError::field("name", "must have 1 to 100 characters"));
    }
    if asked.role.is_some_and(|role| role != Role::Patient.name()) {
        return Err(ApiError::field(
            "role",
            "only patients register here; leave it out",
        ));
    }
    let now = state.engine.now();
    let user = User {
        id: UserId(new_id(now)),
        login: email,
        password_hash: password::hash_aside(asked.password)
            .await
            .map_err(internal)?,
        role: Role::Patient,
        name: asked.name.trim().to_owned(),
        openid: None,
        status: UserStatus::Active,
        failed_sign_ins: 0,
        locked_until: None,
        created_at: now,
    };
    match state.engine.store().insert_user(&user).await {
        Ok(()) => {}
        Err(PeopleError::LoginTaken(_)) => {
            return Err(ApiError::field(
                "email",
                "is registered already: sign in instead",
            ));
        }
        Err(PeopleError::Store(error)) => return Err(error.into()),
    }
    let value = json!({ "user": person(&user) });
    Ok(Data {
        status: StatusCode::CREATED,
        value,
        page: None,
    })
}

async fn login(State(state): State<AppState>, Body(asked): Body<SignIn>) -> Result<Data, ApiError> {
    let store = state.engine.store();
    let now = state.engine.now();
    let known = store.user_by_login(asked.email.trim()).await?;
    let kept = known.as_ref().map(|user| user.password_hash.clone());
    let good = password::verify(asked.password, kept)
        .await
        .map_err(internal)?;
    let Some(user) = known else {
        return Err(Code::InvalidCredentials.into());
    };
    let locked = user.locked_until.is_some_and(|until| until > now);
    if !good || locked || user.status != UserStatus::Active {
        if !locked {
            let failures = user.failed_sign_ins + 1;
            let until = (failures >= FAILURES).then_some(now + LOCKED);
            let kept = if until.is_some() { 0 } else { failures };
            store.record_sign_in(user.id, kept, until).await?;
        }
        return Err(Code::InvalidCredentials.into());
    }
    if user.failed_sign_ins > 0 || user.locked_until.is_some() {
        store.record_sign_in(user.id, 0, None).await?;
    }
    let (secret, token) = new_refresh(&state, user.id, new_id(now));
    store.insert_refresh_token(&token).await?;
    let mut value = tokens(&state, &user, &secret)?;
    value["user"] = person(&user);
    Ok(value.into())
}

async fn refresh(
    State(state): State<AppState>,
    Body(asked): Body<Refresh>,
) -> Result<Data, ApiError> {
    let store = state.engine.store();
    let now = state.engine.now();
    let old = hash(&asked.refresh_token);
    let Some(token) = store.refresh_token(&old).await? else {
        return Err(Code::TokenExpired.into());
    };
    if token.revoked_at.is_some() || token.expires_at <= now {
        return Err(Code::TokenExpired.into());
    }
    let (secret, new) = new_refresh(&state, token.user, token.family);
    if !store.rotate_refresh_token(&old, &new, now).await? {
        // Used before: whoever holds a copy, nobody of this family goes on.
        store.revoke_family(token.family, now).await?;
        return Err(Code::TokenExpired.into());
    }
    let user = store
        .user(token.user)
        .await?
        .filter(|user| user.status == UserStatus::Active);
    let user = user.ok_or(Code::TokenExpired)?;
    Ok(tokens(&state, &user, &secret)?.into())
}

async fn logout(
    State(state): State<AppState>,
    Body(asked): Body<Refresh>,
) -> Result<Data, ApiError> {
    let store = state.engine.store();
    if let Some(token) = store.refresh_token(&hash(&asked.refresh_token)).await? {
        store
            .revoke_family(token.family, state.engine.now())
            .await?;
    }
    Ok(json!({ "signedOut": true }).into())
}

async fn me(State(state): State<AppState>, caller: Caller) -> Result<Data, ApiError> {
    let user = state
        .engine
        .store()
        .user(caller.user)
        .await?
        .ok_or(Code::Unauthenticated)?;
    Ok(json!({ "user": person(&user) }).into())
}

fn tokens(state: &AppState, user: &User, secret: &str) -> Result<Value, ApiError> {
    let access = state
        .tokens
        .issue(user.id, user.role, state.engine.now())
        .map_err(internal)?;
    Ok(json!({
        "accessToken": access, "tokenType": "Bearer", "expiresIn": ACCESS_SECONDS,
        "refreshToken": secret,
    }))
}

fn new_refresh(state: &AppState, user: UserId, family: Uuid) -> (String, RefreshToken) {
    let now = state.engine.now();
    let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let token = RefreshToken {
        hash: hash(&secret),
        family,
        user,
        expires_at: now + REFRESH_AGE,
        used_at: None,
        revoked_at: None,
        created_at: now,
    };
    (secret, token)
}

fn hash(secret: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
    hash
}

fn internal(error: impl std::fmt::Display) -> ApiError {
    tracing::error!(%error, "signing in failed here");
    Code::Internal.into()
}
