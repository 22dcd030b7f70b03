//! Statuses 300 to 305: numbers, the session, who is here and who is late (spec 10, clinic mode).

use super::entry::{self, Context, give_back, go};
use super::refund::{self, Cause};
use super::{Consultation, ConsultationStatus as S, Draft, TimerName as T, money, queue};
use crate::Span;
use crate::order::{Guard, Refusal};

/// 300: a number was taken; the patient is in the queue if the session is open.
pub fn number_taken(d: &mut Draft, ctx: &mut Context<'_>, number: u32) -> Result<(), Refusal> {
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

/// 301: the session opened. Whoever is here is in the queue.
pub fn session_opened(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    reason: &'static str,
) -> Result<(), Refusal> {
    if !ctx.facts.session.is_some_and(|session| session.open) {
        return Ok(());
    }
    if d.order.detail.checked_in || ctx.facts.patient_present {
        d.order.detail.checked_in = true;
        return go(d, ctx, S::InQueue, reason, None);
    }
    if d.order.due(T::DoctorNoShow).is_some() {
        d.clear_timer(T::DoctorNoShow, None);
        d.note(reason, None);
        // A doctor who opens late shifts every clock of the session with them.
        entry::set_booking_timers(d, ctx.facts);
    }
    Ok(())
}

/// 300: "I'm here", before there is a number.
pub fn checked_in_early(d: &mut Draft) {
    if !d.order.detail.checked_in {
        d.order.detail.checked_in = true;
        d.note("check_in", None);
    }
}

/// 301: "I'm here". From now on no clock of the patient's runs.
pub fn checked_in(d: &mut Draft, ctx: &mut Context<'_>) -> Result<(), Refusal> {
    let open = ctx.facts.session.is_some_and(|session| session.open);
    if !d.order.detail.checked_in {
        d.order.detail.checked_in = true;
        d.clear_timer(T::PatientLate, None);
        if !open {
            d.note("check_in", None);
            entry::set_booking_timers(d, ctx.facts);
        }
    }
    if open {
        go(d, ctx, S::InQueue, "check_in", None)
    } else {
        Ok(())
    }
}

/// Seen on the page counts as here only when the session is open (spec 10, checked in).
pub fn seen_while_booked(d: &mut Draft, ctx: &mut Context<'_>) -> Result<(), Refusal> {
    if ctx.facts.session.is_some_and(|session| session.open) {
        d.order.detail.checked_in = true;
        return go(d, ctx, S::InQueue, "patient_seen", None);
    }
    Ok(())
}

/// 501 out of the queue: the session is cancelled, so that the refund is the doctor's fault now.
pub fn cancelled_meanwhile(
    d: &mut Draft,
    ctx: &Context<'_>,
    order: &Consultation,
) -> Result<(), Refusal> {
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
    let rules = &ctx.facts.rules;
    let (status, mode) = (order.status, order.detail.mode);
    let found = refund::ruling(rules, status, mode, Cause::DoctorFault, Span::ZERO);
    entry::set_share(d, id, found.share, None)?;
    let due_on = refund::due_on(&found, ctx.facts, d.now);
    let refund = money::refund_mut(d, id)?;
    refund.cause = Cause::DoctorFault;
    refund.rule = found.rule;
    refund.due_on = due_on;
    d.note("session_cancelled", None);
    Ok(())
}

/// 301: the patient's time is over, if the session is open and the time ran since then.
pub fn patient_late(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    reason: &'static str,
) -> Result<(), Refusal> {
    let Some(session) = ctx.facts.session else {
        entry::set_booking_timers(d, ctx.facts);
        return Ok(());
    };
    if session.ended {
        // The doctor went before the patient's time was over.
        return give_back(d, ctx, Cause::DoctorFault, reason);
    }
    let late = session.slot_begins + ctx.facts.rules.timeout(T::PatientLate);
    if session.open && d.now >= late {
        return go(d, ctx, S::Cancelled, reason, None);
    }
    // Opened late: the patient keeps the time that the doctor took. Not open yet: the doctor's
    // own clock runs.
    if session.open {
        d.set_timer(T::PatientLate, late);
    }
    Ok(())
}

/// 301: the slot is over. A session that is open after all was opened without this order's knowing.
pub fn doctor_no_show(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    reason: &'static str,
) -> Result<(), Refusal> {
    if !ctx.facts.session.is_some_and(|session| session.open) {
        return give_back(d, ctx, Cause::DoctorFault, reason);
    }
    if d.order.detail.checked_in || ctx.facts.patient_present {
        return session_opened(d, ctx, reason);
    }
    entry::set_booking_timers(d, ctx.facts);
    Ok(())
}
