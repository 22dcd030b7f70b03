//! Reads a trade bill (WeChat Pay API v3, trade bill format).
//!
//! It looks like CSV and is none: a field begins with a back-tick, nothing is quoted, and what a
//! merchant called its goods may hold commas. So fields end where a comma and a back-tick follow,
//! which no CSV reader knows. Columns are found by their names: there is an older layout with
//! fewer columns and other names, and WeChat adds columns without notice.

use domain::reconciliation::{BillLine, BillTotals, LineKind, LineStatus};
use domain::{Currency, Money, Ts};
use jiff::civil::DateTime;
use std::collections::HashMap;
use thiserror::Error;

/// A bill has some 30 columns; more are nonsense.
const MAX_COLUMNS: usize = 64;
/// A goods' name has at most 127 characters, so a line falls into at most so many fields.
const MAX_FIELDS: usize = MAX_COLUMNS + 127;
/// The only column with free text that we fill: it takes the commas that are too many.
const GOODS: &str = "商品名称";

/// Why a bill can't be read. Lines count from 1.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum BillError {
    /// Not UTF-8.
    #[error("the bill is not UTF-8")]
    NotText,
    /// No line, or too many columns.
    #[error("the bill's first line names no columns")]
    NoColumns,
    /// A column that is needed and not there.
    #[error("the bill has none of the columns {0}")]
    NoColumn(&'static str),
    /// A line with fewer fields than columns, or with absurdly many.
    #[error("line {line} of the bill has {found} fields, not {expected}")]
    Fields {
        /// Which line.
        line: usize,
        /// How many it has.
        found: usize,
        /// How many columns there are.
        expected: usize,
    },
    /// A field that makes no sense.
    #[error("line {line} of the bill: {column} is `{text}`")]
    Field {
        /// Which line.
        line: usize,
        /// Which column.
        column: &'static str,
        /// What stands there, cut to 40 characters.
        text: String,
    },
    /// More lines than can be counted.
    #[error("the bill has too many lines")]
    TooLong,
}

/// Reads a trade bill of any layout: its lines, and its own sums where it has some.
pub fn read_bill(bytes: &[u8]) -> Result<(Vec<BillLine>, Option<BillTotals>), BillError> {
    let text = std::str::from_utf8(bytes).map_err(|_| BillError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = (1..)
        .zip(text.lines())
        .map(|(line, text)| (line, text.trim_end_matches('\r')))
        .filter(|(_, text)| !text.trim().is_empty());
    let (_, header) = rows.next().ok_or(BillError::NoColumns)?;
    let mut columns = Columns::read(header)?;
    let mut lines = Vec::new();
    let mut totals = None;
    let mut in_summary = false;
    for (line, text) in rows {
        if !text.starts_with('`') {
            // The names of the summary's columns: what follows is the summary.
            columns = Columns::read(text)?;
            in_summary = true;
        } else if in_summary {
            totals = Some(read_totals(&columns.row(line, text)?)?);
        } else {
            let number = u32::try_from(lines.len() + 1).map_err(|_| BillError::TooLong)?;
            lines.push(read_line(&columns.row(line, text)?, number)?);
        }
    }
    Ok((lines, totals))
}

/// The names of columns, and where they are.
struct Columns<'t> {
    places: HashMap<&'t str, usize>,
    count: usize,
}

impl<'t> Columns<'t> {
    fn read(header: &'t str) -> Result<Self, BillError> {
        let names: Vec<&str> = header
            .split(',')
            .take(MAX_COLUMNS + 1)
            .map(|name| name.trim().trim_start_matches('`'))
            .collect();
        if names.len() < 2 || names.len() > MAX_COLUMNS {
            return Err(BillError::NoColumns);
        }
        let places = names.iter().enumerate();
        Ok(Self {
            count: names.len(),
            places: places.map(|(place, name)| (*name, place)).collect(),
        })
    }

    fn row<'r>(&'r self, line: usize, text: &'r str) -> Result<Row<'r>, BillError> {
        let text = text.strip_prefix('`').unwrap_or(text);
        let fields: Vec<&str> = text.split(",`").take(MAX_FIELDS + 1).collect();
        let found = fields.len();
        if found < self.count || found > MAX_FIELDS {
            return Err(BillError::Fields {
                line,
                found,
                expected: self.count,
            });
        }
        Ok(Row {
            columns: self,
            line,
            surplus: found - self.count,
            goods: self.places.get(GOODS).copied(),
            fields,
        })
    }
}

/// One line, by the names of its columns.
struct Row<'r> {
    columns: &'r Columns<'r>,
    line: usize,
    fields: Vec<&'r str>,
    /// So many fields more than columns: the goods' name was cut so often.
    surplus: usize,
    goods: Option<usize>,
}

impl<'r> Row<'r> {
    /// The field of the first of these columns that the bill has.
    fn optional(&self, names: &[&'static str]) -> Option<(&'static str, &'r str)> {
        let (name, place) = names
            .iter()
            .find_map(|name| Some((*name, *self.columns.places.get(name)?)))?;
        let behind = self.goods.is_some_and(|goods| place > goods);
        let place = if behind { place + self.surplus } else { place };
        self.fields.get(place).map(|text| (name, text.trim()))
    }

    fn required(
        &self,
        names: &[&'static str],
        all: &'static str,
    ) -> Result<(&'static str, &'r str), BillError> {
        self.optional(names).ok_or(BillError::NoColumn(all))
    }

    /// A number of either side; nothing and `0` are none.
    fn number(&self, names: &[&'static str]) -> Option<String> {
        let (_, text) = self.optional(names)?;
        (!matches!(text, "" | "0")).then(|| text.to_owned())
    }

    fn money(
        &self,
        (column, text): (&'static str, &str),
        currency: Currency,
    ) -> Result<Money, BillError> {
        Money::from_decimal(text, currency).map_err(|_| self.wrong(column, text))
    }

    fn wrong(&self, column: &'static str, text: &str) -> BillError {
        BillError::Field {
            line: self.line,
            column,
            text: text.chars().take(40).collect(),
        }
    }
}

fn read_line(row: &Row<'_>, line: u32) -> Result<BillLine, BillError> {
    let (column, state) = row.required(&["交易状态"], "交易状态")?;
    let kind = match state {
        "SUCCESS" => LineKind::Payment,
        // Revoked is money given back as well (payment codes only, which we don't use).
        "REFUND" | "REVOKED" => LineKind::Refund,
        other => return Err(row.wrong(column, other)),
    };
    let (column, text) = row.required(&["货币种类"], "货币种类")?;
    let currency = text.parse().map_err(|_| row.wrong(column, text))?;
    let amount = match kind {
        LineKind::Payment => {
            row.required(&["订单金额", "总金额", "应结订单金额"], "订单金额, 总金额")?
        }
        LineKind::Refund => {
            row.required(&["申请退款金额", "退款金额"], "申请退款金额, 退款金额")?
        }
    };
    let is_refund = kind == LineKind::Refund;
    let amount_column = amount;
    let amount = row.money(amount, currency)?;
    if amount.amount < 0 {
        return Err(row.wrong(amount_column.0, amount_column.1));
    }
    Ok(BillLine {
        line,
        kind,
        out_trade_no: row.number(&["商户订单号"]),
        transaction_id: row.number(&["微信订单号"]),
        out_refund_no: row.number(&["商户退款单号"]).filter(|_| is_refund),
        refund_id: row.number(&["微信退款单号"]).filter(|_| is_refund),
        amount,
        fee: fee(row)?,
        status: status(row, kind)?,
        at: moment(row)?,
    })
}

/// Refunds stand there as they were when the bill was made, and are not brought up to date.
fn status(row: &Row<'_>, kind: LineKind) -> Result<LineStatus, BillError> {
    match (kind, row.optional(&["退款状态"])) {
        (LineKind::Payment, _) | (LineKind::Refund, None | Some((_, "SUCCESS" | ""))) => {
            Ok(LineStatus::Succeeded)
        }
        (LineKind::Refund, Some((_, "PROCESSING"))) => Ok(LineStatus::Processing),
        (LineKind::Refund, Some((_, "FAIL"))) => Ok(LineStatus::Failed),
        (LineKind::Refund, Some((column, text))) => Err(row.wrong(column, text)),
    }
}

/// When it was paid, or when the refund was accepted.
fn moment(row: &Row<'_>) -> Result<Ts, BillError> {
    let (column, text) = row.required(&["交易时间"], "交易时间")?;
    let wrong = || row.wrong(column, text);
    let local = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).map_err(|_| wrong())?;
    let at = super::BEIJING.to_timestamp(local).map_err(|_| wrong())?;
    Ok(Ts::from(at))
}

/// The fee in hundred-thousandths of a yuan: the bill has up to five decimals.
fn fee(row: &Row<'_>) -> Result<Option<i64>, BillError> {
    let Some((column, text)) = row.optional(&["手续费"]) else {
        return Ok(None);
    };
    if text.is_empty() {
        return Ok(None);
    }
    hundred_thousandths(text)
        .map(Some)
        .ok_or_else(|| row.wrong(column, text))
}

fn hundred_thousandths(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (major, minor) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(major) || !plain(minor) || minor.len() > 5 {
        return None;
    }
    let major: i64 = major.parse().ok()?;
    let minor: i64 = format!("{minor:0<5}").parse().ok()?;
    let all = major.checked_mul(100_000)?.checked_add(minor)?;
    Some(sign * all)
}

fn read_totals(row: &Row<'_>) -> Result<BillTotals, BillError> {
    let (column, text) = row.required(&["总交易单数"], "总交易单数")?;
    let count = text.parse().map_err(|_| row.wrong(column, text))?;
    let paid = row.required(
        &["订单总金额", "总交易额", "应结订单总金额"],
        "订单总金额, 总交易额",
    )?;
    let refunded = row.required(
        &["申请退款总金额", "总退款金额", "退款总金额"],
        "申请退款总金额, 总退款金额",
    )?;
    Ok(BillTotals {
        count,
        // The bill states its sums without a currency; merchants in China are paid in renminbi.
        paid: row.money(paid, Currency::CNY)?,
        refunded: row.money(refunded, Currency::CNY)?,
    })
}
