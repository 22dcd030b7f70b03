//! WeChat Pay API v3, played: verified requests, signed answers, sealed notices, WeChat's codes.

mod api;
mod bills;
mod guard;
mod ids;
mod keys;
mod notices;
mod payments;
mod refunds;
mod refusal;

use crate::book::{Payment, Refund};
use crate::control::views::RefundStatus;
use crate::counterparty::{
    Choice, Counterparty, Look, OutgoingNotice, RefundRules, Signing, Subject,
};
use crate::{Sandbox, SandboxError};
use axum::Router;
use domain::payment::GatewayName;
use domain::reconciliation::LineStatus;
use domain::{Span, Ts};
use keys::Keys;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const GATEWAY: GatewayName = GatewayName::WECHAT;

/// So many seconds after each failed attempt comes the next; after the last one WeChat gives up
/// (WeChat Pay API v3, payment notice).
const RETRY_SECONDS: [i64; 15] = [
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
];

/// WeChat, with its one merchant.
struct Wechat {
    keys: Arc<Keys>,
}

/// WeChat at work: what its handlers need.
#[derive(Clone)]
struct Api {
    sandbox: Sandbox,
    keys: Arc<Keys>,
}

pub(crate) fn open(data_dir: Option<&Path>) -> Result<Arc<dyn Counterparty>, SandboxError> {
    let keys = crate::keys::open(data_dir)?;
    Ok(Arc::new(Wechat { keys }))
}

impl Counterparty for Wechat {
    fn gateway(&self) -> GatewayName {
        GATEWAY
    }

    fn look(&self) -> Look {
        Look {
            label_zh: "微信支付",
            label_en: "WeChat Pay",
            colour: "#067a46",
        }
    }

    fn router(&self, sandbox: Sandbox) -> Router {
        let keys = self.keys.clone();
        api::router(Api { sandbox, keys })
    }

    fn values(&self, base_url: &str) -> BTreeMap<&'static str, String> {
        let keys = &self.keys.file;
        BTreeMap::from([
            ("PAYMENT_GATEWAY_URL", base_url.to_owned()),
            ("WECHAT_APPID", keys.appid.clone()),
            ("WECHAT_MCHID", keys.mchid.clone()),
            ("WECHAT_MERCHANT_SERIAL", keys.merchant_serial.clone()),
            (
                "WECHAT_MERCHANT_KEY_FILE",
                keys.merchant_private_key_pem.clone(),
            ),
            ("WECHAT_API_V3_KEY", keys.api_v3_key.clone()),
            ("WECHAT_PLATFORM_SERIAL", keys.platform_serial.clone()),
            (
                "WECHAT_PLATFORM_KEY_FILE",
                keys.platform_public_key_pem.clone(),
            ),
        ])
    }

    fn transaction_id(&self, _payment: &Payment, now: Ts) -> String {
        ids::transaction_id(now)
    }

    fn notice_id(&self, now: Ts) -> String {
        ids::notice_id(now)
    }

    fn notice(
        &self,
        sandbox: &Sandbox,
        subject: Subject<'_>,
        signing: Signing,
    ) -> Result<Option<OutgoingNotice>, SandboxError> {
        notices::notice(&self.keys, sandbox.now(), subject, signing)
    }

    fn accepted(&self, status: u16, _body: &[u8]) -> bool {
        // The body doesn't count: even `FAIL` in a 200 is taken for yes.
        matches!(status, 200 | 204)
    }

    fn retry_seconds(&self) -> &'static [i64] {
        &RETRY_SECONDS
    }

    fn refund_rules(&self) -> RefundRules {
        RefundRules {
            count: Some(50),
            within: Some(Span::hours(24 * 365)),
            at_once: false,
            ends: &[
                RefundStatus::Success,
                RefundStatus::Abnormal,
                RefundStatus::Closed,
            ],
        }
    }

    /// A refund stands on the day on which it was accepted, and not when it arrived.
    fn billed_at(&self, refund: &Refund) -> Option<Ts> {
        Some(refund.created_at)
    }

    fn billed_status(&self, refund: &Refund) -> LineStatus {
        bills::status(refund)
    }

    /// To where the browser said that it wants to go, whatever the payer did.
    fn way_back(
        &self,
        _sandbox: &Sandbox,
        payment: &Payment,
        choice: Choice,
    ) -> Result<Option<String>, SandboxError> {
        match choice {
            Choice::Pay | Choice::Fail | Choice::Leave => {
                let url = payment.extra[payments::REDIRECT_URL].as_str();
                Ok(url.map(str::to_owned))
            }
        }
    }
}
