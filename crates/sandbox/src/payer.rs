//! What payers do: pay, agree, fail; and what the control API tells of payments.

use crate::Sandbox;
use crate::book::{About, Approved, Book, Change, Paid, Payment};
use crate::control::ControlError;
use crate::control::views::{
    PayCallback, PayRequest, PaymentFilter, PaymentList, PaymentState, PaymentView,
};
use crate::counterparty::Counterparty;
use crate::telling::Telling;
use domain::Ts;

impl Sandbox {
    /// The payer pays; with gateways of two steps, agrees. The same once more changes nothing.
    pub fn pay(
        &self,
        out_trade_no: &str,
        request: PayRequest,
    ) -> Result<PaymentView, ControlError> {
        let now = self.now();
        let mut book = self.book();
        let payment = known_payment(&book, out_trade_no)?.clone();
        let amount = amount_paid(&payment, &request)?;
        if is_repeated(&payment, &request) {
            return Ok(view(&book, &payment));
        }
        match payment.state {
            // Whoever failed may try again: then the gateway's two words disagree.
            PaymentState::NotPay | PaymentState::PayError => {}
            PaymentState::Approved
            | PaymentState::Success
            | PaymentState::Refund
            | PaymentState::Closed => {
                return Err(ControlError::Conflict(format!(
                    "payment {out_trade_no} is {}: only NOTPAY and PAYERROR can be paid",
                    payment.state.name()
                )));
            }
        }
        if now > payment.payable_until {
            return Err(ControlError::Conflict(format!(
                "payment {out_trade_no} could be paid until {}; it is {now}",
                payment.payable_until
            )));
        }
        let counterparty = self.counterparty(payment.gateway)?;
        let changes = if counterparty.two_steps() {
            approved_changes(&mut book, counterparty, payment, request, amount, now)
        } else {
            paid_changes(&mut book, counterparty, payment, request, amount, now)
        };
        book.commit(changes)?;
        self.wake();
        Ok(view(&book, known_payment(&book, out_trade_no)?))
    }

    /// The payer fails; only a query tells. Once more changes nothing.
    pub fn fail(&self, out_trade_no: &str) -> Result<PaymentView, ControlError> {
        let now = self.now();
        let mut book = self.book();
        let mut payment = known_payment(&book, out_trade_no)?.clone();
        match payment.state {
            PaymentState::PayError => {}
            PaymentState::NotPay => {
                payment.state = PaymentState::PayError;
                payment.seen_at.get_or_insert(now);
                book.commit(vec![Change::Payment(Box::new(payment))])?;
            }
            state @ (PaymentState::Approved
            | PaymentState::Success
            | PaymentState::Refund
            | PaymentState::Closed) => {
                return Err(ControlError::Conflict(format!(
                    "payment {out_trade_no} is {}: only NOTPAY can fail",
                    state.name()
                )));
            }
        }
        Ok(view(&book, known_payment(&book, out_trade_no)?))
    }

    /// The payer looks at the cashier.
    pub(crate) fn seen(&self, out_trade_no: &str) -> Result<Payment, ControlError> {
        let now = self.now();
        let mut book = self.book();
        let mut payment = known_payment(&book, out_trade_no)?.clone();
        if payment.seen_at.is_none() {
            payment.seen_at = Some(now);
            book.commit(vec![Change::Payment(Box::new(payment.clone()))])?;
        }
        Ok(payment)
    }

    /// One payment.
    pub fn payment(&self, out_trade_no: &str) -> Result<PaymentView, ControlError> {
        let book = self.book();
        Ok(view(&book, known_payment(&book, out_trade_no)?))
    }

    /// The payments that match, the newest first.
    pub fn payments(&self, filter: &PaymentFilter) -> PaymentList {
        let book = self.book();
        let matches: Vec<_> = book
            .payments()
            .rev()
            .filter(|payment| filter.gateway.is_none_or(|name| payment.gateway == name))
            .filter(|payment| {
                filter
                    .state
                    .is_none_or(|state| book.state_of(payment) == state)
            })
            .collect();
        let shown = matches.iter().take(filter.limit.unwrap_or(100));
        PaymentList {
            count: matches.len(),
            payments: shown.map(|payment| view(&book, payment)).collect(),
        }
    }
}

/// Whether the payer did this already.
fn is_repeated(payment: &Payment, request: &PayRequest) -> bool {
    let paid = payment.paid.as_ref().map(|paid| &paid.request);
    let approved = payment.approved.as_ref().map(|approved| &approved.request);
    match payment.state {
        PaymentState::Success | PaymentState::Refund => paid == Some(request),
        PaymentState::Approved => approved == Some(request),
        PaymentState::NotPay | PaymentState::Closed | PaymentState::PayError => false,
    }
}

fn amount_paid(payment: &Payment, request: &PayRequest) -> Result<i64, ControlError> {
    let refuse = |message: &str| Err(ControlError::BadRequest(message.to_owned()));
    if request.late_seconds.is_some() && request.callback != PayCallback::Late {
        return refuse("lateSeconds goes with callback `late` only");
    }
    let one_off = if payment.total > 1 {
        payment.total - 1
    } else {
        payment.total + 1
    };
    match (request.amount, request.callback) {
        (Some(..=0), _) => refuse("amount must be at least 1 minor unit"),
        (Some(amount), PayCallback::WrongAmount) if amount == payment.total => {
            refuse("amount is what was asked for: with `wrong_amount` it must differ")
        }
        (Some(amount), _) => Ok(amount),
        (None, PayCallback::WrongAmount) => Ok(one_off),
        (None, _) => Ok(payment.total),
    }
}

/// The payment agreed to, and its notice on the way.
fn approved_changes(
    book: &mut Book,
    counterparty: &dyn Counterparty,
    mut payment: Payment,
    request: PayRequest,
    total: i64,
    now: Ts,
) -> Vec<Change> {
    let about = About::Approved(payment.out_trade_no.clone());
    let hit = book
        .faults(payment.gateway)
        .payment_hit(&payment.out_trade_no);
    let mut changes = Telling::of_payment(&request, hit).schedule(book, &about, now);
    payment.approved = Some(Approved {
        at: now,
        total,
        notice_id: counterparty.notice_id(now),
        request,
    });
    payment.state = PaymentState::Approved;
    payment.seen_at.get_or_insert(now);
    changes.push(Change::Payment(Box::new(payment)));
    changes
}

/// The payment paid, and its notice on the way.
pub(crate) fn paid_changes(
    book: &mut Book,
    counterparty: &dyn Counterparty,
    mut payment: Payment,
    request: PayRequest,
    total: i64,
    now: Ts,
) -> Vec<Change> {
    let about = About::Paid(payment.out_trade_no.clone());
    let hit = book
        .faults(payment.gateway)
        .payment_hit(&payment.out_trade_no);
    let mut changes = Telling::of_payment(&request, hit).schedule(book, &about, now);
    payment.paid = Some(Paid {
        transaction_id: counterparty.transaction_id(&payment, now),
        at: now,
        total,
        notice_id: counterparty.notice_id(now),
        request,
    });
    payment.state = PaymentState::Success;
    payment.seen_at.get_or_insert(now);
    changes.push(Change::Payment(Box::new(payment)));
    changes
}

pub(crate) fn known_payment<'b>(
    book: &'b Book,
    out_trade_no: &str,
) -> Result<&'b Payment, ControlError> {
    book.payment(out_trade_no)
        .ok_or_else(|| ControlError::NotFound(format!("no payment has outTradeNo {out_trade_no}")))
}

fn view(book: &Book, payment: &Payment) -> PaymentView {
    let paid = payment.paid.as_ref();
    PaymentView {
        gateway: payment.gateway,
        out_trade_no: payment.out_trade_no.clone(),
        method: payment.method,
        state: book.state_of(payment),
        description: payment.description.clone(),
        total: payment.total,
        currency: payment.currency,
        notify_url: payment.notify_url.clone(),
        payable_until: payment.payable_until,
        created_at: payment.created_at,
        payer: payment.payer.clone(),
        handle: payment.handle.clone(),
        transaction_id: paid.map(|paid| paid.transaction_id.clone()),
        paid_at: paid.map(|paid| paid.at),
        paid_total: paid.map(|paid| paid.total),
        refunded: book.refunded(&payment.out_trade_no),
        notice_id: paid.map(|paid| paid.notice_id.clone()),
        callbacks: payment.attempts.clone(),
    }
}
