//! What WeChat does with refunds.

use crate::book::{Book, Change, Payment, Refund, Task};
use crate::control::ControlError;
use crate::control::views::{
    OutcomeCallback, OutcomeRequest, RefundFilter, RefundList, RefundRefusal, RefundStatus,
    RefundView, Total, Totals, UnknownOutcome,
};
use crate::payments::LATE_SECONDS;
use crate::wechat::Refusal;
use crate::{Sandbox, SandboxError, ids};
use connectors::wechat_pay::wire::{self, RefundAmount, RefundNotice, RefundRequest, beijing_time};
use domain::{Span, Ts};

/// WeChat Pay API v3, refunds: at most so many of one payment.
const MAX_REFUNDS: usize = 50;
/// WeChat Pay API v3, refunds: not later than this after the payment.
const MAX_DAYS: i64 = 365;
/// Where the money goes, in words.
const RECEIVED_ACCOUNT: &str = "支付用户零钱";

impl Sandbox {
    /// Accepts a refund, or finds it accepted: a number is refunded only once.
    pub(crate) fn refund_payment(&self, request: RefundRequest) -> Result<wire::Refund, Refusal> {
        let now = self.now();
        check_request(&request)?;
        let mut book = self.book();
        let payment = paid_payment(&book, &request)?.clone();
        let answer = match book.refund(&request.out_refund_no) {
            Some(known) if same(known, &payment, &request) => describe(known),
            Some(_) => {
                let message = "out_refund_no was used with another order or amount";
                return Err(Refusal::new(400, "INVALID_REQUEST", message));
            }
            None => {
                if let Some(refusal) = book.settings().faults.refuse_refunds {
                    return Err(refused(refusal));
                }
                let refund = new_refund(&book, &payment, request, now)?;
                let answer = describe(&refund);
                let out_refund_no = refund.out_refund_no.clone();
                let finish = book.schedule(now, Task::FinishRefund { out_refund_no });
                book.commit(vec![Change::Refund(Box::new(refund)), finish])?;
                self.wake();
                answer
            }
        };
        Refusal::after(book.settings(), UnknownOutcome::Refund)?;
        Ok(answer)
    }

    /// How a refund stands.
    pub(crate) fn told_refund(&self, out_refund_no: &str) -> Result<wire::Refund, Refusal> {
        let book = self.book();
        let missing = || Refusal::new(404, "RESOURCE_NOT_EXISTS", "the refund does not exist");
        book.refund(out_refund_no).map(describe).ok_or_else(missing)
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
            let outcome = OutcomeRequest {
                status: RefundStatus::Success,
                callback: OutcomeCallback::Once,
                late_seconds: None,
            };
            changes.extend(ended(&mut book, refund, &outcome, now));
        }
        book.commit(changes)
    }

    /// Decides how a refund ends. The same once more changes nothing.
    pub fn set_refund_outcome(
        &self,
        out_refund_no: &str,
        outcome: &OutcomeRequest,
    ) -> Result<RefundView, ControlError> {
        if outcome.late_seconds.is_some() && outcome.callback != OutcomeCallback::Late {
            let message = "lateSeconds goes with callback `late` only";
            return Err(ControlError::BadRequest(message.to_owned()));
        }
        let now = self.now();
        let mut book = self.book();
        let refund = known_refund(&book, out_refund_no)?.clone();
        match (refund.status, outcome.status) {
            (RefundStatus::Processing, RefundStatus::Processing) if !refund.held => {}
            (from, to) if from == to => return Ok(view(&refund)),
            (RefundStatus::Processing | RefundStatus::Abnormal, _) => {}
            (from @ (RefundStatus::Success | RefundStatus::Closed), to) => {
                return Err(ControlError::Conflict(format!(
                    "refund {out_refund_no} is {} for good and can't become {}: switch on the \
                     fault refundsHang before it is sent",
                    from.name(),
                    to.name()
                )));
            }
        }
        let changes = ended(&mut book, refund, outcome, now);
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
            .filter(|refund| filter.status.is_none_or(|status| refund.status == status))
            .filter(|refund| of.is_none_or(|number| refund.out_trade_no == *number))
            .collect();
        let shown = matches.iter().take(filter.limit.unwrap_or(100));
        RefundList {
            count: matches.len(),
            refunds: shown.map(|refund| view(refund)).collect(),
        }
    }

    /// Where the money is.
    pub fn totals(&self) -> Totals {
        let book = self.book();
        let mut totals = Totals::default();
        for paid in book.payments().filter_map(|payment| payment.paid.as_ref()) {
            add(&mut totals.paid, paid.total);
        }
        for refund in book
            .refunds()
            .filter(|refund| refund.status == RefundStatus::Success)
        {
            add(&mut totals.refunded, refund.refund);
        }
        totals.net_fen = totals.paid.fen - totals.refunded.fen;
        totals
    }

    /// What the notice of a refund tells.
    pub(crate) fn refund_notice(&self, refund: &Refund) -> RefundNotice {
        let mut amount = amounts(refund);
        amount.currency = None;
        RefundNotice {
            mchid: self.keys().merchant.mchid.clone(),
            out_trade_no: refund.out_trade_no.clone(),
            transaction_id: refund.transaction_id.clone(),
            out_refund_no: refund.out_refund_no.clone(),
            refund_id: refund.refund_id.clone(),
            refund_status: refund.status.name().to_owned(),
            success_time: refund.success_at.map(beijing_time),
            user_received_account: RECEIVED_ACCOUNT.to_owned(),
            amount,
        }
    }
}

fn check_request(request: &RefundRequest) -> Result<(), Refusal> {
    let number = &request.out_refund_no;
    let well_formed = number
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte));
    let wrong = if !(1..=64).contains(&number.len()) || !well_formed {
        "out_refund_no must be 1 to 64 of 0-9A-Za-z_-|*@"
    } else if request.amount.refund < 1 {
        "amount.refund must be at least 1"
    } else if request.amount.currency != "CNY" {
        "amount.currency must be CNY"
    } else if request
        .reason
        .as_deref()
        .is_some_and(|reason| reason.chars().count() > 80)
    {
        "reason must have at most 80 characters"
    } else if request
        .notify_url
        .as_deref()
        .is_some_and(|url| url.len() > 256)
    {
        "notify_url must have at most 256 characters"
    } else if request.transaction_id.is_some() == request.out_trade_no.is_some() {
        "one of transaction_id and out_trade_no must be given"
    } else {
        return Ok(());
    };
    Err(Refusal::param(wrong))
}

/// The payment that is to be refunded; it must have been paid.
fn paid_payment<'b>(book: &'b Book, request: &RefundRequest) -> Result<&'b Payment, Refusal> {
    let payment = match (&request.transaction_id, &request.out_trade_no) {
        (Some(id), _) => book.payment_of(id),
        (None, Some(number)) => book.payment(number),
        (None, None) => None,
    };
    payment
        .filter(|payment| payment.paid.is_some())
        .ok_or_else(|| {
            Refusal::new(
                404,
                "RESOURCE_NOT_EXISTS",
                "the order does not exist or is not paid",
            )
        })
}

fn same(known: &Refund, payment: &Payment, request: &RefundRequest) -> bool {
    known.out_trade_no == payment.out_trade_no
        && known.refund == request.amount.refund
        && known.total == request.amount.total
}

fn new_refund(
    book: &Book,
    payment: &Payment,
    request: RefundRequest,
    now: Ts,
) -> Result<Refund, Refusal> {
    let paid = payment.paid.as_ref().ok_or_else(Refusal::no_such_order)?;
    let invalid = |message: &str| Err(Refusal::new(400, "INVALID_REQUEST", message));
    if request.amount.total != paid.total {
        return invalid("amount.total is not the amount that was paid");
    }
    if now.since(paid.at) > Span::hours(24 * MAX_DAYS) {
        return invalid("the order was paid more than a year ago");
    }
    let (mut count, mut sum) = (0, request.amount.refund);
    for refund in book.live_refunds(&payment.out_trade_no) {
        count += 1;
        sum += refund.refund;
    }
    if count >= MAX_REFUNDS {
        return invalid("the order has 50 refunds already");
    }
    if sum > paid.total {
        return invalid("the refunds would be more than was paid");
    }
    Ok(Refund {
        out_refund_no: request.out_refund_no,
        refund_id: ids::refund_id(now),
        out_trade_no: payment.out_trade_no.clone(),
        transaction_id: paid.transaction_id.clone(),
        reason: request.reason,
        notify_url: request.notify_url,
        refund: request.amount.refund,
        total: paid.total,
        currency: payment.currency.clone(),
        status: RefundStatus::Processing,
        held: false,
        created_at: now,
        success_at: None,
        notice_id: ids::notice_id(now),
        attempts: Vec::new(),
    })
}

/// The refund ended so, and its notice on the way.
fn ended(book: &mut Book, mut refund: Refund, outcome: &OutcomeRequest, now: Ts) -> Vec<Change> {
    let (copies, bad_signature, delay) = match outcome.callback {
        OutcomeCallback::Once => (1, false, 0),
        OutcomeCallback::Twice => (2, false, 0),
        OutcomeCallback::Late => (1, false, outcome.late_seconds.unwrap_or(LATE_SECONDS)),
        OutcomeCallback::Never => (0, false, 0),
        OutcomeCallback::BadSignature => (1, true, 0),
    };
    let mut changes = Vec::new();
    // WeChat tells of ends only, and only where it was told where.
    if outcome.status != RefundStatus::Processing && refund.notify_url.is_some() {
        for _ in 0..copies {
            let out_refund_no = refund.out_refund_no.clone();
            let task = Task::NotifyRefund {
                out_refund_no,
                bad_signature,
                attempt: 0,
            };
            changes.push(book.schedule(now + Span::seconds(delay.into()), task));
        }
    }
    if refund.status != RefundStatus::Processing {
        // Another end is another notice.
        refund.notice_id = ids::notice_id(now);
    }
    refund.held = outcome.status == RefundStatus::Processing;
    refund.success_at = (outcome.status == RefundStatus::Success).then_some(now);
    refund.status = outcome.status;
    changes.push(Change::Refund(Box::new(refund)));
    changes
}

/// A refund as the answer to its request and its query tell it.
fn describe(refund: &Refund) -> wire::Refund {
    wire::Refund {
        refund_id: refund.refund_id.clone(),
        out_refund_no: refund.out_refund_no.clone(),
        transaction_id: refund.transaction_id.clone(),
        out_trade_no: refund.out_trade_no.clone(),
        channel: "ORIGINAL".to_owned(),
        user_received_account: RECEIVED_ACCOUNT.to_owned(),
        success_time: refund.success_at.map(beijing_time),
        create_time: beijing_time(refund.created_at),
        status: refund.status.name().to_owned(),
        amount: amounts(refund),
    }
}

fn amounts(refund: &Refund) -> RefundAmount {
    RefundAmount {
        total: refund.total,
        refund: refund.refund,
        payer_total: refund.total,
        payer_refund: refund.refund,
        currency: Some(refund.currency.clone()),
    }
}

fn refused(refusal: RefundRefusal) -> Refusal {
    match refusal {
        RefundRefusal::NotEnough => Refusal::new(403, "NOT_ENOUGH", "基本账户余额不足"),
        RefundRefusal::UserAccountAbnormal => {
            Refusal::new(403, "USER_ACCOUNT_ABNORMAL", "用户账号异常")
        }
        RefundRefusal::NoAuth => Refusal::new(403, "NO_AUTH", "没有退款权限"),
        RefundRefusal::RequestBlocked => Refusal::new(403, "REQUEST_BLOCKED", "请求受阻"),
        RefundRefusal::InvalidRequest => Refusal::new(400, "INVALID_REQUEST", "无效请求"),
        RefundRefusal::FrequencyLimited => Refusal::new(429, "FREQUENCY_LIMITED", "频率限制"),
        RefundRefusal::SystemError => Refusal::new(500, "SYSTEM_ERROR", "系统超时"),
    }
}

fn known_refund<'b>(book: &'b Book, out_refund_no: &str) -> Result<&'b Refund, ControlError> {
    book.refund(out_refund_no)
        .ok_or_else(|| ControlError::NotFound(format!("no refund has outRefundNo {out_refund_no}")))
}

fn add(total: &mut Total, fen: i64) {
    total.count += 1;
    total.fen += fen;
}

fn view(refund: &Refund) -> RefundView {
    RefundView {
        out_refund_no: refund.out_refund_no.clone(),
        refund_id: refund.refund_id.clone(),
        out_trade_no: refund.out_trade_no.clone(),
        transaction_id: refund.transaction_id.clone(),
        status: refund.status,
        refund: refund.refund,
        total: refund.total,
        currency: refund.currency.clone(),
        reason: refund.reason.clone(),
        created_at: refund.created_at,
        success_at: refund.success_at,
        notice_id: refund.notice_id.clone(),
        callbacks: refund.attempts.clone(),
    }
}
