//! WeChat's no.

use super::api::json_answer;
use crate::SandboxError;
use crate::control::views::RefundRefusal;
use crate::refusal::MoneyRefusal;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use connectors::wechat_pay::wire::ErrorAnswer;

/// WeChat's no: an HTTP status, a code, and words.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
        }
    }

    pub(super) fn param(message: &str) -> Self {
        Self::new(400, "PARAM_ERROR", message)
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::new(400, "INVALID_REQUEST", message)
    }

    pub(super) fn no_such_order() -> Self {
        Self::new(404, "ORDER_NOT_EXIST", "订单不存在")
    }

    pub(super) fn sign(message: &str) -> Self {
        Self::new(401, "SIGN_ERROR", message)
    }

    /// What the money rules say about opening and closing payments.
    pub(super) fn of_payment(refusal: MoneyRefusal) -> Self {
        match refusal {
            MoneyRefusal::NoSuchPayment => Self::no_such_order(),
            MoneyRefusal::OtherTerms => {
                Self::invalid("201 商户订单号重复: the order exists with other parameters")
            }
            MoneyRefusal::Paid => Self::new(400, "ORDERPAID", "the order is paid"),
            MoneyRefusal::Closed => Self::new(400, "ORDER_CLOSED", "the order is closed"),
            MoneyRefusal::Failed => Self::new(403, "TRADE_ERROR", "the payment failed"),
            MoneyRefusal::Expired => Self::invalid("time_expire is over"),
            other => Self::of_refund(other),
        }
    }

    /// What the money rules say about refunds.
    pub(super) fn of_refund(refusal: MoneyRefusal) -> Self {
        match refusal {
            MoneyRefusal::NoSuchPayment | MoneyRefusal::NotPaid => {
                let message = "the order does not exist or is not paid";
                Self::new(404, "RESOURCE_NOT_EXISTS", message)
            }
            MoneyRefusal::OtherRefund => {
                Self::invalid("out_refund_no was used with another order or amount")
            }
            MoneyRefusal::TooManyRefunds(count) => {
                Self::invalid(&format!("the order has {count} refunds already"))
            }
            MoneyRefusal::PaidTooLongAgo => {
                Self::invalid("the order was paid more than a year ago")
            }
            MoneyRefusal::MoreThanPaid => Self::invalid("the refunds would be more than was paid"),
            MoneyRefusal::NotAbnormal => Self::invalid("the refund is not ABNORMAL"),
            MoneyRefusal::RefundRefused(refusal) => Self::refused(refusal),
            MoneyRefusal::OutcomeUntold => {
                Self::new(500, "SYSTEM_ERROR", "系统异常，请用相同参数重新调用")
            }
            MoneyRefusal::Sandbox(error) => error.into(),
            MoneyRefusal::OtherTerms
            | MoneyRefusal::Paid
            | MoneyRefusal::Closed
            | MoneyRefusal::Failed
            | MoneyRefusal::Expired
            | MoneyRefusal::NotApproved => Self::new(403, "TRADE_ERROR", &refusal.to_string()),
        }
    }

    fn refused(refusal: RefundRefusal) -> Self {
        match refusal {
            RefundRefusal::NotEnough => Self::new(403, "NOT_ENOUGH", "基本账户余额不足"),
            RefundRefusal::UserAccountAbnormal => {
                Self::new(403, "USER_ACCOUNT_ABNORMAL", "用户账号异常")
            }
            RefundRefusal::NoAuth => Self::new(403, "NO_AUTH", "没有退款权限"),
            RefundRefusal::RequestBlocked => Self::new(403, "REQUEST_BLOCKED", "请求受阻"),
            RefundRefusal::InvalidRequest => Self::invalid("无效请求"),
            RefundRefusal::FrequencyLimited => Self::new(429, "FREQUENCY_LIMITED", "频率限制"),
            RefundRefusal::SystemError => Self::new(500, "SYSTEM_ERROR", "系统超时"),
        }
    }
}

impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Self {
        tracing::error!(%error, "the sandbox could not keep its book");
        Self::new(500, "SYSTEM_ERROR", &error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = ErrorAnswer {
            code: self.code.to_owned(),
            message: self.message,
        };
        json_answer(StatusCode::from_u16(self.status).unwrap_or_default(), &body)
    }
}
