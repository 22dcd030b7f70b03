//! Closing the ledger's months (docs/decisions/0013).

mod against;

pub use against::Against;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::{Answered, Origin};
use domain::ledger::{Month, TrialBalance};
use domain::{Ts, UserId};
use jiff::civil::Date;
use std::collections::BTreeSet;
use store::{Closing, CommitError, StoreError};

/// How often a month is summed anew because something was posted into it meanwhile.
const TRIES: usize = 5;

/// What a month would be closed with, and what stands against it.
#[derive(Debug, Clone)]
pub struct ClosingPreview {
    /// Which month.
    pub month: Month,
    /// When it begins in the hospital's zone.
    pub begins_at: Ts,
    /// When it ends.
    pub until: Ts,
    /// How many entries it has now.
    pub entries: i64,
    /// Its trial balance as it is now.
    pub balance: TrialBalance,
    /// What stands against it, and what should be known.
    pub against: Vec<Against>,
}

impl ClosingPreview {
    /// Whether the month may be closed as it is.
    pub fn may_be_closed(&self) -> bool {
        !self.against.iter().any(Against::blocks)
    }
}

/// The second day of the month after it: then it has been over for a whole day. That is longer than a
/// server's clock is wrong without somebody noticing, and enough for what was paid around midnight to
/// be settled.
fn closable_on(month: Month) -> Date {
    let first = month.next().first_day();
    first.tomorrow().unwrap_or(first)
}

impl Engine {
    /// What a month would be closed with, and what stands against it. Changes nothing.
    pub async fn closing_preview(&self, month: Month) -> Result<ClosingPreview, EngineError> {
        let (store, calendar) = (&self.inner.store, &self.inner.config.calendar);
        let (begins_at, until) = (month.begins(calendar), month.ends(calendar));
        // Counted first: an entry that comes between this and the sums keeps the month from being
        // closed without it.
        let entries = store.entries_between(begins_at, until).await?;
        let balance = store.trial_balance(month, calendar).await?;
        let mut against = self.out_of_turn(month).await?;
        let closable_on = closable_on(month);
        if self.now() < calendar.begins(closable_on) {
            against.push(Against::NotOver { closable_on });
        }
        if !balance.is_balanced() {
            against.push(Against::Unbalanced);
        }
        let (first, last) = (month.first_day(), month.last_day());
        let count = store.open_differences(first, last).await?;
        if count > 0 {
            against.push(Against::Differences { count });
        }
        let count = self.unread_bills(month).await?;
        if count > 0 {
            against.push(Against::BillsUnread { count });
        }
        let payments = store.payments_unsettled(until).await?;
        if payments.count > 0 {
            against.push(Against::PaymentsUnknown(payments));
        }
        let refunds = store.refunds_unsettled(until).await?;
        if refunds.count > 0 {
            against.push(Against::RefundsNotPaid(refunds));
        }
        Ok(ClosingPreview {
            month,
            begins_at,
            until,
            entries,
            balance,
            against,
        })
    }

    /// How many bills of its days were asked for and not read, or never asked for although the
    /// gateway moved money on that day. Some gateways' days begin at other midnights than ours.
    async fn unread_bills(&self, month: Month) -> Result<usize, EngineError> {
        let (store, calendar) = (&self.inner.store, &self.inner.config.calendar);
        let (first, last) = (month.first_day(), month.last_day());
        let mut unread = BTreeSet::new();
        for day in store.movements_by_day(first, last, calendar).await? {
            let moved = day.movements.iter();
            let gateways = moved.filter_map(|movement| movement.account.gateway());
            unread.extend(gateways.map(|gateway| (gateway, day.day)));
        }
        for (gateway, day, is_read) in store.bills_asked_for(first, last).await? {
            if is_read {
                unread.remove(&(gateway, day));
            } else {
                unread.insert((gateway, day));
            }
        }
        Ok(unread.len())
    }

    /// Months are closed one after the other, from the first that has entries on.
    async fn out_of_turn(&self, month: Month) -> Result<Vec<Against>, EngineError> {
        let (store, calendar) = (&self.inner.store, &self.inner.config.calendar);
        if let Some(closing) = store.closing(month).await? {
            let on = calendar.day(closing.closed_at);
            return Ok(vec![Against::Closed { on }]);
        }
        let newest = store.closings().await?.into_iter().next();
        let next = match newest {
            Some(closing) => Some(closing.month.next()),
            None => {
                let first = store.first_entry_at().await?;
                first.map(|at| Month::of(calendar.day(at)))
            }
        };
        Ok(match next {
            None => vec![Against::NothingPosted],
            Some(next) if next == month => Vec::new(),
            Some(next) => vec![Against::NotNext { next }],
        })
    }

    /// Closes a month for good: nothing is posted before its end any more.
    ///
    /// # Errors
    ///
    /// [`EngineError::NotClosed`] with everything that stands against it.
    pub async fn close_month(
        &self,
        month: Month,
        by: UserId,
        origin: &Origin,
    ) -> Result<Closing, EngineError> {
        let store = &self.inner.store;
        for _ in 0..TRIES {
            let preview = self.closing_preview(month).await?;
            if !preview.may_be_closed() {
                let against = preview.against.into_iter().filter(Against::blocks);
                return Err(EngineError::NotClosed {
                    month,
                    against: against.collect(),
                });
            }
            let now = self.now();
            let closing = Closing {
                month,
                begins_at: preview.begins_at,
                until: preview.until,
                entries: preview.entries,
                closed_at: now,
                closed_by: by,
            };
            let kept = origin.kept(Answered::Closing(&closing), now);
            let written = store
                .close_month(&closing, &preview.balance, kept.as_ref())
                .await;
            match written {
                Ok(()) => {}
                // Something was posted, or somebody else was faster: look again.
                Err(CommitError::Moved) => continue,
                // The answer was lost on its way: the database knows.
                Err(CommitError::Store(StoreError::Unknown))
                    if store.closing(month).await? == Some(closing) => {}
                Err(error) => return Err(error.into()),
            }
            tracing::info!(%month, entries = closing.entries, "a month of the ledger was closed");
            return Ok(closing);
        }
        Err(EngineError::Contended)
    }
}
