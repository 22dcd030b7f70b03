//! The connector against the sandbox, over real HTTP on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its harness too"
)]

mod alipay;
mod bills;
mod callbacks;
mod cashier;
mod control;
mod faults;
mod harness;
mod payments;
mod paypal;
mod refunds;
mod restart;
mod single;
mod stripe;
mod unionpay;
mod wechat;
