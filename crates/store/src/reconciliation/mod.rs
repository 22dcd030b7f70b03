//! Reconciliation: days at gateways, their bills and lines, what differs, and who decided what about
//! it. Bills and steps are only ever added to.

mod decisions;
mod differences;
mod model;
mod ours;
mod record;
mod runs;

pub(crate) use decisions::demands_of;
pub use model::*;
pub use runs::KnownDay;

use crate::value::Value;
use jiff::civil::Date;

/// How many numbers a statement looks for at a time: always as many, so that its text stays the same.
const NUMBERS: usize = 200;

/// `$4, $5, ...`: places for as many numbers, after those before them.
fn places(before: usize) -> String {
    let places: Vec<String> = (1..=NUMBERS)
        .map(|place| format!("${}", before + place))
        .collect();
    places.join(", ")
}

/// The numbers as values, in groups of as many as a statement takes; the last is filled up with its
/// own last.
fn groups<'a>(numbers: &'a [&'a str]) -> impl Iterator<Item = Vec<Value>> + 'a {
    numbers.chunks(NUMBERS).map(|chunk| {
        let last = chunk.last().copied().unwrap_or_default();
        let filled = chunk.iter().copied().chain(std::iter::repeat(last));
        filled.take(NUMBERS).map(Value::from).collect()
    })
}

fn day_value(day: Date) -> Value {
    Value::from(day.to_string())
}
