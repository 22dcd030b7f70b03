//! Statuses 200 and 201: an offer to a doctor, and how it ends (spec 10, dispatch mode).

use super::detail::{Assignment, AssignmentEnd};
use super::entry::{self, Context, give_back, go};
use super::ranking::Ranking;
use super::refund::Cause;
use super::{Consultation, ConsultationStatus as S, Draft};
use crate::order::{Actor, Guard, Refusal, Role};
use std::sync::Arc;

/// Whether this doctor had an offer of the order and declined it.
pub fn declined(order: &Consultation, actor: Actor) -> bool {
    let mut offers = order.detail.assignments.iter();
    actor.role == Role::Doctor
        && offers.any(|offer| {
            Some(offer.doctor) == actor.user && offer.end == Some(AssignmentEnd::Declined)
        })
}

/// 200: a doctor is offered the order, who was never offered it before. Why them is kept with it.
pub fn offer(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    order: &Consultation,
    ranking: &Arc<Ranking>,
) -> Result<(), Refusal> {
    let (doctor, score) = (ranking.chosen, ranking.score());
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
    d.keep_ranking(Arc::clone(ranking));
    d.guard(Guard::TakeDoctor(doctor));
    go(
        d,
        ctx,
        S::PendingAccept,
        "doctor_found",
        Some(format!("score {}", score.total)),
    )
}

/// 201: the offer ended without being accepted. Somebody else is asked, but no more than so many.
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
