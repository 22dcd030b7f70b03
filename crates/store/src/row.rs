//! What comes out of a statement: a row's cells, read from left to right.

use crate::StoreError;
use crate::value::Instant;
use domain::lifecycle::{Status, UnknownStatus};
use domain::{Currency, Money, Ts};
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Decode, Row as _};
use uuid::Uuid;

/// A row of either engine.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// Its cells, from the first one on.
    pub(crate) fn cells(&self) -> Cells<'_> {
        Cells { row: self, next: 0 }
    }
}

/// The cells of a row, in the order of the statement's columns.
pub(crate) struct Cells<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Cells<'r> {
    fn take<T>(&mut self) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Decode<'r, Postgres>,
    {
        let index = self.next;
        self.next += 1;
        Ok(match self.row {
            Row::Sqlite(row) => row.try_get_unchecked(index)?,
            Row::Postgres(row) => row.try_get_unchecked(index)?,
        })
    }

    /// Passes over so many cells.
    pub(crate) fn skip(&mut self, cells: usize) {
        self.next += cells;
    }

    /// A whole number, in whatever Rust type it fits.
    pub(crate) fn int<T: TryFrom<i64>>(&mut self) -> Result<T, StoreError> {
        let value: i64 = self.take()?;
        fitting(value)
    }

    pub(crate) fn int_or_none<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, StoreError> {
        let value: Option<i64> = self.take()?;
        value.map(fitting).transpose()
    }

    pub(crate) fn bool(&mut self) -> Result<bool, StoreError> {
        self.take()
    }

    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        self.take()
    }

    pub(crate) fn text_or_none(&mut self) -> Result<Option<String>, StoreError> {
        self.take()
    }

    /// An id of whatever kind.
    pub(crate) fn id<T: From<Uuid>>(&mut self) -> Result<T, StoreError> {
        Ok(self.take::<Uuid>()?.into())
    }

    pub(crate) fn id_or_none<T: From<Uuid>>(&mut self) -> Result<Option<T>, StoreError> {
        Ok(self.take::<Option<Uuid>>()?.map(T::from))
    }

    pub(crate) fn at(&mut self) -> Result<Ts, StoreError> {
        Ok(self.take::<Instant>()?.0)
    }

    pub(crate) fn at_or_none(&mut self) -> Result<Option<Ts>, StoreError> {
        Ok(self.take::<Option<Instant>>()?.map(|at| at.0))
    }

    /// 32 bytes.
    pub(crate) fn hash(&mut self) -> Result<[u8; 32], StoreError> {
        hash(self.take()?)
    }

    pub(crate) fn hash_or_none(&mut self) -> Result<Option<[u8; 32]>, StoreError> {
        let bytes: Option<Vec<u8>> = self.take()?;
        bytes.map(hash).transpose()
    }

    /// Bytes of any length.
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        self.take()
    }

    /// A JSON document.
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text: &str = self.take()?;
        parsed(text)
    }

    pub(crate) fn json_or_none<T: DeserializeOwned>(&mut self) -> Result<Option<T>, StoreError> {
        let text: Option<&str> = self.take()?;
        text.map(parsed).transpose()
    }

    /// A status of some lifecycle.
    pub(crate) fn status<S>(&mut self) -> Result<S, StoreError>
    where
        S: Status + TryFrom<i32, Error = UnknownStatus>,
    {
        let code: i32 = self.int()?;
        S::try_from(code).map_err(|unknown| StoreError::Corrupt(unknown.to_string()))
    }

    /// A name that stands for a value.
    pub(crate) fn named<T>(&mut self, from: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let name: &str = self.take()?;
        from(name).ok_or_else(|| StoreError::Corrupt(format!("`{name}` is not a known name")))
    }

    pub(crate) fn currency(&mut self) -> Result<Currency, StoreError> {
        self.named(|code| code.parse().ok())
    }

    /// A day.
    pub(crate) fn day(&mut self) -> Result<Date, StoreError> {
        self.named(|day| day.parse().ok())
    }

    /// A name that stands for a value, where there is one.
    pub(crate) fn named_or_none<T>(
        &mut self,
        from: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let name: Option<&str> = self.take()?;
        let unknown = |name| StoreError::Corrupt(format!("`{name}` is not a known name"));
        name.map(|name| from(name).ok_or_else(|| unknown(name)))
            .transpose()
    }

    /// An amount and, in the next cell, its currency, where both are there.
    pub(crate) fn money_or_none(&mut self) -> Result<Option<Money>, StoreError> {
        let amount = self.int_or_none()?;
        let currency = self.named_or_none(|code| code.parse().ok())?;
        Ok(amount
            .zip(currency)
            .map(|(amount, currency)| Money::new(amount, currency)))
    }

    /// An amount and, in the next cell, its currency.
    pub(crate) fn money(&mut self) -> Result<Money, StoreError> {
        let amount = self.int()?;
        Ok(Money::new(amount, self.currency()?))
    }
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt("a hash that is not 32 bytes".to_owned()))
}

fn fitting<T: TryFrom<i64>>(value: i64) -> Result<T, StoreError> {
    T::try_from(value)
        .map_err(|_| StoreError::Corrupt(format!("the number {value} is out of range")))
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(error.to_string()))
}
