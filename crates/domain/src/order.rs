//! What all kinds of orders share, and the decision that changes one.

use crate::consultation::ranking::Ranking;
use crate::ledger::{Account, Entry, EntryError, EntryKind, Posting};
use crate::lifecycle::Status;
use crate::payment::{Payment, Refund};
use crate::{
    DepartmentId, DifferenceId, Money, OrderId, PaymentId, RefundId, SessionId, SlotId, Span, Ts,
    UserId,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::sync::Arc;
use thiserror::Error;

/// A kind of order: its statuses, what only it knows, and which deadlines it has.
pub trait Lifecycle: Copy + Eq + Debug + Send + Sync + 'static {
    /// Its statuses.
    type Status: Status + Serialize + DeserializeOwned;
    /// What only this kind knows.
    type Detail: Clone + PartialEq + Debug + Serialize + DeserializeOwned + Send + Sync;
    /// Its deadlines.
    type Timer: Copy + Eq + Ord + Debug + Serialize + DeserializeOwned + Send + Sync;
}

/// An order of any kind, with its payments, refunds and running deadlines: what one command
/// changes, and what a snapshot keeps.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Order<L: Lifecycle> {
    /// Its id.
    pub id: OrderId,
    /// 1 after creation, one more after each change.
    pub version: i64,
    /// Where it stands.
    pub status: L::Status,
    /// Since when.
    pub status_since: Ts,
    /// What it was doing before a refund came under review; a refused review gives it back.
    pub suspended: Option<Suspended<L>>,
    /// Whose it is.
    pub patient: UserId,
    /// What it costs.
    pub price: Money,
    /// What of its money the platform has earned so far.
    pub earned: Money,
    /// The version of the business rules that it was created under (spec 00, configuration).
    pub rules_version: i64,
    /// Every attempt to pay it, oldest first.
    pub payments: Vec<Payment>,
    /// Every refund of it, oldest first.
    pub refunds: Vec<Refund>,
    /// Its running deadlines.
    pub timers: Vec<Timer<L>>,
    /// When it was created.
    pub created_at: Ts,
    /// When it last changed.
    pub updated_at: Ts,
    /// What only its kind knows.
    pub detail: L::Detail,
}

/// A running deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Timer<L: Lifecycle> {
    /// Which one.
    pub name: L::Timer,
    /// The refund it belongs to, where it belongs to one and not to the order's status.
    pub refund: Option<RefundId>,
    /// When it fires.
    pub due: Ts,
}

/// What a review may give back: the status and the time its deadlines had left.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Suspended<L: Lifecycle> {
    /// The status before 500.
    pub status: L::Status,
    /// Since when it was in that status.
    pub since: Ts,
    /// The time its deadlines had left.
    pub timers: Vec<(L::Timer, Span)>,
}

impl<L: Lifecycle> Order<L> {
    /// The attempt that may still be paid, if there is one; there is never a second.
    pub fn open_payment(&self) -> Option<&Payment> {
        self.payments
            .iter()
            .find(|payment| payment.status.is_open())
    }

    /// The payment of this id.
    pub fn payment(&self, id: PaymentId) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.id == id)
    }

    /// The refund of this id.
    pub fn refund(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    /// All money that arrived for it.
    pub fn paid(&self) -> Money {
        self.sum(self.payments.iter().filter_map(|payment| payment.paid))
    }

    /// All money promised back or gone back.
    pub fn granted(&self) -> Money {
        let granted = self
            .refunds
            .iter()
            .filter(|refund| refund.status.is_granted());
        self.sum(granted.map(|refund| refund.amount))
    }

    /// All money that went back.
    pub fn refunded(&self) -> Money {
        use crate::payment::RefundStatus::Succeeded;
        let gone = self
            .refunds
            .iter()
            .filter(|refund| refund.status == Succeeded);
        self.sum(gone.map(|refund| refund.amount))
    }

    /// Money of the patient that is neither promised back nor earned.
    pub fn unearned(&self) -> Money {
        let amount = self.paid().amount - self.granted().amount - self.earned.amount;
        Money {
            amount,
            ..self.price
        }
    }

    /// When the deadline of this name fires, if it runs for the order's status.
    pub fn due(&self, name: L::Timer) -> Option<Ts> {
        self.timers
            .iter()
            .find(|t| t.name == name && t.refund.is_none())
            .map(|t| t.due)
    }

    /// The next deadline of the status.
    pub fn next_deadline(&self) -> Option<Timer<L>> {
        self.timers
            .iter()
            .filter(|t| t.refund.is_none())
            .min_by_key(|t| (t.due, t.name))
            .copied()
    }

    fn sum(&self, amounts: impl Iterator<Item = Money>) -> Money {
        // Every payment and refund of an order is in the order's currency.
        Money {
            amount: amounts.map(|money| money.amount).sum(),
            ..self.price
        }
    }
}

/// What somebody is, when they ask for a change.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A patient.
    Patient,
    /// A doctor.
    Doctor,
    /// Hospital operations.
    Operator,
    /// An administrator; may do what operations may.
    Admin,
    /// A payment gateway, by a verified answer or callback.
    Gateway,
    /// A part of the program.
    System,
}

impl Role {
    /// As in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Doctor => "doctor",
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Gateway => "gateway",
            Self::System => "system",
        }
    }

    /// The role of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Patient,
            Self::Doctor,
            Self::Operator,
            Self::Admin,
            Self::Gateway,
            Self::System,
        ]
        .into_iter()
        .find(|role| role.name() == name)
    }
}

/// Who asks for a change; the journal keeps it (spec 00, rule 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actor {
    /// As what.
    pub role: Role,
    /// Who, if a person.
    pub user: Option<UserId>,
}

impl Actor {
    /// A part of the program.
    pub const SYSTEM: Self = Self {
        role: Role::System,
        user: None,
    };
    /// A payment gateway.
    pub const GATEWAY: Self = Self {
        role: Role::Gateway,
        user: None,
    };

    /// A person.
    pub const fn person(role: Role, user: UserId) -> Self {
        Self {
            role,
            user: Some(user),
        }
    }
}

/// One line of the journal: a step, or a note where `from` and `to` are the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step<S> {
    /// The status before; `None` for the creation.
    pub from: Option<S>,
    /// The status after.
    pub to: S,
    /// Why, as a name: `payment_succeeded`, `timer_call`, ...
    pub reason: &'static str,
    /// More words, where there are any.
    pub note: Option<String>,
}

/// Something slow or outside, to be done after the commit (spec 00, rule 6).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Ask the gateway to start a payment.
    StartPayment {
        /// Which.
        payment: PaymentId,
    },
    /// Ask the gateway how a payment stands, on the schedule of spec 20.
    QueryPayment {
        /// Which.
        payment: PaymentId,
    },
    /// Ask once how a payment stands and close it if it is unpaid.
    SettlePayment {
        /// Which.
        payment: PaymentId,
    },
    /// Find doctors for the orders that wait in a department, oldest first.
    Dispatch {
        /// Where.
        department: DepartmentId,
    },
    /// Take a number in the order's session.
    TakeNumber,
    /// See whether the order's session opened or was cancelled while the order became booked.
    CheckActivation,
    /// Review the refund by the share table.
    Review,
    /// Ask the gateway to refund.
    SendRefund {
        /// Which.
        refund: RefundId,
    },
    /// Ask the gateway how a refund stands.
    QueryRefund {
        /// Which.
        refund: RefundId,
    },
    /// Tell every order of a session that it opened, or that it was cancelled.
    SessionMoved {
        /// Which.
        session: SessionId,
    },
    /// Tell a doctor's orders that the doctor came or went.
    PresenceMoved {
        /// Whose.
        doctor: UserId,
    },
    /// Repair a difference to a gateway's bill, as it was decided.
    Repair {
        /// Which.
        difference: DifferenceId,
    },
}

/// A relative change beside the order's row. If it can't be made, nothing of the decision is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Guard {
    /// Take a place in a slot that has one left.
    TakePlace(SlotId),
    /// Give a place back.
    ReleasePlace(SlotId),
    /// Take one of a doctor's parallel consultations, if the doctor is online and has one left.
    TakeDoctor(UserId),
    /// Give it back.
    ReleaseDoctor(UserId),
    /// Take this number, if it is the session's next one.
    TakeNumber(SessionId, u32),
}

/// What a command does, as data: it is written in one transaction or not at all.
#[derive(Clone, PartialEq, Debug)]
pub struct Decision<L: Lifecycle> {
    /// The order after it.
    pub order: Order<L>,
    /// The journal lines. Without any, the order is as before and only timers and effects are new.
    pub steps: Vec<Step<L::Status>>,
    /// What to do after the commit, and how long after.
    pub effects: Vec<(Effect, Span)>,
    /// Movements of money.
    pub entries: Vec<Entry>,
    /// Relative changes beside the order's row.
    pub guards: Vec<Guard>,
    /// Why a doctor was asked, where one was: kept beside the order, for operations.
    pub ranking: Option<Arc<Ranking>>,
}

/// What came of a command.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome<L: Lifecycle> {
    /// It changes the order.
    Decided(Box<Decision<L>>),
    /// It was done before: callbacks and clicks come twice (spec 00, rule 5).
    AlreadyApplied,
}

/// Why a command changes nothing.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum Refusal {
    /// The order's status doesn't take it.
    #[error("`{command}` is not possible while the order is {status}")]
    Status {
        /// What was asked.
        command: &'static str,
        /// What is, as its constant.
        status: &'static str,
    },
    /// The asker is not the one who may.
    #[error("`{command}` is not yours to do: only {who} may")]
    NotYours {
        /// What was asked.
        command: &'static str,
        /// Who may.
        who: &'static str,
    },
    /// A payment is open or made.
    #[error("the order is being paid or has been paid: {status}")]
    PaymentAlreadyProcessed {
        /// What is, as its constant.
        status: &'static str,
    },
    /// What the patient was shown no longer holds.
    #[error("the refund quote no longer holds: {why}; ask for a new one")]
    QuoteMovedOn {
        /// Why.
        why: &'static str,
    },
    /// A field's value doesn't fit.
    #[error("{field}: {why}")]
    Invalid {
        /// Which field, in the API's spelling.
        field: &'static str,
        /// What would fit.
        why: String,
    },
    /// The refund or payment that it names isn't this order's.
    #[error("this order has no {thing} {id}")]
    NoSuch {
        /// `payment` or `refund`.
        thing: &'static str,
        /// The id given.
        id: String,
    },
    /// A rule of the program itself was broken: the table has no such step. It is a defect.
    #[error("the {kind} table has no step from {from} to {to}")]
    OutsideTable {
        /// Which lifecycle.
        kind: &'static str,
        /// From which status.
        from: &'static str,
        /// To which.
        to: &'static str,
    },
    /// A rule of the program itself was broken: the ledger takes no such entry. It is a defect.
    #[error("the ledger takes no such entry: {0}")]
    NoEntry(#[from] EntryError),
}

/// A decision being made. Every status goes through [`Draft::step`], which asks the table.
#[derive(Debug)]
pub struct Draft<L: Lifecycle> {
    /// The order as it will be.
    pub order: Order<L>,
    /// The time of the decision.
    pub now: Ts,
    steps: Vec<Step<L::Status>>,
    effects: Vec<(Effect, Span)>,
    entries: Vec<Entry>,
    guards: Vec<Guard>,
    ranking: Option<Arc<Ranking>>,
    timers_changed: bool,
}

impl<L: Lifecycle> Draft<L> {
    /// A draft that starts from an order as it is.
    pub fn of(order: &Order<L>, now: Ts) -> Self {
        Self {
            order: order.clone(),
            now,
            steps: Vec::new(),
            effects: Vec::new(),
            entries: Vec::new(),
            guards: Vec::new(),
            ranking: None,
            timers_changed: false,
        }
    }

    /// Moves the order one step, if the table has it. Deadlines of the status it leaves are cleared.
    pub fn step(
        &mut self,
        to: L::Status,
        reason: &'static str,
        note: Option<String>,
    ) -> Result<(), Refusal> {
        let from = self.order.status;
        let suspended = self.order.suspended.as_ref().map(|before| before.status);
        if !from.may_become(to, suspended) {
            return Err(Refusal::OutsideTable {
                kind: <L::Status as Status>::KIND,
                from: from.constant(),
                to: to.constant(),
            });
        }
        self.order.timers.retain(|timer| timer.refund.is_some());
        self.timers_changed = true;
        self.order.status = to;
        self.order.status_since = self.now;
        self.steps.push(Step {
            from: Some(from),
            to,
            reason,
            note,
        });
        Ok(())
    }

    /// Writes the first line of the journal.
    pub fn created(&mut self, reason: &'static str) {
        self.steps.push(Step {
            from: None,
            to: self.order.status,
            reason,
            note: None,
        });
    }

    /// Writes a journal line without a change of status.
    pub fn note(&mut self, reason: &'static str, note: Option<String>) {
        let status = self.order.status;
        self.steps.push(Step {
            from: Some(status),
            to: status,
            reason,
            note,
        });
    }

    /// Starts, or starts anew, a deadline of the order's status.
    pub fn set_timer(&mut self, name: L::Timer, due: Ts) {
        self.place_timer(Timer {
            name,
            refund: None,
            due,
        });
    }

    /// Starts a deadline that belongs to a refund.
    pub fn set_refund_timer(&mut self, name: L::Timer, refund: RefundId, due: Ts) {
        self.place_timer(Timer {
            name,
            refund: Some(refund),
            due,
        });
    }

    /// Stops a deadline.
    pub fn clear_timer(&mut self, name: L::Timer, refund: Option<RefundId>) {
        let before = self.order.timers.len();
        self.order
            .timers
            .retain(|timer| timer.name != name || timer.refund != refund);
        self.timers_changed |= before != self.order.timers.len();
    }

    /// Does something after the commit.
    pub fn effect(&mut self, effect: Effect) {
        self.effect_after(effect, Span::ZERO);
    }

    /// Does something some time after the commit.
    pub fn effect_after(&mut self, effect: Effect, delay: Span) {
        if !self.effects.iter().any(|(already, _)| *already == effect) {
            self.effects.push((effect, delay));
        }
    }

    /// Demands a relative change.
    pub fn guard(&mut self, guard: Guard) {
        self.guards.push(guard);
    }

    /// Keeps why a doctor was asked.
    pub fn keep_ranking(&mut self, ranking: Arc<Ranking>) {
        self.ranking = Some(ranking);
    }

    /// Moves money between accounts; nothing is written for nothing.
    pub fn transfer(
        &mut self,
        kind: EntryKind,
        debit: Account,
        credit: Account,
        money: Money,
    ) -> Result<(), Refusal> {
        let sides = [Posting::debit(debit, money), Posting::credit(credit, money)];
        self.post(kind, &sides)
    }

    /// Moves money between several accounts in one entry. Sides of nothing are left out.
    pub fn post(&mut self, kind: EntryKind, sides: &[Posting]) -> Result<(), Refusal> {
        let moving = sides.iter().copied().filter(|side| side.amount != 0);
        let postings: Vec<Posting> = moving.collect();
        if !postings.is_empty() {
            self.entries.push(Entry::new(kind, postings)?);
        }
        Ok(())
    }

    /// The decision. Nothing changed at all counts as already applied.
    pub fn finish(mut self) -> Outcome<L> {
        if self.steps.is_empty() && self.effects.is_empty() && !self.timers_changed {
            return Outcome::AlreadyApplied;
        }
        if !self.steps.is_empty() {
            self.order.version += 1;
            self.order.updated_at = self.now;
        }
        Outcome::Decided(Box::new(Decision {
            order: self.order,
            steps: self.steps,
            effects: self.effects,
            entries: self.entries,
            guards: self.guards,
            ranking: self.ranking,
        }))
    }

    fn place_timer(&mut self, timer: Timer<L>) {
        self.order
            .timers
            .retain(|t| t.name != timer.name || t.refund != timer.refund);
        self.order.timers.push(timer);
        self.timers_changed = true;
    }
}
