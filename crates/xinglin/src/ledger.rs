//! `ledger trial-balance`: a month of the ledger on paper.

use crate::config::DatabaseArgs;
use crate::language::LanguageName;
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use domain::Calendar;
use domain::ledger::{Month, TrialBalance};
use domain::lifecycle::Language;
use std::fmt::Write;
use std::process::ExitCode;
use store::Closing;

/// What can be asked of the ledger.
#[derive(Debug, Args)]
pub struct LedgerArgs {
    #[command(subcommand)]
    command: LedgerCommand,
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// What every account had, got, gave and has; ends with code 1 where the columns differ.
    TrialBalance(TrialBalanceArgs),
}

#[derive(Debug, Args)]
struct TrialBalanceArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The month in the hospital's time zone, such as 2026-03.
    #[arg(long, value_name = "YYYY-MM")]
    month: String,
    /// Comma-separated values instead of a table.
    #[arg(long)]
    csv: bool,
    /// The words' language.
    #[arg(long, value_enum, default_value = "en")]
    language: LanguageName,
}

/// `ledger ...`.
pub async fn run(args: LedgerArgs) -> Result<ExitCode> {
    let LedgerCommand::TrialBalance(args) = args.command;
    let month: Month = args.month.parse().context("--month")?;
    let calendar = Calendar::default();
    let store = args.database.open().await?;
    let balance = store.trial_balance(month, &calendar).await;
    let closing = store.closing(month).await;
    store.close().await;
    let (balance, closing) = (balance?, closing?);
    let language = args.language.into();
    if args.csv {
        print!("{}", balance.csv(language));
    } else {
        print!("{}", table(&balance, closing.as_ref(), &calendar, language));
    }
    Ok(if balance.is_balanced() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The same rows as in a spreadsheet, in columns.
fn table(
    balance: &TrialBalance,
    closing: Option<&Closing>,
    calendar: &Calendar,
    language: Language,
) -> String {
    let mut text = title(balance.month, closing, calendar, language);
    let csv = balance.csv(language);
    // The month is in the title.
    let rows: Vec<Vec<&str>> = csv
        .lines()
        .map(|line| line.split(',').skip(1).collect())
        .collect();
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len))
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, widest)) in row.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(widest.saturating_sub(width(cell)));
            // Amounts come after code, account, name and currency, and stand on the right.
            let (before, after) = if column < 4 {
                ("", gap)
            } else {
                (gap.as_str(), String::new())
            };
            // Writing to a String can't fail.
            write!(line, "{before}{cell}{after}  ").ok();
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn title(
    month: Month,
    closing: Option<&Closing>,
    calendar: &Calendar,
    language: Language,
) -> String {
    let closed_on = closing.map(|closing| calendar.day(closing.closed_at));
    match (language, closed_on) {
        (Language::En, Some(day)) => format!("Trial balance of {month}, closed on {day}\n\n"),
        (Language::En, None) => format!("Trial balance of {month}, not closed\n\n"),
        (Language::Zh, Some(day)) => format!("{month} 试算平衡表（已于 {day} 结账）\n\n"),
        (Language::Zh, None) => format!("{month} 试算平衡表（未结账）\n\n"),
    }
}

/// How many places a text takes on a terminal: Chinese characters and their punctuation take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|letter| if letter >= '\u{2e80}' { 2 } else { 1 })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;
    use domain::ledger::{Account, TrialLine};
    use domain::payment::GatewayName;

    fn march() -> TrialBalance {
        let line = |account, debits, credits| TrialLine {
            account,
            currency: Currency::CNY,
            opening: 0,
            debits,
            credits,
        };
        let wechat = Account::GatewayClearing(GatewayName::WECHAT);
        TrialBalance {
            month: "2026-03".parse().unwrap(),
            lines: vec![
                line(wechat, 1_234_567, 0),
                line(Account::Patient, 0, 1_234_567),
            ],
        }
    }

    #[test]
    fn columns_stand_under_their_heads_in_both_languages() {
        for language in [Language::En, Language::Zh] {
            let text = table(&march(), None, &Calendar::default(), language);
            let lines: Vec<&str> = text.lines().skip(2).collect();
            assert_eq!(lines.len(), 4, "{text}");
            let all = lines.iter().map(|line| width(line));
            assert_eq!(
                all.clone().min(),
                all.max(),
                "amounts end at the same place:\n{text}"
            );
            assert!(text.contains("12345.67"), "{text}");
        }
    }
}
