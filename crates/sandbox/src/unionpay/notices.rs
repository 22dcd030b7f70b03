//! UnionPay's notices: a form, with the certificate that it is signed with. Only successes are
//! told.

use super::answers::{signed, signed_by_impostor, success};
use super::keys::Keys;
use super::queries::{purchase, returned, text};
use crate::SandboxError;
use crate::book::{Payment, Refund};
use crate::control::views::RefundStatus;
use crate::counterparty::{OutgoingNotice, Signing, Subject};
use axum::http::HeaderMap;
use connectors::unionpay::fields::Fields;

/// A copy of a notice; none where there is nothing to tell.
pub(super) fn notice(
    keys: &Keys,
    subject: Subject<'_>,
    signing: Signing,
) -> Result<Option<OutgoingNotice>, SandboxError> {
    let (url, told) = match subject {
        Subject::PaymentPaid(payment) => (&payment.notify_url, paid(keys, payment)),
        Subject::RefundEnded(refund, _) => (&refund.notify_url, refunded(keys, refund)),
        // UnionPay has no such step.
        Subject::PaymentApproved(_) => return Ok(None),
    };
    let (Some(url), Some(told)) = (url, told) else {
        return Ok(None);
    };
    let fields = if signing.wrong_key {
        signed_by_impostor(keys, told)?
    } else {
        signed(keys, told)?
    };
    Ok(Some(OutgoingNotice {
        url: url.clone(),
        headers: HeaderMap::new(),
        content_type: "application/x-www-form-urlencoded;charset=UTF-8",
        body: fields.to_form().into_bytes(),
    }))
}

/// The fields of a payment's notice, unsigned; none where it is not paid.
pub(super) fn paid(keys: &Keys, payment: &Payment) -> Option<Fields> {
    let paid = payment.paid.as_ref()?;
    let told = purchase(payment, paid)
        .with("txnType", "01")
        .with("txnSubType", "01")
        .with("bizType", "000201")
        .with("orderId", &payment.out_trade_no);
    Some(common(keys, told))
}

fn refunded(keys: &Keys, refund: &Refund) -> Option<Fields> {
    match refund.status {
        RefundStatus::Success => {}
        RefundStatus::Processing
        | RefundStatus::Failed
        | RefundStatus::Abnormal
        | RefundStatus::Closed => return None,
    }
    let told = returned(refund)
        .with("txnType", "04")
        .with("txnSubType", "00")
        .with("bizType", "000201")
        .with("orderId", text(&refund.extra, "orderId"));
    Some(common(keys, told))
}

fn common(keys: &Keys, told: Fields) -> Fields {
    let done = success();
    told.with("encoding", "UTF-8")
        .with("accessType", "0")
        .with("merId", &keys.file.mer_id)
        .with("respCode", done.0)
        .with("respMsg", done.1)
}
