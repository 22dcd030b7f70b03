//! Who is outside: one folder a counterparty, each behind the small trait that the engine asks for.

pub mod gateway;
pub mod wechat_pay;
