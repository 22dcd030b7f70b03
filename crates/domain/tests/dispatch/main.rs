//! The dispatcher over a whole day: how evenly orders fall to doctors, and what other weights would
//! have made of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test that can't go on says why and fails"
)]

mod day;
mod fairness;
mod replay;
