//! Statuses 100 to 102: paying, and money that comes late, twice or wrong (spec 10 and 20).

use super::command::ProvenOutcome;
use super::entry::{Context, can_take_late_money, give_back, go};
use super::refund::{self, Cause, Quote};
use super::{Consultation, ConsultationStatus as S, Draft, Mode, money};
use crate::lifecycle::Status;
use crate::order::{Effect, Refusal};
use crate::payment::{GatewayName, Method, PayWith, Payment, PaymentStatus};
use crate::{Money, PaymentId, Span, Ts};

/// How long a payment's outcome is waited for before it is asked for again (spec 10, status 101).
const ASK_AGAIN: Span = Span::minutes(1);

/// Who pays, as far as the gateway needs to know.
#[derive(Default)]
pub struct Payer<'a> {
    /// Their identity at the gateway.
    pub payer: Option<&'a String>,
    /// Their internet address.
    pub client_ip: Option<&'a String>,
}

/// 100, 102: a new attempt to pay. What the method needs to know of the payer has been looked at
/// before: methods are the gateway's own.
pub fn submit(
    draft: &mut Draft,
    ctx: &mut Context<'_>,
    gateway: GatewayName,
    method: Method,
    by: &Payer<'_>,
) -> Result<(), Refusal> {
    attempt(draft, ctx, gateway, method, by)?;
    draft.order.detail.being_checked = false;
    go(
        draft,
        ctx,
        S::Paying,
        "pay",
        Some(gateway.name().to_owned()),
    )
}

fn attempt(
    draft: &mut Draft,
    ctx: &mut Context<'_>,
    gateway: GatewayName,
    method: Method,
    by: &Payer<'_>,
) -> Result<PaymentId, Refusal> {
    if ctx.facts.session.is_some_and(|session| session.ended) {
        return Err(Refusal::Invalid {
            field: "sessionId",
            why: "the session was cancelled or has ended: cancel this order and book another"
                .to_owned(),
        });
    }
    let id = PaymentId(ctx.ids.next_id());
    let window = ctx.facts.rules.timeout(super::TimerName::GatewayResult);
    draft.order.payments.push(Payment {
        id,
        gateway,
        method,
        payer: by.payer.cloned(),
        out_trade_no: id.uuid().simple().to_string(),
        status: PaymentStatus::Pending,
        amount: draft.order.price,
        paid: None,
        paid_at: None,
        transaction_id: None,
        client_ip: by.client_ip.cloned(),
        handle: None,
        pay_with: None,
        proof: None,
        // The gateway takes no money after we would have closed it.
        expires_at: draft.now + window,
        created_at: draft.now,
        updated_at: draft.now,
    });
    Ok(id)
}

/// 100, 102: an operator has taken the money, at the counter or by transfer, and has the evidence.
pub fn record(
    draft: &mut Draft,
    ctx: &mut Context<'_>,
    method: Method,
    amount: Money,
    proof: &str,
) -> Result<(), Refusal> {
    if amount != draft.order.price {
        return Err(Refusal::Invalid {
            field: "amount",
            why: format!("{amount} was taken, the price is {}", draft.order.price),
        });
    }
    if proof.trim().is_empty() {
        return Err(Refusal::Invalid {
            field: "proof",
            why: "is needed for money that came outside the gateways".to_owned(),
        });
    }
    let id = attempt(draft, ctx, GatewayName::OFFLINE, method, &Payer::default())?;
    // There is nobody to ask: the money is here.
    draft.step(S::Paying, "record_payment", Some(method.to_string()))?;
    let payment = money::payment_mut(draft, id)?;
    payment.proof = Some(proof.to_owned());
    let number = payment.out_trade_no.clone();
    let received = money::Received {
        paid: amount,
        transaction_id: &number,
        at: draft.now,
    };
    money::receive(draft, id, &received)?;
    paid_for(draft, ctx, amount)
}

/// The gateway will take the payment.
pub fn started(
    draft: &mut Draft,
    id: PaymentId,
    handle: Option<&String>,
    pay_with: &PayWith,
) -> Result<(), Refusal> {
    if money::payment_mut(draft, id)?.status != PaymentStatus::Pending {
        return Ok(());
    }
    money::step_payment(draft, id, PaymentStatus::Processing)?;
    let payment = money::payment_mut(draft, id)?;
    payment.handle = handle.cloned();
    payment.pay_with = Some(pay_with.clone());
    draft.note("payment_started", None);
    Ok(())
}

/// Money arrived, whatever the order is doing.
pub fn succeeded(
    draft: &mut Draft,
    ctx: &mut Context<'_>,
    id: PaymentId,
    received: &money::Received<'_>,
    by_query: bool,
) -> Result<(), Refusal> {
    let money::Received {
        paid,
        transaction_id,
        ..
    } = *received;
    let before = money::payment_mut(draft, id)?.status;
    if before.has_money() {
        return Ok(());
    }
    if !before.is_open() && !by_query {
        // Two results that disagree: the gateway's query decides (spec 20). A replay asks again and
        // says nothing new.
        let claimed = &mut money::payment_mut(draft, id)?.transaction_id;
        if claimed.as_deref() != Some(transaction_id) {
            *claimed = Some(transaction_id.to_owned());
            let note = format!("{} and paid", before.constant());
            draft.note("payment_disagrees", Some(note));
        }
        draft.effect(Effect::SettlePayment { payment: id });
        return Ok(());
    }
    if paid.amount < 1 {
        return Err(Refusal::Invalid {
            field: "amount",
            why: format!("{paid} is no payment"),
        });
    }
    let takes_it_on = can_take_on(&draft.order, id, draft.now);
    money::receive(draft, id, received)?;
    draft.order.detail.being_checked = false;
    match draft.order.status {
        S::Paying if takes_it_on => paid_for(draft, ctx, paid),
        S::PendingPayment | S::PaymentFailed if takes_it_on => {
            draft.step(S::Paying, "payment_succeeded_late", None)?;
            paid_for(draft, ctx, paid)
        }
        S::PendingPayment | S::Paying | S::PaymentFailed => too_late(draft, ctx, id),
        S::Dispatching | S::PendingAccept | S::DispatchFailed => too_late(draft, ctx, id),
        S::QueuingNumber | S::PendingActivation | S::InQueue => too_late(draft, ctx, id),
        S::Calling | S::CallFailed | S::ReQueuing => too_late(draft, ctx, id),
        S::PendingConsultation | S::InProgress | S::ServiceTimeout => too_late(draft, ctx, id),
        S::RefundRequested | S::RefundReviewing | S::Refunding => too_late(draft, ctx, id),
        S::RefundFailed | S::Completed | S::Refunded | S::Cancelled => too_late(draft, ctx, id),
    }
}

/// Whether this payment's money is the order's: it is the open one, or nothing else is open or paid
/// and the window to pay is not over.
fn can_take_on(order: &Consultation, id: PaymentId, now: Ts) -> bool {
    match order.open_payment() {
        Some(open) => open.id == id,
        None => {
            let window = order.next_deadline();
            can_take_late_money(order) && window.is_some_and(|window| now <= window.due)
        }
    }
}

fn paid_for(draft: &mut Draft, ctx: &mut Context<'_>, paid: Money) -> Result<(), Refusal> {
    if paid != draft.order.price {
        let note = format!("{paid} was paid, the price is {}", draft.order.price);
        draft.note("amount_differs", Some(note));
        return give_back(draft, ctx, Cause::AmountDiffers, "amount_differs");
    }
    let next = match draft.order.detail.mode {
        Mode::Dispatch => S::Dispatching,
        Mode::Clinic => S::QueuingNumber,
    };
    go(draft, ctx, next, "payment_succeeded", None)
}

fn too_late(draft: &mut Draft, ctx: &mut Context<'_>, id: PaymentId) -> Result<(), Refusal> {
    let note = format!("while the order is {}", draft.order.status.constant());
    draft.note("late_money", Some(note));
    money::return_late_money(draft, ctx.facts, id, ctx.ids)
}

/// The payment ended without money, by proof.
pub fn ended_unpaid(
    draft: &mut Draft,
    ctx: &mut Context<'_>,
    id: PaymentId,
    to: PaymentStatus,
    reason: &'static str,
    note: Option<String>,
) -> Result<(), Refusal> {
    if !money::payment_mut(draft, id)?.status.is_open() {
        return Ok(());
    }
    money::step_payment(draft, id, to)?;
    draft.order.detail.being_checked = false;
    if draft.order.status == S::Paying {
        return go(draft, ctx, S::PaymentFailed, reason, note);
    }
    draft.note(reason, note);
    Ok(())
}

/// An operator has evidence of how a payment ended. What the gateway proves later still counts:
/// money that comes after all is late money.
pub fn settled(
    draft: &mut Draft,
    ctx: &mut Context<'_>,
    id: PaymentId,
    outcome: &ProvenOutcome,
    proof: &str,
) -> Result<(), Refusal> {
    if proof.trim().is_empty() {
        return Err(Refusal::Invalid {
            field: "proof",
            why: "is needed where the gateway does not say it itself".to_owned(),
        });
    }
    let (asked, at) = (draft.order.price.currency, draft.now);
    let payment = money::payment_mut(draft, id)?;
    let status = payment.status;
    match outcome {
        ProvenOutcome::Paid { amount, .. } if amount.currency != asked => Err(Refusal::Invalid {
            field: "amount",
            why: format!("{amount} is not in {asked}"),
        }),
        ProvenOutcome::Paid { .. } if status.has_money() => Ok(()),
        ProvenOutcome::Paid {
            amount,
            transaction_id,
        } => {
            payment.proof = Some(proof.to_owned());
            let received = money::Received {
                paid: *amount,
                transaction_id,
                at,
            };
            succeeded(draft, ctx, id, &received, true)
        }
        ProvenOutcome::Unpaid if status.has_money() => Err(Refusal::Status {
            command: "settle_payment",
            status: status.constant(),
        }),
        ProvenOutcome::Unpaid => {
            if status.is_open() {
                payment.proof = Some(proof.to_owned());
            }
            let (to, note) = (PaymentStatus::Closed, Some(proof.to_owned()));
            ended_unpaid(draft, ctx, id, to, "payment_closed_by_evidence", note)
        }
    }
}

/// 101: cancelled while the gateway has the word.
pub fn cancel_while_paying(
    draft: &mut Draft,
    quote: Option<&Quote>,
    reason: Option<&String>,
) -> Result<(), Refusal> {
    if draft.order.detail.cancel_asked.is_some() {
        return Ok(());
    }
    refund::honour_shown(quote, &draft.order, draft.now)?;
    let asked = super::CancelAsked {
        at: draft.now,
        reason: reason.cloned(),
    };
    draft.order.detail.cancel_asked = Some(asked);
    draft.note("cancel_asked", reason.cloned());
    if let Some(payment) = draft.order.open_payment().map(|payment| payment.id) {
        draft.effect(Effect::SettlePayment { payment });
    }
    Ok(())
}

/// 101: no result in time. The gateway is asked, and asked again each minute while it can't be
/// reached; unknown is never stored as failed.
pub fn result_overdue(draft: &mut Draft) {
    if !draft.order.detail.being_checked {
        draft.order.detail.being_checked = true;
        draft.note("being_checked", None);
    }
    draft.set_timer(super::TimerName::GatewayResult, draft.now + ASK_AGAIN);
    if let Some(payment) = draft.order.open_payment().map(|payment| payment.id) {
        draft.effect(Effect::SettlePayment { payment });
    }
}
