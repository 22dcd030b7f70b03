//! Single steps: what a patient, a doctor, an operator or the gateway's payer does once.

use super::{LOOK, PATIENCE, Play, Stage, text};
use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Instant;

impl Stage<'_> {
    // --- the patient ---

    pub(super) async fn book_dispatch(
        &self,
        patient: &str,
        department: usize,
        kind: &str,
    ) -> Result<Play> {
        let departments = &self.cast.departments;
        let department = departments.get(department).context("three departments")?;
        let body = json!({
            "kind": "consultation", "mode": "dispatch", "consultationType": kind,
            "departmentId": department, "complaint": "头痛三天，夜间加重",
        });
        self.booked(patient, body).await
    }

    pub(super) async fn booked(&self, patient: &str, body: Value) -> Result<Play> {
        let order = self.client.post(patient, "/orders", body).await?;
        let price = order["price"]["amount"].as_i64().context("no price")?;
        Ok(Play {
            order: text(&order["id"])?,
            patient: patient.to_owned(),
            price,
        })
    }

    /// Submits a payment, waits until the gateway knows it, and answers with its number there.
    pub(super) async fn submit(&self, play: &Play) -> Result<String> {
        let body = json!({ "gateway": "wechat", "method": "native" });
        self.patient(play, "pay", body).await?;
        let last = |order: &Value| {
            let payments = order["payments"].as_array();
            payments.and_then(|all| all.last()).cloned()
        };
        let order = self
            .until_that(play, "known to the gateway", |order| {
                last(order).is_some_and(|payment| payment["status"] != "PENDING")
            })
            .await?;
        text(&last(&order).context("no payment")?["outTradeNo"])
    }

    /// Submits a payment and pays it at the gateway, which tells of it like this.
    pub(super) async fn pay(&self, play: &Play, callback: &str) -> Result<()> {
        let number = self.submit(play).await?;
        self.pay_at_gateway(&number, json!({ "callback": callback }))
            .await
    }

    pub(super) async fn pay_at_gateway(&self, number: &str, how: Value) -> Result<()> {
        let path = format!("/payments/{number}/pay");
        self.client
            .control(Method::POST, &path, &how)
            .await
            .map(drop)
    }

    /// Waits until the gateway's last notice of a payment was answered like this.
    pub(super) async fn notice_answered(&self, number: &str, status: u16) -> Result<()> {
        let path = format!("/payments/{number}");
        let since = Instant::now();
        loop {
            let payment = self.client.control(Method::GET, &path, &json!({})).await?;
            let attempts = payment["callbacks"].as_array();
            if attempts.is_some_and(|all| all.iter().any(|one| one["status"] == status)) {
                return Ok(());
            }
            if since.elapsed() > PATIENCE {
                bail!("payment {number}: no notice was answered with {status}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(super) async fn patient(&self, play: &Play, action: &str, body: Value) -> Result<()> {
        let path = format!("/orders/{}/{action}", play.order);
        self.client.post(&play.patient, &path, body).await.map(drop)
    }

    pub(super) async fn cancel(&self, play: &Play) -> Result<()> {
        let path = format!("/orders/{}/cancel", play.order);
        let done = self.client.put(&play.patient, &path, json!({}));
        done.await.map(drop)
    }

    pub(super) async fn say(&self, play: &Play, words: &str) -> Result<()> {
        self.patient(play, "messages", json!({ "text": words }))
            .await
    }

    // --- the doctor ---

    /// What the assigned doctor does.
    pub(super) async fn doctor(&self, play: &Play, action: &str, body: Value) -> Result<()> {
        let order = self.look(play).await?;
        let doctor = self.login(&order)?;
        let path = format!("/orders/{}/{action}", play.order);
        self.client.post(&doctor, &path, body).await.map(drop)
    }

    pub(super) async fn finish(&self, play: &Play) -> Result<()> {
        self.doctor(play, "finish", summary()).await
    }

    /// From 201 to 900.
    pub(super) async fn serve(&self, play: &Play) -> Result<()> {
        self.until(play, &[201]).await?;
        self.doctor(play, "accept", json!({})).await?;
        self.doctor(play, "start", json!({})).await?;
        self.say(play, "医生您好").await?;
        self.finish(play).await
    }

    /// Waits until another doctor than this one has the offer, or nobody is asked any more.
    pub(super) async fn another(&self, play: &Play, before: &Value) -> Result<()> {
        self.until_that(
            play,
            "offered to somebody else",
            |order| match order["statusCode"].as_i64() {
                Some(201) => order["detail"]["doctor"]["id"] != *before,
                status => matches!(status, Some(502 | 901)),
            },
        )
        .await
        .map(drop)
    }

    /// Lets one doctor come or go.
    pub(super) async fn come_or_go(&self, doctor: &str, online: bool) -> Result<()> {
        let body = json!({ "online": online });
        let done = self.client.put(doctor, "/doctors/me/presence", body);
        done.await.map(drop)
    }

    /// Lets a department's doctors come or go.
    pub(super) async fn presence(&self, department: usize, online: bool) -> Result<()> {
        let departments = &self.cast.departments;
        let department = departments.get(department).context("three departments")?;
        for (doctor, _, of) in &self.cast.doctors {
            if of == department {
                self.come_or_go(doctor, online).await?;
            }
        }
        Ok(())
    }

    /// Lets all doctors come or go.
    pub(super) async fn everybody(&self, online: bool) -> Result<()> {
        for department in 0..self.cast.departments.len() {
            self.presence(department, online).await?;
        }
        Ok(())
    }

    /// The sign-in name of an order's doctor.
    pub(super) fn login(&self, order: &Value) -> Result<String> {
        let id = order["detail"]["doctor"]["id"].as_str();
        let id = id.context("the order has no doctor")?;
        let found = self.cast.doctors.iter().find(|(_, of, _)| of == id);
        let (login, ..) = found.context("a doctor who is none of the demonstration's")?;
        Ok(login.clone())
    }

    // --- the operator ---

    pub(super) async fn review(&self, play: &Play, decision: Value) -> Result<()> {
        self.refund(play, "review", decision).await
    }

    /// What an operator does with an order's first refund.
    pub(super) async fn refund(&self, play: &Play, action: &str, body: Value) -> Result<()> {
        let order = self.look(play).await?;
        let refund = text(&order["refunds"][0]["id"])?;
        let path = format!("/payments/refunds/{refund}/{action}");
        self.client.post("operator1", &path, body).await.map(drop)
    }
}

pub(super) fn summary() -> Value {
    json!({ "complaint": "头痛", "findings": "血压正常", "advice": "休息，多饮水" })
}
