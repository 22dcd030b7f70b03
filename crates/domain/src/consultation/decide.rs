//! What a command does to a consultation: the specification's table of commands (spec 10), row by row.

use super::command::{Command as C, Facts, NewConsultation};
use super::detail::{AssignmentEnd, Detail};
use super::entry::{self, Context, ask_refund, give_back, go};
use super::money;
use super::refund::Cause;
use super::{Consultation, ConsultationStatus as S, Draft, Mode, Outcome};
use super::{clinic, dispatching, paying, refund, refunding, serving, timing};
use crate::lifecycle::Status;
use crate::order::{Actor, Guard, Order, Refusal, Role};
use crate::payment::PaymentStatus;
use crate::{Money, NewIds, Ts};

type Done = Result<(), Refusal>;

/// Every status, one by one: a new status breaks the build here, and whoever adds it thinks about
/// each row below before naming it.
macro_rules! any_status {
    () => {
        S::PendingPayment
            | S::Paying
            | S::PaymentFailed
            | S::Dispatching
            | S::PendingAccept
            | S::DispatchFailed
            | S::QueuingNumber
            | S::PendingActivation
            | S::InQueue
            | S::Calling
            | S::CallFailed
            | S::ReQueuing
            | S::PendingConsultation
            | S::InProgress
            | S::ServiceTimeout
            | S::RefundRequested
            | S::RefundReviewing
            | S::Refunding
            | S::RefundFailed
            | S::Completed
            | S::Refunded
            | S::Cancelled
    };
}

/// Creates a consultation in 100, with its place in the slot taken (clinic mode).
pub fn create(
    new: &NewConsultation,
    facts: &Facts,
    now: Ts,
    ids: &mut dyn NewIds,
) -> Result<Outcome, Refusal> {
    if new.price.amount < 1 {
        return Err(Refusal::Invalid {
            field: "price",
            why: "must be at least 0.01".to_owned(),
        });
    }
    if new.booking.is_some() != (new.mode == Mode::Clinic) {
        let why = "is booked in clinic mode, and only there".to_owned();
        return Err(Refusal::Invalid {
            field: "slotId",
            why,
        });
    }
    let order = Order {
        id: new.id,
        version: 0,
        status: S::PendingPayment,
        status_since: now,
        suspended: None,
        patient: new.patient,
        price: new.price,
        earned: Money::zero(new.price.currency),
        rules_version: facts.rules.version,
        payments: Vec::new(),
        refunds: Vec::new(),
        timers: Vec::new(),
        created_at: now,
        updated_at: now,
        detail: new_detail(new),
    };
    let mut draft = Draft::of(&order, now);
    draft.created("created");
    if let Some((_, _, slot, _)) = new.booking {
        draft.guard(Guard::TakePlace(slot));
    }
    entry::enter(&mut draft, &mut Context { facts, ids }, "created")?;
    Ok(draft.finish())
}

fn new_detail(new: &NewConsultation) -> Detail {
    Detail {
        mode: new.mode,
        consultation_type: new.consultation_type,
        department: new.department,
        complaint: new.complaint.clone(),
        doctor: new.booking.map(|(doctor, ..)| doctor),
        assignments: Vec::new(),
        holds_doctor: false,
        waiting_since: None,
        session: new.booking.map(|(_, session, ..)| session),
        slot: new.booking.map(|(_, _, slot, _)| slot),
        slot_index: new.booking.map_or(0, |(.., index)| index),
        holds_place: new.booking.is_some(),
        number: None,
        queue_rank: None,
        calls: 0,
        checked_in: false,
        patient_seen: false,
        connection_failures: 0,
        started_at: None,
        ended_at: None,
        cancel_asked: None,
        quote: None,
        being_checked: false,
        summary: None,
        rating: None,
    }
}

/// What a command does to a consultation, or why it does nothing. Pure: the same inputs always give
/// the same answer.
pub fn decide(
    order: &Consultation,
    command: &C,
    actor: Actor,
    facts: &Facts,
    now: Ts,
    ids: &mut dyn NewIds,
) -> Result<Outcome, Refusal> {
    may_ask(order, command, actor)?;
    let mut draft = Draft::of(order, now);
    let d = &mut draft;
    let ctx = &mut Context { facts, ids };
    match (order.status, command) {
        // 100, 102 · pay
        (
            S::PendingPayment | S::PaymentFailed,
            C::SubmitPayment {
                gateway,
                method,
                payer,
                client_ip,
            },
        ) => {
            let by = paying::Payer {
                payer: payer.as_ref(),
                client_ip: client_ip.as_ref(),
            };
            paying::submit(d, ctx, *gateway, *method, &by)
        }
        // 100, 102 · the money is on the counter
        (
            S::PendingPayment | S::PaymentFailed,
            C::RecordPayment {
                method,
                amount,
                proof,
            },
        ) => paying::record(d, ctx, *method, *amount, proof),
        // 102 · change method
        (S::PaymentFailed, C::ChangeMethod) => go(d, ctx, S::PendingPayment, "change_method", None),
        (S::PendingPayment, C::ChangeMethod) => Ok(()),

        // 100, 102 · cancel: nothing was paid
        (S::PendingPayment | S::PaymentFailed, C::Cancel { quote, reason }) => {
            refund::honour_shown(quote.as_ref(), order, now)?;
            go(d, ctx, S::Cancelled, "cancel", reason.clone())
        }
        // 101 · cancel: the gateway has the word
        (S::Paying, C::Cancel { quote, reason }) => {
            paying::cancel_while_paying(d, quote.as_ref(), reason.as_ref())
        }
        // 200, 201, 300, 301, 302, 303, 400, 401 · cancel
        (
            S::Dispatching
            | S::PendingAccept
            | S::QueuingNumber
            | S::PendingActivation
            | S::InQueue
            | S::Calling
            | S::PendingConsultation
            | S::InProgress,
            C::Cancel { quote, reason },
        ) => refunding::cancel(d, ctx, quote.as_ref(), reason.as_ref()),
        // cancelled before
        (
            S::RefundRequested
            | S::RefundReviewing
            | S::Refunding
            | S::RefundFailed
            | S::Refunded
            | S::Cancelled,
            C::Cancel { .. },
        ) => Ok(()),

        // every status · the gateway's words about a payment
        (
            any_status!(),
            C::PaymentStarted {
                payment,
                handle,
                pay_with,
            },
        ) => paying::started(d, *payment, handle.as_ref(), pay_with),
        (
            any_status!(),
            C::PaymentSucceeded {
                payment,
                paid,
                transaction_id,
                paid_at,
                by_query,
            },
        ) => {
            let received = money::Received {
                paid: *paid,
                transaction_id,
                at: *paid_at,
            };
            paying::succeeded(d, ctx, *payment, &received, *by_query)
        }
        // every status · operations have evidence of how a payment ended
        (
            any_status!(),
            C::SettlePayment {
                payment,
                outcome,
                proof,
            },
        ) => paying::settled(d, ctx, *payment, outcome, proof),
        (any_status!(), C::PaymentFailed { payment, reason }) => {
            let (to, note) = (PaymentStatus::Failed, Some(reason.clone()));
            paying::ended_unpaid(d, ctx, *payment, to, "payment_failed", note)
        }
        (any_status!(), C::PaymentClosed { payment }) => {
            let to = PaymentStatus::Closed;
            paying::ended_unpaid(d, ctx, *payment, to, "payment_closed", None)
        }

        // 200 · a doctor found
        (S::Dispatching, C::DoctorFound { ranking }) => dispatching::offer(d, ctx, order, ranking),
        // 200 · nobody left to ask
        (S::Dispatching, C::NoDoctor) => go(d, ctx, S::DispatchFailed, "no_doctor", None),
        // 201 · accept
        (S::PendingAccept, C::Accept) => {
            entry::end_assignment(d, AssignmentEnd::Accepted);
            go(d, ctx, S::PendingConsultation, "accept", None)
        }
        (S::PendingConsultation | S::InProgress, C::Accept) => Ok(()),
        // 201 · decline, or the doctor goes offline. A second click is not the next doctor's decline.
        (any_status!(), C::Decline { .. }) if dispatching::declined(order, actor) => Ok(()),
        (S::PendingAccept, C::Decline { reason }) => {
            dispatching::offer_ended(d, ctx, AssignmentEnd::Declined, "decline", reason.clone())
        }
        (S::PendingAccept, C::OfferLost { doctor }) if order.detail.doctor == Some(*doctor) => {
            dispatching::offer_ended(d, ctx, AssignmentEnd::WentOffline, "doctor_offline", None)
        }
        (any_status!(), C::OfferLost { .. }) => Ok(()),

        // 300 · number taken, or not
        (S::QueuingNumber, C::NumberTaken { number }) => clinic::number_taken(d, ctx, *number),
        (S::QueuingNumber, C::NoNumber { reason }) => {
            d.note("no_number", Some(reason.clone()));
            give_back(d, ctx, Cause::SystemFault, "no_number")
        }
        // 301 · the session opens
        (S::PendingActivation, C::SessionOpened) => {
            clinic::session_opened(d, ctx, "session_opened")
        }
        (S::QueuingNumber | S::InQueue | S::Calling, C::SessionOpened) => Ok(()),
        // 300, 301, 302 · the session is cancelled
        (S::QueuingNumber | S::PendingActivation | S::InQueue, C::SessionCancelled { reason }) => {
            d.note("session_cancelled", reason.clone());
            give_back(d, ctx, Cause::DoctorFault, "session_cancelled")
        }
        // 303 · the same, by way of 500: the table has no 303 → 502
        (S::Calling, C::SessionCancelled { reason }) => {
            d.note("session_cancelled", reason.clone());
            ask_refund(d, ctx, Cause::DoctorFault, "session_cancelled")
        }
        // 501 · the same, while a refund out of the queue is reviewed: then it is the doctor's fault
        (S::RefundReviewing, C::SessionCancelled { .. }) => {
            clinic::cancelled_meanwhile(d, ctx, order)
        }
        // "I'm here"
        (S::QueuingNumber, C::CheckIn) => {
            clinic::checked_in_early(d);
            Ok(())
        }
        (S::PendingActivation, C::CheckIn) => clinic::checked_in(d, ctx),
        (S::PendingActivation, C::PatientSeen) => clinic::seen_while_booked(d, ctx),
        (S::PendingConsultation, C::CheckIn | C::PatientSeen) => {
            serving::seen_while_ready(d);
            Ok(())
        }
        (S::InQueue | S::Calling | S::InProgress, C::CheckIn) => Ok(()),

        // 302 · called
        (S::InQueue, C::Call { reason }) => go(d, ctx, S::Calling, "call", reason.clone()),
        (S::Calling, C::Call { .. }) => Ok(()),
        // 303 · answered: then the patient is here
        (S::Calling, C::Answer) => {
            go(d, ctx, S::PendingConsultation, "answer", None)?;
            d.order.detail.patient_seen = true;
            Ok(())
        }
        (S::PendingConsultation | S::InProgress, C::Answer) => Ok(()),

        // 400 · the doctor starts
        (S::PendingConsultation, C::Start) => go(d, ctx, S::InProgress, "start", None),
        (S::InProgress, C::Start) => Ok(()),
        // 400 · audio or video can't be connected
        (S::PendingConsultation, C::ConnectionFailed { attempt }) => {
            if actor.role == Role::Patient {
                // Whoever tries to connect is here.
                serving::seen_while_ready(d);
            }
            serving::connection_failed(d, ctx, *attempt)
        }
        // 401 · the doctor ends
        (S::InProgress, C::Finish(summary)) => serving::finish(d, ctx, summary),
        (S::Completed, C::Finish(_)) => Ok(()),
        // 401 · the doctor's connection
        (S::InProgress, C::DoctorAway) => {
            serving::doctor_away(d, ctx);
            Ok(())
        }
        (S::InProgress | S::RefundReviewing, C::DoctorBack) => {
            serving::doctor_back(d);
            Ok(())
        }
        // 401 · a fault of the system
        (S::InProgress, C::SystemFault { reason }) => {
            d.note("system_fault", Some(reason.clone()));
            ask_refund(d, ctx, Cause::SystemFault, "system_fault")
        }

        // 501 · review
        (S::RefundReviewing, C::AutomaticReview) => refunding::automatic_review(d, ctx),
        (any_status!(), C::ReviewRefund { refund, verdict }) => {
            refunding::review(d, ctx, *refund, verdict)
        }
        // 502, 503, and refunds beside the order · the gateway's words
        (any_status!(), C::RefundAccepted { refund, refund_id }) => {
            refunding::refund_accepted(d, *refund, refund_id)
        }
        (
            any_status!(),
            C::RefundSucceeded {
                refund,
                refund_id,
                at,
            },
        ) => {
            let evidence = money::Evidence::Gateway { refund_id, at: *at };
            refunding::refund_succeeded(d, ctx, *refund, &evidence)
        }
        (
            any_status!(),
            C::RefundFailed {
                refund,
                reason,
                dead_number,
                needs_operations,
            },
        ) => refunding::refund_failed(d, ctx, *refund, reason, *dead_number, *needs_operations),
        // 503, and refunds beside the order · operations
        (any_status!(), C::RetryRefund { refund }) => {
            refunding::retry_refund(d, ctx, *refund, "retry_refund")
        }
        (any_status!(), C::RefundCameBack { refund, reason }) => {
            refunding::refund_came_back(d, *refund, reason)
        }
        (any_status!(), C::RefundElsewhere { refund, to }) => {
            refunding::refund_elsewhere(d, ctx, *refund, to)
        }
        (any_status!(), C::RecordRefund { refund, proof }) => {
            refunding::record_refund(d, ctx, *refund, proof)
        }

        // 900 · afterwards
        (S::Completed, C::Rate(rating)) => serving::rate(d, rating),
        (S::Completed, C::Complain { reason }) => refunding::complain(d, ctx, reason),

        // deadlines
        (any_status!(), C::Timer { name, refund }) => {
            timing::timer_fired(d, ctx, order, *name, *refund)
        }

        // What a status does not take. Paying twice has a name of its own.
        (
            S::Paying
            | S::Dispatching
            | S::PendingAccept
            | S::DispatchFailed
            | S::QueuingNumber
            | S::PendingActivation
            | S::InQueue
            | S::Calling
            | S::CallFailed
            | S::ReQueuing
            | S::PendingConsultation
            | S::InProgress
            | S::ServiceTimeout
            | S::RefundRequested
            | S::RefundReviewing
            | S::Refunding
            | S::RefundFailed
            | S::Completed
            | S::Refunded,
            C::SubmitPayment { .. } | C::RecordPayment { .. },
        ) => Err(Refusal::PaymentAlreadyProcessed {
            status: order.status.constant(),
        }),
        // Parts of the program report what they saw; the order may have moved on meanwhile.
        (
            any_status!(),
            C::DoctorFound { .. }
            | C::NoDoctor
            | C::NumberTaken { .. }
            | C::NoNumber { .. }
            | C::SessionOpened
            | C::SessionCancelled { .. }
            | C::PatientSeen
            | C::DoctorAway
            | C::DoctorBack
            | C::AutomaticReview,
        ) => Ok(()),
        (
            any_status!(),
            C::SubmitPayment { .. }
            | C::RecordPayment { .. }
            | C::ChangeMethod
            | C::Cancel { .. }
            | C::CheckIn
            | C::Answer
            | C::Rate(_)
            | C::Complain { .. }
            | C::Accept
            | C::Decline { .. }
            | C::Call { .. }
            | C::Start
            | C::Finish(_)
            | C::ConnectionFailed { .. }
            | C::SystemFault { .. },
        ) => Err(refused(order, command)),
    }?;
    Ok(draft.finish())
}

fn refused(order: &Consultation, command: &C) -> Refusal {
    Refusal::Status {
        command: command.name(),
        status: order.status.constant(),
    }
}

/// Whether the asker is the one who may ask this at all, whatever the status.
fn may_ask(order: &Consultation, command: &C, actor: Actor) -> Done {
    let patient = actor.role == Role::Patient && actor.user == Some(order.patient);
    let doctor =
        actor.role == Role::Doctor && actor.user.is_some() && actor.user == order.detail.doctor;
    let operations = matches!(actor.role, Role::Operator | Role::Admin);
    let program = matches!(actor.role, Role::System | Role::Gateway);
    let (may, who) = match command {
        C::SubmitPayment { .. } | C::ChangeMethod | C::CheckIn | C::Answer | C::Rate(_) => {
            (patient, "the patient")
        }
        C::Cancel { .. } | C::Complain { .. } => {
            (patient || operations, "the patient or operations")
        }
        C::Accept | C::Call { .. } | C::Start | C::Finish(_) => (doctor, "the order's doctor"),
        // A doctor who declined is no longer the order's doctor, and may click twice.
        C::Decline { .. } => (
            doctor || dispatching::declined(order, actor),
            "the order's doctor",
        ),
        C::ConnectionFailed { .. } => (patient || doctor, "the patient or the order's doctor"),
        C::RecordPayment { .. }
        | C::SettlePayment { .. }
        | C::ReviewRefund { .. }
        | C::RetryRefund { .. }
        | C::RefundElsewhere { .. }
        | C::RecordRefund { .. }
        | C::SystemFault { .. } => (operations, "operations"),
        C::PaymentStarted { .. }
        | C::PaymentSucceeded { .. }
        | C::PaymentFailed { .. }
        | C::PaymentClosed { .. }
        | C::RefundAccepted { .. }
        | C::RefundCameBack { .. }
        | C::RefundSucceeded { .. }
        | C::RefundFailed { .. }
        | C::DoctorFound { .. }
        | C::NoDoctor
        | C::OfferLost { .. }
        | C::NumberTaken { .. }
        | C::NoNumber { .. }
        | C::SessionOpened
        | C::SessionCancelled { .. }
        | C::PatientSeen
        | C::DoctorAway
        | C::DoctorBack
        | C::AutomaticReview
        | C::Timer { .. } => (program, "the program"),
    };
    if may {
        Ok(())
    } else {
        Err(Refusal::NotYours {
            command: command.name(),
            who,
        })
    }
}
