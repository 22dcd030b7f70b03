//! A day's bill, from PayPal's Transaction Search, page by page.

use super::PayPal;
use super::client::Request;
use super::errors::{GATEWAY, refusal};
use super::report::Page;
use super::wire::utc_time;
use crate::gateway::{Bill, GatewayError, Operation};
use crate::http::MAX_BILL_BYTES;
use domain::reconciliation::BillLine;
use domain::{Span, Ts};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reqwest::Method;

/// PayPal gives no more on a page.
const PAGE_SIZE: u32 = 500;
/// PayPal gives no more than 10,000 lines for one span of time, which is 20 full pages.
const MAX_PAGES: u32 = 20;
/// 500 lines of about two kilobytes, with room.
const MAX_PAGE_BYTES: usize = 8 << 20;
/// Half a million lines; more is not a day of ours.
const MAX_REQUESTS: u32 = 1_000;
/// A second with more lines than fit is not PayPal's hospital business.
const SHORTEST: Span = Span::seconds(1);

/// A span of time to be asked for: both ends belong to it, in whole seconds.
#[derive(Clone, Copy)]
struct Window {
    from: Ts,
    to: Ts,
}

impl Window {
    /// Two halves, the later one first; nothing where it can't be halved.
    fn halves(self) -> Option<[Self; 2]> {
        let seconds = self.to.since(self.from).as_seconds();
        let middle = self.from + Span::seconds(seconds / 2);
        (seconds >= 1).then_some([
            Self {
                from: middle + SHORTEST,
                to: self.to,
            },
            Self {
                from: self.from,
                to: middle,
            },
        ])
    }
}

/// What was read of a day so far.
#[derive(Default)]
struct Read {
    lines: Vec<BillLine>,
    raw: Vec<u8>,
    requests: u32,
}

impl PayPal {
    /// The bill of a day in UTC: PayPal's search knows instants, not days, and UTC is the day that
    /// depends on no account's settings. Only `transaction_info` is asked for: the payer's name,
    /// address and e-mail have no place in a bill that is kept as evidence.
    ///
    /// `raw` has one page a line, as received.
    pub(super) async fn day_bill(&self, day: Date, now: Ts) -> Result<Bill, GatewayError> {
        let operation = Operation::Bill;
        let not_yet = |reason: String| operation.unavailable(GATEWAY, reason);
        let start = day
            .to_zoned(TimeZone::UTC)
            .map_err(|reason| operation.refused(GATEWAY, "PARAM_ERROR", &reason.to_string()))?;
        let from = Ts::from(start.timestamp());
        let whole = Window {
            from,
            to: from + Span::hours(24) - SHORTEST,
        };
        if now <= whole.to {
            return Err(not_yet(format!("{day} is not over")));
        }
        let mut read = Read::default();
        let mut windows = vec![whole];
        while let Some(window) = windows.pop() {
            if !self.read_window(window, now, &mut read).await? {
                let halves = window.halves().ok_or_else(|| {
                    not_yet(format!("more lines at {} than PayPal gives", window.from))
                })?;
                windows.extend(halves);
            }
        }
        Ok(Bill {
            lines: read.lines,
            totals: None,
            raw: read.raw,
        })
    }

    /// Reads all pages of a span of time; false, and nothing read, where there are too many.
    async fn read_window(
        &self,
        window: Window,
        now: Ts,
        read: &mut Read,
    ) -> Result<bool, GatewayError> {
        let operation = Operation::Bill;
        let unread = |reason: String| operation.unavailable(GATEWAY, reason);
        let mut number = 1;
        loop {
            read.requests += 1;
            if read.requests > MAX_REQUESTS {
                return Err(unread(format!("more than {MAX_REQUESTS} pages")));
            }
            let body = match self.page_bytes(window, number, now).await {
                Err(error) if refusal(&error) == Some("RESULTSET_TOO_LARGE") => return Ok(false),
                answer => answer?,
            };
            let page: Page = serde_json::from_slice(&body)
                .map_err(|reason| unread(format!("page {number} can't be read: {reason}")))?;
            if page.total_pages > MAX_PAGES {
                return Ok(false);
            }
            check_complete(&page, window, now).map_err(unread)?;
            if read.raw.len() + body.len() > MAX_BILL_BYTES {
                return Err(unread(format!("longer than {MAX_BILL_BYTES} bytes")));
            }
            for detail in &page.transaction_details {
                let line = u32::try_from(read.lines.len() + 1).unwrap_or(u32::MAX);
                read.lines
                    .extend(detail.transaction_info.line(line).map_err(unread)?);
            }
            read.raw.extend_from_slice(&body);
            read.raw.push(b'\n');
            if number >= page.total_pages {
                return Ok(true);
            }
            number += 1;
        }
    }

    async fn page_bytes(
        &self,
        window: Window,
        number: u32,
        now: Ts,
    ) -> Result<Vec<u8>, GatewayError> {
        let (from, to) = (utc_time(window.from), utc_time(window.to));
        let path = format!(
            "/v1/reporting/transactions?start_date={from}&end_date={to}&fields=transaction_info\
             &page_size={PAGE_SIZE}&page={number}"
        );
        let request = Request {
            operation: Operation::Bill,
            method: Method::GET,
            path: &path,
            request_id: None,
            body: None,
            max_bytes: MAX_PAGE_BYTES,
        };
        self.send(&request, now).await
    }
}

/// A day is complete when PayPal says that it has everything up to its end. Where it doesn't say,
/// three hours are the most that it needs (Transaction Search, "List transactions").
fn check_complete(page: &Page, window: Window, now: Ts) -> Result<(), String> {
    let told = [&page.last_refreshed_datetime, &page.end_date];
    let mut said = false;
    for text in told.into_iter().flatten() {
        said = true;
        let until = super::standing::read_time("end of the lines", text)?;
        if until < window.to {
            return Err(format!("only complete up to {until}"));
        }
    }
    if said || now >= window.to + Span::hours(3) {
        Ok(())
    } else {
        Err("perhaps not complete yet".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_leave_no_second_out_and_none_twice() {
        let second = |n: i64| Ts::from_micros(n * 1_000_000);
        let window = |from, to| Window {
            from: second(from),
            to: second(to),
        };
        for (from, to) in [(0, 1), (0, 2), (0, 86_399), (7, 10)] {
            let [late, early] = window(from, to).halves().unwrap();
            assert_eq!((early.from, late.to), (second(from), second(to)));
            assert_eq!(early.to + Span::seconds(1), late.from);
            assert!(early.from <= early.to && late.from <= late.to);
        }
        assert!(window(5, 5).halves().is_none());
    }

    #[test]
    fn a_day_that_paypal_has_not_finished_is_not_taken_for_whole() {
        let end = Ts::parse("2025-11-20T23:59:59Z").unwrap();
        let window = Window {
            from: end - Span::hours(24),
            to: end,
        };
        let page = |refreshed: Option<&str>, until: Option<&str>| Page {
            last_refreshed_datetime: refreshed.map(str::to_owned),
            end_date: until.map(str::to_owned),
            ..Page::default()
        };
        let soon = end + Span::minutes(5);
        let whole = "2025-11-20T23:59:59+0000";
        let part = "2025-11-20T22:00:00Z";
        assert!(check_complete(&page(Some(whole), Some(whole)), window, soon).is_ok());
        assert!(check_complete(&page(Some(part), Some(whole)), window, soon).is_err());
        assert!(check_complete(&page(Some(whole), Some(part)), window, soon).is_err());
        assert!(check_complete(&page(Some("soon"), None), window, soon).is_err());
        assert!(check_complete(&page(None, None), window, soon).is_err());
        assert!(check_complete(&page(None, None), window, end + Span::hours(3)).is_ok());
    }
}
