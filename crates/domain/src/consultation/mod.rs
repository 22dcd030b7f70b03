//! Consultations: dispatched to a doctor, or queued for a clinic session (spec 10).

mod actions;
mod clinic;
mod command;
mod decide;
mod detail;
mod dispatching;
mod entry;
pub mod fairness;
pub mod matching;
mod money;
mod paying;
pub mod queue;
pub mod ranking;
pub mod refund;
mod refunding;
pub mod replay;
mod room_line;
mod rules;
mod serving;
mod status;
mod timing;

pub use actions::{Action, actions};
pub use command::{Command, Facts, NewConsultation, ProvenOutcome, SessionFacts, Verdict};
pub use decide::{create, decide};
pub use detail::{
    Assignment, AssignmentEnd, CancelAsked, ConsultationType, Detail, Rating, RatingTag, Summary,
};
pub use refund::{Cause, Fault, Quote};
pub use room_line::RoomLine;
pub use rules::{Rules, ShareRule, Timeouts, TimerName, When};
pub use status::{ConsultationStatus, Mode};

use crate::order::{self, Lifecycle};
use serde::{Deserialize, Serialize};

/// The kind of order that is a consultation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consulting {}

impl Lifecycle for Consulting {
    type Status = ConsultationStatus;
    type Detail = Detail;
    type Timer = TimerName;
}

/// A consultation order.
pub type Consultation = order::Order<Consulting>;
/// What a command does to a consultation.
pub type Decision = order::Decision<Consulting>;
/// What came of a command to a consultation.
pub type Outcome = order::Outcome<Consulting>;
/// A decision about a consultation being made.
pub type Draft = order::Draft<Consulting>;
