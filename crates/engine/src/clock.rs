//! The one place where time comes from. Everything else is handed `now`.

use domain::{Span, Ts};
use std::sync::atomic::{AtomicI64, Ordering};
use thiserror::Error;

/// Why a clock was not moved.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("the clock can't be moved: {0}")]
pub struct ClockError(pub &'static str);

/// Where the engine's time comes from.
pub trait Clock: Send + Sync + 'static {
    /// Now, to the microsecond.
    fn now(&self) -> Ts;

    /// Moves the clock forward, where that is possible, and says what time it is then.
    fn advance(&self, by: Span) -> Result<Ts, ClockError>;
}

/// The machine's clock. It can't be moved.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Ts {
        jiff::Timestamp::now().into()
    }

    fn advance(&self, _: Span) -> Result<Ts, ClockError> {
        Err(ClockError("this server runs on the machine's own time"))
    }
}

/// A clock that can be moved forward: frozen for tests, so that hours pass in no time, or running
/// ahead of the machine's for a demonstration.
#[derive(Debug)]
pub struct SettableClock {
    /// `Some` where time stands still until it is moved.
    frozen_at: Option<Ts>,
    ahead_micros: AtomicI64,
}

impl SettableClock {
    /// A clock that stands still at an instant until it is moved.
    pub const fn frozen(at: Ts) -> Self {
        Self {
            frozen_at: Some(at),
            ahead_micros: AtomicI64::new(0),
        }
    }

    /// A clock that runs, so far ahead of the machine's.
    pub const fn shifted(ahead: Span) -> Self {
        Self {
            frozen_at: None,
            ahead_micros: AtomicI64::new(ahead.as_micros()),
        }
    }

    /// How far it has been moved.
    pub fn offset(&self) -> Span {
        Span::micros(self.ahead_micros.load(Ordering::SeqCst))
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Ts {
        self.frozen_at.unwrap_or_else(|| SystemClock.now()) + self.offset()
    }

    fn advance(&self, by: Span) -> Result<Ts, ClockError> {
        if by < Span::ZERO {
            return Err(ClockError("it only goes forward"));
        }
        self.ahead_micros
            .fetch_add(by.as_micros(), Ordering::SeqCst);
        Ok(self.now())
    }
}
