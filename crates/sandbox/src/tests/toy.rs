//! A gateway that speaks no protocol: only its rules are tried.

use crate::book::Payment;
use crate::control::views::RefundStatus;
use crate::counterparty::{Counterparty, Look, OutgoingNotice, RefundRules, Signing, Subject};
use crate::{Sandbox, SandboxError, ids};
use axum::Router;
use domain::Ts;
use domain::payment::GatewayName;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub(super) const TOY: GatewayName = GatewayName::known("toy");

struct Toy;

pub(super) fn open(_data_dir: Option<&Path>) -> Result<Arc<dyn Counterparty>, SandboxError> {
    Ok(Arc::new(Toy))
}

impl Counterparty for Toy {
    fn gateway(&self) -> GatewayName {
        TOY
    }

    fn look(&self) -> Look {
        Look {
            label_zh: "玩具",
            label_en: "Toy",
            colour: "#444444",
        }
    }

    fn router(&self, _sandbox: Sandbox) -> Router {
        Router::new()
    }

    fn values(&self, base_url: &str) -> BTreeMap<&'static str, String> {
        BTreeMap::from([("TOY_URL", base_url.to_owned())])
    }

    fn transaction_id(&self, payment: &Payment, _now: Ts) -> String {
        format!("money-of-{}", payment.handle)
    }

    fn notice_id(&self, _now: Ts) -> String {
        ids::digits(12)
    }

    fn notice(
        &self,
        _sandbox: &Sandbox,
        _subject: Subject<'_>,
        _signing: Signing,
    ) -> Result<Option<OutgoingNotice>, SandboxError> {
        Ok(None)
    }

    fn accepted(&self, status: u16, _body: &[u8]) -> bool {
        status == 200
    }

    fn retry_seconds(&self) -> &'static [i64] {
        &[60]
    }

    fn two_steps(&self) -> bool {
        true
    }

    fn refund_rules(&self) -> RefundRules {
        RefundRules {
            count: None,
            within: None,
            at_once: true,
            ends: &[RefundStatus::Success, RefundStatus::Failed],
        }
    }
}
