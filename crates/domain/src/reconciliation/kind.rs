//! The kinds of differences: a closed table. What it says is what the report, the API, the
//! documentation (`docs/reconciliation.md`) and the tests read.

use super::repair::Repair;
use crate::lifecycle::Language;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How bad a difference is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It explains itself; nobody is called.
    Info,
    /// Something is not as it should be, and no money is lost by it.
    Warning,
    /// Somebody has too much money, or too little.
    Critical,
}

impl Severity {
    /// As in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Who has too little money while a difference stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AtLoss {
    /// Nobody.
    Nobody,
    /// Whoever paid.
    Payer,
    /// The hospital.
    Hospital,
    /// The side whose amount is the smaller one says who.
    Either,
}

impl AtLoss {
    /// As in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Payer => "payer",
            Self::Hospital => "hospital",
            Self::Either => "either",
        }
    }
}

macro_rules! kinds {
    ($(
        $kind:ident $constant:ident $severity:ident $loss:ident [$($repair:ident),+]
        $zh:literal $en:literal
        $says:literal;
    )+) => {
        /// What kind of difference it is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum DifferenceKind {
            $(#[doc = $says] $kind,)+
        }

        impl DifferenceKind {
            /// All of them, in the table's order.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// As in the API and the database.
            pub const fn constant(self) -> &'static str {
                match self { $(Self::$kind => stringify!($constant),)+ }
            }

            /// The label a person reads.
            pub const fn label(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$kind, Language::Zh) => $zh, (Self::$kind, Language::En) => $en,)+
                }
            }

            /// What it means, in one or two sentences, for the documentation.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$kind => $says,)+ }
            }

            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$kind => Severity::$severity,)+ }
            }

            /// Who has too little money while it stands.
            pub const fn at_loss(self) -> AtLoss {
                match self { $(Self::$kind => AtLoss::$loss,)+ }
            }

            /// What may be done about it; the first would settle it, the others where that fails.
            /// Accepting with a reason is always possible.
            pub const fn repairs(self) -> &'static [Repair] {
                match self { $(Self::$kind => &[$(Repair::$repair,)+],)+ }
            }
        }
    };
}

kinds! {
    PaymentMissingHere PAYMENT_MISSING_HERE Critical Payer [RecordSuspense, ReturnMoney]
        "渠道有支付，本地无此单号" "Paid at the gateway under a number that is not ours"
        "The bill has a payment under a number that no payment of ours has. We hold somebody's money and don't know whose.";
    PaymentForeign PAYMENT_FOREIGN Critical Payer [ReturnMoney, RecordSuspense]
        "渠道有支付，未带本地单号" "Paid at the gateway without a number of ours"
        "The bill has a payment without any number of ours, such as one taken by the gateway's own app. It has nothing to do with an order.";
    PaymentOpenHere PAYMENT_OPEN_HERE Warning Payer [QueryPayment, RecordSuspense]
        "渠道已支付，本地未完成" "Paid at the gateway, still open here"
        "The bill has the money and our payment still waits for it: its callback was lost.";
    PaymentClosedHere PAYMENT_CLOSED_HERE Warning Payer [QueryPayment, RecordSuspense]
        "渠道已支付，本地已关闭" "Paid at the gateway, closed here"
        "The bill has the money of a payment that we closed. Once booked, it is returned by itself.";
    PaymentFailedHere PAYMENT_FAILED_HERE Warning Payer [QueryPayment, RecordSuspense]
        "渠道已支付，本地为失败" "Paid at the gateway, failed here"
        "The bill has the money of a payment that failed by our books. Once booked, it is returned by itself.";
    PaymentMissingThere PAYMENT_MISSING_THERE Critical Hospital [QueryPayment, RecordSuspense]
        "本地已支付，渠道账单无此笔" "Paid here, missing at the gateway"
        "Our books have the money, and neither this bill nor a neighbouring day's has it.";
    PaymentAmountDiffers PAYMENT_AMOUNT_DIFFERS Critical Either [RecordSuspense]
        "支付金额不一致" "The payment's amount differs"
        "Both sides have the payment, with different amounts.";
    PaymentCurrencyDiffers PAYMENT_CURRENCY_DIFFERS Critical Either [RecordSuspense]
        "支付币种不一致" "The payment's currency differs"
        "Both sides have the payment, in different currencies.";
    PaymentStatusDiffers PAYMENT_STATUS_DIFFERS Critical Hospital [QueryPayment, RecordSuspense]
        "本地已支付，渠道账单为未成功" "Paid here, not paid by the bill"
        "Our books have the money; the bill says that the payment failed or is still under way.";
    PaymentLineTwice PAYMENT_LINE_TWICE Warning Nobody [Accept, RecordSuspense]
        "同一笔支付在账单中重复" "The payment is in the bill twice"
        "The bill has the same payment, with the same number of the gateway, more than once, or again after an earlier day's bill had it.";
    PaymentPaidTwice PAYMENT_PAID_TWICE Critical Payer [RecordSuspense, ReturnMoney]
        "同一单号被支付两次" "The payment was paid twice"
        "The bill has two payments of the gateway's under one number of ours: the payer paid twice.";
    PaymentNeighbouringDay PAYMENT_NEIGHBOURING_DAY Info Nobody [AwaitBill]
        "支付记入相邻账期" "The payment is in another day's books"
        "Both sides have the payment, each on another day: it was made around midnight, or each side took another moment of it. As long as the other day's bill is not known, it waits for it.";
    PaymentTimeDiffers PAYMENT_TIME_DIFFERS Warning Nobody [Accept]
        "支付时间不合理" "The payment's time can't be right"
        "Both sides have the payment on different days, and the gateway's time is before it was asked for here, or after it was booked here.";
    PaymentNumbersDiffer PAYMENT_NUMBERS_DIFFER Warning Nobody [QueryPayment]
        "支付的本地单号与渠道单号不对应" "The payment's two numbers don't go together"
        "The bill gives our payment another number of the gateway's than we know, or the gateway's number another number of ours.";
    FeeDiffers FEE_DIFFERS Warning Either [Accept]
        "手续费与合同费率不符" "The fee is not the contract's"
        "The bill's fee of the payment differs from the contract's rate by one minor unit or more.";
    RefundMissingHere REFUND_MISSING_HERE Critical Hospital [RecordSuspense]
        "渠道有退款，本地无此单号" "Refunded at the gateway under a number that is not ours"
        "The bill has a refund under a number that no refund of ours has. Money is gone that nobody here asked for.";
    RefundForeign REFUND_FOREIGN Critical Hospital [RecordSuspense, ReturnMoney]
        "渠道后台手工退款" "Refunded at the gateway by hand"
        "The bill has a refund without a number of ours: somebody made it on the gateway's own pages.";
    RefundProcessingHere REFUND_PROCESSING_HERE Warning Nobody [QueryRefund]
        "渠道已退款，本地退款中" "Refunded at the gateway, still under way here"
        "The bill says that the money is back, and we still wait for it: the callback was lost.";
    RefundFailedHere REFUND_FAILED_HERE Warning Hospital [QueryRefund]
        "渠道已退款，本地为失败" "Refunded at the gateway, failed here"
        "The bill says that the money is back; by our books the refund failed, and it may be paid once more.";
    RefundNotGrantedHere REFUND_NOT_GRANTED_HERE Critical Hospital [RecordSuspense, ReturnMoney]
        "渠道已退款，本地未批准" "Refunded at the gateway, not granted here"
        "The bill has a refund that is asked for, under review or refused here.";
    RefundMissingThere REFUND_MISSING_THERE Critical Payer [QueryRefund, RecordSuspense]
        "本地已退款，渠道账单无此笔" "Refunded here, missing at the gateway"
        "By our books the money is back; no bill has it.";
    RefundAmountDiffers REFUND_AMOUNT_DIFFERS Critical Either [RecordSuspense]
        "退款金额不一致" "The refund's amount differs"
        "Both sides have the refund, with different amounts.";
    RefundCurrencyDiffers REFUND_CURRENCY_DIFFERS Critical Either [RecordSuspense]
        "退款币种不一致" "The refund's currency differs"
        "Both sides have the refund, in different currencies.";
    RefundStatusDiffers REFUND_STATUS_DIFFERS Critical Payer [QueryRefund, RecordSuspense]
        "本地已退款，渠道账单为未成功" "Refunded here, not refunded by the bill"
        "By our books the money is back; the bill says that the refund failed or is still under way.";
    RefundOfAnotherPayment REFUND_OF_ANOTHER_PAYMENT Critical Payer [ReturnMoney]
        "退款对应的支付不一致" "The refund is of another payment"
        "Both sides have the refund, and the bill says that another payment's payer got it.";
    RefundLineTwice REFUND_LINE_TWICE Warning Nobody [Accept, RecordSuspense]
        "同一笔退款在账单中重复" "The refund is in the bill twice"
        "The bill has the same refund, with the same number of the gateway, more than once, or again after an earlier day's bill had it.";
    RefundSentTwice REFUND_SENT_TWICE Critical Hospital [RecordSuspense, ReturnMoney]
        "同一单号被退款两次" "The refund was sent twice"
        "The bill has two refunds of the gateway's under one number of ours: the payer got it twice.";
    RefundPaidByHandToo REFUND_PAID_BY_HAND_TOO Critical Hospital [RecordSuspense, ReturnMoney]
        "已登记线下退款，渠道又退款" "Paid back by hand, and by the gateway too"
        "An operator recorded that the refund was paid elsewhere, and the gateway paid it as well.";
    RefundNeighbouringDay REFUND_NEIGHBOURING_DAY Info Nobody [AwaitBill]
        "退款记入相邻账期" "The refund is in another day's books"
        "Both sides have the refund, each on another day: it was made around midnight, or the gateway bills it on the day on which it was asked for. As long as the other day's bill is not known, it waits for it.";
    RefundTimeDiffers REFUND_TIME_DIFFERS Warning Nobody [Accept]
        "退款时间不合理" "The refund's time can't be right"
        "Both sides have the refund on different days, and the gateway's time is before it was asked for here, or after it was booked here.";
    RefundNumbersDiffer REFUND_NUMBERS_DIFFER Warning Nobody [QueryRefund]
        "退款的本地单号与渠道单号不对应" "The refund's two numbers don't go together"
        "The bill gives our refund another number of the gateway's than we know, or the gateway's number another number of ours.";
    TotalsDiffer TOTALS_DIFFER Warning Nobody [Accept]
        "账单合计与明细不符" "The bill's totals are not those of its lines"
        "The bill states a count or sums that its lines don't come to: lines are missing, or it was not read whole.";
    UnknownLine UNKNOWN_LINE Warning Either [Accept, RecordSuspense]
        "无法识别的账单行" "A line that can't be placed"
        "The line has no number at all, a number that is longer than any, or an amount below zero.";
}

impl DifferenceKind {
    /// The kind of this constant, if there is one.
    pub fn from_constant(constant: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.constant() == constant)
    }

    /// Whether this may be done about it.
    pub fn may_be(self, repair: Repair) -> bool {
        repair == Repair::Accept || self.repairs().contains(&repair)
    }
}

impl Serialize for DifferenceKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.constant())
    }
}

impl<'de> Deserialize<'de> for DifferenceKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_constant(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no kind of difference")))
    }
}
