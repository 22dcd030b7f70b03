//! Who is outside: one folder a counterparty, each behind the small trait that the engine asks for.

pub mod alipay;
pub mod gateway;
pub mod http;
pub mod offline;
pub mod paypal;
pub mod rsa;
pub mod storage;
pub mod stripe;
pub mod unionpay;
pub mod wechat_pay;

use gateway::Registration;

/// Every gateway that the program can be paid over. One more is one folder and one line here
/// (`docs/adding-a-gateway.md`).
pub fn gateways() -> &'static [Registration] {
    &[
        wechat_pay::REGISTRATION,
        alipay::REGISTRATION,
        unionpay::REGISTRATION,
        paypal::REGISTRATION,
        stripe::REGISTRATION,
        offline::REGISTRATION,
    ]
}
