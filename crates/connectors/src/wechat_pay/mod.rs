//! WeChat Pay API v3 for a direct merchant: native, JSAPI and H5 payments, refunds, callbacks,
//! trade bills.
//!
//! Both kinds of platform keys work side by side, public key and certificate; every answer and
//! callback is verified over its raw bytes before a field of it is read. What a counterparty
//! needs to play the other end ([`signature`], [`resource`], [`wire`]) is public.

pub mod bill;
mod callback;
mod client;
mod config;
mod errors;
mod refunds;
mod registration;
pub mod resource;
pub mod signature;
mod start;
#[cfg(test)]
mod tests;
pub mod wire;

pub use config::{PlatformKey, WechatPayConfig, WechatPayConfigError};
pub use registration::REGISTRATION;

use crate::gateway::{
    AbnormalRefund, Answer, Bill, Callback, GatewayError, Heard, Operation, PaidNotice,
    PaymentGateway, PaymentRef, PaymentStarted, PaymentState, RefundRef, RefundState, Reply,
    StartPayment, StartRefund, Terms,
};
use crate::rsa::{EncryptingKey, SigningKey};
use domain::payment::GatewayName;
use domain::{Currency, Money, Ts};
use errors::{GATEWAY, is_refusal};
use jiff::civil::Date;
use resource::ResourceKey;
use serde_json::json;
use signature::PlatformKeys;
use std::fmt;
use wire::{CloseRequest, Transaction};

/// One merchant at WeChat Pay.
pub struct WechatPay {
    config: WechatPayConfig,
    http: reqwest::Client,
    signing_key: SigningKey,
    resource_key: ResourceKey,
    platform_keys: PlatformKeys,
    wanted_serial: Option<String>,
    encrypting: Encrypting,
    terms: Terms,
}

/// The platform's key for what only WeChat may read.
struct Encrypting {
    /// Says in the request which key it was.
    serial: String,
    key: EncryptingKey,
}

impl fmt::Debug for WechatPay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WechatPay").field(&self.config).finish()
    }
}

impl WechatPay {
    /// Checks the configuration; nothing is sent.
    pub fn new(config: WechatPayConfig) -> Result<Self, WechatPayConfigError> {
        let config::Parts {
            signing_key,
            resource_key,
            platform_keys,
            wanted_serial,
            encrypting,
            http,
        } = config.parts()?;
        Ok(Self {
            config,
            http,
            signing_key,
            resource_key,
            platform_keys,
            wanted_serial,
            encrypting,
            terms: registration::terms(),
        })
    }

    async fn payment_state(
        &self,
        out_trade_no: &str,
        now: Ts,
    ) -> Result<PaymentState, GatewayError> {
        let operation = Operation::Query;
        check_number(operation, "out_trade_no", out_trade_no, 6..=32, "_-|*")?;
        let path = format!(
            "/v3/pay/transactions/out-trade-no/{}?mchid={}",
            escape(out_trade_no),
            escape(&self.config.mchid)
        );
        let transaction: Transaction = match self.get(operation, &path, now).await {
            Err(error) if is_refusal(&error, "ORDER_NOT_EXIST") => {
                return Ok(PaymentState::NotFound);
            }
            answer => answer?,
        };
        if transaction.out_trade_no != out_trade_no {
            let reason = format!(
                "asked for {out_trade_no}, told {}",
                transaction.out_trade_no
            );
            return Err(operation.unanswered(GATEWAY, reason));
        }
        self.read_transaction(transaction)
            .map_err(|reason| operation.unanswered(GATEWAY, reason))
    }

    /// What a transaction, from a query or a callback, says of our payment.
    fn read_transaction(&self, transaction: Transaction) -> Result<PaymentState, String> {
        self.check_owner(Some(&transaction.appid), &transaction.mchid)?;
        match transaction.trade_state.as_str() {
            // A refund later on doesn't undo that it was paid.
            "SUCCESS" | "REFUND" => paid_notice(transaction).map(PaymentState::Paid),
            "NOTPAY" | "USERPAYING" | "ACCEPT" => Ok(PaymentState::Open),
            "CLOSED" | "REVOKED" => Ok(PaymentState::Closed),
            "PAYERROR" => Ok(PaymentState::Failed {
                reason: transaction.trade_state_desc,
            }),
            other => Err(format!("trade_state `{other}` is not known")),
        }
    }

    /// A notice for another app or merchant is not ours, however well it is signed.
    fn check_owner(&self, appid: Option<&str>, mchid: &str) -> Result<(), String> {
        match appid {
            Some(appid) if appid != self.config.appid => Err(format!(
                "appid `{appid}` is not ours, `{}`",
                self.config.appid
            )),
            _ if mchid != self.config.mchid => Err(format!(
                "mchid `{mchid}` is not ours, `{}`",
                self.config.mchid
            )),
            _ => Ok(()),
        }
    }

    async fn close_payment(&self, out_trade_no: &str, now: Ts) -> Result<(), GatewayError> {
        let operation = Operation::Close;
        check_number(operation, "out_trade_no", out_trade_no, 6..=32, "_-|*")?;
        let path = format!(
            "/v3/pay/transactions/out-trade-no/{}/close",
            escape(out_trade_no)
        );
        let request = CloseRequest {
            mchid: self.config.mchid.clone(),
        };
        match self
            .post_for_bytes(operation, &path, &request, None, now)
            .await
        {
            Err(error) if is_refusal(&error, "ORDER_CLOSED") => Ok(()),
            answer => answer.map(drop),
        }
    }
}

impl PaymentGateway for WechatPay {
    fn name(&self) -> GatewayName {
        GATEWAY
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn start<'a>(&'a self, payment: &'a StartPayment, now: Ts) -> Answer<'a, PaymentStarted> {
        Box::pin(self.prepay(payment, now))
    }

    fn query<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, PaymentState> {
        Box::pin(self.payment_state(&payment.out_trade_no, now))
    }

    fn close<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, ()> {
        Box::pin(self.close_payment(&payment.out_trade_no, now))
    }

    fn refund<'a>(&'a self, refund: &'a StartRefund, now: Ts) -> Answer<'a, RefundState> {
        Box::pin(self.send_refund(refund, now))
    }

    fn query_refund<'a>(&'a self, refund: &'a RefundRef, now: Ts) -> Answer<'a, RefundState> {
        Box::pin(self.refund_state(&refund.out_refund_no, now))
    }

    fn refund_elsewhere<'a>(
        &'a self,
        refund: &'a RefundRef,
        to: &'a AbnormalRefund,
        now: Ts,
    ) -> Answer<'a, RefundState> {
        Box::pin(self.send_elsewhere(refund, to, now))
    }

    fn bill<'a>(&'a self, day: Date, now: Ts) -> Answer<'a, Bill> {
        Box::pin(self.fetch_bill(day, now))
    }

    fn callback<'a>(&'a self, callback: &'a Callback<'a>, now: Ts) -> Heard<'a> {
        Box::pin(async move { self.read_callback(callback, now) })
    }

    fn received(&self) -> Reply {
        Reply::json(200, &json!({ "code": "SUCCESS", "message": "成功" }))
    }

    fn not_received(&self, status: u16, why: &str) -> Reply {
        Reply::json(status, &json!({ "code": "FAIL", "message": why }))
    }
}

fn paid_notice(transaction: Transaction) -> Result<PaidNotice, String> {
    let missing = |name| format!("a paid transaction has no {name}");
    let amount = transaction.amount.ok_or_else(|| missing("amount"))?;
    let currency: Currency = amount
        .currency
        .parse()
        .map_err(|reason| format!("amount: {reason}"))?;
    let paid_at = transaction
        .success_time
        .ok_or_else(|| missing("success_time"))?;
    Ok(PaidNotice {
        out_trade_no: transaction.out_trade_no,
        transaction_id: transaction
            .transaction_id
            .ok_or_else(|| missing("transaction_id"))?,
        amount: Money::new(amount.total, currency),
        paid_at: read_time("success_time", &paid_at)?,
    })
}

fn read_time(name: &str, text: &str) -> Result<Ts, String> {
    Ts::parse(text).map_err(|_| format!("{name} `{text}` is not RFC 3339"))
}

/// Refuses here what WeChat would refuse, and what would change the URL's path.
fn check_number(
    operation: Operation,
    name: &str,
    number: &str,
    length: std::ops::RangeInclusive<usize>,
    signs: &str,
) -> Result<(), GatewayError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || signs.contains(c);
    if length.contains(&number.len()) && number.chars().all(allowed) {
        return Ok(());
    }
    let (low, high) = (length.start(), length.end());
    let message =
        format!("{name} `{number}` must be {low} to {high} letters, digits or one of `{signs}`");
    Err(operation.refused(GATEWAY, "PARAM_ERROR", &message))
}

fn check_amount(operation: Operation, amount: Money) -> Result<(), GatewayError> {
    if amount.currency == Currency::CNY && amount.amount >= 1 {
        return Ok(());
    }
    let message = format!("WeChat Pay takes CNY of at least 1 fen, not {amount}");
    Err(operation.refused(GATEWAY, "PARAM_ERROR", &message))
}

/// The text's first characters, whole ones.
fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// Percent-encodes what may not stand in a URL's path or query as it is.
fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-_*".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
        escaped
    })
}
