//! Pages, codes, trades, queries and closes, in Alipay's terms.

use super::api::content;
use super::refusal::Refusal;
use super::{Api, GATEWAY, REFUNDABLE, ids};
use crate::book::{NewPayment, Payment};
use crate::control::views::PaymentState;
use crate::refusal::MoneyRefusal;
use connectors::alipay::signature::Parameters;
use connectors::alipay::wire::{
    Closed, Created, FundBill, Pay, Precreated, Trade, TradeNumber, Yuan, beijing_time, read_time,
};
use domain::payment::Method;
use domain::{Currency, Money, Span, Ts};
use serde_json::json;

/// Without a time, a trade can be paid for so long.
const DEFAULT_TIME: Span = Span::hours(24 * 15);

impl Api {
    /// A browser has arrived: only now is there a trade. The answer is the merchant's number, for
    /// the cashier, which also says where nothing can be paid any more.
    pub(super) fn page(&self, method: Method, parameters: &Parameters) -> Result<String, Refusal> {
        let asked = self.asked(method, parameters)?;
        let number = asked.out_trade_no.clone();
        match self.sandbox.open_payment(asked) {
            Ok(_)
            | Err(
                MoneyRefusal::Paid
                | MoneyRefusal::Closed
                | MoneyRefusal::Failed
                | MoneyRefusal::Expired,
            ) => Ok(number),
            Err(refusal) => Err(Refusal::of_payment(refusal)),
        }
    }

    pub(super) fn create(&self, parameters: &Parameters) -> Result<Created, Refusal> {
        let payment = self.opened(self.asked(Method::CREATE, parameters)?)?;
        Ok(Created {
            out_trade_no: payment.out_trade_no,
            trade_no: payment.handle,
        })
    }

    /// The code is an address here, so that a browser can scan it, too.
    pub(super) fn precreate(
        &self,
        parameters: &Parameters,
        host: &str,
    ) -> Result<Precreated, Refusal> {
        let payment = self.opened(self.asked(Method::PRECREATE, parameters)?)?;
        Ok(Precreated {
            out_trade_no: payment.out_trade_no,
            qr_code: format!("http://{host}/alipay/qr/bax{}", payment.handle),
        })
    }

    fn opened(&self, asked: NewPayment) -> Result<Payment, Refusal> {
        let (number, terms) = (asked.out_trade_no.clone(), asked.terms.clone());
        match self.sandbox.open_payment(asked) {
            Ok(payment) => Ok(payment),
            // Whoever failed may try again: the trade waits as before.
            Err(MoneyRefusal::Failed) => self
                .sandbox
                .payment_at(GATEWAY, &number)
                .map(|(payment, _)| payment)
                .filter(|payment| payment.terms == terms)
                .ok_or_else(|| Refusal::of_payment(MoneyRefusal::OtherTerms)),
            Err(refusal) => Err(Refusal::of_payment(refusal)),
        }
    }

    /// The payment that a request asks for.
    fn asked(&self, method: Method, parameters: &Parameters) -> Result<NewPayment, Refusal> {
        let pay: Pay = content(parameters)?;
        let now = self.sandbox.now();
        let total = checked(method, &pay)?;
        let payable_until = match &pay.time_expire {
            None => now + DEFAULT_TIME,
            Some(text) => {
                read_time(text).ok_or_else(|| Refusal::parameter("time_expire is no time"))?
            }
        };
        let is_known = self
            .sandbox
            .payment_at(GATEWAY, &pay.out_trade_no)
            .is_some();
        if payable_until <= now && !is_known {
            return Err(Refusal::parameter("time_expire is over"));
        }
        let given = |name: &str| parameters.get(name).filter(|url| !url.is_empty()).cloned();
        let notify_url = given("notify_url");
        if notify_url.as_ref().is_some_and(|url| !is_address(url)) {
            return Err(Refusal::parameter("notify_url is no address"));
        }
        let payer = pay.buyer_id.clone().or_else(|| pay.buyer_open_id.clone());
        Ok(NewPayment {
            gateway: GATEWAY,
            out_trade_no: pay.out_trade_no.clone(),
            method,
            description: pay.subject.clone(),
            return_url: given("return_url"),
            total,
            currency: Currency::CNY,
            payable_until,
            handle: ids::trade_no(now),
            terms: json!({
                "method": method,
                "total": total,
                "subject": pay.subject,
                "time_expire": pay.time_expire,
                "notify_url": notify_url,
                "payer": payer,
            }),
            extra: json!({ "quit_url": pay.quit_url }),
            notify_url,
            payer,
        })
    }

    /// How a trade stands.
    pub(super) fn trade(&self, asked: &TradeNumber) -> Result<Trade, Refusal> {
        let (payment, state) = self.known(&asked.out_trade_no)?;
        let now = self.sandbox.now();
        let refunded = self.sandbox.book().refunded(&payment.out_trade_no);
        let status = trade_status(&payment, state, refunded, now);
        let paid = payment.paid.as_ref();
        // A trade that was emptied by refunds keeps the time of its payment, and no amounts.
        let left = paid.filter(|_| status != "TRADE_CLOSED");
        let amount = |minor: i64| Yuan::from(Money::new(minor, payment.currency));
        let got = amount(left.map_or(0, |paid| paid.total));
        let wants_means = asked
            .query_options
            .iter()
            .any(|option| option == "fund_bill_list");
        let means = left.filter(|_| wants_means).map(|paid| FundBill {
            fund_channel: "ALIPAYACCOUNT".to_owned(),
            amount: amount(paid.total),
        });
        Ok(Trade {
            out_trade_no: payment.out_trade_no.clone(),
            trade_no: Some(payment.handle.clone()),
            trade_status: status.to_owned(),
            total_amount: amount(paid.map_or(payment.total, |paid| paid.total)),
            receipt_amount: Some(got.clone()),
            buyer_pay_amount: Some(got),
            send_pay_date: paid.map(|paid| beijing_time(paid.at)),
            fund_bill_list: means.into_iter().collect(),
        })
    }

    /// Closes an unpaid trade.
    pub(super) fn close(&self, asked: &TradeNumber) -> Result<Closed, Refusal> {
        let (payment, state) = self.known(&asked.out_trade_no)?;
        let now = self.sandbox.now();
        if payment.paid.is_none() && trade_status(&payment, state, 0, now) == "TRADE_CLOSED" {
            return Err(Refusal::of_payment(MoneyRefusal::Closed));
        }
        match self.sandbox.close_payment(GATEWAY, &asked.out_trade_no) {
            Ok(payment) => Ok(Closed {
                out_trade_no: Some(payment.out_trade_no),
                trade_no: Some(payment.handle),
            }),
            Err(MoneyRefusal::Paid) => Err(Refusal::of_refund(MoneyRefusal::Paid)),
            Err(refusal) => Err(Refusal::of_payment(refusal)),
        }
    }

    /// A trade that Alipay knows. It knows nothing of a code until somebody scanned it.
    fn known(&self, out_trade_no: &str) -> Result<(Payment, PaymentState), Refusal> {
        self.sandbox
            .payment_at(GATEWAY, out_trade_no)
            .filter(|(payment, _)| payment.method != Method::PRECREATE || payment.seen_at.is_some())
            .ok_or_else(Refusal::no_such_trade)
    }
}

/// `trade_status`. A payer who fails may try again, until the trade's time is over.
pub(super) fn trade_status(
    payment: &Payment,
    state: PaymentState,
    refunded: i64,
    now: Ts,
) -> &'static str {
    let paid = payment.paid.as_ref();
    match state {
        PaymentState::Success | PaymentState::Refund => match paid {
            Some(paid) if refunded >= paid.total => "TRADE_CLOSED",
            Some(paid) if now.since(paid.at) > REFUNDABLE => "TRADE_FINISHED",
            Some(_) | None => "TRADE_SUCCESS",
        },
        PaymentState::Closed => "TRADE_CLOSED",
        PaymentState::NotPay | PaymentState::PayError | PaymentState::Approved => {
            if now > payment.payable_until {
                "TRADE_CLOSED"
            } else {
                "WAIT_BUYER_PAY"
            }
        }
    }
}

/// The amount in fen, if the request is as its method wants it.
fn checked(method: Method, pay: &Pay) -> Result<i64, Refusal> {
    let product = match method {
        Method::PAGE => "FAST_INSTANT_TRADE_PAY",
        Method::WAP => "QUICK_WAP_WAY",
        Method::CREATE => "JSAPI_PAY",
        _ => "FACE_TO_FACE_PAYMENT",
    };
    let number = &pay.out_trade_no;
    let is_number = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let has_payer = pay.buyer_id.is_some() != pay.buyer_open_id.is_some();
    let amount = Money::from_decimal(&pay.total_amount, Currency::CNY);
    let total = amount.map_or(0, |amount| amount.amount);
    let wrong = if !(1..=64).contains(&number.len()) || !number.bytes().all(is_number) {
        "out_trade_no must be 1 to 64 of 0-9A-Za-z_"
    } else if !(1..=256).contains(&pay.subject.chars().count()) {
        "subject must have 1 to 256 characters"
    } else if pay.subject.contains(['/', '=', '&']) {
        "subject must have none of /=&"
    } else if pay.product_code != product {
        "product_code is not of this method"
    } else if method == Method::CREATE && !has_payer {
        "one of buyer_id and buyer_open_id must be given"
    } else if !(1..=10_000_000_000).contains(&total) {
        "total_amount must be 0.01 to 100000000.00"
    } else {
        return Ok(total);
    };
    Err(Refusal::parameter(wrong))
}

fn is_address(text: &str) -> bool {
    let url = reqwest::Url::parse(text);
    text.len() <= 256 && url.is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
