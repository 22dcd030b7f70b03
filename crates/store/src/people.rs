//! Whoever signs in, and the tokens with which they stay signed in.

use crate::committer::{Demand, Table, TableRow, Work};
use crate::db::Read;
use crate::row::Row;
use crate::store::of_store;
use crate::{CommitError, PeopleError, RefreshToken, Store, StoreError, User, UserStatus};
use domain::order::Role;
use domain::{Ts, UserId};
use sqlx::SqlStr;
use uuid::Uuid;

const INSERT_USER: &str = "INSERT INTO users (id, login, password_hash, role, name, openid, status, \
     failed_sign_ins, locked_until, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
     ON CONFLICT (login) DO NOTHING RETURNING id";
const USER_BY_ID: &str = "SELECT id, login, password_hash, role, name, openid, status, failed_sign_ins, \
     locked_until, created_at FROM users WHERE id = $1";
const USER_BY_LOGIN: &str = "SELECT id, login, password_hash, role, name, openid, status, failed_sign_ins, \
     locked_until, created_at FROM users WHERE login = $1";
const SIGNED_IN: &str = "UPDATE users SET failed_sign_ins = $2, locked_until = $3 WHERE id = $1";
/// A family that was revoked once stays so, even for a token that was written at the same moment.
const TOKEN: &str = "SELECT t.hash, t.family, t.user_id, t.expires_at, t.used_at, \
     (SELECT MIN(f.revoked_at) FROM refresh_tokens f WHERE f.family = t.family), t.created_at \
     FROM refresh_tokens t WHERE t.hash = $1";
const USE_TOKEN: &str = "UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL \
     AND NOT EXISTS (SELECT 1 FROM refresh_tokens f \
     WHERE f.family = refresh_tokens.family AND f.revoked_at IS NOT NULL)";
const REVOKE: &str =
    "UPDATE refresh_tokens SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL";

/// After all demands on orders, sessions and doctors.
const TOKENS: u8 = 10;

impl Store {
    /// Writes down somebody new.
    pub async fn insert_user(&self, user: &User) -> Result<(), PeopleError> {
        let login = user.login.to_lowercase();
        let values = vec![
            user.id.into(),
            (&login).into(),
            (&user.password_hash).into(),
            user.role.name().into(),
            (&user.name).into(),
            user.openid.clone().into(),
            user.status.name().into(),
            user.failed_sign_ins.into(),
            user.locked_until.into(),
            user.created_at.into(),
        ];
        if self.write(INSERT_USER, values).await?.is_empty() {
            return Err(PeopleError::LoginTaken(login));
        }
        Ok(())
    }

    /// Somebody by id.
    pub async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = self
            .db()
            .one(Read::Keyed, USER_BY_ID, vec![id.into()])
            .await?;
        row.as_ref().map(user).transpose()
    }

    /// Somebody by sign-in name, in whatever case.
    pub async fn user_by_login(&self, login: &str) -> Result<Option<User>, StoreError> {
        let row = self
            .db()
            .one(
                Read::Keyed,
                USER_BY_LOGIN,
                vec![login.to_lowercase().into()],
            )
            .await?;
        row.as_ref().map(user).transpose()
    }

    /// Writes down how a sign-in went.
    pub async fn record_sign_in(
        &self,
        id: UserId,
        failures: i32,
        locked_until: Option<Ts>,
    ) -> Result<(), StoreError> {
        self.write(
            SIGNED_IN,
            vec![id.into(), failures.into(), locked_until.into()],
        )
        .await
        .map(drop)
    }

    /// Writes down the first token of a sign-in.
    pub async fn insert_refresh_token(&self, token: &RefreshToken) -> Result<(), StoreError> {
        let work = Work {
            rows: vec![token_row(token)],
            ..Work::default()
        };
        self.ask(work).await.map(drop).map_err(of_store)
    }

    /// A token by its hash.
    pub async fn refresh_token(&self, hash: &[u8; 32]) -> Result<Option<RefreshToken>, StoreError> {
        let row = self
            .db()
            .one(Read::Keyed, TOKEN, vec![(*hash).into()])
            .await?;
        row.as_ref().map(token).transpose()
    }

    /// Exchanges a token for the next one; `false`, and nothing is written, if it was used before
    /// or its family was revoked.
    pub async fn rotate_refresh_token(
        &self,
        old: &[u8; 32],
        new: &RefreshToken,
        at: Ts,
    ) -> Result<bool, StoreError> {
        let demand = Demand {
            sort: (TOKENS, new.family, true),
            sql: SqlStr::from_static(USE_TOKEN),
            values: vec![(*old).into(), at.into()],
            refusal: Some(CommitError::Moved),
        };
        let work = Work {
            demands: vec![demand],
            rows: vec![token_row(new)],
            ..Work::default()
        };
        match self.ask(work).await {
            Ok(_) => Ok(true),
            Err(CommitError::Moved) => Ok(false),
            Err(error) => Err(of_store(error)),
        }
    }

    /// All tokens that came from one sign-in are void from now on.
    pub async fn revoke_family(&self, family: Uuid, at: Ts) -> Result<(), StoreError> {
        self.write(REVOKE, vec![family.into(), at.into()])
            .await
            .map(drop)
    }
}

fn user(row: &Row) -> Result<User, StoreError> {
    let mut cells = row.cells();
    Ok(User {
        id: cells.id()?,
        login: cells.text()?,
        password_hash: cells.text()?,
        role: cells.named(Role::from_name)?,
        name: cells.text()?,
        openid: cells.text_or_none()?,
        status: cells.named(UserStatus::from_name)?,
        failed_sign_ins: cells.int()?,
        locked_until: cells.at_or_none()?,
        created_at: cells.at()?,
    })
}

fn token(row: &Row) -> Result<RefreshToken, StoreError> {
    let mut cells = row.cells();
    Ok(RefreshToken {
        hash: cells.hash()?,
        family: cells.id()?,
        user: cells.id()?,
        expires_at: cells.at()?,
        used_at: cells.at_or_none()?,
        revoked_at: cells.at_or_none()?,
        created_at: cells.at()?,
    })
}

fn token_row(token: &RefreshToken) -> TableRow {
    TableRow {
        table: Table::Tokens,
        sort: (token.family, 0),
        values: vec![
            token.hash.into(),
            token.family.into(),
            token.user.into(),
            token.expires_at.into(),
            token.used_at.into(),
            token.revoked_at.into(),
            token.created_at.into(),
        ],
    }
}
