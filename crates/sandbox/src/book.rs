//! What the sandbox knows: payments, refunds, what is scheduled, and its settings.

use crate::SandboxError;
use crate::control::views::{
    CallbackAttempt, PayRequest, PaymentState, RefundStatus, Settings, TradeType,
};
use crate::file::BookFile;
use domain::Ts;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// So many attempts of a notice are remembered.
const REMEMBERED_ATTEMPTS: usize = 50;

/// A payment that a prepay opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payment {
    pub(crate) out_trade_no: String,
    pub(crate) trade_type: TradeType,
    pub(crate) description: String,
    pub(crate) attach: Option<String>,
    pub(crate) notify_url: String,
    /// Fen asked for.
    pub(crate) total: i64,
    pub(crate) currency: String,
    /// As asked for: a repetition must ask the same.
    pub(crate) time_expire: Option<String>,
    /// The last moment to pay, after WeChat's corrections of `time_expire`.
    pub(crate) payable_until: Ts,
    pub(crate) openid: Option<String>,
    /// `prepay_id` or `code_url`.
    pub(crate) handle: String,
    pub(crate) created_at: Ts,
    /// `REFUND` is never kept here: it follows from the refunds.
    pub(crate) state: PaymentState,
    pub(crate) paid: Option<Paid>,
    pub(crate) attempts: Vec<CallbackAttempt>,
}

/// How a payment was paid.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Paid {
    pub(crate) transaction_id: String,
    pub(crate) at: Ts,
    /// Fen really paid.
    pub(crate) total: i64,
    pub(crate) notice_id: String,
    /// What was asked of the control API, so that its repetition is known.
    pub(crate) request: PayRequest,
}

/// A refund that was accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refund {
    pub(crate) out_refund_no: String,
    pub(crate) refund_id: String,
    pub(crate) out_trade_no: String,
    pub(crate) transaction_id: String,
    pub(crate) reason: Option<String>,
    pub(crate) notify_url: Option<String>,
    /// Fen to give back.
    pub(crate) refund: i64,
    /// Fen that had been paid.
    pub(crate) total: i64,
    pub(crate) currency: String,
    pub(crate) status: RefundStatus,
    /// Told to stay `PROCESSING`.
    pub(crate) held: bool,
    pub(crate) created_at: Ts,
    pub(crate) success_at: Option<Ts>,
    pub(crate) notice_id: String,
    pub(crate) attempts: Vec<CallbackAttempt>,
}

/// Something that happens by itself, at its time on the sandbox's clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Action {
    pub(crate) id: u64,
    pub(crate) due: Ts,
    pub(crate) task: Task,
}

/// What happens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Task {
    /// Tells the merchant of a payment.
    NotifyPayment {
        out_trade_no: String,
        bad_signature: bool,
        attempt: usize,
    },
    /// Tells the merchant how a refund ended.
    NotifyRefund {
        out_refund_no: String,
        bad_signature: bool,
        attempt: usize,
    },
    /// The payer pays.
    Autopay { out_trade_no: String },
    /// The refund arrives.
    FinishRefund { out_refund_no: String },
}

/// One change of the book; the last one of an id counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Change {
    Payment(Box<Payment>),
    Refund(Box<Refund>),
    Action(Box<Action>),
    /// This action needs nothing more.
    Done(u64),
    Settings(Settings),
}

/// Everything, in memory and, where there is a directory, on disk.
#[derive(Default)]
pub(crate) struct Book {
    payments: HashMap<String, Payment>,
    /// Numbers in the order of their arrival.
    payment_order: Vec<String>,
    refunds: HashMap<String, Refund>,
    refund_order: Vec<String>,
    refunds_of: HashMap<String, Vec<String>>,
    transactions: HashMap<String, String>,
    actions: BTreeMap<(Ts, u64), Action>,
    due_of: HashMap<u64, Ts>,
    next_action: u64,
    settings: Settings,
    /// Actions that somebody is carrying out right now.
    in_flight: HashSet<u64>,
    file: Option<BookFile>,
    /// Where the book was closed, nothing can be written any more.
    closed: Option<PathBuf>,
}

impl Book {
    /// Reads the directory's book and writes it anew without what has been overtaken.
    pub(crate) fn open(data_dir: Option<&Path>) -> Result<Self, SandboxError> {
        let mut book = Self::default();
        if let Some(dir) = data_dir {
            let (mut file, changes) = BookFile::open(dir)?;
            for change in changes {
                book.apply(change);
            }
            file.compact(dir, book.lines())?;
            book.file = Some(file);
        }
        Ok(book)
    }

    /// Lets go of the directory; every later change fails, and nothing is due any more.
    pub(crate) fn close(&mut self, data_dir: Option<&Path>) {
        self.file = None;
        self.actions.clear();
        self.closed = Some(data_dir.unwrap_or(Path::new("memory")).to_owned());
    }

    /// Makes changes that belong together: first on disk, then in memory.
    pub(crate) fn commit(&mut self, changes: Vec<Change>) -> Result<(), SandboxError> {
        if let Some(dir) = &self.closed {
            return Err(SandboxError::Closed(dir.clone()));
        }
        if let Some(file) = &mut self.file {
            file.append(&changes)
                .map_err(|source| SandboxError::file("book.jsonl", source))?;
        }
        for change in changes {
            self.apply(change);
        }
        Ok(())
    }

    /// A change that schedules a task.
    pub(crate) fn schedule(&mut self, due: Ts, task: Task) -> Change {
        let id = self.next_action;
        self.next_action += 1;
        Change::Action(Box::new(Action { id, due, task }))
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Payment(payment) => {
                if let Some(paid) = &payment.paid {
                    self.transactions
                        .insert(paid.transaction_id.clone(), payment.out_trade_no.clone());
                }
                let number = payment.out_trade_no.clone();
                if self.payments.insert(number.clone(), *payment).is_none() {
                    self.payment_order.push(number);
                }
            }
            Change::Refund(refund) => {
                let number = refund.out_refund_no.clone();
                let of = refund.out_trade_no.clone();
                if self.refunds.insert(number.clone(), *refund).is_none() {
                    self.refunds_of.entry(of).or_default().push(number.clone());
                    self.refund_order.push(number);
                }
            }
            Change::Action(action) => {
                self.forget(action.id);
                self.next_action = self.next_action.max(action.id + 1);
                self.due_of.insert(action.id, action.due);
                self.actions.insert((action.due, action.id), *action);
            }
            Change::Done(id) => self.forget(id),
            Change::Settings(settings) => self.settings = settings,
        }
    }

    fn forget(&mut self, id: u64) {
        if let Some(due) = self.due_of.remove(&id) {
            self.actions.remove(&(due, id));
        }
    }

    /// What is still true, as lines.
    fn lines(&self) -> impl Iterator<Item = Vec<Change>> {
        let settings = std::iter::once(Change::Settings(self.settings.clone()));
        let payments = self
            .payments()
            .map(|payment| Change::Payment(Box::new(payment.clone())));
        let refunds = self
            .refunds()
            .map(|refund| Change::Refund(Box::new(refund.clone())));
        let actions = self
            .actions
            .values()
            .map(|action| Change::Action(Box::new(action.clone())));
        settings
            .chain(payments)
            .chain(refunds)
            .chain(actions)
            .map(|change| vec![change])
    }

    /// Takes up to so many due actions that nobody else is at.
    pub(crate) fn claim_due(&mut self, now: Ts, limit: usize) -> Vec<Action> {
        let claimed: Vec<Action> = self
            .due(now)
            .filter(|action| !self.in_flight.contains(&action.id))
            .take(limit)
            .cloned()
            .collect();
        self.in_flight
            .extend(claimed.iter().map(|action| action.id));
        claimed
    }

    /// Gives an action back; if it is not done, it is due again.
    pub(crate) fn release(&mut self, id: u64) {
        self.in_flight.remove(&id);
    }

    /// Whether anything is due, be somebody at it or not.
    pub(crate) fn anything_due(&self, now: Ts) -> bool {
        self.due(now).next().is_some()
    }

    fn due(&self, now: Ts) -> impl Iterator<Item = &Action> {
        // Hanging refunds wait where they are, and all arrive when the fault is over.
        let hang = self.settings.faults.refunds_hang;
        self.actions
            .range(..=(now, u64::MAX))
            .map(|(_, action)| action)
            .filter(move |action| !(hang && matches!(action.task, Task::FinishRefund { .. })))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn payment(&self, out_trade_no: &str) -> Option<&Payment> {
        self.payments.get(out_trade_no)
    }

    pub(crate) fn payment_of(&self, transaction_id: &str) -> Option<&Payment> {
        self.transactions
            .get(transaction_id)
            .and_then(|number| self.payment(number))
    }

    /// All payments, oldest first.
    pub(crate) fn payments(&self) -> impl DoubleEndedIterator<Item = &Payment> {
        self.payment_order
            .iter()
            .filter_map(|number| self.payments.get(number))
    }

    pub(crate) fn refund(&self, out_refund_no: &str) -> Option<&Refund> {
        self.refunds.get(out_refund_no)
    }

    /// All refunds, oldest first.
    pub(crate) fn refunds(&self) -> impl DoubleEndedIterator<Item = &Refund> {
        self.refund_order
            .iter()
            .filter_map(|number| self.refunds.get(number))
    }

    /// The refunds of a payment that took or will take money: all but `CLOSED`.
    pub(crate) fn live_refunds(&self, out_trade_no: &str) -> impl Iterator<Item = &Refund> {
        let numbers = self.refunds_of.get(out_trade_no).into_iter().flatten();
        numbers
            .filter_map(|number| self.refunds.get(number))
            .filter(|refund| refund.status != RefundStatus::Closed)
    }

    /// The state as WeChat tells it: a paid payment with a refund is `REFUND`.
    pub(crate) fn state_of(&self, payment: &Payment) -> PaymentState {
        match payment.state {
            PaymentState::Success if self.live_refunds(&payment.out_trade_no).next().is_some() => {
                PaymentState::Refund
            }
            state => state,
        }
    }
}

/// Adds an attempt, and forgets the oldest where there are too many.
pub(crate) fn remember(attempts: &mut Vec<CallbackAttempt>, attempt: CallbackAttempt) {
    attempts.push(attempt);
    if attempts.len() > REMEMBERED_ATTEMPTS {
        attempts.remove(0);
    }
}
