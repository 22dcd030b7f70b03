//! Statuses 400 and 401: the service itself, whose fault it is when it is none, and complaints.

use super::{Play, Stage};
use crate::rehearse::script::Script;
use anyhow::{Result, bail};
use serde_json::json;

impl Stage<'_> {
    pub(super) async fn serving(&self, script: Script, plays: &[Play]) -> Result<()> {
        use Script as S;
        self.all(plays, |p| self.pay(p, "once")).await?;
        self.reach(plays, &[201]).await?;
        match script {
            S::Served => {
                self.all(plays, |p| self.serve(p)).await?;
                self.all(plays, |p| self.patient(p, "rate", json!({ "stars": 5 })))
                    .await
            }
            S::Complained => {
                self.all(plays, |p| self.serve(p)).await?;
                self.all(plays, |p| self.complain(p)).await
            }
            _ => {
                self.all(plays, |p| self.doctor(p, "accept", json!({})))
                    .await?;
                self.reach(plays, &[400]).await?;
                self.ready(script, plays).await
            }
        }
    }

    /// Scripts that part from 400 on.
    async fn ready(&self, script: Script, plays: &[Play]) -> Result<()> {
        use Script as S;
        match script {
            S::CancelledReady => self.all(plays, |p| self.cancel(p)).await,
            S::NotStarted => {
                self.all(plays, |p| self.patient(p, "check-in", json!({})))
                    .await?;
                self.pass_minutes(2).await
            }
            S::PatientAbsent => self.pass_minutes(2).await,
            S::NoConnection => {
                for attempt in 1..=3 {
                    self.all(plays, |p| {
                        self.patient(p, "connection-failed", json!({ "attempt": attempt }))
                    })
                    .await?;
                }
                Ok(())
            }
            _ => {
                self.all(plays, |p| self.doctor(p, "start", json!({})))
                    .await?;
                self.reach(plays, &[401]).await?;
                self.started(script, plays).await
            }
        }
    }

    /// Scripts that part from 401 on.
    async fn started(&self, script: Script, plays: &[Play]) -> Result<()> {
        use Script as S;
        match script {
            S::Silent => self.pass_minutes(30).await,
            S::WholeHour => self.whole_hour(plays).await,
            S::SystemFault => self.all(plays, |p| self.fault(p)).await,
            S::DoctorBack | S::DoctorLost | S::DoctorLostLate => self.away(script, plays).await,
            _ => self.cancelled(script, plays).await,
        }
    }

    /// They talk for an hour, never silent for long. The clock stops when silence alone would be
    /// over, so that each deadline is met on its own.
    async fn whole_hour(&self, plays: &[Play]) -> Result<()> {
        for minutes in [25, 20] {
            self.pass_minutes(minutes).await?;
            self.all(plays, |p| self.say(p, "还在吗")).await?;
        }
        self.pass_minutes(12).await?;
        self.all(plays, |p| async move {
            let talking = self.until_that(p, "left with the hour's end alone", |order| {
                order["deadline"]["name"] == "max_duration"
            });
            talking.await.map(drop)
        })
        .await?;
        self.pass_minutes(3).await
    }

    /// Cancelled in 401: an operator decides, or does not.
    async fn cancelled(&self, script: Script, plays: &[Play]) -> Result<()> {
        use Script as S;
        let minutes = match script {
            S::CancelledAfter3 | S::OperatorShare | S::LeftToOperator => 3,
            S::CancelledAfter7 => 7,
            S::CancelledAfter12 => 12,
            S::CancelledAfter17 => 17,
            S::CancelledAfter22 => 22,
            other => bail!("{other:?} is no script of a running service"),
        };
        self.pass_minutes(minutes).await?;
        self.all(plays, |p| self.cancel(p)).await?;
        self.reach(plays, &[501]).await?;
        let decision = match script {
            S::LeftToOperator => return Ok(()),
            S::OperatorShare => {
                json!({ "decision": "share", "share": 50, "reason": "医生迟到" })
            }
            _ => json!({ "decision": "byTable" }),
        };
        self.all(plays, |p| self.review(p, decision.clone()))
            .await?;
        if script == S::CancelledAfter22 {
            // Refused at 0 %: the service goes on to its end.
            self.reach(plays, &[401]).await?;
            self.all(plays, |p| self.finish(p)).await?;
        }
        Ok(())
    }

    /// All doctors are away: for a minute, or too long.
    async fn away(&self, script: Script, plays: &[Play]) -> Result<()> {
        if script == Script::DoctorLostLate {
            self.pass_minutes(19).await?;
        }
        self.everybody(false).await?;
        let away = async {
            self.reach_lost(plays, true).await?;
            if script == Script::DoctorBack {
                return self.pass_minutes(1).await;
            }
            self.pass_minutes(2).await?;
            self.reach(plays, &[900, 901]).await
        };
        let away = away.await;
        self.everybody(true).await?;
        away?;
        if script == Script::DoctorBack {
            self.reach_lost(plays, false).await?;
            self.pass_minutes(2).await?;
            self.all(plays, |p| self.finish(p)).await?;
        }
        Ok(())
    }

    async fn fault(&self, play: &Play) -> Result<()> {
        let path = format!("/orders/{}/system-fault", play.order);
        let body = json!({ "reason": "rehearsal" });
        self.client.post("operator1", &path, body).await.map(drop)
    }

    async fn complain(&self, play: &Play) -> Result<()> {
        self.patient(play, "refund", json!({ "reason": "医生没有回答" }))
            .await?;
        let body = json!({ "decision": "share", "share": 50, "reason": "属实" });
        self.review(play, body).await
    }
}
