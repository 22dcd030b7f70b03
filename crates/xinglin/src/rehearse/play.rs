//! One wave: orders with the same script, moved in step, so that the clock may be moved for all of
//! them at once.

use super::client::Client;
use super::script::Script;
use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long an order may take, in real time, to get where its script says.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(60);

/// Doctors and departments of the server.
pub struct Cast {
    /// Sign-in name, id, department.
    pub doctors: Vec<(String, String, String)>,
    /// Their ids.
    pub departments: Vec<String>,
}

/// An order being played.
#[derive(Debug, Clone)]
pub struct Play {
    /// Its id.
    pub order: String,
    /// Whose.
    pub patient: String,
    /// Fen.
    pub price: i64,
}

/// What plays a wave.
pub struct Stage<'a> {
    /// The server.
    pub client: &'a Client,
    /// Its people.
    pub cast: &'a Cast,
}

/// A session that a wave plays in.
struct Opening {
    id: String,
    slot: String,
    doctor: String,
}

impl Stage<'_> {
    /// Plays so many orders of one script to their end.
    pub async fn play(&self, script: Script, first: usize, count: usize) -> Result<Vec<Play>> {
        let patients: Vec<String> = (first..first + count)
            .map(|number| format!("patient{}", number % 50 + 1))
            .collect();
        if script.is_clinic() {
            return self.clinic(script, &patients).await;
        }
        let bookings = patients.iter().enumerate().map(|(number, patient)| {
            // Without doctors only one department is emptied; the others keep working.
            let department = if script == Script::NoDoctor {
                0
            } else {
                number % 3
            };
            self.book_dispatch(patient, department)
        });
        let plays = try_join_all(bookings).await?;
        self.dispatch(script, &plays).await?;
        Ok(plays)
    }

    async fn dispatch(&self, script: Script, plays: &[Play]) -> Result<()> {
        use Script as S;
        match script {
            S::CancelledUnpaid => self.all(plays, |p| self.cancel(p)).await,
            S::NeverPaid => self.pass(30 * 60).await,
            S::CancelledPaying => {
                self.all(plays, |p| self.submit(p)).await?;
                self.all(plays, |p| self.cancel(p)).await
            }
            S::FailedThenLeft => {
                self.failed(plays).await?;
                self.pass(30 * 60).await
            }
            S::FailedThenPaid => {
                self.failed(plays).await?;
                self.all(plays, |p| self.pay(p, "once")).await?;
                self.all(plays, |p| self.serve(p)).await
            }
            S::CallbackLost => {
                self.all(plays, |p| self.pay(p, "never")).await?;
                self.pass(12).await?;
                self.all(plays, |p| self.serve(p)).await
            }
            S::CallbackTwice => {
                self.all(plays, |p| self.pay(p, "twice")).await?;
                self.all(plays, |p| self.serve(p)).await
            }
            S::WrongAmount => self.all(plays, |p| self.pay(p, "wrong_amount")).await,
            S::NoDoctor => self.without_doctors(plays).await,
            S::RefundRefusedOnce => self.refund_refused(plays).await,
            _ => {
                self.all(plays, |p| self.pay(p, "once")).await?;
                self.all(
                    plays,
                    |p| async move { self.until(p, &[201]).await.map(drop) },
                )
                .await?;
                self.offered(script, plays).await
            }
        }
    }

    /// Scripts that part from 201 on.
    async fn offered(&self, script: Script, plays: &[Play]) -> Result<()> {
        use Script as S;
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
            S::DeclinedOnce => {
                self.all(plays, |p| self.decline(p)).await?;
                self.all(plays, |p| self.serve(p)).await
            }
            S::DeclinedThrice => {
                for _ in 0..3 {
                    self.all(plays, |p| self.decline(p)).await?;
                }
                Ok(())
            }
            S::CancelledOffered => self.all(plays, |p| self.cancel(p)).await,
            _ => {
                self.all(plays, |p| self.doctor(p, "accept", json!({})))
                    .await?;
                self.all(
                    plays,
                    |p| async move { self.until(p, &[400]).await.map(drop) },
                )
                .await?;
                self.accepted(script, plays).await
            }
        }
    }

    /// Scripts that part from 400 on.
    async fn accepted(&self, script: Script, plays: &[Play]) -> Result<()> {
        use Script as S;
        match script {
            S::CancelledReady => self.all(plays, |p| self.cancel(p)).await,
            S::NotStarted => {
                self.all(plays, |p| self.patient(p, "check-in", json!({})))
                    .await?;
                self.pass(2 * 60).await
            }
            S::NoConnection => {
                for attempt in 1..=3 {
                    let body = json!({ "attempt": attempt });
                    self.all(plays, |p| {
                        self.patient(p, "connection-failed", body.clone())
                    })
                    .await?;
                }
                Ok(())
            }
            _ => {
                self.all(plays, |p| self.doctor(p, "start", json!({})))
                    .await?;
                self.all(
                    plays,
                    |p| async move { self.until(p, &[401]).await.map(drop) },
                )
                .await?;
                self.serving(script, plays).await
            }
        }
    }

    /// Scripts that part from 401 on.
    async fn serving(&self, script: Script, plays: &[Play]) -> Result<()> {
        match script {
            Script::Silent => self.pass(30 * 60).await,
            Script::SystemFault => self.all(plays, |p| self.fault(p)).await,
            Script::CancelledServing => {
                self.pass(3 * 60).await?;
                self.all(plays, |p| self.cancel(p)).await?;
                self.all(plays, |p| self.review(p, json!({ "decision": "byTable" })))
                    .await
            }
            Script::LeftToOperator => {
                self.pass(3 * 60).await?;
                self.all(plays, |p| self.cancel(p)).await
            }
            other => bail!("{other:?} is no script of a running service"),
        }
    }

    async fn failed(&self, plays: &[Play]) -> Result<()> {
        self.all(plays, |p| async move {
            let number = self.submit_and_number(p).await?;
            self.client
                .control(
                    Method::POST,
                    &format!("/payments/{number}/fail"),
                    &json!({}),
                )
                .await?;
            Ok(())
        })
        .await?;
        self.pass(12).await?;
        self.all(
            plays,
            |p| async move { self.until(p, &[102]).await.map(drop) },
        )
        .await
    }

    async fn without_doctors(&self, plays: &[Play]) -> Result<()> {
        self.presence(0, false).await?;
        self.all(plays, |p| self.pay(p, "once")).await?;
        self.all(
            plays,
            |p| async move { self.until(p, &[200]).await.map(drop) },
        )
        .await?;
        self.pass(3 * 60).await?;
        self.all(
            plays,
            |p| async move { self.until(p, &[901]).await.map(drop) },
        )
        .await?;
        self.presence(0, true).await
    }

    async fn refund_refused(&self, plays: &[Play]) -> Result<()> {
        self.all(plays, |p| self.pay(p, "once")).await?;
        self.all(
            plays,
            |p| async move { self.until(p, &[201]).await.map(drop) },
        )
        .await?;
        let refuse = json!({ "refuseRefunds": "NOT_ENOUGH" });
        self.client.control(Method::PUT, "/faults", &refuse).await?;
        self.all(plays, |p| self.cancel(p)).await?;
        self.all(
            plays,
            |p| async move { self.until(p, &[503]).await.map(drop) },
        )
        .await?;
        self.client
            .control(Method::PUT, "/faults", &json!({}))
            .await?;
        self.pass(60).await
    }

    // --- clinic ---

    async fn clinic(&self, script: Script, patients: &[String]) -> Result<Vec<Play>> {
        use Script as S;
        let (in_minutes, hours) = match script {
            S::ClinicCancelledBooked => (60, 1),
            S::ClinicLate => (10, 1),
            S::ClinicNoShow => (0, 1),
            _ => (0, 4),
        };
        let session = self.publish(in_minutes, hours).await?;
        let opens_later = matches!(
            script,
            S::ClinicCancelledBooked | S::ClinicLate | S::ClinicNoShow
        );
        if !opens_later {
            self.session(&session, "open", json!({})).await?;
        }
        let bookings = patients
            .iter()
            .map(|patient| self.book_clinic(patient, &session));
        let plays = try_join_all(bookings).await?;
        self.all(&plays, |p| self.pay(p, "once")).await?;
        let waits = if opens_later { 301 } else { 302 };
        self.all(&plays, |p| async move {
            self.until(p, &[waits]).await.map(drop)
        })
        .await?;
        self.queued(script, &plays, &session).await?;
        // The next wave finds the doctor free.
        for play in &plays {
            self.until(play, &[900, 901, 902]).await?;
        }
        if !matches!(script, S::ClinicSessionCancelled | S::ClinicNoShow) {
            let action = if script == S::ClinicCancelledBooked {
                "cancel"
            } else {
                "close"
            };
            self.session(&session, action, json!({})).await?;
        }
        Ok(plays)
    }

    async fn queued(&self, script: Script, plays: &[Play], session: &Opening) -> Result<()> {
        use Script as S;
        match script {
            S::ClinicServed => {
                for _ in plays {
                    let path = format!("/sessions/{}/call-next", session.id);
                    let called = self.client.post(&session.doctor, &path, json!({})).await?;
                    let called = plays.iter().find(|p| called["id"] == p.order.as_str());
                    self.hold(called.context("somebody else was called")?, session)
                        .await?;
                }
                Ok(())
            }
            S::ClinicCancelledBooked | S::ClinicCancelledQueued => {
                self.all(plays, |p| self.cancel(p)).await
            }
            S::ClinicSessionCancelled => {
                self.session(session, "cancel", json!({ "reason": "急诊手术" }))
                    .await
            }
            S::ClinicLate => {
                self.pass(10 * 60).await?;
                self.session(session, "open", json!({})).await?;
                self.pass(16 * 60).await
            }
            S::ClinicNoShow => self.pass(61 * 60).await,
            S::ClinicMissedOnce => {
                self.miss(plays, session).await?;
                self.all(
                    plays,
                    |p| async move { self.until(p, &[302]).await.map(drop) },
                )
                .await?;
                self.all(plays, |p| self.call(p, session)).await?;
                self.all(plays, |p| self.hold(p, session)).await
            }
            S::ClinicMissedThrice => {
                for _ in 0..3 {
                    self.miss(plays, session).await?;
                    self.all(plays, |p| async move {
                        self.until(p, &[302, 901]).await.map(drop)
                    })
                    .await?;
                }
                Ok(())
            }
            S::ClinicCancelledCalled => {
                self.all(plays, |p| self.call(p, session)).await?;
                self.all(plays, |p| self.cancel(p)).await
            }
            S::ClinicCancelledReady => {
                self.all(plays, |p| self.call(p, session)).await?;
                self.all(plays, |p| self.patient(p, "answer", json!({})))
                    .await?;
                self.all(plays, |p| self.cancel(p)).await
            }
            other => bail!("{other:?} is no script of a clinic"),
        }
    }

    async fn miss(&self, plays: &[Play], session: &Opening) -> Result<()> {
        self.all(plays, |p| self.call(p, session)).await?;
        self.pass(2 * 60).await
    }

    async fn call(&self, play: &Play, session: &Opening) -> Result<()> {
        let body = json!({ "reason": "rehearsal" });
        self.client
            .post(
                &session.doctor,
                &format!("/orders/{}/call", play.order),
                body,
            )
            .await?;
        self.until(play, &[303]).await.map(drop)
    }

    /// From 303 to 900.
    async fn hold(&self, play: &Play, session: &Opening) -> Result<()> {
        self.patient(play, "answer", json!({})).await?;
        let path = |action: &str| format!("/orders/{}/{action}", play.order);
        self.client
            .post(&session.doctor, &path("start"), json!({}))
            .await?;
        self.client
            .post(&session.doctor, &path("finish"), summary())
            .await
            .map(drop)
    }

    /// A session of the first doctor who is free for it.
    async fn publish(&self, in_minutes: i64, hours: i64) -> Result<Opening> {
        let now = domain::Ts::parse(&self.clock().await?)?;
        let begins = now + domain::Span::minutes(in_minutes);
        let body = json!({
            "beginsAt": begins, "endsAt": begins + domain::Span::hours(hours), "slotMinutes": hours * 60,
            "capacity": 100, "consultationType": "text", "price": { "amount": 5000, "currency": "CNY" },
        });
        for (doctor, ..) in &self.cast.doctors {
            let answer = self
                .client
                .call(doctor, Method::POST, "/sessions", &body)
                .await?;
            if answer.status.is_success() {
                let session = answer.data()?;
                return Ok(Opening {
                    id: text(&session["id"])?,
                    slot: text(&session["slots"][0]["id"])?,
                    doctor: doctor.clone(),
                });
            }
        }
        bail!("no doctor is free for a session at {begins}")
    }

    async fn session(&self, session: &Opening, action: &str, body: Value) -> Result<()> {
        let path = format!("/sessions/{}/{action}", session.id);
        self.client
            .post(&session.doctor, &path, body)
            .await
            .map(drop)
    }

    // --- single steps ---

    async fn book_dispatch(&self, patient: &str, department: usize) -> Result<Play> {
        let department = self
            .cast
            .departments
            .get(department)
            .context("three departments")?;
        let body = json!({
            "kind": "consultation", "mode": "dispatch", "consultationType": "text",
            "departmentId": department, "complaint": "头痛三天，夜间加重",
        });
        self.booked(patient, body).await
    }

    async fn book_clinic(&self, patient: &str, session: &Opening) -> Result<Play> {
        let body = json!({
            "kind": "consultation", "mode": "clinic", "consultationType": "text",
            "slotId": session.slot, "complaint": "复诊",
        });
        self.booked(patient, body).await
    }

    async fn booked(&self, patient: &str, body: Value) -> Result<Play> {
        let order = self.client.post(patient, "/orders", body).await?;
        let price = order["price"]["amount"].as_i64().context("no price")?;
        Ok(Play {
            order: text(&order["id"])?,
            patient: patient.to_owned(),
            price,
        })
    }

    async fn submit(&self, play: &Play) -> Result<()> {
        self.submit_and_number(play).await.map(drop)
    }

    /// Submits a payment, and waits until the gateway knows its number.
    async fn submit_and_number(&self, play: &Play) -> Result<String> {
        let body = json!({ "gateway": "wechat", "method": "native" });
        self.client
            .post(&play.patient, &format!("/orders/{}/pay", play.order), body)
            .await?;
        let since = Instant::now();
        loop {
            let order = self.look(play).await?;
            let payment = order["payments"]
                .as_array()
                .and_then(|all| all.last())
                .cloned();
            let payment = payment.context("no payment")?;
            if payment["status"] != "PENDING" {
                return text(&payment["outTradeNo"]);
            }
            if since.elapsed() > PATIENCE {
                bail!("order {}: the gateway was never asked", play.order);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn pay(&self, play: &Play, callback: &str) -> Result<()> {
        let number = self.submit_and_number(play).await?;
        let body = json!({ "callback": callback });
        self.client
            .control(Method::POST, &format!("/payments/{number}/pay"), &body)
            .await?;
        Ok(())
    }

    async fn cancel(&self, play: &Play) -> Result<()> {
        let path = format!("/orders/{}/cancel", play.order);
        self.client
            .put(&play.patient, &path, json!({}))
            .await
            .map(drop)
    }

    async fn patient(&self, play: &Play, action: &str, body: Value) -> Result<()> {
        let path = format!("/orders/{}/{action}", play.order);
        self.client.post(&play.patient, &path, body).await.map(drop)
    }

    /// What the assigned doctor does.
    async fn doctor(&self, play: &Play, action: &str, body: Value) -> Result<()> {
        let order = self.look(play).await?;
        let doctor = self.login(&order)?;
        let path = format!("/orders/{}/{action}", play.order);
        self.client.post(&doctor, &path, body).await.map(drop)
    }

    /// From 201 to 900.
    async fn serve(&self, play: &Play) -> Result<()> {
        self.until(play, &[201]).await?;
        self.doctor(play, "accept", json!({})).await?;
        self.doctor(play, "start", json!({})).await?;
        self.patient(play, "messages", json!({ "text": "医生您好" }))
            .await?;
        self.doctor(play, "finish", summary()).await
    }

    /// Declined by the assigned doctor; then another one has it, or it ends.
    async fn decline(&self, play: &Play) -> Result<()> {
        let order = self.until(play, &[201]).await?;
        let before = order["detail"]["doctor"]["id"].clone();
        self.doctor(play, "decline", json!({ "reason": "rehearsal" }))
            .await?;
        let since = Instant::now();
        loop {
            let order = self.look(play).await?;
            let another = order["statusCode"] == 201 && order["detail"]["doctor"]["id"] != before;
            if another || matches!(order["statusCode"].as_i64(), Some(502 | 901)) {
                return Ok(());
            }
            if since.elapsed() > PATIENCE {
                bail!(
                    "order {}: nobody else was found after a decline",
                    play.order
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn fault(&self, play: &Play) -> Result<()> {
        let path = format!("/orders/{}/system-fault", play.order);
        self.client
            .post("operator1", &path, json!({ "reason": "rehearsal" }))
            .await
            .map(drop)
    }

    async fn complain(&self, play: &Play) -> Result<()> {
        self.patient(play, "refund", json!({ "reason": "医生没有回答" }))
            .await?;
        let body = json!({ "decision": "share", "share": 50, "reason": "属实" });
        self.review(play, body).await
    }

    async fn review(&self, play: &Play, body: Value) -> Result<()> {
        let order = self.look(play).await?;
        let refund = text(&order["refunds"][0]["id"])?;
        let path = format!("/payments/refunds/{refund}/review");
        self.client.post("operator1", &path, body).await.map(drop)
    }

    /// Lets a department's doctors come or go.
    pub async fn presence(&self, department: usize, online: bool) -> Result<()> {
        let department = self
            .cast
            .departments
            .get(department)
            .context("three departments")?;
        for (doctor, _, of) in &self.cast.doctors {
            if of == department {
                let body = json!({ "online": online });
                self.client
                    .put(doctor, "/doctors/me/presence", body)
                    .await?;
            }
        }
        Ok(())
    }

    /// The order as operations see it.
    pub async fn look(&self, play: &Play) -> Result<Value> {
        self.client
            .get("operator1", &format!("/orders/{}", play.order))
            .await
    }

    /// Waits until an order stands in one of these statuses.
    pub async fn until(&self, play: &Play, statuses: &[i64]) -> Result<Value> {
        let since = Instant::now();
        loop {
            let order = self.look(play).await?;
            if order["statusCode"]
                .as_i64()
                .is_some_and(|status| statuses.contains(&status))
            {
                return Ok(order);
            }
            if since.elapsed() > PATIENCE {
                bail!(
                    "order {} is {} instead of {statuses:?}",
                    play.order,
                    order["status"]
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn clock(&self) -> Result<String> {
        text(
            &self
                .client
                .control(Method::GET, "/clock", &json!({}))
                .await?["now"],
        )
    }

    /// Lets time pass, once, however often it has to be asked for.
    async fn pass(&self, seconds: i64) -> Result<()> {
        let target = domain::Ts::parse(&self.clock().await?)? + domain::Span::seconds(seconds);
        loop {
            let now = domain::Ts::parse(&self.clock().await?)?;
            let left = target.since(now);
            if left == domain::Span::ZERO {
                return Ok(());
            }
            let body = json!({ "seconds": left.as_seconds() + 1 });
            self.client
                .control(Method::POST, "/clock/advance", &body)
                .await?;
        }
    }

    fn login(&self, order: &Value) -> Result<String> {
        let id = order["detail"]["doctor"]["id"]
            .as_str()
            .context("the order has no doctor")?;
        let found = self.cast.doctors.iter().find(|(_, of, _)| of == id);
        Ok(found
            .context("a doctor who is none of the demonstration's")?
            .0
            .clone())
    }

    async fn all<'p, F>(&self, plays: &'p [Play], step: impl Fn(&'p Play) -> F) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        try_join_all(plays.iter().map(step)).await.map(drop)
    }
}

fn summary() -> Value {
    json!({ "complaint": "头痛", "findings": "血压正常", "advice": "休息，多饮水" })
}

fn text(value: &Value) -> Result<String> {
    Ok(value
        .as_str()
        .with_context(|| format!("{value} is no text"))?
        .to_owned())
}
