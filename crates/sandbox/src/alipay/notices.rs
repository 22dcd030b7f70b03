//! What Alipay tells the merchant: by itself, and through the browser that comes back.

use super::keys::Keys;
use super::payments::trade_status;
use crate::book::{Paid, Payment, Refund};
use crate::control::views::PaymentState;
use crate::counterparty::{OutgoingNotice, Signing, Subject};
use crate::keys::unusable;
use crate::{Sandbox, SandboxError};
use axum::http::HeaderMap;
use connectors::alipay::form::encode;
use connectors::alipay::signature::{Parameters, SIGN_TYPE, notice_message};
use connectors::alipay::wire::beijing_time;
use connectors::rsa::SigningKey;
use domain::payment::Method;
use domain::{Money, Span, Ts};

/// Who pays where the method does not say it.
const BUYER: &str = "2088000000000000";

/// A copy of a notice; none where the merchant didn't say where to.
pub(super) fn notice(
    keys: &Keys,
    sandbox: &Sandbox,
    subject: Subject<'_>,
    signing: Signing,
) -> Result<Option<OutgoingNotice>, SandboxError> {
    let (payment, notice_id, refund) = match subject {
        Subject::PaymentPaid(payment) => (
            payment,
            payment.paid.as_ref().map(|paid| &paid.notice_id),
            None,
        ),
        Subject::RefundEnded(refund, payment) => (payment, Some(&refund.notice_id), Some(refund)),
        // Alipay has no such step.
        Subject::PaymentApproved(_) => return Ok(None),
    };
    let (Some(url), Some(paid), Some(notice_id)) = (&payment.notify_url, &payment.paid, notice_id)
    else {
        return Ok(None);
    };
    let sent_at = sandbox.now() - Span::seconds(signing.stale_seconds.into());
    let mut told = trade(keys, payment, paid);
    told.extend(owned([
        ("notify_type", "trade_status_sync"),
        ("notify_id", notice_id),
        ("notify_time", &beijing_time(sent_at)),
    ]));
    match refund {
        // A later refund doesn't change what this notice tells.
        None => told.extend(owned([("trade_status", "TRADE_SUCCESS")])),
        Some(refund) => {
            let refunded = sandbox.book().refunded(&payment.out_trade_no);
            told.extend(refunded_fields(refund, payment, refunded, sandbox.now()));
        }
    }
    let key = if signing.wrong_key {
        &keys.wrong
    } else {
        &keys.alipay
    };
    Ok(Some(OutgoingNotice {
        url: url.clone(),
        headers: HeaderMap::new(),
        content_type: "application/x-www-form-urlencoded; charset=utf-8",
        body: encode(&signed(told, key)?).into_bytes(),
    }))
}

/// Where the browser goes that has paid.
pub(super) fn way_back(
    keys: &Keys,
    payment: &Payment,
    now: Ts,
) -> Result<Option<String>, SandboxError> {
    let (Some(return_url), Some(paid)) = (&payment.return_url, &payment.paid) else {
        return Ok(None);
    };
    let method = match payment.method {
        Method::WAP => "alipay.trade.wap.pay.return",
        _ => "alipay.trade.page.pay.return",
    };
    let total = Money::new(paid.total, payment.currency).to_decimal();
    let timestamp = beijing_time(now);
    let told = owned([
        ("app_id", keys.file.app_id.as_str()),
        ("auth_app_id", &keys.file.app_id),
        ("charset", "utf-8"),
        ("method", method),
        ("out_trade_no", &payment.out_trade_no),
        ("seller_id", &keys.file.seller_id),
        ("sign_type", SIGN_TYPE),
        ("timestamp", &timestamp),
        ("total_amount", &total),
        ("trade_no", &paid.transaction_id),
        ("version", "1.0"),
    ]);
    let query = encode(&signed(told.collect(), &keys.alipay)?);
    let sign = if return_url.contains('?') { '&' } else { '?' };
    Ok(Some(format!("{return_url}{sign}{query}")))
}

/// What every notice of a paid trade tells (Alipay OpenAPI, asynchronous notices).
fn trade(keys: &Keys, payment: &Payment, paid: &Paid) -> Parameters {
    let total = Money::new(paid.total, payment.currency).to_decimal();
    let bills = format!("[{{\"amount\":\"{total}\",\"fundChannel\":\"ALIPAYACCOUNT\"}}]");
    let buyer = payment.payer.as_deref().unwrap_or(BUYER);
    owned([
        ("app_id", keys.file.app_id.as_str()),
        ("auth_app_id", &keys.file.app_id),
        ("seller_id", &keys.file.seller_id),
        ("charset", "utf-8"),
        ("version", "1.0"),
        ("sign_type", SIGN_TYPE),
        ("out_trade_no", &payment.out_trade_no),
        ("trade_no", &paid.transaction_id),
        ("subject", &payment.description),
        ("buyer_id", buyer),
        ("buyer_logon_id", "san***@example.com"),
        ("total_amount", &total),
        ("receipt_amount", &total),
        ("invoice_amount", &total),
        ("buyer_pay_amount", &total),
        ("point_amount", "0.00"),
        ("fund_bill_list", &bills),
        ("gmt_create", &beijing_time(payment.created_at)),
        ("gmt_payment", &beijing_time(paid.at)),
    ])
    .collect()
}

/// What a refund's notice tells besides: the trade's status as it is now, how much went back of it
/// in all, and which refund it was.
fn refunded_fields(refund: &Refund, payment: &Payment, refunded: i64, now: Ts) -> Parameters {
    let status = trade_status(payment, PaymentState::Refund, refunded, now);
    let at = refund.success_at.unwrap_or(now);
    let millis = at.micros().rem_euclid(1_000_000) / 1000;
    let mut told: Parameters = owned([
        ("trade_status", status),
        ("out_biz_no", refund.out_refund_no.as_str()),
        (
            "refund_fee",
            &Money::new(refunded, refund.currency).to_decimal(),
        ),
        // Here alone, times have parts of a second.
        ("gmt_refund", &format!("{}.{millis:03}", beijing_time(at))),
    ])
    .collect();
    if status == "TRADE_CLOSED" {
        told.extend(owned([("gmt_close", beijing_time(at).as_str())]));
    }
    told
}

fn signed(mut told: Parameters, key: &SigningKey) -> Result<Parameters, SandboxError> {
    let sign = key
        .sign(notice_message(&told).as_bytes())
        .map_err(unusable)?;
    told.insert("sign".to_owned(), sign);
    Ok(told)
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> impl Iterator<Item = (String, String)> {
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
}
