//! WeChat's notices: sealed, and signed anew for each copy.

use super::guard::signature_headers;
use super::keys::Keys;
use super::{payments, refunds};
use crate::SandboxError;
use crate::book::Refund;
use crate::control::views::{PaymentState, RefundStatus};
use crate::counterparty::{OutgoingNotice, Signing, Subject};
use crate::keys::unusable;
use connectors::wechat_pay::wire::{Notification, RefundNotice, beijing_time};
use domain::Ts;
use serde::Serialize;

/// What is told, before it is sealed.
struct Told<'a> {
    url: &'a str,
    id: &'a str,
    event_type: String,
    summary: &'static str,
    /// `transaction` or `refund`.
    kind: &'static str,
    made_at: Ts,
    resource: Vec<u8>,
}

/// A copy of a notice; none where the merchant didn't say where to.
pub(super) fn notice(
    keys: &Keys,
    now: Ts,
    subject: Subject<'_>,
    signing: Signing,
) -> Result<Option<OutgoingNotice>, SandboxError> {
    let told = match subject {
        Subject::PaymentPaid(payment) => {
            let (Some(url), Some(paid)) = (&payment.notify_url, &payment.paid) else {
                return Ok(None);
            };
            Told {
                url,
                id: &paid.notice_id,
                event_type: "TRANSACTION.SUCCESS".to_owned(),
                summary: "支付成功",
                kind: "transaction",
                made_at: paid.at,
                resource: encode(&payments::describe(keys, payment, PaymentState::Success))?,
            }
        }
        Subject::RefundEnded(refund, _) => {
            let (Some(url), Some(summary)) = (&refund.notify_url, summary(refund.status)) else {
                return Ok(None);
            };
            Told {
                url,
                id: &refund.notice_id,
                event_type: format!("REFUND.{}", refunds::status(refund.status)),
                summary,
                kind: "refund",
                made_at: refund.success_at.unwrap_or(now),
                resource: encode(&refund_notice(keys, refund))?,
            }
        }
        // WeChat has no such step.
        Subject::PaymentApproved(_) => return Ok(None),
    };
    let body = sealed(keys, &told)?;
    Ok(Some(OutgoingNotice {
        url: told.url.to_owned(),
        headers: signature_headers(keys, now, &body, signing)?,
        content_type: "application/json",
        body,
    }))
}

fn sealed(keys: &Keys, told: &Told<'_>) -> Result<Vec<u8>, SandboxError> {
    let resource = keys
        .resource
        .seal(told.kind, &told.resource)
        .map_err(unusable)?;
    encode(&Notification {
        id: told.id.to_owned(),
        create_time: beijing_time(told.made_at),
        resource_type: "encrypt-resource".to_owned(),
        event_type: told.event_type.clone(),
        summary: told.summary.to_owned(),
        resource,
    })
}

const fn summary(status: RefundStatus) -> Option<&'static str> {
    match status {
        // It was decided anew meanwhile; the notice of that end follows.
        RefundStatus::Processing => None,
        RefundStatus::Success => Some("退款成功"),
        RefundStatus::Abnormal => Some("退款异常"),
        RefundStatus::Closed | RefundStatus::Failed => Some("退款关闭"),
    }
}

/// What the notice of a refund tells.
fn refund_notice(keys: &Keys, refund: &Refund) -> RefundNotice {
    let mut amount = refunds::amounts(refund);
    amount.currency = None;
    RefundNotice {
        mchid: keys.file.mchid.clone(),
        out_trade_no: refund.out_trade_no.clone(),
        transaction_id: refund.transaction_id.clone(),
        out_refund_no: refund.out_refund_no.clone(),
        refund_id: refund.refund_id.clone(),
        refund_status: refunds::status(refund.status).to_owned(),
        success_time: refund.success_at.map(beijing_time),
        user_received_account: refunds::describe(refund).user_received_account,
        amount,
    }
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, SandboxError> {
    serde_json::to_vec(value).map_err(|reason| SandboxError::Notice(reason.to_string()))
}
