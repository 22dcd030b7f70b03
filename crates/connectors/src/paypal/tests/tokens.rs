//! One token for all, replaced before its end, and once more where PayPal will not take it.

use super::stub::Stub;
use super::{ORDER, now, order, payment, paypal};
use crate::gateway::{GatewayError, PaymentGateway as _, PaymentState};
use domain::Span;
use serde_json::json;

const GET: &str = "GET /v2/checkout/orders/5O190127TN364715T";
const TOKEN: &str = "POST /v1/oauth2/token";

#[tokio::test]
async fn many_who_come_at_once_fetch_one_token() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    for _ in 0..20 {
        stub.answers(GET, 200, &order("APPROVED", &[]));
    }
    let payment = payment();
    let queries = (0..20).map(|_| paypal.query(&payment, now()));
    for state in futures::future::join_all(queries).await {
        assert_eq!(state, Ok(PaymentState::Approved));
    }
    assert_eq!((stub.tokens(), stub.lines().len()), (1, 20));
    assert_eq!(stub.asked()[0].header("authorization"), "Bearer token-1");
}

#[tokio::test]
async fn a_token_is_replaced_before_its_end_by_our_clock() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    for (after, tokens) in [(0, 1), (32_400 - 301, 1), (32_400 - 300, 2), (64_000, 2)] {
        stub.answers(GET, 200, &order("CREATED", &[]));
        paypal
            .query(&payment(), now() + Span::seconds(after))
            .await
            .unwrap();
        assert_eq!(stub.tokens(), tokens, "{after} s");
    }
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_replaced_once() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    stub.answers(GET, 200, &order("CREATED", &[]));
    paypal.query(&payment(), now()).await.unwrap();
    stub.refuse_tokens();
    stub.answers(GET, 200, &order("APPROVED", &[]))
        .answers(GET, 200, &order("APPROVED", &[]));
    let payment = payment();
    let both = futures::future::join(paypal.query(&payment, now()), paypal.query(&payment, now()));
    let (first, second) = both.await;
    assert_eq!(
        (first, second),
        (Ok(PaymentState::Approved), Ok(PaymentState::Approved))
    );
    assert_eq!(stub.tokens(), 2);
}

#[tokio::test]
async fn a_fresh_token_that_is_not_taken_either_is_no_refusal_and_no_loop() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    let no = json!({ "name": "AUTHENTICATION_FAILURE", "message": "no" });
    let path = format!("POST /v2/checkout/orders/{ORDER}/capture");
    stub.answers(&path, 401, &no).answers(&path, 401, &no);
    let error = paypal.collect(&payment(), now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unavailable { .. }), "{error}");
    assert_eq!((stub.tokens(), stub.lines().len()), (2, 2));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_whoever_waits_hears_it_at_once() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    let no =
        json!({ "error": "invalid_client", "error_description": "Client Authentication failed" });
    stub.answers(TOKEN, 401, &no).answers(TOKEN, 401, &no);
    let payment = payment();
    let collects = (0..10).map(|_| paypal.collect(&payment, now()));
    for outcome in futures::future::join_all(collects).await {
        let error = outcome.unwrap_err();
        // Surely nothing was captured, so it is not unknown.
        assert!(matches!(error, GatewayError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("invalid_client"), "{error}");
        assert!(!error.to_string().contains("EHLTrYKQ"), "{error}");
    }
    assert!(stub.lines().is_empty());
    assert_eq!(stub.tokens(), 1);
}

#[tokio::test]
async fn a_token_that_is_still_good_serves_while_no_new_one_can_be_had() {
    let stub = Stub::start().await;
    let paypal = paypal(&stub);
    stub.answers(GET, 200, &order("CREATED", &[]));
    paypal.query(&payment(), now()).await.unwrap();
    let near_its_end = now() + Span::seconds(32_400 - 100);
    stub.answers_text(TOKEN, 503, "down");
    for later in [0, 10, 29] {
        stub.answers(GET, 200, &order("CREATED", &[]));
        let at = near_its_end + Span::seconds(later);
        paypal.query(&payment(), at).await.unwrap();
        // The second one that is counted is the one that could not be had.
        assert_eq!(stub.tokens(), 2, "{later} s");
    }
    stub.answers(GET, 200, &order("CREATED", &[]));
    let again = near_its_end + Span::seconds(30);
    paypal.query(&payment(), again).await.unwrap();
    assert_eq!(stub.tokens(), 3);
}
