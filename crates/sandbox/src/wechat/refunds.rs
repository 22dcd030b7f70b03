//! Refunds, in WeChat's terms.

use super::refusal::Refusal;
use super::{Api, GATEWAY, ids};
use crate::book::{NewRefund, Payment, Refund};
use crate::control::views::RefundStatus;
use crate::refusal::MoneyRefusal;
use connectors::wechat_pay::wire::{
    self, AbnormalRefundRequest, RefundAmount, RefundRequest, beijing_time,
};
use serde_json::{Value, json};

/// Where the money goes, in words.
const RECEIVED_ACCOUNT: &str = "支付用户零钱";

impl Api {
    /// Accepts a refund, or finds it accepted: a number is refunded only once.
    pub(super) fn refund(&self, request: RefundRequest) -> Result<wire::Refund, Refusal> {
        check_request(&request)?;
        let payment = self.payment_to_refund(&request)?;
        let paid = payment.paid.as_ref().map(|paid| paid.total);
        if paid.is_some_and(|paid| paid != request.amount.total) {
            return Err(Refusal::invalid(
                "amount.total is not the amount that was paid",
            ));
        }
        let refund = self.sandbox.refund_payment(NewRefund {
            gateway: GATEWAY,
            out_trade_no: payment.out_trade_no,
            out_refund_no: request.out_refund_no,
            refund_id: ids::refund_id(self.sandbox.now()),
            reason: request.reason,
            notify_url: request.notify_url,
            amount: request.amount.refund,
            terms: json!({ "total": request.amount.total }),
            extra: Value::Null,
        });
        refund
            .map(|refund| describe(&refund))
            .map_err(Refusal::of_refund)
    }

    /// Sends a refund elsewhere that the payer's card didn't take.
    pub(super) fn refund_elsewhere(
        &self,
        refund_id: &str,
        request: &AbnormalRefundRequest,
    ) -> Result<wire::Refund, Refusal> {
        let known = self
            .sandbox
            .book()
            .refund_of_id(GATEWAY, refund_id)
            .cloned();
        let known = known.filter(|refund| refund.out_refund_no == request.out_refund_no);
        let Some(known) = known else {
            return Err(no_such_refund());
        };
        let received = match request.kind.as_str() {
            "MERCHANT_BANK_CARD" => "商户结算银行账户".to_owned(),
            "USER_BANK_CARD" => self.card(request)?,
            _ => {
                return Err(Refusal::param(
                    "type must be USER_BANK_CARD or MERCHANT_BANK_CARD",
                ));
            }
        };
        let extra = json!({ "received": received });
        self.sandbox
            .refund_elsewhere(GATEWAY, &known.out_refund_no, extra)
            .map(|refund| describe(&refund))
            .map_err(Refusal::of_refund)
    }

    /// The payer's card in words, once its number and name were encrypted as they must be.
    fn card(&self, request: &AbnormalRefundRequest) -> Result<String, Refusal> {
        let bank = request.bank_type.as_deref().unwrap_or_default();
        if !bank.ends_with("_DEBIT") {
            return Err(Refusal::param("bank_type must be of a debit card"));
        }
        let opened = |name: &str, sealed: &Option<String>| {
            sealed
                .as_deref()
                .and_then(|sealed| self.keys.decrypting.decrypt(sealed))
                .filter(|text| !text.is_empty())
                .ok_or_else(|| Refusal::param(&format!("{name} must be given, encrypted for us")))
        };
        opened("real_name", &request.real_name)?;
        let account = opened("bank_account", &request.bank_account)?;
        let from = account.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        Ok(format!("{bank}{}", &account[from..]))
    }

    /// How a refund stands.
    pub(super) fn told_refund(&self, out_refund_no: &str) -> Result<wire::Refund, Refusal> {
        self.sandbox
            .refund_at(GATEWAY, out_refund_no)
            .map(|(refund, _)| describe(&refund))
            .ok_or_else(no_such_refund)
    }

    fn payment_to_refund(&self, request: &RefundRequest) -> Result<Payment, Refusal> {
        let book = self.sandbox.book();
        let payment = match (&request.transaction_id, &request.out_trade_no) {
            (Some(id), _) => book.payment_of_transaction(GATEWAY, id),
            (None, Some(number)) => book.payment_at(GATEWAY, number),
            (None, None) => None,
        };
        payment
            .cloned()
            .ok_or_else(|| Refusal::of_refund(MoneyRefusal::NoSuchPayment))
    }
}

fn no_such_refund() -> Refusal {
    Refusal::new(404, "RESOURCE_NOT_EXISTS", "the refund does not exist")
}

fn check_request(request: &RefundRequest) -> Result<(), Refusal> {
    let number = &request.out_refund_no;
    let well_formed = number
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte));
    let wrong = if !(1..=64).contains(&number.len()) || !well_formed {
        "out_refund_no must be 1 to 64 of 0-9A-Za-z_-|*@"
    } else if request.amount.refund < 1 {
        "amount.refund must be at least 1"
    } else if request.amount.currency != "CNY" {
        "amount.currency must be CNY"
    } else if request
        .reason
        .as_deref()
        .is_some_and(|reason| reason.chars().count() > 80)
    {
        "reason must have at most 80 characters"
    } else if request
        .notify_url
        .as_deref()
        .is_some_and(|url| url.len() > 256)
    {
        "notify_url must have at most 256 characters"
    } else if request.transaction_id.is_some() == request.out_trade_no.is_some() {
        "one of transaction_id and out_trade_no must be given"
    } else {
        return Ok(());
    };
    Err(Refusal::param(wrong))
}

/// A refund as the answer to its request and its query tell it.
pub(super) fn describe(refund: &Refund) -> wire::Refund {
    let elsewhere = refund.extra["received"].as_str();
    wire::Refund {
        refund_id: refund.refund_id.clone(),
        out_refund_no: refund.out_refund_no.clone(),
        transaction_id: refund.transaction_id.clone(),
        out_trade_no: refund.out_trade_no.clone(),
        channel: elsewhere
            .map_or("ORIGINAL", |_| "OTHER_BANKCARD")
            .to_owned(),
        user_received_account: elsewhere.unwrap_or(RECEIVED_ACCOUNT).to_owned(),
        success_time: refund.success_at.map(beijing_time),
        create_time: beijing_time(refund.created_at),
        status: status(refund.status).to_owned(),
        amount: amounts(refund),
    }
}

pub(super) fn amounts(refund: &Refund) -> RefundAmount {
    RefundAmount {
        total: refund.total,
        refund: refund.amount,
        payer_total: refund.total,
        payer_refund: refund.amount,
        currency: Some(refund.currency.to_string()),
    }
}

/// `status`. WeChat knows no plain failure.
pub(super) const fn status(status: RefundStatus) -> &'static str {
    match status {
        RefundStatus::Processing => "PROCESSING",
        RefundStatus::Success => "SUCCESS",
        RefundStatus::Abnormal => "ABNORMAL",
        RefundStatus::Closed | RefundStatus::Failed => "CLOSED",
    }
}
