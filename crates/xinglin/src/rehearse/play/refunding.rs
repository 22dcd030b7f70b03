//! Statuses 502 and 503: the gateway refuses to give money back.

use super::{Play, Stage};
use crate::rehearse::script::Script;
use anyhow::{Result, bail};
use serde_json::json;

/// When a refused refund is tried again by itself, in minutes (spec 10, status 503).
const RETRIES: [i64; 3] = [1, 5, 30];

impl Stage<'_> {
    pub(super) async fn refunding(&self, script: Script, plays: &[Play]) -> Result<()> {
        use Script as S;
        self.all(plays, |p| self.pay(p, "once")).await?;
        self.reach(plays, &[201]).await?;
        let retries: &[i64] = if script == S::RefundRefusedOnce {
            &[]
        } else {
            &RETRIES
        };
        let refuse = json!({ "refuseRefunds": "NOT_ENOUGH" });
        self.with_fault(refuse, self.refused(plays, retries))
            .await?;
        match script {
            S::RefundRefusedOnce => self.pass_minutes(1).await,
            S::RefundRetriedByHand => {
                self.all(plays, |p| self.refund(p, "retry", json!({})))
                    .await
            }
            S::RefundRecorded => {
                let proof = json!({ "proof": "bank transfer 20260302-17" });
                self.all(plays, |p| self.refund(p, "record", proof.clone()))
                    .await
            }
            other => bail!("{other:?} is no script of refunds"),
        }
    }

    /// Cancelled and refused, and refused again at each try that comes by itself.
    async fn refused(&self, plays: &[Play], retries: &[i64]) -> Result<()> {
        self.all(plays, |p| self.cancel(p)).await?;
        self.reach(plays, &[503]).await?;
        for (made, minutes) in (1..).zip(retries) {
            self.pass_minutes(*minutes).await?;
            self.all(plays, |p| async move {
                let refused = self.until_that(p, "refused once more", |order| {
                    order["statusCode"] == 503 && order["refunds"][0]["retries"] == made
                });
                refused.await.map(drop)
            })
            .await?;
        }
        Ok(())
    }
}
