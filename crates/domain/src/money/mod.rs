//! Money in whole minor units, and shares of it (spec 00, rule 8).

mod decimal;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The currencies the platform works in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Currency {
    /// Renminbi; its minor unit is the fen.
    CNY,
    /// New Zealand dollar; its minor unit is the cent.
    NZD,
}

impl Currency {
    /// The ISO 4217 letters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CNY => "CNY",
            Self::NZD => "NZD",
        }
    }

    /// How many decimals an amount in major units has (ISO 4217, exponent).
    pub const fn decimals(self) -> u32 {
        match self {
            Self::CNY | Self::NZD => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match text {
            "CNY" => Ok(Self::CNY),
            "NZD" => Ok(Self::NZD),
            other => Err(MoneyError::UnknownCurrency(other.to_owned())),
        }
    }
}

/// What can be wrong with an amount.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MoneyError {
    /// A currency the platform doesn't work in.
    #[error("currency `{0}` is not known: use CNY or NZD")]
    UnknownCurrency(String),
    /// Two currencies in one sum.
    #[error("{0} and {1} can't be added: they are different currencies")]
    MixedCurrencies(Currency, Currency),
    /// More than an amount can hold.
    #[error("the amount is too large")]
    Overflow,
    /// A text that is no amount of this currency.
    #[error("`{text}` is no amount of {currency}: write it like 30.50")]
    NotDecimal {
        /// The text, at most 40 characters of it.
        text: String,
        /// The currency.
        currency: Currency,
    },
    /// A share outside 0 to 100 percent.
    #[error("a share is 0 to 100 percent, not {0}")]
    ShareOutOfRange(i64),
}

/// An amount in minor units (fen, cents) of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units; never negative for prices, payments and refunds.
    pub amount: i64,
    /// Which currency.
    pub currency: Currency,
}

impl Money {
    /// So many minor units of a currency.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// So many fen.
    pub const fn fen(amount: i64) -> Self {
        Self::new(amount, Currency::CNY)
    }

    /// Nothing, in this currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Whether there is nothing.
    pub const fn is_zero(self) -> bool {
        self.amount == 0
    }

    /// The sum, if both are of one currency and it fits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self
            .amount
            .checked_add(other.amount)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The difference, if both are of one currency and it fits; it may be negative.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let amount = self
            .amount
            .checked_sub(other.amount)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// A share of it, rounded half up to the minor unit (spec 00, rule 8).
    pub fn share(self, share: Share) -> Self {
        let scaled = i128::from(self.amount) * i128::from(share.0);
        let rounded = (scaled + 50).div_euclid(100);
        // A share is at most the whole, so it fits where the whole fitted.
        Self {
            amount: i64::try_from(rounded).unwrap_or(self.amount),
            ..self
        }
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::MixedCurrencies(self.currency, other.currency))
        }
    }
}

impl fmt::Display for Money {
    /// For journals and messages to operators: `30.50 CNY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal(), self.currency)
    }
}

/// A whole number of percent, 0 to 100.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Share(u8);

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The whole.
    pub const FULL: Self = Self(100);

    /// So many percent; more than 100 counts as 100.
    pub const fn percent(percent: u8) -> Self {
        Self(if percent > 100 { 100 } else { percent })
    }

    /// The number of percent.
    pub const fn as_percent(self) -> u8 {
        self.0
    }
}

impl TryFrom<i64> for Share {
    type Error = MoneyError;
    fn try_from(percent: i64) -> Result<Self, MoneyError> {
        match u8::try_from(percent) {
            Ok(percent @ 0..=100) => Ok(Self(percent)),
            _ => Err(MoneyError::ShareOutOfRange(percent)),
        }
    }
}

impl From<Share> for i64 {
    fn from(share: Share) -> Self {
        Self::from(share.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_round_half_up_to_the_fen() {
        assert_eq!(Money::fen(3).share(Share::percent(50)), Money::fen(2));
        assert_eq!(Money::fen(3333).share(Share::percent(85)), Money::fen(2833));
        assert_eq!(Money::fen(1).share(Share::percent(40)), Money::fen(0));
        assert_eq!(
            Money::fen(i64::MAX).share(Share::FULL),
            Money::fen(i64::MAX)
        );
    }

    #[test]
    fn currencies_do_not_mix_and_sums_do_not_wrap() {
        let dollars = Money::new(1, Currency::NZD);
        assert_eq!(
            Money::fen(1).plus(dollars),
            Err(MoneyError::MixedCurrencies(Currency::CNY, Currency::NZD))
        );
        assert_eq!(
            Money::fen(i64::MAX).plus(Money::fen(1)),
            Err(MoneyError::Overflow)
        );
    }
}
