//! Bringing notices to the merchant, and again where it doesn't take them.

use crate::book::{About, Action, Change, Payment, Refund, Task, remember};
use crate::control::ControlError;
use crate::control::views::{CallbackAttempt, RedeliverRequest, Redelivered};
use crate::counterparty::{Counterparty, OutgoingNotice, Signing, Subject};
use crate::payer::known_payment;
use crate::{Sandbox, SandboxError};
use axum::http::header::CONTENT_TYPE;
use domain::Span;
use std::error::Error as _;
use tokio::task::JoinSet;

/// No more of the merchant's answer is read: what counts is the status and a word or two.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// What a notice is about, with everything that it tells.
#[derive(Clone)]
enum Event {
    Approved(Payment),
    Paid(Payment),
    Refund(Box<(Refund, Payment)>),
}

impl Event {
    fn subject(&self) -> Subject<'_> {
        match self {
            Self::Approved(payment) => Subject::PaymentApproved(payment),
            Self::Paid(payment) => Subject::PaymentPaid(payment),
            Self::Refund(both) => Subject::RefundEnded(&both.0, &both.1),
        }
    }

    fn payment(&self) -> &Payment {
        match self {
            Self::Approved(payment) | Self::Paid(payment) => payment,
            Self::Refund(both) => &both.1,
        }
    }
}

impl Sandbox {
    /// Delivers a notice of the schedule once. Accepted, it is done; otherwise the next attempt
    /// is scheduled. A kill in between delivers it once more, as a gateway's own may come twice.
    pub(crate) async fn notify(
        &self,
        action: u64,
        about: &About,
        bad_signature: bool,
        attempt: usize,
    ) -> Result<(), SandboxError> {
        let done = vec![Change::Done(action)];
        let Some(event) = self.event(about) else {
            return self.book().commit(done);
        };
        let gateway = event.payment().gateway;
        let counterparty = self.counterparty(gateway)?;
        let signing = Signing {
            wrong_key: bad_signature,
            stale_seconds: 0,
        };
        let Some(notice) = counterparty.notice(self, event.subject(), signing)? else {
            return self.book().commit(done);
        };
        let outcome = if self.faults_at(gateway).drop_callbacks {
            self.failed("lost on its way: the fault dropCallbacks is on".to_owned())
        } else {
            self.deliver(counterparty, notice).await
        };
        let next = counterparty.retry_seconds().get(attempt);
        let after = match next {
            Some(&seconds) if !outcome.accepted => Change::Action(Box::new(Action {
                id: action,
                due: self.now() + Span::seconds(seconds),
                task: Task::Notify {
                    about: about.clone(),
                    bad_signature,
                    attempt: attempt + 1,
                },
            })),
            Some(_) | None => Change::Done(action),
        };
        let mut book = self.book();
        // As it stands now: the merchant may have changed it while it was told.
        let remembered = match about {
            About::Approved(number) | About::Paid(number) => {
                book.payment(number).cloned().map(|mut payment| {
                    remember(&mut payment.attempts, outcome);
                    Change::Payment(Box::new(payment))
                })
            }
            About::Refund(number) => book.refund(number).cloned().map(|mut refund| {
                remember(&mut refund.attempts, outcome);
                Change::Refund(Box::new(refund))
            }),
        };
        book.commit(remembered.into_iter().chain([after]).collect())
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
        let event = self.told_of(out_trade_no).ok_or_else(|| {
            ControlError::Conflict(format!(
                "payment {out_trade_no} is not paid: there is no notice to send"
            ))
        })?;
        let notice_id = notice_id(event.payment());
        let signing = Signing {
            wrong_key: request.bad_signature,
            stale_seconds: request.stale_seconds,
        };
        let mut answers = Vec::new();
        if request.at_once {
            let mut copies = JoinSet::new();
            for _ in 0..request.times {
                let (sandbox, event) = (self.clone(), event.clone());
                copies.spawn(async move { sandbox.copy(&event, signing).await });
            }
            while let Some(answer) = copies.join_next().await {
                answers.push(answer.unwrap_or_else(|error| self.failed(error.to_string())));
            }
        } else {
            for _ in 0..request.times {
                answers.push(self.copy(&event, signing).await);
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

    /// One more copy of a notice.
    async fn copy(&self, event: &Event, signing: Signing) -> CallbackAttempt {
        let made = self
            .counterparty(event.payment().gateway)
            .and_then(|counterparty| {
                let notice = counterparty.notice(self, event.subject(), signing)?;
                Ok((counterparty, notice))
            });
        match made {
            Ok((counterparty, Some(notice))) => self.deliver(counterparty, notice).await,
            Ok((_, None)) => self.failed("there is nowhere to send it".to_owned()),
            Err(error) => self.failed(error.to_string()),
        }
    }

    /// One copy over HTTP. The merchant has five seconds to answer (of the client's time-out).
    async fn deliver(
        &self,
        counterparty: &dyn Counterparty,
        notice: OutgoingNotice,
    ) -> CallbackAttempt {
        // The semaphore is never closed; if it were, the copy would just go out unbounded.
        let _place = self.delivery_places().acquire().await.ok();
        let answer = self
            .http()
            .post(&notice.url)
            .headers(notice.headers)
            .header(CONTENT_TYPE, notice.content_type)
            .body(notice.body)
            .send()
            .await;
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.no_answer(&error),
        };
        let mut body = Vec::new();
        while body.len() < MAX_ANSWER_BYTES {
            match answer.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return self.no_answer(&error),
            }
        }
        let status = answer.status().as_u16();
        CallbackAttempt {
            at: self.now(),
            status: Some(status),
            accepted: counterparty.accepted(status, &body),
            error: None,
        }
    }

    /// What there is to tell, as it stands; nothing where it was overtaken.
    fn event(&self, about: &About) -> Option<Event> {
        let book = self.book();
        match about {
            About::Approved(number) => book
                .payment(number)
                .filter(|payment| payment.approved.is_some())
                .cloned()
                .map(Event::Approved),
            About::Paid(number) => book
                .payment(number)
                .filter(|payment| payment.paid.is_some())
                .cloned()
                .map(Event::Paid),
            About::Refund(number) => {
                let refund = book.refund(number)?;
                let payment = book.payment(&refund.out_trade_no)?;
                Some(Event::Refund(Box::new((refund.clone(), payment.clone()))))
            }
        }
    }

    /// The last thing that the merchant was told of a payment.
    fn told_of(&self, out_trade_no: &str) -> Option<Event> {
        self.event(&About::Paid(out_trade_no.to_owned()))
            .or_else(|| self.event(&About::Approved(out_trade_no.to_owned())))
    }

    fn no_answer(&self, error: &reqwest::Error) -> CallbackAttempt {
        let reason = error
            .source()
            .map_or(String::new(), |source| format!(": {source}"));
        self.failed(format!("{error}{reason}"))
    }

    fn failed(&self, error: String) -> CallbackAttempt {
        CallbackAttempt {
            at: self.now(),
            status: None,
            accepted: false,
            error: Some(error),
        }
    }
}

fn notice_id(payment: &Payment) -> String {
    let paid = payment.paid.as_ref().map(|paid| &paid.notice_id);
    let approved = payment
        .approved
        .as_ref()
        .map(|approved| &approved.notice_id);
    paid.or(approved).cloned().unwrap_or_default()
}
