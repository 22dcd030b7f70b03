//! What happens by itself, on the sandbox's clock.

use crate::book::{Action, Change, Task};
use crate::control::ControlError;
use crate::control::views::PayRequest;
use crate::{Sandbox, SandboxError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Actions taken up at a time.
const BATCH: usize = 256;
/// The clock may be moved from outside, so it is looked at this often.
const TICK: Duration = Duration::from_millis(100);

/// An action that this process is carrying out; given back when dropped, done or not.
struct Claim {
    sandbox: Sandbox,
    action: Action,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.sandbox.book().release(self.action.id);
    }
}

impl Sandbox {
    /// Carries out everything that is due by the sandbox's clock, and what follows from it and
    /// is due as well; answers when the merchant has answered, with the number of actions.
    pub async fn run_due(&self) -> usize {
        let mut ran = 0;
        loop {
            let claims = self.claim_due();
            if claims.is_empty() {
                if !self.book().anything_due(self.now()) {
                    return ran;
                }
                // The background loop is at it.
                tokio::time::sleep(Duration::from_millis(2)).await;
                continue;
            }
            let count = claims.len();
            if let Err(error) = self.carry_out(claims).await {
                tracing::error!(%error, "the sandbox's schedule stopped");
                return ran;
            }
            ran += count;
        }
    }

    /// Carries out what is due until it is stopped. What is unfinished then stays in the book.
    pub async fn run(self, stop: CancellationToken) {
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            let claims = self.claim_due();
            if !claims.is_empty() {
                let sandbox = self.clone();
                // On its own, so that one slow merchant delays nobody else's notice.
                running.spawn(async move {
                    if let Err(error) = sandbox.carry_out(claims).await {
                        tracing::error!(%error, "the sandbox's schedule failed, and tries again");
                    }
                });
            }
            while running.try_join_next().is_some() {}
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.woken() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    fn claim_due(&self) -> Vec<Claim> {
        let actions = self.book().claim_due(self.now(), BATCH);
        actions
            .into_iter()
            .map(|action| Claim {
                sandbox: self.clone(),
                action,
            })
            .collect()
    }

    /// What only changes the book happens in order; notices go out side by side.
    async fn carry_out(&self, claims: Vec<Claim>) -> Result<(), SandboxError> {
        let mut notices = JoinSet::new();
        for claim in claims {
            match &claim.action.task {
                Task::Autopay { out_trade_no } => self.autopay(claim.action.id, out_trade_no)?,
                Task::FinishRefund { out_refund_no } => {
                    self.finish_refund(claim.action.id, out_refund_no)?;
                    self.wake();
                }
                Task::Notify {
                    about,
                    bad_signature,
                    attempt,
                } => {
                    let (about, bad_signature, attempt) = (about.clone(), *bad_signature, *attempt);
                    notices.spawn(async move {
                        let Claim { sandbox, action } = &claim;
                        sandbox
                            .notify(action.id, &about, bad_signature, attempt)
                            .await
                    });
                }
            }
        }
        while let Some(delivered) = notices.join_next().await {
            delivered.map_err(|error| SandboxError::Notice(error.to_string()))??;
        }
        Ok(())
    }

    /// The payer pays, if the payment can still be paid.
    fn autopay(&self, action: u64, out_trade_no: &str) -> Result<(), SandboxError> {
        match self.pay(out_trade_no, PayRequest::default()) {
            Ok(_) => {}
            Err(ControlError::Sandbox(error)) => return Err(error),
            Err(reason) => tracing::debug!(out_trade_no, %reason, "not paid by itself"),
        }
        self.book().commit(vec![Change::Done(action)])
    }
}
