//! The one address of Alipay's OpenAPI, and what payers and merchants reach beside it.

use super::refusal::Refusal;
use super::{Api, GATEWAY, bills};
use crate::cashier;
use crate::keys::unusable;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use connectors::alipay::answer::{Head, join, response_name};
use connectors::alipay::form;
use connectors::alipay::signature::{Parameters, SIGN_TYPE, request_message};
use connectors::alipay::wire::read_time;
use domain::payment::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Answers are JSON, and say that they are HTML.
const ANSWER_TYPE: &str = "text/html;charset=utf-8";

/// An answer that says yes.
#[derive(Serialize)]
struct Yes<T: Serialize> {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    content: T,
}

/// What there is at Alipay's hosts.
pub(super) fn router(api: Api) -> Router {
    Router::new()
        .route("/gateway.do", get(gateway).post(gateway))
        .route("/alipay/qr/{code}", get(scanned))
        .route(bills::PATH, get(bills::download))
        .layer(DefaultBodyLimit::max(form::MAX_FORM_BYTES))
        .with_state(api)
}

/// Merchants post; browsers bring the same parameters as an address or as a form.
async fn gateway(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parameters = match read(query.as_deref(), &body) {
        Ok(parameters) => parameters,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let method = parameters.get("method").map_or("", String::as_str);
    let page = match method {
        "alipay.trade.page.pay" => Some(Method::PAGE),
        "alipay.trade.wap.pay" => Some(Method::WAP),
        _ => None,
    };
    if let Some(page) = page {
        let opened = api
            .check(&parameters)
            .and_then(|()| api.page(page, &parameters));
        return opened.map_or_else(error_page, |number| cashier::redirect(&number));
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let answer = api
        .check(&parameters)
        .and_then(|()| api.answer(method, &parameters, host.unwrap_or_default()));
    match answer {
        Ok(content) => api.signed(method, &content),
        Err(refusal) => api.refused(method, &refusal),
    }
}

/// The payer's app has read a code.
async fn scanned(State(api): State<Api>, Path(code): Path<String>) -> Response {
    let number = code.strip_prefix("bax").and_then(|trade_no| {
        let book = api.sandbox.book();
        let payment = book.payment_of_handle(GATEWAY, trade_no)?;
        Some(payment.out_trade_no.clone())
    });
    match number {
        Some(number) => cashier::redirect(&number),
        None => (StatusCode::NOT_FOUND, "no such code\n").into_response(),
    }
}

/// The parameters of address and form together; what is in both (`charset`) is the form's.
fn read(query: Option<&str>, body: &[u8]) -> Result<Parameters, form::FormError> {
    let mut parameters = form::decode(query.unwrap_or_default().as_bytes())?;
    parameters.extend(form::decode(body)?);
    Ok(parameters)
}

impl Api {
    /// The public parameters and the signature over all (Alipay OpenAPI, public parameters).
    fn check(&self, parameters: &Parameters) -> Result<(), Refusal> {
        let value = |name: &str| parameters.get(name).map_or("", String::as_str);
        if value("app_id") != self.keys.file.app_id {
            return Err(Refusal::stranger("isv.invalid-app-id", "无效的AppID参数"));
        }
        let sign_type = value("sign_type");
        if sign_type != SIGN_TYPE {
            return Err(Refusal::stranger("isv.invalid-signature-type", sign_type));
        }
        let message = request_message(parameters);
        let key = &self.keys.app_public;
        if !key.verifies(message.as_bytes(), value("sign")) {
            return Err(Refusal::stranger("isv.invalid-signature", "验签出错"));
        }
        if read_time(value("timestamp")).is_none() {
            return Err(Refusal::argument(
                "isv.invalid-timestamp",
                "非法的时间戳参数",
            ));
        }
        if !value("charset").eq_ignore_ascii_case("utf-8") {
            return Err(Refusal::argument("isv.invalid-charset", "字符集错误"));
        }
        if !value("format").eq_ignore_ascii_case("json") || value("version") != "1.0" {
            return Err(Refusal::argument("isv.invalid-format", "无效的数据格式"));
        }
        Ok(())
    }

    /// The inner object of a method's answer.
    fn answer(&self, method: &str, parameters: &Parameters, host: &str) -> Result<String, Refusal> {
        match method {
            "alipay.trade.create" => yes(self.create(parameters)?),
            "alipay.trade.precreate" => yes(self.precreate(parameters, host)?),
            "alipay.trade.query" => yes(self.trade(&content(parameters)?)?),
            "alipay.trade.close" => yes(self.close(&content(parameters)?)?),
            "alipay.trade.refund" => yes(self.refund(content(parameters)?)?),
            "alipay.trade.fastpay.refund.query" => yes(self.told_refund(&content(parameters)?)),
            "alipay.data.dataservice.bill.downloadurl.query" => {
                yes(self.bill_address(&content(parameters)?, host)?)
            }
            _ => Err(Refusal::argument("isv.invalid-method", "不存在的方法名")),
        }
    }

    fn signed(&self, method: &str, content: &str) -> Response {
        match self.keys.alipay.sign(content.as_bytes()) {
            Ok(sign) => answer(join(method, content, &sign)),
            Err(error) => {
                tracing::error!(%error, "the sandbox could not sign an answer");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    fn refused(&self, method: &str, refusal: &Refusal) -> Response {
        let Ok(content) = serde_json::to_string(&refusal.head) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        if refusal.signed {
            self.signed(method, &content)
        } else {
            answer(format!("{{\"{}\":{content}}}", response_name(method)))
        }
    }
}

/// `biz_content`.
pub(super) fn content<T: DeserializeOwned>(parameters: &Parameters) -> Result<T, Refusal> {
    let content = parameters.get("biz_content").map_or("", String::as_str);
    serde_json::from_str(content).map_err(|reason| Refusal::parameter(&reason.to_string()))
}

fn yes(content: impl Serialize) -> Result<String, Refusal> {
    let head = Head {
        code: "10000".to_owned(),
        msg: "Success".to_owned(),
        sub_code: None,
        sub_msg: None,
    };
    let yes = Yes { head, content };
    Ok(serde_json::to_string(&yes).map_err(unusable)?)
}

fn answer(body: String) -> Response {
    ([(header::CONTENT_TYPE, ANSWER_TYPE)], body).into_response()
}

/// What a payer sees whose merchant made a mistake.
fn error_page(refusal: Refusal) -> Response {
    let Head {
        sub_code, sub_msg, ..
    } = refusal.head;
    let (code, words) = (sub_code.unwrap_or_default(), sub_msg.unwrap_or_default());
    (StatusCode::BAD_REQUEST, format!("{code}: {words}\n")).into_response()
}
