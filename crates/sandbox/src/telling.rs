//! How the merchant hears of something: how many copies, when, and signed by whom.

use crate::book::{About, Book, Change, Task};
use crate::control::ControlError;
use crate::control::views::{OutcomeCallback, OutcomeRequest, PayCallback, PayRequest};
use crate::faults::Hit;
use domain::{Span, Ts};

/// How late a late notice is unless it is told.
const LATE_SECONDS: u32 = 600;

/// How the merchant hears of something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Telling {
    copies: u32,
    bad_signature: bool,
    after: Span,
}

impl Telling {
    const ONCE: Self = Self {
        copies: 1,
        bad_signature: false,
        after: Span::ZERO,
    };
    const TWICE: Self = Self {
        copies: 2,
        ..Self::ONCE
    };
    const NEVER: Self = Self {
        copies: 0,
        ..Self::ONCE
    };
    const BADLY_SIGNED: Self = Self {
        bad_signature: true,
        ..Self::ONCE
    };

    fn late(seconds: Option<u32>) -> Self {
        Self {
            after: Span::seconds(seconds.unwrap_or(LATE_SECONDS).into()),
            ..Self::ONCE
        }
    }

    /// Of a payment. Chance has its say where nothing else was asked for.
    pub(crate) fn of_payment(request: &PayRequest, hit: Option<Hit>) -> Self {
        match request.callback {
            PayCallback::Once => Self::by_chance(hit),
            PayCallback::WrongAmount => Self::ONCE,
            PayCallback::Twice => Self::TWICE,
            PayCallback::Late => Self::late(request.late_seconds),
            PayCallback::Never => Self::NEVER,
            PayCallback::BadSignature => Self::BADLY_SIGNED,
        }
    }

    /// Of a refund's end. Chance has its say where nothing else was asked for.
    pub(crate) fn of_refund(outcome: &OutcomeRequest, hit: Option<Hit>) -> Self {
        match outcome.callback {
            OutcomeCallback::Once => Self::by_chance(hit),
            OutcomeCallback::Twice => Self::TWICE,
            OutcomeCallback::Late => Self::late(outcome.late_seconds),
            OutcomeCallback::Never => Self::NEVER,
            OutcomeCallback::BadSignature => Self::BADLY_SIGNED,
        }
    }

    fn by_chance(hit: Option<Hit>) -> Self {
        match hit {
            Some(Hit::LostCallback) => Self::NEVER,
            Some(Hit::DoubleCallback) => Self::TWICE,
            Some(Hit::LateCallback) => Self::late(None),
            None | Some(Hit::Slow | Hit::UnknownOutcome | Hit::RefundHangs) => Self::ONCE,
        }
    }

    /// The copies on their way.
    pub(crate) fn schedule(self, book: &mut Book, about: &About, now: Ts) -> Vec<Change> {
        let due = now + self.after;
        let mut changes = Vec::new();
        for _ in 0..self.copies {
            let task = Task::Notify {
                about: about.clone(),
                bad_signature: self.bad_signature,
                attempt: 0,
            };
            changes.push(book.schedule(due, task));
        }
        changes
    }
}

/// Whether the outcome's fields go together.
pub(crate) fn check_outcome(outcome: &OutcomeRequest) -> Result<(), ControlError> {
    if outcome.late_seconds.is_some() && outcome.callback != OutcomeCallback::Late {
        let message = "lateSeconds goes with callback `late` only";
        return Err(ControlError::BadRequest(message.to_owned()));
    }
    Ok(())
}
