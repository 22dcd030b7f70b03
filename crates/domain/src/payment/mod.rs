//! Payments and refunds: lifecycles of the same form as an order's (spec 20).

mod names;
mod pay_with;

pub use names::{GatewayName, Method, NameError};
pub use pay_with::PayWith;

use crate::consultation::Cause;
use crate::{Money, PaymentId, RefundId, Share, Ts, lifecycle};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

lifecycle! {
    /// One attempt to pay one order over one gateway (spec 20). `FAILED` and `CLOSED` may still
    /// become `COMPLETED`, by proof: money that arrives late is never dropped.
    PaymentStatus of "payment" {
        10 Pending PENDING "待发起" "To be started" Both System => [Processing, Completed, Failed, Closed];
        20 Processing PROCESSING "支付中" "Being paid" Both Gateway => [Completed, Failed, Closed];
        30 Completed COMPLETED "已支付" "Paid" Both Nobody => [PartiallyRefunded, Refunded];
        31 PartiallyRefunded PARTIALLY_REFUNDED "部分退款" "Partly refunded" Both Nobody => [PartiallyRefunded, Refunded];
        32 Refunded REFUNDED "已退款" "Refunded" Both Nobody => [];
        40 Failed FAILED "支付失败" "Failed" Both Nobody => [Completed];
        41 Closed CLOSED "已关闭" "Closed" Both Nobody => [Completed];
    }
}

lifecycle! {
    /// One return of money of one payment (spec 20).
    RefundStatus of "refund" {
        10 Requested REQUESTED "已申请" "Requested" Both Patient => [Reviewing, Processing];
        20 Reviewing REVIEWING "审核中" "Under review" Both Operations => [Processing, Refused];
        30 Processing PROCESSING "退款中" "Being refunded" Both Gateway => [Succeeded, Failed];
        40 Succeeded SUCCEEDED "已到账" "Refunded" Both Nobody => [];
        50 Failed FAILED "退款失败" "Failed" Both Operations => [Processing];
        60 Refused REFUSED "已拒绝" "Refused" Both Nobody => [];
    }
}

impl PaymentStatus {
    /// Whether the gateway may still take money for it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Processing)
    }

    /// Whether its money has arrived.
    pub const fn has_money(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::PartiallyRefunded | Self::Refunded
        )
    }
}

impl RefundStatus {
    /// Whether its money is promised or gone: it counts against what was paid.
    pub const fn is_granted(self) -> bool {
        matches!(self, Self::Processing | Self::Succeeded | Self::Failed)
    }
}

/// One attempt to pay.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// Over which gateway.
    pub gateway: GatewayName,
    /// How.
    pub method: Method,
    /// The payer's identity at the gateway, where the method needs it.
    pub payer: Option<String>,
    /// Our number at the gateway; each attempt has its own.
    pub out_trade_no: String,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What was asked for.
    pub amount: Money,
    /// What was really paid; `None` until then.
    pub paid: Option<Money>,
    /// When the money came, by the gateway's clock.
    pub paid_at: Option<Ts>,
    /// The gateway's number, once paid, or once a callback claims so.
    pub transaction_id: Option<String>,
    /// The payer's internet address, where the method needs it (WeChat H5).
    pub client_ip: Option<String>,
    /// The gateway's own number of the attempt, given at its start (PayPal's order, Stripe's intent).
    pub handle: Option<String>,
    /// What the payer's device needs to pay; `None` until started.
    pub pay_with: Option<PayWith>,
    /// Evidence of money that an operator took, offline.
    pub proof: Option<String>,
    /// The last moment at which it may be paid.
    pub expires_at: Ts,
    /// When it was asked for.
    pub created_at: Ts,
    /// When its status last changed.
    pub updated_at: Ts,
}

/// Why money goes back, and what that does to the order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The order itself is being refunded (500 to 503, 901): the refund moves its status.
    Order,
    /// The unused share of a service that timed out; the order stays 900.
    UnusedShare,
    /// Money that arrived for an order that could not take it.
    LateMoney,
    /// An operator's decision after the service ended; the order stays 900.
    Complaint,
}

impl Purpose {
    /// As in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::UnusedShare => "unused_share",
            Self::LateMoney => "late_money",
            Self::Complaint => "complaint",
        }
    }

    /// The purpose of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Order,
            Self::UnusedShare,
            Self::LateMoney,
            Self::Complaint,
        ]
        .into_iter()
        .find(|purpose| purpose.name() == name)
    }
}

/// One return of money.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// Of which payment.
    pub payment: PaymentId,
    /// Our number at the gateway; kept by every retry, replaced only when the gateway says that it is dead.
    pub out_refund_no: String,
    /// The gateway's number, once it gave one.
    pub refund_id: Option<String>,
    /// When the money went, by the gateway's clock, or when an operator recorded it.
    pub gone_at: Option<Ts>,
    /// Where it stands.
    pub status: RefundStatus,
    /// Why money goes back.
    pub purpose: Purpose,
    /// What brought it about.
    pub cause: Cause,
    /// The share of what was paid.
    pub share: Share,
    /// How much goes back; zero while nothing is granted is possible.
    pub amount: Money,
    /// The rule that set the share, such as `302 clinic patient`.
    pub rule: String,
    /// An operator's words, where one set the share or refused.
    pub reason: Option<String>,
    /// The last working day on which the money must be there (spec 10, refund shares).
    pub due_on: Option<Date>,
    /// How often the gateway was asked after a failure, 0 to 3 by itself.
    pub retries: u8,
    /// What the gateway last said against it.
    pub last_error: Option<String>,
    /// Evidence of a refund made elsewhere, recorded by an operator.
    pub proof: Option<String>,
    /// When it was asked for.
    pub requested_at: Ts,
    /// When it was last sent to the gateway; `None` while it never was. What came of it, and when,
    /// does not change it: UnionPay knows a refund by its number and this time only.
    #[serde(default)]
    pub sent_at: Option<Ts>,
    /// When its status last changed.
    pub updated_at: Ts,
}
