//! What WeChat does with payments: open, tell, close; and what the payer does: pay, fail.

use crate::book::{Book, Change, Paid, Payment, Task};
use crate::control::ControlError;
use crate::control::views::{
    PayCallback, PayRequest, PaymentFilter, PaymentList, PaymentState, PaymentView, RefundStatus,
    TradeType, UnknownOutcome,
};
use crate::wechat::Refusal;
use crate::{Sandbox, ids};
use connectors::wechat_pay::wire::{
    Payer, PrepayRequest, Transaction, TransactionAmount, beijing_time,
};
use domain::{Span, Ts};

/// How late a `late` callback is unless it is told.
pub(crate) const LATE_SECONDS: u32 = 600;

impl Sandbox {
    /// Opens a payment, or finds it open; the answer is its `prepay_id` or `code_url`.
    pub(crate) fn prepay(
        &self,
        trade_type: TradeType,
        request: PrepayRequest,
    ) -> Result<String, Refusal> {
        let now = self.now();
        self.check_prepay(trade_type, &request)?;
        let asked = new_payment(trade_type, request, now)?;
        let mut book = self.book();
        let handle = match book.payment(&asked.out_trade_no) {
            Some(known) => repeated(known, &asked, now)?,
            None => {
                let handle = asked.handle.clone();
                let mut changes = Vec::new();
                let autopay = book.settings().autopay.clone();
                if autopay.enabled {
                    let due = now + Span::seconds(autopay.delay_seconds.into());
                    let out_trade_no = asked.out_trade_no.clone();
                    changes.push(book.schedule(due, Task::Autopay { out_trade_no }));
                }
                changes.push(Change::Payment(Box::new(asked)));
                book.commit(changes)?;
                self.wake();
                handle
            }
        };
        Refusal::after(book.settings(), UnknownOutcome::Prepay)?;
        Ok(handle)
    }

    fn check_prepay(&self, trade_type: TradeType, request: &PrepayRequest) -> Result<(), Refusal> {
        let number = &request.out_trade_no;
        let well_formed = number
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte));
        let characters = |text: &str| text.chars().count();
        let notify = reqwest::Url::parse(&request.notify_url);
        let notify_ok = notify
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none());
        self.check_merchant(Some(&request.appid), &request.mchid)?;
        let wrong = if !(6..=32).contains(&number.len()) || !well_formed {
            "out_trade_no must be 6 to 32 of 0-9A-Za-z_-|*"
        } else if !(1..=127).contains(&characters(&request.description)) {
            "description must have 1 to 127 characters"
        } else if request
            .attach
            .as_deref()
            .is_some_and(|attach| characters(attach) > 128)
        {
            "attach must have at most 128 characters"
        } else if !notify_ok || request.notify_url.len() > 255 {
            "notify_url must be a URL of at most 255 characters without a query"
        } else if request.amount.total < 1 {
            "amount.total must be at least 1"
        } else if request.amount.currency != "CNY" {
            "amount.currency must be CNY"
        } else if trade_type == TradeType::Jsapi
            && request
                .payer
                .as_ref()
                .is_none_or(|payer| payer.openid.is_empty())
        {
            "payer.openid must be given"
        } else {
            return Ok(());
        };
        Err(Refusal::param(wrong))
    }

    /// How a payment stands, by the merchant's number.
    pub(crate) fn transaction(&self, out_trade_no: &str) -> Result<Transaction, Refusal> {
        let book = self.book();
        let payment = book
            .payment(out_trade_no)
            .ok_or_else(Refusal::no_such_order)?;
        Ok(self.describe(payment, book.state_of(payment)))
    }

    /// How a payment stands, by WeChat's number.
    pub(crate) fn transaction_by_id(&self, transaction_id: &str) -> Result<Transaction, Refusal> {
        let book = self.book();
        let payment = book
            .payment_of(transaction_id)
            .ok_or_else(Refusal::no_such_order)?;
        Ok(self.describe(payment, book.state_of(payment)))
    }

    /// A payment as query and callback tell it.
    pub(crate) fn describe(&self, payment: &Payment, state: PaymentState) -> Transaction {
        let paid = payment.paid.as_ref();
        let openid = payment
            .openid
            .clone()
            .unwrap_or_else(|| "oSandboxPayer".to_owned());
        Transaction {
            appid: self.keys().merchant.appid.clone(),
            mchid: self.keys().merchant.mchid.clone(),
            out_trade_no: payment.out_trade_no.clone(),
            transaction_id: paid.map(|paid| paid.transaction_id.clone()),
            trade_type: paid.map(|_| trade_type_name(payment.trade_type).to_owned()),
            trade_state: state.name().to_owned(),
            trade_state_desc: in_words(state).to_owned(),
            bank_type: paid.map(|_| "OTHERS".to_owned()),
            // Comes back only once it is paid.
            attach: paid.and(payment.attach.clone()),
            success_time: paid.map(|paid| beijing_time(paid.at)),
            payer: paid.map(|_| Payer { openid }),
            amount: Some(TransactionAmount {
                total: paid.map_or(payment.total, |paid| paid.total),
                payer_total: paid.map(|paid| paid.total),
                currency: payment.currency.clone(),
                payer_currency: paid.map(|_| payment.currency.clone()),
            }),
        }
    }

    /// Closes an unpaid payment.
    pub(crate) fn close_payment(&self, out_trade_no: &str) -> Result<(), Refusal> {
        let mut book = self.book();
        let payment = book
            .payment(out_trade_no)
            .ok_or_else(Refusal::no_such_order)?;
        match payment.state {
            PaymentState::Success | PaymentState::Refund => {
                return Err(Refusal::new(400, "ORDERPAID", "the order is paid"));
            }
            PaymentState::Closed => {
                return Err(Refusal::new(400, "ORDER_CLOSED", "the order is closed"));
            }
            PaymentState::NotPay | PaymentState::PayError => {
                let closed = Payment {
                    state: PaymentState::Closed,
                    ..payment.clone()
                };
                book.commit(vec![Change::Payment(Box::new(closed))])?;
            }
        }
        Refusal::after(book.settings(), UnknownOutcome::Close)
    }

    /// The payer pays. The same once more changes nothing.
    pub fn pay(
        &self,
        out_trade_no: &str,
        request: PayRequest,
    ) -> Result<PaymentView, ControlError> {
        let now = self.now();
        let mut book = self.book();
        let payment = known_payment(&book, out_trade_no)?.clone();
        let amount = amount_paid(&payment, &request)?;
        match (payment.state, &payment.paid) {
            (_, Some(paid)) if paid.request == request => return Ok(view(&book, &payment)),
            (PaymentState::NotPay | PaymentState::PayError, None)
                if now > payment.payable_until =>
            {
                return Err(ControlError::Conflict(format!(
                    "payment {out_trade_no} could be paid until {}; it is {now}",
                    payment.payable_until
                )));
            }
            // Whoever failed may try again: then the gateway's two words disagree.
            (PaymentState::NotPay | PaymentState::PayError, None) => {}
            (state, _) => {
                return Err(ControlError::Conflict(format!(
                    "payment {out_trade_no} is {}: only NOTPAY and PAYERROR can be paid",
                    state.name()
                )));
            }
        }
        let changes = paid_changes(&mut book, payment, request, amount, now);
        book.commit(changes)?;
        self.wake();
        Ok(view(&book, known_payment(&book, out_trade_no)?))
    }

    /// The payer fails; only a query tells. Once more changes nothing.
    pub fn fail(&self, out_trade_no: &str) -> Result<PaymentView, ControlError> {
        let mut book = self.book();
        let payment = known_payment(&book, out_trade_no)?.clone();
        match payment.state {
            PaymentState::PayError => {}
            PaymentState::NotPay => {
                let failed = Payment {
                    state: PaymentState::PayError,
                    ..payment
                };
                book.commit(vec![Change::Payment(Box::new(failed))])?;
            }
            state => {
                return Err(ControlError::Conflict(format!(
                    "payment {out_trade_no} is {}: only NOTPAY can fail",
                    state.name()
                )));
            }
        }
        Ok(view(&book, known_payment(&book, out_trade_no)?))
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

/// The payment that a prepay asks for.
fn new_payment(trade_type: TradeType, request: PrepayRequest, now: Ts) -> Result<Payment, Refusal> {
    // Without a time: 7 days; less than a minute and more than 90 days are corrected (WeChat Pay
    // API v3, prepay, `time_expire`).
    let payable_until = match &request.time_expire {
        None => now + Span::hours(24 * 7),
        Some(text) => Ts::parse(text)
            .map_err(|_| Refusal::param("time_expire must be RFC 3339 with a zone"))?
            .clamp(now + Span::minutes(1), now + Span::hours(24 * 90)),
    };
    Ok(Payment {
        out_trade_no: request.out_trade_no,
        trade_type,
        description: request.description,
        attach: request.attach,
        notify_url: request.notify_url,
        total: request.amount.total,
        currency: request.amount.currency,
        time_expire: request.time_expire,
        payable_until,
        openid: request.payer.map(|payer| payer.openid),
        handle: match trade_type {
            TradeType::Jsapi => ids::prepay_id(now),
            TradeType::Native => ids::code_url(),
        },
        created_at: now,
        state: PaymentState::NotPay,
        paid: None,
        attempts: Vec::new(),
    })
}

/// A prepay with a number that is known: only the very same is answered again.
fn repeated(known: &Payment, asked: &Payment, now: Ts) -> Result<String, Refusal> {
    match known.state {
        PaymentState::Success | PaymentState::Refund => {
            return Err(Refusal::new(403, "OUT_TRADE_NO_USED", "the order is paid"));
        }
        PaymentState::Closed => {
            return Err(Refusal::new(400, "ORDER_CLOSED", "the order is closed"));
        }
        PaymentState::PayError => {
            return Err(Refusal::new(403, "TRADE_ERROR", "the payment failed"));
        }
        PaymentState::NotPay => {}
    }
    let fields = |payment: &Payment| {
        let Payment {
            trade_type,
            description,
            attach,
            notify_url,
            total,
            currency,
            ..
        } = payment.clone();
        let terms = (payment.time_expire.clone(), payment.openid.clone());
        (
            trade_type,
            description,
            attach,
            notify_url,
            total,
            currency,
            terms,
        )
    };
    if fields(known) != fields(asked) {
        let message = "201 商户订单号重复: the order exists with other parameters";
        return Err(Refusal::new(400, "INVALID_REQUEST", message));
    }
    if now > known.payable_until {
        return Err(Refusal::new(400, "INVALID_REQUEST", "time_expire is over"));
    }
    Ok(known.handle.clone())
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
        (Some(..=0), _) => refuse("amount must be at least 1 fen"),
        (Some(amount), PayCallback::WrongAmount) if amount == payment.total => {
            refuse("amount is what was asked for: with `wrong_amount` it must differ")
        }
        (Some(amount), _) => Ok(amount),
        (None, PayCallback::WrongAmount) => Ok(one_off),
        (None, _) => Ok(payment.total),
    }
}

/// The payment paid, and its notice on the way.
fn paid_changes(
    book: &mut Book,
    payment: Payment,
    request: PayRequest,
    amount: i64,
    now: Ts,
) -> Vec<Change> {
    let (copies, bad_signature, delay) = match request.callback {
        PayCallback::Once | PayCallback::WrongAmount => (1, false, 0),
        PayCallback::Twice => (2, false, 0),
        PayCallback::Late => (1, false, request.late_seconds.unwrap_or(LATE_SECONDS)),
        PayCallback::Never => (0, false, 0),
        PayCallback::BadSignature => (1, true, 0),
    };
    let due = now + Span::seconds(delay.into());
    let mut changes = Vec::new();
    for _ in 0..copies {
        let out_trade_no = payment.out_trade_no.clone();
        let task = Task::NotifyPayment {
            out_trade_no,
            bad_signature,
            attempt: 0,
        };
        changes.push(book.schedule(due, task));
    }
    let paid = Paid {
        transaction_id: ids::transaction_id(now),
        at: now,
        total: amount,
        notice_id: ids::notice_id(now),
        request,
    };
    let paid = Payment {
        state: PaymentState::Success,
        paid: Some(paid),
        ..payment
    };
    changes.push(Change::Payment(Box::new(paid)));
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
    let refunds = book.live_refunds(&payment.out_trade_no);
    let succeeded = refunds.filter(|refund| refund.status == RefundStatus::Success);
    PaymentView {
        out_trade_no: payment.out_trade_no.clone(),
        trade_type: payment.trade_type,
        state: book.state_of(payment),
        description: payment.description.clone(),
        total: payment.total,
        currency: payment.currency.clone(),
        notify_url: payment.notify_url.clone(),
        payable_until: payment.payable_until,
        created_at: payment.created_at,
        openid: payment.openid.clone(),
        handle: payment.handle.clone(),
        transaction_id: paid.map(|paid| paid.transaction_id.clone()),
        paid_at: paid.map(|paid| paid.at),
        paid_total: paid.map(|paid| paid.total),
        refunded: succeeded.map(|refund| refund.refund).sum(),
        notice_id: paid.map(|paid| paid.notice_id.clone()),
        callbacks: payment.attempts.clone(),
    }
}

const fn trade_type_name(trade_type: TradeType) -> &'static str {
    match trade_type {
        TradeType::Jsapi => "JSAPI",
        TradeType::Native => "NATIVE",
    }
}

/// `trade_state_desc`.
const fn in_words(state: PaymentState) -> &'static str {
    match state {
        PaymentState::NotPay => "订单未支付",
        PaymentState::Success => "支付成功",
        PaymentState::Refund => "订单发生过退款，退款详情请查询退款单",
        PaymentState::Closed => "订单已关闭",
        PaymentState::PayError => "支付失败",
    }
}
