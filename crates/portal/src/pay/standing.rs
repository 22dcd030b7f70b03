//! How a payment stands, as its payer needs to know it.

use domain::consultation::Consultation;
use domain::lifecycle::Status;
use domain::payment::{PayWith, Payment, PaymentStatus, Refund, RefundStatus};
use domain::{PaymentId, Ts};

/// How often a page looks while something may happen any moment, in seconds.
const SOON: u32 = 3;

/// How often it looks while a refund is on its way, which takes minutes to days.
const LATER: u32 = 30;

/// How a payment stands for its payer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The gateway has not answered yet: there is nothing to pay with.
    Fetching,
    /// The payer may pay.
    Waiting,
    /// Perhaps paid: the gateway is being asked.
    Checking,
    /// The order is being cancelled, and the gateway has the word.
    Cancelling,
    /// The money is here.
    Paid,
    /// It did not work.
    Failed,
    /// It can't be paid any more.
    Closed,
    /// Some of the money went back.
    PartlyRefunded,
    /// All of it went back.
    Refunded,
}

impl Standing {
    /// How a payment stands at a moment.
    pub fn of(order: &Consultation, payment: &Payment, now: Ts) -> Self {
        let detail = &order.detail;
        let overdue = detail.being_checked || now >= payment.expires_at;
        match payment.status {
            PaymentStatus::Pending | PaymentStatus::Processing if detail.cancel_asked.is_some() => {
                Self::Cancelling
            }
            PaymentStatus::Pending | PaymentStatus::Processing if overdue => Self::Checking,
            PaymentStatus::Pending => Self::Fetching,
            PaymentStatus::Processing => match payment.pay_with {
                Some(_) => Self::Waiting,
                None => Self::Fetching,
            },
            PaymentStatus::Completed => Self::Paid,
            PaymentStatus::Failed => Self::Failed,
            PaymentStatus::Closed => Self::Closed,
            PaymentStatus::PartiallyRefunded => Self::PartlyRefunded,
            PaymentStatus::Refunded => Self::Refunded,
        }
    }

    /// The key of what it is called on the page; for one who may pay, by what they do to pay.
    pub fn key(self, pay_with: Option<&PayWith>) -> &'static str {
        match self {
            Self::Fetching => "pay.fetching",
            Self::Waiting => match pay_with {
                Some(PayWith::Qr { .. }) => "pay.qr",
                Some(PayWith::InApp { .. }) => "pay.inapp",
                Some(PayWith::Redirect { .. } | PayWith::Form { .. }) => "pay.elsewhere",
                Some(PayWith::Card { .. }) => "pay.card",
                Some(PayWith::Counter) => "pay.counter",
                None => "pay.fetching",
            },
            Self::Checking => "pay.checking",
            Self::Cancelling => "pay.cancelling",
            Self::Paid => "pay.paid",
            Self::Failed => "pay.failed",
            Self::Closed => "pay.closed",
            Self::PartlyRefunded => "pay.partlyRefunded",
            Self::Refunded => "pay.refunded",
        }
    }

    /// The name in the page's `class`.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Fetching | Self::Waiting => "waiting",
            Self::Checking | Self::Cancelling => "checking",
            Self::Paid => "good",
            Self::Failed => "bad",
            Self::Closed => "quiet",
            Self::PartlyRefunded | Self::Refunded => "refunded",
        }
    }
}

/// What a script watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// How it stands.
    pub standing: Standing,
    /// Another text whenever the page would look otherwise.
    pub seen: String,
    /// After how many seconds to look again; `None` where nothing more will happen by itself.
    pub again_seconds: Option<u32>,
    /// How many seconds are left to pay; `None` where it can't be paid.
    pub left_seconds: Option<i64>,
}

impl Watched {
    /// What there is to see of a payment.
    pub fn of(order: &Consultation, payment: &Payment, now: Ts) -> Self {
        let standing = Standing::of(order, payment, now);
        let refunds = refunds_of(order, payment.id);
        let codes: Vec<String> = refunds
            .iter()
            .map(|refund| format!(".{}", refund.status.code()))
            .collect();
        let moving = |refund: &&Refund| match refund.status {
            RefundStatus::Requested
            | RefundStatus::Reviewing
            | RefundStatus::Processing
            | RefundStatus::Failed => true,
            RefundStatus::Succeeded | RefundStatus::Refused => false,
        };
        let again_seconds = match payment.status.is_open() {
            true => Some(SOON),
            false => refunds.iter().any(moving).then_some(LATER),
        };
        let left = || payment.expires_at.since(now).as_seconds();
        let payable = matches!(standing, Standing::Fetching | Standing::Waiting);
        Self {
            standing,
            seen: format!("{standing:?}{}", codes.concat()),
            again_seconds,
            left_seconds: payable.then(left),
        }
    }
}

/// The refunds of a payment, oldest first.
pub fn refunds_of(order: &Consultation, payment: PaymentId) -> Vec<&Refund> {
    let refunds = order.refunds.iter();
    refunds.filter(|refund| refund.payment == payment).collect()
}
