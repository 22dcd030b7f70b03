//! Lists by the page, and conditions that are there or not.

use crate::value::Value;
use crate::{Page, StoreError};
use domain::lifecycle::Status;

/// The most that a page holds.
const LARGEST: u32 = 100;

impl Page {
    /// `LIMIT` and `OFFSET` of it.
    pub(crate) fn limits(self) -> String {
        let limit = i64::from(self.limit.clamp(1, LARGEST));
        let before = i64::from(self.page.max(1) - 1) * limit;
        format!("LIMIT {limit} OFFSET {before}")
    }
}

/// Conditions that are put together, with their values.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    texts: Vec<String>,
    pub values: Vec<Value>,
}

impl Conditions {
    /// One more, if there is a value for it: `{}` in the text stands for its place.
    pub(crate) fn with<T: Into<Value>>(mut self, text: &str, value: Option<T>) -> Self {
        if let Some(value) = value {
            self.values.push(value.into());
            let place = format!("${}", self.values.len());
            self.texts.push(text.replace("{}", &place));
        }
        self
    }

    /// One more that is written out.
    pub(crate) fn with_text(mut self, text: Option<String>) -> Self {
        self.texts.extend(text);
        self
    }

    /// `WHERE ...`, or nothing.
    pub(crate) fn text(&self) -> String {
        if self.texts.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", self.texts.join(" AND "))
        }
    }
}

/// The numbers of statuses, as a list in a statement: written out, so that partial indexes fit.
pub(crate) fn codes<S: Status>(statuses: &[S]) -> String {
    let codes: Vec<String> = statuses
        .iter()
        .map(|status| status.code().to_string())
        .collect();
    if codes.is_empty() {
        "NULL".to_owned()
    } else {
        codes.join(", ")
    }
}

/// The number in the first cell of the only row.
pub(crate) fn count(row: Option<&crate::row::Row>) -> Result<i64, StoreError> {
    row.map_or(Ok(0), |row| row.cells().int())
}
