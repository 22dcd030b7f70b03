//! What merchants do with payments, whatever the gateway: open, close, fetch the money.

use crate::Sandbox;
use crate::book::{Book, Change, NewPayment, Payment, Task};
use crate::control::views::{PaymentState, UnknownOutcome};
use crate::payer::paid_changes;
use crate::refusal::MoneyRefusal;
use domain::payment::GatewayName;
use domain::{Span, Ts};
use serde_json::Value;

impl Sandbox {
    /// Opens a payment, or finds it open: then it is the known one, with its old handle.
    pub(crate) fn open_payment(&self, new: NewPayment) -> Result<Payment, MoneyRefusal> {
        let now = self.now();
        let mut book = self.book();
        let faults = book.faults(new.gateway);
        let known = book.payment(&new.out_trade_no);
        let (payment, first) = match known {
            Some(known) => (repeated(known, &new, now)?.clone(), false),
            None => {
                let payment = Payment::new(new, now);
                let mut changes = Vec::new();
                let autopay = book.settings().autopay.clone();
                if autopay.enabled {
                    let due = now + Span::seconds(autopay.delay_seconds.into());
                    let out_trade_no = payment.out_trade_no.clone();
                    changes.push(book.schedule(due, Task::Autopay { out_trade_no }));
                }
                changes.push(Change::Payment(Box::new(payment.clone())));
                book.commit(changes)?;
                self.wake();
                (payment, true)
            }
        };
        let hit = faults.payment_hit(&payment.out_trade_no);
        faults.after_write(UnknownOutcome::Prepay, hit, first)?;
        Ok(payment)
    }

    /// Closes a payment that is not paid.
    pub(crate) fn close_payment(
        &self,
        gateway: GatewayName,
        out_trade_no: &str,
    ) -> Result<Payment, MoneyRefusal> {
        let mut book = self.book();
        let mut payment = known(&book, gateway, out_trade_no)?.clone();
        match payment.state {
            PaymentState::Success | PaymentState::Refund => return Err(MoneyRefusal::Paid),
            PaymentState::Closed => return Err(MoneyRefusal::Closed),
            PaymentState::NotPay | PaymentState::Approved | PaymentState::PayError => {
                payment.state = PaymentState::Closed;
                book.commit(vec![Change::Payment(Box::new(payment.clone()))])?;
            }
        }
        let faults = book.faults(gateway);
        let hit = faults.payment_hit(out_trade_no);
        faults.after_write(UnknownOutcome::Close, hit, true)?;
        Ok(payment)
    }

    /// Fetches the money that the payer agreed to.
    pub(crate) fn capture_payment(
        &self,
        gateway: GatewayName,
        out_trade_no: &str,
    ) -> Result<Payment, MoneyRefusal> {
        let now = self.now();
        let mut book = self.book();
        let payment = known(&book, gateway, out_trade_no)?.clone();
        match payment.state {
            PaymentState::Success | PaymentState::Refund => return Err(MoneyRefusal::Paid),
            PaymentState::Closed => return Err(MoneyRefusal::Closed),
            PaymentState::PayError => return Err(MoneyRefusal::Failed),
            PaymentState::NotPay | PaymentState::Approved => {}
        }
        let approved = payment.approved.clone().ok_or(MoneyRefusal::NotApproved)?;
        let counterparty = self.counterparty(gateway)?;
        let changes = paid_changes(
            &mut book,
            counterparty,
            payment,
            approved.request,
            approved.total,
            now,
        );
        book.commit(changes)?;
        self.wake();
        let faults = book.faults(gateway);
        let hit = faults.payment_hit(out_trade_no);
        faults.after_write(UnknownOutcome::Capture, hit, true)?;
        Ok(known(&book, gateway, out_trade_no)?.clone())
    }

    /// How a payment stands, with its refunds.
    pub(crate) fn payment_at(
        &self,
        gateway: GatewayName,
        out_trade_no: &str,
    ) -> Option<(Payment, PaymentState)> {
        let book = self.book();
        let payment = book.payment_at(gateway, out_trade_no)?;
        Some((payment.clone(), book.state_of(payment)))
    }

    /// Changes what a gateway remembers of a payment besides the money.
    pub(crate) fn remember_of_payment(
        &self,
        gateway: GatewayName,
        out_trade_no: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Payment, MoneyRefusal> {
        let mut book = self.book();
        let mut payment = known(&book, gateway, out_trade_no)?.clone();
        change(&mut payment.extra);
        book.commit(vec![Change::Payment(Box::new(payment.clone()))])?;
        Ok(payment)
    }
}

fn known<'b>(
    book: &'b Book,
    gateway: GatewayName,
    out_trade_no: &str,
) -> Result<&'b Payment, MoneyRefusal> {
    book.payment_at(gateway, out_trade_no)
        .ok_or(MoneyRefusal::NoSuchPayment)
}

/// A number that is known: only the very same is answered again.
fn repeated<'b>(
    known: &'b Payment,
    asked: &NewPayment,
    now: Ts,
) -> Result<&'b Payment, MoneyRefusal> {
    if known.gateway != asked.gateway {
        return Err(MoneyRefusal::OtherTerms);
    }
    match known.state {
        PaymentState::Success | PaymentState::Refund => return Err(MoneyRefusal::Paid),
        PaymentState::Closed => return Err(MoneyRefusal::Closed),
        PaymentState::PayError => return Err(MoneyRefusal::Failed),
        PaymentState::NotPay | PaymentState::Approved => {}
    }
    if known.terms != asked.terms {
        return Err(MoneyRefusal::OtherTerms);
    }
    if now > known.payable_until {
        return Err(MoneyRefusal::Expired);
    }
    Ok(known)
}
