//! Statuses 400, 401 and 900: the service itself, and what is said of it afterwards.

use super::detail::{Rating, Summary};
use super::entry::{Context, ask_refund, give_back, go};
use super::refund::{self, Cause};
use super::{ConsultationStatus as S, Draft, TimerName as T, entry, money};
use crate::order::Refusal;

/// 400: the patient is here, which decides whose fault it is if nobody starts.
pub fn seen_while_ready(d: &mut Draft) {
    if !d.order.detail.patient_seen {
        d.order.detail.patient_seen = true;
        d.note("patient_seen", None);
    }
}

/// 400: a try to connect failed. Both sides may report the same one.
pub fn connection_failed(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    attempt: Option<u8>,
) -> Result<(), Refusal> {
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

/// 401: the doctor ends.
pub fn finish(d: &mut Draft, ctx: &mut Context<'_>, summary: &Summary) -> Result<(), Refusal> {
    d.order.detail.summary = Some(summary.clone());
    go(d, ctx, S::Completed, "finish", None)
}

/// How many tags a rating has at most.
const MOST_TAGS: usize = 5;

/// 900: the patient rates, once.
pub fn rate(d: &mut Draft, rating: &Rating) -> Result<(), Refusal> {
    if !(1..=5).contains(&rating.stars) {
        return Err(Refusal::Invalid {
            field: "stars",
            why: "must be 1 to 5".to_owned(),
        });
    }
    let is_repeated = |(place, tag)| rating.tags.iter().skip(place + 1).any(|other| other == tag);
    if rating.tags.len() > MOST_TAGS || rating.tags.iter().enumerate().any(is_repeated) {
        return Err(Refusal::Invalid {
            field: "tags",
            why: format!("must be at most {MOST_TAGS}, each once"),
        });
    }
    match &d.order.detail.rating {
        None => {
            d.order.detail.rating = Some(rating.clone());
            d.note("rate", Some(format!("{} stars", rating.stars)));
            Ok(())
        }
        Some(before)
            if (before.stars, &before.tags, &before.words)
                == (rating.stars, &rating.tags, &rating.words) =>
        {
            Ok(())
        }
        Some(_) => {
            let why = "was given before and can't be changed".to_owned();
            Err(Refusal::Invalid {
                field: "stars",
                why,
            })
        }
    }
}

/// 401: nobody has said a word for a while; whoever did moves the deadline.
pub fn idle(d: &mut Draft, ctx: &mut Context<'_>, reason: &'static str) -> Result<(), Refusal> {
    let quiet = ctx.facts.rules.timeout(T::Idle);
    match ctx.facts.last_interaction {
        Some(spoke) if spoke + quiet > d.now => {
            d.set_timer(T::Idle, spoke + quiet);
            Ok(())
        }
        _ => go(d, ctx, S::ServiceTimeout, reason, None),
    }
}

/// 401: the doctor's connection is lost; the doctor may come back.
pub fn doctor_away(d: &mut Draft, ctx: &Context<'_>) {
    if d.order.due(T::DoctorLost).is_none() {
        d.note("doctor_away", None);
        entry::timer(d, ctx, T::DoctorLost);
    }
}

/// 401, or 501 out of it: the doctor is back and is not lost any more, whatever the review says.
pub fn doctor_back(d: &mut Draft) {
    let mut was_away = d.order.due(T::DoctorLost).is_some();
    d.clear_timer(T::DoctorLost, None);
    if let Some(before) = &mut d.order.suspended {
        was_away |= before.timers.iter().any(|(name, _)| *name == T::DoctorLost);
        before.timers.retain(|(name, _)| *name != T::DoctorLost);
    }
    if was_away {
        d.note("doctor_back", None);
    }
}

/// 401: the doctor stayed away.
pub fn doctor_lost(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    reason: &'static str,
) -> Result<(), Refusal> {
    let service = refund::service_time(&d.order, d.now);
    let (status, mode) = (d.order.status, d.order.detail.mode);
    let found = refund::ruling(&ctx.facts.rules, status, mode, Cause::DoctorLost, service);
    let paid = money::serving_payment(&d.order).and_then(|payment| payment.paid);
    if paid.is_none_or(|paid| paid.share(found.share).is_zero()) {
        // The service was given (spec 10, status 401).
        return go(d, ctx, S::ServiceTimeout, reason, None);
    }
    ask_refund(d, ctx, Cause::DoctorLost, reason)
}
