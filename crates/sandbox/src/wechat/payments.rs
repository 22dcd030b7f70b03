//! Prepay, query and close, in WeChat's terms.

use super::refusal::Refusal;
use super::{Api, GATEWAY, ids};
use crate::book::{NewPayment, Payment};
use crate::control::views::PaymentState;
use crate::refusal::MoneyRefusal;
use connectors::wechat_pay::wire::{
    Payer, PrepayRequest, Transaction, TransactionAmount, beijing_time,
};
use domain::payment::Method;
use domain::{Currency, Span, Ts};
use serde_json::json;

/// Where the payer's browser goes after an H5 payment, as it said itself.
pub(super) const REDIRECT_URL: &str = "redirect_url";

impl Api {
    /// Opens a payment, or finds it open; the answer is its `prepay_id` or `code_url`.
    pub(super) fn prepay(&self, method: Method, request: PrepayRequest) -> Result<String, Refusal> {
        self.check_prepay(method, &request)?;
        let asked = new_payment(method, request, self.sandbox.now())?;
        match self.sandbox.open_payment(asked) {
            Ok(payment) => Ok(payment.handle),
            Err(MoneyRefusal::Paid) => {
                Err(Refusal::new(403, "OUT_TRADE_NO_USED", "the order is paid"))
            }
            Err(refusal) => Err(Refusal::of_payment(refusal)),
        }
    }

    fn check_prepay(&self, method: Method, request: &PrepayRequest) -> Result<(), Refusal> {
        let number = &request.out_trade_no;
        let well_formed = number
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte));
        let characters = |text: &str| text.chars().count();
        let notify = reqwest::Url::parse(&request.notify_url);
        let notify_ok = notify
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none());
        self.check_merchant(Some(&request.appid), &request.mchid)?;
        let wrong = if !(6..=32).contains(&number.len()) || !well_formed {
            "out_trade_no must be 6 to 32 of 0-9A-Za-z_-|*"
        } else if !(1..=127).contains(&characters(&request.description)) {
            "description must have 1 to 127 characters"
        } else if request
            .attach
            .as_deref()
            .is_some_and(|attach| characters(attach) > 128)
        {
            "attach must have at most 128 characters"
        } else if !notify_ok || request.notify_url.len() > 255 {
            "notify_url must be a URL of at most 255 characters without a query"
        } else if request.amount.total < 1 {
            "amount.total must be at least 1"
        } else if request.amount.currency != "CNY" {
            "amount.currency must be CNY"
        } else if method == Method::JSAPI
            && request
                .payer
                .as_ref()
                .is_none_or(|payer| payer.openid.is_empty())
        {
            "payer.openid must be given"
        } else if method == Method::H5
            && request
                .scene_info
                .as_ref()
                .is_none_or(|scene| !is_address(&scene.payer_client_ip))
        {
            "scene_info.payer_client_ip must be given"
        } else {
            return Ok(());
        };
        Err(Refusal::param(wrong))
    }

    /// The payer's browser came with the address that an H5 payment gave.
    pub(super) fn opened_by_browser(
        &self,
        prepay_id: &str,
        redirect_url: Option<String>,
    ) -> Result<Payment, Refusal> {
        let number = {
            let book = self.sandbox.book();
            let payment = book
                .payment_of_handle(GATEWAY, prepay_id)
                .filter(|payment| payment.method == Method::H5);
            payment.map(|payment| payment.out_trade_no.clone())
        };
        let number = number.ok_or_else(Refusal::no_such_order)?;
        let remembered = self.sandbox.remember_of_payment(GATEWAY, &number, |extra| {
            extra[REDIRECT_URL] = redirect_url.into();
        });
        remembered.map_err(Refusal::of_payment)
    }

    /// How a payment stands, by the merchant's number.
    pub(super) fn transaction(&self, out_trade_no: &str) -> Result<Transaction, Refusal> {
        let book = self.sandbox.book();
        let payment = book
            .payment_at(GATEWAY, out_trade_no)
            .ok_or_else(Refusal::no_such_order)?;
        Ok(describe(&self.keys, payment, book.state_of(payment)))
    }

    /// How a payment stands, by WeChat's number.
    pub(super) fn transaction_by_id(&self, transaction_id: &str) -> Result<Transaction, Refusal> {
        let book = self.sandbox.book();
        let payment = book
            .payment_of_transaction(GATEWAY, transaction_id)
            .ok_or_else(Refusal::no_such_order)?;
        Ok(describe(&self.keys, payment, book.state_of(payment)))
    }

    /// Closes an unpaid payment.
    pub(super) fn close(&self, out_trade_no: &str) -> Result<(), Refusal> {
        self.sandbox
            .close_payment(GATEWAY, out_trade_no)
            .map(drop)
            .map_err(Refusal::of_payment)
    }
}

/// A payment as query and callback tell it.
pub(super) fn describe(keys: &super::Keys, payment: &Payment, state: PaymentState) -> Transaction {
    let paid = payment.paid.as_ref();
    let openid = payment
        .payer
        .clone()
        .unwrap_or_else(|| "oSandboxPayer".to_owned());
    let currency = payment.currency.to_string();
    Transaction {
        appid: keys.file.appid.clone(),
        mchid: keys.file.mchid.clone(),
        out_trade_no: payment.out_trade_no.clone(),
        transaction_id: paid.map(|paid| paid.transaction_id.clone()),
        trade_type: paid.map(|_| trade_type(payment.method)),
        trade_state: trade_state(state).to_owned(),
        trade_state_desc: in_words(state).to_owned(),
        bank_type: paid.map(|_| "OTHERS".to_owned()),
        // Comes back only once it is paid.
        attach: paid.and_then(|_| payment.extra["attach"].as_str().map(str::to_owned)),
        success_time: paid.map(|paid| beijing_time(paid.at)),
        payer: paid.map(|_| Payer { openid }),
        amount: Some(TransactionAmount {
            total: paid.map_or(payment.total, |paid| paid.total),
            payer_total: paid.map(|paid| paid.total),
            currency: currency.clone(),
            payer_currency: paid.map(|_| currency),
        }),
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

/// The payment that a prepay asks for.
fn new_payment(method: Method, request: PrepayRequest, now: Ts) -> Result<NewPayment, Refusal> {
    // Without a time: 7 days; less than a minute and more than 90 days are corrected (WeChat Pay
    // API v3, prepay, `time_expire`).
    let payable_until = match &request.time_expire {
        None => now + Span::hours(24 * 7),
        Some(text) => Ts::parse(text)
            .map_err(|_| Refusal::param("time_expire must be RFC 3339 with a zone"))?
            .clamp(now + Span::minutes(1), now + Span::hours(24 * 90)),
    };
    let payer = request.payer.map(|payer| payer.openid);
    Ok(NewPayment {
        gateway: GATEWAY,
        method,
        payable_until,
        total: request.amount.total,
        currency: Currency::CNY,
        handle: match method {
            Method::NATIVE => ids::code_url(),
            _ => ids::prepay_id(now),
        },
        terms: json!({
            "method": method,
            "description": request.description,
            "attach": request.attach,
            "notify_url": request.notify_url,
            "total": request.amount.total,
            "currency": request.amount.currency,
            "time_expire": request.time_expire,
            "openid": payer,
        }),
        extra: json!({ "attach": request.attach }),
        out_trade_no: request.out_trade_no,
        description: request.description,
        notify_url: Some(request.notify_url),
        return_url: None,
        payer,
    })
}

/// `trade_type`.
pub(super) fn trade_type(method: Method) -> String {
    match method {
        Method::H5 => "MWEB".to_owned(),
        other => other.name().to_ascii_uppercase(),
    }
}

const fn trade_state(state: PaymentState) -> &'static str {
    match state {
        // WeChat has no such step.
        PaymentState::NotPay | PaymentState::Approved => "NOTPAY",
        PaymentState::Success => "SUCCESS",
        PaymentState::Refund => "REFUND",
        PaymentState::Closed => "CLOSED",
        PaymentState::PayError => "PAYERROR",
    }
}

/// `trade_state_desc`.
const fn in_words(state: PaymentState) -> &'static str {
    match state {
        PaymentState::NotPay | PaymentState::Approved => "订单未支付",
        PaymentState::Success => "支付成功",
        PaymentState::Refund => "订单发生过退款，退款详情请查询退款单",
        PaymentState::Closed => "订单已关闭",
        PaymentState::PayError => "支付失败",
    }
}
