//! What accounts had at an instant, and what was posted to them in between.

use super::{AccountBalance, Closing, DayMovements, Movement};
use crate::db::Read;
use crate::row::{Cells, Row};
use crate::{Store, StoreError};
use domain::ledger::{Account, Month, TrialBalance, TrialLine};
use domain::{Calendar, Currency, Ts};
use jiff::civil::Date;
use std::collections::BTreeMap;

const NOW: &str = "SELECT account, currency, CAST(SUM(balance) AS BIGINT) FROM ledger_balances \
     GROUP BY account, currency";
const SUMS: &str = "SELECT p.account, p.currency, \
     CAST(SUM(CASE WHEN p.amount > 0 THEN p.amount ELSE 0 END) AS BIGINT), \
     CAST(SUM(CASE WHEN p.amount < 0 THEN -p.amount ELSE 0 END) AS BIGINT) \
     FROM ledger_entries e JOIN ledger_postings p ON p.entry_id = e.id \
     WHERE e.at >= $1 AND e.at < $2 GROUP BY p.account, p.currency";
const CLOSED: &str = "SELECT account, currency, debits, credits, balance \
     FROM ledger_closing_balances WHERE month = $1";

/// Before everything: 0001-01-01, which both engines know.
const BEGINNING: Ts = Ts::from_micros(-62_135_596_800_000_000);

type Balances = BTreeMap<(Account, Currency), i64>;

impl Store {
    /// What every account has now, in the order of the chart, as the committers keep it.
    pub async fn balances(&self) -> Result<Vec<AccountBalance>, StoreError> {
        let rows = self.db().all(Read::List, NOW, Vec::new()).await?;
        let mut found = Balances::new();
        for row in &rows {
            let mut cells = row.cells();
            found.insert(account(&mut cells)?, cells.int()?);
        }
        Ok(listed(found))
    }

    /// What every account had at an instant, in the order of the chart: the last closing before it,
    /// and what was posted since.
    pub async fn balances_at(&self, at: Ts) -> Result<Vec<AccountBalance>, StoreError> {
        let mut found = Balances::new();
        let closing = self.closing_before(at).await?;
        if let Some(closing) = &closing {
            for line in self.closed_lines(closing.month).await? {
                found.insert((line.account, line.currency), line.closing());
            }
        }
        let from = closing.map_or(BEGINNING, |closing| closing.until);
        for movement in self.movements(from, at).await? {
            let balance = found.entry((movement.account, movement.currency));
            let balance = balance.or_default();
            *balance = balance.saturating_add(movement.net());
        }
        Ok(listed(found))
    }

    /// What was posted from one instant on and before another, by account and currency in the order
    /// of the chart.
    pub async fn movements(&self, from: Ts, until: Ts) -> Result<Vec<Movement>, StoreError> {
        let values = vec![from.into(), until.into()];
        let rows = self.db().all(Read::List, SUMS, values).await?;
        let read = |row: &Row| {
            let mut cells = row.cells();
            let (account, currency) = account(&mut cells)?;
            Ok(Movement {
                account,
                currency,
                debits: cells.int()?,
                credits: cells.int()?,
            })
        };
        let read: Result<Vec<Movement>, StoreError> = rows.iter().map(read).collect();
        let mut movements = read?;
        movements.sort_by_key(|movement| (movement.account, movement.currency));
        Ok(movements)
    }

    /// What was posted on each day from one to another, both included, in the calendar's zone.
    pub async fn movements_by_day(
        &self,
        from: Date,
        to: Date,
        calendar: &Calendar,
    ) -> Result<Vec<DayMovements>, StoreError> {
        let mut days = Vec::new();
        for day in from.series(jiff::Span::new().days(1)) {
            if day > to {
                break;
            }
            let next = day.tomorrow().unwrap_or(day);
            let movements = self
                .movements(calendar.begins(day), calendar.begins(next))
                .await?;
            days.push(DayMovements { day, movements });
        }
        Ok(days)
    }

    /// The trial balance of a month: as it was closed, or of what was posted until now.
    pub async fn trial_balance(
        &self,
        month: Month,
        calendar: &Calendar,
    ) -> Result<TrialBalance, StoreError> {
        if self.closing(month).await?.is_some() {
            let lines = self.closed_lines(month).await?;
            return Ok(TrialBalance { month, lines });
        }
        let (begins, ends) = (month.begins(calendar), month.ends(calendar));
        let mut lines: BTreeMap<(Account, Currency), TrialLine> = BTreeMap::new();
        for opening in self.balances_at(begins).await? {
            let AccountBalance {
                account,
                currency,
                balance,
            } = opening;
            lines.insert(
                (account, currency),
                TrialLine {
                    account,
                    currency,
                    opening: balance,
                    debits: 0,
                    credits: 0,
                },
            );
        }
        for movement in self.movements(begins, ends).await? {
            let Movement {
                account, currency, ..
            } = movement;
            let line = lines.entry((account, currency)).or_insert(TrialLine {
                account,
                currency,
                opening: 0,
                debits: 0,
                credits: 0,
            });
            (line.debits, line.credits) = (movement.debits, movement.credits);
        }
        let lines = lines.into_values().collect();
        Ok(TrialBalance { month, lines })
    }

    /// A closed month's lines, in the order of the chart.
    async fn closed_lines(&self, month: Month) -> Result<Vec<TrialLine>, StoreError> {
        let values = vec![month.to_string().into()];
        let rows = self.db().all(Read::Keyed, CLOSED, values).await?;
        let read = |row: &Row| {
            let mut cells = row.cells();
            let (account, currency) = account(&mut cells)?;
            let (debits, credits): (i64, i64) = (cells.int()?, cells.int()?);
            let balance: i64 = cells.int()?;
            Ok(TrialLine {
                account,
                currency,
                opening: balance.saturating_sub(debits).saturating_add(credits),
                debits,
                credits,
            })
        };
        let read: Result<Vec<TrialLine>, StoreError> = rows.iter().map(read).collect();
        let mut lines = read?;
        lines.sort_by_key(|line| (line.account, line.currency));
        Ok(lines)
    }

    async fn closing_before(&self, at: Ts) -> Result<Option<Closing>, StoreError> {
        let mut closings = self.closings().await?;
        closings.retain(|closing| closing.until <= at);
        // They come newest first.
        Ok(closings.into_iter().next())
    }
}

fn account(cells: &mut Cells<'_>) -> Result<(Account, Currency), StoreError> {
    Ok((cells.named(Account::from_name)?, cells.currency()?))
}

fn listed(balances: Balances) -> Vec<AccountBalance> {
    let one = |((account, currency), balance)| AccountBalance {
        account,
        currency,
        balance,
    };
    balances.into_iter().map(one).collect()
}
