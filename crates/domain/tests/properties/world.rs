//! An order in a world that does anything to it, and what it left behind there.

use crate::invariants;
use domain::consultation::{
    Command, Consultation, ConsultationStatus as S, ConsultationType, Facts, Mode, NewConsultation,
    Outcome, Quote, SessionFacts, create, decide, matching::Weights, ranking::Ranking, refund,
};
use domain::ledger::{Account, Entry};
use domain::lifecycle::Status;
use domain::order::{Actor, Guard, Refusal, Role};
use domain::payment::RefundStatus;
use domain::{
    Currency, DepartmentId, Money, NewIds, OrderId, RefundId, SessionId, SlotId, Span, Ts, UserId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

pub const PATIENT: UserId = UserId(Uuid::from_u128(0xa1));
pub const DOCTORS: [UserId; 4] = [
    UserId(Uuid::from_u128(0xd1)),
    UserId(Uuid::from_u128(0xd2)),
    UserId(Uuid::from_u128(0xd3)),
    UserId(Uuid::from_u128(0xd4)),
];
const SESSION: SessionId = SessionId(Uuid::from_u128(0x5e));
const SLOT: SlotId = SlotId(Uuid::from_u128(0x51));
const BEGIN: Ts = Ts::from_micros(1_790_000_000_000_000);

/// A ranking in which nobody else was.
pub fn ranking(chosen: UserId) -> Arc<Ranking> {
    let (weights, at) = (Weights::default(), Ts::from_micros(0));
    Arc::new(Ranking::choosing(chosen, &[], "", &weights, at))
}

#[derive(Clone, Copy)]
struct Counter(u128);

impl NewIds for Counter {
    fn next_id(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

/// Balances by account and currency, kept as integers: debits less credits.
#[derive(Default)]
pub struct Books {
    pub patient: BTreeMap<Currency, i64>,
    pub reserve: BTreeMap<Currency, i64>,
    pub revenue: BTreeMap<Currency, i64>,
    pub outside: BTreeMap<Currency, i64>,
}

impl Books {
    fn post(&mut self, entry: &Entry) {
        for posting in entry.postings() {
            let account = match posting.account {
                Account::Patient => &mut self.patient,
                Account::RefundReserve => &mut self.reserve,
                Account::PlatformRevenue => &mut self.revenue,
                Account::GatewayClearing(_) | Account::Offline => &mut self.outside,
                Account::DoctorPayable | Account::PharmacyPayable | Account::ClinicAccount => {
                    panic!("{} has no part in a consultation", posting.account)
                }
                Account::Suspense | Account::GatewayFees | Account::Rounding => {
                    panic!("{} has no part in a consultation", posting.account)
                }
            };
            *account.entry(posting.currency).or_default() += posting.amount;
        }
    }
}

pub struct World {
    pub order: Consultation,
    pub now: Ts,
    pub facts: Facts,
    /// What the patient was shown, newest first.
    pub quotes: Vec<Quote>,
    /// Every step from one status to another that was taken.
    pub taken: BTreeSet<(u16, u16)>,
    pub books: Books,
    /// Places of the slot and of doctors that the order takes now.
    pub places: i32,
    pub doctors: BTreeMap<UserId, i32>,
    ids: Counter,
    last: Option<(Actor, Command)>,
}

impl World {
    pub fn new(mode: Mode) -> Self {
        let clinic = mode == Mode::Clinic;
        let session = SessionFacts {
            open: false,
            ever_opened: false,
            ended: false,
            slot_begins: BEGIN + Span::hours(1),
            slot_ends: BEGIN + Span::hours(2),
        };
        let facts = Facts {
            session: clinic.then_some(session),
            ..Facts::default()
        };
        let new = NewConsultation {
            id: OrderId(Uuid::from_u128(1)),
            patient: PATIENT,
            price: Money::fen(3333),
            mode,
            consultation_type: ConsultationType::Text,
            department: DepartmentId(Uuid::from_u128(2)),
            complaint: String::new(),
            booking: clinic.then_some((DOCTORS[0], SESSION, SLOT, 1)),
        };
        let mut ids = Counter(0x1000);
        let created = create(&new, &facts, BEGIN, &mut ids).unwrap();
        let Outcome::Decided(decision) = created else {
            panic!("a new order is new");
        };
        let mut world = Self {
            order: decision.order,
            now: BEGIN,
            facts,
            quotes: Vec::new(),
            taken: BTreeSet::new(),
            books: Books::default(),
            places: 0,
            doctors: BTreeMap::new(),
            ids,
            last: None,
        };
        world.keep(&decision.guards);
        invariants::at_rest(&world);
        world
    }

    /// Asks, twice with the same inputs, checks all that always holds, and moves on.
    pub fn ask(&mut self, actor: Actor, command: &Command) {
        let (order, facts, now) = (&self.order, &self.facts, self.now);
        let mut again = self.ids;
        let outcome = decide(order, command, actor, facts, now, &mut self.ids);
        let same = decide(order, command, actor, facts, now, &mut again);
        assert_eq!(outcome, same, "the same inputs give the same decision");
        if let Err(Refusal::OutsideTable { from, to, .. }) = &outcome {
            panic!(
                "{} took a step outside the table: {from} → {to}",
                command.name()
            );
        }
        self.last = Some((actor, command.clone()));
        let Ok(Outcome::Decided(decision)) = outcome else {
            return;
        };
        invariants::of_decision(&self.order, command, &decision);
        for step in &decision.steps {
            if let Some(from) = step.from.filter(|from| *from != step.to) {
                self.taken.insert((from.code(), step.to.code()));
            }
        }
        for entry in &decision.entries {
            self.books.post(entry);
        }
        self.keep(&decision.guards);
        self.order = decision.order;
        invariants::at_rest(self);
        if let Ok(quote) = refund::quote(&self.order, &self.facts, self.now) {
            self.quotes.insert(0, quote);
            self.quotes.truncate(3);
        }
    }

    fn keep(&mut self, guards: &[Guard]) {
        for guard in guards {
            match guard {
                Guard::TakePlace(slot) => {
                    assert_eq!(*slot, SLOT);
                    self.places += 1;
                }
                Guard::ReleasePlace(slot) => {
                    assert_eq!(*slot, SLOT);
                    self.places -= 1;
                }
                Guard::TakeDoctor(doctor) => *self.doctors.entry(*doctor).or_default() += 1,
                Guard::ReleaseDoctor(doctor) => *self.doctors.entry(*doctor).or_default() -= 1,
                Guard::TakeNumber(session, _) => assert_eq!(*session, SESSION),
            }
        }
    }

    /// The last command comes once more.
    pub fn again(&mut self) {
        if let Some((actor, command)) = self.last.take() {
            self.ask(actor, &command);
        }
    }

    /// Time passes until one of the running deadlines, which fires.
    pub fn fire(&mut self, which: usize) {
        let timers = &self.order.timers;
        if timers.is_empty() {
            return;
        }
        let timer = timers[which % timers.len()];
        self.now = self.now.max(timer.due);
        let (name, refund) = (timer.name, timer.refund);
        self.ask(Actor::SYSTEM, &Command::Timer { name, refund });
    }

    /// The doctor opens; late, every clock of the session shifts.
    pub fn open_session(&mut self) {
        let now = self.now;
        let begins = BEGIN + Span::minutes(30);
        if let Some(session) = self
            .facts
            .session
            .as_mut()
            .filter(|s| !s.ever_opened && !s.ended)
        {
            session.open = true;
            session.ever_opened = true;
            session.slot_begins = session.slot_begins + now.since(begins);
        }
    }

    /// The doctor cancels or ends the session.
    pub fn end_session(&mut self) {
        if let Some(session) = &mut self.facts.session {
            session.open = false;
            session.ended = true;
        }
    }

    /// Pays, finds a doctor or takes a number, and gets as far as it can.
    pub fn run_in(&mut self) {
        let patient = Actor::person(Role::Patient, PATIENT);
        let doctor = Actor::person(Role::Doctor, DOCTORS[0]);
        self.ask(
            patient,
            &Command::SubmitPayment {
                gateway: domain::payment::GatewayName::WECHAT,
                method: domain::payment::Method::NATIVE,
                payer: None,
                client_ip: None,
            },
        );
        let paid = Command::PaymentSucceeded {
            payment: self.order.payments[0].id,
            paid: self.order.price,
            transaction_id: "1".to_owned(),
            paid_at: self.now,
            by_query: false,
        };
        self.ask(Actor::GATEWAY, &paid);
        if self.order.detail.mode == Mode::Clinic {
            self.ask(Actor::SYSTEM, &Command::NumberTaken { number: 1 });
            return;
        }
        let found = Command::DoctorFound {
            ranking: ranking(DOCTORS[0]),
        };
        self.ask(Actor::SYSTEM, &found);
        self.ask(doctor, &Command::Accept);
    }

    /// Deadlines fire and counterparties answer until the order has ended. It always does.
    pub fn run_out(&mut self) {
        for _ in 0..60 {
            if self.order.status.is_terminal() {
                break;
            }
            let refund = self.order.refunds.iter().rev();
            let refund = refund
                .filter(|refund| refund.purpose == domain::payment::Purpose::Order)
                .map(|refund| refund.id)
                .next();
            match (self.order.status, refund) {
                (S::Paying, _) => {
                    let payment = self.order.open_payment().expect("an open payment").id;
                    self.ask(Actor::GATEWAY, &Command::PaymentClosed { payment });
                }
                (S::InQueue, _) => {
                    let gone = Command::SessionCancelled { reason: None };
                    self.ask(Actor::SYSTEM, &gone);
                }
                (S::Refunding, Some(refund)) => {
                    self.ask(Actor::GATEWAY, &self.refund_gone(refund));
                }
                (S::RefundFailed, Some(refund)) => {
                    let operator = Actor::person(Role::Operator, DOCTORS[0]);
                    self.ask(operator, &Command::RetryRefund { refund });
                }
                _ => self.fire(0),
            }
        }
        let status = self.order.status;
        assert!(status.is_terminal(), "stuck in {status:?}");
        self.refund_the_rest();
        invariants::at_the_end(self);
    }

    /// The gateway's word that a refund has gone.
    pub fn refund_gone(&self, refund: RefundId) -> Command {
        Command::RefundSucceeded {
            refund,
            refund_id: "5000001".to_owned(),
            at: self.now,
        }
    }

    fn refund_the_rest(&mut self) {
        let under_way: Vec<_> = self
            .order
            .refunds
            .iter()
            .filter(|refund| {
                matches!(
                    refund.status,
                    RefundStatus::Processing | RefundStatus::Failed
                )
            })
            .map(|refund| refund.id)
            .collect();
        for refund in under_way {
            self.ask(Actor::GATEWAY, &self.refund_gone(refund));
        }
    }
}
