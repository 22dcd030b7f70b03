//! Statuses 300 to 305: numbers, the session, who is here and who is late (spec 10, clinic mode).

use super::entry::{self, Context, give_back, go};
use super::refund::Cause;
use super::{Consultation, ConsultationStatus as S, Draft, TimerName as T, money, queue};
use crate::Share;
use crate::order::{Guard, Refusal};

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

pub fn session_opened(d: &mut Draft, ctx: &mut Context<'_>) -> Result<(), Refusal> {
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

pub fn checked_in(d: &mut Draft, ctx: &mut Context<'_>) -> Result<(), Refusal> {
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
pub fn seen_while_booked(d: &mut Draft, ctx: &mut Context<'_>) -> Result<(), Refusal> {
    if ctx.facts.session.is_some_and(|session| session.open) {
        d.order.detail.checked_in = true;
        return go(d, ctx, S::InQueue, "patient_seen", None);
    }
    Ok(())
}

pub fn cancelled_meanwhile(d: &mut Draft, order: &Consultation) -> Result<(), Refusal> {
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

pub fn patient_late(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    reason: &'static str,
) -> Result<(), Refusal> {
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

pub fn doctor_no_show(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    reason: &'static str,
) -> Result<(), Refusal> {
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
