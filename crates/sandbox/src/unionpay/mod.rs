//! UnionPay's online gateway 5.1.0, played: verified requests, answers and notices with their
//! certificate, UnionPay's codes, a settlement file each morning.
//!
//! A purchase begins with the form that the payer's browser posts. There is no close: payTimeout
//! ends an order.

mod answers;
mod api;
mod keys;
mod notices;
mod page;
mod purchases;
mod queries;
mod refunds;
mod settlement;

use crate::book::Payment;
use crate::control::views::RefundStatus;
use crate::counterparty::{
    Choice, Counterparty, Look, OutgoingNotice, RefundRules, Signing, Subject,
};
use crate::{Sandbox, SandboxError, ids};
use axum::Router;
use connectors::unionpay::time::{SETTLEMENT_DAYS, order_time};
use domain::payment::GatewayName;
use domain::{Span, Ts};
use jiff::tz::Offset;
use keys::{Keys, SIGNER};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const GATEWAY: GatewayName = GatewayName::UNIONPAY;

/// So many seconds after each failed attempt comes the next: five attempts in all (UnionPay's
/// samples, background notice).
const RETRY_SECONDS: [i64; 4] = [60, 120, 240, 300];

/// Where settlement files are; UnionPay has a host of its own for them.
const FILE_PATH: &str = "/unionpay/filedownload/";

/// UnionPay, with its one merchant.
struct UnionPay {
    keys: Arc<Keys>,
}

/// UnionPay at work: what its handlers need.
#[derive(Clone)]
struct Api {
    sandbox: Sandbox,
    keys: Arc<Keys>,
}

pub(crate) fn open(data_dir: Option<&Path>) -> Result<Arc<dyn Counterparty>, SandboxError> {
    let keys = crate::keys::open(data_dir)?;
    Ok(Arc::new(UnionPay { keys }))
}

impl Counterparty for UnionPay {
    fn gateway(&self) -> GatewayName {
        GATEWAY
    }

    fn look(&self) -> Look {
        Look {
            label_zh: "银联在线支付",
            label_en: "UnionPay",
            colour: "#b01e2c",
        }
    }

    fn router(&self, sandbox: Sandbox) -> Router {
        let keys = self.keys.clone();
        api::router(Api { sandbox, keys })
    }

    fn values(&self, base_url: &str) -> BTreeMap<&'static str, String> {
        let keys = &self.keys.file;
        BTreeMap::from([
            ("UNIONPAY_URL", base_url.to_owned()),
            ("UNIONPAY_FILE_URL", format!("{base_url}{FILE_PATH}")),
            ("UNIONPAY_MERID", keys.mer_id.clone()),
            (
                "UNIONPAY_MERCHANT_CERT_FILE",
                keys.merchant.certificate_pem.clone(),
            ),
            (
                "UNIONPAY_MERCHANT_KEY_FILE",
                keys.merchant.private_key_pem.clone(),
            ),
            ("UNIONPAY_ROOT_CERT_FILE", keys.root_certificate_pem.clone()),
            (
                "UNIONPAY_MIDDLE_CERT_FILE",
                keys.middle_certificate_pem.clone(),
            ),
            ("UNIONPAY_SIGNER", SIGNER.to_owned()),
            ("UNIONPAY_CHANNEL", "07".to_owned()),
        ])
    }

    fn transaction_id(&self, _payment: &Payment, now: Ts) -> String {
        query_id(now)
    }

    /// UnionPay's notices have no number; this one is for the control API.
    fn notice_id(&self, now: Ts) -> String {
        format!("UP{}{}", order_time(now), ids::digits(10))
    }

    fn notice(
        &self,
        _sandbox: &Sandbox,
        subject: Subject<'_>,
        signing: Signing,
    ) -> Result<Option<OutgoingNotice>, SandboxError> {
        notices::notice(&self.keys, subject, signing)
    }

    fn accepted(&self, status: u16, _body: &[u8]) -> bool {
        matches!(status, 200 | 302)
    }

    fn retry_seconds(&self) -> &'static [i64] {
        &RETRY_SECONDS
    }

    fn refund_rules(&self) -> RefundRules {
        RefundRules {
            count: None,
            within: Some(Span::hours(24 * 330)),
            at_once: false,
            ends: &[RefundStatus::Success, RefundStatus::Failed],
        }
    }

    fn bill_offset(&self) -> Offset {
        SETTLEMENT_DAYS
    }

    /// Whoever has paid gets a button that posts the notice to the merchant's page; whoever has
    /// not is simply sent there.
    fn way_back(
        &self,
        _sandbox: &Sandbox,
        payment: &Payment,
        choice: Choice,
    ) -> Result<Option<String>, SandboxError> {
        match choice {
            Choice::Pay => Ok(page::way_back(payment)),
            Choice::Fail | Choice::Leave => Ok(payment.return_url.clone()),
        }
    }
}

/// UnionPay's number of a transaction: 21 digits, the day in them, the trace number near their end.
fn query_id(now: Ts) -> String {
    let day = order_time(now);
    let day = day.get(2..8).unwrap_or_default();
    format!("95{day}{}", ids::digits(13))
}

/// The trace number in a transaction's number.
fn trace_no(query_id: &str) -> &str {
    query_id.get(14..20).unwrap_or_default()
}
