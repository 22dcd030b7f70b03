//! What an answer that says no means: refused, not now, or unknown (spec 20).

use super::wire::ErrorAnswer;
use crate::gateway::{GatewayError, Operation};
use domain::payment::GatewayName;

/// The gateway's name in errors, the API and the database.
pub(super) const GATEWAY: GatewayName = GatewayName::WECHAT;

/// Sorts an answer whose status is not 2xx. WeChat's tables spell codes with and without
/// underscores, so they are compared without.
pub(super) fn classify(operation: Operation, status: u16, body: &[u8]) -> GatewayError {
    let Ok(ErrorAnswer { code, message }) = serde_json::from_slice(body) else {
        // Not WeChat's own words: a proxy or a broken front. Too many requests is the one status
        // that says that nothing was done.
        let reason = format!("answer {status} without a WeChat error code");
        return match status {
            429 => operation.unavailable(GATEWAY, reason),
            _ => operation.unanswered(GATEWAY, reason),
        };
    };
    let reason = format!("answer {status} {code}: {message}");
    match (status, plain(&code).as_str()) {
        (429, _) | (_, "FREQUENCYLIMITED" | "FREQUENCYLIMITEXCEED" | "RATELIMITEXCEED") => {
            operation.unavailable(GATEWAY, reason)
        }
        // Documented with status 500, but they are decisions about the request.
        (_, "OPENIDMISMATCH" | "INVALIDTRANSACTIONID") => {
            operation.refused(GATEWAY, &code, &message)
        }
        // Asked too early: the bill is being made.
        (_, "STATEMENTCREATING") => operation.unavailable(GATEWAY, reason),
        (_, "SYSTEMERROR" | "BANKERROR") => operation.unanswered(GATEWAY, reason),
        (400..=499, _) => operation.refused(GATEWAY, &code, &message),
        _ => operation.unanswered(GATEWAY, reason),
    }
}

/// Whether the error is a refusal with this code, whatever its underscores.
pub(super) fn is_refusal(error: &GatewayError, expected: &str) -> bool {
    matches!(error, GatewayError::Refused { code, .. } if plain(code) == plain(expected))
}

fn plain(code: &str) -> String {
    code.replace('_', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(operation: Operation, status: u16, body: &str) -> &'static str {
        match classify(operation, status, body.as_bytes()) {
            GatewayError::Refused { .. } => "refused",
            GatewayError::Unavailable { .. } => "unavailable",
            GatewayError::Unknown { .. } => "unknown",
        }
    }

    #[test]
    fn the_three_kinds_never_mix() {
        use Operation::{Bill, Close, Query, QueryRefund, Refund, Start};
        let cases = [
            (
                Refund,
                403,
                r#"{"code":"NOT_ENOUGH","message":"余额不足"}"#,
                "refused",
            ),
            (
                Start,
                500,
                r#"{"code":"OPENID_MISMATCH","message":""}"#,
                "refused",
            ),
            (
                Start,
                401,
                r#"{"code":"SIGN_ERROR","message":""}"#,
                "refused",
            ),
            (
                Refund,
                429,
                r#"{"code":"FREQUENCY_LIMITED","message":""}"#,
                "unavailable",
            ),
            (Refund, 403, r#"{"code":"FREQUENCYLIMITED"}"#, "unavailable"),
            (Start, 429, "<html>", "unavailable"),
            (
                Refund,
                500,
                r#"{"code":"SYSTEMERROR","message":""}"#,
                "unknown",
            ),
            (Close, 503, "", "unknown"),
            (Start, 404, "<html>", "unknown"),
            (Refund, 302, "", "unknown"),
            (Query, 503, "", "unavailable"),
            (
                Bill,
                400,
                r#"{"code":"STATEMENT_CREATING","message":"账单生成中"}"#,
                "unavailable",
            ),
            (
                QueryRefund,
                500,
                r#"{"code":"SYSTEM_ERROR"}"#,
                "unavailable",
            ),
        ];
        for (operation, status, body, expected) in cases {
            assert_eq!(
                kind(operation, status, body),
                expected,
                "{operation:?} {status} {body}"
            );
        }
    }

    #[test]
    fn codes_are_compared_without_underscores() {
        let error = classify(Operation::Close, 400, br#"{"code":"ORDERCLOSED"}"#);
        assert!(is_refusal(&error, "ORDER_CLOSED"));
    }
}
