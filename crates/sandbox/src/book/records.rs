//! The records of the book. Nothing in them is one gateway's own but `terms` and `extra`.

use crate::control::views::{
    CallbackAttempt, PayRequest, PaymentState, PlantRequest, RefundStatus, Settings,
};
use domain::payment::{GatewayName, Method};
use domain::{Currency, Ts};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// So many attempts of a notice are remembered.
const REMEMBERED_ATTEMPTS: usize = 50;

/// What a merchant asks for when it opens a payment.
#[derive(Debug, Clone)]
pub(crate) struct NewPayment {
    pub(crate) gateway: GatewayName,
    /// The merchant's number; no two payments of any gateways share one.
    pub(crate) out_trade_no: String,
    pub(crate) method: Method,
    /// What is paid for, for the payer to read.
    pub(crate) description: String,
    /// Where notices go, if the request says so.
    pub(crate) notify_url: Option<String>,
    /// Where the payer's browser goes afterwards.
    pub(crate) return_url: Option<String>,
    /// Minor units asked for.
    pub(crate) total: i64,
    pub(crate) currency: Currency,
    /// The last moment to pay.
    pub(crate) payable_until: Ts,
    /// Who pays, where the method says so.
    pub(crate) payer: Option<String>,
    /// The gateway's own number of the attempt, or what stands for it (`prepay_id`, `code_url`).
    pub(crate) handle: String,
    /// What a repetition must equal.
    pub(crate) terms: Value,
    /// What else the gateway wants to remember.
    pub(crate) extra: Value,
}

/// A payment that a merchant opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payment {
    pub(crate) gateway: GatewayName,
    pub(crate) out_trade_no: String,
    pub(crate) method: Method,
    pub(crate) description: String,
    pub(crate) notify_url: Option<String>,
    pub(crate) return_url: Option<String>,
    /// Minor units asked for.
    pub(crate) total: i64,
    pub(crate) currency: Currency,
    pub(crate) payable_until: Ts,
    pub(crate) payer: Option<String>,
    pub(crate) handle: String,
    pub(crate) terms: Value,
    pub(crate) extra: Value,
    pub(crate) created_at: Ts,
    /// When the payer first saw the cashier, paid or failed. Some gateways know nothing of a
    /// payment before that (Alipay, precreate).
    pub(crate) seen_at: Option<Ts>,
    /// `Refund` is never kept here: it follows from the refunds.
    pub(crate) state: PaymentState,
    /// With gateways of two steps: the payer's agreement.
    pub(crate) approved: Option<Approved>,
    pub(crate) paid: Option<Paid>,
    pub(crate) attempts: Vec<CallbackAttempt>,
}

impl Payment {
    pub(crate) fn new(new: NewPayment, now: Ts) -> Self {
        Self {
            gateway: new.gateway,
            out_trade_no: new.out_trade_no,
            method: new.method,
            description: new.description,
            notify_url: new.notify_url,
            return_url: new.return_url,
            total: new.total,
            currency: new.currency,
            payable_until: new.payable_until,
            payer: new.payer,
            handle: new.handle,
            terms: new.terms,
            extra: new.extra,
            created_at: now,
            seen_at: None,
            state: PaymentState::NotPay,
            approved: None,
            paid: None,
            attempts: Vec::new(),
        }
    }
}

/// The payer's agreement, before the merchant fetched the money.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Approved {
    pub(crate) at: Ts,
    /// Minor units that will be paid.
    pub(crate) total: i64,
    pub(crate) notice_id: String,
    /// What was asked of the control API; it governs the notice of the money as well.
    pub(crate) request: PayRequest,
}

/// How a payment was paid.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Paid {
    pub(crate) transaction_id: String,
    pub(crate) at: Ts,
    /// Minor units really paid.
    pub(crate) total: i64,
    pub(crate) notice_id: String,
    /// What was asked of the control API, so that its repetition is known.
    pub(crate) request: PayRequest,
}

/// What a merchant asks for when it sends a refund.
#[derive(Debug, Clone)]
pub(crate) struct NewRefund {
    pub(crate) gateway: GatewayName,
    pub(crate) out_trade_no: String,
    /// The merchant's number; no two refunds of any gateways share one.
    pub(crate) out_refund_no: String,
    /// The gateway's number.
    pub(crate) refund_id: String,
    pub(crate) reason: Option<String>,
    pub(crate) notify_url: Option<String>,
    /// Minor units to give back, of the payment's currency.
    pub(crate) amount: i64,
    /// What a repetition must equal, besides payment and amount.
    pub(crate) terms: Value,
    /// What else the gateway wants to remember.
    pub(crate) extra: Value,
}

/// A refund that was accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refund {
    pub(crate) gateway: GatewayName,
    pub(crate) out_refund_no: String,
    pub(crate) refund_id: String,
    pub(crate) out_trade_no: String,
    pub(crate) transaction_id: String,
    pub(crate) reason: Option<String>,
    pub(crate) notify_url: Option<String>,
    /// Minor units to give back.
    pub(crate) amount: i64,
    /// Minor units that had been paid.
    pub(crate) total: i64,
    pub(crate) currency: Currency,
    pub(crate) terms: Value,
    pub(crate) extra: Value,
    pub(crate) status: RefundStatus,
    /// Told to stay `PROCESSING`.
    pub(crate) held: bool,
    pub(crate) created_at: Ts,
    pub(crate) success_at: Option<Ts>,
    pub(crate) notice_id: String,
    pub(crate) attempts: Vec<CallbackAttempt>,
}

/// Something that happens by itself, at its time on the sandbox's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Action {
    pub(crate) id: u64,
    pub(crate) due: Ts,
    pub(crate) task: Task,
}

/// What happens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Task {
    /// Tells the merchant.
    Notify {
        about: About,
        bad_signature: bool,
        /// How often it failed already.
        attempt: usize,
    },
    /// The payer pays.
    Autopay { out_trade_no: String },
    /// The refund arrives.
    FinishRefund { out_refund_no: String },
}

/// What the merchant is told of, by the merchant's number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum About {
    /// The payer agreed (gateways of two steps).
    Approved(String),
    /// A payment was paid.
    Paid(String),
    /// A refund ended.
    Refund(String),
}

/// A difference that was planted into a bill.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Planted {
    pub(crate) id: u64,
    pub(crate) request: PlantRequest,
    /// Digits for the numbers of foreign lines, so that the bill is the same each time.
    pub(crate) drawn: String,
}

/// One change of the book; the last one of an id counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Change {
    Payment(Box<Payment>),
    Refund(Box<Refund>),
    Action(Box<Action>),
    /// This action needs nothing more.
    Done(u64),
    Settings(Box<Settings>),
    Planted(Box<Planted>),
}

/// Adds an attempt, and forgets the oldest where there are too many.
pub(crate) fn remember(attempts: &mut Vec<CallbackAttempt>, attempt: CallbackAttempt) {
    attempts.push(attempt);
    if attempts.len() > REMEMBERED_ATTEMPTS {
        attempts.remove(0);
    }
}
