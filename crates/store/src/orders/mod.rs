//! Orders, as they are and as they came to be.

mod decode;
pub(crate) mod encode;
mod history;
mod list;
mod lookup;
mod rankings;

pub(crate) use decode::refund_of_timer;

use crate::db::Read;
use crate::{Store, StoreError};
use decode::{ORDER, orders};
use domain::OrderId;
use domain::consultation::Consultation;
use std::sync::LazyLock;

static LOAD: LazyLock<String> = LazyLock::new(|| format!("{ORDER} WHERE o.id = $1"));

impl Store {
    /// An order as it is, with its payments, refunds and running deadlines: one statement.
    pub async fn load(&self, id: OrderId) -> Result<Option<Consultation>, StoreError> {
        let sql = sqlx::AssertSqlSafe(LOAD.as_str());
        let rows = self.db().all(Read::Keyed, sql, vec![id.into()]).await?;
        Ok(orders(&rows)?.into_iter().next())
    }
}
