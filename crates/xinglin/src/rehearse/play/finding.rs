//! Statuses 200 and 201: a doctor is looked for, and offers end without being accepted.

use super::{Play, Stage};
use crate::rehearse::script::Script;
use anyhow::{Result, bail};
use futures::future::try_join_all;
use serde_json::{Value, json};

/// How many offers an order may have (spec 10, status 201).
const OFFERS: usize = 3;

impl Stage<'_> {
    pub(super) async fn finding(&self, script: Script, plays: &[Play]) -> Result<()> {
        use Script as S;
        match script {
            S::NoDoctor | S::CancelledWaiting => return self.without_doctors(script, plays).await,
            S::DispatcherDown => {
                let paused = self.with_pause("dispatchPaused", async {
                    self.all(plays, |p| self.pay(p, "once")).await?;
                    self.unfound(plays).await
                });
                return paused.await;
            }
            _ => {}
        }
        self.all(plays, |p| self.pay(p, "once")).await?;
        self.reach(plays, &[201]).await?;
        match script {
            S::CancelledOffered => self.all(plays, |p| self.cancel(p)).await,
            S::DeclinedOnce => {
                self.all(plays, |p| self.decline(p)).await?;
                self.all(plays, |p| self.serve(p)).await
            }
            S::DeclinedThrice => {
                for _ in 0..OFFERS {
                    self.all(plays, |p| self.decline(p)).await?;
                }
                Ok(())
            }
            S::OfferTimedOut => {
                self.unanswered(plays).await?;
                self.all(plays, |p| self.serve(p)).await
            }
            S::OfferTimedOutThrice => {
                for _ in 0..OFFERS {
                    self.unanswered(plays).await?;
                }
                Ok(())
            }
            S::OfferLost => self.lost(plays).await,
            other => bail!("{other:?} is no script of finding a doctor"),
        }
    }

    async fn without_doctors(&self, script: Script, plays: &[Play]) -> Result<()> {
        self.presence(0, false).await?;
        let played = async {
            self.all(plays, |p| self.pay(p, "once")).await?;
            if script == Script::NoDoctor {
                return self.unfound(plays).await;
            }
            self.reach(plays, &[200]).await?;
            self.all(plays, |p| self.cancel(p)).await?;
            self.reach(plays, &[901]).await
        };
        let played = played.await;
        self.presence(0, true).await?;
        played
    }

    /// Three minutes in 200.
    async fn unfound(&self, plays: &[Play]) -> Result<()> {
        self.reach(plays, &[200]).await?;
        self.pass_minutes(3).await?;
        self.reach(plays, &[901]).await
    }

    /// Who has the offer of each order.
    async fn asked(&self, plays: &[Play]) -> Result<Vec<Value>> {
        try_join_all(plays.iter().map(|p| async move {
            let order = self.until(p, &[201]).await?;
            Ok(order["detail"]["doctor"]["id"].clone())
        }))
        .await
    }

    /// Declined by the assigned doctor; then another one has it, or it ends.
    async fn decline(&self, play: &Play) -> Result<()> {
        let order = self.until(play, &[201]).await?;
        let before = &order["detail"]["doctor"]["id"];
        self.doctor(play, "decline", json!({ "reason": "rehearsal" }))
            .await?;
        self.another(play, before).await
    }

    /// Nobody answers for five minutes; then another doctor has it, or it ends.
    async fn unanswered(&self, plays: &[Play]) -> Result<()> {
        let before = self.asked(plays).await?;
        self.pass_minutes(5).await?;
        for (play, before) in plays.iter().zip(&before) {
            self.another(play, before).await?;
        }
        Ok(())
    }

    /// Doctors go offline with their offers. One after the other: whoever shares a doctor with an
    /// earlier order has lost that offer already, and no order may lose three.
    async fn lost(&self, plays: &[Play]) -> Result<()> {
        for play in plays {
            let order = self.until(play, &[201]).await?;
            let offers = order["detail"]["assignments"]
                .as_array()
                .map_or(0, Vec::len);
            if offers == 1 {
                let doctor = self.login(&order)?;
                self.come_or_go(&doctor, false).await?;
                let another = self.another(play, &order["detail"]["doctor"]["id"]).await;
                self.come_or_go(&doctor, true).await?;
                another?;
            }
            self.serve(play).await?;
        }
        Ok(())
    }
}
