//! A gateway as the engine speaks to it: behind its breaker, tried again where that is safe, counted.

use super::breaker::Breaker;
use crate::counting;
use connectors::gateway::{
    AbnormalRefund, Bill, Callback, CallbackError, GatewayError, Notice, Operation, PaymentGateway,
    PaymentRef, PaymentStarted, PaymentState, RefundRef, RefundState, StartPayment, StartRefund,
    Terms,
};
use domain::Ts;
use domain::payment::GatewayName;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::future::Future;
use std::time::Duration;

/// How often a call is made at once before it is left to its schedule.
const CALLS: u32 = 3;
/// The longest wait before the second call; the third waits up to twice as long.
const WAIT: Duration = Duration::from_millis(100);

/// One gateway behind its breaker.
#[derive(Clone, Copy)]
pub(crate) struct Guarded<'a> {
    pub(super) gateway: &'a dyn PaymentGateway,
    pub(super) breaker: &'a Breaker,
    pub(super) now: Ts,
}

/// Gives the breaker's probe back if nobody waits for its end.
struct Waiting<'a>(Option<&'a Breaker>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(breaker) = self.0 {
            breaker.abandoned();
        }
    }
}

impl<'a> Guarded<'a> {
    pub fn name(self) -> GatewayName {
        self.gateway.name()
    }

    pub fn terms(self) -> &'a Terms {
        self.gateway.terms()
    }

    /// Where the days of its bills begin and end.
    pub fn bill_zone(self) -> TimeZone {
        self.gateway.bill_zone()
    }

    /// Whether the money moves only when we fetch it.
    pub fn collects(self) -> bool {
        self.gateway.collects()
    }

    pub async fn start(self, payment: &StartPayment) -> Result<PaymentStarted, GatewayError> {
        self.call(Operation::Start, || self.gateway.start(payment, self.now))
            .await
    }

    pub async fn query(self, payment: &PaymentRef) -> Result<PaymentState, GatewayError> {
        self.call(Operation::Query, || self.gateway.query(payment, self.now))
            .await
    }

    pub async fn collect(self, payment: &PaymentRef) -> Result<PaymentState, GatewayError> {
        self.call(Operation::Collect, || {
            self.gateway.collect(payment, self.now)
        })
        .await
    }

    pub async fn close(self, payment: &PaymentRef) -> Result<(), GatewayError> {
        self.call(Operation::Close, || self.gateway.close(payment, self.now))
            .await
    }

    pub async fn refund(self, refund: &StartRefund) -> Result<RefundState, GatewayError> {
        self.call(Operation::Refund, || self.gateway.refund(refund, self.now))
            .await
    }

    pub async fn query_refund(self, refund: &RefundRef) -> Result<RefundState, GatewayError> {
        self.call(Operation::QueryRefund, || {
            self.gateway.query_refund(refund, self.now)
        })
        .await
    }

    pub async fn refund_elsewhere(
        self,
        refund: &RefundRef,
        to: &AbnormalRefund,
    ) -> Result<RefundState, GatewayError> {
        self.call(Operation::RefundElsewhere, || {
            self.gateway.refund_elsewhere(refund, to, self.now)
        })
        .await
    }

    pub async fn bill(self, day: Date) -> Result<Bill, GatewayError> {
        self.call(Operation::Bill, || self.gateway.bill(day, self.now))
            .await
    }

    /// Reads a callback. That says nothing of how the gateway is doing when it is called.
    pub async fn callback(self, callback: &Callback<'_>) -> Result<Notice, CallbackError> {
        let heard = self.gateway.callback(callback, self.now).await;
        counting::callback(self.name(), &heard);
        heard
    }

    /// Makes a call, and makes it again at once where nothing was done: after a random while, so
    /// that many don't come back at the same moment. What is unknown is never repeated here.
    async fn call<T, F>(self, operation: Operation, make: impl Fn() -> F) -> Result<T, GatewayError>
    where
        F: Future<Output = Result<T, GatewayError>>,
    {
        let mut wait = WAIT;
        for left in (0..CALLS).rev() {
            let answer = self.call_once(operation, make()).await;
            match answer {
                // A bill that is not made yet is not there a moment later either.
                Err(GatewayError::Unavailable { .. })
                    if left > 0 && operation != Operation::Bill =>
                {
                    if self.breaker.state(self.now) != super::BreakerState::Closed {
                        return answer;
                    }
                    tokio::time::sleep(wait.mul_f64(rand::random())).await;
                    wait *= 2;
                }
                answer => return answer,
            }
        }
        // The last round returned.
        Err(operation.unavailable(self.name(), "no call was made"))
    }

    async fn call_once<T>(
        self,
        operation: Operation,
        call: impl Future<Output = Result<T, GatewayError>>,
    ) -> Result<T, GatewayError> {
        if let Err(until) = self.breaker.may_call(self.now) {
            let reason = format!(
                "it failed {} times and is left alone until {until}",
                super::FAILURES
            );
            return Err(operation.unavailable(self.name(), reason));
        }
        let started = std::time::Instant::now();
        let mut waiting = Waiting(Some(self.breaker));
        let answer = call.await;
        waiting.0 = None;
        counting::call(self.name(), operation, &answer, started.elapsed());
        match &answer {
            Ok(_) | Err(GatewayError::Refused { .. }) => self.breaker.answered(),
            // A bill that is not made yet is an answer.
            Err(GatewayError::Unavailable { .. }) if operation == Operation::Bill => {
                self.breaker.answered();
            }
            Err(error @ (GatewayError::Unavailable { .. } | GatewayError::Unknown { .. })) => {
                if self.breaker.failed(self.now) {
                    tracing::error!(gateway = %self.name(), %error, "the gateway fails; it is left alone for a while");
                }
            }
        }
        answer
    }
}
