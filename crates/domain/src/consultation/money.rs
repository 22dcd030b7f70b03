//! Money of an order: received, promised back, gone back, earned. Each is one balanced entry.

use super::command::Facts;
use super::refund::{self, Cause, Ruling};
use super::{Consultation, ConsultationStatus, Draft, TimerName};
use crate::ledger::{Account, EntryKind, Posting};
use crate::lifecycle::Status;
use crate::order::{Effect, Refusal};
use crate::payment::{Payment, PaymentStatus, Purpose, Refund, RefundStatus};
use crate::{Money, NewIds, PaymentId, RefundId, Share, Span, Ts};

/// Moves a payment along its table.
pub fn step_payment(draft: &mut Draft, id: PaymentId, to: PaymentStatus) -> Result<(), Refusal> {
    let now = draft.now;
    let payment = payment_mut(draft, id)?;
    check(payment.status, to)?;
    payment.status = to;
    payment.updated_at = now;
    Ok(())
}

/// Moves a refund along its table.
pub fn step_refund(draft: &mut Draft, id: RefundId, to: RefundStatus) -> Result<(), Refusal> {
    let now = draft.now;
    let refund = refund_mut(draft, id)?;
    check(refund.status, to)?;
    refund.status = to;
    refund.updated_at = now;
    Ok(())
}

/// Moves a refund to where it is sent to the gateway, at this time.
pub fn send_refund(draft: &mut Draft, id: RefundId) -> Result<(), Refusal> {
    step_refund(draft, id, RefundStatus::Processing)?;
    let now = draft.now;
    refund_mut(draft, id)?.sent_at = Some(now);
    draft.effect(Effect::SendRefund { refund: id });
    Ok(())
}

fn check<S: Status>(from: S, to: S) -> Result<(), Refusal> {
    if from.may_become(to, None) {
        return Ok(());
    }
    Err(Refusal::OutsideTable {
        kind: S::KIND,
        from: from.constant(),
        to: to.constant(),
    })
}

/// The payment of this id, to be changed.
pub fn payment_mut(draft: &mut Draft, id: PaymentId) -> Result<&mut Payment, Refusal> {
    let missing = || Refusal::NoSuch {
        thing: "payment",
        id: id.to_string(),
    };
    draft
        .order
        .payments
        .iter_mut()
        .find(|payment| payment.id == id)
        .ok_or_else(missing)
}

/// The refund of this id, to be changed.
pub fn refund_mut(draft: &mut Draft, id: RefundId) -> Result<&mut Refund, Refusal> {
    let missing = || Refusal::NoSuch {
        thing: "refund",
        id: id.to_string(),
    };
    draft
        .order
        .refunds
        .iter_mut()
        .find(|refund| refund.id == id)
        .ok_or_else(missing)
}

/// The payment that paid for the service: not one whose money came too late.
pub fn serving_payment(order: &Consultation) -> Option<&Payment> {
    order.payments.iter().find(|payment| {
        let came_late =
            |refund: &Refund| refund.payment == payment.id && refund.purpose == Purpose::LateMoney;
        payment.status.has_money() && !order.refunds.iter().any(came_late)
    })
}

/// Money that came, with the gateway's number and time.
pub struct Received<'a> {
    /// What was really paid.
    pub paid: Money,
    /// The gateway's number.
    pub transaction_id: &'a str,
    /// When.
    pub at: Ts,
}

/// What says that refunded money has gone.
pub enum Evidence<'a> {
    /// The gateway's word.
    Gateway {
        /// Its number.
        refund_id: &'a str,
        /// When, by its clock.
        at: Ts,
    },
    /// An operator's, who paid it elsewhere.
    Operator {
        /// The evidence.
        proof: &'a str,
    },
}

/// Records money that arrived.
pub fn receive(draft: &mut Draft, id: PaymentId, received: &Received<'_>) -> Result<(), Refusal> {
    step_payment(draft, id, PaymentStatus::Completed)?;
    let payment = payment_mut(draft, id)?;
    let paid = received.paid;
    payment.paid = Some(paid);
    payment.paid_at = Some(received.at);
    payment.transaction_id = Some(received.transaction_id.to_owned());
    let held_by = Account::holding(payment.gateway);
    draft.transfer(EntryKind::PaymentReceived, held_by, Account::Patient, paid)
}

/// Writes down a refund that somebody asks for or a rule brings about; nothing is promised yet.
pub fn request(
    draft: &mut Draft,
    facts: &Facts,
    payment: &Payment,
    purpose: Purpose,
    cause: Cause,
    found: &Ruling,
    ids: &mut dyn NewIds,
) -> RefundId {
    let id = RefundId(ids.next_id());
    let paid = payment.paid.unwrap_or(Money::zero(payment.amount.currency));
    let due = refund::due_on(found, facts, draft.now);
    draft.order.refunds.push(Refund {
        id,
        payment: payment.id,
        out_refund_no: format!("RF{}", id.uuid().simple()),
        refund_id: None,
        gone_at: None,
        status: RefundStatus::Requested,
        purpose,
        cause,
        share: found.share,
        amount: paid.share(found.share),
        rule: found.rule.clone(),
        reason: None,
        due_on: due,
        retries: 0,
        last_error: None,
        proof: None,
        requested_at: draft.now,
        sent_at: None,
        updated_at: draft.now,
    });
    id
}

/// Promises a refund and has it sent. What was paid is the limit, over all refunds of the payment.
pub fn grant(draft: &mut Draft, id: RefundId) -> Result<(), Refusal> {
    let refund = refund_mut(draft, id)?.clone();
    let paid = draft
        .order
        .payment(refund.payment)
        .and_then(|payment| payment.paid);
    let paid = paid.unwrap_or(Money::zero(refund.amount.currency)).amount;
    let others = draft.order.refunds.iter();
    let promised: i64 = others
        .filter(|other| other.payment == refund.payment && other.status.is_granted())
        .map(|other| other.amount.amount)
        .sum();
    if refund.amount.amount > paid - promised {
        let left = Money::new(paid - promised, refund.amount.currency);
        return Err(Refusal::Invalid {
            field: "share",
            why: format!(
                "{} is more than is left of the payment, {left}",
                refund.amount
            ),
        });
    }
    // From what is not earned yet; a complaint comes after the money was earned.
    let unearned = draft.order.unearned().amount.clamp(0, refund.amount.amount);
    let from_patient = Money {
        amount: unearned,
        ..refund.amount
    };
    let from_revenue = Money {
        amount: refund.amount.amount - unearned,
        ..refund.amount
    };
    send_refund(draft, id)?;
    draft.post(
        EntryKind::RefundGranted,
        &[
            Posting::debit(Account::Patient, from_patient),
            Posting::debit(Account::PlatformRevenue, from_revenue),
            Posting::credit(Account::RefundReserve, refund.amount),
        ],
    )?;
    draft.order.earned.amount -= from_revenue.amount;
    Ok(())
}

/// Records that refunded money has gone, over the gateway or elsewhere with evidence.
pub fn pay_out(draft: &mut Draft, id: RefundId, evidence: &Evidence<'_>) -> Result<(), Refusal> {
    if refund_mut(draft, id)?.status == RefundStatus::Failed {
        step_refund(draft, id, RefundStatus::Processing)?;
    }
    step_refund(draft, id, RefundStatus::Succeeded)?;
    let now = draft.now;
    let refund = refund_mut(draft, id)?;
    match *evidence {
        Evidence::Gateway { refund_id, at } => {
            refund.refund_id = Some(refund_id.to_owned());
            refund.gone_at = Some(at);
        }
        Evidence::Operator { proof } => {
            refund.proof = Some(proof.to_owned());
            refund.gone_at = Some(now);
        }
    }
    let (amount, of) = (refund.amount, refund.payment);
    draft.clear_timer(TimerName::RefundRetry, Some(id));
    let payment = payment_mut(draft, of)?;
    let from = match evidence {
        Evidence::Operator { .. } => Account::Offline,
        Evidence::Gateway { .. } => Account::holding(payment.gateway),
    };
    let paid = payment.paid;
    draft.transfer(EntryKind::RefundPaid, Account::RefundReserve, from, amount)?;
    let gone: i64 = draft
        .order
        .refunds
        .iter()
        .filter(|refund| refund.payment == of && refund.status == RefundStatus::Succeeded)
        .map(|refund| refund.amount.amount)
        .sum();
    let all_gone = paid.is_some_and(|paid| gone >= paid.amount);
    let to = if all_gone {
        PaymentStatus::Refunded
    } else {
        PaymentStatus::PartiallyRefunded
    };
    step_payment(draft, of, to)
}

/// Earns what is neither promised back nor earned yet: nothing of an ended order is left open.
pub fn earn_the_rest(draft: &mut Draft) -> Result<(), Refusal> {
    let rest = draft.order.unearned();
    if rest.amount > 0 {
        let (kind, revenue) = (EntryKind::FeeEarned, Account::PlatformRevenue);
        draft.transfer(kind, Account::Patient, revenue, rest)?;
        draft.order.earned.amount += rest.amount;
    }
    Ok(())
}

/// Refunds a payment in full beside the order, whose status does not move (spec 10, late good news).
pub fn return_late_money(
    draft: &mut Draft,
    facts: &Facts,
    id: PaymentId,
    ids: &mut dyn NewIds,
) -> Result<(), Refusal> {
    let payment = payment_mut(draft, id)?.clone();
    let (status, mode) = (draft.order.status, draft.order.detail.mode);
    let mut found = refund::ruling(&facts.rules, status, mode, Cause::LateMoney, Span::ZERO);
    found.share = Share::FULL;
    let refund = request(
        draft,
        facts,
        &payment,
        Purpose::LateMoney,
        Cause::LateMoney,
        &found,
        ids,
    );
    grant(draft, refund)
}

/// Refunds the unused share of a service that timed out (spec 10, status 401).
pub fn return_unused_share(
    draft: &mut Draft,
    facts: &Facts,
    ids: &mut dyn NewIds,
) -> Result<(), Refusal> {
    let service = refund::service_time(&draft.order, draft.now);
    let (status, mode) = (ConsultationStatus::InProgress, draft.order.detail.mode);
    let found = refund::ruling(&facts.rules, status, mode, Cause::ServiceTimeout, service);
    let Some(payment) = serving_payment(&draft.order).cloned() else {
        return Ok(());
    };
    if payment
        .paid
        .is_none_or(|paid| paid.share(found.share).is_zero())
    {
        return Ok(());
    }
    let cause = Cause::ServiceTimeout;
    let refund = request(
        draft,
        facts,
        &payment,
        Purpose::UnusedShare,
        cause,
        &found,
        ids,
    );
    grant(draft, refund)
}
