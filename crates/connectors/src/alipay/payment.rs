//! Payments: start, query, close.

use super::errors::{GATEWAY, is_refusal};
use super::form::encode;
use super::signature::Parameters;
use super::wire::{Closed, Created, Pay, Precreated, Trade, TradeNumber, Yuan, beijing_time};
use super::{Alipay, check_amount, check_number, cut, time_or};
use crate::gateway::{
    GatewayError, Operation, PaidNotice, PaymentStarted, PaymentState, StartPayment,
};
use domain::Ts;
use domain::payment::{Method, PayWith};
use serde_json::json;

/// Alipay takes no more of a subject.
const MAX_SUBJECT: usize = 256;
/// Longer addresses are cut or refused by old browsers, and by the web views of other apps.
const MAX_PAGE_URL: usize = 2000;

impl Alipay {
    pub(super) async fn start_payment(
        &self,
        start: &StartPayment,
        now: Ts,
    ) -> Result<PaymentStarted, GatewayError> {
        let mut content = content(start, now)?;
        match start.payment.method {
            Method::PAGE => {
                "FAST_INSTANT_TRADE_PAY".clone_into(&mut content.product_code);
                self.page("alipay.trade.page.pay", &content, start, now)
            }
            Method::WAP => {
                "QUICK_WAP_WAY".clone_into(&mut content.product_code);
                content.quit_url.clone_from(&start.return_url);
                self.page("alipay.trade.wap.pay", &content, start, now)
            }
            Method::PRECREATE => self.precreate(content, now).await,
            Method::CREATE => self.create(content, start.payer.as_deref(), now).await,
            other => Err(wrong(&format!("Alipay has no method `{other}`"))),
        }
    }

    /// A QR code, for the payer to scan with Alipay.
    async fn precreate(&self, mut content: Pay, now: Ts) -> Result<PaymentStarted, GatewayError> {
        "FACE_TO_FACE_PAYMENT".clone_into(&mut content.product_code);
        let (operation, method) = (Operation::Start, "alipay.trade.precreate");
        let answer = self.call_with_notices(operation, method, &content, now);
        let answer: Precreated = answer.await?;
        check_same(operation, &content.out_trade_no, &answer.out_trade_no)?;
        Ok(PaymentStarted {
            handle: None,
            pay_with: PayWith::Qr {
                code_url: answer.qr_code,
            },
        })
    }

    /// A trade that a mini-program pays with `my.tradePay`.
    async fn create(
        &self,
        mut content: Pay,
        payer: Option<&str>,
        now: Ts,
    ) -> Result<PaymentStarted, GatewayError> {
        let payer = payer.filter(|payer| !payer.is_empty());
        let payer = payer.ok_or_else(|| wrong("a payment inside Alipay needs its payer"))?;
        if is_user_number(payer) {
            content.buyer_id = Some(payer.to_owned());
        } else {
            content.buyer_open_id = Some(payer.to_owned());
        }
        "JSAPI_PAY".clone_into(&mut content.product_code);
        content.op_app_id = Some(self.config.app_id.clone());
        let (operation, method) = (Operation::Start, "alipay.trade.create");
        let answer = self.call_with_notices(operation, method, &content, now);
        let answer: Created = answer.await?;
        check_same(operation, &content.out_trade_no, &answer.out_trade_no)?;
        Ok(PaymentStarted {
            pay_with: PayWith::InApp {
                fields: json!({ "tradeNO": answer.trade_no }),
            },
            handle: Some(answer.trade_no),
        })
    }

    /// Alipay's page. Nothing is sent: the browser brings the signed request there, and only then
    /// does Alipay know of the payment.
    ///
    /// As an address to go to, since that needs no script and no leave in our pages' content
    /// policy; as a form where the address would be too long.
    fn page(
        &self,
        method: &str,
        content: &Pay,
        start: &StartPayment,
        now: Ts,
    ) -> Result<PaymentStarted, GatewayError> {
        let mut more = vec![("notify_url", self.config.notify_url.as_str())];
        if let Some(return_url) = &start.return_url {
            more.push(("return_url", return_url));
        }
        let parameters = self.signed(Operation::Start, method, content, &more, now)?;
        Ok(PaymentStarted {
            handle: None,
            pay_with: self.pay_page(parameters),
        })
    }

    fn pay_page(&self, parameters: Parameters) -> PayWith {
        let mut url = self.gateway_url.clone();
        url.set_query(Some(&encode(&parameters)));
        if url.as_str().len() <= MAX_PAGE_URL {
            return PayWith::Redirect {
                url: url.to_string(),
            };
        }
        url.set_query(Some("charset=utf-8"));
        PayWith::Form {
            action: url.to_string(),
            fields: parameters,
        }
    }

    pub(super) async fn payment_state(
        &self,
        out_trade_no: &str,
        now: Ts,
    ) -> Result<PaymentState, GatewayError> {
        let operation = Operation::Query;
        check_number(operation, "out_trade_no", out_trade_no)?;
        let content = TradeNumber {
            out_trade_no: out_trade_no.to_owned(),
            query_options: vec!["fund_bill_list".to_owned()],
        };
        let answer = self.call(operation, "alipay.trade.query", &content, now);
        let trade: Trade = match answer.await {
            Err(error) if is_refusal(&error, "TRADE_NOT_EXIST") => {
                return Ok(PaymentState::NotFound);
            }
            answer => answer?,
        };
        check_same(operation, out_trade_no, &trade.out_trade_no)?;
        read_trade(trade, now).map_err(|reason| operation.unanswered(GATEWAY, reason))
    }

    /// A payment that no browser has brought to Alipay yet can't be closed there. Its page can
    /// still be opened until its time is over; money that comes that way is late money.
    pub(super) async fn close_payment(
        &self,
        out_trade_no: &str,
        now: Ts,
    ) -> Result<(), GatewayError> {
        let operation = Operation::Close;
        check_number(operation, "out_trade_no", out_trade_no)?;
        let content = TradeNumber {
            out_trade_no: out_trade_no.to_owned(),
            query_options: Vec::new(),
        };
        let answer = self.call::<Closed>(operation, "alipay.trade.close", &content, now);
        match answer.await {
            Err(error)
                if ["TRADE_NOT_EXIST", "TRADE_HAS_CLOSE"]
                    .iter()
                    .any(|code| is_refusal(&error, code)) =>
            {
                Ok(())
            }
            answer => answer.map(drop),
        }
    }
}

/// What is the same for all methods.
fn content(start: &StartPayment, now: Ts) -> Result<Pay, GatewayError> {
    let payment = &start.payment;
    check_number(Operation::Start, "out_trade_no", &payment.out_trade_no)?;
    check_amount(Operation::Start, payment.amount)?;
    if payment.expires_at <= now {
        return Err(wrong("the payment's time is over"));
    }
    let subject = subject(&start.description);
    if subject.trim().is_empty() {
        return Err(wrong("a payment needs a description"));
    }
    Ok(Pay {
        out_trade_no: payment.out_trade_no.clone(),
        total_amount: payment.amount.to_decimal(),
        subject,
        time_expire: Some(beijing_time(payment.expires_at)),
        ..Pay::default()
    })
}

/// What a trade, as the query tells it, says of our payment.
pub(super) fn read_trade(trade: Trade, now: Ts) -> Result<PaymentState, String> {
    match trade.trade_status.as_str() {
        "WAIT_BUYER_PAY" => Ok(PaymentState::Open),
        "TRADE_SUCCESS" | "TRADE_FINISHED" => paid(trade, now).map(PaymentState::Paid),
        // Closed means two things: the time ran out, or all of it went back later on. That a
        // refund emptied it doesn't undo that it was paid.
        "TRADE_CLOSED" if was_paid(&trade) => paid(trade, now).map(PaymentState::Paid),
        "TRADE_CLOSED" => Ok(PaymentState::Closed),
        other => Err(format!("trade_status `{other}` is not known")),
    }
}

/// A trade that nobody paid has no payment date, no means of payment and only zero amounts.
fn was_paid(trade: &Trade) -> bool {
    let amounts = [&trade.receipt_amount, &trade.buyer_pay_amount];
    trade
        .send_pay_date
        .as_ref()
        .is_some_and(|date| !date.is_empty())
        || amounts.into_iter().flatten().any(Yuan::is_positive)
        || trade
            .fund_bill_list
            .iter()
            .any(|bill| bill.amount.is_positive())
}

fn paid(trade: Trade, now: Ts) -> Result<PaidNotice, String> {
    let amount = trade.total_amount.money();
    Ok(PaidNotice {
        out_trade_no: trade.out_trade_no,
        transaction_id: trade.trade_no.ok_or("a paid trade has no trade_no")?,
        amount: amount.map_err(|reason| format!("total_amount: {reason}"))?,
        paid_at: time_or(now, "send_pay_date", trade.send_pay_date.as_deref())?,
    })
}

fn check_same(operation: Operation, asked: &str, told: &str) -> Result<(), GatewayError> {
    if asked == told {
        return Ok(());
    }
    Err(operation.unanswered(GATEWAY, format!("asked for {asked}, told {told}")))
}

fn wrong(message: &str) -> GatewayError {
    Operation::Start.refused(GATEWAY, "INVALID_PARAMETER", message)
}

/// `2088` and twelve more digits; identities in one app only (`buyer_open_id`) look otherwise.
fn is_user_number(payer: &str) -> bool {
    payer.len() == 16 && payer.starts_with("2088") && payer.bytes().all(|b| b.is_ascii_digit())
}

/// A description as Alipay takes it: without the characters that it refuses (`/=&`) and those that
/// would break its bill's lines, each in its wide form, which reads the same.
fn subject(description: &str) -> String {
    let plain: String = description
        .chars()
        .filter(|character| !character.is_control())
        .map(|character| match character {
            '/' => '／',
            '=' => '＝',
            '&' => '＆',
            ',' => '，',
            '"' => '＂',
            other => other,
        })
        .collect();
    cut(&plain, MAX_SUBJECT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Money;

    const NOW: &str = "2025-11-20T03:00:00Z";

    fn read(json: serde_json::Value) -> Result<PaymentState, String> {
        let mut trade = json!({
            "code": "10000", "msg": "Success", "out_trade_no": "CN202511200001",
            "trade_no": "2025112022001400000000000001", "total_amount": "30.00",
            "buyer_pay_amount": "0.00", "invoice_amount": "0.00", "point_amount": "0.00",
            "receipt_amount": "0.00", "buyer_logon_id": "159****5620"
        });
        let serde_json::Value::Object(fields) = json else {
            panic!("no object")
        };
        trade.as_object_mut().unwrap().extend(fields);
        read_trade(
            serde_json::from_value(trade).unwrap(),
            Ts::parse(NOW).unwrap(),
        )
    }

    fn paid_at(at: &str) -> PaymentState {
        PaymentState::Paid(PaidNotice {
            out_trade_no: "CN202511200001".to_owned(),
            transaction_id: "2025112022001400000000000001".to_owned(),
            amount: Money::fen(3000),
            paid_at: Ts::parse(at).unwrap(),
        })
    }

    #[test]
    fn a_trade_is_read_by_its_status() {
        assert_eq!(
            read(json!({"trade_status": "WAIT_BUYER_PAY"})),
            Ok(PaymentState::Open)
        );
        for status in ["TRADE_SUCCESS", "TRADE_FINISHED"] {
            let trade = json!({"trade_status": status, "send_pay_date": "2025-11-20 10:00:00"});
            assert_eq!(read(trade), Ok(paid_at("2025-11-20T02:00:00Z")), "{status}");
        }
        // Paid is paid, with or without a date; with one that is none, it is not believed.
        assert_eq!(
            read(json!({"trade_status": "TRADE_SUCCESS"})),
            Ok(paid_at(NOW))
        );
        for trade in [
            json!({"trade_status": "TRADE_SUCCESS", "send_pay_date": "yesterday"}),
            json!({"trade_status": "TRADE_SUCCESS", "trade_no": null}),
            json!({"trade_status": "TRADE_SUCCESS", "total_amount": "thirty"}),
            json!({"trade_status": "TRADE_PENDING"}),
        ] {
            assert!(read(trade.clone()).is_err(), "{trade}");
        }
    }

    #[test]
    fn closed_is_either_never_paid_or_refunded_in_full() {
        // Time ran out, or we closed it: nothing says that anything was paid.
        assert_eq!(
            read(json!({"trade_status": "TRADE_CLOSED"})),
            Ok(PaymentState::Closed)
        );
        // Refunded in full: the payment's own facts stay.
        for (fact, at) in [
            (
                json!({"send_pay_date": "2025-11-20 10:00:00"}),
                "2025-11-20T02:00:00Z",
            ),
            (json!({"receipt_amount": "30.00"}), NOW),
            (json!({"buyer_pay_amount": "29.00"}), NOW),
            (
                json!({"fund_bill_list": [{"fund_channel": "PCREDIT", "amount": "30.00"}]}),
                NOW,
            ),
        ] {
            let mut trade = fact.clone();
            trade["trade_status"] = json!("TRADE_CLOSED");
            assert_eq!(read(trade), Ok(paid_at(at)), "{fact}");
        }
    }

    #[test]
    fn a_subject_has_none_of_the_characters_that_alipay_refuses() {
        assert_eq!(
            subject("复诊/初诊=\"30\"&1,2\n"),
            "复诊／初诊＝＂30＂＆1，2"
        );
        assert_eq!(subject(&"诊".repeat(300)).chars().count(), 256);
    }

    #[test]
    fn a_payer_is_a_user_number_or_an_identity_in_the_app() {
        assert!(is_user_number("2088102122524333"));
        for other in [
            "2088",
            "208810212252433x",
            "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5",
        ] {
            assert!(!is_user_number(other), "{other}");
        }
    }
}
