//! A thousand rooms with two people each, one line a second a room, while the server is killed once
//! and started again: no line is lost or doubled, and how long a line takes to the other side.

use crate::program::{DEPARTMENT, LOGIN, PASSWORD, Server, patient};
use crate::raw::rows;
use anyhow::{Context, Result, bail, ensure};
use domain::consultation::matching::Weights;
use domain::consultation::ranking::Ranking;
use domain::consultation::{
    Command, Consultation, ConsultationStatus, ConsultationType, Facts, Mode, NewConsultation,
    create, decide,
};
use domain::order::{Actor, Role};
use domain::payment::{GatewayName, Method};
use domain::{Money, OrderId, UserId};
use engine::clock::{Clock, SystemClock};
use engine::ids::{IdsAt, new_id};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use store::{Doctor, Store, User, UserStatus};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

const DOCTOR_LOGIN: &str = "doctor@bench.xinglin";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What was seen.
pub struct Heard {
    /// How long lines took to the other side, but for those that were under way at the kill.
    pub delays: Vec<Duration>,
    /// How many lines there were.
    pub lines: usize,
}

fn doctor() -> UserId {
    UserId(Uuid::from_u128(3))
}

/// One doctor with a consultation in progress in each room, all with the same patient.
pub async fn seed(store: &Store, rooms: usize) -> Result<Vec<OrderId>> {
    let now = SystemClock.now();
    store
        .insert_user(&User {
            id: doctor(),
            login: DOCTOR_LOGIN.to_owned(),
            password_hash: api::password::hash(PASSWORD)?,
            role: Role::Doctor,
            name: DOCTOR_LOGIN.to_owned(),
            openid: None,
            status: UserStatus::Active,
            failed_sign_ins: 0,
            locked_until: None,
            created_at: now,
        })
        .await?;
    store
        .upsert_doctor(&Doctor {
            user: doctor(),
            department: DEPARTMENT,
            name: DOCTOR_LOGIN.to_owned(),
            title: "主治医师".to_owned(),
            specialities: Vec::new(),
            types: vec![ConsultationType::Text],
            parallel_limit: i32::try_from(rooms)?,
            active: 0,
            online: true,
            accepted: 0,
            offered: 0,
            decayed_at: now,
            stars: 0,
            ratings: 0,
            last_order_at: None,
            price: Money::fen(3_000),
        })
        .await?;
    let mut orders = Vec::with_capacity(rooms);
    for _ in 0..rooms {
        orders.push(begun(store).await?);
    }
    Ok(orders)
}

/// A consultation from its booking to its beginning.
async fn begun(store: &Store) -> Result<OrderId> {
    let now = SystemClock.now();
    let facts = Facts::default();
    let price = Money::fen(3_000);
    let patient_acts = Actor::person(Role::Patient, patient());
    let new = NewConsultation {
        id: OrderId(new_id(now)),
        patient: patient(),
        price,
        mode: Mode::Dispatch,
        consultation_type: ConsultationType::Text,
        department: DEPARTMENT,
        complaint: crate::program::COMPLAINT.to_owned(),
        booking: None,
    };
    let made = create(&new, &facts, now, &mut IdsAt(now))?;
    let (mut order, changes) = rows(None, made, patient_acts, now)?;
    store.commit(changes).await?;
    while let Some((command, actor)) = next(&order) {
        let decided = decide(&order, &command, actor, &facts, now, &mut IdsAt(now))?;
        let (after, mut changes) = rows(Some(&order), decided, actor, now)?;
        // Nobody is to be asked anything: there is no gateway here.
        changes.outbox.clear();
        store.commit(changes).await?;
        order = after;
    }
    Ok(order.id)
}

/// What comes next on the way to the beginning, and who asks it.
fn next(order: &Consultation) -> Option<(Command, Actor)> {
    use ConsultationStatus as S;
    let doctor_acts = Actor::person(Role::Doctor, doctor());
    Some(match order.status {
        S::PendingPayment => {
            let pay = Command::SubmitPayment {
                gateway: GatewayName::WECHAT,
                method: Method::NATIVE,
                payer: None,
                client_ip: None,
            };
            (pay, Actor::person(Role::Patient, patient()))
        }
        S::Paying => {
            let paid = Command::PaymentSucceeded {
                payment: order.payments.first()?.id,
                paid: order.price,
                transaction_id: order.id.to_string(),
                paid_at: order.updated_at,
                by_query: true,
            };
            (paid, Actor::GATEWAY)
        }
        S::Dispatching => {
            let (weights, at) = (Weights::default(), order.updated_at);
            let ranking = Arc::new(Ranking::choosing(doctor(), &[], "", &weights, at));
            (Command::DoctorFound { ranking }, Actor::SYSTEM)
        }
        S::PendingAccept => (Command::Accept, doctor_acts),
        S::PendingConsultation => (Command::Start, doctor_acts),
        _ => return None,
    })
}

/// What the system says before anybody does: the room is open, the consultation has begun.
const OPENING_LINES: i64 = 2;

/// How many lines each side has sent and received, shared over lost connections.
#[derive(Default)]
struct Side {
    last: i64,
    received: BTreeMap<i64, Uuid>,
    /// In the order in which they were said.
    unacknowledged: Vec<(Uuid, Value)>,
}

/// Plays in all rooms; after half of the time the server is killed, and started again.
pub async fn play(mut server: Server, orders: &[OrderId], seconds: u64) -> Result<(Server, Heard)> {
    let patient_token = server.sign_in(LOGIN).await?;
    let doctor_token = server.sign_in(DOCTOR_LOGIN).await?;
    let sent: Arc<Mutex<HashMap<Uuid, Instant>>> = Arc::default();
    let begin = Instant::now() + Duration::from_secs(5);
    let end = begin + Duration::from_secs(seconds);
    let mut rooms = JoinSet::new();
    for (place, order) in orders.iter().enumerate() {
        let room = Room {
            address: format!("ws://{}/api/v1/orders/{order}/room", server.address()),
            sent: Arc::clone(&sent),
            // Evenly over the second.
            begin: begin + Duration::from_millis(u64::try_from(place * 1_000 / orders.len())?),
            end,
        };
        rooms.spawn(room.run(patient_token.clone(), doctor_token.clone()));
    }
    sleep_until(begin + Duration::from_secs(seconds / 2)).await;
    server = server.killed_and_started().await?;
    let mut heard = Heard {
        delays: Vec::new(),
        lines: 0,
    };
    while let Some(room) = rooms.join_next().await {
        let (lines, delays) = room??;
        heard.lines += lines;
        heard.delays.extend(delays);
    }
    Ok((server, heard))
}

struct Room {
    address: String,
    sent: Arc<Mutex<HashMap<Uuid, Instant>>>,
    begin: Instant,
    end: Instant,
}

impl Room {
    /// The patient says a line a second; in the end the doctor has each line once, in order.
    async fn run(self, patient: String, doctor: String) -> Result<(usize, Vec<Duration>)> {
        let (mut talks, mut listens) = (Side::default(), Side::default());
        let mut delays = Vec::new();
        let mut all = Vec::new();
        let mut due = self.begin;
        let mut mouth = self.connect(&patient, &mut talks).await?;
        let mut ear = self.connect(&doctor, &mut listens).await?;
        let enough = self.end + Duration::from_secs(60);
        while Instant::now() < enough {
            let over = due >= self.end;
            if over && talks.unacknowledged.is_empty() && listens.received.len() == all.len() {
                break;
            }
            tokio::select! {
                () = sleep_until(due), if !over => {
                    due += Duration::from_secs(1);
                    let id = new_id(SystemClock.now());
                    let line = json!({ "type": "message", "id": id, "text": "还疼吗？" });
                    all.push(id);
                    self.sent.lock().await.insert(id, Instant::now());
                    talks.unacknowledged.push((id, line.clone()));
                    let text = Message::Text(line.to_string().into());
                    if mouth.send(text).await.is_err() {
                        mouth = self.connect(&patient, &mut talks).await?;
                    }
                }
                frame = mouth.next() => match frame {
                    Some(Ok(frame)) => talks.take(&frame)?,
                    _ => mouth = self.connect(&patient, &mut talks).await?,
                },
                frame = ear.next() => match frame {
                    Some(Ok(frame)) => {
                        let before = listens.received.len();
                        listens.take(&frame)?;
                        if listens.received.len() > before
                            && let Some((_, id)) = listens.received.last_key_value()
                            && let Some(at) = self.sent.lock().await.remove(id)
                        {
                            delays.push(at.elapsed());
                        }
                    }
                    _ => ear = self.connect(&doctor, &mut listens).await?,
                },
                () = sleep(Duration::from_secs(1)), if over => {}
            }
        }
        let received: Vec<Uuid> = listens.received.values().copied().collect();
        ensure!(
            received == all,
            "{} of {} lines came, or in another order",
            received.len(),
            all.len()
        );
        let places: Vec<i64> = listens.received.keys().copied().collect();
        let said = i64::try_from(all.len())?;
        let expected: Vec<i64> = (OPENING_LINES + 1..=OPENING_LINES + said).collect();
        ensure!(
            places == expected,
            "places with gaps or repeats: {places:?}"
        );
        Ok((all.len(), delays))
    }

    /// Comes back where it stopped, and says again what was not acknowledged.
    async fn connect(&self, token: &str, side: &mut Side) -> Result<Socket> {
        for _ in 0..300 {
            let opened = timeout(Duration::from_secs(5), connect_async(&self.address)).await;
            if let Ok(Ok((mut socket, _))) = opened {
                let hello = json!({ "type": "hello", "token": token, "after": side.last });
                let mut frames = vec![hello];
                frames.extend(side.unacknowledged.iter().map(|(_, line)| line.clone()));
                let mut is_sent = true;
                for frame in frames {
                    let text = Message::Text(frame.to_string().into());
                    is_sent &= socket.send(text).await.is_ok();
                }
                if is_sent {
                    return Ok(socket);
                }
            }
            sleep(Duration::from_millis(100)).await;
        }
        bail!("no connection within 30 s");
    }
}

impl Side {
    fn take(&mut self, frame: &Message) -> Result<()> {
        let Message::Text(text) = frame else {
            return Ok(());
        };
        let frame: Value = serde_json::from_str(text)?;
        let id = || -> Result<Uuid> { Ok(frame["id"].as_str().context("no id")?.parse()?) };
        match frame["type"].as_str() {
            Some("ack") => {
                let written = id()?;
                self.unacknowledged.retain(|(id, _)| *id != written);
            }
            Some("message") => {
                let seq = frame["seq"].as_i64().context("no seq")?;
                ensure!(seq == self.last + 1, "line {seq} came after {}", self.last);
                self.last = seq;
                if frame["kind"] != "system" {
                    self.received.insert(seq, id()?);
                }
            }
            Some("error") => bail!("{frame}"),
            _ => {}
        }
        Ok(())
    }
}
