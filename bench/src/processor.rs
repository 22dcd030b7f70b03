//! Processor time: unlike a rate, it says the same on a machine that others use as well.

use anyhow::{Context, Result};
use std::time::Duration;

/// Linux counts it in hundredths of a second, whatever the machine (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// What a process has used so far, in user and system mode.
pub fn used_by(process: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    ticks(&stat)
        .map(|ticks| TICK * ticks)
        .with_context(|| format!("/proc/{process}/stat can't be read: {stat}"))
}

/// Fields 14 and 15 of the line; the second, a name in brackets, may hold spaces (proc(5)).
fn ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let user: u32 = times.next()?.parse().ok()?;
    let system: u32 = times.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_added_whatever_the_process_is_called() {
        let stat = "42 (a) b) R 1 42 42 0 -1 4194304 99 0 7 0 120 30 5 6 20 0 9 0 1234";
        assert_eq!(ticks(stat), Some(150));
        assert_eq!(ticks("42 (cut"), None);
    }
}
