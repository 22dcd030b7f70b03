//! What two people do in a room: they talk, show files, and see each other by video.

use super::room::Room;
use super::{Play, Stage, text};
use crate::rehearse::script::Script;
use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::try_join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::fmt::Write;

/// Two by two pixels.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR42mP4z8AARAwQCgAf7gP9Y167WwAAAABJRU5ErkJggg==";

/// A second of silence.
fn clip() -> Vec<u8> {
    let mut wav = b"RIFF\x64\x1F\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\x01\0\x08\0data\x40\x1F\0\0".to_vec();
    wav.resize(44 + 8_000, 0x80);
    wav
}

/// Both sides of a room.
struct Pair {
    patient: Room,
    doctor: Room,
}

impl Stage<'_> {
    pub(super) async fn talking(&self, script: Script, plays: &[Play]) -> Result<()> {
        use Script as S;
        self.all(plays, |p| self.pay(p, "once")).await?;
        self.reach(plays, &[201]).await?;
        self.all(plays, |p| self.doctor(p, "accept", json!({})))
            .await?;
        if script == S::VideoFailed {
            return self.all(plays, |p| self.fails_three_times(p)).await;
        }
        self.all(plays, |p| self.doctor(p, "start", json!({})))
            .await?;
        self.reach(plays, &[401]).await?;
        match script {
            S::Talked => self.all(plays, |p| self.talk(p)).await,
            S::TalkedWithFiles => self.all(plays, |p| self.show_files(p)).await,
            S::VideoHeld => self.video(plays).await,
            other => bail!("{other:?} is no script of a room"),
        }
    }

    async fn enter(&self, play: &Play) -> Result<Pair> {
        let doctor = self.login(&self.look(play).await?)?;
        let mut pair = Pair {
            patient: Room::enter(self.client, &play.patient, &play.order).await?,
            doctor: Room::enter(self.client, &doctor, &play.order).await?,
        };
        pair.patient.frame("welcome").await?;
        pair.doctor.frame("welcome").await?;
        Ok(pair)
    }

    /// Both talk at once; the patient's connection is lost and resumed; nothing is lost or doubled.
    async fn talk(&self, play: &Play) -> Result<()> {
        let Pair {
            mut patient,
            mut doctor,
        } = self.enter(play).await?;
        for words in ["头痛三天了", "夜里更重", "没有发烧"] {
            patient.say("text", words, None).await?;
            doctor.say("text", "请继续说", None).await?;
        }
        // Two lines of the system, and six.
        patient.hears(8).await?;
        let mut patient = patient.resume(self.client).await?;
        doctor.say("text", "您还在吗", None).await?;
        patient.hears(9).await?;
        doctor.hears(9).await?;
        ensure!(patient.lines == doctor.lines, "both sides heard the same");
        let report = format!("/orders/{}/report", play.order);
        let (early, _) = self.client.bytes(&play.patient, &report).await?;
        ensure!(
            early == StatusCode::CONFLICT,
            "the report was there before the end: {early}"
        );
        self.finish(play).await?;
        patient.hears_that(|line| line["event"] == "ended").await?;
        let rating = json!({ "stars": 5, "tags": ["attentive", "clear"], "words": "很耐心" });
        self.patient(play, "rate", rating).await?;
        let (status, pdf) = self.client.bytes(&play.patient, &report).await?;
        ensure!(
            status == StatusCode::OK && pdf.starts_with(b"%PDF-"),
            "the report: {status}"
        );
        Ok(())
    }

    /// A picture, a clip and a document arrive, and nobody else reads them.
    async fn show_files(&self, play: &Play) -> Result<()> {
        let Pair {
            mut patient,
            mut doctor,
        } = self.enter(play).await?;
        let login = self.login(&self.look(play).await?)?;
        let document = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n".to_vec();
        for (kind, name, content_type, bytes) in [
            (
                "picture",
                "皮疹.png",
                "image/png",
                STANDARD.decode(PICTURE)?,
            ),
            ("voice", "咳嗽.wav", "audio/wav", clip()),
            ("file", "化验单.pdf", "application/pdf", document),
        ] {
            let about = json!({
                "orderId": play.order, "purpose": "room", "name": name, "type": content_type,
                "size": bytes.len(),
            });
            let place = self
                .client
                .post(&play.patient, "/files/upload-url", about)
                .await?;
            self.client.upload(&text(&place["url"])?, &bytes).await?;
            let file = text(&place["fileId"])?;
            let mut sha256 = String::new();
            for byte in digest(&SHA256, &bytes).as_ref() {
                write!(sha256, "{byte:02x}")?;
            }
            let confirm = json!({ "fileId": file, "size": bytes.len(), "sha256": sha256 });
            self.client
                .post(&play.patient, "/files/confirm-upload", confirm)
                .await?;
            patient.say(kind, "", Some(&file)).await?;
            doctor
                .hears_that(|line| line["fileId"] == file.as_str())
                .await?;
            let path = format!("/files/{file}");
            let seen = self.client.get(&login, &path).await?;
            let (status, content) = self.client.download(&text(&seen["url"])?).await?;
            ensure!(
                status == StatusCode::OK && !content.is_empty(),
                "{name}: {status}"
            );
            let stranger = if play.patient == "patient50" {
                "patient49"
            } else {
                "patient50"
            };
            let refused = self
                .client
                .call(stranger, Method::GET, &path, &Value::Null)
                .await?;
            ensure!(
                refused.status == StatusCode::NOT_FOUND,
                "{stranger} may see {name}"
            );
        }
        self.finish(play).await
    }

    /// They see each other for three minutes, the doctor is gone for one, and they go on.
    async fn video(&self, plays: &[Play]) -> Result<()> {
        let mut pairs = try_join_all(plays.iter().map(|play| self.enter(play))).await?;
        try_join_all(pairs.iter_mut().map(call)).await?;
        self.pass_minutes(3).await?;
        let mut patients = Vec::new();
        for Pair { patient, doctor } in pairs {
            patients.push(patient);
            drop(doctor);
        }
        self.reach_lost(plays, true).await?;
        self.pass_minutes(1).await?;
        let mut pairs = Vec::new();
        for (play, patient) in plays.iter().zip(patients) {
            let login = self.login(&self.look(play).await?)?;
            let mut doctor = Room::enter(self.client, &login, &play.order).await?;
            doctor.frame("welcome").await?;
            pairs.push(Pair { patient, doctor });
        }
        self.reach_lost(plays, false).await?;
        try_join_all(pairs.iter_mut().map(call)).await?;
        self.pass_minutes(2).await?;
        for (play, pair) in plays.iter().zip(&mut pairs) {
            let hang_up = json!({ "type": "signal", "kind": "hangup", "data": {} });
            pair.patient.send(hang_up).await?;
            self.compare_calls(play, pair).await?;
            self.finish(play).await?;
        }
        Ok(())
    }

    /// Two calls stand in the record: up to the loss, and from then on.
    async fn compare_calls(&self, play: &Play, pair: &mut Pair) -> Result<()> {
        let calls = |room: &Room| -> Vec<i64> {
            let calls = room.lines.iter().filter(|line| line["kind"] == "call");
            calls
                .filter_map(|line| line["text"].as_str()?.parse().ok())
                .collect()
        };
        while calls(&pair.doctor).len() < 2 {
            pair.doctor.frame("message").await?;
        }
        // The clock goes on by itself beside the minutes that it was moved.
        let long = [(180..240), (120..180)];
        let seconds = calls(&pair.doctor);
        let fit = seconds
            .iter()
            .zip(&long)
            .all(|(call, long)| long.contains(call));
        ensure!(
            fit && seconds.len() == 2,
            "order {}: calls of {seconds:?} s",
            play.order
        );
        Ok(())
    }

    /// Both sides tell of each of three tries; they count three times.
    async fn fails_three_times(&self, play: &Play) -> Result<()> {
        let Pair {
            mut patient,
            mut doctor,
        } = self.enter(play).await?;
        for attempt in 1..=3 {
            let offer = json!({ "type": "signal", "kind": "offer", "data": { "sdp": attempt } });
            doctor.send(offer).await?;
            patient.frame("signal").await?;
            let failed = json!({ "attempt": attempt });
            self.patient(play, "connection-failed", failed.clone())
                .await?;
            if attempt < 3 {
                self.doctor(play, "connection-failed", failed).await?;
            }
        }
        patient
            .hears_that(|line| line["event"] == "broken_off")
            .await?;
        Ok(())
    }
}

/// An offer, an answer, a candidate, and both see each other.
async fn call(pair: &mut Pair) -> Result<()> {
    let Pair { patient, doctor } = pair;
    let signal = |kind: &str| json!({ "type": "signal", "kind": kind, "data": { "sdp": "v=0" } });
    doctor.send(signal("offer")).await?;
    let offer = patient.frame("signal").await?;
    ensure!(offer["kind"] == "offer", "{offer} came instead of an offer");
    for kind in ["answer", "candidate", "connected"] {
        patient.send(signal(kind)).await?;
        let heard = doctor.frame("signal").await?;
        ensure!(heard["kind"] == kind, "{heard} came instead of {kind}");
    }
    doctor.send(signal("connected")).await?;
    patient.frame("signal").await.context("connected").map(drop)
}
