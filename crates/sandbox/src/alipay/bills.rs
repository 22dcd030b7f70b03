//! The bill of a day: an address that is good for half a minute, and the archive behind it.

use super::refusal::Refusal;
use super::{Alipay, Api};
use crate::SandboxError;
use crate::bills::DayBill;
use crate::counterparty::BEIJING;
use crate::keys::unusable;
use aws_lc_rs::hmac;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use connectors::alipay::bill::{
    DETAIL_COLUMNS, DETAIL_END, DETAIL_START, SUMMARY_COLUMNS, SUMMARY_END, SUMMARY_START,
};
use connectors::alipay::form;
use connectors::alipay::signature::Parameters;
use connectors::alipay::wire::{BillAddress, BillRequest, beijing_time};
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use domain::{Money, Span, Ts};
use encoding_rs::GBK;
use jiff::civil::Date;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Where bills are, on a host of their own in reality.
pub(super) const PATH: &str = "/downloadBillFile.resource";

/// An address is good for so long.
const ADDRESS_LIVES: Span = Span::seconds(30);

/// Bills are made by nine on the next morning, Beijing time.
const MADE_AFTER: Span = Span::hours(9);

/// The keys' merchant as a bill names it: the account and its part.
const PART: &str = "0156";

impl Api {
    /// Where a day's bill is, if it has one.
    pub(super) fn bill_address(
        &self,
        asked: &BillRequest,
        host: &str,
    ) -> Result<BillAddress, Refusal> {
        let invalid = || Refusal::business("isv.invalid_arguments", "入参不合法");
        let missing = || Refusal::business("isp.bill_not_exist", "账单不存在");
        let day: Date = asked.bill_date.parse().map_err(|_| invalid())?;
        let now = self.sandbox.now();
        let end = end_of(day).ok_or_else(invalid)?;
        if asked.bill_type != "trade" || now < end {
            return Err(invalid());
        }
        let bill = self.day_bill(day);
        if now < end + MADE_AFTER || bill.lines.is_empty() {
            return Err(missing());
        }
        let until = (now + ADDRESS_LIVES).unix_seconds().to_string();
        let query: Parameters = [
            ("bizType", "trade"),
            ("fileType", "csv.zip"),
            ("bizDates", &day.to_string()),
            ("timestamp", &until),
            ("token", &self.token(day, &until)),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        Ok(BillAddress {
            bill_download_url: format!("http://{host}{PATH}?{}", form::encode(&query)),
        })
    }

    fn day_bill(&self, day: Date) -> DayBill {
        let keys = self.keys.clone();
        self.sandbox.bill_lines(&Alipay { keys }, day)
    }

    /// Seals an address.
    fn token(&self, day: Date, until: &str) -> String {
        let tag = hmac::sign(&self.keys.addresses, sealed(day, until).as_bytes());
        let digits = tag.as_ref().iter();
        digits.map(|byte| format!("{byte:02x}")).collect()
    }

    /// The day whose bill an address is of, if it is good.
    fn addressed(&self, query: Option<&str>) -> Option<Date> {
        let query = form::decode(query.unwrap_or_default().as_bytes()).ok()?;
        let day: Date = query.get("bizDates")?.parse().ok()?;
        let until = query.get("timestamp")?;
        let seconds: i64 = until.parse().ok()?;
        let token = query.get("token")?;
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(
            self.token(day, until).as_bytes(),
            token.as_bytes(),
        );
        let is_good = same.is_ok() && self.sandbox.now().unix_seconds() <= seconds;
        is_good.then_some(day)
    }
}

/// The archive itself, unsigned.
pub(super) async fn download(State(api): State<Api>, RawQuery(query): RawQuery) -> Response {
    let Some(day) = api.addressed(query.as_deref()) else {
        return (StatusCode::FORBIDDEN, "the address is over\n").into_response();
    };
    let account = format!("{}{PART}", api.keys.file.seller_id);
    match archive(&api.day_bill(day), &account, day, api.sandbox.now()) {
        Ok(archive) => ([(header::CONTENT_TYPE, "application/zip")], archive).into_response(),
        Err(error) => {
            tracing::error!(%error, "the sandbox could not write a bill");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn sealed(day: Date, until: &str) -> String {
    format!("{day} {until}")
}

/// The first moment after a day.
fn end_of(day: Date) -> Option<Ts> {
    let midnight = BEIJING.to_timestamp(day.tomorrow().ok()?.at(0, 0, 0, 0));
    midnight.ok().map(Ts::from)
}

/// Two tables in GBK, zipped.
fn archive(bill: &DayBill, account: &str, day: Date, now: Ts) -> Result<Vec<u8>, SandboxError> {
    let head = head(account, day);
    let made = format!("#导出时间：[{}]", in_words(&beijing_time(now)));
    let sums = Sums::of(bill);
    let name = format!("{account}_{}", day.strftime("%Y%m%d"));
    let files = [
        (
            format!("{name}_业务明细.csv"),
            format!("#支付宝业务明细查询\n{head}{}{made}\n", detail(bill, &sums)),
        ),
        (
            format!("{name}_业务明细(汇总).csv"),
            format!("#支付宝业务汇总查询\n{head}{}{made}\n", summary(&sums)),
        ),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, text) in files {
        zip.start_file(name, options).map_err(unusable)?;
        zip.write_all(&GBK.encode(&text).0).map_err(unusable)?;
    }
    Ok(zip.finish().map_err(unusable)?.into_inner())
}

/// `2025年11月20日 00:00:00`.
fn in_words(time: &str) -> String {
    let (date, clock) = time.split_once(' ').unwrap_or((time, ""));
    let mut parts = date.splitn(3, '-');
    let mut part = || parts.next().unwrap_or_default();
    format!("{}年{}月{}日 {clock}", part(), part(), part())
}

fn head(account: &str, day: Date) -> String {
    let next = day.tomorrow().unwrap_or(day);
    format!(
        "#账号：[{account}]\n#起始日期：[{}]   终止日期：[{}]\n",
        in_words(&format!("{day} 00:00:00")),
        in_words(&format!("{next} 00:00:00"))
    )
}

/// What a bill states of itself.
struct Sums {
    payments: u64,
    refunds: u64,
    paid: Money,
    refunded: Money,
    /// Fen that the merchant pays.
    fees: i64,
}

impl Sums {
    fn of(bill: &DayBill) -> Self {
        let totals = bill.totals();
        let lines = || shown(bill).map(|(line, _)| line);
        let is_refund = |line: &&BillLine| line.kind == LineKind::Refund;
        let count = |lines: usize| u64::try_from(lines).unwrap_or(u64::MAX);
        let refunds = count(lines().filter(is_refund).count());
        let left_out = count(bill.lines.len() - lines().count());
        Self {
            payments: totals
                .count
                .saturating_sub(refunds)
                .saturating_sub(left_out),
            refunds,
            paid: totals.paid,
            refunded: totals.refunded,
            fees: lines()
                .filter_map(|line| line.fee)
                .map(|fee| fee / 1000)
                .sum(),
        }
    }
}

/// The lines that Alipay has words for, with what was paid for: its bill knows no money that did
/// not move.
fn shown(bill: &DayBill) -> impl Iterator<Item = (&BillLine, &str)> {
    let moved = |line: &&crate::bills::Line| line.bill.status == LineStatus::Succeeded;
    bill.lines.iter().filter(moved).map(|line| {
        let payment = line.payment.as_ref();
        let what = payment.map_or("", |payment| payment.description.as_str());
        (&line.bill, what)
    })
}

fn detail(bill: &DayBill, sums: &Sums) -> String {
    let mut table = format!("{DETAIL_START}\n{}\n", DETAIL_COLUMNS.join(","));
    for (line, what) in shown(bill) {
        table.push_str(&row(line, what));
        table.push('\n');
    }
    let end = format!(
        "{DETAIL_END}\n#交易合计：{}笔，商家实收共{}元，商家优惠共0.00元\n\
         #退款合计：{}笔，商家实收退款共{}元，商家优惠退款共0.00元\n",
        sums.payments,
        sums.paid.to_decimal(),
        sums.refunds,
        negative(sums.refunded).to_decimal(),
    );
    table + &end
}

fn row(line: &BillLine, what: &str) -> String {
    let (kind, amount) = match line.kind {
        LineKind::Payment => ("交易", line.amount),
        LineKind::Refund => ("退款", negative(line.amount)),
    };
    let amount = amount.to_decimal();
    let at = beijing_time(line.at);
    // What we pay stands there as negative.
    let fee = Money::fen(-(line.fee.unwrap_or_default() / 1000)).to_decimal();
    let text = |text: &Option<String>| format!("{}\t", text.as_deref().unwrap_or_default());
    let mut cells = vec![text(&line.transaction_id), text(&line.out_trade_no)];
    cells.extend([kind.to_owned() + "\t", what.to_owned(), at.clone(), at]);
    cells.extend(["\t", "\t", "\t", "\t", "*箱(san***@example.com)"].map(str::to_owned));
    cells.extend([amount.clone(), amount]);
    cells.extend(["0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00\t", "0.00"].map(str::to_owned));
    cells.extend([
        text(&line.out_refund_no),
        fee,
        "0.00".to_owned(),
        what.to_owned(),
    ]);
    cells.join(",")
}

fn summary(sums: &Sums) -> String {
    let net = sums.paid.amount - sums.refunded.amount;
    let (amount, fees) = (
        Money::fen(net).to_decimal(),
        Money::fen(-sums.fees).to_decimal(),
    );
    format!(
        "{SUMMARY_START}\n{}\n合计\t,\t,{},{},{amount},{amount},0.00,0.00,0.00,{fees},0.00,{}\n\
         {SUMMARY_END}\n",
        SUMMARY_COLUMNS.join(","),
        sums.payments,
        sums.refunds,
        Money::fen(net - sums.fees).to_decimal()
    )
}

fn negative(money: Money) -> Money {
    Money::new(-money.amount, money.currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_in_words() {
        assert_eq!(in_words("2025-11-20 05:46:49"), "2025年11月20日 05:46:49");
    }
}
