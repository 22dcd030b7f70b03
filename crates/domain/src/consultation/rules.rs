//! The numbers of spec 10: deadlines, refund shares, limits. Data, versioned, frozen with an order.

use super::matching::Weights;
use super::{ConsultationStatus, Mode};
use crate::{Share, Span};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The deadlines of consultations (`timeouts.csv`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerName {
    /// 100: pay within it.
    PayWindow,
    /// 102: try again within it.
    PayRetryWindow,
    /// 101: the gateway's result.
    GatewayResult,
    /// 200: a doctor found.
    Dispatch,
    /// 201: the doctor accepts.
    Accept,
    /// 300: a number taken.
    TakeNumber,
    /// 301: the patient checks in, counted from the slot's begin.
    PatientLate,
    /// 301: the session opens by the slot's end.
    DoctorNoShow,
    /// 303: the patient answers.
    Call,
    /// 400: the doctor starts.
    Ready,
    /// 401: a word from either side.
    Idle,
    /// 401: in all.
    MaxDuration,
    /// 401: the doctor is back.
    DoctorLost,
    /// 501: the review by the table.
    Review,
    /// 501 asked for out of 401: the operator's review.
    ManualReview,
    /// 503: the next automatic try.
    RefundRetry,
}

impl TimerName {
    /// Every deadline.
    pub const ALL: [Self; 16] = [
        Self::PayWindow,
        Self::PayRetryWindow,
        Self::GatewayResult,
        Self::Dispatch,
        Self::Accept,
        Self::TakeNumber,
        Self::PatientLate,
        Self::DoctorNoShow,
        Self::Call,
        Self::Ready,
        Self::Idle,
        Self::MaxDuration,
        Self::DoctorLost,
        Self::Review,
        Self::ManualReview,
        Self::RefundRetry,
    ];

    /// As in the specification and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PayWindow => "pay_window",
            Self::PayRetryWindow => "pay_retry_window",
            Self::GatewayResult => "gateway_result",
            Self::Dispatch => "dispatch",
            Self::Accept => "accept",
            Self::TakeNumber => "take_number",
            Self::PatientLate => "patient_late",
            Self::DoctorNoShow => "doctor_no_show",
            Self::Call => "call",
            Self::Ready => "ready",
            Self::Idle => "idle",
            Self::MaxDuration => "max_duration",
            Self::DoctorLost => "doctor_lost",
            Self::Review => "review",
            Self::ManualReview => "manual_review",
            Self::RefundRetry => "refund_retry",
        }
    }

    /// The deadline of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|timer| timer.name() == name)
    }

    /// The status in which it runs.
    pub const fn status(self) -> ConsultationStatus {
        use ConsultationStatus as S;
        match self {
            Self::PayWindow => S::PendingPayment,
            Self::PayRetryWindow => S::PaymentFailed,
            Self::GatewayResult => S::Paying,
            Self::Dispatch => S::Dispatching,
            Self::Accept => S::PendingAccept,
            Self::TakeNumber => S::QueuingNumber,
            Self::PatientLate | Self::DoctorNoShow => S::PendingActivation,
            Self::Call => S::Calling,
            Self::Ready => S::PendingConsultation,
            Self::Idle | Self::MaxDuration | Self::DoctorLost => S::InProgress,
            Self::Review | Self::ManualReview => S::RefundReviewing,
            Self::RefundRetry => S::RefundFailed,
        }
    }

    /// The journal's reason when it fires.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::PayWindow => "timer_pay_window",
            Self::PayRetryWindow => "timer_pay_retry_window",
            Self::GatewayResult => "timer_gateway_result",
            Self::Dispatch => "timer_dispatch",
            Self::Accept => "timer_accept",
            Self::TakeNumber => "timer_take_number",
            Self::PatientLate => "timer_patient_late",
            Self::DoctorNoShow => "timer_doctor_no_show",
            Self::Call => "timer_call",
            Self::Ready => "timer_ready",
            Self::Idle => "timer_idle",
            Self::MaxDuration => "timer_max_duration",
            Self::DoctorLost => "timer_doctor_lost",
            Self::Review => "timer_review",
            Self::ManualReview => "timer_manual_review",
            Self::RefundRetry => "timer_refund_retry",
        }
    }
}

/// How long each deadline is, in whole seconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// 100, from creation.
    pub pay_window: i64,
    /// 102, from the last failure.
    pub pay_retry_window: i64,
    /// 101.
    pub gateway_result: i64,
    /// 200.
    pub dispatch: i64,
    /// 201.
    pub accept: i64,
    /// 300.
    pub take_number: i64,
    /// 301, after the slot's begin.
    pub patient_late: i64,
    /// 301, after the slot's end.
    pub doctor_no_show: i64,
    /// 303.
    pub call: i64,
    /// 400.
    pub ready: i64,
    /// 401.
    pub idle: i64,
    /// 401.
    pub max_duration: i64,
    /// 401.
    pub doctor_lost: i64,
    /// 501.
    pub review: i64,
    /// 501 asked for out of 401.
    pub manual_review: i64,
    /// 503: the 1st, 2nd, 3rd automatic try.
    pub refund_retry: [i64; 3],
}

/// What the share of a refund depends on, beside status and mode (`refund-shares.csv`, cause).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Whatever the cause.
    Any,
    /// The patient asked, or did not come.
    Patient,
    /// The patient came late.
    Late,
    /// A part of the program could not do its work.
    System,
    /// The service had lasted up to so many minutes.
    MinutesUpTo(u32),
    /// The service had lasted longer than so many minutes.
    MinutesOver(u32),
    /// The doctor's fault.
    DoctorFault,
    /// The system's fault.
    SystemFault,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Patient => f.write_str("patient"),
            Self::Late => f.write_str("late"),
            Self::System => f.write_str("system"),
            Self::MinutesUpTo(minutes) => write!(f, "minutes<={minutes}"),
            Self::MinutesOver(minutes) => write!(f, "minutes>{minutes}"),
            Self::DoctorFault => f.write_str("doctor fault"),
            Self::SystemFault => f.write_str("system fault"),
        }
    }
}

/// One row of the refund shares (`refund-shares.csv`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareRule {
    /// In which status; `None` is any.
    pub status: Option<ConsultationStatus>,
    /// In which mode; `None` is both.
    pub mode: Option<Mode>,
    /// In which case.
    pub when: When,
    /// The share; `None` where nothing was paid.
    pub share: Option<Share>,
    /// Working days until the money must be there: earliest, latest.
    pub working_days: Option<(u8, u8)>,
}

impl fmt::Display for ShareRule {
    /// The rule's name in records, such as `302 clinic patient`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{} ", status as u16)?,
            None => f.write_str("any ")?,
        }
        write!(f, "{} {}", self.mode.map_or("both", Mode::name), self.when)
    }
}

/// The business rules of consultations, one version of them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Which version; orders keep theirs.
    pub version: i64,
    /// Deadlines.
    pub timeouts: Timeouts,
    /// Refund shares, the first matching row counts.
    pub shares: Vec<ShareRule>,
    /// How many doctors are asked before the order is refunded.
    pub max_assignments: u8,
    /// How often a patient is called.
    pub max_calls: u8,
    /// How far back a missed call moves the patient, in places.
    pub missed_call_places: u8,
    /// How often a connection may fail.
    pub max_connection_failures: u8,
    /// How candidates are ranked.
    pub weights: Weights,
}

impl Rules {
    /// How long a deadline is. [`TimerName::RefundRetry`] is the first try's.
    pub fn timeout(&self, name: TimerName) -> Span {
        let t = &self.timeouts;
        Span::seconds(match name {
            TimerName::PayWindow => t.pay_window,
            TimerName::PayRetryWindow => t.pay_retry_window,
            TimerName::GatewayResult => t.gateway_result,
            TimerName::Dispatch => t.dispatch,
            TimerName::Accept => t.accept,
            TimerName::TakeNumber => t.take_number,
            TimerName::PatientLate => t.patient_late,
            TimerName::DoctorNoShow => t.doctor_no_show,
            TimerName::Call => t.call,
            TimerName::Ready => t.ready,
            TimerName::Idle => t.idle,
            TimerName::MaxDuration => t.max_duration,
            TimerName::DoctorLost => t.doctor_lost,
            TimerName::Review => t.review,
            TimerName::ManualReview => t.manual_review,
            TimerName::RefundRetry => t.refund_retry[0],
        })
    }

    /// How long to wait before an automatic try, when so many were made; `None` after the last.
    pub fn refund_retry(&self, made: u8) -> Option<Span> {
        self.timeouts
            .refund_retry
            .get(usize::from(made))
            .copied()
            .map(Span::seconds)
    }
}

impl Default for Rules {
    /// The specification's numbers (spec 10, `timeouts.csv`, `refund-shares.csv`).
    fn default() -> Self {
        const MINUTE: i64 = 60;
        const HOUR: i64 = 60 * MINUTE;
        Self {
            version: 1,
            timeouts: Timeouts {
                pay_window: 30 * MINUTE,
                pay_retry_window: 30 * MINUTE,
                gateway_result: 5 * MINUTE,
                dispatch: 3 * MINUTE,
                accept: 5 * MINUTE,
                take_number: MINUTE,
                patient_late: 15 * MINUTE,
                doctor_no_show: 0,
                call: 2 * MINUTE,
                ready: 2 * MINUTE,
                idle: 30 * MINUTE,
                max_duration: 60 * MINUTE,
                doctor_lost: 2 * MINUTE,
                review: 5 * MINUTE,
                manual_review: 24 * HOUR,
                refund_retry: [MINUTE, 5 * MINUTE, 30 * MINUTE],
            },
            shares: default_shares(),
            max_assignments: 3,
            max_calls: 3,
            missed_call_places: 3,
            max_connection_failures: 3,
            weights: Weights::default(),
        }
    }
}

fn default_shares() -> Vec<ShareRule> {
    use ConsultationStatus as S;
    use Mode::{Clinic, Dispatch};
    let row = |status, mode, when, percent, days| ShareRule {
        status: Some(status),
        mode,
        when,
        share: Some(Share::percent(percent)),
        working_days: days,
    };
    let fault = |when| ShareRule {
        status: None,
        mode: None,
        when,
        share: Some(Share::FULL),
        working_days: Some((1, 1)),
    };
    vec![
        ShareRule {
            status: Some(S::PendingPayment),
            mode: None,
            when: When::Any,
            share: None,
            working_days: Some((0, 0)),
        },
        row(S::Paying, None, When::Any, 100, Some((1, 3))),
        row(
            S::Dispatching,
            Some(Dispatch),
            When::Patient,
            100,
            Some((1, 3)),
        ),
        row(
            S::PendingAccept,
            Some(Dispatch),
            When::Patient,
            100,
            Some((1, 3)),
        ),
        row(
            S::DispatchFailed,
            Some(Dispatch),
            When::System,
            100,
            Some((1, 1)),
        ),
        row(
            S::QueuingNumber,
            Some(Clinic),
            When::Patient,
            100,
            Some((1, 3)),
        ),
        row(
            S::PendingActivation,
            Some(Clinic),
            When::Patient,
            100,
            Some((1, 3)),
        ),
        row(S::PendingActivation, Some(Clinic), When::Late, 0, None),
        row(S::InQueue, Some(Clinic), When::Patient, 90, Some((3, 5))),
        row(S::Calling, Some(Clinic), When::Patient, 85, Some((3, 5))),
        row(S::CallFailed, Some(Clinic), When::Patient, 80, Some((3, 3))),
        row(
            S::PendingConsultation,
            Some(Dispatch),
            When::Patient,
            90,
            Some((3, 5)),
        ),
        row(
            S::PendingConsultation,
            Some(Clinic),
            When::Patient,
            80,
            Some((3, 5)),
        ),
        row(S::InProgress, None, When::MinutesUpTo(5), 80, Some((5, 7))),
        row(S::InProgress, None, When::MinutesUpTo(10), 60, Some((5, 7))),
        row(S::InProgress, None, When::MinutesUpTo(15), 40, Some((5, 7))),
        row(S::InProgress, None, When::MinutesUpTo(20), 20, Some((5, 7))),
        row(S::InProgress, None, When::MinutesOver(20), 0, None),
        fault(When::DoctorFault),
        fault(When::SystemFault),
    ]
}
