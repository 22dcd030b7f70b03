//! What an answer that says no means: refused, not now, or unknown (spec 20).

use super::wire::{ErrorAnswer, ErrorDetail};
use crate::gateway::{GatewayError, Operation};
use domain::payment::GatewayName;

/// The gateway's name in errors, the API and the database.
pub(super) const GATEWAY: GatewayName = GatewayName::STRIPE;

/// What we refuse ourselves, before Stripe would.
pub(super) const BAD_PARAMETER: &str = "PARAM_ERROR";

/// Reads the body of an answer whose status is not 2xx.
pub fn read_error(body: &[u8]) -> Option<ErrorDetail> {
    let answer: ErrorAnswer = serde_json::from_slice(body).ok()?;
    Some(answer.error)
}

/// Sorts an answer whose status is not 2xx (Stripe, errors and advanced error handling).
pub(super) fn classify(operation: Operation, status: u16, body: &[u8]) -> GatewayError {
    let Some(error) = read_error(body) else {
        // Not Stripe's own words: a proxy or a broken front. Too many requests is the one status
        // that says that nothing was done.
        let reason = format!("answer {status} without a Stripe error");
        return match status {
            429 => operation.unavailable(GATEWAY, reason),
            _ => operation.unanswered(GATEWAY, reason),
        };
    };
    let (name, message) = (error.name(), error.message.as_deref().unwrap_or_default());
    let reason = format!("answer {status} {name}: {message}");
    match (status, error.kind.as_str()) {
        // The limiter stands before everything else; an object that another request holds
        // (`lock_timeout`) was not touched.
        (429, _) => operation.unavailable(GATEWAY, reason),
        // A request with the same key is being worked on: this one did nothing, that one may.
        // 424: something behind Stripe failed, nobody says how far it had come.
        (409 | 424, _) => operation.unanswered(GATEWAY, reason),
        (
            400..=499,
            "invalid_request_error"
            | "card_error"
            | "idempotency_error"
            | "authentication_error"
            | "permission_error",
        ) => operation.refused(GATEWAY, name, message),
        // `api_error`, every 5xx (a stored one that is repeated for its key, too), and whatever
        // Stripe may add.
        _ => operation.unanswered(GATEWAY, reason),
    }
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

    fn error(kind: &str, code: &str) -> String {
        format!(r#"{{"error":{{"type":"{kind}","code":"{code}","message":"..."}}}}"#)
    }

    #[test]
    fn the_three_kinds_never_mix() {
        use Operation::{Bill, Close, Query, QueryRefund, Refund, Start};
        let refusal = "invalid_request_error";
        for (operation, status, kind_of_error, code, expected) in [
            (Start, 402, "card_error", "card_declined", "refused"),
            (Start, 400, refusal, "amount_too_small", "refused"),
            (Start, 400, "idempotency_error", "", "refused"),
            (Start, 401, refusal, "", "refused"),
            (Start, 403, "permission_error", "", "refused"),
            (Refund, 400, refusal, "charge_already_refunded", "refused"),
            (Refund, 404, refusal, "resource_missing", "refused"),
            (
                Close,
                400,
                refusal,
                "payment_intent_unexpected_state",
                "refused",
            ),
            (Refund, 429, refusal, "rate_limit", "unavailable"),
            (Refund, 429, refusal, "lock_timeout", "unavailable"),
            (Start, 429, "rate_limit_error", "", "unavailable"),
            (
                Refund,
                409,
                "idempotency_error",
                "idempotency_key_in_use",
                "unknown",
            ),
            (Refund, 424, "api_error", "", "unknown"),
            (Refund, 500, "api_error", "", "unknown"),
            (Refund, 503, refusal, "", "unknown"),
            (Start, 400, "api_error", "", "unknown"),
            (Start, 400, "error_of_2031", "", "unknown"),
            (Query, 500, "api_error", "", "unavailable"),
            (QueryRefund, 409, "idempotency_error", "", "unavailable"),
            (Bill, 429, refusal, "rate_limit", "unavailable"),
        ] {
            let body = error(kind_of_error, code);
            let found = kind(operation, status, &body);
            assert_eq!(found, expected, "{operation:?} {status} {body}");
        }
    }

    #[test]
    fn what_stripe_did_not_say_settles_nothing() {
        for (operation, status, body, expected) in [
            (Operation::Refund, 404, "<html>", "unknown"),
            (Operation::Refund, 400, r#"{"error":"bad"}"#, "unknown"),
            (Operation::Refund, 302, "", "unknown"),
            (Operation::Start, 429, "<html>", "unavailable"),
            (Operation::Query, 502, "", "unavailable"),
        ] {
            let found = kind(operation, status, body);
            assert_eq!(found, expected, "{operation:?} {status} {body}");
        }
    }

    #[test]
    fn an_error_is_named_by_its_code_or_else_by_its_type() {
        for (body, expected) in [
            (error("card_error", "card_declined"), "card_declined"),
            (
                r#"{"error":{"type":"idempotency_error","message":"Keys ..."}}"#.to_owned(),
                "idempotency_error",
            ),
        ] {
            match classify(Operation::Start, 400, body.as_bytes()) {
                GatewayError::Refused { code, .. } => assert_eq!(code, expected),
                other => panic!("{other}"),
            }
        }
    }
}
