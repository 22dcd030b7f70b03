//! The settlement file of a day: what was settled, in lines of fixed width, zipped, deflated, in
//! Base64.

use super::answers::{Code, code, malformed};
use super::api::Told;
use super::queries::trace_time;
use super::{Api, GATEWAY, trace_no};
use crate::SandboxError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connectors::unionpay::fields::Fields;
use connectors::unionpay::settlement_file::{
    AMOUNT, BIZ_TYPE, CODE, FEE, MER_ID, ORDER_ID, ORIG_ORDER_ID, ORIG_QUERY_ID, QUERY_ID, SETTLED,
    TRACE_NO, TRACE_TIME, TXN_SUB_TYPE, TXN_TYPE, WIDTHS,
};
use connectors::unionpay::time::{SETTLEMENT_DAYS, beijing_hour, month_day};
use connectors::unionpay::wire::refund_order_id;
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use jiff::civil::Date;
use std::io::{Cursor, Write};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Files are made at nine in the morning after.
const MADE_HOUR: i64 = 24 + 9;

impl Api {
    /// Answers with the file of the day that settleDate means.
    pub(super) fn settlement_file(&self, request: &Fields) -> Told {
        for (name, expected) in [("txnType", "76"), ("txnSubType", "01"), ("fileType", "00")] {
            if request.get(name) != Some(expected) {
                return Err(malformed(format!("{name} must be {expected}")));
            }
        }
        let day = self.day(request.required("settleDate").map_err(malformed)?)?;
        let is_made = beijing_hour(day, MADE_HOUR).is_some_and(|at| self.sandbox.now() >= at);
        let counterparty = self.sandbox.counterparty(GATEWAY)?;
        let lines: Vec<String> = self
            .sandbox
            .bill_lines(counterparty, day)
            .lines
            .iter()
            // Only what is settled is in the file.
            .filter(|line| line.bill.status == LineStatus::Succeeded)
            .map(|line| self.line(&line.bill))
            .collect();
        // Of a day without business there is no file.
        if !is_made || lines.is_empty() {
            return Err(code("98", "文件不存在"));
        }
        let mer_id = &self.keys.file.mer_id;
        let name = |kind| format!("INN{}88{kind}_{mer_id}", day.strftime("%y%m%d"));
        let content = packed(&[(name("ZM"), lines.concat()), (name("ZME"), String::new())])
            .map_err(|reason| Code::from(SandboxError::Notice(reason.to_string())))?;
        Ok(Fields::default()
            .with("settleDate", month_day(day))
            .with("fileType", "00")
            .with(
                "fileName",
                format!("{mer_id}_{}.zip", day.strftime("%Y%m%d")),
            )
            .with("fileContent", content))
    }

    /// The last day of this name that has begun.
    fn day(&self, month_and_day: &str) -> Result<Date, Code> {
        let today = SETTLEMENT_DAYS
            .to_datetime(self.sandbox.now().into())
            .date();
        let (month, day) = month_and_day
            .split_at_checked(2)
            .and_then(|(month, day)| Some((month.parse().ok()?, day.parse().ok()?)))
            .ok_or_else(|| malformed("settleDate must be MMDD"))?;
        [today.year(), today.year() - 1]
            .into_iter()
            .filter_map(|year| Date::new(year, month, day).ok())
            .find(|date| *date <= today)
            .ok_or_else(|| malformed("settleDate is no day"))
    }

    fn line(&self, bill: &BillLine) -> String {
        let mut fields = [const { String::new() }; WIDTHS.len()];
        let fen = bill.amount.amount;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        // Fees are in hundred-thousandths of a yuan, and the file's in fen.
        let fee = bill.fee.unwrap_or_default() / 1000;
        let (code, txn_type, sub_type) = match bill.kind {
            LineKind::Payment => ("S22", "01", "01"),
            LineKind::Refund => ("S30", "04", "00"),
        };
        let settled = match bill.kind {
            LineKind::Payment => fen - fee,
            LineKind::Refund => -fen - fee,
        };
        let query_id = match bill.kind {
            LineKind::Payment => text(&bill.transaction_id),
            LineKind::Refund => text(&bill.refund_id),
        };
        fields[CODE] = code.to_owned();
        fields[TRACE_NO] = trace_no(&query_id).to_owned();
        fields[TRACE_TIME] = trace_time(bill.at);
        fields[AMOUNT] = format!("{fen:012}");
        fields[QUERY_ID] = query_id;
        // What the merchant pays is its debit.
        fields[FEE] = directed(-fee);
        fields[SETTLED] = directed(settled);
        fields[TXN_TYPE] = txn_type.to_owned();
        fields[TXN_SUB_TYPE] = sub_type.to_owned();
        fields[BIZ_TYPE] = "000201".to_owned();
        fields[MER_ID] = self.keys.file.mer_id.clone();
        match bill.kind {
            LineKind::Payment => fields[ORDER_ID] = text(&bill.out_trade_no),
            LineKind::Refund => {
                let number = text(&bill.out_refund_no);
                fields[ORDER_ID] = refund_order_id(&number).unwrap_or(&number).to_owned();
                fields[ORIG_QUERY_ID] = text(&bill.transaction_id);
                fields[ORIG_ORDER_ID] = text(&bill.out_trade_no);
            }
        }
        let fields: Vec<String> = WIDTHS
            .iter()
            .zip(&fields)
            .map(|(width, text)| format!("{text:<width$.width$}", width = *width))
            .collect();
        format!("{}\r\n", fields.join(" "))
    }
}

/// `C` is the merchant's credit, `D` its debit; 12 digits of fen.
fn directed(fen: i64) -> String {
    let sign = if fen < 0 { 'D' } else { 'C' };
    format!("{sign}{:012}", fen.unsigned_abs())
}

fn packed(files: &[(String, String)]) -> std::io::Result<String> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default())?;
        zip.write_all(text.as_bytes())?;
    }
    let zip = zip.finish()?.into_inner();
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(&zip)?;
    Ok(STANDARD.encode(deflated.finish()?))
}
