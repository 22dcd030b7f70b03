//! The queue of a session (spec 10, clinic mode): slot, then number, then moves by missed calls.

use crate::Span;

const SLOT_BITS: u32 = 47;
const NUMBER_BITS: u32 = 27;

/// The place of a number in the queue; smaller is earlier. Between two neighbouring numbers there
/// is room for those who are moved back.
pub fn rank(slot_index: u16, number: u32) -> i64 {
    (i64::from(slot_index) << SLOT_BITS) | (i64::from(number) << NUMBER_BITS)
}

/// The place after so many of those who wait behind (`behind`, smallest first), or the end if fewer
/// wait (spec 10, status 303).
pub fn moved_back(own: i64, behind: &[i64], places: u8) -> i64 {
    let places = usize::from(places);
    let Some(before) = behind
        .get(..places)
        .and_then(<[i64]>::last)
        .or(behind.last())
    else {
        return own;
    };
    match behind.get(places) {
        // Halfway to the next one, so that both keep their order and there is room again.
        Some(next) => before + (next - before) / 2,
        // Before the next number that is still to be taken.
        None => {
            let to_come = ((before >> NUMBER_BITS) + 1) << NUMBER_BITS;
            before + ((to_come - before) / 2).max(1)
        }
    }
}

/// How long a patient may still wait: from what is likely to what is nearly sure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitingTime {
    /// Half of all waits are shorter.
    pub p50: Span,
    /// Nine of ten waits are shorter.
    pub p90: Span,
}

/// How long a consultation lasts when nothing is known of the doctor.
const UNKNOWN_DURATION: Span = Span::minutes(15);

/// The wait with so many ahead, from the doctor's own last consultations (spec 10, clinic mode).
/// Whoever is with the doctor already is ahead as well, for what is left of their time: `served_for`
/// says for how long each has been there.
pub fn waiting_time(ahead: u32, served_for: &[Span], last_durations: &[Span]) -> WaitingTime {
    let mut sorted = last_durations.to_vec();
    sorted.sort_unstable();
    let at = |percent: usize| {
        // Nearest rank: the smallest duration that at least so many percent do not exceed.
        let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(rank).copied().unwrap_or(UNKNOWN_DURATION)
    };
    let times = |span: Span| {
        let left = served_for
            .iter()
            .map(|served| (span.as_micros() - served.as_micros()).max(0));
        Span::micros(span.as_micros() * i64::from(ahead) + left.sum::<i64>())
    };
    WaitingTime {
        p50: times(at(50)),
        p90: times(at(90)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_comes_before_number() {
        assert!(rank(0, 900) < rank(1, 1));
        assert!(rank(1, 1) < rank(1, 2));
    }

    #[test]
    fn a_missed_call_moves_three_places_back_or_to_the_end() {
        let queue: Vec<i64> = (2..=6).map(|number| rank(0, number)).collect();
        let moved = moved_back(rank(0, 1), &queue, 3);
        assert!(queue[2] < moved && moved < queue[3]);
        assert!(moved_back(rank(0, 1), &queue[..2], 3) > queue[1]);
        assert!(moved_back(rank(0, 1), &queue[..3], 3) > queue[2]);
        assert_eq!(moved_back(rank(0, 1), &[], 3), rank(0, 1));
    }

    #[test]
    fn twenty_missed_calls_in_one_gap_still_find_room() {
        let mut queue: Vec<i64> = (2..=5).map(|number| rank(0, number)).collect();
        for _ in 0..20 {
            let moved = moved_back(rank(0, 1), &queue, 3);
            assert!(queue[2] < moved && moved < queue[3], "{queue:?}");
            queue.insert(3, moved);
        }
    }

    #[test]
    fn whoever_is_with_the_doctor_takes_what_is_left_of_their_time() {
        let minutes: Vec<Span> = (1..=10).map(Span::minutes).collect();
        let wait = waiting_time(1, &[Span::minutes(3)], &minutes);
        assert_eq!((wait.p50, wait.p90), (Span::minutes(7), Span::minutes(15)));
        let long = waiting_time(1, &[Span::minutes(40)], &minutes);
        assert_eq!(
            long.p50,
            Span::minutes(5),
            "any moment now, never less than nothing"
        );
    }

    #[test]
    fn the_wait_is_a_range_from_the_doctors_own_consultations() {
        let minutes: Vec<Span> = (1..=10).map(Span::minutes).collect();
        let wait = waiting_time(3, &[], &minutes);
        assert_eq!((wait.p50, wait.p90), (Span::minutes(15), Span::minutes(27)));
        assert_eq!(waiting_time(2, &[], &[]).p50, Span::minutes(30));
        assert_eq!(waiting_time(0, &[], &minutes).p90, Span::ZERO);
    }
}
