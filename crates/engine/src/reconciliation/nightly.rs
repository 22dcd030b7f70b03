//! Days that are due: each gateway's day before, once its bill can be there, and those that were
//! missed.

use super::run::midnight;
use crate::engine::Engine;
use crate::error::EngineError;
use domain::order::Actor;
use domain::payment::GatewayName;
use domain::reconciliation::Run;
use domain::{Span, Ts};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::KnownDay;
use tokio_util::sync::CancellationToken;

/// How far back missed days are caught up with.
const DAYS_BACK: i64 = 31;
/// How long due days are not looked for after none was: a changed setting holds after that.
const LOOK_AGAIN: Span = Span::minutes(10);
/// How often the loop looks.
const TICK: Duration = Duration::from_secs(60);

impl Engine {
    /// Looks for due days until told to stop. Bills take their time, so this is a loop of its own.
    pub(crate) async fn reconciliation_loop(self, stop: CancellationToken) {
        let mut failing = false;
        loop {
            match self.sweep_reconciliations().await {
                Ok(_) => failing = false,
                // The same trouble is told once.
                Err(error) if !failing => {
                    failing = true;
                    tracing::error!(%error, "due days can't be reconciled; trying again");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.inner.wake.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Reconciles every day that is due; says how many those were.
    pub(crate) async fn sweep_reconciliations(&self) -> Result<usize, EngineError> {
        let now = self.now();
        if now.micros() < self.inner.next_reconciliation.load(Ordering::Relaxed) {
            return Ok(0);
        }
        let mut done = 0;
        let mut next = now + LOOK_AGAIN;
        for gateway in self.billing_gateways() {
            let (due, later) = self.due_days(gateway).await?;
            next = later.map_or(next, |later| later.min(next));
            for day in due {
                match self.reconcile(gateway, day, Actor::SYSTEM, None).await {
                    Ok(_) => done += 1,
                    // Another node was faster.
                    Err(EngineError::UnderWay { .. }) => {}
                    Err(error) => {
                        tracing::error!(%gateway, %day, %error, "a day was not reconciled; it is tried again");
                    }
                }
            }
        }
        let next = if done > 0 { now } else { next };
        self.inner
            .next_reconciliation
            .store(next.micros(), Ordering::Relaxed);
        Ok(done)
    }

    /// The days of a gateway that are due, oldest first, and when the next one may be.
    async fn due_days(&self, gateway: GatewayName) -> Result<(Vec<Date>, Option<Ts>), EngineError> {
        let now = self.now();
        let zone = self.inner.gateways.get(gateway, now)?.bill_zone();
        let run_at = self.reconciliation_settings().await?.run_at;
        let due_at = |day: Date| due_at(day, run_at, &self.inner.config.calendar.zone, &zone);
        let today = jiff::Timestamp::from(now).to_zoned(zone.clone()).date();
        let (Ok(yesterday), Some(earliest)) = (today.yesterday(), back(today)) else {
            return Ok((Vec::new(), None));
        };
        let store = &self.inner.store;
        // Where nothing was looked at yet, what was before the program is nobody's to catch up with.
        let first = store.first_known_day(gateway).await?;
        let first = first.map_or(yesterday, |first| first.max(earliest));
        let known = store.known_days(gateway, first).await?;
        let known: BTreeMap<Date, KnownDay> =
            known.into_iter().map(|known| (known.day, known)).collect();
        let (mut due, mut later) = (Vec::new(), due_at(today));
        let mut day = first;
        while day <= yesterday {
            let at = match known.get(&day) {
                Some(known) => again_at(known),
                None => due_at(day),
            };
            match at {
                Some(at) if at <= now => due.push(day),
                Some(at) => later = Some(later.map_or(at, |later| later.min(at))),
                None => {}
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        Ok((due, later))
    }
}

/// When a day that was looked at is to be looked at again by itself.
fn again_at(known: &KnownDay) -> Option<Ts> {
    match known.run {
        Run::Waiting => known.retry_at,
        // Whoever was at it is gone once the lease has run out.
        Run::Running => known.lease_until,
        Run::Failed | Run::Done => None,
    }
}

/// When a day's bill can be there: the day after, at the time of the setting, and not before the day
/// is over at the gateway.
fn due_at(day: Date, run_at: jiff::civil::Time, ours: &TimeZone, theirs: &TimeZone) -> Option<Ts> {
    let after = day.tomorrow().ok()?;
    let at = after.to_datetime(run_at).to_zoned(ours.clone()).ok()?;
    let over = midnight(after, theirs).ok()?;
    Some(Ts::from(at.timestamp()).max(over))
}

fn back(today: Date) -> Option<Date> {
    today.checked_sub(DAYS_BACK.days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    fn due(zone: &str, theirs: TimeZone) -> String {
        let ours = TimeZone::get(zone).unwrap();
        let at = due_at(date(2026, 3, 1), time(10, 30, 0, 0), &ours, &theirs);
        at.unwrap().to_string()
    }

    #[test]
    fn a_day_is_due_the_next_morning_and_not_before_it_is_over_there() {
        let beijing = TimeZone::fixed(jiff::tz::offset(8));
        assert_eq!(due("Asia/Shanghai", beijing), "2026-03-02T02:30:00.000000Z");
        assert_eq!(
            due("Asia/Shanghai", TimeZone::UTC),
            "2026-03-02T02:30:00.000000Z"
        );
        // 10:30 in Auckland is 21:30 of the day before in UTC.
        assert_eq!(
            due("Pacific/Auckland", TimeZone::UTC),
            "2026-03-02T00:00:00.000000Z"
        );
    }

    #[test]
    fn what_waits_or_was_left_is_due_again_and_what_ended_is_not() {
        let (retry, lease) = (Ts::from_micros(1), Ts::from_micros(2));
        let known = |run| KnownDay {
            day: date(2026, 3, 1),
            run,
            retry_at: Some(retry),
            lease_until: Some(lease),
        };
        assert_eq!(again_at(&known(Run::Waiting)), Some(retry));
        assert_eq!(again_at(&known(Run::Running)), Some(lease));
        assert_eq!(again_at(&known(Run::Failed)), None);
        assert_eq!(again_at(&known(Run::Done)), None);
    }
}
