//! What merchants do with refunds, whatever the gateway, and how refunds end.

use crate::book::{About, Book, Change, NewRefund, Payment, Refund, Task};
use crate::control::ControlError;
use crate::control::views::{
    OutcomeCallback, OutcomeRequest, RefundFilter, RefundList, RefundStatus, RefundView,
    UnknownOutcome,
};
use crate::counterparty::{Counterparty, RefundRules};
use crate::faults::Hit;
use crate::refusal::MoneyRefusal;
use crate::telling::{Telling, check_outcome};
use crate::{Sandbox, SandboxError};
use domain::payment::GatewayName;
use domain::{Span, Ts};
use serde_json::Value;

/// How long a refund hangs that chance has hit.
const HANGS_FOR: Span = Span::hours(1);

/// How refunds end by themselves.
const SUCCESS: OutcomeRequest = OutcomeRequest {
    status: RefundStatus::Success,
    callback: OutcomeCallback::Once,
    late_seconds: None,
};

impl Sandbox {
    /// Accepts a refund, or finds it accepted: a number is refunded only once.
    pub(crate) fn refund_payment(&self, new: NewRefund) -> Result<Refund, MoneyRefusal> {
        let now = self.now();
        let (gateway, number) = (new.gateway, new.out_refund_no.clone());
        let mut book = self.book();
        let faults = book.faults(gateway);
        let hit = faults.refund_hit(&number);
        let payment = book
            .payment_at(gateway, &new.out_trade_no)
            .ok_or(MoneyRefusal::NoSuchPayment)?
            .clone();
        let first = match book.refund(&number) {
            Some(known) if same(known, &new) => false,
            Some(_) => return Err(MoneyRefusal::OtherRefund),
            None => {
                if let Some(refusal) = faults.refuse_refunds {
                    return Err(MoneyRefusal::RefundRefused(refusal));
                }
                let counterparty = self.counterparty(gateway)?;
                let rules = counterparty.refund_rules();
                let mut refund = checked_refund(&book, &payment, new, rules, now)?;
                refund.notice_id = counterparty.notice_id(now);
                let hangs = faults.refunds_hang || hit == Some(Hit::RefundHangs);
                let changes = if rules.at_once && !hangs {
                    ended(&mut book, counterparty, refund, &SUCCESS, now)
                } else {
                    let after = match hit {
                        Some(Hit::RefundHangs) => HANGS_FOR,
                        Some(_) | None => Span::ZERO,
                    };
                    let out_refund_no = number.clone();
                    let finish = book.schedule(now + after, Task::FinishRefund { out_refund_no });
                    vec![Change::Refund(Box::new(refund)), finish]
                };
                book.commit(changes)?;
                self.wake();
                true
            }
        };
        faults.after_write(UnknownOutcome::Refund, hit, first)?;
        let refund = book.refund_at(gateway, &number).cloned();
        refund.ok_or(MoneyRefusal::OtherRefund)
    }

    /// Sends a refund once more that the payer's card or account didn't take; it arrives then.
    pub(crate) fn refund_elsewhere(
        &self,
        gateway: GatewayName,
        out_refund_no: &str,
        extra: Value,
    ) -> Result<Refund, MoneyRefusal> {
        let now = self.now();
        let mut book = self.book();
        let faults = book.faults(gateway);
        let mut refund = book
            .refund_at(gateway, out_refund_no)
            .filter(|refund| refund.status == RefundStatus::Abnormal)
            .ok_or(MoneyRefusal::NotAbnormal)?
            .clone();
        refund.status = RefundStatus::Processing;
        refund.extra = extra;
        // Another end is another notice.
        refund.notice_id = self.counterparty(gateway)?.notice_id(now);
        let out_refund_no = out_refund_no.to_owned();
        let hit = faults.refund_hit(&out_refund_no);
        let finish = book.schedule(now, Task::FinishRefund { out_refund_no });
        let change = Change::Refund(Box::new(refund.clone()));
        book.commit(vec![change, finish])?;
        self.wake();
        faults.after_write(UnknownOutcome::Refund, hit, true)?;
        Ok(refund)
    }

    /// How a refund stands, with its payment.
    pub(crate) fn refund_at(
        &self,
        gateway: GatewayName,
        out_refund_no: &str,
    ) -> Option<(Refund, Payment)> {
        let book = self.book();
        let refund = book.refund_at(gateway, out_refund_no)?;
        let payment = book.payment(&refund.out_trade_no)?;
        Some((refund.clone(), payment.clone()))
    }

    /// The refund's scheduled end: it succeeds, unless something else was decided meanwhile.
    pub(crate) fn finish_refund(&self, action: u64, number: &str) -> Result<(), SandboxError> {
        let now = self.now();
        let mut book = self.book();
        let mut changes = vec![Change::Done(action)];
        if let Some(refund) = book.refund(number).cloned()
            && refund.status == RefundStatus::Processing
            && !refund.held
        {
            let counterparty = self.counterparty(refund.gateway)?;
            changes.extend(ended(&mut book, counterparty, refund, &SUCCESS, now));
        }
        book.commit(changes)
    }

    /// Decides how a refund ends. The same once more changes nothing.
    pub fn set_refund_outcome(
        &self,
        out_refund_no: &str,
        outcome: &OutcomeRequest,
    ) -> Result<RefundView, ControlError> {
        check_outcome(outcome)?;
        let now = self.now();
        let mut book = self.book();
        let refund = known_refund(&book, out_refund_no)?.clone();
        let counterparty = self.counterparty(refund.gateway)?;
        check_end(counterparty, outcome.status)?;
        match (refund.status, outcome.status) {
            (RefundStatus::Processing, RefundStatus::Processing) if !refund.held => {}
            (from, to) if from == to => return Ok(view(&refund)),
            (RefundStatus::Processing | RefundStatus::Abnormal, _) => {}
            (from @ (RefundStatus::Success | RefundStatus::Failed | RefundStatus::Closed), to) => {
                return Err(ControlError::Conflict(format!(
                    "refund {out_refund_no} is {} for good and can't become {}: switch on the \
                     fault refundsHang before it is sent",
                    from.name(),
                    to.name()
                )));
            }
        }
        let changes = ended(&mut book, counterparty, refund, outcome, now);
        book.commit(changes)?;
        self.wake();
        Ok(view(known_refund(&book, out_refund_no)?))
    }

    /// One refund.
    pub fn refund(&self, out_refund_no: &str) -> Result<RefundView, ControlError> {
        let book = self.book();
        Ok(view(known_refund(&book, out_refund_no)?))
    }

    /// The refunds that match, the newest first.
    pub fn refunds(&self, filter: &RefundFilter) -> RefundList {
        let book = self.book();
        let of = filter.out_trade_no.as_ref();
        let matches: Vec<_> = book
            .refunds()
            .rev()
            .filter(|refund| filter.gateway.is_none_or(|name| refund.gateway == name))
            .filter(|refund| filter.status.is_none_or(|status| refund.status == status))
            .filter(|refund| of.is_none_or(|number| refund.out_trade_no == *number))
            .collect();
        let shown = matches.iter().take(filter.limit.unwrap_or(100));
        RefundList {
            count: matches.len(),
            refunds: shown.map(|refund| view(refund)).collect(),
        }
    }
}

fn same(known: &Refund, asked: &NewRefund) -> bool {
    known.gateway == asked.gateway
        && known.out_trade_no == asked.out_trade_no
        && known.amount == asked.amount
        && known.terms == asked.terms
}

/// A refund within the gateway's limits and within what was paid.
fn checked_refund(
    book: &Book,
    payment: &Payment,
    new: NewRefund,
    rules: RefundRules,
    now: Ts,
) -> Result<Refund, MoneyRefusal> {
    let paid = payment.paid.as_ref().ok_or(MoneyRefusal::NotPaid)?;
    if rules
        .within
        .is_some_and(|within| now.since(paid.at) > within)
    {
        return Err(MoneyRefusal::PaidTooLongAgo);
    }
    let live: Vec<i64> = book
        .live_refunds(&payment.out_trade_no)
        .map(|refund| refund.amount)
        .collect();
    if let Some(count) = rules.count.filter(|&count| live.len() >= count) {
        return Err(MoneyRefusal::TooManyRefunds(count));
    }
    let sum = live
        .iter()
        .try_fold(new.amount, |sum, amount| sum.checked_add(*amount));
    if sum.is_none_or(|sum| sum > paid.total) {
        return Err(MoneyRefusal::MoreThanPaid);
    }
    Ok(Refund {
        gateway: new.gateway,
        out_refund_no: new.out_refund_no,
        refund_id: new.refund_id,
        out_trade_no: new.out_trade_no,
        transaction_id: paid.transaction_id.clone(),
        reason: new.reason,
        notify_url: new.notify_url,
        amount: new.amount,
        total: paid.total,
        currency: payment.currency,
        terms: new.terms,
        extra: new.extra,
        status: RefundStatus::Processing,
        held: false,
        created_at: now,
        success_at: None,
        notice_id: String::new(),
        attempts: Vec::new(),
    })
}

fn check_end(counterparty: &dyn Counterparty, end: RefundStatus) -> Result<(), ControlError> {
    let ends = counterparty.refund_rules().ends;
    if end == RefundStatus::Processing || ends.contains(&end) {
        return Ok(());
    }
    let known: Vec<&str> = ends.iter().map(|end| end.name()).collect();
    Err(ControlError::BadRequest(format!(
        "refunds at {} don't end {}: they end {}",
        counterparty.gateway(),
        end.name(),
        known.join(", ")
    )))
}

/// The refund ended so, and its notice on the way.
fn ended(
    book: &mut Book,
    counterparty: &dyn Counterparty,
    mut refund: Refund,
    outcome: &OutcomeRequest,
    now: Ts,
) -> Vec<Change> {
    let mut changes = Vec::new();
    // Gateways tell of ends only.
    if outcome.status != RefundStatus::Processing {
        let hit = book
            .faults(refund.gateway)
            .refund_hit(&refund.out_refund_no);
        let about = About::Refund(refund.out_refund_no.clone());
        changes = Telling::of_refund(outcome, hit).schedule(book, &about, now);
    }
    if refund.status != RefundStatus::Processing {
        // Another end is another notice.
        refund.notice_id = counterparty.notice_id(now);
    }
    refund.held = outcome.status == RefundStatus::Processing;
    refund.success_at = (outcome.status == RefundStatus::Success).then_some(now);
    refund.status = outcome.status;
    changes.push(Change::Refund(Box::new(refund)));
    changes
}

fn known_refund<'b>(book: &'b Book, out_refund_no: &str) -> Result<&'b Refund, ControlError> {
    book.refund(out_refund_no)
        .ok_or_else(|| ControlError::NotFound(format!("no refund has outRefundNo {out_refund_no}")))
}

fn view(refund: &Refund) -> RefundView {
    RefundView {
        gateway: refund.gateway,
        out_refund_no: refund.out_refund_no.clone(),
        refund_id: refund.refund_id.clone(),
        out_trade_no: refund.out_trade_no.clone(),
        transaction_id: refund.transaction_id.clone(),
        status: refund.status,
        refund: refund.amount,
        total: refund.total,
        currency: refund.currency,
        reason: refund.reason.clone(),
        created_at: refund.created_at,
        success_at: refund.success_at,
        notice_id: refund.notice_id.clone(),
        callbacks: refund.attempts.clone(),
    }
}
