//! Orders, as they are and as they came to be.

mod decode;
pub(crate) mod encode;
mod history;
mod list;
mod lookup;
mod rankings;

pub(crate) use decode::refund_of_timer;

use crate::db::Read;
use crate::value::Value;
use crate::{Store, StoreError};
use decode::{ORDER, orders};
use domain::OrderId;
use domain::consultation::Consultation;
use std::sync::LazyLock;

static LOAD: LazyLock<String> = LazyLock::new(|| format!("{ORDER} WHERE o.id = $1"));
static LOAD_OF_PAYMENT: LazyLock<String> = LazyLock::new(|| {
    format!("{ORDER} WHERE o.id = (SELECT order_id FROM payments WHERE out_trade_no = $1)")
});
static LOAD_OF_REFUND: LazyLock<String> = LazyLock::new(|| {
    format!("{ORDER} WHERE o.id = (SELECT order_id FROM refunds WHERE out_refund_no = $1)")
});

impl Store {
    /// An order as it is, with its payments, refunds and running deadlines: one statement.
    pub async fn load(&self, id: OrderId) -> Result<Option<Consultation>, StoreError> {
        self.load_by(&LOAD, id.into()).await
    }

    /// The order of the payment with this number at its gateway: one statement, too.
    pub async fn load_of_payment(
        &self,
        out_trade_no: &str,
    ) -> Result<Option<Consultation>, StoreError> {
        self.load_by(&LOAD_OF_PAYMENT, out_trade_no.into()).await
    }

    /// The order of the refund with this number at its gateway: one statement, too.
    pub async fn load_of_refund(
        &self,
        out_refund_no: &str,
    ) -> Result<Option<Consultation>, StoreError> {
        self.load_by(&LOAD_OF_REFUND, out_refund_no.into()).await
    }

    async fn load_by(
        &self,
        sql: &'static str,
        value: Value,
    ) -> Result<Option<Consultation>, StoreError> {
        let sql = sqlx::AssertSqlSafe(sql);
        let rows = self.db().all(Read::Keyed, sql, vec![value]).await?;
        Ok(orders(&rows)?.into_iter().next())
    }
}
