//! What can be asked of a consultation, and what a decision may know beside it.

use super::Mode;
use super::detail::{ConsultationType, Rating, Summary};
use super::ranking::Ranking;
use super::refund::Quote;
use super::rules::{Rules, TimerName};
use crate::calendar::Calendar;
use crate::payment::{GatewayName, Method, PayWith};
use crate::{
    DepartmentId, Money, OrderId, PaymentId, RefundId, SessionId, Share, SlotId, Ts, UserId,
};
use std::sync::Arc;

/// An operator's word on a refund under review.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// As the share table says.
    ByTable,
    /// Another share, with a reason.
    Share(Share, String),
    /// An amount, with a reason.
    Amount(Money, String),
    /// Nothing, with a reason.
    Refuse(String),
}

/// How a payment ended, by evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProvenOutcome {
    /// The money is there.
    Paid {
        /// How much.
        amount: Money,
        /// The gateway's number of it.
        transaction_id: String,
    },
    /// It was not paid, and can't be any more.
    Unpaid,
}

/// What can be asked of a consultation (spec 10, commands by status).
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Patient: pay.
    SubmitPayment {
        /// Over which gateway.
        gateway: GatewayName,
        /// How.
        method: Method,
        /// The payer's identity at the gateway, where the method needs it.
        payer: Option<String>,
        /// The payer's internet address, where the method needs it.
        client_ip: Option<String>,
    },
    /// Operator: record money that was taken at the counter or came by transfer.
    RecordPayment {
        /// Which way it came.
        method: Method,
        /// How much: what the order costs.
        amount: Money,
        /// The evidence, such as a receipt's number.
        proof: String,
    },
    /// Operator: say how a payment of unknown outcome ended, with evidence, where the gateway can't
    /// be asked or doesn't know.
    SettlePayment {
        /// Which.
        payment: PaymentId,
        /// How.
        outcome: ProvenOutcome,
        /// The evidence, such as the gateway's own page or a bank statement.
        proof: String,
    },
    /// Patient: pay another way (102 → 100).
    ChangeMethod,
    /// Patient: cancel.
    Cancel {
        /// What the patient was shown, if they were.
        quote: Option<Quote>,
        /// Their words, if any.
        reason: Option<String>,
    },
    /// Patient: "I'm here".
    CheckIn,
    /// Patient: answer the call.
    Answer,
    /// Patient: rate, once.
    Rate(Rating),
    /// Patient: complain after the end; an operator decides.
    Complain {
        /// Their words.
        reason: String,
    },
    /// The assigned doctor: accept.
    Accept,
    /// The assigned doctor: decline.
    Decline {
        /// Their words, if any.
        reason: Option<String>,
    },
    /// The doctor: call the patient.
    Call {
        /// Why this one, where it isn't the next one.
        reason: Option<String>,
    },
    /// The doctor: start.
    Start,
    /// The doctor: end.
    Finish(Summary),
    /// Patient or doctor: audio or video could not be connected.
    ConnectionFailed {
        /// Which try, from 1; so that both sides may report the same one.
        attempt: Option<u8>,
    },
    /// Operator: decide on a refund under review.
    ReviewRefund {
        /// Which.
        refund: RefundId,
        /// What.
        verdict: Verdict,
    },
    /// Operator: send a failed refund again.
    RetryRefund {
        /// Which.
        refund: RefundId,
    },
    /// Operator: record a refund made elsewhere.
    RecordRefund {
        /// Which.
        refund: RefundId,
        /// The evidence.
        proof: String,
    },
    /// Operator: a fault of the system ends the consultation (401).
    SystemFault {
        /// What happened.
        reason: String,
    },
    /// The gateway will take the payment.
    PaymentStarted {
        /// Which.
        payment: PaymentId,
        /// The gateway's own number of the attempt, where it gives one.
        handle: Option<String>,
        /// What the payer's device needs.
        pay_with: PayWith,
    },
    /// The gateway has the money.
    PaymentSucceeded {
        /// Which.
        payment: PaymentId,
        /// What was really paid.
        paid: Money,
        /// The gateway's number.
        transaction_id: String,
        /// When, by the gateway's clock.
        paid_at: Ts,
        /// Whether it is the answer to a query, which decides between two results that disagree.
        by_query: bool,
    },
    /// The payer failed.
    PaymentFailed {
        /// Which.
        payment: PaymentId,
        /// The gateway's words.
        reason: String,
    },
    /// The payment is closed at the gateway and can't be paid any more.
    PaymentClosed {
        /// Which.
        payment: PaymentId,
    },
    /// The gateway has taken a refund on and given it a number.
    RefundAccepted {
        /// Which.
        refund: RefundId,
        /// The gateway's number.
        refund_id: String,
    },
    /// The refunded money has gone.
    RefundSucceeded {
        /// Which.
        refund: RefundId,
        /// The gateway's number.
        refund_id: String,
        /// When, by the gateway's clock.
        at: Ts,
    },
    /// The gateway says that refunded money came back to it after all (the payer's bank sent it
    /// back): operations must see to it.
    RefundCameBack {
        /// Which.
        refund: RefundId,
        /// The gateway's words.
        reason: String,
    },
    /// Operator: the payer's card is dead, and the money is sent elsewhere by the gateway's own way
    /// out; from now on the gateway is asked how it stands.
    RefundElsewhere {
        /// Which.
        refund: RefundId,
        /// Where to, for the journal; no whole card number.
        to: String,
    },
    /// The gateway refused or gave up a refund.
    RefundFailed {
        /// Which.
        refund: RefundId,
        /// The gateway's words.
        reason: String,
        /// Whether the number is dead, so that another try needs a new one.
        dead_number: bool,
        /// Whether only operations can help (the payer's card is dead).
        needs_operations: bool,
    },
    /// The dispatcher found a doctor.
    DoctorFound {
        /// Whom, and why them.
        ranking: Arc<Ranking>,
    },
    /// The dispatcher knows that nobody is left to ask.
    NoDoctor,
    /// The assigned doctor went offline: the offer goes with them.
    OfferLost {
        /// Whose.
        doctor: UserId,
    },
    /// The number service took a number.
    NumberTaken {
        /// Which; the next one of the session.
        number: u32,
    },
    /// The number service could not.
    NoNumber {
        /// Why.
        reason: String,
    },
    /// The session opened.
    SessionOpened,
    /// The doctor cancelled the session, or closed it with people waiting.
    SessionCancelled {
        /// The doctor's words, if any.
        reason: Option<String>,
    },
    /// The patient was seen on the order's page.
    PatientSeen,
    /// The doctor's connection was lost in 401.
    DoctorAway,
    /// The doctor's connection is back in 401.
    DoctorBack,
    /// The automatic review.
    AutomaticReview,
    /// A deadline passed.
    Timer {
        /// Which.
        name: TimerName,
        /// The refund it belongs to, where it belongs to one.
        refund: Option<RefundId>,
    },
}

impl Command {
    /// Its name in the API, the journal and messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SubmitPayment { .. } => "pay",
            Self::RecordPayment { .. } => "record_payment",
            Self::SettlePayment { .. } => "settle_payment",
            Self::ChangeMethod => "change_method",
            Self::Cancel { .. } => "cancel",
            Self::CheckIn => "check_in",
            Self::Answer => "answer",
            Self::Rate(_) => "rate",
            Self::Complain { .. } => "complain",
            Self::Accept => "accept",
            Self::Decline { .. } => "decline",
            Self::Call { .. } => "call",
            Self::Start => "start",
            Self::Finish(_) => "finish",
            Self::ConnectionFailed { .. } => "connection_failed",
            Self::ReviewRefund { .. } => "review_refund",
            Self::RetryRefund { .. } => "retry_refund",
            Self::RecordRefund { .. } => "record_refund",
            Self::SystemFault { .. } => "system_fault",
            Self::PaymentStarted { .. } => "payment_started",
            Self::PaymentSucceeded { .. } => "payment_succeeded",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::PaymentClosed { .. } => "payment_closed",
            Self::RefundAccepted { .. } => "refund_accepted",
            Self::RefundCameBack { .. } => "refund_came_back",
            Self::RefundElsewhere { .. } => "refund_elsewhere",
            Self::RefundSucceeded { .. } => "refund_succeeded",
            Self::RefundFailed { .. } => "refund_failed",
            Self::DoctorFound { .. } => "doctor_found",
            Self::NoDoctor => "no_doctor",
            Self::OfferLost { .. } => "offer_lost",
            Self::NumberTaken { .. } => "number_taken",
            Self::NoNumber { .. } => "no_number",
            Self::SessionOpened => "session_opened",
            Self::SessionCancelled { .. } => "session_cancelled",
            Self::PatientSeen => "patient_seen",
            Self::DoctorAway => "doctor_away",
            Self::DoctorBack => "doctor_back",
            Self::AutomaticReview => "automatic_review",
            Self::Timer { name, .. } => name.reason(),
        }
    }
}

/// A session as a decision sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SessionFacts {
    /// Whether the doctor opened it and hasn't ended it (a pause keeps it open).
    pub open: bool,
    /// Whether it was ever opened.
    pub ever_opened: bool,
    /// Whether it was cancelled or closed: nobody new gets in.
    pub ended: bool,
    /// When the order's slot begins, shifted by as much as the doctor opened late.
    pub slot_begins: Ts,
    /// When the order's slot ends, as published.
    pub slot_ends: Ts,
}

/// What a decision may know beside the order. Plain data: the same facts give the same decision.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The rules that the order was created under.
    pub rules: Rules,
    /// Weekends and holidays.
    pub calendar: Calendar,
    /// The order's session, in clinic mode.
    pub session: Option<SessionFacts>,
    /// Places in the queue behind this order's, smallest first.
    pub queue_behind: Vec<i64>,
    /// Whether the patient is on the order's page now.
    pub patient_present: bool,
    /// The last word of either side in the room.
    pub last_interaction: Option<Ts>,
}

/// A consultation to be created.
#[derive(Clone, PartialEq, Debug)]
pub struct NewConsultation {
    /// Its id.
    pub id: OrderId,
    /// Whose.
    pub patient: UserId,
    /// What it costs: at least one minor unit.
    pub price: Money,
    /// Dispatched or queued.
    pub mode: Mode,
    /// How patient and doctor talk.
    pub consultation_type: ConsultationType,
    /// Where.
    pub department: DepartmentId,
    /// What the patient came with.
    pub complaint: String,
    /// Clinic mode: doctor, session, slot and the slot's place in the session.
    pub booking: Option<(UserId, SessionId, SlotId, u16)>,
}
