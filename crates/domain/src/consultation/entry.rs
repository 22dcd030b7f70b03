//! What entering a status starts: deadlines, effects, and the status that follows at once.

use super::command::Facts;
use super::detail::AssignmentEnd;
use super::refund::{self, Cause};
use super::{Consultation, ConsultationStatus as S, Draft, Mode, TimerName as T, money, queue};
use crate::order::{Effect, Guard, Refusal, Suspended};
use crate::payment::{Purpose, RefundStatus};
use crate::{Money, NewIds, RefundId, Share};

/// Everything that a decision may use beside the order.
pub struct Context<'a> {
    /// What is known beside the order.
    pub facts: &'a Facts,
    /// Where new ids come from.
    pub ids: &'a mut dyn NewIds,
}

/// Takes a step and does what entering the new status starts.
pub fn go(
    draft: &mut Draft,
    ctx: &mut Context<'_>,
    to: S,
    reason: &'static str,
    note: Option<String>,
) -> Result<(), Refusal> {
    draft.step(to, reason, note)?;
    enter(draft, ctx, reason)
}

/// What entering the order's present status starts, once per status.
pub fn enter(
    draft: &mut Draft,
    ctx: &mut Context<'_>,
    reason: &'static str,
) -> Result<(), Refusal> {
    let cancel_asked = draft.order.detail.cancel_asked.is_some();
    match draft.order.status {
        S::PendingPayment => timer(draft, ctx, T::PayWindow),
        S::Paying => {
            timer(draft, ctx, T::GatewayResult);
            if let Some(payment) = draft.order.open_payment().map(|payment| payment.id) {
                draft.effect(Effect::StartPayment { payment });
                draft.effect(Effect::QueryPayment { payment });
            }
        }
        // The patient cancelled while the gateway was being asked (spec 10, status 101).
        S::PaymentFailed if cancel_asked => return go(draft, ctx, S::Cancelled, "cancel", None),
        S::PaymentFailed => timer(draft, ctx, T::PayRetryWindow),
        S::Dispatching => {
            release_doctor(draft);
            draft.order.detail.waiting_since.get_or_insert(draft.now);
            timer(draft, ctx, T::Dispatch);
            if cancel_asked {
                return ask_refund(draft, ctx, Cause::PatientCancelled, "cancel");
            }
            let department = draft.order.detail.department;
            draft.effect(Effect::Dispatch { department });
        }
        S::PendingAccept => timer(draft, ctx, T::Accept),
        S::DispatchFailed => return give_back(draft, ctx, Cause::NoDoctor, reason),
        S::QueuingNumber => {
            timer(draft, ctx, T::TakeNumber);
            if cancel_asked {
                return ask_refund(draft, ctx, Cause::PatientCancelled, "cancel");
            }
            draft.effect(Effect::TakeNumber);
        }
        S::PendingActivation => {
            set_booking_timers(draft, ctx.facts);
            // The session may have opened while the number was on its way.
            draft.effect(Effect::CheckActivation);
        }
        S::InQueue => {}
        S::Calling => {
            draft.order.detail.calls += 1;
            timer(draft, ctx, T::Call);
        }
        S::CallFailed => return give_back(draft, ctx, Cause::NoAnswer, reason),
        S::ReQueuing => {
            move_back(draft, ctx.facts);
            return go(draft, ctx, S::InQueue, "re_queued", None);
        }
        S::PendingConsultation => {
            draft.order.detail.patient_seen = ctx.facts.patient_present;
            timer(draft, ctx, T::Ready);
        }
        S::InProgress => {
            draft.order.detail.started_at = Some(draft.now);
            timer(draft, ctx, T::Idle);
            timer(draft, ctx, T::MaxDuration);
        }
        S::ServiceTimeout => {
            money::return_unused_share(draft, ctx.facts, ctx.ids)?;
            return go(draft, ctx, S::Completed, reason, None);
        }
        S::RefundRequested => return go(draft, ctx, S::RefundReviewing, reason, None),
        S::RefundReviewing => await_review(draft, ctx),
        S::Refunding => {
            release_place(draft);
            release_doctor(draft);
        }
        S::RefundFailed => retry_later(draft, ctx.facts, None),
        S::Completed | S::Refunded | S::Cancelled => {
            if draft.order.status == S::Completed {
                draft.order.detail.ended_at = Some(draft.now);
            } else {
                release_place(draft);
            }
            release_doctor(draft);
            money::earn_the_rest(draft)?;
        }
    }
    Ok(())
}

/// Starts a deadline of the present status, counted from now.
pub fn timer(draft: &mut Draft, ctx: &Context<'_>, name: T) {
    let due = draft.now + ctx.facts.rules.timeout(name);
    draft.set_timer(name, due);
}

/// 301: late patients and doctors who don't come, both counted from the booked slot.
pub fn set_booking_timers(draft: &mut Draft, facts: &Facts) {
    let Some(session) = facts.session else {
        // Without a session there is nothing to wait for: the number service will say so.
        draft.set_timer(T::DoctorNoShow, draft.now);
        return;
    };
    if !draft.order.detail.checked_in {
        let late = session.slot_begins + facts.rules.timeout(T::PatientLate);
        // Whoever books and pays after the slot began gets the same time as everybody.
        let fair = draft.order.status_since + facts.rules.timeout(T::PatientLate);
        draft.set_timer(T::PatientLate, late.max(fair));
    }
    if session.ended {
        // Its cancellation is on its way; if it got lost, this stands in for it.
        draft.set_timer(T::DoctorNoShow, draft.now);
    } else if !session.open {
        let no_show = session.slot_ends + facts.rules.timeout(T::DoctorNoShow);
        draft.set_timer(T::DoctorNoShow, no_show.max(draft.now));
    }
}

/// Puts a refund under review (500, then 501), keeping what a refused review gives back.
pub fn ask_refund(
    draft: &mut Draft,
    ctx: &mut Context<'_>,
    cause: Cause,
    reason: &'static str,
) -> Result<(), Refusal> {
    let status = draft.order.status;
    let running = draft
        .order
        .timers
        .iter()
        .filter(|timer| timer.refund.is_none());
    let timers = running
        .map(|timer| (timer.name, timer.due.since(draft.now)))
        .collect();
    let since = draft.order.status_since;
    draft.order.suspended = Some(Suspended {
        status,
        since,
        timers,
    });
    let Some(payment) = money::serving_payment(&draft.order).cloned() else {
        return Err(Refusal::Status {
            command: "refund",
            status: "UNPAID",
        });
    };
    let service = refund::service_time(&draft.order, draft.now);
    let mode = draft.order.detail.mode;
    let mut found = refund::ruling(&ctx.facts.rules, status, mode, cause, service);
    if let Some(shown) = draft
        .order
        .detail
        .quote
        .as_ref()
        .filter(|_| cause.is_asked_for())
    {
        // What the patient was shown is what happens (spec 10, refund shares).
        found.share = shown.share;
        found.rule.clone_from(&shown.rule);
    }
    let id = money::request(
        draft,
        ctx.facts,
        &payment,
        Purpose::Order,
        cause,
        &found,
        ctx.ids,
    );
    money::step_refund(draft, id, RefundStatus::Reviewing)?;
    go(draft, ctx, S::RefundRequested, reason, None)
}

/// Grants a refund of the order without a review, and moves it to 502.
pub fn give_back(
    draft: &mut Draft,
    ctx: &mut Context<'_>,
    cause: Cause,
    reason: &'static str,
) -> Result<(), Refusal> {
    let status = draft.order.status;
    let mode = draft.order.detail.mode;
    let service = refund::service_time(&draft.order, draft.now);
    let found = refund::ruling(&ctx.facts.rules, status, mode, cause, service);
    let Some(payment) = money::serving_payment(&draft.order).cloned() else {
        return Err(Refusal::Status {
            command: "refund",
            status: "UNPAID",
        });
    };
    let id = money::request(
        draft,
        ctx.facts,
        &payment,
        Purpose::Order,
        cause,
        &found,
        ctx.ids,
    );
    money::grant(draft, id)?;
    go(draft, ctx, S::Refunding, reason, None)
}

/// The refund of the order that is under way, if there is one.
pub fn order_refund(order: &Consultation) -> Option<RefundId> {
    use RefundStatus::{Refused, Succeeded};
    let mut refunds = order.refunds.iter().rev();
    refunds
        .find(|refund| {
            refund.purpose == Purpose::Order && !matches!(refund.status, Succeeded | Refused)
        })
        .map(|refund| refund.id)
}

/// A refused or failed refund: the next automatic try, or operations (503; `refund` where it is
/// beside the order).
pub fn retry_later(draft: &mut Draft, facts: &Facts, refund: Option<RefundId>) {
    let Some(id) = refund.or_else(|| order_refund(&draft.order)) else {
        return;
    };
    let Some(found) = draft.order.refund(id) else {
        return;
    };
    let Some(wait) = facts.rules.refund_retry(found.retries) else {
        return;
    };
    let due = draft.now + wait;
    match refund {
        Some(id) => draft.set_refund_timer(T::RefundRetry, id, due),
        None => draft.set_timer(T::RefundRetry, due),
    }
}

/// Gives the order back to the status before 500: its deadlines with the time they had left.
pub fn resume(
    draft: &mut Draft,
    ctx: &Context<'_>,
    reason: &'static str,
    note: Option<String>,
) -> Result<(), Refusal> {
    let Some(before) = draft.order.suspended.clone() else {
        return Err(Refusal::Status {
            command: "resume",
            status: "NOT_SUSPENDED",
        });
    };
    // A review is no service: the time it took counts neither against a deadline nor a share.
    let reviewed = draft.now.since(draft.order.status_since);
    let started_at = draft.order.detail.started_at;
    draft.order.detail.started_at = started_at.map(|started| started + reviewed);
    draft.step(before.status, reason, note)?;
    draft.order.suspended = None;
    draft.order.detail.quote = None;
    draft.order.detail.cancel_asked = None;
    for (name, left) in before.timers {
        draft.set_timer(name, draft.now + left);
    }
    let department = draft.order.detail.department;
    match before.status {
        // Its deadline is what asked for the refund: the doctor has the time once more.
        S::PendingConsultation if draft.order.due(T::Ready).is_none() => {
            timer(draft, ctx, T::Ready);
        }
        S::Dispatching => draft.effect(Effect::Dispatch { department }),
        S::QueuingNumber => draft.effect(Effect::TakeNumber),
        // Whether the session or the doctor is still there: nobody told an order under review.
        S::PendingActivation | S::InQueue | S::Calling => draft.effect(Effect::CheckActivation),
        S::PendingAccept | S::InProgress => {
            if let Some(doctor) = draft.order.detail.doctor {
                draft.effect(Effect::PresenceMoved { doctor });
            }
        }
        _ => {}
    }
    Ok(())
}

fn await_review(draft: &mut Draft, ctx: &Context<'_>) {
    let under_review = order_refund(&draft.order).and_then(|id| draft.order.refund(id));
    let asked_for = under_review.is_some_and(|refund| refund.cause.is_asked_for());
    let from = draft.order.suspended.as_ref().map(|before| before.status);
    if asked_for && from == Some(S::InProgress) {
        timer(draft, ctx, T::ManualReview);
    } else {
        timer(draft, ctx, T::Review);
        draft.effect(Effect::Review);
    }
}

fn move_back(draft: &mut Draft, facts: &Facts) {
    if let Some(own) = draft.order.detail.queue_rank {
        let places = facts.rules.missed_call_places;
        let moved = queue::moved_back(own, &facts.queue_behind, places);
        draft.order.detail.queue_rank = Some(moved);
    }
}

fn release_place(draft: &mut Draft) {
    if draft.order.detail.holds_place {
        draft.order.detail.holds_place = false;
        if let Some(slot) = draft.order.detail.slot {
            draft.guard(Guard::ReleasePlace(slot));
        }
    }
}

/// Gives the doctor's place back, and lets the next waiting order have it.
fn release_doctor(draft: &mut Draft) {
    let department = draft.order.detail.department;
    if draft.order.detail.holds_doctor {
        draft.order.detail.holds_doctor = false;
        if let Some(doctor) = draft.order.detail.doctor {
            draft.guard(Guard::ReleaseDoctor(doctor));
            draft.effect(Effect::Dispatch { department });
        }
    }
    if draft.order.detail.mode == Mode::Dispatch {
        end_assignment(draft, AssignmentEnd::Withdrawn);
        if draft.order.status == S::Dispatching {
            draft.order.detail.doctor = None;
        }
    }
}

/// Ends the open offer, if there is one.
pub fn end_assignment(draft: &mut Draft, how: AssignmentEnd) {
    if let Some(open) = draft
        .order
        .detail
        .assignments
        .iter_mut()
        .find(|a| a.end.is_none())
    {
        open.end = Some(how);
    }
}

/// Whether a payment may still bring money that the order can take: nothing else is open or paid,
/// but for money that went back by itself.
pub fn can_take_late_money(order: &Consultation) -> bool {
    order.open_payment().is_none() && money::serving_payment(order).is_none()
}

/// A share that an operator chose in place of the table's.
pub fn set_share(
    draft: &mut Draft,
    id: RefundId,
    share: Share,
    reason: Option<String>,
) -> Result<(), Refusal> {
    let of = money::refund_mut(draft, id)?.payment;
    let paid = money::payment_mut(draft, of)?.paid;
    let refund = money::refund_mut(draft, id)?;
    refund.share = share;
    refund.amount = paid.map_or(refund.amount, |paid| paid.share(share));
    refund.reason = reason;
    Ok(())
}

/// Sets what goes back as an amount; the share beside it is the whole percent below.
pub fn set_amount(
    draft: &mut Draft,
    id: RefundId,
    amount: Money,
    reason: String,
) -> Result<(), Refusal> {
    let of = money::refund_mut(draft, id)?.payment;
    let paid = money::payment_mut(draft, of)?.paid;
    let paid = paid.unwrap_or(Money::zero(amount.currency));
    if amount.currency != paid.currency || !(0..=paid.amount).contains(&amount.amount) {
        return Err(Refusal::Invalid {
            field: "amount",
            why: format!("{amount} is not between nothing and what was paid, {paid}"),
        });
    }
    let percent = i128::from(amount.amount) * 100 / i128::from(paid.amount.max(1));
    let refund = money::refund_mut(draft, id)?;
    refund.share = Share::percent(u8::try_from(percent).unwrap_or(100));
    refund.amount = amount;
    refund.reason = Some(reason);
    Ok(())
}
