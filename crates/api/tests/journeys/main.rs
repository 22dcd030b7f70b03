//! Journeys: whole orders at a time over real HTTP, on both databases, against the sandbox. One
//! program, so that it is linked once.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on says why and fails"
)]

#[macro_use]
mod harness;

mod assignments;
mod at_once;
mod bad_input;
mod call;
mod clinic;
mod clinic_day;
mod consultation;
mod database_gone;
mod dispatch;
mod faults;
mod files;
mod gateways;
mod ledger;
mod lists;
mod paying;
mod presence;
mod reconciliation;
mod refunding;
mod report;
mod room;
mod room_live;
mod toy;
mod weekly;
