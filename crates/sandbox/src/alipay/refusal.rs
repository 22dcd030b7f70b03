//! Alipay's no.

use crate::SandboxError;
use crate::control::views::RefundRefusal;
use crate::refusal::MoneyRefusal;
use connectors::alipay::answer::Head;

/// Alipay's no: at which door, why, and words.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) head: Head,
    /// At the first door, it is not known for whom to sign.
    pub(super) signed: bool,
}

impl Refusal {
    fn new(code: &str, msg: &str, sub_code: &str, sub_msg: &str) -> Self {
        Self {
            head: Head {
                code: code.to_owned(),
                msg: msg.to_owned(),
                sub_code: Some(sub_code.to_owned()),
                sub_msg: Some(sub_msg.to_owned()),
            },
            signed: true,
        }
    }

    /// A method's own no.
    pub(super) fn business(sub_code: &str, sub_msg: &str) -> Self {
        Self::new("40004", "Business Failed", sub_code, sub_msg)
    }

    /// A request that is wrong before it gets to its method.
    pub(super) fn argument(sub_code: &str, sub_msg: &str) -> Self {
        Self::new("40002", "Invalid Arguments", sub_code, sub_msg)
    }

    /// A request of nobody who is known.
    pub(super) fn stranger(sub_code: &str, sub_msg: &str) -> Self {
        Self {
            signed: false,
            ..Self::argument(sub_code, sub_msg)
        }
    }

    pub(super) fn parameter(message: &str) -> Self {
        Self::business("ACQ.INVALID_PARAMETER", &format!("参数无效: {message}"))
    }

    pub(super) fn no_such_trade() -> Self {
        Self::business("ACQ.TRADE_NOT_EXIST", "交易不存在")
    }

    fn system_error() -> Self {
        Self::business("ACQ.SYSTEM_ERROR", "系统错误，请使用相同的参数再次调用")
    }

    /// What the money rules say about opening and closing payments.
    pub(super) fn of_payment(refusal: MoneyRefusal) -> Self {
        match refusal {
            MoneyRefusal::NoSuchPayment => Self::no_such_trade(),
            MoneyRefusal::OtherTerms => {
                Self::business("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
            }
            MoneyRefusal::Paid => Self::business("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"),
            MoneyRefusal::Closed => Self::business("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"),
            MoneyRefusal::Expired => Self::parameter("time_expire is over"),
            other => Self::of_refund(other),
        }
    }

    /// What the money rules say about refunds.
    pub(super) fn of_refund(refusal: MoneyRefusal) -> Self {
        match refusal {
            MoneyRefusal::NoSuchPayment => Self::no_such_trade(),
            MoneyRefusal::OtherRefund => {
                Self::business("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
            }
            MoneyRefusal::PaidTooLongAgo => Self::business("ACQ.TRADE_HAS_FINISHED", "交易已完结"),
            MoneyRefusal::MoreThanPaid => {
                Self::business("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
            }
            MoneyRefusal::TooManyRefunds(_) => {
                Self::business("ACQ.TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款")
            }
            MoneyRefusal::RefundRefused(refusal) => Self::refused(refusal),
            MoneyRefusal::OutcomeUntold => Self::system_error(),
            MoneyRefusal::Sandbox(error) => error.into(),
            MoneyRefusal::NotPaid
            | MoneyRefusal::OtherTerms
            | MoneyRefusal::Paid
            | MoneyRefusal::Closed
            | MoneyRefusal::Failed
            | MoneyRefusal::Expired
            | MoneyRefusal::NotAbnormal
            | MoneyRefusal::NotApproved => {
                Self::business("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
            }
        }
    }

    fn refused(refusal: RefundRefusal) -> Self {
        match refusal {
            RefundRefusal::NotEnough => {
                Self::business("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")
            }
            RefundRefusal::UserAccountAbnormal => Self::business("ACQ.BUYER_ERROR", "买家状态异常"),
            RefundRefusal::NoAuth => Self::new(
                "40006",
                "Insufficient Permissions",
                "isv.insufficient-isv-permissions",
                "ISV权限不足",
            ),
            RefundRefusal::RequestBlocked => {
                Self::business("ACQ.REASON_TRADE_BEEN_FREEZEN", "请求退款的交易被冻结")
            }
            RefundRefusal::InvalidRequest => {
                Self::business("ACQ.TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款")
            }
            RefundRefusal::FrequencyLimited => Self::new(
                "40005",
                "Call Limited",
                "isv.app-call-limited",
                "应用调用次数超限",
            ),
            RefundRefusal::SystemError => Self::system_error(),
        }
    }
}

impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Self {
        tracing::error!(%error, "the sandbox could not keep its book");
        Self::new(
            "20000",
            "Service Currently Unavailable",
            "isp.unknow-error",
            &error.to_string(),
        )
    }
}
