//! Purchases: the form that opens one, how it stands, and the end of its time.

use super::UnionPay;
use super::codes::{GATEWAY, NOT_FOUND, Standing, not_done, standing};
use super::fields::Fields;
use super::time::order_time;
use super::wire::{MAX_FEN, RENMINBI, amount, moved_at};
use crate::gateway::{
    GatewayError, Operation, PaidNotice, PaymentRef, PaymentStarted, PaymentState, StartPayment,
};
use domain::payment::{Method, PayWith};
use domain::{Currency, Money, Span, Ts};

/// How long after payTimeout UnionPay may still be finishing a payment that was begun before it.
pub(super) const GRACE: Span = Span::minutes(1);

/// What UnionPay shows of a commodity's name, in characters.
const MAX_COMMODITY: usize = 60;

impl UnionPay {
    /// The signed form that the payer's browser posts to UnionPay. Nothing is sent from here, so
    /// this can be repeated at will; the same attempt always gives the same order.
    pub(super) fn purchase_form(
        &self,
        start: &StartPayment,
    ) -> Result<PaymentStarted, GatewayError> {
        let (operation, payment) = (Operation::Start, &start.payment);
        if payment.method != Method::FRONT {
            let message = format!("UnionPay has no method `{}`", payment.method);
            return Err(operation.refused(GATEWAY, "PARAM_ERROR", &message));
        }
        check_order_id(operation, &payment.out_trade_no)?;
        check_amount(operation, payment.amount)?;
        let front_url = start.return_url.as_ref().unwrap_or(&self.config.front_url);
        let mut fields = self
            .request("01", "01", "000201")
            .with("channelType", &self.config.channel_type)
            .with("orderId", &payment.out_trade_no)
            .with("txnTime", order_time(payment.created_at))
            .with("txnAmt", payment.amount.amount.to_string())
            .with("currencyCode", RENMINBI)
            .with("payTimeout", order_time(payment.expires_at))
            .with("frontUrl", front_url)
            .with("backUrl", &self.config.notify_url);
        let commodity = commodity_name(&start.description);
        if !commodity.is_empty() {
            fields.set("riskRateInfo", format!("{{commodityName={commodity}}}"));
        }
        Ok(PaymentStarted {
            handle: None,
            pay_with: PayWith::Form {
                action: self.urls.front.to_string(),
                fields: self.sign(operation, fields)?.into_map(),
            },
        })
    }

    pub(super) async fn payment_state(
        &self,
        operation: Operation,
        payment: &PaymentRef,
        now: Ts,
    ) -> Result<PaymentState, GatewayError> {
        check_order_id(operation, &payment.out_trade_no)?;
        let answer = self
            .query_transaction(operation, &payment.out_trade_no, payment.created_at, now)
            .await?;
        match code_and_message(&answer) {
            ("00", _) => {}
            (NOT_FOUND, _) => return Ok(not_found(payment, now)),
            (code, message) => return Err(not_done(operation, code, message)),
        }
        let code = answer
            .required("origRespCode")
            .map_err(|reason| operation.unanswered(GATEWAY, reason))?;
        let message = answer.get("origRespMsg").unwrap_or_default();
        let reason = format!("{code}: {message}");
        match standing(code) {
            Standing::Done => paid_notice(&answer)
                .map(PaymentState::Paid)
                .map_err(|reason| operation.unanswered(GATEWAY, reason)),
            // Not a full success, and no failure: the settlement file or UnionPay's people say what
            // became of the money. Until then it stays unknown (spec 20).
            Standing::Flawed => {
                let reason = format!("the payment is neither done nor failed: {reason}");
                Err(operation.unanswered(GATEWAY, reason))
            }
            Standing::Running => Ok(PaymentState::Open),
            Standing::NotFound => Ok(not_found(payment, now)),
            // UnionPay's page lets the payer try again with another card until payTimeout, so a
            // failed try ends nothing before that. After it, "what is not 00 or A6 has failed"
            // (UnionPay's samples). What a bank takes later than that, UnionPay gives back by
            // itself.
            Standing::Failed if is_over(payment, now) => Ok(PaymentState::Failed { reason }),
            Standing::Failed => Ok(PaymentState::Open),
        }
    }

    /// UnionPay has no call that closes an order: only payTimeout ends it. So a close succeeds only
    /// when that is over and a query says that nothing was paid.
    pub(super) async fn close_payment(
        &self,
        payment: &PaymentRef,
        now: Ts,
    ) -> Result<(), GatewayError> {
        let operation = Operation::Close;
        if !is_over(payment, now) {
            let reason = format!(
                "UnionPay can't close an order: this one stays payable until {}",
                payment.expires_at
            );
            return Err(operation.unavailable(GATEWAY, reason));
        }
        // A question, so that an answer that fails to come is no "perhaps closed".
        match self.payment_state(Operation::Query, payment, now).await? {
            PaymentState::Closed | PaymentState::Failed { .. } | PaymentState::NotFound => Ok(()),
            PaymentState::Paid(paid) => {
                let message = format!("the order is paid: {}", paid.transaction_id);
                Err(operation.refused(GATEWAY, "ORDER_PAID", &message))
            }
            PaymentState::Open | PaymentState::Approved => {
                let reason = "the payment is still under way at UnionPay: ask again";
                Err(operation.unavailable(GATEWAY, reason))
            }
        }
    }
}

/// Whether UnionPay takes no more money for it.
fn is_over(payment: &PaymentRef, now: Ts) -> bool {
    now > payment.expires_at + GRACE
}

/// Before payTimeout the form may still be posted; after it, it never can be.
fn not_found(payment: &PaymentRef, now: Ts) -> PaymentState {
    if is_over(payment, now) {
        PaymentState::Closed
    } else {
        PaymentState::NotFound
    }
}

/// What a query's answer or a notice says of a payment that was made.
pub(super) fn paid_notice(fields: &Fields) -> Result<PaidNotice, String> {
    Ok(PaidNotice {
        out_trade_no: fields.required("orderId")?.to_owned(),
        transaction_id: fields.required("queryId")?.to_owned(),
        amount: amount(fields)?,
        paid_at: moved_at(fields)?,
    })
}

/// An answer's code and its words; without a code it is the empty one, which is no success.
pub(super) fn code_and_message(answer: &Fields) -> (&str, &str) {
    let text = |name| answer.get(name).unwrap_or_default();
    (text("respCode"), text("respMsg"))
}

/// Refuses here what UnionPay would refuse.
pub(super) fn check_order_id(operation: Operation, number: &str) -> Result<(), GatewayError> {
    let fits =
        (8..=40).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits {
        return Ok(());
    }
    let message = format!("orderId `{number}` must be 8 to 40 letters and digits");
    Err(operation.refused(GATEWAY, "PARAM_ERROR", &message))
}

pub(super) fn check_amount(operation: Operation, amount: Money) -> Result<(), GatewayError> {
    if amount.currency == Currency::CNY && (1..=MAX_FEN).contains(&amount.amount) {
        return Ok(());
    }
    let message = format!("UnionPay takes CNY of 1 to {MAX_FEN} fen, not {amount}");
    Err(operation.refused(GATEWAY, "PARAM_ERROR", &message))
}

/// The description without the characters that UnionPay's own way of reading would trip over.
fn commodity_name(description: &str) -> String {
    description
        .chars()
        .filter(|character| !character.is_control() && !"&={}[]\"'<>".contains(*character))
        .take(MAX_COMMODITY)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_the_message_is_left_out_of_the_description() {
        assert_eq!(commodity_name("复诊 & {问诊}=\"费\"\n"), "复诊  问诊费");
        assert_eq!(commodity_name("&&&"), "");
        assert_eq!(
            commodity_name(&"药".repeat(100)).chars().count(),
            MAX_COMMODITY
        );
    }
}
