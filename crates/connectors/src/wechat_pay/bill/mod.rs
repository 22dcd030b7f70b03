//! The trade bill of a day: asked for, fetched, checked and read (WeChat Pay API v3, bills).

mod read;
#[cfg(test)]
mod tests;

pub use read::{BillError, read_bill};

use super::WechatPay;
use super::errors::{GATEWAY, is_refusal};
use super::wire::BillAnswer;
use crate::gateway::{Bill, GatewayError, Operation};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use domain::Ts;
use jiff::civil::{Date, time};
use jiff::tz::Offset;
use reqwest::Url;

/// Every time in a bill is Beijing's.
const BEIJING: Offset = Offset::constant(8);
const OPERATION: Operation = Operation::Bill;

impl WechatPay {
    /// The bill of a day, all payments and refunds. WeChat makes it from 9:00 of the next day on
    /// and wants to be asked after 10:00.
    pub(super) async fn fetch_bill(&self, day: Date, now: Ts) -> Result<Bill, GatewayError> {
        if now < ready_at(day) {
            let reason = format!("the bill of {day} is made the next day, until 10:00 in Beijing");
            return Err(OPERATION.unavailable(GATEWAY, reason));
        }
        let path = format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL");
        let answer: BillAnswer = match self.get(OPERATION, &path, now).await {
            // A day without business has no bill.
            Err(error) if is_refusal(&error, "NO_STATEMENT_EXIST") => return Ok(nothing()),
            answer => answer?,
        };
        let unusable = |reason: String| OPERATION.unanswered(GATEWAY, reason);
        let url = self.download_url(&answer.download_url).map_err(unusable)?;
        let raw = self.download(OPERATION, url, now).await?;
        check_digest(&answer, &raw).map_err(unusable)?;
        let (lines, totals) = read_bill(&raw).map_err(|error| unusable(error.to_string()))?;
        Ok(Bill { lines, totals, raw })
    }

    /// The address came with a verified answer, but our signature goes there: only to WeChat.
    fn download_url(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|reason| format!("download_url: {reason}"))?;
        let base = Url::parse(&self.config.base_url)
            .map_err(|reason| format!("WeChat Pay's address: {reason}"))?;
        let is_wechat = url.scheme() == "https"
            && url
                .host_str()
                .is_some_and(|host| host.ends_with(".mch.weixin.qq.com"));
        if is_wechat || url.origin() == base.origin() {
            Ok(url)
        } else {
            Err(format!(
                "download_url leads elsewhere: {}",
                url.origin().ascii_serialization()
            ))
        }
    }
}

/// When the bill of a day can be asked for.
fn ready_at(day: Date) -> Ts {
    let next = day.tomorrow().unwrap_or(Date::MAX);
    let ready = BEIJING.to_timestamp(next.to_datetime(time(10, 0, 0, 0)));
    ready.map_or(Ts::from_micros(i64::MAX), Ts::from)
}

fn nothing() -> Bill {
    Bill {
        lines: Vec::new(),
        totals: None,
        raw: Vec::new(),
    }
}

/// The file itself is not signed: the signed answer holds its digest.
fn check_digest(answer: &BillAnswer, raw: &[u8]) -> Result<(), String> {
    if answer.hash_type != "SHA1" {
        return Err(format!("hash_type `{}` is not SHA1", answer.hash_type));
    }
    let found = digest(&SHA1_FOR_LEGACY_USE_ONLY, raw);
    let found: String = found
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let told = answer.hash_value.to_ascii_lowercase();
    verify_slices_are_equal(found.as_bytes(), told.as_bytes())
        .map_err(|_| format!("the bill's SHA-1 is {found}, told was {told}"))
}
