//! How much goes back, by which rule, by when (spec 10, refund shares).

use super::command::Facts;
use super::money::serving_payment;
use super::rules::{Rules, ShareRule, When};
use super::{Consultation, ConsultationStatus, Mode};
use crate::lifecycle::Status;
use crate::order::Refusal;
use crate::{Money, Share, Span, Ts};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How long a quote holds.
const QUOTE_VALID: Span = Span::seconds(60);

/// What brought a refund about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The patient cancelled.
    PatientCancelled,
    /// The patient did not check in in time.
    PatientLate,
    /// The patient did not answer three calls.
    NoAnswer,
    /// The patient was never there in 400.
    PatientAbsent,
    /// No doctor was found, or three let it go.
    NoDoctor,
    /// The doctor cancelled the session, did not come, or did not start.
    DoctorFault,
    /// The doctor was lost during the service.
    DoctorLost,
    /// A part of the system failed.
    SystemFault,
    /// What was paid is not what it costs.
    AmountDiffers,
    /// The service timed out with time unused.
    ServiceTimeout,
    /// Money arrived for an order that could not take it.
    LateMoney,
    /// The patient complained after the end.
    Complaint,
}

impl Cause {
    const ALL: [Self; 12] = [
        Self::PatientCancelled,
        Self::PatientLate,
        Self::NoAnswer,
        Self::PatientAbsent,
        Self::NoDoctor,
        Self::DoctorFault,
        Self::DoctorLost,
        Self::SystemFault,
        Self::AmountDiffers,
        Self::ServiceTimeout,
        Self::LateMoney,
        Self::Complaint,
    ];

    /// As in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PatientCancelled => "patient_cancelled",
            Self::PatientLate => "patient_late",
            Self::NoAnswer => "no_answer",
            Self::PatientAbsent => "patient_absent",
            Self::NoDoctor => "no_doctor",
            Self::DoctorFault => "doctor_fault",
            Self::DoctorLost => "doctor_lost",
            Self::SystemFault => "system_fault",
            Self::AmountDiffers => "amount_differs",
            Self::ServiceTimeout => "service_timeout",
            Self::LateMoney => "late_money",
            Self::Complaint => "complaint",
        }
    }

    /// The cause of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// Whose fault it is.
    pub const fn fault(self) -> Fault {
        match self {
            Self::PatientCancelled | Self::PatientLate | Self::NoAnswer | Self::PatientAbsent => {
                Fault::Patient
            }
            Self::DoctorFault | Self::DoctorLost => Fault::Doctor,
            Self::NoDoctor | Self::SystemFault | Self::AmountDiffers | Self::LateMoney => {
                Fault::System
            }
            Self::ServiceTimeout | Self::Complaint => Fault::Nobody,
        }
    }

    /// Whether somebody asked for it out of the running service, so that an operator decides
    /// (spec 10, review); faults are granted by the table at once.
    pub const fn is_asked_for(self) -> bool {
        matches!(self, Self::PatientCancelled)
    }
}

/// Who is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The patient's choice or omission.
    Patient,
    /// The doctor's.
    Doctor,
    /// The platform's.
    System,
    /// Nobody's.
    Nobody,
}

impl Fault {
    /// As in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Doctor => "doctor",
            Self::System => "system",
            Self::Nobody => "nobody",
        }
    }
}

/// What the share table says of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ruling {
    /// The share; nothing where nothing was paid.
    pub share: Share,
    /// The last working day on which the money must be there, counted from today.
    pub working_days: Option<u8>,
    /// The row's name, such as `302 clinic patient`.
    pub rule: String,
}

/// Looks a case up in the share table. `service` is how long the service had lasted, for 401.
pub fn ruling(
    rules: &Rules,
    status: ConsultationStatus,
    mode: Mode,
    cause: Cause,
    service: Span,
) -> Ruling {
    let row = rules.shares.iter().find(|row| {
        row.status.is_none_or(|of| of == status)
            && row.mode.is_none_or(|of| of == mode)
            && applies(row.when, status, cause, service)
    });
    let unknown = || Ruling {
        share: Share::NONE,
        working_days: None,
        rule: "none".to_owned(),
    };
    row.map_or_else(unknown, |row: &ShareRule| Ruling {
        share: row.share.unwrap_or(Share::NONE),
        working_days: row.working_days.map(|(_, latest)| latest),
        rule: row.to_string(),
    })
}

fn applies(when: When, status: ConsultationStatus, cause: Cause, service: Span) -> bool {
    let by_service_time = status == ConsultationStatus::InProgress
        && matches!(
            cause,
            Cause::PatientCancelled | Cause::DoctorLost | Cause::ServiceTimeout
        );
    match when {
        When::Any => true,
        When::Patient => {
            matches!(
                cause,
                Cause::PatientCancelled | Cause::NoAnswer | Cause::PatientAbsent
            )
        }
        When::Late => cause == Cause::PatientLate,
        When::System => cause == Cause::NoDoctor,
        // Upper bounds inclusive, to the second.
        When::MinutesUpTo(minutes) => {
            by_service_time && service.as_seconds() <= i64::from(minutes) * 60
        }
        When::MinutesOver(minutes) => {
            by_service_time && service.as_seconds() > i64::from(minutes) * 60
        }
        When::DoctorFault => cause == Cause::DoctorFault,
        When::SystemFault => matches!(
            cause,
            Cause::SystemFault | Cause::NoDoctor | Cause::AmountDiffers | Cause::LateMoney
        ),
    }
}

/// What a patient is shown before cancelling.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Quote {
    /// The stage it is for.
    pub status: ConsultationStatus,
    /// The share.
    pub share: Share,
    /// How much would come back.
    pub amount: Money,
    /// The rule that says so.
    pub rule: String,
    /// The last working day on which the money would be there.
    pub due_on: Option<Date>,
    /// Who is at fault.
    pub fault: Fault,
    /// Until when it holds.
    pub valid_until: Ts,
}

/// What cancelling now would give back.
pub fn quote(order: &Consultation, facts: &Facts, now: Ts) -> Result<Quote, Refusal> {
    use ConsultationStatus as S;
    let refused = Refusal::Status {
        command: "refund_quote",
        status: order.status.constant(),
    };
    // Money that came late or twice goes back by itself and is no part of it.
    let served = serving_payment(order)
        .and_then(|payment| payment.paid)
        .unwrap_or(Money::zero(order.price.currency));
    let base = match order.status {
        S::PendingPayment | S::PaymentFailed => Money::zero(order.price.currency),
        // If the money is there after all, all of it goes back.
        S::Paying => order.price,
        S::Dispatching | S::PendingAccept | S::QueuingNumber | S::PendingActivation => served,
        S::InQueue | S::Calling | S::PendingConsultation | S::InProgress => served,
        S::DispatchFailed | S::CallFailed | S::ReQueuing | S::ServiceTimeout => {
            return Err(refused);
        }
        S::RefundRequested | S::RefundReviewing | S::Refunding | S::RefundFailed => {
            return Err(refused);
        }
        S::Completed | S::Refunded | S::Cancelled => return Err(refused),
    };
    let service = service_time(order, now);
    let mode = order.detail.mode;
    let found = ruling(
        &facts.rules,
        order.status,
        mode,
        Cause::PatientCancelled,
        service,
    );
    let due_on = due_on(&found, facts, now);
    Ok(Quote {
        status: order.status,
        share: found.share,
        amount: base.share(found.share),
        rule: found.rule,
        due_on,
        fault: Cause::PatientCancelled.fault(),
        valid_until: now + QUOTE_VALID,
    })
}

/// The last day of a ruling's working days, counted from today.
pub fn due_on(found: &Ruling, facts: &Facts, now: Ts) -> Option<Date> {
    found
        .working_days
        .map(|days| facts.calendar.after_working_days(now, days))
}

/// Checks that what the patient was shown still holds, if they were shown anything.
pub fn honour_shown(quote: Option<&Quote>, order: &Consultation, now: Ts) -> Result<(), Refusal> {
    quote.map_or(Ok(()), |quote| honour(quote, order, now))
}

/// Checks that a quote still holds for an order.
pub fn honour(quote: &Quote, order: &Consultation, now: Ts) -> Result<(), Refusal> {
    if now > quote.valid_until {
        return Err(Refusal::QuoteMovedOn {
            why: "it was valid for 60 seconds",
        });
    }
    if quote.status != order.status {
        return Err(Refusal::QuoteMovedOn {
            why: "the order has moved to another stage",
        });
    }
    Ok(())
}

/// How long the service has lasted (401), zero before it began.
pub fn service_time(order: &Consultation, now: Ts) -> Span {
    order
        .detail
        .started_at
        .map_or(Span::ZERO, |started| now.since(started))
}
