//! An order brought to any status by commands, and words to say what came of the next one.

use domain::consultation::{
    Command, Consultation, ConsultationStatus as S, ConsultationType, Decision, Facts, Mode,
    NewConsultation, Outcome, Quote, SessionFacts, TimerName, Verdict, create, decide,
    matching::Weights, ranking::Ranking, refund,
};
use domain::ledger::{Account, Entry};
use domain::lifecycle::Status;
use domain::order::{Actor, Effect, Guard, Refusal, Role};
use domain::payment::{GatewayName, Method, PayWith, Payment, Refund};
use domain::{
    DepartmentId, Money, NewIds, OrderId, PaymentId, RefundId, SessionId, SlotId, Span, Ts, UserId,
};
use std::sync::Arc;
use uuid::Uuid;

pub const PATIENT: UserId = UserId(Uuid::from_u128(0xa1));
pub const DOCTORS: [UserId; 4] = [
    UserId(Uuid::from_u128(0xd1)),
    UserId(Uuid::from_u128(0xd2)),
    UserId(Uuid::from_u128(0xd3)),
    UserId(Uuid::from_u128(0xd4)),
];
pub const DEPARTMENT: DepartmentId = DepartmentId(Uuid::from_u128(0xde));
pub const SESSION: SessionId = SessionId(Uuid::from_u128(0x5e));
pub const SLOT: SlotId = SlotId(Uuid::from_u128(0x51));
pub const PRICE: Money = Money::fen(3000);
/// What these orders ask every gateway account about.
pub const CLEARING: Account = Account::GatewayClearing(GatewayName::WECHAT);

/// Monday morning in Shanghai.
pub fn monday(clock: &str) -> Ts {
    Ts::parse(&format!("2026-09-21T{clock}+08:00")).unwrap()
}

pub fn patient() -> Actor {
    Actor::person(Role::Patient, PATIENT)
}

pub fn doctor(which: usize) -> Actor {
    Actor::person(Role::Doctor, DOCTORS[which])
}

pub fn operator() -> Actor {
    Actor::person(Role::Operator, UserId(Uuid::from_u128(0x0b)))
}

struct Counter(u128);

impl NewIds for Counter {
    fn next_id(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

/// An order and everything that its decisions see and bring about.
pub struct Case {
    pub order: Consultation,
    pub now: Ts,
    pub facts: Facts,
    pub guards: Vec<Guard>,
    pub entries: Vec<Entry>,
    pub last: Decision,
    ids: Counter,
}

impl Case {
    /// A new order, in 100 at 09:00; the clinic's slot is 10:00 to 11:00 and not open yet.
    pub fn new(mode: Mode) -> Self {
        let mut facts = Facts::default();
        if mode == Mode::Clinic {
            facts.session = Some(SessionFacts {
                open: false,
                ever_opened: false,
                ended: false,
                slot_begins: monday("10:00:00"),
                slot_ends: monday("11:00:00"),
            });
        }
        let new = new_order(mode, PRICE);
        let (now, mut ids) = (monday("09:00:00"), Counter(0x1000));
        let created = create(&new, &facts, now, &mut ids).unwrap();
        let Outcome::Decided(decision) = created else {
            panic!("a new order is new");
        };
        Self {
            order: decision.order.clone(),
            now,
            facts,
            guards: decision.guards.clone(),
            entries: decision.entries.clone(),
            last: *decision,
            ids,
        }
    }

    /// A dispatched order in this status, by commands alone.
    pub fn dispatch(status: S) -> Self {
        Self::new(Mode::Dispatch).brought_to(status)
    }

    /// A clinic order in this status, by commands alone.
    pub fn clinic(status: S) -> Self {
        Self::new(Mode::Clinic).brought_to(status)
    }

    fn brought_to(mut self, status: S) -> Self {
        let dispatched = self.order.detail.mode == Mode::Dispatch;
        match status {
            S::PendingPayment => {}
            S::Paying => self.pay(),
            S::PaymentFailed => self.after(S::Paying).payment_fails(),
            S::Dispatching | S::QueuingNumber => self.after(S::Paying).money_comes(PRICE),
            S::PendingAccept => self.after(S::Dispatching).found(0),
            S::PendingActivation => self.after(S::QueuingNumber).number(7),
            S::InQueue => {
                self.after(S::QueuingNumber).open_session();
                self.number(7);
            }
            S::Calling => self.after(S::InQueue).call(),
            S::PendingConsultation if dispatched => self.after(S::PendingAccept).accept(),
            S::PendingConsultation => self.after(S::Calling).answer(),
            S::InProgress => self.after(S::PendingConsultation).start(),
            S::RefundReviewing => self
                .after(if dispatched {
                    S::Dispatching
                } else {
                    S::InQueue
                })
                .cancel(),
            S::Refunding => self.after(S::RefundReviewing).review(),
            S::RefundFailed => self.after(S::Refunding).refund_fails(),
            S::Completed => self.after(S::InProgress).finish(),
            S::Refunded => self.after(S::Refunding).refund_goes(),
            S::Cancelled => self.cancel(),
            S::DispatchFailed | S::CallFailed | S::ReQueuing | S::ServiceTimeout => {
                panic!("{status:?} is never at rest")
            }
            S::RefundRequested => panic!("{status:?} is never at rest"),
        }
        assert_eq!(self.order.status, status);
        self
    }

    fn after(&mut self, status: S) -> &mut Self {
        let mut case = Self::new(self.order.detail.mode);
        std::mem::swap(&mut case.facts, &mut self.facts);
        *self = case.brought_to(status);
        self
    }

    /// What comes of a command; the order moves on if it is decided.
    pub fn ask(&mut self, actor: Actor, command: &Command) -> Result<Outcome, Refusal> {
        let outcome = decide(
            &self.order,
            command,
            actor,
            &self.facts,
            self.now,
            &mut self.ids,
        );
        if let Ok(Outcome::Decided(decision)) = &outcome {
            self.order = decision.order.clone();
            self.guards.extend(&decision.guards);
            self.entries.extend(decision.entries.clone());
            self.last = (**decision).clone();
        }
        outcome
    }

    /// The command is decided; its journal, as `101→200 payment_succeeded`.
    pub fn does(&mut self, actor: Actor, command: &Command) -> Vec<String> {
        match self.ask(actor, command) {
            Ok(Outcome::Decided(decision)) => journal(&decision),
            other => panic!("{} was not decided: {other:?}", command.name()),
        }
    }

    /// The program asks, and it is decided.
    pub fn happens(&mut self, command: &Command) -> Vec<String> {
        self.does(Actor::SYSTEM, command)
    }

    /// It was done before.
    pub fn already(&mut self, actor: Actor, command: &Command) {
        let before = self.order.clone();
        let outcome = self.ask(actor, command);
        assert_eq!(outcome, Ok(Outcome::AlreadyApplied), "{}", command.name());
        assert_eq!(self.order, before);
    }

    /// Why it is refused.
    pub fn refused(&mut self, actor: Actor, command: &Command) -> Refusal {
        match self.ask(actor, command) {
            Err(refusal) => refusal,
            Ok(outcome) => panic!("{} was not refused: {outcome:?}", command.name()),
        }
    }

    /// Time passes.
    pub fn later(&mut self, span: Span) {
        self.now = self.now + span;
    }

    /// Time passes until a deadline of the status, which fires.
    pub fn fires(&mut self, name: TimerName) -> Vec<String> {
        let due = self.order.due(name).expect("the deadline runs");
        self.now = self.now.max(due);
        self.happens(&Command::Timer { name, refund: None })
    }

    /// The deadlines of the status: name and seconds from now.
    pub fn timers(&self) -> Vec<(&'static str, i64)> {
        let own = self.order.timers.iter().filter(|t| t.refund.is_none());
        own.map(|t| (t.name.name(), t.due.since(self.now).as_seconds()))
            .collect()
    }

    pub fn has_effect(&self, effect: &Effect) -> bool {
        self.last.effects.iter().any(|(found, _)| found == effect)
    }

    /// Debits less credits of an account, over every entry of the order.
    pub fn balance(&self, account: Account) -> i64 {
        let postings = self.entries.iter().flat_map(Entry::postings);
        postings
            .filter(|posting| posting.account == account)
            .map(|posting| posting.amount)
            .sum()
    }

    /// The order's last refund.
    pub fn refund(&self) -> &Refund {
        self.order.refunds.last().expect("there is a refund")
    }

    pub fn refund_id(&self) -> RefundId {
        self.refund().id
    }

    /// The order's last payment.
    pub fn payment(&self) -> &Payment {
        self.order.payments.last().expect("there is a payment")
    }

    pub fn payment_id(&self) -> PaymentId {
        self.payment().id
    }

    pub fn quote(&self) -> Quote {
        refund::quote(&self.order, &self.facts, self.now).unwrap()
    }

    pub fn session(&mut self) -> &mut SessionFacts {
        self.facts.session.as_mut().expect("a clinic order")
    }

    pub fn open_session(&mut self) {
        let session = self.session();
        session.open = true;
        session.ever_opened = true;
    }

    pub fn end_session(&mut self) {
        let session = self.session();
        session.open = false;
        session.ended = true;
    }

    pub fn pay(&mut self) {
        self.does(patient(), &pay());
        let payment = self.payment_id();
        self.does(Actor::GATEWAY, &started(payment));
    }

    pub fn payment_fails(&mut self) {
        let failed = failed(self.payment_id());
        self.does(Actor::GATEWAY, &failed);
    }

    pub fn money_comes(&mut self, paid: Money) {
        let succeeded = succeeded(self.payment_id(), paid);
        self.does(Actor::GATEWAY, &succeeded);
    }

    pub fn found(&mut self, which: usize) {
        self.happens(&found(which));
    }

    pub fn accept(&mut self) {
        self.does(doctor(0), &Command::Accept);
    }

    pub fn number(&mut self, number: u32) {
        self.happens(&Command::NumberTaken { number });
    }

    pub fn call(&mut self) {
        self.does(doctor(0), &Command::Call { reason: None });
    }

    pub fn answer(&mut self) {
        self.does(patient(), &Command::Answer);
    }

    pub fn start(&mut self) {
        self.does(doctor(0), &Command::Start);
    }

    pub fn finish(&mut self) {
        self.does(doctor(0), &Command::Finish(Default::default()));
    }

    pub fn cancel(&mut self) {
        self.does(patient(), &cancel());
    }

    pub fn review(&mut self) {
        self.happens(&Command::AutomaticReview);
    }

    pub fn refuse(&mut self) {
        let refuse = verdict(self.refund_id(), Verdict::Refuse("not so".to_owned()));
        self.does(operator(), &refuse);
    }

    pub fn refund_fails(&mut self) {
        let failed = refund_failed(self.refund_id());
        self.does(Actor::GATEWAY, &failed);
    }

    pub fn refund_goes(&mut self) {
        let refund = self.refund_id();
        self.does(Actor::GATEWAY, &refund_gone(refund));
    }
}

pub fn new_order(mode: Mode, price: Money) -> NewConsultation {
    NewConsultation {
        id: OrderId(Uuid::from_u128(0x0d)),
        patient: PATIENT,
        price,
        mode,
        consultation_type: ConsultationType::Video,
        department: DEPARTMENT,
        complaint: "头痛三天".to_owned(),
        booking: (mode == Mode::Clinic).then_some((DOCTORS[0], SESSION, SLOT, 1)),
    }
}

/// A decision's journal: `101→200 payment_succeeded`, or `101 being_checked` for a note.
pub fn journal(decision: &Decision) -> Vec<String> {
    let lines = decision.steps.iter().map(|step| match step.from {
        Some(from) if from == step.to => format!("{} {}", from.code(), step.reason),
        Some(from) => format!("{}→{} {}", from.code(), step.to.code(), step.reason),
        None => format!("→{} {}", step.to.code(), step.reason),
    });
    lines.collect()
}

pub fn pay() -> Command {
    Command::SubmitPayment {
        gateway: GatewayName::WECHAT,
        method: Method::NATIVE,
        payer: None,
        client_ip: None,
    }
}

pub fn cancel() -> Command {
    cancel_as(None)
}

pub fn cancel_as(quote: Option<Quote>) -> Command {
    Command::Cancel {
        quote,
        reason: None,
    }
}

pub fn started(payment: PaymentId) -> Command {
    Command::PaymentStarted {
        payment,
        handle: None,
        pay_with: PayWith::Qr {
            code_url: "weixin://pay".to_owned(),
        },
    }
}

pub fn succeeded(payment: PaymentId, paid: Money) -> Command {
    Command::PaymentSucceeded {
        payment,
        paid,
        transaction_id: "4200001".to_owned(),
        paid_at: monday("09:00:30"),
        by_query: false,
    }
}

/// The same as the answer to a query.
pub fn found_paid(payment: PaymentId, paid: Money) -> Command {
    Command::PaymentSucceeded {
        payment,
        paid,
        transaction_id: "4200001".to_owned(),
        paid_at: monday("09:00:30"),
        by_query: true,
    }
}

/// The gateway says that the refunded money has gone.
pub fn refund_gone(refund: RefundId) -> Command {
    Command::RefundSucceeded {
        refund,
        refund_id: "5000001".to_owned(),
        at: monday("09:01:00"),
    }
}

pub fn failed(payment: PaymentId) -> Command {
    Command::PaymentFailed {
        payment,
        reason: "PAYERROR".to_owned(),
    }
}

/// A ranking in which nobody else was.
pub fn ranking(chosen: UserId) -> Arc<Ranking> {
    let (weights, at) = (Weights::default(), Ts::from_micros(0));
    Arc::new(Ranking::choosing(chosen, &[], "", &weights, at))
}

pub fn found(which: usize) -> Command {
    Command::DoctorFound {
        ranking: ranking(DOCTORS[which]),
    }
}

pub fn decline() -> Command {
    Command::Decline { reason: None }
}

pub fn verdict(refund: RefundId, verdict: Verdict) -> Command {
    Command::ReviewRefund { refund, verdict }
}

pub fn refund_failed(refund: RefundId) -> Command {
    Command::RefundFailed {
        refund,
        reason: "SYSTEM_ERROR".to_owned(),
        dead_number: false,
        needs_operations: false,
    }
}

pub fn session_cancelled() -> Command {
    Command::SessionCancelled {
        reason: Some("ill".to_owned()),
    }
}

pub fn timer(name: TimerName) -> Command {
    Command::Timer { name, refund: None }
}
