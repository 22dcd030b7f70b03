//! The day's settlement file, fetched (`fileTransfer`, txnType 76).

use super::UnionPay;
use super::codes::{GATEWAY, NO_FILE, not_done};
use super::payment::code_and_message;
use super::settlement_file::{read_zip, unpack};
use super::time::{beijing_date, beijing_hour, month_day, order_time};
use crate::gateway::{Bill, GatewayError, Operation};
use crate::http::MAX_BILL_BYTES;
use domain::Ts;
use jiff::civil::Date;

/// UnionPay's samples say that a day's file is there at about nine the next morning. From noon on,
/// "no such file" is taken for a day without business: UnionPay makes no file of such a day (check
/// before going live).
const SURELY_MADE_HOUR: i64 = 24 + 12;

/// settleDate has no year, so an old day can't be told from this year's.
const MAX_AGE_DAYS: i32 = 300;

impl UnionPay {
    /// The bill of one of UnionPay's settlement days, which lasts from 23:00 of the day before to
    /// 23:00 (Beijing): what is paid in the last hour of a day stands in the next day's bill.
    pub(super) async fn fetch_bill(&self, day: Date, now: Ts) -> Result<Bill, GatewayError> {
        let operation = Operation::Bill;
        let age = (beijing_date(now) - day).get_days();
        if age < 1 {
            return Err(operation.unavailable(GATEWAY, format!("no bill of {day} yet")));
        }
        if age > MAX_AGE_DAYS {
            let message = format!("{day} is {age} days ago: fetch its file at UnionPay by hand");
            return Err(operation.refused(GATEWAY, "TOO_OLD", &message));
        }
        let request = self
            .request("76", "01", "000000")
            .with("settleDate", month_day(day))
            .with("txnTime", order_time(now))
            .with("fileType", "00");
        let target = (&self.file_http, &self.urls.file);
        let (raw, answer) = self
            .send(operation, target, request, MAX_BILL_BYTES, now)
            .await?;
        match code_and_message(&answer) {
            ("00", _) => {}
            (NO_FILE, _) if beijing_hour(day, SURELY_MADE_HOUR).is_some_and(|at| now >= at) => {
                return Ok(Bill {
                    lines: Vec::new(),
                    totals: None,
                    raw,
                });
            }
            (NO_FILE, message) => {
                let reason = format!("no bill of {day} yet: {message}");
                return Err(operation.unavailable(GATEWAY, reason));
            }
            (code, message) => return Err(not_done(operation, code, message)),
        }
        let content = answer
            .required("fileContent")
            .map_err(|reason| operation.unanswered(GATEWAY, reason))?;
        let lines = unpack(content)
            .and_then(|zip| read_zip(&zip, day, &self.config.mer_id))
            .map_err(|reason| operation.unanswered(GATEWAY, format!("bill of {day}: {reason}")))?;
        // The file states no sums of its own.
        Ok(Bill {
            lines,
            totals: None,
            raw,
        })
    }
}
