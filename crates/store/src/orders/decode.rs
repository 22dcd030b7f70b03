//! Rows as an order.

use super::encode::Rest;
use crate::StoreError;
use crate::row::{Cells, Row};
use domain::consultation::{
    Cause, Consultation, ConsultationType, Consulting, Detail, Mode, TimerName,
};
use domain::order::Timer;
use domain::payment::{GatewayName, Method, Payment, Purpose, Refund};
use domain::{Currency, Money, PaymentId, RefundId, Share};
use uuid::Uuid;

/// An order with everything that belongs to it, one row for each payment, refund and deadline.
pub(crate) const ORDER: &str = "\
SELECT o.id, o.version, o.status, o.status_since, o.patient_id, o.price_amount, o.currency, \
o.earned_amount, o.rules_version, o.suspended, o.created_at, o.updated_at, \
c.mode, c.consultation_type, c.department_id, c.doctor_id, c.holds_doctor, c.waiting_since, \
c.session_id, c.slot_id, c.slot_index, c.holds_place, c.number, c.queue_rank, c.calls, c.checked_in, \
c.patient_seen, c.connection_failures, c.started_at, c.ended_at, c.being_checked, c.complaint, c.rest, \
p.id, p.position, p.gateway, p.method, p.payer, p.out_trade_no, p.status, p.amount, p.paid_amount, \
p.currency, p.paid_at, p.transaction_id, p.client_ip, p.handle, p.pay_with, p.proof, p.expires_at, p.created_at, p.updated_at, \
r.id, r.position, r.payment_id, r.out_refund_no, r.refund_id, r.gone_at, r.status, r.purpose, r.cause, r.share, r.amount, \
r.currency, r.rule, r.reason, r.due_on, r.retries, r.last_error, r.proof, r.requested_at, r.sent_at, r.updated_at, \
t.name, t.refund_id, t.position, t.due_at \
FROM orders o JOIN consultations c ON c.order_id = o.id \
LEFT JOIN payments p ON p.order_id = o.id \
LEFT JOIN refunds r ON r.order_id = o.id \
LEFT JOIN timers t ON t.order_id = o.id ";

/// A refund's columns, as [`refund`] reads them.
pub(crate) const REFUND: &str = "\
r.id, r.position, r.payment_id, r.out_refund_no, r.refund_id, r.gone_at, r.status, r.purpose, r.cause, r.share, r.amount, \
r.currency, r.rule, r.reason, r.due_on, r.retries, r.last_error, r.proof, r.requested_at, r.sent_at, r.updated_at";

const ORDER_CELLS: usize = 33;
const PAYMENT_CELLS: usize = 19;
const REFUND_CELLS: usize = 21;

/// The orders of rows that [`ORDER`] gave, in the order in which each first appears.
pub(crate) fn orders(rows: &[Row]) -> Result<Vec<Consultation>, StoreError> {
    let mut found: Vec<Gathered> = Vec::new();
    for row in rows {
        let mut cells = row.cells();
        let id: Uuid = cells.id()?;
        let place = match found
            .iter()
            .rposition(|gathered| gathered.order.id.uuid() == id)
        {
            Some(place) => {
                cells.skip(ORDER_CELLS - 1);
                place
            }
            None => {
                found.push(Gathered::new(order(id, &mut cells)?));
                found.len() - 1
            }
        };
        if let Some(gathered) = found.get_mut(place) {
            gathered.add(cells)?;
        }
    }
    Ok(found.into_iter().map(Gathered::finish).collect())
}

/// An order and what was found of it so far, with the places in its lists.
struct Gathered {
    order: Consultation,
    payments: Vec<(i64, Payment)>,
    refunds: Vec<(i64, Refund)>,
    timers: Vec<(i64, Timer<Consulting>)>,
}

impl Gathered {
    fn new(order: Consultation) -> Self {
        Self {
            order,
            payments: Vec::new(),
            refunds: Vec::new(),
            timers: Vec::new(),
        }
    }

    fn add(&mut self, mut cells: Cells<'_>) -> Result<(), StoreError> {
        match cells.id_or_none::<PaymentId>()? {
            Some(id) if self.payments.iter().all(|(_, payment)| payment.id != id) => {
                self.payments.push(payment(id, &mut cells)?);
            }
            _ => cells.skip(PAYMENT_CELLS - 1),
        }
        match cells.id_or_none::<RefundId>()? {
            Some(id) if self.refunds.iter().all(|(_, refund)| refund.id != id) => {
                self.refunds.push(refund(id, &mut cells)?);
            }
            _ => cells.skip(REFUND_CELLS - 1),
        }
        if let Some(name) = cells.text_or_none()? {
            let name = TimerName::from_name(&name)
                .ok_or_else(|| StoreError::Corrupt(format!("`{name}` is not a deadline")))?;
            let refund = refund_of_timer(cells.id()?);
            let position = cells.int()?;
            let due = cells.at()?;
            if self
                .timers
                .iter()
                .all(|(_, timer)| timer.name != name || timer.refund != refund)
            {
                self.timers.push((position, Timer { name, refund, due }));
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Consultation {
        self.payments.sort_by_key(|(position, _)| *position);
        self.refunds.sort_by_key(|(position, _)| *position);
        self.timers.sort_by_key(|(position, _)| *position);
        self.order.payments = self
            .payments
            .into_iter()
            .map(|(_, payment)| payment)
            .collect();
        self.order.refunds = self.refunds.into_iter().map(|(_, refund)| refund).collect();
        self.order.timers = self.timers.into_iter().map(|(_, timer)| timer).collect();
        self.order
    }
}

/// All zeros stand for no refund: a primary key holds no NULL.
pub(crate) fn refund_of_timer(id: Uuid) -> Option<RefundId> {
    (!id.is_nil()).then_some(RefundId(id))
}

fn order(id: Uuid, cells: &mut Cells<'_>) -> Result<Consultation, StoreError> {
    let version = cells.int()?;
    let status = cells.status()?;
    let status_since = cells.at()?;
    let patient = cells.id()?;
    let price = cells.money()?;
    Ok(Consultation {
        id: id.into(),
        version,
        status,
        status_since,
        patient,
        price,
        earned: Money {
            amount: cells.int()?,
            ..price
        },
        rules_version: cells.int()?,
        suspended: cells.json_or_none()?,
        created_at: cells.at()?,
        updated_at: cells.at()?,
        payments: Vec::new(),
        refunds: Vec::new(),
        timers: Vec::new(),
        detail: detail(cells)?,
    })
}

fn detail(cells: &mut Cells<'_>) -> Result<Detail, StoreError> {
    let mut detail = Detail {
        mode: cells.named(Mode::from_name)?,
        consultation_type: cells.named(ConsultationType::from_name)?,
        department: cells.id()?,
        doctor: cells.id_or_none()?,
        holds_doctor: cells.bool()?,
        waiting_since: cells.at_or_none()?,
        session: cells.id_or_none()?,
        slot: cells.id_or_none()?,
        slot_index: cells.int()?,
        holds_place: cells.bool()?,
        number: cells.int_or_none()?,
        queue_rank: cells.int_or_none()?,
        calls: cells.int()?,
        checked_in: cells.bool()?,
        patient_seen: cells.bool()?,
        connection_failures: cells.int()?,
        started_at: cells.at_or_none()?,
        ended_at: cells.at_or_none()?,
        being_checked: cells.bool()?,
        complaint: cells.text()?,
        assignments: Vec::new(),
        cancel_asked: None,
        quote: None,
        summary: None,
        rating: None,
    };
    let rest: Rest = cells.json()?;
    detail.assignments = rest.assignments;
    detail.cancel_asked = rest.cancel_asked;
    detail.quote = rest.quote;
    detail.summary = rest.summary;
    detail.rating = rest.rating;
    Ok(detail)
}

fn payment(id: PaymentId, cells: &mut Cells<'_>) -> Result<(i64, Payment), StoreError> {
    let position = cells.int()?;
    let gateway = cells.named(GatewayName::from_name)?;
    let method = cells.named(Method::from_name)?;
    let payer = cells.text_or_none()?;
    let out_trade_no = cells.text()?;
    let status = cells.status()?;
    let amount = cells.int()?;
    let paid: Option<i64> = cells.int_or_none()?;
    let currency: Currency = cells.currency()?;
    let payment = Payment {
        id,
        gateway,
        method,
        payer,
        out_trade_no,
        status,
        amount: Money::new(amount, currency),
        paid: paid.map(|paid| Money::new(paid, currency)),
        paid_at: cells.at_or_none()?,
        transaction_id: cells.text_or_none()?,
        client_ip: cells.text_or_none()?,
        handle: cells.text_or_none()?,
        pay_with: cells.json_or_none()?,
        proof: cells.text_or_none()?,
        expires_at: cells.at()?,
        created_at: cells.at()?,
        updated_at: cells.at()?,
    };
    Ok((position, payment))
}

/// A refund and its place, from the cells after its id.
pub(crate) fn refund(id: RefundId, cells: &mut Cells<'_>) -> Result<(i64, Refund), StoreError> {
    let position = cells.int()?;
    let refund = Refund {
        id,
        payment: cells.id()?,
        out_refund_no: cells.text()?,
        refund_id: cells.text_or_none()?,
        gone_at: cells.at_or_none()?,
        status: cells.status()?,
        purpose: cells.named(Purpose::from_name)?,
        cause: cells.named(Cause::from_name)?,
        share: share(cells.int()?)?,
        amount: cells.money()?,
        rule: cells.text()?,
        reason: cells.text_or_none()?,
        due_on: day(cells.text_or_none()?)?,
        retries: cells.int()?,
        last_error: cells.text_or_none()?,
        proof: cells.text_or_none()?,
        requested_at: cells.at()?,
        sent_at: cells.at_or_none()?,
        updated_at: cells.at()?,
    };
    Ok((position, refund))
}

fn share(percent: i64) -> Result<Share, StoreError> {
    Share::try_from(percent).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn day(text: Option<String>) -> Result<Option<jiff::civil::Date>, StoreError> {
    let parse = |text: String| {
        text.parse()
            .map_err(|_| StoreError::Corrupt(format!("`{text}` is not a day")))
    };
    text.map(parse).transpose()
}
