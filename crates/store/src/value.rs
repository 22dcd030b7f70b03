//! What goes into a statement: one kind of value for both engines.
//!
//! PostgreSQL keeps times as `timestamptz`, ids as `uuid` and documents as `json`; SQLite keeps
//! times as text whose order is the order of times, ids as 16 bytes and documents as text.

use domain::{
    DepartmentId, DifferenceId, FileId, OrderId, PaymentId, QuoteId, ReconciliationId, RefundId,
    SessionId, SlotId, Ts, UserId, WeeklyId,
};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{
    PgArgumentBuffer, PgArguments, PgTypeInfo, PgValueFormat, PgValueRef, Postgres,
};
use sqlx::sqlite::{
    Sqlite, SqliteArguments, SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef,
};
use sqlx::{Arguments, Decode, Encode, Type};
use uuid::Uuid;

/// A value of a statement; `None` is NULL.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Int(Option<i64>),
    Bool(Option<bool>),
    Text(Option<String>),
    Id(Option<Uuid>),
    At(Option<Ts>),
    Json(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    /// NULL of the same type.
    pub(crate) fn null(&self) -> Self {
        match self {
            Self::Int(_) => Self::Int(None),
            Self::Bool(_) => Self::Bool(None),
            Self::Text(_) => Self::Text(None),
            Self::Id(_) => Self::Id(None),
            Self::At(_) => Self::At(None),
            Self::Json(_) => Self::Json(None),
            Self::Bytes(_) => Self::Bytes(None),
        }
    }

    pub(crate) fn bind_sqlite(&self, to: &mut SqliteArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Int(value) => to.add(*value),
            Self::Bool(value) => to.add(*value),
            Self::Text(value) | Self::Json(value) => to.add(value.as_deref()),
            Self::Id(value) => to.add(*value),
            Self::At(value) => to.add(value.map(Instant)),
            Self::Bytes(value) => to.add(value.as_deref()),
        }
    }

    pub(crate) fn bind_postgres(&self, to: &mut PgArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Int(value) => to.add(*value),
            Self::Bool(value) => to.add(*value),
            Self::Text(value) => to.add(value.as_deref()),
            Self::Json(value) => to.add(value.as_deref().map(Document)),
            Self::Id(value) => to.add(*value),
            Self::At(value) => to.add(value.map(Instant)),
            Self::Bytes(value) => to.add(value.as_deref()),
        }
    }
}

macro_rules! values {
    ($($from:ty => $variant:ident($value:ident) $into:expr;)+) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self::$variant(Some($into))
            }
        }
        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$variant(value.map(|$value| $into))
            }
        }
    )+};
}

values! {
    i64 => Int(value) value;
    i32 => Int(value) i64::from(value);
    i16 => Int(value) i64::from(value);
    u8 => Int(value) i64::from(value);
    u16 => Int(value) i64::from(value);
    u32 => Int(value) i64::from(value);
    bool => Bool(value) value;
    String => Text(value) value;
    &str => Text(value) value.to_owned();
    &String => Text(value) value.clone();
    Uuid => Id(value) value;
    OrderId => Id(value) value.uuid();
    UserId => Id(value) value.uuid();
    PaymentId => Id(value) value.uuid();
    RefundId => Id(value) value.uuid();
    SessionId => Id(value) value.uuid();
    SlotId => Id(value) value.uuid();
    WeeklyId => Id(value) value.uuid();
    DepartmentId => Id(value) value.uuid();
    QuoteId => Id(value) value.uuid();
    FileId => Id(value) value.uuid();
    ReconciliationId => Id(value) value.uuid();
    DifferenceId => Id(value) value.uuid();
    Ts => At(value) value;
    [u8; 32] => Bytes(value) value.to_vec();
    Vec<u8> => Bytes(value) value;
}

/// Microseconds from 1970 to 2000, where PostgreSQL begins to count.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// A time as each engine keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(pub Ts);

impl Type<Postgres> for Instant {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl Encode<'_, Postgres> for Instant {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let micros = self
            .0
            .micros()
            .checked_sub(POSTGRES_EPOCH)
            .ok_or("a time before all times")?;
        Encode::<Postgres>::encode(micros, buffer)
    }
}

impl<'r> Decode<'r, Postgres> for Instant {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        if value.format() == PgValueFormat::Text {
            return Ok(Self(Ts::parse(&value.as_str()?.replacen(' ', "T", 1))?));
        }
        let micros = <i64 as Decode<Postgres>>::decode(value)?;
        Ok(Self(Ts::from_micros(
            micros
                .checked_add(POSTGRES_EPOCH)
                .ok_or("a time after all times")?,
        )))
    }
}

impl Type<Sqlite> for Instant {
    fn type_info() -> SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Instant {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(self.0.to_string(), buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for Instant {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(Ts::parse(<&str as Decode<Sqlite>>::decode(value)?)?))
    }
}

/// A JSON document as text, going into a `json` column.
struct Document<'a>(&'a str);

impl Type<Postgres> for Document<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(114))
    }
}

impl Encode<'_, Postgres> for Document<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.0, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_counts_from_2000() {
        let start = Ts::parse("2000-01-01T00:00:00Z").unwrap();
        assert_eq!(start.micros(), POSTGRES_EPOCH);
    }
}
