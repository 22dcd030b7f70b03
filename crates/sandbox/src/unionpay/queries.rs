//! How a transaction stands, as queries and notices tell it.

use super::answers::{Code, not_found, success};
use super::api::Told;
use super::purchases::{Order, order};
use super::refunds::book_number;
use super::{Api, GATEWAY, answers, trace_no};
use crate::book::{Paid, Payment, Refund};
use crate::control::views::{PaymentState, RefundStatus};
use connectors::unionpay::fields::Fields;
use connectors::unionpay::time::{SETTLEMENT_DAYS, month_day, order_time};
use domain::Ts;
use serde_json::Value;

impl Api {
    /// Answers a query, which names a transaction by orderId and txnTime.
    pub(super) fn told_transaction(&self, request: &Fields) -> Told {
        let Order { order_id, txn_time } = order(request)?;
        let is_it = |extra: &Value| extra["txnTime"].as_str() == Some(txn_time);
        // Only the two together name a transaction: a payment and a refund may share an orderId.
        if let Some((payment, state)) = self.sandbox.payment_at(GATEWAY, order_id)
            && is_it(&payment.extra)
        {
            return told_payment(&payment, state);
        }
        match self.sandbox.refund_at(GATEWAY, &book_number(order_id)) {
            Some((refund, _)) if is_it(&refund.extra) => Ok(told_refund(&refund)),
            Some(_) | None => Err(not_found()),
        }
    }
}

/// Until the payer tries a card, there is no transaction: UnionPay knows orders only by those.
fn told_payment(payment: &Payment, state: PaymentState) -> Told {
    match (state, &payment.paid) {
        (PaymentState::Success | PaymentState::Refund, Some(paid)) => {
            Ok(orig(&success(), purchase(payment, paid)))
        }
        (PaymentState::PayError, _) => {
            let failed = answers::code("64", "卡上的余额不足");
            Ok(orig(&failed, Fields::default()))
        }
        (
            PaymentState::NotPay
            | PaymentState::Approved
            | PaymentState::Closed
            | PaymentState::Success
            | PaymentState::Refund,
            _,
        ) => Err(not_found()),
    }
}

fn told_refund(refund: &Refund) -> Fields {
    let code = match refund.status {
        RefundStatus::Processing => answers::code("05", "交易已受理，请稍后查询交易结果"),
        RefundStatus::Success => success(),
        RefundStatus::Failed | RefundStatus::Abnormal | RefundStatus::Closed => {
            answers::code("61", "输入的卡号无效，请确认后输入")
        }
    };
    orig(&code, returned(refund))
}

fn orig(code: &Code, fields: Fields) -> Fields {
    fields
        .with("origRespCode", code.0)
        .with("origRespMsg", &code.1)
}

/// What is told of a purchase that was paid.
pub(super) fn purchase(payment: &Payment, paid: &Paid) -> Fields {
    moved(&paid.transaction_id, paid.total, paid.at)
        .with("accNo", "622155********0000")
        .with("payCardType", "01")
        .with("txnTime", text(&payment.extra, "txnTime"))
}

/// What is told of a refund.
pub(super) fn returned(refund: &Refund) -> Fields {
    let at = refund.success_at.unwrap_or(refund.created_at);
    moved(&refund.refund_id, refund.amount, at)
        .with("origQryId", &refund.transaction_id)
        .with("txnTime", text(&refund.extra, "txnTime"))
}

fn moved(query_id: &str, fen: i64, at: Ts) -> Fields {
    let day = SETTLEMENT_DAYS.to_datetime(at.into()).date();
    Fields::default()
        .with("queryId", query_id)
        .with("txnAmt", fen.to_string())
        .with("currencyCode", "156")
        .with("settleAmt", fen.to_string())
        .with("settleCurrencyCode", "156")
        .with("settleDate", month_day(day))
        .with("traceNo", trace_no(query_id))
        .with("traceTime", trace_time(at))
}

/// `MMDDhhmmss`.
pub(super) fn trace_time(at: Ts) -> String {
    order_time(at).split_off(4)
}

/// What was remembered of a request.
pub(super) fn text<'v>(extra: &'v Value, name: &str) -> &'v str {
    extra[name].as_str().unwrap_or_default()
}
