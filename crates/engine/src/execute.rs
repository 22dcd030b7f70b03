//! A command's way: load, decide, commit, hand its effects on. Where somebody else was faster, the
//! command decides anew.

use crate::counting;
use crate::engine::{Changed, Engine};
use crate::error::EngineError;
use crate::ids::{IdsAt, new_id};
use crate::orders::Known;
use crate::relay;
use domain::consultation::{
    Command, Consultation, ConsultationStatus, Decision, Outcome, RoomLine, decide,
};
use domain::lifecycle::Status;
use domain::order::{Actor, Guard, Step};
use domain::{OrderId, Ts, UserId};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::{
    Changes, Closing, CommitError, DifferenceRow, EntryRow, IdempotencyRow, JournalRow, Lease,
    LineRow, OrderChange, OutboxRow, Session, Slot, StoreError, TimerChange, TimerRow,
};
use uuid::Uuid;

/// How often a command decides anew before its caller is told to try later.
const TRIES: usize = 32;

/// What an answer that is kept for an idempotency key is about.
#[derive(Debug, Clone, Copy)]
pub enum Answered<'a> {
    /// An order, after the command.
    Order(&'a Consultation),
    /// A session, after the change.
    Session(&'a Session, &'a [Slot]),
    /// A month of the ledger, closed.
    Closing(&'a Closing),
    /// A difference to a gateway's bill, after the decision.
    Difference(&'a DifferenceRow),
}

/// Makes the answer that is kept for an idempotency key: HTTP status and body.
pub type Answer = Arc<dyn Fn(Answered<'_>) -> (u16, serde_json::Value) + Send + Sync>;

/// A caller's wish to be answered once (spec 00, rule 5).
#[derive(Clone)]
pub struct Idempotency {
    /// Whose key.
    pub user: UserId,
    /// The key.
    pub key: String,
    /// The request's SHA-256, so that the key can't be used for another one.
    pub request_hash: [u8; 32],
    /// Makes the answer.
    pub answer: Answer,
}

/// Where a command comes from.
#[derive(Clone, Default)]
pub struct Origin {
    /// The request's id, for the journal.
    pub request_id: Option<String>,
    /// The caller's idempotency key.
    pub idempotency: Option<Idempotency>,
}

impl Origin {
    pub(crate) fn kept(&self, about: Answered<'_>, now: Ts) -> Option<IdempotencyRow> {
        let wish = self.idempotency.as_ref()?;
        let (status, answer) = (wish.answer)(about);
        Some(IdempotencyRow {
            user: wish.user,
            key: wish.key.clone(),
            request_hash: wish.request_hash,
            status,
            answer,
            at: now,
        })
    }
}

/// What came of a command.
#[derive(Debug, Clone)]
pub struct Executed {
    /// The order as it is now.
    pub order: Arc<Consultation>,
    /// Whether the command changed it; `false` where it had been done before.
    pub applied: bool,
}

impl Engine {
    /// Executes a command of a person.
    pub async fn execute(
        &self,
        order: OrderId,
        command: Command,
        actor: Actor,
        origin: Origin,
    ) -> Result<Executed, EngineError> {
        if let Command::Call { reason } = &command {
            self.may_call(order, reason.as_deref(), actor).await?;
        }
        self.execute_finishing(order, &command, actor, &origin, None)
            .await
    }

    /// Executes a command, and with it, in the same transaction, ends the effect that brought it.
    pub(crate) async fn execute_finishing(
        &self,
        id: OrderId,
        command: &Command,
        actor: Actor,
        origin: &Origin,
        effect: Option<Uuid>,
    ) -> Result<Executed, EngineError> {
        let known = match self.inner.orders.get(id) {
            Some(order) => Known::Remembered(order),
            None => Known::Fresh(self.fresh(id).await?),
        };
        self.execute_on(known, command, actor, origin, effect).await
    }

    /// Executes a command on an order that is at hand already.
    pub(crate) async fn execute_on(
        &self,
        mut known: Known,
        command: &Command,
        actor: Actor,
        origin: &Origin,
        effect: Option<Uuid>,
    ) -> Result<Executed, EngineError> {
        for _ in 0..TRIES {
            let is_fresh = matches!(known, Known::Fresh(_));
            let order = Arc::clone(known.order());
            let facts = self.facts_for(&order, command).await?;
            let now = self.now();
            let decided = decide(&order, command, actor, &facts, now, &mut IdsAt(now));
            match decided {
                // Only a decision is checked by the commit. A refusal, or "done before", must not
                // rest on what is merely remembered: it is decided again below.
                Err(_) | Ok(Outcome::AlreadyApplied) if !is_fresh => {}
                Err(refusal) => return Err(refusal.into()),
                Ok(Outcome::AlreadyApplied) => {
                    if let Some(effect) = effect {
                        self.inner.store.finish(&[effect]).await?;
                    }
                    return Ok(Executed {
                        order,
                        applied: false,
                    });
                }
                Ok(Outcome::Decided(decision)) => {
                    match self
                        .commit(Some(&order), *decision, actor, origin, effect, now)
                        .await
                    {
                        Err(CommitError::Moved) => {}
                        Err(error) => return Err(error.into()),
                        Ok(order) => {
                            return Ok(Executed {
                                order,
                                applied: true,
                            });
                        }
                    }
                }
            }
            known = Known::Fresh(self.fresh(order.id).await?);
        }
        Err(EngineError::Contended)
    }

    /// The order as the database has it.
    pub(crate) async fn fresh(&self, id: OrderId) -> Result<Arc<Consultation>, EngineError> {
        let order = self.inner.store.load(id).await?;
        Ok(self.put(order.ok_or(EngineError::NotFound)?))
    }

    /// Remembers an order that was read.
    pub(crate) fn put(&self, order: Consultation) -> Arc<Consultation> {
        let order = Arc::new(order);
        self.inner.orders.put(Arc::clone(&order));
        order
    }

    /// The order as it was remembered, if it is: perhaps not the newest.
    pub fn remembered(&self, id: OrderId) -> Option<Arc<Consultation>> {
        self.inner.orders.get(id)
    }

    /// Writes a decision, remembers the order, and hands its effects to the relay.
    pub(crate) async fn commit(
        &self,
        before: Option<&Consultation>,
        decision: Decision,
        actor: Actor,
        origin: &Origin,
        effect: Option<Uuid>,
        now: Ts,
    ) -> Result<Arc<Consultation>, CommitError> {
        let live = self.inner.live.load(Ordering::Relaxed);
        let by = Writing {
            actor,
            origin,
            effect,
            lease: live.then(|| relay::lease(self.inner.config.node, now)),
            now,
        };
        let steps = decision.steps.clone();
        let (after, changes) = changes(before, decision, &by);
        let outbox = changes.outbox.clone();
        let written = self.inner.store.commit(changes).await;
        if let Err(CommitError::Store(StoreError::MonthClosed)) = &written {
            // Nothing was written, and whoever brought it brings it again: a gateway its notice, the
            // relay its question, a deadline itself. Somebody must set the clock right.
            counting::closed_month();
            tracing::error!(order = %after.id, %now, "this server's clock is behind: money was to be posted into a closed month");
        }
        written?;
        self.inner.orders.put(Arc::clone(&after));
        counted(before, &after, &steps);
        for row in outbox.into_iter().filter(|row| row.lease.is_some()) {
            // A full relay leaves the row to the poller, once the lease has run out.
            if self.inner.relay.try_send(row).is_err() {
                tracing::warn!(order = %after.id, "the relay is full; an effect waits for its lease to run out");
            }
        }
        // Nobody listening is no error.
        self.inner
            .changes
            .send(Changed {
                order: after.id,
                version: after.version,
            })
            .ok();
        Ok(after)
    }
}

/// Counts what a commit changed.
fn counted(
    before: Option<&Consultation>,
    after: &Consultation,
    steps: &[Step<ConsultationStatus>],
) {
    counting::steps(steps);
    for payment in &after.payments {
        let old = before.and_then(|order| order.payment(payment.id));
        if old != Some(payment) {
            counting::payment(old, payment);
        }
    }
    for refund in &after.refunds {
        let old = before.and_then(|order| order.refund(refund.id));
        if old != Some(refund)
            && let Some(payment) = after.payment(refund.payment)
        {
            counting::refund(payment.gateway, old, refund);
        }
    }
}

/// By whom, why and when a decision is written.
pub struct Writing<'a> {
    /// Who asked.
    pub actor: Actor,
    /// Where it came from.
    pub origin: &'a Origin,
    /// The effect that this ends.
    pub effect: Option<Uuid>,
    /// The lease under which its own effects are done at once; without it they wait for a poller.
    pub lease: Option<Lease>,
    /// When.
    pub now: Ts,
}

/// The rows of a decision, and the order after it.
pub fn changes(
    before: Option<&Consultation>,
    decision: Decision,
    by: &Writing<'_>,
) -> (Arc<Consultation>, Changes) {
    let Writing { origin, now, .. } = *by;
    let after = Arc::new(decision.order);
    let mut order = order_change(before, &after, &decision.steps, by.actor, origin, now);
    if let Some(change) = &mut order {
        change.ranking = decision.ranking;
    }
    let changes = Changes {
        order,
        timers: timer_change(before, &after),
        outbox: outbox(after.id, &decision.effects, by.lease.as_ref(), origin, now),
        done: by.effect.into_iter().collect(),
        entries: entries(after.id, decision.entries, now),
        guards: decision.guards,
        idempotency: origin.kept(Answered::Order(&after), now),
        ..Changes::default()
    };
    (after, changes)
}

fn order_change(
    before: Option<&Consultation>,
    after: &Arc<Consultation>,
    steps: &[Step<ConsultationStatus>],
    actor: Actor,
    origin: &Origin,
    now: Ts,
) -> Option<OrderChange> {
    if steps.is_empty() {
        return None;
    }
    let line = |(seq, step): (usize, &Step<ConsultationStatus>)| JournalRow {
        id: new_id(now),
        seq: i16::try_from(seq).unwrap_or(i16::MAX),
        order: after.id,
        version: after.version,
        from: step.from.map(Status::code),
        to: step.to.code(),
        at: now,
        reason: step.reason.to_owned(),
        note: step.note.clone(),
        actor_role: actor.role,
        actor: actor.user,
        request_id: origin.request_id.clone(),
    };
    let said = |line| LineRow {
        id: new_id(now),
        line,
    };
    let (old_payments, old_refunds) = before.map_or((&[][..], &[][..]), |order| {
        (&order.payments[..], &order.refunds[..])
    });
    Some(OrderChange {
        decided_on: before.map_or(0, |order| order.version),
        payments: after
            .payments
            .iter()
            .filter(|p| !old_payments.contains(p))
            .cloned()
            .collect(),
        refunds: after
            .refunds
            .iter()
            .filter(|r| !old_refunds.contains(r))
            .cloned()
            .collect(),
        journal: steps.iter().enumerate().map(line).collect(),
        lines: steps.iter().filter_map(RoomLine::of).map(said).collect(),
        ranking: None,
        after: Arc::clone(after),
    })
}

fn timer_change(before: Option<&Consultation>, after: &Consultation) -> Option<TimerChange> {
    let old = before.map_or(&[][..], |order| &order.timers[..]);
    let set: Vec<TimerRow> = after
        .timers
        .iter()
        .filter(|timer| !old.contains(timer))
        .map(|t| TimerRow {
            order: after.id,
            name: t.name,
            refund: t.refund,
            due: t.due,
        })
        .collect();
    let kept = |gone: &&_| {
        let gone: &domain::order::Timer<_> = gone;
        !after
            .timers
            .iter()
            .any(|t| t.name == gone.name && t.refund == gone.refund)
    };
    let clear: Vec<_> = old
        .iter()
        .filter(kept)
        .map(|t| (t.name, t.refund))
        .collect();
    (!set.is_empty() || !clear.is_empty()).then_some(TimerChange {
        order: after.id,
        decided_on: before.map_or(0, |order| order.version),
        set,
        clear,
    })
}

fn outbox(
    order: OrderId,
    effects: &[(domain::order::Effect, domain::Span)],
    lease: Option<&Lease>,
    origin: &Origin,
    now: Ts,
) -> Vec<OutboxRow> {
    let row = |(effect, delay): &(domain::order::Effect, domain::Span)| {
        let due = now + (*delay).max(relay::first_delay(effect));
        OutboxRow {
            id: new_id(now),
            order: Some(order),
            effect: effect.clone(),
            due,
            attempts: 0,
            lease: lease.cloned().filter(|_| due <= now),
            last_error: None,
            request_id: origin.request_id.clone(),
            created_at: now,
        }
    };
    effects.iter().map(row).collect()
}

fn entries(order: OrderId, entries: Vec<domain::ledger::Entry>, now: Ts) -> Vec<EntryRow> {
    let row = |entry: domain::ledger::Entry| EntryRow {
        id: new_id(now),
        order,
        kind: entry.kind(),
        postings: entry.postings().to_vec(),
        at: now,
    };
    entries.into_iter().map(row).collect()
}

/// Whether a command failed only because a doctor's or session's last place was taken by another.
pub(crate) fn is_guard(error: &EngineError, wanted: impl Fn(&Guard) -> bool) -> bool {
    matches!(error, EngineError::GuardRefused(guard) if wanted(guard))
}
