//! Who is there. Presence is a lease: whoever does not renew it in time has gone, and with a doctor
//! go the offers made to them (spec 10, dispatch mode).

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::Origin;
use domain::order::{Effect, Role};
use domain::{Span, UserId};
use store::{Changes, PresenceRow};

/// The shortest and the longest lease, in seconds.
const LEASE_SECONDS: std::ops::RangeInclusive<i64> = 15..=3_600;

/// How many leases that ran out are looked at in one go.
const SWEEP: u32 = 100;

impl Engine {
    /// Somebody comes or goes. With a lease they have gone when it runs out, unless it is renewed;
    /// without one they stay until they say that they go.
    pub async fn set_presence(
        &self,
        user: UserId,
        role: Role,
        online: bool,
        lease_seconds: Option<i64>,
    ) -> Result<PresenceRow, EngineError> {
        if lease_seconds.is_some_and(|seconds| !LEASE_SECONDS.contains(&seconds)) {
            let (least, most) = (LEASE_SECONDS.start(), LEASE_SECONDS.end());
            let why = format!("must be {least} to {most}, or left out");
            return Err(EngineError::Invalid {
                field: "leaseSeconds",
                why,
            });
        }
        let now = self.now();
        let lease = lease_seconds.filter(|_| online).map(Span::seconds);
        let until = lease.map(|lease| now + lease);
        let before = self.inner.store.presence(user).await?;
        let before = before.filter(|row| row.online == online);
        // A lease that ran out was an absence, even if nobody has looked yet.
        let before = before.filter(|row| row.until.is_none_or(|until| until > now));
        if let Some(row) = before.as_ref().filter(|row| row.until == until) {
            return Ok(row.clone());
        }
        let row = PresenceRow {
            user,
            online,
            since: before.as_ref().map_or(now, |row| row.since),
            until,
        };
        self.write_presence(row.clone(), role, before.is_none())
            .await?;
        Ok(row)
    }

    /// Notes that leases ran out, and says how many.
    pub(crate) async fn sweep_presence(&self) -> Result<usize, EngineError> {
        let now = self.now();
        let gone = self.inner.store.presence_run_out(now, SWEEP).await?;
        for user in &gone {
            let row = PresenceRow {
                user: *user,
                online: false,
                since: now,
                until: None,
            };
            self.write_presence(row, Role::Doctor, true).await?;
        }
        Ok(gone.len())
    }

    async fn write_presence(
        &self,
        row: PresenceRow,
        role: Role,
        moved: bool,
    ) -> Result<(), EngineError> {
        let effect = Effect::PresenceMoved { doctor: row.user };
        let tells = moved && role == Role::Doctor;
        let outbox = tells.then(|| self.loose_effect(effect, &Origin::default()));
        self.inner
            .store
            .commit(Changes {
                presence: Some(row),
                outbox: outbox.into_iter().collect(),
                ..Changes::default()
            })
            .await?;
        if tells {
            self.wake();
        }
        Ok(())
    }
}
