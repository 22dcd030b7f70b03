//! Bringing notices to the merchant (WeChat Pay API v3, payment and refund notices).

use crate::book::{Change, Payment, Refund, Task, remember};
use crate::control::ControlError;
use crate::control::views::{CallbackAttempt, PaymentState, RedeliverRequest, Redelivered};
use crate::payments::known_payment;
use crate::{Sandbox, SandboxError};
use axum::http::header::CONTENT_TYPE;
use connectors::wechat_pay::wire::{Notification, beijing_time};
use domain::{Span, Ts};
use serde::Serialize;
use std::error::Error as _;
use tokio::task::JoinSet;

/// So many seconds after each failed attempt comes the next; after the last one WeChat gives up.
const RETRY_SECONDS: [i64; 15] = [
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
];

/// A notice, ready to be sealed and signed anew for each copy.
#[derive(Clone)]
struct Notice {
    url: String,
    id: String,
    event_type: String,
    summary: &'static str,
    kind: &'static str,
    made_at: Ts,
    resource: Vec<u8>,
}

impl Sandbox {
    /// Delivers a notice of the schedule once. Accepted, it is done; otherwise the next attempt
    /// is scheduled. A kill in between delivers it once more, as WeChat's own may come twice.
    pub(crate) async fn notify(&self, action: u64, task: Task) -> Result<(), SandboxError> {
        let (notice, bad_signature, attempt) = match &task {
            Task::NotifyPayment {
                out_trade_no,
                bad_signature,
                attempt,
            } => (
                self.notice_of_payment(out_trade_no)?,
                *bad_signature,
                *attempt,
            ),
            Task::NotifyRefund {
                out_refund_no,
                bad_signature,
                attempt,
            } => (
                self.notice_of_refund(out_refund_no)?,
                *bad_signature,
                *attempt,
            ),
            Task::Autopay { .. } | Task::FinishRefund { .. } => (None, false, 0),
        };
        let Some(notice) = notice else {
            return self.book().commit(vec![Change::Done(action)]);
        };
        let outcome = if self.settings().faults.drop_callbacks {
            self.failed("lost on its way: the fault dropCallbacks is on".to_owned())
        } else {
            self.deliver(&notice, bad_signature, 0).await
        };
        let next = if outcome.accepted() {
            None
        } else {
            RETRY_SECONDS.get(attempt)
        };
        let done = match next {
            None => Change::Done(action),
            Some(&seconds) => {
                let due = self.now() + Span::seconds(seconds);
                let action = crate::book::Action {
                    id: action,
                    due,
                    task: next_attempt(task.clone()),
                };
                Change::Action(Box::new(action))
            }
        };
        let mut book = self.book();
        let remembered = match &task {
            Task::NotifyPayment { out_trade_no, .. } => {
                book.payment(out_trade_no).cloned().map(|mut payment| {
                    remember(&mut payment.attempts, outcome);
                    Change::Payment(Box::new(payment))
                })
            }
            Task::NotifyRefund { out_refund_no, .. } => {
                book.refund(out_refund_no).cloned().map(|mut refund| {
                    remember(&mut refund.attempts, outcome);
                    Change::Refund(Box::new(refund))
                })
            }
            Task::Autopay { .. } | Task::FinishRefund { .. } => None,
        };
        book.commit(remembered.into_iter().chain([done]).collect())
    }

    /// Sends the notice of a paid payment again, now, whatever was scheduled.
    pub async fn redeliver(
        &self,
        out_trade_no: &str,
        request: &RedeliverRequest,
    ) -> Result<Redelivered, ControlError> {
        if !(1..=50).contains(&request.times) {
            return Err(ControlError::BadRequest("times must be 1 to 50".to_owned()));
        }
        known_payment(&self.book(), out_trade_no)?;
        let notice = self.notice_of_payment(out_trade_no)?.ok_or_else(|| {
            ControlError::Conflict(format!(
                "payment {out_trade_no} is not paid: there is no notice to send"
            ))
        })?;
        let notice_id = notice.id.clone();
        let (bad_signature, stale) = (request.bad_signature, request.stale_seconds);
        let mut answers = Vec::new();
        if request.at_once {
            let mut copies = JoinSet::new();
            for _ in 0..request.times {
                let (sandbox, notice) = (self.clone(), notice.clone());
                copies.spawn(async move { sandbox.deliver(&notice, bad_signature, stale).await });
            }
            while let Some(answer) = copies.join_next().await {
                answers.push(answer.unwrap_or_else(|error| self.failed(error.to_string())));
            }
        } else {
            for _ in 0..request.times {
                answers.push(self.deliver(&notice, bad_signature, stale).await);
            }
        }
        let mut book = self.book();
        let mut payment = known_payment(&book, out_trade_no)?.clone();
        for answer in &answers {
            remember(&mut payment.attempts, answer.clone());
        }
        book.commit(vec![Change::Payment(Box::new(payment))])?;
        Ok(Redelivered { notice_id, answers })
    }

    /// One copy over HTTP. The merchant has five seconds to answer (of the client's time-out).
    async fn deliver(
        &self,
        notice: &Notice,
        bad_signature: bool,
        stale_seconds: u32,
    ) -> CallbackAttempt {
        // The semaphore is never closed; if it were, the copy would just go out unbounded.
        let _place = self.delivery_places().acquire().await.ok();
        let request = self.sealed(notice).and_then(|body| {
            let headers = self.signature_headers(&body, bad_signature, stale_seconds)?;
            Ok((body, headers))
        });
        let (body, headers) = match request {
            Ok(request) => request,
            Err(error) => return self.failed(error.to_string()),
        };
        let answer = self
            .http()
            .post(&notice.url)
            .headers(headers)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await;
        match answer {
            Ok(answer) => CallbackAttempt {
                at: self.now(),
                status: Some(answer.status().as_u16()),
                error: None,
            },
            Err(error) => {
                let reason = error
                    .source()
                    .map_or(String::new(), |source| format!(": {source}"));
                self.failed(format!("{error}{reason}"))
            }
        }
    }

    fn sealed(&self, notice: &Notice) -> Result<Vec<u8>, SandboxError> {
        let resource = self
            .keys()
            .resource
            .seal(notice.kind, &notice.resource)
            .map_err(|reason| SandboxError::Keys(reason.to_string()))?;
        encode(&Notification {
            id: notice.id.clone(),
            create_time: beijing_time(notice.made_at),
            resource_type: "encrypt-resource".to_owned(),
            event_type: notice.event_type.clone(),
            summary: notice.summary.to_owned(),
            resource,
        })
    }

    /// The notice of a payment, once it is paid. It tells of the paying, so a later refund
    /// doesn't change it.
    fn notice_of_payment(&self, out_trade_no: &str) -> Result<Option<Notice>, SandboxError> {
        let Some(payment) = self.book().payment(out_trade_no).cloned() else {
            return Ok(None);
        };
        let Payment {
            notify_url,
            paid: Some(paid),
            ..
        } = &payment
        else {
            return Ok(None);
        };
        Ok(Some(Notice {
            url: notify_url.clone(),
            id: paid.notice_id.clone(),
            event_type: "TRANSACTION.SUCCESS".to_owned(),
            summary: "支付成功",
            kind: "transaction",
            made_at: paid.at,
            resource: encode(&self.describe(&payment, PaymentState::Success))?,
        }))
    }

    fn notice_of_refund(&self, out_refund_no: &str) -> Result<Option<Notice>, SandboxError> {
        use crate::control::views::RefundStatus::{Abnormal, Closed, Processing, Success};
        let Some(refund) = self.book().refund(out_refund_no).cloned() else {
            return Ok(None);
        };
        let Refund {
            notify_url: Some(url),
            ..
        } = &refund
        else {
            return Ok(None);
        };
        let summary = match refund.status {
            // It was decided anew meanwhile; the notice of that end follows.
            Processing => return Ok(None),
            Success => "退款成功",
            Abnormal => "退款异常",
            Closed => "退款关闭",
        };
        Ok(Some(Notice {
            url: url.clone(),
            id: refund.notice_id.clone(),
            event_type: format!("REFUND.{}", refund.status.name()),
            summary,
            kind: "refund",
            made_at: refund.success_at.unwrap_or_else(|| self.now()),
            resource: encode(&self.refund_notice(&refund))?,
        }))
    }

    fn failed(&self, error: String) -> CallbackAttempt {
        CallbackAttempt {
            at: self.now(),
            status: None,
            error: Some(error),
        }
    }
}

fn next_attempt(task: Task) -> Task {
    match task {
        Task::NotifyPayment {
            out_trade_no,
            bad_signature,
            attempt,
        } => Task::NotifyPayment {
            out_trade_no,
            bad_signature,
            attempt: attempt + 1,
        },
        Task::NotifyRefund {
            out_refund_no,
            bad_signature,
            attempt,
        } => Task::NotifyRefund {
            out_refund_no,
            bad_signature,
            attempt: attempt + 1,
        },
        other @ (Task::Autopay { .. } | Task::FinishRefund { .. }) => other,
    }
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, SandboxError> {
    serde_json::to_vec(value).map_err(|reason| SandboxError::Notice(reason.to_string()))
}
