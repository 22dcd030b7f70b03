//! Stripe, played: a checked key, answers stored by idempotency key, Stripe's codes, signed events.

mod api;
mod balance;
mod form;
mod guard;
mod idempotency;
mod ids;
mod keys;
mod notices;
mod payments;
mod refunds;
mod refusal;

use crate::book::{Payment, Refund};
use crate::control::views::RefundStatus;
use crate::counterparty::{Counterparty, Look, OutgoingNotice, RefundRules, Signing, Subject};
use crate::{Sandbox, SandboxError};
use axum::Router;
use domain::payment::GatewayName;
use domain::reconciliation::LineKind;
use domain::{Money, Ts};
use idempotency::Keepers;
use jiff::tz::Offset;
use keys::Keys;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const GATEWAY: GatewayName = GatewayName::STRIPE;

/// So many seconds after each failed attempt comes the next: back-off over three days, as Stripe
/// says of itself without the numbers.
const RETRY_SECONDS: [i64; 10] = [
    60, 300, 1800, 7200, 18_000, 36_000, 43_200, 43_200, 43_200, 43_200,
];

/// Stripe, with one account.
struct Stripe {
    keys: Arc<Keys>,
    keepers: Arc<Keepers>,
}

/// Stripe at work: what its handlers need.
#[derive(Clone)]
struct Api {
    sandbox: Sandbox,
    keys: Arc<Keys>,
    keepers: Arc<Keepers>,
}

pub(crate) fn open(data_dir: Option<&Path>) -> Result<Arc<dyn Counterparty>, SandboxError> {
    Ok(Arc::new(Stripe {
        keys: crate::keys::open(data_dir)?,
        keepers: Arc::default(),
    }))
}

impl Counterparty for Stripe {
    fn gateway(&self) -> GatewayName {
        GATEWAY
    }

    fn look(&self) -> Look {
        Look {
            label_zh: "国际银行卡（Stripe）",
            label_en: "Card (Stripe)",
            colour: "#4b45c6",
        }
    }

    fn router(&self, sandbox: Sandbox) -> Router {
        api::router(Api {
            sandbox,
            keys: self.keys.clone(),
            keepers: self.keepers.clone(),
        })
    }

    fn values(&self, base_url: &str) -> BTreeMap<&'static str, String> {
        let keys = &self.keys.file;
        BTreeMap::from([
            ("STRIPE_URL", base_url.to_owned()),
            ("STRIPE_SECRET_KEY", keys.secret_key.clone()),
            ("STRIPE_PUBLISHABLE_KEY", keys.publishable_key.clone()),
            ("STRIPE_WEBHOOK_SECRET", keys.webhook_secret.clone()),
        ])
    }

    /// The intent's own id: charges, refunds and movements name it.
    fn transaction_id(&self, payment: &Payment, _now: Ts) -> String {
        payment.handle.clone()
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

    fn refund_rules(&self) -> RefundRules {
        RefundRules {
            count: None,
            within: None,
            // Of cards; it is pending only where the balance is short or the bank slow.
            at_once: true,
            ends: &[
                RefundStatus::Success,
                RefundStatus::Failed,
                RefundStatus::Abnormal,
                RefundStatus::Closed,
            ],
        }
    }

    fn bill_offset(&self) -> Offset {
        Offset::UTC
    }

    /// The balance moves when the refund is made, however it ends.
    fn billed_at(&self, refund: &Refund) -> Option<Ts> {
        Some(refund.created_at)
    }

    /// 2.7 % and 30 cents, rounded half up, of a payment; a refund gives nothing of it back.
    fn fee(&self, kind: LineKind, amount: Money) -> i64 {
        match kind {
            LineKind::Payment => {
                let cents = (amount.amount.saturating_mul(27).saturating_add(500)) / 1000 + 30;
                cents.saturating_mul(1000)
            }
            LineKind::Refund => 0,
        }
    }
}
