//! What was found is repaired: previewed, proposed, approved by somebody else where it must be, and
//! what the gateway's answer does not settle is accepted with a reason. Then the days are run again.

use super::finding::Found;
use super::{LOOK, Stage, text};
use anyhow::{Context, Result, ensure};
use domain::reconciliation::{DifferenceKind, Repair};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a repair may take.
const PATIENCE: Duration = Duration::from_secs(60);
const REASON: &str = "planted by the rehearsal";

/// How one difference was settled.
#[derive(Debug)]
pub struct Settled {
    /// By which repair in the end.
    pub repair: String,
    /// Whether two people decided.
    pub by_two: bool,
    /// What the bill had more, where that was put on the suspense account.
    pub suspense: Vec<Value>,
    /// At which gateway.
    pub gateway: Value,
    /// What the gateway said, where its word settled nothing and the difference was accepted.
    pub unproven: Option<String>,
}

/// What came of all repairs.
#[derive(Debug, Default)]
pub struct Repaired {
    /// By the difference's id.
    pub settled: BTreeMap<String, Settled>,
    /// What is not settled, in words.
    pub wrong: Vec<String>,
}

impl Stage<'_> {
    /// Settles everything that is open, and runs the days once more.
    pub(super) async fn repair(&self, found: &Found) -> Result<Repaired> {
        let mut repaired = Repaired::default();
        for row in &found.differences {
            if row["status"] != "OPEN" {
                continue;
            }
            let id = text(&row["id"])?;
            match self.settle_one(&id, row).await {
                Ok(settled) => drop(repaired.settled.insert(id, settled)),
                Err(trouble) => repaired.wrong.push(format!(
                    "{} at {} is not settled: {trouble:#}",
                    row["kind"], row["gateway"]
                )),
            }
        }
        let again = self.reconcile().await?;
        for day in &again.days {
            if day["state"] != "matched" && day["state"] != "settled" {
                repaired.wrong.push(format!(
                    "{} at {} is {} after all repairs: {} differences are open",
                    day["day"], day["gateway"], day["state"], day["unsettled"]
                ));
            }
        }
        Ok(repaired)
    }

    /// By the first repair that is offered; by accepting where there is none, or where it settles
    /// nothing.
    async fn settle_one(&self, id: &str, row: &Value) -> Result<Settled> {
        let (mut after, mut unproven) = (row.clone(), None);
        let kind = row["kind"].as_str().and_then(DifferenceKind::from_constant);
        let first = kind.and_then(|kind| kind.repairs().first().copied());
        if let Some(repair) = first.filter(|first| *first != Repair::Accept) {
            let path = format!("/admin/reconciliation/differences/{id}");
            let body = json!({ "repair": repair });
            let preview = format!("{path}/preview");
            let preview = self.client.post("operator1", &preview, body).await?;
            let needs_two = preview["needsApproval"] == true;
            ensure!(
                (row["needsApproval"] == true) == needs_two,
                "the preview says otherwise who must approve"
            );
            let mut body = json!({ "repair": repair });
            ensure!(
                row["repairs"][0]["repair"] == json!(repair),
                "{} is offered first",
                row["repairs"][0]["repair"]
            );
            if row["repairs"][0]["needsReason"] == true {
                body["reason"] = json!(REASON);
            }
            after = self.decided(id, "propose", body, needs_two).await?;
        }
        if after["status"] == "OPEN" {
            let words = after["result"].as_str();
            unproven = words.map(|words| format!("{}: {words}", row["kind"]));
            let body = json!({ "reason": REASON });
            let needs_two = row["needsApproval"] == true;
            after = self.decided(id, "accept", body, needs_two).await?;
        }
        let is_done = after["status"] == "APPLIED" || after["status"] == "ACCEPTED";
        ensure!(is_done, "it is {}: {}", after["status"], after["result"]);
        let repair = text(&after["repair"])?;
        let gaps = after["gap"].as_array().cloned().unwrap_or_default();
        let by_two = after["proposedBy"] != after["approvedBy"];
        ensure!(
            by_two == (row["needsApproval"] == true),
            "the wrong number of people decided"
        );
        Ok(Settled {
            suspense: if repair == "RECORD_SUSPENSE" {
                gaps
            } else {
                Vec::new()
            },
            gateway: row["gateway"].clone(),
            repair,
            by_two,
            unproven,
        })
    }

    /// Decided by one operator, approved by another one where that must be, and done.
    async fn decided(&self, id: &str, what: &str, body: Value, needs_two: bool) -> Result<Value> {
        let path = format!("/admin/reconciliation/differences/{id}");
        let by = |what: &str| format!("{path}/{what}");
        let proposed = self.client.post("operator1", &by(what), body).await?;
        if needs_two {
            ensure!(
                proposed["status"] == "PROPOSED",
                "one person was enough: {}",
                proposed["status"]
            );
            self.client
                .post("operator2", &by("approve"), json!({}))
                .await
                .context("the second operator")?;
        }
        let since = Instant::now();
        loop {
            let now = self.client.get("operator1", &path).await?;
            if now["status"] != "APPROVED" || since.elapsed() > PATIENCE {
                return Ok(now);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
