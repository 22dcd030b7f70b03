//! What a command does to a consultation: the specification's table of commands (spec 10), row by row.

use super::command::{Command as C, Facts, NewConsultation, Verdict};
use super::detail::{Assignment, AssignmentEnd, Detail, Rating, Summary};
use super::entry::{self, Context, ask_refund, give_back, go};
use super::refund::{self, Cause, Quote};
use super::{Consultation, ConsultationStatus as S, Draft, Outcome, TimerName as T};
use super::{matching, money, paying, queue};
use crate::lifecycle::Status;
use crate::order::{Actor, Effect, Guard, Order, Refusal, Role};
use crate::payment::{PaymentStatus, Purpose, RefundStatus};
use crate::{Money, NewIds, RefundId, Share, Ts, UserId};

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
            },
        ) => paying::submit(d, ctx, *gateway, *method, payer.as_ref()),
        // 102 · change method
        (S::PaymentFailed, C::ChangeMethod) => go(d, ctx, S::PendingPayment, "change_method", None),
        (S::PendingPayment, C::ChangeMethod) => Ok(()),

        // 100, 102 · cancel: nothing was paid
        (S::PendingPayment | S::PaymentFailed, C::Cancel { reason, .. }) => {
            go(d, ctx, S::Cancelled, "cancel", reason.clone())
        }
        // 101 · cancel: the gateway has the word
        (S::Paying, C::Cancel { reason, .. }) => {
            paying::cancel_while_paying(d, reason.as_ref());
            Ok(())
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
        ) => cancel(d, ctx, quote.as_ref(), reason.as_ref()),
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
        (any_status!(), C::PaymentStarted { payment, pay_with }) => {
            paying::started(d, *payment, pay_with)
        }
        (
            any_status!(),
            C::PaymentSucceeded {
                payment,
                paid,
                transaction_id,
                by_query,
            },
        ) => paying::succeeded(d, ctx, *payment, *paid, transaction_id, *by_query),
        (any_status!(), C::PaymentFailed { payment, reason }) => {
            let (to, note) = (PaymentStatus::Failed, Some(reason.clone()));
            paying::ended_unpaid(d, ctx, *payment, to, "payment_failed", note)
        }
        (any_status!(), C::PaymentClosed { payment }) => {
            let to = PaymentStatus::Closed;
            paying::ended_unpaid(d, ctx, *payment, to, "payment_closed", None)
        }

        // 200 · a doctor found
        (S::Dispatching, C::DoctorFound { doctor, score }) => offer(d, ctx, order, *doctor, *score),
        // 200 · nobody left to ask
        (S::Dispatching, C::NoDoctor) => go(d, ctx, S::DispatchFailed, "no_doctor", None),
        // 201 · accept
        (S::PendingAccept, C::Accept) => {
            entry::end_assignment(d, AssignmentEnd::Accepted);
            go(d, ctx, S::PendingConsultation, "accept", None)
        }
        (S::PendingConsultation | S::InProgress, C::Accept) => Ok(()),
        // 201 · decline, or the doctor goes offline
        (S::PendingAccept, C::Decline { reason }) => {
            offer_ended(d, ctx, AssignmentEnd::Declined, "decline", reason.clone())
        }
        (S::PendingAccept, C::OfferLost { doctor }) if order.detail.doctor == Some(*doctor) => {
            offer_ended(d, ctx, AssignmentEnd::WentOffline, "doctor_offline", None)
        }
        (any_status!(), C::OfferLost { .. }) => Ok(()),
        (S::Dispatching | S::Refunding | S::Refunded, C::Decline { .. }) => Ok(()),

        // 300 · number taken, or not
        (S::QueuingNumber, C::NumberTaken { number }) => number_taken(d, ctx, *number),
        (S::QueuingNumber, C::NoNumber { reason }) => {
            d.note("no_number", Some(reason.clone()));
            give_back(d, ctx, Cause::SystemFault, "no_number")
        }
        // 301 · the session opens
        (S::PendingActivation, C::SessionOpened) => session_opened(d, ctx),
        (S::QueuingNumber | S::InQueue | S::Calling, C::SessionOpened) => Ok(()),
        // 300, 301, 302 · the session is cancelled
        (S::QueuingNumber | S::PendingActivation | S::InQueue, C::SessionCancelled { reason }) => {
            d.note("session_cancelled", reason.clone());
            give_back(d, ctx, Cause::DoctorFault, "session_cancelled")
        }
        // 303 · the same, by way of 500: the table has no 303 → 502
        (S::Calling, C::SessionCancelled { .. }) => {
            ask_refund(d, ctx, Cause::DoctorFault, "session_cancelled")
        }
        // 501 · the same, while a refund out of the queue is reviewed: then it is the doctor's fault
        (S::RefundReviewing, C::SessionCancelled { .. }) => cancelled_meanwhile(d, order),
        // "I'm here"
        (S::QueuingNumber, C::CheckIn | C::PatientSeen) => Ok(()),
        (S::PendingActivation, C::CheckIn) => checked_in(d, ctx),
        (S::PendingActivation, C::PatientSeen) => seen_while_booked(d, ctx),
        (S::PendingConsultation, C::CheckIn | C::PatientSeen) => {
            seen_while_ready(d);
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
            connection_failed(d, ctx, *attempt)
        }
        // 401 · the doctor ends
        (S::InProgress, C::Finish(summary)) => finish(d, ctx, summary),
        (S::Completed, C::Finish(_)) => Ok(()),
        // 401 · the doctor's connection
        (S::InProgress, C::DoctorAway) => {
            if order.due(T::DoctorLost).is_none() {
                d.note("doctor_away", None);
                entry::timer(d, ctx, T::DoctorLost);
            }
            Ok(())
        }
        (S::InProgress, C::DoctorBack) => {
            if order.due(T::DoctorLost).is_some() {
                d.note("doctor_back", None);
                d.clear_timer(T::DoctorLost, None);
            }
            Ok(())
        }
        // 401 · a fault of the system
        (S::InProgress, C::SystemFault { .. }) => {
            ask_refund(d, ctx, Cause::SystemFault, "system_fault")
        }

        // 501 · review
        (S::RefundReviewing, C::AutomaticReview) => review_by_table(d, ctx, "automatic_review"),
        (any_status!(), C::ReviewRefund { refund, verdict }) => review(d, ctx, *refund, verdict),
        // 502, 503, and refunds beside the order · the gateway's words
        (any_status!(), C::RefundSucceeded { refund }) => refund_succeeded(d, ctx, *refund, None),
        (
            any_status!(),
            C::RefundFailed {
                refund,
                reason,
                dead_number,
                needs_operations,
            },
        ) => refund_failed(d, ctx, *refund, reason, *dead_number, *needs_operations),
        // 503, and refunds beside the order · operations
        (any_status!(), C::RetryRefund { refund }) => retry_refund(d, ctx, *refund, "retry_refund"),
        (any_status!(), C::RecordRefund { refund, proof }) => record_refund(d, ctx, *refund, proof),

        // 900 · afterwards
        (S::Completed, C::Rate(rating)) => rate(d, rating),
        (S::Completed, C::Complain { reason }) => complain(d, ctx, reason),

        // deadlines
        (any_status!(), C::Timer { name, refund }) => timer_fired(d, ctx, order, *name, *refund),

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
            C::SubmitPayment { .. },
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
    let doctor = actor.role == Role::Doctor && actor.user == order.detail.doctor;
    let operations = matches!(actor.role, Role::Operator | Role::Admin);
    let program = matches!(actor.role, Role::System | Role::Gateway);
    let (may, who) = match command {
        C::SubmitPayment { .. }
        | C::ChangeMethod
        | C::CheckIn
        | C::Answer
        | C::Rate(_)
        | C::Complain { .. } => (patient, "the patient"),
        C::Cancel { .. } => (patient || operations, "the patient or operations"),
        C::Accept | C::Call { .. } | C::Start | C::Finish(_) => (doctor, "the order's doctor"),
        // A doctor who declined is no longer the order's doctor, and may click twice.
        C::Decline { .. } => {
            let declined = |a: &Assignment| {
                Some(a.doctor) == actor.user && a.end == Some(AssignmentEnd::Declined)
            };
            let again = actor.role == Role::Doctor && order.detail.assignments.iter().any(declined);
            (doctor || again, "the order's doctor")
        }
        C::ConnectionFailed { .. } => (patient || doctor, "the patient or the order's doctor"),
        C::ReviewRefund { .. }
        | C::RetryRefund { .. }
        | C::RecordRefund { .. }
        | C::SystemFault { .. } => (operations, "operations"),
        C::PaymentStarted { .. }
        | C::PaymentSucceeded { .. }
        | C::PaymentFailed { .. }
        | C::PaymentClosed { .. }
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

fn cancel(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    quote: Option<&Quote>,
    reason: Option<&String>,
) -> Done {
    if let Some(quote) = quote {
        refund::honour(quote, &d.order, d.now)?;
        d.order.detail.quote = Some(quote.clone());
    }
    if let Some(reason) = reason {
        d.note("cancel_asked", Some(reason.clone()));
    }
    ask_refund(d, ctx, Cause::PatientCancelled, "cancel")
}

fn offer(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    order: &Consultation,
    doctor: UserId,
    score: matching::Score,
) -> Done {
    if order.detail.was_asked(doctor) {
        let why = "was asked before for this order".to_owned();
        return Err(Refusal::Invalid {
            field: "doctor",
            why,
        });
    }
    let detail = &mut d.order.detail;
    detail.doctor = Some(doctor);
    detail.holds_doctor = true;
    detail.assignments.push(Assignment {
        doctor,
        offered_at: d.now,
        score,
        end: None,
    });
    d.guard(Guard::TakeDoctor(doctor));
    go(
        d,
        ctx,
        S::PendingAccept,
        "doctor_found",
        Some(format!("score {}", score.total)),
    )
}

fn offer_ended(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    how: AssignmentEnd,
    reason: &'static str,
    note: Option<String>,
) -> Done {
    entry::end_assignment(d, how);
    if d.order.detail.assignments.len() < usize::from(ctx.facts.rules.max_assignments) {
        return go(d, ctx, S::Dispatching, reason, note);
    }
    give_back(d, ctx, Cause::NoDoctor, reason)
}

fn number_taken(d: &mut Draft, ctx: &mut Context<'_>, number: u32) -> Done {
    let Some(session) = d.order.detail.session else {
        return Err(Refusal::Invalid {
            field: "session",
            why: "was never booked".to_owned(),
        });
    };
    d.order.detail.number = Some(number);
    d.order.detail.queue_rank = Some(queue::rank(d.order.detail.slot_index, number));
    d.guard(Guard::TakeNumber(session, number));
    let note = Some(format!("number {number}"));
    if ctx.facts.session.is_some_and(|session| session.open) {
        // An immediate visit: the patient who pays now is here now (spec 10, checked in).
        d.order.detail.checked_in = true;
        go(d, ctx, S::InQueue, "number_taken", note)
    } else {
        go(d, ctx, S::PendingActivation, "number_taken", note)
    }
}

fn session_opened(d: &mut Draft, ctx: &mut Context<'_>) -> Done {
    if !ctx.facts.session.is_some_and(|session| session.open) {
        return Ok(());
    }
    if d.order.detail.checked_in || ctx.facts.patient_present {
        d.order.detail.checked_in = true;
        return go(d, ctx, S::InQueue, "session_opened", None);
    }
    if d.order.due(T::DoctorNoShow).is_some() {
        d.clear_timer(T::DoctorNoShow, None);
        d.note("session_opened", None);
        // A doctor who opens late shifts every clock of the session with them.
        entry::set_booking_timers(d, ctx.facts);
    }
    Ok(())
}

fn checked_in(d: &mut Draft, ctx: &mut Context<'_>) -> Done {
    let open = ctx.facts.session.is_some_and(|session| session.open);
    if !d.order.detail.checked_in {
        d.order.detail.checked_in = true;
        d.clear_timer(T::PatientLate, None);
        if !open {
            d.note("check_in", None);
        }
    }
    if open {
        go(d, ctx, S::InQueue, "check_in", None)
    } else {
        Ok(())
    }
}

/// Seen on the page counts as here only when the session is open (spec 10, checked in).
fn seen_while_booked(d: &mut Draft, ctx: &mut Context<'_>) -> Done {
    if ctx.facts.session.is_some_and(|session| session.open) {
        d.order.detail.checked_in = true;
        return go(d, ctx, S::InQueue, "patient_seen", None);
    }
    Ok(())
}

fn seen_while_ready(d: &mut Draft) {
    if !d.order.detail.patient_seen {
        d.order.detail.patient_seen = true;
        d.note("patient_seen", None);
    }
}

fn cancelled_meanwhile(d: &mut Draft, order: &Consultation) -> Done {
    let from = order.suspended.as_ref().map(|before| before.status);
    let queued = matches!(
        from,
        Some(S::QueuingNumber | S::PendingActivation | S::InQueue | S::Calling)
    );
    let Some(id) = entry::order_refund(order).filter(|_| queued) else {
        return Ok(());
    };
    if order
        .refund(id)
        .is_some_and(|refund| refund.cause == Cause::DoctorFault)
    {
        return Ok(());
    }
    entry::set_share(d, id, Share::FULL, None)?;
    let refund = money::refund_mut(d, id)?;
    refund.cause = Cause::DoctorFault;
    "any both doctor fault".clone_into(&mut refund.rule);
    d.note("session_cancelled", None);
    Ok(())
}

fn connection_failed(d: &mut Draft, ctx: &mut Context<'_>, attempt: Option<u8>) -> Done {
    let failures = d.order.detail.connection_failures;
    if attempt.is_some_and(|attempt| attempt <= failures) {
        return Ok(());
    }
    d.order.detail.connection_failures = failures + 1;
    d.note("connection_failed", Some(format!("try {}", failures + 1)));
    if failures + 1 >= ctx.facts.rules.max_connection_failures {
        return give_back(d, ctx, Cause::SystemFault, "connection_failed");
    }
    Ok(())
}

fn finish(d: &mut Draft, ctx: &mut Context<'_>, summary: &Summary) -> Done {
    d.order.detail.summary = Some(summary.clone());
    go(d, ctx, S::Completed, "finish", None)
}

fn rate(d: &mut Draft, rating: &Rating) -> Done {
    if !(1..=5).contains(&rating.stars) {
        return Err(Refusal::Invalid {
            field: "stars",
            why: "must be 1 to 5".to_owned(),
        });
    }
    match &d.order.detail.rating {
        None => {
            d.order.detail.rating = Some(rating.clone());
            d.note("rate", Some(format!("{} stars", rating.stars)));
            Ok(())
        }
        Some(before) if before.stars == rating.stars && before.words == rating.words => Ok(()),
        Some(_) => {
            let why = "was given before and can't be changed".to_owned();
            Err(Refusal::Invalid {
                field: "stars",
                why,
            })
        }
    }
}

fn complain(d: &mut Draft, ctx: &mut Context<'_>, reason: &str) -> Done {
    let mut refunds = d.order.refunds.iter();
    let (purpose, open) = (Purpose::Complaint, RefundStatus::Reviewing);
    if refunds.any(|refund| refund.purpose == purpose && refund.status == open) {
        return Ok(());
    }
    let Some(payment) = money::serving_payment(&d.order).cloned() else {
        return Err(Refusal::Invalid {
            field: "order",
            why: "nothing was paid".to_owned(),
        });
    };
    let found = refund::Ruling {
        share: Share::NONE,
        working_days: Some(7),
        rule: "900 complaint".to_owned(),
    };
    let id = money::request(
        d,
        ctx.facts,
        &payment,
        purpose,
        Cause::Complaint,
        &found,
        ctx.ids,
    );
    money::refund_mut(d, id)?.reason = Some(reason.to_owned());
    money::step_refund(d, id, RefundStatus::Reviewing)?;
    d.note("complain", None);
    Ok(())
}

fn review(d: &mut Draft, ctx: &mut Context<'_>, id: RefundId, verdict: &Verdict) -> Done {
    let refund = money::refund_mut(d, id)?.clone();
    if refund.status != RefundStatus::Reviewing {
        let status = refund.status.constant();
        return Err(Refusal::Status {
            command: "review_refund",
            status,
        });
    }
    let complaint = refund.purpose == Purpose::Complaint;
    match verdict {
        Verdict::ByTable if complaint => {
            let why = "a complaint has no share in the table: set one".to_owned();
            Err(Refusal::Invalid {
                field: "share",
                why,
            })
        }
        Verdict::ByTable => review_by_table(d, ctx, "review_by_table"),
        Verdict::Refuse(reason) => refuse(d, id, Some(reason.clone()), "review_refused"),
        Verdict::Share(share, reason) => {
            entry::set_share(d, id, *share, Some(reason.clone()))?;
            if money::refund_mut(d, id)?.amount.is_zero() {
                return refuse(d, id, Some(reason.clone()), "review_refused");
            }
            grant_reviewed(d, ctx, id, "review_passed")
        }
    }
}

fn review_by_table(d: &mut Draft, ctx: &mut Context<'_>, reason: &'static str) -> Done {
    let Some(id) = entry::order_refund(&d.order) else {
        return Ok(());
    };
    if d.order
        .refund(id)
        .is_none_or(|refund| refund.amount.is_zero())
    {
        return refuse(d, id, None, reason);
    }
    grant_reviewed(d, ctx, id, reason)
}

fn grant_reviewed(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    id: RefundId,
    reason: &'static str,
) -> Done {
    money::grant(d, id)?;
    let refund = money::refund_mut(d, id)?;
    let note = Some(format!("{} by {}", refund.amount, refund.rule));
    if refund.purpose == Purpose::Order {
        go(d, ctx, S::Refunding, reason, note)
    } else {
        d.note(reason, note);
        Ok(())
    }
}

fn refuse(d: &mut Draft, id: RefundId, words: Option<String>, reason: &'static str) -> Done {
    money::step_refund(d, id, RefundStatus::Refused)?;
    let refund = money::refund_mut(d, id)?;
    refund.amount.amount = 0;
    refund.reason.clone_from(&words);
    if refund.purpose == Purpose::Order {
        entry::resume(d, reason, words)
    } else {
        d.note(reason, words);
        Ok(())
    }
}

fn refund_succeeded(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    id: RefundId,
    proof: Option<String>,
) -> Done {
    let refund = money::refund_mut(d, id)?.clone();
    if refund.status == RefundStatus::Succeeded {
        return Ok(());
    }
    if refund.purpose == Purpose::Order && d.order.status == S::RefundFailed {
        // The table has no 503 → 901: it was still being refunded after all.
        d.step(S::Refunding, "refund_found", None)?;
    }
    money::pay_out(d, id, proof)?;
    let note = Some(refund.amount.to_string());
    if refund.purpose == Purpose::Order {
        return go(d, ctx, S::Refunded, "refund_succeeded", note);
    }
    d.note("refund_succeeded", note);
    Ok(())
}

fn refund_failed(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    id: RefundId,
    reason: &str,
    dead_number: bool,
    needs_operations: bool,
) -> Done {
    if money::refund_mut(d, id)?.status != RefundStatus::Processing {
        return Ok(());
    }
    money::step_refund(d, id, RefundStatus::Failed)?;
    let automatic_tries = u8::try_from(ctx.facts.rules.timeouts.refund_retry.len()).unwrap_or(3);
    let refund = money::refund_mut(d, id)?;
    refund.last_error = Some(reason.to_owned());
    if dead_number {
        refund.out_refund_no = format!("RF{}", ctx.ids.next_id().simple());
    }
    if needs_operations {
        refund.retries = automatic_tries;
    }
    let purpose = refund.purpose;
    if purpose == Purpose::Order {
        return go(
            d,
            ctx,
            S::RefundFailed,
            "refund_failed",
            Some(reason.to_owned()),
        );
    }
    d.note("refund_failed", Some(reason.to_owned()));
    entry::retry_later(d, ctx.facts, Some(id));
    Ok(())
}

fn retry_refund(d: &mut Draft, ctx: &mut Context<'_>, id: RefundId, reason: &'static str) -> Done {
    let refund = money::refund_mut(d, id)?;
    match refund.status {
        RefundStatus::Processing | RefundStatus::Succeeded => return Ok(()),
        RefundStatus::Requested | RefundStatus::Reviewing | RefundStatus::Refused => {
            let status = refund.status.constant();
            return Err(Refusal::Status {
                command: "retry_refund",
                status,
            });
        }
        RefundStatus::Failed => {}
    }
    refund.retries = refund.retries.saturating_add(1);
    let purpose = refund.purpose;
    money::step_refund(d, id, RefundStatus::Processing)?;
    d.clear_timer(T::RefundRetry, Some(id));
    d.effect(Effect::SendRefund { refund: id });
    if purpose == Purpose::Order {
        return go(d, ctx, S::Refunding, reason, None);
    }
    d.note(reason, None);
    Ok(())
}

fn record_refund(d: &mut Draft, ctx: &mut Context<'_>, id: RefundId, proof: &str) -> Done {
    let status = money::refund_mut(d, id)?.status;
    match status {
        RefundStatus::Failed => refund_succeeded(d, ctx, id, Some(proof.to_owned())),
        RefundStatus::Succeeded => Ok(()),
        RefundStatus::Requested
        | RefundStatus::Reviewing
        | RefundStatus::Processing
        | RefundStatus::Refused => {
            let status = status.constant();
            Err(Refusal::Status {
                command: "record_refund",
                status,
            })
        }
    }
}

/// A deadline passed. One that was moved or cleared meanwhile changes nothing.
fn timer_fired(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    order: &Consultation,
    name: T,
    refund: Option<RefundId>,
) -> Done {
    let running = order
        .timers
        .iter()
        .find(|timer| timer.name == name && timer.refund == refund);
    if running.is_none_or(|timer| timer.due > d.now) {
        return Ok(());
    }
    d.clear_timer(name, refund);
    if let Some(id) = refund {
        return retry_refund(d, ctx, id, "timer_refund_retry");
    }
    let reason = name.reason();
    match name {
        T::PayWindow | T::PayRetryWindow => go(d, ctx, S::Cancelled, reason, None),
        T::GatewayResult => {
            paying::result_overdue(d);
            Ok(())
        }
        T::Dispatch => go(d, ctx, S::DispatchFailed, reason, None),
        T::Accept => offer_ended(d, ctx, AssignmentEnd::TimedOut, reason, None),
        T::TakeNumber => give_back(d, ctx, Cause::SystemFault, reason),
        T::PatientLate => patient_late(d, ctx, reason),
        T::DoctorNoShow => doctor_no_show(d, ctx, reason),
        T::Call if order.detail.calls >= ctx.facts.rules.max_calls => {
            go(d, ctx, S::CallFailed, reason, None)
        }
        T::Call => go(
            d,
            ctx,
            S::ReQueuing,
            reason,
            Some(format!("call {}", order.detail.calls)),
        ),
        T::Ready if order.detail.patient_seen => give_back(d, ctx, Cause::DoctorFault, reason),
        T::Ready => ask_refund(d, ctx, Cause::PatientAbsent, reason),
        T::Idle => idle(d, ctx, reason),
        T::MaxDuration => go(d, ctx, S::ServiceTimeout, reason, None),
        T::DoctorLost => doctor_lost(d, ctx, reason),
        T::Review | T::ManualReview => review_by_table(d, ctx, reason),
        T::RefundRetry => match entry::order_refund(order) {
            Some(id) => retry_refund(d, ctx, id, reason),
            None => Ok(()),
        },
    }
}

fn patient_late(d: &mut Draft, ctx: &mut Context<'_>, reason: &'static str) -> Done {
    let Some(session) = ctx.facts.session else {
        return Ok(());
    };
    if d.order.detail.checked_in {
        return Ok(());
    }
    let late = session.slot_begins + ctx.facts.rules.timeout(T::PatientLate);
    if session.open && d.now >= late {
        return go(d, ctx, S::Cancelled, reason, None);
    }
    // Not open (yet), or opened late: the patient keeps the time that the doctor took.
    if session.open {
        d.set_timer(T::PatientLate, late);
    } else if session.ever_opened {
        d.set_timer(
            T::PatientLate,
            d.now + ctx.facts.rules.timeout(T::TakeNumber),
        );
    }
    Ok(())
}

fn doctor_no_show(d: &mut Draft, ctx: &mut Context<'_>, reason: &'static str) -> Done {
    if ctx
        .facts
        .session
        .is_some_and(|session| session.ever_opened && !session.ended)
    {
        entry::set_booking_timers(d, ctx.facts);
        return Ok(());
    }
    give_back(d, ctx, Cause::DoctorFault, reason)
}

fn idle(d: &mut Draft, ctx: &mut Context<'_>, reason: &'static str) -> Done {
    let quiet = ctx.facts.rules.timeout(T::Idle);
    match ctx.facts.last_interaction {
        Some(spoke) if spoke + quiet > d.now => {
            d.set_timer(T::Idle, spoke + quiet);
            Ok(())
        }
        _ => go(d, ctx, S::ServiceTimeout, reason, None),
    }
}

fn doctor_lost(d: &mut Draft, ctx: &mut Context<'_>, reason: &'static str) -> Done {
    let service = refund::service_time(&d.order, d.now);
    let (status, mode) = (d.order.status, d.order.detail.mode);
    let found = refund::ruling(&ctx.facts.rules, status, mode, Cause::DoctorLost, service);
    if d.order.paid().share(found.share).is_zero() {
        // The service was given (spec 10, status 401).
        return go(d, ctx, S::ServiceTimeout, reason, None);
    }
    ask_refund(d, ctx, Cause::DoctorLost, reason)
}
