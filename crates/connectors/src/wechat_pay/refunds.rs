//! Refunds: sent, asked about, and sent elsewhere where the payer's card is dead.

use super::errors::{GATEWAY, is_refusal};
use super::wire::{AbnormalRefundRequest, Refund, RefundRequest, RefundRequestAmount};
use super::{WechatPay, check_amount, check_number, cut, escape, read_time};
use crate::gateway::{
    AbnormalRefund, GatewayError, Operation, RefundRef, RefundState, StartRefund,
};
use domain::Ts;

/// WeChat shows no more of a reason (refund, `reason`).
const MAX_REASON: usize = 80;

impl WechatPay {
    pub(super) async fn send_refund(
        &self,
        start: &StartRefund,
        now: Ts,
    ) -> Result<RefundState, GatewayError> {
        let (operation, refund) = (Operation::Refund, &start.refund);
        check_refund_no(operation, &refund.out_refund_no)?;
        check_amount(operation, refund.amount)?;
        if refund.amount.currency != refund.total.currency {
            let message = "refund and payment are in different currencies";
            return Err(operation.refused(GATEWAY, "PARAM_ERROR", message));
        }
        let request = RefundRequest {
            transaction_id: None,
            out_trade_no: Some(refund.payment.out_trade_no.clone()),
            out_refund_no: refund.out_refund_no.clone(),
            reason: Some(cut(&start.reason, MAX_REASON)).filter(|reason| !reason.is_empty()),
            notify_url: Some(self.config.notify_url.clone()),
            amount: RefundRequestAmount {
                refund: refund.amount.amount,
                total: refund.total.amount,
                currency: refund.amount.currency.to_string(),
            },
        };
        let path = "/v3/refund/domestic/refunds";
        let answer: Refund = self.post(operation, path, &request, now).await?;
        read_answer(operation, &answer, refund)
    }

    pub(super) async fn refund_state(
        &self,
        out_refund_no: &str,
        now: Ts,
    ) -> Result<RefundState, GatewayError> {
        match self.told_refund(out_refund_no, now).await {
            Err(error) if is_refusal(&error, "RESOURCE_NOT_EXISTS") => Ok(RefundState::NotFound),
            answer => read_refund(&answer?, out_refund_no)
                .map_err(|reason| Operation::QueryRefund.unanswered(GATEWAY, reason)),
        }
    }

    async fn told_refund(&self, out_refund_no: &str, now: Ts) -> Result<Refund, GatewayError> {
        let operation = Operation::QueryRefund;
        check_refund_no(operation, out_refund_no)?;
        let path = format!("/v3/refund/domestic/refunds/{}", escape(out_refund_no));
        self.get(operation, &path, now).await
    }

    /// Sends an abnormal refund elsewhere (WeChat Pay API v3, abnormal refunds). Card and name go
    /// encrypted for WeChat alone.
    pub(super) async fn send_elsewhere(
        &self,
        refund: &RefundRef,
        to: &AbnormalRefund,
        now: Ts,
    ) -> Result<RefundState, GatewayError> {
        let operation = Operation::RefundElsewhere;
        check_refund_no(operation, &refund.out_refund_no)?;
        let request = self.abnormal_request(refund, to)?;
        // The path is by WeChat's number, which nobody may have told us: a query does.
        let refund_id = match &refund.refund_id {
            Some(refund_id) => refund_id.clone(),
            None => {
                self.told_refund(&refund.out_refund_no, now)
                    .await?
                    .refund_id
            }
        };
        let path = format!(
            "/v3/refund/domestic/refunds/{}/apply-abnormal-refund",
            escape(&refund_id)
        );
        let serial = Some(self.encrypting.serial.as_str());
        let body = self
            .post_for_bytes(operation, &path, &request, serial, now)
            .await?;
        let answer: Refund = super::client::read(operation, &body)?;
        read_answer(operation, &answer, refund)
    }

    fn abnormal_request(
        &self,
        refund: &RefundRef,
        to: &AbnormalRefund,
    ) -> Result<AbnormalRefundRequest, GatewayError> {
        let mut request = AbnormalRefundRequest {
            out_refund_no: refund.out_refund_no.clone(),
            kind: "MERCHANT_BANK_CARD".to_owned(),
            bank_type: None,
            bank_account: None,
            real_name: None,
        };
        let AbnormalRefund::UserBankCard {
            bank,
            account,
            name,
        } = to
        else {
            return Ok(request);
        };
        let sealed = |name: &str, text: &str| {
            let refused = |message: &str| {
                let message = format!("{name} {message}");
                Operation::RefundElsewhere.refused(GATEWAY, "PARAM_ERROR", &message)
            };
            if text.is_empty() {
                return Err(refused("must be given"));
            }
            self.encrypting
                .key
                .encrypt(text)
                .map(Some)
                .map_err(|reason| refused(&reason.to_string()))
        };
        request.kind = "USER_BANK_CARD".to_owned();
        request.bank_type = Some(bank.clone());
        request.bank_account = sealed("bank_account", account)?;
        request.real_name = sealed("real_name", name)?;
        Ok(request)
    }
}

fn check_refund_no(operation: Operation, number: &str) -> Result<(), GatewayError> {
    check_number(operation, "out_refund_no", number, 1..=64, "_-|*@")
}

fn read_answer(
    operation: Operation,
    answer: &Refund,
    refund: &RefundRef,
) -> Result<RefundState, GatewayError> {
    if answer.amount.refund != refund.amount.amount {
        let reason = format!(
            "asked for {} fen, told {}",
            refund.amount, answer.amount.refund
        );
        return Err(operation.unanswered(GATEWAY, reason));
    }
    read_refund(answer, &refund.out_refund_no)
        .map_err(|reason| operation.unanswered(GATEWAY, reason))
}

fn read_refund(refund: &Refund, out_refund_no: &str) -> Result<RefundState, String> {
    if refund.out_refund_no != out_refund_no {
        return Err(format!(
            "asked for {out_refund_no}, told {}",
            refund.out_refund_no
        ));
    }
    refund_status(
        &refund.status,
        &refund.refund_id,
        refund.success_time.as_deref(),
    )
}

/// A refund's status, from an answer or a callback.
pub(super) fn refund_status(
    status: &str,
    refund_id: &str,
    success_time: Option<&str>,
) -> Result<RefundState, String> {
    match status {
        "SUCCESS" => {
            let time = success_time.ok_or("a refund that succeeded has no success_time")?;
            let at = read_time("success_time", time)?;
            Ok(RefundState::Succeeded {
                refund_id: refund_id.to_owned(),
                at,
            })
        }
        "PROCESSING" => Ok(RefundState::Processing {
            refund_id: Some(refund_id.to_owned()),
        }),
        // Both spellings occur in callbacks.
        "CLOSED" | "CLOSE" => Ok(RefundState::Closed),
        "ABNORMAL" => Ok(RefundState::Abnormal),
        other => Err(format!("refund status `{other}` is not known")),
    }
}
