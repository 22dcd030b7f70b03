//! Errors as the API answers them: codes of `error-codes.csv`, words in the caller's language.

use crate::chinese;
use crate::envelope::Context;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::lifecycle::Language;
use domain::order::Refusal;
use domain::reconciliation::SettleRefusal;
use engine::files::FileRefusal;
use engine::{Against, EngineError};
use serde_json::{Value, json};

macro_rules! codes {
    ($($variant:ident $code:literal $name:literal $http:literal $zh:literal $en:literal;)+) => {
        /// The specification's error codes (`error-codes.csv`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $en] $variant,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code, its name, and the HTTP status.
            pub const fn row(self) -> (&'static str, &'static str, u16) {
                match self { $(Self::$variant => ($code, $name, $http),)+ }
            }

            /// What it says when there is nothing more exact to say.
            pub const fn words(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$variant, Language::Zh) => $zh, (Self::$variant, Language::En) => $en,)+
                }
            }
        }
    };
}

codes! {
    InvalidCredentials "1001" "INVALID_CREDENTIALS" 401 "账号或密码不正确" "The sign-in name or the password is wrong.";
    TokenExpired "1002" "TOKEN_EXPIRED" 401 "登录已过期，请重新登录" "The token has expired or was used: sign in again.";
    InsufficientPermissions "1003" "INSUFFICIENT_PERMISSIONS" 403 "您没有权限做此操作" "You may not do this.";
    OrderNotFound "2001" "ORDER_NOT_FOUND" 404 "没有这个订单" "There is no such order.";
    OrderCannotBeModified "2002" "ORDER_CANNOT_BE_MODIFIED" 409 "订单不能修改" "The order can't be changed any more.";
    InvalidOrderStatus "2003" "INVALID_ORDER_STATUS" 409 "订单当前状态不允许此操作" "The order's status does not allow this.";
    PaymentFailed "3001" "PAYMENT_FAILED" 409 "支付失败" "The payment failed.";
    InsufficientFunds "3002" "INSUFFICIENT_FUNDS" 402 "余额不足" "There is not enough money.";
    PaymentAlreadyProcessed "3003" "PAYMENT_ALREADY_PROCESSED" 409 "订单正在支付或已支付" "The order is being paid or has been paid.";
    PharmacyNotAvailable "4001" "PHARMACY_NOT_AVAILABLE" 409 "药房不可用" "The pharmacy is not available.";
    InvalidCredential "4002" "INVALID_CREDENTIAL" 422 "凭证无效" "The voucher is not valid.";
    ExternalServiceError "5001" "EXTERNAL_SERVICE_ERROR" 503 "外部服务暂时不可用，请稍后再试" "A service is not available at the moment: try again shortly.";
    RateLimitExceeded "5002" "RATE_LIMIT_EXCEEDED" 429 "操作过于频繁，请稍后再试" "Too many requests: try again shortly.";
    ClinicInsufficientFunds "PAY_001" "INSUFFICIENT_FUNDS" 402 "诊所账户余额不足" "The clinic's account is too low.";
    AccountSuspended "PAY_002" "ACCOUNT_SUSPENDED" 403 "账户已停用" "The account is suspended.";
    ConcurrentPayment "PAY_003" "CONCURRENT_PAYMENT" 409 "账户正在进行另一笔支付" "Another payment from this account is under way.";
    OutOfStock "2004" "OUT_OF_STOCK" 409 "库存不足" "Not enough is in stock.";
    Unauthenticated "1004" "UNAUTHENTICATED" 401 "请先登录" "Sign in first: send a bearer token.";
    ValidationFailed "6001" "VALIDATION_FAILED" 422 "请求内容有误" "Something in the request is wrong: see the details.";
    NotFound "6002" "NOT_FOUND" 404 "没有找到" "There is no such thing.";
    Conflict "6003" "CONFLICT" 409 "情况已变化，请刷新后再试" "Things have changed meanwhile: look again.";
    IdempotencyKeyReused "6004" "IDEMPOTENCY_KEY_REUSED" 409 "幂等键已用于另一个请求" "The idempotency key was used for another request.";
    MalformedRequest "6005" "MALFORMED_REQUEST" 400 "请求无法解析" "The request can't be read.";
    Internal "9999" "INTERNAL" 500 "系统内部错误，请凭请求编号联系运营" "Something failed here: tell operations the request id.";
}

/// An error to be answered.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// Which.
    pub code: Code,
    /// More exact words, in English; the code's own words where there are none.
    pub words: Option<String>,
    /// More exact words, in Chinese; the code's own words where there are none.
    pub chinese: Option<String>,
    /// More, for programs.
    pub details: Option<Value>,
    /// Another HTTP status than the code's usual one.
    pub status: Option<u16>,
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self {
            code,
            words: None,
            chinese: None,
            details: None,
            status: None,
        }
    }
}

impl ApiError {
    /// A field that is wrong, and what would be right.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code: Code::ValidationFailed,
            words: Some(format!("{field}: {message}")),
            chinese: Some(format!("请求内容有误：{field}（{message}）")),
            details: Some(json!([{ "field": field, "message": message }])),
            status: None,
        }
    }

    /// With more exact words in Chinese, if there are any.
    #[must_use]
    pub fn in_chinese(mut self, words: Option<impl Into<String>>) -> Self {
        self.chinese = words.map(Into::into).or(self.chinese);
        self
    }

    /// With more exact words.
    #[must_use]
    pub fn saying(mut self, words: impl Into<String>) -> Self {
        self.words = Some(words.into());
        self
    }

    /// With details.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// What it says.
    pub fn message(&self, language: Language) -> String {
        let exact = match language {
            Language::Zh => &self.chinese,
            Language::En => &self.words,
        };
        let general = || self.code.words(language).to_owned();
        exact.clone().unwrap_or_else(general)
    }

    /// The answer.
    pub fn answer(self, context: &Context) -> Response {
        let (code, name, http) = self.code.row();
        let status = self.status.unwrap_or(http);
        let message = self.message(context.language);
        let mut error = json!({
            "code": code, "name": name, "message": message,
            "timestamp": context.now, "requestId": context.request_id,
        });
        if let Some(details) = self.details {
            error["details"] = details;
        }
        let body = axum::Json(json!({ "success": false, "error": error }));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body).into_response();
        if matches!(
            self.code,
            Code::ExternalServiceError | Code::RateLimitExceeded
        ) {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let chinese = chinese::of_refusal(&refusal);
        Self::of_refusal(refusal).in_chinese(chinese)
    }
}

impl ApiError {
    fn of_refusal(refusal: Refusal) -> Self {
        let words = refusal.to_string();
        match refusal {
            Refusal::Status { status, .. } => Self::from(Code::InvalidOrderStatus)
                .saying(words)
                .with(json!({ "status": status })),
            Refusal::NotYours { .. } => Self::from(Code::InsufficientPermissions).saying(words),
            Refusal::PaymentAlreadyProcessed { status } => {
                Self::from(Code::PaymentAlreadyProcessed)
                    .saying(words)
                    .with(json!({ "status": status }))
            }
            Refusal::QuoteMovedOn { .. } => Self::from(Code::Conflict).saying(words),
            Refusal::Invalid { field, why } => Self::field(field, why),
            Refusal::NoSuch { .. } => Self::from(Code::NotFound).saying(words),
            Refusal::OutsideTable { .. } | Refusal::NoEntry(_) => {
                tracing::error!(words, "a rule of the program was broken");
                Self::from(Code::Internal)
            }
        }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let chinese = chinese::of_error(&error);
        Self::of_engine(error).in_chinese(chinese)
    }
}

impl ApiError {
    fn of_file(refusal: &FileRefusal) -> Self {
        let words = refusal.to_string();
        if let FileRefusal::TooMuch { .. } = refusal {
            let status = Some(413);
            return Self {
                status,
                ..Self::field("size", words)
            };
        }
        if let Some(field) = refusal.field() {
            return Self::field(field, words);
        }
        let code = match refusal {
            FileRefusal::Off => Code::ExternalServiceError,
            FileRefusal::Confirmed => Code::Conflict,
            _ => Code::InsufficientPermissions,
        };
        Self::from(code).saying(words)
    }
}

impl ApiError {
    fn of_engine(error: EngineError) -> Self {
        let words = error.to_string();
        match error {
            EngineError::NotFound => Self::from(Code::OrderNotFound),
            EngineError::NoSuch { .. } => Self::from(Code::NotFound).saying(words),
            EngineError::Refused(refusal) => refusal.into(),
            EngineError::Invalid { field, why } => Self::field(field, why),
            EngineError::File(refusal) => Self::of_file(&refusal),
            EngineError::Storage(_) => {
                // Where files are kept is nobody's business outside.
                tracing::error!(words, "the storage of files failed");
                Self::from(Code::ExternalServiceError)
            }
            EngineError::NotClosed { month, against } => {
                let against: Vec<&str> = against.iter().map(Against::name).collect();
                Self::from(Code::Conflict)
                    .saying(words)
                    .with(json!({ "month": month, "against": against }))
            }
            EngineError::PeopleWait { waiting } => Self::from(Code::Conflict)
                .saying(words)
                .with(json!({ "waiting": waiting })),
            EngineError::SlotFull
            | EngineError::GuardRefused(_)
            | EngineError::SessionStatus { .. }
            | EngineError::NobodyIsCalled { .. }
            | EngineError::KeyTaken
            | EngineError::UnderWay { .. }
            | EngineError::Contended => Self::from(Code::Conflict).saying(words),
            EngineError::Settle(refusal) => Self::of_settling(&refusal),
            EngineError::Gateway(_) => {
                tracing::warn!(words, "a gateway did not do what it was asked");
                Self::from(Code::ExternalServiceError).saying(words)
            }
            EngineError::Busy | EngineError::GatewayOff(_) => {
                Self::from(Code::ExternalServiceError).saying(words)
            }
            EngineError::Corrupt(_) => {
                tracing::error!(words, "stored data can't be read");
                Self::from(Code::Internal)
            }
            EngineError::Store(error) => error.into(),
        }
    }
}

impl ApiError {
    fn of_settling(refusal: &SettleRefusal) -> Self {
        let words = refusal.to_string();
        match refusal {
            SettleRefusal::Status { status } => Self::from(Code::Conflict)
                .saying(words)
                .with(json!({ "status": status })),
            SettleRefusal::SamePerson => Self::from(Code::InsufficientPermissions).saying(words),
            SettleRefusal::NotThat { .. } => Self::field("repair", words),
            SettleRefusal::NoReason { .. } => Self::field("reason", words),
        }
    }
}

impl From<store::StoreError> for ApiError {
    fn from(error: store::StoreError) -> Self {
        tracing::error!(%error, "the database failed");
        match error {
            store::StoreError::Corrupt(_) => Self::from(Code::Internal),
            store::StoreError::MonthClosed => Self::from(Code::ExternalServiceError)
                .saying("nothing was changed: this server's clock is behind, and what it would post belongs to a closed month; try again later")
                .in_chinese(Some("操作未执行：服务器时钟落后，记账时间属于已结账月份，请稍后再试")),
            _ => Self::from(Code::ExternalServiceError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_specifications_both_ways() {
        let csv = include_str!("../../../spec/error-codes.csv");
        let of_spec: Vec<String> = csv
            .lines()
            .skip(1)
            .map(|l| l.splitn(4, ',').take(3).collect::<Vec<_>>().join(","))
            .collect();
        let ours: Vec<String> = Code::ALL
            .iter()
            .map(|code| code.row())
            .map(|(code, name, http)| format!("{code},{name},{http}"))
            .collect();
        assert_eq!(ours, of_spec);
    }
}
