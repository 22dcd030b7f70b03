//! UnionPay's settlement file (对账文件): a zip with a file of transactions, `INN<YYMMDD>88ZM_<merId>`,
//! and one of disputes, `...ZME_...`, which is not read here.
//!
//! A line has 42 fields of fixed width with one separator between them, in GBK where it is not
//! ASCII. The widths are those of the parser in UnionPay's own samples; the fields' names are from
//! public copies of "全渠道平台接入接口规范 第3部分 文件接口". Before going live, compare with the
//! edition of that document that the contract names, and with one real file.

use super::time::{beijing_hour, read_trace_time};
use super::wire::{out_refund_no, read_fen};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use domain::{Currency, Money};
use flate2::read::ZlibDecoder;
use jiff::civil::Date;
use std::io::{Cursor, Read};
use thiserror::Error;
use zip::ZipArchive;

/// The widths of a line's fields, in bytes.
pub const WIDTHS: [usize; 42] = [
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21,
    15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
];

/// Field: the kind of transaction in letters (交易代码), such as `S22`.
pub const CODE: usize = 0;
/// Field: UnionPay's trace number (系统跟踪号).
pub const TRACE_NO: usize = 3;
/// Field: when, `MMDDhhmmss` (交易传输时间).
pub const TRACE_TIME: usize = 4;
/// Field: fen, 12 digits (交易金额).
pub const AMOUNT: usize = 6;
/// Field: UnionPay's number of the transaction (查询流水号).
pub const QUERY_ID: usize = 9;
/// Field: the merchant's number (商户订单号).
pub const ORDER_ID: usize = 11;
/// Field: UnionPay's fee, `C` or `D` and 12 digits of fen (商户手续费).
pub const FEE: usize = 15;
/// Field: what is settled, `C` or `D` and 12 digits of fen (结算金额).
pub const SETTLED: usize = 16;
/// Field: txnType (交易类型).
pub const TXN_TYPE: usize = 19;
/// Field: txnSubType (交易子类).
pub const TXN_SUB_TYPE: usize = 20;
/// Field: bizType (业务类型).
pub const BIZ_TYPE: usize = 21;
/// Field: of a refund, UnionPay's number of the payment (原交易查询流水号).
pub const ORIG_QUERY_ID: usize = 26;
/// Field: the merchant (商户代码).
pub const MER_ID: usize = 27;
/// Field: of a refund, the merchant's number of the payment (原始交易订单号). Earlier editions have
/// nothing here.
pub const ORIG_ORDER_ID: usize = 40;

/// A day's file may be large; more than this, unpacked, is refused.
pub const MAX_BYTES: usize = 256 << 20;
/// A zip has the two files of transactions and disputes, and perhaps a few more.
const MAX_FILES: usize = 64;

/// Why a settlement file can't be read.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum SettlementError {
    /// Not Base64.
    #[error("fileContent is not Base64")]
    NotBase64,
    /// Not what deflate made.
    #[error("fileContent can't be inflated: {0}")]
    NotDeflated(String),
    /// Not a zip.
    #[error("the file is no zip: {0}")]
    NotZip(String),
    /// Too large.
    #[error("the file has more than {MAX_BYTES} bytes unpacked, or more than {MAX_FILES} parts")]
    TooLarge,
    /// Nothing of what we came for.
    #[error("the zip has no file of transactions (ZM_) among its {0}")]
    NoTransactions(usize),
    /// It is another day's.
    #[error("the file `{name}` is not of {day}")]
    OtherDay {
        /// Its name.
        name: String,
        /// The day that was asked for.
        day: Date,
    },
    /// A line that is not of the layout.
    #[error("line {line}: {reason}")]
    Line {
        /// Its number, from 1.
        line: u32,
        /// What is wrong.
        reason: String,
    },
}

/// The zip inside an answer's `fileContent`: Base64 around zlib around the zip.
pub fn unpack(file_content: &str) -> Result<Vec<u8>, SettlementError> {
    let packed: Vec<u8> = file_content
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let packed = STANDARD
        .decode(packed)
        .map_err(|_| SettlementError::NotBase64)?;
    read_at_most(ZlibDecoder::new(packed.as_slice()), MAX_BYTES)
        .map_err(|error| SettlementError::NotDeflated(error.to_string()))?
        .ok_or(SettlementError::TooLarge)
}

/// The transactions of a day in a zip, in the file's order. Files of disputes are passed over.
pub fn read_zip(zip: &[u8], day: Date, mer_id: &str) -> Result<Vec<BillLine>, SettlementError> {
    let not_zip = |error: &dyn std::fmt::Display| SettlementError::NotZip(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|error| not_zip(&error))?;
    if archive.len() > MAX_FILES {
        return Err(SettlementError::TooLarge);
    }
    let (mut lines, mut left, mut found) = (Vec::new(), MAX_BYTES, false);
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|error| not_zip(&error))?;
        let name = file.name().map_err(|error| not_zip(&error))?.into_owned();
        if !name.contains("ZM_") {
            continue;
        }
        found = true;
        check_day(&name, day)?;
        let text = read_at_most(file, left)
            .map_err(|error| not_zip(&error))?
            .ok_or(SettlementError::TooLarge)?;
        left -= text.len();
        let first = u32::try_from(lines.len()).map_err(|_| SettlementError::TooLarge)? + 1;
        lines.append(&mut read_lines(&text, first, day, mer_id)?);
    }
    if found {
        Ok(lines)
    } else {
        Err(SettlementError::NoTransactions(archive.len()))
    }
}

/// The transactions in a file. Lines are numbered from `first` on.
pub fn read_lines(
    file: &[u8],
    first: u32,
    day: Date,
    mer_id: &str,
) -> Result<Vec<BillLine>, SettlementError> {
    let lines = file
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty());
    let mut read = Vec::new();
    for (index, bytes) in lines.enumerate() {
        let line = u32::try_from(index)
            .ok()
            .and_then(|index| first.checked_add(index))
            .ok_or(SettlementError::TooLarge)?;
        let one = read_line(bytes, line, day, mer_id);
        read.push(one.map_err(|reason| SettlementError::Line { line, reason })?);
    }
    Ok(read)
}

/// settleDate has no year, so a file's name must show that it is of the year that was meant:
/// `INN` and `YYMMDD`. A name of another form shows nothing, and is let through.
fn check_day(name: &str, day: Date) -> Result<(), SettlementError> {
    let Some((_, rest)) = name.split_once("INN") else {
        return Ok(());
    };
    let date: String = rest.chars().take(6).collect();
    let is_date = date.len() == 6 && date.bytes().all(|byte| byte.is_ascii_digit());
    if is_date && date != day.strftime("%y%m%d").to_string() {
        let name = name.chars().take(80).collect();
        return Err(SettlementError::OtherDay { name, day });
    }
    Ok(())
}

fn read_line(bytes: &[u8], line: u32, day: Date, mer_id: &str) -> Result<BillLine, String> {
    let fields = cut(bytes)?;
    let text = |index: usize| {
        let bytes = fields.get(index).copied().unwrap_or_default();
        std::str::from_utf8(bytes)
            .map(str::trim)
            .map_err(|_| format!("field {index} is not ASCII"))
    };
    let some = |index: usize| text(index).map(|text| (!text.is_empty()).then(|| text.to_owned()));
    let owner = text(MER_ID)?;
    if owner != mer_id {
        return Err(format!("merId `{owner}` is not ours, `{mer_id}`"));
    }
    let fen = read_fen(text(AMOUNT)?).ok_or("the amount is not 12 digits of fen")?;
    let noon = beijing_hour(day, 12).ok_or("the day is beyond all calendars")?;
    let at = read_trace_time(text(TRACE_TIME)?, noon).ok_or("the time is no MMDDhhmmss")?;
    let line_of = |kind| BillLine {
        line,
        kind,
        out_trade_no: None,
        transaction_id: None,
        out_refund_no: None,
        refund_id: None,
        amount: Money::new(fen, Currency::CNY),
        fee: None,
        // Only what UnionPay settles is in the file.
        status: LineStatus::Succeeded,
        at,
    };
    let fee = fee(text(FEE)?)?;
    match text(TXN_TYPE)? {
        "01" => Ok(BillLine {
            out_trade_no: some(ORDER_ID)?,
            transaction_id: some(QUERY_ID)?,
            fee,
            ..line_of(LineKind::Payment)
        }),
        // 31 is the cancellation of a purchase on its own day, which an operator may do at
        // UnionPay: money that goes back, like a refund.
        "04" | "31" => Ok(BillLine {
            out_trade_no: some(ORIG_ORDER_ID)?,
            transaction_id: some(ORIG_QUERY_ID)?,
            out_refund_no: out_refund_no(text(ORDER_ID)?),
            refund_id: some(QUERY_ID)?,
            fee,
            ..line_of(LineKind::Refund)
        }),
        other => Err(format!("txnType `{other}` is not known here")),
    }
}

/// A line's fields. Those at the end may be missing, up to the merchant's number.
fn cut(line: &[u8]) -> Result<Vec<&[u8]>, String> {
    let mut fields = Vec::with_capacity(WIDTHS.len());
    let mut rest = line;
    for width in WIDTHS {
        let Some((field, after)) = rest.split_at_checked(width) else {
            fields.push(rest);
            break;
        };
        fields.push(field);
        match after.split_first() {
            None => break,
            Some((b' ' | b'|', after)) => rest = after,
            Some((other, _)) => {
                let number = fields.len();
                return Err(format!(
                    "byte {other:#04x} stands between fields {number} and {}, not a blank",
                    number + 1
                ));
            }
        }
    }
    if fields
        .get(MER_ID)
        .is_none_or(|field| field.len() < WIDTHS[MER_ID])
    {
        return Err(format!("it ends after {} fields", fields.len()));
    }
    Ok(fields)
}

/// `D` and 12 digits is what the merchant pays, `C` what it gets back; nothing where it is blank.
/// In hundred-thousandths of a yuan.
fn fee(text: &str) -> Result<Option<i64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || format!("the fee `{text}` is not C or D and 12 digits of fen");
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("D", digits)) => (1, digits),
        Some(("C", digits)) => (-1, digits),
        // Without a direction only nothing is plain.
        Some(_) if text.bytes().all(|byte| byte == b'0') => (1, "0"),
        Some(_) | None => return Err(wrong()),
    };
    let fen = read_fen(digits).ok_or_else(wrong)?;
    Ok(Some(sign * fen * 1000))
}

/// Everything, or nothing if that is more than so many bytes.
fn read_at_most(from: impl Read, limit: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let limit_and_one = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    from.take(limit_and_one).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= limit).then_some(bytes))
}
