//! A gateway that starts payments and knows nothing else.

use connectors::gateway::{
    Answer, Callback, CallbackError, GatewayError, Notice, PaymentGateway, PaymentStarted,
    PaymentState, RefundState, StartPayment, StartRefund,
};
use domain::Ts;

pub struct Slow;

fn later<T>(operation: &'static str) -> Result<T, GatewayError> {
    let reason = "not now".to_owned();
    Err(GatewayError::Unavailable {
        gateway: "wechat",
        operation,
        reason,
    })
}

impl PaymentGateway for Slow {
    fn name(&self) -> &'static str {
        "wechat"
    }
    fn start<'a>(&'a self, payment: &'a StartPayment, _: Ts) -> Answer<'a, PaymentStarted> {
        let code_url = format!("weixin://wxpay/bizpayurl?pr={}", payment.out_trade_no);
        Box::pin(async move { Ok(PaymentStarted::Native { code_url }) })
    }
    fn query<'a>(&'a self, _: &'a str, _: Ts) -> Answer<'a, PaymentState> {
        Box::pin(async { later("query") })
    }
    fn close<'a>(&'a self, _: &'a str, _: Ts) -> Answer<'a, ()> {
        Box::pin(async { later("close") })
    }
    fn refund<'a>(&'a self, _: &'a StartRefund, _: Ts) -> Answer<'a, RefundState> {
        Box::pin(async { later("refund") })
    }
    fn query_refund<'a>(&'a self, _: &'a str, _: Ts) -> Answer<'a, RefundState> {
        Box::pin(async { later("query_refund") })
    }
    fn callback(&self, _: &Callback<'_>, _: Ts) -> Result<Notice, CallbackError> {
        Err(CallbackError::Malformed("nothing is sent here".to_owned()))
    }
}
