//! Refunds, in Alipay's terms: made at once, or not at all.

use super::refusal::Refusal;
use super::{Api, GATEWAY};
use crate::book::NewRefund;
use crate::control::views::RefundStatus;
use connectors::alipay::wire::{self, RefundFound, RefundNumber, Refunded, Yuan, beijing_time};
use domain::{Currency, Money};
use serde_json::Value;

impl Api {
    /// Makes a refund, or finds it made: a number is refunded only once.
    pub(super) fn refund(&self, asked: wire::Refund) -> Result<Refunded, Refusal> {
        let amount = checked(&asked)?;
        let number = asked.out_request_no.clone();
        let is_repeated = self.sandbox.refund_at(GATEWAY, &number).is_some();
        let made = self.sandbox.refund_payment(NewRefund {
            gateway: GATEWAY,
            out_trade_no: asked.out_trade_no,
            out_refund_no: asked.out_request_no,
            // Alipay gives refunds no number of its own.
            refund_id: number,
            reason: asked.refund_reason,
            // Refunds are told where the payment is told.
            notify_url: None,
            amount,
            terms: Value::Null,
            extra: Value::Null,
        });
        let refund = made.map_err(Refusal::of_refund)?;
        let moved_now = !is_repeated && refund.status == RefundStatus::Success;
        let all = self.sandbox.book().refunded(&refund.out_trade_no);
        Ok(Refunded {
            trade_no: Some(refund.transaction_id.clone()),
            fund_change: Some(if moved_now { "Y" } else { "N" }.to_owned()),
            refund_fee: Some(Money::new(all, refund.currency).into()),
            gmt_refund_pay: None,
            out_trade_no: refund.out_trade_no,
        })
    }

    /// How a refund stands: an empty answer where none was made.
    pub(super) fn told_refund(&self, asked: &RefundNumber) -> RefundFound {
        let found = self.sandbox.refund_at(GATEWAY, &asked.out_request_no);
        let made = found.map(|(refund, _)| refund).filter(|refund| {
            refund.status == RefundStatus::Success && refund.out_trade_no == asked.out_trade_no
        });
        let Some(refund) = made else {
            return RefundFound::default();
        };
        let wants_time = asked
            .query_options
            .iter()
            .any(|option| option == "gmt_refund_pay");
        let amount = |minor: i64| Yuan::from(Money::new(minor, refund.currency));
        RefundFound {
            out_trade_no: Some(refund.out_trade_no.clone()),
            out_request_no: Some(refund.out_refund_no.clone()),
            trade_no: Some(refund.transaction_id.clone()),
            total_amount: Some(amount(refund.total)),
            refund_amount: Some(amount(refund.amount)),
            refund_status: Some("REFUND_SUCCESS".to_owned()),
            gmt_refund_pay: refund.success_at.filter(|_| wants_time).map(beijing_time),
        }
    }
}

/// The amount in fen, if the request is well-formed.
fn checked(asked: &wire::Refund) -> Result<i64, Refusal> {
    let amount = Money::from_decimal(&asked.refund_amount, Currency::CNY);
    let amount = amount.map_or(0, |amount| amount.amount);
    let reason = asked.refund_reason.as_deref().unwrap_or_default();
    let wrong = if !(1..=64).contains(&asked.out_request_no.len()) {
        "out_request_no must have 1 to 64 characters"
    } else if reason.chars().count() > 256 {
        "refund_reason must have at most 256 characters"
    } else if amount < 1 {
        return Err(Refusal::business(
            "ACQ.REASON_TRADE_REFUND_FEE_ERR",
            "退款金额无效",
        ));
    } else {
        return Ok(amount);
    };
    Err(Refusal::parameter(wrong))
}
