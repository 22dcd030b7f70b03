//! Single notices, without a payment in the book: for whoever measures what taking them costs, and
//! wants a hundred thousand genuine ones.

use crate::book::{NewPayment, Paid, Payment};
use crate::control::views::{PayRequest, PaymentState};
use crate::counterparty::{Signing, Subject};
use crate::{Sandbox, SandboxError};
use axum::http::header::CONTENT_TYPE;
use connectors::unionpay::time::order_time;
use domain::payment::{GatewayName, Method};
use domain::{Money, Ts};
use serde_json::{Value, json};

/// A payment that a payer paid, as the merchant asked for it.
#[derive(Debug, Clone)]
pub struct PaidPayment {
    /// At which gateway.
    pub gateway: GatewayName,
    /// The merchant's number.
    pub out_trade_no: String,
    /// How it was paid.
    pub method: Method,
    /// What was asked for, and paid.
    pub amount: Money,
    /// The gateway's own number of the attempt, or what stands for it.
    pub handle: String,
    /// When the merchant asked for it.
    pub asked_at: Ts,
    /// The sandbox's address, as in the merchant's settings: PayPal's certificates are there.
    pub base_url: String,
}

/// A notice as it is posted to the merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedNotice {
    /// `Content-Type` and what proves it, by lower-case names.
    pub headers: Vec<(String, String)>,
    /// What is posted.
    pub body: Vec<u8>,
}

impl Sandbox {
    /// The notice that the gateway would post now of this payment, signed as its notices are. The
    /// book does not change. The merchant must have told where notices go ([`Sandbox::set_webhook`]).
    pub fn notice_of(&self, paid: &PaidPayment) -> Result<PostedNotice, SandboxError> {
        let (now, counterparty) = (self.now(), self.counterparty(paid.gateway)?);
        let mut payment = Payment::new(asked(paid, self.webhook(paid.gateway)), paid.asked_at);
        payment.paid = Some(Paid {
            transaction_id: counterparty.transaction_id(&payment, now),
            at: now,
            total: paid.amount.amount,
            notice_id: counterparty.notice_id(now),
            request: PayRequest::default(),
        });
        payment.state = PaymentState::Success;
        let subject = Subject::PaymentPaid(&payment);
        let notice = counterparty
            .notice(self, subject, Signing::default())?
            .ok_or_else(|| SandboxError::Notice("there is nowhere to send it".to_owned()))?;
        let mut headers = vec![(CONTENT_TYPE.to_string(), notice.content_type.to_owned())];
        for (name, value) in &notice.headers {
            let value = value
                .to_str()
                .map_err(|reason| SandboxError::Notice(format!("{name}: {reason}")))?;
            headers.push((name.to_string(), value.to_owned()));
        }
        Ok(PostedNotice {
            headers,
            body: notice.body,
        })
    }
}

fn asked(paid: &PaidPayment, notify_url: Option<String>) -> NewPayment {
    NewPayment {
        gateway: paid.gateway,
        out_trade_no: paid.out_trade_no.clone(),
        method: paid.method,
        description: "复诊".to_owned(),
        notify_url,
        return_url: None,
        total: paid.amount.amount,
        currency: paid.amount.currency,
        payable_until: paid.asked_at,
        payer: None,
        handle: paid.handle.clone(),
        terms: Value::Null,
        // What a gateway remembers of the request and its notice tells: UnionPay, Stripe, PayPal.
        extra: json!({
            "txnTime": order_time(paid.asked_at),
            "metadata": { "out_trade_no": paid.out_trade_no },
            "address": paid.base_url,
        }),
    }
}
