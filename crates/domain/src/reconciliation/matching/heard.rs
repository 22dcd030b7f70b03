//! All that a bill says of one payment or refund of ours.

use super::super::bill::{BillLine, LineStatus};

/// All that a bill says of one payment or refund of ours.
#[derive(Default)]
pub(super) struct Heard<'a> {
    /// The line in which its money moved, if it did.
    pub moved: Option<&'a BillLine>,
    /// Where it did not: the line that says so.
    pub not_moved: Option<&'a BillLine>,
    /// Further lines in which its money moved, and whether they speak of the same movement.
    pub again: Vec<(&'a BillLine, bool)>,
}

impl<'a> Heard<'a> {
    /// Sorts the lines that name one thing of ours. `number` is the gateway's number of a line's
    /// movement, `known` the one that we know; `is_billed` says that an earlier bill had it already.
    pub fn of(
        lines: &[&'a BillLine],
        number: fn(&BillLine) -> Option<&str>,
        known: Option<&str>,
        is_billed: bool,
    ) -> Self {
        let mut moved: Vec<&BillLine> = lines
            .iter()
            .copied()
            .filter(|line| line.status == LineStatus::Succeeded)
            .collect();
        moved.sort_by_key(|line| line.line);
        // Two numbers that are not both known can't be told from the same one.
        let is_same = |line: &BillLine, other: Option<&str>| match (number(line), other) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        if is_billed {
            let again = moved.into_iter().map(|line| (line, is_same(line, known)));
            return Self {
                again: again.collect(),
                ..Self::default()
            };
        }
        let best = moved
            .iter()
            .position(|line| known.is_some() && number(line) == known);
        if moved.is_empty() {
            let under_way = |line: &&&BillLine| line.status == LineStatus::Processing;
            let not_moved = lines.iter().find(under_way).or(lines.last());
            return Self {
                not_moved: not_moved.copied(),
                ..Self::default()
            };
        }
        let first = moved.remove(best.unwrap_or(0));
        let again = moved
            .into_iter()
            .map(|line| (line, is_same(line, number(first))));
        Self {
            moved: Some(first),
            not_moved: None,
            again: again.collect(),
        }
    }
}
