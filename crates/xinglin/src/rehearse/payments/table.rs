//! What a day of payments came to.

use super::finding::Compared;
use anyhow::{Result, bail};

/// A gateway's payments in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// How many were asked for.
    pub payments: usize,
    /// Minor units paid.
    pub paid: i64,
    /// Minor units that went back.
    pub back: i64,
    /// How many failed.
    pub failed: usize,
    /// How many were closed.
    pub closed: usize,
    /// Late or double money that was returned by itself: how often, and minor units.
    pub returned_count: usize,
    /// The same in minor units.
    pub returned: i64,
}

/// Everything that is otherwise than promised.
#[derive(Debug, Default)]
pub struct Outcome {
    /// In words, one for each.
    pub wrong: Vec<String>,
}

impl Outcome {
    /// Says that all is well, or what is not.
    pub fn judge(&self, compared: &Compared<'_>) -> Result<()> {
        println!("\nunexplained: {}", compared.unexplained());
        for wrong in &self.wrong {
            println!("\n{wrong}");
        }
        if !self.wrong.is_empty() {
            bail!("{} things are otherwise than promised", self.wrong.len());
        }
        println!(
            "Every payment ended as promised, every planted difference was found and named, and the books agree."
        );
        Ok(())
    }
}
