//! What the engine asks of a payment gateway (spec 20).

mod bill;
mod error;
mod notice;
mod registration;
mod terms;

pub use bill::Bill;
pub use error::{GatewayError, Operation};
pub use notice::{Callback, CallbackError, Notice, Reply};
pub use registration::{Registration, Setting, SettingError, SettingKind, Values};
pub use terms::{MethodTerms, PayKind, RefundTerms, Terms};

use domain::payment::{GatewayName, Method, PayWith};
use domain::{Money, Ts};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::future::Future;
use std::pin::Pin;

/// An attempt to pay, as both sides know it. Everything that any gateway needs to find it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRef {
    /// Our number of the attempt: 32 hexadecimal digits.
    pub out_trade_no: String,
    /// How it is paid.
    pub method: Method,
    /// What was asked for.
    pub amount: Money,
    /// When it was asked for; the same each time the same attempt is spoken of.
    pub created_at: Ts,
    /// The last moment at which it may be paid.
    pub expires_at: Ts,
    /// The gateway's own number of the attempt, if it gave one at the start.
    pub handle: Option<String>,
    /// The gateway's number of the money, once it is paid.
    pub transaction_id: Option<String>,
}

/// One payment to be started. Repeating it with the same number is safe.
#[derive(Debug, Clone)]
pub struct StartPayment {
    /// Which, how much and until when.
    pub payment: PaymentRef,
    /// What is paid for, for the payer to read; nothing about their illness.
    pub description: String,
    /// The payer's identity at the gateway, where the method needs it.
    pub payer: Option<String>,
    /// The payer's internet address, where it is known.
    pub client_ip: Option<String>,
    /// Our page for the payer to come back to, where there is one.
    pub return_url: Option<String>,
}

/// A payment that the gateway will take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentStarted {
    /// The gateway's own number of the attempt, if it gives one.
    pub handle: Option<String>,
    /// What the payer's device needs to pay.
    pub pay_with: PayWith,
}

/// What the gateway says of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentState {
    /// Paid, with the gateway's number and the amount that was really paid.
    Paid(PaidNotice),
    /// Not paid yet, may still be.
    Open,
    /// The payer has agreed and the money must be fetched with [`PaymentGateway::collect`] (PayPal).
    Approved,
    /// Closed: can't be paid any more.
    Closed,
    /// The payer tried and failed; can't be paid any more.
    Failed {
        /// The gateway's words.
        reason: String,
    },
    /// The gateway doesn't know the number (its start may never have arrived there).
    NotFound,
}

/// A proven payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidNotice {
    /// Our number.
    pub out_trade_no: String,
    /// The gateway's number.
    pub transaction_id: String,
    /// What was really paid.
    pub amount: Money,
    /// When, by the gateway's clock.
    pub paid_at: Ts,
}

/// A return of money, as both sides know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRef {
    /// Of which payment.
    pub payment: PaymentRef,
    /// What had been paid in all.
    pub total: Money,
    /// Our number of the refund: `RF` and 32 hexadecimal digits.
    pub out_refund_no: String,
    /// How much goes back.
    pub amount: Money,
    /// When it was granted, or taken up again after it surely failed; the same each time the same
    /// try is spoken of.
    pub sent_at: Ts,
    /// The gateway's number, if it gave one.
    pub refund_id: Option<String>,
}

/// One refund to be sent. Repeating it with the same number pays once.
#[derive(Debug, Clone)]
pub struct StartRefund {
    /// Which and how much.
    pub refund: RefundRef,
    /// Shown to the payer.
    pub reason: String,
}

/// What the gateway says of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundState {
    /// The money is back.
    Succeeded {
        /// The gateway's number.
        refund_id: String,
        /// When, by the gateway's clock.
        at: Ts,
    },
    /// On its way.
    Processing {
        /// The gateway's number, if it gives one by now.
        refund_id: Option<String>,
    },
    /// It was tried and nothing went back; the same number may be tried again.
    Failed {
        /// The gateway's words.
        reason: String,
    },
    /// The number is dead; another try needs a new number (WeChat `CLOSED`).
    Closed,
    /// The payer's card or account can't take it; operations must act (WeChat `ABNORMAL`).
    Abnormal,
    /// The gateway doesn't know the number: it may be sent again.
    NotFound,
}

/// Where money goes that the payer's own card or account can't take back (WeChat, abnormal refund).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbnormalRefund {
    /// To another card of the payer's.
    UserBankCard {
        /// The bank, by the gateway's code, such as `ICBC_DEBIT`.
        bank: String,
        /// The card's number. Secret.
        account: String,
        /// The holder's name.
        name: String,
    },
    /// To the merchant's own account; operations then pay the payer by hand.
    MerchantBankCard,
}

/// A boxed future, so that gateways can be chosen at run time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, GatewayError>> + Send + 'a>>;

/// The outcome of reading a callback, which may have to fetch a certificate first.
pub type Heard<'a> = Pin<Box<dyn Future<Output = Result<Notice, CallbackError>> + Send + 'a>>;

/// A counterparty that takes payments and gives refunds.
pub trait PaymentGateway: Send + Sync + 'static {
    /// Its name in the API and the database, such as `wechat`.
    fn name(&self) -> GatewayName;
    /// What it offers, to whom, and within which limits.
    fn terms(&self) -> &Terms;
    /// Starts a payment; safe to repeat with the same number and fields.
    fn start<'a>(&'a self, payment: &'a StartPayment, now: Ts) -> Answer<'a, PaymentStarted>;
    /// Asks how a payment stands.
    fn query<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, PaymentState>;
    /// Fetches the money of a payment that is [`PaymentState::Approved`]; safe to repeat. Gateways
    /// that move the money by themselves have nothing to fetch, and just say how it stands.
    fn collect<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, PaymentState> {
        self.query(payment, now)
    }
    /// Whether the money moves only when we fetch it: then a payment that we decide not to fetch is
    /// closed by our own word.
    fn collects(&self) -> bool {
        false
    }
    /// Closes an unpaid payment. `Ok` says only that the close was accepted; query to be sure.
    fn close<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, ()>;
    /// Sends a refund. `Processing` is acceptance, not success.
    fn refund<'a>(&'a self, refund: &'a StartRefund, now: Ts) -> Answer<'a, RefundState>;
    /// Asks how a refund stands.
    fn query_refund<'a>(&'a self, refund: &'a RefundRef, now: Ts) -> Answer<'a, RefundState>;
    /// Sends money elsewhere that the payer's card or account couldn't take (`Abnormal`). Most
    /// gateways have no such way.
    fn refund_elsewhere<'a>(
        &'a self,
        _refund: &'a RefundRef,
        _to: &'a AbnormalRefund,
        _now: Ts,
    ) -> Answer<'a, RefundState> {
        let name = self.name();
        Box::pin(async move {
            let message = "this gateway has no way to send an abnormal refund elsewhere: pay it by \
                           hand and record it";
            Err(Operation::RefundElsewhere.refused(name, "UNSUPPORTED", message))
        })
    }
    /// Fetches the bill of a day, by the gateway's calendar. `Unavailable` where it is not made
    /// yet; a day without business is an empty bill.
    fn bill<'a>(&'a self, day: Date, now: Ts) -> Answer<'a, Bill>;
    /// Where the days of its bills begin and end: in China, unless it says otherwise.
    fn bill_zone(&self) -> TimeZone {
        TimeZone::fixed(jiff::tz::offset(8))
    }
    /// Verifies and reads a callback.
    fn callback<'a>(&'a self, callback: &'a Callback<'a>, now: Ts) -> Heard<'a>;
    /// What the gateway is answered when its callback was taken (or was known before).
    fn received(&self) -> Reply;
    /// What it is answered when its callback was not taken, with the HTTP status that fits.
    fn not_received(&self, status: u16, why: &str) -> Reply;
}
