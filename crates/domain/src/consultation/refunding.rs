//! Statuses 500 to 503, and refunds beside the order: asked for, reviewed, sent, retried, recorded.

use super::command::Verdict;
use super::entry::{self, Context, ask_refund, go};
use super::refund::{self, Cause, Quote};
use super::{ConsultationStatus as S, Draft, TimerName as T, money};
use crate::lifecycle::Status;
use crate::order::{Effect, Refusal};
use crate::payment::{Purpose, Refund, RefundStatus};
use crate::{Money, RefundId, Share};

/// 200 to 401: the patient cancels; what they were shown is what happens.
pub fn cancel(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    quote: Option<&Quote>,
    reason: Option<&String>,
) -> Result<(), Refusal> {
    if let Some(quote) = quote {
        refund::honour(quote, &d.order, d.now)?;
        d.order.detail.quote = Some(quote.clone());
    }
    if let Some(reason) = reason {
        d.note("cancel_asked", Some(reason.clone()));
    }
    ask_refund(d, ctx, Cause::PatientCancelled, "cancel")
}

/// 900: the patient complains; an operator decides.
pub fn complain(d: &mut Draft, ctx: &mut Context<'_>, reason: &str) -> Result<(), Refusal> {
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

/// 501, and complaints: an operator decides.
pub fn review(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    id: RefundId,
    verdict: &Verdict,
) -> Result<(), Refusal> {
    let refund = money::refund_mut(d, id)?.clone();
    if refund.status != RefundStatus::Reviewing {
        let status = refund.status.constant();
        return Err(Refusal::Status {
            command: "review_refund",
            status,
        });
    }
    let complaint = refund.purpose == Purpose::Complaint;
    let paid = money::payment_mut(d, refund.payment)?.paid;
    may_decide(&refund, paid, verdict)?;
    match verdict {
        Verdict::ByTable if complaint => {
            let why = "a complaint has no share in the table: set one".to_owned();
            Err(Refusal::Invalid {
                field: "share",
                why,
            })
        }
        Verdict::ByTable => review_by_table(d, ctx, "review_by_table"),
        Verdict::Refuse(reason) => refuse(d, ctx, id, Some(reason.clone()), "review_refused"),
        Verdict::Share(share, reason) => {
            entry::set_share(d, id, *share, Some(reason.clone()))?;
            decided(d, ctx, id, reason)
        }
        Verdict::Amount(amount, reason) => {
            entry::set_amount(d, id, *amount, reason.clone())?;
            decided(d, ctx, id, reason)
        }
    }
}

/// An operator has set what goes back: nothing is a refusal.
fn decided(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    id: RefundId,
    reason: &str,
) -> Result<(), Refusal> {
    let refund = money::refund_mut(d, id)?;
    if refund.amount.is_zero() {
        return refuse(d, ctx, id, Some(reason.to_owned()), "review_refused");
    }
    if refund.purpose != Purpose::Complaint {
        "operator".clone_into(&mut refund.rule);
    }
    grant_reviewed(d, ctx, id, "review_passed")
}

/// What an operator may not decide: anything without a reason, and less than everything where the
/// doctor or the system is at fault (spec 10, refund shares: 100 % always).
fn may_decide(refund: &Refund, paid: Option<Money>, verdict: &Verdict) -> Result<(), Refusal> {
    let (is_all, field, reason) = match verdict {
        Verdict::ByTable => return Ok(()),
        Verdict::Share(share, reason) => (*share == Share::FULL, "share", reason),
        Verdict::Amount(amount, reason) => (Some(*amount) == paid, "amount", reason),
        Verdict::Refuse(reason) => (false, "share", reason),
    };
    let (field, why) = if reason.trim().is_empty() {
        ("reason", "is needed for a decision of one's own")
    } else if matches!(refund.cause, Cause::DoctorFault | Cause::SystemFault) && !is_all {
        let why = "a fault of the doctor or of the system is refunded in full";
        (field, why)
    } else {
        return Ok(());
    };
    Err(Refusal::Invalid {
        field,
        why: why.to_owned(),
    })
}

/// 501: the review that nobody waits for. One that waits for an operator is not its to decide.
pub fn automatic_review(d: &mut Draft, ctx: &mut Context<'_>) -> Result<(), Refusal> {
    if d.order.due(T::Review).is_none() {
        return Ok(());
    }
    review_by_table(d, ctx, "automatic_review")
}

/// 501: passes by the share table, refuses when the share is nothing.
pub fn review_by_table(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    reason: &'static str,
) -> Result<(), Refusal> {
    let Some(id) = entry::order_refund(&d.order) else {
        return Ok(());
    };
    if d.order
        .refund(id)
        .is_none_or(|refund| refund.amount.is_zero())
    {
        return refuse(d, ctx, id, None, reason);
    }
    grant_reviewed(d, ctx, id, reason)
}

fn grant_reviewed(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    id: RefundId,
    reason: &'static str,
) -> Result<(), Refusal> {
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

fn refuse(
    d: &mut Draft,
    ctx: &Context<'_>,
    id: RefundId,
    words: Option<String>,
    reason: &'static str,
) -> Result<(), Refusal> {
    money::step_refund(d, id, RefundStatus::Refused)?;
    let refund = money::refund_mut(d, id)?;
    refund.amount.amount = 0;
    refund.reason.clone_from(&words);
    if refund.purpose == Purpose::Order {
        entry::resume(d, ctx, reason, words)
    } else {
        d.note(reason, words);
        Ok(())
    }
}

/// 502, and refunds beside the order: the gateway has given it a number, by which it is asked about.
pub fn refund_accepted(d: &mut Draft, id: RefundId, refund_id: &str) -> Result<(), Refusal> {
    let refund = money::refund_mut(d, id)?;
    if refund.refund_id.as_deref() != Some(refund_id) {
        refund.refund_id = Some(refund_id.to_owned());
        d.note("refund_accepted", None);
    }
    Ok(())
}

/// 502, and refunds beside the order: the money has gone.
pub fn refund_succeeded(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    id: RefundId,
    evidence: &money::Evidence<'_>,
) -> Result<(), Refusal> {
    let refund = money::refund_mut(d, id)?.clone();
    match refund.status {
        RefundStatus::Processing | RefundStatus::Failed => {}
        RefundStatus::Succeeded => return Ok(()),
        RefundStatus::Requested | RefundStatus::Reviewing | RefundStatus::Refused => {
            let status = refund.status.constant();
            return Err(Refusal::Status {
                command: "refund_succeeded",
                status,
            });
        }
    }
    if refund.purpose == Purpose::Order && d.order.status == S::RefundFailed {
        // The table has no 503 → 901: it was still being refunded after all.
        d.step(S::Refunding, "refund_found", None)?;
    }
    money::pay_out(d, id, evidence)?;
    let note = Some(refund.amount.to_string());
    if refund.purpose == Purpose::Order {
        return go(d, ctx, S::Refunded, "refund_succeeded", note);
    }
    d.note("refund_succeeded", note);
    Ok(())
}

/// 502, and refunds beside the order: the gateway refused or gave up.
pub fn refund_failed(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    id: RefundId,
    reason: &str,
    dead_number: bool,
    needs_operations: bool,
) -> Result<(), Refusal> {
    if money::refund_mut(d, id)?.status != RefundStatus::Processing {
        return Ok(());
    }
    money::step_refund(d, id, RefundStatus::Failed)?;
    let automatic_tries = u8::try_from(ctx.facts.rules.timeouts.refund_retry.len()).unwrap_or(3);
    let refund = money::refund_mut(d, id)?;
    refund.last_error = Some(reason.to_owned());
    if dead_number {
        refund.out_refund_no = format!("RF{}", ctx.ids.next_id().simple());
        refund.refund_id = None;
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

/// 503, and refunds beside the order: once more, with the same number.
pub fn retry_refund(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    id: RefundId,
    reason: &'static str,
) -> Result<(), Refusal> {
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
    money::send_refund(d, id)?;
    d.clear_timer(T::RefundRetry, Some(id));
    if purpose == Purpose::Order {
        return go(d, ctx, S::Refunding, reason, None);
    }
    d.note(reason, None);
    Ok(())
}

/// The payer's bank sent refunded money back. A refund that succeeded is over, and the books keep
/// what they say until the bill is reconciled; here it is written down, once, for operations.
pub fn refund_came_back(d: &mut Draft, id: RefundId, reason: &str) -> Result<(), Refusal> {
    let refund = money::refund_mut(d, id)?;
    if refund.status == RefundStatus::Succeeded && refund.last_error.as_deref() != Some(reason) {
        refund.last_error = Some(reason.to_owned());
        d.note("refund_came_back", Some(reason.to_owned()));
    }
    Ok(())
}

/// 503, and refunds beside the order: the gateway is being asked to send it somewhere else. The
/// attempt is on record before it is made; from now on the gateway is asked how it stands.
pub fn refund_elsewhere(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    id: RefundId,
    to: &str,
) -> Result<(), Refusal> {
    let refund = money::refund_mut(d, id)?;
    if refund.status != RefundStatus::Failed {
        let status = refund.status.constant();
        return Err(Refusal::Status {
            command: "refund_elsewhere",
            status,
        });
    }
    let purpose = refund.purpose;
    money::step_refund(d, id, RefundStatus::Processing)?;
    d.clear_timer(T::RefundRetry, Some(id));
    d.effect(Effect::QueryRefund { refund: id });
    let note = Some(to.to_owned());
    if purpose == Purpose::Order {
        return go(d, ctx, S::Refunding, "refund_elsewhere", note);
    }
    d.note("refund_elsewhere", note);
    Ok(())
}

/// 503, and refunds beside the order: an operator paid elsewhere and has the evidence.
pub fn record_refund(
    d: &mut Draft,
    ctx: &mut Context<'_>,
    id: RefundId,
    proof: &str,
) -> Result<(), Refusal> {
    let status = money::refund_mut(d, id)?.status;
    match status {
        RefundStatus::Failed if proof.trim().is_empty() => Err(Refusal::Invalid {
            field: "proof",
            why: "is needed for a refund made elsewhere".to_owned(),
        }),
        RefundStatus::Failed => refund_succeeded(d, ctx, id, &money::Evidence::Operator { proof }),
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
