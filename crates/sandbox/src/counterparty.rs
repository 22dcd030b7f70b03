//! What a gateway brings to be played: its protocol, its notices, its rules. The money rules that
//! all gateways share are in [`crate::payments`], [`crate::payer`] and [`crate::refunds`].

use crate::book::{Payment, Refund};
use crate::control::views::RefundStatus;
use crate::{Sandbox, SandboxError};
use axum::Router;
use axum::http::HeaderMap;
use domain::payment::GatewayName;
use domain::reconciliation::{LineKind, LineStatus};
use domain::{Money, Span, Ts};
use jiff::tz::Offset;
use std::collections::BTreeMap;

/// China has one time of day.
pub(crate) const BEIJING: Offset = Offset::constant(8);

/// One gateway, played.
pub(crate) trait Counterparty: Send + Sync + 'static {
    /// Which.
    fn gateway(&self) -> GatewayName;

    /// How its cashier looks.
    fn look(&self) -> Look;

    /// Its protocol under its real paths, each behind its own check of the request's signature.
    /// Being down, being slow and hitting single numbers by chance are played around it
    /// ([`crate::faults`]).
    fn router(&self, sandbox: Sandbox) -> Router;

    /// The merchant's settings under the names of the connector's registration, for a sandbox at
    /// this address (without a slash at its end); of files, their content.
    fn values(&self, base_url: &str) -> BTreeMap<&'static str, String>;

    /// Makes the number of the money of a payment that is being paid.
    fn transaction_id(&self, payment: &Payment, now: Ts) -> String;

    /// Makes the number of a notice.
    fn notice_id(&self, now: Ts) -> String;

    /// A copy of a notice, signed anew; `None` where there is nowhere to send it, or nothing to
    /// tell. The book is not locked.
    fn notice(
        &self,
        sandbox: &Sandbox,
        subject: Subject<'_>,
        signing: Signing,
    ) -> Result<Option<OutgoingNotice>, SandboxError>;

    /// Whether the merchant's answer says that it has the notice.
    fn accepted(&self, status: u16, body: &[u8]) -> bool;

    /// So many seconds after each failed attempt comes the next; after the last it gives up.
    fn retry_seconds(&self) -> &'static [i64];

    /// Whether the payer only agrees, and the merchant must fetch the money (PayPal).
    fn two_steps(&self) -> bool {
        false
    }

    /// Its limits on refunds, and how they end.
    fn refund_rules(&self) -> RefundRules;

    /// Where its days begin, for bills.
    fn bill_offset(&self) -> Offset {
        BEIJING
    }

    /// On which day's bill a refund stands, if on any: the day of its success.
    fn billed_at(&self, refund: &Refund) -> Option<Ts> {
        refund.success_at
    }

    /// How a refund stands on that bill.
    fn billed_status(&self, refund: &Refund) -> LineStatus {
        match refund.status {
            RefundStatus::Success => LineStatus::Succeeded,
            RefundStatus::Processing => LineStatus::Processing,
            RefundStatus::Failed | RefundStatus::Abnormal | RefundStatus::Closed => {
                LineStatus::Failed
            }
        }
    }

    /// Its fee for a payment, or what a refund gives back of it (then negative), in
    /// hundred-thousandths of a major unit of a currency with two decimals: 0.6 %, rounded to the
    /// minor unit, as is usual in China.
    fn fee(&self, kind: LineKind, amount: Money) -> i64 {
        let minor = (amount.amount.saturating_mul(6).saturating_add(500)) / 1000;
        match kind {
            LineKind::Payment => minor * 1000,
            LineKind::Refund => minor * -1000,
        }
    }

    /// Where the payer's browser goes from the cashier, if anywhere. The payment is as the choice
    /// left it. The book is not locked.
    fn way_back(
        &self,
        _sandbox: &Sandbox,
        payment: &Payment,
        choice: Choice,
    ) -> Result<Option<String>, SandboxError> {
        match choice {
            Choice::Pay | Choice::Fail | Choice::Leave => Ok(payment.return_url.clone()),
        }
    }
}

/// How a cashier looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// The gateway's name in Chinese.
    pub(crate) label_zh: &'static str,
    /// The gateway's name in English.
    pub(crate) label_en: &'static str,
    /// Its colour, such as `#07c160`; white text must be readable on it.
    pub(crate) colour: &'static str,
}

/// What a gateway does with refunds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefundRules {
    /// At most so many of one payment.
    pub(crate) count: Option<usize>,
    /// Not later than this after the payment.
    pub(crate) within: Option<Span>,
    /// Whether the answer to the request already says that the money is back.
    pub(crate) at_once: bool,
    /// How a refund can end there.
    pub(crate) ends: &'static [RefundStatus],
}

/// What the payer chose at the cashier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Pay; with gateways of two steps, agree.
    Pay,
    /// Try, and fail.
    Fail,
    /// Go away.
    Leave,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// A payment was paid. A later refund doesn't change what this notice tells.
    PaymentPaid(&'a Payment),
    /// The payer agreed.
    PaymentApproved(&'a Payment),
    /// A refund of the payment ended.
    RefundEnded(&'a Refund, &'a Payment),
}

/// How a notice is signed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Signing {
    /// With a valid key that is somebody else's.
    pub(crate) wrong_key: bool,
    /// As so many seconds ago.
    pub(crate) stale_seconds: u32,
}

/// A copy of a notice, ready to be posted.
#[derive(Debug, Clone)]
pub(crate) struct OutgoingNotice {
    pub(crate) url: String,
    /// Besides `Content-Type`.
    pub(crate) headers: HeaderMap,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}
