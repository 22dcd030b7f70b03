//! Trade bills, as WeChat writes them (WeChat Pay API v3, bills).

use super::refusal::Refusal;
use super::{Api, GATEWAY, payments};
use crate::SandboxError;
use crate::bills::{DayBill, Line, moment};
use crate::book::Refund;
use crate::control::views::RefundStatus;
use crate::counterparty::BEIJING;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::hmac;
use connectors::wechat_pay::wire::BillAnswer;
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use domain::{Currency, Money, Ts};
use jiff::civil::{Date, time};
use serde::Deserialize;

/// So long is the address of a bill good.
const GOOD_SECONDS: i64 = 300;
/// So far back are there bills.
const MAX_DAYS: i32 = 92;
const COLUMNS: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,\
    用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,\
    退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,\
    申请退款金额,费率备注";
const SUM_COLUMNS: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,\
    订单总金额,申请退款总金额";

/// Which bill a merchant asks for.
#[derive(Deserialize)]
pub(super) struct Wanted {
    bill_date: String,
    /// `ALL` unless given; the other ones are not played.
    bill_type: Option<String>,
    tar_type: Option<String>,
}

/// The query of a bill's address.
#[derive(Deserialize)]
pub(super) struct Download {
    token: String,
}

impl Api {
    /// Where the bill is, and its digest.
    pub(super) fn trade_bill(&self, wanted: &Wanted, base: &str) -> Result<BillAnswer, Refusal> {
        let now = self.sandbox.now();
        if wanted
            .bill_type
            .as_deref()
            .is_some_and(|kind| kind != "ALL")
        {
            return Err(Refusal::param("the sandbox writes bill_type ALL only"));
        }
        if wanted.tar_type.is_some() {
            return Err(Refusal::param("the sandbox writes plain bills only"));
        }
        let day: Date = wanted
            .bill_date
            .parse()
            .map_err(|_| Refusal::param("bill_date must be yyyy-MM-dd"))?;
        let today = BEIJING.to_datetime(now.into()).date();
        let age = (today - day).get_days();
        if age > MAX_DAYS {
            return Err(Refusal::param("bill_date is more than three months ago"));
        }
        if now < ready_at(day, 10) {
            return Err(Refusal::new(400, "STATEMENT_CREATING", "账单生成中"));
        }
        let bill = self.bill_of(day)?;
        if bill.lines.is_empty() {
            let message = "请求的账单文件不存在";
            return Err(Refusal::new(400, "NO_STATEMENT_EXIST", message));
        }
        let text = self.written(&bill);
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        Ok(BillAnswer {
            hash_type: "SHA1".to_owned(),
            hash_value: hexadecimal(digest.as_ref()),
            download_url: format!("{base}/v3/billdownload/file?token={}", self.token(day, now)),
        })
    }

    /// The bill that a token stands for, while it is good.
    pub(super) fn download(&self, download: &Download) -> Result<String, Refusal> {
        let gone = || Refusal::new(400, "PARAM_ERROR", "the token is not good (any more)");
        let mut parts = download.token.splitn(3, '.');
        let (day, issued) = (parts.next(), parts.next());
        let day: Date = day.and_then(|day| day.parse().ok()).ok_or_else(gone)?;
        let issued: i64 = issued.and_then(|at| at.parse().ok()).ok_or_else(gone)?;
        let issued = Ts::from_micros(issued.saturating_mul(1_000_000));
        let expected = self.token(day, issued);
        verify_slices_are_equal(expected.as_bytes(), download.token.as_bytes())
            .map_err(|_| gone())?;
        if self.sandbox.now().since(issued).as_seconds() > GOOD_SECONDS {
            return Err(gone());
        }
        Ok(self.written(&self.bill_of(day)?))
    }

    fn bill_of(&self, day: Date) -> Result<DayBill, SandboxError> {
        let counterparty = self.sandbox.counterparty(GATEWAY)?;
        Ok(self.sandbox.bill_lines(counterparty, day))
    }

    /// Nothing is kept: the token says what it is for and proves that it was given.
    fn token(&self, day: Date, issued: Ts) -> String {
        let claim = format!("{day}.{}", issued.unix_seconds());
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.keys.file.api_v3_key.as_bytes());
        let proof = hmac::sign(&key, claim.as_bytes());
        format!("{claim}.{}", hexadecimal(proof.as_ref()))
    }

    fn written(&self, bill: &DayBill) -> String {
        let mut text = format!("\u{feff}{COLUMNS}\r\n");
        let mut fees = 0_i64;
        for line in &bill.lines {
            fees = fees.saturating_add(line.bill.fee.unwrap_or_default());
            text.push_str(&row(&self.fields(line)));
        }
        let totals = bill.totals();
        let (paid, refunded) = (totals.paid.to_decimal(), totals.refunded.to_decimal());
        let nothing = Money::zero(Currency::CNY).to_decimal();
        text.push_str(SUM_COLUMNS);
        text.push_str("\r\n");
        text.push_str(&row(&[
            totals.count.to_string(),
            paid.clone(),
            refunded.clone(),
            nothing,
            fee_text(fees),
            paid,
            refunded,
        ]));
        text
    }

    /// The fields of a line, in the order of [`COLUMNS`].
    fn fields(&self, line: &Line) -> Vec<String> {
        let BillLine { kind, .. } = line.bill;
        let payment = line.payment.as_ref();
        let amount = line.bill.amount.to_decimal();
        let nothing = Money::zero(line.bill.amount.currency).to_decimal();
        let number = |number: &Option<String>| number.clone().unwrap_or_default();
        let none = || "0".to_owned();
        let (state, paid, refunded) = match kind {
            LineKind::Payment => ("SUCCESS", amount, nothing.clone()),
            LineKind::Refund => ("REFUND", nothing.clone(), amount),
        };
        let [refund_id, out_refund_no, channel, status] = match kind {
            LineKind::Payment => [none(), none(), String::new(), String::new()],
            LineKind::Refund => [
                number(&line.bill.refund_id),
                number(&line.bill.out_refund_no),
                "ORIGINAL".to_owned(),
                status_name(line.bill.status).to_owned(),
            ],
        };
        vec![
            beijing_second(line.bill.at),
            self.keys.file.appid.clone(),
            self.keys.file.mchid.clone(),
            none(),
            String::new(),
            number(&line.bill.transaction_id),
            number(&line.bill.out_trade_no),
            payment
                .and_then(|payment| payment.payer.clone())
                .unwrap_or_else(|| "oSandboxPayer".to_owned()),
            payment.map_or("JSAPI".to_owned(), |payment| {
                payments::trade_type(payment.method)
            }),
            state.to_owned(),
            "OTHERS".to_owned(),
            line.bill.amount.currency.to_string(),
            paid.clone(),
            nothing.clone(),
            refund_id,
            out_refund_no,
            refunded.clone(),
            nothing,
            channel,
            status,
            payment.map_or_else(String::new, |payment| payment.description.clone()),
            payment
                .and_then(|payment| payment.extra["attach"].as_str())
                .unwrap_or_default()
                .to_owned(),
            fee_text(line.bill.fee.unwrap_or_default()),
            "0.60%".to_owned(),
            paid,
            refunded,
            String::new(),
        ]
    }
}

/// How a refund stands on the bill of the day on which it was accepted. The bill is made at 9:00
/// of the next day, and what happens later is not in it.
pub(super) fn status(refund: &Refund) -> LineStatus {
    let day = BEIJING.to_datetime(refund.created_at.into()).date();
    match refund.status {
        RefundStatus::Success if refund.success_at.is_some_and(|at| at <= ready_at(day, 9)) => {
            LineStatus::Succeeded
        }
        RefundStatus::Success | RefundStatus::Processing => LineStatus::Processing,
        RefundStatus::Failed | RefundStatus::Abnormal | RefundStatus::Closed => LineStatus::Failed,
    }
}

/// `退款状态`.
const fn status_name(status: LineStatus) -> &'static str {
    match status {
        LineStatus::Succeeded => "SUCCESS",
        LineStatus::Processing => "PROCESSING",
        LineStatus::Failed => "FAIL",
    }
}

/// An hour of the day after.
fn ready_at(day: Date, hour: i8) -> Ts {
    let next = day.tomorrow().unwrap_or(Date::MAX);
    moment(next, time(hour, 0, 0, 0), BEIJING)
}

/// Each field behind a back-tick, so that a spreadsheet leaves it alone.
fn row(fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| format!("`{field}")).collect();
    format!("{}\r\n", fields.join(","))
}

fn beijing_second(at: Ts) -> String {
    let local = BEIJING.to_datetime(at.into());
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Five decimals.
fn fee_text(fee: i64) -> String {
    let sign = if fee < 0 { "-" } else { "" };
    let fee = fee.unsigned_abs();
    format!("{sign}{}.{:05}", fee / 100_000, fee % 100_000)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
