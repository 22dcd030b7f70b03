//! What happens when a deadline passes.

use super::detail::AssignmentEnd;
use super::entry::{self, Context, ask_refund, give_back, go};
use super::refund::Cause;
use super::{Consultation, ConsultationStatus as S, Draft, TimerName as T};
use super::{clinic, dispatching, paying, refunding, serving};
use crate::RefundId;
use crate::order::Refusal;

/// A deadline passed. One that was moved or cleared meanwhile changes nothing.
pub fn timer_fired(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    order: &Consultation,
    name: T,
    refund: Option<RefundId>,
) -> Result<(), Refusal> {
    let running = order
        .timers
        .iter()
        .find(|timer| timer.name == name && timer.refund == refund);
    if running.is_none_or(|timer| timer.due > d.now) {
        return Ok(());
    }
    d.clear_timer(name, refund);
    if let Some(id) = refund {
        return refunding::retry_refund(d, ctx, id, "timer_refund_retry");
    }
    let reason = name.reason();
    match name {
        T::PayWindow | T::PayRetryWindow => go(d, ctx, S::Cancelled, reason, None),
        T::GatewayResult => {
            paying::result_overdue(d);
            Ok(())
        }
        T::Dispatch => go(d, ctx, S::DispatchFailed, reason, None),
        T::Accept => dispatching::offer_ended(d, ctx, AssignmentEnd::TimedOut, reason, None),
        T::TakeNumber => give_back(d, ctx, Cause::SystemFault, reason),
        T::PatientLate => clinic::patient_late(d, ctx, reason),
        T::DoctorNoShow => clinic::doctor_no_show(d, ctx, reason),
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
        T::Ready if order.detail.patient_seen || ctx.facts.patient_present => {
            give_back(d, ctx, Cause::DoctorFault, reason)
        }
        T::Ready => ask_refund(d, ctx, Cause::PatientAbsent, reason),
        T::Idle => serving::idle(d, ctx, reason),
        T::MaxDuration => go(d, ctx, S::ServiceTimeout, reason, None),
        T::DoctorLost => serving::doctor_lost(d, ctx, reason),
        T::Review | T::ManualReview => refunding::review_by_table(d, ctx, reason),
        T::RefundRetry => match entry::order_refund(order) {
            Some(id) => refunding::retry_refund(d, ctx, id, reason),
            None => Ok(()),
        },
    }
}
