//! Statuses 100 to 102: paying, and everything that a payer and a gateway can do wrong.

use super::{Play, Stage};
use crate::rehearse::script::Script;
use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;

/// By then the gateway has been asked for the first time (spec 20: after 10 seconds).
const FIRST_QUERY: i64 = 12;
/// How much later than its payment a late callback comes.
const LATE_SECONDS: i64 = 120;

impl Stage<'_> {
    pub(super) async fn paying(&self, script: Script, plays: &[Play]) -> Result<()> {
        use Script as S;
        match script {
            S::CancelledUnpaid => return self.all(plays, |p| self.cancel(p)).await,
            S::NeverPaid => return self.pass_minutes(30).await,
            S::FailedThenLeft => {
                self.failed(plays).await?;
                return self.pass_minutes(30).await;
            }
            S::CancelledPaying | S::CancelledPayingPaid | S::PayerTooLate => {
                return self.cancelled_while_paying(script, plays).await;
            }
            S::WrongAmount => return self.all(plays, |p| self.pay(p, "wrong_amount")).await,
            S::GatewayDownUnpaid => {
                self.unreachable(plays, false).await?;
                self.reach(plays, &[102]).await?;
                return self.pass_minutes(30).await;
            }
            S::CallbackLate => return self.callback_late(plays).await,
            S::FailedThenPaid => {
                self.failed(plays).await?;
                self.all(plays, |p| self.pay(p, "once")).await?;
            }
            S::MethodChanged => self.method_changed(plays).await?,
            S::ClosedThenPaid => {
                self.submitted(plays).await?;
                self.pass_minutes(5).await?;
                self.reach(plays, &[102]).await?;
                self.all(plays, |p| self.pay(p, "once")).await?;
            }
            S::CallbackLost => {
                self.all(plays, |p| self.pay(p, "never")).await?;
                self.pass(FIRST_QUERY).await?;
            }
            S::CallbackTwice => self.all(plays, |p| self.pay(p, "twice")).await?,
            S::CallbackForged => self.callback_forged(plays).await?,
            S::GatewayDownPaid => self.unreachable(plays, true).await?,
            other => bail!("{other:?} is no script of paying"),
        }
        self.all(plays, |p| self.serve(p)).await
    }

    /// Submits a payment of each order; answers with their numbers at the gateway.
    async fn submitted(&self, plays: &[Play]) -> Result<Vec<String>> {
        try_join_all(plays.iter().map(|p| self.submit(p))).await
    }

    /// To 102, by the payer's fault.
    async fn failed(&self, plays: &[Play]) -> Result<()> {
        for number in self.submitted(plays).await? {
            let path = format!("/payments/{number}/fail");
            self.client.control(Method::POST, &path, &json!({})).await?;
        }
        self.pass(FIRST_QUERY).await?;
        self.reach(plays, &[102]).await
    }

    async fn method_changed(&self, plays: &[Play]) -> Result<()> {
        self.failed(plays).await?;
        self.all(plays, |p| async move {
            let path = format!("/orders/{}/payment-method", p.order);
            let changed = self.client.put(&p.patient, &path, json!({}));
            changed.await.map(drop)
        })
        .await?;
        self.reach(plays, &[100]).await?;
        self.all(plays, |p| self.pay(p, "once")).await
    }

    async fn cancelled_while_paying(&self, script: Script, plays: &[Play]) -> Result<()> {
        let numbers = self.submitted(plays).await?;
        if script == Script::CancelledPayingPaid {
            for number in &numbers {
                self.pay_at_gateway(number, json!({ "callback": "never" }))
                    .await?;
            }
        }
        self.all(plays, |p| self.cancel(p)).await?;
        if script == Script::PayerTooLate {
            self.reach(plays, &[902]).await?;
            for number in &numbers {
                let path = format!("/payments/{number}/pay");
                let paid = self.client.told(Method::POST, &path, &json!({})).await?;
                if paid.status != StatusCode::CONFLICT {
                    bail!("payment {number} took money after it was closed");
                }
            }
        }
        Ok(())
    }

    /// The wrong signature is turned away, and asking finds the payment.
    async fn callback_forged(&self, plays: &[Play]) -> Result<()> {
        let numbers = self.submitted(plays).await?;
        for number in &numbers {
            self.pay_at_gateway(number, json!({ "callback": "bad_signature" }))
                .await?;
        }
        for number in &numbers {
            self.notice_answered(number, 401).await?;
        }
        self.pass(FIRST_QUERY).await
    }

    /// Asking finds the payment; the callback comes when the order has ended, and is taken.
    async fn callback_late(&self, plays: &[Play]) -> Result<()> {
        let numbers = self.submitted(plays).await?;
        let late = json!({ "callback": "late", "lateSeconds": LATE_SECONDS });
        for number in &numbers {
            self.pay_at_gateway(number, late.clone()).await?;
        }
        self.pass(FIRST_QUERY).await?;
        self.all(plays, |p| self.serve(p)).await?;
        self.pass(LATE_SECONDS).await?;
        for number in &numbers {
            self.notice_answered(number, 200).await?;
        }
        Ok(())
    }

    /// The gateway can't be reached when the result is due, and is well again later: meanwhile the
    /// order is being checked, and nothing is taken for failed.
    async fn unreachable(&self, plays: &[Play], paid: bool) -> Result<()> {
        let numbers = self.submitted(plays).await?;
        self.with_fault(json!({ "down": true }), async {
            if paid {
                for number in &numbers {
                    self.pay_at_gateway(number, json!({ "callback": "never" }))
                        .await?;
                }
            }
            self.pass_minutes(5).await?;
            self.all(plays, |p| async move {
                let checked = self.until_that(p, "being checked", |order| {
                    order["statusCode"] == 101 && order["detail"]["beingChecked"] == true
                });
                checked.await.map(drop)
            })
            .await
        })
        .await
        .context("while the gateway was down")?;
        self.pass_minutes(1).await
    }
}
