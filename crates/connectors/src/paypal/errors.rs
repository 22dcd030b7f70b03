//! What an answer that says no means: refused, not now, or unknown (spec 20).

use super::wire::{ErrorAnswer, ErrorDetail};
use crate::gateway::{GatewayError, Operation};
use domain::payment::GatewayName;

/// The gateway's name in errors, the API and the database.
pub(super) const GATEWAY: GatewayName = GatewayName::PAYPAL;

/// Sorts an answer whose status is not 2xx (PayPal REST, HTTP status codes and error bodies).
///
/// - 401 after a fresh token: we are not let in. Nothing was done, and once the credentials are
///   right the same number may be sent: not now.
/// - 409 `PREVIOUS_REQUEST_IN_PROGRESS`: an earlier request with the same number is still at work,
///   so whether it is done is unknown.
/// - 429: nothing was done.
/// - Other 4xx with PayPal's own words are decisions about the request, by the first issue.
/// - 5xx, and anything that is not in PayPal's own words: unknown.
pub(super) fn classify(operation: Operation, status: u16, body: &[u8]) -> GatewayError {
    let Ok(answer) = serde_json::from_slice::<ErrorAnswer>(body) else {
        let reason = format!("answer {status} without a PayPal error name");
        return match status {
            401 | 429 => operation.unavailable(GATEWAY, reason),
            _ => operation.unanswered(GATEWAY, reason),
        };
    };
    let ErrorAnswer { name, message, .. } = &answer;
    let (code, words) = match answer.details.first() {
        Some(ErrorDetail { issue, description }) if !issue.is_empty() => (issue, description),
        _ => (name, message),
    };
    let debug_id = Some(answer.debug_id.as_str()).filter(|id| !id.is_empty());
    let debug_id = debug_id.unwrap_or("none");
    tracing::warn!(
        operation = operation.name(),
        status,
        name,
        issue = code,
        debug_id,
        "PayPal said no"
    );
    let reason = format!("answer {status} {code}: {words} (debug_id {debug_id})");
    match status {
        401 | 429 => operation.unavailable(GATEWAY, reason),
        409 => operation.unanswered(GATEWAY, reason),
        400..=499 => operation.refused(GATEWAY, code, words),
        _ => operation.unanswered(GATEWAY, reason),
    }
}

/// The code of a refusal.
pub(super) fn refusal(error: &GatewayError) -> Option<&str> {
    match error {
        GatewayError::Refused { code, .. } => Some(code),
        GatewayError::Unavailable { .. } | GatewayError::Unknown { .. } => None,
    }
}

/// Whether PayPal says that there is nothing of this number.
pub(super) fn is_not_found(error: &GatewayError) -> bool {
    matches!(
        refusal(error),
        Some("RESOURCE_NOT_FOUND" | "INVALID_RESOURCE_ID")
    )
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
        use Operation::{Collect, Query, QueryRefund, Refund, Start};
        let declined = r#"{"name":"UNPROCESSABLE_ENTITY","message":"","debug_id":"b1",
            "details":[{"issue":"INSTRUMENT_DECLINED","description":"declined"}]}"#;
        let busy = r#"{"name":"RESOURCE_CONFLICT",
            "details":[{"issue":"PREVIOUS_REQUEST_IN_PROGRESS"}]}"#;
        let cases = [
            (Collect, 422, declined, "refused"),
            (Start, 400, r#"{"name":"INVALID_REQUEST"}"#, "refused"),
            (Refund, 403, r#"{"name":"NOT_AUTHORIZED"}"#, "refused"),
            (Query, 404, r#"{"name":"RESOURCE_NOT_FOUND"}"#, "refused"),
            (
                Start,
                401,
                r#"{"name":"AUTHENTICATION_FAILURE"}"#,
                "unavailable",
            ),
            (Refund, 401, r#"{"error":"invalid_token"}"#, "unavailable"),
            (
                Refund,
                429,
                r#"{"name":"RATE_LIMIT_REACHED"}"#,
                "unavailable",
            ),
            (Refund, 429, "<html>", "unavailable"),
            (Refund, 409, busy, "unknown"),
            (
                Collect,
                500,
                r#"{"name":"INTERNAL_SERVER_ERROR"}"#,
                "unknown",
            ),
            (Collect, 503, r#"{"name":"SERVICE_UNAVAILABLE"}"#, "unknown"),
            (Start, 404, "<html>", "unknown"),
            (Start, 302, "", "unknown"),
            (Query, 500, "", "unavailable"),
            (QueryRefund, 503, "", "unavailable"),
        ];
        for (operation, status, body, expected) in cases {
            let found = kind(operation, status, body);
            assert_eq!(found, expected, "{operation:?} {status} {body}");
        }
    }

    #[test]
    fn the_issue_says_more_than_the_name() {
        let body = br#"{"name":"UNPROCESSABLE_ENTITY","message":"no","debug_id":"90957fca61718",
            "details":[{"issue":"REFUND_AMOUNT_EXCEEDED","description":"too much"}]}"#;
        let error = classify(Operation::Refund, 422, body);
        assert_eq!(refusal(&error), Some("REFUND_AMOUNT_EXCEEDED"));
        let busy = classify(Operation::Refund, 409, body);
        assert!(busy.to_string().contains("90957fca61718"), "{busy}");
        let body = br#"{"name":"RESOURCE_NOT_FOUND","details":[{"issue":"INVALID_RESOURCE_ID"}]}"#;
        assert!(is_not_found(&classify(Operation::Query, 404, body)));
    }
}
