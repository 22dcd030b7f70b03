//! What a bill's tables say: lines, and the sums that the bill states of itself.
//!
//! Columns are found by their names, since Alipay adds some now and then (Alipay OpenAPI, bills:
//! `业务明细` and `业务明细(汇总)`). Real files have LF and CRLF, and refunds with negative amounts.

use super::archive::ArchiveError;
use super::table::{TableError, cells};
use crate::alipay::wire::{Yuan, read_time};
use domain::reconciliation::{BillLine, BillTotals, LineKind, LineStatus};
use domain::{Currency, Money};
use thiserror::Error;

/// The columns of the table of lines, in Alipay's order.
pub const DETAIL_COLUMNS: [&str; 25] = [
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "商品名称",
    "创建时间",
    "完成时间",
    "门店编号",
    "门店名称",
    "操作员",
    "终端号",
    "对方账户",
    "订单金额（元）",
    "商家实收（元）",
    "支付宝红包（元）",
    "集分宝（元）",
    "支付宝优惠（元）",
    "商家优惠（元）",
    "券核销金额（元）",
    "券名称",
    "商家红包消费金额（元）",
    "卡消费金额（元）",
    "退款批次号/请求号",
    "服务费（元）",
    "分润（元）",
    "备注",
];

/// The columns of the table of sums, in Alipay's order.
pub const SUMMARY_COLUMNS: [&str; 12] = [
    "门店编号",
    "门店名称",
    "交易订单总笔数",
    "退款订单总笔数",
    "订单金额（元）",
    "商家实收（元）",
    "支付宝优惠（元）",
    "商家优惠（元）",
    "卡消费金额（元）",
    "服务费（元）",
    "分润（元）",
    "实收净额（元）",
];

/// What stands before the table of lines.
pub const DETAIL_START: &str = "#-----------------------------------------业务明细列表----------------------------------------";
/// What stands after it. Without it, a file was cut off.
pub const DETAIL_END: &str = "#-----------------------------------------业务明细列表结束------------------------------------";
/// What stands before the table of sums.
pub const SUMMARY_START: &str = "#-----------------------------------------业务汇总列表----------------------------------------";
/// What stands after it.
pub const SUMMARY_END: &str = "#----------------------------------------业务汇总列表结束-------------------------------------";

/// The lines of a bill and its own sums, where it has them.
pub type Contents = (Vec<BillLine>, Option<BillTotals>);

/// Why a bill can't be read.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum BillError {
    /// The archive around it.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// None of its files is the table of lines.
    #[error("no file of the bill has a table of lines")]
    NoLines,
    /// A file that ends too soon.
    #[error("a file ends before `业务明细列表结束`: it was cut off")]
    CutOff,
    /// A column that is needed.
    #[error("the table has no column `{0}`")]
    NoColumn(&'static str),
    /// A line that is not cut into cells as it should be.
    #[error("line {line} of the table: {reason}")]
    Cells {
        /// Counted from 1.
        line: u32,
        /// What is wrong.
        reason: TableError,
    },
    /// A line with more or fewer cells than columns.
    #[error("line {line} of the table has {found} cells, not {expected}")]
    CellCount {
        /// Counted from 1.
        line: u32,
        /// Its cells.
        found: usize,
        /// The table's columns.
        expected: usize,
    },
    /// A cell that holds something else.
    #[error("line {line} of the table has `{value}` for {column}")]
    Cell {
        /// Counted from 1.
        line: u32,
        /// Which column.
        column: &'static str,
        /// At most 40 characters of it.
        value: String,
    },
    /// More lines than are counted.
    #[error("the table has too many lines")]
    TooManyLines,
    /// The sums of the two files disagree: one of them is of another day, or cut.
    #[error("the table of lines states {stated} payments, the table of sums {summed}")]
    Contradiction {
        /// In the table of lines.
        stated: u64,
        /// In the table of sums.
        summed: u64,
    },
}

/// Reads the tables of a bill, in any order; a large one may come in several files.
pub fn read(files: &[String]) -> Result<Contents, BillError> {
    let mut lines = Vec::new();
    let mut totals: Option<Footer> = None;
    let (mut found, mut every_part_has_totals) = (false, true);
    let mut summed = None;
    for file in files {
        if file.contains("业务明细列表") {
            found = true;
            match read_detail(file, &mut lines)? {
                Some(part) => totals = Some(totals.unwrap_or_default().plus(part)),
                None => every_part_has_totals = false,
            }
        } else if let Some(payments) = read_summary(file) {
            summed = Some(payments);
        }
    }
    if !found {
        return Err(BillError::NoLines);
    }
    let totals = totals.filter(|_| every_part_has_totals);
    if let (Some(Footer { payments, .. }), Some(summed)) = (totals, summed)
        && payments != summed
    {
        let stated = payments;
        return Err(BillError::Contradiction { stated, summed });
    }
    Ok((lines, totals.map(BillTotals::from)))
}

/// Reads one table of lines to the end of `lines`, and what the bill says of it.
fn read_detail(file: &str, lines: &mut Vec<BillLine>) -> Result<Option<Footer>, BillError> {
    let mut columns: Option<Columns> = None;
    let mut ended = false;
    let (mut paid, mut refunded) = (None, None);
    for row in file.lines() {
        if let Some(remark) = row.trim().strip_prefix('#') {
            ended |= remark.contains("业务明细列表结束");
            if let Some(rest) = remark.strip_prefix("交易合计") {
                paid = read_sum(rest);
            } else if let Some(rest) = remark.strip_prefix("退款合计") {
                refunded = read_sum(rest);
            }
            continue;
        }
        if row.trim().is_empty() || ended {
            continue;
        }
        match &columns {
            None => columns = Some(Columns::read(row)?),
            Some(columns) => {
                let line = u32::try_from(lines.len() + 1).map_err(|_| BillError::TooManyLines)?;
                lines.push(columns.line(line, row)?);
            }
        }
    }
    if !ended {
        return Err(BillError::CutOff);
    }
    Ok(paid.zip(refunded).map(|(paid, refunded)| Footer {
        payments: paid.0,
        refunds: refunded.0,
        paid: paid.1,
        refunded: refunded.1,
    }))
}

/// Where the table's columns are.
struct Columns {
    count: usize,
    trade_no: usize,
    out_trade_no: usize,
    kind: usize,
    at: usize,
    amount: usize,
    out_request_no: Option<usize>,
    fee: Option<usize>,
}

impl Columns {
    fn read(row: &str) -> Result<Self, BillError> {
        let names = cells(row).map_err(|reason| BillError::Cells { line: 0, reason })?;
        let find = |wanted: &str| names.iter().position(|name| column_name(name) == wanted);
        let need = |wanted: &'static str| find(wanted).ok_or(BillError::NoColumn(wanted));
        Ok(Self {
            count: names.len(),
            trade_no: need("支付宝交易号")?,
            out_trade_no: need("商户订单号")?,
            kind: need("业务类型")?,
            at: need("完成时间")?,
            amount: need("订单金额")?,
            out_request_no: find("退款批次号/请求号"),
            fee: find("服务费"),
        })
    }

    fn line(&self, line: u32, row: &str) -> Result<BillLine, BillError> {
        let row = cells(row).map_err(|reason| BillError::Cells { line, reason })?;
        if row.len() != self.count {
            return Err(BillError::CellCount {
                line,
                found: row.len(),
                expected: self.count,
            });
        }
        let cell = |index: usize| row.get(index).map(String::as_str).unwrap_or_default();
        let text = |index: usize| Some(cell(index).to_owned()).filter(|text| !text.is_empty());
        let wrong = |column: &'static str, index: usize| BillError::Cell {
            line,
            column,
            value: cell(index).chars().take(40).collect(),
        };
        let amount = Money::from_decimal(cell(self.amount), Currency::CNY);
        let amount = amount.map_err(|_| wrong("订单金额", self.amount))?;
        // What comes is positive, what goes back is negative.
        let (kind, amount) = match (cell(self.kind), amount.amount) {
            ("交易", 0..) => (LineKind::Payment, amount.amount),
            ("退款", ..=0) => (LineKind::Refund, amount.amount.saturating_neg()),
            ("交易" | "退款", _) => return Err(wrong("订单金额", self.amount)),
            _ => return Err(wrong("业务类型", self.kind)),
        };
        let is_refund = kind == LineKind::Refund;
        // Alipay gives refunds no number of its own; ours stands for both.
        let out_refund_no = self.out_request_no.filter(|_| is_refund).and_then(text);
        let fee = match self.fee.filter(|&index| !cell(index).is_empty()) {
            Some(index) => Some(fee(cell(index)).ok_or_else(|| wrong("服务费", index))?),
            None => None,
        };
        Ok(BillLine {
            line,
            kind,
            out_trade_no: text(self.out_trade_no),
            transaction_id: text(self.trade_no),
            refund_id: out_refund_no.clone(),
            out_refund_no,
            amount: Money::fen(amount),
            fee,
            status: LineStatus::Succeeded,
            at: read_time(cell(self.at)).ok_or_else(|| wrong("完成时间", self.at))?,
        })
    }
}

/// The fee in hundred-thousandths of a yuan; what we pay stands in the bill as negative.
fn fee(text: &str) -> Option<i64> {
    let fee = Money::from_decimal(text, Currency::CNY).ok()?;
    fee.amount.checked_neg()?.checked_mul(1000)
}

/// A column's name without its unit.
fn column_name(name: &str) -> &str {
    let name = name.trim().trim_start_matches('\u{feff}');
    name.strip_suffix("（元）")
        .or_else(|| name.strip_suffix("(元)"))
        .unwrap_or(name)
}

/// What stands under the lines.
#[derive(Debug, Clone, Copy, Default)]
struct Footer {
    payments: u64,
    refunds: u64,
    paid: i64,
    refunded: i64,
}

impl Footer {
    fn plus(self, other: Self) -> Self {
        Self {
            payments: self.payments.saturating_add(other.payments),
            refunds: self.refunds.saturating_add(other.refunds),
            paid: self.paid.saturating_add(other.paid),
            refunded: self.refunded.saturating_add(other.refunded),
        }
    }
}

impl From<Footer> for BillTotals {
    fn from(footer: Footer) -> Self {
        Self {
            count: footer.payments.saturating_add(footer.refunds),
            paid: Money::fen(footer.paid),
            refunded: Money::fen(footer.refunded),
        }
    }
}

/// Reads `：6笔，商家实收共0.06元，商家优惠共0.00元`, and the same of refunds, whose amounts are
/// negative: how many, and what they come to. What the merchant got and what its coupons paid are
/// together what the lines have as the order's amount.
fn read_sum(text: &str) -> Option<(u64, i64)> {
    let text = text.trim_start_matches(['：', ':']);
    let (count, rest) = text.split_once('笔')?;
    let mut sum = 0_i64;
    for part in rest
        .split(['，', ','])
        .filter(|part| !part.trim().is_empty())
    {
        let (_, amount) = part.split_once('共')?;
        let amount = Yuan(amount.trim().strip_suffix('元')?.to_owned());
        sum = sum.checked_add(amount.money().ok()?.amount.checked_abs()?)?;
    }
    Some((count.trim().parse().ok()?, sum))
}

/// How many payments the table of sums states in its last line, `合计`. Refunds are not compared:
/// no source says whether several of one order count as one there.
fn read_summary(file: &str) -> Option<u64> {
    let mut rows = file
        .lines()
        .filter(|row| !row.trim_start().starts_with('#'));
    let names = cells(rows.find(|row| row.contains("交易订单总笔数"))?).ok()?;
    let payments = names.iter().position(|name| name == "交易订单总笔数")?;
    let totals = cells(rows.find(|row| row.trim_start().starts_with("合计"))?).ok()?;
    totals.get(payments)?.parse().ok()
}
