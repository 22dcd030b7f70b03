//! Statuses 200 and 201: an offer to a doctor, and how it ends (spec 10, dispatch mode).

use super::detail::{Assignment, AssignmentEnd};
use super::entry::{self, Context, give_back, go};
use super::refund::Cause;
use super::{Consultation, ConsultationStatus as S, Draft, matching};
use crate::UserId;
use crate::order::{Guard, Refusal};

pub fn offer(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    order: &Consultation,
    doctor: UserId,
    score: matching::Score,
) -> Result<(), Refusal> {
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

pub fn offer_ended(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    how: AssignmentEnd,
    reason: &'static str,
    note: Option<String>,
) -> Result<(), Refusal> {
    entry::end_assignment(d, how);
    if d.order.detail.assignments.len() < usize::from(ctx.facts.rules.max_assignments) {
        return go(d, ctx, S::Dispatching, reason, note);
    }
    give_back(d, ctx, Cause::NoDoctor, reason)
}
