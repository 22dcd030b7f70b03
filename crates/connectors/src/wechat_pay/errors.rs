//! What an answer that says no means: refused, not now, or unknown (spec 20).

use super::wire::ErrorAnswer;
use crate::gateway::GatewayError;

/// The gateway's name in errors, the API and the database.
pub(super) const GATEWAY: &str = "wechat";

/// What is being asked of WeChat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Prepay,
    Query,
    Close,
    Refund,
    QueryRefund,
}

impl Operation {
    /// As errors and the log name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Prepay => "prepay",
            Self::Query => "query",
            Self::Close => "close",
            Self::Refund => "refund",
            Self::QueryRefund => "query_refund",
        }
    }

    /// Whether WeChat may have done something although we have no answer.
    const fn writes(self) -> bool {
        match self {
            Self::Prepay | Self::Close | Self::Refund => true,
            Self::Query | Self::QueryRefund => false,
        }
    }

    /// The gateway said no for good.
    pub(super) fn refused(self, code: &str, message: &str) -> GatewayError {
        GatewayError::Refused {
            gateway: GATEWAY,
            operation: self.name(),
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    /// The gateway did nothing and may be asked again.
    pub(super) fn unavailable(self, reason: impl Into<String>) -> GatewayError {
        GatewayError::Unavailable {
            gateway: GATEWAY,
            operation: self.name(),
            reason: reason.into(),
        }
    }

    /// No usable answer came. A write may have been done; a question may simply be asked again.
    pub(super) fn unanswered(self, reason: impl Into<String>) -> GatewayError {
        if self.writes() {
            GatewayError::Unknown {
                gateway: GATEWAY,
                operation: self.name(),
                reason: reason.into(),
            }
        } else {
            self.unavailable(reason)
        }
    }
}

/// Sorts an answer whose status is not 2xx. WeChat's tables spell codes with and without
/// underscores, so they are compared without.
pub(super) fn classify(operation: Operation, status: u16, body: &[u8]) -> GatewayError {
    let Ok(ErrorAnswer { code, message }) = serde_json::from_slice(body) else {
        // Not WeChat's own words: a proxy or a broken front. Too many requests is the one status
        // that says that nothing was done.
        let reason = format!("answer {status} without a WeChat error code");
        return match status {
            429 => operation.unavailable(reason),
            _ => operation.unanswered(reason),
        };
    };
    let reason = format!("answer {status} {code}: {message}");
    match (status, plain(&code).as_str()) {
        (429, _) | (_, "FREQUENCYLIMITED" | "FREQUENCYLIMITEXCEED" | "RATELIMITEXCEED") => {
            operation.unavailable(reason)
        }
        // Documented with status 500, but they are decisions about the request.
        (_, "OPENIDMISMATCH" | "INVALIDTRANSACTIONID") => operation.refused(&code, &message),
        (_, "SYSTEMERROR" | "BANKERROR") => operation.unanswered(reason),
        (400..=499, _) => operation.refused(&code, &message),
        _ => operation.unanswered(reason),
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
        use Operation::{Close, Prepay, Query, QueryRefund, Refund};
        let cases = [
            (
                Refund,
                403,
                r#"{"code":"NOT_ENOUGH","message":"余额不足"}"#,
                "refused",
            ),
            (
                Prepay,
                500,
                r#"{"code":"OPENID_MISMATCH","message":""}"#,
                "refused",
            ),
            (
                Prepay,
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
            (Prepay, 429, "<html>", "unavailable"),
            (
                Refund,
                500,
                r#"{"code":"SYSTEMERROR","message":""}"#,
                "unknown",
            ),
            (Close, 503, "", "unknown"),
            (Prepay, 404, "<html>", "unknown"),
            (Refund, 302, "", "unknown"),
            (Query, 503, "", "unavailable"),
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
