//! Refunds, in UnionPay's terms.

use super::answers::{Code, duplicate, malformed};
use super::api::Told;
use super::purchases::{Order, fen, order};
use super::{Api, GATEWAY, query_id};
use crate::book::NewRefund;
use crate::refusal::MoneyRefusal;
use connectors::unionpay::fields::Fields;
use connectors::unionpay::wire::out_refund_no;
use serde_json::json;

/// The book knows refunds by the merchant's number, which goes without its `RF` on this wire.
pub(super) fn book_number(order_id: &str) -> String {
    out_refund_no(order_id).unwrap_or_else(|| order_id.to_owned())
}

impl Api {
    /// Accepts a refund. A number that was seen before is a repetition, and moves nothing.
    pub(super) fn refund(&self, request: &Fields) -> Told {
        let Order { order_id, txn_time } = order(request)?;
        let amount = fen(request)?;
        let notify_url = request.required("backUrl").map_err(malformed)?;
        let transaction_id = request.required("origQryId").map_err(malformed)?;
        let number = book_number(order_id);
        let out_trade_no = self.payment_of(transaction_id)?;
        let is_known = self.sandbox.book().refund(&number).is_some();
        let refund = self.sandbox.refund_payment(NewRefund {
            gateway: GATEWAY,
            out_trade_no,
            out_refund_no: number,
            refund_id: query_id(self.sandbox.now()),
            reason: None,
            notify_url: Some(notify_url.to_owned()),
            amount,
            terms: json!({ "txnTime": txn_time }),
            extra: json!({ "orderId": order_id, "txnTime": txn_time }),
        })?;
        if is_known {
            return Err(duplicate());
        }
        Ok(Fields::default()
            .with("txnAmt", amount.to_string())
            .with("currencyCode", "156")
            .with("origQryId", transaction_id)
            .with("queryId", refund.refund_id))
    }

    fn payment_of(&self, transaction_id: &str) -> Result<String, Code> {
        let book = self.sandbox.book();
        let payment = book.payment_of_transaction(GATEWAY, transaction_id);
        payment
            .map(|payment| payment.out_trade_no.clone())
            .ok_or_else(|| MoneyRefusal::NoSuchPayment.into())
    }
}
