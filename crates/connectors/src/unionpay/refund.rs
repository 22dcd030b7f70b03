//! Refunds: sent with a number of their own, then asked about.

use super::UnionPay;
use super::codes::{DUPLICATE, GATEWAY, NOT_FOUND, Standing, is_surely_failed, not_done, standing};
use super::payment::{check_amount, code_and_message};
use super::time::order_time;
use super::wire::{RENMINBI, amount, moved_at, read_fen, refund_order_id};
use crate::gateway::{GatewayError, Operation, RefundRef, RefundState, StartRefund};
use crate::http::MAX_ANSWER_BYTES;
use domain::Ts;

impl UnionPay {
    /// Sends a refund (`backTransReq.do`, txnType 04). The same number and time sent again move
    /// nothing: UnionPay calls it a repetition, and the query says what became of the first.
    ///
    /// txnTime is when the refund was asked for, since that is what makes a repetition one. UnionPay
    /// calls a txnTime invalid that is not the present; how far it may be off is not published.
    /// Check before going live, above all for refunds that wait for a review.
    pub(super) async fn send_refund(
        &self,
        start: &StartRefund,
        now: Ts,
    ) -> Result<RefundState, GatewayError> {
        let (operation, refund) = (Operation::Refund, &start.refund);
        let order_id = order_id(operation, refund)?;
        check_amount(operation, refund.amount)?;
        if refund.amount.currency != refund.total.currency {
            let message = "refund and payment are in different currencies";
            return Err(operation.refused(GATEWAY, "PARAM_ERROR", message));
        }
        let Some(transaction_id) = &refund.payment.transaction_id else {
            let message = "UnionPay's number of the payment (queryId) is not known";
            return Err(operation.refused(GATEWAY, "PARAM_ERROR", message));
        };
        let request = self
            .request("04", "00", "000201")
            .with("channelType", &self.config.channel_type)
            .with("orderId", order_id)
            .with("txnTime", order_time(refund.sent_at))
            .with("txnAmt", refund.amount.amount.to_string())
            .with("currencyCode", RENMINBI)
            .with("origQryId", transaction_id)
            .with("backUrl", &self.config.notify_url);
        let target = (&self.http, &self.urls.back);
        let (_, answer) = self
            .send(operation, target, request, MAX_ANSWER_BYTES, now)
            .await?;
        if let Some(told) = answer.get("txnAmt")
            && read_fen(told) != Some(refund.amount.amount)
        {
            let reason = format!("asked for {}, told {told} fen", refund.amount);
            return Err(operation.unanswered(GATEWAY, reason));
        }
        match code_and_message(&answer) {
            // Accepted, not done: the query or a notice says when it is.
            ("00", _) => Ok(RefundState::Processing {
                refund_id: answer.get("queryId").map(str::to_owned),
            }),
            (DUPLICATE, _) => Ok(RefundState::Processing { refund_id: None }),
            (code, message) => Err(not_done(operation, code, message)),
        }
    }

    pub(super) async fn refund_state(
        &self,
        refund: &RefundRef,
        now: Ts,
    ) -> Result<RefundState, GatewayError> {
        let operation = Operation::QueryRefund;
        let order_id = order_id(operation, refund)?;
        let answer = self
            .query_transaction(operation, order_id, refund.sent_at, now)
            .await?;
        match code_and_message(&answer) {
            ("00", _) => {}
            (NOT_FOUND, _) => return Ok(RefundState::NotFound),
            (code, message) => return Err(not_done(operation, code, message)),
        }
        let unusable = |reason: String| operation.unanswered(GATEWAY, reason);
        let code = answer.required("origRespCode").map_err(unusable)?;
        let message = answer.get("origRespMsg").unwrap_or_default();
        match standing(code) {
            Standing::Done => {
                let told = amount(&answer).map_err(unusable)?;
                if told != refund.amount {
                    let reason = format!("asked for {}, told {told}", refund.amount);
                    return Err(unusable(reason));
                }
                Ok(RefundState::Succeeded {
                    refund_id: answer.required("queryId").map_err(unusable)?.to_owned(),
                    at: moved_at(&answer).map_err(unusable)?,
                })
            }
            Standing::Flawed => Err(unusable(format!(
                "the refund is neither done nor failed: {code}: {message}"
            ))),
            Standing::Running => Ok(RefundState::Processing {
                refund_id: answer.get("queryId").map(str::to_owned),
            }),
            Standing::NotFound => Ok(RefundState::NotFound),
            // A number that failed is used up: sent again, UnionPay would call it a repetition.
            Standing::Failed if is_surely_failed(code) => {
                tracing::warn!(
                    out_refund_no = refund.out_refund_no,
                    code,
                    message,
                    "UnionPay says that a refund failed"
                );
                Ok(RefundState::Closed)
            }
            Standing::Failed => Err(unusable(format!(
                "whether the refund failed is not sure: {code}: {message}"
            ))),
        }
    }
}

fn order_id(operation: Operation, refund: &RefundRef) -> Result<&str, GatewayError> {
    refund_order_id(&refund.out_refund_no).ok_or_else(|| {
        let message = format!(
            "out_refund_no `{}` must be RF and 32 hexadecimal digits",
            refund.out_refund_no
        );
        operation.refused(GATEWAY, "PARAM_ERROR", &message)
    })
}
