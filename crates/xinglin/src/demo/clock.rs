//! The demonstration's clock: the machine's, moved forward on demand, and still so after a restart.

use anyhow::{Context, Result};
use domain::{Span, Ts};
use engine::clock::{Clock, ClockError, SettableClock};
use sandbox::SandboxClock;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// A clock whose offset is kept in a file.
pub struct DemoClock {
    clock: SettableClock,
    kept_in: Mutex<PathBuf>,
    on_move: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl DemoClock {
    /// The clock as it was left in this file; the machine's time if there is none.
    pub fn open(path: &Path) -> Result<Self> {
        let micros = match fs::read_to_string(path) {
            Ok(text) => text.trim().parse::<i64>().with_context(|| {
                format!(
                    "{} must hold a whole number of microseconds",
                    path.display()
                )
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => {
                return Err(error).with_context(|| format!("{} can't be read", path.display()));
            }
        };
        Ok(Self {
            clock: SettableClock::shifted(Span::micros(micros)),
            kept_in: Mutex::new(path.to_owned()),
            on_move: OnceLock::new(),
        })
    }

    /// Does this whenever the clock was moved.
    pub fn on_move(&self, act: impl Fn() + Send + Sync + 'static) {
        // Set once, at the start.
        self.on_move.set(Box::new(act)).ok();
    }

    fn keep(path: &Path, offset: Span) -> std::io::Result<()> {
        let beside = path.with_extension("new");
        let mut file = fs::File::create(&beside)?;
        file.write_all(offset.as_micros().to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Ts {
        self.clock.now()
    }

    fn advance(&self, by: Span) -> Result<Ts, ClockError> {
        let path = self.kept_in.lock().unwrap_or_else(PoisonError::into_inner);
        // Kept before it moves: a restart never takes time back.
        let ahead = Span::micros(
            self.clock
                .offset()
                .as_micros()
                .saturating_add(by.as_micros()),
        );
        Self::keep(&path, ahead).map_err(|_| ClockError("its file can't be written"))?;
        let now = self.clock.advance(by)?;
        if let Some(act) = self.on_move.get() {
            act();
        }
        Ok(now)
    }
}

impl SandboxClock for DemoClock {
    fn now(&self) -> Ts {
        self.clock.now()
    }

    fn advance(&self, by: Span) -> Result<Ts, String> {
        Clock::advance(self, by).map_err(|error| error.to_string())
    }
}
