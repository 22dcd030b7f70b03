//! What PayPal sends to our webhook, and how it is proven.
//!
//! A message is signed with a key whose certificate PayPal serves; which one, a header says. So
//! three things are looked at before a byte of the body is read: that the certificate comes from
//! PayPal ([`address`]), that it is good now, and that the signature over id, time, our webhook's id
//! and the body's CRC-32 is by its key ([`signature`]).
//!
//! **Time.** A message is taken at its word while its `paypal-transmission-time` is within five
//! minutes of ours. PayPal repeats a message up to 25 times over three days; it calls that header
//! "the date and time of the HTTP transmission", but does not say whether a repetition carries a new
//! one. So an older message is not thrown away while repetitions may come, and not believed either:
//! it becomes a reason to ask PayPal how the payment or refund stands. A genuine late repetition is
//! thus not lost, and an old message that somebody replays can only make us ask.

pub mod address;
pub(super) mod certificates;
pub mod events;
pub mod signature;

use super::PayPal;
use crate::gateway::{Callback, CallbackError, Notice};
use domain::Ts;
use signature::{Age, Headers};

impl PayPal {
    /// Verifies before it reads.
    pub(super) async fn read_callback(
        &self,
        callback: &Callback<'_>,
        now: Ts,
    ) -> Result<Notice, CallbackError> {
        let headers = Headers::read(|name| callback.header(name))?;
        let age = headers.age(now)?;
        let certificate = self.certificates.get(headers.certificate_url, now).await?;
        let message = headers.message(&self.config.webhook_id, callback.body);
        if !certificate
            .key
            .verifies(message.as_bytes(), headers.signature)
        {
            let why = "the signature is not of this message".to_owned();
            return Err(CallbackError::BadSignature(why));
        }
        let notice = events::notice(callback.body).map_err(CallbackError::Malformed)?;
        Ok(match age {
            Age::Fresh => notice,
            Age::Late => only_asking(notice),
        })
    }
}

/// What a message is worth whose time proves nothing.
fn only_asking(notice: Notice) -> Notice {
    match notice {
        Notice::Paid { notice_id, paid } => Notice::AskPayment {
            notice_id,
            out_trade_no: paid.out_trade_no,
        },
        Notice::Refund {
            notice_id,
            out_refund_no,
            ..
        } => Notice::AskRefund {
            notice_id,
            out_refund_no,
        },
        Notice::AskPayment { .. } | Notice::AskRefund { .. } | Notice::Other { .. } => notice,
    }
}
