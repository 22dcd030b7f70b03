//! WeChat Pay API v3 for a direct merchant: JSAPI and native payments, refunds, callbacks.
//!
//! Both kinds of platform keys work side by side, public key and certificate; every answer and
//! callback is verified over its raw bytes before a field of it is read. What a counterparty
//! needs to play the other end ([`signature`], [`resource`], [`wire`]) is public.

mod callback;
mod client;
mod config;
mod errors;
mod registration;
pub mod resource;
pub mod signature;
#[cfg(test)]
mod tests;
pub mod wire;

pub use config::{PlatformKey, WechatPayConfig, WechatPayConfigError};
pub use registration::REGISTRATION;

use crate::gateway::{
    Answer, Bill, Callback, GatewayError, Heard, Operation, PaidNotice, PaymentGateway, PaymentRef,
    PaymentStarted, PaymentState, RefundRef, RefundState, Reply, StartPayment, StartRefund, Terms,
};
use crate::rsa::SigningKey;
use domain::payment::{GatewayName, Method, PayWith};
use domain::{Currency, Money, Ts};
use errors::{GATEWAY, is_refusal};
use jiff::civil::Date;
use resource::ResourceKey;
use serde_json::json;
use signature::{PlatformKeys, nonce, payer_message};
use std::fmt;
use wire::{
    CloseRequest, JsapiPrepayAnswer, NativePrepayAnswer, Payer, PrepayAmount, PrepayRequest,
    Refund, RefundRequest, RefundRequestAmount, Transaction, beijing_time,
};

/// WeChat shows no more of a description (prepay, `description`).
const MAX_DESCRIPTION: usize = 127;
/// WeChat shows no more of a reason (refund, `reason`).
const MAX_REASON: usize = 80;

/// One merchant at WeChat Pay.
pub struct WechatPay {
    config: WechatPayConfig,
    http: reqwest::Client,
    signing_key: SigningKey,
    resource_key: ResourceKey,
    platform_keys: PlatformKeys,
    wanted_serial: Option<String>,
    terms: Terms,
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
            http,
        } = config.parts()?;
        Ok(Self {
            config,
            http,
            signing_key,
            resource_key,
            platform_keys,
            wanted_serial,
            terms: registration::terms(),
        })
    }

    async fn prepay(&self, start: &StartPayment, now: Ts) -> Result<PaymentStarted, GatewayError> {
        let payment = &start.payment;
        let operation = Operation::Start;
        check_number(
            operation,
            "out_trade_no",
            &payment.out_trade_no,
            6..=32,
            "_-|*",
        )?;
        check_amount(operation, payment.amount)?;
        let mut request = PrepayRequest {
            appid: self.config.appid.clone(),
            mchid: self.config.mchid.clone(),
            description: cut(&start.description, MAX_DESCRIPTION),
            out_trade_no: payment.out_trade_no.clone(),
            time_expire: Some(beijing_time(payment.expires_at)),
            attach: None,
            notify_url: self.config.notify_url.clone(),
            amount: PrepayAmount {
                total: payment.amount.amount,
                currency: payment.amount.currency.to_string(),
            },
            payer: None,
        };
        let pay_with = match payment.method {
            Method::NATIVE => {
                let path = "/v3/pay/transactions/native";
                let answer: NativePrepayAnswer = self.post(operation, path, &request, now).await?;
                PayWith::Qr {
                    code_url: answer.code_url,
                }
            }
            Method::JSAPI => {
                let openid = start.payer.clone().ok_or_else(|| {
                    let message = "a JSAPI payment needs the payer's openid";
                    operation.refused(GATEWAY, "PARAM_ERROR", message)
                })?;
                request.payer = Some(Payer { openid });
                let path = "/v3/pay/transactions/jsapi";
                let answer: JsapiPrepayAnswer = self.post(operation, path, &request, now).await?;
                self.payer_fields(&answer.prepay_id, now)?
            }
            other => {
                let message = format!("WeChat Pay has no method `{other}`");
                return Err(operation.refused(GATEWAY, "PARAM_ERROR", &message));
            }
        };
        Ok(PaymentStarted {
            handle: None,
            pay_with,
        })
    }

    /// The fields for `wx.requestPayment`, signed (WeChat Pay API v3, JSAPI invocation).
    fn payer_fields(&self, prepay_id: &str, now: Ts) -> Result<PayWith, GatewayError> {
        let (appid, timestamp, nonce) = (&self.config.appid, now.unix_seconds(), nonce());
        let package = format!("prepay_id={prepay_id}");
        let signature = self
            .signing_key
            .sign(&payer_message(appid, timestamp, &nonce, &package))
            .map_err(|reason| Operation::Start.unavailable(GATEWAY, reason.to_string()))?;
        let fields = json!({
            "appId": appid,
            "timeStamp": timestamp.to_string(),
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": signature,
        });
        Ok(PayWith::InApp { fields })
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
        match self.post_for_bytes(operation, &path, &request, now).await {
            Err(error) if is_refusal(&error, "ORDER_CLOSED") => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn send_refund(&self, start: &StartRefund, now: Ts) -> Result<RefundState, GatewayError> {
        let (operation, refund) = (Operation::Refund, &start.refund);
        check_number(
            operation,
            "out_refund_no",
            &refund.out_refund_no,
            1..=64,
            "_-|*@",
        )?;
        check_amount(operation, refund.amount)?;
        if refund.amount.currency != refund.total.currency {
            let message = "refund and payment are in different currencies";
            return Err(operation.refused(GATEWAY, "PARAM_ERROR", message));
        }
        let request = RefundRequest {
            transaction_id: None,
            out_trade_no: Some(refund.payment.out_trade_no.clone()),
            out_refund_no: refund.out_refund_no.clone(),
            reason: Some(cut(&start.reason, MAX_REASON)).filter(|reason| !reason.is_empty()),
            notify_url: Some(self.config.notify_url.clone()),
            amount: RefundRequestAmount {
                refund: refund.amount.amount,
                total: refund.total.amount,
                currency: refund.amount.currency.to_string(),
            },
        };
        let path = "/v3/refund/domestic/refunds";
        let answer: Refund = self.post(operation, path, &request, now).await?;
        if answer.amount.refund != refund.amount.amount {
            let reason = format!(
                "asked for {} fen, told {}",
                refund.amount, answer.amount.refund
            );
            return Err(operation.unanswered(GATEWAY, reason));
        }
        read_refund(&answer, &refund.out_refund_no)
            .map_err(|reason| operation.unanswered(GATEWAY, reason))
    }

    async fn refund_state(
        &self,
        out_refund_no: &str,
        now: Ts,
    ) -> Result<RefundState, GatewayError> {
        let operation = Operation::QueryRefund;
        check_number(operation, "out_refund_no", out_refund_no, 1..=64, "_-|*@")?;
        let path = format!("/v3/refund/domestic/refunds/{}", escape(out_refund_no));
        match self.get::<Refund>(operation, &path, now).await {
            Err(error) if is_refusal(&error, "RESOURCE_NOT_EXISTS") => Ok(RefundState::NotFound),
            answer => read_refund(&answer?, out_refund_no)
                .map_err(|reason| operation.unanswered(GATEWAY, reason)),
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

    fn bill<'a>(&'a self, day: Date, _now: Ts) -> Answer<'a, Bill> {
        Box::pin(async move {
            Err(Operation::Bill.unavailable(GATEWAY, format!("no bill of {day} yet")))
        })
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

fn read_refund(refund: &Refund, out_refund_no: &str) -> Result<RefundState, String> {
    if refund.out_refund_no != out_refund_no {
        return Err(format!(
            "asked for {out_refund_no}, told {}",
            refund.out_refund_no
        ));
    }
    refund_status(
        &refund.status,
        &refund.refund_id,
        refund.success_time.as_deref(),
    )
}

/// A refund's status, from an answer or a callback.
fn refund_status(
    status: &str,
    refund_id: &str,
    success_time: Option<&str>,
) -> Result<RefundState, String> {
    match status {
        "SUCCESS" => {
            let time = success_time.ok_or("a refund that succeeded has no success_time")?;
            let at = read_time("success_time", time)?;
            Ok(RefundState::Succeeded {
                refund_id: refund_id.to_owned(),
                at,
            })
        }
        "PROCESSING" => Ok(RefundState::Processing {
            refund_id: Some(refund_id.to_owned()),
        }),
        // Both spellings occur in callbacks.
        "CLOSED" | "CLOSE" => Ok(RefundState::Closed),
        "ABNORMAL" => Ok(RefundState::Abnormal),
        other => Err(format!("refund status `{other}` is not known")),
    }
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
