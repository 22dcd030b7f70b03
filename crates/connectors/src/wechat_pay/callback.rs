//! What WeChat sends to our `notify_url`.

use super::WechatPay;
use super::refunds::refund_status;
use super::signature::VerificationError;
use super::wire::{Notification, RefundNotice, Transaction};
use crate::gateway::{Callback, CallbackError, Notice, PaymentState};
use domain::Ts;
use serde::de::DeserializeOwned;

impl WechatPay {
    /// Verifies before it reads; what is not for us is never taken for ours.
    pub(super) fn read_callback(
        &self,
        callback: &Callback<'_>,
        now: Ts,
    ) -> Result<Notice, CallbackError> {
        self.platform_keys
            .verify(|name| callback.header(name), callback.body, now)
            .map_err(|error| match error {
                VerificationError::Probe => CallbackError::SignatureProbe,
                VerificationError::Stale { timestamp, now } => {
                    CallbackError::Stale { timestamp, now }
                }
                other => CallbackError::BadSignature(other.to_string()),
            })?;
        let notification: Notification = serde_json::from_slice(callback.body)
            .map_err(|reason| CallbackError::Malformed(reason.to_string()))?;
        let event = notification.event_type.as_str();
        if event == "TRANSACTION.SUCCESS" {
            self.payment_notice(notification)
        } else if event.starts_with("REFUND.") {
            self.refund_notice(notification)
        } else {
            Ok(Notice::Other {
                notice_id: notification.id,
                event_type: notification.event_type,
            })
        }
    }

    fn payment_notice(&self, notification: Notification) -> Result<Notice, CallbackError> {
        let transaction: Transaction = self.unseal(&notification)?;
        match self
            .read_transaction(transaction)
            .map_err(CallbackError::Malformed)?
        {
            PaymentState::Paid(paid) => Ok(Notice::Paid {
                notice_id: notification.id,
                paid,
            }),
            other => Err(CallbackError::Malformed(format!(
                "event TRANSACTION.SUCCESS of a transaction that is not paid: {other:?}"
            ))),
        }
    }

    fn refund_notice(&self, notification: Notification) -> Result<Notice, CallbackError> {
        let refund: RefundNotice = self.unseal(&notification)?;
        self.check_owner(None, &refund.mchid)
            .map_err(CallbackError::Malformed)?;
        let state = refund_status(
            &refund.refund_status,
            &refund.refund_id,
            refund.success_time.as_deref(),
        )
        .map_err(CallbackError::Malformed)?;
        Ok(Notice::Refund {
            notice_id: notification.id,
            out_refund_no: refund.out_refund_no,
            state,
        })
    }

    fn unseal<T: DeserializeOwned>(&self, notification: &Notification) -> Result<T, CallbackError> {
        let plaintext = self
            .resource_key
            .open(&notification.resource)
            .map_err(|reason| CallbackError::Malformed(reason.to_string()))?;
        serde_json::from_slice(&plaintext)
            .map_err(|reason| CallbackError::Malformed(format!("the resource: {reason}")))
    }
}
