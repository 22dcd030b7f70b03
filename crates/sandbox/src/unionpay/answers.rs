//! What UnionPay answers: signed fields, whether it says yes or no.

use super::keys::Keys;
use crate::SandboxError;
use crate::control::views::RefundRefusal;
use crate::keys::unusable;
use crate::refusal::MoneyRefusal;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use connectors::rsa::SigningKey;
use connectors::unionpay::fields::Fields;
use connectors::unionpay::signature::sign;

/// What comes back as it was sent (UnionPay's interface pages, `R`).
const ECHOED: [&str; 9] = [
    "encoding",
    "txnType",
    "txnSubType",
    "bizType",
    "accessType",
    "merId",
    "orderId",
    "txnTime",
    "reqReserved",
];

/// A code and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code(pub(super) &'static str, pub(super) String);

/// Done, or accepted.
pub(super) fn success() -> Code {
    code("00", "成功[0000000]")
}

/// No such transaction.
pub(super) fn not_found() -> Code {
    code("34", "查无此交易[2600000]")
}

/// A request that is not of the form.
pub(super) fn malformed(reason: impl std::fmt::Display) -> Code {
    Code("10", format!("报文格式错误[{reason}]"))
}

/// A signature that is not the merchant's.
pub(super) fn bad_signature(reason: impl std::fmt::Display) -> Code {
    Code("11", format!("验证签名失败[{reason}]"))
}

/// The same order once more.
pub(super) fn duplicate() -> Code {
    code("12", "重复交易[2040004]")
}

pub(super) fn code(code: &'static str, words: &str) -> Code {
    Code(code, words.to_owned())
}

impl From<MoneyRefusal> for Code {
    fn from(refusal: MoneyRefusal) -> Self {
        match refusal {
            MoneyRefusal::NoSuchPayment | MoneyRefusal::NotPaid => {
                code("35", "原交易不存在或状态不正确")
            }
            MoneyRefusal::OtherTerms | MoneyRefusal::OtherRefund => duplicate(),
            MoneyRefusal::Paid
            | MoneyRefusal::Closed
            | MoneyRefusal::Failed
            | MoneyRefusal::Expired
            | MoneyRefusal::NotAbnormal
            | MoneyRefusal::NotApproved
            | MoneyRefusal::TooManyRefunds(_)
            | MoneyRefusal::PaidTooLongAgo => Self("35", format!("原交易状态不正确[{refusal}]")),
            MoneyRefusal::MoreThanPaid => code("36", "与原交易信息不符[退货金额超限]"),
            MoneyRefusal::RefundRefused(refusal) => refused(refusal),
            MoneyRefusal::OutcomeUntold => code("04", "交易状态未明，请查询对账结果"),
            MoneyRefusal::Sandbox(error) => error.into(),
        }
    }
}

impl From<SandboxError> for Code {
    fn from(error: SandboxError) -> Self {
        tracing::error!(%error, "the sandbox could not keep its book");
        Self("99", format!("通用错误[{error}]"))
    }
}

fn refused(refusal: RefundRefusal) -> Code {
    match refusal {
        RefundRefusal::NotEnough => code("33", "交易金额超限"),
        RefundRefusal::UserAccountAbnormal => code("61", "输入的卡号无效，请确认后输入"),
        RefundRefusal::NoAuth => code("32", "无此交易权限"),
        RefundRefusal::RequestBlocked => code("38", "银联风险受限"),
        RefundRefusal::InvalidRequest => code("36", "与原交易信息不符"),
        RefundRefusal::FrequencyLimited => code("37", "已超过最大查询次数或操作过于频繁"),
        RefundRefusal::SystemError => code("99", "通用错误"),
    }
}

/// An answer to a request, which may have been unreadable: its code, what is echoed, and what else
/// there is to tell.
pub(super) fn answer(keys: &Keys, request: &Fields, told: Fields, code: &Code) -> Response {
    let mut fields = told;
    for name in ECHOED {
        if let Some(value) = request.get(name) {
            fields.set(name, value);
        }
    }
    fields.set("respCode", code.0);
    // Brackets are UnionPay's own here, and signs of its wire are not for words.
    fields.set("respMsg", code.1.replace(['&', '='], " "));
    match signed(keys, fields) {
        Ok(fields) => {
            let headers = [(header::CONTENT_TYPE, "text/html;charset=UTF-8")];
            (StatusCode::OK, headers, fields.to_answer()).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the sandbox could not sign an answer");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The fields with UnionPay's certificate and signature.
pub(super) fn signed(keys: &Keys, fields: Fields) -> Result<Fields, SandboxError> {
    let fields = fields.with("certId", &keys.signer_cert_id);
    signed_by(&keys.signer, &keys.file.signer.certificate_pem, fields)
}

/// The fields with an impostor's certificate and its rightful signature.
pub(super) fn signed_by_impostor(keys: &Keys, fields: Fields) -> Result<Fields, SandboxError> {
    let fields = fields.with("certId", &keys.signer_cert_id);
    signed_by(&keys.impostor, &keys.file.impostor.certificate_pem, fields)
}

fn signed_by(key: &SigningKey, certificate: &str, fields: Fields) -> Result<Fields, SandboxError> {
    sign(fields.with("signPubKeyCert", certificate), key).map_err(unusable)
}
