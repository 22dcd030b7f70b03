//! What the sandbox knows: payments, refunds, what is scheduled, and its settings.

mod file;
mod records;

pub(crate) use records::{
    About, Action, Approved, Change, NewPayment, NewRefund, Paid, Payment, Planted, Refund, Task,
    remember,
};

use crate::SandboxError;
use crate::control::views::{Faults, PaymentState, RefundStatus, Settings};
use domain::Ts;
use domain::payment::GatewayName;
use file::BookFile;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// A gateway's own number, which only that gateway keeps unique.
type Foreign = (GatewayName, String);

/// Everything, in memory and, where there is a directory, on disk.
#[derive(Default)]
pub(crate) struct Book {
    payments: HashMap<String, Payment>,
    /// Numbers in the order of their arrival.
    payment_order: Vec<String>,
    handles: HashMap<Foreign, String>,
    transactions: HashMap<Foreign, String>,
    refunds: HashMap<String, Refund>,
    refund_order: Vec<String>,
    refund_ids: HashMap<Foreign, String>,
    refunds_of: HashMap<String, Vec<String>>,
    actions: BTreeMap<(Ts, u64), Action>,
    due_of: HashMap<u64, Ts>,
    next_action: u64,
    settings: Settings,
    planted: Vec<Planted>,
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
            Change::Payment(payment) => self.put_payment(*payment),
            Change::Refund(refund) => self.put_refund(*refund),
            Change::Action(action) => {
                self.forget(action.id);
                self.next_action = self.next_action.max(action.id + 1);
                self.due_of.insert(action.id, action.due);
                self.actions.insert((action.due, action.id), *action);
            }
            Change::Done(id) => self.forget(id),
            Change::Settings(settings) => self.settings = *settings,
            Change::Planted(planted) => self.planted.push(*planted),
        }
    }

    fn put_payment(&mut self, payment: Payment) {
        let number = payment.out_trade_no.clone();
        let of_gateway = |text: &str| (payment.gateway, text.to_owned());
        self.handles
            .insert(of_gateway(&payment.handle), number.clone());
        if let Some(paid) = &payment.paid {
            self.transactions
                .insert(of_gateway(&paid.transaction_id), number.clone());
        }
        if self.payments.insert(number.clone(), payment).is_none() {
            self.payment_order.push(number);
        }
    }

    fn put_refund(&mut self, refund: Refund) {
        let number = refund.out_refund_no.clone();
        let of = refund.out_trade_no.clone();
        self.refund_ids
            .insert((refund.gateway, refund.refund_id.clone()), number.clone());
        if self.refunds.insert(number.clone(), refund).is_none() {
            self.refunds_of.entry(of).or_default().push(number.clone());
            self.refund_order.push(number);
        }
    }

    fn forget(&mut self, id: u64) {
        if let Some(due) = self.due_of.remove(&id) {
            self.actions.remove(&(due, id));
        }
    }

    /// What is still true, as lines.
    fn lines(&self) -> impl Iterator<Item = Vec<Change>> {
        let settings = std::iter::once(Change::Settings(Box::new(self.settings.clone())));
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
        let planted = self
            .planted
            .iter()
            .map(|planted| Change::Planted(Box::new(planted.clone())));
        settings
            .chain(payments)
            .chain(refunds)
            .chain(actions)
            .chain(planted)
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
        self.actions
            .range(..=(now, u64::MAX))
            .map(|(_, action)| action)
            .filter(|action| !self.hangs(&action.task))
    }

    /// Hanging refunds wait where they are, and all arrive when the fault is over.
    fn hangs(&self, task: &Task) -> bool {
        match task {
            Task::FinishRefund { out_refund_no } => self
                .refund(out_refund_no)
                .is_some_and(|refund| self.settings.refunds_hang(refund.gateway)),
            Task::Notify { .. } | Task::Autopay { .. } => false,
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The faults that a gateway has: everybody's and its own.
    pub(crate) fn faults(&self, gateway: GatewayName) -> Faults {
        self.settings.faults_at(gateway)
    }

    pub(crate) fn planted(&self) -> &[Planted] {
        &self.planted
    }

    pub(crate) fn payment(&self, out_trade_no: &str) -> Option<&Payment> {
        self.payments.get(out_trade_no)
    }

    /// A payment of this gateway, by the merchant's number.
    pub(crate) fn payment_at(&self, gateway: GatewayName, out_trade_no: &str) -> Option<&Payment> {
        self.payment(out_trade_no)
            .filter(|payment| payment.gateway == gateway)
    }

    /// A payment by the gateway's number of the money.
    pub(crate) fn payment_of_transaction(
        &self,
        gateway: GatewayName,
        transaction_id: &str,
    ) -> Option<&Payment> {
        self.transactions
            .get(&(gateway, transaction_id.to_owned()))
            .and_then(|number| self.payment(number))
    }

    /// A payment by the gateway's number of the attempt.
    pub(crate) fn payment_of_handle(&self, gateway: GatewayName, handle: &str) -> Option<&Payment> {
        self.handles
            .get(&(gateway, handle.to_owned()))
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

    /// A refund of this gateway, by the merchant's number.
    pub(crate) fn refund_at(&self, gateway: GatewayName, out_refund_no: &str) -> Option<&Refund> {
        self.refund(out_refund_no)
            .filter(|refund| refund.gateway == gateway)
    }

    /// A refund by the gateway's number.
    pub(crate) fn refund_of_id(&self, gateway: GatewayName, refund_id: &str) -> Option<&Refund> {
        self.refund_ids
            .get(&(gateway, refund_id.to_owned()))
            .and_then(|number| self.refund(number))
    }

    /// All refunds, oldest first.
    pub(crate) fn refunds(&self) -> impl DoubleEndedIterator<Item = &Refund> {
        self.refund_order
            .iter()
            .filter_map(|number| self.refunds.get(number))
    }

    /// The refunds of a payment that took or will take money.
    pub(crate) fn live_refunds(&self, out_trade_no: &str) -> impl Iterator<Item = &Refund> {
        let numbers = self.refunds_of.get(out_trade_no).into_iter().flatten();
        numbers
            .filter_map(|number| self.refunds.get(number))
            .filter(|refund| refund.status.is_live())
    }

    /// Minor units that went back.
    pub(crate) fn refunded(&self, out_trade_no: &str) -> i64 {
        self.live_refunds(out_trade_no)
            .filter(|refund| refund.status == RefundStatus::Success)
            .map(|refund| refund.amount)
            .sum()
    }

    /// The state with its refunds: a paid payment with one is `Refund`.
    pub(crate) fn state_of(&self, payment: &Payment) -> PaymentState {
        match payment.state {
            PaymentState::Success if self.live_refunds(&payment.out_trade_no).next().is_some() => {
                PaymentState::Refund
            }
            state => state,
        }
    }
}
