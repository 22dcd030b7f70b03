//! Reconciliation (spec 20): a day on which both sides agree has no difference; one that is planted
//! is found and named, and nothing else is; and every fen between the two nets is explained.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what must never happen fails its test"
)]

mod day;
mod days_apart;
mod page;
mod plants;
mod properties;
mod rerunning;
mod settling;
