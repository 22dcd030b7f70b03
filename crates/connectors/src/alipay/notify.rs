//! What Alipay sends to our `notify_url`.

use super::Alipay;
use super::form;
use super::signature::{Parameters, SIGN_TYPE, notice_message};
use super::wire::{Yuan, read_time};
use crate::gateway::{CallbackError, Notice, PaidNotice};

/// The one type that trades are told by.
const TRADE_STATUS_SYNC: &str = "trade_status_sync";

impl Alipay {
    /// Verifies before it reads; what is not for us is never taken for ours.
    ///
    /// A notice's time is not held against ours: repetitions come for 25 hours, and no source says
    /// whether they carry a new time. A notice says what is true of its trade, and a repetition
    /// changes nothing here.
    pub(super) fn read_notice(&self, body: &[u8]) -> Result<Notice, CallbackError> {
        let notice = self.verified(body)?;
        self.check_owner(&notice)?;
        let notice_id = field(&notice, "notify_id")?.to_owned();
        let notify_type = field(&notice, "notify_type")?;
        if notify_type != TRADE_STATUS_SYNC {
            return Ok(Notice::Other {
                notice_id,
                event_type: notify_type.to_owned(),
            });
        }
        let out_trade_no = field(&notice, "out_trade_no")?.to_owned();
        if let Some(out_refund_no) = refund_number(&notice) {
            return Ok(Notice::AskRefund {
                notice_id,
                out_refund_no,
            });
        }
        match field(&notice, "trade_status")? {
            "TRADE_SUCCESS" | "TRADE_FINISHED" if !tells_of_a_refund(&notice) => Ok(Notice::Paid {
                notice_id,
                paid: paid(&notice)?,
            }),
            // The trade was made; that is no news.
            "WAIT_BUYER_PAY" => Ok(Notice::Other {
                notice_id,
                event_type: "WAIT_BUYER_PAY".to_owned(),
            }),
            // Closed, refunded by hand at Alipay, or a status that came later: the query tells.
            _ => Ok(Notice::AskPayment {
                notice_id,
                out_trade_no,
            }),
        }
    }

    /// The fields of a form that Alipay signed.
    fn verified(&self, body: &[u8]) -> Result<Parameters, CallbackError> {
        let bad = CallbackError::BadSignature;
        let notice = form::decode(body).map_err(|error| bad(error.to_string()))?;
        let sign = notice.get("sign").filter(|sign| !sign.is_empty());
        let sign = sign.ok_or_else(|| bad("there is none".to_owned()))?;
        let sign_type = notice.get("sign_type").map_or("", String::as_str);
        if sign_type != SIGN_TYPE {
            return Err(bad(format!("sign_type `{sign_type}` is not {SIGN_TYPE}")));
        }
        if self
            .alipay_key
            .verifies(notice_message(&notice).as_bytes(), sign)
        {
            Ok(notice)
        } else {
            Err(bad("it is not of this message".to_owned()))
        }
    }

    /// A notice for another app or account is not ours, however well it is signed.
    fn check_owner(&self, notice: &Parameters) -> Result<(), CallbackError> {
        for (name, ours) in [
            ("app_id", &self.config.app_id),
            ("seller_id", &self.config.seller_id),
        ] {
            let theirs = field(notice, name)?;
            if theirs != ours {
                let why = format!("{name} `{theirs}` is not ours, `{ours}`");
                return Err(CallbackError::Malformed(why));
            }
        }
        Ok(())
    }
}

/// Our number of the refund that the notice tells of, if it does. A refund comes as a notice of
/// its trade's status: still `TRADE_SUCCESS` after a part, `TRADE_CLOSED` after all of it.
fn refund_number(notice: &Parameters) -> Option<String> {
    let number = notice
        .get("out_biz_no")
        .filter(|number| !number.is_empty())?;
    tells_of_a_refund(notice).then(|| number.clone())
}

fn tells_of_a_refund(notice: &Parameters) -> bool {
    let has = |name: &str| notice.get(name).is_some_and(|value| !value.is_empty());
    // A trade that ran out of time is told with a `refund_fee` of 0.00.
    let fee = notice.get("refund_fee").cloned().map(Yuan);
    has("gmt_refund") || fee.is_some_and(|fee| fee.is_positive())
}

fn paid(notice: &Parameters) -> Result<PaidNotice, CallbackError> {
    let amount = Yuan(field(notice, "total_amount")?.to_owned());
    let amount = amount
        .money()
        .map_err(|reason| CallbackError::Malformed(format!("total_amount: {reason}")))?;
    // The payment's own time may be missing; the notice's never is.
    let time = field(notice, "gmt_payment").or_else(|_| field(notice, "notify_time"))?;
    let paid_at = read_time(time)
        .ok_or_else(|| CallbackError::Malformed(format!("gmt_payment `{time}` is no time")))?;
    Ok(PaidNotice {
        out_trade_no: field(notice, "out_trade_no")?.to_owned(),
        transaction_id: field(notice, "trade_no")?.to_owned(),
        amount,
        paid_at,
    })
}

fn field<'n>(notice: &'n Parameters, name: &str) -> Result<&'n str, CallbackError> {
    notice
        .get(name)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| CallbackError::Malformed(format!("it has no {name}")))
}
