//! Pages that only UnionPay has: the way back to the merchant, which is a form, and its no.

use super::answers::{Code, signed};
use super::{Api, GATEWAY, notices};
use crate::book::Payment;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use connectors::unionpay::fields::Fields;

/// Nothing from elsewhere, and no script: a button posts the form.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'";

const STYLE: &str = "body { margin: 0; font: 16px/1.5 system-ui, 'PingFang SC', \
'Microsoft YaHei', sans-serif; background: #f2f3f5; color: #1d2129; } \
main { max-width: 26rem; margin: 0 auto; padding: 2rem 1rem; text-align: center; } \
button { width: 100%; min-height: 48px; border: 0; border-radius: 10px; font: inherit; \
font-weight: 600; color: #fff; background: #b01e2c; cursor: pointer; }";

/// Where whoever has paid goes from the cashier: to the button that leads back.
pub(super) fn way_back(payment: &Payment) -> Option<String> {
    payment
        .return_url
        .as_ref()
        .map(|_| format!("/unionpay/return/{}", payment.out_trade_no))
}

impl Api {
    /// The page with the button 返回商户: it posts the notice's fields, signed, to frontUrl.
    pub(super) fn return_page(&self, out_trade_no: &str) -> Option<Response> {
        let (payment, _) = self.sandbox.payment_at(GATEWAY, out_trade_no)?;
        let url = payment.return_url.as_ref()?;
        let fields = notices::paid(&self.keys, &payment)?;
        match signed(&self.keys, fields) {
            Ok(fields) => Some(html(StatusCode::OK, &button(url, &fields))),
            Err(error) => {
                tracing::error!(%error, "the sandbox could not sign the way back");
                Some(StatusCode::INTERNAL_SERVER_ERROR.into_response())
            }
        }
    }
}

/// What a payer reads whose form was not taken.
pub(super) fn refused(code: &Code) -> Response {
    let text = format!("<p>{} {}</p>", escape(code.0), escape(&code.1));
    html(StatusCode::OK, &text)
}

fn button(url: &str, fields: &Fields) -> String {
    let inputs: String = fields
        .iter()
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                escape(name),
                escape(value)
            )
        })
        .collect();
    format!(
        "<p>支付成功 Paid</p><form method=\"post\" action=\"{}\">{inputs}\
         <button>返回商户 Back to the merchant</button></form>",
        escape(url)
    )
}

fn html(status: StatusCode, content: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>银联在线支付</title><style>{STYLE}</style></head>\
         <body><main>{content}</main></body></html>\n"
    );
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(page)).into_response()
}

/// Text as it may stand between tags and in quotes. Line ends of a PEM must survive.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
        escaped
    })
}
