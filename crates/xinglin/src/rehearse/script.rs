//! What is played: each script promises its order's end, whatever doctor happens to be found.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// What becomes of one order. The first word of each comment is the mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Script {
    /// Dispatch: booked, paid, accepted, held, rated.
    Served,
    /// Dispatch: cancelled before paying.
    CancelledUnpaid,
    /// Dispatch: never paid.
    NeverPaid,
    /// Dispatch: the payment failed, then paid; then held.
    FailedThenPaid,
    /// Dispatch: the payment failed, and nobody tried again.
    FailedThenLeft,
    /// Dispatch: cancelled while the gateway had the word.
    CancelledPaying,
    /// Dispatch: the callback never came.
    CallbackLost,
    /// Dispatch: the callback came twice.
    CallbackTwice,
    /// Dispatch: another amount was paid.
    WrongAmount,
    /// Dispatch: nobody was online for three minutes.
    NoDoctor,
    /// Dispatch: declined once, then accepted and held.
    DeclinedOnce,
    /// Dispatch: declined three times.
    DeclinedThrice,
    /// Dispatch: cancelled in 201.
    CancelledOffered,
    /// Dispatch: cancelled in 400.
    CancelledReady,
    /// Dispatch: cancelled in 401 after three minutes; the operator grants by the table.
    CancelledServing,
    /// Dispatch: the same, and the operator leaves it waiting.
    LeftToOperator,
    /// Dispatch: the doctor did not start, the patient was there.
    NotStarted,
    /// Dispatch: the connection failed three times.
    NoConnection,
    /// Dispatch: nobody said a word for half an hour.
    Silent,
    /// Dispatch: a fault of the system.
    SystemFault,
    /// Dispatch: the gateway refused the refund once.
    RefundRefusedOnce,
    /// Dispatch: a complaint after the end; half is granted.
    Complained,
    /// Clinic: booked, queued, called, held.
    ClinicServed,
    /// Clinic: cancelled in 302.
    ClinicCancelledQueued,
    /// Clinic: cancelled in 303.
    ClinicCancelledCalled,
    /// Clinic: cancelled in 400.
    ClinicCancelledReady,
    /// Clinic: missed one call, then answered.
    ClinicMissedOnce,
    /// Clinic: missed three calls.
    ClinicMissedThrice,
    /// Clinic: cancelled in 301.
    ClinicCancelledBooked,
    /// Clinic: the doctor cancelled the session.
    ClinicSessionCancelled,
    /// Clinic: the patient never checked in.
    ClinicLate,
    /// Clinic: the doctor never opened.
    ClinicNoShow,
}

/// How an order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The status.
    pub status: i64,
    /// Fen paid.
    pub paid: i64,
    /// Fen that went back.
    pub back: i64,
}

impl Script {
    /// Every script.
    pub const ALL: [Self; 32] = [
        Self::Served,
        Self::CancelledUnpaid,
        Self::NeverPaid,
        Self::FailedThenPaid,
        Self::FailedThenLeft,
        Self::CancelledPaying,
        Self::CallbackLost,
        Self::CallbackTwice,
        Self::WrongAmount,
        Self::NoDoctor,
        Self::DeclinedOnce,
        Self::DeclinedThrice,
        Self::CancelledOffered,
        Self::CancelledReady,
        Self::CancelledServing,
        Self::LeftToOperator,
        Self::NotStarted,
        Self::NoConnection,
        Self::Silent,
        Self::SystemFault,
        Self::RefundRefusedOnce,
        Self::Complained,
        Self::ClinicServed,
        Self::ClinicCancelledQueued,
        Self::ClinicCancelledCalled,
        Self::ClinicCancelledReady,
        Self::ClinicMissedOnce,
        Self::ClinicMissedThrice,
        Self::ClinicCancelledBooked,
        Self::ClinicSessionCancelled,
        Self::ClinicLate,
        Self::ClinicNoShow,
    ];

    /// Whether it is queued for a session.
    pub fn is_clinic(self) -> bool {
        self >= Self::ClinicServed
    }

    /// The promised end of an order at this price.
    pub fn end(self, price: i64) -> End {
        let share = |percent: i64| (price * percent + 50) / 100;
        let end = |status, paid, back| End { status, paid, back };
        match self {
            Self::Served
            | Self::FailedThenPaid
            | Self::CallbackLost
            | Self::CallbackTwice
            | Self::DeclinedOnce
            | Self::Silent
            | Self::ClinicServed
            | Self::ClinicMissedOnce => end(900, price, 0),
            Self::Complained => end(900, price, share(50)),
            Self::CancelledUnpaid
            | Self::NeverPaid
            | Self::FailedThenLeft
            | Self::CancelledPaying => end(902, 0, 0),
            Self::ClinicLate => end(902, price, 0),
            Self::WrongAmount => end(901, price - 1, price - 1),
            Self::NoDoctor
            | Self::DeclinedThrice
            | Self::CancelledOffered
            | Self::NotStarted
            | Self::NoConnection
            | Self::SystemFault
            | Self::RefundRefusedOnce
            | Self::ClinicCancelledBooked
            | Self::ClinicSessionCancelled
            | Self::ClinicNoShow => end(901, price, price),
            Self::CancelledReady | Self::ClinicCancelledQueued => end(901, price, share(90)),
            Self::ClinicCancelledCalled => end(901, price, share(85)),
            Self::CancelledServing | Self::ClinicCancelledReady | Self::ClinicMissedThrice => {
                end(901, price, share(80))
            }
            Self::LeftToOperator => end(501, price, 0),
        }
    }
}

/// The scripts of a rehearsal: each once in turn, then by chance, in an order that only the seed
/// decides; alike ones stand together, so that they share their time.
pub fn draw(orders: usize, seed: u64) -> Vec<Script> {
    let mut chance = SmallRng::seed_from_u64(seed);
    let mut scripts: Vec<Script> = (0..orders)
        .map(
            |number| match Script::ALL.get(number % (2 * Script::ALL.len()) % Script::ALL.len()) {
                Some(script) if number < 2 * Script::ALL.len() => *script,
                _ => Script::ALL[chance.random_range(0..Script::ALL.len())],
            },
        )
        .collect();
    scripts.sort_unstable();
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_scripts_and_every_one_is_played() {
        let scripts = draw(200, 7);
        assert_eq!(scripts, draw(200, 7));
        assert_ne!(scripts, draw(200, 8));
        for script in Script::ALL {
            assert!(
                scripts.iter().filter(|s| **s == script).count() >= 2,
                "{script:?}"
            );
        }
    }

    #[test]
    fn promised_money_is_rounded_half_up() {
        assert_eq!(
            Script::ClinicCancelledCalled.end(3333),
            End {
                status: 901,
                paid: 3333,
                back: 2833
            }
        );
        assert_eq!(Script::WrongAmount.end(3000).back, 2999);
    }
}
