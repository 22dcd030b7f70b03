//! The specification's table of commands (spec 10), row by row, as examples.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "an example that goes another way than written fails its test"
)]

mod actors;
mod clinic;
mod dispatching;
mod paying;
mod refunding;
mod reviewed;
mod serving;
mod support;
