//! A run: the bill of a day is fetched, held against our books, and what was found is written.

use super::{makes_bills, step};
use crate::counting;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::gateways::Guarded;
use crate::ids::new_id;
use aws_lc_rs::digest::{SHA256, digest};
use connectors::gateway::{Bill, GatewayError, Operation};
use domain::order::Actor;
use domain::payment::GatewayName;
use domain::reconciliation::{
    BillingDay, Difference, DifferenceStatus, Found, Question, Reconciled, Severity, Sums,
    reconcile, rerun,
};
use domain::{Currency, DifferenceId, Money, ReconciliationId, Span, Ts};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use store::{BillFile, CommitError, DaySums, Lease, Reconciliation, ReconciliationStep, RunRecord};

/// How long a run may take before another process takes the day over.
const LEASE: Span = Span::minutes(10);
/// When a bill that was not there, or not to be had, is asked for again.
const RETRY: Span = Span::minutes(30);
/// How often what was found is written anew because somebody decided about a difference meanwhile.
const TRIES: usize = 8;
/// The largest bill that is kept, in bytes.
const LARGEST_BILL: usize = 256 << 20;

/// Who wants a day to be looked at.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Who.
    pub actor: Actor,
    /// By which request.
    pub request_id: Option<String>,
}

/// A day being looked at.
struct Day<'a> {
    gateway: Guarded<'a>,
    day: BillingDay,
    id: ReconciliationId,
    lease: Lease,
}

impl Engine {
    /// Holds a gateway's bill of a day against our books, and gives what came of it. Run again, it
    /// brings what nobody has decided about up to date. A bill that is not there yet is asked for
    /// again by itself.
    ///
    /// # Errors
    ///
    /// Where the gateway is off or makes no bills, the day is not over, or another process is at it.
    pub async fn reconcile(
        &self,
        gateway: GatewayName,
        day: Date,
        actor: Actor,
        request_id: Option<String>,
    ) -> Result<Reconciliation, EngineError> {
        let wish = Wish { actor, request_id };
        let id = self.reconcile_day(gateway, day, &wish).await?;
        for neighbour in [day.yesterday(), day.tomorrow()].into_iter().flatten() {
            self.reconcile_waiting(gateway, neighbour).await;
        }
        self.reconciliation(id).await
    }

    async fn reconciliation(&self, id: ReconciliationId) -> Result<Reconciliation, EngineError> {
        let found = self.inner.store.reconciliation(id).await?;
        found.ok_or(EngineError::NoSuch {
            thing: "reconciliation",
        })
    }

    /// A neighbouring day that waits for this one's bill is looked at again.
    async fn reconcile_waiting(&self, gateway: GatewayName, day: Date) {
        let wish = Wish {
            actor: Actor::SYSTEM,
            request_id: None,
        };
        let looked = async {
            if self.inner.store.awaits_bill(gateway, day).await? {
                self.reconcile_day(gateway, day, &wish).await?;
            }
            Ok::<(), EngineError>(())
        };
        if let Err(error) = looked.await {
            tracing::warn!(%gateway, %day, %error, "a day that waits for its neighbour's bill was not looked at");
        }
    }

    async fn reconcile_day(
        &self,
        gateway: GatewayName,
        date: Date,
        wish: &Wish,
    ) -> Result<ReconciliationId, EngineError> {
        let now = self.now();
        let on = self.inner.gateways.get(gateway, now)?;
        if !makes_bills(on) {
            return Err(EngineError::Invalid {
                field: "gateway",
                why: format!("{gateway} makes no bills"),
            });
        }
        let day = self.billing_day(on, date).await?;
        if now < day.ends {
            return Err(EngineError::Invalid {
                field: "day",
                why: format!("{date} is not over: choose an earlier day"),
            });
        }
        let lease = Lease {
            owner: new_id(now),
            until: now + LEASE,
        };
        let store = &self.inner.store;
        let new = ReconciliationId(new_id(now));
        let claimed = store
            .claim_reconciliation(gateway, date, new, &lease, now)
            .await?;
        let id = claimed.ok_or(EngineError::UnderWay {
            thing: "reconciliation",
        })?;
        let claimed = Day {
            gateway: on,
            day,
            id,
            lease,
        };
        match on.bill(date).await {
            Ok(bill) if bill.raw.len() > LARGEST_BILL => {
                let words = format!("{} bytes, {LARGEST_BILL} at most", bill.raw.len());
                let refused = Operation::Bill.refused(gateway, "BILL_TOO_LARGE", &words);
                self.put_off(&claimed, &refused).await?;
            }
            Ok(bill) => self.read(&claimed, &bill, wish).await?,
            Err(error) => self.put_off(&claimed, &error).await?,
        }
        Ok(id)
    }

    /// The day's bounds by the gateway's calendar, and which bills beside it are known.
    async fn billing_day(
        &self,
        gateway: Guarded<'_>,
        date: Date,
    ) -> Result<BillingDay, EngineError> {
        let no_day = |_| EngineError::Invalid {
            field: "day",
            why: "is out of range".to_owned(),
        };
        let (before, after) = (
            date.yesterday().map_err(no_day)?,
            date.tomorrow().map_err(no_day)?,
        );
        let (zone, name) = (gateway.bill_zone(), gateway.name());
        let store = &self.inner.store;
        Ok(BillingDay {
            date,
            begins: midnight(date, &zone).map_err(no_day)?,
            ends: midnight(after, &zone).map_err(no_day)?,
            is_previous_known: store.is_bill_known(name, before).await?,
            is_next_known: store.is_bill_known(name, after).await?,
        })
    }

    /// The bill is not to be had: later, or never.
    async fn put_off(&self, day: &Day<'_>, error: &GatewayError) -> Result<(), EngineError> {
        let now = self.now();
        let retry_at = match error {
            GatewayError::Refused { .. } => None,
            GatewayError::Unavailable { .. } | GatewayError::Unknown { .. } => Some(now + RETRY),
        };
        let (gateway, date) = (day.gateway.name(), day.day.date);
        if retry_at.is_none() {
            tracing::error!(%gateway, day = %date, %error, "the gateway refused its bill: somebody must look");
        } else {
            tracing::info!(%gateway, day = %date, %error, "the bill is not to be had yet");
        }
        self.inner
            .store
            .put_off_reconciliation(day.id, &day.lease, &error.to_string(), retry_at, now)
            .await?;
        Ok(())
    }

    /// Holds the bill against our books, and writes what was found.
    async fn read(&self, day: &Day<'_>, bill: &Bill, wish: &Wish) -> Result<(), EngineError> {
        let settings = self.reconciliation_settings().await?;
        let (store, gateway) = (&self.inner.store, day.gateway.name());
        let (payments, refunds) = store.ours(gateway, &day.day, &bill.lines).await?;
        let moved = store
            .clearing_moved(gateway, day.day.begins, day.day.ends)
            .await?;
        let found = reconcile(&Question {
            day: day.day,
            lines: &bill.lines,
            totals: bill.totals,
            payments: &payments,
            refunds: &refunds,
            fee: settings.fees.get(&gateway).copied(),
        });
        let reading = Reading {
            day,
            bill,
            found,
            moved,
            wish,
        };
        for _ in 0..TRIES {
            let before = store.found_differences(day.id).await?;
            let record = reading.record(&before, self.now());
            match store.record_run(&record).await {
                // Somebody decided about a difference this moment.
                Err(CommitError::Moved) => {}
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    for (id, difference) in &record.new {
                        alert(gateway, day.day.date, *id, difference);
                    }
                    return Ok(());
                }
            }
        }
        Err(EngineError::Contended)
    }
}

/// A bill with all that was found in it.
struct Reading<'a> {
    day: &'a Day<'a>,
    bill: &'a Bill,
    found: Reconciled,
    moved: Vec<Money>,
    wish: &'a Wish,
}

impl Reading<'_> {
    /// What is written of it, after what earlier runs found.
    fn record(&self, before: &[Found], now: Ts) -> RunRecord {
        let (day, found) = (self.day, &self.found);
        let change = rerun(before, &found.differences);
        let at = |place: &usize| found.differences.get(*place).cloned();
        let fresh = |place| at(place).map(|one| (DifferenceId(new_id(now)), one));
        let new: Vec<(DifferenceId, Difference)> = change.new.iter().filter_map(fresh).collect();
        let known = |(id, place): &(DifferenceId, usize)| at(place).map(|one| (*id, one));
        let again: Vec<(DifferenceId, Difference)> =
            change.again.iter().filter_map(known).collect();
        let mut steps = vec![ReconciliationStep {
            note: Some(in_words(found)),
            actor_role: self.wish.actor.role,
            actor: self.wish.actor.user,
            request_id: self.wish.request_id.clone(),
            ..step(day.id, None, "run", (None, None), now)
        }];
        steps.extend(steps_of(day.id, before, &new, &again, &change.gone, now));
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, &self.bill.raw).as_ref());
        RunRecord {
            reconciliation: day.id,
            owner: day.lease.owner,
            at: now,
            bill: BillFile {
                bytes: self.bill.raw.clone(),
                sha256,
                fetched_at: now,
            },
            bill_id: new_id(now),
            lines: self.bill.lines.clone(),
            matched_payments: found.payments,
            matched_refunds: found.refunds,
            sums: with_ledger(&found.sums, &self.moved),
            new,
            again,
            gone: change.gone,
            steps,
        }
    }
}

/// The first instant of a day.
pub(super) fn midnight(day: Date, zone: &TimeZone) -> Result<Ts, jiff::Error> {
    Ok(day.to_zoned(zone.clone())?.timestamp().into())
}

fn in_words(found: &Reconciled) -> String {
    format!(
        "{} payments and {} refunds agree, {} differences",
        found.payments,
        found.refunds,
        found.differences.len()
    )
}

/// What is written down about each difference that moved.
fn steps_of(
    of: ReconciliationId,
    before: &[Found],
    new: &[(DifferenceId, Difference)],
    again: &[(DifferenceId, Difference)],
    gone: &[DifferenceId],
    now: Ts,
) -> Vec<ReconciliationStep> {
    let stood: BTreeMap<DifferenceId, DifferenceStatus> = before
        .iter()
        .map(|found| (found.id, found.status))
        .collect();
    let mut steps = Vec::new();
    for (id, difference) in new {
        let to = DifferenceStatus::of_new(difference);
        steps.push(step(of, Some(*id), "found", (None, Some(to)), now));
    }
    for (id, difference) in again {
        let (from, to) = (stood.get(id).copied(), DifferenceStatus::of_new(difference));
        if from != Some(to) {
            steps.push(step(of, Some(*id), "found_again", (from, Some(to)), now));
        }
    }
    for id in gone {
        let to = Some(DifferenceStatus::Gone);
        steps.push(step(
            of,
            Some(*id),
            "gone",
            (stood.get(id).copied(), to),
            now,
        ));
    }
    steps
}

/// The day's sums with what the ledger moved, also where it alone knows the currency.
fn with_ledger(sums: &[Sums], moved: &[Money]) -> Vec<DaySums> {
    let mut all: BTreeMap<Currency, DaySums> = sums
        .iter()
        .map(|sums| {
            let ledger_moved = 0;
            (
                sums.currency,
                DaySums {
                    sums: *sums,
                    ledger_moved,
                },
            )
        })
        .collect();
    for money in moved {
        let day = all.entry(money.currency).or_insert(DaySums {
            sums: Sums::zero(money.currency),
            ledger_moved: 0,
        });
        day.ledger_moved = money.amount;
    }
    all.into_values().collect()
}

/// Tells whoever watches: the log, the metrics, and the list of differences has it already.
fn alert(gateway: GatewayName, day: Date, id: DifferenceId, difference: &Difference) {
    let kind = difference.kind.constant();
    counting::difference(gateway, difference.kind);
    if difference.kind.severity() == Severity::Info {
        tracing::info!(%gateway, %day, %id, kind, "a difference that explains itself");
    } else {
        let severity = difference.kind.severity().name();
        tracing::error!(%gateway, %day, %id, kind, severity, order = ?difference.order, "the gateway's bill differs from our books");
    }
}
