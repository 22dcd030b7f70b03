//! What UnionPay posts to our `backUrl`: a form, signed, with the certificate in it.
//!
//! A purchase with code `00` is taken as paid from the notice alone. UnionPay's documents ask to
//! confirm money by a query; that guards those who don't check the chain, take `A6` for a success,
//! or trust the payer's browser. Here order, amount, currency, merchant, code and UnionPay's own
//! number all lie under a signature whose certificate was proven, the amount is compared with our
//! record by the caller, and a proof in hand must not wait for a query that may not get through.
//! Whatever is less than that only asks for the query; so does every refund's notice, since the
//! query compares its amount and a notice of a refund has no place for one.
//!
//! A notice carries no time of its sending, so its age can't be judged: repeated, it says the same
//! about the same order and changes nothing.

use super::UnionPay;
use super::fields::Fields;
use super::payment::paid_notice;
use super::wire::out_refund_no;
use crate::gateway::{Callback, CallbackError, Notice};
use domain::Ts;

/// A notice has some four kilobytes, half of them the certificate.
const MAX_NOTICE_BYTES: usize = 64 << 10;

impl UnionPay {
    /// Verifies before it reads; what is not for us is never taken for ours.
    pub(super) fn read_callback(
        &self,
        callback: &Callback<'_>,
        now: Ts,
    ) -> Result<Notice, CallbackError> {
        if callback.body.len() > MAX_NOTICE_BYTES {
            let reason = format!("it is longer than {MAX_NOTICE_BYTES} bytes");
            return Err(CallbackError::BadSignature(reason));
        }
        let fields = Fields::from_form(callback.body)
            .map_err(|reason| CallbackError::BadSignature(reason.to_string()))?;
        self.believe(&fields, now)
            .map_err(|reason| CallbackError::BadSignature(reason.to_string()))?;
        self.read_notice(&fields).map_err(CallbackError::Malformed)
    }

    fn read_notice(&self, fields: &Fields) -> Result<Notice, String> {
        self.check_owner(fields)?;
        let order_id = fields.required("orderId")?;
        let code = fields.required("respCode")?;
        let txn_type = fields.required("txnType")?;
        // Of one transaction, "flawed" may be followed by "done": these are two notices.
        let number = fields.get("queryId").unwrap_or(order_id);
        let notice_id = format!("{number}-{code}");
        match txn_type {
            "01" if code == "00" => Ok(Notice::Paid {
                notice_id,
                paid: paid_notice(fields)?,
            }),
            "01" => Ok(Notice::AskPayment {
                notice_id,
                out_trade_no: order_id.to_owned(),
            }),
            "04" => match out_refund_no(order_id) {
                Some(out_refund_no) => Ok(Notice::AskRefund {
                    notice_id,
                    out_refund_no,
                }),
                // Made by hand at UnionPay: the settlement file brings it to light.
                None => Ok(Notice::Other {
                    notice_id,
                    event_type: format!("refund {order_id}"),
                }),
            },
            other => Ok(Notice::Other {
                notice_id,
                event_type: format!("txnType {other}"),
            }),
        }
    }
}
