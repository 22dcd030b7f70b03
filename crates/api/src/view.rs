//! Orders as callers see them.

use crate::AppState;
use crate::error::{ApiError, Code};
use crate::extract::Caller;
use domain::consultation::{Consultation, Facts, actions};
use domain::lifecycle::{Language, Status};
use domain::order::Role;
use domain::payment::{Payment, Refund};
use domain::{Money, OrderId, Ts, UserId};
use engine::QueuePlace;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use store::{Session, Slot};

/// What an order's view needs beside the order.
#[derive(Debug, Clone)]
pub struct Looking {
    /// Who looks.
    pub caller: Caller,
    /// In which language.
    pub language: Language,
    /// When.
    pub now: Ts,
    /// Names of doctors.
    pub names: HashMap<UserId, String>,
}

/// A status with its constant and label.
pub fn status<S: Status>(status: S, language: Language) -> Value {
    json!({ "code": status.code(), "constant": status.constant(), "label": status.label(language) })
}

/// Money, in minor units.
pub fn money(money: Money) -> Value {
    json!({ "amount": money.amount, "currency": money.currency })
}

/// An order, with what the caller may do now.
pub fn order(
    order: &Consultation,
    looking: &Looking,
    facts: &Facts,
    place: Option<QueuePlace>,
) -> Value {
    let (language, operations) = (looking.language, looking.caller.is_operations());
    let payments: Vec<Value> = order
        .payments
        .iter()
        .map(|p| payment(p, language))
        .collect();
    let refunds: Vec<Value> = order
        .refunds
        .iter()
        .map(|r| refund(r, language, operations))
        .collect();
    let deadline = order
        .next_deadline()
        .map(|t| json!({ "name": t.name.name(), "at": t.due }));
    json!({
        "id": order.id, "kind": "consultation", "version": order.version,
        "status": order.status.constant(), "statusCode": order.status.code(),
        "statusLabel": order.status.label(language),
        "patientId": order.patient, "price": money(order.price), "paid": money(order.paid()),
        "refunded": money(order.refunded()),
        "actions": actions(order, looking.caller.actor(), facts, looking.now),
        "deadline": deadline, "createdAt": order.created_at, "updatedAt": order.updated_at,
        "payments": payments, "refunds": refunds,
        "detail": detail(order, looking, place),
    })
}

fn detail(order: &Consultation, looking: &Looking, place: Option<QueuePlace>) -> Value {
    let d = &order.detail;
    let doctor = d
        .doctor
        .map(|id| json!({ "id": id, "name": looking.names.get(&id) }));
    let mut detail = json!({
        "mode": d.mode.name(), "consultationType": d.consultation_type.name(),
        "departmentId": d.department, "complaint": d.complaint, "doctor": doctor,
        "sessionId": d.session, "slotId": d.slot, "number": d.number,
        "queue": place.map(|p| queue_place(&p)),
        "calls": d.calls, "checkedIn": d.checked_in, "connectionFailures": d.connection_failures,
        "startedAt": d.started_at, "endedAt": d.ended_at, "beingChecked": d.being_checked,
        "cancelAsked": d.cancel_asked.is_some(), "summary": d.summary, "rating": d.rating,
    });
    if looking.caller.is_operations() {
        let offers = d.assignments.iter().map(|offer| {
            json!({
                "doctorId": offer.doctor, "offeredAt": offer.offered_at, "end": offer.end,
                "score": offer.score,
            })
        });
        detail["assignments"] = offers.collect();
    }
    detail
}

/// A place in a queue.
pub fn queue_place(place: &QueuePlace) -> Value {
    json!({
        "position": place.position, "waitP50Seconds": place.wait.p50.as_seconds(),
        "waitP90Seconds": place.wait.p90.as_seconds(),
    })
}

/// A payment.
pub fn payment(payment: &Payment, language: Language) -> Value {
    json!({
        "id": payment.id, "gateway": payment.gateway.name(), "method": payment.method.name(),
        "outTradeNo": payment.out_trade_no, "status": payment.status.constant(),
        "statusCode": payment.status.code(), "statusLabel": payment.status.label(language),
        "amount": money(payment.amount), "paid": payment.paid.map(money), "paidAt": payment.paid_at,
        "payWith": payment.pay_with, "expiresAt": payment.expires_at, "createdAt": payment.created_at,
    })
}

/// A refund; the gateway's own words only for operations.
pub fn refund(refund: &Refund, language: Language, operations: bool) -> Value {
    let mut view = json!({
        "id": refund.id, "paymentId": refund.payment, "outRefundNo": refund.out_refund_no,
        "status": refund.status.constant(), "statusCode": refund.status.code(),
        "statusLabel": refund.status.label(language), "purpose": refund.purpose.name(),
        "cause": refund.cause.name(), "fault": refund.cause.fault().name(), "share": refund.share,
        "amount": money(refund.amount), "rule": refund.rule, "reason": refund.reason,
        "dueOn": refund.due_on, "retries": refund.retries,
        "requestedAt": refund.requested_at, "updatedAt": refund.updated_at,
    });
    if operations {
        view["lastError"] = json!(refund.last_error);
    }
    view
}

/// A session with its slots.
pub fn session(
    session: &Session,
    slots: &[Slot],
    doctor: Option<&str>,
    language: Language,
) -> Value {
    let slots: Vec<Value> = slots
        .iter()
        .map(|slot| {
            json!({
                "id": slot.id, "index": slot.index, "beginsAt": slot.begins_at, "endsAt": slot.ends_at,
                "capacity": slot.capacity, "taken": slot.taken,
                "free": slot.capacity.saturating_sub(slot.taken),
            })
        })
        .collect();
    json!({
        "id": session.id, "doctor": { "id": session.doctor, "name": doctor },
        "departmentId": session.department, "status": session.status.constant(),
        "statusCode": session.status.code(), "statusLabel": session.status.label(language),
        "beginsAt": session.begins_at, "endsAt": session.ends_at, "openedAt": session.opened_at,
        "consultationType": session.consultation_type.name(), "price": money(session.price),
        "lastNumber": session.last_number, "note": session.note, "slots": slots,
    })
}

/// Whether somebody may know that an order exists.
pub fn may_see(order: &Consultation, caller: Caller) -> bool {
    match caller.role {
        Role::Patient => order.patient == caller.user,
        Role::Doctor => order.detail.doctor == Some(caller.user),
        Role::Operator | Role::Admin => true,
        Role::Gateway | Role::System => false,
    }
}

/// Whether somebody may try a command on an order: a doctor who let an offer go may click again,
/// and is told that it was done.
fn may_act(order: &Consultation, caller: Caller) -> bool {
    may_see(order, caller) || (caller.role == Role::Doctor && order.detail.was_asked(caller.user))
}

impl AppState {
    /// The order, if the caller may know of it.
    pub async fn visible(&self, id: OrderId, caller: Caller) -> Result<Consultation, ApiError> {
        let order = self.engine.store().load(id).await?;
        order
            .filter(|order| may_see(order, caller))
            .ok_or_else(|| Code::OrderNotFound.into())
    }

    /// The order for a command on it, if the caller may know of it. A remembered one will do: the
    /// command itself checks versions, and who asks.
    pub async fn visible_to_act(
        &self,
        id: OrderId,
        caller: Caller,
    ) -> Result<Arc<Consultation>, ApiError> {
        if let Some(order) = self.engine.remembered(id)
            && may_act(&order, caller)
        {
            return Ok(order);
        }
        let order = self.engine.store().load(id).await?;
        order
            .filter(|order| may_act(order, caller))
            .map(Arc::new)
            .ok_or_else(|| Code::OrderNotFound.into())
    }

    /// Everything that a view needs, for an order.
    pub async fn looking(
        &self,
        order: &Consultation,
        caller: Caller,
        language: Language,
    ) -> Result<Looking, ApiError> {
        let mut names = HashMap::new();
        if let Some(id) = order.detail.doctor
            && let Some(doctor) = self.engine.store().doctor(id).await?
        {
            names.insert(id, doctor.name);
        }
        Ok(Looking {
            caller,
            language,
            now: self.engine.now(),
            names,
        })
    }

    /// An order as the caller sees it now.
    pub async fn order_view(
        &self,
        order: &Consultation,
        caller: Caller,
        language: Language,
    ) -> Result<Value, ApiError> {
        let looking = self.looking(order, caller, language).await?;
        let facts = self.engine.facts(order).await?;
        let place = self.engine.queue_place(order).await?;
        Ok(self::order(order, &looking, &facts, place))
    }
}
