//! Orders and people made up for tests. Every test runs on both engines, each on a database of its
//! own.

#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

pub mod bills;

use domain::consultation::{
    Assignment, AssignmentEnd, CancelAsked, Cause, Consultation, ConsultationStatus,
    ConsultationType, Detail, Fault, Mode, Quote, Rating, Summary, TimerName, matching::Score,
};
use domain::ledger::{Account, EntryKind, Posting};
use domain::order::{Effect, Role, Suspended, Timer};
use domain::payment::{
    GatewayName, Method, PayWith, Payment, PaymentStatus, Purpose, Refund, RefundStatus,
};
use domain::session::SessionStatus;
use domain::{
    Currency, DepartmentId, Money, OrderId, PaymentId, RefundId, SessionId, Share, SlotId, Span,
    Ts, UserId,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::testing::Fresh;
use store::{
    Changes, Department, Doctor, EntryRow, JournalRow, OrderChange, OutboxRow, Session, Slot,
    TimerChange, TimerRow, User, UserStatus,
};
use uuid::Uuid;

/// Writes each test once for SQLite and once for PostgreSQL.
#[macro_export]
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let fresh = store::testing::fresh_sqlite().await.unwrap();
                super::$test(&fresh).await;
                fresh.close().await.unwrap();
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let fresh = store::testing::fresh_postgres().await.unwrap();
                super::$test(&fresh).await;
                fresh.close().await.unwrap();
            })+
        }
    };
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// An id that was never given before, in the order of giving.
pub fn id() -> Uuid {
    let next = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
    // The last byte chooses the committer.
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | (next << 8) | (next & 0xff))
}

pub fn now() -> Ts {
    Ts::parse("2026-03-02T01:00:00.123456Z").unwrap()
}

/// A new order that waits to be paid.
pub fn new_order() -> Consultation {
    let id = OrderId(id());
    Consultation {
        id,
        version: 1,
        status: ConsultationStatus::PendingPayment,
        status_since: now(),
        suspended: None,
        patient: UserId(self::id()),
        price: Money::fen(3050),
        earned: Money::fen(0),
        rules_version: 1,
        payments: Vec::new(),
        refunds: Vec::new(),
        timers: vec![timer(TimerName::PayWindow, Span::minutes(30))],
        created_at: now(),
        updated_at: now(),
        detail: Detail {
            mode: Mode::Dispatch,
            consultation_type: ConsultationType::Text,
            department: DepartmentId(self::id()),
            complaint: "头痛 since Monday".to_owned(),
            doctor: None,
            assignments: Vec::new(),
            holds_doctor: false,
            waiting_since: None,
            session: None,
            slot: None,
            slot_index: 0,
            holds_place: false,
            number: None,
            queue_rank: None,
            calls: 0,
            checked_in: false,
            patient_seen: false,
            connection_failures: 0,
            started_at: None,
            ended_at: None,
            cancel_asked: None,
            quote: None,
            being_checked: false,
            summary: None,
            rating: None,
        },
    }
}

pub fn timer(name: TimerName, after: Span) -> Timer<domain::consultation::Consulting> {
    Timer {
        name,
        refund: None,
        due: now() + after,
    }
}

/// An order in which nothing that may be there is missing.
pub fn rich_order() -> Consultation {
    let mut order = new_order();
    let (doctor, session, slot) = (UserId(id()), SessionId(id()), SlotId(id()));
    order.status = ConsultationStatus::RefundReviewing;
    order.earned = Money::fen(17);
    order.suspended = Some(Suspended {
        status: ConsultationStatus::InProgress,
        since: now() - Span::minutes(3),
        timers: vec![
            (TimerName::Idle, Span::minutes(7)),
            (TimerName::MaxDuration, Span::ZERO),
        ],
    });
    let failed = payment(PaymentStatus::Failed, None);
    let paid = payment(PaymentStatus::PartiallyRefunded, Some(Money::fen(3050)));
    let first = refund(paid.id, RefundStatus::Succeeded, 50);
    let second = refund(paid.id, RefundStatus::Reviewing, 3000);
    order.timers = vec![
        timer(TimerName::Review, Span::minutes(5)),
        Timer {
            refund: Some(second.id),
            ..timer(TimerName::RefundRetry, Span::minutes(1))
        },
    ];
    order.payments = vec![failed, paid];
    order.refunds = vec![first, second];
    order.detail.doctor = Some(doctor);
    order.detail.session = Some(session);
    order.detail.slot = Some(slot);
    order.detail.slot_index = 4;
    order.detail.number = Some(12);
    order.detail.queue_rank = Some(-5);
    order.detail.calls = 2;
    order.detail.checked_in = true;
    order.detail.patient_seen = true;
    order.detail.connection_failures = 1;
    order.detail.waiting_since = Some(now() - Span::hours(1));
    order.detail.started_at = Some(now() - Span::minutes(3));
    order.detail.ended_at = Some(now());
    order.detail.being_checked = true;
    order.detail.assignments = vec![
        Assignment {
            doctor: UserId(id()),
            offered_at: now(),
            score: Score {
                total: 701,
                ..Score::default()
            },
            end: Some(AssignmentEnd::Declined),
        },
        Assignment {
            doctor,
            offered_at: now(),
            score: Score::default(),
            end: None,
        },
    ];
    order.detail.cancel_asked = Some(CancelAsked {
        at: now(),
        reason: Some("\"'; \u{1f98a}".to_owned()),
    });
    order.detail.quote = Some(Quote {
        status: ConsultationStatus::InProgress,
        share: Share::percent(60),
        amount: Money::fen(1830),
        rule: "401 both minutes<=10".to_owned(),
        due_on: Some("2026-03-09".parse().unwrap()),
        fault: Fault::Patient,
        valid_until: now() + Span::seconds(60),
    });
    order.detail.summary = Some(Summary {
        complaint: "a".to_owned(),
        findings: "b".to_owned(),
        advice: "c".to_owned(),
    });
    order.detail.rating = Some(Rating {
        stars: 5,
        tags: Vec::new(),
        words: None,
        at: now(),
    });
    order
}

pub fn payment(status: PaymentStatus, paid: Option<Money>) -> Payment {
    let id = PaymentId(id());
    Payment {
        id,
        gateway: GatewayName::WECHAT,
        method: Method::JSAPI,
        payer: Some("openid".to_owned()),
        out_trade_no: format!("P{}", id.uuid().simple()),
        status,
        amount: Money::fen(3050),
        paid,
        paid_at: paid.map(|_| now()),
        transaction_id: paid.map(|_| "4200".to_owned()),
        client_ip: Some("203.0.113.9".to_owned()),
        handle: Some("a handle".to_owned()),
        pay_with: Some(PayWith::InApp {
            fields: serde_json::json!({"prepay_id": "x", "n": [1, null]}),
        }),
        proof: Some("receipt 7".to_owned()),
        expires_at: now() + Span::minutes(30),
        created_at: now(),
        updated_at: now(),
    }
}

pub fn refund(payment: PaymentId, status: RefundStatus, amount: i64) -> Refund {
    let id = RefundId(id());
    Refund {
        id,
        payment,
        out_refund_no: format!("R{}", id.uuid().simple()),
        refund_id: Some("5000".to_owned()),
        gone_at: Some(now()),
        status,
        purpose: Purpose::Order,
        cause: Cause::PatientCancelled,
        share: Share::percent(90),
        amount: Money::fen(amount),
        rule: "302 clinic patient".to_owned(),
        reason: Some("words".to_owned()),
        due_on: Some("2026-03-09".parse().unwrap()),
        retries: 1,
        last_error: Some("no balance".to_owned()),
        proof: None,
        requested_at: now(),
        sent_at: Some(now()),
        updated_at: now(),
    }
}

/// The change that brings an order from nothing, or from its version before, to what it is.
pub fn change(order: &Consultation) -> Changes {
    let line = JournalRow {
        id: id(),
        seq: 0,
        order: order.id,
        version: order.version,
        from: (order.version > 1).then_some(order.status as u16),
        to: order.status as u16,
        at: order.updated_at,
        reason: "test".to_owned(),
        note: None,
        actor_role: Role::Patient,
        actor: Some(order.patient),
        request_id: Some("request-1".to_owned()),
    };
    let set = order
        .timers
        .iter()
        .map(|t| TimerRow {
            order: order.id,
            name: t.name,
            refund: t.refund,
            due: t.due,
        })
        .collect();
    Changes {
        order: Some(OrderChange {
            ranking: None,
            decided_on: order.version - 1,
            after: Arc::new(order.clone()),
            payments: order.payments.clone(),
            refunds: order.refunds.clone(),
            journal: vec![line],
            lines: Vec::new(),
        }),
        timers: Some(TimerChange {
            order: order.id,
            decided_on: order.version - 1,
            set,
            clear: Vec::new(),
        }),
        ..Changes::default()
    }
}

/// The same order, one version on.
pub fn next(order: &Consultation) -> Consultation {
    Consultation {
        version: order.version + 1,
        updated_at: order.updated_at + Span::seconds(1),
        ..order.clone()
    }
}

pub fn effect(effect: Effect, order: Option<OrderId>, due: Ts) -> OutboxRow {
    OutboxRow {
        id: id(),
        order,
        effect,
        due,
        attempts: 0,
        lease: None,
        last_error: None,
        request_id: None,
        created_at: now(),
    }
}

pub fn entry(order: OrderId, amount: i64) -> EntryRow {
    let side = |account, amount| Posting {
        account,
        amount,
        currency: Currency::CNY,
    };
    EntryRow {
        id: id(),
        order,
        kind: EntryKind::PaymentReceived,
        postings: vec![
            side(Account::GatewayClearing(GatewayName::WECHAT), amount),
            side(Account::Patient, -amount),
        ],
        at: now(),
    }
}

pub fn user(role: Role) -> User {
    let id = UserId(id());
    User {
        id,
        login: format!("{}@example.org", id.uuid().simple()),
        password_hash: "$argon2id$".to_owned(),
        role,
        name: "王秀英".to_owned(),
        openid: None,
        status: UserStatus::Active,
        failed_sign_ins: 0,
        locked_until: None,
        created_at: now(),
    }
}

/// A doctor who is there and takes so many at a time, in a department of their own.
pub async fn doctor(fresh: &Fresh, limit: i32) -> Doctor {
    let department = DepartmentId(id());
    let row = Department {
        id: department,
        code: department.to_string(),
        name_zh: "内科".to_owned(),
        name_en: "Internal".to_owned(),
    };
    fresh.store.upsert_department(&row).await.unwrap();
    let user = user(Role::Doctor);
    fresh.store.insert_user(&user).await.unwrap();
    let doctor = Doctor {
        user: user.id,
        department,
        name: user.name,
        title: "主治医师".to_owned(),
        specialities: vec!["头痛".to_owned()],
        types: vec![ConsultationType::Text, ConsultationType::Video],
        parallel_limit: limit,
        active: 0,
        online: true,
        accepted: 0,
        offered: 0,
        decayed_at: now(),
        stars: 0,
        ratings: 0,
        last_order_at: None,
        price: Money::fen(3000),
    };
    fresh.store.upsert_doctor(&doctor).await.unwrap();
    doctor
}

/// A session with one slot of so many places.
pub async fn session(fresh: &Fresh, capacity: u32) -> (Session, Slot) {
    let doctor = doctor(fresh, 5).await;
    let session = Session {
        id: SessionId(id()),
        version: 1,
        doctor: doctor.user,
        department: doctor.department,
        status: SessionStatus::Scheduled,
        begins_at: now() + Span::hours(1),
        ends_at: now() + Span::hours(2),
        opened_at: None,
        ended_at: None,
        last_number: 0,
        price: Money::fen(3000),
        consultation_type: ConsultationType::Text,
        note: None,
        created_at: now(),
    };
    let slot = Slot {
        id: SlotId(id()),
        session: session.id,
        index: 0,
        begins_at: session.begins_at,
        ends_at: session.ends_at,
        capacity,
        taken: 0,
    };
    fresh
        .store
        .insert_session(&session, std::slice::from_ref(&slot), None, None)
        .await
        .unwrap();
    (session, slot)
}

/// An order that books a place in a slot.
pub fn booked(session: &Session, slot: &Slot) -> Consultation {
    let mut order = new_order();
    order.detail.mode = Mode::Clinic;
    order.detail.doctor = Some(session.doctor);
    order.detail.session = Some(session.id);
    order.detail.slot = Some(slot.id);
    order.detail.holds_place = true;
    order
}
