//! The bill of a day: an address to ask for, a zip archive behind it, and two tables in GBK in
//! there, one with a line for each payment and refund, one with the sums.
//!
//! The archive is not signed. Its address is, so it is believed as far as its host is.

mod archive;
mod detail;
mod table;
#[cfg(test)]
mod tests;

pub use archive::{ArchiveError, MAX_ENTRIES, unpack};
pub use detail::{
    BillError, Contents, DETAIL_COLUMNS, DETAIL_END, DETAIL_START, SUMMARY_COLUMNS, SUMMARY_END,
    SUMMARY_START, read,
};
pub use table::{TableError, cells};

use super::Alipay;
use super::errors::{GATEWAY, is_refusal, not_an_answer};
use super::wire::{BillAddress, BillRequest};
use crate::gateway::{Bill, GatewayError, Operation};
use crate::http::{MAX_BILL_BYTES, not_sent, read_body};
use domain::{Span, Ts};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use reqwest::Url;
use std::time::Duration;

/// A large bill takes longer than an answer.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(120);

/// So long after the end of its day a bill is made: by nine in the morning, documents say, so that
/// at noon a bill that is not there is one of a day without business.
const MADE_BY: Span = Span::hours(12);

impl Alipay {
    pub(in crate::alipay) async fn fetch_bill(
        &self,
        day: Date,
        now: Ts,
    ) -> Result<Bill, GatewayError> {
        let operation = Operation::Bill;
        let end = end_of(day).ok_or_else(|| {
            operation.refused(GATEWAY, "INVALID_PARAMETER", &format!("{day} has no end"))
        })?;
        if now < end {
            let reason = format!("the bill of {day} is made on the next morning");
            return Err(operation.unavailable(GATEWAY, reason));
        }
        let content = BillRequest {
            bill_type: "trade".to_owned(),
            bill_date: day.to_string(),
        };
        let method = "alipay.data.dataservice.bill.downloadurl.query";
        let address: BillAddress = match self.call(operation, method, &content, now).await {
            // Documents say BILL_NOT_EXIST, the gateway says it in small letters.
            Err(error)
                if is_refusal(&error, "isp.bill_not_exist")
                    || is_refusal(&error, "BILL_NOT_EXIST") =>
            {
                return if now < end + MADE_BY {
                    Err(operation.unavailable(GATEWAY, format!("no bill of {day} yet")))
                } else {
                    Ok(Bill {
                        lines: Vec::new(),
                        totals: None,
                        raw: Vec::new(),
                    })
                };
            }
            answer => answer?,
        };
        let raw = self.download(&address.bill_download_url).await?;
        // Unpacking and reading may take a while: not on a thread that others wait for.
        let task = tokio::task::spawn_blocking(move || {
            let read = open(&raw);
            (raw, read)
        });
        let (raw, read) = task
            .await
            .map_err(|error| operation.unavailable(GATEWAY, error.to_string()))?;
        let (lines, totals) = read.map_err(|reason| {
            operation.unavailable(
                GATEWAY,
                format!("the bill of {day} can't be read: {reason}"),
            )
        })?;
        Ok(Bill { lines, totals, raw })
    }

    async fn download(&self, address: &str) -> Result<Vec<u8>, GatewayError> {
        let operation = Operation::Bill;
        let wrong = |why: &str| {
            operation.unavailable(GATEWAY, format!("the bill's address `{address}` {why}"))
        };
        let mut url = Url::parse(address).map_err(|reason| wrong(&reason.to_string()))?;
        // Documents show http. The same host speaks https, and money is not read from less.
        if self.gateway_url.scheme() == "https" {
            url.set_scheme("https")
                .map_err(|()| wrong("is no web address"))?;
        }
        let request = self.http.get(url).timeout(DOWNLOAD_TIMEOUT);
        let response = request
            .send()
            .await
            .map_err(|error| not_sent(GATEWAY, operation, &error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(not_an_answer(operation, status.as_u16(), "no bill"));
        }
        read_body(GATEWAY, operation, response, MAX_BILL_BYTES).await
    }
}

/// Reads the archive of a bill.
pub fn open(archive: &[u8]) -> Result<Contents, BillError> {
    read(&unpack(archive, MAX_BILL_BYTES)?)
}

/// The first moment after a day in Beijing.
fn end_of(day: Date) -> Option<Ts> {
    let next = day.tomorrow().ok()?;
    let midnight: Timestamp = Offset::constant(8).to_timestamp(next.at(0, 0, 0, 0)).ok()?;
    Some(midnight.into())
}
