//! Alipay's OpenAPI, played: verified requests, signed answers, pages for the payer, signed
//! notices, and a bill in its archive.

mod api;
mod bills;
mod ids;
mod keys;
mod notices;
mod payments;
mod refunds;
mod refusal;

use crate::book::Payment;
use crate::control::views::RefundStatus;
use crate::counterparty::{
    Choice, Counterparty, Look, OutgoingNotice, RefundRules, Signing, Subject,
};
use crate::{Sandbox, SandboxError};
use axum::Router;
use domain::payment::{GatewayName, Method};
use domain::{Span, Ts};
use keys::Keys;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const GATEWAY: GatewayName = GatewayName::ALIPAY;

/// So many seconds after each failed attempt comes the next: 4 min, 10 min, 10 min, 1 h, 2 h, 6 h,
/// 15 h, eight attempts within 25 hours (Alipay OpenAPI, asynchronous notices).
const RETRY_SECONDS: [i64; 7] = [240, 600, 600, 3600, 7200, 21_600, 54_000];

/// The only words that Alipay takes for yes.
const ACCEPTED: &[u8] = b"success";

/// So long after a payment it can be refunded; then the trade is finished.
const REFUNDABLE: Span = Span::hours(24 * 365);

/// Alipay, with its one merchant.
struct Alipay {
    keys: Arc<Keys>,
}

/// Alipay at work: what its handlers need.
#[derive(Clone)]
struct Api {
    sandbox: Sandbox,
    keys: Arc<Keys>,
}

pub(crate) fn open(data_dir: Option<&Path>) -> Result<Arc<dyn Counterparty>, SandboxError> {
    let keys = crate::keys::open(data_dir)?;
    Ok(Arc::new(Alipay { keys }))
}

impl Counterparty for Alipay {
    fn gateway(&self) -> GatewayName {
        GATEWAY
    }

    fn look(&self) -> Look {
        Look {
            label_zh: "支付宝",
            label_en: "Alipay",
            colour: "#0958d9",
        }
    }

    fn router(&self, sandbox: Sandbox) -> Router {
        let keys = self.keys.clone();
        api::router(Api { sandbox, keys })
    }

    fn values(&self, base_url: &str) -> BTreeMap<&'static str, String> {
        let keys = &self.keys.file;
        BTreeMap::from([
            ("ALIPAY_URL", format!("{base_url}/gateway.do")),
            ("ALIPAY_APP_ID", keys.app_id.clone()),
            ("ALIPAY_SELLER_ID", keys.seller_id.clone()),
            ("ALIPAY_APP_KEY_FILE", keys.app_private_key_pem.clone()),
            ("ALIPAY_PUBLIC_KEY_FILE", keys.alipay_public_key_pem.clone()),
        ])
    }

    /// The number of the trade is the number of its money.
    fn transaction_id(&self, payment: &Payment, _now: Ts) -> String {
        payment.handle.clone()
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
        notices::notice(&self.keys, sandbox, subject, signing)
    }

    fn accepted(&self, status: u16, body: &[u8]) -> bool {
        status == 200 && body == ACCEPTED
    }

    fn retry_seconds(&self) -> &'static [i64] {
        &RETRY_SECONDS
    }

    fn refund_rules(&self) -> RefundRules {
        RefundRules {
            count: None,
            within: Some(REFUNDABLE),
            at_once: true,
            // What does not succeed is refused, and leaves nothing.
            ends: &[RefundStatus::Success],
        }
    }

    /// Whoever paid is sent to the merchant with signed parameters; whoever gives up on a phone,
    /// to the page that the merchant named for that. A page on a desk just stays.
    fn way_back(
        &self,
        sandbox: &Sandbox,
        payment: &Payment,
        choice: Choice,
    ) -> Result<Option<String>, SandboxError> {
        match choice {
            Choice::Pay => notices::way_back(&self.keys, payment, sandbox.now()),
            Choice::Leave if payment.method == Method::WAP => {
                Ok(payment.extra["quit_url"].as_str().map(str::to_owned))
            }
            Choice::Fail | Choice::Leave => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_word_is_an_acceptance() {
        let alipay = open(None).unwrap();
        assert!(alipay.accepted(200, b"success"));
        for (status, body) in [
            (200, &b"SUCCESS"[..]),
            (200, b"success\n"),
            (200, b"\"success\""),
            (200, b"fail"),
            (200, b""),
            (204, b"success"),
            (500, b"success"),
        ] {
            assert!(!alipay.accepted(status, body), "{status} {body:?}");
        }
    }
}
