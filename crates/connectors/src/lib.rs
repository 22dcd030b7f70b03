//! Who is outside: one folder a counterparty, each behind the small trait that the engine asks for.

pub mod gateway;
pub mod storage;
pub mod wechat_pay;
