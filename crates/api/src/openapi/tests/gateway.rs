//! A gateway that starts payments and knows nothing else.

use connectors::gateway::{
    Answer, Bill, Callback, CallbackError, Heard, MethodTerms, Operation, PayKind, PaymentGateway,
    PaymentRef, PaymentStarted, PaymentState, RefundRef, RefundState, RefundTerms, Reply,
    StartPayment, StartRefund, Terms,
};
use domain::payment::{GatewayName, Method, PayWith};
use domain::{Currency, Ts};
use jiff::civil::Date;

pub struct Slow(Terms);

impl Slow {
    pub fn new() -> Self {
        let method = |method, kind, payer| MethodTerms {
            method,
            label_zh: "慢",
            label_en: "Slow",
            kind,
            payer,
        };
        Self(Terms {
            label_zh: "慢",
            label_en: "Slow",
            methods: vec![
                method(Method::NATIVE, PayKind::Qr, None),
                method(Method::JSAPI, PayKind::InApp, Some("openid")),
            ],
            currencies: vec![Currency::CNY],
            countries: vec!["CN"],
            refunds: RefundTerms::NONE,
        })
    }
}

fn later<T: Send + 'static>(operation: Operation) -> Answer<'static, T> {
    Box::pin(async move { Err(operation.unavailable(GatewayName::WECHAT, "not now")) })
}

impl PaymentGateway for Slow {
    fn name(&self) -> GatewayName {
        GatewayName::WECHAT
    }
    fn terms(&self) -> &Terms {
        &self.0
    }
    fn start<'a>(&'a self, start: &'a StartPayment, _: Ts) -> Answer<'a, PaymentStarted> {
        let number = &start.payment.out_trade_no;
        let code_url = format!("weixin://wxpay/bizpayurl?pr={number}");
        Box::pin(async move {
            Ok(PaymentStarted {
                handle: None,
                pay_with: PayWith::Qr { code_url },
            })
        })
    }
    fn query<'a>(&'a self, _: &'a PaymentRef, _: Ts) -> Answer<'a, PaymentState> {
        later(Operation::Query)
    }
    fn close<'a>(&'a self, _: &'a PaymentRef, _: Ts) -> Answer<'a, ()> {
        later(Operation::Close)
    }
    fn refund<'a>(&'a self, _: &'a StartRefund, _: Ts) -> Answer<'a, RefundState> {
        later(Operation::Refund)
    }
    fn query_refund<'a>(&'a self, _: &'a RefundRef, _: Ts) -> Answer<'a, RefundState> {
        later(Operation::QueryRefund)
    }
    fn bill<'a>(&'a self, _: Date, _: Ts) -> Answer<'a, Bill> {
        later(Operation::Bill)
    }
    fn callback<'a>(&'a self, _: &'a Callback<'a>, _: Ts) -> Heard<'a> {
        Box::pin(async { Err(CallbackError::Malformed("nothing is sent here".to_owned())) })
    }
    fn received(&self) -> Reply {
        let body = serde_json::json!({ "code": "SUCCESS", "message": "成功" });
        Reply::json(200, &body)
    }
    fn not_received(&self, status: u16, why: &str) -> Reply {
        Reply::json(
            status,
            &serde_json::json!({ "code": "FAIL", "message": why }),
        )
    }
}
