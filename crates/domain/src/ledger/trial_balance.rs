//! The trial balance of a month: what every account had, got, gave and has.

use super::chart::{Account, Side};
use super::month::Month;
use crate::lifecycle::Language;
use crate::{Currency, Money};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A debit and a credit, in minor units; neither is negative.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sides {
    /// Left.
    pub debit: i64,
    /// Right.
    pub credit: i64,
}

impl Sides {
    /// A balance on the side where it stands: positive is a debit.
    pub const fn of(balance: i64) -> Self {
        if balance >= 0 {
            Self {
                debit: balance,
                credit: 0,
            }
        } else {
            Self {
                debit: 0,
                credit: balance.saturating_neg(),
            }
        }
    }

    // Amounts are summed in the database, which fails where a sum does not fit.
    const fn plus(self, other: Self) -> Self {
        Self {
            debit: self.debit.saturating_add(other.debit),
            credit: self.credit.saturating_add(other.credit),
        }
    }

    const fn is_equal(self) -> bool {
        self.debit == self.credit
    }
}

/// One account in one currency over a month, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrialLine {
    /// Which account.
    pub account: Account,
    /// Of which currency.
    pub currency: Currency,
    /// Its balance when the month began; positive is a debit.
    pub opening: i64,
    /// Everything debited in the month.
    pub debits: i64,
    /// Everything credited in the month; not negative.
    pub credits: i64,
}

impl TrialLine {
    /// Its balance when the month ended; positive is a debit.
    pub const fn closing(&self) -> i64 {
        let after = self.opening.saturating_add(self.debits);
        after.saturating_sub(self.credits)
    }

    /// The three pairs of columns.
    pub const fn columns(&self) -> Totals {
        Totals {
            opening: Sides::of(self.opening),
            movement: Sides {
                debit: self.debits,
                credit: self.credits,
            },
            closing: Sides::of(self.closing()),
        }
    }
}

/// The three pairs of columns of a line, or their sums over all accounts of a currency.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    /// When the month began.
    pub opening: Sides,
    /// In the month.
    pub movement: Sides,
    /// When it ended.
    pub closing: Sides,
}

/// The trial balance of a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrialBalance {
    /// Of which month.
    pub month: Month,
    /// One line an account and currency, in the order of the chart.
    pub lines: Vec<TrialLine>,
}

impl TrialBalance {
    /// The sums of all lines, by currency.
    pub fn totals(&self) -> BTreeMap<Currency, Totals> {
        let mut sums: BTreeMap<Currency, Totals> = BTreeMap::new();
        for line in &self.lines {
            let (sum, columns) = (sums.entry(line.currency).or_default(), line.columns());
            sum.opening = sum.opening.plus(columns.opening);
            sum.movement = sum.movement.plus(columns.movement);
            sum.closing = sum.closing.plus(columns.closing);
        }
        sums
    }

    /// Whether the two columns of each pair sum to the same in each currency.
    pub fn is_balanced(&self) -> bool {
        self.totals().values().all(|totals| {
            totals.opening.is_equal() && totals.movement.is_equal() && totals.closing.is_equal()
        })
    }

    /// As a table for spreadsheets (RFC 4180), amounts in major units, the sums last.
    pub fn csv(&self, language: Language) -> String {
        let head = match language {
            Language::Zh => {
                "月份,科目编号,科目,名称,币种,期初借方,期初贷方,本期借方,本期贷方,期末借方,期末贷方"
            }
            Language::En => {
                "Month,Code,Account,Name,Currency,Opening debit,Opening credit,Debits,Credits,\
                 Closing debit,Closing credit"
            }
        };
        let mut text = format!("{head}\r\n");
        for line in &self.lines {
            let (code, label) = (line.account.heading().code(), line.account.label(language));
            let what = format!("{code},{},{label}", line.account);
            row(&mut text, self.month, &what, line.currency, line.columns());
        }
        let sum = match language {
            Language::Zh => "合计",
            Language::En => "Total",
        };
        for (currency, totals) in self.totals() {
            row(&mut text, self.month, &format!(",,{sum}"), currency, totals);
        }
        text
    }
}

/// Neither names nor labels have a comma or a quotation mark; a test holds that.
fn row(text: &mut String, month: Month, what: &str, currency: Currency, columns: Totals) {
    let amount = |amount: i64| Money::new(amount, currency).to_decimal();
    let pair = |sides: Sides| format!("{},{}", amount(sides.debit), amount(sides.credit));
    let (opening, closing) = (pair(columns.opening), pair(columns.closing));
    let movement = pair(columns.movement);
    // Writing to a String can't fail.
    write!(
        text,
        "{month},{what},{currency},{opening},{movement},{closing}\r\n"
    )
    .ok();
}

impl Account {
    /// A balance of this account for people: how much, and on which side. Nothing stands on the
    /// side where the account's balance stands as a rule.
    pub const fn standing(self, balance: i64) -> (u64, Side) {
        let side = match balance {
            0 => self.heading().account_type().normal_side(),
            1.. => Side::Debit,
            ..0 => Side::Credit,
        };
        (balance.unsigned_abs(), side)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Heading;
    use super::*;
    use crate::payment::GatewayName;

    fn line(account: Account, opening: i64, debits: i64, credits: i64) -> TrialLine {
        TrialLine {
            account,
            currency: Currency::CNY,
            opening,
            debits,
            credits,
        }
    }

    fn march(lines: Vec<TrialLine>) -> TrialBalance {
        let month = "2026-03".parse().unwrap();
        TrialBalance { month, lines }
    }

    #[test]
    fn the_columns_of_each_pair_sum_to_the_same() {
        let wechat = Account::GatewayClearing(GatewayName::WECHAT);
        let balance = march(vec![
            line(wechat, 500, 3000, 3500),
            line(Account::Patient, -500, 3500, 3000),
        ]);
        assert!(balance.is_balanced());
        let totals = balance.totals()[&Currency::CNY];
        let both = |amount| Sides {
            debit: amount,
            credit: amount,
        };
        assert_eq!((totals.opening, totals.movement), (both(500), both(6500)));
        assert_eq!(totals.closing, both(0));
        assert!(!march(vec![line(wechat, 0, 1, 0)]).is_balanced());
        assert!(!march(vec![line(wechat, 1, 0, 1)]).is_balanced());
    }

    #[test]
    fn a_spreadsheet_gets_major_units_and_sums() {
        let wechat = Account::GatewayClearing(GatewayName::WECHAT);
        let balance = march(vec![
            line(wechat, 0, 3050, 0),
            line(Account::Patient, 0, 0, 3050),
        ]);
        let csv = balance.csv(Language::En);
        let lines: Vec<&str> = csv.split("\r\n").collect();
        let expected = [
            "2026-03,1010,gateway_clearing:wechat,Gateway clearing (wechat),CNY,0.00,0.00,30.50,0.00,30.50,0.00",
            "2026-03,2010,patient,Patients' money,CNY,0.00,0.00,0.00,30.50,0.00,30.50",
            "2026-03,,,Total,CNY,0.00,0.00,30.50,30.50,30.50,30.50",
            "",
        ];
        assert_eq!(lines[1..], expected);
        let columns = |line: &&str| line.split(',').count() == 11;
        assert!(lines[..4].iter().all(columns), "{csv}");
        let chinese = balance.csv(Language::Zh);
        assert_eq!(chinese.lines().next().unwrap().split(',').count(), 11);
    }

    #[test]
    fn no_label_needs_quoting() {
        for heading in Heading::ALL {
            for language in [Language::Zh, Language::En] {
                let label = heading.label(language);
                assert!(!label.contains([',', '"', '\r', '\n']), "{label}");
            }
        }
    }

    #[test]
    fn a_balance_is_told_with_its_side() {
        assert_eq!(Account::Patient.standing(-5), (5, Side::Credit));
        assert_eq!(Account::Patient.standing(5), (5, Side::Debit));
        assert_eq!(Account::Patient.standing(0), (0, Side::Credit));
        assert_eq!(Account::Offline.standing(0), (0, Side::Debit));
        let least = Account::Offline.standing(i64::MIN);
        assert_eq!(least, (i64::MIN.unsigned_abs(), Side::Credit));
    }
}
