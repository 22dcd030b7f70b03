//! What numbers are drawn from. They are drawn, never counted: a restart needs no counter.

use rand::Rng as _;
use rand::distr::Alphanumeric;

/// Random digits.
pub(crate) fn digits(count: usize) -> String {
    draw(count, b"0123456789")
}

/// Random upper-case hex.
pub(crate) fn hexadecimal(count: usize) -> String {
    draw(count, b"0123456789ABCDEF")
}

/// Random letters and digits.
pub(crate) fn letters(count: usize) -> String {
    rand::rng()
        .sample_iter(Alphanumeric)
        .take(count)
        .map(char::from)
        .collect()
}

fn draw(count: usize, from: &[u8]) -> String {
    let mut rng = rand::rng();
    (0..count)
        .map(|_| char::from(from[rng.random_range(0..from.len())]))
        .collect()
}
