//! Work that one run does for everybody who asked for it before the run began: a hundred patients
//! who pay within a second need not have doctors looked for a hundred times, one after the other.

use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, MutexGuard};

/// Runs of one work, one at a time.
#[derive(Debug, Default)]
pub(crate) struct OneForAll {
    /// How many runs have begun.
    begun: AtomicU64,
    /// Which run was the last that ended well. Held by the one that is running.
    ended_well: Mutex<u64>,
}

/// A run: nobody else runs meanwhile.
pub(crate) struct Run<'a> {
    number: u64,
    ended_well: MutexGuard<'a, u64>,
}

impl OneForAll {
    /// Waits for its turn. `None` where a run that began after this was asked for has ended well
    /// meanwhile: it saw everything that this one would have.
    pub(crate) async fn turn(&self) -> Option<Run<'_>> {
        let begun_before = self.begun.load(Ordering::SeqCst);
        let ended_well = self.ended_well.lock().await;
        if *ended_well > begun_before {
            return None;
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        Some(Run { number, ended_well })
    }
}

impl Run<'_> {
    /// Everything was done; a run that is dropped without this was of no use to anybody.
    pub(crate) fn ended_well(mut self) {
        *self.ended_well = self.number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::Poll;

    #[tokio::test]
    async fn whoever_comes_alone_runs_each_time() {
        let work = OneForAll::default();
        for _ in 0..3 {
            work.turn().await.expect("a turn").ended_well();
        }
    }

    #[tokio::test]
    async fn of_those_who_asked_during_a_run_the_first_runs_for_all() {
        let work = OneForAll::default();
        let running = work.turn().await.expect("a turn");
        let (mut first, mut second) = (pin!(work.turn()), pin!(work.turn()));
        assert!(matches!(futures::poll!(&mut first), Poll::Pending));
        assert!(matches!(futures::poll!(&mut second), Poll::Pending));
        // It began before they asked, and may have looked before there was anything to see.
        running.ended_well();
        first.await.expect("a turn of its own").ended_well();
        assert!(second.await.is_none());
        assert!(work.turn().await.is_some());
    }

    #[tokio::test]
    async fn a_run_that_failed_serves_nobody() {
        let work = OneForAll::default();
        let running = work.turn().await;
        let (mut first, mut second) = (pin!(work.turn()), pin!(work.turn()));
        assert!(matches!(futures::poll!(&mut first), Poll::Pending));
        assert!(matches!(futures::poll!(&mut second), Poll::Pending));
        drop(running);
        drop(first.await.expect("a turn of its own"));
        assert!(second.await.is_some());
    }
}
