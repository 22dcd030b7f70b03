//! Refunds: send and query. Alipay gives them no number of its own; ours stands for both.

use super::errors::{GATEWAY, is_refusal};
use super::wire::{Refund, RefundFound, RefundNumber, Refunded, Yuan};
use super::{Alipay, check_amount, check_number, cut, time_or};
use crate::gateway::{GatewayError, Operation, RefundRef, RefundState, StartRefund};
use domain::{Span, Ts};

/// Alipay takes no more of a reason.
const MAX_REASON: usize = 256;
/// A query that comes sooner after the request may miss the refund (`fastpay.refund.query`).
const SETTLES_WITHIN: Span = Span::seconds(10);

impl Alipay {
    pub(super) async fn send_refund(
        &self,
        start: &StartRefund,
        now: Ts,
    ) -> Result<RefundState, GatewayError> {
        let (operation, refund) = (Operation::Refund, &start.refund);
        check_number(operation, "out_trade_no", &refund.payment.out_trade_no)?;
        check_number(operation, "out_request_no", &refund.out_refund_no)?;
        check_amount(operation, refund.amount)?;
        if refund.total.currency != refund.amount.currency {
            let message = "refund and payment are in different currencies";
            return Err(operation.refused(GATEWAY, "INVALID_PARAMETER", message));
        }
        let content = Refund {
            out_trade_no: refund.payment.out_trade_no.clone(),
            refund_amount: refund.amount.to_decimal(),
            out_request_no: refund.out_refund_no.clone(),
            refund_reason: Some(cut(&start.reason, MAX_REASON)).filter(|text| !text.is_empty()),
        };
        let answer = self.call(operation, "alipay.trade.refund", &content, now);
        read_refund(answer.await?, refund, now)
            .map_err(|reason| operation.unanswered(GATEWAY, reason))
    }

    pub(super) async fn refund_state(
        &self,
        refund: &RefundRef,
        now: Ts,
    ) -> Result<RefundState, GatewayError> {
        let operation = Operation::QueryRefund;
        check_number(operation, "out_trade_no", &refund.payment.out_trade_no)?;
        check_number(operation, "out_request_no", &refund.out_refund_no)?;
        let content = RefundNumber {
            out_trade_no: refund.payment.out_trade_no.clone(),
            out_request_no: refund.out_refund_no.clone(),
            query_options: vec!["gmt_refund_pay".to_owned()],
        };
        let answer = self.call(
            operation,
            "alipay.trade.fastpay.refund.query",
            &content,
            now,
        );
        match answer.await {
            Err(error) if is_refusal(&error, "TRADE_NOT_EXIST") => Ok(RefundState::NotFound),
            answer => read_found(&answer?, refund, now)
                .map_err(|reason| operation.unanswered(GATEWAY, reason)),
        }
    }
}

/// What the answer to a request says.
fn read_refund(answer: Refunded, refund: &RefundRef, now: Ts) -> Result<RefundState, String> {
    check_same(
        "out_trade_no",
        &refund.payment.out_trade_no,
        &answer.out_trade_no,
    )?;
    match answer.fund_change.as_deref() {
        Some("Y") => {
            let all = answer
                .refund_fee
                .ok_or("a refund that was made has no refund_fee")?;
            let all = all
                .money()
                .map_err(|reason| format!("refund_fee: {reason}"))?;
            if all.amount < refund.amount.amount {
                return Err(format!("asked for {}, told {all} in all", refund.amount));
            }
            succeeded(refund, now, answer.gmt_refund_pay.as_deref())
        }
        // No money moved now: it did at an earlier request with this number, or it is not known
        // yet. The query tells.
        Some("N") | None => Ok(RefundState::Processing { refund_id: None }),
        Some(other) => Err(format!("fund_change `{other}` is not known")),
    }
}

/// What the query says. Its code says only that it was asked well.
fn read_found(found: &RefundFound, refund: &RefundRef, now: Ts) -> Result<RefundState, String> {
    let given = found
        .refund_amount
        .as_ref()
        .filter(|amount| amount.is_positive());
    match (found.refund_status.as_deref().unwrap_or_default(), given) {
        // Older versions have no status, only the amount.
        ("REFUND_SUCCESS", _) | ("", Some(_)) => {
            let payment = &refund.payment.out_trade_no;
            let names = |told: &Option<String>| told.clone().unwrap_or_default();
            check_same("out_trade_no", payment, &names(&found.out_trade_no))?;
            let request = names(&found.out_request_no);
            check_same("out_request_no", &refund.out_refund_no, &request)?;
            check_given(refund, given)?;
            succeeded(refund, now, found.gmt_refund_pay.as_deref())
        }
        ("", None) if now.since(refund.sent_at) < SETTLES_WITHIN => {
            Ok(RefundState::Processing { refund_id: None })
        }
        // Never arrived, or failed: the same number may be sent again.
        ("", None) => Ok(RefundState::NotFound),
        // From memory, of the asynchronous refund that older versions had: check before going
        // live.
        ("REFUND_PROCESSING", _) => Ok(RefundState::Processing { refund_id: None }),
        ("REFUND_FAIL", _) => Ok(RefundState::Failed {
            reason: "REFUND_FAIL".to_owned(),
        }),
        (other, _) => Err(format!("refund_status `{other}` is not known")),
    }
}

fn check_given(refund: &RefundRef, given: Option<&Yuan>) -> Result<(), String> {
    let given = given.ok_or("a refund that was made has no refund_amount")?;
    let given = given
        .money()
        .map_err(|reason| format!("refund_amount: {reason}"))?;
    if given == refund.amount {
        return Ok(());
    }
    Err(format!("asked for {}, told {given}", refund.amount))
}

fn succeeded(refund: &RefundRef, now: Ts, at: Option<&str>) -> Result<RefundState, String> {
    Ok(RefundState::Succeeded {
        refund_id: refund.out_refund_no.clone(),
        at: time_or(now, "gmt_refund_pay", at)?,
    })
}

fn check_same(name: &str, asked: &str, told: &str) -> Result<(), String> {
    if asked == told {
        return Ok(());
    }
    Err(format!("asked for {name} {asked}, told `{told}`"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, refund_ref};
    use super::*;
    use serde_json::{Value, json};

    fn sent(answer: Value) -> Result<RefundState, String> {
        let mut all = json!({"code": "10000", "out_trade_no": "CN202511200001", "trade_no": "1"});
        let Value::Object(fields) = answer else {
            panic!("no object")
        };
        all.as_object_mut().unwrap().extend(fields);
        let answer = serde_json::from_value(all).unwrap();
        read_refund(answer, &refund_ref(), at("2025-11-20T04:00:00Z"))
    }

    fn found(answer: Value, now: &str) -> Result<RefundState, String> {
        read_found(
            &serde_json::from_value(answer).unwrap(),
            &refund_ref(),
            at(now),
        )
    }

    fn made(time: &str) -> Result<RefundState, String> {
        Ok(RefundState::Succeeded {
            refund_id: refund_ref().out_refund_no,
            at: at(time),
        })
    }

    #[test]
    fn money_that_moved_now_is_back() {
        // `refund_fee` counts all refunds of the payment.
        for fee in ["10.00", "25.00"] {
            let answer = json!({"fund_change": "Y", "refund_fee": fee});
            assert_eq!(sent(answer), made("2025-11-20T04:00:00Z"), "{fee}");
        }
        let answer = json!({
            "fund_change": "Y", "refund_fee": "10.00", "gmt_refund_pay": "2025-11-20 12:00:01"
        });
        assert_eq!(sent(answer), made("2025-11-20T04:00:01Z"));
    }

    #[test]
    fn money_that_did_not_move_now_is_asked_about() {
        for answer in [
            json!({"fund_change": "N", "refund_fee": "10.00"}),
            json!({}),
        ] {
            let expected = RefundState::Processing { refund_id: None };
            assert_eq!(sent(answer.clone()), Ok(expected), "{answer}");
        }
        for answer in [
            json!({"fund_change": "Y", "refund_fee": "9.99"}),
            json!({"fund_change": "Y"}),
            json!({"fund_change": "X"}),
            json!({"fund_change": "Y", "refund_fee": "10.00", "out_trade_no": "another"}),
        ] {
            assert!(sent(answer.clone()).is_err(), "{answer}");
        }
    }

    #[test]
    fn only_the_status_says_that_it_is_back() {
        let numbers = json!({
            "code": "10000", "out_trade_no": "CN202511200001",
            "out_request_no": "RF202511200001", "refund_amount": "10.00",
            "gmt_refund_pay": "2025-11-20 12:00:01"
        });
        let late = "2025-11-20T05:00:00Z";
        let mut new = numbers.clone();
        new["refund_status"] = json!("REFUND_SUCCESS");
        assert_eq!(found(new.clone(), late), made("2025-11-20T04:00:01Z"));
        // As versions before 2020 said it.
        assert_eq!(found(numbers, late), made("2025-11-20T04:00:01Z"));
        for (name, value) in [
            ("out_trade_no", "another"),
            ("out_request_no", "another"),
            ("refund_amount", "9.99"),
            ("refund_status", "REFUND_SOMEHOW"),
        ] {
            let mut other = new.clone();
            other[name] = json!(value);
            assert!(found(other, late).is_err(), "{name}");
        }
    }

    #[test]
    fn no_refund_is_believed_ten_seconds_after_the_request() {
        let nothing = json!({"code": "10000", "msg": "Success"});
        let soon = found(nothing.clone(), "2025-11-20T04:00:09.999Z");
        assert_eq!(soon, Ok(RefundState::Processing { refund_id: None }));
        let late = found(nothing.clone(), "2025-11-20T04:00:10Z");
        assert_eq!(late, Ok(RefundState::NotFound));
        let mut failed = nothing;
        failed["refund_status"] = json!("REFUND_FAIL");
        let failed = found(failed, "2025-11-20T05:00:00Z");
        assert!(matches!(failed, Ok(RefundState::Failed { .. })));
    }
}
