//! What can be done about a difference.

use crate::lifecycle::Language;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! repairs {
    ($($repair:ident $constant:ident $zh:literal $en:literal $says:literal;)+) => {
        /// What can be done about a difference. Only the first three are done by the program.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Repair {
            $(#[doc = $says] $repair,)+
        }

        impl Repair {
            /// All of them, in the table's order.
            pub const ALL: &'static [Self] = &[$(Self::$repair,)+];

            /// As in the API and the database.
            pub const fn constant(self) -> &'static str {
                match self { $(Self::$repair => stringify!($constant),)+ }
            }

            /// The label a person reads.
            pub const fn label(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$repair, Language::Zh) => $zh, (Self::$repair, Language::En) => $en,)+
                }
            }

            /// What it does, in one sentence, for the documentation.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$repair => $says,)+ }
            }

            /// The repair of this constant, if there is one.
            pub fn from_constant(constant: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|repair| repair.constant() == constant)
            }
        }
    };
}

repairs! {
    QueryPayment QUERY_PAYMENT "向渠道查询支付" "Ask the gateway about the payment"
        "The gateway is asked how the payment stands, and its answer is given to the order as proof: money that arrived is booked, and returned by itself where the order can't take it.";
    QueryRefund QUERY_REFUND "向渠道查询退款" "Ask the gateway about the refund"
        "The gateway is asked how the refund stands, and its answer is given to the order as proof; a refund that it doesn't know is sent again with the same number.";
    RecordSuspense RECORD_SUSPENSE "挂账" "Put it on the suspense account"
        "The gateway's clearing account is brought to what the gateway says, against the suspense account: money we hold that is nobody's, or money gone that nobody asked for.";
    ReturnMoney RETURN_MONEY "人工退回或追回" "Send the money back by hand"
        "A person returns or claims the money outside the program, and writes down the evidence; nothing is booked.";
    Accept ACCEPT "说明原因并接受" "Accept it with a reason"
        "Nothing is done; the reason is kept.";
    AwaitBill AWAIT_BILL "等待次日账单" "Wait for the next day's bill"
        "Nothing is done: the neighbouring day's bill explains it, or makes it a difference that is missing there.";
}

impl Repair {
    /// Whether the program does it, after the commit of the decision.
    pub const fn is_done_by_program(self) -> bool {
        match self {
            Self::QueryPayment | Self::QueryRefund | Self::RecordSuspense => true,
            Self::ReturnMoney | Self::Accept | Self::AwaitBill => false,
        }
    }

    /// Whether whoever decides on it must say why: no counterparty proves it.
    pub const fn needs_reason(self) -> bool {
        match self {
            Self::ReturnMoney | Self::Accept => true,
            Self::QueryPayment | Self::QueryRefund | Self::RecordSuspense | Self::AwaitBill => {
                false
            }
        }
    }
}

impl Serialize for Repair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.constant())
    }
}

impl<'de> Deserialize<'de> for Repair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_constant(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no repair")))
    }
}
