//! PayPal, played: tokens, orders that the payer agrees to and the merchant captures, refunds,
//! Transaction Search, and notices proven by a certificate that is served here as well.

mod api;
mod ids;
mod keys;
mod notices;
mod orders;
mod refunds;
mod refusal;
mod reports;
mod tokens;

use crate::book::Payment;
use crate::control::views::RefundStatus;
use crate::counterparty::{
    Choice, Counterparty, Look, OutgoingNotice, RefundRules, Signing, Subject,
};
use crate::{Sandbox, SandboxError};
use axum::Router;
use domain::payment::GatewayName;
use domain::reconciliation::LineKind;
use domain::{Money, Span, Ts};
use jiff::tz::Offset;
use keys::Keys;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const GATEWAY: GatewayName = GatewayName::PAYPAL;

/// So many seconds after each failed attempt comes the next. PayPal says "25 times over the course
/// of three days" and not when: often at first, then every four hours.
const RETRY_SECONDS: [i64; 25] = [
    60, 120, 300, 600, 900, 1800, 1800, 3600, 14_400, 14_400, 14_400, 14_400, 14_400, 14_400,
    14_400, 14_400, 14_400, 14_400, 14_400, 14_400, 14_400, 14_400, 14_400, 14_400, 14_400,
];

/// PayPal, with its one merchant.
struct PayPal {
    keys: Arc<Keys>,
}

/// PayPal at work: what its handlers need.
#[derive(Clone)]
struct Api {
    sandbox: Sandbox,
    keys: Arc<Keys>,
}

pub(crate) fn open(data_dir: Option<&Path>) -> Result<Arc<dyn Counterparty>, SandboxError> {
    let keys = crate::keys::open(data_dir)?;
    Ok(Arc::new(PayPal { keys }))
}

impl Counterparty for PayPal {
    fn gateway(&self) -> GatewayName {
        GATEWAY
    }

    fn look(&self) -> Look {
        Look {
            label_zh: "贝宝 PayPal",
            label_en: "PayPal",
            colour: "#003087",
        }
    }

    fn router(&self, sandbox: Sandbox) -> Router {
        let keys = self.keys.clone();
        api::router(Api { sandbox, keys })
    }

    fn values(&self, base_url: &str) -> BTreeMap<&'static str, String> {
        let keys = &self.keys.file;
        BTreeMap::from([
            ("PAYPAL_URL", base_url.to_owned()),
            ("PAYPAL_CLIENT_ID", keys.client_id.clone()),
            ("PAYPAL_CLIENT_SECRET", keys.client_secret.clone()),
            ("PAYPAL_WEBHOOK_ID", keys.webhook_id.clone()),
        ])
    }

    fn transaction_id(&self, _payment: &Payment, _now: Ts) -> String {
        ids::number()
    }

    fn notice_id(&self, _now: Ts) -> String {
        ids::notice_id()
    }

    fn notice(
        &self,
        sandbox: &Sandbox,
        subject: Subject<'_>,
        signing: Signing,
    ) -> Result<Option<OutgoingNotice>, SandboxError> {
        notices::notice(&self.keys, sandbox, subject, signing)
    }

    fn accepted(&self, status: u16, _body: &[u8]) -> bool {
        (200..300).contains(&status)
    }

    fn retry_seconds(&self) -> &'static [i64] {
        &RETRY_SECONDS
    }

    fn two_steps(&self) -> bool {
        true
    }

    fn refund_rules(&self) -> RefundRules {
        RefundRules {
            count: None,
            within: Some(Span::hours(24 * 180)),
            at_once: true,
            ends: &[
                RefundStatus::Success,
                RefundStatus::Failed,
                RefundStatus::Closed,
            ],
        }
    }

    /// Transaction Search is asked by instants; days are UTC's.
    fn bill_offset(&self) -> Offset {
        Offset::UTC
    }

    /// What PayPal takes in New Zealand, 3.4 % and 45 cents, and does not give back.
    fn fee(&self, kind: LineKind, amount: Money) -> i64 {
        let minor = amount.amount.saturating_mul(34).saturating_add(500) / 1000 + 45;
        match kind {
            LineKind::Payment => minor * 1000,
            LineKind::Refund => 0,
        }
    }

    /// Whoever agreed comes back to the merchant's page, even if the capture will then be declined;
    /// whoever left, to its page for that.
    fn way_back(
        &self,
        _sandbox: &Sandbox,
        payment: &Payment,
        choice: Choice,
    ) -> Result<Option<String>, SandboxError> {
        Ok(match choice {
            Choice::Pay | Choice::Fail => payment.return_url.clone(),
            Choice::Leave => payment.extra["cancelUrl"].as_str().map(str::to_owned),
        })
    }
}
