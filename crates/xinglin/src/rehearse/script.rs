//! What is played: each script promises its order's end, whatever doctor happens to be found.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Which part of the specification a script plays; it says who moves its orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Statuses 100 to 102.
    Paying,
    /// Statuses 200 and 201.
    Finding,
    /// Statuses 400 and 401, and complaints after 900.
    Serving,
    /// The room of 400 and 401: words, files and video.
    Talking,
    /// Statuses 502 and 503.
    Refunding,
    /// Statuses 300 to 305, and 400 as it is reached from there.
    Clinic,
}

/// Names every script once, so that none can be forgotten where all are listed.
macro_rules! scripts {
    ($($theme:ident { $($(#[$meta:meta])* $name:ident,)* })*) => {
        /// What becomes of one order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Script {
            $($($(#[$meta])* $name,)*)*
        }

        impl Script {
            /// Every script.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)*)*];

            /// Who plays it.
            pub const fn theme(self) -> Theme {
                match self {
                    $($(Self::$name)|* => Theme::$theme,)*
                }
            }
        }
    };
}

scripts! {
    Paying {
        /// Cancelled before paying.
        CancelledUnpaid,
        /// Never paid.
        NeverPaid,
        /// The payment failed, then paid; then held.
        FailedThenPaid,
        /// The payment failed, and nobody tried again.
        FailedThenLeft,
        /// The payment failed, another method was chosen and paid; then held.
        MethodChanged,
        /// No result for five minutes, closed; then paid by another attempt and held.
        ClosedThenPaid,
        /// Cancelled while the gateway had the word.
        CancelledPaying,
        /// The same, but the money was already there.
        CancelledPayingPaid,
        /// Cancelled in 101, and the payer came after that: the closed payment takes no money.
        PayerTooLate,
        /// The callback never came.
        CallbackLost,
        /// The callback came twice.
        CallbackTwice,
        /// The callback came when the order had long ended.
        CallbackLate,
        /// The callback was signed with a wrong key.
        CallbackForged,
        /// Another amount was paid.
        WrongAmount,
        /// The gateway could not be reached when the result was due; it had been paid.
        GatewayDownPaid,
        /// The same, and nobody had paid.
        GatewayDownUnpaid,
    }
    Finding {
        /// Nobody was online for three minutes.
        NoDoctor,
        /// Cancelled in 200, while nobody was online.
        CancelledWaiting,
        /// The dispatcher stood still for three minutes.
        DispatcherDown,
        /// Declined once, then accepted and held.
        DeclinedOnce,
        /// Declined three times.
        DeclinedThrice,
        /// An offer that nobody answered went to the next doctor, who held it.
        OfferTimedOut,
        /// Three offers that nobody answered.
        OfferTimedOutThrice,
        /// The doctor went offline with the offer; the next one held it.
        OfferLost,
        /// Cancelled in 201.
        CancelledOffered,
    }
    Serving {
        /// Accepted, held, rated.
        Served,
        /// Cancelled in 400.
        CancelledReady,
        /// The doctor did not start, the patient was there.
        NotStarted,
        /// The doctor did not start, the patient was never there.
        PatientAbsent,
        /// The connection failed three times.
        NoConnection,
        /// Cancelled in 401 after 3 minutes; the operator grants by the table.
        CancelledAfter3,
        /// The same after 7 minutes.
        CancelledAfter7,
        /// The same after 12 minutes.
        CancelledAfter12,
        /// The same after 17 minutes.
        CancelledAfter17,
        /// After 22 minutes the table's share is nothing: refused, and held to its end.
        CancelledAfter22,
        /// Cancelled in 401; the operator grants half, with a reason.
        OperatorShare,
        /// Cancelled in 401, and the operator leaves it waiting.
        LeftToOperator,
        /// Nobody said a word for half an hour.
        Silent,
        /// They talked for an hour.
        WholeHour,
        /// The doctor was away for a minute, came back and held it.
        DoctorBack,
        /// The doctor was lost for two minutes.
        DoctorLost,
        /// The same, when the service had lasted for more than twenty.
        DoctorLostLate,
        /// A fault of the system.
        SystemFault,
        /// A complaint after the end; half is granted.
        Complained,
    }
    Talking {
        /// Talked in the room, over a connection that is lost and resumed; rated, and the report read.
        Talked,
        /// A picture, a clip and a document were shown.
        TalkedWithFiles,
        /// By video, with a doctor whose connection was lost for a minute.
        VideoHeld,
        /// By video that could not be connected three times.
        VideoFailed,
    }
    Refunding {
        /// The gateway refused the refund once.
        RefundRefusedOnce,
        /// The gateway refused it four times; then the operator tried again.
        RefundRetriedByHand,
        /// The gateway refused it four times; then the operator paid elsewhere.
        RefundRecorded,
    }
    Clinic {
        /// Queued, called, held.
        ClinicServed,
        /// Booked, checked in, queued when the session opened, held.
        ClinicCheckedIn,
        /// A doctor's weekly hours published the session; booked, queued, held.
        ClinicWeekly,
        /// The session paused, and went on.
        ClinicPaused,
        /// Called by the doctor's choice, the last one first.
        ClinicCalledByChoice,
        /// Cancelled in 300, while no numbers were given.
        ClinicCancelledNumbering,
        /// No numbers were given for a minute.
        ClinicNoNumber,
        /// Cancelled in 301.
        ClinicCancelledBooked,
        /// Cancelled in 302.
        ClinicCancelledQueued,
        /// Cancelled in 303.
        ClinicCancelledCalled,
        /// Cancelled in 400.
        ClinicCancelledReady,
        /// Answered, and the doctor did not start.
        ClinicNotStarted,
        /// Missed one call, then answered.
        ClinicMissedOnce,
        /// Missed three calls.
        ClinicMissedThrice,
        /// The doctor cancelled the session.
        ClinicSessionCancelled,
        /// The doctor cancelled the session, having called everybody.
        ClinicCancelledWhileCalling,
        /// The doctor closed the session with people waiting: asked twice.
        ClinicClosedWaiting,
        /// The patient never checked in.
        ClinicLate,
        /// The doctor never opened.
        ClinicNoShow,
    }
}

/// How an order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// The status.
    pub status: i64,
    /// Fen paid.
    pub paid: i64,
    /// Fen that went back.
    pub back: i64,
}

impl Script {
    /// The promised end of an order at this price (spec 10, commands by status and refund shares).
    pub fn end(self, price: i64) -> End {
        let share = |percent: i64| (price * percent + 50) / 100;
        let end = |status, paid, back| End { status, paid, back };
        match self {
            Self::CancelledUnpaid
            | Self::NeverPaid
            | Self::FailedThenLeft
            | Self::CancelledPaying
            | Self::PayerTooLate
            | Self::GatewayDownUnpaid => end(902, 0, 0),
            Self::ClinicLate => end(902, price, 0),
            Self::WrongAmount => end(901, price - 1, price - 1),
            Self::LeftToOperator => end(501, price, 0),
            Self::Complained => end(900, price, share(50)),
            _ => match self.percent_back() {
                0 => end(900, price, 0),
                percent => end(901, price, share(percent)),
            },
        }
    }

    /// What goes back of an order that ends in 901; nothing of one that ends in 900.
    const fn percent_back(self) -> i64 {
        match self {
            Self::CancelledPayingPaid
            | Self::NoDoctor
            | Self::CancelledWaiting
            | Self::DispatcherDown
            | Self::DeclinedThrice
            | Self::OfferTimedOutThrice
            | Self::CancelledOffered
            | Self::NotStarted
            | Self::NoConnection
            | Self::VideoFailed
            | Self::SystemFault
            | Self::RefundRefusedOnce
            | Self::RefundRetriedByHand
            | Self::RefundRecorded
            | Self::ClinicCancelledNumbering
            | Self::ClinicNoNumber
            | Self::ClinicCancelledBooked
            | Self::ClinicNotStarted
            | Self::ClinicSessionCancelled
            | Self::ClinicCancelledWhileCalling
            | Self::ClinicClosedWaiting
            | Self::ClinicNoShow => 100,
            Self::CancelledReady | Self::PatientAbsent | Self::ClinicCancelledQueued => 90,
            Self::ClinicCancelledCalled => 85,
            Self::CancelledAfter3
            | Self::DoctorLost
            | Self::ClinicCancelledReady
            | Self::ClinicMissedThrice => 80,
            Self::CancelledAfter7 => 60,
            Self::OperatorShare => 50,
            Self::CancelledAfter12 => 40,
            Self::CancelledAfter17 => 20,
            _ => 0,
        }
    }
}

/// The scripts of a rehearsal: each twice, then by chance, in an order that only the seed decides;
/// alike ones stand together, so that they share their time.
pub fn draw(orders: usize, seed: u64, http_only: bool) -> Vec<Script> {
    let mut chance = SmallRng::seed_from_u64(seed);
    let can_be_played = |script: &Script| !http_only || script.theme() != Theme::Talking;
    let all: Vec<Script> = Script::ALL.iter().copied().filter(can_be_played).collect();
    let mut scripts: Vec<Script> = (0..orders)
        .map(|number| {
            let place = if number < 2 * all.len() {
                number % all.len()
            } else {
                chance.random_range(0..all.len())
            };
            all[place]
        })
        .collect();
    scripts.sort_unstable();
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_scripts_and_every_one_is_played() {
        let scripts = draw(200, 7, false);
        assert_eq!(scripts, draw(200, 7, false));
        assert_ne!(scripts, draw(200, 8, false));
        let without = draw(200, 7, true);
        assert!(
            without
                .iter()
                .all(|script| script.theme() != Theme::Talking)
        );
        for script in Script::ALL {
            assert!(
                scripts.iter().filter(|s| *s == script).count() >= 2,
                "{script:?}"
            );
        }
    }

    #[test]
    fn promised_money_is_rounded_half_up() {
        let called = End {
            status: 901,
            paid: 3333,
            back: 2833,
        };
        assert_eq!(Script::ClinicCancelledCalled.end(3333), called);
        assert_eq!(Script::WrongAmount.end(3000).back, 2999);
    }
}
