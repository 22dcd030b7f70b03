//! New ids: UUID version 7, ordered by the engine's clock.

use domain::{NewIds, Ts};
use uuid::{Builder, Uuid};

/// A fresh id that sorts by this time.
pub fn new_id(now: Ts) -> Uuid {
    let millis = u64::try_from(now.micros().div_euclid(1000)).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid()
}

/// Ids for one decision.
#[derive(Debug, Clone, Copy)]
pub struct IdsAt(pub Ts);

impl NewIds for IdsAt {
    fn next_id(&mut self) -> Uuid {
        new_id(self.0)
    }
}
