//! What an answer that says no means: refused, not now, or unknown (spec 20).
//!
//! Alipay's answers come with HTTP 200; `code` says at which door the request ended, `sub_code`
//! why (Alipay OpenAPI, public error codes, and each method's own).

use super::answer::Head;
use crate::gateway::{GatewayError, Operation};
use domain::payment::GatewayName;

/// The gateway's name in errors, the API and the database.
pub(super) const GATEWAY: GatewayName = GatewayName::ALIPAY;

/// The code of an answer that says yes.
pub(super) const SUCCESS: &str = "10000";

/// Sorts an answer whose code is not [`SUCCESS`].
pub(super) fn classify(operation: Operation, head: &Head) -> GatewayError {
    let sub_code = head.sub_code.as_deref().unwrap_or_default();
    let code = if sub_code.is_empty() {
        &head.code
    } else {
        sub_code
    };
    let message = head.sub_msg.as_deref().unwrap_or(&head.msg);
    let reason = format!("answer {} {sub_code}: {message}", head.code);
    match head.code.as_str() {
        // Too many requests, told in both ways: turned away before anything was done.
        "40005" => operation.unavailable(GATEWAY, reason),
        _ if sub_code.ends_with("call-limited") => operation.unavailable(GATEWAY, reason),
        // The gateway is up, and what stands behind it did not answer, so that it may have done it.
        "20000" => operation.unanswered(GATEWAY, reason),
        // The gateway's own doors: token, missing, wrong, forbidden. Nothing got behind them.
        "20001" | "40001" | "40002" | "40003" | "40006" => {
            operation.refused(GATEWAY, code, message)
        }
        "40004" if is_decision(operation, sub_code) => operation.refused(GATEWAY, code, message),
        // `10003` (waiting for the payer) belongs to a method that is not used here; it and any
        // code that is not known decide nothing.
        _ => operation.unanswered(GATEWAY, reason),
    }
}

/// Whether a method's own error is a decision against the request, and nothing was done.
fn is_decision(operation: Operation, sub_code: &str) -> bool {
    match plain(sub_code) {
        // Documented as "ask again with the same parameters".
        "" | "SYSTEM_ERROR" | "UNKNOWN_ERROR" | "isp.unknow-error" | "aop.unknow-error" => false,
        // Something was done under this number: the query says what.
        "TRADE_HAS_SUCCESS" => operation != Operation::Start,
        "DISCORDANT_REPEAT_REQUEST" => operation != Operation::Refund,
        _ => true,
    }
}

/// Sorts an answer that is none of Alipay's: a proxy or a broken front. Too many requests is the
/// one status that says that nothing was done.
pub(super) fn not_an_answer(operation: Operation, status: u16, why: &str) -> GatewayError {
    let reason = format!("answer {status}: {why}");
    match status {
        429 => operation.unavailable(GATEWAY, reason),
        _ => operation.unanswered(GATEWAY, reason),
    }
}

/// Whether an answer without a signature may be taken for what it says. The gateway can't sign
/// where it does not know for whom (a wrong app or signature); what a method decided is signed.
pub(super) fn may_be_unsigned(code: &str) -> bool {
    matches!(
        code,
        "20000" | "20001" | "40001" | "40002" | "40003" | "40005" | "40006"
    )
}

/// Whether the error is a refusal with this code, in the trade methods' form or without `ACQ.`.
pub(super) fn is_refusal(error: &GatewayError, expected: &str) -> bool {
    matches!(error, GatewayError::Refused { code, .. } if plain(code) == expected)
}

/// The code without the prefixes that some methods and some versions put before it.
fn plain(code: &str) -> &str {
    let code = code.strip_prefix("aop.ACQ.").unwrap_or(code);
    code.strip_prefix("ACQ.").unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(code: &str, sub_code: &str) -> Head {
        Head {
            code: code.to_owned(),
            msg: "Business Failed".to_owned(),
            sub_code: Some(sub_code.to_owned()).filter(|code| !code.is_empty()),
            sub_msg: None,
        }
    }

    fn kind(error: &GatewayError) -> &'static str {
        match error {
            GatewayError::Refused { .. } => "refused",
            GatewayError::Unavailable { .. } => "unavailable",
            GatewayError::Unknown { .. } => "unknown",
        }
    }

    #[test]
    fn the_three_kinds_never_mix() {
        use Operation::{Bill, Close, Query, QueryRefund, Refund, Start};
        let cases = [
            (Refund, "40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", "refused"),
            (Refund, "40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "refused"),
            (Refund, "40004", "ACQ.TRADE_HAS_FINISHED", "refused"),
            (
                Refund,
                "40004",
                "ACQ.REASON_TRADE_REFUND_FEE_ERR",
                "refused",
            ),
            (Refund, "40004", "ACQ.SYSTEM_ERROR", "unknown"),
            (Refund, "40004", "aop.ACQ.SYSTEM_ERROR", "unknown"),
            (Refund, "40004", "ACQ.DISCORDANT_REPEAT_REQUEST", "unknown"),
            (Refund, "40004", "", "unknown"),
            (Refund, "20000", "isp.unknow-error", "unknown"),
            (Refund, "20000", "aop.unknow-error", "unknown"),
            (Refund, "40005", "", "unavailable"),
            (Refund, "40002", "isv.app-call-limited", "unavailable"),
            (Refund, "10003", "", "unknown"),
            (Refund, "77777", "", "unknown"),
            (Start, "40002", "isv.invalid-signature", "refused"),
            (Start, "40001", "isv.missing-app-id", "refused"),
            (
                Start,
                "40006",
                "isv.insufficient-isv-permissions",
                "refused",
            ),
            (Start, "20001", "aop.invalid-app-auth-token", "refused"),
            (Start, "40004", "ACQ.TRADE_HAS_CLOSE", "refused"),
            (Start, "40004", "ACQ.CONTEXT_INCONSISTENT", "refused"),
            (Start, "40004", "ACQ.TRADE_HAS_SUCCESS", "unknown"),
            (Close, "40004", "ACQ.TRADE_STATUS_ERROR", "refused"),
            (Close, "40004", "ACQ.TRADE_HAS_SUCCESS", "refused"),
            (Close, "40004", "ACQ.SYSTEM_ERROR", "unknown"),
            (Query, "40004", "ACQ.TRADE_NOT_EXIST", "refused"),
            (Query, "40004", "ACQ.SYSTEM_ERROR", "unavailable"),
            (QueryRefund, "20000", "isp.unknow-error", "unavailable"),
            (Bill, "40004", "isp.bill_not_exist", "refused"),
        ];
        for (operation, code, sub_code, expected) in cases {
            let error = classify(operation, &head(code, sub_code));
            assert_eq!(kind(&error), expected, "{operation:?} {code} {sub_code}");
        }
        assert_eq!(kind(&not_an_answer(Refund, 429, "")), "unavailable");
        assert_eq!(kind(&not_an_answer(Refund, 502, "<html>")), "unknown");
        assert_eq!(kind(&not_an_answer(Query, 502, "<html>")), "unavailable");
    }

    #[test]
    fn a_refusal_is_found_by_its_code_in_both_forms() {
        for code in ["ACQ.TRADE_NOT_EXIST", "TRADE_NOT_EXIST"] {
            let error = classify(Operation::Query, &head("40004", code));
            assert!(is_refusal(&error, "TRADE_NOT_EXIST"), "{error}");
        }
        let other = classify(
            Operation::Query,
            &head("40004", "ACQ.TRADE_NOT_EXIST_EITHER"),
        );
        assert!(!is_refusal(&other, "TRADE_NOT_EXIST"));
        let words = classify(Operation::Close, &head("40002", "isv.invalid-signature"));
        assert!(
            words
                .to_string()
                .contains("isv.invalid-signature: Business Failed"),
            "{words}"
        );
    }
}
